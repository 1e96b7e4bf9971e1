//! Shares that are narrowed to tags, as the management interface has them.

use serde_json::{Value, json};

use super::registry::Registry;

const ALL: &str = "/repositories/team-a%2Fweb/shares";
const ONE: &str = "/repositories/team-a%2Fweb/shares/globex";
const WEB: &str = "/repositories/team-a%2Fweb";

async fn furnished() -> Registry {
    let registry = Registry::furnished().await;
    for tag in ["latest", "v1.0", "v1.1", "v2.0"] {
        registry.push("acme", "team-a/web", tag).await;
    }
    registry
}

fn narrowed(tags: &[&str]) -> Option<Value> {
    Some(json!({"account": "globex", "permanent": true, "tags": tags}))
}

async fn names(registry: &Registry, query: &str) -> (Vec<String>, Value) {
    let page = registry.send("globex", "GET", &format!("{WEB}/tags{query}"), None).await.expect(200).body;
    let items = page["items"].as_array().unwrap().iter();
    (items.map(|tag| tag["name"].as_str().unwrap().to_owned()).collect(), page["next"].clone())
}

#[tokio::test]
async fn are_made_shown_changed_and_listed_with_their_patterns() {
    let registry = furnished().await;
    let made =
        registry.send("acme", "POST", ALL, narrowed(&["v1.*", "latest", "v1.**"])).await.expect(201).body;
    assert_eq!(made["tags"], json!(["latest", "v1.*"]));
    assert_eq!(
        names(&registry, "").await,
        (["latest", "v1.0", "v1.1"].map(str::to_owned).to_vec(), Value::Null)
    );
    assert_eq!(
        names(&registry, "?limit=2").await,
        (vec!["latest".to_owned(), "v1.0".to_owned()], json!("v1.0"))
    );
    registry.send("globex", "GET", &format!("{WEB}/tags/v1.0"), None).await.expect(200);
    let hidden = registry.send("globex", "GET", &format!("{WEB}/tags/v2.0"), None).await.expect(404);
    let missing = registry.send("globex", "GET", &format!("{WEB}/tags/v9.9"), None).await.expect(404);
    assert_eq!((hidden.body, hidden.headers), (missing.body, missing.headers));
    for (who, list) in
        [("acme", "/shares?direction=by_me"), ("globex", "/shares?direction=with_me"), ("acme", ALL)]
    {
        let page = registry.send(who, "GET", list, None).await.expect(200).body;
        assert_eq!(page["items"][0]["tags"], made["tags"], "{who} {list}");
    }
    // The figures of the whole are not the sharee's to know.
    let shown = registry.send("globex", "GET", WEB, None).await.expect(200).body;
    assert_eq!(
        (&shown["manifests"], &shown["tags"], &shown["size_bytes"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!(registry.send("acme", "GET", WEB, None).await.expect(200).body["tags"], json!(4));

    let changed = registry.send("acme", "PATCH", ONE, Some(json!({"tags": ["v2.?"]}))).await.expect(200).body;
    assert_eq!(changed["tags"], json!(["v2.?"]));
    assert_eq!(names(&registry, "").await.0, ["v2.0"]);
    let described =
        registry.send("acme", "PATCH", ONE, Some(json!({"description": "x"}))).await.expect(200).body;
    assert_eq!(described["tags"], json!(["v2.?"]), "what is absent stays");
    let opened = registry.send("acme", "PATCH", ONE, Some(json!({"all_tags": true}))).await.expect(200).body;
    assert_eq!(opened["tags"], Value::Null);
    assert_eq!(names(&registry, "").await.0.len(), 4);
    assert_eq!(registry.send("globex", "GET", WEB, None).await.expect(200).body["tags"], json!(4));
}

#[tokio::test]
async fn many_at_once_have_their_tags_counted_in_each_repository() {
    let registry = furnished().await;
    registry.send("acme", "POST", "/repositories", Some(json!({"name": "team-a/api"}))).await.expect(201);
    registry.push("acme", "team-a/api", "v1.0").await;
    let new = json!({
        "repositories": ["team-a/web", "team-a/api"], "accounts": ["globex", "admin"], "permanent": true,
        "tags": ["v1.*", "w?"]
    });
    let made = registry.send("acme", "POST", "/shares", Some(new)).await.expect(201).body;
    assert_eq!(made["items"].as_array().unwrap().len(), 4);
    assert_eq!(names(&registry, "").await.0, ["v1.0", "v1.1"]);
}

#[tokio::test]
async fn refusals() {
    let registry = furnished().await;
    let nine: Vec<String> = (0..9).map(|n| format!("v{n}.*")).collect();
    let nine: Vec<&str> = nine.iter().map(String::as_str).collect();
    for (tags, expected) in [
        (json!([]), (400, "invalid", Some("tags"))),
        (json!([""]), (400, "invalid", Some("tags"))),
        (json!(["v1/*"]), (400, "invalid", Some("tags"))),
        (json!(["v1.*", "漢字"]), (400, "invalid", Some("tags"))),
        (json!(["a\u{0}"]), (400, "invalid", Some("tags"))),
        (json!(["x".repeat(129)]), (400, "invalid", Some("tags"))),
        (json!([7]), (400, "invalid", Some("tags[0]"))),
        (json!("v1.*"), (400, "invalid", Some("tags"))),
        (json!(nine), (409, "limit_reached", None)),
    ] {
        let new = json!({"account": "globex", "permanent": true, "tags": tags});
        let answer = registry.send("acme", "POST", ALL, Some(new)).await;
        assert_eq!(answer.problem(), expected, "{tags}: {}", answer.body);
    }
    registry.send("acme", "POST", ALL, narrowed(&nine[..5])).await.expect(201);
    // Eight patterns a repository, over all its shares; the same one is one.
    let other = |tags: &[&str]| Some(json!({"account": "admin", "permanent": true, "tags": tags}));
    let full = registry.send("acme", "POST", ALL, other(&["a", "b", "c", "d"])).await;
    assert_eq!(full.problem(), (409, "limit_reached", None));
    registry.send("acme", "POST", ALL, other(&["a", "b", "c", "v1.*", "v2.*"])).await.expect(201);
    let change = |body: Value| registry.send("acme", "PATCH", ONE, Some(body));
    assert_eq!(change(json!({"tags": nine})).await.problem(), (409, "limit_reached", None));
    assert_eq!(
        change(json!({"tags": ["d", "e", "f", "g", "h", "i"]})).await.problem(),
        (409, "limit_reached", None)
    );
    assert_eq!(change(json!({"tags": []})).await.problem(), (400, "invalid", Some("tags")));
    assert_eq!(
        change(json!({"tags": ["a"], "all_tags": true})).await.problem(),
        (400, "invalid", Some("tags"))
    );
    assert_eq!(change(json!({"all_tags": false})).await.problem(), (400, "invalid", Some("tags")));
    assert_eq!(change(json!({"tags": null})).await.problem(), (400, "nothing_to_change", None));
    // What it lets go of makes room for what it takes, in one change.
    change(json!({"tags": ["d", "e", "f"]})).await.expect(200);
    assert_eq!(registry.send("acme", "GET", ONE, None).await.body["tags"], json!(["d", "e", "f"]));
}

#[tokio::test]
async fn an_ended_share_keeps_its_patterns_until_it_is_replaced_or_revoked() {
    let registry = furnished().await;
    let ending = json!({
        "account": "globex", "until": "2026-11-24T20:16:00Z",
        "tags": ["a", "b", "c", "d", "e", "f", "g", "h"]
    });
    registry.send("acme", "POST", ALL, Some(ending)).await.expect(201);
    registry.advance(jiff::SignedDuration::from_secs(60));
    let other = Some(json!({"account": "admin", "permanent": true, "tags": ["i"]}));
    let full = registry.send("acme", "POST", ALL, other.clone()).await;
    assert_eq!(full.problem(), (409, "limit_reached", None));
    registry.send("acme", "POST", ALL, narrowed(&["v1.*"])).await.expect(201);
    registry.send("acme", "POST", ALL, other).await.expect(201);
    assert_eq!(names(&registry, "").await.0, ["v1.0", "v1.1"]);
}
