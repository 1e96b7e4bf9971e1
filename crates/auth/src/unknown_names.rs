//! The bound on guessing accounts' names. Who manages some repository is told when an account to share with does not
//! exist, or else a typing error would be a riddle; so a stranger with a repository of its own could list the accounts
//! by guessing. Each account may name a few unknown ones an hour; each is in its audit trail.

use jiff::{SignedDuration, Timestamp};
use kv::{Key, Transaction, Version};

use crate::records::UnknownNames;
use crate::{AccountId, AccountName, Auth, Error, Event, EventKind, Permit};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

impl Auth {
    /// The account to share with, as `permit`'s holder named it; `None`: a conflict, try again.
    ///
    /// Beyond the bound every name is refused before it is looked up, and `tx` expects the count as it was read. So
    /// whoever guesses, one by one or many at once, learns no more than the bound says. A disabled account is none to
    /// share with: its deletion relies on that (see [`Auth::delete_account`]), as `tx` expects its record.
    ///
    /// # Errors
    /// [`Error::UnknownAccount`], [`Error::TooManyUnknownNames`].
    pub(crate) async fn grantee(
        &self,
        tx: &mut Transaction,
        permit: &Permit,
        name: &AccountName,
        now: Timestamp,
    ) -> Result<Option<AccountId>, Error> {
        let key = Key::UnknownNames { account: permit.owner().raw() };
        let record = self.store().get::<UnknownNames>(key).await?;
        let version = record.as_ref().map(|record| record.version);
        let fresh = UnknownNames { since: now, count: 0 };
        let counted = record.map_or(fresh, |record| record.value);
        let counted = if now.duration_since(counted.since) >= HOUR { fresh } else { counted };
        if counted.count >= self.settings().unknown_names_per_hour {
            return Err(Error::TooManyUnknownNames);
        }
        if let Some((id, account)) =
            self.account_named(name).await?.filter(|(_, found)| !found.value.disabled)
        {
            tx.expect(key, version).expect(Key::Account { account: id.raw() }, Some(account.version));
            return Ok(Some(id));
        }
        match self.count_unknown(permit, name, version, counted, now).await? {
            Some(()) => Err(Error::UnknownAccount),
            None => Ok(None),
        }
    }

    async fn count_unknown(
        &self,
        permit: &Permit,
        name: &AccountName,
        version: Option<Version>,
        counted: UnknownNames,
        now: Timestamp,
    ) -> Result<Option<()>, Error> {
        let key = Key::UnknownNames { account: permit.owner().raw() };
        let mut tx = self.store().transaction();
        tx.expect(key, version).put(key, &UnknownNames { count: counted.count + 1, ..counted })?;
        let (actor, repository) = (permit.principal().into(), permit.name());
        Event::new(permit.owner(), EventKind::UnknownNameTried, actor, name.to_string(), now)
            .with_detail(format!("to share {repository} with"))
            .record(&mut tx)?;
        self.finish(tx, ()).await
    }
}
