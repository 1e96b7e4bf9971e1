//! What rights a principal holds on a name at this moment, from the live records alone. Which of them a request may
//! use is decided in [`crate::authorize`].

use std::sync::Arc;

use jiff::Timestamp;
use kv::{Entry, Id, Key, Versioned, decode, decode_shared};
use oci::RepositoryName;

use crate::permit::{Found, FoundOwner};
use crate::principal::Subject;
use crate::records::{
    AccountRecord, NameRecord, NamespaceRecord, PermissionRecord, RepositoryLife, ShareRecord, on_namespace,
    on_repository,
};
use crate::scope::Verbs;
use crate::{
    AccountId, Action, Auth, ContentScope, Level, NamespaceId, Principal, RepositoryId, ShareId, UserId,
    Visibility,
};

/// What somebody's rights on a repository rest on. The greatest is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Basis {
    /// Nothing: no rights.
    Nothing,
    /// It is public.
    Public,
    /// It is shared with the account.
    Share { id: ShareId, deadline: Option<Timestamp>, scope: ContentScope },
    /// A user's permission, or the ownership of the account itself, which manages.
    Level(Level),
}

impl Basis {
    pub(crate) fn allows(self, action: Action) -> bool {
        match self {
            Basis::Nothing => false,
            Basis::Public | Basis::Share { .. } => action == Action::Pull,
            Basis::Level(level) => match action {
                Action::Pull => true,
                Action::Push | Action::DeleteTag => level >= Level::Edit,
                Action::Delete | Action::Manage => level >= Level::Manage,
            },
        }
    }

    pub(crate) fn verbs(self) -> Verbs {
        match self {
            Basis::Nothing => Verbs::NONE,
            Basis::Public | Basis::Share { .. } | Basis::Level(Level::Read) => Verbs::PULL,
            Basis::Level(Level::Edit) => Verbs::PULL | Verbs::PUSH | Verbs::DELETE,
            Basis::Level(Level::Manage) => Verbs::ALL,
        }
    }

    pub(crate) fn share(self) -> Option<ShareId> {
        match self {
            Basis::Share { id, .. } => Some(id),
            _ => None,
        }
    }

    /// What of the content it reaches.
    pub(crate) fn scope(self) -> ContentScope {
        match self {
            Basis::Share { scope, .. } => scope,
            _ => ContentScope::All,
        }
    }

    pub(crate) fn deadline(self) -> Option<Timestamp> {
        match self {
            Basis::Share { deadline, .. } => deadline,
            _ => None,
        }
    }
}

/// A namespace, as it was found under its name.
#[derive(Debug, Clone)]
pub(crate) struct FoundNamespace {
    pub(crate) id: NamespaceId,
    pub(crate) record: Versioned<Arc<NamespaceRecord>>,
}

/// How a principal stands to a name.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// `None`: nobody has the namespace.
    pub(crate) namespace: Option<FoundNamespace>,
    /// What the principal may do in all of the namespace, as its owner or a user of its owner.
    pub(crate) namespace_level: Option<Level>,
    /// `None`: no repository has the name.
    pub(crate) repository: Option<Found>,
    /// What its rights on the repository rest on.
    pub(crate) basis: Basis,
}

impl Standing {
    fn nothing() -> Standing {
        Standing { namespace: None, namespace_level: None, repository: None, basis: Basis::Nothing }
    }

    /// Whether a push by the principal may bring a repository into being.
    pub(crate) fn may_create(&self) -> bool {
        self.repository.is_none() && self.namespace_level.is_some_and(|level| level >= Level::Edit)
    }
}

/// The rights on a repository that its records give; pure.
pub(crate) fn basis(
    subject: Option<&Subject>,
    found: &Found,
    level: Option<Level>,
    share: Option<&(ShareId, Arc<ShareRecord>)>,
    now: Timestamp,
) -> Basis {
    let life = &found.life.value;
    if found.owner.closed {
        return Basis::Nothing;
    }
    if let Some(level) = own_level(subject, life.owner, level) {
        return Basis::Level(level);
    }
    if life.visibility == Visibility::Public {
        return Basis::Public;
    }
    match (subject, share) {
        (Some(subject), Some((id, share)))
            if share.grantee == subject.account && share.opens(found.id, life, now) =>
        {
            Basis::Share { id: *id, deadline: share.deadline, scope: share.scope() }
        }
        _ => Basis::Nothing,
    }
}

/// The account itself manages what it owns; its user has the level it was given; nobody else has one.
fn own_level(subject: Option<&Subject>, owner: AccountId, level: Option<Level>) -> Option<Level> {
    let subject = subject.filter(|subject| subject.account == owner)?;
    if subject.user.is_none() { Some(Level::Manage) } else { level }
}

