//! The bound on guessing accounts' names. Who manages some repository is told when an account to share with does not
//! exist, or else a typing error would be a riddle; so a stranger with a repository of its own could list the accounts
//! by guessing. Each account may name a few unknown ones an hour; each is in its audit trail.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use kv::{Key, Transaction, Version};

use crate::records::UnknownNames;
use crate::{AccountId, AccountName, Auth, Error, Event, EventDetail, EventKind, Permit};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What an account has guessed in the present hour. Copied, so that a transaction of many shares reads and expects it
/// once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guesses {
    version: Option<Version>,
    counted: UnknownNames,
}

impl Auth {
    /// What `account` has guessed, which `tx` expects as it was read.
    ///
    /// Beyond the bound every name is refused before it is looked up. So whoever guesses, one by one or many at once,
    /// learns no more than the bound says.
    ///
    /// # Errors
    /// [`Error::TooManyUnknownNames`].
    pub(crate) async fn guesses(
        &self,
        tx: &mut Transaction,
        account: AccountId,
        now: Timestamp,
    ) -> Result<Guesses, Error> {
        let key = Key::UnknownNames { account: account.raw() };
        let record = self.store().get::<UnknownNames>(key).await?;
        let version = record.as_ref().map(|record| record.version);
        let fresh = UnknownNames { since: now, count: 0 };
        let counted = record.map_or(fresh, |record| record.value);
        let counted = if now.duration_since(counted.since) >= HOUR { fresh } else { counted };
        if counted.count >= self.settings().unknown_names_per_hour {
            return Err(Error::TooManyUnknownNames);
        }
        tx.expect(key, version);
        Ok(Guesses { version, counted })
    }

    /// The account to share with, as `permit`'s holder named it; `None`: a conflict, try again.
    ///
    /// A disabled account is none to share with: its deletion relies on that (see [`Auth::delete_account`]), as `tx`
    /// expects its record.
    ///
    /// # Errors
    /// [`Error::UnknownAccount`]; that the name was tried is counted and in the trail. [`Error::Blocked`].
    pub(crate) async fn grantee(
        &self,
        tx: &mut Transaction,
        guesses: Guesses,
        permit: &Permit,
        name: &AccountName,
        now: Timestamp,
    ) -> Result<Option<AccountId>, Error> {
        if let Some((id, account)) =
            self.account_named(name).await?.filter(|(_, found)| !found.value.is_closed())
        {
            tx.expect(Key::Account { account: id.raw() }, Some(account.version));
            self.expect_unblocked(tx, permit, id).await?;
            return Ok(Some(id));
        }
        match self.count_unknown(permit, name, guesses, now).await? {
            Some(()) => Err(Error::UnknownAccount),
            None => Ok(None),
        }
    }

    /// Expects that `grantee` still takes shares from the owner of what `permit` opens.
    async fn expect_unblocked(
        &self,
        tx: &mut Transaction,
        permit: &Permit,
        grantee: AccountId,
    ) -> Result<(), Error> {
        let found = self.blocked_owners(grantee).await?;
        let blocks = |owners: &BTreeMap<AccountName, Timestamp>| {
            permit.principal().account_name().is_some_and(|owner| owners.contains_key(owner))
        };
        if found.as_ref().is_some_and(|found| blocks(&found.value.owners)) {
            return Err(Error::Blocked);
        }
        tx.expect(Key::BlockedOwners { account: grantee.raw() }, found.map(|found| found.version));
        Ok(())
    }

    async fn count_unknown(
        &self,
        permit: &Permit,
        name: &AccountName,
        Guesses { version, counted }: Guesses,
        now: Timestamp,
    ) -> Result<Option<()>, Error> {
        let key = Key::UnknownNames { account: permit.owner().raw() };
        let mut tx = self.store().transaction();
        tx.expect(key, version).put(key, &UnknownNames { count: counted.count + 1, ..counted })?;
        let (actor, repository) = (permit.principal().into(), permit.name());
        Event::new(permit.owner(), EventKind::UnknownNameTried, actor, name.to_string(), now)
            .with_detail(EventDetail::ToShare { repository: repository.to_string() })
            .record(&mut tx)?;
        self.finish(tx, ()).await
    }
}
