//! What the answers give away, and what they do not. That rights hold at all is tested in `auth`.

use auth::{EventFilter, EventKind, EventOrder, EventResult};
use serde_json::{Value, json};

use super::super::app::{TestApp, principal};
use super::Signer;
use crate::Clock;

const DOMAINS: &str = "/v2/manage/namespaces/team-a/repos/web/access-domains";

/// To who may not know of it, what exists and what does not are the same to the letter.
#[tokio::test]
async fn missing_and_invisible_are_the_same() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let globex = Signer::of(&app, "globex").await;
    let share = || Some(json!({"access_domain": "acme", "permit": "read", "deadline": "forever"}));
    let shares = || {
        Some(json!({
            "share_type": "account", "share_principals": ["acme"], "permission": "read", "deadline": "forever"
        }))
    };
    let users = || Some(json!([{"user_id": "7", "user_name": "dev", "auth": 1}]));
    let change = || Some(json!({"is_public": true}));
    let copy = || Some(json!({"source_tag": "v1", "destination_tag": "v2"}));
    for (method, path, body) in [
        ("GET", "/v2/manage/namespaces/team-a", None),
        ("DELETE", "/v2/manage/namespaces/team-a", None),
        ("GET", "/v2/manage/namespaces/team-a/access", None),
        ("POST", "/v2/manage/namespaces/team-a/access", users()),
        ("PATCH", "/v2/manage/namespaces/team-a/access", users()),
        ("DELETE", "/v2/manage/namespaces/team-a/access", Some(json!(["7"]))),
        ("POST", "/v2/manage/namespaces/team-a/repos", Some(json!({"repository": "x", "is_public": false}))),
        ("GET", "/v2/manage/namespaces/team-a/repos/web", None),
        ("PATCH", "/v2/manage/namespaces/team-a/repos/web", change()),
        ("DELETE", "/v2/manage/namespaces/team-a/repos/web", None),
        ("GET", "/v2/manage/namespaces/team-a/repos/web/access", None),
        ("GET", "/v2/manage/namespaces/team-a/repos/web/tags", None),
        ("GET", "/v3/manage/namespaces/team-a/repos/web/tags", None),
        ("GET", "/v2/manage/namespaces/team-a/repos/web/tags/v1", None),
        ("DELETE", "/v2/manage/namespaces/team-a/repos/web/tags/v1", None),
        ("POST", "/v2/manage/namespaces/team-a/repos/web/tags", copy()),
        ("GET", DOMAINS, None),
        ("POST", DOMAINS, share()),
        ("GET", "/v2/manage/namespaces/team-a/repos/web/access-domains/globex", None),
        ("DELETE", "/v2/manage/namespaces/team-a/repos/web/access-domains/globex", None),
        ("GET", "/v2/manage/namespaces/team-a/repos/web/shares", None),
        ("POST", "/v2/manage/namespaces/team-a/repos/web/shares", shares()),
        ("GET", "/v2/manage/namespaces/team-a/repos/web/shares/7", None),
        ("GET", "/v2/manage/repos?namespace=team-a", None),
        ("GET", "/v2/manage/shared-repositories?center=thirdparty&namespace=team-a", None),
    ] {
        let missing = path.replace("team-a", "team-x");
        let there = globex.send(method, path, body.clone()).await;
        let missing = globex.send(method, &missing, body).await;
        assert_eq!((there.status, &there.body), (missing.status, &missing.body), "{method} {path}");
        assert!(!there.body.to_string().contains("web"), "{method} {path}: {}", there.body);
    }
}

#[tokio::test]
async fn a_refused_change_is_in_the_trails_and_a_refused_look_is_not() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    app.share("team-a/web", None).await;
    let globex = Signer::of(&app, "globex").await;
    globex.get(DOMAINS).await.expect(403);
    let path = "/v2/manage/namespaces/team-a/repos/web";
    globex.send("DELETE", path, None).await.expect(403);
    let now = app.clock.now();
    app.auth.flush(now).await.unwrap();
    for login in ["acme", "globex"] {
        let p = principal(&app.auth, login, now).await;
        let filter = EventFilter { kinds: vec![EventKind::ChangeRefused], ..EventFilter::default() };
        let page = (EventOrder::OldestFirst, None, 10);
        let events = app.auth.list_events(&p, p.account_name().unwrap(), &filter, page, now).await.unwrap();
        let [(_, event)] = events.events.as_slice() else { panic!("{login}: {events:?}") };
        assert_eq!((event.subject.as_str(), event.result), ("team-a/web", EventResult::Denied));
        assert_eq!((&*event.actor.name, &*event.detail), ("globex", &*format!("DELETE {path}")));
        assert!(event.actor.address.is_some());
    }
}

