//! The server is killed at random moments under concurrent pushes. What it had acknowledged is there afterwards,
//! whole; and it starts again by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tests::{Answer, Blob, Image, Person, ServerProcess, digest_of};
use tokio::time::{Duration, Instant, sleep};

const KILLS: usize = 36;
const KILLS_MIN: usize = 24;
const LONGEST: Duration = Duration::from_secs(75);
const WRITERS: usize = 4;
const LAYER_BYTES_MAX: usize = 1_200_000;

/// What the server has said yes to.
#[derive(Default)]
struct Acknowledged {
    /// (repository, digest).
    blobs: BTreeSet<(String, String)>,
    /// (repository, digest) → the manifest.
    manifests: BTreeMap<(String, String), Bytes>,
    /// (repository, tag) → the digest.
    tags: BTreeMap<(String, String), String>,
    /// (repository, tag): a tag that was deleted.
    deleted: BTreeSet<(String, String)>,
}

/// One of those who push all the time.
struct Writer {
    person: Person,
    number: usize,
    pushed: usize,
    acknowledged: Arc<Mutex<Acknowledged>>,
}

type Gone = Result<(), Box<dyn std::error::Error + Send + Sync>>;

impl Writer {
    async fn work(mut self, stop: Arc<AtomicBool>, shared: Blob) {
        while !stop.load(Ordering::Relaxed) {
            if self.push(&shared).await.is_err() {
                // The server is gone; it will be back.
                sleep(Duration::from_millis(10)).await;
            }
        }
    }

    async fn push(&mut self, shared: &Blob) -> Gone {
        self.pushed += 1;
        // Every repository has two writers, and every image one blob that all of them push, at times together.
        let repository = format!("team-a/r{}", self.number % 2);
        let mut layers = vec![shared.clone()];
        layers.extend(
            (0..rand::random_range(0..3)).map(|_| Blob::random(rand::random_range(0..LAYER_BYTES_MAX))),
        );
        let image = Image::of(layers);
        for blob in image.blobs() {
            self.push_blob(&repository, blob).await?;
            self.note(|acknowledged| acknowledged.blobs.insert((repository.clone(), blob.digest.clone())));
        }
        let tag = format!("w{}-{}", self.number, self.pushed);
        let path = format!("/v2/{repository}/manifests/{tag}");
        let put =
            self.person.put(&path).header("content-type", &image.media_type).body(image.manifest.clone());
        yes(put.try_send().await?, 201);
        let (manifest, tag) = ((repository.clone(), image.digest.clone()), (repository, tag));
        self.note(|acknowledged| acknowledged.manifests.insert(manifest, image.manifest.clone()));
        if self.pushed.is_multiple_of(5) {
            yes(self.person.delete(&path).try_send().await?, 202);
            self.note(|acknowledged| acknowledged.deleted.insert(tag));
        } else {
            self.note(|acknowledged| acknowledged.tags.insert(tag, image.digest.clone()));
        }
        Ok(())
    }

    /// In one of the ways that clients have.
    async fn push_blob(&self, repository: &str, blob: &Blob) -> Gone {
        let uploads = format!("/v2/{repository}/blobs/uploads/");
        match rand::random_range(0..3) {
            0 => yes(self.person.try_uploads(repository, blob).await?, 201),
            1 => {
                let path = format!("{uploads}?digest={}", blob.digest);
                yes(self.person.post(&path).body(blob.bytes.clone()).try_send().await?, 201)
            }
            _ => {
                let mut answer = yes(self.person.post(&uploads).try_send().await?, 202);
                let middle = rand::random_range(0..=blob.bytes.len());
                for chunk in [blob.bytes.slice(..middle), blob.bytes.slice(middle..)] {
                    let patch = self.person.patch(answer.header("location")).body(chunk);
                    answer = yes(patch.try_send().await?, 202);
                }
                let location = answer.header("location");
                let separator = if location.contains('?') { '&' } else { '?' };
                let path = format!("{location}{separator}digest={}", blob.digest);
                yes(self.person.put(&path).try_send().await?, 201)
            }
        };
        Ok(())
    }

    fn note<T>(&self, what: impl FnOnce(&mut Acknowledged) -> T) {
        what(&mut self.acknowledged.lock().expect("no writer panics while it writes down"));
    }
}

#[track_caller]
fn yes(answer: Answer, status: u16) -> Answer {
    answer.expect(status)
}

