//! What a request may get wrong, operation by operation, and what it is told.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::FromRequest;
use bytes::Bytes;
use http::Request;
use http::header::CONTENT_TYPE;
use http_body::Frame;
use serde_json::{Value, json};

use crate::api::extract::JsonBody;
use crate::api::problem::Code;

use super::registry::{PASSWORD, Registry, basic};

/// A request that is refused: method, path, body, and the status, code and field of the answer.
type Case<'a> = (&'a str, &'a str, Value, (u16, &'a str, Option<&'a str>));

async fn refuse(login: &str, cases: &[Case<'_>]) {
    let registry = Registry::furnished().await;
    for (method, path, body, expected) in cases {
        let body = (!body.is_null()).then(|| body.clone());
        let answer = registry.send(login, method, path, body.clone()).await;
        assert_eq!(answer.problem(), *expected, "{method} {path} {body:?}: {}", answer.body);
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.ends_with('.') && detail.len() > 15, "{method} {path}: {detail}");
        assert!(!answer.body.to_string().contains(PASSWORD), "{method} {path} tells a password");
    }
}

#[tokio::test]
async fn accounts() {
    let new = |name: &str, password: &str| json!({"name": name, "password": password});
    let long = "a".repeat(65);
    let one = "/accounts/acme";
    refuse(
        "admin",
        &[
            ("POST", "/accounts", new("", PASSWORD), (400, "invalid", Some("name"))),
            ("POST", "/accounts", new("Acme", PASSWORD), (400, "invalid", Some("name"))),
            ("POST", "/accounts", new("1acme", PASSWORD), (400, "invalid", Some("name"))),
            ("POST", "/accounts", new("a b", PASSWORD), (400, "invalid", Some("name"))),
            ("POST", "/accounts", new("a@b", PASSWORD), (400, "invalid", Some("name"))),
            ("POST", "/accounts", new("é", PASSWORD), (400, "invalid", Some("name"))),
            ("POST", "/accounts", new(&long, PASSWORD), (400, "invalid", Some("name"))),
            ("POST", "/accounts", new("initech", ""), (400, "invalid", Some("password"))),
            ("POST", "/accounts", new("initech", "short"), (400, "invalid", Some("password"))),
            ("POST", "/accounts", new("acme", PASSWORD), (409, "exists", None)),
            ("POST", "/accounts", json!({}), (400, "field_missing", Some("name"))),
            ("POST", "/accounts", json!({"name": "initech"}), (400, "field_missing", Some("password"))),
            ("POST", "/accounts", json!({"name": 7, "password": PASSWORD}), (400, "invalid", Some("name"))),
            ("POST", "/accounts", json!({"name": "x", "admin": true}), (400, "field_unknown", Some("admin"))),
            ("GET", "/accounts/A%20B", Value::Null, (400, "invalid", Some("account"))),
            ("GET", "/accounts/%FF", Value::Null, (400, "invalid", None)),
            ("GET", "/accounts/..%2f..%2fv2%2f", Value::Null, (404, "path_unknown", None)),
            ("GET", "/accounts/%2e%2e", Value::Null, (404, "path_unknown", None)),
            ("GET", "/accounts/none", Value::Null, (404, "not_found", None)),
            ("PATCH", one, json!({}), (400, "nothing_to_change", None)),
            ("PATCH", one, json!({"disabled": null}), (400, "nothing_to_change", None)),
            ("PATCH", one, json!({"disabled": "yes"}), (400, "invalid", Some("disabled"))),
            (
                "PATCH",
                one,
                json!({"disabled": true, "password": PASSWORD}),
                (400, "invalid", Some("disabled")),
            ),
            ("PATCH", one, json!({"password": "short"}), (400, "invalid", Some("password"))),
            ("PATCH", "/accounts/admin", json!({"disabled": true}), (409, "last_administrator", None)),
            ("DELETE", one, Value::Null, (409, "not_empty", None)),
            ("DELETE", "/accounts/none", Value::Null, (404, "not_found", None)),
        ],
    )
    .await;
}

