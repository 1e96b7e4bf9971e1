//! What a share that is narrowed to tags shows, case by case.

use oci::{Digest, Reference, Tag};

use super::world::{World, at, descriptor, image, image_with, index, settings, sha256, whole};
use crate::shared::LAYERS;
use crate::{Content, Error, Settings};

const NAME: &str = "acme/web";

fn reference(text: &str) -> Reference {
    Reference::parse(text).unwrap()
}

async fn tags(world: &World) -> Vec<String> {
    world.storage.tags(&world.sharee(NAME).await, None, 100).await.unwrap().items
}

async fn sees(world: &World, digest: &Digest) -> bool {
    let permit = world.sharee(NAME).await;
    match world.storage.manifest(&permit, &Reference::Digest(digest.clone())).await {
        Ok(found) => {
            assert!(!whole(found.body).is_empty());
            true
        }
        Err(Error::ManifestUnknown) => false,
        Err(other) => panic!("{other}"),
    }
}

async fn sees_blob(world: &World, digest: &Digest) -> bool {
    let permit = world.sharee(NAME).await;
    let stat = world.storage.stat_blob(&permit, digest, at(0)).await.is_ok();
    assert_eq!(
        world.storage.open_blob(&permit, digest, at(0)).await.is_ok(),
        stat,
        "one says yes, the other no"
    );
    stat
}

#[tokio::test]
async fn the_tags_that_match_and_what_they_reach() {
    let world = World::new().await;
    let push = world.push(NAME).await;
    let config = world.blob(&push, b"{}").await;
    let (shown, hidden) = (world.blob(&push, b"shown").await, world.blob(&push, b"hidden").await);
    let first = image((&config, 2), &[(&shown, 5)]);
    let first = world.manifest(&push, &first, "v1.0", &[]).await.unwrap();
    let second = image((&config, 2), &[(&hidden, 6)]);
    let second = world.manifest(&push, &second, "v2.0", &["latest"]).await.unwrap();
    world.share(NAME, &["v1.*"]).await.unwrap();

    assert_eq!(tags(&world).await, ["v1.0"]);
    assert!(
        sees(&world, &first).await && sees_blob(&world, &shown).await && sees_blob(&world, &config).await
    );
    assert!(!sees(&world, &second).await && !sees_blob(&world, &hidden).await);
    let permit = world.sharee(NAME).await;
    for (tag, seen) in [("v1.0", true), ("v2.0", false), ("latest", false), ("v1.1", false)] {
        assert_eq!(world.storage.manifest(&permit, &reference(tag)).await.is_ok(), seen, "{tag}");
        assert_eq!(world.storage.tag(&permit, &Tag::parse(tag).unwrap()).await.is_ok(), seen, "{tag}");
    }
    // The owner sees all, as ever.
    assert_eq!(world.storage.tags(&world.pull(NAME).await, None, 9).await.unwrap().items.len(), 3);

    // A tag that moves closes what it named, and opens what it names.
    let moved = world.manifest(&push, &image((&config, 2), &[(&hidden, 6)]), "v1.0", &[]).await.unwrap();
    assert_eq!(moved, second);
    assert!(sees(&world, &second).await && sees_blob(&world, &hidden).await);
    assert!(!sees(&world, &first).await && !sees_blob(&world, &shown).await);
    // A new tag that matches is shown as it is pushed.
    world.manifest(&push, &image((&config, 2), &[(&shown, 5)]), "v1.1", &[]).await.unwrap();
    assert_eq!(tags(&world).await, ["v1.0", "v1.1"]);
    assert!(sees(&world, &first).await);
    let delete = world.delete(NAME).await;
    world.storage.delete_tag(&delete, &Tag::parse("v1.1").unwrap(), at(0)).await.unwrap();
    assert!(!sees(&world, &first).await);
    assert_eq!(tags(&world).await, ["v1.0"]);
    // Other tags, from the next request on.
    world.share_other_tags("globex", NAME, &["latest"]).await.unwrap();
    assert_eq!(tags(&world).await, ["latest"]);
    world.share_other_tags("globex", NAME, &[]).await.unwrap();
    assert_eq!(tags(&world).await, ["latest", "v1.0", "v2.0"]);
    world.tidy().await;
    assert_eq!(world.shared_keys().await, Vec::<Vec<u8>>::new(), "nobody uses a pattern any more");
}

