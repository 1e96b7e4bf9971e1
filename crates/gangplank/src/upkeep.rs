//! What is done in the background: deleted repositories are emptied, ended uploads and blobs without a link are
//! removed, old events and old usage are forgotten. Always in bounded batches, so that a stop never waits long and requests are never
//! starved.

use std::sync::{Arc, Mutex, PoisonError};

use ::auth::{Auth, ShareId};
use ::storage::Storage;
use frontend::Clock;
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
    pub(crate) usage: Mutex<UsageRound>,
}

/// How far the usage of shares was looked through. It is counted by days, so once a day is enough.
#[derive(Debug, Default)]
pub(crate) struct UsageRound {
    done_on: Option<i64>,
    after: Option<ShareId>,
}

/// One thing to do, in the order in which one leaves work for the next.
#[derive(Debug, Clone, Copy)]
enum Chore {
    /// Ends uploads whose time is over.
    Uploads,
    /// Empties repositories that were deleted, and removes the bytes of what was broken off.
    Reap,
    /// Removes blobs that lost their last link.
    Collect,
    /// Forgets events that are too old.
    Events,
    /// Forgets usage of shares that is too old, or of shares that are gone.
    Usage,
    /// Forgets signatures that are too old to be sent again.
    Signatures,
}

const CHORES: [Chore; 6] =
    [Chore::Uploads, Chore::Reap, Chore::Collect, Chore::Events, Chore::Usage, Chore::Signatures];

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
        for chore in CHORES {
            upkeep.finish(chore, &stopped).await;
        }
        tokio::select! {
            () = stop_asked(stopped.clone()) => return,
            () = tokio::time::sleep(upkeep.settings.interval) => {}
        }
    }
}

impl Upkeep {
    /// Does a chore batch by batch, until there is no more to do, it fails, or a stop is asked for.
    async fn finish(&self, chore: Chore, stopped: &watch::Receiver<bool>) {
        for _ in 0..BATCHES_MAX {
            if *stopped.borrow() {
                return;
            }
            match self.batch(chore).await {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => return,
                Err(error) => {
                    return tracing::warn!(?chore, %error, "a batch of the upkeep failed; it is tried again");
                }
            }
        }
    }

    /// Does one batch; whether there is more to do at once.
    async fn batch(&self, chore: Chore) -> Result<bool, Failed> {
        let now = self.clock.now();
        let limit = self.settings.batch_entries_max;
        Ok(match chore {
            Chore::Uploads => self.storage.expire_uploads(now, limit).await? >= limit,
            Chore::Reap => self.storage.reap(&self.auth, now).await?.more,
            Chore::Collect => self.storage.collect(now, limit).await?.candidates >= limit,
            Chore::Events => {
                let before = now.checked_sub(self.settings.events_kept).unwrap_or(Timestamp::MIN);
                self.auth.trim_events(before, limit).await? >= limit
            }
            Chore::Usage => self.trim_usage(now, limit).await?,
            Chore::Signatures => self.auth.trim_signatures(now, limit).await? >= limit,
        })
    }

    async fn trim_usage(&self, now: Timestamp, limit: usize) -> Result<bool, Failed> {
        let today = now.as_second().div_euclid(24 * 60 * 60);
        let round = || self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        let (done_on, after) = {
            let round = round();
            (round.done_on, round.after)
        };
        if done_on == Some(today) {
            return Ok(false);
        }
        let before = now.checked_sub(self.settings.usage_kept).unwrap_or(Timestamp::MIN);
        let next = self.auth.trim_usage(before, after, limit).await?;
        let done_on = if next.is_none() { Some(today) } else { done_on };
        *round() = UsageRound { done_on, after: next };
        Ok(next.is_some())
    }
}
