//! A walk through every operation of the interface, each answer checked against the document.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::registry::{Answer, Registry};
use super::schema::Schemas;

struct Walk {
    registry: Registry,
    document: Value,
    seen: BTreeSet<(String, String)>,
}

impl Walk {
    /// Sends the request, and checks that the answer is one that the document promises.
    async fn step(
        &mut self,
        login: &str,
        method: &str,
        route: &str,
        names: &[&str],
        body: Option<Value>,
    ) -> Answer {
        let (route, query) =
            route.split_once('?').map_or((route, String::new()), |(r, q)| (r, format!("?{q}")));
        let path = names.iter().fold(route.to_owned(), |path, name| {
            let (start, end) = (path.find('{').unwrap(), path.find('}').unwrap());
            format!("{}{}{}", &path[..start], name.replace('/', "%2F"), &path[end + 1..])
        });
        let answer = self.registry.send(login, method, &format!("{path}{query}"), body.clone()).await;
        let operation = format!("/paths/{}/{}", escape(&format!("/api/v1{route}")), method.to_lowercase());
        let operation =
            self.document.pointer(&operation).unwrap_or_else(|| panic!("{method} {route} is not listed"));
        let schemas = Schemas(&self.document);
        if let Some(body) = body.filter(|_| answer.status.is_success()) {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            assert_eq!(
                schemas.faults(schema, &body),
                Vec::<String>::new(),
                "the request of {method} {route}"
            );
        }
        let response = operation["responses"].get(answer.status.as_str());
        let response =
            response.unwrap_or_else(|| panic!("{method} {route}: {} is not promised", answer.status));
        match schemas.resolve(response).get("content") {
            Some(content) => {
                let kind = answer.headers["content-type"].to_str().unwrap();
                let schema = &content[kind]["schema"];
                assert_eq!(schemas.faults(schema, &answer.body), Vec::<String>::new(), "{method} {route}");
            }
            None => assert_eq!(answer.body, Value::Null, "{method} {route}"),
        }
        self.seen.insert((method.to_owned(), route.to_owned()));
        answer
    }
}

/// A JSON pointer's part.
fn escape(part: &str) -> String {
    part.replace('~', "~0").replace('/', "~1")
}

#[tokio::test]
async fn every_operation_answers_as_the_document_says() {
    let document = serde_json::from_str(crate::api::openapi()).unwrap();
    let mut walk = Walk { registry: Registry::furnished().await, document, seen: BTreeSet::new() };
    walk.step("", "GET", "/openapi.json", &[], None).await.expect(200);
    walk.step("", "GET", "/whoami", &[], None).await.expect(401);
    let me = walk.step("dev@acme", "GET", "/whoami", &[], None).await.expect(200);
    assert_eq!(
        me.body,
        json!({
            "name": "dev@acme", "account": "acme", "user": "dev", "administrator": false, "region": "main"
        })
    );
    accounts_and_users(&mut walk).await;
    namespaces_and_repositories(&mut walk).await;
    permissions(&mut walk).await;
    shares(&mut walk).await;
    tokens(&mut walk).await;
    audit(&mut walk).await;
    access_keys(&mut walk).await;
    directory(&mut walk).await;
    walk.step("acme", "GET", "/system", &[], None).await.expect(403);
    let system = walk.step("admin", "GET", "/system", &[], None).await.expect(200).body;
    assert_eq!(system["health"]["metadata"], "ok");
    reservations(&mut walk).await;
    profiles(&mut walk).await;
    webhooks(&mut walk).await;
    removals(&mut walk).await;
    let listed: BTreeSet<(String, String)> = super::document::operations(&walk.document).collect();
    assert_eq!(walk.seen, listed);
}

