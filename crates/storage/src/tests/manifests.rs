//! Manifests and their tags.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use oci::{Algorithm, Digest, Reference, Tag};

use super::world::{IMAGE, World, at, descriptor, image, image_with, index, settings, sha256, whole};
use crate::{Error, ManifestBody, NewManifest, RepositoryUsage, Settings, TagCopy};

fn reference(text: &str) -> Reference {
    Reference::parse(text).unwrap()
}

async fn usage(world: &World, name: &str) -> RepositoryUsage {
    let pull = world.pull(name).await;
    world.storage.repository_usage(pull.owner(), pull.repository()).await.unwrap()
}

#[tokio::test]
async fn comes_back_byte_for_byte_by_tag_and_by_digest() {
    let world = World::new().await;
    let push = world.push("acme/web").await;
    let config = world.blob(&push, b"{}").await;
    let spaced = image((&config, 2), &[]).replace(',', " ,\n ");
    let digest = world.manifest(&push, &spaced, "v1", &["v1.0", "v1"]).await.unwrap();
    assert_eq!(digest, sha256(spaced.as_bytes()));
    let pull = world.pull("acme/web").await;
    for name in ["v1", "v1.0", &digest.to_string()] {
        let found = world.storage.manifest(&pull, &reference(name)).await.unwrap();
        assert_eq!(
            (whole(found.body), found.media_type.as_str(), &found.digest),
            (spaced.clone().into(), IMAGE, &digest)
        );
        let stat = world.storage.stat_manifest(&pull, &reference(name)).await.unwrap();
        assert_eq!((stat.size, stat.digest), (spaced.len() as u64, digest.clone()));
    }
    for name in ["v2", &config.to_string()] {
        assert!(matches!(world.storage.manifest(&pull, &reference(name)).await, Err(Error::ManifestUnknown)));
        assert!(matches!(
            world.storage.stat_manifest(&pull, &reference(name)).await,
            Err(Error::ManifestUnknown)
        ));
    }
    world.push("acme/web2").await;
    let sibling = world.storage.manifest(&world.pull("acme/web2").await, &Reference::Digest(digest)).await;
    assert!(matches!(sibling, Err(Error::ManifestUnknown)));
}

#[tokio::test]
async fn a_digest_is_held_to_in_either_algorithm() {
    let world = World::new().await;
    let push = world.push("acme/web").await;
    let config = world.blob(&push, b"{}").await;
    let manifest = image((&config, 2), &[]);
    let sha512 = Digest::of(Algorithm::Sha512, manifest.as_bytes());
    assert_eq!(world.manifest(&push, &manifest, &sha512.to_string(), &["big"]).await.unwrap(), sha512);
    let found = world.storage.manifest(&world.pull("acme/web").await, &reference("big")).await.unwrap();
    assert_eq!(found.digest, sha512);
    let wrong = world.manifest(&push, &manifest, &sha256(b"other").to_string(), &["big"]).await.unwrap_err();
    assert!(
        matches!(&wrong, Error::DigestMismatch { actual, .. } if **actual == sha256(manifest.as_bytes()))
    );
}

#[tokio::test]
async fn what_breaks_a_rule_is_refused_and_changes_nothing() {
    let world = World::with(Settings { manifest_bytes_max: 2_000, tags_per_push_max: 3, ..settings() }).await;
    let push = world.push("acme/web").await;
    let config = world.blob(&push, b"{}").await;
    let before = world.keys().await;
    let manifest = image((&config, 2), &[]);
    let large = format!("{manifest}{}", " ".repeat(2_000));
    assert!(matches!(world.manifest(&push, &large, "a", &[]).await, Err(Error::TooLarge { max: 2_000 })));
    let many = world.manifest(&push, &manifest, "a", &["b", "c", "d"]).await;
    assert!(matches!(many, Err(Error::TooManyTags { max: 3 })));
    for (content_type, body) in [
        (super::world::INDEX, manifest.as_str()),
        (IMAGE, "{}"),
        (IMAGE, "not JSON"),
        ("text/plain", &manifest),
    ] {
        let new = NewManifest {
            content_type,
            body: Bytes::copy_from_slice(body.as_bytes()),
            reference: reference("a"),
            tags: vec![],
        };
        let checked = world.storage.check_manifest(&new).await;
        let answer = world.storage.put_manifest(&push, new, at(0)).await;
        for answer in [checked, answer.map(|_| ())] {
            assert!(matches!(answer, Err(Error::ManifestInvalid(_))), "{content_type} {body}");
        }
    }
    let missing = [sha256(b"one"), sha256(b"two")];
    let layers = [(&missing[0], 3), (&config, 2), (&missing[1], 3), (&missing[0], 3)];
    let error = world.manifest(&push, &image((&missing[1], 3), &layers), "a", &[]).await.unwrap_err();
    let Error::ManifestBlobsUnknown { digests } = error else { panic!("{error:?}") };
    let mut expected = missing.to_vec();
    expected.sort();
    assert_eq!(digests, expected, "all of them, each once");
    assert_eq!(world.keys().await, before);
    world.manifest(&push, &manifest, "a", &["b", "c", "a"]).await.unwrap();
}

