//! The JSON shapes of `/api/v1`, shared with the command line. Times are RFC 3339 in UTC; lists are pages in the order of
//! their key (a name, or an id), with `next` present while there is more.

mod event;
mod profile;
mod sharing;
mod system;
mod usage;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use event::{Event, EventResult};
pub use profile::{Profile, ProfileChange};
pub use sharing::{
    BlockedOwner, NewBlockedOwner, NewShare, NewShares, Share, ShareChange, ShareEntry, ShareStatus,
};
pub use system::{
    FilesHealth, MetadataHealth, Removed, System, SystemHealth, SystemStorage, Upkeep, UpkeepChore,
    UpkeepFailure, UpkeepHealth, UpkeepRound,
};
pub use usage::{ShareUsage, ShareUse, UsageOfDay};

/// What holds a secret shows none of its fields in a log.
macro_rules! redacted {
    ($($name:ident),+) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )+};
}

mod webhooks;

pub use webhooks::{
    CloudEvent, CloudEventData, CreatedWebhook, Delivery, DeliveryStatus, NewDelivery, NewWebhook, Webhook,
    WebhookChange, WebhookEvent,
};

redacted!(NewAccount, NewUser, CredentialChange, CreatedPersonalToken, CreatedDockerLogin, CreatedAccessKey);

/// A page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// What to give as `after` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Who the credentials stand for.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "name": "dev@acme", "account": "acme", "user": "dev", "administrator": false, "region": "main"
}))]
pub struct WhoAmI {
    /// The name to sign in with: `acme`, or `dev@acme`.
    pub name: String,
    /// The account.
    pub account: String,
    /// The user of the account, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Whether it administers the registry.
    pub administrator: bool,
    /// The server's region.
    pub region: String,
}

/// An account: a tenant that owns namespaces.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": 5162837465018273_u64, "name": "acme", "administrator": false, "disabled": false,
    "created_at": "2026-11-24T20:15:00Z"
}))]
pub struct Account {
    /// Its immutable number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Whether it administers the registry.
    pub administrator: bool,
    /// A disabled account opens nothing.
    pub disabled: bool,
    /// The region whose server manages it, when it was imported from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<String>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// The making of an account.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"name": "acme", "password": "correct horse battery staple"}))]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// 1–64 of `a-z`, `0-9`, `-`; a letter first.
    pub name: String,
    /// At least 8 characters.
    pub password: String,
}

/// A change of an account or a user; what is absent stays.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "password": "a longer one than before", "current_password": "correct horse battery staple"
}))]
#[serde(deny_unknown_fields)]
pub struct CredentialChange {
    /// Closes (or opens) it, at once, for whatever was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// A new password: ends every token issued under the old one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// The old password; needed to change one's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_password: Option<String>,
}

/// A user of an account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": 1029384756102938_u64, "name": "dev", "account": "acme", "login": "dev@acme",
    "disabled": false, "created_at": "2026-11-24T20:15:00Z"
}))]
pub struct User {
    /// Its immutable number.
    pub id: u64,
    /// Its name within the account.
    pub name: String,
    /// The account.
    pub account: String,
    /// The name to sign in with: `dev@acme`.
    pub login: String,
    /// A disabled user opens nothing.
    pub disabled: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// The making of a user.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"name": "dev", "password": "correct horse battery staple"}))]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 1–64 of `a-z`, `0-9`, `.`, `_`, `-`.
    pub name: String,
    /// At least 8 characters; a user without one cannot sign in by password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// A namespace: the first part of its repositories' names.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": 6473829105647382_u64, "name": "team-a", "account": "acme",
    "created_at": "2026-11-24T20:15:00Z"
}))]
pub struct Namespace {
    /// Its immutable number.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The owning account.
    pub account: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// The making of a namespace.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"name": "team-a"}))]
#[serde(deny_unknown_fields)]
pub struct NewNamespace {
    /// 1–64 characters, one part of a repository's name.
    pub name: String,
}

/// Who may pull a repository without being named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Nobody.
    Private,
    /// Everybody, without signing in too.
    Public,
}

/// A repository.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": 2837465910283746_u64, "name": "team-a/web", "account": "acme", "visibility": "private",
    "description": "The shop window.", "created_at": "2026-11-24T20:15:00Z", "manifests": 12,
    "tags": 3, "size_bytes": 104857600
}))]
pub struct Repository {
    /// Its immutable number.
    pub id: u64,
    /// Its full name, `team-a/web`.
    pub name: String,
    /// The owning account.
    pub account: String,
    /// Who may pull it.
    pub visibility: Visibility,
    /// What its owner says of it.
    pub description: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Manifests held; `null` when only some of its tags are shared with you, which are not counted by themselves.
    #[schema(required = true)]
    pub manifests: Option<u64>,
    /// Tags held; `null` as with manifests.
    #[schema(required = true)]
    pub tags: Option<u64>,
    /// Bytes of manifests and blobs, each once; `null` as with manifests.
    #[schema(required = true)]
    pub size_bytes: Option<u64>,
}