async fn accounts_and_users(walk: &mut Walk) {
    let new = json!({"name": "initech", "password": "a good password"});
    let made = walk.step("admin", "POST", "/accounts", &[], Some(new.clone())).await.expect(201).body;
    assert_eq!(made["name"], "initech");
    walk.step("admin", "POST", "/accounts", &[], Some(new.clone())).await.expect(409);
    walk.step("acme", "POST", "/accounts", &[], Some(new)).await.expect(403);
    let page = walk.step("admin", "GET", "/accounts?limit=2", &[], None).await.expect(200).body;
    assert_eq!((page["items"].as_array().unwrap().len(), &page["next"]), (2, &json!("admin")));
    walk.step("acme", "GET", "/accounts", &[], None).await.expect(403);
    walk.step("acme", "GET", "/accounts/{account}", &["acme"], None).await.expect(200);
    walk.step("acme", "GET", "/accounts/{account}", &["globex"], None).await.expect(404);
    let closed =
        walk.step("admin", "PATCH", "/accounts/{account}", &["initech"], Some(json!({"disabled": true})));
    assert_eq!(closed.await.expect(200).body["disabled"], true);
    let users = "/accounts/{account}/users";
    let made =
        walk.step("acme", "POST", users, &["acme"], Some(json!({"name": "ci"}))).await.expect(201).body;
    assert_eq!((&made["login"], &made["disabled"]), (&json!("ci@acme"), &json!(false)));
    let page = walk.step("acme", "GET", &format!("{users}?limit=1"), &["acme"], None).await.expect(200).body;
    assert_eq!((&page["items"][0]["name"], &page["next"]), (&json!("ci"), &json!("ci")));
    let page = walk.step("acme", "GET", &format!("{users}?after=ci"), &["acme"], None).await.expect(200).body;
    assert_eq!((&page["items"][0]["name"], page.get("next")), (&json!("dev"), None));
    let user = "/accounts/{account}/users/{user}";
    walk.step("acme", "GET", user, &["acme", "dev"], None).await.expect(200);
    walk.step("acme", "GET", user, &["acme", "dev@acme"], None).await.expect(200);
    walk.step("acme", "GET", user, &["acme", "dev@globex"], None).await.expect(404);
    walk.step("acme", "PATCH", user, &["acme", "ci"], Some(json!({"password": "a good password"})))
        .await
        .expect(200);
    let own = json!({"password": "a good password"});
    walk.step("dev@acme", "PATCH", user, &["acme", "dev"], Some(own)).await.expect(422);
}

async fn namespaces_and_repositories(walk: &mut Walk) {
    walk.step("acme", "POST", "/namespaces", &[], Some(json!({"name": "team-b"}))).await.expect(201);
    walk.step("globex", "POST", "/namespaces", &[], Some(json!({"name": "team-b"}))).await.expect(409);
    let page = walk.step("acme", "GET", "/namespaces", &[], None).await.expect(200).body;
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    walk.step("acme", "GET", "/namespaces/{namespace}", &["team-a"], None).await.expect(200);
    walk.step("globex", "GET", "/namespaces/{namespace}", &["team-a"], None).await.expect(404);
    let new = json!({"name": "team-b/api", "description": "Orders."});
    let made = walk.step("acme", "POST", "/repositories", &[], Some(new)).await.expect(201).body;
    assert_eq!((&made["visibility"], &made["description"]), (&json!("private"), &json!("Orders.")));
    walk.registry.push("acme", "team-a/web", "v1").await;
    walk.registry.push("acme", "team-a/web", "v2").await;
    let one = "/repositories/{repository}";
    let web = walk.step("acme", "GET", one, &["team-a/web"], None).await.expect(200).body;
    assert_eq!((&web["manifests"], &web["tags"]), (&json!(1), &json!(2)));
    assert!(web["size_bytes"].as_u64().unwrap() > 0);
    walk.step("globex", "GET", one, &["team-a/web"], None).await.expect(404);
    let page = walk
        .step("acme", "GET", "/repositories?namespace=team-b&empty=true", &[], None)
        .await
        .expect(200)
        .body;
    assert_eq!(page["items"][0]["name"], "team-b/api");
    let page = walk.step("acme", "GET", "/repositories?limit=1&empty=true", &[], None).await.expect(200).body;
    assert_eq!(page["next"], "team-a/web");
    let change = json!({"visibility": "public", "description": "Open orders."});
    let changed = walk.step("acme", "PATCH", one, &["team-b/api"], Some(change)).await.expect(200).body;
    assert_eq!((&changed["visibility"], &changed["description"]), (&json!("public"), &json!("Open orders.")));
    let tags = "/repositories/{repository}/tags";
    let page =
        walk.step("acme", "GET", &format!("{tags}?limit=1"), &["team-a/web"], None).await.expect(200).body;
    assert_eq!((&page["items"][0]["name"], &page["next"]), (&json!("v1"), &json!("v1")));
    walk.step("acme", "GET", &format!("{tags}/{{tag}}"), &["team-a/web", "v1"], None).await.expect(200);
    walk.step("acme", "GET", &format!("{tags}/{{tag}}"), &["team-a/web", "v3"], None).await.expect(404);
}

