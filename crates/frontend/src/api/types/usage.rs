//! What was used under a share.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// All that was used under a share.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"last_used_at": "2026-11-25T08:30:00Z", "pulls": 12, "bytes": 104857600}))]
pub struct ShareUse {
    /// When it was last used; `null`: never.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub last_used_at: Option<Timestamp>,
    /// Manifests that were asked for with GET.
    pub pulls: u64,
    /// Bytes of manifests and blobs that were sent.
    pub bytes: u64,
}

/// What was used under a share, and by whom, from where, day by day.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ShareUsage {
    /// All of it, whatever days are asked for.
    #[serde(flatten)]
    pub total: ShareUse,
    /// The days that were asked for.
    pub items: Vec<UsageOfDay>,
    /// What to give as `after` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What was used under a share on one day by one user from one address.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "day": "2026-11-25", "user": "ci@globex", "user_id": 1029384756102938_u64, "address": "192.0.2.7", "pulls": 12,
    "bytes": 104857600
}))]
pub struct UsageOfDay {
    /// The day, in UTC.
    pub day: String,
    /// Who signed in: a user, or the account itself; `null` for a user that was deleted.
    #[schema(required = true)]
    pub user: Option<String>,
    /// The user's immutable number; absent for the account itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<u64>,
    /// The IP address; `unknown` where a proxy did not tell it, `others` for what is beyond a thousand of a day.
    pub address: String,
    /// Manifests that were asked for with GET.
    pub pulls: u64,
    /// Bytes of manifests and blobs that were sent.
    pub bytes: u64,
}
