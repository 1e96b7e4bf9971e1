//! The contract that every engine keeps; [`crate::suite`] checks it.

use std::ops::Bound;

use async_trait::async_trait;

use crate::{Entry, Error, KeyList};

/// The number of a value's last write. Versions of one key never repeat, not even after a deletion, a restart or a
/// crash, and grow with each write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

/// The keys of a scan, in the byte order of keys.
pub type Range = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// The order in which a scan answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest key first.
    Forward,
    /// Greatest key first.
    Backward,
}

/// A change of a bounded counter: commutes with other adds, so that it never conflicts with them.
///
/// An absent counter is 0. The sum must stay within `min..=max`, otherwise nothing of the batch is done and the
/// answer is [`Outcome::OutOfBounds`]. A sum beyond `i64` is out of bounds too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Add {
    /// The counter's key.
    pub key: Vec<u8>,
    /// What is added; may be negative.
    pub delta: i64,
    /// The least value that the sum may have.
    pub min: i64,
    /// The greatest value that the sum may have.
    pub max: i64,
}

/// What one commit does, all of it or nothing.
///
/// A key is written at most once in a batch (as `put`, `delete` or `add`); a second write of it is
/// [`Error::Invalid`]. An expectation may stand beside a write of the same key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Versions that keys must have; `None`: the key must be absent.
    pub expect: Vec<(Vec<u8>, Option<Version>)>,
    /// Values to write.
    pub put: Vec<(Vec<u8>, Vec<u8>)>,
    /// Keys to remove; one that is absent is no error.
    pub delete: Vec<Vec<u8>>,
    /// Counters to change.
    pub add: Vec<Add>,
}

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All of it is done, visible to every later read, and survives a power cut.
    Committed,
    /// An expectation did not hold, and nothing was done. Read again, decide again.
    Conflict,
    /// A counter would have left its bounds, and nothing was done.
    OutOfBounds {
        /// The first such counter's key.
        key: Vec<u8>,
    },
}

/// An ordered, transactional key-value space.
///
/// Bounds, the same for every engine (a call beyond them is [`Error::Invalid`]): keys 1 to
/// [`KEY_BYTES_MAX`] bytes, values to [`VALUE_BYTES_MAX`], batches of at most
/// [`BATCH_OPERATIONS_MAX`] operations, scans and `get_many` of at most [`SCAN_ENTRIES_MAX`] entries.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// The value of `key`, as the last commit left it.
    async fn get(&self, key: &[u8]) -> Result<Option<Entry>, Error>;

    /// The values of `keys`, in their order, all read from one snapshot. A key may be asked for twice.
    async fn get_many(&self, keys: &KeyList) -> Result<Vec<Option<Entry>>, Error>;

    /// At most `limit` entries of `range`, from one snapshot. An empty or inverted range has none; `limit` 0 has
    /// none. The scan of the next page starts after the last key of this one; what is written between is seen.
    async fn scan(
        &self,
        range: Range,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(Vec<u8>, Entry)>, Error>;

    /// Does `batch`, all of it or nothing.
    ///
    /// Expectations and bounds are checked against the state into which the batch is written. An empty batch is
    /// committed. The future may be dropped: then the batch is done or not, never half.
    async fn commit(&self, batch: Batch) -> Result<Outcome, Error>;
}

/// The longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 1024;
/// The longest value, in bytes: a manifest of the greatest accepted size, with room to spare.
pub const VALUE_BYTES_MAX: usize = 16 << 20;
/// The most operations (expectations, writes and adds together) of one batch.
pub const BATCH_OPERATIONS_MAX: usize = 50_000;
/// The most entries that one scan or `get_many` answers.
pub const SCAN_ENTRIES_MAX: usize = 10_000;