#[tokio::test]
async fn users() {
    let (all, one) = ("/accounts/acme/users", "/accounts/acme/users/dev");
    refuse(
        "acme",
        &[
            ("POST", all, json!({"name": "Dev"}), (400, "invalid", Some("name"))),
            ("POST", all, json!({"name": "dev@acme"}), (400, "invalid", Some("name"))),
            ("POST", all, json!({"name": "-dev"}), (400, "invalid", Some("name"))),
            ("POST", all, json!({"name": "ci", "password": "short"}), (400, "invalid", Some("password"))),
            ("POST", all, json!({"name": "dev"}), (409, "exists", None)),
            ("POST", all, json!({"name": "ci", "level": "manage"}), (400, "field_unknown", Some("level"))),
            ("POST", "/accounts/globex/users", json!({"name": "ci"}), (404, "not_found", None)),
            ("GET", "/accounts/acme/users/DEV", Value::Null, (400, "invalid", Some("user"))),
            ("GET", "/accounts/acme/users/dev@", Value::Null, (400, "invalid", Some("user"))),
            ("GET", "/accounts/acme/users/dev@globex", Value::Null, (404, "not_found", Some("user"))),
            ("GET", "/accounts/acme/users/none", Value::Null, (404, "not_found", None)),
            ("PATCH", one, json!({}), (400, "nothing_to_change", None)),
            ("PATCH", one, json!({"current_password": PASSWORD}), (400, "nothing_to_change", None)),
            ("DELETE", "/accounts/acme/users/none", Value::Null, (404, "not_found", None)),
        ],
    )
    .await;
}

#[tokio::test]
async fn namespaces_and_repositories() {
    let web = "/repositories/team-a%2Fweb";
    let long = "x".repeat(1001);
    refuse(
        "acme",
        &[
            ("POST", "/namespaces", json!({"name": "manage"}), (400, "invalid", Some("name"))),
            ("POST", "/namespaces", json!({"name": "Team"}), (400, "invalid", Some("name"))),
            ("POST", "/namespaces", json!({"name": "a/b"}), (400, "invalid", Some("name"))),
            ("POST", "/namespaces", json!({"name": "team-a"}), (409, "exists", None)),
            ("GET", "/namespaces/a%2Fb", Value::Null, (400, "invalid", Some("namespace"))),
            ("DELETE", "/namespaces/team-a", Value::Null, (409, "not_empty", None)),
            ("POST", "/repositories", json!({"name": "web"}), (400, "invalid", Some("name"))),
            ("POST", "/repositories", json!({"name": "team-a/"}), (400, "invalid", Some("name"))),
            ("POST", "/repositories", json!({"name": "team-a/../web"}), (400, "invalid", Some("name"))),
            ("POST", "/repositories", json!({"name": "team-a/web"}), (409, "exists", None)),
            ("POST", "/repositories", json!({"name": "none/web"}), (404, "not_found", None)),
            (
                "POST",
                "/repositories",
                json!({"name": "team-a/x", "description": long}),
                (400, "invalid", Some("description")),
            ),
            (
                "POST",
                "/repositories",
                json!({"name": "team-a/x", "visibility": "public"}),
                (400, "field_unknown", Some("visibility")),
            ),
            ("GET", "/repositories?namespace=A", Value::Null, (400, "invalid", Some("namespace"))),
            ("GET", "/repositories/web", Value::Null, (400, "invalid", Some("repository"))),
            ("GET", "/repositories/team-a%2Fx", Value::Null, (404, "not_found", None)),
            ("PATCH", web, json!({}), (400, "nothing_to_change", None)),
            ("PATCH", web, json!({"visibility": "open"}), (400, "invalid", Some("visibility"))),
            ("PATCH", web, json!({"description": "\u{7}"}), (400, "invalid", Some("description"))),
            ("GET", "/repositories/team-a%2Fweb/tags/v1", Value::Null, (404, "not_found", None)),
            ("GET", "/repositories/team-a%2Fweb/tags/-v1", Value::Null, (400, "invalid", Some("tag"))),
            ("DELETE", "/repositories/team-a%2Fweb/tags/v1", Value::Null, (404, "not_found", None)),
        ],
    )
    .await;
}

#[tokio::test]
async fn permissions() {
    for of in ["/namespaces/team-a", "/repositories/team-a%2Fweb"] {
        let (one, none) = (format!("{of}/permissions/dev"), format!("{of}/permissions/none"));
        let (stranger, wrong) = (format!("{of}/permissions/dev@globex"), format!("{of}/permissions/D"));
        refuse(
            "acme",
            &[
                ("PUT", &one, json!({"level": "owner"}), (400, "invalid", Some("level"))),
                ("PUT", &one, json!({"level": null}), (400, "invalid", Some("level"))),
                ("PUT", &one, json!({}), (400, "field_missing", Some("level"))),
                ("PUT", &none, json!({"level": "read"}), (404, "not_found", None)),
                ("PUT", &stranger, json!({"level": "read"}), (404, "not_found", Some("user"))),
                ("PUT", &wrong, json!({"level": "read"}), (400, "invalid", Some("user"))),
                ("DELETE", &one, Value::Null, (404, "not_found", None)),
            ],
        )
        .await;
    }
}