#[tokio::test]
async fn a_blob_is_as_long_as_the_manifest_says() {
    for sparse_images in [false, true] {
        let world = World::with(Settings { sparse_images, ..settings() }).await;
        let push = world.push("acme/web").await;
        let (config, layer) = (world.blob(&push, b"config").await, world.blob(&push, b"layer").await);
        let before = world.keys().await;
        for (manifest, digest, said, actual) in [
            (image((&config, 7), &[(&layer, 5)]), &config, 7, 6),
            (image((&config, 6), &[(&layer, 4)]), &layer, 4, 5),
            (image((&config, 6), &[(&layer, 5), (&layer, 0)]), &layer, 0, 5),
            (image((&config, 6), &[(&layer, 0), (&layer, 5)]), &layer, 0, 5),
        ] {
            let error = world.manifest(&push, &manifest, "v1", &[]).await.unwrap_err();
            let expected =
                format!("the manifest says that blob {digest} has {said} bytes, but it has {actual}");
            assert_eq!(error.to_string(), expected);
            assert!(matches!(error, Error::BlobSizeMismatch { .. }));
        }
        assert_eq!(world.keys().await, before);
        world.manifest(&push, &image((&config, 6), &[(&layer, 5)]), "v1", &[]).await.unwrap();
    }
}

