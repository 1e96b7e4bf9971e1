//! A store and places that fail when they are told to.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use kv::memory::Memory;
use kv::{Batch, Direction, Engine, Entry, Outcome, Range};

use super::world::{World, at, body, content, image, sha256};
use crate::files::Files;
use crate::{Error, Place, PlaceError, PlaceReader, PlaceWriter, Places};

/// Counts down; at zero, once, it goes off.
pub(super) struct Fuse(AtomicI64);

impl Default for Fuse {
    fn default() -> Fuse {
        Fuse(AtomicI64::new(-1))
    }
}

impl Fuse {
    /// Goes off at the call after `calls`.
    pub(super) fn set(&self, calls: i64) {
        self.0.store(calls, Ordering::SeqCst);
    }

    pub(super) fn is_spent(&self) -> bool {
        self.0.load(Ordering::SeqCst) < 0
    }

    fn burns(&self) -> bool {
        self.0.fetch_sub(1, Ordering::SeqCst) == 0
    }
}

/// Memory, with commits that fail before or after they are done.
#[derive(Default)]
pub(super) struct FaultyEngine {
    memory: Memory,
    /// A commit fails and is not done.
    pub(super) lost: Fuse,
    /// A commit fails and is done nevertheless.
    pub(super) unanswered: Fuse,
    calls: AtomicU64,
}

impl FaultyEngine {
    /// Lets others come in between, now more of them and now fewer: a store in memory is else too fast to be overtaken.
    async fn dawdle(&self) {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        for _ in 0..call.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 62 {
            tokio::task::yield_now().await;
        }
    }
}

#[async_trait]
impl Engine for FaultyEngine {
    async fn get(&self, key: &[u8]) -> Result<Option<Entry>, kv::Error> {
        let answer = self.memory.get(key).await;
        self.dawdle().await;
        answer
    }

