//! What the answers give away, and what they do not. That rights hold at all is tested in `auth`.

use jiff::SignedDuration;
use serde_json::json;

use super::registry::Registry;

/// What a stranger asks for, with a name that exists and one that does not: the answers are the same to the byte.
#[tokio::test]
async fn missing_and_invisible_are_the_same() {
    let registry = Registry::furnished().await;
    registry.push("acme", "team-a/web", "v1").await;
    let share = || Some(json!({"account": "initech", "permanent": true}));
    for (method, there, missing, body) in [
        ("GET", "/accounts/acme", "/accounts/none", None),
        ("GET", "/accounts/acme/users", "/accounts/none/users", None),
        ("GET", "/accounts/acme/users/dev", "/accounts/acme/users/none", None),
        ("GET", "/namespaces/team-a", "/namespaces/none", None),
        ("DELETE", "/namespaces/team-a", "/namespaces/none", None),
        ("GET", "/namespaces/team-a/permissions", "/namespaces/none/permissions", None),
        ("GET", "/repositories?namespace=team-a", "/repositories?namespace=none", None),
        ("GET", "/repositories/team-a%2Fweb", "/repositories/team-a%2Fnone", None),
        (
            "PATCH",
            "/repositories/team-a%2Fweb",
            "/repositories/team-a%2Fnone",
            Some(json!({"description": "x"})),
        ),
        ("DELETE", "/repositories/team-a%2Fweb", "/repositories/none%2Fweb", None),
        ("GET", "/repositories/team-a%2Fweb/tags", "/repositories/team-a%2Fnone/tags", None),
        ("GET", "/repositories/team-a%2Fweb/tags/v1", "/repositories/team-a%2Fnone/tags/v1", None),
        ("DELETE", "/repositories/team-a%2Fweb/tags/v1", "/repositories/team-a%2Fnone/tags/v1", None),
        ("POST", "/repositories/team-a%2Fweb/shares", "/repositories/team-a%2Fnone/shares", share()),
        ("GET", "/repositories/team-a%2Fweb/shares", "/repositories/team-a%2Fnone/shares", None),
        ("GET", "/repositories/team-a%2Fweb/shares/acme", "/repositories/team-a%2Fnone/shares/acme", None),
        (
            "GET",
            "/repositories/team-a%2Fweb/shares/globex/usage",
            "/repositories/team-a%2Fnone/shares/globex/usage",
            None,
        ),
        ("GET", "/audit?account=acme", "/audit?account=none", None),
    ] {
        let there_answer = registry.send("globex", method, there, body.clone()).await;
        let missing_answer = registry.send("globex", method, missing, body).await;
        assert_eq!(there_answer.status, missing_answer.status, "{method} {there}");
        assert_eq!(there_answer.body, missing_answer.body, "{method} {there}");
        assert_eq!(there_answer.headers, missing_answer.headers, "{method} {there}");
        assert!(!there_answer.body.to_string().contains("acme"), "{method} {there}: {}", there_answer.body);
    }
}

#[tokio::test]
async fn a_share_ends_and_stays_listed() {
    let registry = Registry::furnished().await;
    registry.push("acme", "team-a/web", "v1").await;
    let new = json!({"account": "globex", "until": "2026-11-24T20:16:00Z"});
    registry.send("acme", "POST", "/repositories/team-a%2Fweb/shares", Some(new.clone())).await.expect(201);
    let tags = "/repositories/team-a%2Fweb/tags";
    registry.send("globex", "GET", tags, None).await.expect(200);
    registry.send("globex", "DELETE", &format!("{tags}/v1"), None).await.expect(403);
    registry.advance(SignedDuration::from_secs(60));
    registry.send("globex", "GET", tags, None).await.expect(404);
    let mine = registry.send("acme", "GET", "/shares?direction=by_me", None).await.expect(200);
    assert_eq!(mine.body["items"][0]["status"], "ended");
    let again = registry.send("acme", "POST", "/repositories/team-a%2Fweb/shares", Some(new)).await;
    assert_eq!(again.problem(), (422, "deadline_past", Some("until")));
}

#[tokio::test]
async fn guessing_account_names_is_bounded() {
    let registry = Registry::furnished().await;
    let guess = |name: String| {
        let body = json!({"account": name, "permanent": true});
        registry.send("acme", "POST", "/repositories/team-a%2Fweb/shares", Some(body))
    };
    for round in 0..30 {
        let answer = guess(format!("guess-{round}")).await;
        assert_eq!(answer.problem(), (422, "unknown_account", Some("account")));
    }
    let answer = guess("guess-more".to_owned()).await;
    assert_eq!(answer.problem(), (429, "too_many_unknown_names", Some("account")));
    assert!(answer.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
}

#[tokio::test]
async fn pages_show_everything_once() {
    let registry = Registry::furnished().await;
    for name in ["a", "b", "c", "d"] {
        let new = json!({"name": format!("team-a/{name}")});
        registry.send("acme", "POST", "/repositories", Some(new)).await.expect(201);
    }
    let listed = registry.send("acme", "GET", "/repositories", None).await.body;
    assert!(listed["items"].as_array().unwrap().is_empty(), "none holds a manifest yet: {listed}");
    let (mut seen, mut after) = (Vec::new(), String::new());
    for _ in 0..3 {
        let path = format!("/repositories?empty=true&limit=2&after={after}");
        let page = registry.send("acme", "GET", &path, None).await.body;
        let items = page["items"].as_array().unwrap().iter();
        seen.extend(items.map(|item| item["name"].as_str().unwrap().to_owned()));
        after = page["next"].as_str().unwrap_or_default().replace('/', "%2F");
    }
    assert_eq!(seen, ["team-a/a", "team-a/b", "team-a/c", "team-a/d", "team-a/web"]);
    assert!(after.is_empty());
}
