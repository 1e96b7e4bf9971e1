//! What a repository takes up, as counters that are part of each change, and when it was last pushed to.

use auth::{ContentScope, RepositoryId};
use jiff::Timestamp;
use kv::{Entry, Key, Usage, decode};

use crate::commit::corrupt;
use crate::{Error, Storage};

/// All that is kept of a repository.
const FIGURES: [Usage; 4] = [Usage::Manifests, Usage::Tags, Usage::Bytes, Usage::LastPush];
const REPOSITORIES_AT_ONCE: usize = 500;
const FIGURES_AT_ONCE: usize = 2_000;

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

    /// What each of these holds, in their order. Asks no permit: whoever shows it has found all of each.
    ///
    /// # Errors
    /// As the store.
    pub async fn usages(&self, repositories: &[RepositoryId]) -> Result<Vec<RepositoryUsage>, Error> {
        let mut usages = Vec::with_capacity(repositories.len());
        for some in repositories.chunks(REPOSITORIES_AT_ONCE) {
            let keys: Vec<_> =
                some.iter().flat_map(|id| FIGURES.map(|which| usage_key(*id, which))).collect();
            let entries = self.store().get_many(&keys).await?;
            for (id, figures) in some.iter().zip(entries.chunks_exact(FIGURES.len())) {
                usages.push(RepositoryUsage::of(*id, figures)?);
            }
        }
        Ok(usages)
    }

    /// One figure of each of these, in their order: for the last push its milliseconds since 1970, 0 where there was none.
    ///
    /// # Errors
    /// As the store.
    pub async fn usage_figures(
        &self,
        which: Usage,
        repositories: &[RepositoryId],
    ) -> Result<Vec<i64>, Error> {
        let mut figures = Vec::with_capacity(repositories.len());
        for some in repositories.chunks(FIGURES_AT_ONCE) {
            let keys: Vec<_> = some.iter().map(|id| usage_key(*id, which)).collect();
            for (id, entry) in some.iter().zip(self.store().get_many(&keys).await?) {
                figures.push(match entry {
                    None => 0,
                    Some(entry) if which == Usage::LastPush => last_push(*id, &entry)?.as_millisecond(),
                    Some(entry) => entry.counter()?,
                });
            }
        }
        Ok(figures)
    }

    pub(crate) async fn repository_usage(&self, repository: RepositoryId) -> Result<RepositoryUsage, Error> {
        let figures = self.snapshot(FIGURES.map(|which| usage_key(repository, which))).await?;
        RepositoryUsage::of(repository, &figures)
    }
}

impl RepositoryUsage {
    /// Of the entries of [`FIGURES`], in their order.
    fn of(repository: RepositoryId, figures: &[Option<Entry>]) -> Result<RepositoryUsage, Error> {
        let [manifests, tags, bytes, pushed] = figures else {
            return Err(corrupt("as many figures of a repository as were asked for"));
        };
        Ok(RepositoryUsage {
            manifests: count(manifests.as_ref())?,
            tags: count(tags.as_ref())?,
            bytes: count(bytes.as_ref())?,
            pushed_at: pushed.as_ref().map(|entry| last_push(repository, entry)).transpose()?,
        })
    }
}

/// The key of a repository's counter.
pub(crate) fn usage_key(repository: RepositoryId, which: Usage) -> Key<'static> {
    Key::RepositoryUsage { repository: repository.raw(), which }
}

fn count(entry: Option<&Entry>) -> Result<u64, Error> {
    let count = entry.map_or(Ok(0), Entry::counter)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

fn last_push(repository: RepositoryId, entry: &Entry) -> Result<Timestamp, Error> {
    Ok(decode::<Timestamp>(usage_key(repository, Usage::LastPush), entry)?.value)
}
