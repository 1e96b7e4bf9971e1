//! Memory that counts how often it is asked: what takes more reads for a name that exists tells that it does, and what
//! takes more of them the more there is grows slow.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use kv::memory::Memory;
use kv::{Batch, Direction, Engine, Entry, Error, KeyList, Outcome, Range};

#[derive(Default)]
pub(in crate::tests) struct Counting {
    memory: Memory,
    reads: AtomicUsize,
    /// Rows of scans, each of which is one read.
    rows: AtomicUsize,
    commits: AtomicUsize,
}

impl Counting {
    /// The reads since this was asked last.
    pub(in crate::tests) fn reads(&self) -> usize {
        self.reads.swap(0, Ordering::SeqCst)
    }

    /// The rows of scans since this was asked last.
    pub(in crate::tests) fn rows(&self) -> usize {
        self.rows.swap(0, Ordering::SeqCst)
    }

    /// The commits since this was asked last.
    pub(in crate::tests) fn commits(&self) -> usize {
        self.commits.swap(0, Ordering::SeqCst)
    }

    fn count(&self, reads: usize) {
        self.reads.fetch_add(reads, Ordering::SeqCst);
    }
}

#[async_trait]
impl Engine for Counting {
    async fn get(&self, key: &[u8]) -> Result<Option<Entry>, Error> {
        self.count(1);
        self.memory.get(key).await
    }

    async fn get_many(&self, keys: &KeyList) -> Result<Vec<Option<Entry>>, Error> {
        self.count(keys.len());
        self.memory.get_many(keys).await
    }

    async fn scan(
        &self,
        range: Range,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(Vec<u8>, Entry)>, Error> {
        self.count(1);
        let found = self.memory.scan(range, limit, direction).await?;
        self.rows.fetch_add(found.len(), Ordering::SeqCst);
        Ok(found)
    }

    async fn commit(&self, batch: Batch) -> Result<Outcome, Error> {
        self.commits.fetch_add(1, Ordering::SeqCst);
        self.memory.commit(batch).await
    }
}
