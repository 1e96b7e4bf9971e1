use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{RocksDb, Settings};
use crate::{Batch, Direction, Engine, Error, Outcome, Version};

fn open(folder: &Path) -> Result<RocksDb, Error> {
    RocksDb::open(folder, &Settings::default())
}

fn put(key: &[u8], value: &[u8]) -> Batch {
    Batch { put: vec![(key.to_vec(), value.to_vec())], ..Batch::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract() {
    let folders = tempfile::tempdir().unwrap();
    let count = std::sync::atomic::AtomicUsize::new(0);
    crate::suite::run(|| async {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Arc::new(open(&folders.path().join(number.to_string())).unwrap())
    })
    .await;
}

#[tokio::test]
async fn versions_go_on_after_a_restart_even_those_of_removed_keys() {
    let folder = tempfile::tempdir().unwrap();
    let before = {
        let engine = open(folder.path()).unwrap();
        engine.commit(put(b"kept", b"1")).await.unwrap();
        engine.commit(put(b"gone", b"2")).await.unwrap();
        let before = engine.get(b"gone").await.unwrap().unwrap().version;
        engine.commit(Batch { delete: vec![b"gone".to_vec()], ..Batch::default() }).await.unwrap();
        before
    };
    let engine = open(folder.path()).unwrap();
    assert_eq!(engine.get(b"kept").await.unwrap().unwrap().value, &b"1"[..]);
    assert_eq!(engine.get(b"gone").await.unwrap(), None);
    engine.commit(put(b"gone", b"3")).await.unwrap();
    assert!(engine.get(b"gone").await.unwrap().unwrap().version > before);
    let stale = Batch { expect: vec![(b"gone".to_vec(), Some(before))], ..put(b"gone", b"4") };
    assert_eq!(engine.commit(stale).await.unwrap(), Outcome::Conflict);
}

#[tokio::test]
async fn large_values_lie_beside_the_tables_and_are_read_as_small_ones_are() {
    let folder = tempfile::tempdir().unwrap();
    let beside = || {
        let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.extension().is_some_and(|ending| ending == "blob")).count()
    };
    let bytes = usize::try_from(super::BESIDE_TABLES_BYTES_MIN).unwrap();
    let (small, large) = (vec![1; bytes / 2], vec![2; bytes * 100]);
    // What a log holds is in tables once the database is opened again.
    for (key, value, files) in [(b"small", &small, 0), (b"large", &large, 1)] {
        open(folder.path()).unwrap().commit(put(key, value)).await.unwrap();
        drop(open(folder.path()).unwrap());
        assert_eq!(beside(), files);
    }
    let engine = open(folder.path()).unwrap();
    assert_eq!(engine.get(b"small").await.unwrap().unwrap().value, small);
    let scanned = engine.scan((Bound::Unbounded, Bound::Unbounded), 10, Direction::Forward).await.unwrap();
    assert_eq!(scanned[0].1.value, large);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_was_emptied_is_walked_over_once() {
    let folder = tempfile::tempdir().unwrap();
    let keys: Vec<_> = (0..30_000u32).map(|number| number.to_be_bytes().to_vec()).collect();
    let all = keys.iter().map(|key| (key.clone(), b"queued".to_vec())).collect();
    // Once it is in tables.
    open(folder.path()).unwrap().commit(Batch { put: all, ..Batch::default() }).await.unwrap();
    let engine = open(folder.path()).unwrap();
    engine.commit(Batch { delete: keys, ..Batch::default() }).await.unwrap();
    let number = |property: &str| engine.database.property_int_value(property).unwrap().unwrap();
    let left = || {
        let tables = engine.database.property_value("rocksdb.aggregated-table-properties").unwrap().unwrap();
        let count = tables.split(';').find_map(|part| part.trim().strip_prefix("# deletions="));
        let in_memory = ["rocksdb.num-deletes-active-mem-table", "rocksdb.num-deletes-imm-mem-tables"];
        in_memory.map(number).iter().sum::<u64>() + count.unwrap().parse::<u64>().unwrap()
    };
    assert!(left() >= 30_000);
    for _ in 0..200 {
        let found = engine.scan((Bound::Unbounded, Bound::Unbounded), 1, Direction::Forward).await.unwrap();
        assert!(found.is_empty());
        // What is to be written is written beside a write.
        engine.commit(Batch { delete: vec![b"any".to_vec()], ..Batch::default() }).await.unwrap();
        if left() < 1_000 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{} rows stand for what was removed", left());
}

#[tokio::test]
async fn a_second_opening_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).unwrap();
    assert!(matches!(open(folder.path()), Err(Error::InUse)));
    drop(first);
    assert!(open(folder.path()).is_ok());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    assert!(matches!(open(&file.join("below")), Err(Error::Engine(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_one_group_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Arc::new(open(folder.path()).unwrap());
    // All expect the key to be absent: however they are grouped, one wins.
    let tasks: Vec<_> = (0..64u8)
        .map(|number| {
            let engine = engine.clone();
            let batch = Batch { expect: vec![(b"one".to_vec(), None)], ..put(b"one", &[number]) };
            tokio::spawn(async move { engine.commit(batch).await.unwrap() })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        won += usize::from(task.await.unwrap() == Outcome::Committed);
    }
    assert_eq!(won, 1);
    assert_eq!(engine.get(b"one").await.unwrap().unwrap().version, Version(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_is_told_once_and_ends_all_commits() {
    let folder = tempfile::tempdir().unwrap();
    let engine = open(folder.path()).unwrap();
    engine.commit(put(b"kept", b"1")).await.unwrap();
    let mut broken = tokio::spawn(engine.broken());
    tokio::time::timeout(Duration::from_millis(50), &mut broken).await.unwrap_err();
    // RocksDB writes on into the log that it has open, until it wants a new one.
    std::fs::remove_dir_all(folder.path()).unwrap();
    let value = vec![0; 4 << 20];
    let mut failed = None;
    for _ in 0..64 {
        failed = engine.commit(put(b"big", &value)).await.err();
        if failed.is_some() {
            break;
        }
    }
    assert!(matches!(failed, Some(Error::Engine(_))), "{failed:?}");
    tokio::time::timeout(Duration::from_secs(10), broken).await.unwrap().unwrap();
    assert!(matches!(engine.commit(put(b"small", b"2")).await, Err(Error::Engine(_))));
    assert_eq!(engine.get(b"kept").await.unwrap().unwrap().value, &b"1"[..]);
}

fn log_of(folder: &std::path::Path) -> std::path::PathBuf {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut logs: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|ending| ending == "log")).collect();
    logs.sort();
    logs.pop().unwrap()
}

#[tokio::test]
async fn damage_in_the_log_is_told_and_a_torn_end_is_none() {
    for damaged in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        {
            let engine = open(folder.path()).unwrap();
            for name in [b"one", b"two", b"six"] {
                engine.commit(put(name, &[b'x'; 400])).await.unwrap();
            }
        }
        let log = log_of(folder.path());
        let mut bytes = std::fs::read(&log).unwrap();
        if damaged {
            let at = bytes.windows(3).position(|window| window == b"two").unwrap();
            bytes[at + 50] ^= 1;
        } else {
            // In the middle of the last record: a crash before it was synced, and so before it was acknowledged.
            let at = bytes.windows(3).position(|window| window == b"six").unwrap();
            bytes.truncate(at + 50);
        }
        std::fs::write(&log, bytes).unwrap();
        match open(folder.path()) {
            Err(error) => assert!(damaged && matches!(error, Error::Corrupt { .. }), "{error:?}"),
            Ok(engine) => {
                assert!(!damaged);
                assert!(engine.get(b"two").await.unwrap().is_some());
                assert!(engine.get(b"six").await.unwrap().is_none());
            }
        }
    }
}