impl Auth {
    /// How `principal` stands to `name`. Three reads one after the other, four when a share counts.
    pub(crate) async fn standing(
        &self,
        principal: &Principal,
        name: &RepositoryName,
        now: Timestamp,
    ) -> Result<Standing, kv::Error> {
        let subject = principal.subject.as_deref();
        let name_key = Key::NamespaceName { name: name.namespace() };
        let held = self.store().get::<NameRecord>(name_key).await?.and_then(|record| record.value.held());
        let Some(namespace) = held.map(NamespaceId::from) else { return Ok(Standing::nothing()) };

        let namespace_key = Key::Namespace { namespace: namespace.raw() };
        let repository_key = Key::RepositoryName { namespace: namespace.raw(), path: name.path() };
        let mut keys = vec![namespace_key, repository_key];
        keys.extend(principal.user().map(|user| on_namespace_key(user, namespace)));
        let mut entries = self.store().get_many(&keys).await?.into_iter();
        let Some(record) = entries.next().flatten() else { return Ok(Standing::nothing()) };
        let record = decode_shared::<NamespaceRecord>(namespace_key, &record)?;
        let repository = entries.next().flatten();
        let repository = repository.map(|entry| decode::<NameRecord>(repository_key, &entry)).transpose()?;
        let level = level(entries.next().flatten().as_ref())?;
        let namespace_level = own_level(subject, record.value.account, level);
        let found = match repository.and_then(|record| record.value.held()) {
            Some(id) => {
                let owner = record.value.account;
                self.rights_on(principal, id.into(), owner, namespace_level, now).await?
            }
            None => None,
        };
        let (repository, basis) = found.map_or((None, Basis::Nothing), |(found, basis)| (Some(found), basis));
        let namespace = Some(FoundNamespace { id: namespace, record });
        Ok(Standing { namespace, namespace_level, repository, basis })
    }

    /// A repository by its id, and what `principal`'s rights on it rest on.
    pub(crate) async fn rights_by_id(
        &self,
        principal: &Principal,
        repository: RepositoryId,
        now: Timestamp,
    ) -> Result<Option<(Found, Basis)>, kv::Error> {
        let Some(life) = self.store().get::<RepositoryLife>(life_key(repository)).await? else {
            return Ok(None);
        };
        let permission = match principal.user() {
            Some(user) => self.store().get_bytes(on_namespace_key(user, life.value.namespace)).await?,
            None => None,
        };
        self.rights_on(principal, repository, life.value.owner, level(permission.as_ref())?, now).await
    }

    /// The same, when its owner and the level on its namespace are known: one read, two when a share counts.
    async fn rights_on(
        &self,
        principal: &Principal,
        repository: RepositoryId,
        owner: AccountId,
        namespace_level: Option<Level>,
        now: Timestamp,
    ) -> Result<Option<(Found, Basis)>, kv::Error> {
        let owner_key = Key::Account { account: owner.raw() };
        let mut keys = vec![life_key(repository), owner_key];
        let share_of = principal
            .account()
            .map(|account| Key::ShareOf { repository: repository.raw(), grantee: account.raw() });
        keys.extend(share_of);
        let permission =
            |user: UserId| Key::Permission { user: user.raw(), target: on_repository(repository) };
        keys.extend(principal.user().map(permission));
        let mut entries = self.store().get_many(&keys).await?.into_iter();

        let (life, owner) = (entries.next().flatten(), entries.next().flatten());
        let (Some(life), Some(owner)) = (life, owner) else { return Ok(None) };
        let life = decode_shared::<RepositoryLife>(life_key(repository), &life)?;
        let owner = decode_shared::<AccountRecord>(owner_key, &owner)?.value;
        let closed = owner.is_closed();
        let share = match (share_of, entries.next().flatten()) {
            (Some(key), Some(entry)) if principal.account() != Some(life.value.owner) => {
                self.share(decode::<Id>(key, &entry)?.value).await?
            }
            _ => None,
        };
        let level = level(entries.next().flatten().as_ref())?.max(namespace_level);
        let subject = principal.subject.as_deref();
        let found = Found { id: repository, life, owner: FoundOwner { name: owner.name.clone(), closed } };
        let basis = basis(subject, &found, level, share.as_ref(), now);
        Ok(Some((found, basis)))
    }

    async fn share(&self, id: Id) -> Result<Option<(ShareId, Arc<ShareRecord>)>, kv::Error> {
        let key = Key::Share { share: id };
        let Some(entry) = self.store().get_bytes(key).await? else { return Ok(None) };
        Ok(Some((id.into(), decode_shared(key, &entry)?.value)))
    }
}

fn life_key(repository: RepositoryId) -> Key<'static> {
    Key::Repository { repository: repository.raw() }
}

fn on_namespace_key(user: UserId, namespace: NamespaceId) -> Key<'static> {
    Key::Permission { user: user.raw(), target: on_namespace(namespace) }
}

fn level(permission: Option<&Entry>) -> Result<Option<Level>, kv::Error> {
    // The key is only for the text of an error.
    let key = Key::Permission { user: Id::MIN, target: kv::Target::Namespace(Id::MIN) };
    Ok(permission
        .map(|entry| decode::<PermissionRecord>(key, entry))
        .transpose()?
        .map(|record| record.value.level))
}
