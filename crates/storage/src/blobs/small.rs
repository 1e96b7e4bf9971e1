//! Small blobs in memory: configurations above all, which each pull reads. Which blob a request may read is decided by
//! its link and its record, with every request; from here come the bytes of a place alone, which is written once and
//! never used again.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::Segment;
use crate::{Place, PlaceError, PlaceReader, Places};

/// The greatest blob that is kept, in bytes.
const SMALL_BYTES_MAX: u64 = 16 << 10;
/// All of them together, in bytes.
const KEPT_BYTES_MAX: u64 = 16 << 20;
/// What a place takes beside its bytes, about.
const OVERHEAD_BYTES: u64 = 128;
const PLACES_EXPECTED: usize = 4096;

/// The bytes of small blobs that were read last.
#[derive(Debug)]
pub(crate) struct SmallBlobs {
    kept: Cache<Place, Bytes, ByBytes>,
}

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<Place, Bytes> for ByBytes {
    fn weight(&self, _: &Place, bytes: &Bytes) -> u64 {
        bytes.len() as u64 + OVERHEAD_BYTES
    }
}

impl SmallBlobs {
    pub(crate) fn new() -> SmallBlobs {
        SmallBlobs { kept: Cache::with_weighter(PLACES_EXPECTED, KEPT_BYTES_MAX, ByBytes) }
    }

    /// Opens the first segment of a blob of `size` bytes: of a small one all is read, once.
    pub(super) async fn open(
        &self,
        places: &dyn Places,
        size: u64,
        first: &Segment,
    ) -> Result<Arc<dyn PlaceReader>, PlaceError> {
        let length = match usize::try_from(size) {
            Ok(length) if size <= SMALL_BYTES_MAX && first.bytes == size => length,
            _ => return places.open(first.place).await,
        };
        if let Some(bytes) = self.kept.get(&first.place) {
            return Ok(Arc::new(Kept(bytes)));
        }
        let bytes = places.open(first.place).await?.read(0, length).await?;
        self.kept.insert(first.place, bytes.clone());
        Ok(Arc::new(Kept(bytes)))
    }
}

/// The bytes of a place.
struct Kept(Bytes);

#[async_trait]
impl PlaceReader for Kept {
    async fn read(&self, offset: u64, length: usize) -> Result<Bytes, PlaceError> {
        let start = usize::try_from(offset).map_err(|_| PlaceError::Short)?;
        let end = start.checked_add(length).filter(|end| *end <= self.0.len()).ok_or(PlaceError::Short)?;
        Ok(self.0.slice(start..end))
    }
}