async fn permissions(walk: &mut Walk) {
    for (route, name) in [("/namespaces/{namespace}", "team-b"), ("/repositories/{repository}", "team-a/web")]
    {
        let (list, one) = (format!("{route}/permissions"), format!("{route}/permissions/{{user}}"));
        let read = Some(json!({"level": "read"}));
        let set = walk.step("acme", "PUT", &one, &[name, "dev"], read.clone()).await.expect(200).body;
        assert_eq!(set, json!({"user": "dev", "login": "dev@acme", "level": "read"}));
        let edit = Some(json!({"level": "edit"}));
        walk.step("acme", "PUT", &one, &[name, "dev@acme"], edit).await.expect(200);
        walk.step("acme", "PUT", &one, &[name, "dev@globex"], read.clone()).await.expect(404);
        walk.step("acme", "PUT", &one, &[name, "nobody"], read.clone()).await.expect(404);
        walk.step("dev@acme", "PUT", &one, &[name, "dev"], Some(json!({"level": "manage"})))
            .await
            .expect(403);
        let page = walk.step("acme", "GET", &list, &[name], None).await.expect(200).body;
        assert_eq!(page, json!({"items": [{"user": "dev", "login": "dev@acme", "level": "edit"}]}));
        walk.step("globex", "GET", &list, &[name], None).await.expect(404);
    }
}

async fn shares(walk: &mut Walk) {
    let (all, one) = ("/repositories/{repository}/shares", "/repositories/{repository}/shares/{account}");
    let new =
        json!({"account": "globex", "until": "2027-01-31T23:59:59+01:00", "description": "for the pilot"});
    let made = walk.step("acme", "POST", all, &["team-a/web"], Some(new.clone())).await.expect(201).body;
    assert_eq!((&made["deadline"], &made["status"]), (&json!("2027-01-31T22:59:59Z"), &json!("open")));
    assert_eq!((&made["permission"], &made["region"]), (&json!("pull"), &json!("main")));
    walk.step("acme", "POST", all, &["team-a/web"], Some(new.clone())).await.expect(409);
    walk.step("acme", "POST", all, &["team-b/api"], Some(new.clone())).await.expect(409);
    walk.step("dev@acme", "POST", all, &["team-a/web"], Some(new)).await.expect(403);
    let unknown = json!({"account": "nobody", "permanent": true});
    walk.step("acme", "POST", all, &["team-a/web"], Some(unknown)).await.expect(422);
    let page = walk.step("acme", "GET", all, &["team-a/web"], None).await.expect(200).body;
    assert_eq!(page["items"], json!([made]));
    let page = walk.step("acme", "GET", "/shares?direction=by_me", &[], None).await.expect(200).body;
    assert_eq!(page["items"], json!([made]));
    let page = walk.step("globex", "GET", "/shares?direction=with_me", &[], None).await.expect(200).body;
    let mut theirs = made.clone();
    assert_eq!(theirs.as_object_mut().unwrap().remove("used").unwrap()["pulls"], 0);
    assert_eq!(page["items"], json!([theirs]));
    let usage = "/repositories/{repository}/shares/{account}/usage";
    let used = walk.step("acme", "GET", usage, &["team-a/web", "globex"], None).await.expect(200).body;
    assert_eq!(used, json!({"last_used_at": null, "pulls": 0, "bytes": 0, "items": []}));
    walk.step("dev@acme", "GET", usage, &["team-a/web", "globex"], None).await.expect(403);
    walk.step("acme", "GET", usage, &["team-a/web", "initech"], None).await.expect(404);
    walk.step("acme", "GET", one, &["team-a/web", "globex"], None).await.expect(200);
    walk.step("acme", "GET", one, &["team-a/web", "initech"], None).await.expect(404);
    let permanent = Some(json!({"permanent": true}));
    let changed =
        walk.step("acme", "PATCH", one, &["team-a/web", "globex"], permanent).await.expect(200).body;
    assert_eq!((&changed["deadline"], &changed["description"]), (&Value::Null, &json!("for the pilot")));
    walk.step("acme", "DELETE", one, &["team-a/web", "globex"], None).await.expect(204);
    walk.step("acme", "DELETE", one, &["team-a/web", "globex"], None).await.expect(404);
    shares_at_once(walk).await;
}

