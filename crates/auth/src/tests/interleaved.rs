//! An engine that lets others run before each of its operations: what runs beside each other in a test then meets in
//! every order, not only in those in which a fast map happens to be reached. On one thread, where a task that lets
//! others run is sure that they do.

use async_trait::async_trait;
use kv::memory::Memory;
use kv::{Batch, Direction, Engine, Entry, Error, KeyList, Outcome, Range};

/// Memory, reached in any order.
#[derive(Default)]
pub(crate) struct Interleaved(Memory);

/// Mostly a few others; now and then so many that a whole change beside this one comes first.
async fn others_first() {
    let most = if rand::random_ratio(1, 8) { 100 } else { 4 };
    for _ in 0..rand::random_range(0..most) {
        tokio::task::yield_now().await;
    }
}

#[async_trait]
impl Engine for Interleaved {
    async fn get(&self, key: &[u8]) -> Result<Option<Entry>, Error> {
        others_first().await;
        self.0.get(key).await
    }

    async fn get_many(&self, keys: &KeyList) -> Result<Vec<Option<Entry>>, Error> {
        others_first().await;
        self.0.get_many(keys).await
    }

    async fn scan(
        &self,
        range: Range,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(Vec<u8>, Entry)>, Error> {
        others_first().await;
        self.0.scan(range, limit, direction).await
    }

    async fn commit(&self, batch: Batch) -> Result<Outcome, Error> {
        others_first().await;
        self.0.commit(batch).await
    }
}
