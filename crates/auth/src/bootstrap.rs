//! The first start: somebody must be there to make everybody else.

use jiff::Timestamp;
use kv::{Key, Outcome};

use crate::records::{AccountRecord, Credential, NameRecord};
use crate::{AccountId, AccountName, Actor, Auth, Error, Event, EventKind, Secret, Thing};

/// The account that administers from the beginning.
const ADMINISTRATOR: &str = "admin";

impl Auth {
    /// Makes the account `admin`, which administers the registry, with the password that `password` answers, unless
    /// its name was ever given. Whether it made it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the password; else as the store.
    pub async fn bootstrap(&self, password: impl FnOnce() -> Secret, now: Timestamp) -> Result<bool, Error> {
        let name = AccountName::parse(ADMINISTRATOR)?;
        let name_key = Key::AccountName { name: ADMINISTRATOR };
        if self.store().get::<NameRecord>(name_key).await?.is_some() {
            return Ok(false);
        }
        let password = Some(self.passwords().hash(&password(), None).await?);
        let id = AccountId::random();
        let account_key = Key::Account { account: id.raw() };
        let record = AccountRecord {
            name,
            administrator: true,
            disabled: false,
            credential: Credential { password, version: 1 },
            home: None,
            created_at: now,
        };
        let mut transaction = self.store().transaction();
        transaction
            .expect(name_key, None)
            .expect(account_key, None)
            .put(name_key, &NameRecord::Held(id.raw()))?
            .put(account_key, &record)?;
        Event::new(id, EventKind::AccountCreated, Actor::server(), ADMINISTRATOR.to_owned(), now)
            .record(&mut transaction)?;
        // A conflict: another node was first, and its password counts.
        Ok(self.store().commit(transaction).await? == Outcome::Committed)
    }

    /// Gives the account `admin` the password `password`, opens it if it was disabled, and ends every token issued to it:
    /// for who holds the data, and nobody else's password.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it was deleted, [`Error::Invalid`] for the password; else as the store.
    pub async fn reset_administrator(&self, password: &Secret, now: Timestamp) -> Result<(), Error> {
        let hash = self.passwords().hash(password, None).await?;
        let missing = || Error::NotFound { what: Thing::Account };
        self.until_done(async || {
            let name = self.store().get::<NameRecord>(Key::AccountName { name: ADMINISTRATOR }).await?;
            let id = name.and_then(|name| name.value.held()).ok_or_else(missing)?;
            let key = Key::Account { account: id };
            let found = self.store().get::<AccountRecord>(key).await?.ok_or_else(missing)?;
            let version = found.value.credential.version + 1;
            let credential = Credential { password: Some(hash.clone()), version };
            let mut tx = self.store().transaction();
            let record = AccountRecord { credential, disabled: false, ..found.value };
            tx.expect(key, Some(found.version)).put(key, &record)?;
            let subject = ADMINISTRATOR.to_owned();
            Event::new(id.into(), EventKind::AccountPasswordChanged, Actor::server(), subject, now)
                .record(&mut tx)?;
            self.finish(tx, ()).await
        })
        .await
    }
}
