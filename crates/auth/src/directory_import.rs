//! Another region's accounts, taken over: see [`crate::Directory`].
//!
//! Its home is followed: what was changed there is changed here, account by account, each in one commit. A user that is
//! gone there is deleted here. An account that is gone there is closed here at once, and deleted when that is asked for:
//! an export that lacks accounts by mistake then closes them until the next one, and loses nothing. An account is open
//! here while neither its home nor this region's administrators closed it.
//!
//! An account that cannot be taken over, because its name or its id is somebody else's here, is told and left out; the
//! others are taken over. Doing it again goes on where it broke off.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use kv::{Key, Transaction, Versioned, decode};

use crate::access_keys::{bound_to, put_key, record_key, remove_key};
use crate::accounts::{account_event, administrator};
use crate::directory::{DIRECTORY_ENTRIES_MAX, FORM, PROOF_OF, content_hash, password_of};
use crate::lists::Rows;
use crate::records::{
    AccessKeyRecord, AccountRecord, Credential, Home, ImportRecord, NameRecord, UserRecord,
};
use crate::reservations::claimable;
use crate::{
    AccessKeyId, AccountId, AccountName, Auth, Directory, DirectoryAccount, Error, Event, EventDetail,
    EventKind, PasswordHash, Principal, PrincipalId, Sealed, SealedCredential, Thing, UserId,
};

/// How far another server's clock may be ahead of ours.
const EXPORT_AHEAD_MAX: SignedDuration = SignedDuration::from_mins(15);

/// What becomes of accounts that their home has no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// They are closed, until they are there again.
    Closes,
    /// They are deleted, unless they own namespaces here.
    Deletes,
}

/// What an import did.
#[derive(Debug, Default)]
pub struct DirectoryReport {
    /// Accounts that are new here.
    pub created: usize,
    /// Accounts that were changed.
    pub changed: usize,
    /// Accounts that are as they were.
    pub unchanged: usize,
    /// Accounts that their home has no more: closed here.
    pub closed: Vec<AccountName>,
    /// The same, deleted here.
    pub deleted: Vec<AccountName>,
    /// What was left out, and why.
    pub conflicts: Vec<DirectoryConflict>,
}

/// An account that an import left out.
#[derive(Debug)]
pub struct DirectoryConflict {
    /// Its name.
    pub account: AccountName,
    /// What stands in the way.
    pub why: Error,
}

/// An account as its home has it, readable.
struct Incoming {
    id: AccountId,
    name: AccountName,
    disabled: bool,
    credential: Credential,
    created_at: Timestamp,
    users: BTreeMap<UserId, UserRecord>,
    access_keys: BTreeMap<AccessKeyId, AccessKeyRecord>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taken {
    Created,
    Changed,
    Unchanged,
}

impl Auth {
    /// Takes over another region's accounts. Administrators only.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::Invalid`] for this region's own accounts, for a document that is older than one
    /// that was imported, or from the future, that was changed, or that this server has no key for. Then nothing is
    /// changed.
    pub async fn import_directory(
        &self,
        p: &Principal,
        directory: Directory,
        gone: Gone,
        now: Timestamp,
    ) -> Result<DirectoryReport, Error> {
        administrator(p)?;
        self.check_origin(&directory, now)?;
        self.check_proof(&directory)?;
        let Directory { region, exported_at, accounts, .. } = directory;
        let incoming = self.open_all(accounts)?;
        self.note_import(&region, exported_at).await?;
        let mut report = DirectoryReport::default();
        let present: BTreeSet<AccountId> = incoming.iter().map(|account| account.id).collect();
        // First, so that a name is free for who bears it at home by now.
        self.close_the_gone(p, &region, &present, gone, &mut report, now).await?;
        for account in incoming {
            match self.import_account(p, &region, &account, now).await {
                Ok(Taken::Created) => report.created += 1,
                Ok(Taken::Changed) => report.changed += 1,
                Ok(Taken::Unchanged) => report.unchanged += 1,
                Err(why @ (Error::Exists { .. } | Error::Reserved { .. } | Error::OtherHome { .. })) => {
                    report.conflicts.push(DirectoryConflict { account: account.name, why });
                }
                Err(other) => return Err(other),
            }
        }
        Ok(report)
    }