#[tokio::test]
async fn shares() {
    let (all, one) = ("/repositories/team-a%2Fweb/shares", "/repositories/team-a%2Fweb/shares/globex");
    let until = |until: &str| json!({"account": "globex", "until": until});
    let with = |account: &str| json!({"account": account, "permanent": true});
    let more = |field: &str, value: Value| {
        let mut share = with("globex");
        share[field] = value;
        share
    };
    let far = "2027-01-31T23:59:59Z";
    refuse(
        "acme",
        &[
            ("POST", all, until("2027-01-31"), (400, "deadline_malformed", Some("until"))),
            ("POST", all, until("2027-01-31T23:59:59"), (400, "deadline_malformed", Some("until"))),
            ("POST", all, until("2027-01-31T23:59:60Z"), (400, "deadline_malformed", Some("until"))),
            ("POST", all, until("12027-01-31T23:59:59Z"), (400, "deadline_malformed", Some("until"))),
            ("POST", all, until("2026-11-24T20:15:00Z"), (422, "deadline_past", Some("until"))),
            ("POST", all, until("2026-11-24T21:14:59+01:00"), (422, "deadline_past", Some("until"))),
            ("POST", all, until("1970-01-01T00:00:00Z"), (422, "deadline_past", Some("until"))),
            ("POST", all, json!({"account": "globex", "until": 1801353599}), (400, "invalid", Some("until"))),
            ("POST", all, json!({"account": "globex"}), (400, "deadline_missing", Some("until"))),
            (
                "POST",
                all,
                json!({"account": "globex", "permanent": false}),
                (400, "deadline_missing", Some("until")),
            ),
            ("POST", all, more("until", json!(far)), (400, "deadline_ambiguous", Some("until"))),
            ("POST", all, json!({"permanent": true}), (400, "field_missing", Some("account"))),
            ("POST", all, with("Globex"), (400, "invalid", Some("account"))),
            ("POST", all, with("nobody"), (422, "unknown_account", Some("account"))),
            ("POST", all, with("acme"), (422, "share_with_self", Some("account"))),
            ("POST", all, more("region", json!("elsewhere")), (422, "other_region", Some("region"))),
            ("POST", all, more("permission", json!("push")), (400, "field_unknown", Some("permission"))),
            (
                "POST",
                all,
                more("description", json!("x".repeat(1001))),
                (400, "invalid", Some("description")),
            ),
            ("POST", "/repositories/team-a%2Fx/shares", with("globex"), (404, "not_found", None)),
            ("GET", "/shares", Value::Null, (400, "invalid", Some("direction"))),
            ("GET", "/shares?direction=mine", Value::Null, (400, "invalid", Some("direction"))),
            ("GET", "/shares?direction=by_me&after=x", Value::Null, (400, "invalid", Some("after"))),
            (
                "GET",
                "/shares?direction=by_me&after=9007199254740992",
                Value::Null,
                (400, "invalid", Some("after")),
            ),
            ("GET", one, Value::Null, (404, "not_found", None)),
            ("PATCH", one, json!({}), (400, "nothing_to_change", None)),
            ("PATCH", one, json!({"permanent": false}), (400, "deadline_missing", Some("until"))),
            (
                "PATCH",
                one,
                json!({"permanent": true, "until": far}),
                (400, "deadline_ambiguous", Some("until")),
            ),
            ("PATCH", one, json!({"until": "soon"}), (400, "deadline_malformed", Some("until"))),
            ("PATCH", one, json!({"description": "x"}), (404, "not_found", None)),
            ("DELETE", one, Value::Null, (404, "not_found", None)),
        ],
    )
    .await;
}

