//! Uploads: what each request leaves behind, however it ends.

use bytes::Bytes;
use futures::{SinkExt, TryStreamExt};
use oci::{Algorithm, Digest};

use super::world::{World, at, body, broken, channel, content, offset, read, settings, sha256};
use crate::{ContentRange, Error, Settings};

#[tokio::test(flavor = "multi_thread")]
async fn comes_in_pieces_and_is_read_in_ranges() {
    let world = World::new().await;
    let permit = world.push("acme/web").await;
    let parts = [content(1_500_000, 1), content(1, 2), content(700_000, 3)];
    let whole = parts.concat();
    let upload = world.start(&permit).await;
    let mut stands = 0;
    for part in &parts {
        let range = ContentRange::new(stands, stands + part.len() as u64 - 1);
        let length = Some(part.len() as u64);
        let answer =
            world.storage.append(&permit, upload.id, range, length, body(part), at(0)).await.unwrap();
        stands += part.len() as u64;
        assert_eq!(answer.offset, stands);
    }
    assert_eq!(world.finish(&permit, &upload, &sha256(&whole)).await.unwrap(), stands);

    let blob = world.storage.open_blob(&world.pull("acme/web").await, &sha256(&whole), at(0)).await.unwrap();
    assert_eq!(blob.size(), stands);
    let last = whole.len();
    for (start, end) in [
        (0, last),
        (0, 0),
        (0, 1),
        (1_499_999, 1_500_002),
        (1_500_000, 1_500_001),
        (last - 1, last),
        (last, last + 9),
    ] {
        let chunks: Vec<Bytes> = blob.read(start as u64..end as u64).try_collect().await.unwrap();
        let expected = &whole[start.min(last)..end.min(last)];
        assert!(chunks.concat() == expected, "{start}..{end}");
        let files: Vec<_> = blob.read_files(start as u64..end as u64).try_collect().await.unwrap();
        let lengths: u64 = files.iter().map(|file| file.range.end - file.range.start).sum();
        assert_eq!(lengths, expected.len() as u64);
    }
    let unknown = world.storage.upload(&permit, upload.id, at(0)).await;
    assert!(matches!(unknown, Err(Error::UploadUnknown)));
}

#[tokio::test]
async fn an_empty_blob_is_a_blob() {
    let world = World::new().await;
    let permit = world.push("acme/web").await;
    for known_length in [Some(0), None] {
        let upload = world.start(&permit).await;
        let digest = sha256(b"");
        world
            .storage
            .finish(&permit, upload.id, &digest, None, known_length, body(b""), at(0))
            .await
            .unwrap();
        assert_eq!(world.read(&world.pull("acme/web").await, &digest).await.unwrap(), b"");
        assert_eq!(world.files(), 0);
    }
}