    fn check_origin(&self, directory: &Directory, now: Timestamp) -> Result<(), Error> {
        let Directory { form, region, exported_at, .. } = directory;
        if *form != FORM {
            let reason = format!("the export has the form {form}, and this server reads {FORM}");
            return Err(Error::Invalid { field: "form", reason });
        }
        if exported_at.duration_since(now) > EXPORT_AHEAD_MAX {
            let reason =
                format!("the export was made at {exported_at}, and here it is {now}: set the clocks");
            return Err(Error::Invalid { field: "exported_at", reason });
        }
        if kv::Region::parse(region).is_none() {
            let reason = "a region's name has 1 to 32 characters of a-z, 0-9 and -".to_owned();
            return Err(Error::Invalid { field: "region", reason });
        }
        if *region == self.region().as_str() {
            let reason = format!("these are the accounts of {region}, which is this server's own region");
            return Err(Error::Invalid { field: "region", reason });
        }
        Ok(())
    }

    /// That it is as another server with one of our sealing keys made it.
    fn check_proof(&self, directory: &Directory) -> Result<(), Error> {
        let Directory { form, region, exported_at, accounts, proof } = directory;
        let proven = self.unsealed(proof, PROOF_OF)?;
        if proven == content_hash(*form, region, *exported_at, accounts)? {
            Ok(())
        } else {
            Err(Error::Invalid {
                field: "proof",
                reason: "the export was changed since it was made".to_owned(),
            })
        }
    }

    /// What another server sealed.
    fn unsealed(&self, sealed: &Sealed, bound_to: &[u8]) -> Result<String, Error> {
        let keys = self.sealing_keys();
        let invalid = |reason: &str| Error::Invalid { field: "proof", reason: reason.to_owned() };
        if !keys.has_key_of(sealed) {
            return Err(invalid(
                "the export is sealed with a key that is not here: copy the files seal-*.key from the folder keys of \
                 the server that made it into this server's, and start this server again",
            ));
        }
        let opened = keys.unseal(sealed, bound_to);
        let secret = opened.map_err(|_| invalid("the export was changed since it was made"))?;
        Ok(secret.reveal().to_owned())
    }

    /// All of it, checked and readable, before anything is changed.
    fn open_all(&self, accounts: Vec<DirectoryAccount>) -> Result<Vec<Incoming>, Error> {
        let entries = accounts.iter().map(|account| 1 + account.users.len() + account.access_keys.len());
        if entries.sum::<usize>() > DIRECTORY_ENTRIES_MAX {
            let what = "accounts, users and access keys in one export";
            return Err(Error::Limit { what, max: DIRECTORY_ENTRIES_MAX as u64 });
        }
        let count = accounts.len();
        let opened: Vec<_> =
            accounts.into_iter().map(|account| self.open(account)).collect::<Result<_, _>>()?;
        let ids: BTreeSet<_> = opened.iter().map(|account| account.id).collect();
        let names: BTreeSet<_> = opened.iter().map(|account| &account.name).collect();
        if ids.len() == count && names.len() == count {
            Ok(opened)
        } else {
            Err(not_whole("two accounts are the same"))
        }
    }

    fn open(&self, account: DirectoryAccount) -> Result<Incoming, Error> {
        let DirectoryAccount { id, name, disabled, credential, created_at, users, access_keys } = account;
        check_id(id.raw())?;
        let counts = (users.len(), access_keys.len());
        let mut opened = Incoming {
            id,
            name,
            disabled,
            credential: self.open_credential(PrincipalId { account: id, user: None }, credential)?,
            created_at,
            users: BTreeMap::new(),
            access_keys: BTreeMap::new(),
        };
        for user in users {
            check_id(user.id.raw())?;
            let holder = PrincipalId { account: id, user: Some(user.id) };
            let credential = self.open_credential(holder, user.credential)?;
            let record = UserRecord {
                name: user.name,
                disabled: user.disabled,
                credential,
                created_at: user.created_at,
            };
            opened.users.insert(user.id, record);
        }
        for key in access_keys {
            if key.user.is_some_and(|user| !opened.users.contains_key(&user)) {
                return Err(not_whole("an access key's holder is missing"));
            }
            let holder = PrincipalId { account: id, user: key.user };
            self.unsealed(&key.sealed, &bound_to(holder, &key.access_key))?;
            let record = AccessKeyRecord {
                holder,
                sealed: key.sealed,
                disabled: key.disabled,
                description: key.description,
                made_with: None,
                created_at: key.created_at,
            };
            opened.access_keys.insert(key.access_key, record);
        }
        let names: BTreeSet<_> = opened.users.values().map(|user| &user.name).collect();
        let whole =
            (names.len(), opened.users.len(), opened.access_keys.len()) == (counts.0, counts.0, counts.1);
        if whole { Ok(opened) } else { Err(not_whole("two users or access keys are the same")) }
    }