async fn shares_at_once(walk: &mut Walk) {
    let new =
        |accounts: Value| json!({"repositories": ["team-a/web"], "accounts": accounts, "permanent": true});
    let refused = walk
        .step("acme", "POST", "/shares", &[], Some(new(json!(["admin", "nobody"]))))
        .await
        .expect(422)
        .body;
    let named = json!({"index": 1, "repository": "team-a/web", "account": "nobody"});
    assert_eq!((&refused["code"], &refused["share"]), (&json!("unknown_account"), &named));
    walk.step("dev@acme", "POST", "/shares", &[], Some(new(json!(["globex"])))).await.expect(403);
    walk.step("globex", "POST", "/shares", &[], Some(new(json!(["admin"])))).await.expect(404);
    let made = walk.step("acme", "POST", "/shares", &[], Some(new(json!(["admin", "globex"])))).await;
    let made = made.expect(201).body;
    let with: Vec<&Value> = made["items"].as_array().unwrap().iter().map(|share| &share["account"]).collect();
    assert_eq!(with, ["admin", "globex"]);
    walk.step("acme", "POST", "/shares", &[], Some(new(json!(["globex"])))).await.expect(409);
    leaving_and_blocking(walk, &made["items"][1]["id"].to_string()).await;
}

/// `share` is acme's with globex.
async fn leaving_and_blocking(walk: &mut Walk, share: &str) {
    walk.step("acme", "DELETE", "/shares/{id}", &[share], None).await.expect(404);
    walk.step("globex", "DELETE", "/shares/{id}", &[share], None).await.expect(204);
    walk.step("globex", "DELETE", "/shares/{id}", &[share], None).await.expect(404);
    let (all, one) = ("/blocked-owners", "/blocked-owners/{account}");
    let blocked =
        walk.step("globex", "POST", all, &[], Some(json!({"account": "acme"}))).await.expect(201).body;
    walk.step("globex", "POST", all, &[], Some(json!({"account": "nobody"}))).await.expect(201);
    walk.step("dev@acme", "POST", all, &[], Some(json!({"account": "globex"}))).await.expect(403);
    let page = walk.step("globex", "GET", &format!("{all}?limit=1"), &[], None).await.expect(200).body;
    assert_eq!((&page["items"], &page["next"]), (&json!([blocked]), &json!("acme")));
    let new = json!({"repositories": ["team-a/web"], "accounts": ["globex"], "permanent": true});
    let refused = walk.step("acme", "POST", "/shares", &[], Some(new.clone())).await.expect(409).body;
    assert_eq!(refused["code"], "blocked");
    walk.step("globex", "DELETE", one, &["acme"], None).await.expect(204);
    walk.step("globex", "DELETE", one, &["acme"], None).await.expect(404);
    walk.step("acme", "POST", "/shares", &[], Some(new)).await.expect(201);
}