/// The making of a repository ahead of its first push.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"name": "team-a/web", "description": "The shop window."}))]
#[serde(deny_unknown_fields)]
pub struct NewRepository {
    /// Its full name.
    pub name: String,
    /// What its owner says of it, 0–1000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A change of a repository; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"visibility": "private"}))]
#[serde(deny_unknown_fields)]
pub struct RepositoryChange {
    /// To `public`: ends every share of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// 0–1000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A tag.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "name": "v1.2",
    "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "media_type": "application/vnd.oci.image.manifest.v1+json", "size_bytes": 52428800,
    "updated_at": "2026-11-24T20:15:00Z"
}))]
pub struct Tag {
    /// Its name.
    pub name: String,
    /// The manifest it names.
    pub digest: String,
    /// That manifest's media type.
    pub media_type: String,
    /// Bytes of that manifest and of the blobs it names itself.
    pub size_bytes: u64,
    /// When the tag was last set.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// What a user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Pull.
    Read,
    /// Pull, push, delete tags.
    Edit,
    /// Edit, and delete, share, set permissions and visibility.
    Manage,
}

/// A user's permission on a namespace or a repository.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"user": "dev", "login": "dev@acme", "level": "edit"}))]
pub struct Permission {
    /// The user's name within the account.
    pub user: String,
    /// The name to sign in with.
    pub login: String,
    /// What it may do.
    pub level: Level,
}

/// The setting of a permission.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"level": "edit"}))]
#[serde(deny_unknown_fields)]
pub struct SetPermission {
    /// What the user may do.
    pub level: Level,
}

/// The making of a personal token for oneself.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "expires_in_seconds": 86400, "description": "nightly build",
    "scope": ["repository:team-a/web:pull,push"]
}))]
#[serde(deny_unknown_fields)]
pub struct NewPersonalToken {
    /// For how long, in seconds.
    pub expires_in_seconds: u64,
    /// What it is for, 0–1000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it is narrowed to, as in a token request: `repository:team-a/web:pull`, `repository:team-a/*:pull,push`.
    /// Absent: all that its owner may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Vec<String>>,
}

/// A personal token, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": 3847291056473829_u64, "description": "nightly build",
    "scope": ["repository:team-a/web:pull,push"], "created_at": "2026-11-24T20:15:00Z",
    "expires_at": "2026-11-25T20:15:00Z"
}))]
pub struct PersonalToken {
    /// Its immutable number.
    pub id: u64,
    /// What it is for.
    pub description: String,
    /// What it is narrowed to; `null`: nothing.
    #[schema(required = true)]
    pub scope: Option<Vec<String>>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// From when on it opens nothing.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// A personal token just made, with its secret: shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedPersonalToken {
    /// The token.
    #[serde(flatten)]
    pub token: PersonalToken,
    /// The name to sign in with.
    pub username: String,
    /// The password to sign in with.
    pub secret: String,
}

/// The making of a temporary docker login for oneself.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"expires_in_seconds": 3600}))]
#[serde(deny_unknown_fields)]
pub struct NewDockerLogin {
    /// For how long, in seconds: 15 minutes to 24 hours.
    pub expires_in_seconds: u64,
}

/// A temporary docker login just made, with its secret: shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedDockerLogin {
    /// The number of the personal token that it is.
    pub id: u64,
    /// The name for `docker login`.
    pub username: String,
    /// The password for `docker login`.
    pub secret: String,
    /// From when on it opens nothing.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// The making of an access key pair for oneself.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"description": "nightly build"}))]
#[serde(deny_unknown_fields)]
pub struct NewAccessKey {
    /// What it is for, 0–1000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// An access key pair, without its secret key.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "access_key": "Q3NZ8KX0B5R1T7WJ2MCD", "holder": "dev@acme", "description": "nightly build", "disabled": false,
    "created_at": "2026-11-24T20:15:00Z"
}))]
pub struct AccessKey {
    /// The public half: 20 capital letters and digits.
    pub access_key: String,
    /// Whose it is, by the name to sign in with.
    pub holder: String,
    /// What it is for.
    pub description: String,
    /// A disabled one opens nothing.
    pub disabled: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// An access key pair just made, with its secret key: shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedAccessKey {
    /// The pair.
    #[serde(flatten)]
    pub key: AccessKey,
    /// The secret half, which requests are signed with.
    pub secret_key: String,
    /// The name for a `docker login` for good: `region@ACCESSKEY`.
    pub docker_username: String,
    /// The password for it: the HMAC-SHA256 of the access key under the secret key, in hexadecimal digits.
    pub docker_password: String,
}

/// A change of an access key pair.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"disabled": true}))]
#[serde(deny_unknown_fields)]
pub struct AccessKeyChange {
    /// Whether it opens nothing from now on.
    pub disabled: bool,
}

/// What an import of a directory did.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "created": 1, "changed": 0, "unchanged": 12, "closed": ["initech"], "deleted": [],
    "conflicts": [{"account": "acme", "reason": "this account exists already"}]
}))]
pub struct DirectoryReport {
    /// Accounts that are new here.
    pub created: usize,
    /// Accounts that were changed.
    pub changed: usize,
    /// Accounts that are as they were.
    pub unchanged: usize,
    /// Accounts that their home has no more: closed here.
    pub closed: Vec<String>,
    /// The same, deleted here.
    pub deleted: Vec<String>,
    /// What was left out.
    pub conflicts: Vec<DirectoryConflict>,
}

/// An account that an import left out.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DirectoryConflict {
    /// Its name.
    pub account: String,
    /// What stands in the way.
    pub reason: String,
}

/// A problem (RFC 9457).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do.
    pub detail: String,
    /// For programs: `exists`, `deadline_past`, …
    pub code: String,
    /// The field of the request that is wrong, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Which of several shares cannot be made, if it is about one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<ShareEntry>,
}
