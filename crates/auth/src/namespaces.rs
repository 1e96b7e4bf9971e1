//! Namespaces: the first part of their repositories' names, each owned by one account.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use kv::{Key, Target, Transaction, decode, decode_shared};
use oci::NamespaceName;

use crate::lists::Rows;
use crate::records::{NameRecord, NamespaceRecord, PermissionRecord, RepositoryLife, on_namespace};
use crate::reservations::claimable;
use crate::rights::FoundNamespace;
use crate::{
    AccountId, AccountName, Auth, Error, Event, EventKind, Level, NamespaceId, Principal, RepositoryId,
    Thing, UserId,
};

/// A namespace, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    /// Its id.
    pub id: NamespaceId,
    /// Its name.
    pub name: NamespaceName,
    /// The owning account's name.
    pub account: AccountName,
    /// What the caller may do in all of it; `None`: it sees the namespace for a repository's sake alone.
    pub level: Option<Level>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Where a user holds permissions.
pub(crate) struct Permitted {
    pub(crate) namespaces: BTreeSet<NamespaceId>,
    pub(crate) repositories: BTreeSet<RepositoryId>,
}

impl Permitted {
    /// Whether one of them is on `repository`, or on the `namespace` that it lies in.
    pub(crate) fn cover(&self, namespace: NamespaceId, repository: RepositoryId) -> bool {
        self.namespaces.contains(&namespace) || self.repositories.contains(&repository)
    }
}

