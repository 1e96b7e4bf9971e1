//! Every record that this crate keeps in the store, with the key it lies at. Fields may be added, with a default;
//! none may change its meaning. What guards an invariant is said at the record that does.

use std::collections::BTreeMap;

use jiff::Timestamp;
use kv::{Id, Target};
use oci::{NamespaceName, RepositoryName, TagPattern};
use serde::{Deserialize, Serialize};

use crate::narrowing::BoundPattern;
use crate::{
    AccessKeyId, AccountId, AccountName, Actor, Category, ContentScope, Description, Error, NamespaceId,
    PatternId, PrincipalId, RepositoryId, Sealed, ShareId, TokenId, UserId, UserName,
};

/// A password's hash in the PHC string format.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(pub(crate) String);

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash(redacted)")
    }
}

/// What an account or a user signs in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Nobody signs in by password when there is none.
    #[serde(default)]
    pub password: Option<PasswordHash>,
    /// Raised by every change of the credential. Whatever was issued binds it, and is dead under another one.
    pub version: u64,
}

/// `Key::Account`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRecord {
    /// Its name.
    pub name: AccountName,
    /// Whether it manages accounts and their users.
    #[serde(default)]
    pub administrator: bool,
    /// Whether this region's administrators closed it: see [`AccountRecord::is_closed`].
    #[serde(default)]
    pub disabled: bool,
    /// Its password.
    pub credential: Credential,
    /// Where it is managed, when that is another region's server; `None`: here.
    #[serde(default)]
    pub home: Option<Home>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl AccountRecord {
    /// Whether it is closed, here or at its home. A closed account opens nothing, nor do its users; and what it owns is
    /// open to nobody, shared or public.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.disabled || self.home.as_ref().is_some_and(|home| home.disabled)
    }

    /// That it, its users and their credentials are managed here.
    ///
    /// # Errors
    /// [`Error::OtherHome`].
    pub(crate) fn at_home(&self) -> Result<(), Error> {
        match &self.home {
            Some(home) => Err(Error::OtherHome { home: home.region.clone() }),
            None => Ok(()),
        }
    }
}

/// Where an account that was imported is managed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Home {
    /// The region.
    pub region: String,
    /// Whether it is disabled there, or gone.
    pub disabled: bool,
}

/// `Key::DirectoryImport`: which state of another region's accounts was taken over last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ImportRecord {
    /// When it was exported.
    pub(crate) exported_at: Timestamp,
}

/// `Key::User`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRecord {
    /// Its name within the account.
    pub name: UserName,
    /// A disabled user opens nothing.
    #[serde(default)]
    pub disabled: bool,
    /// Its password.
    pub credential: Credential,
    /// When it was made.
    pub created_at: Timestamp,
}

/// `Key::AccountName`, `Key::NamespaceName`, `Key::UserName`, `Key::RepositoryName`: what a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameRecord {
    /// Something that exists.
    Held(Id),
    /// Something deleted. Until `until` nobody but `former` may take the name: nobody shall serve images, or be shared
    /// with, under a stranger's old name. (Accounts and namespaces only.)
    Reserved {
        /// From this instant on anybody may take it.
        until: Timestamp,
        /// The account that held it, for a namespace.
        #[serde(default)]
        former: Option<AccountId>,
    },
}

impl NameRecord {
    /// The id of what exists under the name.
    #[must_use]
    pub fn held(self) -> Option<Id> {
        match self {
            NameRecord::Held(id) => Some(id),
            NameRecord::Reserved { .. } => None,
        }
    }
}

/// `Key::Namespace`. Guard: the creation of a repository expects its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceRecord {
    /// Its name.
    pub name: NamespaceName,
    /// The owning account.
    pub account: AccountId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Raised by each deletion of a repository in it. What an access token grants for a name that no repository had
    /// binds the epoch, and holds for the repository of the name that was made in the same one: the first.
    #[serde(default)]
    pub names_epoch: u64,
}

/// Who may pull a repository without being named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Nobody.
    #[default]
    Private,
    /// Everybody, without signing in too.
    Public,
}

/// `Key::Repository`: the life record. Guard: whatever writes into the repository, shares it, or changes its
/// visibility expects its version; its deletion removes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryLife {
    /// Its name.
    pub name: RepositoryName,
    /// The namespace it lies in.
    pub namespace: NamespaceId,
    /// The owning account: the namespace's.
    pub owner: AccountId,
    /// Who may pull it.
    pub visibility: Visibility,
    /// Raised when it becomes public. A share binds the epoch in which it was made, and is dead in another one.
    pub sharing_epoch: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its namespace's `names_epoch` when it was made.
    #[serde(default)]
    pub names_epoch: u64,
}

