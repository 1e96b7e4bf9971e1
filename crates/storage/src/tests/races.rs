//! Two operations at once, one of them done whole between the reads and a commit of the other, for each of its commits.

use oci::{Digest, Reference};

use super::world::{World, at, body, image, index, sha256};
use crate::{Error, RepositoryUsage};

/// More commits than any operation here has.
const COMMITS_MAX: i64 = 12;
/// More reads than a deletion has.
const READS_MAX: i64 = 40;

async fn usage(world: &World, name: &str) -> RepositoryUsage {
    let pull = world.pull(name).await;
    world.storage.repository_usage(pull.owner(), pull.repository()).await.unwrap()
}

/// A blob by a PATCH and a PUT, a manifest that names it, and an index that needs nothing that is here.
async fn push(world: &World, permit: &auth::Permit, content: &[u8]) -> Result<Digest, Error> {
    let upload = world.storage.start_upload(permit, oci::Algorithm::Sha256, at(0)).await?;
    world.append(permit, &upload, content).await?;
    world.finish(permit, &upload, &sha256(content)).await?;
    world.manifest(permit, &image((&sha256(content), content.len()), &[]), "latest", &["v1"]).await?;
    world.manifest(permit, &index(&[(&sha256(b"missing"), 7)]), "multi", &[]).await
}

#[tokio::test]
async fn nothing_enters_a_repository_that_was_deleted_and_emptied() {
    for commit in 0..COMMITS_MAX {
        let world = World::new().await;
        let permit = world.push("acme/web").await;
        let deletion = async {
            world.auth.delete_repository(&world.acme, permit.name(), at(0)).await.unwrap();
            // Without the end of uploads, which would refuse some of what follows for its own reasons.
            world.storage.reap(&world.auth, at(1)).await.unwrap();
            world.storage.collect(at(1), 10).await.unwrap();
        };
        let (pushed, deleted) = world.engine.between(commit, push(&world, &permit, b"layer"), deletion).await;
        if deleted.is_none() {
            pushed.unwrap();
            assert!(commit >= 5, "a push has fewer commits than it should: {commit}");
            return;
        }
        assert!(matches!(pushed, Err(Error::RepositoryGone)), "commit {commit}: {pushed:?}");
        world.tidy().await;
        assert_eq!(world.keys().await, Vec::<Vec<u8>>::new(), "commit {commit}");
        assert_eq!(world.files(), 0, "commit {commit}");
    }
    panic!("a push has more commits than {COMMITS_MAX}");
}

