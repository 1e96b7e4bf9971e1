//! Reaping and collection: nothing stays that nothing needs, and nothing goes that something does.

use kv::Key;
use oci::Digest;

use super::world::{World, at, body, content, image, image_with, index, settings, sha256};
use crate::Settings;
use crate::blobs::{BlobRecord, BlobState};

/// A repository with everything that a repository can hold.
async fn fill(world: &World, name: &str) {
    let push = world.push(name).await;
    let layer = content(70_000, 1);
    let (config, layer) = (world.blob(&push, name.as_bytes()).await, world.blob(&push, &layer).await);
    let manifest = image((&config, name.len()), &[(&layer, 70_000)]);
    let digest = world.manifest(&push, &manifest, "latest", &["a", "b", "c"]).await.unwrap();
    world
        .manifest(&push, &index(&[(&digest, manifest.len()), (&sha256(b"missing"), 7)]), "multi", &[])
        .await
        .unwrap();
    for number in 0..40 {
        let subject = super::world::descriptor(super::world::IMAGE, &digest, manifest.len());
        let more = format!(r#","subject":{subject},"annotations":{{"n":"{number}"}}"#);
        let signature = image_with((&config, name.len()), &[], &more);
        world.manifest(&push, &signature, &sha256(signature.as_bytes()).to_string(), &[]).await.unwrap();
    }
    let upload = world.start(&push).await;
    world.append(&push, &upload, b"unfinished").await.unwrap();
}

#[tokio::test]
async fn a_deleted_repository_leaves_neither_key_nor_file() {
    let world = World::with(Settings { reap_batch_entries: 7, ..settings() }).await;
    fill(&world, "acme/web").await;
    fill(&world, "globex/web").await;
    let files = world.files();
    let keys = world.keys().await.len();
    let permit = world.push("acme/web").await;
    world.auth.delete_repository(&world.acme, permit.name(), at(1)).await.unwrap();
    // The name is free at once, and what is made under it is another repository.
    let anew = world.push("acme/web").await;
    world.blob(&anew, b"new").await;
    world.tidy().await;
    let pull = world.pull("globex/web").await;
    assert!(world.read(&pull, &sha256(&content(70_000, 1))).await.unwrap().len() == 70_000);
    assert_eq!(world.read(&world.pull("acme/web").await, &sha256(b"new")).await.unwrap(), b"new");
    assert!(world.files() < files && world.keys().await.len() < keys);

    world.auth.delete_repository(&world.acme, permit.name(), at(1)).await.unwrap();
    world.auth.delete_repository(&world.globex, pull.name(), at(1)).await.unwrap();
    world.tidy().await;
    assert_eq!(world.keys().await, Vec::<Vec<u8>>::new());
    assert_eq!(world.files(), 0);
    let reaped = world.storage.reap(&world.auth, at(60)).await.unwrap();
    assert_eq!(reaped, crate::Reaped::default());
}

#[tokio::test]
async fn a_large_repository_is_emptied_over_several_calls() {
    let world = World::with(Settings { reap_batch_entries: 1, ..settings() }).await;
    fill(&world, "acme/web").await;
    let permit = world.push("acme/web").await;
    world.auth.delete_repository(&world.acme, permit.name(), at(1)).await.unwrap();
    let mut calls = 1;
    while world.storage.reap(&world.auth, at(1)).await.unwrap().more {
        calls += 1;
    }
    assert!(calls > 1);
}

#[tokio::test]
async fn one_place_that_cannot_be_removed_keeps_nothing_else() {
    let world = World::new().await;
    let push = world.push("acme/web").await;
    for _ in 0..3 {
        let upload = world.start(&push).await;
        world.append(&push, &upload, b"bytes").await.unwrap();
        world.storage.cancel_upload(&push, upload.id, at(0)).await.unwrap();
    }
    world.places.faults().remove.set(0);
    assert_eq!(world.storage.reap(&world.auth, at(1)).await.unwrap().places, 2);
    assert_eq!(world.files(), 1);
    assert_eq!(world.storage.reap(&world.auth, at(1)).await.unwrap().places, 1);
    assert_eq!(world.files(), 0);
}

/// As a collector leaves a blob that has looked for links once.
async fn condemn(world: &World, digest: &Digest) {
    let store = world.auth.store();
    let key = Key::Blob { digest: digest.raw() };
    let found = store.get::<BlobRecord>(key).await.unwrap().unwrap();
    let mut verdict = store.transaction();
    verdict.put(key, &BlobRecord { state: BlobState::Condemned, ..found.value }).unwrap();
    store.commit(verdict).await.unwrap();
}

async fn state(world: &World, digest: &Digest) -> Option<BlobState> {
    let key = Key::Blob { digest: digest.raw() };
    let found = world.auth.store().get::<BlobRecord>(key).await.unwrap();
    found.map(|found| found.value.state)
}

#[tokio::test]
async fn a_condemned_blob_is_revived_by_a_link_or_collected() {
    let world = World::new().await;
    let (web, copy) = (world.push("acme/web").await, world.push("acme/copy").await);
    let digest = world.blob(&web, b"layer").await;
    // By a mount.
    condemn(&world, &digest).await;
    world.storage.mount(&world.pull("acme/web").await, &copy, &digest, at(0)).await.unwrap();
    assert_eq!(state(&world, &digest).await, Some(BlobState::Live));
    // By another upload, whose own bytes are not needed.
    for name in ["acme/web", "acme/copy"] {
        world.storage.delete_blob(&world.delete(name).await, &digest, at(0)).await.unwrap();
    }
    condemn(&world, &digest).await;
    world.blob(&web, b"layer").await;
    assert_eq!((state(&world, &digest).await, world.files()), (Some(BlobState::Live), 1));
    // What the removed links left in the queue takes nothing from it.
    assert_eq!(world.storage.collect(at(1), 100).await.unwrap().blobs, 0);
    assert_eq!(world.read(&world.pull("acme/web").await, &digest).await.unwrap(), b"layer");
    // Nothing.
    world.storage.delete_blob(&world.delete("acme/web").await, &digest, at(1)).await.unwrap();
    assert_eq!(world.storage.collect(at(1), 100).await.unwrap().blobs, 1);
    assert_eq!((state(&world, &digest).await, world.files()), (None, 0));
    assert_eq!(world.storage.collect(at(1), 100).await.unwrap().candidates, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_is_pushed_and_deleted_and_collected_at_once() {
    let world = World::new().await;
    let layer = content(5_000, 3);
    let digest = sha256(&layer);
    let collector = tokio::spawn({
        let storage = world.storage.clone();
        async move {
            for _ in 0..3_000 {
                storage.collect(at(1), 100).await.unwrap();
                tokio::task::yield_now().await;
            }
        }
    });
    let mut pushers = Vec::new();
    for number in 0..3 {
        let name = format!("acme/r{number}");
        let (push, pull, delete) =
            (world.push(&name).await, world.pull(&name).await, world.delete(&name).await);
        let (storage, layer, digest) = (world.storage.clone(), layer.clone(), digest.clone());
        pushers.push(tokio::spawn(async move {
            for _ in 0..60 {
                let upload = storage.start_upload(&push, oci::Algorithm::Sha256, at(0)).await.unwrap();
                storage.finish(&push, upload.id, &digest, None, None, body(&layer), at(0)).await.unwrap();
                // Acknowledged, so it must be there, whoever else lets go of it.
                let read = super::world::read(&storage, &pull, &digest).await.unwrap();
                assert!(read == layer);
                storage.delete_blob(&delete, &digest, at(0)).await.unwrap();
            }
        }));
    }
    for pusher in pushers {
        pusher.await.unwrap();
    }
    collector.await.unwrap();
    world.tidy().await;
    assert_eq!(world.files(), 0);
    assert_eq!(state(&world, &digest).await, None);
}