async fn tokens(walk: &mut Walk) {
    let scope = ["repository:team-a/web:pull"];
    let new = json!({"expires_in_seconds": 3600, "description": "nightly", "scope": scope});
    let made = walk.step("dev@acme", "POST", "/tokens", &[], Some(new)).await.expect(201).body;
    assert_eq!((&made["username"], &made["scope"]), (&json!("dev@acme"), &json!(scope)));
    assert_eq!(made["expires_at"], "2026-11-24T21:15:00Z");
    walk.step("dev@acme", "POST", "/tokens", &[], Some(json!({"expires_in_seconds": 60}))).await.expect(201);
    let page = walk.step("dev@acme", "GET", "/tokens", &[], None).await.expect(200).body;
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    assert!(!page.to_string().contains(made["secret"].as_str().unwrap()));
    let id = made["id"].to_string();
    walk.step("acme", "DELETE", "/tokens/{id}", &[&id], None).await.expect(404);
    walk.step("dev@acme", "DELETE", "/tokens/{id}", &[&id], None).await.expect(204);
}

async fn audit(walk: &mut Walk) {
    let page = walk.step("acme", "GET", "/audit?kind=share_created", &[], None).await.expect(200).body;
    let event = &page["items"][0];
    assert_eq!((&event["actor"], &event["result"]), (&json!("acme"), &json!("ok")));
    assert_eq!((&event["subject"], &event["address"]), (&json!("team-a/web"), &Value::Null));
    let page = walk.step("acme", "GET", "/audit?limit=1", &[], None).await.expect(200).body;
    assert!(page["next"].is_string());
    walk.step("dev@acme", "GET", "/audit", &[], None).await.expect(403);
    walk.step("acme", "GET", "/audit?account=globex", &[], None).await.expect(404);
    walk.step("admin", "GET", "/audit?account=globex", &[], None).await.expect(200);
}

async fn access_keys(walk: &mut Walk) {
    let login = json!({"expires_in_seconds": 3600});
    let login = walk.step("dev@acme", "POST", "/logins", &[], Some(login)).await.expect(201).body;
    assert_eq!(
        (&login["username"], &login["expires_at"]),
        (&json!("dev@acme"), &json!("2026-11-24T21:15:00Z"))
    );
    let new = json!({"description": "nightly"});
    let made = walk.step("dev@acme", "POST", "/access-keys", &[], Some(new)).await.expect(201).body;
    assert_eq!((&made["holder"], &made["description"]), (&json!("dev@acme"), &json!("nightly")));
    let key = made["access_key"].as_str().unwrap();
    assert_eq!(made["docker_username"], format!("main@{key}"));
    walk.step("acme", "POST", "/access-keys", &[], Some(json!({}))).await.expect(201);
    for (login, list, count) in [
        ("dev@acme", "/access-keys", 1),
        ("acme", "/access-keys", 1),
        ("acme", "/access-keys?of=dev@acme", 1),
        ("admin", "/access-keys?of=acme", 1),
        ("globex", "/access-keys", 0),
    ] {
        let page = walk.step(login, "GET", list, &[], None).await.expect(200).body;
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{login} {list}");
        for secret in ["secret_key", "docker_password"] {
            assert!(!page.to_string().contains(made[secret].as_str().unwrap()));
        }
    }
    walk.step("dev@acme", "GET", "/access-keys?of=acme", &[], None).await.expect(403);
    walk.step("globex", "GET", "/access-keys?of=acme", &[], None).await.expect(404);
    let one = "/access-keys/{access_key}";
    walk.step("globex", "PATCH", one, &[key], Some(json!({"disabled": true}))).await.expect(404);
    for disabled in [true, false] {
        let change = Some(json!({ "disabled": disabled }));
        let changed = walk.step("acme", "PATCH", one, &[key], change).await.expect(200).body;
        assert_eq!(changed["disabled"], disabled);
    }
    walk.step("globex", "DELETE", one, &[key], None).await.expect(404);
    walk.step("dev@acme", "DELETE", one, &[key], None).await.expect(204);
    walk.step("dev@acme", "DELETE", one, &[key], None).await.expect(404);
}

