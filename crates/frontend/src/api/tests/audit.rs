//! The audit trail over the interface: filtered, paged, and nobody else's.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::registry::{PASSWORD, Registry, basic};

/// All entries of a list, page by page.
async fn all(registry: &Registry, login: &str, query: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut after = String::new();
    loop {
        let page =
            registry.send(login, "GET", &format!("/audit?{query}{after}"), None).await.expect(200).body;
        items.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { return items };
        after = format!("&after={next}");
    }
}

fn texts<'v>(events: &'v [Value], field: &str) -> Vec<&'v str> {
    events.iter().map(|event| event[field].as_str().unwrap()).collect()
}

#[tokio::test]
async fn thousands_of_events_are_each_on_one_page() {
    let registry = Registry::furnished().await;
    let made = all(&registry, "acme", "limit=1000").await.len();
    for number in 0..2_500 {
        let now = registry.app.clock.now();
        let acme =
            registry.app.auth.authenticate("acme", &auth::Secret::new(PASSWORD), None, now).await.unwrap();
        let name = oci::NamespaceName::parse(&format!("team-{number}")).unwrap();
        if number % 2 == 0 {
            registry.advance(SignedDuration::from_millis(1));
        }
        if number < 900 {
            registry.app.auth.create_namespace(&acme, &name, now).await.unwrap();
        } else {
            let mut tx = registry.app.auth.store().transaction();
            let account = acme.account().unwrap();
            let event =
                auth::Event::new(account, auth::EventKind::TagDeleted, (&acme).into(), name.to_string(), now);
            event.record(&mut tx).unwrap();
            registry.app.auth.store().commit(tx).await.unwrap();
        }
    }
    for query in ["limit=7", "limit=100", "limit=1000&order=oldest_first"] {
        let events = all(&registry, "acme", query).await;
        assert_eq!(events.len(), made + 2_500, "{query}");
        let ids: BTreeSet<_> = texts(&events, "id").into_iter().collect();
        assert_eq!(ids.len(), events.len(), "{query}: each once");
        let mut times = texts(&events, "at");
        if !query.contains("oldest") {
            times.reverse();
        }
        let instants: Vec<jiff::Timestamp> = times.iter().map(|at| at.parse().unwrap()).collect();
        assert!(instants.is_sorted(), "{query}");
    }
    let some = all(&registry, "acme", "limit=50&kind=tag_deleted,namespace_deleted&subject=team-1000").await;
    assert_eq!(texts(&some, "subject"), ["team-1000"]);
}

#[tokio::test]
async fn filters_of_the_interface() {
    let registry = Registry::furnished().await;
    registry.push("acme", "team-a/web", "v1").await;
    registry.app.auth.flush(registry.app.clock.now()).await.unwrap();
    let later = "2026-11-24T20:15:00.5Z";
    registry.advance(SignedDuration::from_secs(1));
    registry.send("acme", "DELETE", "/repositories/team-a%2Fweb/tags/v1", None).await.expect(204);
    registry.send_raw(Some(&basic("dev@acme", "wrong")), "GET", "/whoami", None).await.expect(401);
    registry.app.auth.flush(registry.app.clock.now()).await.unwrap();
    for (query, kinds) in [
        (format!("from={later}&kind=tag_deleted"), vec!["tag_deleted"]),
        (format!("to={later}&kind=tag_deleted"), vec![]),
        (format!("to={later}&kind=manifest_pushed,user_created"), vec!["user_created", "manifest_pushed"]),
        ("result=denied".to_owned(), vec!["sign_in_failed"]),
        ("subject=dev%40acme".to_owned(), vec!["user_created", "sign_in_failed"]),
        ("actor=admin".to_owned(), vec!["account_created"]),
        ("address=192.0.2.1".to_owned(), vec![]),
    ] {
        let events = all(&registry, "acme", &format!("{query}&order=oldest_first")).await;
        let mut found = texts(&events, "kind");
        found.sort_unstable();
        let mut kinds = kinds;
        kinds.sort_unstable();
        assert_eq!(found, kinds, "{query}");
    }
}

/// What was refused according to a trail, oldest first: who asked, for what, by which call.
async fn refused(registry: &Registry, login: &str) -> Vec<String> {
    registry.app.auth.flush(registry.app.clock.now()).await.unwrap();
    let events = all(registry, login, "kind=change_refused&order=oldest_first").await;
    let line = |event: &Value| {
        assert_eq!(event["result"], "denied", "{event}");
        [&event["actor"], &event["subject"], &event["detail"]].map(|text| text.as_str().unwrap()).join(" ")
    };
    events.iter().map(line).collect()
}

