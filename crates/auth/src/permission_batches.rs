//! Permissions of several users on one target, changed in one commit: all of them, or none. Who manages the target does.
//!
//! One by one, and whatever there was before, [`Auth::set_permission`] sets them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kv::{Key, Versioned};

use crate::permissions::{Managed, put_permission};
use crate::records::{PermissionRecord, UserRecord};
use crate::{Auth, Error, Level, PermissionTarget, Principal, Thing, UserId, UserName};

/// The most users whose permissions one call changes.
pub const PERMISSIONS_AT_ONCE_MAX: usize = 100;

/// A user, named twice so that a mistake shows, and the level it is to have.
#[derive(Debug, Clone)]
pub struct UserLevel {
    /// The user.
    pub id: UserId,
    /// Its name within the account.
    pub name: UserName,
    /// What it may do.
    pub level: Level,
}

/// Whether those who get a level have one already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    None,
    Some,
}

impl Auth {
    /// Gives users that have no permission on `on` one each.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the target, or for a user whose name and id do not belong together; [`Error::Exists`] when
    /// one has a permission; [`Error::Invalid`] for a user that is named twice; [`Error::Limit`]; [`Error::Forbidden`]
    /// without *manage*.
    pub async fn add_permissions(
        &self,
        p: &Principal,
        on: &PermissionTarget,
        users: &[UserLevel],
        now: Timestamp,
    ) -> Result<(), Error> {
        distinct(users.iter().map(|user| user.id))?;
        self.until_done(|| self.try_put_permissions(p, on, users, Before::None, now)).await
    }

    /// Changes the permissions that users have on `on`.
    ///
    /// # Errors
    /// As [`Auth::add_permissions`], but [`Error::NotFound`] for a permission that a user does not have.
    pub async fn change_permissions(
        &self,
        p: &Principal,
        on: &PermissionTarget,
        users: &[UserLevel],
        now: Timestamp,
    ) -> Result<(), Error> {
        distinct(users.iter().map(|user| user.id))?;
        self.until_done(|| self.try_put_permissions(p, on, users, Before::Some, now)).await
    }

    async fn try_put_permissions(
        &self,
        p: &Principal,
        on: &PermissionTarget,
        users: &[UserLevel],
        before: Before,
        now: Timestamp,
    ) -> Result<Option<()>, Error> {
        let Some(managed) = self.managed(p, on, now).await? else { return Ok(None) };
        let mut tx = self.store().transaction();
        managed.guard(&mut tx)?;
        for user in users {
            let record = self.user_of(&managed, user.id).await?;
            if record.value.name != user.name {
                return Err(Error::NotFound { what: Thing::User });
            }
            let key = Key::Permission { user: user.id.raw(), target: managed.target };
            let held = self.store().get::<PermissionRecord>(key).await?;
            match (before, &held) {
                (Before::None, Some(_)) => return Err(Error::Exists { what: Thing::Permission }),
                (Before::Some, None) => return Err(Error::NotFound { what: Thing::Permission }),
                _ => tx.expect(key, held.as_ref().map(|held| held.version)),
            };
            put_permission(&mut tx, &managed, (user.id, &record), user.level, (p, on, now))?;
        }
        self.finish(tx, ()).await
    }

    /// Takes away what these users may do with `on`.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the target, a user or a permission; [`Error::Invalid`] for a user that is named twice;
    /// [`Error::Limit`]; [`Error::Forbidden`] without *manage*.
    pub async fn remove_permissions(
        &self,
        p: &Principal,
        on: &PermissionTarget,
        users: &[UserId],
        now: Timestamp,
    ) -> Result<(), Error> {
        distinct(users.iter().copied())?;
        self.until_done(async || {
            let Some(managed) = self.managed(p, on, now).await? else { return Ok(None) };
            let mut tx = self.store().transaction();
            for user in users {
                let record = self.user_of(&managed, *user).await?;
                let name = &record.value.name;
                self.take_permission(&mut tx, &managed, (*user, name), (p, on, now)).await?;
            }
            self.finish(tx, ()).await
        })
        .await
    }

    /// A user of the account that owns the target.
    async fn user_of(&self, managed: &Managed, user: UserId) -> Result<Versioned<UserRecord>, Error> {
        let key = Key::User { account: managed.owner.raw(), user: user.raw() };
        self.store().get::<UserRecord>(key).await?.ok_or(Error::NotFound { what: Thing::User })
    }
}

fn distinct(users: impl Iterator<Item = UserId>) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    for user in users {
        if !seen.insert(user) {
            return Err(Error::Invalid { field: "user_id", reason: format!("user {user} is named twice") });
        }
    }
    if seen.len() > PERMISSIONS_AT_ONCE_MAX {
        let max = PERMISSIONS_AT_ONCE_MAX as u64;
        return Err(Error::Limit { what: "users whose permissions one call changes", max });
    }
    if seen.is_empty() {
        return Err(Error::Invalid { field: "user_id", reason: "no user is named".to_owned() });
    }
    Ok(())
}
