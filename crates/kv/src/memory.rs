//! The engine for tests: a map in memory. It keeps the whole contract but durability.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::plan::{check_count, check_key, plan};
use crate::{Batch, Direction, Engine, Entry, Error, KeyList, Outcome, Range, Version};

/// A key-value space that lives as long as the value.
#[derive(Debug, Default)]
pub struct Memory {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<Vec<u8>, Entry>,
    last_version: u64,
}

impl Memory {
    /// An empty space.
    #[must_use]
    pub fn new() -> Memory {
        Memory::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics between the two halves of a change, so a poisoned state is a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Engine for Memory {
    async fn get(&self, key: &[u8]) -> Result<Option<Entry>, Error> {
        check_key(key)?;
        Ok(self.state().entries.get(key).cloned())
    }

    async fn get_many(&self, keys: &KeyList) -> Result<Vec<Option<Entry>>, Error> {
        check_count(keys.len())?;
        keys.iter().try_for_each(check_key)?;
        let state = self.state();
        Ok(keys.iter().map(|key| state.entries.get(key).cloned()).collect())
    }

    async fn scan(
        &self,
        range: Range,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(Vec<u8>, Entry)>, Error> {
        check_count(limit)?;
        if is_empty(&range) {
            return Ok(Vec::new());
        }
        let state = self.state();
        let entries = state.entries.range(range).map(|(key, entry)| (key.clone(), entry.clone()));
        Ok(match direction {
            Direction::Forward => entries.take(limit).collect(),
            Direction::Backward => entries.rev().take(limit).collect(),
        })
    }

    async fn commit(&self, batch: Batch) -> Result<Outcome, Error> {
        let mut state = self.state();
        let writes = match plan(batch, |key| Ok(state.entries.get(key).cloned()))? {
            Ok(writes) => writes,
            Err(outcome) => return Ok(outcome),
        };
        state.last_version += 1;
        let version = Version(state.last_version);
        for (key, value) in writes {
            match value {
                Some(value) => state.entries.insert(key, Entry::new(version, value)),
                None => state.entries.remove(&key),
            };
        }
        Ok(Outcome::Committed)
    }
}

/// Whether no key can lie in `range`; the map's own range panics on some of these.
fn is_empty((start, end): &Range) -> bool {
    match (start, end) {
        (Bound::Included(start), Bound::Included(end)) => start > end,
        (Bound::Included(start) | Bound::Excluded(start), Bound::Included(end) | Bound::Excluded(end)) => {
            start >= end
        }
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Memory;

    #[tokio::test(flavor = "multi_thread")]
    async fn keeps_the_contract() {
        crate::suite::run(|| async { Arc::new(Memory::new()) }).await;
    }
}
