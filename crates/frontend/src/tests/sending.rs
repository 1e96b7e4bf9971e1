//! A blob's bytes on the wire, read by a client that is not polite: whole, in ranges, one after the other, too slowly, and
//! not to the end.

mod broken;
mod stand_ins;
mod wire;

use std::time::Duration;

use futures::future::join_all;
use http::Method;
use oci::Digest;

use super::app::{TestApp, sha256};
use crate::Settings;
use wire::Wire;

const PATIENCE: Duration = Duration::from_secs(20);
const MIB: usize = 1 << 20;

/// So many bytes, none of which is zero, and no page of which is like another.
fn content(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ length as u64;
    let mut content = Vec::with_capacity(length + 8);
    while content.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        content.extend(state.to_le_bytes().map(|byte| byte.max(1)));
    }
    content.truncate(length);
    content
}

fn path_of(digest: &Digest) -> String {
    format!("/v2/team-a/web/blobs/{digest}")
}

/// Pushes so many bytes, and answers them and where they are.
async fn pushed(app: &TestApp, length: usize) -> (Vec<u8>, String) {
    let content = content(length);
    let path = path_of(&app.push_blob("acme", "team-a/web", &content).await);
    (content, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn any_size_comes_byte_for_byte_on_one_connection() {
    for app in [TestApp::start().await, TestApp::start_in_memory().await] {
        let mut wire = Wire::connect(&app).await;
        let small = 64 << 10;
        let sizes = [0, 1, 4096, small - 1, small, small + 1, MIB - 1, MIB, MIB + 1, 2 * MIB, 5 * MIB + 3];
        for size in sizes {
            let (content, path) = pushed(&app, size).await;
            wire.ask("HEAD", &path, "").await;
            assert!(wire.head().await.contains(&format!("content-length: {size}\r\n")));
            wire.ask("GET", &path, "").await;
            assert!(wire.answer().await.1 == content, "{size} bytes");
        }
        wire.ask("GET", "/v2/", "").await;
        assert!(wire.answer().await.0.starts_with("HTTP/1.1 200"), "the connection is good for more");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_begin_and_end_where_they_should() {
    let app = TestApp::start().await;
    let size = 3 * MIB + 7;
    let (content, path) = pushed(&app, size).await;
    let mut wire = Wire::connect(&app).await;
    for (start, end) in [(0, 1), (1, MIB + 1), (4095, size), (MIB, 2 * MIB), (MIB - 1, 3 * MIB + 1)] {
        wire.ask("GET", &path, &format!("Range: bytes={start}-{}\r\n", end - 1)).await;
        let (head, body) = wire.answer().await;
        assert!(head.contains(&format!("content-range: bytes {start}-{}/{size}\r\n", end - 1)), "{head}");
        assert!(body == content[start..end], "{start}..{end}");
    }
    let ranges = [(3, 5), (100, 200_000), (MIB, 3 * MIB), (size - 1, size)];
    let header: Vec<_> = ranges.iter().map(|(start, end)| format!("{start}-{}", end - 1)).collect();
    for _ in 0..2 {
        wire.ask("GET", &path, &format!("Range: bytes={}\r\n", header.join(","))).await;
        let (head, body) = wire.answer().await;
        let boundary = head.split("boundary=").nth(1).unwrap().split("\r\n").next().unwrap();
        let mut expected = Vec::new();
        for (start, end) in ranges {
            let head = format!(
                "\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {start}-{}/{size}\r\n\r\n",
                end - 1
            );
            expected.extend_from_slice(head.as_bytes());
            expected.extend_from_slice(&content[start..end]);
        }
        expected.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        assert!(body == expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_sent_at_once_are_answered_in_their_order() {
    let app = TestApp::start().await;
    let mut blobs = Vec::new();
    for size in [2 * MIB + 1, 10, 300_000, 3 * MIB] {
        blobs.push(pushed(&app, size).await);
    }
    let mut wire = Wire::connect(&app).await;
    for (_, path) in &blobs {
        wire.ask("GET", path, "").await;
    }
    // All of it is under way before anything is read.
    tokio::time::sleep(Duration::from_millis(100)).await;
    for (content, _) in &blobs {
        assert!(wire.answer().await.1 == *content, "{} bytes", content.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_in_several_files_is_sent_as_one() {
    let app = TestApp::start().await;
    let whole = content(3 * MIB);
    let begun = app.by("acme", Method::POST, "/v2/team-a/web/blobs/uploads/").send().await.unwrap();
    let mut location = begun.headers()["location"].to_str().unwrap().to_owned();
    for part in whole.chunks(MIB + 5) {
        let sent = app.by("acme", Method::PATCH, &location).body(part.to_vec()).send().await.unwrap();
        assert_eq!(sent.status(), 202);
        sent.headers()["location"].to_str().unwrap().clone_into(&mut location);
    }
    let digest = sha256(&whole);
    let done = app.by("acme", Method::PUT, &format!("{location}?digest={digest}")).send().await.unwrap();
    assert_eq!(done.status(), 201);
    let mut wire = Wire::connect(&app).await;
    wire.ask("GET", &path_of(&digest), "").await;
    assert!(wire.answer().await.1 == whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_with_little_room_each() {
    let app = TestApp::start_narrow(Settings::default()).await;
    let (content, path) = pushed(&app, 3 * MIB + 11).await;
    let downloads = (0..24).map(async |_| {
        let mut wire = Wire::connect_narrow(&app, 8 << 10).await;
        wire.ask("GET", &path, "").await;
        wire.answer().await.1
    });
    for (index, body) in join_all(downloads).await.into_iter().enumerate() {
        assert!(body == content, "the download {index}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_disk_alone_holds_comes_too() {
    let app = TestApp::start().await;
    let (content, path) = pushed(&app, 6 * MIB + 1).await;
    wire::forget(app.data.path());
    let mut wire = Wire::connect(&app).await;
    wire.ask("GET", &path, "").await;
    assert!(wire.answer().await.1 == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_gets_the_bytes_themselves() {
    let app = TestApp::start().await;
    let (content, path) = pushed(&app, 3 * MIB + 1).await;
    let client = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let url = format!("http://{}{path}", app.host);
    for range in [0..content.len(), 5..2 * MIB] {
        let get = client.get(&url).basic_auth("acme", Some(super::app::password_of("acme")));
        let get = get.header("range", format!("bytes={}-{}", range.start, range.end - 1));
        let answer = get.send().await.unwrap();
        assert_eq!(answer.version(), http::Version::HTTP_2);
        assert!(answer.bytes().await.unwrap() == content[range]);
    }
}
