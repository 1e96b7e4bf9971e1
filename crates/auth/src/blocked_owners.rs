//! What an account may do against shares that it does not want: leave one, or block an owner.
//!
//! Both are the account's own decision, so that none of its users takes an image from all the others. An owner is blocked
//! by its name, as it is known; whether there is such an account is not looked up, so that nothing here tells.
//!
//! Why no share of a blocked owner is left, whatever runs beside it: a share's creation expects the grantee's
//! [`BlockedOwnersRecord`], and the block is written before the owner's shares are looked for. So either the creation
//! comes first, and its share is found, or it meets a conflict, and then the block.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kv::{Key, Versioned};

use crate::lists::Rows;
use crate::records::{BlockedOwnersRecord, ShareRecord};
use crate::scope::Verbs;
use crate::share_lists::left;
use crate::share_rows::ShareRow;
use crate::{AccountId, AccountName, Auth, Error, Event, EventKind, Principal, ShareId, Thing};

/// The most owners that an account blocks.
pub const BLOCKED_OWNERS_MAX: usize = 1_000;

/// An owner from which an account takes no shares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedOwner {
    /// The owner's name.
    pub name: AccountName,
    /// Since when.
    pub since: Timestamp,
}

impl Auth {
    /// Leaves a share that was made with the caller's account: it ends for good, for all of the account's users. The
    /// owner may make another. For the account itself.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a share that is not with the account, too; [`Error::Forbidden`] for its users.
    pub async fn leave_share(&self, p: &Principal, id: ShareId, now: Timestamp) -> Result<(), Error> {
        let missing = || Error::NotFound { what: Thing::Share };
        self.until_done(async || {
            let subject = p.subject()?;
            let key = Key::Share { share: id.raw() };
            let found = self.store().get::<ShareRecord>(key).await?.ok_or_else(missing)?;
            let share = &found.value;
            let life = self.life(share.repository).await?.ok_or_else(missing)?.value;
            let is_with = share.grantee == subject.account && share.is_of(share.repository, &life);
            if !is_with || !left(p, share, &life).contains(Verbs::PULL) {
                return Err(missing());
            }
            itself(p)?;
            let mut tx = self.store().transaction();
            tx.expect(key, Some(found.version));
            let row = ShareRow { id, record: share, repository: &life.name, grantee: &subject.account_name };
            self.close_share(&mut tx, row, EventKind::ShareLeft, p.into(), now).await?;
            self.finish(tx, ()).await
        })
        .await
    }

    /// Takes no more shares from the owner `name`, and leaves those that it made with the caller's account. One that is
    /// blocked already stays so. For the account itself.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the account's own name, [`Error::Limit`], [`Error::Forbidden`] for its users.
    pub async fn block_owner(
        &self,
        p: &Principal,
        name: &AccountName,
        now: Timestamp,
    ) -> Result<BlockedOwner, Error> {
        let account = itself(p)?;
        if p.account_name() == Some(name) {
            let reason = "an account cannot block itself".to_owned();
            return Err(Error::Invalid { field: "account", reason });
        }
        let blocked = self.until_done(|| self.try_block_owner(p, account, name, now)).await?;
        // Each in a commit of its own. Should one fail, the owner is blocked, and who asks again goes on from there.
        self.leave_shares_of(p, account, name, now).await?;
        Ok(blocked)
    }

    async fn try_block_owner(
        &self,
        p: &Principal,
        account: AccountId,
        name: &AccountName,
        now: Timestamp,
    ) -> Result<Option<BlockedOwner>, Error> {
        let found = self.blocked_owners(account).await?;
        let version = found.as_ref().map(|found| found.version);
        let mut record = found.map(|found| found.value).unwrap_or_default();
        if let Some(since) = record.owners.get(name) {
            return Ok(Some(BlockedOwner { name: name.clone(), since: *since }));
        }
        if record.owners.len() >= BLOCKED_OWNERS_MAX {
            return Err(Error::Limit { what: "blocked owners", max: BLOCKED_OWNERS_MAX as u64 });
        }
        record.owners.insert(name.clone(), now);
        let key = Key::BlockedOwners { account: account.raw() };
        let mut tx = self.store().transaction();
        tx.expect(key, version).put(key, &record)?;
        Event::new(account, EventKind::OwnerBlocked, p.into(), name.to_string(), now).record(&mut tx)?;
        self.finish(tx, BlockedOwner { name: name.clone(), since: now }).await
    }

