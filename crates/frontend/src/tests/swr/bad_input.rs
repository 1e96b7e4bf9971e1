//! What a request may get wrong, call by call, and what it is told.

use serde_json::{Value, json};

use super::super::app::TestApp;
use super::Signer;

/// A request that is refused: method, path, body, and the status, code and subject of the answer.
type Case<'a> = (&'a str, &'a str, Value, (u16, &'a str, &'a str));

const ORGANIZATIONS: &str = "/v2/manage/namespaces";
const ACCESS: &str = "/v2/manage/namespaces/team-a/access";
const REPOS: &str = "/v2/manage/namespaces/team-a/repos";
const WEB: &str = "/v2/manage/namespaces/team-a/repos/web";
const TAGS: &str = "/v2/manage/namespaces/team-a/repos/web/tags";
const DOMAINS: &str = "/v2/manage/namespaces/team-a/repositories/web/access-domains";
const GLOBEX: &str = "/v2/manage/namespaces/team-a/repositories/web/access-domains/globex";
const SHARES: &str = "/v2/manage/namespaces/team-a/repos/web/shares";

/// Asks as acme, which has the image `team-a/web` and shares nothing, and changes nothing by it.
async fn refuse(cases: &[Case<'_>]) {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let acme = Signer::of(&app, "acme").await;
    for (method, path, body, expected) in cases {
        let body = (!body.is_null()).then(|| body.clone());
        let answer = acme.send(method, path, body.clone()).await;
        assert_eq!(answer.refusal(), *expected, "{method} {path} {body:?}: {}", answer.body);
        assert!(answer.body["errorMsg"].as_str().unwrap().len() > 10, "{}", answer.body);
    }
    assert_eq!(acme.get(DOMAINS).await.expect(200).body, json!([]));
    let repositories = acme.get("/v3/manage/repos").await.expect(200).body;
    assert_eq!(repositories["repos"].as_array().unwrap().len(), 1);
    assert_eq!(acme.get(TAGS).await.expect(200).body.as_array().unwrap().len(), 1);
}

/// `object` with another value in a field, or without it.
fn with(object: &Value, field: &str, value: Value) -> Value {
    let mut object = object.clone();
    if value.is_null() {
        object.as_object_mut().unwrap().remove(field);
    } else {
        object[field] = value;
    }
    object
}

#[tokio::test]
async fn organizations_and_permissions() {
    let long = "a".repeat(65);
    let named = |name: &str| json!({"namespace": name});
    let name = |value| (400, "4001028", value);
    let user = |id: &str, name: &str, auth: Value| json!([{"user_id": id, "user_name": name, "auth": auth}]);
    let one = json!({"user_id": "7", "user_name": "dev", "auth": 1});
    refuse(&[
        ("POST", ORGANIZATIONS, named(""), name("namespace")),
        ("POST", ORGANIZATIONS, named("manage"), name("namespace")),
        ("POST", ORGANIZATIONS, named("Team"), name("namespace")),
        ("POST", ORGANIZATIONS, named("a/b"), name("namespace")),
        ("POST", ORGANIZATIONS, named("a$b"), name("namespace")),
        ("POST", ORGANIZATIONS, named("組"), name("namespace")),
        ("POST", ORGANIZATIONS, named("a\u{0}"), name("namespace")),
        ("POST", ORGANIZATIONS, named(&long), name("namespace")),
        ("POST", ORGANIZATIONS, named("team-a"), (409, "4090060", "")),
        ("POST", ORGANIZATIONS, named("globex"), (409, "4090060", "")),
        ("POST", ORGANIZATIONS, json!({}), (400, "4001014", "namespace")),
        ("POST", ORGANIZATIONS, json!({"namespace": 7}), (400, "4000014", "namespace")),
        ("POST", ORGANIZATIONS, json!({"namespace": null}), (400, "4000014", "namespace")),
        ("POST", ORGANIZATIONS, json!({"namespace": "x", "owner": "y"}), (400, "4000014", "owner")),
        ("POST", ORGANIZATIONS, json!(["x"]), (400, "4000014", "")),
        ("GET", "/v2/manage/namespaces?mode=hidden", Value::Null, (400, "4001025", "mode")),
        ("GET", "/v2/manage/namespaces?nmae=x", Value::Null, (400, "4001025", "nmae")),
        ("DELETE", "/v2/manage/namespaces/team-a", Value::Null, (406, "4060074", "")),
        ("POST", ACCESS, user("7", "dev", json!(1)), (400, "4001067", "")),
        ("POST", ACCESS, user("x", "dev", json!(1)), (400, "4000014", "user_id")),
        ("POST", ACCESS, user("", "dev", json!(1)), (400, "4000014", "user_id")),
        ("POST", ACCESS, user("-7", "dev", json!(1)), (400, "4000014", "user_id")),
        ("POST", ACCESS, user("9007199254740992", "dev", json!(1)), (400, "4000014", "user_id")),
        ("POST", ACCESS, user("7", "", json!(1)), (400, "4001067", "user_name")),
        ("POST", ACCESS, user("7", "Dev", json!(1)), (400, "4001067", "user_name")),
        ("POST", ACCESS, user("7", "dev@acme", json!(1)), (400, "4001067", "user_name")),
        ("POST", ACCESS, user("7", "dev", json!(0)), (400, "4001066", "auth")),
        ("POST", ACCESS, user("7", "dev", json!(5)), (400, "4001066", "auth")),
        ("POST", ACCESS, user("7", "dev", json!(256)), (400, "4001066", "auth")),
        ("POST", ACCESS, user("7", "dev", json!(-1)), (400, "4001066", "auth")),
        ("POST", ACCESS, user("7", "dev", json!("7")), (400, "4000014", "[0].auth")),
        ("POST", ACCESS, json!([with(&one, "auth", Value::Null)]), (400, "4001014", "auth")),
        ("POST", ACCESS, json!([with(&one, "role", json!("x"))]), (400, "4000014", "role")),
        ("POST", ACCESS, json!([one, one]), (400, "4000014", "user_id")),
        ("POST", ACCESS, json!([]), (400, "4000014", "user_id")),
        ("POST", ACCESS, one.clone(), (400, "4000014", "")),
        ("PATCH", ACCESS, user("7", "dev", json!(1)), (400, "4001067", "")),
        ("DELETE", ACCESS, json!(["7"]), (400, "4001067", "")),
        ("DELETE", ACCESS, json!([7]), (400, "4000014", "[0]")),
        ("DELETE", ACCESS, json!([]), (400, "4000014", "user_id")),
        ("DELETE", ACCESS, json!(["7", "7"]), (400, "4000014", "user_id")),
    ])
    .await;
}

#[tokio::test]
async fn images_and_tags() {
    let long = "a".repeat(129);
    let new = json!({"repository": "x", "is_public": false});
    let named = |name: &str| with(&new, "repository", json!(name));
    let name = (400, "4001029", "repository");
    let change = json!({"is_public": false});
    let copy = json!({"source_tag": "v1", "destination_tag": "v2"});
    refuse(&[
        ("POST", REPOS, named(""), name),
        ("POST", REPOS, named("Web"), name),
        ("POST", REPOS, named("a//b"), name),
        ("POST", REPOS, named("$a"), name),
        ("POST", REPOS, named("a/../b"), name),
        ("POST", REPOS, named("画"), name),
        ("POST", REPOS, named(&long), name),
        ("POST", REPOS, named("web"), (409, "4090006", "")),
        ("POST", REPOS, with(&new, "is_public", Value::Null), (400, "4001014", "is_public")),
        ("POST", REPOS, with(&new, "is_public", json!("no")), (400, "4000014", "is_public")),
        ("POST", REPOS, with(&new, "category", json!("all")), (400, "4000014", "category")),
        ("POST", REPOS, with(&new, "description", json!("x".repeat(1001))), (413, "4131012", "description")),
        ("POST", REPOS, with(&new, "description", json!("船".repeat(1001))), (413, "4131012", "description")),
        ("POST", REPOS, with(&new, "description", json!("\u{7}")), (400, "4000014", "description")),
        ("POST", REPOS, with(&new, "size", json!(1)), (400, "4000014", "size")),
        ("POST", "/v2/manage/namespaces/team-x/repos", new.clone(), (404, "4040058", "")),
        ("GET", "/v2/manage/namespaces/team-a/repos/x", Value::Null, (404, "4040113", "")),
        ("PATCH", WEB, json!({}), (400, "4001014", "is_public")),
        ("PATCH", WEB, with(&change, "category", json!(7)), (400, "4000014", "category")),
        (
            "PATCH",
            WEB,
            with(&change, "description", json!("x".repeat(1001))),
            (413, "4131012", "description"),
        ),
        ("PATCH", WEB, with(&change, "name", json!("y")), (400, "4000014", "name")),
        ("GET", "/v2/manage/repos?category=all", Value::Null, (400, "4001025", "category")),
        ("GET", "/v2/manage/repos?is_public=1", Value::Null, (400, "4001025", "is_public")),
        ("GET", "/v2/manage/repos?namespace=A", Value::Null, (400, "4001028", "namespace")),
        ("GET", "/v3/manage/repos?offset=1", Value::Null, (400, "4001025", "offset")),
        ("GET", "/v3/manage/repos?marker=x", Value::Null, (400, "4001025", "marker")),
        ("GET", "/v3/manage/repos?limit=1001", Value::Null, (400, "4000056", "limit")),
        ("GET", "/v2/manage/namespaces/team-a/repos/web/tags/v2", Value::Null, (404, "4040115", "")),
        ("DELETE", "/v2/manage/namespaces/team-a/repos/web/tags/v2", Value::Null, (404, "4040115", "")),
        (
            "GET",
            "/v2/manage/namespaces/team-a/repos/web/tags?order_column=size",
            Value::Null,
            (400, "4001025", "order_column"),
        ),
        (
            "GET",
            "/v3/manage/namespaces/team-a/repos/web/tags?marker=v0",
            Value::Null,
            (400, "4001025", "marker"),
        ),
        ("POST", TAGS, with(&copy, "source_tag", json!("v7")), (404, "4040115", "")),
        ("POST", TAGS, with(&copy, "source_tag", json!("")), (400, "4009021", "source_tag")),
        ("POST", TAGS, with(&copy, "destination_tag", json!("a b")), (400, "4009021", "destination_tag")),
        ("POST", TAGS, with(&copy, "destination_tag", json!("v1")), (409, "4090006", "")),
        (
            "POST",
            TAGS,
            with(&copy, "destination_tag", json!("x".repeat(129))),
            (400, "4009021", "destination_tag"),
        ),
        ("POST", TAGS, with(&copy, "destination_tag", Value::Null), (400, "4001014", "destination_tag")),
        ("POST", TAGS, with(&copy, "override", json!("yes")), (400, "4000014", "override")),
    ])
    .await;
}

#[tokio::test]
async fn shares() {
    let new = json!({"access_domain": "globex", "permit": "read", "deadline": "forever", "description": ""});
    let deadline = (400, "4000014", "deadline");
    let until = |text: &str| with(&new, "deadline", json!(text));
    let account = |name: &str| with(&new, "access_domain", json!(name));
    let change = json!({"permit": "read", "deadline": "forever"});
    let newer = json!({
        "share_type": "account", "share_principals": ["globex"], "permission": "read", "deadline": "forever"
    });
    let unknown = (400, "4001041", "access_domain");
    let nobody = (400, "4001041", "share_principals");
    refuse(&[
        ("POST", DOMAINS, until(""), deadline),
        ("POST", DOMAINS, until("never"), deadline),
        ("POST", DOMAINS, until("2030-10-01"), deadline),
        ("POST", DOMAINS, until("2030-10-01T16:00:00"), deadline),
        ("POST", DOMAINS, until("2030-02-30T16:00:00Z"), deadline),
        ("POST", DOMAINS, until("99999-10-01T16:00:00Z"), deadline),
        ("POST", DOMAINS, until("9999-12-31T23:59:59-23:59"), deadline),
        ("POST", DOMAINS, until("2027-01-15T08:00:00Z"), deadline),
        ("POST", DOMAINS, until("1970-01-01T00:00:00Z"), deadline),
        ("POST", DOMAINS, with(&new, "deadline", json!(1_900_000_000)), deadline),
        ("POST", DOMAINS, with(&new, "deadline", Value::Null), (400, "4001014", "deadline")),
        ("POST", DOMAINS, account(""), unknown),
        ("POST", DOMAINS, account("Globex"), unknown),
        ("POST", DOMAINS, account("globex\u{200b}"), unknown),
        ("POST", DOMAINS, account("nobody"), unknown),
        ("POST", DOMAINS, account("acme"), unknown),
        ("POST", DOMAINS, with(&new, "access_domain", Value::Null), (400, "4001014", "access_domain")),
        ("POST", DOMAINS, with(&new, "permit", json!("write")), (400, "4001091", "permit")),
        ("POST", DOMAINS, with(&new, "permit", json!("")), (400, "4001091", "permit")),
        ("POST", DOMAINS, with(&new, "permit", json!(1)), (400, "4000014", "permit")),
        (
            "POST",
            DOMAINS,
            with(&new, "description", json!("x".repeat(1001))),
            (413, "4131012", "description"),
        ),
        ("POST", DOMAINS, with(&new, "description", json!("a\u{202e}b")), (400, "4000014", "description")),
        ("POST", DOMAINS, with(&new, "status", json!(true)), (400, "4000014", "status")),
        (
            "GET",
            "/v2/manage/namespaces/team-a/repos/web/access-domains?limit=0",
            Value::Null,
            (400, "4000056", "limit"),
        ),
        ("PATCH", GLOBEX, change.clone(), (404, "4040091", "")),
        ("PATCH", GLOBEX, with(&change, "permit", Value::Null), (400, "4001014", "permit")),
        ("PATCH", GLOBEX, with(&change, "deadline", Value::Null), (400, "4001014", "deadline")),
        ("PATCH", GLOBEX, with(&change, "deadline", json!("soon")), deadline),
        ("PATCH", GLOBEX, with(&change, "access_domain", json!("x")), (400, "4000014", "access_domain")),
        ("DELETE", GLOBEX, Value::Null, (404, "4040091", "")),
        ("POST", SHARES, with(&newer, "share_type", json!("organization")), (400, "4000014", "share_type")),
        ("POST", SHARES, with(&newer, "share_principals", json!([])), (400, "4000014", "share_principals")),
        ("POST", SHARES, with(&newer, "share_principals", json!(["acme"])), nobody),
        ("POST", SHARES, with(&newer, "share_principals", json!(["A"])), nobody),
        (
            "POST",
            SHARES,
            with(&newer, "share_principals", json!("globex")),
            (400, "4000014", "share_principals"),
        ),
        ("POST", SHARES, with(&newer, "permission", json!("pull")), (400, "4001091", "permission")),
        ("POST", SHARES, with(&newer, "permission", Value::Null), (400, "4001014", "permission")),
        ("PATCH", "/v2/manage/namespaces/team-a/repos/web/shares/7", json!({}), (404, "4040091", "")),
        ("DELETE", "/v2/manage/namespaces/team-a/repos/web/shares/7", Value::Null, (404, "4040091", "")),
    ])
    .await;
}

#[tokio::test]
async fn lists_and_logins() {
    let by_offset = "/v2/manage/shared-repositories?center=self";
    let by_marker = "/v3/manage/shared-repositories?shared_by=self";
    let parameter = |name| (400, "4001025", name);
    for (query, expected) in [
        ("&limit=0", (400, "4000056", "limit")),
        ("&limit=1001", (400, "4000056", "limit")),
        ("&status=yes", parameter("status")),
        ("&centre=self", parameter("centre")),
        ("&namespace=a&namespace=b", parameter("namespace")),
    ] {
        let (one, other) = (format!("{by_offset}{query}"), format!("{by_marker}{query}"));
        refuse(&[("GET", &one, Value::Null, expected), ("GET", &other, Value::Null, expected)]).await;
    }
    refuse(&[
        ("GET", "/v2/manage/shared-repositories", Value::Null, parameter("center")),
        ("GET", "/v2/manage/shared-repositories?center=both", Value::Null, parameter("center")),
        ("GET", "/v2/manage/shared-repositories?center=self&offset=x", Value::Null, parameter("offset")),
        (
            "GET",
            "/v2/manage/shared-repositories?center=self&order_type=asc",
            Value::Null,
            parameter("order_column"),
        ),
        ("GET", "/v2/manage/shared-repositories?filter=center", Value::Null, parameter("filter")),
        ("GET", "/v3/manage/shared-repositories", Value::Null, parameter("shared_by")),
        (
            "GET",
            "/v3/manage/shared-repositories?shared_by=self&marker=-1",
            Value::Null,
            (400, "4001025", "marker"),
        ),
        ("POST", "/v2/manage/utils/secret?projectname=elsewhere", Value::Null, parameter("projectname")),
        ("POST", "/v2/manage/utils/secret?duration_seconds=899", Value::Null, parameter("duration_seconds")),
        (
            "POST",
            "/v2/manage/utils/secret?duration_seconds=86401",
            Value::Null,
            parameter("duration_seconds"),
        ),
        ("POST", "/v2/manage/utils/secret?duration_seconds=1e3", Value::Null, parameter("duration_seconds")),
        (
            "POST",
            "/v2/manage/utils/secret?duration_seconds=%2B900",
            Value::Null,
            parameter("duration_seconds"),
        ),
        ("POST", "/v2/manage/utils/secret?seconds=900", Value::Null, parameter("seconds")),
        // Where there are no parameters at all.
        ("GET", "/v2/manage/namespaces/team-a?foo=1", Value::Null, parameter("foo")),
        ("GET", "/v2/manage/namespaces/team-a/access?foo=1", Value::Null, parameter("foo")),
        ("GET", "/v2/manage/namespaces/team-a/repos/web?foo=1", Value::Null, parameter("foo")),
        ("GET", "/v2/manage/namespaces/team-a/repos/web/tags/v1?foo=1", Value::Null, parameter("foo")),
        ("DELETE", "/v2/manage/namespaces/team-a/repos/web?foo=1", Value::Null, parameter("foo")),
        (
            "GET",
            "/v2/manage/namespaces/team-a/repos/web/access-domains/globex?limit=1",
            Value::Null,
            parameter("limit"),
        ),
    ])
    .await;
}

#[tokio::test]
async fn bodies() {
    let app = TestApp::start().await;
    let acme = Signer::of(&app, "acme").await;
    let deep = format!("{{\"namespace\":{}", "[".repeat(10_000));
    let large = format!("{{\"namespace\":\"{}\"}}", "a".repeat(64 << 10));
    for (body, expected) in [
        ("", (400, "4000014", "")),
        (" \n", (400, "4000014", "")),
        ("{", (400, "4000014", "")),
        ("{\"namespace\":\"x\"} {}", (400, "4000014", "")),
        ("namespace=x", (400, "4000014", "")),
        ("null", (400, "4000014", "")),
        ("{\"namespace\":\"\\ud800\"}", (400, "4000014", "")),
        (&deep, (400, "4000014", "namespace")),
        ("{\"namespace\":\"x\",\"namespace\":\"y\"}", (400, "4000014", "namespace")),
        (&large, (413, "4131001", "")),
    ] {
        let answer = acme.send_bytes("POST", "/v2/manage/namespaces", body.to_owned()).await;
        assert_eq!(answer.refusal(), expected, "{}", answer.body);
    }
}
