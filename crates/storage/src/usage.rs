//! What a repository takes up, as counters that are part of each change.

use auth::RepositoryId;
use kv::{Entry, Key, Usage};

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
}

impl Storage {
    /// What `repository` holds. Asks no permit: whoever shows it has found the repository with one.
    ///
    /// # Errors
    /// As the store.
    pub async fn repository_usage(&self, repository: RepositoryId) -> Result<RepositoryUsage, Error> {
        let key = |which| usage_key(repository, which);
        let [manifests, tags, bytes] =
            self.snapshot([key(Usage::Manifests), key(Usage::Tags), key(Usage::Bytes)]).await?;
        Ok(RepositoryUsage { manifests: count(manifests)?, tags: count(tags)?, bytes: count(bytes)? })
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
