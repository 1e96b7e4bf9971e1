//! How many blobs there are is known without counting them; what an older store kept otherwise is brought up to date.

use jiff::Timestamp;
use kv::{BlobTotal, Key, Usage};
use oci::Digest;

use super::world::{World, at, image, sha256};
use crate::BlobTotals;
use crate::blobs::{BlobRecord, BlobState};
use crate::usage::usage_key;

fn totals(blobs: u64, bytes: u64) -> BlobTotals {
    BlobTotals { blobs, bytes }
}

#[tokio::test]
async fn a_blob_is_counted_once_until_it_is_collected() {
    let world = World::new().await;
    let (web, copy) = (world.push("acme/web").await, world.push("acme/copy").await);
    assert_eq!(world.storage.blob_totals().await.unwrap(), totals(0, 0));
    let layer = world.blob(&web, b"layer").await;
    world.blob(&web, b"another one").await;
    world.blob(&copy, b"layer").await;
    world.storage.mount(&world.pull("acme/web").await, &copy, &layer, at(0)).await.unwrap();
    assert_eq!(world.storage.blob_totals().await.unwrap(), totals(2, 16));
    // Bytes that were lost come back, as the same blob.
    world.harm_files(None);
    world.blob(&copy, b"layer").await;
    assert_eq!(world.storage.blob_totals().await.unwrap(), totals(2, 16));

    for name in ["acme/web", "acme/copy"] {
        world.storage.delete_blob(&world.delete(name).await, &layer, at(0)).await.unwrap();
    }
    assert_eq!(world.storage.blob_totals().await.unwrap(), totals(2, 16), "it is there still");
    assert!(world.storage.candidates(100).await.unwrap() > 0);
    assert_eq!(world.storage.candidates(1).await.unwrap(), 1);
    let mut bytes = 0;
    for hour in 1..3 {
        bytes += world.storage.collect(at(hour), 100).await.unwrap().bytes;
    }
    assert_eq!((bytes, world.storage.blob_totals().await.unwrap()), (5, totals(1, 11)));
    assert_eq!(world.storage.candidates(100).await.unwrap(), 0);
}

#[tokio::test]
async fn a_store_that_never_counted_is_counted_once() {
    let world = World::new().await;
    let store = world.auth.store();
    let blobs = kv::SCAN_ENTRIES_MAX + 1;
    let mut before = store.transaction();
    for number in 0..blobs {
        let digest: Digest = sha256(&number.to_be_bytes());
        let record = BlobRecord {
            state: BlobState::Live,
            size: 3,
            segments: vec![],
            created_at: Timestamp::UNIX_EPOCH,
        };
        before.put(Key::Blob { digest: digest.raw() }, &record).unwrap();
    }
    store.commit(before).await.unwrap();
    let all = totals(blobs as u64, 3 * blobs as u64);
    world.storage.count_blobs_once().await.unwrap();
    assert_eq!(world.storage.blob_totals().await.unwrap(), all);
    world.storage.count_blobs_once().await.unwrap();
    assert_eq!(world.storage.blob_totals().await.unwrap(), all, "and not again");
}

#[tokio::test]
async fn a_store_without_blobs_is_counted_too() {
    let world = World::new().await;
    world.storage.count_blobs_once().await.unwrap();
    let counted = world.auth.store().counter(Key::BlobTotal { which: BlobTotal::Blobs }).await.unwrap();
    assert!(counted.0.is_some(), "so that no start counts what comes later");
    assert_eq!(world.storage.blob_totals().await.unwrap(), totals(0, 0));
}

#[tokio::test]
async fn what_an_older_store_says_of_its_repositories_is_moved_and_stays() {
    let world = World::new().await;
    let push = world.push("acme/web").await;
    let config = world.blob(&push, b"{}").await;
    world.manifest(&push, &image((&config, 2), &[]), "v1", &["v1"]).await.unwrap();
    let pull = world.pull("acme/web").await;
    let usage = async || world.storage.repository_usage(pull.owner(), pull.repository()).await.unwrap();
    let before = usage().await;
    assert_eq!((before.manifests, before.tags), (1, 1));
    let (store, id) = (world.auth.store(), pull.repository().raw());
    let mut older = store.transaction();
    for (at, which) in (1..).zip(Usage::ALL) {
        let key = usage_key(pull.owner(), pull.repository(), which);
        let entry = store.get_bytes(key).await.unwrap().unwrap();
        older.put_bytes(Key::FormerUsage { row: &former_row(id, at) }, entry.value.to_vec()).delete(key);
    }
    // More than are moved at once, of repositories that are gone.
    for gone in 1..=2_000 {
        let id = kv::Id::new(gone).unwrap();
        older.put_bytes(Key::FormerUsage { row: &former_row(id, 1) }, vec![0; 8]);
    }
    store.commit(older).await.unwrap();
    assert_ne!(usage().await, before);
    for _ in 0..2 {
        world.storage.move_usage_once().await.unwrap();
        assert_eq!(usage().await, before);
    }
    let left = store.list(Key::FormerUsage { row: &[] }.siblings(store.region()), 1).await.unwrap();
    assert!(left.is_empty());
}

fn former_row(repository: kv::Id, which: u8) -> Vec<u8> {
    [repository.get().to_be_bytes().as_slice(), &[which]].concat()
}
