//! Reading: ranges, conditions, lists, and what everybody is told.

use http::Method;
use serde_json::{Value, json};

use super::app::{TestApp, header, refusal, sha256};

const LAYER: &[u8] = b"0123456789";

#[tokio::test]
async fn ranges() {
    let app = TestApp::start().await;
    let digest = app.push_blob("acme", "team-a/web", LAYER).await;
    let path = format!("/v2/team-a/web/blobs/{digest}");
    let get = |range: &'static str| app.by("acme", Method::GET, &path).header("range", range).send();
    let whole = app.get("acme", &path).await;
    assert_eq!((header(&whole, "accept-ranges"), header(&whole, "content-length")), ("bytes", "10"));
    assert_eq!(header(&whole, "content-type"), "application/octet-stream");
    assert_eq!(header(&whole, "x-content-type-options"), "nosniff");
    assert!(header(&whole, "content-security-policy").contains("sandbox"));
    assert!(header(&whole, "cache-control").starts_with("private"));
    assert_eq!(whole.bytes().await.unwrap(), LAYER);

    let one = get("bytes=2-4").await.unwrap();
    assert_eq!((one.status().as_u16(), header(&one, "content-range")), (206, "bytes 2-4/10"));
    assert_eq!(one.text().await.unwrap(), "234");
    let none = get("bytes=10-").await.unwrap();
    assert_eq!((none.status().as_u16(), header(&none, "content-range")), (416, "bytes */10"));
    let several = get("bytes=0-1,8-").await.unwrap();
    let kind = header(&several, "content-type").to_owned();
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap();
    let head = |range: &str| {
        format!(
            "--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {range}/10\r\n\r\n"
        )
    };
    let expected = format!("\r\n{}01\r\n{}89\r\n--{boundary}--\r\n", head("0-1"), head("8-9"));
    assert_eq!(header(&several, "content-length"), expected.len().to_string());
    assert_eq!((several.status().as_u16(), several.text().await.unwrap()), (206, expected));

    let stale = app.by("acme", Method::GET, &path).header("range", "bytes=0-1").header("if-range", "\"old\"");
    assert_eq!(stale.send().await.unwrap().status(), 200);
    let fresh = app.by("acme", Method::GET, &path).header("range", "bytes=0-1");
    assert_eq!(fresh.header("if-range", format!("\"{digest}\"")).send().await.unwrap().status(), 206);
}

#[tokio::test]
async fn heads_and_conditions() {
    let app = TestApp::start().await;
    let manifest = app.push_image("acme", "team-a/web", "v1", LAYER).await;
    let digest = sha256(manifest.as_bytes());
    for (path, length, digest) in [
        (format!("/v2/team-a/web/blobs/{}", sha256(LAYER)), LAYER.len(), sha256(LAYER)),
        ("/v2/team-a/web/manifests/v1".to_owned(), manifest.len(), digest.clone()),
        (format!("/v2/team-a/web/manifests/{digest}"), manifest.len(), digest),
    ] {
        let head = app.by("acme", Method::HEAD, &path).send().await.unwrap();
        assert_eq!((head.status().as_u16(), header(&head, "content-length")), (200, &*length.to_string()));
        assert_eq!(header(&head, "docker-content-digest"), digest.to_string());
        assert_eq!(header(&head, "etag"), format!("\"{digest}\""));
        for method in [Method::GET, Method::HEAD] {
            let known = app.by("acme", method, &path).header("if-none-match", format!("\"{digest}\""));
            let known = known.send().await.unwrap();
            assert_eq!((known.status().as_u16(), known.bytes().await.unwrap().len()), (304, 0));
        }
        let stranger = app.by("globex", Method::GET, &path).header("if-none-match", format!("\"{digest}\""));
        assert_eq!(stranger.send().await.unwrap().status(), 404, "a condition opens nothing");
    }
    let missing = format!("/v2/team-a/web/blobs/{}", sha256(b"none"));
    let missing = app.by("acme", Method::HEAD, &missing).send().await.unwrap();
    assert_eq!((missing.status().as_u16(), missing.bytes().await.unwrap().len()), (404, 0));
}

