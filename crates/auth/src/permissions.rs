//! Permissions: what a user may do with a namespace or a repository of its account. Who manages the target sets them.

use jiff::Timestamp;
use kv::{Key, Target, Transaction, Version, Versioned, decode};
use oci::{NamespaceName, RepositoryName};

use crate::attempts::touch;
use crate::records::{PermissionRecord, UserRecord, on_namespace, on_repository};
use crate::rights::FoundNamespace;
use crate::scope::Verbs;
use crate::{
    AccountId, AccountName, Action, Auth, Error, Event, EventDetail, EventKind, Level, NewRepository,
    Principal, RepositoryId, Thing, UserId, UserName,
};

/// What a permission is on, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PermissionTarget {
    /// A namespace, and all repositories in it.
    Namespace(NamespaceName),
    /// One repository.
    Repository(RepositoryName),
}

impl std::fmt::Display for PermissionTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            PermissionTarget::Namespace(name) => write!(f, "{}", name.as_str()),
            PermissionTarget::Repository(name) => write!(f, "{}", name.as_str()),
        }
    }
}

/// A user's permission, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The user.
    pub user_id: UserId,
    /// The user's name within the account.
    pub user: UserName,
    /// The account's name.
    pub account: AccountName,
    /// What it may do.
    pub level: Level,
}

impl Permission {
    /// The name that the user signs in with: `dev@acme`.
    #[must_use]
    pub fn login(&self) -> String {
        format!("{}@{}", self.user, self.account)
    }
}

/// A target that the caller manages, by id, with the record that guards it.
pub(crate) struct Managed {
    pub(crate) target: Target,
    pub(crate) owner: AccountId,
    guard: Guard,
}

enum Guard {
    Namespace(FoundNamespace),
    Repository(RepositoryId, Version),
}

impl Managed {
    /// A namespace's deletion removes the permissions on it in its own commit, and must see this one; a repository's
    /// leaves them to the reaper, which comes after.
    pub(crate) fn guard(&self, tx: &mut Transaction) -> Result<(), kv::Error> {
        match &self.guard {
            Guard::Namespace(found) => {
                touch(
                    tx,
                    Key::Namespace { namespace: found.id.raw() },
                    (found.record.version, &*found.record.value),
                )?;
            }
            Guard::Repository(id, version) => {
                tx.expect(Key::Repository { repository: id.raw() }, Some(*version));
            }
        }
        Ok(())
    }
}

impl Auth {
    /// Gives `user`, of the account that owns `on`, this level there, whatever it had. A name in a namespace that the
    /// caller manages needs no repository yet: it is made, private, so that the first push may be that user's.
    ///
    /// There are at most as many permissions on a target as users in its account: a deleted user's go with it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the target or the user, [`Error::Forbidden`] without *manage*.
    pub async fn set_permission(
        &self,
        p: &Principal,
        on: &PermissionTarget,
        user: &UserName,
        level: Level,
        now: Timestamp,
    ) -> Result<Permission, Error> {
        let set = || self.until_done(|| self.try_set_permission(p, on, user, level, now));
        match (set().await, on) {
            (Err(Error::NotFound { what: Thing::Repository }), PermissionTarget::Repository(name)) => {
                self.make_for(p, name, user, now).await?;
                set().await
            }
            (answer, _) => answer,
        }
    }

