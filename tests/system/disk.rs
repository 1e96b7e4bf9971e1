//! The disk is full: what comes is refused in clear words, what was acknowledged stays readable, and when there is room
//! again the server goes on by itself.

use tests::{Answer, Blob, Image, Person, ServerProcess, SmallDisk, digest_of};
use tokio::time::{Duration, Instant, sleep};

const MIB: usize = 1 << 20;
/// RocksDB looks for room again every few seconds.
const RECOVERS_WITHIN: Duration = Duration::from_secs(30);

async fn pushes(acme: &Person, layer: &Blob) -> u16 {
    acme.uploads("team-a/web", layer).await.status
}

async fn is_whole(acme: &Person, layers: &[Blob]) {
    for layer in layers {
        let answer = acme.get(&format!("/v2/team-a/web/blobs/{}", layer.digest)).send().await.expect(200);
        assert_eq!(digest_of(&answer.body), layer.digest);
    }
}

#[track_caller]
fn says_why(refused: Answer) {
    let message = refused.expect(507).json()["errors"][0]["message"].to_string();
    assert!(message.contains("disk") || message.contains("space"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn below_the_reserve_a_push_is_refused_and_pulls_go_on() {
    let disk = SmallDisk::of(256 << 20);
    let server = ServerProcess::start_on(&disk, &[("GANGPLANK_STORAGE__FREE_BYTES_MIN", "67108864")]).await;
    let acme = server.owner("acme", "team-a").await;
    let mut layers = Vec::new();
    let refused = loop {
        assert!(layers.len() < 20, "the disk does not fill up");
        let layer = Blob::random(8 * MIB);
        let answer = acme.uploads("team-a/web", &layer).await;
        if answer.status != 201 {
            break answer;
        }
        layers.push(layer);
    };
    assert!(layers.len() >= 5, "{} layers of 8 MiB fit", layers.len());
    says_why(refused);
    is_whole(&acme, &layers).await;
    // The reserve is for the metadata.
    acme.creates_namespace("team-b").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_without_a_byte_left_loses_nothing() {
    let disk = SmallDisk::of(192 << 20);
    let mut server = ServerProcess::start_on(&disk, &[("GANGPLANK_STORAGE__FREE_BYTES_MIN", "0")]).await;
    let acme = server.owner("acme", "team-a").await;
    let image = Image::of(vec![Blob::random(4 * MIB)]);
    for blob in image.blobs() {
        assert_eq!(pushes(&acme, blob).await, 201);
    }
    acme.puts_manifest("team-a/web", "v1", &image).await.expect(201);

    disk.fill();
    let refused = acme.uploads("team-a/web", &Blob::random(8 * MIB)).await;
    says_why(refused);
    let told = server.admin().get("/api/v1/system").send().await.expect(200).json();
    assert_eq!(told["health"]["files"], "full", "{told}");
    is_whole(&acme, &image.layers).await;
    acme.tries_to_pull("team-a/web", "v1").await.expect(200);

    // A start without room for its log must not do harm either, whether it succeeds or not.
    server.kill_and_try_to_restart().await;
    disk.clear();
    server.kill_and_restart().await;
    is_whole(&acme, &image.layers).await;
    acme.tries_to_pull("team-a/web", "v1").await.expect(200);
    let begun = Instant::now();
    let layer = Blob::random(8 * MIB);
    while pushes(&acme, &layer).await != 201 {
        assert!(begun.elapsed() < RECOVERS_WITHIN, "it does not go on");
        sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_by_itself_when_there_is_room_again() {
    let disk = SmallDisk::of(160 << 20);
    let server = ServerProcess::start_on(&disk, &[("GANGPLANK_STORAGE__FREE_BYTES_MIN", "0")]).await;
    let acme = server.owner("acme", "team-a").await;
    disk.fill();
    let layer = Blob::random(8 * MIB);
    acme.uploads("team-a/web", &layer).await.expect(507);
    disk.clear();
    let begun = Instant::now();
    while pushes(&acme, &layer).await != 201 {
        assert!(begun.elapsed() < RECOVERS_WITHIN, "it does not go on");
        sleep(Duration::from_millis(500)).await;
    }
    is_whole(&acme, &[layer]).await;
}
