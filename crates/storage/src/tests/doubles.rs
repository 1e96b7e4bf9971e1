//! A store and places that fail when they are told to.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use kv::memory::Memory;
use kv::{Batch, Direction, Engine, Entry, KeyList, Outcome, Range};
use tokio::sync::Notify;

use crate::files::Files;
use crate::{Place, PlaceError, PlaceReader, PlaceWriter, Places, Space};

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
    /// A commit waits (see [`FaultyEngine::between`]).
    held: Fuse,
    /// A read waits (see [`FaultyEngine::before_read`]).
    held_read: Fuse,
    arrived: Notify,
    released: Notify,
    calls: AtomicU64,
    /// How many bytes of values the greatest scan has answered.
    pub(super) scan_bytes_max: AtomicUsize,
}

impl FaultyEngine {
    /// Does `other` between the reads of `one` and its commit number `calls`: what that commit decided upon may have
    /// changed. `None` when `one` has no such commit.
    pub(super) async fn between<T, U>(
        &self,
        calls: i64,
        one: impl Future<Output = T>,
        other: impl Future<Output = U>,
    ) -> (T, Option<U>) {
        self.interrupted(&self.held, calls, one, other).await
    }

    /// Does `other` before the read number `calls` of `one`. `None` when `one` has no such read.
    pub(super) async fn before_read<T, U>(
        &self,
        calls: i64,
        one: impl Future<Output = T>,
        other: impl Future<Output = U>,
    ) -> (T, Option<U>) {
        self.interrupted(&self.held_read, calls, one, other).await
    }

    async fn interrupted<T, U>(
        &self,
        held: &Fuse,
        calls: i64,
        one: impl Future<Output = T>,
        other: impl Future<Output = U>,
    ) -> (T, Option<U>) {
        held.set(calls);
        let mut one = std::pin::pin!(one);
        tokio::select! {
            answer = &mut one => {
                held.set(-1);
                return (answer, None);
            }
            () = self.arrived.notified() => {}
        }
        let other = other.await;
        self.released.notify_one();
        (one.await, Some(other))
    }

    async fn hold(&self, held: &Fuse) {
        if held.burns() {
            self.arrived.notify_one();
            self.released.notified().await;
        }
    }

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
        self.hold(&self.held_read).await;
        let answer = self.memory.get(key).await;
        self.dawdle().await;
        answer
    }

    async fn get_many(&self, keys: &KeyList) -> Result<Vec<Option<Entry>>, kv::Error> {
        self.hold(&self.held_read).await;
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
        self.hold(&self.held_read).await;
        let answer = self.memory.scan(range, limit, direction).await;
        let bytes = answer.iter().flatten().map(|(_, entry)| entry.value.len()).sum();
        self.scan_bytes_max.fetch_max(bytes, Ordering::Relaxed);
        self.dawdle().await;
        answer
    }

    async fn commit(&self, batch: Batch) -> Result<Outcome, kv::Error> {
        let fails = || kv::Error::Engine("told to fail".into());
        self.dawdle().await;
        self.hold(&self.held).await;
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
    /// Places that were opened for reading.
    pub(super) opened: AtomicU64,
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
        let (free_bytes, opened) = (AtomicU64::new(u64::MAX), AtomicU64::new(0));
        FaultyPlaces { files, faults: Arc::default(), free_bytes, opened }
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
        self.opened.fetch_add(1, Ordering::SeqCst);
        self.files.open(place).await
    }

    async fn remove(&self, place: Place) -> Result<(), PlaceError> {
        if self.faults.remove.burns() {
            return Err(PlaceError::Failed(std::io::Error::other("told to fail")));
        }
        self.files.remove(place).await
    }

    async fn space(&self) -> Result<Option<Space>, PlaceError> {
        let free_bytes = self.free_bytes.load(Ordering::SeqCst);
        Ok(Some(Space { free_bytes, total_bytes: u64::MAX, writable: true }))
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

    fn sync(&mut self) -> BoxFuture<'static, Result<(), PlaceError>> {
        if self.faults.sync.burns() {
            std::future::ready(Err(PlaceError::NoSpace)).boxed()
        } else {
            self.writer.sync()
        }
    }

    async fn truncate(&mut self, length: u64) -> Result<(), PlaceError> {
        if self.faults.truncate.burns() {
            Err(PlaceError::NoSpace)
        } else {
            self.writer.truncate(length).await
        }
    }
}
