//! Shapes of sharing: one share, many at once, and the owners that an account blocks.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ShareUse;

/// Whether a share opens anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShareStatus {
    /// The grantee may pull.
    Open,
    /// Its deadline has passed.
    Ended,
}

/// A share: a private repository, opened for another account, to pull only.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": 7382910564738291_u64, "repository": "team-a/web", "owner": "acme", "account": "globex",
    "permission": "pull", "deadline": "2027-01-31T23:59:59Z", "tags": ["v1.*"], "description": "for the pilot",
    "status": "open", "notice_before_seconds": 259200, "created_by": "dev@acme",
    "created_at": "2026-11-24T20:15:00Z", "updated_at": "2026-11-24T20:15:00Z", "region": "main",
    "owner_sees_pulls": true
}))]
pub struct Share {
    /// Its immutable number.
    pub id: u64,
    /// The repository's full name.
    pub repository: String,
    /// The owning account.
    pub owner: String,
    /// The account it is shared with.
    pub account: String,
    /// Always `pull`.
    pub permission: String,
    /// From this instant on it is closed; `null`: permanent.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub deadline: Option<Timestamp>,
    /// The patterns of the tags that it opens, with what they reach; `null`: all of the repository. What refers to what they
    /// name (a signature, what refers to that, and so on) is followed eight levels deep, what they name being the first.
    #[schema(required = true)]
    pub tags: Option<Vec<String>>,
    /// What the owner says of it.
    pub description: String,
    /// Whether it opens anything now.
    pub status: ShareStatus,
    /// How long before its deadline notice of that is given, in seconds; 0: none is.
    pub notice_before_seconds: u64,
    /// The sign-in name of who made it. The account that it is shared with sees it, too.
    pub created_by: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// The server's region.
    pub region: String,
    /// All that was used under it; only for who manages the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<ShareUse>,
    /// Always `true`: the owner sees who pulls by the share, when, from where and how much.
    pub owner_sees_pulls: bool,
}

/// The making of a share: either `until` or `permanent`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "account": "globex", "until": "2027-01-31T23:59:59Z", "description": "for the pilot"
}))]
#[serde(deny_unknown_fields)]
pub struct NewShare {
    /// The account to share with.
    pub account: String,
    /// RFC 3339 with an offset, in the future.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// `true`: without a deadline. `false` is as good as absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permanent: Option<bool>,
    /// Only the tags that one of these patterns matches as a whole, as they are at each pull: `*` is any run of characters,
    /// `?` is one. With them go the manifests that they name, whatever descends from those, and what refers to it, eight
    /// levels deep, the manifests being the first. At most 8 patterns a repository, over all its shares, ended ones included until they are revoked. A
    /// write that would change what they reach in more than 20,000 places at once is refused (`limit_reached`; by the
    /// registry with 403) until those shares are revoked. Absent: all of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// 0–1000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How long before its deadline notice of that is given, in seconds; 0: none is; absent: as the registry is set. One
    /// that is made with less time than that gets none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_before_seconds: Option<u64>,
    /// Must be the server's, when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// A change of a share; what is absent stays. At most one of `until` and `permanent`, and of `tags` and `all_tags`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"permanent": true}))]
#[serde(deny_unknown_fields)]
pub struct ShareChange {
    /// RFC 3339 with an offset, in the future.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// `true`: without a deadline. `false` is as good as absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permanent: Option<bool>,
    /// Only the tags that one of these patterns matches from now on; at most 8 patterns a repository, as when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// `true`: all of the repository from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_tags: Option<bool>,
    /// 0–1000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How long before its deadline notice of that is given, in seconds; 0: none is, which is all that a permanent share
    /// takes. When less time than that is left already, notice is given only if the deadline is changed too, and at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_before_seconds: Option<u64>,
}

/// The making of many shares at once, each of the repositories with each of the accounts: either `until` or
/// `permanent`, for all of them.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "repositories": ["team-a/web"], "accounts": ["globex", "initech"], "until": "2027-01-31T23:59:59Z",
    "description": "for the pilot"
}))]
#[serde(deny_unknown_fields)]
pub struct NewShares {
    /// Full names of the repositories, each once.
    pub repositories: Vec<String>,
    /// The accounts to share with, each once.
    pub accounts: Vec<String>,
    /// RFC 3339 with an offset, in the future.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// `true`: without a deadline. `false` is as good as absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permanent: Option<bool>,
    /// Only the tags that one of these patterns matches as a whole, as one share has it; absent: all of each repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Vec<String>>,
    /// 0–1000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How long before the deadline notice of it is given, in seconds; 0: none is; absent: as the registry is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_before_seconds: Option<u64>,
    /// Must be the server's, when given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// Which of several shares cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"index": 1, "repository": "team-a/web", "account": "initech"}))]
pub struct ShareEntry {
    /// Its place, from 0 on: the accounts of the first repository, then those of the next.
    pub index: u64,
    /// The repository.
    pub repository: String,
    /// The account.
    pub account: String,
}

/// An owner from which your account takes no shares.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"account": "acme", "since": "2026-11-24T20:15:00Z"}))]
pub struct BlockedOwner {
    /// Its name.
    pub account: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
}

/// The blocking of an owner.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"account": "acme"}))]
#[serde(deny_unknown_fields)]
pub struct NewBlockedOwner {
    /// Its name.
    pub account: String,
}