async fn webhooks(walk: &mut Walk) {
    let new =
        json!({"url": "https://example.com/hook", "events": ["share.ended"], "description": "the pager"});
    let made = walk.step("acme", "POST", "/webhooks", &[], Some(new.clone())).await.expect(201).body;
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"));
    walk.step("dev@acme", "POST", "/webhooks", &[], Some(new)).await.expect(403);
    for url in ["http://127.1/", "http://user@example.com/", "nowhere"] {
        let refused = walk.step("acme", "POST", "/webhooks", &[], Some(json!({ "url": url }))).await;
        assert_eq!(refused.problem(), (400, "invalid", Some("url")), "{url}");
    }
    let page = walk.step("acme", "GET", "/webhooks", &[], None).await.expect(200).body;
    assert_eq!((page["items"].as_array().unwrap().len(), page.to_string().contains(&secret)), (1, false));
    let (hook, id) = ("/webhooks/{webhook}", made["id"].to_string());
    let shown = walk.step("acme", "GET", hook, &[&id], None).await.expect(200).body;
    assert_eq!((&shown["events"], shown.get("secret")), (&json!(["share.ended"]), None));
    walk.step("globex", "GET", hook, &[&id], None).await.expect(404);
    let changed = json!({"events": [], "description": "all of it"});
    let changed = walk.step("acme", "PATCH", hook, &[&id], Some(changed)).await.expect(200).body;
    assert_eq!((&changed["events"], &changed["enabled"]), (&json!([]), &json!(true)));
    let nothing = walk.step("acme", "PATCH", hook, &[&id], Some(json!({}))).await;
    assert_eq!(nothing.problem().1, "nothing_to_change");
    let deliveries = "/webhooks/{webhook}/deliveries";
    let test = walk.step("acme", "POST", deliveries, &[&id], Some(json!({}))).await.expect(201).body;
    assert_eq!(
        (&test["status"], &test["event"]["type"]),
        (&json!("pending"), &json!("dev.gangplank.webhook.test"))
    );
    let again = json!({"delivery": test["id"]});
    walk.step("acme", "POST", deliveries, &[&id], Some(again)).await.expect(201);
    walk.step("acme", "POST", deliveries, &[&id], Some(json!({"delivery": 7}))).await.expect(404);
    let page = walk.step("acme", "GET", deliveries, &[&id], None).await.expect(200).body;
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
    walk.step("acme", "DELETE", hook, &[&id], None).await.expect(204);
    walk.step("acme", "DELETE", hook, &[&id], None).await.expect(404);
}

async fn directory(walk: &mut Walk) {
    let exported = walk.step("admin", "GET", "/directory", &[], None).await.expect(200).body;
    assert_eq!((&exported["region"], &exported["accounts"][0]["name"]), (&json!("main"), &json!("acme")));
    assert!(!exported.to_string().contains("argon2"), "no hash is readable");
    walk.step("acme", "GET", "/directory", &[], None).await.expect(403);
    walk.step("acme", "PUT", "/directory", &[], Some(exported.clone())).await.expect(403);
    walk.step("admin", "PUT", "/directory", &[], Some(exported)).await.expect(400);
    let keys = walk.registry.keys.clone();
    let theirs = json!(crate::tests::directory_of_north(keys, walk.registry.app.clock.now()).await);
    let report =
        walk.step("admin", "PUT", "/directory?gone=deletes", &[], Some(theirs)).await.expect(200).body;
    assert_eq!(report["created"], 0);
}

