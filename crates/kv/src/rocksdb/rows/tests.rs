use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::{ROW_BYTES_MAX, Row, Rows};
use crate::{Entry, Error, KeyList, Version};

/// Stands for the database: reads of it are counted.
#[derive(Default)]
struct Tables {
    rows: Mutex<HashMap<Vec<u8>, u64>>,
    reads: AtomicUsize,
}

impl Tables {
    fn read(&self, key: &[u8]) -> Result<Row, Error> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Ok(self.rows.lock().unwrap().get(key).copied().map(row))
    }

    fn read_many(&self, keys: &[&[u8]]) -> Result<Vec<Row>, Error> {
        self.reads.fetch_add(keys.len(), Ordering::Relaxed);
        let rows = self.rows.lock().unwrap();
        Ok(keys.iter().map(|key| rows.get(*key).copied().map(row)).collect())
    }

    fn commit(&self, memory: &Rows, keys: &[&[u8]], value: u64) {
        let _writing = memory.writing(keys.iter().map(|key| key.to_vec()).collect());
        let mut rows = self.rows.lock().unwrap();
        for key in keys {
            rows.insert(key.to_vec(), value);
        }
    }

    fn reads(&self) -> usize {
        self.reads.swap(0, Ordering::Relaxed)
    }
}

fn row(value: u64) -> Entry {
    Entry::new(Version(value), value.to_be_bytes().to_vec())
}

fn value(row: Row) -> Option<u64> {
    row.map(|row| row.version.0)
}

fn wanted(names: &[&[u8]]) -> KeyList {
    names.iter().collect()
}

fn keys(names: &[&[u8]]) -> Vec<Vec<u8>> {
    names.iter().map(|name| name.to_vec()).collect()
}

#[test]
fn a_row_is_read_once_an_absent_one_too_until_it_is_written() {
    let (memory, tables) = (Rows::new(1 << 20), Tables::default());
    let get = |key: &[u8]| value(memory.get(key, || tables.read(key)).unwrap());
    assert_eq!((get(b"a"), get(b"a"), tables.reads()), (None, None, 1));
    tables.commit(&memory, &[b"a"], 1);
    assert_eq!((get(b"a"), get(b"a"), tables.reads()), (Some(1), Some(1), 1));
    tables.commit(&memory, &[b"b"], 2);
    assert_eq!((get(b"a"), tables.reads()), (Some(1), 0));
    let both = memory.get_many(&wanted(&[b"a", b"b", b"b"]), |keys| tables.read_many(keys)).unwrap();
    assert_eq!(both.into_iter().map(value).collect::<Vec<_>>(), [Some(1), Some(2), Some(2)]);
    // The second look at `b` found its place taken.
    assert_eq!(tables.reads(), 2);
    memory.get_many(&wanted(&[b"a", b"b"]), |keys| tables.read_many(keys)).unwrap();
    assert_eq!(tables.reads(), 0);
}

#[test]
fn what_was_read_before_a_commit_is_not_kept_after_it() {
    let (memory, tables) = (Rows::new(1 << 20), Tables::default());
    tables.commit(&memory, &[b"a"], 1);
    let overtaken = memory.get(b"a", || {
        let old = tables.read(b"a");
        tables.commit(&memory, &[b"a"], 2);
        old
    });
    assert_eq!(value(overtaken.unwrap()), Some(1));
    assert_eq!(value(memory.get(b"a", || tables.read(b"a")).unwrap()), Some(2));
}

#[test]
fn while_a_row_is_written_readers_ask_the_tables_and_keep_nothing() {
    let (memory, tables) = (Rows::new(1 << 20), Tables::default());
    tables.commit(&memory, &[b"a", b"b"], 1);
    let many = || memory.get_many(&wanted(&[b"a", b"b"]), |keys| tables.read_many(keys)).unwrap();
    let one = || value(memory.get(b"b", || tables.read(b"b")).unwrap());
    many();
    tables.reads();
    let writing = memory.writing(keys(&[b"b"]));
    // In the tables, and not yet out of memory: who has seen the one must not be told the old other.
    tables.rows.lock().unwrap().insert(b"b".to_vec(), 2);
    assert_eq!(one(), Some(2));
    assert_eq!(many().into_iter().map(value).collect::<Vec<_>>(), [Some(1), Some(2)]);
    drop(writing);
    assert_eq!((one(), one()), (Some(2), Some(2)));
}

#[test]
fn many_rows_are_of_one_instant_although_some_come_from_memory() {
    let (memory, tables) = (Rows::new(1 << 20), Tables::default());
    tables.commit(&memory, &[b"a", b"b"], 1);
    memory.get(b"a", || tables.read(b"a")).unwrap();
    let late = AtomicBool::new(true);
    let both = memory.get_many(&wanted(&[b"a", b"b"]), |keys| {
        if late.swap(false, Ordering::Relaxed) {
            tables.commit(&memory, &[b"a", b"b"], 2);
        }
        tables.read_many(keys)
    });
    assert_eq!(both.unwrap().into_iter().map(value).collect::<Vec<_>>(), [Some(2), Some(2)]);
}

#[test]
fn a_failed_read_is_told_and_not_kept() {
    let (memory, tables) = (Rows::new(1 << 20), Tables::default());
    let failed = || Err(Error::Busy);
    assert!(matches!(memory.get(b"a", failed), Err(Error::Busy)));
    assert!(matches!(memory.get_many(&wanted(&[b"a", b"b"]), |_| Err(Error::Busy)), Err(Error::Busy)));
    tables.commit(&memory, &[b"b"], 1);
    assert_eq!(value(memory.get(b"b", || tables.read(b"b")).unwrap()), Some(1));
}

#[test]
fn rows_are_bounded_each_and_in_all() {
    let memory = Rows::new(64 << 20);
    let great = || Ok(Some(Entry::new(Version(1), vec![0; ROW_BYTES_MAX + 1])));
    memory.get(b"great", great).unwrap();
    assert_eq!(memory.rows.len(), 0);
    let memory = Rows::new(64 << 10);
    for number in 0..10_000u32 {
        memory.get(&number.to_be_bytes(), || Ok(None)).unwrap();
    }
    assert!(memory.rows.weight() <= 64 << 10, "{}", memory.rows.weight());
    assert!(memory.rows.len() > 100);
}

#[test]
fn readers_beside_a_writer_see_no_row_older_than_one_they_have_seen() {
    const COMMITS: u64 = 30_000;
    let (memory, tables) = (Rows::new(1 << 20), Tables::default());
    tables.commit(&memory, &[b"a", b"b"], 0);
    let ended = AtomicBool::new(false);
    std::thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    let first = value(memory.get(b"a", || tables.read(b"a")).unwrap());
                    let second = value(memory.get(b"b", || tables.read(b"b")).unwrap());
                    assert!(first <= second, "{first:?} and then {second:?}");
                    let both =
                        memory.get_many(&wanted(&[b"a", b"b"]), |keys| tables.read_many(keys)).unwrap();
                    assert_eq!(both[0], both[1]);
                    assert!(second <= value(both[0].clone()), "{second:?} and then {both:?}");
                }
            });
        }
        for number in 1..=COMMITS {
            tables.commit(&memory, &[b"a", b"b"], number);
        }
        ended.store(true, Ordering::Relaxed);
    });
    assert_eq!(value(memory.get(b"b", || tables.read(b"b")).unwrap()), Some(COMMITS));
}
