//! The bounds of storage, each with its unit.

use std::time::Duration;

/// What an operator may set; [`Settings::default`] suits one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// For how long after its last request an upload may be resumed.
    pub upload_ttl: Duration,
    /// For how long a blob that no manifest names stays linked in its repository.
    pub link_grace: Duration,
    /// How long places wait that a broken-off request may still be about to write to. Longer than any request takes
    /// from naming its place to making the file.
    pub discard_delay: Duration,
    /// The greatest manifest.
    pub manifest_bytes_max: usize,
    /// The memory that pushed manifests above 64 KiB may take at once, an account's a quarter of it; more of them wait.
    pub manifest_memory_bytes_max: usize,
    /// The greatest blob.
    pub blob_bytes_max: u64,
    /// The most uploads that an account may have open.
    pub uploads_per_account_max: u32,
    /// The most requests that may bring bytes to one upload: each leaves a segment, and each writes the list of them
    /// anew.
    pub segments_per_upload_max: usize,
    /// How many bytes the segments of an upload must have on average once there are 100 of them, so that the list stays
    /// small beside what it lists.
    pub segment_bytes_min: u64,
    /// After how many bytes a running upload is synced and its offset saved.
    pub checkpoint_bytes: u64,
    /// What must stay free where the bytes lie.
    pub free_bytes_min: u64,
    /// Whether an image may be pushed before its blobs.
    pub sparse_images: bool,
    /// The most tags that one push may set.
    pub tags_per_push_max: usize,
    /// The most manifests and blobs that come to be shared by their tags, or cease to be, in one write.
    pub shared_changes_max: usize,
    /// The most entries on one page of a list.
    pub page_entries_max: usize,
    /// The most entries that one commit of the upkeep removes.
    pub reap_batch_entries: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            upload_ttl: Duration::from_secs(24 * 60 * 60),
            link_grace: Duration::from_secs(24 * 60 * 60),
            discard_delay: Duration::from_secs(10 * 60),
            manifest_bytes_max: 4 << 20,
            manifest_memory_bytes_max: 64 << 20,
            blob_bytes_max: 1 << 40,
            uploads_per_account_max: 1_000,
            segments_per_upload_max: 2_000,
            segment_bytes_min: 64 << 10,
            checkpoint_bytes: 64 << 20,
            free_bytes_min: 1 << 30,
            sparse_images: false,
            tags_per_push_max: 100,
            shared_changes_max: 20_000,
            page_entries_max: 1_000,
            reap_batch_entries: 1_000,
        }
    }
}
