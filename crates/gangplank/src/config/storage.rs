//! Where images lie, and how much of what is accepted.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Impossible, duration};

/// `[storage]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Storage {
    /// The folder of everything that is kept: metadata, blobs, signing keys.
    pub data: PathBuf,
    /// For how long after its last request an upload may be resumed.
    #[serde(with = "duration")]
    pub upload_ttl: Duration,
    /// For how long a blob that no manifest names stays linked in its repository.
    #[serde(with = "duration")]
    pub link_grace: Duration,
    /// How long places of broken-off requests wait before they are removed.
    #[serde(with = "duration")]
    pub discard_delay: Duration,
    /// The greatest manifest.
    pub manifest_bytes_max: usize,
    /// The memory that pushed manifests above 64 KiB may take at once, an account's a quarter of it; more of them wait.
    pub manifest_memory_bytes_max: usize,
    /// The greatest blob.
    pub blob_bytes_max: u64,
    /// The most uploads that an account may have open.
    pub uploads_per_account_max: u32,
    /// The most requests that may bring bytes to one upload.
    pub segments_per_upload_max: usize,
    /// How many bytes they must bring on average once there were 100.
    pub segment_bytes_min: u64,
    /// After how many bytes a running upload is synced and its offset saved.
    pub checkpoint_bytes: u64,
    /// What must stay free where the bytes lie.
    pub free_bytes_min: u64,
    /// Whether an image may be pushed before its blobs.
    pub sparse_images: bool,
    /// The most tags that one push may set.
    pub tags_per_push_max: usize,
}

impl Default for Storage {
    fn default() -> Storage {
        let settings = ::storage::Settings::default();
        Storage {
            data: PathBuf::from("data"),
            upload_ttl: settings.upload_ttl,
            link_grace: settings.link_grace,
            discard_delay: settings.discard_delay,
            manifest_bytes_max: settings.manifest_bytes_max,
            manifest_memory_bytes_max: settings.manifest_memory_bytes_max,
            blob_bytes_max: settings.blob_bytes_max,
            uploads_per_account_max: settings.uploads_per_account_max,
            segments_per_upload_max: settings.segments_per_upload_max,
            segment_bytes_min: settings.segment_bytes_min,
            checkpoint_bytes: settings.checkpoint_bytes,
            free_bytes_min: settings.free_bytes_min,
            sparse_images: settings.sparse_images,
            tags_per_push_max: settings.tags_per_push_max,
        }
    }
}

/// What clients may count on (the distribution specification asks for at least that).
const MANIFEST_BYTES_LEAST: usize = 4 << 20;
/// What fits into one value of the store, with its record around it.
const MANIFEST_BYTES_MOST: usize = kv::VALUE_BYTES_MAX - (1 << 20);
/// Sizes are integers of 64 bits with a sign in many clients.
const BLOB_BYTES_MOST: u64 = i64::MAX.unsigned_abs();

impl Storage {
    pub(super) fn check(&self, found: &mut Impossible) {
        found.unless(!self.data.as_os_str().is_empty(), "storage.data", "no folder is named");
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        for (key, duration, least) in [
            ("storage.upload_ttl", self.upload_ttl, Duration::from_secs(60)),
            ("storage.link_grace", self.link_grace, Duration::from_secs(60)),
            ("storage.discard_delay", self.discard_delay, Duration::from_secs(60)),
        ] {
            found.unless(
                duration >= least,
                key,
                "less than a minute would take from clients what they just sent",
            );
            found.unless(duration <= year, key, "more than a year");
        }
        found.outside(
            "storage.manifest_bytes_max",
            self.manifest_bytes_max,
            MANIFEST_BYTES_LEAST,
            MANIFEST_BYTES_MOST,
        );
        found.outside(
            "storage.manifest_memory_bytes_max",
            self.manifest_memory_bytes_max,
            self.manifest_bytes_max.saturating_mul(4),
            1 << 40,
        );
        found.outside("storage.blob_bytes_max", self.blob_bytes_max, 1 << 20, BLOB_BYTES_MOST);
        found.outside("storage.uploads_per_account_max", self.uploads_per_account_max, 1, 1_000_000);
        found.outside("storage.segments_per_upload_max", self.segments_per_upload_max, 1, 100_000);
        found.outside("storage.segment_bytes_min", self.segment_bytes_min, 0, 1 << 30);
        found.outside("storage.checkpoint_bytes", self.checkpoint_bytes, 1 << 20, 1 << 40);
        found.outside("storage.free_bytes_min", self.free_bytes_min, 0, BLOB_BYTES_MOST);
        found.outside("storage.tags_per_push_max", self.tags_per_push_max, 10, 1_000);
    }

    /// The settings of the crate that this is about; what is no operator's business stays as it is there.
    pub(crate) fn settings(&self, batch_entries_max: usize) -> ::storage::Settings {
        ::storage::Settings {
            upload_ttl: self.upload_ttl,
            link_grace: self.link_grace,
            discard_delay: self.discard_delay,
            manifest_bytes_max: self.manifest_bytes_max,
            manifest_memory_bytes_max: self.manifest_memory_bytes_max,
            blob_bytes_max: self.blob_bytes_max,
            uploads_per_account_max: self.uploads_per_account_max,
            segments_per_upload_max: self.segments_per_upload_max,
            segment_bytes_min: self.segment_bytes_min,
            checkpoint_bytes: self.checkpoint_bytes,
            free_bytes_min: self.free_bytes_min,
            sparse_images: self.sparse_images,
            tags_per_push_max: self.tags_per_push_max,
            reap_batch_entries: batch_entries_max,
            ..::storage::Settings::default()
        }
    }
}