impl Auth {
    /// Whether there is a namespace in which the caller may make repositories; for an account itself, whether there may be.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn may_push_somewhere(&self, p: &Principal) -> Result<bool, Error> {
        let permitted = self.permitted_to(p, Level::Edit).await?;
        Ok(permitted.is_none_or(|permitted| !permitted.namespaces.is_empty()))
    }

    /// Makes a namespace of the caller's account, which only the account itself does.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Reserved`], [`Error::Limit`].
    pub async fn create_namespace(
        &self,
        p: &Principal,
        name: &NamespaceName,
        now: Timestamp,
    ) -> Result<Namespace, Error> {
        p.whole_subject()?;
        if p.user().is_some() {
            return Err(Error::Forbidden);
        }
        self.until_done(|| self.try_create_namespace(p, name, now)).await
    }

    async fn try_create_namespace(
        &self,
        p: &Principal,
        name: &NamespaceName,
        now: Timestamp,
    ) -> Result<Option<Namespace>, Error> {
        let account = p.subject()?.account;
        let mut tx = self.store().transaction();
        // Guards the bound below, and the account's deletion (see there).
        let owner = self.touch_account(&mut tx, account).await?.ok_or(Error::Unauthenticated)?;
        if owner.is_closed() {
            return Err(Error::Unauthenticated);
        }
        let name_key = Key::NamespaceName { name: name.as_str() };
        let taken = self.store().get::<NameRecord>(name_key).await?;
        claimable(taken.as_ref(), Thing::Namespace, Some(account), now)?;
        let list_key = Key::NamespaceOf { account: account.raw(), name: name.as_str() };
        let max = self.settings().namespaces_max;
        if self.count(list_key.siblings(self.region()), max).await? >= max {
            return Err(Error::Limit { what: "namespaces of an account", max: max as u64 });
        }
        let id = NamespaceId::random();
        let record = NamespaceRecord { name: name.clone(), account, created_at: now, names_epoch: 0 };
        let key = Key::Namespace { namespace: id.raw() };
        tx.expect(name_key, taken.map(|name| name.version)).put(name_key, &NameRecord::Held(id.raw()))?;
        tx.expect(key, None).put(key, &record)?.put(list_key, &id)?;
        namespace_event(&mut tx, account, EventKind::NamespaceCreated, p, name, now)?;
        let (name, account, level) = (name.clone(), owner.name, Some(Level::Manage));
        let shown = Namespace { id, name, account, level, created_at: now };
        self.finish(tx, shown).await
    }

    /// The namespaces of the caller's account by name, those after `after`: all to the account itself, to a user those
    /// in which it has a permission.
    ///
    /// # Errors
    /// [`Error::Forbidden`] with a narrowed credential.
    pub async fn list_namespaces(
        &self,
        p: &Principal,
        after: Option<&str>,
        limit: usize,
        _now: Timestamp,
    ) -> Result<Vec<Namespace>, Error> {
        let subject = p.whole_subject()?;
        let permitted = match p.user() {
            Some(user) => Some(self.namespaces_seen(user).await?),
            None => None,
        };
        let key = Key::NamespaceOf { account: subject.account.raw(), name: after.unwrap_or_default() };
        let mut rows = Rows::new(key.siblings_after(self.region()));
        let mut namespaces = Vec::new();
        loop {
            let page = rows.next(self).await?;
            if page.is_empty() {
                return Ok(namespaces);
            }
            for (_, entry) in page {
                if namespaces.len() >= limit {
                    return Ok(namespaces);
                }
                let id = decode::<NamespaceId>(key, &entry)?.value;
                if permitted.as_ref().is_some_and(|permitted| !permitted.contains(&id)) {
                    continue;
                }
                // One that was deleted meanwhile is none any more.
                if let Some(record) =
                    self.store().get::<NamespaceRecord>(Key::Namespace { namespace: id.raw() }).await?
                {
                    let NamespaceRecord { name, created_at, .. } = record.value;
                    let (account, level) = (subject.account_name.clone(), self.level_in(p, id).await?);
                    namespaces.push(Namespace { id, name, account, level, created_at });
                }
            }
        }
    }

    /// How many repositories each of these holds; `None`: the caller sees some of them alone.
    ///
    /// # Errors
    /// As the store.
    pub async fn repository_counts(&self, namespaces: &[Namespace]) -> Result<Vec<Option<u64>>, Error> {
        let keys: Vec<_> = namespaces
            .iter()
            .map(|namespace| Key::NamespaceRepositories { namespace: namespace.id.raw() })
            .collect();
        let entries = self.store().get_many(&keys).await?;
        let mut counts = Vec::with_capacity(namespaces.len());
        for (namespace, entry) in namespaces.iter().zip(entries) {
            let count = entry.map_or(Ok(0), |entry| entry.counter())?;
            counts.push(namespace.level.map(|_| u64::try_from(count).unwrap_or_default()));
        }
        Ok(counts)
    }

    /// A namespace of the caller's account.
    ///
    /// # Errors
    /// [`Error::NotFound`], for one that the caller may not see too.
    pub async fn show_namespace(
        &self,
        p: &Principal,
        name: &NamespaceName,
        _now: Timestamp,
    ) -> Result<Namespace, Error> {
        let found = self.visible_namespace(p, name).await?;
        let account = p.whole_subject()?.account_name.clone();
        let level = self.level_in(p, found.id).await?;
        let NamespaceRecord { name, created_at, .. } = Arc::unwrap_or_clone(found.record.value);
        Ok(Namespace { id: found.id, name, account, level, created_at })
    }

    /// Removes a namespace. Its name stays reserved for its account. Needs *manage* on it.
    ///
    /// # Errors
    /// [`Error::NotEmpty`] while it holds repositories.
    pub async fn delete_namespace(
        &self,
        p: &Principal,
        name: &NamespaceName,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.until_done(|| self.try_delete_namespace(p, name, now)).await
    }

    /// A repository's creation expects the namespace's record and adds to the counter: it comes first and the counter
    /// tells, or it meets a record that is gone. A permission's setting touches the record, so none is left behind.
    async fn try_delete_namespace(
        &self,
        p: &Principal,
        name: &NamespaceName,
        now: Timestamp,
    ) -> Result<Option<()>, Error> {
        let FoundNamespace { id, record } = self.managed_namespace(p, name).await?;
        let counter = Key::NamespaceRepositories { namespace: id.raw() };
        let (counted, repositories) = self.store().counter(counter).await?;
        if repositories > 0 {
            return Err(Error::NotEmpty { what: Thing::Namespace });
        }
        let account = record.value.account;
        let key = Key::Namespace { namespace: id.raw() };
        let mut tx = self.store().transaction();
        tx.expect(key, Some(record.version)).expect(counter, counted).delete(key).delete(counter);
        tx.delete(Key::NamespaceOf { account: account.raw(), name: name.as_str() });
        let reserved = self.reserved(Some(account), now);
        tx.put(Key::NamespaceName { name: name.as_str() }, &reserved)?;
        self.remove_permissions_on(&mut tx, on_namespace(id), kv::SCAN_ENTRIES_MAX).await?;
        namespace_event(&mut tx, account, EventKind::NamespaceDeleted, p, name, now)?;
        self.finish(tx, ()).await
    }

    /// Gives up the reservation of a deleted namespace's name. Administrators only.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the name is free, [`Error::Exists`] while a namespace bears it.
    pub async fn free_namespace_name(
        &self,
        p: &Principal,
        name: &NamespaceName,
        now: Timestamp,
    ) -> Result<(), Error> {
        let administrator = p.subject()?.account;
        if !p.is_administrator() {
            return Err(Error::Forbidden);
        }
        self.until_done(async || {
            let key = Key::NamespaceName { name: name.as_str() };
            let mut tx = self.store().transaction();
            self.free_name(&mut tx, key, Thing::Namespace).await?;
            namespace_event(&mut tx, administrator, EventKind::NamespaceNameFreed, p, name, now)?;
            self.finish(tx, ()).await
        })
        .await
    }
}