#[tokio::test]
async fn a_refused_change_is_in_the_trail_of_who_asked_and_of_the_owner_of_what_it_sees() {
    let registry = Registry::furnished().await;
    let web = "/repositories/team-a%2Fweb";
    let read = Some(json!({"level": "read"}));
    registry.send("acme", "PUT", &format!("{web}/permissions/dev"), read.clone()).await.expect(200);
    let share = Some(json!({"account": "globex", "permanent": true}));
    registry.send("acme", "POST", &format!("{web}/shares"), share.clone()).await.expect(201);
    let webhook = Some(json!({"url": "https://example.com/hook"}));
    let public = Some(json!({"visibility": "public"}));
    let changes = [
        (
            "POST",
            "/accounts".to_owned(),
            "/api/v1/accounts",
            Some(json!({"name": "x1", "password": "long enough"})),
        ),
        ("POST", "/accounts/acme/users".to_owned(), "acme", Some(json!({"name": "eve"}))),
        ("POST", "/webhooks".to_owned(), "/api/v1/webhooks", webhook),
        ("DELETE", "/namespaces/team-a".to_owned(), "team-a", None),
        ("DELETE", web.to_owned(), "team-a/web", None),
        ("PATCH", web.to_owned(), "team-a/web", public.clone()),
        ("PUT", format!("{web}/permissions/dev"), "team-a/web", read),
        ("POST", format!("{web}/shares"), "team-a/web", share),
    ];
    let mut expected = Vec::new();
    for (method, path, subject, body) in changes {
        registry.send("dev@acme", method, &path, body).await.expect(403);
        expected.push(format!("dev@acme {subject} {method} /api/v1{path}"));
    }
    // What is only read, or not to be seen, is no refused change.
    registry.send("dev@acme", "GET", "/webhooks", None).await.expect(403);
    registry.send("dev@acme", "DELETE", "/accounts/globex", None).await.expect(404);
    assert_eq!(refused(&registry, "acme").await, expected);

    registry.send("globex", "DELETE", web, None).await.expect(403);
    let of_sharee = format!("globex team-a/web DELETE /api/v1{web}");
    assert_eq!(refused(&registry, "globex").await, [of_sharee.as_str()]);
    expected.push(of_sharee);
    assert_eq!(refused(&registry, "acme").await, expected, "its owner knows the sharee");

    registry.send("acme", "PATCH", web, public).await.expect(200);
    registry.advance(SignedDuration::from_secs(60));
    registry.send("globex", "DELETE", web, None).await.expect(403);
    expected.push(format!("anybody team-a/web DELETE /api/v1{web}"));
    assert_eq!(refused(&registry, "acme").await, expected, "and not who reads what everybody may");
    assert_eq!(refused(&registry, "globex").await.len(), 2);
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_in_whole_sentences() {
    let registry = Registry::furnished().await;
    for (query, detail) in [
        (
            "from=9999-12-31T23:59:59Z",
            "There is no such instant in the calendar, or it is later than 9999-12-30T22:00:00Z.",
        ),
        (
            "to=tomorrow",
            "This is not an instant with its offset from UTC, such as 2027-01-31T23:59:59Z or \
             2027-01-31T23:59:59+01:00.",
        ),
    ] {
        let refused = registry.send("acme", "GET", &format!("/audit?{query}"), None).await.expect(400);
        assert_eq!(refused.body["detail"], detail, "{query}");
    }
}

#[tokio::test]
async fn no_event_of_another_account_is_shown() {
    let registry = Registry::furnished().await;
    registry.push("acme", "team-a/web", "v1").await;
    registry.app.auth.flush(registry.app.clock.now()).await.unwrap();
    let events = all(&registry, "globex", "limit=100").await;
    assert!(!events.is_empty());
    for event in &events {
        assert!(!event.to_string().contains("acme") && !event.to_string().contains("team-a"), "{event}");
    }
    registry.advance(SignedDuration::from_secs(1));
    let looked = all(&registry, "admin", "account=globex&limit=100").await;
    assert_eq!((&looked[0]["kind"], &looked[0]["actor"]), (&"trail_read".into(), &"admin".into()));
    assert_eq!(all(&registry, "globex", "kind=trail_read").await.len(), 1, "globex sees that admin looked");
}