#[tokio::test]
async fn what_refers_to_it_and_what_refers_to_that() {
    let world = World::new().await;
    let push = world.push(NAME).await;
    let config = world.blob(&push, b"{}").await;
    let about = |subject: &Digest, n: usize| {
        let subject = descriptor(super::world::IMAGE, subject, 2);
        image_with((&config, 2), &[], &format!(r#","subject":{subject},"annotations":{{"n":"{n}"}}"#))
    };
    let image = world.manifest(&push, &image((&config, 2), &[]), "v1", &["other"]).await.unwrap();
    let children = index(&[(&image, 100)]);
    let children = world.manifest(&push, &children, "v2", &[]).await.unwrap();
    world.share(NAME, &["v2"]).await.unwrap();
    assert!(sees(&world, &image).await, "a child");
    // A chain of referrers, pushed after the share, the last ones beyond what is followed.
    let mut chain = vec![image.clone()];
    for n in 0..LAYERS {
        let manifest = about(&chain[n], n);
        let digest = sha256(manifest.as_bytes());
        chain.push(world.manifest(&push, &manifest, &digest.to_string(), &[]).await.unwrap());
    }
    for (n, digest) in chain.iter().enumerate() {
        assert_eq!(sees(&world, digest).await, n < LAYERS, "{n}");
        let referrers =
            world.storage.referrers(&world.sharee(NAME).await, digest, None, None, 9).await.unwrap();
        assert_eq!(referrers.descriptors.len(), usize::from(n + 1 < LAYERS), "{n}");
    }
    // A signature by its tag, as cosign has it, and one of something hidden.
    let signature = about(&image, 100)
        .replace(&format!(r#","subject":{}"#, descriptor(super::world::IMAGE, &image, 2)), "");
    let tag = format!("sha256-{}.sig", image.hex());
    world.manifest(&push, &signature, &tag, &[&format!("sha256-{}.sig", config.hex())]).await.unwrap();
    assert_eq!(tags(&world).await, [tag.as_str(), "v2"]);
    assert!(sees(&world, &sha256(signature.as_bytes())).await);
    // All of it goes with the tag.
    let delete = world.delete(NAME).await;
    world.storage.delete_manifest(&delete, &children, at(0)).await.unwrap();
    for digest in &chain {
        assert!(!sees(&world, digest).await);
    }
    assert_eq!(tags(&world).await, Vec::<String>::new());
    assert_eq!(world.shared_keys().await.len(), 1, "the pattern alone");
}

#[tokio::test]
async fn what_is_named_as_a_blob_is_a_blob_and_no_manifest() {
    let world = World::new().await;
    let push = world.push(NAME).await;
    let (config, secret) = (world.blob(&push, b"{}").await, world.blob(&push, b"secret").await);
    // A hidden image, whose bytes an image that is shown has as a layer.
    let hidden = image((&config, 2), &[(&secret, 6)]);
    let digest = world.blob(&push, hidden.as_bytes()).await;
    world.manifest(&push, &hidden, "hidden", &[]).await.unwrap();
    world.manifest(&push, &image((&config, 2), &[(&digest, hidden.len())]), "v1", &[]).await.unwrap();
    world.share(NAME, &["v1"]).await.unwrap();
    assert!(sees_blob(&world, &digest).await);
    assert!(!sees(&world, &digest).await && !sees_blob(&world, &secret).await);
    world.share_other_tags("globex", NAME, &["hidden"]).await.unwrap();
    assert!(sees(&world, &digest).await && sees_blob(&world, &secret).await);
    assert!(!sees_blob(&world, &digest).await, "nobody names it as a blob");
}

#[tokio::test]
async fn no_page_ends_with_the_name_of_a_hidden_tag() {
    let world = World::new().await;
    let push = world.push(NAME).await;
    let config = world.blob(&push, b"{}").await;
    let manifest = image((&config, 2), &[]);
    let all = ["a1", "b1", "c2", "d1", "e2", "f1", "g2"];
    for tag in all {
        world.manifest(&push, &manifest, tag, &[]).await.unwrap();
    }
    world.share(NAME, &["?1", "f*"]).await.unwrap();
    let permit = world.sharee(NAME).await;
    for limit in 1..6 {
        let (mut found, mut after): (Vec<String>, Option<String>) = (Vec::new(), None);
        loop {
            let page = world.storage.tags(&permit, after.as_deref(), limit).await.unwrap();
            let details = world.storage.tag_details(&permit, after.as_deref(), limit).await.unwrap();
            assert_eq!(details.items.iter().map(|tag| tag.name.clone()).collect::<Vec<_>>(), page.items);
            assert_eq!(details.more, page.more);
            found.extend(page.items);
            if !page.more {
                break;
            }
            after = found.last().cloned();
        }
        assert_eq!(found, ["a1", "b1", "d1", "f1"], "by {limit}");
    }
    let none = world.storage.tags(&permit, None, 0).await.unwrap();
    assert_eq!((none.items.len(), none.more), (0, false));
    let after = world.storage.tags(&permit, Some("c2"), 1).await.unwrap();
    assert_eq!((after.items, after.more), (vec!["d1".to_owned()], true));
}

#[tokio::test]
async fn mounts_take_what_is_shown_alone() {
    let world = World::new().await;
    let push = world.push(NAME).await;
    let config = world.blob(&push, b"{}").await;
    let hidden = world.blob(&push, b"hidden").await;
    world.manifest(&push, &image((&config, 2), &[]), "v1", &[]).await.unwrap();
    world.manifest(&push, &image((&config, 2), &[(&hidden, 6)]), "v2", &[]).await.unwrap();
    world.share(NAME, &["v1"]).await.unwrap();
    let (source, target) = (world.sharee(NAME).await, world.push("globex/copy").await);
    world.storage.mount(&source, &target, &config, at(0)).await.unwrap();
    let refused = world.storage.mount(&source, &target, &hidden, at(0)).await;
    assert!(matches!(refused, Err(Error::BlobUnknown { .. })), "{refused:?}");
    let by_id = world.auth.authorize_source(&world.globex, push.repository(), at(0)).await.unwrap().unwrap();
    assert!(world.storage.mount(&by_id, &target, &hidden, at(0)).await.is_err());
    assert!(world.storage.mount(&by_id, &target, &config, at(0)).await.is_ok());
}

#[tokio::test]
async fn a_transfer_is_within_the_share_as_long_as_its_tag_stays() {
    let world = World::new().await;
    let push = world.push(NAME).await;
    let config = world.blob(&push, b"{}").await;
    let (one, two) = (world.blob(&push, b"one").await, world.blob(&push, b"two").await);
    let first = world.manifest(&push, &image((&config, 2), &[(&one, 3)]), "v1", &[]).await.unwrap();
    world.share(NAME, &["v*", "latest"]).await.unwrap();
    let permit = world.sharee(NAME).await;
    let shows = async |content: Content<'_>| world.storage.still_shows(&permit, content).await.unwrap();
    assert!(shows(Content::Blob(&one)).await && shows(Content::Manifest(&first)).await);
    world.manifest(&push, &image((&config, 2), &[(&two, 3)]), "v1", &[]).await.unwrap();
    assert!(!shows(Content::Blob(&one)).await && !shows(Content::Manifest(&first)).await);
    assert!(shows(Content::Blob(&two)).await);
    assert!(world.auth.still_open(&permit, at(0)).await.unwrap());
    world.share_other_tags("globex", NAME, &["v*"]).await.unwrap();
    assert!(!world.auth.still_open(&permit, at(0)).await.unwrap(), "it reaches less by now");
    world.share_other_tags("globex", NAME, &[]).await.unwrap();
    assert!(world.auth.still_open(&permit, at(0)).await.unwrap(), "it reaches all by now");
}

#[tokio::test]
async fn a_write_that_would_change_too_much_is_refused_and_changes_nothing() {
    let world = World::with(Settings { shared_changes_max: 4, ..settings() }).await;
    let push = world.push(NAME).await;
    let config = world.blob(&push, b"{}").await;
    let mut layers = Vec::new();
    for n in 0..6 {
        layers.push(world.blob(&push, format!("{n}").as_bytes()).await);
    }
    let of = |count: usize| {
        image((&config, 2), &layers[..count].iter().map(|layer| (layer, 1)).collect::<Vec<_>>())
    };
    world.manifest(&push, &of(2), "v1", &[]).await.unwrap();
    world.share(NAME, &["v*"]).await.unwrap();
    let before = world.keys().await;
    for tag in ["v1", "v2"] {
        let refused = world.manifest(&push, &of(6), tag, &[]).await;
        assert!(matches!(refused, Err(Error::TooMuchShared { max: 4 })), "{refused:?}");
    }
    assert_eq!(world.keys().await, before);
    assert_eq!(tags(&world).await, ["v1"]);
    // Under a tag that is not shared it is welcome; and the share of that one is refused.
    world.manifest(&push, &of(6), "latest", &[]).await.unwrap();
    let new = auth::NewShare {
        grantee: auth::AccountName::parse("admin").unwrap(),
        end: auth::ShareEnd::Permanent,
        tags: auth::ShareTags::Matching(auth::TagPatterns::parse(["latest"]).unwrap()),
        description: auth::Description::default(),
        notice_before: None,
        region: None,
    };
    let name = super::world::repository(NAME);
    let uncounted = world.auth.create_share(&world.acme, &name, new, at(0)).await;
    assert!(matches!(uncounted, Err(auth::Error::TagsUncounted { .. })), "{uncounted:?}");
    let refused = world.storage.count_shared_tags(push.repository()).await;
    assert!(matches!(refused, Err(Error::TooMuchShared { .. })), "{refused:?}");
    // The share that is there goes on, and what was given up is forgotten after a while.
    world.manifest(&push, &of(1), "v3", &[]).await.unwrap();
    assert_eq!(tags(&world).await, ["v1", "v3"]);
    world.revoke("globex", NAME).await.unwrap();
    world.tidy().await;
    assert_eq!(world.shared_keys().await, Vec::<Vec<u8>>::new());
}

#[tokio::test]
async fn nothing_is_left_of_a_repository_that_is_deleted_or_becomes_public() {
    for deleted in [true, false] {
        let world = World::new().await;
        let push = world.push(NAME).await;
        let config = world.blob(&push, b"{}").await;
        for tag in ["v1", "v2", "w1"] {
            world.manifest(&push, &image((&config, 2), &[]), tag, &[]).await.unwrap();
        }
        world.share(NAME, &["v*", "w*"]).await.unwrap();
        let name = super::world::repository(NAME);
        if deleted {
            world.auth.delete_repository(&world.acme, &name, at(0)).await.unwrap();
        } else {
            let public = auth::Visibility::Public;
            world.auth.set_visibility(&world.acme, &name, public, at(0)).await.unwrap();
            assert_eq!(tags(&world).await.len(), 3, "everybody sees all of it");
            world.auth.set_visibility(&world.acme, &name, auth::Visibility::Private, at(0)).await.unwrap();
        }
        world.tidy().await;
        assert_eq!(world.shared_keys().await, Vec::<Vec<u8>>::new());
    }
}

#[tokio::test]
async fn many_pushes_at_once_into_a_shared_repository_all_succeed() {
    let world = World::new().await;
    let push = world.push(NAME).await;
    let config = world.blob(&push, b"{}").await;
    world.share(NAME, &["v*"]).await.unwrap();
    let pushes = (0..100).map(|n| {
        let (world, push, config) = (&world, &push, &config);
        async move {
            let manifest = image_with((config, 2), &[], &format!(r#","annotations":{{"n":"{n}"}}"#));
            world.manifest(push, &manifest, &format!("v{n:03}"), &[]).await.unwrap();
        }
    });
    futures::future::join_all(pushes).await;
    assert_eq!(tags(&world).await.len(), 100);
    assert!(sees_blob(&world, &config).await);
}
