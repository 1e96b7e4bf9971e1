//! Accounts: the tenants. Administrators make, close and remove them; each sees itself.

use jiff::Timestamp;
use kv::{Key, Transaction, Versioned};

use crate::attempts::touch;
use crate::lists::{Rows, text};
use crate::passwords::WhenFull;
use crate::recorder::Refused;
use crate::records::{AccountRecord, Credential, NameRecord};
use crate::reservations::claimable;
use crate::sources::Source;
use crate::{AccountId, AccountName, Auth, Error, Event, EventKind, Principal, Secret, Thing};

/// An account, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Its name.
    pub name: AccountName,
    /// Whether it manages accounts and their users.
    pub administrator: bool,
    /// A disabled account opens nothing.
    pub disabled: bool,
    /// The region whose server manages it; `None`: this one.
    pub home: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Account {
    fn new(id: AccountId, record: AccountRecord) -> Account {
        let disabled = record.is_closed();
        let AccountRecord { name, administrator, home, created_at, .. } = record;
        Account { id, name, administrator, disabled, home: home.map(|home| home.region), created_at }
    }
}

impl Auth {
    /// Makes an account. Administrators only.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Reserved`], [`Error::Invalid`] for the password.
    pub async fn create_account(
        &self,
        p: &Principal,
        name: &AccountName,
        password: &Secret,
        now: Timestamp,
    ) -> Result<Account, Error> {
        administrator(p)?;
        let password = Some(self.passwords().hash(password, Source::of(p, now)).await?);
        let record = AccountRecord {
            name: name.clone(),
            administrator: false,
            disabled: false,
            credential: Credential { password, version: 1 },
            home: None,
            created_at: now,
        };
        self.until_done(|| self.try_create_account(p, &record, now)).await
    }

    async fn try_create_account(
        &self,
        p: &Principal,
        record: &AccountRecord,
        now: Timestamp,
    ) -> Result<Option<Account>, Error> {
        let id = AccountId::random();
        let name_key = Key::AccountName { name: record.name.as_str() };
        let taken = self.store().get::<NameRecord>(name_key).await?;
        claimable(taken.as_ref(), Thing::Account, None, now)?;
        let mut tx = self.store().transaction();
        tx.expect(name_key, taken.map(|name| name.version)).put(name_key, &NameRecord::Held(id.raw()))?;
        let key = Key::Account { account: id.raw() };
        tx.expect(key, None).put(key, record)?;
        account_event(&mut tx, id, EventKind::AccountCreated, p, &record.name, now)?;
        self.finish(tx, Account::new(id, record.clone())).await
    }

