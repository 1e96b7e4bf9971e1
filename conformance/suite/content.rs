//! What a read-only run finds in the repository. The suite cannot push it: that is what the mode is for.

use tests::{Answer, Blob, Image, Person, index_of, sha512_of};

/// An image with something that refers to it, an index of it and another image, and an image named by sha512.
pub(crate) struct Content {
    image: Image,
    other: Image,
    index: Image,
    signature: Image,
    sha512: Image,
}

impl Content {
    /// Makes it up, and pushes it.
    pub(crate) async fn pushed_by(person: &Person, repository: &str) -> Content {
        let image = Image::small();
        let other = Image::small();
        let index = index_of(&[&image, &other]);
        let signature = image.referring_to(&image, "application/vnd.example.signature");
        let sha512 = image_by_sha512();
        let content = Content { image, other, index, signature, sha512 };
        person.pushes(repository, "image", &content.image).await;
        for untagged in [&content.other, &content.signature, &content.sha512] {
            person.pushes(repository, &untagged.digest, untagged).await;
        }
        person.pushes(repository, "index", &content.index).await;
        content
    }

    /// Asks for all of it by HEAD and by GET, and compares every byte and every header that the suite, which knows only
    /// the digests, does not.
    pub(crate) async fn is_pulled_by(&self, person: &Person, repository: &str) {
        let tagged = [("image", &self.image), ("index", &self.index)];
        let by_digest = self.manifests().map(|image| (image.digest.as_str(), image));
        for (reference, image) in tagged.into_iter().chain(by_digest) {
            let path = format!("/v2/{repository}/manifests/{reference}");
            for answer in both(person, &path, &image.digest, &image.manifest).await {
                assert_eq!(answer.header("content-type"), image.media_type, "{answer:?}");
            }
        }
        for blob in self.blobs() {
            both(person, &format!("/v2/{repository}/blobs/{}", blob.digest), &blob.digest, &blob.bytes).await;
        }
    }

    /// Tells the suite of it.
    pub(crate) fn settings(&self) -> [(&'static str, String); 4] {
        [
            ("OCI_RO_DATA_TAGS", "image index".to_owned()),
            ("OCI_RO_DATA_MANIFESTS", self.manifests().map(|image| image.digest.as_str()).join(" ")),
            (
                "OCI_RO_DATA_BLOBS",
                self.blobs().map(|blob| blob.digest.as_str()).collect::<Vec<_>>().join(" "),
            ),
            ("OCI_RO_DATA_REFERRERS", self.image.digest.clone()),
        ]
    }

    fn manifests(&self) -> [&Image; 5] {
        [&self.image, &self.other, &self.index, &self.signature, &self.sha512]
    }

    /// The signature's are the image's.
    fn blobs(&self) -> impl Iterator<Item = &Blob> {
        [&self.image, &self.other, &self.sha512].into_iter().flat_map(Image::blobs)
    }
}

/// The answers to HEAD and GET of what has this digest and these bytes.
async fn both(person: &Person, path: &str, digest: &str, bytes: &[u8]) -> [Answer; 2] {
    let head = person.head(path).send().await.expect(200);
    let get = person.get(path).send().await.expect(200);
    for answer in [&head, &get] {
        assert_eq!(answer.header("docker-content-digest"), digest, "{answer:?}");
        assert_eq!(answer.header("content-length"), bytes.len().to_string(), "{answer:?}");
    }
    assert!(get.body == bytes, "other bytes than were pushed: {get:?}");
    [head, get]
}

fn image_by_sha512() -> Image {
    let mut layer = Blob::random(2000);
    layer.digest = sha512_of(&layer.bytes);
    let mut image = Image::of(vec![layer]);
    image.digest = sha512_of(&image.manifest);
    image
}
