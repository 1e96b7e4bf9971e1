//! Debian's containerd, which keeps what it has of a blob, and asks for the rest.

use std::path::PathBuf;

use tests::{Blob, Daemon, Direction, Image, find_program, run};
use tokio::process::Command;

use super::{BLOB_BYTES, Stage, goes_on_with_a_range};

/// Somebody's `ctr`, and the containerd that does the work.
struct Containerd {
    ctr: PathBuf,
    daemon: Daemon,
}

impl Containerd {
    async fn start() -> Containerd {
        let program = |name| find_program(name).unwrap_or_else(|absent| panic!("{absent}"));
        let daemon = Daemon::containerd(&program("containerd")).await.unwrap_or_else(|why| panic!("{why}"));
        Containerd { ctr: program("ctr"), daemon }
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.ctr);
        command.arg("--address").arg(self.daemon.socket()).args(words);
        command
    }

    /// `ctr content fetch`: a pull that unpacks nothing, for what is pulled is no file system.
    fn pull(&self, stage: &Stage) -> Command {
        let image = format!("{}/team-a/web:1", stage.relay.registry().host());
        let user = format!("{}:{}", stage.acme.login(), stage.acme.password());
        self.command(&["content", "fetch", "--plain-http", "--user", &user, &image])
    }

    /// It has the blob: what it lists, it has verified by its digest.
    async fn has(&self, blob: &Blob) {
        let listed = run(self.command(&["content", "ls"]), b"").await.output();
        assert!(
            listed.lines().any(|line| line.starts_with(&blob.digest)),
            "it lacks {}: {listed}",
            blob.digest
        );
    }
}

async fn stage_with_image() -> (Stage, Image) {
    let stage = Stage::set().await;
    let image = Image::of(vec![Blob::random(BLOB_BYTES)]);
    stage.acme.pushes("team-a/web", "1", &image).await;
    (stage, image)
}

#[tokio::test]
async fn containerd_goes_on_with_a_range_when_a_pull_is_cut() {
    let (stage, image) = stage_with_image().await;
    let (containerd, layer) = (Containerd::start().await, &image.layers[0]);
    stage.relay.cuts_after(Direction::Down, (BLOB_BYTES / 2) as u64);
    run(containerd.pull(&stage), b"").await.succeeds();
    containerd.has(layer).await;
    goes_on_with_a_range(&stage.relay, &format!("/v2/team-a/web/blobs/{}", layer.digest), BLOB_BYTES);
}

#[tokio::test]
async fn containerd_goes_on_from_its_ingest_when_a_pull_is_killed_and_begun_again() {
    let (stage, image) = stage_with_image().await;
    let (containerd, layer) = (Containerd::start().await, &image.layers[0]);
    let path = format!("/v2/team-a/web/blobs/{}", layer.digest);
    stage.relay.goes_slowly(2 * BLOB_BYTES as u64);
    let mut first = containerd.pull(&stage).kill_on_drop(true).spawn().expect("ctr runs");
    stage
        .relay
        .until(|all| all.iter().any(|it| it.is("GET", &path) && it.received_bytes > BLOB_BYTES as u64 / 2))
        .await;
    first.kill().await.expect("it can be killed");
    stage.relay.goes_slowly(0);

    run(containerd.pull(&stage), b"").await.succeeds();
    containerd.has(layer).await;
    goes_on_with_a_range(&stage.relay, &path, BLOB_BYTES);
}