    /// Accounts by name, those after `after`. Administrators only.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_accounts(
        &self,
        p: &Principal,
        after: Option<&str>,
        limit: usize,
        _now: Timestamp,
    ) -> Result<Vec<Account>, Error> {
        administrator(p)?;
        let key = Key::AccountName { name: after.unwrap_or_default() };
        let mut rows = Rows::new(key.siblings_after(self.region()));
        let mut accounts = Vec::new();
        loop {
            let page = rows.next(self).await?;
            if page.is_empty() {
                return Ok(accounts);
            }
            for (encoded, entry) in page {
                if accounts.len() >= limit {
                    return Ok(accounts);
                }
                let name = text(key, self.region(), &encoded)?;
                let Some(id) = kv::decode::<NameRecord>(Key::AccountName { name }, &entry)?.value.held()
                else {
                    continue;
                };
                // One that was deleted meanwhile is none any more.
                if let Some(record) = self.store().get::<AccountRecord>(Key::Account { account: id }).await? {
                    accounts.push(Account::new(id.into(), record.value));
                }
            }
        }
    }

    /// An account, to itself, its users and administrators.
    ///
    /// # Errors
    /// [`Error::NotFound`], for one that the caller may not see too.
    pub async fn show_account(
        &self,
        p: &Principal,
        name: &AccountName,
        _now: Timestamp,
    ) -> Result<Account, Error> {
        let (id, record) = self.visible_account(p, name).await?;
        Ok(Account::new(id, record.value))
    }

    /// Closes an account, its users and whatever was issued to them, and what it owns to everybody else, at once; or
    /// opens all of it again. Administrators only. One that was imported is closed and opened for this region alone.
    ///
    /// # Errors
    /// [`Error::LastAdministrator`], [`Error::OtherHome`] to open what is closed at its home, [`Error::NotFound`] for one that the caller may not see, [`Error::Forbidden`] for who
    /// sees it and is no administrator.
    pub async fn set_account_disabled(
        &self,
        p: &Principal,
        name: &AccountName,
        disabled: bool,
        now: Timestamp,
    ) -> Result<Account, Error> {
        self.until_done(async || {
            let (id, record) = self.visible_account(p, name).await?;
            administrator(p)?;
            if !disabled && record.value.home.as_ref().is_some_and(|home| home.disabled) {
                // What is closed at home is opened there alone.
                record.value.at_home()?;
            }
            if record.value.disabled == disabled {
                return Ok(Some(Account::new(id, record.value)));
            }
            self.disable_account(p, id, &record, disabled, now).await
        })
        .await
    }

    pub(crate) async fn disable_account(
        &self,
        p: &Principal,
        id: AccountId,
        record: &Versioned<AccountRecord>,
        disabled: bool,
        now: Timestamp,
    ) -> Result<Option<Account>, Error> {
        let mut tx = self.store().transaction();
        if disabled {
            self.expect_another_administrator(&mut tx, id, &record.value).await?;
        }
        let changed = AccountRecord { disabled, ..record.value.clone() };
        let key = Key::Account { account: id.raw() };
        tx.expect(key, Some(record.version)).put(key, &changed)?;
        let kind = if disabled { EventKind::AccountDisabled } else { EventKind::AccountEnabled };
        account_event(&mut tx, id, kind, p, &changed.name, now)?;
        self.finish(tx, Account::new(id, changed)).await
    }

    /// Changes an account's password, and ends all that was issued to it under the old one. The account itself must
    /// give its current password, an administrator among them; an administrator need not for others.
    ///
    /// # Errors
    /// [`Error::WrongPassword`], [`Error::Invalid`] for the new one, [`Error::OtherHome`].
    pub async fn set_account_password(
        &self,
        p: &Principal,
        name: &AccountName,
        current: Option<&Secret>,
        new: &Secret,
        now: Timestamp,
    ) -> Result<Account, Error> {
        let (id, record) = self.visible_account(p, name).await?;
        let oneself = p.account() == Some(id);
        if oneself {
            p.whole_subject()?;
        }
        if p.user().is_some() || (!oneself && !p.is_administrator()) {
            return Err(Error::Forbidden);
        }
        record.value.at_home()?;
        if oneself {
            self.check_current(p, &record.value.credential, current, now).await?;
        }
        let hash = self.passwords().hash(new, Source::of(p, now)).await?;
        // The account and the version that the rights were checked under: what changed since wants to be looked at again.
        let (checked_id, checked) = (id, record.value.credential.version);
        self.until_done(async || {
            let (id, record) = self.visible_account(p, name).await?;
            if id != checked_id || record.value.credential.version != checked {
                return Err(Error::Busy);
            }
            let credential = Credential { password: Some(hash.clone()), version: checked + 1 };
            let changed = AccountRecord { credential, ..record.value };
            let mut tx = self.store().transaction();
            let key = Key::Account { account: id.raw() };
            tx.expect(key, Some(record.version)).put(key, &changed)?;
            account_event(&mut tx, id, EventKind::AccountPasswordChanged, p, name, now)?;
            self.finish(tx, Account::new(id, changed)).await
        })
        .await
    }

    /// Gives up the reservation of a deleted account's name. Administrators only.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the name is free, [`Error::Exists`] while an account bears it.
    pub async fn free_account_name(
        &self,
        p: &Principal,
        name: &AccountName,
        now: Timestamp,
    ) -> Result<(), Error> {
        let administrator = administrator(p)?;
        self.until_done(async || {
            let key = Key::AccountName { name: name.as_str() };
            let mut tx = self.store().transaction();
            self.free_name(&mut tx, key, Thing::Account).await?;
            account_event(&mut tx, administrator, EventKind::AccountNameFreed, p, name, now)?;
            self.finish(tx, ()).await
        })
        .await
    }
}

/// What other modules of this crate need of accounts.
impl Auth {
    /// The account that bears `name`; the same reads whether there is one or not.
    pub(crate) async fn account_named(
        &self,
        name: &AccountName,
    ) -> Result<Option<(AccountId, Versioned<AccountRecord>)>, Error> {
        let key = Key::AccountName { name: name.as_str() };
        let id = self.id_or_none(key).await?;
        let record = self.store().get::<AccountRecord>(Key::Account { account: id }).await?;
        Ok(record.map(|record| (id.into(), record)))
    }

