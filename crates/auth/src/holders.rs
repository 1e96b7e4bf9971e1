//! Those who hold credentials of their own making: an account, or a user of one. Whatever such a one makes or ends touches
//! its record, so that the bounds on their number hold and nothing outlives its holder.

use kv::{Entry, Key, Transaction, decode};

use crate::records::{AccountRecord, Credential, UserRecord};
use crate::{AccountName, Auth, Error, Principal, PrincipalId, Thing, UserName};

/// The record of an account or a user, as it was read. Every change of its tokens and access keys touches it.
pub(crate) struct HolderRecord {
    key: Key<'static>,
    entry: Entry,
    /// What it signs in with.
    pub(crate) credential: Credential,
}

impl HolderRecord {
    /// Makes whoever read the record beside `tx` meet a conflict.
    pub(crate) fn touch(&self, tx: &mut Transaction) {
        tx.expect(self.key, Some(self.entry.version)).put_bytes(self.key, self.entry.value.to_vec());
    }
}

impl Auth {
    /// The record of the account or user that `p` is.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when it is no longer what it was when the request came in.
    pub(crate) async fn holder(&self, p: &Principal) -> Result<HolderRecord, Error> {
        let subject = p.subject()?;
        let account = subject.account.raw();
        let key = match subject.user_id() {
            Some(user) => Key::User { account, user: user.raw() },
            None => Key::Account { account },
        };
        let entry = self.store().get_bytes(key).await?.ok_or(Error::Unauthenticated)?;
        let (credential, disabled) = match subject.user_id() {
            Some(_) => {
                let UserRecord { credential, disabled, .. } = decode(key, &entry)?.value;
                (credential, disabled)
            }
            None => {
                let AccountRecord { credential, disabled, .. } = decode(key, &entry)?.value;
                (credential, disabled)
            }
        };
        if disabled || credential.version != subject.credential_version {
            return Err(Error::Unauthenticated);
        }
        Ok(HolderRecord { key, entry, credential })
    }

    /// The account, or its user, if the caller manages its credentials; with the name that it signs in with.
    pub(crate) async fn managed_holder(
        &self,
        p: &Principal,
        account: &AccountName,
        user: Option<&UserName>,
    ) -> Result<(PrincipalId, String), Error> {
        let (id, _) = self.managed_account(p, account).await?;
        let Some(user) = user else {
            return Ok((PrincipalId { account: id, user: None }, account.to_string()));
        };
        let found = self.user_named(id, user).await?.ok_or(Error::NotFound { what: Thing::User })?;
        Ok((PrincipalId { account: id, user: Some(found.0) }, format!("{user}@{account}")))
    }

    /// That a holder's credentials are managed here.
    ///
    /// # Errors
    /// [`Error::OtherHome`].
    pub(crate) async fn holder_at_home(&self, holder: PrincipalId) -> Result<(), Error> {
        let key = Key::Account { account: holder.account.raw() };
        let account = self.store().get::<AccountRecord>(key).await?;
        account.map_or(Ok(()), |account| account.value.at_home())
    }

    /// The name that a holder signs in with, if it is there.
    pub(crate) async fn login_of(&self, holder: PrincipalId) -> Result<Option<String>, Error> {
        let key = Key::Account { account: holder.account.raw() };
        let Some(account) = self.store().get::<AccountRecord>(key).await? else { return Ok(None) };
        let Some(user) = holder.user else { return Ok(Some(account.value.name.to_string())) };
        let key = Key::User { account: holder.account.raw(), user: user.raw() };
        let user = self.store().get::<UserRecord>(key).await?;
        Ok(user.map(|user| format!("{}@{}", user.value.name, account.value.name)))
    }
}
