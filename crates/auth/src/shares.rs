//! Shares: a private repository, opened for another account, to pull only, until a deadline or for good.
//!
//! Who manages the repository makes, changes and revokes them. There is one for each grantee: an ended one is replaced
//! by a new one, or opened again by a new deadline. Whether a share opens anything at an instant is
//! [`ShareRecord::opens`]'s to say, for authorisation and for lists alike.

use std::time::Duration;

use jiff::Timestamp;
use kv::{Key, Transaction, Versioned};
use oci::RepositoryName;

use crate::notices::put_notice;
use crate::records::{OpenShare, RepositoryLife, ShareGuardRecord, ShareRecord};
use crate::share_dues::{clear_dues, move_dues, notice_seconds, set_dues};
use crate::{
    AccountId, AccountName, Action, Actor, Auth, Denied, Description, Error, Event, EventKind, Permit,
    Principal, PrincipalId, RepositoryId, ShareId, ShareUse, Thing, Visibility,
};

/// When a share ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareEnd {
    /// Never by itself.
    Permanent,
    /// It is closed from this instant on.
    Until(Timestamp),
}

impl ShareEnd {
    /// The deadline as records hold it, which must lie after `now`.
    fn deadline(self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
        match self {
            ShareEnd::Permanent => Ok(None),
            ShareEnd::Until(deadline) if now < deadline => Ok(Some(deadline)),
            ShareEnd::Until(_) => Err(Error::DeadlinePast),
        }
    }
}

/// What a new share shall be.
#[derive(Debug, Clone)]
pub struct NewShare {
    /// The account to share with.
    pub grantee: AccountName,
    /// When it ends.
    pub end: ShareEnd,
    /// What the owner says of it.
    pub description: Description,
    /// How long before its end notice of that is given: none when it is nothing; `None`: as the settings say.
    pub notice_before: Option<Duration>,
    /// The region that the image and the share are meant to be in; another one than the server's is refused.
    pub region: Option<String>,
}

/// A change of a share; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ShareChange {
    /// When it ends. An ended share is opened again by it.
    pub end: Option<ShareEnd>,
    /// What the owner says of it.
    pub description: Option<Description>,
    /// How long before its end notice of that is given.
    pub notice_before: Option<Duration>,
}

/// A share, as it is shown, with what its ids stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Its id.
    pub id: ShareId,
    /// What is shared.
    pub repository: RepositoryName,
    /// The same, by its id.
    pub repository_id: RepositoryId,
    /// The account that shares.
    pub owner: AccountName,
    /// The account that it is shared with.
    pub grantee: AccountName,
    /// From this instant on it is closed; `None`: permanent.
    pub deadline: Option<Timestamp>,
    /// What the owner says of it.
    pub description: Description,
    /// How long before its deadline notice of that is given; 0: none is.
    pub notice_before_seconds: u64,
    /// The sign-in name of who made it.
    pub created_by: String,
    /// Who made it, where that is known; the owner otherwise.
    pub creator: PrincipalId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// What was used under it, for who manages the repository.
    pub used: Option<ShareUse>,
}

impl Share {
    pub(crate) fn new(
        id: ShareId,
        record: ShareRecord,
        repository: RepositoryName,
        owner: AccountName,
        grantee: AccountName,
    ) -> Share {
        let creator = record.creator.unwrap_or(PrincipalId { account: record.owner, user: None });
        Share {
            id,
            repository,
            repository_id: record.repository,
            owner,
            grantee,
            deadline: record.deadline,
            description: record.description,
            notice_before_seconds: record.notice_before_seconds,
            created_by: record.created_by,
            creator,
            created_at: record.created_at,
            updated_at: record.updated_at,
            used: None,
        }
    }

    /// Whether it opens anything at `now`; otherwise it has ended.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        is_before(now, self.deadline)
    }
}

/// A share that was found, with the repository's life that it is good for.
pub(crate) struct FoundShare {
    pub(crate) id: ShareId,
    pub(crate) record: Versioned<ShareRecord>,
    life: Versioned<RepositoryLife>,
}

impl FoundShare {
    /// What every change of a share expects: the repository is what it was, and so is the share.
    fn expect(&self, tx: &mut Transaction) {
        tx.expect(life_key(self.record.value.repository), Some(self.life.version));
        tx.expect(Key::Share { share: self.id.raw() }, Some(self.record.version));
    }
}

