//! Blobs: who reaches them, and until when.

use std::sync::atomic::Ordering;

use auth::Action;
use futures::TryStreamExt;
use oci::{Algorithm, Digest};

use super::world::{World, at, body, content, image, sha256};
use crate::Error;

fn is_unknown<T: std::fmt::Debug>(answer: Result<T, Error>) {
    assert!(matches!(answer, Err(Error::BlobUnknown { .. })), "{answer:?}");
}

#[tokio::test]
async fn a_blob_is_reached_through_its_own_repository_alone() {
    let world = World::new().await;
    let digest = world.blob(&world.push("acme/web").await, b"secret").await;
    for name in ["acme/web2", "acme/we", "globex/web"] {
        let push = world.push(name).await;
        let (pull, delete) = (world.pull(name).await, world.delete(name).await);
        is_unknown(world.storage.stat_blob(&pull, &digest, at(0)).await);
        is_unknown(world.storage.open_blob(&pull, &digest, at(0)).await);
        is_unknown(world.storage.delete_blob(&delete, &digest, at(0)).await);
        is_unknown(world.storage.mount(&pull, &push, &digest, at(0)).await);
        let manifest = image((&digest, 6), &[]);
        let error = world.manifest(&push, &manifest, "latest", &[]).await.unwrap_err();
        assert!(matches!(error, Error::ManifestBlobsUnknown { .. }), "{error:?}");
    }
    let pull = world.pull("acme/web").await;
    assert_eq!(world.storage.stat_blob(&pull, &digest, at(0)).await.unwrap().size, 6);
}

#[tokio::test]
async fn a_small_blob_is_read_from_its_place_once_and_reached_as_any_other() {
    let world = World::new().await;
    let web = world.push("acme/web").await;
    world.push("globex/web").await;
    for (bytes, opened) in [(1, 1), (16 << 10, 1), ((16 << 10) + 1, 3)] {
        let small = content(bytes, 1);
        let digest = world.blob(&web, &small).await;
        let pull = world.pull("acme/web").await;
        let before = world.places.opened.load(Ordering::SeqCst);
        for _ in 0..3 {
            assert!(world.read(&pull, &digest).await.unwrap() == small);
        }
        assert_eq!(world.places.opened.load(Ordering::SeqCst) - before, opened, "{bytes} bytes");
        let blob = world.storage.open_blob(&pull, &digest, at(0)).await.unwrap();
        let part: Vec<_> = blob.read(bytes as u64 - 1..bytes as u64).try_collect().await.unwrap();
        assert_eq!(part.concat(), small[bytes - 1..]);
        is_unknown(world.storage.open_blob(&world.pull("globex/web").await, &digest, at(0)).await);
        world.storage.delete_blob(&world.delete("acme/web").await, &digest, at(0)).await.unwrap();
        is_unknown(world.storage.open_blob(&pull, &digest, at(0)).await);
    }
}

#[tokio::test]
async fn what_is_deleted_here_is_gone_here_though_others_have_it() {
    let world = World::new().await;
    let (web, other) = (world.push("acme/web").await, world.push("globex/web").await);
    let layer = content(100_000, 1);
    let digest = world.blob(&web, &layer).await;
    world.blob(&other, &layer).await;
    world.storage.delete_blob(&world.delete("acme/web").await, &digest, at(0)).await.unwrap();
    let pull = world.pull("acme/web").await;
    for _ in 0..2 {
        is_unknown(world.storage.stat_blob(&pull, &digest, at(0)).await);
        is_unknown(world.storage.open_blob(&pull, &digest, at(0)).await);
        is_unknown(world.storage.mount(&pull, &web, &digest, at(0)).await);
        is_unknown(world.storage.delete_blob(&world.delete("acme/web").await, &digest, at(0)).await);
        assert_eq!(world.storage.repository_usage(web.owner(), web.repository()).await.unwrap().bytes, 0);
        assert!(world.storage.mount_candidates(web.owner(), &digest, 10).await.unwrap().is_empty());
        // The others go on as if nothing had happened, also when they push it anew.
        world.blob(&other, &layer).await;
        world.tidy().await;
        assert!(world.read(&world.pull("globex/web").await, &digest).await.unwrap() == layer);
    }
}

