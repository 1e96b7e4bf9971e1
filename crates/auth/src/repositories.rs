//! Repositories as they are managed: made ahead of a push, listed, described, made public or private, deleted. What
//! is in them is another crate's.

use jiff::Timestamp;
use kv::{Key, Outcome, Transaction, Versioned, decode};
use oci::RepositoryName;

use crate::records::{AccountRecord, NamespaceRecord, ReapRecord, RepositoryDetails, RepositoryLife};
use crate::scope::Verbs;
use crate::{
    AccountId, AccountName, Action, Auth, Category, ContentScope, Denied, Description, Error, Event,
    EventKind, Level, NamespaceId, Permit, Principal, PushAccess, RepositoryId, Thing, Visibility,
};

/// A repository, as it is shown. What it holds is counted elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repository {
    /// Its id.
    pub id: RepositoryId,
    /// Its name.
    pub name: RepositoryName,
    /// The namespace that it lies in.
    pub namespace: NamespaceId,
    /// The owning account's name.
    pub account: AccountName,
    /// The owning account.
    pub owner: AccountId,
    /// Who may pull it.
    pub visibility: Visibility,
    /// What its owner says of it.
    pub description: Description,
    /// How its owner sorts it.
    pub category: Category,
    /// When it was made.
    pub created_at: Timestamp,
    /// What of its content whoever asked may read.
    pub scope: ContentScope,
}

/// What a repository is made with, ahead of its first push.
#[derive(Debug, Clone, Default)]
pub struct NewRepository {
    /// What its owner says of it.
    pub details: DetailsChange,
    /// Who may pull it.
    pub visibility: Visibility,
}

/// A change of what an owner says of a repository; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DetailsChange {
    /// The text.
    pub description: Option<Description>,
    /// How it is sorted.
    pub category: Option<Category>,
}

impl DetailsChange {
    /// The details that were `before`, changed.
    fn over(self, before: RepositoryDetails) -> RepositoryDetails {
        RepositoryDetails {
            description: self.description.unwrap_or(before.description),
            category: self.category.unwrap_or(before.category),
        }
    }
}

impl Repository {
    pub(crate) fn new(
        id: RepositoryId,
        account: AccountName,
        life: RepositoryLife,
        details: RepositoryDetails,
    ) -> Repository {
        let RepositoryLife { name, namespace, owner, visibility, created_at, .. } = life;
        let RepositoryDetails { description, category } = details;
        let scope = ContentScope::All;
        Repository {
            id,
            name,
            namespace,
            account,
            owner,
            visibility,
            description,
            category,
            created_at,
            scope,
        }
    }
}

/// Which repositories a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those that hold, or once held, a manifest.
    Listed,
    /// The empty ones too.
    All,
}

impl Auth {
    /// Makes a repository ahead of its first push, all of it or nothing. Needs *edit* on its namespace; to say something of
    /// it, or to make it public, *manage*.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Limit`], [`Error::NotFound`] for the namespace, [`Error::Forbidden`].
    pub async fn create_repository(
        &self,
        p: &Principal,
        name: &RepositoryName,
        new: &NewRepository,
        now: Timestamp,
    ) -> Result<Repository, Error> {
        self.until_done(|| self.try_create_repository(p, name, new, now)).await
    }

    async fn try_create_repository(
        &self,
        p: &Principal,
        name: &RepositoryName,
        new: &NewRepository,
        now: Timestamp,
    ) -> Result<Option<Repository>, Error> {
        match self.authorize_push(p, name, now).await {
            Ok(PushAccess::Vacant(_)) => {}
            Ok(PushAccess::Existing(_)) => return Err(Error::Exists { what: Thing::Repository }),
            Err(Denied::NotFound | Denied::Vacant) => return Err(Error::NotFound { what: Thing::Namespace }),
            Err(denied) => return Err(denied.into()),
        }
        let standing = self.standing(p, name, now).await?;
        let Some(namespace) = standing.namespace else { return Ok(None) };
        let plain = new.details == DetailsChange::default() && new.visibility == Visibility::Private;
        let manages = standing.namespace_level == Some(Level::Manage)
            && p.verbs_left(name, namespace.id, None).contains(Verbs::MANAGE);
        if !plain && !manages {
            return Err(Error::Forbidden);
        }
        let mut tx = self.store().transaction();
        let (id, life) = self.create(&mut tx, &namespace, name, new.visibility, (p, now))?;
        let details = new.details.clone().over(RepositoryDetails::default());
        if new.details != DetailsChange::default() {
            tx.put(Key::RepositoryDetails { repository: id.raw() }, &details)?;
        }
        let account = p.subject()?.account_name.clone();
        match self.store().commit(tx).await? {
            Outcome::Committed => Ok(Some(Repository::new(id, account, life, details))),
            Outcome::Conflict => Ok(None),
            Outcome::OutOfBounds { .. } => Err(self.too_many_repositories()),
        }
    }

