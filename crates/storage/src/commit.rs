//! What every operation does at its beginning and every write at its end.

use std::time::Duration;

use auth::{Action, EventKind, Permit, RepositoryId};
use jiff::Timestamp;
use kv::{Entry, Key, Outcome, Transaction, Version};

use crate::{Error, Storage};

/// How often a write is decided anew when others change what it decided upon.
const ATTEMPTS_MAX: usize = 32;

/// The bounds of a counter of things that are there.
pub(crate) const COUNT: std::ops::RangeInclusive<i64> = 0..=i64::MAX;

/// Refuses a permit that was given for another action: a route that asked for the wrong one is a defect, and fails
/// closed.
pub(crate) fn require(permit: &Permit, allowed: &[Action]) -> Result<(), Error> {
    if allowed.contains(&permit.action()) { Ok(()) } else { Err(Error::NotPermitted) }
}

/// Repeats `attempt` while it answers `None`, which means that something it had read was changed before its commit.
pub(crate) async fn retrying<T, F>(mut attempt: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<Option<T>, Error>>,
{
    for _ in 0..ATTEMPTS_MAX {
        if let Some(done) = attempt().await? {
            return Ok(done);
        }
    }
    Err(Error::Busy)
}

/// Runs `work`, which takes a while, where it keeps nobody from being served.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::Places(crate::PlaceError::Failed(std::io::Error::other(error))))
}

/// The key of a repository's life record.
pub(crate) fn life_key(repository: RepositoryId) -> Key<'static> {
    Key::Repository { repository: repository.raw() }
}

/// The version of the life record that was read as `entry`.
pub(crate) fn alive(entry: Option<&Entry>) -> Result<Version, Error> {
    entry.map(|entry| entry.version).ok_or(Error::RepositoryGone)
}

impl Storage {
    /// The entries at `keys`, from one snapshot.
    pub(crate) async fn snapshot<const N: usize>(
        &self,
        keys: [Key<'_>; N],
    ) -> Result<[Option<Entry>; N], Error> {
        let entries = self.store().get_many(&keys).await?;
        entries.try_into().map_err(|_| corrupt("as many entries as keys were asked for"))
    }

    /// Writes, as part of `transaction`, that the holder of `permit` did something with its repository.
    pub(crate) fn record_event(
        &self,
        transaction: &mut Transaction,
        permit: &Permit,
        kind: EventKind,
        detail: String,
        now: Timestamp,
    ) -> Result<(), Error> {
        let actor = permit.principal().into();
        let event = auth::Event::new(permit.owner(), kind, actor, permit.name().to_string(), now);
        event.with_detail(detail).record(transaction)?;
        Ok(())
    }

    /// How many entries of a list are looked at for a caller who asks for `limit`: what one scan answers, less the one
    /// that tells whether there are more.
    pub(crate) fn page_entries(&self, limit: usize) -> usize {
        limit.min(self.settings().page_entries_max).min(kv::SCAN_ENTRIES_MAX - 1)
    }

    /// Commits: `Some(value)` when it is done, `None` when to decide anew.
    pub(crate) async fn commit<T>(&self, transaction: Transaction, value: T) -> Result<Option<T>, Error> {
        match self.store().commit(transaction).await? {
            Outcome::Committed => Ok(Some(value)),
            Outcome::Conflict => Ok(None),
            Outcome::OutOfBounds { key } => Err(Error::Store(kv::Error::Corrupt {
                what: format!("the counter {} disagrees with what it counts", key.escape_ascii()),
            })),
        }
    }
}

/// The instant `duration` after `at`, or the last one there is.
pub(crate) fn after(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// A time as keys hold it.
pub(crate) fn time_ms(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}

/// Sizes are counted in `i64`; a blob beyond that is refused long before.
pub(crate) fn delta(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// What the store holds is not what this program writes.
pub(crate) fn corrupt(what: impl Into<String>) -> Error {
    Error::Store(kv::Error::Corrupt { what: what.into() })
}