impl Auth {
    /// Shares a private repository with another account. Needs *manage* on it.
    ///
    /// # Errors
    /// [`Error::OtherRegion`], [`Error::DeadlinePast`], [`Error::PublicImage`], [`Error::ShareWithSelf`],
    /// [`Error::UnknownAccount`], [`Error::TooManyUnknownNames`], [`Error::Exists`] while one with this account is
    /// open, [`Error::Limit`].
    pub async fn create_share(
        &self,
        p: &Principal,
        name: &RepositoryName,
        new: NewShare,
        now: Timestamp,
    ) -> Result<Share, Error> {
        let share = self.until_done(|| self.try_create_share(p, name, &new, now)).await?;
        Ok(Share { used: Some(ShareUse::default()), ..share })
    }

    async fn try_create_share(
        &self,
        p: &Principal,
        name: &RepositoryName,
        new: &NewShare,
        now: Timestamp,
    ) -> Result<Option<Share>, Error> {
        let permit = self.authorize(p, name, Action::Manage, now).await?;
        if new.region.as_deref().is_some_and(|region| region != self.region().as_str()) {
            return Err(Error::OtherRegion { ours: self.region().clone() });
        }
        let deadline = new.end.deadline(now)?;
        let notice_before = new.notice_before.unwrap_or(self.settings().share_notice_before);
        let notice_before_seconds = notice_seconds(notice_before)?;
        let Some(life) = self.life(permit.repository()).await? else { return Ok(None) };
        if life.value.visibility == Visibility::Public {
            return Err(Error::PublicImage);
        }
        let owner = p.subject()?.account_name.clone();
        if new.grantee == owner {
            return Err(Error::ShareWithSelf);
        }
        let mut tx = self.store().transaction();
        tx.expect(life_key(permit.repository()), Some(life.version));
        let id = ShareId::random();
        // Before the grantee is looked up, so that a full repository is no oracle for accounts' names.
        self.open_in_guard(&mut tx, permit.repository(), OpenShare { share: id, until: deadline }, now)
            .await?;
        let Some(grantee) = self.grantee(&mut tx, &permit, &new.grantee, now).await? else { return Ok(None) };
        let record = ShareRecord {
            repository: permit.repository(),
            epoch: life.value.sharing_epoch,
            owner: permit.owner(),
            grantee,
            deadline,
            description: new.description.clone(),
            created_by: p.name(),
            creator: p.id(),
            created_at: now,
            updated_at: now,
            notice_before_seconds,
        };
        self.put_in_place(&mut tx, id, &record, &life.value, now).await?;
        let end = end_word(deadline);
        set_dues(&mut tx, id, &record, now)?;
        let shared = (id, &record);
        share_event(&mut tx, shared, EventKind::ShareCreated, (p.into(), name), &new.grantee, now, &end)?;
        self.finish(tx, Share::new(id, record, name.clone(), owner, new.grantee.clone())).await
    }

    /// Writes a new share's four keys, in the place of an ended one.
    async fn put_in_place(
        &self,
        tx: &mut Transaction,
        id: ShareId,
        record: &ShareRecord,
        life: &RepositoryLife,
        now: Timestamp,
    ) -> Result<(), Error> {
        let place = place_key(record.repository, record.grantee);
        let former = self.store().get::<ShareId>(place).await?;
        tx.expect(place, former.as_ref().map(|former| former.version)).put(place, &id)?;
        if let Some(former) = former {
            let former = former.value;
            let ended = self.store().get::<ShareRecord>(Key::Share { share: former.raw() }).await?;
            if ended.as_ref().is_some_and(|ended| ended.value.opens(record.repository, life, now)) {
                return Err(Error::Exists { what: Thing::Share });
            }
            tx.delete(Key::Share { share: former.raw() });
            delete_from_lists(tx, former, record.owner, record.grantee);
            if let Some(ended) = ended {
                clear_dues(tx, former, &ended.value);
            }
        }
        let (key, share) = (Key::Share { share: id.raw() }, id.raw());
        tx.expect(key, None).put(key, record)?;
        tx.put(Key::SharedWith { grantee: record.grantee.raw(), share }, &record.repository)?;
        tx.put(Key::SharedBy { owner: record.owner.raw(), share }, &record.repository)?;
        tx.delete(former_key(record.repository, record.grantee));
        Ok(())
    }

    /// A share of a repository with an account, ended or not, to who manages the repository; an open one to the account
    /// that it is with, too.
    ///
    /// # Errors
    /// [`Error::NotFound`], whether there is such an account or not.
    pub async fn show_share(
        &self,
        p: &Principal,
        name: &RepositoryName,
        grantee: &AccountName,
        now: Timestamp,
    ) -> Result<Share, Error> {
        let permit = match self.authorize(p, name, Action::Manage, now).await {
            Err(Denied::Forbidden) if p.account_name() == Some(grantee) => {
                self.authorize(p, name, Action::Pull, now).await?
            }
            managed => managed?,
        };
        let manages = permit.action() == Action::Manage;
        let found = self.find_share(&permit, grantee).await?;
        let owner = self.account_name(permit.owner()).await?;
        let owner = owner.ok_or(Error::NotFound { what: Thing::Repository })?;
        let share = Share::new(found.id, found.record.value, name.clone(), owner, grantee.clone());
        if manages { self.with_use(share).await } else { Ok(share) }
    }

