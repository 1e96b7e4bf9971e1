//! What is cleaned up in the background is told to the administrator.

use serde_json::{Value, json};
use tests::{Image, TestServer};
use tokio::time::{Duration, Instant, sleep};

const INTERVAL: Duration = Duration::from_secs(1);
const CLEAN_WITHIN: Duration = Duration::from_secs(60);

async fn system(server: &TestServer) -> Value {
    server.admin().get("/api/v1/system").send().await.expect(200).json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_image_is_removed_and_told_of() {
    let server = TestServer::start_with(|config| config.upkeep.interval = INTERVAL).await;
    let acme = server.owner("acme", "team-a").await;
    acme.pushes("team-a/web", "1.0", &Image::small()).await;
    let before = system(&server).await;
    let (blobs, bytes) = (&before["storage"]["blobs"], &before["storage"]["blob_bytes"]);
    assert!(blobs.as_u64() >= Some(2) && bytes.as_u64() > Some(0), "{before}");

    acme.deletes_repository("team-a/web").await;
    server.clock().pass(2 * 24 * 60 * 60);
    let begun = Instant::now();
    let after = loop {
        let now = system(&server).await;
        let removed = &now["upkeep"]["removed_since_start"];
        if removed["repositories"] == 1 && removed["blobs"] == *blobs {
            break now;
        }
        assert!(begun.elapsed() < CLEAN_WITHIN, "it is not removed: {now}");
        server.clock().pass(1);
        sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(after["upkeep"]["removed_since_start"]["bytes"], *bytes, "{after}");
    assert_eq!((&after["storage"]["blobs"], &after["storage"]["blob_bytes"]), (&json!(0), &json!(0)));
    assert_eq!(after["health"], json!({"metadata": "ok", "files": "ok", "upkeep": "ok"}));
    assert_eq!(after["upkeep"]["last_failure"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_are_counted_over_a_restart() {
    let server = TestServer::start().await;
    let acme = server.owner("acme", "team-a").await;
    acme.pushes("team-a/web", "1.0", &Image::small()).await;
    let before = system(&server).await["storage"]["blobs"].clone();
    let server = server.restart().await;
    assert_eq!(system(&server).await["storage"]["blobs"], before);
}