#[tokio::test]
async fn an_ended_share_stays_listed_and_tells_nothing_new() {
    let app = TestApp::start().await;
    let acme = Signer::of(&app, "acme").await;
    let globex = Signer::of(&app, "globex").await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    app.share("team-a/web", Some(60)).await;
    let lists = async || {
        let by_offset = globex.get("/v2/manage/shared-repositories?center=thirdparty").await.expect(200).body;
        let by_marker = globex.get("/v3/manage/shared-repositories?shared_by=thirdparty").await.expect(200);
        (by_offset[0].clone(), by_marker.body["repos"][0].clone())
    };
    let (row, marked) = lists().await;
    assert_eq!((&row["status"], &row["tags"], &row["num_images"]), (&json!(true), &json!(["v1"]), &json!(1)));
    assert_eq!((&marked["status"], &marked["num_images"]), (&json!(true), &json!(1)));

    app.clock.advance(60);
    app.push_image("acme", "team-a/web", "after-the-end", b"another layer").await;
    let described = json!({"is_public": false, "category": "arm", "description": "after the end"});
    acme.send("PATCH", "/v2/manage/namespaces/team-a/repos/web", Some(described)).await.expect(201);
    let (row, marked) = lists().await;
    let ended = json!({
        "name": "web", "category": "other", "description": "", "size": 0, "is_public": false, "num_images": 0,
        "num_download": 0, "created_at": "2027-01-15T08:00:00Z", "updated_at": "2027-01-15T08:00:00Z",
        "domain_name": "acme", "status": false,
    });
    for (field, value) in ended.as_object().unwrap() {
        assert_eq!((&row[field], &marked[field]), (value, value), "{field}");
    }
    assert_eq!(row["tags"], json!([]));
    globex.get("/v2/manage/namespaces/team-a/repos/web/tags").await.expect(404);
    let own = acme.get("/v2/manage/shared-repositories?center=self").await.expect(200).body;
    assert_eq!((&own[0]["status"], &own[0]["access_domain"]), (&json!(false), &json!("globex")));
    assert_eq!(own[0]["tags"], json!(["after-the-end", "v1"]), "the owner sees its image as it is");
}

#[tokio::test]
async fn guessing_account_names_is_bounded_and_a_shares_number_is_of_one_image() {
    let app = TestApp::start().await;
    for image in ["team-a/web", "team-a/api"] {
        app.push_image("acme", image, "v1", b"layer").await;
        app.share(image, None).await;
    }
    let acme = Signer::of(&app, "acme").await;
    let id =
        acme.get("/v2/manage/namespaces/team-a/repos/web/shares").await.expect(200).body[0]["id"].clone();
    for (method, body) in [("GET", None), ("PATCH", Some(json!({"deadline": "forever"}))), ("DELETE", None)] {
        let path = format!("/v2/manage/namespaces/team-a/repos/api/shares/{id}");
        assert_eq!(acme.send(method, &path, body).await.refusal().1, "4040091", "{method}");
    }
    let guess = |name: String| json!({"access_domain": name, "permit": "read", "deadline": "forever"});
    for round in 0..30 {
        let answer = acme.send("POST", DOMAINS, Some(guess(format!("guess-{round}")))).await;
        assert_eq!(answer.refusal(), (400, "4001041", "access_domain"));
    }
    let answer = acme.send("POST", DOMAINS, Some(guess("guess-more".to_owned()))).await;
    assert_eq!(answer.refusal().1, "4031042");
    assert_eq!(answer.headers["retry-after"], "3600");
}

#[tokio::test]
async fn a_disabled_key_and_a_revoked_right_bite_on_the_next_request() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let (acme, dev) = (Signer::of(&app, "acme").await, Signer::of(&app, "dev@acme").await);
    let web = "/v2/manage/namespaces/team-a/repos/web";
    dev.get(web).await.expect(200);
    let access = acme.get("/v2/manage/namespaces/team-a/access").await.expect(200).body;
    let users = access["others_auths"].as_array().unwrap();
    let id = |name: &str| users.iter().find(|user| user["user_name"] == name).unwrap()["user_id"].clone();
    let all = Value::Array(vec![id("dev"), id("reader")]);
    acme.send("DELETE", "/v2/manage/namespaces/team-a/access", Some(all)).await.expect(204);
    assert_eq!(dev.get(web).await.refusal().1, "4040113");
    let key = auth::AccessKeyId::parse(&dev.access_key).unwrap();
    let secret = auth::Secret::new(super::password_of("dev@acme"));
    let now = crate::Clock::now(&*app.clock);
    let holder = app.auth.authenticate("dev@acme", &secret, None, now).await.unwrap();
    app.auth.set_access_key_disabled(&holder, &key, true, now).await.unwrap();
    assert_eq!(dev.get(web).await.refusal().1, "4010000");
}

/// Of an image that is shared by some of its tags, those are counted, and the figures of the whole are not told.
#[tokio::test]
async fn a_share_of_some_tags_tells_of_no_more() {
    let app = TestApp::start().await;
    let globex = Signer::of(&app, "globex").await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    app.push_image("acme", "team-a/web", "secret", &[7; 10_000]).await;
    let share = json!({"account": "globex", "permanent": true, "tags": ["v*"]});
    let made = app.by("acme", http::Method::POST, "/api/v1/repositories/team-a%2Fweb/shares").json(&share);
    assert_eq!(made.send().await.unwrap().status(), 201);
    let image = globex.get("/v2/manage/namespaces/team-a/repos/web").await.expect(200).body;
    let by_offset = globex.get("/v2/manage/shared-repositories?center=thirdparty").await.expect(200).body;
    let by_marker = globex.get("/v3/manage/shared-repositories?shared_by=thirdparty").await.expect(200).body;
    for row in [&image, &by_offset[0], &by_marker["repos"][0]] {
        assert_eq!((&row["num_images"], &row["size"]), (&json!(1), &json!(0)), "{row}");
    }
    assert_eq!(by_offset[0]["tags"], json!(["v1"]));
    let tags = globex.get("/v2/manage/namespaces/team-a/repos/web/tags").await.expect(200).body;
    assert_eq!((tags.as_array().unwrap().len(), &tags[0]["Tag"]), (1, &json!("v1")), "{tags}");
    let hidden = globex.get("/v2/manage/namespaces/team-a/repos/web/tags/secret").await;
    let missing = globex.get("/v2/manage/namespaces/team-a/repos/web/tags/absent").await;
    assert_eq!((hidden.status, &hidden.body), (missing.status, &missing.body));
}
