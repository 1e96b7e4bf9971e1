//! Downloads that do not come to their end, and what is left of them: nothing.

use std::time::Duration;

use super::wire::{Wire, large_file, wait_for_open_files};
use super::{MIB, PATIENCE, pushed};
use crate::Settings;
use crate::tests::app::TestApp;

const SOON: Duration = Duration::from_millis(400);
/// More than sockets take by themselves.
const LARGE: usize = 16 * MIB;

async fn start(settings: Settings) -> TestApp {
    TestApp::start_with(settings, storage::Settings::default()).await
}

async fn impatient(body_idle_timeout: Duration) -> TestApp {
    TestApp::start_narrow(Settings { body_idle_timeout, ..Settings::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stalls_is_given_up() {
    let app = impatient(SOON).await;
    let (content, path) = pushed(&app, LARGE).await;
    let mut wire = Wire::connect_narrow(&app, 8 << 10).await;
    wire.ask("GET", &path, "").await;
    wire.head().await;
    wait_for_open_files(app.data.path(), 1).await;
    wait_for_open_files(app.data.path(), 0).await;
    let rest = wire.rest().await;
    assert!(rest.len() < content.len() && content.starts_with(&rest), "{} bytes", rest.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_takes_next_to_nothing_is_given_up() {
    let app = impatient(Duration::from_secs(1)).await;
    let (_, path) = pushed(&app, LARGE).await;
    let mut wire = Wire::connect_narrow(&app, 128 << 10).await;
    wire.ask("GET", &path, "").await;
    wire.head().await;
    wait_for_open_files(app.data.path(), 1).await;
    // An eighth of a mebibyte each second, and never nothing for half a second.
    tokio::select! {
        _ = wire.some_slowly(LARGE, 2620) => panic!("it is served"),
        () = wait_for_open_files(app.data.path(), 0) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_slow_but_steady_is_served() {
    let settings = Settings { body_idle_timeout: Duration::from_millis(800), ..Settings::default() };
    // With the system's own buffers, which tell of room only when a good part of them is free.
    for app in [TestApp::start_narrow(settings.clone()).await, start(settings).await] {
        let (content, path) = pushed(&app, 6 * MIB).await;
        let mut wire = Wire::connect_narrow(&app, 128 << 10).await;
        wire.ask("GET", &path, "").await;
        wire.head().await;
        let mut read = wire.some(MIB).await;
        read.extend(wire.some_slowly(2 * MIB, MIB / 64).await);
        read.extend(wire.some(content.len() - read.len()).await);
        assert!(read == content);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_frees_the_file() {
    let app = TestApp::start().await;
    let (content, path) = pushed(&app, LARGE).await;
    for read in [0, 100_000, 3 * MIB] {
        let mut wire = Wire::connect(&app).await;
        wire.ask("GET", &path, "").await;
        wire.head().await;
        assert!(content.starts_with(&wire.some(read).await));
        wait_for_open_files(app.data.path(), 1).await;
        drop(wire);
        wait_for_open_files(app.data.path(), 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_ends_too_early_ends_the_connection() {
    for lost in [LARGE - 2 * MIB, MIB, 1] {
        let app = TestApp::start().await;
        let (content, path) = pushed(&app, LARGE).await;
        let kept = LARGE - lost;
        large_file(app.data.path()).set_len(kept as u64).unwrap();
        let mut wire = Wire::connect(&app).await;
        wire.ask("GET", &path, "").await;
        wire.ask("GET", "/v2/", "").await;
        let head = wire.head().await;
        assert!(head.contains(&format!("content-length: {LARGE}\r\n")), "{head}");
        let rest = wire.rest().await;
        assert!(rest.len() <= kept && content.starts_with(&rest), "{lost} lost: {} bytes", rest.len());
        wait_for_open_files(app.data.path(), 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_cut_while_it_is_sent_ends_the_connection() {
    let app = TestApp::start().await;
    let (content, path) = pushed(&app, LARGE).await;
    let mut wire = Wire::connect_narrow(&app, 8 << 10).await;
    wire.ask("GET", &path, "").await;
    wire.head().await;
    let mut read = wire.some(MIB).await;
    large_file(app.data.path()).set_len((LARGE - MIB) as u64).unwrap();
    read.extend(tokio::time::timeout(PATIENCE, wire.rest()).await.unwrap());
    assert!(read.len() <= LARGE - MIB && content.starts_with(&read), "{} bytes", read.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_in_flight_until_its_last_byte_has_left() {
    let settings =
        Settings { head_timeout: SOON, requests_max: 1, admission_wait_max: SOON, ..Settings::default() };
    let app = TestApp::start_narrow(settings).await;
    let (content, path) = pushed(&app, 2 * MIB).await;
    let mut wire = Wire::connect_narrow(&app, 8 << 10).await;
    wire.ask("GET", &path, "").await;
    wire.head().await;
    // The last range is in the outbox, and hyper asks for no more.
    let last = MIB / 2;
    let mut read = wire.some(content.len() - last).await;
    tokio::time::sleep(3 * SOON).await;
    let refused = app.anonymous(http::Method::GET, "/v2/").send().await.unwrap();
    assert_eq!(refused.status(), 503, "it keeps its room");
    read.extend(wire.some(last).await);
    assert!(read == content, "a slow end is not taken for idleness");
    let answered = app.anonymous(http::Method::GET, "/v2/").send().await.unwrap();
    assert_eq!(answered.status(), 401, "there is room again");
}
