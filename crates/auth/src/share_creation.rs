//! The making of shares: one, or many in one commit, all or none.
//!
//! Each entry is decided as if it stood alone. What several of them read (a repository's rights and guard, an account,
//! the count of unknown names) is read and expected once, since a transaction writes a key once.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kv::{Key, Transaction, Versioned};
use oci::RepositoryName;

use crate::records::{OpenShare, RepositoryLife, ShareRecord};
use crate::share_dues::notice_seconds;
use crate::share_guard::ShareGuard;
use crate::share_rows::{ShareRow, place_key, replace_share, write_share};
use crate::shared_tags::{PatternUse, Taken};
use crate::unknown_names::Guesses;
use crate::{
    AccountId, AccountName, Action, Auth, Error, NewShare, Permit, Principal, RepositoryId, Share, ShareId,
    ShareUse, Thing, Visibility,
};

/// The most shares that one call makes.
pub const SHARES_AT_ONCE_MAX: usize = 500;

/// The shares of one commit in the making.
struct Making<'a> {
    p: &'a Principal,
    now: Timestamp,
    tx: Transaction,
    repositories: BTreeMap<RepositoryName, Opened>,
    grantees: BTreeMap<AccountName, AccountId>,
    guesses: Option<Guesses>,
    places: BTreeSet<(RepositoryId, AccountId)>,
}

/// A repository that shares are made of. Its life record is expected.
struct Opened {
    permit: Permit,
    life: Versioned<RepositoryLife>,
    guard: ShareGuard,
    patterns: PatternUse,
}

impl<'a> Making<'a> {
    fn new(auth: &Auth, p: &'a Principal, now: Timestamp) -> Making<'a> {
        Making {
            p,
            now,
            tx: auth.store().transaction(),
            repositories: BTreeMap::new(),
            grantees: BTreeMap::new(),
            guesses: None,
            places: BTreeSet::new(),
        }
    }
}

/// A share that may be made.
struct Decided {
    opened: Opened,
    id: ShareId,
    owner: AccountName,
    grantee: AccountId,
    deadline: Option<Timestamp>,
    notice_before_seconds: u64,
    tags: Taken,
}

impl Auth {
    /// Shares a private repository with another account. Needs *manage* on it.
    ///
    /// # Errors
    /// [`Error::OtherRegion`], [`Error::DeadlinePast`], [`Error::PublicImage`], [`Error::ShareWithSelf`],
    /// [`Error::UnknownAccount`], [`Error::TooManyUnknownNames`], [`Error::Exists`] while one with this account is
    /// open, [`Error::Limit`], [`Error::TagsUncounted`].
    pub async fn create_share(
        &self,
        p: &Principal,
        name: &RepositoryName,
        new: NewShare,
        now: Timestamp,
    ) -> Result<Share, Error> {
        let made = self.create_shares(p, &[(name.clone(), new)], now).await;
        // What is wrong with the only entry is wrong with the call.
        let mut made = made.map_err(|error| match error {
            Error::OneOfShares { error, .. } => *error,
            error => error,
        })?;
        made.pop().ok_or(Error::NotFound { what: Thing::Share })
    }

    /// Shares each of these repositories with the account beside it: all, in the order in which they are given, or
    /// none. Needs *manage* on each.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless there are 1 to [`SHARES_AT_ONCE_MAX`]; [`Error::OneOfShares`] with the first that
    /// cannot be made, and why: as [`Auth::create_share`] has it. The same share twice is [`Error::Exists`].
    pub async fn create_shares(
        &self,
        p: &Principal,
        entries: &[(RepositoryName, NewShare)],
        now: Timestamp,
    ) -> Result<Vec<Share>, Error> {
        if !(1..=SHARES_AT_ONCE_MAX).contains(&entries.len()) {
            let reason = format!("one call makes 1 to {SHARES_AT_ONCE_MAX} shares, not {}", entries.len());
            return Err(Error::Invalid { field: "accounts", reason });
        }
        self.until_done(|| self.try_create_shares(p, entries, now)).await
    }

