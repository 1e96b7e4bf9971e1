//! What a repository holds: blobs, manifests, tags, referrers, and the uploads that become blobs.
//!
//! Every operation takes an [`auth::Permit`], works in that permit's repository and nowhere else, and refuses one
//! that was given for another action. This crate does not decide who may do what, and knows neither HTTP nor paths:
//! bytes lie at [`Places`], everything else in the store.
//!
//! Four rules carry it:
//!
//! 1. *Bytes first, metadata second; deletion in the reverse order.* A place is named in the metadata before its file
//!    is made and until after its file is gone, so that a crash leaves neither a link to missing bytes nor bytes that
//!    nobody remembers. What a commit names was synced before.
//! 2. *Bytes are reachable through a link in the named repository alone.* That they lie here once for all
//!    repositories shows nowhere.
//! 3. *Every write expects the repository's life record*, so that nothing enters a repository that is being deleted.
//! 4. *Every write expects what it decided upon*, and decides again when that has changed.

#![deny(missing_docs)]

mod blobs;
mod capacity;
mod collect;
mod commit;
mod discard;
mod error;
pub mod files;
mod hex;
mod links;
mod manifests;
pub mod memory;
mod open_file;
mod places;
mod reap;
mod referrers;
mod room;
mod settings;
mod shared;
mod tags;
#[cfg(test)]
mod tests;
mod uploads;
mod usage;

use std::sync::Arc;

pub use blobs::{Blob, BlobStat, FileRange};
pub use capacity::BlobTotals;
pub use collect::Collected;
pub use error::{BodyError, Error};
pub use manifests::{
    LargeManifest, ManifestBody, ManifestStat, NewManifest, Pushed, StoredManifest, TagCopy,
};
pub use open_file::{OpenFile, Presence};
pub use places::{Place, PlaceError, PlaceReader, PlaceWriter, Places, Space, suite};
pub use reap::Reaped;
pub use referrers::Referrers;
pub use room::{Room, SMALL_BYTES_MAX as SMALL_MANIFEST_BYTES_MAX};
pub use settings::Settings;
pub use shared::Content;
pub use tags::{Page, TagDetails};
pub use uploads::{ContentRange, ExpiredUploads, Upload, UploadId};
pub use usage::RepositoryUsage;

/// The content of all repositories. Cheap to clone.
#[derive(Clone)]
pub struct Storage {
    inner: Arc<Inner>,
}

struct Inner {
    store: kv::Store,
    places: Arc<dyn Places>,
    settings: Settings,
    rooms: room::Rooms,
    turns: shared::Turns,
    intakes: uploads::Intakes,
    small_blobs: blobs::SmallBlobs,
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Storage").field("settings", &self.inner.settings).finish_non_exhaustive()
    }
}

impl Storage {
    /// The content that `store` describes and whose bytes lie at `places`.
    #[must_use]
    pub fn new(store: kv::Store, places: Arc<dyn Places>, settings: Settings) -> Storage {
        let rooms = room::Rooms::new(settings.manifest_memory_bytes_max);
        let (turns, intakes) = (shared::Turns::default(), uploads::Intakes::default());
        let small_blobs = blobs::SmallBlobs::new();
        Storage { inner: Arc::new(Inner { store, places, settings, rooms, turns, intakes, small_blobs }) }
    }

    /// The bounds it works within.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    fn store(&self) -> &kv::Store {
        &self.inner.store
    }

    fn places(&self) -> &Arc<dyn Places> {
        &self.inner.places
    }
}
