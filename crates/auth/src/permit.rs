//! Authority as a value: who holds a [`Permit`] was found to hold the right, in the live state, a moment ago. Nothing
//! outside this crate can make one.

use std::sync::Arc;

use jiff::Timestamp;
use oci::RepositoryName;

use crate::records::RepositoryLife;
use crate::{
    AccountId, AccountName, NamespaceId, PatternId, Principal, RepositoryId, SHARED_PATTERNS_MAX, ShareId,
};

/// What may be done with a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Read manifests, blobs, tags and referrers.
    Pull,
    /// Write them.
    Push,
    /// Remove a tag.
    DeleteTag,
    /// Remove a manifest or a blob.
    Delete,
    /// Share it, delete it, set permissions and visibility.
    Manage,
}

/// Which of a repository's content a permit reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentScope {
    /// All of it.
    All,
    /// What is reached through the tags that one of these patterns matches.
    Tags(PatternIds),
}

impl ContentScope {
    /// Whether it reaches whatever `other` reaches, by the patterns' ids alone.
    #[must_use]
    pub fn covers(&self, other: &ContentScope) -> bool {
        match (self, other) {
            (ContentScope::All, _) => true,
            (ContentScope::Tags(_), ContentScope::All) => false,
            (ContentScope::Tags(own), ContentScope::Tags(others)) => others.iter().all(|id| own.contains(id)),
        }
    }
}

/// The patterns of a share, by their ids: few, so that they are carried along.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PatternIds {
    ids: [Option<PatternId>; SHARED_PATTERNS_MAX],
}

impl PatternIds {
    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = PatternId> + '_ {
        self.ids.iter().copied().flatten()
    }

    fn contains(&self, id: PatternId) -> bool {
        self.iter().any(|own| own == id)
    }
}

impl FromIterator<PatternId> for PatternIds {
    /// More than there may be are left out: that opens less, never more.
    fn from_iter<T: IntoIterator<Item = PatternId>>(given: T) -> PatternIds {
        let mut ids = [None; SHARED_PATTERNS_MAX];
        ids.iter_mut().zip(given).for_each(|(place, id)| *place = Some(id));
        PatternIds { ids }
    }
}

impl std::fmt::Debug for PatternIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The share that a permit rests on.
#[derive(Debug, Clone)]
pub(crate) struct PermitShare {
    pub(crate) id: ShareId,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) owner: AccountName,
}

/// The right of one principal to do one thing with one repository, as it stood when the request was authorised.
#[derive(Debug, Clone)]
pub struct Permit {
    pub(crate) principal: Principal,
    pub(crate) repository: RepositoryId,
    pub(crate) namespace: NamespaceId,
    pub(crate) owner: AccountId,
    pub(crate) name: RepositoryName,
    pub(crate) action: Action,
    pub(crate) share: Option<PermitShare>,
    pub(crate) scope: ContentScope,
    pub(crate) not_after: Option<Timestamp>,
    pub(crate) allows_push: bool,
}

impl Permit {
    /// Who holds it.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The repository, by the id that it had when the right was found.
    #[must_use]
    pub fn repository(&self) -> RepositoryId {
        self.repository
    }

    /// The repository's namespace.
    #[must_use]
    pub fn namespace(&self) -> NamespaceId {
        self.namespace
    }

    /// The repository's owner.
    #[must_use]
    pub fn owner(&self) -> AccountId {
        self.owner
    }

    /// The repository's name.
    #[must_use]
    pub fn name(&self) -> &RepositoryName {
        &self.name
    }

    /// What may be done.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    /// The share that it rests on, if it rests on one.
    #[must_use]
    pub fn share(&self) -> Option<ShareId> {
        self.share.as_ref().map(|share| share.id)
    }

    /// When the share that it rests on ends, and who shares; `None` without a share, or one that ends.
    #[must_use]
    pub fn share_end(&self) -> Option<(Timestamp, &AccountName)> {
        let share = self.share.as_ref()?;
        Some((share.deadline?, &share.owner))
    }

    /// What of the repository's content it reaches.
    #[must_use]
    pub fn scope(&self) -> &ContentScope {
        &self.scope
    }

    /// The instant from which on what it rests on opens nothing: a share's deadline, a personal token's end. The end
    /// of an access token is none: a push outlives it.
    #[must_use]
    pub fn not_after(&self) -> Option<Timestamp> {
        self.not_after
    }

    /// Whether the principal might push here as well, whatever [`Permit::action`] says: a look at a blob by somebody
    /// who may push keeps it from collection.
    #[must_use]
    pub fn allows_push(&self) -> bool {
        self.allows_push
    }
}

/// The right to push into a name that no repository has yet.
#[derive(Debug, Clone)]
pub struct Vacancy {
    pub(crate) principal: Principal,
    pub(crate) name: RepositoryName,
    pub(crate) namespace: NamespaceId,
}

impl Vacancy {
    /// Who holds it.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &RepositoryName {
        &self.name
    }
}

/// The right to push, before it is known whether there will be something to push into.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "one is made for a request and handed on; none are kept")]
pub enum PushAccess {
    /// The repository exists.
    Existing(Permit),
    /// It comes into being with the first accepted write (see [`crate::Auth::establish`]).
    Vacant(Vacancy),
}

/// A repository, its life record and its owner, as they were found.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) id: RepositoryId,
    pub(crate) life: kv::Versioned<Arc<RepositoryLife>>,
    pub(crate) owner: FoundOwner,
}

/// The account that owns a repository.
#[derive(Debug, Clone)]
pub(crate) struct FoundOwner {
    pub(crate) name: AccountName,
    /// What a closed account owns is opened to nobody, by whatever right.
    pub(crate) closed: bool,
}
