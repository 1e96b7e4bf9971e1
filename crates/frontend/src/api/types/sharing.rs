//! Shapes of sharing beside those of one share: many shares at once, and the owners that an account blocks.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// `true`: without a deadline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permanent: Option<bool>,
    /// Only the tags that one of these patterns matches as a whole; absent: all of each repository.
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