#[tokio::test]
async fn shares_that_stand_in_the_way() {
    let registry = Registry::furnished().await;
    let (web, all) = ("/repositories/team-a%2Fweb", "/repositories/team-a%2Fweb/shares");
    let new = || Some(json!({"account": "globex", "permanent": true}));
    registry.send("acme", "POST", all, new()).await.expect(201);
    assert_eq!(registry.send("acme", "POST", all, new()).await.problem(), (409, "exists", None));
    let past = Some(json!({"until": "2026-11-24T20:14:59Z"}));
    let answer = registry.send("acme", "PATCH", &format!("{all}/globex"), past).await;
    assert_eq!(answer.problem(), (422, "deadline_past", Some("until")));
    registry.send("acme", "PATCH", web, Some(json!({"visibility": "public"}))).await.expect(200);
    assert_eq!(registry.send("acme", "POST", all, new()).await.problem(), (409, "public_image", None));
}

#[tokio::test]
async fn tokens() {
    let with = |seconds: Value| json!({"expires_in_seconds": seconds});
    let scoped = |scope: Value| json!({"expires_in_seconds": 60, "scope": scope});
    let expiry = (400, "invalid", Some("expires_in_seconds"));
    refuse(
        "acme",
        &[
            ("POST", "/tokens", json!({}), (400, "field_missing", Some("expires_in_seconds"))),
            ("POST", "/tokens", with(json!(0)), expiry),
            ("POST", "/tokens", with(json!(-1)), expiry),
            ("POST", "/tokens", with(json!(1.5)), expiry),
            ("POST", "/tokens", with(json!("60")), expiry),
            ("POST", "/tokens", with(json!(365 * 86_400 + 1)), expiry),
            ("POST", "/tokens", with(json!(u64::MAX)), expiry),
            ("POST", "/tokens", scoped(json!("repository:team-a/web:pull")), (400, "invalid", Some("scope"))),
            ("POST", "/tokens", scoped(json!([7])), (400, "invalid", Some("scope[0]"))),
            ("POST", "/tokens", scoped(json!(["team-a/web"])), (400, "invalid", Some("scope"))),
            (
                "POST",
                "/tokens",
                scoped(json!(["repository:team-a/web:pull,admin"])),
                (400, "invalid", Some("scope")),
            ),
            ("DELETE", "/tokens/7", Value::Null, (404, "not_found", None)),
            ("DELETE", "/tokens/x", Value::Null, (400, "invalid", Some("id"))),
            ("DELETE", "/tokens/+7", Value::Null, (400, "invalid", Some("id"))),
            ("DELETE", "/tokens/99999999999999999999", Value::Null, (400, "invalid", Some("id"))),
            ("GET", "/tokens?after=x", Value::Null, (400, "invalid", Some("after"))),
        ],
    )
    .await;
}

#[tokio::test]
async fn access_keys_and_logins() {
    let with = |seconds: Value| json!({"expires_in_seconds": seconds});
    let expiry = (400, "invalid", Some("expires_in_seconds"));
    let description = (400, "invalid", Some("description"));
    let key = "/access-keys/ABCDEFGHIJKLMNOPQRST";
    let long = "é".repeat(1001);
    refuse(
        "acme",
        &[
            ("POST", "/logins", json!({}), (400, "field_missing", Some("expires_in_seconds"))),
            ("POST", "/logins", with(json!(899)), expiry),
            ("POST", "/logins", with(json!(86_401)), expiry),
            ("POST", "/logins", with(json!(-900)), expiry),
            ("POST", "/logins", with(json!(900.5)), expiry),
            ("POST", "/logins", with(json!("1h")), expiry),
            ("POST", "/logins", with(json!(u64::MAX)), expiry),
            (
                "POST",
                "/logins",
                json!({"expires_in_seconds": 900, "scope": []}),
                (400, "field_unknown", Some("scope")),
            ),
            ("POST", "/access-keys", json!({"description": long}), description),
            ("POST", "/access-keys", json!({"description": "a\u{0}"}), description),
            ("POST", "/access-keys", json!({"description": "a\u{202e}b"}), description),
            ("POST", "/access-keys", json!({"description": 7}), description),
            ("POST", "/access-keys", json!({"access_key": "x"}), (400, "field_unknown", Some("access_key"))),
            ("GET", "/access-keys?of=", Value::Null, (400, "invalid", Some("of"))),
            ("GET", "/access-keys?of=Dev@acme", Value::Null, (400, "invalid", Some("of"))),
            ("GET", "/access-keys?of=none@acme", Value::Null, (404, "not_found", None)),
            ("GET", "/access-keys?of=globex", Value::Null, (404, "not_found", None)),
            ("GET", "/access-keys?after=x", Value::Null, (400, "invalid", Some("after"))),
            ("PATCH", key, json!({}), (400, "field_missing", Some("disabled"))),
            ("PATCH", key, json!({"disabled": "yes"}), (400, "invalid", Some("disabled"))),
            (
                "PATCH",
                key,
                json!({"disabled": true, "description": "x"}),
                (400, "field_unknown", Some("description")),
            ),
            ("PATCH", key, json!({"disabled": true}), (404, "not_found", None)),
            ("PATCH", "/access-keys/abc", json!({"disabled": true}), (400, "invalid", Some("access_key"))),
            ("DELETE", key, Value::Null, (404, "not_found", None)),
            (
                "DELETE",
                "/access-keys/abcdefghijklmnopqrst",
                Value::Null,
                (400, "invalid", Some("access_key")),
            ),
            ("DELETE", "/access-keys/%00", Value::Null, (400, "invalid", Some("access_key"))),
        ],
    )
    .await;
}

