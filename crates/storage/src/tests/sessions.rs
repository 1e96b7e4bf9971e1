//! Sessions of uploads: whose they are, how many, how long, and what happens to them at once.

use std::sync::atomic::Ordering;

use auth::Action;
use bytes::Bytes;
use futures::SinkExt;
use oci::Algorithm;

use super::world::{World, at, body, channel, content, offset, settings, sha256};
use crate::{Error, ExpiredUploads, Settings};

#[tokio::test]
async fn an_upload_is_known_to_its_owner_in_its_repository_alone() {
    let world = World::new().await;
    let mine = world.push("acme/web").await;
    let sibling = world.push("acme/web2").await;
    let theirs = world.push("globex/web").await;
    // A colleague, who may push to the same repository.
    let dev = auth::UserName::parse("dev").unwrap();
    let account = auth::AccountName::parse("acme").unwrap();
    let secret = auth::Secret::new("another password");
    world.auth.create_user(&world.acme, &account, &dev, Some(&secret), at(0)).await.unwrap();
    let target = auth::PermissionTarget::Repository(super::world::repository("acme/web"));
    world.auth.set_permission(&world.acme, &target, &dev, auth::Level::Edit, at(0)).await.unwrap();
    let dev = world.auth.authenticate("dev@acme", &secret, None, at(0)).await.unwrap();
    let colleague =
        world.auth.authorize(&dev, &super::world::repository("acme/web"), Action::Push, at(0)).await.unwrap();

    let upload = world.start(&mine).await;
    for stranger in [&sibling, &theirs, &colleague] {
        let storage = &world.storage;
        let answers = [
            storage.upload(stranger, upload.id, at(0)).await.map(|_| ()),
            world.append(stranger, &upload, b"x").await.map(|_| ()),
            world.finish(stranger, &upload, &sha256(b"")).await.map(|_| ()),
            storage
                .finish(stranger, upload.id, &sha256(b"x"), None, None, body(b"x"), at(0))
                .await
                .map(|_| ()),
            storage.cancel_upload(stranger, upload.id, at(0)).await,
        ];
        for answer in answers {
            assert!(matches!(answer, Err(Error::UploadUnknown)), "{answer:?}");
        }
    }
    assert_eq!(offset(&world, &mine, &upload).await, 0);
}

#[tokio::test]
async fn a_request_that_was_given_up_writes_nothing_under_its_retry() {
    let world = World::new().await;
    let permit = world.push("acme/web").await;
    let upload = world.start(&permit).await;
    for saved in [0_usize, 2] {
        let before = usize::try_from(offset(&world, &permit, &upload).await).unwrap();
        let (mut sender, receiver) = channel();
        let (storage, for_task) = (world.storage.clone(), permit.clone());
        let late =
            tokio::spawn(
                async move { storage.append(&for_task, upload.id, None, None, receiver, at(0)).await },
            );
        // Some checkpoints' worth, then nothing for a while.
        let chunk = content(1 << 20, 11);
        for _ in 0..saved {
            sender.send(Ok(Bytes::copy_from_slice(&chunk))).await.unwrap();
        }
        let stands = before + saved * chunk.len();
        while offset(&world, &permit, &upload).await < stands as u64 {
            tokio::task::yield_now().await;
        }
        // The late one has taken its epoch, at the latest when it waits for more.
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        world.append(&permit, &upload, b"retry").await.unwrap();
        let _ = sender.send(Ok(Bytes::from(vec![0; 1 << 20]))).await;
        drop(sender);
        let answer = late.await.unwrap();
        assert!(matches!(answer, Err(Error::Superseded)), "{answer:?}");
        assert_eq!(offset(&world, &permit, &upload).await, (stands + 5) as u64);
    }
    let chunk = content(1 << 20, 11);
    let whole = [b"retry".as_slice(), &chunk, &chunk, b"retry"].concat();
    world.finish(&permit, &upload, &sha256(&whole)).await.unwrap();
    assert!(world.read(&world.pull("acme/web").await, &sha256(&whole)).await.unwrap() == whole);
    world.tidy().await;
    assert_eq!(world.files(), 3, "the three places of the blob");
}