    fn open_credential(
        &self,
        holder: PrincipalId,
        credential: SealedCredential,
    ) -> Result<Credential, Error> {
        let open = |hash| self.unsealed(&hash, &password_of(holder));
        let password = credential.password.map(open).transpose()?.map(PasswordHash);
        Ok(Credential { password, version: credential.version })
    }

    /// Notes that the state of `region` at `exported_at` is taken over: none before it is any more.
    async fn note_import(&self, region: &str, exported_at: Timestamp) -> Result<(), Error> {
        self.until_done(async || {
            let key = Key::DirectoryImport { region };
            let last = self.store().get::<ImportRecord>(key).await?;
            if last.as_ref().is_some_and(|last| exported_at < last.value.exported_at) {
                let reason = "a newer export of this region was imported already".to_owned();
                return Err(Error::Invalid { field: "exported_at", reason });
            }
            let mut tx = self.store().transaction();
            tx.expect(key, last.map(|last| last.version)).put(key, &ImportRecord { exported_at })?;
            self.finish(tx, ()).await
        })
        .await
    }

    /// Closes, or deletes, the accounts whose home is `region` and that it has no more.
    async fn close_the_gone(
        &self,
        p: &Principal,
        region: &str,
        present: &BTreeSet<AccountId>,
        gone: Gone,
        report: &mut DirectoryReport,
        now: Timestamp,
    ) -> Result<(), Error> {
        let list = Key::Account { account: kv::Id::MIN };
        let mut rows = Rows::all(list.siblings(self.region()));
        while let page = rows.next(self).await?
            && !page.is_empty()
        {
            for (encoded, entry) in page {
                let id = AccountId::from(crate::lists::id(list, self.region(), &encoded)?);
                let record = decode::<AccountRecord>(Key::Account { account: id.raw() }, &entry)?.value;
                let theirs = record.home.as_ref().is_some_and(|home| home.region == region);
                if !theirs || present.contains(&id) {
                    continue;
                }
                let name = record.name;
                self.until_done(|| self.try_close(p, id, now)).await?;
                if gone == Gone::Closes {
                    report.closed.push(name);
                    continue;
                }
                match self.until_done(|| self.try_delete_account(p, &name, now)).await {
                    Ok(()) => report.deleted.push(name),
                    Err(why @ Error::NotEmpty { .. }) => {
                        report.closed.push(name.clone());
                        report.conflicts.push(DirectoryConflict { account: name, why });
                    }
                    Err(other) => return Err(other),
                }
            }
        }
        Ok(())
    }

    async fn try_close(&self, p: &Principal, id: AccountId, now: Timestamp) -> Result<Option<()>, Error> {
        let key = Key::Account { account: id.raw() };
        let Some(record) = self.store().get::<AccountRecord>(key).await? else { return Ok(Some(())) };
        let home = record.value.home.clone().map(|home| Home { disabled: true, ..home });
        let closed = AccountRecord { home, ..record.value.clone() };
        if closed == record.value {
            return Ok(Some(()));
        }
        let mut tx = self.store().transaction();
        tx.expect(key, Some(record.version)).put(key, &closed)?;
        if !record.value.is_closed() {
            account_event(&mut tx, id, EventKind::AccountDisabled, p, &closed.name, now)?;
        }
        self.finish(tx, ()).await
    }

    async fn import_account(
        &self,
        p: &Principal,
        region: &str,
        account: &Incoming,
        now: Timestamp,
    ) -> Result<Taken, Error> {
        let mut removed = false;
        if self.place_for(region, account, now).await?.0.is_some() {
            for (id, record) in self.users_of(account.id).await? {
                if account.users.get(&id).is_none_or(|user| user.name != record.name) {
                    let (of, name) = (&account.name, record.name);
                    self.until_done(|| self.try_delete_user(p, account.id, of, &name, now)).await?;
                    removed = true;
                }
            }
        }
        let taken = self.until_done(|| self.try_import_account(p, region, account, now)).await?;
        Ok(if removed && taken == Taken::Unchanged { Taken::Changed } else { taken })
    }

