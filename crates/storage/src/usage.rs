//! What a repository takes up, as counters that are part of each change, and when it was last pushed to.

use auth::{ContentScope, RepositoryId};
use jiff::Timestamp;
use kv::{Entry, Key, Usage, decode};

use crate::{Error, Storage};

/// What a repository holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RepositoryUsage {
    /// Manifests, of whatever kind.
    pub manifests: u64,
    /// Tags.
    pub tags: u64,
    /// The bytes of its manifests and blobs, each once.
    pub bytes: u64,
    /// When a manifest was last pushed, or a tag last set, if that is known.
    pub pushed_at: Option<Timestamp>,
}

impl Storage {
    /// What `repository` holds, to who reads it within `scope`; `None` for who reads only some of it, to whom the figures
    /// of the whole would tell of the rest. Asks no permit: whoever shows it has found the repository with one.
    ///
    /// # Errors
    /// As the store.
    pub async fn usage_within(
        &self,
        repository: RepositoryId,
        scope: &ContentScope,
    ) -> Result<Option<RepositoryUsage>, Error> {
        match scope {
            ContentScope::All => self.repository_usage(repository).await.map(Some),
            ContentScope::Tags(_) => Ok(None),
        }
    }

    pub(crate) async fn repository_usage(&self, repository: RepositoryId) -> Result<RepositoryUsage, Error> {
        let which = [Usage::Manifests, Usage::Tags, Usage::Bytes, Usage::LastPush];
        let keys = which.map(|which| usage_key(repository, which));
        let [manifests, tags, bytes, pushed] = self.snapshot(keys).await?;
        let pushed = pushed.map(|entry| decode::<Timestamp>(keys[3], &entry)).transpose()?;
        Ok(RepositoryUsage {
            manifests: count(manifests)?,
            tags: count(tags)?,
            bytes: count(bytes)?,
            pushed_at: pushed.map(|pushed| pushed.value),
        })
    }
}

/// The key of a repository's counter.
pub(crate) fn usage_key(repository: RepositoryId, which: Usage) -> Key<'static> {
    Key::RepositoryUsage { repository: repository.raw(), which }
}

fn count(entry: Option<Entry>) -> Result<u64, Error> {
    let count = entry.map_or(Ok(0), |entry| entry.counter())?;
    Ok(u64::try_from(count).unwrap_or(0))
}
