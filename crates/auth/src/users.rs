//! Users: the people and machines of an account. The account itself and administrators manage them.

use jiff::Timestamp;
use kv::{Key, Target, Transaction, Versioned};

use crate::lists::{Rows, text};
use crate::records::{AccountRecord, Credential, NameRecord, UserRecord};
use crate::sources::Source;
use crate::{
    AccountId, AccountName, Auth, Error, Event, EventKind, Principal, PrincipalId, Secret, Thing, UserId,
    UserName,
};

/// A user, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// Its name within the account.
    pub name: UserName,
    /// The account's name.
    pub account: AccountName,
    /// A disabled user opens nothing.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl User {
    fn new(id: UserId, account: &AccountName, record: UserRecord) -> User {
        let UserRecord { name, disabled, created_at, .. } = record;
        User { id, name, account: account.clone(), disabled, created_at }
    }

    /// The name that it signs in with: `dev@acme`.
    #[must_use]
    pub fn login(&self) -> String {
        format!("{}@{}", self.name, self.account)
    }
}

/// A user, its account, and the record that was read.
struct FoundUser {
    account: AccountId,
    id: UserId,
    record: Versioned<UserRecord>,
}

impl FoundUser {
    fn key(&self) -> Key<'static> {
        Key::User { account: self.account.raw(), user: self.id.raw() }
    }
}

impl Auth {
    /// Makes a user of `account`; one without a password cannot sign in by password.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Limit`], [`Error::Invalid`] for the password, [`Error::OtherHome`].
    pub async fn create_user(
        &self,
        p: &Principal,
        account: &AccountName,
        name: &UserName,
        password: Option<&Secret>,
        now: Timestamp,
    ) -> Result<User, Error> {
        self.managed_account(p, account).await?;
        let password = match password {
            Some(password) => Some(self.passwords().hash(password, Source::of(p, now)).await?),
            None => None,
        };
        let record = UserRecord {
            name: name.clone(),
            disabled: false,
            credential: Credential { password, version: 1 },
            created_at: now,
        };
        self.until_done(|| self.try_create_user(p, account, &record, now)).await
    }

    async fn try_create_user(
        &self,
        p: &Principal,
        account: &AccountName,
        record: &UserRecord,
        now: Timestamp,
    ) -> Result<Option<User>, Error> {
        let (account_id, _) = self.managed_account(p, account).await?;
        let mut tx = self.store().transaction();
        // Guards the bound below, and the account's deletion (see there).
        let found = self.touch_account(&mut tx, account_id).await?;
        found.ok_or(Error::NotFound { what: Thing::Account })?.at_home()?;
        let name_key = Key::UserName { account: account_id.raw(), name: record.name.as_str() };
        if self.store().get::<NameRecord>(name_key).await?.is_some() {
            return Err(Error::Exists { what: Thing::User });
        }
        let max = self.settings().users_max;
        if self.count(name_key.siblings(self.region()), max).await? >= max {
            return Err(Error::Limit { what: "users in an account", max: max as u64 });
        }
        let id = UserId::random();
        let key = Key::User { account: account_id.raw(), user: id.raw() };
        tx.expect(name_key, None).put(name_key, &NameRecord::Held(id.raw()))?;
        tx.expect(key, None).put(key, record)?;
        user_event(&mut tx, account_id, EventKind::UserCreated, p, (&record.name, account), now)?;
        self.finish(tx, User::new(id, account, record.clone())).await
    }

    /// The users of `account` by name, those after `after`.
    ///
    /// # Errors
    /// [`Error::Forbidden`] for a user of the account.
    pub async fn list_users(
        &self,
        p: &Principal,
        account: &AccountName,
        after: Option<&str>,
        limit: usize,
        _now: Timestamp,
    ) -> Result<Vec<User>, Error> {
        let (account_id, _) = self.managed_account(p, account).await?;
        let key = Key::UserName { account: account_id.raw(), name: after.unwrap_or_default() };
        let mut rows = Rows::new(key.siblings_after(self.region()));
        let mut users = Vec::new();
        loop {
            let page = rows.next(self).await?;
            if page.is_empty() {
                return Ok(users);
            }
            for (encoded, _) in page {
                if users.len() >= limit {
                    return Ok(users);
                }
                let name = UserName::parse(text(key, self.region(), &encoded)?)?;
                if let Some(user) = self.find_user(account_id, &name).await? {
                    users.push(User::new(user.id, account, user.record.value));
                }
            }
        }
    }

