//! The contract of [`Places`], as tests: a backend is one call to [`run`].

#![expect(clippy::unwrap_used, reason = "a suite of tests")]

use bytes::Bytes;

use super::{Place, PlaceError, Places};

/// Checks everything that the contract of [`Places`] says and a test can see. Leaves nothing behind.
///
/// # Panics
/// When `places` breaks the contract.
pub async fn run(places: &dyn Places) {
    comes_back_in_order(places).await;
    is_written_once(places).await;
    is_removed_whole(places).await;
    is_cut(places).await;
    if let Some(space) = places.space().await.unwrap() {
        assert!(space.writable && space.free_bytes > 0, "a test needs some room");
        assert!(space.free_bytes <= space.total_bytes, "no more is free than there is");
    }
}

async fn write(places: &dyn Places, chunks: &[&'static [u8]]) -> Place {
    let place = Place::random();
    let mut writer = places.create(place).await.unwrap();
    writer.write(chunks.iter().map(|chunk| Bytes::from_static(chunk)).collect()).await.unwrap();
    writer.sync().await.unwrap();
    place
}

async fn comes_back_in_order(places: &dyn Places) {
    let place = Place::random();
    let mut writer = places.create(place).await.unwrap();
    writer.write(vec![]).await.unwrap();
    writer
        .write(vec![Bytes::from_static(b"one, "), Bytes::new(), Bytes::from_static(b"two, ")])
        .await
        .unwrap();
    writer.sync().await.unwrap();
    writer.write(vec![Bytes::from_static(b"three")]).await.unwrap();
    writer.sync().await.unwrap();
    writer.sync().await.unwrap();
    drop(writer);

    let reader = places.open(place).await.unwrap();
    assert_eq!(reader.read(0, 15).await.unwrap(), "one, two, three");
    assert_eq!(reader.read(5, 3).await.unwrap(), "two");
    assert_eq!(reader.read(15, 0).await.unwrap(), "");
    for (offset, length) in [(0, 16), (15, 1), (100, 1)] {
        let error = reader.read(offset, length).await.unwrap_err();
        assert!(matches!(error, PlaceError::Short), "{offset}+{length}: {error:?}");
    }
    places.remove(place).await.unwrap();
}

async fn is_written_once(places: &dyn Places) {
    let place = write(places, &[b"first"]).await;
    assert!(matches!(places.create(place).await.err(), Some(PlaceError::Failed(_))));
    assert_eq!(places.open(place).await.unwrap().read(0, 5).await.unwrap(), "first");
    places.remove(place).await.unwrap();
}

async fn is_removed_whole(places: &dyn Places) {
    let place = write(places, &[b"bytes"]).await;
    let other = write(places, &[b"other"]).await;
    places.remove(place).await.unwrap();
    assert!(matches!(places.open(place).await.err(), Some(PlaceError::Absent)));
    places.remove(place).await.unwrap();
    places.remove(Place::random()).await.unwrap();
    assert_eq!(places.open(other).await.unwrap().read(0, 5).await.unwrap(), "other");
    places.remove(other).await.unwrap();

    // While its writer is still at it.
    let busy = Place::random();
    let mut writer = places.create(busy).await.unwrap();
    writer.write(vec![Bytes::from_static(b"late")]).await.unwrap();
    places.remove(busy).await.unwrap();
    drop(writer);
    assert!(matches!(places.open(busy).await.err(), Some(PlaceError::Absent)));
}

async fn is_cut(places: &dyn Places) {
    let place = Place::random();
    let mut writer = places.create(place).await.unwrap();
    writer.write(vec![Bytes::from_static(b"kept and cut")]).await.unwrap();
    writer.truncate(4).await.unwrap();
    drop(writer);
    let reader = places.open(place).await.unwrap();
    assert_eq!(reader.read(0, 4).await.unwrap(), "kept");
    assert!(matches!(reader.read(0, 5).await, Err(PlaceError::Short)));
    places.remove(place).await.unwrap();
}