#[tokio::test]
async fn tags_in_pages() {
    let app = TestApp::start().await;
    for tag in ["b", "a", "B", "10", "9"] {
        app.push_image("acme", "team-a/web", tag, LAYER).await;
    }
    let list = async |query: &str| {
        let answer = app.get("acme", &format!("/v2/team-a/web/tags/list{query}")).await;
        let link = header(&answer, "link").to_owned();
        (answer.json::<Value>().await.unwrap()["tags"].clone(), link)
    };
    assert_eq!(list("").await, (json!(["10", "9", "B", "a", "b"]), String::new()));
    assert_eq!(list("?n=0").await, (json!([]), String::new()));
    let next = "</v2/team-a/web/tags/list?n=2&last=9>; rel=\"next\"".to_owned();
    assert_eq!(list("?n=2").await, (json!(["10", "9"]), next));
    assert_eq!(list("?n=2&last=B").await, (json!(["a", "b"]), String::new()));
    assert_eq!(list("?last=zzz").await, (json!([]), String::new()));
    assert_eq!(list("?n=99999999999999999999").await.0.as_array().unwrap().len(), 5);
    let refused = app.get("acme", "/v2/team-a/web/tags/list?n=x").await;
    assert_eq!(refusal(refused).await, (400, "UNSUPPORTED".to_owned()));
}

#[tokio::test]
async fn the_catalog_shows_what_may_be_pulled() {
    let app = TestApp::start().await;
    for name in ["team-a/web", "team-a/db"] {
        app.push_image("acme", name, "v1", LAYER).await;
    }
    app.push_blob("acme", "team-a/unlisted", LAYER).await;
    app.share("team-a/db", None).await;
    let names = async |login: &str| {
        app.get(login, "/v2/_catalog").await.json::<Value>().await.unwrap()["repositories"].clone()
    };
    assert_eq!(names("acme").await, json!(["team-a/db", "team-a/web"]));
    assert_eq!(names("globex").await, json!(["team-a/db"]));
    let page = app.get("acme", "/v2/_catalog?n=1").await;
    assert_eq!(header(&page, "link"), "</v2/_catalog?n=1&last=team-a%2Fdb>; rel=\"next\"");
    let anonymous = app.anonymous(Method::GET, "/v2/_catalog").send().await.unwrap();
    assert!(header(&anonymous, "www-authenticate").contains("scope=\"registry:catalog:*\""));
    assert_eq!(anonymous.status(), 401);
    let token = app.token("acme", "repository:team-a/web:pull").await;
    let narrow = app.anonymous(Method::GET, "/v2/_catalog").bearer_auth(token).send().await.unwrap();
    assert!(header(&narrow, "www-authenticate").contains("error=\"insufficient_scope\""));
}

#[tokio::test]
async fn addresses_that_are_none() {
    let app = TestApp::start().await;
    for (method, path, expected) in [
        (Method::GET, "/v2/team-a/web/nothing/x", (404, "UNSUPPORTED")),
        (Method::GET, "/v2/web/tags/list", (400, "NAME_INVALID")),
        (Method::GET, "/v2/team-a/web/blobs/sha256:x", (400, "DIGEST_INVALID")),
        (Method::GET, "/v2/team-a/web/manifests/.x", (404, "MANIFEST_UNKNOWN")),
        (Method::POST, "/v2/team-a/web/manifests/x", (405, "UNSUPPORTED")),
        (Method::GET, "/v2/team-a/%ff/manifests/x", (400, "UNSUPPORTED")),
    ] {
        let answer = app.by("acme", method, path).send().await.unwrap();
        assert!(!header(&answer, "x-request-id").is_empty());
        assert_eq!(refusal(answer).await, (expected.0, expected.1.to_owned()), "{path}");
    }
    for path in ["/healthz", "/readyz", "/auth/jwks.json", "/api/v1/openapi.json"] {
        assert_eq!(app.anonymous(Method::GET, path).send().await.unwrap().status(), 200, "{path}");
    }
}
