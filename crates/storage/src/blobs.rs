//! Blobs: bytes under their digest, reachable where a link says so.

mod content;
mod record;
mod small;

use auth::{AccountId, Action, Permit, RepositoryId};
use jiff::Timestamp;
use kv::{Id, Key, Versioned, decode};
use oci::Digest;

pub use content::{Blob, FileRange};
pub(crate) use record::{BlobRecord, BlobState, Segment};
pub(crate) use small::SmallBlobs;

use crate::commit::{alive, corrupt, life_key, require, retrying};
use crate::links::{LinkAt, LinkRecord};
use crate::shared::{Content, Shown};
use crate::{Error, PlaceError, Storage};

/// What is known of a blob without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobStat {
    /// Its size in bytes.
    pub size: u64,
}

impl Storage {
    /// Looks whether the repository holds `digest`. A look by somebody who may push gives the blob another grace
    /// period when half of its own is gone, because the push that follows counts on it. For [`Action::Pull`].
    ///
    /// # Errors
    /// [`Error::BlobUnknown`].
    pub async fn stat_blob(
        &self,
        permit: &Permit,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<BlobStat, Error> {
        require(permit, &[Action::Pull])?;
        let at = LinkAt { repository: permit.repository(), digest };
        let Some(Shown { entries: [Some(link)], .. }) =
            self.shown(permit, Content::Blob(digest), [at.key()]).await?
        else {
            return Err(Error::BlobUnknown { digest: digest.clone() });
        };
        let link: Versioned<LinkRecord> = decode(at.key(), &link)?;
        if permit.allows_push() && link.value.needs_renewal(self.settings().link_grace, now) {
            return retrying(|| self.try_renew(at, now)).await;
        }
        Ok(BlobStat { size: link.value.size })
    }

    async fn link(&self, at: LinkAt<'_>) -> Result<Versioned<LinkRecord>, Error> {
        let link = self.store().get(at.key()).await?;
        link.ok_or_else(|| Error::BlobUnknown { digest: at.digest.clone() })
    }

    async fn try_renew(&self, at: LinkAt<'_>, now: Timestamp) -> Result<Option<BlobStat>, Error> {
        let life = alive(self.store().get_bytes(life_key(at.repository)).await?.as_ref())?;
        let link = self.link(at).await?;
        let mut renewal = self.store().transaction();
        renewal.expect(life_key(at.repository), Some(life)).expect(at.key(), Some(link.version));
        at.renew(&mut renewal, &link.value, now)?;
        self.commit(renewal, BlobStat { size: link.value.size }).await
    }

    /// Opens a blob of the repository. What was opened can be read to its end, as a rule, even when the blob is deleted
    /// meanwhile. For [`Action::Pull`].
    ///
    /// # Errors
    /// [`Error::BlobUnknown`].
    pub async fn open_blob(&self, permit: &Permit, digest: &Digest, _now: Timestamp) -> Result<Blob, Error> {
        require(permit, &[Action::Pull])?;
        let at = LinkAt { repository: permit.repository(), digest };
        let keys = [at.key(), Key::Blob { digest: digest.raw() }];
        let Some(Shown { entries: [Some(_), blob], .. }) =
            self.shown(permit, Content::Blob(digest), keys).await?
        else {
            return Err(Error::BlobUnknown { digest: digest.clone() });
        };
        let blob = blob.ok_or_else(|| corrupt(format!("a link to {digest} without its blob")))?;
        let record: BlobRecord = decode(keys[1], &blob)?.value;
        match Blob::open(self, record.size, record.segments).await {
            // Deleted and collected between the two steps, or lost: the link tells which.
            Err(Error::Places(PlaceError::Absent)) => {
                self.link(at).await?;
                Err(Error::Places(PlaceError::Absent))
            }
            other => other,
        }
    }

    /// Deletes a blob of the repository; other repositories keep theirs. For [`Action::Delete`].
    ///
    /// # Errors
    /// [`Error::BlobUnknown`]; [`Error::BlobReferenced`] while a manifest here names it.
    pub async fn delete_blob(&self, permit: &Permit, digest: &Digest, now: Timestamp) -> Result<(), Error> {
        require(permit, &[Action::Delete])?;
        retrying(|| self.try_delete_blob(permit, digest, now)).await
    }

    async fn try_delete_blob(
        &self,
        permit: &Permit,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<()>, Error> {
        let at = LinkAt { repository: permit.repository(), digest };
        let references_key = Key::References { repository: permit.repository().raw(), target: digest.raw() };
        let [life, link, references] =
            self.snapshot([life_key(permit.repository()), at.key(), references_key]).await?;
        let life = alive(life.as_ref())?;
        let link = link.ok_or_else(|| Error::BlobUnknown { digest: digest.clone() })?;
        let link: Versioned<LinkRecord> = decode(at.key(), &link)?;
        let mut deletion = self.store().transaction();
        if let Some(counter) = &references {
            if counter.counter()? != 0 {
                return Err(Error::BlobReferenced { digest: digest.clone() });
            }
            deletion.delete(references_key);
        }
        deletion
            .expect(life_key(permit.repository()), Some(life))
            .expect(at.key(), Some(link.version))
            .expect(references_key, references.map(|counter| counter.version));
        at.remove(&mut deletion, &link.value, now)?;
        self.record_event(&mut deletion, permit, auth::EventKind::BlobDeleted, digest.to_string(), now)?;
        self.commit(deletion, ()).await
    }

    /// Links a blob of the repository of `source` in that of `target` too, or renews its grace there. For
    /// [`Action::Pull`] and [`Action::Push`].
    ///
    /// # Errors
    /// [`Error::BlobUnknown`] when the source does not hold it.
    pub async fn mount(
        &self,
        source: &Permit,
        target: &Permit,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<BlobStat, Error> {
        require(source, &[Action::Pull])?;
        require(target, &[Action::Push])?;
        retrying(|| self.try_mount(source, target, digest, now)).await
    }

    async fn try_mount(
        &self,
        source: &Permit,
        target: &Permit,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<BlobStat>, Error> {
        let from = LinkAt { repository: source.repository(), digest };
        let to = LinkAt { repository: target.repository(), digest };
        let blob_key = Key::Blob { digest: digest.raw() };
        let keys = [life_key(to.repository), to.key(), from.key(), blob_key];
        let shown = self.shown(source, Content::Blob(digest), keys).await?;
        let shown = shown.ok_or_else(|| Error::BlobUnknown { digest: digest.clone() })?;
        let [life, found, theirs, blob] = &shown.entries;
        let life = alive(life.as_ref())?;
        let theirs = theirs.as_ref().ok_or_else(|| Error::BlobUnknown { digest: digest.clone() })?;
        let theirs: Versioned<LinkRecord> = decode(from.key(), theirs)?;
        let found = found.as_ref().map(|entry| decode::<LinkRecord>(to.key(), entry)).transpose()?;
        let blob = blob.as_ref().ok_or_else(|| corrupt(format!("a link to {digest} without its blob")))?;
        let blob: Versioned<BlobRecord> = decode(blob_key, blob)?;

        let mut mount = self.store().transaction();
        mount.expect(life_key(to.repository), Some(life));
        if from.repository != to.repository {
            mount.expect(from.key(), Some(theirs.version));
        }
        shown.expect(&mut mount, source, Content::Blob(digest));
        blob.value.keep(&mut mount, digest, blob.version)?;
        let size = blob.value.size;
        let new = LinkRecord { size, owner: target.owner(), linked_at: now, renewed_at: now };
        to.make(&mut mount, found.as_ref(), new, self.settings().link_grace)?;
        self.commit(mount, BlobStat { size }).await
    }

    /// At most `limit` of the repositories of the account `owner` that hold `digest`: where a mount may come from that
    /// names no source. Says nothing about who may pull from them: ask [`auth::Auth::authorize_source`].
    ///
    /// # Errors
    /// As the store.
    pub async fn mount_candidates(
        &self,
        owner: AccountId,
        digest: &Digest,
        limit: usize,
    ) -> Result<Vec<RepositoryId>, Error> {
        let list = Key::OwnerLink { account: owner.raw(), digest: digest.raw(), repository: Id::MIN };
        let region = self.store().region();
        let rows = self.store().list(list.siblings(region), self.page_entries(limit)).await?;
        rows.iter()
            .map(|(key, _)| {
                let id = Id::from_tail(list.tail(region, key)?);
                id.map(RepositoryId::from).ok_or_else(|| corrupt("a link by owner without a repository"))
            })
            .collect()
    }
}
