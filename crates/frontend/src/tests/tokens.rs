//! Challenges and tokens.

use http::Method;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use super::app::{TestApp, header, password_of, refusal, sha256};

fn form(app: &TestApp, fields: &[(&str, &str)]) -> RequestBuilder {
    let body: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let kind = "application/x-www-form-urlencoded; charset=utf-8";
    app.anonymous(Method::POST, "/auth/token").header("content-type", kind).body(body)
}

async fn with_token(app: &TestApp, method: Method, path: &str, token: &str) -> Response {
    app.anonymous(method, path).bearer_auth(token).send().await.unwrap()
}

#[tokio::test]
async fn challenges() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let realm = format!("Bearer realm=\"http://{}/auth/token\",service=\"gangplank\"", app.host);
    let ping = app.anonymous(Method::GET, "/v2/").send().await.unwrap();
    assert_eq!((ping.status().as_u16(), header(&ping, "www-authenticate")), (401, &*realm));
    assert_eq!(refusal(ping).await.1, "UNAUTHORIZED");
    assert_eq!(app.get("acme", "/v2/").await.status(), 200);

    // The same for what exists and what does not.
    for path in ["/v2/team-a/web/manifests/v1", "/v2/team-a/none/manifests/v1"] {
        let answer = app.anonymous(Method::GET, path).send().await.unwrap();
        let name = path.split('/').nth(3).unwrap();
        let expected = format!("{realm},scope=\"repository:team-a/{name}:pull\"");
        assert_eq!((answer.status().as_u16(), header(&answer, "www-authenticate")), (401, &*expected));
    }
    let wrong = app.anonymous(Method::GET, "/v2/").basic_auth("acme", Some("wrong")).send().await.unwrap();
    assert_eq!(
        (wrong.status().as_u16(), header(&wrong, "www-authenticate")),
        (401, &*realm),
        "Bearer, not Basic"
    );
    let bad = with_token(&app, Method::GET, "/v2/", "abc.def.ghi").await;
    assert_eq!(header(&bad, "www-authenticate"), format!("{realm},error=\"invalid_token\""));

    let token = app.token("acme", "repository:team-a/web:pull").await;
    assert_eq!(with_token(&app, Method::GET, "/v2/team-a/web/manifests/v1", &token).await.status(), 200);
    let push = with_token(&app, Method::POST, "/v2/team-a/web/blobs/uploads/", &token).await;
    let expected = format!("{realm},scope=\"repository:team-a/web:pull,push\",error=\"insufficient_scope\"");
    assert_eq!((push.status().as_u16(), header(&push, "www-authenticate")), (401, &*expected));
    app.clock.advance(300);
    let late = with_token(&app, Method::GET, "/v2/team-a/web/manifests/v1", &token).await;
    assert!(header(&late, "www-authenticate").ends_with("error=\"invalid_token\""));
}

#[tokio::test]
async fn get_token() {
    let app = TestApp::start().await;
    let get = async |login: Option<&str>, query: &str| {
        let path = format!("/auth/token?{query}");
        match login {
            Some(login) => app.get(login, &path).await,
            None => app.anonymous(Method::GET, &path).send().await.unwrap(),
        }
    };
    let login = get(Some("acme"), "service=gangplank&account=acme&client_id=docker&offline_token=true").await;
    assert_eq!(header(&login, "cache-control"), "no-store");
    let login: Value = login.json().await.unwrap();
    assert_eq!(login["token"], login["access_token"]);
    assert!(login["expires_in"].as_u64().unwrap() >= 1);
    for absent in ["refresh_token", "issued_at", "scope"] {
        assert!(login.get(absent).is_none(), "{absent}");
    }
    assert_eq!(get(None, "scope=repository:team-a/web:pull").await.status(), 200, "a token of nobody");
    let wrong =
        app.anonymous(Method::GET, "/auth/token").basic_auth("acme", Some("wrong")).send().await.unwrap();
    assert!(header(&wrong, "www-authenticate").starts_with("Basic "));
    assert_eq!(refusal(wrong).await, (401, "UNAUTHORIZED".to_owned()));
    let token = app.token("acme", "").await;
    assert_eq!(
        with_token(&app, Method::GET, "/auth/token", &token).await.status(),
        401,
        "no token for a token"
    );
}

#[tokio::test]
async fn post_token() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let password = password_of("dev@acme");
    let asked = form(
        &app,
        &[
            ("grant_type", "password"),
            ("service", "gangplank"),
            ("client_id", "containerd"),
            ("access_type", "offline"),
            ("username", "dev@acme"),
            ("password", &password),
            ("scope", "repository:team-a/web:pull,push,* repository:host:5000/x/y:pull"),
            ("scope", "registry:nothing:*"),
        ],
    );
    let answer: Value = asked.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["scope"], "repository:team-a/web:pull,push,delete");
    let refresh = answer["refresh_token"].as_str().unwrap();
    for _ in 0..2 {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh),
            ("scope", "repository:team-a/web:pull"),
        ];
        let again: Value = form(&app, &fields).send().await.unwrap().json().await.unwrap();
        assert_eq!(again["refresh_token"], refresh, "reusable");
        let token = again["access_token"].as_str().unwrap();
        let pulled = with_token(&app, Method::GET, "/v2/team-a/web/manifests/v1", token).await;
        assert_eq!(pulled.status(), 200);
    }
    for (fields, status) in [
        (&[("grant_type", "password"), ("username", "acme"), ("password", "wrong")][..], 401),
        (&[("grant_type", "password"), ("username", "acme")], 400),
        (&[("grant_type", "refresh_token"), ("refresh_token", "gp_ref_x.y.z")], 401),
        (&[("grant_type", "magic")], 400),
        (&[], 400),
    ] {
        assert_eq!(form(&app, fields).send().await.unwrap().status(), status, "{fields:?}");
    }
    let json =
        app.anonymous(Method::POST, "/auth/token").header("content-type", "application/json").body("{}");
    assert_eq!(json.send().await.unwrap().status(), 400);
    let long = "x".repeat(70 << 10);
    assert_eq!(form(&app, &[("grant_type", &long)]).send().await.unwrap().status(), 413);
}

#[tokio::test]
async fn an_upload_outlives_its_token() {
    let app = TestApp::start().await;
    let token = app.token("dev@acme", "repository:team-a/web:pull,push").await;
    let begun = with_token(&app, Method::POST, "/v2/team-a/web/blobs/uploads/", &token).await;
    let location = header(&begun, "location").to_owned();
    app.clock.advance(3600);
    let patch =
        app.anonymous(Method::PATCH, &location).bearer_auth(&token).body("content").send().await.unwrap();
    assert_eq!(patch.status(), 202);
    let other = with_token(&app, Method::POST, "/v2/team-a/web/blobs/uploads/", &token).await;
    assert_eq!(other.status(), 401, "nothing new begins with it");
    // Neither is it good for a session that began after it ended.
    let begun = app.by("dev@acme", Method::POST, "/v2/team-a/web/blobs/uploads/").send().await.unwrap();
    let younger = with_token(&app, Method::PATCH, header(&begun, "location"), &token).await;
    assert_eq!(younger.status(), 401);
    let path = format!("{location}?digest={}", sha256(b"content"));
    assert_eq!(with_token(&app, Method::PUT, &path, &token).await.status(), 201);
}