    /// Leaves every share that the owner `name` made with `account`.
    async fn leave_shares_of(
        &self,
        p: &Principal,
        account: AccountId,
        name: &AccountName,
        now: Timestamp,
    ) -> Result<(), Error> {
        let list = Key::SharedWith { grantee: account.raw(), share: kv::Id::MIN };
        let mut rows = Rows::all(list.siblings(self.region()));
        while let page = rows.next(self).await?
            && !page.is_empty()
        {
            let mut ids = Vec::with_capacity(page.len());
            for (encoded, _) in page {
                ids.push(crate::lists::id(list, self.region(), &encoded)?);
            }
            let shares = self.records::<ShareRecord>(&ids, |share| Key::Share { share }).await?;
            let owners: BTreeSet<_> = shares.iter().map(|(_, share)| share.owner).collect();
            let owners: Vec<_> = owners.into_iter().collect();
            let names: BTreeMap<_, _> = self.account_names(&owners).await?;
            for (id, share) in shares {
                if names.get(&share.owner) == Some(name) {
                    match self.leave_share(p, id.into(), now).await {
                        // It ended by itself meanwhile, or its repository did.
                        Ok(()) | Err(Error::NotFound { .. }) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes shares from the owner `name` again. What was left stays left. For the account itself.
    ///
    /// # Errors
    /// [`Error::NotFound`] unless it is blocked, [`Error::Forbidden`] for the account's users.
    pub async fn unblock_owner(
        &self,
        p: &Principal,
        name: &AccountName,
        now: Timestamp,
    ) -> Result<(), Error> {
        let account = itself(p)?;
        let missing = || Error::NotFound { what: Thing::BlockedOwner };
        self.until_done(async || {
            let Versioned { version, mut value } = self.blocked_owners(account).await?.ok_or_else(missing)?;
            value.owners.remove(name).ok_or_else(missing)?;
            let key = Key::BlockedOwners { account: account.raw() };
            let mut tx = self.store().transaction();
            tx.expect(key, Some(version));
            if value.owners.is_empty() {
                tx.delete(key);
            } else {
                tx.put(key, &value)?;
            }
            Event::new(account, EventKind::OwnerUnblocked, p.into(), name.to_string(), now)
                .record(&mut tx)?;
            self.finish(tx, ()).await
        })
        .await
    }

    /// The owners that the caller's account blocks, by name, those after `after`. Its users see them too.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`], [`Error::Forbidden`] for who came with a narrowed credential.
    pub async fn list_blocked_owners(
        &self,
        p: &Principal,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<BlockedOwner>, Error> {
        let account = p.whole_subject()?.account;
        let record = self.blocked_owners(account).await?.map(|found| found.value).unwrap_or_default();
        let owners = record.owners.into_iter().map(|(name, since)| BlockedOwner { name, since });
        Ok(owners.filter(|owner| after.is_none_or(|after| owner.name.as_str() > after)).take(limit).collect())
    }

    /// Whom `account` blocks, with the version that a share's creation expects.
    pub(crate) async fn blocked_owners(
        &self,
        account: AccountId,
    ) -> Result<Option<Versioned<BlockedOwnersRecord>>, Error> {
        Ok(self.store().get(Key::BlockedOwners { account: account.raw() }).await?)
    }
}

/// The account, when it asks itself and with all that it may.
fn itself(p: &Principal) -> Result<AccountId, Error> {
    let subject = p.whole_subject()?;
    if subject.user.is_some() { Err(Error::Forbidden) } else { Ok(subject.account) }
}