    async fn try_create_shares(
        &self,
        p: &Principal,
        entries: &[(RepositoryName, NewShare)],
        now: Timestamp,
    ) -> Result<Option<Vec<Share>>, Error> {
        let mut making = Making::new(self, p, now);
        let mut shares = Vec::with_capacity(entries.len());
        let mut uncounted = BTreeMap::new();
        for (index, (name, new)) in entries.iter().enumerate() {
            if uncounted.contains_key(name) {
                continue;
            }
            match self.make_share(&mut making, name, new).await {
                Ok(Some(share)) => shares.push(share),
                Ok(None) => return Ok(None),
                // Wrong with none of them: the call is to be made again. The others are looked at all the same, so that
                // once is enough, however many repositories there are to count.
                Err(Error::TagsUncounted { repositories }) => drop(uncounted.insert(name, repositories)),
                Err(error) => return Err(error.of_share(index, name, &new.grantee)),
            }
        }
        if !uncounted.is_empty() {
            return Err(Error::TagsUncounted { repositories: uncounted.into_values().flatten().collect() });
        }
        let Making { mut tx, repositories, .. } = making;
        for opened in repositories.into_values() {
            opened.guard.write(&mut tx)?;
            opened.patterns.write(&mut tx, now)?;
        }
        self.finish(tx, shares).await
    }

    /// Those of these shares that could not be made as things are, each with why: a public image, one that is shared with
    /// that account already, one that is not the caller's to share. Nothing is made, and nothing promised; a name that
    /// nobody has counts as one that was shared with.
    ///
    /// # Errors
    /// What is wrong with all of them, as [`Auth::create_shares`] has it.
    pub async fn refused_shares(
        &self,
        p: &Principal,
        entries: &[(RepositoryName, NewShare)],
        now: Timestamp,
    ) -> Result<Vec<(RepositoryName, Error)>, Error> {
        self.until_done(async || {
            let mut making = Making::new(self, p, now);
            let mut refused = Vec::new();
            for (name, new) in entries {
                match self.decide_share(&mut making, name, new).await {
                    Ok(Some(decided)) => drop(making.repositories.insert(name.clone(), decided.opened)),
                    Ok(None) => return Ok(None),
                    Err(error) if is_of_one(&error) => refused.push((name.clone(), error)),
                    Err(error) => return Err(error),
                }
            }
            Ok(Some(refused))
        })
        .await
    }

    /// Decides one share and adds it to the transaction; `None`: a conflict.
    async fn make_share(
        &self,
        making: &mut Making<'_>,
        name: &RepositoryName,
        new: &NewShare,
    ) -> Result<Option<Share>, Error> {
        let (p, now) = (making.p, making.now);
        let Some(decided) = self.decide_share(making, name, new).await? else { return Ok(None) };
        let Decided { opened, id, owner, grantee, deadline, notice_before_seconds, tags } = decided;
        let repository = opened.permit.repository();
        let Taken::Bound(tags) = tags else {
            return self.note_patterns(repository, opened.life.version, &new.tags, now).await;
        };
        let record = ShareRecord {
            repository,
            epoch: opened.life.value.sharing_epoch,
            owner: opened.permit.owner(),
            grantee,
            deadline,
            tags,
            description: new.description.clone(),
            created_by: p.name(),
            creator: p.id(),
            created_at: now,
            updated_at: now,
            notice_before_seconds,
        };
        let row = ShareRow { id, record: &record, repository: name, grantee: &new.grantee };
        write_share(&mut making.tx, row, p.into(), now)?;
        making.repositories.insert(name.clone(), opened);
        let share = Share::new(id, record, name.clone(), owner, new.grantee.clone());
        Ok(Some(Share { used: Some(ShareUse::default()), ..share }))
    }