    /// Makes the repository `name` for a permission of `user` on it, if the caller manages its namespace, and with a
    /// credential that leaves it the management of what it makes: a refusal brings nothing into being.
    async fn make_for(
        &self,
        p: &Principal,
        name: &RepositoryName,
        user: &UserName,
        now: Timestamp,
    ) -> Result<(), Error> {
        let standing = self.standing(p, name, now).await?;
        let missing = Error::NotFound { what: Thing::Repository };
        let (Some(Level::Manage), Some(namespace), Some(account)) =
            (standing.namespace_level, &standing.namespace, p.account())
        else {
            return Err(missing);
        };
        if p.grants.is_some() || !p.verbs_left(name, namespace.id, None).contains(Verbs::MANAGE) {
            return Err(missing);
        }
        self.user_named(account, user).await?.ok_or(Error::NotFound { what: Thing::User })?;
        match self.create_repository(p, name, &NewRepository::default(), now).await {
            Ok(_) | Err(Error::Exists { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn try_set_permission(
        &self,
        p: &Principal,
        on: &PermissionTarget,
        name: &UserName,
        level: Level,
        now: Timestamp,
    ) -> Result<Option<Permission>, Error> {
        let Some(managed) = self.managed(p, on, now).await? else { return Ok(None) };
        let missing = Error::NotFound { what: Thing::User };
        let (user, record) = self.user_named(managed.owner, name).await?.ok_or(missing)?;
        let mut tx = self.store().transaction();
        managed.guard(&mut tx)?;
        put_permission(&mut tx, &managed, (user, &record), level, (p, on, now))?;
        let account = p.subject()?.account_name.clone();
        self.finish(tx, Permission { user_id: user, user: name.clone(), account, level }).await
    }

    /// Takes away what `user` may do with `on`.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the target, the user or the permission, [`Error::Forbidden`] without *manage*.
    pub async fn remove_permission(
        &self,
        p: &Principal,
        on: &PermissionTarget,
        user: &UserName,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.until_done(|| self.try_remove_permission(p, on, user, now)).await
    }

    async fn try_remove_permission(
        &self,
        p: &Principal,
        on: &PermissionTarget,
        name: &UserName,
        now: Timestamp,
    ) -> Result<Option<()>, Error> {
        let Some(managed) = self.managed(p, on, now).await? else { return Ok(None) };
        let (user, _) =
            self.user_named(managed.owner, name).await?.ok_or(Error::NotFound { what: Thing::User })?;
        let mut tx = self.store().transaction();
        self.take_permission(&mut tx, &managed, (user, name), (p, on, now)).await?;
        self.finish(tx, ()).await
    }

    /// Takes `user`'s permission on the target away in `tx`.
    pub(crate) async fn take_permission(
        &self,
        tx: &mut Transaction,
        managed: &Managed,
        (user, name): (UserId, &UserName),
        by: By<'_>,
    ) -> Result<(), Error> {
        let (user, target) = (user.raw(), managed.target);
        let key = Key::Permission { user, target };
        let held = self.store().get::<PermissionRecord>(key).await?;
        let held = held.ok_or(Error::NotFound { what: Thing::Permission })?;
        tx.expect(key, Some(held.version)).delete(key).delete(Key::PermissionOn { target, user });
        permission_event(
            tx,
            managed.owner,
            EventKind::PermissionRemoved,
            by,
            EventDetail::Names(name.to_string()),
        )
    }

    /// The permissions on `on` by users' names, those after `after`.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the target, [`Error::Forbidden`] without *manage*.
    pub async fn list_permissions(
        &self,
        p: &Principal,
        on: &PermissionTarget,
        after: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Permission>, Error> {
        let missing = Error::NotFound { what: Thing::Repository };
        let Managed { target, owner, .. } = self.managed(p, on, now).await?.ok_or(missing)?;
        let account = p.subject()?.account_name.clone();
        let key = Key::PermissionOn { target, user: kv::Id::MIN };
        // Bounded by the account's users.
        let rows = self.store().list(key.siblings(self.region()), kv::SCAN_ENTRIES_MAX).await?;
        let mut levels = Vec::with_capacity(rows.len());
        for (encoded, entry) in &rows {
            let user = crate::lists::id(key, self.region(), encoded)?;
            levels.push((user, decode::<PermissionRecord>(key, entry)?.value.level));
        }
        let users: Vec<_> = levels.iter().map(|(user, _)| *user).collect();
        let users =
            self.records::<UserRecord>(&users, |user| Key::User { account: owner.raw(), user }).await?;
        let mut permissions: Vec<_> = levels
            .into_iter()
            .filter_map(|(id, level)| {
                // Both are in the order of ids.
                let found = users.binary_search_by_key(&id, |(user, _)| *user).ok()?;
                let user = users[found].1.name.clone();
                Some(Permission { user_id: id.into(), user, account: account.clone(), level })
            })
            .filter(|permission| after.is_none_or(|after| permission.user.as_str() > after))
            .collect();
        permissions.sort_by(|one, other| one.user.cmp(&other.user));
        permissions.truncate(limit);
        Ok(permissions)
    }

    /// Removes at most `limit` permissions on `target` in `tx`, and says whether that was all.
    pub(crate) async fn remove_permissions_on(
        &self,
        tx: &mut Transaction,
        target: Target,
        limit: usize,
    ) -> Result<bool, Error> {
        let key = Key::PermissionOn { target, user: kv::Id::MIN };
        let rows = self.store().list(key.siblings(self.region()), limit).await?;
        let all = rows.len() < limit;
        for (encoded, _) in rows {
            let user = crate::lists::id(key, self.region(), &encoded)?;
            tx.delete(Key::Permission { user, target }).delete_encoded(encoded);
        }
        Ok(all)
    }

    /// The target, if the caller manages it; `None` when it was deleted a moment ago: look again.
    pub(crate) async fn managed(
        &self,
        p: &Principal,
        on: &PermissionTarget,
        now: Timestamp,
    ) -> Result<Option<Managed>, Error> {
        match on {
            PermissionTarget::Namespace(name) => {
                let found = self.managed_namespace(p, name).await?;
                let (target, owner) = (on_namespace(found.id), found.record.value.account);
                Ok(Some(Managed { target, owner, guard: Guard::Namespace(found) }))
            }
            PermissionTarget::Repository(name) => {
                let permit = self.authorize(p, name, Action::Manage, now).await?;
                let life = self.life(permit.repository()).await?;
                let (target, owner) = (on_repository(permit.repository()), permit.owner());
                Ok(life.map(|life| Managed {
                    target,
                    owner,
                    guard: Guard::Repository(permit.repository(), life.version),
                }))
            }
        }
    }
}

/// Who changes a permission, on what, and when.
pub(crate) type By<'a> = (&'a Principal, &'a PermissionTarget, Timestamp);

/// Gives a user its level on the target in `tx`, whatever it had.
pub(crate) fn put_permission(
    tx: &mut Transaction,
    managed: &Managed,
    (user, record): (UserId, &Versioned<UserRecord>),
    level: Level,
    by: By<'_>,
) -> Result<(), Error> {
    // The user's deletion, which removes its permissions, must see this one.
    touch(tx, Key::User { account: managed.owner.raw(), user: user.raw() }, (record.version, &record.value))?;
    let permission = PermissionRecord { level, set_at: by.2 };
    let (user, target) = (user.raw(), managed.target);
    tx.put(Key::Permission { user, target }, &permission)?;
    tx.put(Key::PermissionOn { target, user }, &permission)?;
    let detail = EventDetail::Permission { user: record.value.name.to_string(), level };
    permission_event(tx, managed.owner, EventKind::PermissionSet, by, detail)
}

fn permission_event(
    tx: &mut Transaction,
    owner: AccountId,
    kind: EventKind,
    (p, on, now): By<'_>,
    detail: EventDetail,
) -> Result<(), Error> {
    Ok(Event::new(owner, kind, p.into(), on.to_string(), now).with_detail(detail).record(tx)?)
}