#[tokio::test]
async fn a_blob_that_is_linked_while_it_is_collected_stays() {
    for mounts in [false, true] {
        for commit in 0..COMMITS_MAX {
            let world = World::new().await;
            let (web, copy) = (world.push("acme/web").await, world.push("acme/copy").await);
            let digest = world.blob(&web, b"layer").await;
            let (pull, delete) = (world.pull("acme/web").await, world.delete("acme/web").await);
            let linking = async {
                if mounts {
                    return world.storage.mount(&pull, &copy, &digest, at(0)).await.map(|_| ());
                }
                let upload = world.start(&copy).await;
                let put = world.storage.finish(&copy, upload.id, &digest, None, None, body(b"layer"), at(0));
                put.await.map(|_| ())
            };
            let collection = async {
                world.storage.delete_blob(&delete, &digest, at(0)).await.unwrap();
                world.storage.collect(at(1), 10).await.unwrap();
            };
            let (linked, collected) = world.engine.between(commit, linking, collection).await;
            let copied = world.read(&world.pull("acme/copy").await, &digest).await;
            match linked {
                Ok(()) => assert_eq!(copied.unwrap(), b"layer"),
                Err(Error::BlobUnknown { .. }) if mounts && commit == 0 => assert!(copied.is_err()),
                Err(other) => panic!("{other:?}"),
            }
            world.tidy().await;
            if collected.is_none() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn a_blob_that_is_collected_while_it_is_linked_stays() {
    for commit in 0..COMMITS_MAX {
        let world = World::new().await;
        let (web, copy) = (world.push("acme/web").await, world.push("acme/copy").await);
        let digest = world.blob(&web, b"layer").await;
        world.storage.delete_blob(&world.delete("acme/web").await, &digest, at(0)).await.unwrap();
        let linking = world.blob(&copy, b"layer");
        let (collected, linked) =
            world.engine.between(commit, world.storage.collect(at(1), 10), linking).await;
        collected.unwrap();
        if linked.is_none() {
            assert!(commit >= 2, "condemned and deleted");
            return;
        }
        assert_eq!(world.read(&world.pull("acme/copy").await, &digest).await.unwrap(), b"layer");
    }
    panic!("more commits than {COMMITS_MAX}");
}

#[tokio::test]
async fn a_push_and_the_deletion_of_its_blob_never_both_succeed() {
    for push_first in [false, true] {
        let world = World::new().await;
        let (push, delete) = (world.push("acme/web").await, world.delete("acme/web").await);
        let layer = world.blob(&push, b"layer").await;
        let manifest = image((&layer, 5), &[]);
        let put = world.manifest(&push, &manifest, "latest", &[]);
        let deletion = world.storage.delete_blob(&delete, &layer, at(0));
        let (put, deleted) = if push_first {
            let (put, deleted) = world.engine.between(0, put, deletion).await;
            (put, deleted.unwrap())
        } else {
            let (deleted, put) = world.engine.between(0, deletion, put).await;
            (put.unwrap(), deleted)
        };
        // Whoever commits first wins, and the other notices.
        match (push_first, put, deleted) {
            (true, Err(Error::ManifestBlobsUnknown { .. }), Ok(())) => {}
            (false, Ok(_), Err(Error::BlobReferenced { .. })) => {
                world.read(&world.pull("acme/web").await, &layer).await.unwrap();
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_tag_that_is_moved_twice_at_once_is_one_tag() {
    let world = World::new().await;
    let push = world.push("acme/web").await;
    let layer = world.blob(&push, b"layer").await;
    let manifests = [&[][..], &[(&layer, 5)], &[(&layer, 5), (&layer, 5)]];
    let [first, second, third] = manifests.map(|layers| image((&layer, 5), layers));
    let tag = oci::Tag::parse("latest").unwrap();
    for (before, one, other) in [(None, &first, &second), (Some(&first), &second, &third)] {
        if let Some(before) = before {
            world.manifest(&push, before, "latest", &[]).await.unwrap();
        }
        let (one, other) =
            (world.manifest(&push, one, "latest", &[]), world.manifest(&push, other, "latest", &[]));
        let (last, earlier) = world.engine.between(0, one, other).await;
        let (last, earlier) = (last.unwrap(), earlier.unwrap().unwrap());
        let found = world.storage.tag(&world.pull("acme/web").await, &tag).await.unwrap();
        assert_eq!(found.digest, last);
        assert_eq!(usage(&world, "acme/web").await.tags, 1);
        // The manifest it named for a moment does not take the tag along.
        world.storage.delete_manifest(&world.delete("acme/web").await, &earlier, at(0)).await.unwrap();
        assert_eq!(world.storage.tag(&world.pull("acme/web").await, &tag).await.unwrap().digest, last);
        world.storage.delete_manifest(&world.delete("acme/web").await, &last, at(0)).await.unwrap();
        assert_eq!(usage(&world, "acme/web").await.tags, 0);
    }
}

#[tokio::test]
async fn a_manifest_that_is_tagged_while_it_is_deleted_leaves_no_dangling_tag() {
    let world = World::new().await;
    let (push, delete, pull) =
        (world.push("acme/web").await, world.delete("acme/web").await, world.pull("acme/web").await);
    let layer = world.blob(&push, b"layer").await;
    let manifest = image((&layer, 5), &[]);
    let digest = world.manifest(&push, &manifest, "latest", &[]).await.unwrap();
    let reference = |tag: &str| Reference::parse(tag).unwrap();

    let tagging = world.manifest(&push, &manifest, "more", &[]);
    let deletion = world.storage.delete_manifest(&delete, &digest, at(0));
    let (deleted, tagged) = world.engine.between(0, deletion, tagging).await;
    deleted.unwrap();
    tagged.unwrap().unwrap();
    assert_eq!(world.storage.tags(&pull, None, 10).await.unwrap().items, Vec::<String>::new());
    let found = usage(&world, "acme/web").await;
    assert_eq!((found.manifests, found.tags, found.bytes), (0, 0, 5));

    world.manifest(&push, &manifest, "latest", &[]).await.unwrap();
    let tagging = world.manifest(&push, &manifest, "more", &[]);
    let deletion = world.storage.delete_manifest(&delete, &digest, at(0));
    let (tagged, deleted) = world.engine.between(0, tagging, deletion).await;
    tagged.unwrap();
    deleted.unwrap().unwrap();
    // Pushed after the deletion, and so whole again.
    assert_eq!(world.storage.manifest(&pull, &reference("more")).await.unwrap().digest, digest);
    assert!(matches!(world.storage.manifest(&pull, &reference("latest")).await, Err(Error::ManifestUnknown)));
    let kept = world.storage.delete_blob(&delete, &layer, at(0)).await;
    assert!(matches!(kept, Err(Error::BlobReferenced { .. })));
}

#[tokio::test]
async fn counts_that_are_taken_away_between_two_reads_of_a_deletion_are_no_defect() {
    for deletes_repository in [false, true] {
        for read in 0..READS_MAX {
            let world = World::new().await;
            let (push, delete) = (world.push("acme/web").await, world.delete("acme/web").await);
            let layer = world.blob(&push, b"layer").await;
            let digest = world.manifest(&push, &image((&layer, 5), &[]), "v1", &["v2"]).await.unwrap();
            world.share_with("globex", "acme/web", &["v*"]).await.unwrap();
            world.storage.count_shared_tags(push.repository()).await.unwrap();
            let reaping = async {
                if deletes_repository {
                    world.auth.delete_repository(&world.acme, push.name(), at(0)).await.unwrap();
                } else {
                    world.revoke("globex", "acme/web").await.unwrap();
                }
                world.tidy().await;
            };
            let deletion = world.storage.delete_manifest(&delete, &digest, at(0));
            let (deleted, reaped) = world.engine.before_read(read, deletion, reaping).await;
            match deleted {
                Ok(()) => {}
                Err(Error::RepositoryGone | Error::ManifestUnknown) if deletes_repository => {}
                other => panic!("deletes {deletes_repository}, read {read}: {other:?}"),
            }
            if reaped.is_none() {
                assert!(read >= 8, "a deletion has fewer reads than it should: {read}");
                break;
            }
            assert!(read + 1 < READS_MAX, "a deletion has more reads than {READS_MAX}");
            assert_eq!(world.shared_keys().await, Vec::<Vec<u8>>::new(), "read {read}");
        }
    }
}
