//! Layers on their way through nginx.

use std::path::Path;

use bytes::Bytes;
use futures::{StreamExt, stream};
use tests::{Blob, NAME};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep};

use super::{LARGE, MIB, Stage, docker_and_containerd_exchange};

const UPLOADS_BUFFERED: (&str, &str) = ("proxy_request_buffering off;", "proxy_request_buffering on;");
const DOWNLOADS_BUFFERED: (&str, &str) = ("proxy_buffering off;", "proxy_buffering on;");

async fn large_layers_pass(changes: &[(&str, &str)]) {
    let stage = Stage::set_with(changes).await;
    docker_and_containerd_exchange(&stage.nginx.registry().called(NAME), &stage.acme, LARGE).await;
    // docker's way to upload, and containerd's.
    for upload in ["PATCH 202", "PUT 201"] {
        let answered = stage.nginx.answered();
        let passed = answered.iter().any(|line| {
            let bytes = line.strip_prefix(upload).and_then(|bytes| bytes.trim().parse::<usize>().ok());
            bytes.is_some_and(|bytes| bytes >= LARGE)
        });
        assert!(passed, "no large {upload} went through nginx: {answered:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_layers_pass_nginx_as_it_is_shipped() {
    large_layers_pass(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_layers_pass_nginx_that_buffers_uploads() {
    large_layers_pass(&[UPLOADS_BUFFERED]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_layers_pass_nginx_that_buffers_downloads() {
    large_layers_pass(&[DOWNLOADS_BUFFERED]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_layers_pass_nginx_that_buffers_both() {
    large_layers_pass(&[UPLOADS_BUFFERED, DOWNLOADS_BUFFERED]).await;
}

/// A push of 16 MiB that stops for a while in its middle; how much of it the server has by then.
async fn held_in_the_middle_of_a_push(stage: &Stage, patience: Duration) -> u64 {
    let acme = stage.nginx.registry().person(stage.acme.login(), stage.acme.password());
    let location = acme.starts_upload("team-a/slow").await;
    let before = bytes_below(&stage.server.data());
    let (parts, body) = mpsc::channel::<Result<Bytes, std::io::Error>>(1);
    let body = stream::unfold(body, async |mut body| Some((body.recv().await?, body)));
    let request = acme.patch(&location).body(reqwest::Body::wrap_stream(body.boxed()));
    let answer = tokio::spawn(request.send());
    let half = Blob::random(8 * MIB).bytes;
    parts.send(Ok(half.clone())).await.expect("a listening client");

    let begun = Instant::now();
    let mut held = 0;
    while held < half.len() as u64 && begun.elapsed() < patience {
        sleep(Duration::from_millis(50)).await;
        held = bytes_below(&stage.server.data()).saturating_sub(before);
    }
    parts.send(Ok(half)).await.expect("a listening client");
    drop(parts);
    let answer = answer.await.expect("it did not panic").expect(202);
    assert_eq!(answer.header("range"), format!("0-{}", 16 * MIB - 1));
    held
}

fn bytes_below(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let metadata = entry.metadata().ok()?;
            Some(if metadata.is_dir() { bytes_below(&entry.path()) } else { metadata.len() })
        })
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layer_reaches_the_server_while_its_client_still_sends() {
    let stage = Stage::set().await;
    let held = held_in_the_middle_of_a_push(&stage, Duration::from_secs(20)).await;
    assert!(held >= 7 * MIB as u64, "of the 8 MiB that were sent, the server holds {held} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_uploads_buffered_a_layer_reaches_the_server_when_nginx_has_all_of_it() {
    let stage = Stage::set_with(&[UPLOADS_BUFFERED]).await;
    let held = held_in_the_middle_of_a_push(&stage, Duration::from_secs(2)).await;
    assert!(held < MIB as u64, "the server already holds {held} bytes");
}
