use std::sync::Arc;

use super::RocksDb;
use crate::{Batch, Engine, Error, Outcome, Version};

fn put(key: &[u8], value: &[u8]) -> Batch {
    Batch { put: vec![(key.to_vec(), value.to_vec())], ..Batch::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract() {
    let folders = tempfile::tempdir().unwrap();
    let count = std::sync::atomic::AtomicUsize::new(0);
    crate::suite::run(|| async {
        let number = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Arc::new(RocksDb::open(&folders.path().join(number.to_string())).unwrap())
    })
    .await;
}

#[tokio::test]
async fn versions_go_on_after_a_restart_even_those_of_removed_keys() {
    let folder = tempfile::tempdir().unwrap();
    let before = {
        let engine = RocksDb::open(folder.path()).unwrap();
        engine.commit(put(b"kept", b"1")).await.unwrap();
        engine.commit(put(b"gone", b"2")).await.unwrap();
        let before = engine.get(b"gone").await.unwrap().unwrap().version;
        engine.commit(Batch { delete: vec![b"gone".to_vec()], ..Batch::default() }).await.unwrap();
        before
    };
    let engine = RocksDb::open(folder.path()).unwrap();
    assert_eq!(engine.get(b"kept").await.unwrap().unwrap().value, b"1");
    assert_eq!(engine.get(b"gone").await.unwrap(), None);
    engine.commit(put(b"gone", b"3")).await.unwrap();
    assert!(engine.get(b"gone").await.unwrap().unwrap().version > before);
    let stale = Batch { expect: vec![(b"gone".to_vec(), Some(before))], ..put(b"gone", b"4") };
    assert_eq!(engine.commit(stale).await.unwrap(), Outcome::Conflict);
}

#[tokio::test]
async fn a_second_opening_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = RocksDb::open(folder.path()).unwrap();
    assert!(matches!(RocksDb::open(folder.path()), Err(Error::InUse)));
    drop(first);
    assert!(RocksDb::open(folder.path()).is_ok());
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, b"").unwrap();
    assert!(matches!(RocksDb::open(&file.join("below")), Err(Error::Engine(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_one_group_see_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Arc::new(RocksDb::open(folder.path()).unwrap());
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
