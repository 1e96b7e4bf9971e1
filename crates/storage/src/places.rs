//! Where bytes lie: the contract of what stores them. [`suite`] checks it; [`crate::files`] keeps it with files.
//!
//! A place is written once, by one writer, under a random name that is never given again. It knows no digest, no
//! repository and no meaning of its bytes: the metadata does.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use crate::{OpenFile, hex};

pub mod suite;

/// So many names that follow each other begin alike.
const NEIGHBOURS: u32 = 4096;
/// The bits behind the beginning.
const OWN_BITS: u32 = 112;

/// The beginning of the next names, and for how many.
static NEIGHBOURHOOD: Mutex<(u16, u32)> = Mutex::new((0, 0));

/// The name of a place: 128 random bits, shown as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Place(u128);

impl Place {
    /// A name that nothing else has. Those that follow each other in a process begin alike for a while, so that what
    /// keeps places in folders by the beginning of their names has few folders to make and to sync.
    #[must_use]
    pub fn random() -> Place {
        let mut neighbourhood = NEIGHBOURHOOD.lock().unwrap_or_else(PoisonError::into_inner);
        let (beginning, left) = &mut *neighbourhood;
        if *left == 0 {
            (*beginning, *left) = (rand::random(), NEIGHBOURS);
        }
        *left -= 1;
        let own = rand::random::<u128>() >> (u128::BITS - OWN_BITS);
        Place(u128::from(*beginning) << OWN_BITS | own)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl From<Place> for String {
    fn from(place: Place) -> String {
        place.to_string()
    }
}

impl TryFrom<String> for Place {
    type Error = PlaceError;

    fn try_from(text: String) -> Result<Place, PlaceError> {
        let bytes = hex::decode(&text).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
        bytes.map(|bytes| Place(u128::from_be_bytes(bytes))).ok_or(PlaceError::Absent)
    }
}

/// Why a place could not be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// There is no room.
    #[error("no space left")]
    NoSpace,
    /// There is no such place.
    #[error("the place is missing")]
    Absent,
    /// It holds fewer bytes than were asked for.
    #[error("the place holds less than it should")]
    Short,
    /// What stores the bytes failed.
    #[error(transparent)]
    Failed(std::io::Error),
}

impl From<std::io::Error> for PlaceError {
    fn from(error: std::io::Error) -> PlaceError {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => PlaceError::NoSpace,
            std::io::ErrorKind::NotFound => PlaceError::Absent,
            std::io::ErrorKind::UnexpectedEof => PlaceError::Short,
            _ => PlaceError::Failed(error),
        }
    }
}

/// How much room there is for bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// What may still be written.
    pub free_bytes: u64,
    /// What is free and what is not.
    pub total_bytes: u64,
    /// Whether files can be made at all: not where it is mounted to be read only, or can hold no more files.
    pub writable: bool,
}

/// What stores the bytes of blobs.
#[async_trait]
pub trait Places: Send + Sync + 'static {
    /// Makes `place`, empty. It survives a crash only from the first [`PlaceWriter::sync`] on. A place that is
    /// there already is [`PlaceError::Failed`], and is left as it is.
    async fn create(&self, place: Place) -> Result<Box<dyn PlaceWriter>, PlaceError>;

    /// Opens `place` for reading. What was opened stays readable after [`Places::remove`], where the system can.
    async fn open(&self, place: Place) -> Result<Arc<dyn PlaceReader>, PlaceError>;

    /// Removes `place`, written to or not, also while it is open. One that is not there is no error.
    async fn remove(&self, place: Place) -> Result<(), PlaceError>;

    /// How much room there is; `None` where nobody knows a bound.
    async fn space(&self) -> Result<Option<Space>, PlaceError>;
}

/// The one writer of a place. After an error only [`PlaceWriter::truncate`] has a meaning. Dropping it loses nothing
/// that was synced.
#[async_trait]
pub trait PlaceWriter: Send + Sync {
    /// Appends `chunks`, all of them or an error; after an error any beginning of them may be there.
    async fn write(&mut self, chunks: Vec<Bytes>) -> Result<(), PlaceError>;

    /// Makes the place and all that was written before survive a power cut: done when the future is, and begun when it
    /// is first polled. Meanwhile more may be written.
    fn sync(&mut self) -> BoxFuture<'static, Result<(), PlaceError>>;

    /// Cuts off what follows the first `length` bytes, to give the room back. Nothing is written after this.
    async fn truncate(&mut self, length: u64) -> Result<(), PlaceError>;
}

/// A place opened for reading, by many at once.
#[async_trait]
pub trait PlaceReader: Send + Sync {
    /// Exactly `length` bytes from `offset` on; [`PlaceError::Short`] when there are fewer.
    async fn read(&self, offset: u64, length: usize) -> Result<Bytes, PlaceError>;

    /// The file itself, for a sender that lets the system copy; `None` where there is none. It is the same for all
    /// places of one kind.
    fn file(&self) -> Option<&OpenFile> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::{NEIGHBOURS, Place};

    #[test]
    fn names_are_all_different_and_few_beginnings_serve_many() {
        let count = 10 * NEIGHBOURS as usize;
        let names: BTreeSet<String> = (0..count).map(|_| Place::random().to_string()).collect();
        assert_eq!(names.len(), count);
        assert!(names.iter().all(|name| name.len() == 32));
        let mut beginnings = BTreeMap::new();
        names.iter().for_each(|name| *beginnings.entry(&name[..4]).or_insert(0_u32) += 1);
        // Eleven: other tests take names meanwhile. Not one: a folder's files are bounded.
        assert!((2..=11).contains(&beginnings.len()), "{beginnings:?}");
        // The same beginning twice is not impossible, and rare.
        assert!(beginnings.values().all(|names| *names <= 2 * NEIGHBOURS), "{beginnings:?}");
    }
}
