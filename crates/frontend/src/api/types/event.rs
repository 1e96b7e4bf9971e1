//! What happened, as the audit trail shows it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How something in the audit trail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventResult {
    /// It was done.
    Ok,
    /// It was refused.
    Denied,
    /// It was not done for another reason.
    Failed,
}

/// An event of the audit trail.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": "0000019a4b1c2d3e00123456789abc", "at": "2026-11-24T20:15:00.25Z", "kind": "manifest_pulled", "result": "ok",
    "actor": "ci@globex", "address": "192.0.2.7", "subject": "team-a/web",
    "detail": "v1 sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "count": 3
}))]
pub struct Event {
    /// What tells it from others.
    pub id: String,
    /// When it happened; of several, the first.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What happened: one of the kinds that the introduction lists.
    pub kind: String,
    /// How it ended.
    pub result: EventResult,
    /// Who did it: the name at that time.
    pub actor: String,
    /// The IP address that it came from; `null` where that is not known.
    #[schema(required = true)]
    pub address: Option<String>,
    /// What it was done to.
    pub subject: String,
    /// What else there is to know: a level, a grantee, a digest.
    pub detail: String,
    /// How often it happened within a minute from `at`.
    pub count: u64,
}