#[tokio::test]
async fn some_content_may_be_missing() {
    let world = World::new().await;
    let push = world.push("acme/web").await;
    let delete = world.delete("acme/web").await;
    let config = world.blob(&push, b"{}").await;
    let foreign = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let elsewhere =
        descriptor(foreign, &sha256(b"windows"), 7).replace('}', r#","urls":["https://example.com/layer"]}"#);
    let manifest = image((&config, 2), &[]).replace("\"layers\":[", &format!("\"layers\":[{elsewhere}"));
    let child = world.manifest(&push, &manifest, "windows", &[]).await.unwrap();
    let missing = sha256(b"not yet");
    world.manifest(&push, &index(&[(&child, manifest.len()), (&missing, 7)]), "multi", &[]).await.unwrap();
    // An index does not hold its children against an explicit deletion.
    world.storage.delete_manifest(&delete, &child, at(0)).await.unwrap();

    let sparse = World::with(Settings { sparse_images: true, ..settings() }).await;
    let push = sparse.push("acme/web").await;
    let config = sha256(b"config");
    sparse.manifest(&push, &image((&config, 6), &[]), "early", &[]).await.unwrap();
    sparse.blob(&push, b"config").await;
    let answer = sparse.storage.delete_blob(&sparse.delete("acme/web").await, &config, at(0)).await;
    assert!(matches!(answer, Err(Error::BlobReferenced { .. })), "held as soon as it is there");
}

#[tokio::test]
async fn counters_are_exact_and_tags_move() {
    let world = World::new().await;
    let push = world.push("acme/web").await;
    let (delete, pull) = (world.delete("acme/web").await, world.pull("acme/web").await);
    let (config, layer) = (world.blob(&push, b"config").await, world.blob(&push, b"layer").await);
    let (first, second) =
        (image((&config, 6), &[(&layer, 5)]), image((&config, 6), &[(&layer, 5), (&layer, 5)]));
    let expect = async |manifests, tags, bytes: usize| {
        let bytes = bytes as u64;
        let found = usage(&world, "acme/web").await;
        assert_eq!((found.manifests, found.tags, found.bytes), (manifests, tags, bytes));
    };
    expect(0, 0, 11).await;
    let a = world.manifest(&push, &first, "latest", &["v1"]).await.unwrap();
    expect(1, 2, 11 + first.len()).await;
    // Again, by tag and by digest, and with one more tag.
    world.manifest(&push, &first, "latest", &[]).await.unwrap();
    world.manifest(&push, &first, &a.to_string(), &["v1", "v1.1"]).await.unwrap();
    expect(1, 3, 11 + first.len()).await;
    let b = world.manifest(&push, &second, "latest", &["v2"]).await.unwrap();
    expect(2, 4, 11 + first.len() + second.len()).await;

    let page = world.storage.tag_details(&pull, None, 10).await.unwrap();
    let named: Vec<_> =
        page.items.iter().map(|tag| (tag.name.as_str(), tag.digest.clone(), tag.size)).collect();
    let size = |manifest: &str| 11 + manifest.len() as u64;
    let expected = [
        ("latest", b.clone(), size(&second)),
        ("v1", a.clone(), size(&first)),
        ("v1.1", a.clone(), size(&first)),
        ("v2", b.clone(), size(&second)),
    ];
    assert_eq!(named, expected);
    assert_eq!(world.storage.tag(&pull, &Tag::parse("v2").unwrap()).await.unwrap(), page.items[3]);

    world.storage.delete_tag(&delete, &Tag::parse("v1").unwrap(), at(0)).await.unwrap();
    let again = world.storage.delete_tag(&delete, &Tag::parse("v1").unwrap(), at(0)).await;
    assert!(matches!(again, Err(Error::ManifestUnknown)));
    expect(2, 3, 11 + first.len() + second.len()).await;
    world.storage.delete_manifest(&delete, &b, at(0)).await.unwrap();
    assert!(matches!(world.storage.delete_manifest(&delete, &b, at(0)).await, Err(Error::ManifestUnknown)));
    expect(1, 1, 11 + first.len()).await;
    assert!(matches!(world.storage.manifest(&pull, &reference("latest")).await, Err(Error::ManifestUnknown)));
    let listed = kv::Key::Listed { name: "acme/web" };
    assert!(world.auth.store().get_bytes(listed).await.unwrap().is_some());
    world.storage.delete_manifest(&delete, &a, at(0)).await.unwrap();
    assert!(world.auth.store().get_bytes(listed).await.unwrap().is_none());
    expect(0, 0, 11).await;
    for blob in [&config, &layer] {
        world.storage.delete_blob(&delete, blob, at(0)).await.unwrap();
    }
    expect(0, 0, 0).await;
}

#[tokio::test]
async fn one_more_tag_names_what_a_tag_names() {
    let world = World::new().await;
    let push = world.push("acme/web").await;
    let config = world.blob(&push, b"config").await;
    let (first, second) = (image((&config, 6), &[]), image_with((&config, 6), &[], r#","annotations":{}"#));
    let a = world.manifest(&push, &first, "v1", &[]).await.unwrap();
    let b = world.manifest(&push, &second, "v2", &[]).await.unwrap();
    let pull = world.pull("acme/web").await;
    let tag = |text: &str| Tag::parse(text).unwrap();
    let copy = |source: &str, destination: &str, overwrite| TagCopy {
        source: tag(source),
        destination: tag(destination),
        overwrite,
    };
    let named = async |name: &str| world.storage.tag(&pull, &tag(name)).await.unwrap().digest;

    world.storage.copy_tag(&push, &copy("v1", "latest", false), at(3)).await.unwrap();
    assert_eq!(named("latest").await, a);
    assert_eq!(usage(&world, "acme/web").await.tags, 3);
    assert_eq!(usage(&world, "acme/web").await.pushed_at, Some(at(3)));
    let taken = world.storage.copy_tag(&push, &copy("v2", "latest", false), at(3)).await;
    assert!(matches!(taken, Err(Error::TagExists)), "{taken:?}");
    assert_eq!(named("latest").await, a);
    world.storage.copy_tag(&push, &copy("v2", "latest", true), at(4)).await.unwrap();
    assert_eq!((named("latest").await, named("v1").await), (b.clone(), a));
    assert_eq!(usage(&world, "acme/web").await.tags, 3, "moved");
    let missing = world.storage.copy_tag(&push, &copy("v3", "v4", true), at(4)).await;
    assert!(matches!(missing, Err(Error::ManifestUnknown)), "{missing:?}");
    let read_only = world.storage.copy_tag(&pull, &copy("v1", "v4", true), at(4)).await;
    assert!(matches!(read_only, Err(Error::NotPermitted)), "{read_only:?}");

    // It goes with the manifest, like any other.
    world.storage.delete_manifest(&world.delete("acme/web").await, &b, at(5)).await.unwrap();
    let gone = world.storage.tag(&pull, &tag("latest")).await;
    assert!(matches!(gone, Err(Error::ManifestUnknown)), "{gone:?}");
    assert_eq!(usage(&world, "acme/web").await.tags, 1);
}

#[tokio::test]
async fn a_manifest_goes_with_however_many_tags() {
    let world = World::with(Settings { tags_per_push_max: 700, ..settings() }).await;
    let push = world.push("acme/web").await;
    let config = world.blob(&push, b"{}").await;
    let manifest = image((&config, 2), &[]);
    let mut digest = None;
    for round in 0..4 {
        let tags: Vec<String> = (0..600).map(|number| format!("t{round}-{number}")).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        digest = Some(world.manifest(&push, &manifest, "latest", &tags).await.unwrap());
    }
    assert_eq!(usage(&world, "acme/web").await.tags, 2_401);
    let before = world.keys().await.len();
    world.storage.delete_manifest(&world.delete("acme/web").await, &digest.unwrap(), at(0)).await.unwrap();
    assert_eq!((usage(&world, "acme/web").await.tags, usage(&world, "acme/web").await.manifests), (0, 0));
    // Both orders of each tag; record, body, listing; the reference and its counter.
    assert_eq!(before - world.keys().await.len(), 2 * 2_401 + 3 + 2);
}

#[tokio::test]
async fn tags_come_in_byte_order_and_pages() {
    let world = World::with(Settings { page_entries_max: 4, ..settings() }).await;
    let push = world.push("acme/web").await;
    let config = world.blob(&push, b"{}").await;
    let names = ["10", "9", "B", "_", "a", "a-", "b"];
    world.manifest(&push, &image((&config, 2), &[]), "b", &names).await.unwrap();
    let pull = world.pull("acme/web").await;
    let long = "a".repeat(5_000);
    let accents = "é".repeat(400);
    let cases: [(Option<&str>, usize, &[&str], bool); 11] = [
        (None, 0, &[], false),
        (None, 2, &["10", "9"], true),
        (None, 4, &["10", "9", "B", "_"], true),
        (None, usize::MAX, &["10", "9", "B", "_"], true),
        (Some("_"), 3, &["a", "a-", "b"], false),
        (Some("a"), 1, &["a-"], true),
        (Some("Z"), 1, &["_"], true),
        (Some(""), 1, &["10"], true),
        (Some("b"), 4, &[], false),
        (Some(&long), 4, &["b"], false),
        (Some(&accents), 4, &[], false),
    ];
    for (after, limit, expected, more) in cases {
        let page = world.storage.tags(&pull, after, limit).await.unwrap();
        assert_eq!(
            (page.items, page.more),
            (expected.iter().map(|tag| (*tag).to_owned()).collect(), more),
            "{limit}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_and_deletions_at_once_leave_no_tag_without_its_manifest() {
    let world = World::new().await;
    let push = world.push("acme/web").await;
    let config = world.blob(&push, b"{}").await;
    let manifests = [image((&config, 2), &[]), image((&config, 2), &[(&config, 2)])];
    let mut tasks = Vec::new();
    for task in 0..4 {
        let (storage, manifests) = (world.storage.clone(), manifests.clone());
        let (push, delete) = (push.clone(), world.delete("acme/web").await);
        tasks.push(tokio::spawn(async move {
            for round in 0..40 {
                let manifest = &manifests[(task + round) % 2];
                let new = NewManifest {
                    content_type: IMAGE,
                    body: manifest.clone().into(),
                    reference: reference(&format!("t{}", round % 3)),
                    tags: vec![],
                };
                let answer = match task {
                    0 | 1 => storage.put_manifest(&push, new, at(0)).await.map(|_| ()),
                    2 => storage.delete_manifest(&delete, &sha256(manifest.as_bytes()), at(0)).await,
                    _ => {
                        storage
                            .delete_tag(&delete, &Tag::parse(&format!("t{}", round % 3)).unwrap(), at(0))
                            .await
                    }
                };
                let fine = matches!(answer, Ok(()) | Err(Error::ManifestUnknown | Error::Busy));
                assert!(fine, "{answer:?}");
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let pull = world.pull("acme/web").await;
    let tags = world.storage.tags(&pull, None, 100).await.unwrap().items;
    for tag in &tags {
        world.storage.manifest(&pull, &reference(tag)).await.unwrap();
    }
    let mut held = 0;
    for manifest in &manifests {
        let digest = Reference::Digest(sha256(manifest.as_bytes()));
        held += u64::from(world.storage.stat_manifest(&pull, &digest).await.is_ok());
    }
    let usage = usage(&world, "acme/web").await;
    assert_eq!((usage.manifests, usage.tags), (held, tags.len() as u64));
    for manifest in &manifests {
        let _ = world
            .storage
            .delete_manifest(&world.delete("acme/web").await, &sha256(manifest.as_bytes()), at(0))
            .await;
    }
    world.storage.delete_blob(&world.delete("acme/web").await, &config, at(0)).await.unwrap();
}

#[tokio::test]
async fn every_change_is_in_the_trail() {
    let world = World::new().await;
    let push = world.push("acme/web").await;
    let delete = world.delete("acme/web").await;
    let config = world.blob(&push, b"{}").await;
    let manifest = image_with((&config, 2), &[], "");
    let digest = world.manifest(&push, &manifest, "a", &["b"]).await.unwrap();
    world.storage.delete_tag(&delete, &Tag::parse("a").unwrap(), at(1)).await.unwrap();
    world.storage.delete_manifest(&delete, &digest, at(2)).await.unwrap();
    world.storage.delete_blob(&delete, &config, at(3)).await.unwrap();
    let store = world.auth.store();
    let list = kv::Key::Event { account: push.owner().raw(), time_ms: 0, event: kv::Id::MIN };
    let rows = store.list(list.siblings(store.region()), 100).await.unwrap();
    let events: Vec<auth::Event> =
        rows.iter().map(|(_, entry)| kv::decode(list, entry).unwrap().value).collect();
    let ours: Vec<_> = events.iter().filter(|event| event.detail.contains("sha256:")).collect();
    let kinds: Vec<_> = ours.iter().map(|event| event.kind).collect();
    use auth::EventKind::{BlobDeleted, ManifestDeleted, ManifestPushed, TagDeleted};
    assert_eq!(kinds, [ManifestPushed, TagDeleted, ManifestDeleted, BlobDeleted]);
    assert!(ours.iter().all(|event| event.subject == "acme/web" && event.actor.name == "acme"));
    assert!(ours[0].detail.contains(&digest.to_string()) && ours[0].detail.ends_with("a,b"));
}

#[tokio::test]
async fn a_large_manifest_comes_in_pieces_and_ends_when_it_is_deleted() {
    let world = World::new().await;
    let push = world.push("acme/web").await;
    let config = world.blob(&push, b"{}").await;
    let note = format!(r#","annotations":{{"a":"{}"}}"#, "x".repeat(300 << 10));
    let manifest = image_with((&config, 2), &[], &note);
    let digest = world.manifest(&push, &manifest, "large", &[]).await.unwrap();
    let pull = world.pull("acme/web").await;
    let read = || async {
        match world.storage.manifest(&pull, &reference("large")).await.unwrap().body {
            ManifestBody::Large(large) => Box::pin(large.read()),
            ManifestBody::Whole(_) => panic!("300 KiB are large"),
        }
    };
    let pieces: Vec<Bytes> = read().await.try_collect().await.unwrap();
    assert!(pieces.len() > 2 && pieces.iter().all(|piece| piece.len() <= 128 << 10));
    assert_eq!(pieces.concat(), manifest.as_bytes());

    let mut cut = read().await;
    cut.next().await.unwrap().unwrap();
    world.storage.delete_manifest(&world.delete("acme/web").await, &digest, at(0)).await.unwrap();
    assert!(matches!(cut.next().await, Some(Err(Error::ManifestUnknown))));
}