/// What other modules of this crate need of namespaces.
impl Auth {
    /// The namespace `name`, if the caller may know of it: its account, or a user that has a permission in it,
    /// with a credential that touches it.
    pub(crate) async fn visible_namespace(
        &self,
        p: &Principal,
        name: &NamespaceName,
    ) -> Result<FoundNamespace, Error> {
        let subject = p.subject()?;
        let missing = Error::NotFound { what: Thing::Namespace };
        let key = Key::NamespaceName { name: name.as_str() };
        let held = self.store().get::<NameRecord>(key).await?.and_then(|name| name.value.held());
        let Some(id) = held.map(NamespaceId::from).filter(|id| p.reaches_into(*id)) else {
            return Err(missing);
        };
        let key = Key::Namespace { namespace: id.raw() };
        let record = self.store().get_bytes(key).await?;
        let record = record.map(|record| decode_shared::<NamespaceRecord>(key, &record)).transpose()?;
        let Some(record) = record.filter(|record| record.value.account == subject.account) else {
            return Err(missing);
        };
        let sees = match subject.user_id() {
            None => true,
            Some(user) => {
                self.level_on_namespace(user, id).await?.is_some()
                    || self.namespaces_seen(user).await?.contains(&id)
            }
        };
        if sees { Ok(FoundNamespace { id, record }) } else { Err(missing) }
    }

    /// The same, if the caller manages it.
    pub(crate) async fn managed_namespace(
        &self,
        p: &Principal,
        name: &NamespaceName,
    ) -> Result<FoundNamespace, Error> {
        let found = self.visible_namespace(p, name).await?;
        p.whole_subject()?;
        let level = self.level_in(p, found.id).await?;
        if level >= Some(Level::Manage) { Ok(found) } else { Err(Error::Forbidden) }
    }

    /// What the caller may do in all of `namespace`, which is its account's.
    async fn level_in(&self, p: &Principal, namespace: NamespaceId) -> Result<Option<Level>, Error> {
        match p.user() {
            None => Ok(Some(Level::Manage)),
            Some(user) => self.level_on_namespace(user, namespace).await,
        }
    }

    async fn level_on_namespace(&self, user: UserId, namespace: NamespaceId) -> Result<Option<Level>, Error> {
        let key = Key::Permission { user: user.raw(), target: on_namespace(namespace) };
        Ok(self.store().get::<PermissionRecord>(key).await?.map(|record| record.value.level))
    }

    /// The namespaces and repositories on which `user` has a permission of at least `least`.
    ///
    /// # Errors
    /// [`Error::Limit`] when there are more than a page looks at.
    pub(crate) async fn permitted(&self, user: UserId, least: Level) -> Result<Permitted, Error> {
        let key = Key::Permission { user: user.raw(), target: Target::Namespace(kv::Id::MIN) };
        let mut permitted = Permitted { namespaces: BTreeSet::new(), repositories: BTreeSet::new() };
        let mut rows = Rows::new(key.siblings(self.region()));
        loop {
            let page = rows.next(self).await?;
            if page.is_empty() {
                return Ok(permitted);
            }
            for (encoded, entry) in page {
                if decode::<PermissionRecord>(key, &entry)?.value.level < least {
                    continue;
                }
                match crate::lists::target(key, self.region(), &encoded)? {
                    Target::Namespace(id) => permitted.namespaces.insert(id.into()),
                    Target::Repository(id) => permitted.repositories.insert(id.into()),
                };
            }
        }
    }

    /// The namespaces in which `user` has a permission, be it on one repository.
    async fn namespaces_seen(&self, user: UserId) -> Result<BTreeSet<NamespaceId>, Error> {
        let Permitted { mut namespaces, repositories } = self.permitted(user, Level::Read).await?;
        let repositories: Vec<_> = repositories.into_iter().map(RepositoryId::raw).collect();
        let lives =
            self.records::<RepositoryLife>(&repositories, |repository| Key::Repository { repository });
        namespaces.extend(lives.await?.into_iter().map(|(_, life)| life.namespace));
        Ok(namespaces)
    }
}

fn namespace_event(
    tx: &mut Transaction,
    account: AccountId,
    kind: EventKind,
    p: &Principal,
    name: &NamespaceName,
    now: Timestamp,
) -> Result<(), Error> {
    Ok(Event::new(account, kind, p.into(), name.to_string(), now).record(tx)?)
}
