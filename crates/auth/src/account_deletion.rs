//! The deletion of an account, with all that hangs on it.
//!
//! Why nothing is left behind, whatever runs beside it:
//!
//! - The account is disabled first, in a commit of its own. From then on it signs in nowhere, and no share is made
//!   with it: a share's commit expects the record of a grantee that is not disabled.
//! - A namespace's, a user's and a webhook's creation touch the account's record (see [`crate::attempts::touch`]). So either they
//!   come before the version that an attempt read, and its scans see them, or its last commit, which expects that
//!   version, meets a conflict.
//! - What was emptied before a crash stays emptied; the account is still there, disabled, and its deletion is asked
//!   for again.

use jiff::Timestamp;
use kv::{Key, Versioned};

use crate::accounts::{account_event, administrator};
use crate::lists::{Rows, text};
use crate::records::AccountRecord;
use crate::{
    AccountId, AccountName, Auth, Error, EventKind, Principal, PrincipalId, ShareId, Thing, UserName,
};

impl Auth {
    /// Removes an account, its users, its credentials and the shares made with it. Its name stays reserved.
    /// Administrators only.
    ///
    /// # Errors
    /// [`Error::NotEmpty`] while it owns namespaces, [`Error::LastAdministrator`], [`Error::OtherHome`],
    /// [`Error::NotFound`] for one that the caller may not see, [`Error::Forbidden`] for who sees it and is no
    /// administrator.
    pub async fn delete_account(
        &self,
        p: &Principal,
        name: &AccountName,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.until_done(async || {
            let (_, record) = self.visible_account(p, name).await?;
            administrator(p)?;
            record.value.at_home()?;
            self.try_delete_account(p, name, now).await
        })
        .await
    }

    /// One attempt at it, wherever its home is. Administrators only.
    pub(crate) async fn try_delete_account(
        &self,
        p: &Principal,
        name: &AccountName,
        now: Timestamp,
    ) -> Result<Option<()>, Error> {
        let (id, record) = self.visible_account(p, name).await?;
        let namespaces = Key::NamespaceOf { account: id.raw(), name: "" }.siblings(self.region());
        if self.count(namespaces, 1).await? > 0 {
            return Err(Error::NotEmpty { what: Thing::Account });
        }
        if !record.value.is_closed() {
            // The next round goes on with the record as it is then.
            self.disable_account(p, id, &record, true, now).await?;
            return Ok(None);
        }
        self.empty_account(p, id, &record.value, now).await?;
        self.unhook_account(p, id, &record, now).await
    }

    async fn unhook_account(
        &self,
        p: &Principal,
        id: AccountId,
        record: &Versioned<AccountRecord>,
        now: Timestamp,
    ) -> Result<Option<()>, Error> {
        let name = &record.value.name;
        let mut tx = self.store().transaction();
        let key = Key::Account { account: id.raw() };
        tx.expect(key, Some(record.version)).delete(key).delete(Key::UnknownNames { account: id.raw() });
        tx.delete(Key::BlockedOwners { account: id.raw() }).delete(Key::AccountProfile { account: id.raw() });
        let name_key = Key::AccountName { name: name.as_str() };
        match &record.value.home {
            // There it is reserved, and may be given anew.
            Some(_) => tx.delete(name_key),
            None => tx.put(name_key, &self.reserved(None, now))?,
        };
        account_event(&mut tx, id, EventKind::AccountDeleted, p, name, now)?;
        self.finish(tx, ()).await
    }

    /// Removes what hangs on a disabled account: a commit for each user, share and webhook, one for its tokens and access
    /// keys.
    async fn empty_account(
        &self,
        p: &Principal,
        id: AccountId,
        record: &AccountRecord,
        now: Timestamp,
    ) -> Result<(), Error> {
        let users = Key::UserName { account: id.raw(), name: "" };
        let mut rows = Rows::all(users.siblings(self.region()));
        while let page = rows.next(self).await?
            && !page.is_empty()
        {
            for (encoded, _) in page {
                let user = UserName::parse(text(users, self.region(), &encoded)?)?;
                self.until_done(|| self.try_delete_user(p, id, &record.name, &user, now)).await?;
            }
        }
        let shares = Key::SharedWith { grantee: id.raw(), share: kv::Id::MIN };
        let mut rows = Rows::all(shares.siblings(self.region()));
        while let page = rows.next(self).await?
            && !page.is_empty()
        {
            for (encoded, _) in page {
                let share = ShareId::from(crate::lists::id(shares, self.region(), &encoded)?);
                self.until_done(|| self.try_remove_share(p, share, &record.name, now)).await?;
            }
        }
        self.remove_webhooks(id).await?;
        let mut tx = self.store().transaction();
        self.remove_tokens(&mut tx, id, None).await?;
        self.remove_access_keys(&mut tx, PrincipalId { account: id, user: None }, None).await?;
        self.finish(tx, ()).await?;
        Ok(())
    }
}
