//! Removal of what a deletion, or a change to public, left behind: rows that open nothing any more. In bounded
//! batches, any of which may be the last one that a process lived to do.

use jiff::Timestamp;
use kv::{Key, Usage, decode};

use crate::lists::Rows;
use crate::records::{ReapRecord, RepositoryLife, ShareRecord, on_repository};
use crate::share_rows::delete_share;
use crate::{Actor, Auth, Error, Principal, RepositoryId, ShareId, Thing};

/// The most rows of a kind that one commit removes.
const BATCH_MAX: usize = 1_000;

impl Auth {
    /// Removes at most `limit` shares and as many permissions of a deleted repository, and says whether they are all
    /// gone; then its description, its counters and its guards are gone too. Who empties the repository calls this
    /// until it is `true`, and removes the [`crate::ReapRecord`] after that.
    ///
    /// # Errors
    /// [`Error::Exists`] while the repository lives; else as the store.
    pub async fn reap_repository(&self, id: RepositoryId, limit: usize) -> Result<bool, Error> {
        if self.life(id).await?.is_some() {
            return Err(Error::Exists { what: Thing::Repository });
        }
        let limit = limit.clamp(1, BATCH_MAX);
        let repository = id.raw();
        let reaped = self.store().get::<ReapRecord>(Key::Reap { id: repository }).await?;
        let reaped = reaped.map(|reaped| reaped.value);
        // Whatever writes one of these rows expects the life record, which is gone: so nothing need be expected here for
        // its own sake.
        let mut tx = self.store().transaction();
        let key = Key::ShareOf { repository, grantee: kv::Id::MIN };
        let rows = self.store().list(key.siblings(self.region()), limit).await?;
        let shares_gone = rows.len() < limit;
        for (encoded, entry) in rows {
            let share = decode::<ShareId>(key, &entry)?.value;
            match self.store().get::<ShareRecord>(Key::Share { share: share.raw() }).await? {
                Some(record) => {
                    if let Some(reaped) = &reaped
                        && record.value.is_of(id, &reaped.life)
                    {
                        // Told once, whoever else empties the repository.
                        tx.expect(Key::Share { share: share.raw() }, Some(record.version));
                        let (name, at) = (&reaped.life.name, reaped.deleted_at);
                        let by = reaped.deleted_by.clone().unwrap_or_else(Actor::server);
                        self.tell_closed(&mut tx, (share, &record.value), name, by, at).await?;
                    }
                    let name = reaped.as_ref().map(|reaped| &reaped.life.name);
                    delete_share(&mut tx, share, &record.value, name);
                }
                None => {
                    tx.delete_encoded(encoded);
                }
            }
        }
        let former = Key::FormerShare { repository, grantee: kv::Id::MIN };
        let rows = self.store().list(former.siblings(self.region()), limit).await?;
        let former_gone = rows.len() < limit;
        for (encoded, _) in rows {
            tx.delete_encoded(encoded);
        }
        let permissions_gone = self.remove_permissions_on(&mut tx, on_repository(id), limit).await?;
        let gone = shares_gone && former_gone && permissions_gone;
        if gone {
            tx.delete(Key::RepositoryDetails { repository }).delete(Key::ShareGuard { repository });
            tx.delete(Key::SharedTags { repository });
            for (reaped, which) in reaped.iter().flat_map(|reaped| Usage::ALL.map(|which| (reaped, which))) {
                tx.delete(Key::RepositoryUsage { account: reaped.life.owner.raw(), which, repository });
            }
        }
        let done = self.finish(tx, ()).await?.is_some();
        Ok(gone && done)
    }

    /// Removes the shares of a repository that its present life does not know, since `p` made it public at `now`.
    pub(crate) async fn remove_dead_shares(
        &self,
        p: &Principal,
        id: RepositoryId,
        now: Timestamp,
    ) -> Result<(), Error> {
        let list = Key::ShareOf { repository: id.raw(), grantee: kv::Id::MIN };
        let mut rows = Rows::all(list.siblings(self.region()));
        loop {
            let page = rows.next(self).await?;
            if page.is_empty() {
                return Ok(());
            }
            let mut shares = Vec::with_capacity(page.len());
            for (_, entry) in page {
                shares.push(decode::<ShareId>(list, &entry)?.value);
            }
            self.until_done(|| self.try_remove_dead(p, id, &shares, now)).await?;
        }
    }

    /// Those of `shares` that were replaced meanwhile are gone; the repository may be private again, and shared.
    async fn try_remove_dead(
        &self,
        p: &Principal,
        id: RepositoryId,
        shares: &[ShareId],
        now: Timestamp,
    ) -> Result<Option<()>, Error> {
        let Some(life) = self.life(id).await? else { return Ok(Some(())) };
        let mut tx = self.store().transaction();
        tx.expect(Key::Repository { repository: id.raw() }, Some(life.version));
        for share in shares {
            self.remove_if_dead(&mut tx, *share, (id, &life.value), p.into(), now).await?;
        }
        self.finish(tx, ()).await
    }

    async fn remove_if_dead(
        &self,
        tx: &mut kv::Transaction,
        share: ShareId,
        (id, life): (RepositoryId, &RepositoryLife),
        by: Actor,
        now: Timestamp,
    ) -> Result<(), Error> {
        let key = Key::Share { share: share.raw() };
        if let Some(record) = self.store().get::<ShareRecord>(key).await?
            && !record.value.is_of(id, life)
        {
            tx.expect(key, Some(record.version));
            self.tell_closed(tx, (share, &record.value), &life.name, by, now).await?;
            delete_share(tx, share, &record.value, Some(&life.name));
        }
        Ok(())
    }
}