    /// Changes a share's end or description. Needs *manage* on the repository.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::DeadlinePast`], [`Error::Limit`] when an ended share would be one too many.
    pub async fn update_share(
        &self,
        p: &Principal,
        name: &RepositoryName,
        grantee: &AccountName,
        change: ShareChange,
        now: Timestamp,
    ) -> Result<Share, Error> {
        let share = self.until_done(|| self.try_update_share(p, name, grantee, &change, now)).await?;
        self.with_use(share).await
    }

    async fn try_update_share(
        &self,
        p: &Principal,
        name: &RepositoryName,
        grantee: &AccountName,
        change: &ShareChange,
        now: Timestamp,
    ) -> Result<Option<Share>, Error> {
        let permit = self.authorize(p, name, Action::Manage, now).await?;
        let deadline = change.end.map(|end| end.deadline(now)).transpose()?;
        let notice_before_seconds = change.notice_before.map(notice_seconds).transpose()?;
        let found = self.find_share(&permit, grantee).await?;
        let mut tx = self.store().transaction();
        found.expect(&mut tx);
        if let Some(until) = deadline {
            self.open_in_guard(&mut tx, permit.repository(), OpenShare { share: found.id, until }, now)
                .await?;
        }
        let before = found.record.value;
        let record = ShareRecord {
            deadline: deadline.unwrap_or(before.deadline),
            description: change.description.clone().unwrap_or_else(|| before.description.clone()),
            updated_at: now,
            notice_before_seconds: notice_before_seconds.unwrap_or(before.notice_before_seconds),
            ..before.clone()
        };
        tx.put(Key::Share { share: found.id.raw() }, &record)?;
        move_dues(&mut tx, found.id, &before, &record)?;
        let end = end_word(record.deadline);
        let shared = (found.id, &record);
        share_event(&mut tx, shared, EventKind::ShareUpdated, (p.into(), name), grantee, now, &end)?;
        let owner = p.subject()?.account_name.clone();
        self.finish(tx, Share::new(found.id, record, name.clone(), owner, grantee.clone())).await
    }

    /// Ends a share for good, from the next request on, and removes it. Needs *manage* on the repository.
    ///
    /// # Errors
    /// [`Error::NotFound`], whether there is such an account or not.
    pub async fn revoke_share(
        &self,
        p: &Principal,
        name: &RepositoryName,
        grantee: &AccountName,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.until_done(async || {
            let permit = self.authorize(p, name, Action::Manage, now).await?;
            let found = self.find_share(&permit, grantee).await?;
            let mut tx = self.store().transaction();
            found.expect(&mut tx);
            let record = &found.record.value;
            self.remove_share(&mut tx, found.id, record, now).await?;
            // Whoever goes on pulling is then no stranger to the owner's audit trail.
            tx.put(former_key(record.repository, record.grantee), &now)?;
            let shared = (found.id, record);
            share_event(&mut tx, shared, EventKind::ShareRevoked, (p.into(), name), grantee, now, "")?;
            self.finish(tx, ()).await
        })
        .await
    }

    /// One attempt at removing a share because its grantee goes. One that is not there is no error.
    pub(crate) async fn try_remove_share(
        &self,
        p: &Principal,
        id: ShareId,
        grantee: &AccountName,
        now: Timestamp,
    ) -> Result<Option<()>, Error> {
        let key = Key::Share { share: id.raw() };
        let Some(record) = self.store().get::<ShareRecord>(key).await? else { return Ok(Some(())) };
        let mut tx = self.store().transaction();
        tx.expect(key, Some(record.version));
        self.remove_share(&mut tx, id, &record.value, now).await?;
        if let Some(life) = self.life(record.value.repository).await? {
            let by = (Actor::from(p), &life.value.name);
            share_event(&mut tx, (id, &record.value), EventKind::ShareRevoked, by, grantee, now, "")?;
        }
        self.finish(tx, ()).await
    }