/// Asks for everything acknowledged, or for what was acknowledged last.
async fn verify(person: &Person, acknowledged: &Mutex<Acknowledged>, how_much: usize) -> (usize, u64) {
    let (blobs, manifests, tags, deleted) = {
        let all = acknowledged.lock().expect("no writer panics while it writes down");
        let manifests: Vec<_> = all.manifests.clone().into_iter().collect();
        let tags: Vec<_> = all.tags.clone().into_iter().collect();
        (all.blobs.clone(), manifests, tags, all.deleted.clone())
    };
    let mut bytes = 0;
    let mut checked = 0;
    for (repository, digest) in some(blobs.into_iter().collect(), how_much) {
        let answer = person.get(&format!("/v2/{repository}/blobs/{digest}")).send().await.expect(200);
        assert_eq!(digest_of(&answer.body), digest, "{repository}");
        bytes += answer.body.len() as u64;
        checked += 1;
    }
    for ((repository, digest), manifest) in some(manifests, how_much) {
        let answer = person.tries_to_pull(&repository, &digest).await.expect(200);
        assert_eq!(answer.body, manifest, "{repository}@{digest}");
        checked += 1;
    }
    for ((repository, tag), digest) in some(tags, how_much) {
        let answer = person.tries_to_pull(&repository, &tag).await.expect(200);
        assert_eq!(answer.header("docker-content-digest"), digest, "{repository}:{tag}");
        checked += 1;
    }
    for (repository, tag) in some(deleted.into_iter().collect(), how_much) {
        person.tries_to_pull(&repository, &tag).await.refused(404, "MANIFEST_UNKNOWN");
        checked += 1;
    }
    (checked, bytes)
}

/// At most `how_many` of them, at random.
fn some<T>(mut all: Vec<T>, how_many: usize) -> Vec<T> {
    while all.len() > how_many {
        all.swap_remove(rand::random_range(0..all.len()));
    }
    all
}

#[expect(clippy::print_stdout, reason = "the figures, for those who run it by hand")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_when_the_server_is_killed_at_random_moments() {
    let mut server = ServerProcess::start().await;
    let acme = server.owner("acme", "team-a").await;
    let acknowledged = Arc::new(Mutex::new(Acknowledged::default()));
    let (stop, shared) = (Arc::new(AtomicBool::new(false)), Blob::random(LAYER_BYTES_MAX));
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let writer =
                Writer { person: acme.clone(), number, pushed: 0, acknowledged: acknowledged.clone() };
            tokio::spawn(writer.work(stop.clone(), shared.clone()))
        })
        .collect();

    let begun = Instant::now();
    let mut kills = 0;
    while kills < KILLS && begun.elapsed() < LONGEST {
        sleep(Duration::from_millis(rand::random_range(20..1500))).await;
        server.kill_and_restart().await;
        kills += 1;
        verify(&acme, &acknowledged, 10).await;
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.expect("the server never gave a wrong answer");
    }
    server.kill_and_restart().await;

    let (checked, bytes) = verify(&acme, &acknowledged, usize::MAX).await;
    let blobs = acknowledged.lock().expect("every writer has ended").blobs.len();
    println!("{kills} kills; {checked} acknowledged things and {bytes} bytes of blobs are there");
    assert!(kills >= KILLS_MIN, "only {kills} kills in {LONGEST:?}");
    assert!(blobs > kills, "{blobs} blobs in {kills} lives of the server are no load");
    assert!(bytes > 10 << 20, "{bytes} bytes are no load");
    assert!(checked > blobs, "nothing but blobs was pushed");
    // And it takes pushes as before.
    acme.pushes("team-a/after", "1", &Image::small()).await;
}

#[tokio::test]
async fn an_upload_goes_on_where_it_was_acknowledged_after_a_kill() {
    let mut server = ServerProcess::start().await;
    let acme = server.owner("acme", "team-a").await;
    let blob = Blob::random(3_000_000);
    let location = acme.starts_upload("team-a/web").await;
    let half = acme.patch(&location).body(blob.bytes.slice(..2_000_000)).send().await.expect(202);
    let location = half.header("location").to_owned();

    server.kill_and_restart().await;

    let state = acme.get(&location).send().await.expect(204);
    assert_eq!(state.header("range"), "0-1999999");
    let rest = acme.patch(state.header("location")).header("content-range", "2000000-2999999");
    let rest = rest.body(blob.bytes.slice(2_000_000..)).send().await.expect(202);
    let location = rest.header("location");
    let separator = if location.contains('?') { '&' } else { '?' };
    acme.put(&format!("{location}{separator}digest={}", blob.digest)).send().await.expect(201);
    let answer = acme.get(&format!("/v2/team-a/web/blobs/{}", blob.digest)).send().await.expect(200);
    assert_eq!(answer.body, blob.bytes);
}
