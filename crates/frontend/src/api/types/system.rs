//! How the server does, for its administrators.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the server does.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "version": "0.1.0", "region": "local", "started_at": "2026-11-24T20:15:00Z", "uptime_seconds": 86400,
    "health": {"metadata": "ok", "files": "ok", "upkeep": "ok"},
    "storage": {
        "free_bytes": 53687091200_u64, "total_bytes": 107374182400_u64, "reserve_bytes": 1073741824_u64, "blobs": 1200,
        "blob_bytes": 5368709120_u64, "candidates": 0
    },
    "upkeep": {
        "running_since": null, "next_at": "2026-11-25T20:15:00Z",
        "last_round": {
            "began_at": "2026-11-25T20:14:29Z", "ended_at": "2026-11-25T20:14:30Z",
            "removed": {"blobs": 3, "bytes": 104857600, "uploads": 1, "repositories": 0}, "failures": []
        },
        "removed_since_start": {"blobs": 70, "bytes": 2147483648_u64, "uploads": 12, "repositories": 2},
        "last_failure": null
    }
}))]
pub struct System {
    /// The program's version.
    pub version: String,
    /// The server's region.
    pub region: String,
    /// Since when this process runs.
    #[schema(value_type = String, format = DateTime)]
    pub started_at: Timestamp,
    /// For how long, in seconds.
    pub uptime_seconds: u64,
    /// Whether its parts work.
    pub health: SystemHealth,
    /// Where blobs lie.
    pub storage: SystemStorage,
    /// What is cleaned up in the background.
    pub upkeep: Upkeep,
}

/// Whether the parts of a server work.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SystemHealth {
    /// Who owns what, and where it lies.
    pub metadata: MetadataHealth,
    /// The files of blobs.
    pub files: FilesHealth,
    /// What is done in the background.
    pub upkeep: UpkeepHealth,
}

/// How the metadata does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MetadataHealth {
    /// It answers.
    Ok,
    /// It does not; the log says why.
    Failed,
}

/// How the files of blobs do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FilesHealth {
    /// They can be written.
    Ok,
    /// No more is free than the reserve: pushes are refused.
    Full,
    /// The disk is mounted to be read only, or holds no more files: pushes are refused.
    ReadOnly,
    /// The disk does not answer; the log says why.
    Failed,
}

/// How the upkeep does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpkeepHealth {
    /// Nothing failed in its last round.
    Ok,
    /// Something failed in its last round, and is tried again in the next one.
    Failed,
    /// It broke off, and starts with the server again; the log says why.
    Stopped,
}

/// Where blobs lie.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SystemStorage {
    /// What is free on the disk; `null` where nobody knows.
    #[schema(required = true)]
    pub free_bytes: Option<u64>,
    /// How large the disk is; `null` where nobody knows.
    #[schema(required = true)]
    pub total_bytes: Option<u64>,
    /// What must stay free: pushes that would use it are refused.
    pub reserve_bytes: u64,
    /// Blobs stored, each once for all repositories; `null` while the metadata does not answer.
    #[schema(required = true)]
    pub blobs: Option<u64>,
    /// Their bytes; `null` as with `blobs`.
    #[schema(required = true)]
    pub blob_bytes: Option<u64>,
    /// Blobs that may have lost their last link and wait to be looked at, counted up to 1000; `null` as with `blobs`.
    #[schema(required = true)]
    pub candidates: Option<u64>,
}

/// What is cleaned up in the background, since this process runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Upkeep {
    /// When the round began that goes on now; `null`: none does.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub running_since: Option<Timestamp>,
    /// When the next round begins; `null` while one goes on.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub next_at: Option<Timestamp>,
    /// The last round that ended; `null`: none has.
    #[schema(required = true)]
    pub last_round: Option<UpkeepRound>,
    /// What all rounds removed that ended.
    pub removed_since_start: Removed,
    /// What failed last, in whatever round; `null`: nothing has.
    #[schema(required = true)]
    pub last_failure: Option<UpkeepFailure>,
}

/// A round of the upkeep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpkeepRound {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    pub began_at: Timestamp,
    /// When it ended.
    #[schema(value_type = String, format = DateTime)]
    pub ended_at: Timestamp,
    /// What it removed.
    pub removed: Removed,
    /// What failed: at most one of each chore.
    pub failures: Vec<UpkeepFailure>,
}

/// What the upkeep removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Removed {
    /// Blobs that nothing linked any more.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Uploads that nobody finished.
    pub uploads: u64,
    /// Deleted repositories of which nothing is left.
    pub repositories: u64,
}

impl std::ops::AddAssign for Removed {
    fn add_assign(&mut self, other: Removed) {
        self.blobs = self.blobs.saturating_add(other.blobs);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.uploads = self.uploads.saturating_add(other.uploads);
        self.repositories = self.repositories.saturating_add(other.repositories);
    }
}

/// Something that the upkeep could not do. It is tried again in the next round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UpkeepFailure {
    /// When it failed.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What was to be done.
    pub chore: UpkeepChore,
    /// Why it was not.
    pub reason: String,
}

/// What the upkeep does, in this order: each leaves work for the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpkeepChore {
    /// Ends uploads whose time is over.
    Uploads,
    /// Empties repositories that were deleted, and removes the bytes of what was broken off.
    Reap,
    /// Removes blobs that lost their last link.
    Collect,
    /// Forgets events that are too old.
    Events,
    /// Forgets usage of shares that is too old, or of shares that are gone.
    Usage,
    /// Forgets signatures that are too old to be sent again.
    Signatures,
}

impl UpkeepChore {
    /// All of them, in order.
    pub const ALL: [UpkeepChore; 6] = [
        UpkeepChore::Uploads,
        UpkeepChore::Reap,
        UpkeepChore::Collect,
        UpkeepChore::Events,
        UpkeepChore::Usage,
        UpkeepChore::Signatures,
    ];
}