/// `Key::RepositoryDetails`: what guards nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryDetails {
    /// What its owner says of it.
    #[serde(default)]
    pub description: Description,
    /// How its owner sorts it.
    #[serde(default)]
    pub category: Category,
}

/// `Key::Reap`: a repository that was deleted, and is still to be emptied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReapRecord {
    /// Its life record, as it last was.
    pub life: RepositoryLife,
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// By whom; `None` in records of before this was kept.
    #[serde(default)]
    pub deleted_by: Option<Actor>,
}

/// What a user may do. Each level includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Pull.
    Read,
    /// Pull, push, delete tags.
    Edit,
    /// Edit, and delete, share, set permissions and visibility.
    Manage,
}

/// `Key::Permission` and its reverse, `Key::PermissionOn`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionRecord {
    /// What the user may do.
    pub level: Level,
    /// When it was set.
    pub set_at: Timestamp,
}

/// `Key::Share`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareRecord {
    /// What is shared.
    pub repository: RepositoryId,
    /// The repository's `sharing_epoch` when the share was made.
    pub epoch: u64,
    /// The account that shares.
    pub owner: AccountId,
    /// The account that it is shared with.
    pub grantee: AccountId,
    /// From this instant on the share is closed; `None`: permanent.
    pub deadline: Option<Timestamp>,
    /// The patterns of the tags that it is narrowed to; `None`: to nothing. Each stands in the [`SharedTagsRecord`], as
    /// long as the share does, ended or not.
    #[serde(default)]
    pub tags: Option<Vec<BoundTags>>,
    /// What the owner says of it.
    #[serde(default)]
    pub description: Description,
    /// The sign-in name of who made it.
    pub created_by: String,
    /// Who made it; `None` in records of before this was kept.
    #[serde(default)]
    pub creator: Option<PrincipalId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// How long before its deadline notice of that is given; 0: none is.
    #[serde(default)]
    pub notice_before_seconds: u64,
}

impl ShareRecord {
    /// Whether it is a share of `repository`, whose life is `life`, ended or not: what was shared before the
    /// repository was public is shared no more.
    #[must_use]
    pub fn is_of(&self, repository: RepositoryId, life: &RepositoryLife) -> bool {
        let bound =
            self.repository == repository && self.owner == life.owner && self.epoch == life.sharing_epoch;
        bound && life.visibility == Visibility::Private
    }

    /// Whether it opens `repository`, whose life is `life`, at `now`.
    #[must_use]
    pub fn opens(&self, repository: RepositoryId, life: &RepositoryLife, now: Timestamp) -> bool {
        self.is_of(repository, life) && self.deadline.is_none_or(|deadline| now < deadline)
    }

    /// What of the repository's content it opens.
    #[must_use]
    pub fn scope(&self) -> ContentScope {
        match &self.tags {
            None => ContentScope::All,
            Some(tags) => ContentScope::Tags(tags.iter().map(|tags| tags.id).collect()),
        }
    }
}

/// A pattern of tags in a [`ShareRecord`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundTags {
    /// The pattern, as it is shown.
    pub pattern: TagPattern,
    /// That in the [`SharedTagsRecord`], under which lies what it reaches.
    pub id: PatternId,
}

/// `Key::SharedTags`: the patterns of tags by which a repository is shared; absent while there is none. Guard: a write of
/// the repository's tags or manifests expects it, present or not, and writes it anew where it is present, in the commit
/// that counts what the patterns reach by then. So one such write comes after the other, and a scan of what they write
/// holds until the commit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedTagsRecord {
    /// At most [`crate::SHARED_PATTERNS_MAX`].
    pub patterns: Vec<SharedPattern>,
}

/// A pattern in the [`SharedTagsRecord`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedPattern {
    /// Under which lies what it reaches.
    pub id: PatternId,
    /// The pattern.
    pub pattern: TagPattern,
    /// How many shares use it, ended ones among them. None: it is being built for one, or that came to nothing.
    pub shares: u32,
    /// How far what it reaches has been counted.
    pub state: PatternState,
}

/// How far what a pattern reaches has been counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatternState {
    /// From the tags up to this one, in byte order; none yet, when it is empty.
    Building {
        /// The last tag that was looked at.
        after: String,
    },
    /// From all of them.
    Ready,
}