#[tokio::test]
async fn pages() {
    let lists = [
        ("admin", "/accounts?"),
        ("acme", "/accounts/acme/users?"),
        ("acme", "/namespaces?"),
        ("acme", "/namespaces/team-a/permissions?"),
        ("acme", "/repositories?"),
        ("acme", "/repositories/team-a%2Fweb/tags?"),
        ("acme", "/repositories/team-a%2Fweb/permissions?"),
        ("acme", "/repositories/team-a%2Fweb/shares?"),
        ("acme", "/shares?direction=by_me&"),
        ("acme", "/tokens?"),
        ("acme", "/access-keys?"),
    ];
    let registry = Registry::furnished().await;
    for (login, list) in lists {
        for limit in ["0", "1001", "-1", "+5", "1e3", "ten", "", "99999999999999999999", "%20"] {
            let answer = registry.send(login, "GET", &format!("{list}limit={limit}"), None).await;
            assert_eq!(answer.problem(), (400, "invalid", Some("limit")), "{list} {limit}");
        }
        for (query, code, field) in
            [("limt=5", "field_unknown", "limt"), ("limit=5&limit=6", "invalid", "limit")]
        {
            let answer = registry.send(login, "GET", &format!("{list}{query}"), None).await;
            assert_eq!(answer.problem(), (400, code, Some(field)), "{list} {query}");
        }
        registry.send(login, "GET", &format!("{list}limit=1000"), None).await.expect(200);
    }
}

#[tokio::test]
async fn bodies() {
    let registry = Registry::furnished().await;
    let acme = basic("acme", PASSWORD);
    let json = "application/json";
    let deep = format!("{{\"name\":{}", "[".repeat(10_000));
    let large = format!("{{\"name\":\"{}\"}}", "a".repeat(256 << 10));
    for (kind, body, expected) in [
        ("", "{\"name\":\"x\"}", (415, "not_json", None)),
        ("text/plain", "{\"name\":\"x\"}", (415, "not_json", None)),
        ("application/x-www-form-urlencoded", "name=x", (415, "not_json", None)),
        (json, "", (400, "body_malformed", None)),
        (json, " \n", (400, "body_malformed", None)),
        (json, "{", (400, "body_malformed", None)),
        (json, "{\"name\":\"x\"", (400, "body_malformed", None)),
        (json, "{\"name\":\"x\"} {}", (400, "body_malformed", None)),
        (json, "{\"name\":\"x\",}", (400, "body_malformed", None)),
        (json, "{name:\"x\"}", (400, "body_malformed", None)),
        (json, "[\"x\"]", (400, "body_malformed", None)),
        (json, "\"x\"", (400, "body_malformed", None)),
        (json, "null", (400, "body_malformed", None)),
        (json, "name=x", (400, "body_malformed", None)),
        (json, "{\"name\":\"\u{0}\"}", (400, "body_malformed", None)),
        (json, "{\"name\":\"\\ud800\"}", (400, "body_malformed", None)),
        (json, &deep, (400, "invalid", Some("name"))),
        (json, "{\"name\":\"x\",\"name\":\"y\"}", (400, "invalid", Some("name"))),
        (json, "{\"nmae\":\"x\"}", (400, "field_unknown", Some("nmae"))),
        (json, "{\"name\":[\"x\"]}", (400, "invalid", Some("name"))),
        (json, &large, (413, "body_too_large", None)),
    ] {
        let body = Some((kind, body.as_bytes().to_vec()));
        let answer = registry.send_raw(Some(&acme), "POST", "/namespaces", body.clone()).await;
        assert_eq!(answer.problem(), expected, "{body:?}: {}", answer.body);
    }
    let answer =
        registry.send_raw(Some(&acme), "POST", "/namespaces", Some((json, b"{\"name\":\"\xff\"}".to_vec())));
    assert_eq!(answer.await.problem(), (400, "body_malformed", None));
    let broken =
        registry.send_raw(Some(&acme), "POST", "/namespaces", Some((json, b"{\n  \"name\": }".to_vec())));
    let detail = broken.await.body["detail"].to_string();
    assert!(detail.contains("line 2 column 11"), "{detail}");
    let kind = "Application/JSON; charset=utf-8";
    let fine =
        registry.send_raw(Some(&acme), "POST", "/namespaces", Some((kind, b"{\"name\":\"x\"}".to_vec())));
    fine.await.expect(201);
}

