//! What answers look like, to the letter; and whose an address is.

use http::Method;
use serde_json::{Value, json};

use super::super::app::{TestApp, header, refusal};
use super::{Signer, answer};

const WEB: &str = "/v2/manage/namespaces/team-a/repos/web";
const DOMAINS: &str = "/v2/manage/namespaces/team-a/repositories/web/access-domains";

#[tokio::test]
async fn a_share_is_shown_in_every_field() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let (acme, dev) = (Signer::of(&app, "acme").await, Signer::of(&app, "dev@acme").await);
    let new = json!({"access_domain": "globex", "permit": "read", "deadline": "2030-10-01T16:00:00.000Z"});
    let made = acme.send("POST", DOMAINS, Some(new)).await.expect(201);
    assert_eq!(made.body, json!({}));
    let listed = acme.get(DOMAINS).await.expect(200);
    assert_eq!(listed.headers["content-range"], "0-1/1");
    let creator = listed.body[0]["creator_id"].as_str().unwrap();
    let share = json!({
        "namespace": "team-a", "repository": "web", "access_domain": "globex", "permit": "read",
        "deadline": "2030-10-01T16:00:00Z", "description": "", "creator_id": creator, "creator_name": "acme",
        "created": "2027-01-15T08:00:00Z", "updated": "2027-01-15T08:00:00Z", "status": true,
    });
    assert_eq!(listed.body, json!([share]));
    let mut shown = share.clone();
    shown["exist"] = json!(true);
    let one = format!("{DOMAINS}/globex");
    assert_eq!(acme.get(&one).await.expect(200).body, shown);
    assert_eq!(acme.get(&format!("{DOMAINS}/initech")).await.expect(200).body, json!({"exist": false}));
    let answer = acme.get(&format!("{WEB}/access-domains/globex")).await.expect(200);
    assert_eq!(answer.body, shown, "by the other address");
    dev.get(&one).await.expect(403);

    app.clock.advance(200 * 365 * 86_400);
    let ended = acme.get(DOMAINS).await.expect(200);
    assert_eq!(ended.body[0]["status"], false, "and stays listed");
}

#[tokio::test]
async fn who_makes_a_share_is_named_by_a_number_of_its_own() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let (acme, dev) = (Signer::of(&app, "acme").await, Signer::of(&app, "dev@acme").await);
    let access = format!("{WEB}/access");
    let of_dev = |auth: u8, id: &str| json!([{"user_id": id, "user_name": "dev", "auth": auth}]);
    let namespace = acme.get("/v2/manage/namespaces/team-a/access").await.expect(200).body;
    let dev_id = namespace["others_auths"][0]["user_id"].as_str().unwrap().to_owned();
    acme.send("POST", &access, Some(of_dev(7, &dev_id))).await.expect(201);
    let new = json!({"access_domain": "globex", "permit": "read", "deadline": "forever"});
    dev.send("POST", DOMAINS, Some(new)).await.expect(201);
    let share = acme.get(DOMAINS).await.expect(200).body[0].clone();
    assert_eq!((&share["creator_id"], &share["creator_name"]), (&json!(dev_id), &json!("dev@acme")));
    let own = dev.get(&access).await.expect(200).body;
    assert_eq!(own["self_auth"], json!({"user_id": dev_id, "user_name": "dev", "auth": 7}));
    assert_eq!((&own["others_auths"], &own["creator_name"]), (&json!([]), &json!("acme")));
}

#[tokio::test]
async fn an_image_that_may_not_be_made_as_it_is_asked_for_is_not_made_at_all() {
    let app = TestApp::start().await;
    let (acme, dev) = (Signer::of(&app, "acme").await, Signer::of(&app, "dev@acme").await);
    let repos = "/v2/manage/namespaces/team-a/repos";
    let new = |more: Value| {
        let mut new = json!({"repository": "x", "is_public": false});
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Some(new)
    };
    // dev edits, and what is said of an image wants more.
    for more in [json!({"description": "hello"}), json!({"category": "linux"}), json!({"is_public": true})] {
        assert_eq!(dev.send("POST", repos, new(more)).await.refusal(), (403, "4039002", ""));
        acme.get(&format!("{repos}/x")).await.expect(404);
    }
    let all = json!({"description": "hello", "category": "linux", "is_public": true});
    acme.send("POST", repos, new(all)).await.expect(201);
    let made = acme.get(&format!("{repos}/x")).await.expect(200).body;
    assert_eq!((&made["description"], &made["is_public"]), (&json!("hello"), &json!(true)));
}

#[tokio::test]
async fn an_image_is_shown_in_every_field() {
    let app = TestApp::start().await;
    let acme = Signer::of(&app, "acme").await;
    let new = json!({"repository": "a$b", "is_public": false, "category": "linux", "description": "x"});
    acme.send("POST", "/v2/manage/namespaces/team-a/repos", Some(new)).await.expect(201);
    app.clock.advance(60);
    let manifest = app.push_image("acme", "team-a/a/b", "v1", b"layer").await;
    let shown = acme.get("/v2/manage/namespaces/team-a/repos/a%2Fb").await.expect(200).body;
    let host = &app.host;
    let (id, ns_id, owner) = (&shown["id"], &shown["ns_id"], &shown["domain_id"]);
    let path = format!("{host}/team-a/a/b");
    let size = manifest.len() + 2 + 5;
    let (made, pushed) = ("2027-01-15T08:00:00Z", "2027-01-15T08:01:00Z");
    assert_eq!(
        shown,
        json!({
            "id": id, "ns_id": ns_id, "name": "a/b", "category": "linux", "description": "x",
            "creator_id": owner, "creator_name": "acme", "size": size, "is_public": false, "num_images": 1,
            "num_download": 0, "url": "", "path": path, "internal_path": path, "created": made,
            "updated": pushed, "domain_id": owner, "priority": 0,
        })
    );
    let mut row = json!({
        "name": "a/b", "category": "linux", "description": "x", "size": size, "is_public": false,
        "num_images": 1, "num_download": 0, "created_at": made, "updated_at": pushed, "domain_name": "acme",
        "status": false,
    });
    let mut marked = row.clone();
    marked["id"] = id.clone();
    marked["namespace_name"] = json!("team-a");
    assert_eq!(acme.get("/v3/manage/repos").await.expect(200).body, json!({"repos": [marked]}));
    for (field, value) in [
        ("logo", json!("")),
        ("url", json!("")),
        ("path", json!(path)),
        ("internal_path", json!(path)),
        ("namespace", json!("team-a")),
        ("tags", json!(["v1"])),
        ("total_range", json!(1)),
    ] {
        row[field] = value;
    }
    assert_eq!(acme.get("/v2/manage/repos").await.expect(200).body, json!([row]));
}