    /// A user, to itself, its account and administrators; with a narrowed credential, to itself alone.
    ///
    /// # Errors
    /// [`Error::NotFound`], for one that the caller may not see too.
    pub async fn show_user(
        &self,
        p: &Principal,
        account: &AccountName,
        name: &UserName,
        _now: Timestamp,
    ) -> Result<User, Error> {
        let user = self.visible_user(p, account, name).await?;
        Ok(User::new(user.id, account, user.record.value))
    }

    /// Closes a user and whatever was issued to it, at once; or opens it again. Not for the user itself.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::OtherHome`].
    pub async fn set_user_disabled(
        &self,
        p: &Principal,
        account: &AccountName,
        name: &UserName,
        disabled: bool,
        now: Timestamp,
    ) -> Result<User, Error> {
        self.until_done(async || {
            let user = self.visible_user(p, account, name).await?;
            self.managed_account(p, account).await?.1.value.at_home()?;
            if user.record.value.disabled == disabled {
                return Ok(Some(User::new(user.id, account, user.record.value)));
            }
            let kind = if disabled { EventKind::UserDisabled } else { EventKind::UserEnabled };
            let changed = UserRecord { disabled, ..user.record.value.clone() };
            self.try_change_user(p, account, &user, changed, kind, now).await
        })
        .await
    }

    /// Changes a user's password, and ends all that was issued to it under the old one. The user itself must give its
    /// current one; its account and administrators need not.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], [`Error::Invalid`] for the new one, [`Error::OtherHome`].
    pub async fn set_user_password(
        &self,
        p: &Principal,
        account: &AccountName,
        name: &UserName,
        current: Option<&Secret>,
        new: &Secret,
        now: Timestamp,
    ) -> Result<User, Error> {
        let user = self.visible_user(p, account, name).await?;
        if p.user() == Some(user.id) {
            p.whole_subject()?;
            self.check_current(p, &user.record.value.credential, current, now).await?;
        } else {
            self.managed_account(p, account).await?;
        }
        self.visible_account(p, account).await?.1.value.at_home()?;
        let hash = self.passwords().hash(new, Source::of(p, now)).await?;
        // The user and the version that the rights were checked under: what changed since wants to be looked at again.
        let (id, checked) = (user.id, user.record.value.credential.version);
        self.until_done(async || {
            let user = self.visible_user(p, account, name).await?;
            if user.id != id || user.record.value.credential.version != checked {
                return Err(Error::Busy);
            }
            let credential = Credential { password: Some(hash.clone()), version: checked + 1 };
            let changed = UserRecord { credential, ..user.record.value.clone() };
            self.try_change_user(p, account, &user, changed, EventKind::UserPasswordChanged, now).await
        })
        .await
    }

    async fn try_change_user(
        &self,
        p: &Principal,
        account: &AccountName,
        user: &FoundUser,
        changed: UserRecord,
        kind: EventKind,
        now: Timestamp,
    ) -> Result<Option<User>, Error> {
        let mut tx = self.store().transaction();
        tx.expect(user.key(), Some(user.record.version)).put(user.key(), &changed)?;
        user_event(&mut tx, user.account, kind, p, (&changed.name, account), now)?;
        self.finish(tx, User::new(user.id, account, changed)).await
    }

    /// Removes a user, its credentials and its permissions.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`] for the user itself, [`Error::OtherHome`].
    pub async fn delete_user(
        &self,
        p: &Principal,
        account: &AccountName,
        name: &UserName,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.until_done(async || {
            self.visible_user(p, account, name).await?;
            let (account_id, record) = self.managed_account(p, account).await?;
            record.value.at_home()?;
            self.try_delete_user(p, account_id, account, name, now).await
        })
        .await
    }