    /// Decides one share; `None`: a conflict.
    async fn decide_share(
        &self,
        making: &mut Making<'_>,
        name: &RepositoryName,
        new: &NewShare,
    ) -> Result<Option<Decided>, Error> {
        let (p, now) = (making.p, making.now);
        let Some(mut opened) = self.opened(making, name).await? else { return Ok(None) };
        if new.region.as_deref().is_some_and(|region| region != self.region().as_str()) {
            return Err(Error::OtherRegion { ours: self.region().clone() });
        }
        let deadline = new.end.deadline(now)?;
        let notice_before = new.notice_before.unwrap_or(self.settings().share_notice_before);
        let notice_before_seconds = notice_seconds(notice_before)?;
        if opened.life.value.visibility == Visibility::Public {
            return Err(Error::PublicImage);
        }
        let owner = p.subject()?.account_name.clone();
        if new.grantee == owner {
            return Err(Error::ShareWithSelf);
        }
        let id = ShareId::random();
        // Before the grantee is looked up, so that a full repository is no oracle for accounts' names.
        opened.guard.open(OpenShare { share: id, until: deadline })?;
        let Some(grantee) = self.grantee_of(making, &opened.permit, &new.grantee).await? else {
            return Ok(None);
        };
        self.take_place(making, &mut opened, grantee).await?;
        let tags = opened.patterns.take(&new.tags)?;
        Ok(Some(Decided { opened, id, owner, grantee, deadline, notice_before_seconds, tags }))
    }

    /// The repository to share, taken out of `making` if an entry before this one shared it too; `None`: a conflict.
    async fn opened(&self, making: &mut Making<'_>, name: &RepositoryName) -> Result<Option<Opened>, Error> {
        if let Some(opened) = making.repositories.remove(name) {
            return Ok(Some(opened));
        }
        let permit = self.authorize(making.p, name, Action::Manage, making.now).await?;
        let Some(life) = self.life(permit.repository()).await? else { return Ok(None) };
        let guard = self.share_guard(permit.repository(), making.now).await?;
        let patterns = self.pattern_use(permit.repository()).await?;
        making.tx.expect(Key::Repository { repository: permit.repository().raw() }, Some(life.version));
        Ok(Some(Opened { permit, life, guard, patterns }))
    }

    /// The account to share with, looked up once; `None`: a conflict.
    async fn grantee_of(
        &self,
        making: &mut Making<'_>,
        permit: &Permit,
        name: &AccountName,
    ) -> Result<Option<AccountId>, Error> {
        if let Some(grantee) = making.grantees.get(name) {
            return Ok(Some(*grantee));
        }
        // All repositories are of one owner: nobody manages another account's.
        let guesses = match making.guesses {
            Some(guesses) => guesses,
            None => self.guesses(&mut making.tx, permit.owner(), making.now).await?,
        };
        making.guesses = Some(guesses);
        let found = self.grantee(&mut making.tx, guesses, permit, name, making.now).await?;
        making.grantees.extend(found.map(|grantee| (name.clone(), grantee)));
        Ok(found)
    }

    /// Takes the place of a new share, which nobody holds, or an ended one that goes.
    async fn take_place(
        &self,
        making: &mut Making<'_>,
        opened: &mut Opened,
        grantee: AccountId,
    ) -> Result<(), Error> {
        let exists = Err(Error::Exists { what: Thing::Share });
        let repository = opened.permit.repository();
        if !making.places.insert((repository, grantee)) {
            return exists;
        }
        let place = place_key(repository, grantee);
        let former = self.store().get::<ShareId>(place).await?;
        making.tx.expect(place, former.as_ref().map(|former| former.version));
        let Some(former) = former.map(|former| former.value) else { return Ok(()) };
        let ended = self.store().get::<ShareRecord>(Key::Share { share: former.raw() }).await?;
        if let Some(ended) = ended {
            if ended.value.opens(repository, &opened.life.value, making.now) {
                return exists;
            }
            opened.patterns.release(ended.value.tags.as_deref());
            replace_share(&mut making.tx, former, &ended.value, &opened.life.value.name);
        }
        Ok(())
    }
}

/// Whether an error is about one repository, and says nothing of the others.
fn is_of_one(error: &Error) -> bool {
    matches!(
        error,
        Error::NotFound { .. }
            | Error::Forbidden
            | Error::PublicImage
            | Error::Limit { .. }
            | Error::Exists { .. }
    )
}