/// A body that begins well, and then stalls or breaks off.
struct Unfinished {
    begun: bool,
    stalls: bool,
}

impl http_body::Body for Unfinished {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if !std::mem::replace(&mut self.begun, true) {
            return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"{\"name\":")))));
        }
        if self.stalls {
            Poll::Pending
        } else {
            Poll::Ready(Some(Err(std::io::ErrorKind::UnexpectedEof.into())))
        }
    }
}

#[tokio::test(start_paused = true)]
async fn bodies_that_do_not_end() {
    for (stalls, expected) in [(true, Code::BodyTimeout), (false, Code::BodyIncomplete)] {
        let body = Body::new(Unfinished { begun: false, stalls });
        let request = Request::post("/").header(CONTENT_TYPE, "application/json").body(body).unwrap();
        let read = JsonBody::<Value>::from_request(request, &()).await;
        assert_eq!(read.err().map(|problem| problem.code()), Some(expected));
    }
}

#[tokio::test]
async fn audit_and_usage() {
    let invalid = |field| (400, "invalid", Some(field));
    let long = "a".repeat(513);
    let usage = "/repositories/team-a%2Fweb/shares/globex/usage";
    let (actor, subject) = (format!("/audit?actor={long}"), format!("/audit?subject={long}"));
    let cases = [
        ("/audit?account=A%20B", invalid("account")),
        ("/audit?account=", invalid("account")),
        ("/audit?account=none", (404, "not_found", None)),
        ("/audit?kind=", invalid("kind")),
        ("/audit?kind=nothing", invalid("kind")),
        ("/audit?kind=share_created,", invalid("kind")),
        ("/audit?kind=share_created&kind=share_revoked", invalid("kind")),
        ("/audit?actor=", invalid("actor")),
        (&actor, invalid("actor")),
        ("/audit?subject=", invalid("subject")),
        (&subject, invalid("subject")),
        ("/audit?result=good", invalid("result")),
        ("/audit?address=localhost", invalid("address")),
        ("/audit?address=192.0.2.0/24", invalid("address")),
        ("/audit?from=2027-01-31", invalid("from")),
        ("/audit?from=yesterday", invalid("from")),
        ("/audit?to=2027-02-30T00:00:00Z", invalid("to")),
        ("/audit?to=", invalid("to")),
        ("/audit?order=random", invalid("order")),
        ("/audit?after=x", invalid("after")),
        ("/audit?after=%F0%9F%9A%A2", invalid("after")),
        ("/audit?limit=0", invalid("limit")),
        ("/audit?limit=1001", invalid("limit")),
        ("/audit?page=2", (400, "field_unknown", Some("page"))),
        (&format!("{usage}?from=2027-1-31"), invalid("from")),
        (&format!("{usage}?from=2027-02-30"), invalid("from")),
        (&format!("{usage}?to=2027-01-31T00:00:00Z"), invalid("to")),
        (&format!("{usage}?to=%2B0020270131"), invalid("to")),
        (&format!("{usage}?after=x"), invalid("after")),
        (&format!("{usage}?day=2027-01-31"), (400, "field_unknown", Some("day"))),
        (usage, (404, "not_found", None)),
    ];
    let cases: Vec<Case<'_>> =
        cases.iter().map(|(path, refusal)| ("GET", *path, Value::Null, *refusal)).collect();
    refuse("acme", &cases).await;
}