    /// One attempt at a user's deletion, by whoever may. A user that is not there is no error.
    ///
    /// Tokens, access keys and permissions are made by touching the user's record, so the version that is expected here
    /// vouches for the three scans. A user of very many permissions loses most of them in commits before the last one.
    pub(crate) async fn try_delete_user(
        &self,
        p: &Principal,
        account: AccountId,
        account_name: &AccountName,
        name: &UserName,
        now: Timestamp,
    ) -> Result<Option<()>, Error> {
        let Some(user) = self.find_user(account, name).await? else { return Ok(Some(())) };
        let mut tx = self.store().transaction();
        let more = self.remove_permissions_of(&mut tx, user.id).await?;
        if more {
            self.finish(tx, ()).await?;
            return Ok(None);
        }
        self.remove_tokens(&mut tx, account, Some(user.id)).await?;
        self.remove_access_keys(&mut tx, PrincipalId { account, user: Some(user.id) }, None).await?;
        tx.expect(user.key(), Some(user.record.version)).delete(user.key());
        tx.delete(Key::UserName { account: account.raw(), name: name.as_str() });
        user_event(&mut tx, account, EventKind::UserDeleted, p, (name, account_name), now)?;
        self.finish(tx, ()).await
    }

    /// Removes permissions of `user` in `tx`, and says whether there may be more of them.
    async fn remove_permissions_of(&self, tx: &mut Transaction, user: UserId) -> Result<bool, Error> {
        const AT_ONCE: usize = 5_000;
        let key = Key::Permission { user: user.raw(), target: Target::Namespace(kv::Id::MIN) };
        let rows = self.store().list(key.siblings(self.region()), AT_ONCE).await?;
        for (encoded, _) in &rows {
            let target = crate::lists::target(key, self.region(), encoded)?;
            tx.delete(Key::Permission { user: user.raw(), target });
            tx.delete(Key::PermissionOn { target, user: user.raw() });
        }
        Ok(rows.len() == AT_ONCE)
    }

    async fn find_user(&self, account: AccountId, name: &UserName) -> Result<Option<FoundUser>, Error> {
        let found = self.user_named(account, name).await?;
        Ok(found.map(|(id, record)| FoundUser { account, id, record }))
    }

    /// The user `name` of `account`, if the caller may know of it.
    async fn visible_user(
        &self,
        p: &Principal,
        account: &AccountName,
        name: &UserName,
    ) -> Result<FoundUser, Error> {
        let missing = || Error::NotFound { what: Thing::User };
        let (account, _): (AccountId, Versioned<AccountRecord>) = match self.visible_account(p, account).await
        {
            Err(Error::NotFound { .. }) => return Err(missing()),
            found => found?,
        };
        let user = self.find_user(account, name).await?.ok_or_else(missing)?;
        let sees_all = !p.is_narrowed() && (p.is_administrator() || p.user().is_none());
        if sees_all || p.user() == Some(user.id) { Ok(user) } else { Err(missing()) }
    }

    /// The user that `account` calls `name`; the same reads whether there is one or not.
    pub(crate) async fn user_named(
        &self,
        account: AccountId,
        name: &UserName,
    ) -> Result<Option<(UserId, Versioned<UserRecord>)>, Error> {
        let key = Key::UserName { account: account.raw(), name: name.as_str() };
        let id = self.id_or_none(key).await?;
        let record = self.store().get::<UserRecord>(Key::User { account: account.raw(), user: id }).await?;
        Ok(record.map(|record| (id.into(), record)))
    }
}

fn user_event(
    tx: &mut Transaction,
    account: AccountId,
    kind: EventKind,
    p: &Principal,
    (user, of): (&UserName, &AccountName),
    now: Timestamp,
) -> Result<(), Error> {
    Ok(Event::new(account, kind, p.into(), format!("{user}@{of}"), now).record(tx)?)
}
