//! The docker engine, which tries again by itself.

use tests::{Blob, Direction, Docker, Exchange};

use super::{BLOB_BYTES, Stage, UPLOADS, goes_on_with_a_range};

/// acme's docker through the relay, and the name of an image that it has built, with one large layer.
async fn built(stage: &Stage) -> (Docker, String) {
    let docker = Docker::of(&stage.acme, stage.relay.registry()).await;
    let image = format!("{}/team-a/web:1", stage.relay.registry().host());
    docker.builds(&image, &[("large", &Blob::random(BLOB_BYTES).bytes)]).await;
    (docker, image)
}

/// The large layer's digest and size.
async fn large_layer(stage: &Stage) -> (String, usize) {
    let manifest = stage.acme.tries_to_pull("team-a/web", "1").await.expect(200).json();
    let layer = manifest["layers"].as_array().and_then(|layers| layers.last()).expect("a layer");
    let size = layer["size"].as_u64().and_then(|size| size.try_into().ok()).expect("a size");
    (layer["digest"].as_str().expect("a digest").to_owned(), size)
}

#[tokio::test]
async fn docker_begins_anew_when_a_push_is_cut_and_ends_well() {
    let stage = Stage::set().await;
    let (docker, image) = built(&stage).await;
    stage.relay.cuts_after(Direction::Up, BLOB_BYTES as u64 / 2);
    docker.pushes(&image).await.succeeds();

    let (digest, size) = large_layer(&stage).await;
    let pieces = stage.relay.requests("PATCH", UPLOADS);
    assert!(pieces.iter().any(|piece| piece.status.is_none()), "nothing was cut: {pieces:#?}");
    let whole = |piece: &&Exchange| piece.sent_bytes == size as u64 && piece.got(202);
    assert_eq!(pieces.iter().filter(whole).count(), 1, "{pieces:#?}");
    let blob = stage.acme.get(&format!("/v2/team-a/web/blobs/{digest}")).send().await.expect(200);
    assert_eq!(tests::digest_of(&blob.body), digest);
}

#[tokio::test]
async fn docker_goes_on_with_a_range_when_a_pull_is_cut() {
    let stage = Stage::set().await;
    let (docker, image) = built(&stage).await;
    docker.pushes(&image).await.succeeds();
    let (digest, size) = large_layer(&stage).await;
    stage.relay.cuts_after(Direction::Down, BLOB_BYTES as u64 / 2);
    docker.pulls(&image).await.succeeds();
    goes_on_with_a_range(&stage.relay, &format!("/v2/team-a/web/blobs/{digest}"), size);
}
