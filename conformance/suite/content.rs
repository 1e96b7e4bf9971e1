//! What a read-only run finds in the repository. The suite cannot push it: that is what the mode is for.

use tests::{Blob, Image, Person, index_of, sha512_of};

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

    /// Pulls it, and compares every byte and every digest in the headers: the suite knows the digests only.
    pub(crate) async fn is_pulled_by(&self, person: &Person, repository: &str) {
        for (reference, image) in [("image", &self.image), ("index", &self.index)] {
            person.pulls(repository, reference, image).await;
        }
        for image in [&self.image, &self.other, &self.index, &self.signature] {
            person.pulls(repository, &image.digest, image).await;
        }
    }

    /// Tells the suite of it.
    pub(crate) fn settings(&self) -> [(&'static str, String); 4] {
        let manifests = [&self.image, &self.other, &self.index, &self.signature, &self.sha512];
        // The signature's blobs are the image's.
        let blobs = [&self.image, &self.other, &self.sha512].into_iter().flat_map(Image::blobs);
        [
            ("OCI_RO_DATA_TAGS", "image index".to_owned()),
            ("OCI_RO_DATA_MANIFESTS", manifests.map(|image| image.digest.as_str()).join(" ")),
            ("OCI_RO_DATA_BLOBS", blobs.map(|blob| blob.digest.as_str()).collect::<Vec<_>>().join(" ")),
            ("OCI_RO_DATA_REFERRERS", self.image.digest.clone()),
        ]
    }
}

fn image_by_sha512() -> Image {
    let mut layer = Blob::random(2000);
    layer.digest = sha512_of(&layer.bytes);
    let mut image = Image::of(vec![layer]);
    image.digest = sha512_of(&image.manifest);
    image
}