#[tokio::test]
async fn a_mount_needs_the_source_and_is_independent_of_it() {
    let world = World::new().await;
    let (source, target) = (world.push("acme/web").await, world.push("other/copy").await);
    let digest = world.blob(&source, b"layer").await;
    let pull = world.pull("acme/web").await;
    for _ in 0..2 {
        assert_eq!(world.storage.mount(&pull, &target, &digest, at(0)).await.unwrap().size, 5);
    }
    assert_eq!(world.storage.mount(&pull, &source, &digest, at(0)).await.unwrap().size, 5);
    let mut candidates = world.storage.mount_candidates(source.owner(), &digest, 10).await.unwrap();
    candidates.sort();
    let mut expected = vec![source.repository(), target.repository()];
    expected.sort();
    assert_eq!(candidates, expected);
    assert_eq!(world.storage.mount_candidates(source.owner(), &digest, 1).await.unwrap().len(), 1);
    let globex = world.push("globex/web").await;
    assert!(world.storage.mount_candidates(globex.owner(), &digest, 10).await.unwrap().is_empty());

    world.storage.delete_blob(&world.delete("acme/web").await, &digest, at(0)).await.unwrap();
    world.tidy().await;
    assert_eq!(world.read(&world.pull("other/copy").await, &digest).await.unwrap(), b"layer");
    assert_eq!(world.storage.repository_usage(target.owner(), target.repository()).await.unwrap().bytes, 5);
}

#[tokio::test]
async fn a_look_by_who_may_push_renews_when_half_is_gone() {
    let world = World::new().await;
    let push = world.push("acme/web").await;
    let digest = world.blob(&push, b"layer").await;
    let owner = world.pull("acme/web").await;
    assert!(owner.allows_push());
    let globex = auth::AccountName::parse("globex").unwrap();
    let share = auth::NewShare {
        tags: auth::ShareTags::All,
        grantee: globex,
        end: auth::ShareEnd::Permanent,
        description: auth::Description::default(),
        notice_before: None,
        region: None,
    };
    world.auth.create_share(&world.acme, push.name(), share, at(0)).await.unwrap();
    let sharee = world.auth.authorize(&world.globex, push.name(), Action::Pull, at(0)).await.unwrap();
    assert!(!sharee.allows_push());

    let key = kv::Key::Link { repository: push.repository().raw(), digest: digest.raw() };
    let store = world.auth.store().clone();
    let version = async || store.get_bytes(key).await.unwrap().unwrap().version;
    let first = version().await;
    for (permit, hours, renews) in [
        (&owner, 12, false),
        (&sharee, 20, false),
        (&owner, 13, true),
        (&owner, 25, false),
        (&owner, 26, true),
    ] {
        let before = version().await;
        world.storage.stat_blob(permit, &digest, at(hours)).await.unwrap();
        assert_eq!(version().await != before, renews, "after {hours} hours");
    }
    world.storage.mount(&owner, &push, &digest, at(60)).await.unwrap();
    assert!(version().await > first);
}

#[tokio::test]
async fn a_blob_that_a_manifest_names_stays() {
    let world = World::new().await;
    let push = world.push("acme/web").await;
    let delete = world.delete("acme/web").await;
    let (config, layer) = (world.blob(&push, b"config").await, world.blob(&push, b"layer").await);
    let first = world.manifest(&push, &image((&config, 6), &[(&layer, 5)]), "a", &[]).await.unwrap();
    let second = world.manifest(&push, &image((&layer, 5), &[(&layer, 5)]), "b", &[]).await.unwrap();
    for (gone, free) in [(&first, &config), (&second, &layer)] {
        for digest in [&config, &layer] {
            let answer = world.storage.delete_blob(&delete, digest, at(0)).await;
            let referenced = matches!(answer, Err(Error::BlobReferenced { .. }));
            assert!(referenced || matches!(answer, Err(Error::BlobUnknown { .. })), "{answer:?}");
        }
        world.storage.delete_manifest(&delete, gone, at(0)).await.unwrap();
        world.storage.delete_blob(&delete, free, at(0)).await.unwrap();
    }
}

