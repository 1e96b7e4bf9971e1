//! A right that ends while a request's body is still coming does not do what was asked for.

use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::{SinkExt, StreamExt};
use http::Method;
use reqwest::{Body, Response};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::app::{IMAGE, TestApp, image, sha256};

const LAYER: &[u8] = b"a layer that takes its time";

/// A request whose body has begun to come.
struct Slow {
    rest: String,
    sender: UnboundedSender<Result<String, std::io::Error>>,
    answer: JoinHandle<Response>,
}

impl Slow {
    async fn begins(request: reqwest::RequestBuilder, body: &str) -> Slow {
        let (first, rest) = body.split_at(body.len() / 2);
        let (mut sender, chunks) = unbounded();
        sender.send(Ok(first.to_owned())).await.unwrap();
        let request = request.body(Body::wrap_stream(chunks.map(|chunk| chunk)));
        let answer = tokio::spawn(async move { request.send().await.unwrap() });
        // Until the server has let it in and waits for more.
        tokio::time::sleep(std::time::Duration::from_millis(150)).await;
        assert!(!answer.is_finished(), "the server waits for the body");
        Slow { rest: rest.to_owned(), sender, answer }
    }

    async fn ends(mut self) -> u16 {
        // A server that has answered already does not read on.
        let _ = self.sender.send(Ok(self.rest)).await;
        drop(self.sender);
        self.answer.await.unwrap().status().as_u16()
    }
}

/// The account takes away what its user may do.
async fn withdraws(app: &TestApp, method: Method, path: &str, body: Option<Value>) {
    let request = app.by("acme", method, path);
    let request = match body {
        Some(body) => request.json(&body),
        None => request,
    };
    assert!(request.send().await.unwrap().status().is_success(), "{path}");
}

async fn withdraws_each_way(app: &TestApp, way: usize) {
    match way {
        0 => {
            let body = json!({ "disabled": true });
            withdraws(app, Method::PATCH, "/api/v1/accounts/acme/users/dev", Some(body)).await;
        }
        1 => withdraws(app, Method::DELETE, "/api/v1/namespaces/team-a/permissions/dev", None).await,
        _ => withdraws(app, Method::DELETE, "/api/v1/accounts/acme/users/dev", None).await,
    }
}

#[tokio::test]
async fn a_manifest_sets_no_tag() {
    for (way, name) in
        [(0, "team-a/web"), (1, "team-a/web"), (2, "team-a/web"), (0, "team-a/new"), (2, "team-a/new")]
    {
        let app = TestApp::start().await;
        let before = app.push_image("acme", "team-a/web", "v1", LAYER).await;
        let after = image(&sha256(b"{}"), 2, &sha256(b"{}"), 2);
        let index =
            json!({ "schemaVersion": 2, "mediaType": super::app::INDEX, "manifests": [] }).to_string();
        let (kind, body) = if name == "team-a/web" { (IMAGE, &after) } else { (super::app::INDEX, &index) };
        let put = app.by("dev@acme", Method::PUT, &format!("/v2/{name}/manifests/v1"));
        let slow = Slow::begins(put.header("content-type", kind), body).await;
        withdraws_each_way(&app, way).await;
        assert!((401..=404).contains(&slow.ends().await), "{name} {way}");
        let now = app.get("acme", "/v2/team-a/web/manifests/v1").await.text().await.unwrap();
        assert_eq!(now, before, "{name} {way}");
        assert_eq!(app.get("acme", "/v2/team-a/new/manifests/v1").await.status(), 404);
    }
}

#[tokio::test]
async fn a_blob_is_not_made() {
    for way in 0..3 {
        for whole in [false, true] {
            let app = TestApp::start().await;
            app.push_image("acme", "team-a/web", "v1", b"another layer").await;
            let digest = sha256(LAYER);
            let uploads = "/v2/team-a/web/blobs/uploads/";
            let request = if whole {
                app.by("dev@acme", Method::POST, &format!("{uploads}?digest={digest}"))
            } else {
                let begun = app.by("dev@acme", Method::POST, uploads).send().await.unwrap();
                let location = begun.headers()["location"].to_str().unwrap().to_owned();
                app.by("dev@acme", Method::PUT, &format!("{location}?digest={digest}"))
            };
            let slow = Slow::begins(request, std::str::from_utf8(LAYER).unwrap()).await;
            withdraws_each_way(&app, way).await;
            assert_eq!(slow.ends().await, 403, "{way} {whole}");
            let path = format!("/v2/team-a/web/blobs/{digest}");
            assert_eq!(app.get("acme", &path).await.status(), 404, "{way} {whole}");
        }
    }
}

#[tokio::test]
async fn the_management_api_does_nothing() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", LAYER).await;
    withdraws(
        &app,
        Method::PUT,
        "/api/v1/namespaces/team-a/permissions/dev",
        Some(json!({ "level": "manage" })),
    )
    .await;
    let made = app.by("dev@acme", Method::POST, "/api/v1/tokens").json(&json!({ "expires_in_seconds": 600 }));
    let made: Value = made.send().await.unwrap().json().await.unwrap();
    let shares = app.anonymous(Method::POST, "/api/v1/repositories/team-a%2Fweb/shares");
    let shares =
        shares.bearer_auth(made["secret"].as_str().unwrap()).header("content-type", "application/json");
    let slow = Slow::begins(shares, r#"{ "account": "globex", "permanent": true }"#).await;
    let path = format!("/api/v1/tokens/{}", made["id"]);
    let revoked = app.by("dev@acme", Method::DELETE, &path).send().await.unwrap();
    assert_eq!(revoked.status(), 204);
    assert_eq!(slow.ends().await, 401);
    assert_eq!(app.get("globex", "/v2/team-a/web/manifests/v1").await.status(), 404);
}

#[tokio::test]
async fn a_download_is_cut_some_time_after() {
    let app = TestApp::start().await;
    let large = vec![b'x'; 64 << 20];
    app.push_image("acme", "team-a/web", "v1", &large).await;
    let path = format!("/v2/team-a/web/blobs/{}", sha256(&large));
    for (seconds, whole) in [(599, true), (600, false)] {
        withdraws(&app, Method::PATCH, "/api/v1/accounts/acme/users/dev", Some(json!({ "disabled": false })))
            .await;
        let download = app.get("dev@acme", &path).await;
        assert_eq!(download.status(), 200);
        withdraws_each_way(&app, 0).await;
        // It is looked at again only after a while; from then on the time runs.
        app.clock.advance(10);
        let mut chunks = download.bytes_stream();
        let mut length = chunks.next().await.unwrap().unwrap().len();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        app.clock.advance(seconds);
        while let Some(Ok(chunk)) = chunks.next().await {
            length += chunk.len();
        }
        assert_eq!(length == large.len(), whole, "{length} bytes");
    }
}
