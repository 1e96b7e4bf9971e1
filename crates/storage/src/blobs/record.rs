//! What the metadata says of a blob, once for all repositories.

use jiff::Timestamp;
use kv::{Key, Transaction, Version};
use oci::Digest;
use serde::{Deserialize, Serialize};

use crate::{Error, Place};

/// `Key::Blob`. Guard: whoever links the blob expects its version, and so does whoever collects it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlobRecord {
    pub(crate) state: BlobState,
    /// In bytes; the sum of the segments.
    pub(crate) size: u64,
    /// Where the bytes lie, in order.
    pub(crate) segments: Vec<Segment>,
    pub(crate) created_at: Timestamp,
}

/// Whether collection has its eye on a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BlobState {
    Live,
    /// It had no link a moment ago. A new link makes it live again, and collection then leaves it alone.
    Condemned,
}

/// The beginning of a place, of which the first `bytes` count; what follows them was never acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segment {
    pub(crate) place: Place,
    pub(crate) bytes: u64,
}

impl BlobRecord {
    /// All places of its bytes.
    pub(crate) fn places(&self) -> Vec<Place> {
        self.segments.iter().map(|segment| segment.place).collect()
    }

    /// Lets `transaction`, which links the blob, find it as it was read at `version`, and revives it when it is
    /// condemned.
    pub(crate) fn keep(
        &self,
        transaction: &mut Transaction,
        digest: &Digest,
        version: Version,
    ) -> Result<(), Error> {
        let key = Key::Blob { digest: digest.raw() };
        transaction.expect(key, Some(version));
        if self.state == BlobState::Condemned {
            transaction.put(key, &BlobRecord { state: BlobState::Live, ..self.clone() })?;
        }
        Ok(())
    }
}