    /// A repository, to whoever may pull it.
    ///
    /// # Errors
    /// [`Error::NotFound`], for one that the caller may not see too.
    pub async fn show_repository(
        &self,
        p: &Principal,
        name: &RepositoryName,
        now: Timestamp,
    ) -> Result<Repository, Error> {
        let missing = || Error::NotFound { what: Thing::Repository };
        let permit = self.authorize(p, name, Action::Pull, now).await?;
        let (life, details) = self.life_and_details(permit.repository()).await?.ok_or_else(missing)?;
        let account = self.account_name(life.owner).await?.ok_or_else(missing)?;
        Ok(Repository { scope: permit.scope, ..Repository::new(permit.repository(), account, life, details) })
    }

    /// Sets what a repository's owner says of it. Needs *manage*.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn set_description(
        &self,
        p: &Principal,
        name: &RepositoryName,
        description: &Description,
        now: Timestamp,
    ) -> Result<Repository, Error> {
        let change = DetailsChange { description: Some(description.clone()), category: None };
        self.change_details(p, name, &change, now).await
    }

    /// Changes what a repository's owner says of it. Needs *manage*.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn change_details(
        &self,
        p: &Principal,
        name: &RepositoryName,
        change: &DetailsChange,
        now: Timestamp,
    ) -> Result<Repository, Error> {
        self.until_done(async || {
            let permit = self.authorize(p, name, Action::Manage, now).await?;
            let Some(life) = self.life(permit.repository()).await? else { return Ok(None) };
            let repository = permit.repository().raw();
            let key = Key::RepositoryDetails { repository };
            let found = self.store().get::<RepositoryDetails>(key).await?;
            let mut tx = self.store().transaction();
            tx.expect(Key::Repository { repository }, Some(life.version));
            tx.expect(key, found.as_ref().map(|found| found.version));
            let details = change.clone().over(found.map(|found| found.value).unwrap_or_default());
            tx.put(key, &details)?;
            repository_event(&mut tx, &permit, EventKind::RepositoryDescribed, now)?;
            let account = p.subject()?.account_name.clone();
            self.finish(tx, Repository::new(permit.repository(), account, life.value, details)).await
        })
        .await
    }

    /// Makes a repository public, which ends every share of it for good, or private. Needs *manage*.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`].
    pub async fn set_visibility(
        &self,
        p: &Principal,
        name: &RepositoryName,
        visibility: Visibility,
        now: Timestamp,
    ) -> Result<Repository, Error> {
        let shown = self.until_done(|| self.try_set_visibility(p, name, visibility, now)).await?;
        if visibility == Visibility::Public {
            // The shares are dead already, by their epoch; their rows go in commits of their own. Should that fail,
            // they are shown nowhere, and go when the repository is made public again or is deleted.
            self.remove_dead_shares(p, shown.id, now).await?;
        }
        Ok(shown)
    }

    async fn try_set_visibility(
        &self,
        p: &Principal,
        name: &RepositoryName,
        visibility: Visibility,
        now: Timestamp,
    ) -> Result<Option<Repository>, Error> {
        let permit = self.authorize(p, name, Action::Manage, now).await?;
        let id = permit.repository();
        let Some(life) = self.life(id).await? else { return Ok(None) };
        let details =
            self.store().get::<RepositoryDetails>(Key::RepositoryDetails { repository: id.raw() }).await?;
        let details = details.map(|details| details.value).unwrap_or_default();
        let account = p.subject()?.account_name.clone();
        if life.value.visibility == visibility {
            return Ok(Some(Repository::new(id, account, life.value, details)));
        }
        let mut tx = self.store().transaction();
        let mut patterns = self.pattern_use(id).await?;
        let mut changed = RepositoryLife { visibility, ..life.value };
        let public_name = Key::PublicName { name: name.as_str() };
        let kind = match visibility {
            Visibility::Public => {
                changed.sharing_epoch += 1;
                tx.put(public_name, &id)?.delete(Key::ShareGuard { repository: id.raw() });
                patterns.release_all();
                patterns.write(&mut tx, now)?;
                EventKind::RepositoryMadePublic
            }
            Visibility::Private => {
                tx.delete(public_name);
                EventKind::RepositoryMadePrivate
            }
        };
        let key = Key::Repository { repository: id.raw() };
        tx.expect(key, Some(life.version)).put(key, &changed)?;
        repository_event(&mut tx, &permit, kind, now)?;
        self.finish(tx, Repository::new(id, account, changed, details)).await
    }

    /// Deletes a repository: its name is free and nothing of it is reached from this commit on. What it held is
    /// removed later, by whoever finds the [`ReapRecord`].
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`] without *manage*.
    pub async fn delete_repository(
        &self,
        p: &Principal,
        name: &RepositoryName,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.until_done(async || {
            let permit = self.authorize(p, name, Action::Manage, now).await?;
            let id = permit.repository().raw();
            let Some(life) = self.life(permit.repository()).await? else { return Ok(None) };
            let namespace = life.value.namespace.raw();
            let (key, namespace_key) = (Key::Repository { repository: id }, Key::Namespace { namespace });
            let Some(within) = self.store().get::<NamespaceRecord>(namespace_key).await? else {
                return Ok(None);
            };
            let names_epoch = within.value.names_epoch + 1;
            let mut tx = self.store().transaction();
            tx.expect(key, Some(life.version))
                .delete(key)
                .delete(Key::RepositoryName { namespace, path: name.path() })
                .delete(Key::Listed { name: name.as_str() })
                .delete(Key::PublicName { name: name.as_str() })
                .add(Key::NamespaceRepositories { namespace }, -1, 0..=i64::MAX);
            tx.expect(namespace_key, Some(within.version))
                .put(namespace_key, &NamespaceRecord { names_epoch, ..within.value })?;
            let reap = ReapRecord { life: life.value, deleted_at: now, deleted_by: Some(p.into()) };
            tx.put(Key::Reap { id }, &reap)?;
            repository_event(&mut tx, &permit, EventKind::RepositoryDeleted, now)?;
            self.finish(tx, ()).await
        })
        .await
    }
}

/// What other modules of this crate need of repositories.
impl Auth {
    /// A repository's life record, with the version that what is written into it expects.
    pub(crate) async fn life(&self, id: RepositoryId) -> Result<Option<Versioned<RepositoryLife>>, Error> {
        Ok(self.store().get(Key::Repository { repository: id.raw() }).await?)
    }

    async fn life_and_details(
        &self,
        id: RepositoryId,
    ) -> Result<Option<(RepositoryLife, RepositoryDetails)>, Error> {
        let life_key = Key::Repository { repository: id.raw() };
        let details_key = Key::RepositoryDetails { repository: id.raw() };
        let mut entries = self.store().get_many(&[life_key, details_key]).await?.into_iter();
        let Some(life) = entries.next().flatten() else { return Ok(None) };
        let life = decode::<RepositoryLife>(life_key, &life)?.value;
        let details = match entries.next().flatten() {
            Some(entry) => decode::<RepositoryDetails>(details_key, &entry)?.value,
            None => RepositoryDetails::default(),
        };
        Ok(Some((life, details)))
    }

    pub(crate) async fn account_name(&self, id: AccountId) -> Result<Option<AccountName>, Error> {
        let record = self.store().get::<AccountRecord>(Key::Account { account: id.raw() }).await?;
        Ok(record.map(|record| record.value.name))
    }
}

fn repository_event(
    tx: &mut Transaction,
    permit: &Permit,
    kind: EventKind,
    now: Timestamp,
) -> Result<(), Error> {
    let (actor, name) = (permit.principal().into(), permit.name().to_string());
    Ok(Event::new(permit.owner(), kind, actor, name, now).record(tx)?)
}
