//! What a repository takes up, as counters that are part of each change, and when it was last pushed to.

use std::collections::HashMap;

use auth::{AccountId, ContentScope, Permit, ReapRecord, Repository, RepositoryId, RepositoryLife};
use jiff::Timestamp;
use kv::{Entry, Key, Usage, decode};

use crate::commit::corrupt;
use crate::{Error, Storage};

const REPOSITORIES_AT_ONCE: usize = 500;
const ROWS_MOVED_AT_ONCE: usize = 1_000;
/// Looked up one by one in at most this many repositories.
const FIGURES_LOOKED_UP_MAX: usize = 1_000;
const FIGURES_AT_ONCE: usize = 5_000;

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
    /// What `repository` holds, to who reads all of it; `None` for who reads only some of it, to whom the figures
    /// of the whole would tell of the rest. Asks no permit: whoever shows it has found the repository with one.
    ///
    /// # Errors
    /// As the store.
    pub async fn usage_within(&self, repository: &Repository) -> Result<Option<RepositoryUsage>, Error> {
        match repository.scope {
            ContentScope::All => self.repository_usage(repository.owner, repository.id).await.map(Some),
            ContentScope::Tags(_) => Ok(None),
        }
    }

    /// What each of these holds, in their order. Asks no permit: whoever shows it has found all of each.
    ///
    /// # Errors
    /// As the store.
    pub async fn usages(&self, repositories: &[Repository]) -> Result<Vec<RepositoryUsage>, Error> {
        let mut usages = Vec::with_capacity(repositories.len());
        for some in repositories.chunks(REPOSITORIES_AT_ONCE) {
            let keys: Vec<_> = some
                .iter()
                .flat_map(|one| Usage::ALL.map(|which| usage_key(one.owner, one.id, which)))
                .collect();
            for figures in self.store().get_many(&keys).await?.chunks_exact(Usage::ALL.len()) {
                usages.push(RepositoryUsage::of(figures)?);
            }
        }
        Ok(usages)
    }

    /// One figure of each of these of `owner`'s, in their order: for the last push its milliseconds since 1970, 0 where
    /// there was none. Few are looked up, of many the run of all the account's is read.
    ///
    /// # Errors
    /// As the store.
    pub async fn usage_figures(
        &self,
        owner: AccountId,
        which: Usage,
        repositories: &[RepositoryId],
    ) -> Result<Vec<i64>, Error> {
        if repositories.len() > FIGURES_LOOKED_UP_MAX {
            let figures = self.usage_run(owner, which).await?;
            return Ok(repositories.iter().map(|id| figures.get(id).copied().unwrap_or_default()).collect());
        }
        let keys: Vec<_> = repositories.iter().map(|id| usage_key(owner, *id, which)).collect();
        let entries = self.store().get_many(&keys).await?;
        entries.iter().map(|entry| entry.as_ref().map_or(Ok(0), |entry| figure(entry, which))).collect()
    }

    /// That figure of every repository of `owner`'s that has one.
    async fn usage_run(&self, owner: AccountId, which: Usage) -> Result<HashMap<RepositoryId, i64>, Error> {
        let (region, mut after) = (self.store().region(), kv::Id::MIN);
        let mut figures = HashMap::new();
        loop {
            let list = usage_key(owner, after.into(), which);
            let rows = self.store().list(list.siblings_after(region), FIGURES_AT_ONCE).await?;
            for (key, entry) in &rows {
                let id = kv::Id::from_tail(list.tail(region, key)?)
                    .ok_or_else(|| corrupt("a figure of no repository"))?;
                figures.insert(id.into(), figure(entry, which)?);
                after = id;
            }
            if rows.len() < FIGURES_AT_ONCE {
                return Ok(figures);
            }
        }
    }

    pub(crate) async fn repository_usage(
        &self,
        owner: AccountId,
        repository: RepositoryId,
    ) -> Result<RepositoryUsage, Error> {
        let figures = self.snapshot(Usage::ALL.map(|which| usage_key(owner, repository, which))).await?;
        RepositoryUsage::of(&figures)
    }

    /// Moves the figures of a store that has them where they once were. To be called before anything else works on the
    /// store.
    ///
    /// # Errors
    /// As the store.
    pub async fn move_usage_once(&self) -> Result<(), Error> {
        let region = self.store().region();
        let mut after = Vec::new();
        loop {
            // Goes on where it was: what was removed is still to be stepped over for a while.
            let list = Key::FormerUsage { row: &after };
            let rows = self.store().list(list.siblings_after(region), ROWS_MOVED_AT_ONCE).await?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            let last = list.tail(region, last)?.to_vec();
            let mut moved = self.store().transaction();
            for (key, entry) in rows {
                let (id, which) = Usage::of_former_row(list.tail(region, &key)?)
                    .ok_or_else(|| corrupt("a figure of no repository"))?;
                if let Some(owner) = self.owner_of(id).await? {
                    moved.put_bytes(usage_key(owner, id.into(), which), entry.value.to_vec());
                }
                moved.delete_encoded(key);
            }
            self.commit(moved, ()).await?;
            after = last;
        }
    }

    /// Whose repository that is, or was.
    async fn owner_of(&self, repository: kv::Id) -> Result<Option<AccountId>, Error> {
        if let Some(life) = self.store().get::<RepositoryLife>(Key::Repository { repository }).await? {
            return Ok(Some(life.value.owner));
        }
        let reaped = self.store().get::<ReapRecord>(Key::Reap { id: repository }).await?;
        Ok(reaped.map(|reaped| reaped.value.life.owner))
    }
}

impl RepositoryUsage {
    /// Of the entries of [`Usage::ALL`], in their order.
    fn of(figures: &[Option<Entry>]) -> Result<RepositoryUsage, Error> {
        let [manifests, tags, bytes, pushed] = figures else {
            return Err(corrupt("as many figures of a repository as were asked for"));
        };
        Ok(RepositoryUsage {
            manifests: count(manifests.as_ref())?,
            tags: count(tags.as_ref())?,
            bytes: count(bytes.as_ref())?,
            pushed_at: pushed.as_ref().map(last_push).transpose()?,
        })
    }
}

/// The key of a figure of a repository of `owner`'s.
pub(crate) fn usage_key(owner: AccountId, repository: RepositoryId, which: Usage) -> Key<'static> {
    Key::RepositoryUsage { account: owner.raw(), which, repository: repository.raw() }
}

/// The same of the repository that a permit is for.
pub(crate) fn usage_of(permit: &Permit, which: Usage) -> Key<'static> {
    usage_key(permit.owner(), permit.repository(), which)
}

fn count(entry: Option<&Entry>) -> Result<u64, Error> {
    let count = entry.map_or(Ok(0), Entry::counter)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

fn figure(entry: &Entry, which: Usage) -> Result<i64, Error> {
    Ok(match which {
        Usage::LastPush => last_push(entry)?.as_millisecond(),
        _ => entry.counter()?,
    })
}

fn last_push(entry: &Entry) -> Result<Timestamp, Error> {
    let (account, repository) = (kv::Id::MIN, kv::Id::MIN);
    let key = Key::RepositoryUsage { account, which: Usage::LastPush, repository };
    Ok(decode::<Timestamp>(key, entry)?.value)
}
