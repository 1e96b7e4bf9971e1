//! Manifests on their way in, and blobs under another algorithm than most.

use serde_json::json;
use tests::{INDEX, Image, MANIFEST, sha512_of, with_digest};

use super::{Stage, UPLOADS_TO_WEB, WEB, blob_of_web, image};

const MANIFEST_BYTES_MAX: usize = 4 << 20;

#[tokio::test]
async fn push_10_an_upload_with_digest_algorithm_sha512_ends_under_its_sha512() {
    let mut stage = Stage::set().await;
    let (acme, layer) = (stage.acme.clone(), image().layers[0].clone());
    let digest = sha512_of(&layer.bytes);
    let begun =
        stage.hears(acme.post(&format!("{UPLOADS_TO_WEB}?digest-algorithm=sha512"))).await.expect(202);
    let patched =
        stage.hears(acme.patch(begun.header("location")).body(layer.bytes.clone())).await.expect(202);
    let made = stage.hears(acme.put(&with_digest(patched.header("location"), &digest))).await.expect(201);
    assert_eq!(made.header("docker-content-digest"), digest);
    let served = stage.hears(acme.get(&blob_of_web(&digest))).await.expect(200);
    assert_eq!((served.header("docker-content-digest"), &served.body), (&*digest, &layer.bytes));
    let unknown = acme.post(&format!("{UPLOADS_TO_WEB}?digest-algorithm=md5"));
    stage.hears(unknown).await.refused(400, "DIGEST_INVALID");
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn push_10_a_push_by_digest_sets_at_least_ten_tags_and_names_each_in_oci_tag() {
    let mut stage = Stage::with_image().await;
    let (acme, image) = (stage.acme.clone(), image());
    let tags: Vec<String> = (1..=12).map(|number| format!("v{number}")).collect();
    for tags in [&tags[..2], &tags[..]] {
        let query: Vec<String> = tags.iter().map(|tag| format!("tag={tag}")).collect();
        let path = format!("/v2/{WEB}/manifests/{}?{}", image.digest, query.join("&"));
        let put = acme.put(&path).header("content-type", MANIFEST).body(image.manifest.clone());
        let answer = stage.hears(put).await.expect(201);
        let headers = answer.headers.get_all("oci-tag").iter().filter_map(|value| value.to_str().ok());
        let mut named: Vec<&str> = headers.flat_map(|value| value.split(", ")).collect();
        let mut expected: Vec<&str> = tags.iter().map(String::as_str).collect();
        named.sort_unstable();
        expected.sort_unstable();
        assert_eq!(named, expected);
        for tag in tags {
            assert_eq!(
                acme.tries_to_pull(WEB, tag).await.expect(200).header("docker-content-digest"),
                image.digest
            );
        }
    }
    // Far more than anybody sends are refused, and none of them is set.
    let many: Vec<String> = (0..1000).map(|number| format!("tag=t{number}")).collect();
    let path = format!("/v2/{WEB}/manifests/{}?{}", image.digest, many.join("&"));
    let put = acme.put(&path).header("content-type", MANIFEST).body(image.manifest.clone());
    put.send().await.expect(414);
    acme.tries_to_pull(WEB, "t0").await.expect(404);
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn push_10_oci_subject_answers_an_image_or_an_index_with_a_subject_that_may_come_later() {
    let mut stage = Stage::set().await;
    let (acme, subject) = (stage.acme.clone(), image());
    for blob in subject.blobs() {
        acme.uploads(WEB, blob).await.expect(201);
    }
    let signature = subject.referring_to(&subject, "application/vnd.example.signature");
    let index = Image::bare(
        INDEX,
        &json!({
            "schemaVersion": 2, "mediaType": INDEX, "manifests": [],
            "subject": { "mediaType": MANIFEST, "digest": subject.digest, "size": subject.manifest.len() },
        }),
    );
    for (reference, referrer) in [("sig", &signature), (&*signature.digest, &signature), ("index", &index)] {
        let answer = acme.puts_manifest(WEB, reference, referrer).await.expect(201);
        stage.said.note(&answer);
        assert_eq!(answer.header("oci-subject"), subject.digest);
    }
    let answer = acme.puts_manifest(WEB, "1", &subject).await.expect(201);
    stage.said.note(&answer);
    assert!(!answer.headers.contains_key("oci-subject"), "{answer:?}");
    insta::assert_snapshot!(stage.said.text());
}

/// An index that is `bytes` long.
fn index_of_bytes(bytes: usize) -> Image {
    let of = |padding: usize| {
        let annotations = json!({ "padding": "x".repeat(padding) });
        Image::bare(
            INDEX,
            &json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": annotations }),
        )
    };
    of(bytes - of(0).manifest.len())
}

#[tokio::test]
async fn push_10_a_manifest_of_4_mib_is_taken_and_one_byte_more_is_413() {
    let mut stage = Stage::set().await;
    let acme = stage.acme.clone();
    let (most, more) = (index_of_bytes(MANIFEST_BYTES_MAX), index_of_bytes(MANIFEST_BYTES_MAX + 1));
    assert_eq!(most.manifest.len(), MANIFEST_BYTES_MAX);
    let taken = acme.puts_manifest(WEB, "most", &most).await.expect(201);
    stage.said.note(&taken);
    acme.pulls(WEB, "most", &most).await;
    let refused = acme.puts_manifest(WEB, "more", &more).await;
    stage.said.note(&refused);
    refused.refused(413, "SIZE_INVALID");
    acme.tries_to_pull(WEB, "more").await.expect(404);
    insta::assert_snapshot!(stage.said.text());
}
