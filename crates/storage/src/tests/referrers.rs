//! Referrers, listed by subject.

use std::sync::atomic::Ordering;

use oci::Digest;

use super::world::{World, at, image, image_with, settings, sha256};
use crate::Settings;

fn about(subject: &Digest, number: usize, artifact_type: &str, note: &str) -> String {
    let subject = super::world::descriptor(super::world::IMAGE, subject, 2);
    format!(
        r#","subject":{subject},"artifactType":"{artifact_type}","annotations":{{"number":"{number}","note":"{note}"}}"#
    )
}

#[tokio::test]
async fn are_listed_with_or_without_their_subject_and_go_with_themselves() {
    let world = World::new().await;
    let push = world.push("acme/web").await;
    let (pull, delete) = (world.pull("acme/web").await, world.delete("acme/web").await);
    let config = world.blob(&push, b"{}").await;
    let subject = image((&config, 2), &[]);
    let digest = sha256(subject.as_bytes());
    let all = async || world.storage.referrers(&pull, &digest, None, None, 100).await.unwrap();
    assert_eq!((all().await.descriptors.len(), all().await.next), (0, None));

    let signature = image_with((&config, 2), &[], &about(&digest, 1, "application/signature", "x"));
    let pushed =
        world.manifest(&push, &signature, &sha256(signature.as_bytes()).to_string(), &[]).await.unwrap();
    world.manifest(&push, &subject, "latest", &[]).await.unwrap();
    let page = all().await;
    assert_eq!(page.descriptors.len(), 1);
    let listed = &page.descriptors[0];
    assert_eq!((&listed.digest, listed.size), (&pushed, signature.len() as u64));
    assert_eq!(listed.artifact_type.as_deref(), Some("application/signature"));
    assert_eq!(listed.annotations["number"], "1");
    world.push("acme/web2").await;
    let elsewhere =
        world.storage.referrers(&world.pull("acme/web2").await, &digest, None, None, 100).await.unwrap();
    assert!(elsewhere.descriptors.is_empty());

    world.storage.delete_manifest(&delete, &digest, at(0)).await.unwrap();
    assert_eq!(all().await.descriptors.len(), 1, "its subject's deletion is not its own");
    world.storage.delete_manifest(&delete, &pushed, at(0)).await.unwrap();
    assert!(all().await.descriptors.is_empty());
}

#[tokio::test]
async fn come_in_pages_through_any_filter() {
    let world = World::with(Settings { page_entries_max: 30, ..settings() }).await;
    let push = world.push("acme/web").await;
    let pull = world.pull("acme/web").await;
    let config = world.blob(&push, b"{}").await;
    let subject = sha256(b"subject");
    let mut expected: Vec<(Digest, &str)> = Vec::new();
    for number in 0..70 {
        let kind = ["application/a", "application/b"][usize::from(number % 7 == 0)];
        let manifest = image_with((&config, 2), &[], &about(&subject, number, kind, ""));
        let digest = sha256(manifest.as_bytes());
        expected.push((world.manifest(&push, &manifest, &digest.to_string(), &[]).await.unwrap(), kind));
    }
    expected.sort();
    for filter in [None, Some("application/a"), Some("application/b"), Some("application/none")] {
        for limit in [1, 7, 16, 30, usize::MAX] {
            let (mut found, mut after, mut pages) = (Vec::new(), None, 0);
            loop {
                let page =
                    world.storage.referrers(&pull, &subject, filter, after.as_ref(), limit).await.unwrap();
                assert!(page.descriptors.len() <= limit.min(30));
                found.extend(page.descriptors.into_iter().map(|descriptor| descriptor.digest));
                pages += 1;
                assert!(pages <= 80, "no end");
                match page.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
            let wanted: Vec<Digest> = expected
                .iter()
                .filter(|(_, kind)| filter.is_none_or(|filter| filter == *kind))
                .map(|(digest, _)| digest.clone())
                .collect();
            assert_eq!(found, wanted, "{filter:?} by {limit}");
        }
    }
    let none = world.storage.referrers(&pull, &subject, None, None, 0).await.unwrap();
    assert_eq!((none.descriptors.len(), none.next), (0, None));
}

#[tokio::test]
async fn a_page_of_large_ones_is_a_short_page() {
    let world = World::new().await;
    let push = world.push("acme/web").await;
    let config = world.blob(&push, b"{}").await;
    let subject = sha256(b"subject");
    for number in 0..5 {
        let manifest =
            image_with((&config, 2), &[], &about(&subject, number, "application/a", &"x".repeat(1_500_000)));
        world.manifest(&push, &manifest, &sha256(manifest.as_bytes()).to_string(), &[]).await.unwrap();
    }
    let pull = world.pull("acme/web").await;
    for (filter, expected) in [
        (None, [2, 2, 1]),
        (Some("application/a"), [2, 2, 1]),
        // What is looked at in vain counts, too.
        (Some("application/none"), [0, 0, 0]),
    ] {
        let (mut lengths, mut after) = (Vec::new(), None);
        world.engine.scan_bytes_max.store(0, Ordering::Relaxed);
        loop {
            let page = world.storage.referrers(&pull, &subject, filter, after.as_ref(), 100).await.unwrap();
            lengths.push(page.descriptors.len());
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!(lengths, expected, "{filter:?}");
        let at_once = world.engine.scan_bytes_max.load(Ordering::Relaxed);
        assert!((1_500_000..2_000_000).contains(&at_once), "{at_once} bytes at once");
    }
}

#[tokio::test]
async fn one_that_is_greater_than_a_page_is_a_page() {
    let world = World::with(Settings { manifest_bytes_max: 8 << 20, ..settings() }).await;
    let push = world.push("acme/web").await;
    let config = world.blob(&push, b"{}").await;
    let subject = sha256(b"subject");
    for number in 0..2 {
        let manifest =
            image_with((&config, 2), &[], &about(&subject, number, "application/a", &"x".repeat(5 << 20)));
        world.manifest(&push, &manifest, &sha256(manifest.as_bytes()).to_string(), &[]).await.unwrap();
    }
    let pull = world.pull("acme/web").await;
    for (filter, length) in [(None, 1), (Some("application/none"), 0)] {
        let first = world.storage.referrers(&pull, &subject, filter, None, 100).await.unwrap();
        let second =
            world.storage.referrers(&pull, &subject, filter, first.next.as_ref(), 100).await.unwrap();
        assert!(first.next.is_some() && second.next.is_none());
        assert_eq!((first.descriptors.len(), second.descriptors.len()), (length, length));
    }
}
