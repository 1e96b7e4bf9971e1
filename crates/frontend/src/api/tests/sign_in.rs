//! Who is let in, and what who is not is told.

use jiff::SignedDuration;
use serde_json::json;

use super::registry::{PASSWORD, Registry, basic};

/// A well-formed ES256 token with a signature of zeros.
const JWT: &str = "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6IngifQ.eyJzdWIiOiJhY21lIiwiZXhwIjo0MTAyNDQ0ODAwfQ.\
                   AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[tokio::test]
async fn nobody_and_strangers_are_turned_away() {
    let registry = Registry::furnished().await;
    let bearer = format!("Bearer {JWT}");
    for authorization in [
        None,
        Some(basic("acme", "wrong")),
        Some(basic("nobody", PASSWORD)),
        Some(basic("nobody@acme", PASSWORD)),
        Some(basic("", "")),
        Some(basic("acme", JWT)),
        Some("Basic !".to_owned()),
        Some("Digest username=acme".to_owned()),
        Some(bearer),
        Some("Bearer gp_pat_none".to_owned()),
        Some(format!("Bearer {PASSWORD}")),
    ] {
        let answer = registry.send_raw(authorization.as_deref(), "GET", "/whoami", None).await;
        assert_eq!(answer.problem(), (401, "unauthenticated", None), "{authorization:?}");
        assert_eq!(answer.headers["www-authenticate"], "Basic realm=\"gangplank\"");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}

/// Signing in comes before the path's names, the query and the body.
#[tokio::test]
async fn nothing_is_looked_at_before_the_sign_in() {
    let registry = Registry::furnished().await;
    let huge = vec![b'x'; 1 << 20];
    for (method, path) in [
        ("POST", "/repositories/team-a%2Fweb/shares"),
        ("POST", "/repositories/NO%20NAME/shares"),
        ("GET", "/accounts?limit=none"),
    ] {
        let answer = registry.send_raw(None, method, path, Some(("text/plain", huge.clone()))).await;
        assert_eq!(answer.problem(), (401, "unauthenticated", None), "{method} {path}");
    }
}

#[tokio::test]
async fn a_registry_token_does_not_open_the_management_interface() {
    let registry = Registry::furnished().await;
    let now = registry.app.clock.now();
    let acme = registry.app.auth.authenticate("acme", &auth::Secret::new(PASSWORD), None, now).await.unwrap();
    let token = registry.app.auth.issue_access_token(&acme, &[], now).await.unwrap().token;
    let refresh = registry.app.auth.issue_refresh_token(&acme, now).await.unwrap();
    for token in [token, refresh] {
        let bearer = format!("Bearer {}", token.reveal());
        let answer = registry.send_raw(Some(&bearer), "GET", "/whoami", None).await;
        assert_eq!(answer.problem(), (401, "unauthenticated", None));
    }
}

#[tokio::test]
async fn a_personal_token_opens_it_both_ways_until_its_end() {
    let registry = Registry::furnished().await;
    let made = registry.send("dev@acme", "POST", "/tokens", Some(json!({"expires_in_seconds": 60}))).await;
    let secret = made.expect(201).body["secret"].as_str().unwrap().to_owned();
    let ways = [basic("dev@acme", &secret), format!("Bearer {secret}")];
    for authorization in &ways {
        let answer = registry.send_raw(Some(authorization), "GET", "/whoami", None).await.expect(200);
        assert_eq!(answer.body["name"], "dev@acme");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    let strangers = basic("acme", &secret);
    registry.send_raw(Some(&strangers), "GET", "/whoami", None).await.expect(401);
    registry.advance(SignedDuration::from_secs(60));
    for authorization in &ways {
        registry.send_raw(Some(authorization), "GET", "/whoami", None).await.expect(401);
    }
}

#[tokio::test]
async fn a_new_password_shuts_the_old_one_out() {
    let registry = Registry::furnished().await;
    let change = |current: &str| json!({"password": "another good password", "current_password": current});
    let wrong = registry.send("acme", "PATCH", "/accounts/acme", Some(change("wrong"))).await;
    assert_eq!(wrong.problem(), (422, "wrong_password", Some("current_password")));
    registry.send("acme", "PATCH", "/accounts/acme", Some(change(PASSWORD))).await.expect(200);
    registry.send("acme", "GET", "/whoami", None).await.expect(401);
    let new = basic("acme", "another good password");
    registry.send_raw(Some(&new), "GET", "/whoami", None).await.expect(200);
}

#[tokio::test]
async fn an_access_key_opens_it_and_makes_a_temporary_login() {
    let registry = Registry::furnished().await;
    let made = registry.send("dev@acme", "POST", "/access-keys", Some(json!({}))).await.expect(201).body;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let (username, password) = (text("docker_username"), text("docker_password"));
    let by_key = basic(&username, &password);
    let who = registry.send_raw(Some(&by_key), "GET", "/whoami", None).await.expect(200);
    assert_eq!(who.body["name"], "dev@acme");
    let body = || Some(("application/json", json!({"expires_in_seconds": 900}).to_string().into_bytes()));
    let login = registry.send_raw(Some(&by_key), "POST", "/logins", body()).await.expect(201).body;
    let by_login = basic("dev@acme", login["secret"].as_str().unwrap());
    let who = registry.send_raw(Some(&by_login), "GET", "/whoami", None).await.expect(200);
    assert_eq!(who.body["administrator"], false);
    let more = registry.send_raw(Some(&by_login), "POST", "/logins", body()).await;
    assert_eq!(more.problem(), (403, "forbidden", None));
    for wrong in [
        basic(&username, &text("secret_key")),
        basic(&username, PASSWORD),
        basic(&text("access_key"), &password),
        format!("Bearer {password}"),
        format!("Bearer {}", text("secret_key")),
    ] {
        let answer = registry.send_raw(Some(&wrong), "GET", "/whoami", None).await;
        assert_eq!(answer.problem(), (401, "unauthenticated", None), "{wrong}");
    }
    let elsewhere = basic(&username.replace("main@", "north@"), &password);
    let answer = registry.send_raw(Some(&elsewhere), "GET", "/whoami", None).await.expect(401);
    assert!(answer.body["detail"].as_str().unwrap().contains("this server's is main"), "{}", answer.body);

    let path = format!("/access-keys/{}", text("access_key"));
    registry.send("acme", "PATCH", &path, Some(json!({"disabled": true}))).await.expect(200);
    for closed in [&by_key, &by_login] {
        registry.send_raw(Some(closed), "GET", "/whoami", None).await.expect(401);
    }
}