    /// The account's record as it is here, and what stands at its name.
    ///
    /// # Errors
    /// [`Error::Exists`] and [`Error::Reserved`] when the name is not its own here, [`Error::OtherHome`] when the id is
    /// of an account with another home.
    async fn place_for(
        &self,
        region: &str,
        account: &Incoming,
        now: Timestamp,
    ) -> Result<(Option<Versioned<AccountRecord>>, Option<Versioned<NameRecord>>), Error> {
        let name_key = Key::AccountName { name: account.name.as_str() };
        let name = self.store().get::<NameRecord>(name_key).await?;
        let here = self.store().get::<AccountRecord>(Key::Account { account: account.id.raw() }).await?;
        match &here {
            None => claimable(name.as_ref(), Thing::Account, None, now)?,
            Some(here) => match &here.value.home {
                Some(home) if home.region == region && here.value.name == account.name => {}
                Some(home) if home.region == region => return Err(Error::Exists { what: Thing::Account }),
                Some(home) => return Err(Error::OtherHome { home: home.region.clone() }),
                None => return Err(Error::OtherHome { home: self.region().to_string() }),
            },
        }
        Ok((here, name))
    }

    async fn try_import_account(
        &self,
        p: &Principal,
        region: &str,
        account: &Incoming,
        now: Timestamp,
    ) -> Result<Option<Taken>, Error> {
        let (here, name) = self.place_for(region, account, now).await?;
        let mut tx = self.store().transaction();
        let key = Key::Account { account: account.id.raw() };
        let record = account.record(region, here.as_ref().map(|here| &here.value));
        let mut changed = here.as_ref().is_none_or(|here| here.value != record);
        tx.expect(key, here.as_ref().map(|here| here.version)).put(key, &record)?;
        if here.is_none() {
            let name_key = Key::AccountName { name: account.name.as_str() };
            let held = NameRecord::Held(account.id.raw());
            tx.expect(name_key, name.map(|name| name.version)).put(name_key, &held)?;
        }
        changed |= self.import_users(&mut tx, account).await?;
        changed |= self.import_access_keys(&mut tx, account).await?;
        if !changed {
            return Ok(Some(Taken::Unchanged));
        }
        let event =
            Event::new(account.id, EventKind::AccountImported, p.into(), account.name.to_string(), now);
        event.with_detail(EventDetail::FromRegion(region.to_string())).record(&mut tx)?;
        let taken = if here.is_some() { Taken::Changed } else { Taken::Created };
        self.finish(tx, taken).await
    }

    async fn import_users(&self, tx: &mut Transaction, account: &Incoming) -> Result<bool, Error> {
        let mut changed = false;
        for (id, record) in &account.users {
            let key = Key::User { account: account.id.raw(), user: id.raw() };
            let here = self.store().get::<UserRecord>(key).await?;
            if here.as_ref().is_some_and(|here| here.value == *record) {
                continue;
            }
            changed = true;
            if here.is_none() {
                let name_key = Key::UserName { account: account.id.raw(), name: record.name.as_str() };
                tx.expect(name_key, None).put(name_key, &NameRecord::Held(id.raw()))?;
            }
            tx.expect(key, here.map(|here| here.version)).put(key, record)?;
        }
        Ok(changed)
    }

    async fn import_access_keys(&self, tx: &mut Transaction, account: &Incoming) -> Result<bool, Error> {
        let mut changed = false;
        let users = account.users.keys().map(|user| Some(*user));
        for user in users.chain([None]) {
            let holder = PrincipalId { account: account.id, user };
            for id in self.access_keys(holder).await? {
                if account.access_keys.get(&id).is_none_or(|key| key.holder != holder) {
                    remove_key(tx, holder, &id);
                    changed = true;
                }
            }
        }
        for (id, record) in &account.access_keys {
            let here = self.store().get::<AccessKeyRecord>(record_key(id)).await?;
            if here.as_ref().is_some_and(|here| here.value.holder != record.holder) {
                return Err(Error::Exists { what: Thing::AccessKey });
            }
            if here.as_ref().is_none_or(|here| here.value != *record) {
                put_key(tx, id, here.as_ref(), record)?;
                changed = true;
            }
        }
        Ok(changed)
    }
}

impl Incoming {
    /// Its record here. What this region's administrators closed stays closed.
    fn record(&self, region: &str, here: Option<&AccountRecord>) -> AccountRecord {
        AccountRecord {
            name: self.name.clone(),
            administrator: false,
            disabled: here.is_some_and(|here| here.disabled),
            credential: self.credential.clone(),
            home: Some(Home { region: region.to_owned(), disabled: self.disabled }),
            created_at: self.created_at,
        }
    }
}

fn check_id(id: kv::Id) -> Result<(), Error> {
    // What was read from a document was not checked by its type.
    if id != kv::Id::MIN && kv::Id::new(id.get()).is_some() {
        Ok(())
    } else {
        Err(not_whole("an id is none"))
    }
}

fn not_whole(what: &str) -> Error {
    Error::Invalid { field: "accounts", reason: format!("this is no whole export: {what}") }
}