#[tokio::test]
async fn bytes_out_of_order_are_told_where_it_stands() {
    let world = World::new().await;
    let permit = world.push("acme/web").await;
    let upload = world.start(&permit).await;
    world.append(&permit, &upload, b"0123456789").await.unwrap();
    for (first, last) in [(0, 4), (9, 13), (11, 15)] {
        let range = ContentRange::new(first, last);
        let appended = world.storage.append(&permit, upload.id, range, Some(5), body(b"abcde"), at(0)).await;
        let finished = world
            .storage
            .finish(&permit, upload.id, &sha256(b"x"), range, Some(5), body(b"abcde"), at(0))
            .await
            .map(|_| upload);
        for answer in [appended, finished] {
            let error = answer.unwrap_err();
            assert!(
                matches!(&error, Error::RangeUnsatisfiable { upload } if upload.offset == 10),
                "{error:?}"
            );
        }
    }
    assert_eq!(ContentRange::new(5, 4), None);
    assert_eq!(ContentRange::new(0, u64::MAX), None);
    let range = ContentRange::new(10, 14);
    let torn = world.storage.append(&permit, upload.id, range, Some(4), body(b"abcd"), at(0)).await;
    assert!(matches!(torn, Err(Error::SizeMismatch { promised: 5, received: 4 })));
    assert_eq!(offset(&world, &permit, &upload).await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_that_is_short_or_breaks_off_is_resumed_after_a_restart() {
    let world = World::new().await;
    let permit = world.push("acme/web").await;
    let layer = content(5_000_000, 4);
    for breaks in [false, true] {
        let upload = world.start(&permit).await;
        let (came, promised) = (3_000_000, Some(4_000_000));
        let answer = if breaks {
            world.storage.append(&permit, upload.id, None, promised, broken(&layer[..came]), at(0)).await
        } else {
            world.storage.append(&permit, upload.id, None, promised, body(&layer[..came]), at(0)).await
        };
        match answer.unwrap_err() {
            Error::Body(error) if breaks => assert_eq!(error.get_ref().to_string(), "connection reset"),
            Error::SizeMismatch { promised: 4_000_000, received: 3_000_000 } if !breaks => {}
            other => panic!("{other:?}"),
        }
        let reopened = world.reopened();
        assert_eq!(reopened.upload(&permit, upload.id, at(0)).await.unwrap().offset, 3_000_000);
        let digest = sha256(&layer);
        let rest = ContentRange::new(3_000_000, 4_999_999);
        reopened.finish(&permit, upload.id, &digest, rest, None, body(&layer[came..]), at(0)).await.unwrap();
        assert!(read(&reopened, &world.pull("acme/web").await, &digest).await.unwrap() == layer);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_who_goes_away_leaves_what_came() {
    let world = World::new().await;
    let permit = world.push("acme/web").await;
    let upload = world.start(&permit).await;
    let (mut sender, receiver) = channel();
    let (storage, for_task) = (world.storage.clone(), permit.clone());
    let request =
        tokio::spawn(async move { storage.append(&for_task, upload.id, None, None, receiver, at(0)).await });
    let layer = content(2 << 20, 5);
    for chunk in layer.chunks(1 << 20) {
        sender.send(Ok(Bytes::copy_from_slice(chunk))).await.unwrap();
    }
    while offset(&world, &permit, &upload).await < 1 << 20 {
        tokio::task::yield_now().await;
    }
    request.abort();
    let _ = request.await;
    // The task that writes ends by itself, and another request goes on from wherever that is.
    let digest = loop {
        let stands = offset(&world, &permit, &upload).await;
        let range = ContentRange::new(stands, stands);
        match world.storage.append(&permit, upload.id, range, None, body(b"!"), at(0)).await {
            Ok(_) => break sha256(&[&layer[..usize::try_from(stands).unwrap()], b"!"].concat()),
            Err(Error::RangeUnsatisfiable { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    };
    world.finish(&permit, &upload, &digest).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_fails_leaves_the_upload_as_it_was() {
    let world = World::with(Settings { blob_bytes_max: 6_000_000, ..settings() }).await;
    let permit = world.push("acme/web").await;
    let upload = world.start(&permit).await;
    let (first, second) = (content(1_000_000, 6), content(3_000_000, 7));
    world.append(&permit, &upload, &first).await.unwrap();
    let whole = sha256(&[first.clone(), second.clone()].concat());
    let put = |digest: Digest, length: Option<u64>, bytes: Vec<u8>, breaks: bool| {
        let (storage, permit) = (world.storage.clone(), permit.clone());
        async move {
            if breaks {
                storage.finish(&permit, upload.id, &digest, None, length, broken(&bytes), at(0)).await
            } else {
                storage.finish(&permit, upload.id, &digest, None, length, body(&bytes), at(0)).await
            }
        }
    };
    let wrong = sha256(b"wrong");
    let cases = [
        put(wrong.clone(), None, second.clone(), false).await,
        put(wrong.clone(), Some(0), vec![], false).await,
        put(whole.clone(), Some(3_000_001), second.clone(), false).await,
        put(whole.clone(), Some(2_999_999), second.clone(), false).await,
        put(whole.clone(), None, content(5_000_001, 1), false).await,
        put(whole.clone(), Some(5_000_001), second.clone(), false).await,
        put(whole.clone(), Some(u64::MAX), second.clone(), false).await,
        put(whole.clone(), None, second.clone(), true).await,
    ];
    let named: Vec<&str> = cases.iter().map(|case| name_of(case.as_ref().unwrap_err())).collect();
    let expected = ["digest", "digest", "size", "size", "large", "large", "large", "body"];
    assert_eq!(named, expected);
    assert_eq!(offset(&world, &permit, &upload).await, 1_000_000);
    assert_eq!(world.files(), 1, "each removed its own place");
    put(whole.clone(), Some(3_000_000), second.clone(), false).await.unwrap();
    assert_eq!(world.read(&world.pull("acme/web").await, &whole).await.unwrap().len(), 4_000_000);
}

fn name_of(error: &Error) -> &'static str {
    match error {
        Error::DigestMismatch { .. } => "digest",
        Error::SizeMismatch { .. } => "size",
        Error::TooLarge { .. } => "large",
        Error::Body(_) => "body",
        _ => "another",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_beyond_its_promise_or_the_bound_changes_nothing() {
    let world = World::with(Settings { blob_bytes_max: 3_000_000, ..settings() }).await;
    let permit = world.push("acme/web").await;
    let upload = world.start(&permit).await;
    world.append(&permit, &upload, b"begin").await.unwrap();
    let long =
        world.storage.append(&permit, upload.id, None, Some(2_000_000), body(&content(2_900_000, 1)), at(0));
    assert!(matches!(long.await, Err(Error::SizeMismatch { promised: 2_000_000, .. })));
    let large = world.append(&permit, &upload, &content(3_000_000, 2)).await;
    assert!(matches!(large, Err(Error::TooLarge { max: 3_000_000 })));
    assert_eq!(offset(&world, &permit, &upload).await, 5);
    assert_eq!(world.files(), 1);
    world.append(&permit, &upload, &content(2_999_995, 2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn either_algorithm_finishes_whatever_was_assumed() {
    let world = World::new().await;
    let permit = world.push("acme/web").await;
    let layer = content(1_200_000, 8);
    for assumed in [Algorithm::Sha256, Algorithm::Sha512] {
        for actual in [Algorithm::Sha256, Algorithm::Sha512] {
            let digest = Digest::of(actual, &layer);
            for split in [0, 600_000, layer.len()] {
                let upload = world.storage.start_upload(&permit, assumed, at(0)).await.unwrap();
                if split > 0 {
                    world.append(&permit, &upload, &layer[..split]).await.unwrap();
                }
                let rest = body(&layer[split..]);
                world.storage.finish(&permit, upload.id, &digest, None, None, rest, at(0)).await.unwrap();
            }
            assert!(world.read(&world.pull("acme/web").await, &digest).await.unwrap() == layer);
        }
    }
    assert_eq!(world.files(), 2, "one blob of each digest; the others' places are gone");
}
