//! The reaper: empties what was unhooked. Repositories that were deleted, places that nothing names any more, and what
//! patterns of tags reached that no share uses any more.
//!
//! Nothing it removes can be reached: a repository's life record is gone, so that no write enters it; a place's only
//! mention is the reaper's own. It can stop anywhere, and goes on where it was.

use auth::{Auth, PatternReap, ReapRecord, RepositoryId};
use jiff::Timestamp;
use kv::{Id, Key, Range, Transaction, decode};
use oci::Digest;
use serde::{Deserialize, Serialize};

use crate::commit::corrupt;
use crate::discard::DiscardRecord;
use crate::links::{LinkAt, LinkRecord};
use crate::{Error, Storage};

/// How many entries are read at once that may be as large as a manifest.
const LARGE_ENTRIES: usize = 16;

/// How many commits one call spends on one repository.
const STEPS_MAX: usize = 100;

/// What [`Storage::reap`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reaped {
    /// Repositories of which nothing is left.
    pub repositories: usize,
    /// Places removed.
    pub places: usize,
    /// Whether there is more to do at once: call again.
    pub more: bool,
}

/// `Key::Reap`, in its three forms.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Unhooked {
    Repository(ReapRecord),
    Places(DiscardRecord),
    Pattern(PatternReap),
}

impl Storage {
    /// Goes through the queue once.
    ///
    /// # Errors
    /// As the store and [`Auth::reap_repository`]. What was done stays done.
    pub async fn reap(&self, auth: &Auth, now: Timestamp) -> Result<Reaped, Error> {
        let region = self.store().region();
        let mut reaped = Reaped::default();
        let mut list = Key::Reap { id: Id::MIN };
        loop {
            let rows = self.store().list(list.siblings_after(region), LARGE_ENTRIES).await?;
            for (key, entry) in &rows {
                let id = Id::from_tail(list.tail(region, key)?)
                    .ok_or_else(|| corrupt("a reaping without an id"))?;
                match decode(Key::Reap { id }, entry)?.value {
                    Unhooked::Repository(_) => self.reap_repository(auth, id, now, &mut reaped).await?,
                    Unhooked::Places(discarded) => self.reap_places(id, discarded, now, &mut reaped).await?,
                    Unhooked::Pattern(pattern) => {
                        reaped.more |= !self.reap_pattern(id, &pattern, now, STEPS_MAX).await?;
                    }
                }
            }
            match rows.last() {
                Some((key, _)) if rows.len() == LARGE_ENTRIES => {
                    let id = Id::from_tail(list.tail(region, key)?);
                    list = Key::Reap { id: id.ok_or_else(|| corrupt("a reaping without an id"))? };
                }
                _ => return Ok(reaped),
            }
        }
    }

    async fn reap_places(
        &self,
        id: Id,
        discarded: DiscardRecord,
        now: Timestamp,
        reaped: &mut Reaped,
    ) -> Result<(), Error> {
        if now < discarded.due_at {
            return Ok(());
        }
        for place in discarded.places {
            if let Err(error) = self.places().remove(place).await {
                // One bad place must not keep the others. It stays in the queue.
                tracing::warn!(%place, %error, "a discarded place was not removed");
                return Ok(());
            }
            reaped.places += 1;
        }
        let mut done = self.store().transaction();
        done.delete(Key::Reap { id });
        self.store().commit(done).await?;
        Ok(())
    }

    async fn reap_repository(
        &self,
        auth: &Auth,
        id: Id,
        now: Timestamp,
        reaped: &mut Reaped,
    ) -> Result<(), Error> {
        for _ in 0..STEPS_MAX {
            if self.empty_some(id, now).await? {
                continue;
            }
            if !auth.reap_repository(id.into(), self.reap_batch()).await? {
                continue;
            }
            let mut done = self.store().transaction();
            done.delete(Key::Reap { id });
            self.store().commit(done).await?;
            reaped.repositories += 1;
            return Ok(());
        }
        reaped.more = true;
        Ok(())
    }

    /// How many entries one commit removes: each link takes four operations.
    pub(crate) fn reap_batch(&self) -> usize {
        self.settings().reap_batch_entries.clamp(1, kv::SCAN_ENTRIES_MAX)
    }

    /// Removes some of what the repository `id` held; `false` when there was nothing.
    async fn empty_some(&self, repository: Id, now: Timestamp) -> Result<bool, Error> {
        let (region, batch) = (self.store().region(), self.reap_batch());
        let tables = [
            (Key::Tag { repository, tag: "" }, batch),
            (Key::TagOf { repository, digest: &[], tag: "" }, batch),
            (Key::Referrer { repository, subject: &[], digest: &[] }, LARGE_ENTRIES),
            (Key::Reference { repository, target: &[], source: &[] }, batch),
            (Key::References { repository, target: &[] }, batch),
        ];
        for (table, limit) in tables {
            if self.empty_range(table.beginning(region), limit).await? {
                return Ok(true);
            }
        }
        for range in Storage::shared_ranges(repository, region) {
            if self.empty_range(range, batch).await? {
                return Ok(true);
            }
        }
        Ok(self.empty_manifests(repository).await? || self.empty_links(repository.into(), now).await?)
    }

    pub(crate) async fn empty_range(&self, range: Range, limit: usize) -> Result<bool, Error> {
        let rows = self.store().list(range, limit).await?;
        let mut removal = self.store().transaction();
        for (key, _) in rows {
            removal.delete_encoded(key);
        }
        self.commit_some(removal).await
    }

    /// `false` when there was nothing to do.
    async fn commit_some(&self, removal: Transaction) -> Result<bool, Error> {
        if removal.is_empty() {
            return Ok(false);
        }
        self.store().commit(removal).await?;
        Ok(true)
    }

    /// The bodies are found by the records, which are small.
    async fn empty_manifests(&self, repository: Id) -> Result<bool, Error> {
        let region = self.store().region();
        let list = Key::Manifest { repository, digest: &[] };
        let rows = self.store().list(list.siblings(region), self.reap_batch()).await?;
        let mut removal = self.store().transaction();
        for (key, _) in &rows {
            removal.delete(Key::ManifestBody { repository, digest: list.tail(region, key)? });
            removal.delete_encoded(key.clone());
        }
        self.commit_some(removal).await
    }

    async fn empty_links(&self, repository: RepositoryId, now: Timestamp) -> Result<bool, Error> {
        let region = self.store().region();
        let list = Key::Link { repository: repository.raw(), digest: &[] };
        let rows = self.store().list(list.siblings(region), self.reap_batch()).await?;
        let mut removal = self.store().transaction();
        for (key, entry) in &rows {
            let digest = Digest::from_raw(list.tail(region, key)?);
            let digest = digest.ok_or_else(|| corrupt("a link without a digest"))?;
            let link: LinkRecord = decode(list, entry)?.value;
            LinkAt { repository, digest: &digest }.remove_uncounted(&mut removal, &link, now)?;
        }
        self.commit_some(removal).await
    }
}
