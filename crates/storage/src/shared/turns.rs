//! Turns: in a repository with patterns of tags, one write of tags or manifests at a time within this process.
//!
//! It only spares them deciding in vain, over and over, while others get through: what makes them safe is the record that
//! each expects, in other processes too. Where there are no patterns, nobody waits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use auth::RepositoryId;
use kv::Entry;
use tokio::sync::{Mutex as Queue, OnceCell, OwnedMutexGuard};

use crate::Storage;

/// The repositories that somebody has or wants the turn of.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    queues: Mutex<HashMap<RepositoryId, Weak<Queue<()>>>>,
}

impl Turns {
    fn queue_of(&self, repository: RepositoryId) -> Arc<Queue<()>> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get(&repository).and_then(Weak::upgrade) {
            return queue;
        }
        queues.retain(|_, queue| queue.strong_count() > 0);
        let queue = Arc::new(Queue::new(()));
        queues.insert(repository, Arc::downgrade(&queue));
        queue
    }
}

/// The turn of one write, once it is known that it needs one.
#[derive(Debug, Default)]
pub(crate) struct Turn(OnceCell<OwnedMutexGuard<()>>);

impl Storage {
    /// Waits for the turn of a write in `repository`, whose patterns are those in `patterns`, if it needs one and does not
    /// have it. `true` when it waited: what was read is to be read again.
    pub(crate) async fn waited_for_turn(
        &self,
        repository: RepositoryId,
        patterns: Option<&Entry>,
        turn: &Turn,
    ) -> bool {
        if patterns.is_none() || turn.0.initialized() {
            return false;
        }
        let queue = self.inner.turns.queue_of(repository);
        turn.0.get_or_init(|| queue.lock_owned()).await;
        true
    }
}