async fn profiles(walk: &mut Walk) {
    let on = "/accounts/{account}/profile";
    let shown = walk.step("acme", "GET", on, &["acme"], None).await.expect(200).body;
    assert_eq!(shown, json!({"display_name": "", "time_zone": "UTC"}));
    let change = |name: &str, value: &str| Some(json!({name: value}));
    for (name, wrong) in [
        ("display_name", "\u{202e}"),
        ("display_name", " x"),
        ("time_zone", ""),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../etc/passwd"),
    ] {
        let answer = walk.step("acme", "PATCH", on, &["acme"], change(name, wrong)).await.expect(400);
        assert_eq!(answer.body["field"], name, "{wrong}");
    }
    walk.step("dev@acme", "PATCH", on, &["acme"], change("display_name", "x")).await.expect(403);
    walk.step("globex", "GET", on, &["acme"], None).await.expect(404);
    walk.step("globex", "PATCH", on, &["acme"], change("display_name", "x")).await.expect(404);
    let long = "船".repeat(100);
    walk.step("acme", "PATCH", on, &["acme"], change("display_name", &long)).await.expect(200);
    walk.step("acme", "PATCH", on, &["acme"], change("display_name", &format!("{long}x"))).await.expect(400);
    let changed = walk
        .step("admin", "PATCH", on, &["acme"], change("time_zone", "Asia/Shanghai"))
        .await
        .expect(200)
        .body;
    assert_eq!(changed, json!({"display_name": long, "time_zone": "Asia/Shanghai"}));
}

async fn reservations(walk: &mut Walk) {
    for (who, made, made_at, on) in [
        (
            "admin",
            json!({"name": "tyrell", "password": "a good password"}),
            "/accounts",
            "/accounts/{account}",
        ),
        ("acme", json!({"name": "team-z"}), "/namespaces", "/namespaces/{namespace}"),
    ] {
        let name = made["name"].as_str().unwrap().to_owned();
        let freed = format!("{on}/reservation");
        walk.step("admin", "DELETE", &freed, &[&name], None).await.expect(404);
        walk.step(who, "POST", made_at, &[], Some(made.clone())).await.expect(201);
        walk.step("admin", "DELETE", &freed, &[&name], None).await.expect(409);
        walk.step(who, "DELETE", on, &[&name], None).await.expect(204);
        let other = if who == "acme" { "globex" } else { "admin" };
        walk.step(other, "POST", made_at, &[], Some(made.clone())).await.expect(409);
        walk.step("globex", "DELETE", &freed, &[&name], None).await.expect(403);
        walk.step("admin", "DELETE", &freed, &[&name], None).await.expect(204);
        walk.step(other, "POST", made_at, &[], Some(made)).await.expect(201);
    }
}

async fn removals(walk: &mut Walk) {
    let on_namespace = "/namespaces/{namespace}/permissions/{user}";
    walk.step("acme", "DELETE", on_namespace, &["team-b", "dev"], None).await.expect(204);
    walk.step("acme", "DELETE", on_namespace, &["team-b", "dev"], None).await.expect(404);
    walk.step("dev@acme", "DELETE", "/repositories/{repository}", &["team-a/web"], None).await.expect(403);
    let tag = "/repositories/{repository}/tags/{tag}";
    walk.step("dev@acme", "DELETE", tag, &["team-a/web", "v1"], None).await.expect(204);
    walk.step("dev@acme", "DELETE", tag, &["team-a/web", "v1"], None).await.expect(404);
    let on_repository = "/repositories/{repository}/permissions/{user}";
    walk.step("acme", "DELETE", on_repository, &["team-a/web", "dev"], None).await.expect(204);
    walk.step("dev@acme", "DELETE", tag, &["team-a/web", "v2"], None).await.expect(404);
    walk.step("acme", "DELETE", "/namespaces/{namespace}", &["team-b"], None).await.expect(409);
    walk.step("acme", "DELETE", "/repositories/{repository}", &["team-b/api"], None).await.expect(204);
    walk.step("acme", "DELETE", "/namespaces/{namespace}", &["team-b"], None).await.expect(204);
    walk.step("acme", "DELETE", "/accounts/{account}/users/{user}", &["acme", "ci"], None).await.expect(204);
    walk.step("admin", "DELETE", "/accounts/{account}", &["acme"], None).await.expect(409);
    walk.step("admin", "DELETE", "/accounts/{account}", &["initech"], None).await.expect(204);
}