#[tokio::test]
async fn a_tag_is_shown_in_every_field_and_called_in_two_ways() {
    let app = TestApp::start().await;
    let manifest = app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let acme = Signer::of(&app, "acme").await;
    let shown = acme.get(&format!("{WEB}/tags/v1")).await.expect(200).body;
    let read: Value = serde_json::from_str(&manifest).unwrap();
    let path = format!("{}/team-a/web:v1", app.host);
    let at = "2027-01-15T08:00:00Z";
    let mut tag = json!({
        "id": shown["id"], "repo_id": shown["repo_id"], "image_id":
        read["config"]["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap(), "manifest": manifest,
        "digest": super::sha256(manifest.as_bytes()), "schema": 2, "path": path, "internal_path": path,
        "size": manifest.len() + 2 + 5, "is_trusted": false, "created": at, "updated": at, "deleted": null,
        "domain_id": shown["domain_id"], "scanned": false, "tag_type": 0, "tag": "v1",
    });
    assert_eq!(shown, tag);
    assert!(shown["id"].as_u64().unwrap() < 1 << 53);
    tag.as_object_mut().unwrap().remove("tag");
    tag["Tag"] = json!("v1");
    assert_eq!(acme.get(&format!("{WEB}/tags")).await.expect(200).body, json!([tag]));
    let marked = acme.get("/v3/manage/namespaces/team-a/repos/web/tags").await.expect(200).body;
    assert_eq!((&marked["tags"][0]["manifest"], &marked["has_more"]), (&json!(""), &json!(false)));
    assert!(marked.get("nextMarker").is_none());
}

#[tokio::test]
async fn a_temporary_login_signs_in_to_the_registry_and_manages_nothing() {
    let app = TestApp::start().await;
    app.push_image("acme", "team-a/web", "v1", b"layer").await;
    let dev = Signer::of(&app, "dev@acme").await;
    let made = dev.send("POST", "/v2/manage/utils/secret?duration_seconds=900", None).await.expect(200);
    assert_eq!(made.headers["x-swr-expireat"], "2027-01-15T08:15:00Z");
    let command = made.headers["x-swr-dockerlogin"].to_str().unwrap();
    let words: Vec<_> = command.split(' ').collect();
    let ["docker", "login", "-u", "dev@acme", "-p", secret, host] = words[..] else { panic!("{command}") };
    assert_eq!(host, app.host);
    assert_eq!(header_names(&made.body["auths"]), [host]);
    let by_login = |method, path: &str| app.anonymous(method, path).basic_auth("dev@acme", Some(secret));
    let pull = "/v2/team-a/web/manifests/v1";
    assert_eq!(by_login(Method::GET, pull).send().await.unwrap().status(), 200);
    assert_eq!(by_login(Method::DELETE, "/api/v1/namespaces/team-a").send().await.unwrap().status(), 403);
    let signed_in = by_login(Method::GET, "/v2/manage/namespaces").send().await.unwrap();
    assert_eq!(answer(signed_in).await.refusal().0, 401);
    app.clock.advance(900);
    assert_eq!(by_login(Method::GET, pull).send().await.unwrap().status(), 401);
}

fn header_names(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn only_a_signature_signs_in() {
    let app = TestApp::start().await;
    for path in ["/v2/manage/namespaces", "/v3/manage/repos", DOMAINS] {
        for request in [
            app.anonymous(Method::GET, path),
            app.by("acme", Method::GET, path),
            app.anonymous(Method::GET, path).bearer_auth("gp_pat_x"),
        ] {
            let refused = request.send().await.unwrap();
            assert_eq!(header(&refused, "www-authenticate"), "SDK-HMAC-SHA256");
            assert_eq!(header(&refused, "x-request-id").len(), 16);
            assert_eq!(answer(refused).await.refusal().1, "4010000", "{path}");
        }
    }
}

#[tokio::test]
async fn an_image_called_manage_is_the_registrys_to_refuse() {
    let app = TestApp::start().await;
    for path in ["/v2/manage/web/manifests/v1", "/v2/manage/web/tags/list", "/v2/manage/a/b/blobs/uploads/"] {
        let refused = app.get("acme", path).await;
        assert_eq!(refusal(refused).await, (400, "NAME_INVALID".to_owned()), "{path}");
    }
    let acme = Signer::of(&app, "acme").await;
    let answer = acme.get("/v2/manage/overview").await;
    assert_eq!(answer.refusal(), (404, "4040083", ""));
    let answer = acme.send("PUT", "/v2/manage/namespaces", None).await;
    assert_eq!((answer.refusal().0, &answer.headers["allow"]), (405, &"GET, POST".parse().unwrap()));
}