impl SharedPattern {
    /// Whether what `tag` names is counted: whoever changes that tag counts the change.
    #[must_use]
    pub fn counts(&self, tag: &str) -> bool {
        let seen = match &self.state {
            PatternState::Building { after } => tag <= after.as_str(),
            PatternState::Ready => true,
        };
        seen && self.pattern.matches(tag)
    }
}

/// `Key::Reap`, under the pattern's id: what a pattern reached, to be emptied once nobody uses it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatternReap {
    /// The repository of the pattern.
    pub repository: RepositoryId,
    /// Not before this instant: until then it may still be built for a share.
    pub due_at: Timestamp,
}

/// `Key::ShareGuard`: the shares of a repository that are open, with their ends. Guard: whatever opens, closes or
/// moves the end of a share expects it and writes it anew, so that the bound on open shares holds. It goes when the
/// repository becomes public.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShareGuardRecord {
    /// Those that are open, and some that ended since it was last written.
    pub(crate) open: Vec<OpenShare>,
}

/// `Key::BlockedOwners`: the names of those from whom an account takes no shares, and since when. Guard: the creation of a
/// share with the account expects its version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlockedOwnersRecord {
    /// The names.
    pub(crate) owners: BTreeMap<AccountName, Timestamp>,
}

/// A share in the [`ShareGuardRecord`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OpenShare {
    /// The share.
    pub(crate) share: ShareId,
    /// Its deadline; `None`: permanent.
    #[serde(default)]
    pub(crate) until: Option<Timestamp>,
}

/// `Key::PersonalToken`. The secret is nowhere; its SHA-256 is the key of [`PersonalTokenPlace`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalTokenRecord {
    /// What it is for.
    #[serde(default)]
    pub description: Description,
    /// What it is narrowed to; `None`: nothing.
    #[serde(default)]
    pub scope: Option<Vec<BoundPattern>>,
    /// The credential version of its owner when it was made: it is dead under another one.
    pub credential_version: u64,
    /// The SHA-256 of the secret: where its [`PersonalTokenPlace`] lies, for the revocation.
    pub hash: [u8; 32],
    /// The personal token it was made with. Whoever revokes that one revokes this one too.
    #[serde(default)]
    pub made_with: Option<TokenId>,
    /// The access key that it was made with, perhaps by way of another token: it opens nothing while that one does not.
    #[serde(default)]
    pub access_key: Option<AccessKeyId>,
    /// Whether it is a temporary login for docker, for the registry protocol alone: it manages nothing.
    #[serde(default)]
    pub registry_only: bool,
    /// The region that it was made in, and that it is good in alone. (Those without were made before there was a second.)
    #[serde(default)]
    pub region: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From this instant on it opens nothing.
    pub expires_at: Timestamp,
}

/// `Key::PersonalTokenHash`: where the token's record lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonalTokenPlace {
    /// The account.
    pub account: AccountId,
    /// Its user, if the token is a user's.
    pub user: Option<UserId>,
    /// The token.
    pub token: TokenId,
}

impl PersonalTokenPlace {
    /// Whose it is.
    pub(crate) fn holder(&self) -> PrincipalId {
        PrincipalId { account: self.account, user: self.user }
    }

    /// The record's key.
    #[must_use]
    pub fn key(&self) -> kv::Key<'static> {
        let user = self.holder().user_field();
        kv::Key::PersonalToken { account: self.account.raw(), user, token: self.token.raw() }
    }
}

/// `Key::AccessKey`, by its public half. `Key::AccessKeyOf` lists those of a holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessKeyRecord {
    /// Whose it is.
    pub holder: PrincipalId,
    /// The secret half, bound to the holder and the public half.
    pub sealed: Sealed,
    /// A disabled one opens nothing.
    #[serde(default)]
    pub disabled: bool,
    /// What it is for.
    #[serde(default)]
    pub description: Description,
    /// The personal token it was made with. Whoever revokes that one with all that it made removes this one too.
    #[serde(default)]
    pub made_with: Option<TokenId>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// `Key::UnknownNames`: how many accounts that do not exist an account named, in the hour from `since`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnknownNames {
    /// The hour's beginning.
    pub since: Timestamp,
    /// How many.
    pub count: u32,
}

/// The target of a permission on `namespace`.
#[must_use]
pub(crate) fn on_namespace(namespace: NamespaceId) -> Target {
    Target::Namespace(namespace.raw())
}

/// The target of a permission on `repository`.
#[must_use]
pub(crate) fn on_repository(repository: RepositoryId) -> Target {
    Target::Repository(repository.raw())
}
