//! Rows in memory, as they are stored: what is read with every request (a name, an account, a share) is not looked for
//! in tables each time.
//!
//! A row from here is never older than a commit that its reader can know of. Commits are made by one thread, which says
//! which rows it is about to write ([`Rows::writing`]) and takes them out of here when they are written; meanwhile
//! readers ask the database itself. A reader that fills a row in holds a place for it: the place goes with the row that
//! is taken out, so that what was read before a commit cannot come in after it.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use quick_cache::sync::{Cache, GuardResult};
use quick_cache::{DefaultHashBuilder, Weighter};

use crate::{Entry, Error, KeyList};

/// Rows that are written together share a mark now and then, which costs a reader a look into the database.
const MARKS: usize = 4096;
/// A greater row is not kept: it would push out many that are read more often.
const ROW_BYTES_MAX: usize = 16 << 10;
/// What a row takes beside its bytes, about.
const ROW_OVERHEAD_BYTES: usize = 128;
const ROWS_EXPECTED: usize = 64 << 10;

type Row = Option<Entry>;

/// The rows that were read last, absent ones too.
#[derive(Debug)]
pub(super) struct Rows {
    rows: Cache<Vec<u8>, Row, Bytes>,
    /// Odd while a row under the mark is being written.
    marks: Box<[AtomicU64]>,
    hasher: DefaultHashBuilder,
}

#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<Vec<u8>, Row> for Bytes {
    fn weight(&self, key: &Vec<u8>, row: &Row) -> u64 {
        // Once as it is stored, and once as the record that was read.
        let value = row.as_ref().map_or(0, |entry| 2 * entry.value.len());
        (key.len() + value + ROW_OVERHEAD_BYTES) as u64
    }
}

impl Rows {
    /// Room for rows of `bytes_max` bytes in all.
    pub(super) fn new(bytes_max: u64) -> Rows {
        Rows {
            rows: Cache::with_weighter(ROWS_EXPECTED, bytes_max, Bytes),
            marks: (0..MARKS).map(|_| AtomicU64::new(0)).collect(),
            hasher: DefaultHashBuilder::default(),
        }
    }

    /// The row at `key`; `read` reads it from the database.
    pub(super) fn get(&self, key: &[u8], read: impl Fn() -> Result<Row, Error>) -> Result<Row, Error> {
        if is_written(self.mark(key)) {
            return read();
        }
        match self.rows.get_value_or_guard(key, Some(Duration::ZERO)) {
            GuardResult::Value(row) => Ok(row),
            GuardResult::Guard(place) => {
                let row = kept(read()?);
                if is_small(&row) {
                    // Refused: a commit wrote it meanwhile.
                    drop(place.insert(row.clone()));
                }
                Ok(row)
            }
            // Another reader is filling it in.
            GuardResult::Timeout => read(),
        }
    }

    /// The rows at `keys`, as they were at one instant; `read` reads some from the database, as at one instant.
    pub(super) fn get_many(
        &self,
        keys: &KeyList,
        read: impl Fn(&[&[u8]]) -> Result<Vec<Row>, Error>,
    ) -> Result<Vec<Row>, Error> {
        if let Some(before) = self.sum_of_marks(keys) {
            let rows = self.look_up(keys, &read)?;
            // Marks only grow. So nothing under one of these was written from the first look to the last, and one
            // instant saw it all.
            if self.sum_of_marks(keys) == Some(before) {
                return Ok(rows);
            }
        }
        read(&keys.iter().collect::<Vec<_>>())
    }

    fn look_up(
        &self,
        keys: &KeyList,
        read: impl Fn(&[&[u8]]) -> Result<Vec<Row>, Error>,
    ) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::with_capacity(keys.len());
        let mut missing = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            match self.rows.get_value_or_guard(key, Some(Duration::ZERO)) {
                GuardResult::Value(row) => rows.push(row),
                GuardResult::Guard(place) => {
                    missing.push((at, Some(place)));
                    rows.push(None);
                }
                GuardResult::Timeout => {
                    missing.push((at, None));
                    rows.push(None);
                }
            }
        }
        if missing.is_empty() {
            return Ok(rows);
        }
        let wanted: Vec<_> = missing.iter().map(|(at, _)| keys.key(*at)).collect();
        for ((at, place), row) in missing.into_iter().zip(read(&wanted)?) {
            let row = kept(row);
            if let Some(place) = place
                && is_small(&row)
            {
                drop(place.insert(row.clone()));
            }
            rows[at] = row;
        }
        Ok(rows)
    }

    /// To be held while the rows at `keys` are written, by the one thread that writes.
    pub(super) fn writing(&self, keys: Vec<Vec<u8>>) -> Writing<'_> {
        let mut marks: Vec<_> = keys.iter().map(|key| self.place_of_mark(key)).collect();
        marks.sort_unstable();
        marks.dedup();
        for mark in &marks {
            self.marks[*mark].fetch_add(1, Ordering::SeqCst);
        }
        Writing { rows: self, keys, marks }
    }

    /// The marks of all these rows added up; `None` while one of them is written.
    fn sum_of_marks(&self, keys: &KeyList) -> Option<u64> {
        let mut marks = keys.iter().map(|key| self.mark(key));
        marks.try_fold(0u64, |sum, mark| (!is_written(mark)).then(|| sum.wrapping_add(mark)))
    }

    fn mark(&self, key: &[u8]) -> u64 {
        self.marks[self.place_of_mark(key)].load(Ordering::SeqCst)
    }

    fn place_of_mark(&self, key: &[u8]) -> usize {
        // The remainder is below 4096.
        (self.hasher.hash_one(key) % MARKS as u64) as usize
    }
}

/// Rows that are being written, and are not answered from memory until it is dropped.
#[derive(Debug)]
pub(super) struct Writing<'a> {
    rows: &'a Rows,
    keys: Vec<Vec<u8>>,
    marks: Vec<usize>,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        for key in &self.keys {
            self.rows.rows.remove(key.as_slice());
        }
        for mark in &self.marks {
            self.rows.marks[*mark].fetch_add(1, Ordering::SeqCst);
        }
    }
}

fn is_written(mark: u64) -> bool {
    mark % 2 == 1
}

fn kept(row: Row) -> Row {
    row.map(Entry::kept)
}

fn is_small(row: &Row) -> bool {
    row.as_ref().is_none_or(|entry| entry.value.len() <= ROW_BYTES_MAX)
}

#[cfg(test)]
mod tests;