#[tokio::test]
async fn a_put_that_overtakes_a_patch_takes_care_of_its_place() {
    let world = World::with(Settings { checkpoint_bytes: 1 << 30, ..settings() }).await;
    let permit = world.push("acme/web").await;
    let upload = world.start(&permit).await;
    world.append(&permit, &upload, b"all of it").await.unwrap();
    let (mut sender, receiver) = channel();
    let (storage, for_task) = (world.storage.clone(), permit.clone());
    let late =
        tokio::spawn(async move { storage.append(&for_task, upload.id, None, None, receiver, at(0)).await });
    sender.send(Ok(Bytes::from(vec![0; 1 << 20]))).await.unwrap();
    while world.files() < 2 {
        tokio::task::yield_now().await;
    }
    world.finish(&permit, &upload, &sha256(b"all of it")).await.unwrap();
    // As if the process had died before the late request could clean up after itself.
    world.places.faults().remove.set(0);
    drop(sender);
    assert!(matches!(late.await.unwrap(), Err(Error::Superseded)));
    assert_eq!(world.files(), 2);
    world.tidy().await;
    assert_eq!(world.files(), 1);
}

#[tokio::test]
async fn uploads_end_and_leave_nothing() {
    let world = World::new().await;
    let permit = world.push("acme/web").await;
    let before = world.keys().await;
    let cancelled = world.start(&permit).await;
    world.append(&permit, &cancelled, b"some bytes").await.unwrap();
    world.storage.cancel_upload(&permit, cancelled.id, at(1)).await.unwrap();
    assert!(matches!(
        world.storage.cancel_upload(&permit, cancelled.id, at(1)).await,
        Err(Error::UploadUnknown)
    ));

    let forgotten = world.start(&permit).await;
    // A later request keeps it for another day.
    let kept = world.storage.append(&permit, forgotten.id, None, None, body(b"bytes"), at(20)).await.unwrap();
    assert_eq!(kept.expires_at, at(44));
    let expired = async |now| world.storage.expire_uploads(now, 10).await.unwrap();
    assert_eq!(expired(at(43)).await, ExpiredUploads::default());
    assert!(world.storage.upload(&permit, forgotten.id, at(43)).await.is_ok());
    assert!(matches!(world.storage.upload(&permit, forgotten.id, at(44)).await, Err(Error::UploadUnknown)));
    assert_eq!(expired(at(44)).await, ExpiredUploads { entries: 1, uploads: 1 });
    assert_eq!(expired(at(44)).await, ExpiredUploads::default());
    assert_eq!(world.files(), 2, "metadata first");
    world.tidy().await;
    assert_eq!(world.files(), 0);
    assert_eq!(world.keys().await, before);
}

#[tokio::test]
async fn an_account_has_so_many_uploads_open_and_no_more() {
    let world = World::with(Settings { uploads_per_account_max: 2, ..settings() }).await;
    let (permit, other) = (world.push("acme/web").await, world.push("other/web").await);
    let first = world.start(&permit).await;
    let second = world.start(&other).await;
    for permit in [&permit, &other] {
        let third = world.storage.start_upload(permit, Algorithm::Sha256, at(0)).await;
        assert!(matches!(third, Err(Error::TooManyUploads { max: 2 })));
    }
    world.start(&world.push("globex/web").await).await;
    world.storage.cancel_upload(&permit, first.id, at(0)).await.unwrap();
    world.start(&permit).await;
    world.finish(&other, &second, &sha256(b"")).await.unwrap();
    world.start(&permit).await;
    assert!(world.storage.start_upload(&permit, Algorithm::Sha256, at(0)).await.is_err());
    world.storage.expire_uploads(at(24), 10).await.unwrap();
    world.start(&permit).await;
}

#[tokio::test]
async fn an_upload_comes_in_so_many_requests_and_no_more() {
    let world = World::with(Settings { segments_per_upload_max: 2, ..settings() }).await;
    let permit = world.push("acme/web").await;
    let upload = world.start(&permit).await;
    for part in [b"a", b"b"] {
        world.append(&permit, &upload, part).await.unwrap();
    }
    assert!(matches!(world.append(&permit, &upload, b"c").await, Err(Error::TooManySegments { max: 2, .. })));
    world.finish(&permit, &upload, &sha256(b"ab")).await.unwrap();
}

