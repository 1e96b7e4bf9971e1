//! The first start: somebody must be there to make everybody else.

use jiff::Timestamp;
use kv::{Key, Outcome};

use crate::records::{AccountRecord, Credential, NameRecord};
use crate::{AccountId, AccountName, Actor, Auth, Error, Event, EventKind, Secret};

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
        let password = Some(self.passwords().hash(&password()).await?);
        let id = AccountId::random();
        let account_key = Key::Account { account: id.raw() };
        let record = AccountRecord {
            name,
            administrator: true,
            disabled: false,
            credential: Credential { password, version: 1 },
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
}
