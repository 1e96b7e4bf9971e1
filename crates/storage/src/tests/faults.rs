//! Pushes over a disk that fills up and a store that fails: what is acknowledged is there, and nothing else stays.

use std::collections::HashMap;

use super::doubles::{Faults, Fuse};
use super::world::{World, at, body, content, image, sha256, whole};
use crate::Error;

/// What a push was told, to be held against what is there in the end.
#[derive(Default)]
struct Acknowledged {
    blobs: HashMap<oci::Digest, Vec<u8>>,
    manifest: Option<oci::Digest>,
}

/// A whole push, each step tried until it is acknowledged, as a client does.
async fn push_stubbornly(world: &World) -> Acknowledged {
    let permit = world.push("acme/web").await;
    let mut acknowledged = Acknowledged::default();
    let (first, second) = (content(2_500_000, 1), content(1_300_000, 2));
    let (config, layer) = (content(300, 3), [first.clone(), second.clone()].concat());
    loop {
        if acknowledged.blobs.len() < 2 {
            let Ok(upload) = world.storage.start_upload(&permit, oci::Algorithm::Sha256, at(0)).await else {
                continue;
            };
            // In requests of their own, and resumed where the upload then stands.
            for _ in 0..6 {
                let Ok(stands) = world.storage.upload(&permit, upload.id, at(0)).await else { break };
                let rest = &layer[usize::try_from(stands.offset).unwrap()..];
                let some = &rest[..rest.len().min(first.len())];
                let _ = world.append(&permit, &stands, some).await;
            }
            if world.finish(&permit, &upload, &sha256(&layer)).await.is_ok() {
                acknowledged.blobs.insert(sha256(&layer), layer.clone());
            }
            let Ok(upload) = world.storage.start_upload(&permit, oci::Algorithm::Sha256, at(0)).await else {
                continue;
            };
            let (digest, length) = (sha256(&config), Some(config.len() as u64));
            let put = world.storage.finish(&permit, upload.id, &digest, None, length, body(&config), at(0));
            if put.await.is_ok() {
                acknowledged.blobs.insert(digest, config.clone());
            }
            continue;
        }
        let manifest = image((&sha256(&config), config.len()), &[(&sha256(&layer), layer.len())]);
        match world.manifest(&permit, &manifest, "latest", &[]).await {
            Ok(digest) => acknowledged.manifest = Some(digest),
            Err(_) => continue,
        }
        return acknowledged;
    }
}

/// Everything acknowledged is there; once it is deleted, nothing is left of it or of what failed.
async fn holds_and_lets_go(world: &World, acknowledged: &Acknowledged, what: &str) {
    let pull = world.pull("acme/web").await;
    for (digest, content) in &acknowledged.blobs {
        assert!(world.read(&pull, digest).await.unwrap() == *content, "{what}: {digest}");
    }
    let latest = oci::Reference::parse("latest").unwrap();
    let manifest = world.storage.manifest(&pull, &latest).await.unwrap();
    assert_eq!(Some(manifest.digest), acknowledged.manifest, "{what}");
    let bytes: u64 = acknowledged.blobs.values().map(|content| content.len() as u64).sum();
    let usage = world.storage.repository_usage(pull.owner(), pull.repository()).await.unwrap();
    assert_eq!((usage.manifests, usage.tags), (1, 1), "{what}");
    assert_eq!(usage.bytes, bytes + whole(manifest.body).len() as u64, "{what}");

    world.auth.delete_repository(&world.acme, pull.name(), at(1)).await.unwrap();
    world.tidy().await;
    assert_eq!(world.files(), 0, "{what}: files left");
    assert_eq!(world.keys().await, Vec::<Vec<u8>>::new(), "{what}: keys left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_loses_and_leaks_nothing() {
    type Pick = fn(&Faults) -> &Fuse;
    let picks: [(&str, Pick); 4] = [
        ("create", |faults| &faults.create),
        ("write", |faults| &faults.write),
        ("sync", |faults| &faults.sync),
        ("remove", |faults| &faults.remove),
    ];
    for (name, pick) in picks {
        let mut met = 0;
        for calls in 0..12 {
            let world = World::new().await;
            pick(world.places.faults()).set(calls);
            let acknowledged = push_stubbornly(&world).await;
            met += usize::from(pick(world.places.faults()).is_spent());
            pick(world.places.faults()).set(-1);
            holds_and_lets_go(&world, &acknowledged, &format!("{name} {calls}")).await;
        }
        assert!(
            name == "remove" || met >= 3,
            "{name} failed only {met} times: the test no longer reaches it"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_store_loses_and_leaks_nothing() {
    for calls in 0..24 {
        for unanswered in [false, true] {
            let world = World::new().await;
            world.push("acme/web").await;
            let fuse = if unanswered { &world.engine.unanswered } else { &world.engine.lost };
            fuse.set(calls);
            let acknowledged = push_stubbornly(&world).await;
            fuse.set(-1);
            let what = format!("commit {calls}, unanswered: {unanswered}");
            holds_and_lets_go(&world, &acknowledged, &what).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_faults_at_once_leave_the_upload_resumable() {
    // The write fails after a checkpoint, and so does the way back: the saved beginning must survive.
    let world = World::new().await;
    let permit = world.push("acme/web").await;
    let upload = world.start(&permit).await;
    let layer = content(4_000_000, 9);
    // A checkpoint is begun after each batch, and waited for by the next one.
    world.places.faults().write.set(2);
    // Epoch, two checkpoints, and then the way back.
    world.engine.lost.set(3);
    let error = world.append(&permit, &upload, &layer).await.unwrap_err();
    assert!(matches!(error, Error::NoSpace), "{error:?}");
    assert!(world.engine.lost.is_spent());
    let stands = world.storage.upload(&permit, upload.id, at(0)).await.unwrap();
    assert!(stands.offset > 1_000_000, "stands at {}", stands.offset);
    let rest = &layer[usize::try_from(stands.offset).unwrap()..];
    world.append(&permit, &stands, rest).await.unwrap();
    let digest = sha256(&layer);
    world.finish(&permit, &upload, &digest).await.unwrap();
    assert!(world.read(&world.pull("acme/web").await, &digest).await.unwrap() == layer);
}