    /// The account `name`, if the caller may know of it: an administrator, the account itself, or a user of it.
    pub(crate) async fn visible_account(
        &self,
        p: &Principal,
        name: &AccountName,
    ) -> Result<(AccountId, Versioned<AccountRecord>), Error> {
        let subject = p.subject()?;
        // Looked up only for those who may see it, so that not even the time tells a stranger whether it is there.
        let found = if subject.account_name == *name || p.is_administrator() {
            self.account_named(name).await?
        } else {
            None
        };
        match found {
            Some((id, record)) if p.is_administrator() || subject.account == id => Ok((id, record)),
            _ => Err(Error::NotFound { what: Thing::Account }),
        }
    }

    /// The account `name`, if the caller manages its users: the account itself, or an administrator.
    pub(crate) async fn managed_account(
        &self,
        p: &Principal,
        name: &AccountName,
    ) -> Result<(AccountId, Versioned<AccountRecord>), Error> {
        let (id, record) = self.visible_account(p, name).await?;
        let itself = p.account() == Some(id) && p.user().is_none() && !p.is_narrowed();
        if itself || p.is_administrator() { Ok((id, record)) } else { Err(Error::Forbidden) }
    }

    /// Checks the password that whoever changes its own has to give: a wrong one is noted and counts as in a sign-in, so that
    /// who has a session of somebody cannot try them all.
    pub(crate) async fn check_current(
        &self,
        p: &Principal,
        credential: &Credential,
        current: Option<&Secret>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let current = current.ok_or(Error::WrongPassword)?;
        let (name, account, from) = (p.name(), p.subject()?.account, p.address());
        let holder = p.id().map(|id| (id, credential));
        let source = Source::of(p, now);
        if self.passwords().verify(&name, current, holder, source, WhenFull::Refuse).await? {
            return Ok(());
        }
        let refused = Refused { account, name: &name, from, reason: "wrong password".to_owned() };
        self.note_refused_sign_in(refused, now);
        Err(Error::WrongPassword)
    }

    /// Touches the record of the account `id`, if it is there: how whatever is made in it is made.
    pub(crate) async fn touch_account(
        &self,
        tx: &mut Transaction,
        id: AccountId,
    ) -> Result<Option<AccountRecord>, Error> {
        let key = Key::Account { account: id.raw() };
        let Some(record) = self.store().get::<AccountRecord>(key).await? else { return Ok(None) };
        touch(tx, key, (record.version, &record.value))?;
        Ok(Some(record.value))
    }

    /// Makes sure that somebody still administers the registry once `id` does not: expects the record of another
    /// administrator, so that two who close each other at once do not both succeed.
    async fn expect_another_administrator(
        &self,
        tx: &mut Transaction,
        id: AccountId,
        record: &AccountRecord,
    ) -> Result<(), Error> {
        if !record.administrator || record.is_closed() {
            return Ok(());
        }
        let list = Key::Account { account: kv::Id::MIN };
        let mut rows = Rows::all(list.siblings(self.region()));
        loop {
            let page = rows.next(self).await?;
            if page.is_empty() {
                return Err(Error::LastAdministrator);
            }
            for (encoded, entry) in page {
                let account = crate::lists::id(list, self.region(), &encoded)?;
                let key = Key::Account { account };
                let other = kv::decode::<AccountRecord>(key, &entry)?;
                if account != id.raw() && other.value.administrator && !other.value.is_closed() {
                    tx.expect(key, Some(other.version));
                    return Ok(());
                }
            }
        }
    }
}

/// Who administers the registry: its account.
pub(crate) fn administrator(p: &Principal) -> Result<AccountId, Error> {
    let subject = p.subject()?;
    if p.is_administrator() { Ok(subject.account) } else { Err(Error::Forbidden) }
}

/// Writes an event of an account in its trail, and in that of the account whose doing it was: nobody reaches the first
/// once the account is deleted.
pub(crate) fn account_event(
    tx: &mut Transaction,
    account: AccountId,
    kind: EventKind,
    p: &Principal,
    name: &AccountName,
    now: Timestamp,
) -> Result<(), Error> {
    let event = Event::new(account, kind, p.into(), name.to_string(), now);
    event.record(tx)?;
    if let Some(account) = p.account().filter(|doer| *doer != account) {
        Event { account, ..event }.record(tx)?;
    }
    Ok(())
}
