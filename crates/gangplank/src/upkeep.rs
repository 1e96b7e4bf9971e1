//! What is done in the background: deleted repositories are emptied, ended uploads and blobs without a link are
//! removed, old events and old usage are forgotten. Always in bounded batches, so that a stop never waits long and requests are never
//! starved.

use std::sync::Arc;

use ::auth::Auth;
use ::storage::Storage;
use frontend::Clock;
use frontend::types::{self, Removed, UpkeepChore, UpkeepFailure, UpkeepRound};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::config;

/// How many batches of one chore are done in a row, so that none keeps the others waiting.
const BATCHES_MAX: usize = 1_000;

/// What the background works with.
pub(crate) struct Upkeep {
    pub(crate) auth: Auth,
    pub(crate) storage: Storage,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: config::Upkeep,
    /// What administrators are told of it. Held for as long as it works.
    pub(crate) told: watch::Sender<types::Upkeep>,
}

/// What one batch of a chore did.
#[derive(Debug, Default)]
struct Batch {
    removed: Removed,
    /// Whether there is more to do at once.
    more: bool,
}

/// Why a batch was not done. It is tried again in the next round.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Auth(#[from] ::auth::Error),
    #[error(transparent)]
    Storage(#[from] ::storage::Error),
}

/// Resolves when a stop is asked for.
pub(crate) async fn stop_asked(mut stopped: watch::Receiver<bool>) {
    // An error: whoever could ask is gone, which asks the same.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Works until a stop is asked for.
pub(crate) async fn run(upkeep: Upkeep, stopped: watch::Receiver<bool>) {
    loop {
        upkeep.round(&stopped).await;
        tokio::select! {
            () = stop_asked(stopped.clone()) => return,
            () = tokio::time::sleep(upkeep.settings.interval) => {}
        }
    }
}

impl Upkeep {
    /// Does all chores once, and tells of it.
    async fn round(&self, stopped: &watch::Receiver<bool>) {
        let began_at = self.clock.now();
        self.told.send_modify(|told| {
            told.running_since = Some(began_at);
            told.next_at = None;
        });
        let (mut removed, mut failures) = (Removed::default(), Vec::new());
        for chore in UpkeepChore::ALL {
            if let Err(error) = self.finish(chore, &mut removed, stopped).await {
                tracing::warn!(?chore, %error, "a batch of the upkeep failed; it is tried again");
                failures.push(UpkeepFailure { at: self.clock.now(), chore, reason: error.to_string() });
            }
        }
        let ended_at = self.clock.now();
        self.told.send_modify(|told| {
            told.running_since = None;
            told.next_at = ended_at.checked_add(self.settings.interval).ok();
            told.removed_since_start += removed;
            told.last_failure = failures.last().cloned().or(told.last_failure.take());
            told.last_round = Some(UpkeepRound { began_at, ended_at, removed, failures });
        });
    }

    /// Does a chore batch by batch, until there is no more to do, it fails, or a stop is asked for. Adds what is removed
    /// to `removed`.
    async fn finish(
        &self,
        chore: UpkeepChore,
        removed: &mut Removed,
        stopped: &watch::Receiver<bool>,
    ) -> Result<(), Failed> {
        for _ in 0..BATCHES_MAX {
            if *stopped.borrow() {
                return Ok(());
            }
            let batch = self.batch(chore).await?;
            *removed += batch.removed;
            if !batch.more {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn batch(&self, chore: UpkeepChore) -> Result<Batch, Failed> {
        let now = self.clock.now();
        let limit = self.settings.batch_entries_max;
        let only = |more| Batch { more, ..Batch::default() };
        Ok(match chore {
            UpkeepChore::Uploads => {
                let expired = self.storage.expire_uploads(now, limit).await?;
                let removed = Removed { uploads: expired.uploads as u64, ..Removed::default() };
                Batch { removed, more: expired.entries >= limit }
            }
            UpkeepChore::Reap => {
                let reaped = self.storage.reap(&self.auth, now).await?;
                let removed = Removed { repositories: reaped.repositories as u64, ..Removed::default() };
                Batch { removed, more: reaped.more }
            }
            UpkeepChore::Collect => {
                let collected = self.storage.collect(now, limit).await?;
                let (blobs, bytes) = (collected.blobs as u64, collected.bytes);
                Batch {
                    removed: Removed { blobs, bytes, ..Removed::default() },
                    more: collected.candidates >= limit,
                }
            }
            UpkeepChore::Events => {
                let before = now.checked_sub(self.settings.events_kept).unwrap_or(Timestamp::MIN);
                only(self.auth.trim_events(before, limit).await? >= limit)
            }
            UpkeepChore::Usage => {
                let before = now.checked_sub(self.settings.usage_kept).unwrap_or(Timestamp::MIN);
                only(self.auth.trim_usage(before, limit).await?)
            }
            UpkeepChore::Signatures => only(self.auth.trim_signatures(now, limit).await? >= limit),
        })
    }
}
