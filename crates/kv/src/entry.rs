//! A value as it was read, and what it says.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::de::DeserializeOwned;

use crate::{Error, Version};

/// What is read out of a value: any type that stands for itself alone.
pub trait Record: DeserializeOwned + Clone + Send + Sync + 'static {}

impl<T: DeserializeOwned + Clone + Send + Sync + 'static> Record for T {}

/// A value as it was read. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What a later [`crate::Batch::expect`] names.
    pub version: Version,
    /// The value's bytes. A counter's are its eight bytes, big-endian (see [`Entry::counter`]).
    pub value: Bytes,
    /// Of an entry that is kept in memory: the record in it, once somebody has read it.
    record: Option<Arc<OnceLock<Arc<dyn Any + Send + Sync>>>>,
}

impl Entry {
    /// A value with the version of its last write.
    #[must_use]
    pub fn new(version: Version, value: impl Into<Bytes>) -> Entry {
        Entry { version, value: value.into(), record: None }
    }

    /// The same, to be read more than once: the first who reads its record keeps it for the others.
    #[cfg(feature = "rocksdb")]
    pub(crate) fn kept(self) -> Entry {
        Entry { record: Some(Arc::default()), ..self }
    }

    /// The value of a bounded counter (see [`crate::Add`]).
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the value is not eight bytes long.
    pub fn counter(&self) -> Result<i64, Error> {
        let bytes: [u8; 8] = self.value.as_ref().try_into().map_err(|_| Error::Corrupt {
            what: format!("a counter of {} bytes instead of 8", self.value.len()),
        })?;
        Ok(i64::from_be_bytes(bytes))
    }

    /// The record in it, which others may be reading too.
    pub(crate) fn record<T: Record>(&self) -> Result<Arc<T>, serde_json::Error> {
        let kept = self.record.as_ref();
        let record = kept.and_then(|kept| kept.get()).cloned().and_then(|record| record.downcast().ok());
        if let Some(record) = record {
            return Ok(record);
        }
        let record: Arc<T> = Arc::new(serde_json::from_slice(&self.value)?);
        if let Some(kept) = kept {
            // Another was faster, or reads the value as something else: then that stays.
            let _ = kept.set(record.clone());
        }
        Ok(record)
    }
}

/// Whether somebody has read it already makes no difference.
impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        (self.version, &self.value) == (other.version, &other.value)
    }
}

impl Eq for Entry {}

#[cfg(all(test, feature = "rocksdb"))]
mod tests {
    use super::Entry;
    use crate::Version;

    #[test]
    fn a_kept_record_is_read_as_what_it_is_asked_for() {
        let entry = Entry::new(Version(1), &b"[1,2]"[..]).kept();
        for _ in 0..2 {
            assert_eq!(*entry.clone().record::<Vec<u8>>().unwrap(), [1, 2]);
            assert_eq!(*entry.record::<(u64, u64)>().unwrap(), (1, 2));
            assert!(entry.record::<String>().is_err());
        }
        assert_eq!(entry, Entry::new(Version(1), &b"[1,2]"[..]));
        assert_ne!(entry, Entry::new(Version(2), &b"[1,2]"[..]));
    }
}
