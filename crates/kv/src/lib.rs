//! An ordered, transactional key-value space: what Gangplank knows, apart from the bytes of blobs.
//!
//! This crate holds the contract ([`Engine`]), the layout ([`Key`]), the typed door to both ([`Store`]) and the
//! engines: [`memory`] for tests, [`rocksdb`] for one machine. It knows keys, versions and values; it knows
//! neither names' grammar nor permissions, and no digest's meaning.
//!
//! Three rules carry everything that is built on it:
//!
//! 1. *A commit is atomic, durable and serialisable in what it expects.* When [`Engine::commit`] has answered
//!    [`Outcome::Committed`], a power cut does not lose it.
//! 2. *An expectation names a version, not a value*, so that a value which went away and came back is noticed.
//! 3. *Scans protect nothing.* A rule over a range ("a repository that is being deleted takes no new tags") needs
//!    a guard record that every writer in the range expects.

mod engine;
mod entry;
mod error;
mod key;
mod key_list;
pub mod memory;
mod plan;
#[cfg(feature = "rocksdb")]
pub mod rocksdb;
mod store;
#[cfg(test)]
mod suite;
mod usage_row;

pub use engine::{
    Add, BATCH_OPERATIONS_MAX, Batch, Direction, Engine, KEY_BYTES_MAX, Outcome, Range, SCAN_ENTRIES_MAX,
    VALUE_BYTES_MAX, Version,
};
pub use entry::{Entry, Record};
pub use error::Error;
pub use key::{BlobTotal, Id, Key, Region, Target, Usage};
pub use key_list::KeyList;
pub use store::{Store, Transaction, Versioned, decode, decode_shared};
pub use usage_row::{UsageRow, Use, UsedFrom};