#[tokio::test]
async fn an_upload_comes_in_many_requests_only_if_they_bring_much() {
    let world = World::with(Settings { segment_bytes_min: 10, ..settings() }).await;
    let permit = world.push("acme/web").await;
    // Ten bytes each are enough, however unevenly they come.
    let upload = world.start(&permit).await;
    let parts: Vec<Vec<u8>> =
        (0..150_u32).map(|part| content(if part == 0 { 1_500 } else { 1 }, part)).collect();
    for part in &parts {
        world.append(&permit, &upload, part).await.unwrap();
    }
    world.finish(&permit, &upload, &sha256(&parts.concat())).await.unwrap();

    let upload = world.start(&permit).await;
    for _ in 0..100 {
        world.append(&permit, &upload, b"nine byte").await.unwrap();
    }
    let all = b"nine byte".repeat(100);
    let more = world.append(&permit, &upload, &content(1_000, 1)).await.unwrap_err();
    assert!(matches!(more, Error::TooManySegments { bytes_min: 10, .. }), "{more:?}");
    assert!(more.to_string().contains("send larger chunks"), "{more}");
    let whole = [all.as_slice(), b"x"].concat();
    let put = world
        .storage
        .finish(&permit, upload.id, &sha256(&whole), None, Some(1), body(b"x"), at(0))
        .await
        .unwrap_err();
    assert!(matches!(put, Error::TooManySegments { .. }), "{put:?}");
    world.finish(&permit, &upload, &sha256(&all)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_stay_free_stays_free() {
    let world = World::with(Settings { free_bytes_min: 1_000, ..settings() }).await;
    let permit = world.push("acme/web").await;
    let upload = world.start(&permit).await;
    let set = |bytes| world.places.free_bytes.store(bytes, Ordering::SeqCst);
    set(2_000);
    let promising = world.storage.append(&permit, upload.id, None, Some(1_001), body(b""), at(0)).await;
    assert!(matches!(promising, Err(Error::NoSpace)));
    world
        .storage
        .append(&permit, upload.id, None, Some(1_000), body(&content(1_000, 1)), at(0))
        .await
        .unwrap();
    // Without a promise it is noticed at the checkpoint.
    let (mut sender, receiver) = channel();
    let (storage, for_task) = (world.storage.clone(), permit.clone());
    let request =
        tokio::spawn(async move { storage.append(&for_task, upload.id, None, None, receiver, at(0)).await });
    sender.send(Ok(Bytes::from(vec![0; 2 << 20]))).await.unwrap();
    while offset(&world, &permit, &upload).await == 1_000 {
        tokio::task::yield_now().await;
    }
    set(999);
    let _ = sender.send(Ok(Bytes::from(vec![0; 2 << 20]))).await;
    let _ = sender.send(Ok(Bytes::from(vec![0; 2 << 20]))).await;
    drop(sender);
    assert!(matches!(request.await.unwrap(), Err(Error::NoSpace)));
    assert_eq!(offset(&world, &permit, &upload).await, 1_000);
    assert_eq!(world.files(), 1);
    assert!(matches!(
        world.storage.start_upload(&permit, Algorithm::Sha256, at(0)).await,
        Err(Error::NoSpace)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_finish_the_same_blob_at_once() {
    let world = World::new().await;
    let layer = content(300_000, 12);
    let digest = sha256(&layer);
    let mut pushes = Vec::new();
    for number in 0..16 {
        // Two in each repository, eight repositories.
        let permit = world.push(&format!("acme/r{}", number / 2)).await;
        let upload = world.start(&permit).await;
        let (storage, digest, layer) = (world.storage.clone(), digest.clone(), layer.clone());
        pushes.push(tokio::spawn(async move {
            storage.finish(&permit, upload.id, &digest, None, None, body(&layer), at(0)).await
        }));
    }
    for push in pushes {
        assert_eq!(push.await.unwrap().unwrap().size, 300_000);
    }
    for number in 0..8 {
        let pull = world.pull(&format!("acme/r{number}")).await;
        assert!(world.read(&pull, &digest).await.unwrap() == layer);
        assert_eq!(
            world.storage.repository_usage(pull.owner(), pull.repository()).await.unwrap().bytes,
            300_000
        );
    }
    assert_eq!(world.files(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_enters_a_repository_that_is_deleted_meanwhile() {
    let world = World::new().await;
    let permit = world.push("acme/web").await;
    let upload = world.start(&permit).await;
    let (mut sender, receiver) = channel();
    let (storage, for_task, digest) = (world.storage.clone(), permit.clone(), sha256(b"bytes"));
    let put = tokio::spawn(async move {
        storage.finish(&for_task, upload.id, &digest, None, None, receiver, at(0)).await
    });
    sender.send(Ok(Bytes::from_static(b"bytes"))).await.unwrap();
    world.auth.delete_repository(&world.acme, permit.name(), at(0)).await.unwrap();
    drop(sender);
    assert!(matches!(put.await.unwrap(), Err(Error::RepositoryGone)));
    let start = world.storage.start_upload(&permit, Algorithm::Sha256, at(0)).await;
    assert!(matches!(start, Err(Error::RepositoryGone)));
    world.tidy().await;
    assert_eq!((world.files(), world.keys().await.len()), (0, 0));
}
