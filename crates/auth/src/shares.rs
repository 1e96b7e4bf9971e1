//! Shares: a private repository, opened for another account, to pull only, until a deadline or for good.
//!
//! Who manages the repository makes (see [`crate::share_creation`]), changes and revokes them. There is one for each
//! grantee: an ended one is replaced by a new one, or opened again by a new deadline. Whether a share opens anything at
//! an instant is [`ShareRecord::opens`]'s to say, for authorisation and for lists alike.

use std::time::Duration;

use jiff::Timestamp;
use kv::{Key, Transaction, Versioned};
use oci::RepositoryName;

use crate::records::{OpenShare, RepositoryLife, ShareRecord};
use crate::share_dues::notice_seconds;
use crate::share_rows::{ShareRow, change_share, changes, delete_share, place_key};
use crate::shared_tags::Taken;
use crate::{
    AccountName, Action, Auth, Denied, Description, Error, EventKind, Permit, Principal, PrincipalId,
    RepositoryId, ShareId, ShareTags, ShareUse, Thing,
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
    pub(crate) fn deadline(self, now: Timestamp) -> Result<Option<Timestamp>, Error> {
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
    /// What of the repository it opens.
    pub tags: ShareTags,
    /// What the owner says of it.
    pub description: Description,
    /// How long before its end notice of that is given: none when it is nothing; `None`: as the settings say.
    pub notice_before: Option<Duration>,
    /// The region that the image and the share are meant to be in; another one than the server's is refused.
    pub region: Option<String>,
}

/// A change of a share; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShareChange {
    /// When it ends. An ended share is opened again by it.
    pub end: Option<ShareEnd>,
    /// What of the repository it opens.
    pub tags: Option<ShareTags>,
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
    /// What of the repository it opens.
    pub tags: ShareTags,
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
            tags: ShareTags::of(record.tags.as_deref()),
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
        self.deadline.is_none_or(|deadline| now < deadline)
    }
}

fn no_end_to_notice() -> Error {
    let reason = "the share is permanent, and has no end to give notice of; give it a deadline too";
    Error::Invalid { field: "notice_before_seconds", reason: reason.to_owned() }
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
        let repository = self.record.value.repository.raw();
        tx.expect(Key::Repository { repository }, Some(self.life.version));
        tx.expect(Key::Share { share: self.id.raw() }, Some(self.record.version));
    }
}

impl Auth {
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

    /// Changes a share's end, tags, description or the time for its notice; what changes nothing is told to nobody. Needs
    /// *manage* on the repository.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::DeadlinePast`], [`Error::Limit`] when an ended share or its tags would be too many,
    /// [`Error::TagsUncounted`], [`Error::Invalid`] for notice of an end that the share does not have.
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
            let mut guard = self.share_guard(permit.repository(), now).await?;
            guard.open(OpenShare { share: found.id, until })?;
            guard.write(&mut tx)?;
        }
        let before = found.record.value;
        let tags = match &change.tags {
            None => before.tags.clone(),
            Some(tags) => {
                let mut patterns = self.pattern_use(permit.repository()).await?;
                patterns.release(before.tags.as_deref());
                let Taken::Bound(bound) = patterns.take(tags)? else {
                    return self.note_patterns(permit.repository(), found.life.version, tags, now).await;
                };
                patterns.write(&mut tx, now)?;
                bound
            }
        };
        let record = ShareRecord {
            deadline: deadline.unwrap_or(before.deadline),
            tags,
            description: change.description.clone().unwrap_or_else(|| before.description.clone()),
            updated_at: now,
            notice_before_seconds: notice_before_seconds.unwrap_or(before.notice_before_seconds),
            ..before.clone()
        };
        let owner = p.subject()?.account_name.clone();
        if record.deadline.is_none() && notice_before_seconds.is_some_and(|seconds| seconds > 0) {
            return Err(no_end_to_notice());
        }
        if changes(&before, &record).is_empty() {
            return Ok(Some(Share::new(found.id, before, name.clone(), owner, grantee.clone())));
        }
        let row = ShareRow { id: found.id, record: &record, repository: name, grantee };
        change_share(&mut tx, &before, row, p.into(), now)?;
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
            let row = ShareRow { id: found.id, record: &found.record.value, repository: name, grantee };
            self.close_share(&mut tx, row, EventKind::ShareRevoked, p.into(), now).await?;
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
        match self.life(record.value.repository).await? {
            Some(life) => {
                let row = ShareRow { id, record: &record.value, repository: &life.value.name, grantee };
                self.close_if_open(&mut tx, row, &life.value, p.into(), now).await?;
            }
            None => {
                let name = self.name_of(record.value.repository).await?;
                delete_share(&mut tx, id, &record.value, name.as_ref());
            }
        }
        self.finish(tx, ()).await
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