#[tokio::test]
async fn a_permit_for_another_action_is_refused() {
    let world = World::new().await;
    let push = world.push("acme/web").await;
    let digest = world.blob(&push, b"x").await;
    let upload = world.start(&push).await;
    let tag = oci::Tag::parse("latest").unwrap();
    let reference = oci::Reference::Tag(tag.clone());
    let new = || crate::NewManifest {
        content_type: super::world::IMAGE,
        body: "{}".into(),
        reference: reference.clone(),
        tags: vec![],
    };
    for action in [Action::Pull, Action::Push, Action::DeleteTag, Action::Delete, Action::Manage] {
        let permit = world.permit("acme/web", action).await;
        let (storage, permit) = (&world.storage, &permit);
        let answers = [
            (Action::Pull, storage.stat_blob(permit, &digest, at(0)).await.err()),
            (Action::Pull, storage.open_blob(permit, &digest, at(0)).await.err()),
            (Action::Pull, storage.manifest(permit, &reference).await.err()),
            (Action::Pull, storage.stat_manifest(permit, &reference).await.err()),
            (Action::Pull, storage.tags(permit, None, 1).await.err()),
            (Action::Pull, storage.tag_details(permit, None, 1).await.err()),
            (Action::Pull, storage.tag(permit, &tag).await.err()),
            (Action::Pull, storage.referrers(permit, &digest, None, None, 1).await.err()),
            (Action::Pull, storage.mount(permit, &push, &digest, at(0)).await.err()),
            (Action::Push, storage.mount(&world.pull("acme/web").await, permit, &digest, at(0)).await.err()),
            (Action::Push, storage.start_upload(permit, Algorithm::Sha256, at(0)).await.err()),
            (Action::Push, storage.upload(permit, upload.id, at(0)).await.err()),
            (Action::Push, world.append(permit, &upload, b"x").await.err()),
            (
                Action::Push,
                storage.finish(permit, upload.id, &sha256(b"?"), None, None, body(b"y"), at(0)).await.err(),
            ),
            (Action::Push, storage.put_manifest(permit, new(), at(0)).await.err()),
            (Action::Delete, storage.delete_manifest(permit, &sha256(b"?"), at(0)).await.err()),
            (Action::Delete, storage.delete_blob(permit, &sha256(b"?"), at(0)).await.err()),
        ];
        for (row, (needed, error)) in answers.into_iter().enumerate() {
            let refused = matches!(error, Some(Error::NotPermitted));
            assert_eq!(refused, needed != action, "row {row} with {action:?}: {error:?}");
        }
        let untagged = storage.delete_tag(permit, &tag, at(0)).await.unwrap_err();
        let may = matches!(action, Action::DeleteTag | Action::Delete);
        assert_eq!(matches!(untagged, Error::NotPermitted), !may, "{action:?}: {untagged:?}");
    }
}

#[tokio::test]
async fn bytes_that_are_lost_are_no_unknown_blob() {
    let world = World::new().await;
    // More than is kept in memory.
    let digest = world.blob(&world.push("acme/web").await, &content(20_000, 1)).await;
    let pull = world.pull("acme/web").await;
    let opened = world.storage.open_blob(&pull, &digest, at(0)).await.unwrap();
    for entry in walk(world.folder.path()) {
        std::fs::write(&entry, b"byt").unwrap();
        let short = world.read(&pull, &digest).await;
        assert!(matches!(short, Err(Error::Places(crate::PlaceError::Short))), "{short:?}");
        std::fs::remove_file(&entry).unwrap();
    }
    let lost = world.storage.open_blob(&pull, &digest, at(0)).await;
    assert!(matches!(lost, Err(Error::Places(crate::PlaceError::Absent))), "{lost:?}");
    drop(opened);
    let unheard_of = Digest::of(Algorithm::Sha512, b"bytes");
    is_unknown(world.storage.open_blob(&pull, &unheard_of, at(0)).await);
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[tokio::test]
async fn a_push_brings_back_bytes_that_were_lost() {
    for cut in [None, Some(3)] {
        let world = World::new().await;
        let web = world.push("acme/web").await;
        let digest = world.blob(&web, b"layer").await;
        world.harm_files(cut);
        let pull = world.pull("acme/web").await;
        assert!(world.read(&pull, &digest).await.is_err(), "{cut:?}");

        let other = world.push("globex/web").await;
        assert_eq!(world.blob(&other, b"layer").await, digest);
        for name in ["acme/web", "globex/web"] {
            let bytes = world.read(&world.pull(name).await, &digest).await.unwrap();
            assert_eq!(bytes, b"layer", "{name} {cut:?}");
        }
        world.tidy().await;
        assert_eq!(world.files(), 1, "nothing of what was lost stays");
    }
}
