//! What the official conformance suite does that no client does.

use serde_json::json;
use tests::{Blob, Image, MANIFEST, index_of, sha512_of, with_digest};

use super::{MANIFEST_OF_WEB, Stage, UPLOADS_TO_WEB, WEB, blob_of_web, image};

#[tokio::test]
async fn suite_01_sha512_is_taken_without_digest_algorithm_on_every_way_in() {
    let mut stage = Stage::set().await;
    let acme = stage.acme.clone();
    let blobs = ["a chunk", "the whole", "at once"].map(|text| Blob::layer(text.as_bytes()));
    let digests = [0, 1, 2].map(|number: usize| sha512_of(&blobs[number].bytes));
    let begun = stage.hears(acme.post(UPLOADS_TO_WEB)).await.expect(202);
    let patch =
        acme.patch(begun.header("location")).header("content-range", "0-2").body(blobs[0].bytes.slice(..3));
    let patched = stage.hears(patch).await.expect(202);
    let patch = acme.patch(patched.header("location")).body(blobs[0].bytes.slice(3..));
    let patched = stage.hears(patch).await.expect(202);
    stage.hears(acme.put(&with_digest(patched.header("location"), &digests[0]))).await.expect(201);
    let location = acme.starts_upload(WEB).await;
    let put = acme.put(&with_digest(&location, &digests[1])).body(blobs[1].bytes.clone());
    stage.hears(put).await.expect(201);
    let post = acme.post(&with_digest(UPLOADS_TO_WEB, &digests[2])).body(blobs[2].bytes.clone());
    stage.hears(post).await.expect(201);
    for (blob, digest) in blobs.iter().zip(&digests) {
        let served = acme.get(&blob_of_web(digest)).send().await.expect(200);
        assert_eq!((served.header("docker-content-digest"), &served.body), (&**digest, &blob.bytes));
    }
    // What is of another content is refused, under this algorithm too.
    let location = acme.starts_upload(WEB).await;
    let put = acme.put(&with_digest(&location, &digests[0])).body(blobs[1].bytes.clone());
    stage.hears(put).await.refused(400, "DIGEST_INVALID");
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn suite_02_blobs_are_deleted_after_the_manifests_that_held_them_and_not_before() {
    let mut stage = Stage::with_image().await;
    let (acme, image) = (stage.acme.clone(), image());
    for blob in image.blobs() {
        stage.hears(acme.delete(&blob_of_web(&blob.digest))).await.expect(405);
    }
    acme.pulls(WEB, "1", &image).await;
    stage.hears(acme.delete(&format!("/v2/{WEB}/manifests/{}", image.digest))).await.expect(202);
    for blob in image.blobs() {
        stage.hears(acme.delete(&blob_of_web(&blob.digest))).await.expect(202);
        stage.hears(acme.head(&blob_of_web(&blob.digest))).await.expect(404);
    }
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn suite_03_a_mount_without_a_source_uses_live_rights_within_a_personal_tokens_scope() {
    let mut stage = Stage::with_image().await;
    let (acme, globex, digest) = (stage.acme.clone(), stage.globex.clone(), image().layers[0].digest.clone());
    let at = |target: &str| format!("/v2/{target}/blobs/uploads/?mount={digest}");
    let token = acme.token(&["repository:team-a/copy:pull,push"]).await;
    acme.get(&blob_of_web(&digest)).bearer(&token).send().await.expect(401);
    let mounted = stage.hears(acme.post(&at("team-a/copy")).bearer(&token)).await.expect(201);
    assert_eq!(mounted.header("docker-content-digest"), digest);
    let token = acme.token(&["repository:team-a/named:pull,push"]).await;
    stage.hears(acme.post(&format!("{}&from={WEB}", at("team-a/named"))).bearer(&token)).await.expect(201);
    // A personal token for one repository does not reach another.
    for name in ["team-a/narrow", "team-a/wide"] {
        acme.uploads(name, &Blob::layer("another layer".as_bytes())).await.expect(201);
    }
    let narrow = acme.creates_token(3600, Some(&["repository:team-a/narrow:*"])).await;
    let narrow = acme.as_other("acme", &narrow);
    stage.hears(narrow.post(&at("team-a/narrow"))).await.expect(202);
    let wide =
        acme.creates_token(3600, Some(&["repository:team-a/web:pull", "repository:team-a/wide:*"])).await;
    stage.hears(acme.as_other("acme", &wide).post(&at("team-a/wide"))).await.expect(201);
    // Nor does anybody reach what is not theirs.
    let token = globex.token(&["repository:team-g/app:pull,push"]).await;
    stage.hears(globex.post(&at("team-g/app")).bearer(&token)).await.expect(202);
    acme.shares(WEB, "globex", stage.server.in_seconds(60)).await;
    stage.said.remark("acme shares the image with globex");
    stage.hears(globex.post(&at("team-g/app")).bearer(&token)).await.expect(201);
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn suite_04_an_image_whose_layers_are_missing_is_refused_unless_the_setting_accepts_it() {
    let mut strict = Stage::set().await;
    let image = image();
    strict.acme.uploads(WEB, &image.config).await.expect(201);
    let refused = strict.acme.puts_manifest(WEB, "1", &image).await;
    strict.said.note(&refused);
    let refused = refused.refused(400, "MANIFEST_BLOB_UNKNOWN");
    assert_eq!(refused.json()["errors"][0]["detail"]["digest"], image.layers[0].digest);
    // An index may always be there first.
    let index = index_of(&[&image]);
    strict.acme.puts_manifest(WEB, "index", &index).await.expect(201);

    let mut sparse = Stage::set_with(|config| config.storage.sparse_images = true).await;
    let acme = sparse.acme.clone();
    let taken = acme.puts_manifest(WEB, "1", &image).await.expect(201);
    sparse.said.note(&taken);
    let served = sparse.hears(acme.get(MANIFEST_OF_WEB)).await.expect(200);
    assert_eq!(served.body, image.manifest);
    sparse.hears(acme.get(&blob_of_web(&image.layers[0].digest))).await.refused(404, "BLOB_UNKNOWN");
    // What comes later is held at once.
    acme.uploads(WEB, &image.layers[0]).await.expect(201);
    sparse.said.remark("the layer is pushed");
    sparse.hears(acme.delete(&blob_of_web(&image.layers[0].digest))).await.expect(405);
    sparse.hears(acme.get(&blob_of_web(&image.layers[0].digest))).await.expect(200);
    let said =
        format!("{}\n\n(a server that accepts sparse images)\n\n{}", strict.said.text(), sparse.said.text());
    insta::assert_snapshot!(said);
}

/// Manifests under other digests than the usual ones.
#[tokio::test]
async fn suite_01_a_manifest_is_pushed_and_pulled_by_its_sha512() {
    let mut stage = Stage::with_image().await;
    let (acme, image) = (stage.acme.clone(), image());
    let layers: Vec<_> = image.layers.iter().map(|layer| {
        json!({ "mediaType": layer.media_type, "digest": sha512_of(&layer.bytes), "size": layer.bytes.len() })
    }).collect();
    let config = json!({ "mediaType": image.config.media_type, "digest": image.config.digest,
                         "size": image.config.bytes.len() });
    let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers });
    let manifest = Image::bare(MANIFEST, &manifest);
    let digest = sha512_of(&manifest.manifest);
    // The layer is known by its other digest only.
    acme.puts_manifest(WEB, &digest, &manifest).await.refused(400, "MANIFEST_BLOB_UNKNOWN");
    let post = acme.post(&with_digest(UPLOADS_TO_WEB, &sha512_of(&image.layers[0].bytes)));
    post.body(image.layers[0].bytes.clone()).send().await.expect(201);
    let made = acme.puts_manifest(WEB, &digest, &manifest).await.expect(201);
    stage.said.note(&made);
    assert_eq!(made.header("docker-content-digest"), digest);
    let served = stage.hears(acme.get(&format!("/v2/{WEB}/manifests/{digest}"))).await.expect(200);
    assert_eq!(served.body, manifest.manifest);
    let wrong = acme.puts_manifest(WEB, &sha512_of(b"other"), &manifest).await;
    stage.said.note(&wrong);
    wrong.refused(400, "DIGEST_INVALID");
    stage.hears(acme.delete(&format!("/v2/{WEB}/manifests/{digest}"))).await.expect(202);
    insta::assert_snapshot!(stage.said.text());
}