    async fn get_many(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Entry>>, kv::Error> {
        let answer = self.memory.get_many(keys).await;
        self.dawdle().await;
        answer
    }

    async fn scan(
        &self,
        range: Range,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(Vec<u8>, Entry)>, kv::Error> {
        let answer = self.memory.scan(range, limit, direction).await;
        self.dawdle().await;
        answer
    }

    async fn commit(&self, batch: Batch) -> Result<Outcome, kv::Error> {
        let fails = || kv::Error::Engine("told to fail".into());
        self.dawdle().await;
        if self.lost.burns() {
            return Err(fails());
        }
        let outcome = self.memory.commit(batch).await?;
        if self.unanswered.burns() { Err(fails()) } else { Ok(outcome) }
    }
}

/// Files, on a disk that fills up.
pub(super) struct FaultyPlaces {
    files: Files,
    faults: Arc<Faults>,
    pub(super) free_bytes: AtomicU64,
}

#[derive(Default)]
pub(super) struct Faults {
    pub(super) create: Fuse,
    /// Half of what was to be written is there.
    pub(super) write: Fuse,
    pub(super) sync: Fuse,
    pub(super) remove: Fuse,
    pub(super) truncate: Fuse,
}

impl FaultyPlaces {
    pub(super) fn new(folder: &Path) -> FaultyPlaces {
        let files = Files::open(folder).unwrap();
        FaultyPlaces { files, faults: Arc::default(), free_bytes: AtomicU64::new(u64::MAX) }
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.faults
    }
}

#[async_trait]
impl Places for FaultyPlaces {
    async fn create(&self, place: Place) -> Result<Box<dyn PlaceWriter>, PlaceError> {
        if self.faults.create.burns() {
            return Err(PlaceError::NoSpace);
        }
        let writer = self.files.create(place).await?;
        Ok(Box::new(FaultyWriter { writer, faults: self.faults.clone() }))
    }

    async fn open(&self, place: Place) -> Result<Arc<dyn PlaceReader>, PlaceError> {
        self.files.open(place).await
    }

    async fn remove(&self, place: Place) -> Result<(), PlaceError> {
        if self.faults.remove.burns() {
            return Err(PlaceError::Failed(std::io::Error::other("told to fail")));
        }
        self.files.remove(place).await
    }

    async fn free_bytes(&self) -> Result<u64, PlaceError> {
        Ok(self.free_bytes.load(Ordering::SeqCst))
    }
}

struct FaultyWriter {
    writer: Box<dyn PlaceWriter>,
    faults: Arc<Faults>,
}

#[async_trait]
impl PlaceWriter for FaultyWriter {
    async fn write(&mut self, mut chunks: Vec<Bytes>) -> Result<(), PlaceError> {
        if self.faults.write.burns() {
            chunks.truncate(chunks.len() / 2);
            self.writer.write(chunks).await?;
            return Err(PlaceError::NoSpace);
        }
        self.writer.write(chunks).await
    }

    async fn sync(&mut self) -> Result<(), PlaceError> {
        if self.faults.sync.burns() { Err(PlaceError::NoSpace) } else { self.writer.sync().await }
    }

    async fn truncate(&mut self, length: u64) -> Result<(), PlaceError> {
        if self.faults.truncate.burns() {
            Err(PlaceError::NoSpace)
        } else {
            self.writer.truncate(length).await
        }
    }
}

/// What a push was told, to be held against what is there in the end.
#[derive(Default)]
struct Acknowledged {
    blobs: HashMap<oci::Digest, Vec<u8>>,
    manifest: Option<oci::Digest>,
}

/// A whole push, each step tried until it is acknowledged, as a client does.
async fn push_stubbornly(world: &World) -> Acknowledged {
    let permit = world.push("acme/web").await;
    let mut acknowledged = Acknowledged::default();
    let (first, second) = (content(2_500_000, 1), content(1_300_000, 2));
    let (config, layer) = (content(300, 3), [first.clone(), second.clone()].concat());
    loop {
        if acknowledged.blobs.len() < 2 {
            let Ok(upload) = world.storage.start_upload(&permit, oci::Algorithm::Sha256, at(0)).await else {
                continue;
            };
            // In requests of their own, and resumed where the upload then stands.
            for _ in 0..6 {
                let Ok(stands) = world.storage.upload(&permit, upload.id, at(0)).await else { break };
                let rest = &layer[usize::try_from(stands.offset).unwrap()..];
                let some = &rest[..rest.len().min(first.len())];
                let _ = world.append(&permit, &stands, some).await;
            }
            if world.finish(&permit, &upload, &sha256(&layer)).await.is_ok() {
                acknowledged.blobs.insert(sha256(&layer), layer.clone());
            }
            let Ok(upload) = world.storage.start_upload(&permit, oci::Algorithm::Sha256, at(0)).await else {
                continue;
            };
            let (digest, length) = (sha256(&config), Some(config.len() as u64));
            let put = world.storage.finish(&permit, upload.id, &digest, None, length, body(&config), at(0));
            if put.await.is_ok() {
                acknowledged.blobs.insert(digest, config.clone());
            }
            continue;
        }
        let manifest = image((&sha256(&config), config.len()), &[(&sha256(&layer), layer.len())]);
        match world.manifest(&permit, &manifest, "latest", &[]).await {
            Ok(digest) => acknowledged.manifest = Some(digest),
            Err(_) => continue,
        }
        return acknowledged;
    }
}

/// Everything acknowledged is there; once it is deleted, nothing is left of it or of what failed.
async fn holds_and_lets_go(world: &World, acknowledged: &Acknowledged, what: &str) {
    let pull = world.pull("acme/web").await;
    for (digest, content) in &acknowledged.blobs {
        assert!(world.read(&pull, digest).await.unwrap() == *content, "{what}: {digest}");
    }
    let latest = oci::Reference::parse("latest").unwrap();
    let manifest = world.storage.manifest(&pull, &latest).await.unwrap();
    assert_eq!(Some(manifest.digest), acknowledged.manifest, "{what}");
    let bytes: u64 = acknowledged.blobs.values().map(|content| content.len() as u64).sum();
    let usage = world.storage.repository_usage(pull.repository()).await.unwrap();
    assert_eq!((usage.manifests, usage.tags), (1, 1), "{what}");
    assert_eq!(usage.bytes, bytes + manifest.body.len() as u64, "{what}");

    world.auth.delete_repository(&world.acme, pull.name(), at(1)).await.unwrap();
    world.tidy().await;
    assert_eq!(world.files(), 0, "{what}: files left");
    assert_eq!(world.keys().await, Vec::<Vec<u8>>::new(), "{what}: keys left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_and_leaks_nothing() {
    type Pick = fn(&Faults) -> &Fuse;
    let picks: [(&str, Pick); 4] = [
        ("create", |faults| &faults.create),
        ("write", |faults| &faults.write),
        ("sync", |faults| &faults.sync),
        ("remove", |faults| &faults.remove),
    ];
    for (name, pick) in picks {
        let mut met = 0;
        for calls in 0..12 {
            let world = World::new().await;
            pick(world.places.faults()).set(calls);
            let acknowledged = push_stubbornly(&world).await;
            met += usize::from(pick(world.places.faults()).is_spent());
            pick(world.places.faults()).set(-1);
            holds_and_lets_go(&world, &acknowledged, &format!("{name} {calls}")).await;
        }
        assert!(
            name == "remove" || met >= 3,
            "{name} failed only {met} times: the test no longer reaches it"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_store_loses_and_leaks_nothing() {
    for calls in 0..24 {
        for unanswered in [false, true] {
            let world = World::new().await;
            world.push("acme/web").await;
            let fuse = if unanswered { &world.engine.unanswered } else { &world.engine.lost };
            fuse.set(calls);
            let acknowledged = push_stubbornly(&world).await;
            fuse.set(-1);
            let what = format!("commit {calls}, unanswered: {unanswered}");
            holds_and_lets_go(&world, &acknowledged, &what).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_faults_at_once_leave_the_upload_resumable() {
    // The write fails after a checkpoint, and so does the way back: the saved beginning must survive.
    let world = World::new().await;
    let permit = world.push("acme/web").await;
    let upload = world.start(&permit).await;
    let layer = content(4_000_000, 9);
    world.places.faults().write.set(2);
    // Epoch, two checkpoints, and then the way back.
    world.engine.lost.set(3);
    let error = world.append(&permit, &upload, &layer).await.unwrap_err();
    assert!(matches!(error, Error::NoSpace), "{error:?}");
    assert!(world.engine.lost.is_spent());
    let stands = world.storage.upload(&permit, upload.id, at(0)).await.unwrap();
    assert!(stands.offset > 1_000_000, "stands at {}", stands.offset);
    let rest = &layer[usize::try_from(stands.offset).unwrap()..];
    world.append(&permit, &stands, rest).await.unwrap();
    let digest = sha256(&layer);
    world.finish(&permit, &upload, &digest).await.unwrap();
    assert!(world.read(&world.pull("acme/web").await, &digest).await.unwrap() == layer);
}