    /// Removes a share's four keys, and what the guard knows of it. The share's record must be expected.
    async fn remove_share(
        &self,
        tx: &mut Transaction,
        id: ShareId,
        record: &ShareRecord,
        now: Timestamp,
    ) -> Result<(), Error> {
        let key = Key::ShareGuard { repository: record.repository.raw() };
        if let Some(guard) = self.store().get::<ShareGuardRecord>(key).await? {
            let open = others_open(guard.value, id, now);
            tx.expect(key, Some(guard.version)).put(key, &ShareGuardRecord { open })?;
        }
        delete_share(tx, id, record);
        Ok(())
    }

    /// Counts `share` among the open ones of `repository`, with the end that it has from now on.
    async fn open_in_guard(
        &self,
        tx: &mut Transaction,
        repository: RepositoryId,
        share: OpenShare,
        now: Timestamp,
    ) -> Result<(), Error> {
        let key = Key::ShareGuard { repository: repository.raw() };
        let guard = self.store().get::<ShareGuardRecord>(key).await?;
        tx.expect(key, guard.as_ref().map(|guard| guard.version));
        let mut open = others_open(guard.map(|guard| guard.value).unwrap_or_default(), share.share, now);
        let max = self.settings().share_grantees_max;
        if open.len() >= max {
            return Err(Error::Limit { what: "open shares of a repository", max: max as u64 });
        }
        open.push(share);
        tx.put(key, &ShareGuardRecord { open })?;
        Ok(())
    }

    /// The share of the permit's repository with `grantee`, if the repository's present epoch knows it.
    pub(crate) async fn find_share(
        &self,
        permit: &Permit,
        grantee: &AccountName,
    ) -> Result<FoundShare, Error> {
        let missing = || Error::NotFound { what: Thing::Share };
        let repository = permit.repository();
        let life = self.life(repository).await?.ok_or_else(missing)?;
        // Who is no account costs the same reads as an account that nothing is shared with.
        let account = self.account_named(grantee).await?.map_or(kv::Id::MIN.into(), |(account, _)| account);
        let id =
            self.store().get::<ShareId>(place_key(repository, account)).await?.ok_or_else(missing)?.value;
        let record = self.store().get::<ShareRecord>(Key::Share { share: id.raw() }).await?;
        let record =
            record.filter(|record| record.value.is_of(repository, &life.value)).ok_or_else(missing)?;
        Ok(FoundShare { id, record, life })
    }
}

/// Removes a share's four keys, and what was due for it.
pub(crate) fn delete_share(tx: &mut Transaction, id: ShareId, record: &ShareRecord) {
    tx.delete(Key::Share { share: id.raw() }).delete(place_key(record.repository, record.grantee));
    delete_from_lists(tx, id, record.owner, record.grantee);
    clear_dues(tx, id, record);
}

fn delete_from_lists(tx: &mut Transaction, id: ShareId, owner: AccountId, grantee: AccountId) {
    tx.delete(Key::SharedWith { grantee: grantee.raw(), share: id.raw() });
    tx.delete(Key::SharedBy { owner: owner.raw(), share: id.raw() });
}

/// The shares that are open at `now`, apart from `share`.
fn others_open(guard: ShareGuardRecord, share: ShareId, now: Timestamp) -> Vec<OpenShare> {
    guard.open.into_iter().filter(|open| open.share != share && is_before(now, open.until)).collect()
}

fn is_before(now: Timestamp, deadline: Option<Timestamp>) -> bool {
    deadline.is_none_or(|deadline| now < deadline)
}

fn life_key(repository: RepositoryId) -> Key<'static> {
    Key::Repository { repository: repository.raw() }
}

fn place_key(repository: RepositoryId, grantee: AccountId) -> Key<'static> {
    Key::ShareOf { repository: repository.raw(), grantee: grantee.raw() }
}

fn former_key(repository: RepositoryId, grantee: AccountId) -> Key<'static> {
    Key::FormerShare { repository: repository.raw(), grantee: grantee.raw() }
}

pub(crate) fn end_word(deadline: Option<Timestamp>) -> String {
    deadline.map_or_else(|| "permanent".to_owned(), |deadline| format!("until {deadline}"))
}

/// What happened to a share: in its owner's trail, and in the outbox for both accounts.
pub(crate) fn share_event(
    tx: &mut Transaction,
    (id, record): (ShareId, &ShareRecord),
    kind: EventKind,
    (actor, name): (Actor, &RepositoryName),
    grantee: &AccountName,
    now: Timestamp,
    end: &str,
) -> Result<(), Error> {
    put_notice(tx, (id, record), kind, name, grantee, now)?;
    let detail = format!("with {grantee} {end}");
    Ok(Event::new(record.owner, kind, actor, name.to_string(), now)
        .with_detail(detail.trim_end())
        .record(tx)?)
}
