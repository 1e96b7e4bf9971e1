//! What a connection may not do to the server.

use std::time::Duration;

use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::app::{TestApp, sha256};
use crate::Settings;

const SOON: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(10);

async fn impatient() -> TestApp {
    let settings = Settings { head_timeout: SOON, body_idle_timeout: SOON, ..Settings::default() };
    TestApp::start_with(settings, storage::Settings::default()).await
}

/// What comes back for `request` until the server closes the connection.
async fn converse(app: &TestApp, request: &str) -> String {
    let mut stream = TcpStream::connect(&app.host).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("the server closes the connection")
        .unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn silence_and_half_a_head() {
    let app = impatient().await;
    for silent in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /v2/ HTTP/1.1\r\nHost: a\r\n"] {
        converse(&app, silent).await;
    }
}

#[tokio::test]
async fn hosts() {
    let app = impatient().await;
    for (head, status) in [
        ("Host: registry.example:5000\r\n", "401"),
        ("", "400"),
        ("Host: a\"b\r\n", "400"),
        ("Host: a\r\nHost: b\r\n", "400"),
        ("Host: u@a\r\n", "400"),
    ] {
        let answer = converse(&app, &format!("GET /v2/ HTTP/1.1\r\n{head}Connection: close\r\n\r\n")).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{head:?}: {answer}");
        if status == "401" {
            assert!(answer.contains("realm=\"http://registry.example:5000/auth/token\""), "{answer}");
        }
    }
    let forwarded = "GET /v2/ HTTP/1.1\r\nHost: a\r\nX-Forwarded-Host: evil\r\nConnection: close\r\n\r\n";
    assert!(!converse(&app, forwarded).await.contains("evil"));
}

#[tokio::test]
async fn a_stalled_upload_is_answered() {
    let app = impatient().await;
    let begun = app.by("acme", Method::POST, "/v2/team-a/web/blobs/uploads/").send().await.unwrap();
    let location = begun.headers()["location"].to_str().unwrap().to_owned();
    let token = app.token("acme", "repository:team-a/web:pull,push").await;
    let head = format!("PATCH {location} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n");
    let answer = converse(&app, &format!("{head}Content-Length: 100\r\n\r\nonly this")).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    let status = app.get("acme", &location).await;
    assert_eq!(status.headers()["range"], "0-8", "what came is kept");
}

#[tokio::test]
async fn huge_heads() {
    let app = impatient().await;
    let padding = "x".repeat(200 << 10);
    let answer = converse(&app, &format!("GET /v2/ HTTP/1.1\r\nHost: a\r\nX: {padding}\r\n\r\n")).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let many = "X: y\r\n".repeat(200);
    let answer = converse(&app, &format!("GET /v2/ HTTP/1.1\r\nHost: a\r\n{many}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn http2_with_prior_knowledge() {
    let app = TestApp::start().await;
    let layer = vec![3; 5 << 20];
    let digest = app.push_blob("acme", "team-a/web", &layer).await;
    let client = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let url = format!("http://{}/v2/team-a/web/blobs/{digest}", app.host);
    let get =
        client.get(&url).basic_auth("acme", Some(super::app::password_of("acme"))).send().await.unwrap();
    assert_eq!(get.version(), http::Version::HTTP_2);
    assert_eq!(sha256(&get.bytes().await.unwrap()), digest);
    let ping = client.get(format!("http://{}/v2/", app.host)).send().await.unwrap();
    let challenge = ping.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(&app.host), "{challenge}");
    let head =
        client.head(&url).basic_auth("acme", Some(super::app::password_of("acme"))).send().await.unwrap();
    assert_eq!(head.headers()["content-length"], layer.len().to_string());
}

/// A PATCH whose body has begun and waits for its rest.
async fn begin_upload(app: &TestApp) -> TcpStream {
    let begun = app.by("acme", Method::POST, "/v2/team-a/web/blobs/uploads/").send().await.unwrap();
    let location = begun.headers()["location"].to_str().unwrap();
    let token = app.token("acme", "repository:team-a/web:pull,push").await;
    let mut stream = TcpStream::connect(&app.host).await.unwrap();
    let head = format!("PATCH {location} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n");
    let request = format!("{head}Content-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    timeout(PATIENCE, stream.read_exact(&mut go_on)).await.unwrap().unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

async fn finish_upload(mut stream: TcpStream) -> String {
    stream.write_all(b"rest").await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn more_requests_than_there_is_room_for() {
    let settings = Settings { requests_max: 1, admission_wait_max: SOON, ..Settings::default() };
    let app = TestApp::start_with(settings, storage::Settings::default()).await;
    let upload = begin_upload(&app).await;
    let refused = app.anonymous(Method::GET, "/v2/").send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    let answer = finish_upload(upload).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    assert_eq!(app.anonymous(Method::GET, "/v2/").send().await.unwrap().status(), 401, "there is room again");
}

#[tokio::test]
async fn stopping_lets_requests_in_flight_finish() {
    let app = TestApp::start().await;
    let (upload, host) = (begin_upload(&app).await, app.host.clone());
    let stopped = app.stop();
    // The listener is closed before the upload is done.
    let refused = async {
        while TcpStream::connect(&host).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, refused).await.unwrap();
    assert!(!stopped.is_finished());
    let answer = finish_upload(upload).await;
    assert!(answer.starts_with("HTTP/1.1 202"), "{answer}");
    timeout(PATIENCE, stopped).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn stopping_waits_no_longer_than_it_may() {
    let settings = Settings { shutdown_timeout: SOON, ..Settings::default() };
    let app = TestApp::start_with(settings, storage::Settings::default()).await;
    let _upload = begin_upload(&app).await;
    timeout(PATIENCE, app.stop()).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_panic_is_answered_and_ends_nothing_else() {
    let app = TestApp::start().await;
    app.clock.break_down(true);
    let answer = app.anonymous(Method::GET, "/v2/").send().await.unwrap();
    assert_eq!(super::app::refusal(answer).await, (500, "UNKNOWN".to_owned()));
    app.clock.break_down(false);
    assert_eq!(app.get("acme", "/v2/").await.status(), 200);
}
