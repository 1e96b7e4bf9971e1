//! The typed door to an engine: keys of the layout in, records out.

use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::Serialize;

use crate::key::KEY_BYTES_USUAL;
use crate::{
    Add, Batch, Direction, Engine, Entry, Error, Key, KeyList, Outcome, Range, Record, Region, Version,
};

/// The version of the layout and of the records that this program reads and writes.
const SCHEMA: u32 = 1;

/// A record as it was read, with the version that a later [`Transaction::expect`] names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// Its last write.
    pub version: Version,
    /// The record.
    pub value: T,
}

/// An engine, seen from one region. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    engine: Arc<dyn Engine>,
    region: Region,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("region", &self.region).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store in `engine` for `region`: a new one is marked with this program's schema version, an old one
    /// must bear it.
    ///
    /// # Errors
    /// [`Error::Schema`] when another version wrote it; else as the engine.
    pub async fn open(engine: Arc<dyn Engine>, region: Region) -> Result<Store, Error> {
        let store = Store { engine, region };
        for _ in 0..2 {
            match store.get::<u32>(Key::Schema).await? {
                Some(found) if found.value == SCHEMA => return Ok(store),
                Some(found) => return Err(Error::Schema { found: found.value, known: SCHEMA }),
                None => {
                    // A conflict: another node was first. The second round reads what it wrote.
                    let mut first = store.transaction();
                    first.expect(Key::Schema, None).put(Key::Schema, &SCHEMA)?;
                    store.commit(first).await?;
                }
            }
        }
        Err(Error::Corrupt { what: "the schema version does not stay".to_owned() })
    }

    /// The region whose keys this store sees.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// The record at `key`.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is no `T`; else as the engine.
    pub async fn get<T: Record>(&self, key: Key<'_>) -> Result<Option<Versioned<T>>, Error> {
        self.get_bytes(key).await?.map(|entry| decode(key, &entry)).transpose()
    }

    /// The bytes at `key`: for what is no record.
    ///
    /// # Errors
    /// As the engine.
    pub async fn get_bytes(&self, key: Key<'_>) -> Result<Option<Entry>, Error> {
        self.engine.get(&key.encode(&self.region)).await
    }

    /// The entries at `keys`, in their order, read from one snapshot; [`decode`] makes records of them.
    ///
    /// # Errors
    /// As the engine.
    pub async fn get_many(&self, keys: &[Key<'_>]) -> Result<Vec<Option<Entry>>, Error> {
        let mut encoded = KeyList::with_capacity(keys.len(), KEY_BYTES_USUAL);
        for key in keys {
            encoded.push(|bytes| {
                key.write(&self.region, bytes);
            });
        }
        self.engine.get_many(&encoded).await
    }

    /// A counter's value and version; an absent one is 0, without a version.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is no counter; else as the engine.
    pub async fn counter(&self, key: Key<'_>) -> Result<(Option<Version>, i64), Error> {
        match self.get_bytes(key).await? {
            Some(entry) => Ok((Some(entry.version), entry.counter()?)),
            None => Ok((None, 0)),
        }
    }

    /// At most `limit` entries of `range` (see [`Key::siblings`], [`Key::siblings_after`], [`Key::beginning`]), each
    /// with its whole key, smallest first; [`Key::tail`] finds the last field.
    ///
    /// # Errors
    /// As the engine.
    pub async fn list(&self, range: Range, limit: usize) -> Result<Vec<(Vec<u8>, Entry)>, Error> {
        self.engine.scan(range, limit, Direction::Forward).await
    }

    /// The same from the greatest key down.
    ///
    /// # Errors
    /// As the engine.
    pub async fn list_backward(&self, range: Range, limit: usize) -> Result<Vec<(Vec<u8>, Entry)>, Error> {
        self.engine.scan(range, limit, Direction::Backward).await
    }

    /// An empty transaction.
    #[must_use]
    pub fn transaction(&self) -> Transaction {
        Transaction { region: self.region.clone(), batch: Batch::default() }
    }

    /// Does `transaction`, all of it or nothing.
    ///
    /// # Errors
    /// As the engine.
    pub async fn commit(&self, transaction: Transaction) -> Result<Outcome, Error> {
        self.engine.commit(transaction.batch).await
    }
}

/// The record in `entry`, which was read at `key`.
///
/// # Errors
/// [`Error::Corrupt`] when it is no `T`.
pub fn decode<T: Record>(key: Key<'_>, entry: &Entry) -> Result<Versioned<T>, Error> {
    let Versioned { version, value } = decode_shared(key, entry)?;
    Ok(Versioned { version, value: Arc::unwrap_or_clone(value) })
}

/// The same, for reading alone: what is in memory is not copied.
///
/// # Errors
/// As [`decode`].
pub fn decode_shared<T: Record>(key: Key<'_>, entry: &Entry) -> Result<Versioned<Arc<T>>, Error> {
    match entry.record() {
        Ok(value) => Ok(Versioned { version: entry.version, value }),
        Err(error) => Err(Error::Corrupt { what: format!("{key:?}: {error}") }),
    }
}

/// A batch in the making: what is expected and what is written.
#[derive(Debug, Clone)]
pub struct Transaction {
    region: Region,
    batch: Batch,
}

impl Transaction {
    /// Expects `key` at `version`, or absent.
    pub fn expect(&mut self, key: Key<'_>, version: Option<Version>) -> &mut Transaction {
        self.batch.expect.push((key.encode(&self.region), version));
        self
    }

    /// Writes a record.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it cannot be written as JSON.
    pub fn put<T: Serialize>(&mut self, key: Key<'_>, record: &T) -> Result<&mut Transaction, Error> {
        let value = serde_json::to_vec(record)
            .map_err(|error| Error::Invalid { what: format!("{key:?}: {error}") })?;
        Ok(self.put_bytes(key, value))
    }

    /// Writes bytes.
    pub fn put_bytes(&mut self, key: Key<'_>, value: Vec<u8>) -> &mut Transaction {
        self.batch.put.push((key.encode(&self.region), value));
        self
    }

    /// Removes `key`, if it is there.
    pub fn delete(&mut self, key: Key<'_>) -> &mut Transaction {
        self.batch.delete.push(key.encode(&self.region));
        self
    }

    /// Removes a key that a scan answered.
    pub fn delete_encoded(&mut self, key: Vec<u8>) -> &mut Transaction {
        self.batch.delete.push(key);
        self
    }

    /// Changes a counter, within `bounds` (see [`Add`]).
    pub fn add(&mut self, key: Key<'_>, delta: i64, bounds: RangeInclusive<i64>) -> &mut Transaction {
        let key = key.encode(&self.region);
        self.batch.add.push(Add { key, delta, min: *bounds.start(), max: *bounds.end() });
        self
    }

    /// How many operations it holds, against [`crate::BATCH_OPERATIONS_MAX`].
    #[must_use]
    pub fn len(&self) -> usize {
        self.batch.expect.len() + self.batch.put.len() + self.batch.delete.len() + self.batch.add.len()
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
