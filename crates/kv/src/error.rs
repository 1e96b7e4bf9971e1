//! What an engine may fail with, named after what a caller does next.

/// An engine's failure. The commit that met it may have been done or not, except where a variant says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The call breaks a bound or a rule of the contract: a defect of the caller. Nothing was done.
    #[error("invalid key-value operation: {what}")]
    Invalid {
        /// The rule.
        what: String,
    },
    /// Too much is queued. Nothing was done; try again later.
    #[error("the metadata store is busy")]
    Busy,
    /// The disk is full; reads go on.
    #[error("the metadata store's disk is full")]
    NoSpace,
    /// What was read is not what this version wrote: stop, and look at the store.
    #[error("the metadata store holds something unreadable: {what}")]
    Corrupt {
        /// Where, and what.
        what: String,
    },
    /// The store was written by another version of this program.
    #[error("the metadata store has schema version {found}; this program reads version {known}")]
    Schema {
        /// The store's.
        found: u32,
        /// This program's.
        known: u32,
    },
    /// Another process has the store open.
    #[error("the metadata store is in use by another process")]
    InUse,
    /// The engine failed below us.
    #[error("the metadata store failed: {0}")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
}
