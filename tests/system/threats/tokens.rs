//! Credentials: what is forged, stale, or meant for somebody else.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use tests::{Cli, Image, Person, TestServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

async fn stage() -> (TestServer, Person, Image, String) {
    let server = TestServer::start().await;
    let acme = server.owner("acme", "team-a").await;
    let image = Image::small();
    acme.pushes("team-a/web", "1", &image).await;
    let token = acme.token(&["repository:team-a/web:pull"]).await;
    pull_by(&acme, &token).await.expect(200);
    (server, acme, image, token)
}

async fn pull_by(person: &Person, token: &str) -> tests::Answer {
    person.get("/v2/team-a/web/manifests/1").bearer(token).send().await
}

fn part(token: &str, number: usize) -> Value {
    let part = token.split('.').nth(number).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn signed(header: &Header, claims: &Value, key: &EncodingKey) -> String {
    jsonwebtoken::encode(header, claims, key).expect("a token")
}

#[tokio::test]
async fn cve_2025_24976_a_tokens_own_header_is_not_trusted() {
    let (_server, acme, _, token) = stage().await;
    let (header, claims) = (part(&token, 0), part(&token, 1));
    let kid = header["kid"].as_str().expect("a key's name").to_owned();
    let jwks = acme.get("/auth/jwks.json").send().await.expect(200);
    // The forger has a registry of their own, and its key.
    let forger = TestServer::start().await;
    let foreign = EncodingKey::from_ec_pem(forger.signing_key().as_bytes()).expect("a key");
    let foreign_jwk =
        forger.stranger().get("/auth/jwks.json").send().await.expect(200).json()["keys"][0].clone();
    let parts: Vec<&str> = token.split('.').collect();
    let mut forged = Vec::new();

    // No signature, in every spelling.
    for algorithm in ["none", "None", "NONE", ""] {
        let header = encoded(&json!({ "alg": algorithm, "typ": "JWT", "kid": kid }));
        forged.push(format!("{header}.{}.", parts[1]));
        forged.push(format!("{header}.{}.{}", parts[1], parts[2]));
    }
    // Signed with what is public, as if it were a secret.
    let mut symmetric = Header::new(Algorithm::HS256);
    symmetric.kid = Some(kid.clone());
    let key = &jwks.json()["keys"][0];
    let coordinates = ["x", "y"].map(|name| key[name].as_str().unwrap_or_default().to_owned());
    let secrets =
        [jwks.body.to_vec(), key.to_string().into_bytes(), coordinates.concat().into_bytes(), Vec::new()];
    for secret in &secrets {
        forged.push(signed(&symmetric, &claims, &EncodingKey::from_secret(secret)));
    }
    // Signed with a key of the forger's, under our key's name, another name, and none.
    for name in [Some(kid.as_str()), Some("another"), Some("../../keys/signing"), Some("' OR 1=1 --"), None] {
        let mut own = Header::new(Algorithm::ES256);
        own.kid = name.map(str::to_owned);
        forged.push(signed(&own, &claims, &foreign));
    }
    // ... and brought along.
    let mut brought = Header::new(Algorithm::ES256);
    brought.kid = Some(kid.clone());
    brought.jwk = Some(serde_json::from_value(foreign_jwk).expect("a key"));
    brought.jku = Some("http://127.0.0.1:1/jwks.json".to_owned());
    forged.push(signed(&brought, &claims, &foreign));
    // A good signature under other claims.
    let mut more = claims.clone();
    more["exp"] = json!(9_999_999_999_u64);
    forged.push(format!("{}.{}.{}", parts[0], encoded(&more), parts[2]));
    // A good signature, cut and flipped.
    forged.push(format!("{}.{}", parts[0], parts[1]));
    forged.push(token[..token.len() - 4].to_owned());
    forged.push(format!("{token}."));

    for token in &forged {
        let answer = pull_by(&acme, token).await.expect(401);
        assert!(answer.header("www-authenticate").starts_with("Bearer "), "{answer:?}");
        acme.get("/v2/").bearer(token).send().await.expect(401);
        acme.get("/api/v1/whoami").bearer(token).send().await.expect(401);
    }
    pull_by(&acme, &token).await.expect(200);
}

#[tokio::test]
async fn cve_2026_33540_the_command_line_takes_no_credentials_to_another_host() {
    let thief = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let away = format!("http://localhost:{}/", thief.local_addr().expect("its address").port());
    let door = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = door.local_addr().expect("its address");
    // A server that sends everybody elsewhere, and names a realm elsewhere.
    tokio::spawn(async move {
        for status in ["307 Temporary Redirect", "401 Unauthorized"].into_iter().cycle() {
            let Ok((mut connection, _)) = door.accept().await else { return };
            let mut request = vec![0; 4096];
            let _ = connection.read(&mut request).await;
            let answer = format!(
                "HTTP/1.1 {status}\r\nLocation: {away}\r\nWWW-Authenticate: Bearer realm=\"{away}\"\r\n\
                 Content-Length: 0\r\nConnection: close\r\n\r\n"
            );
            let _ = connection.write_all(answer.as_bytes()).await;
        }
    });
    let cli = Cli::new();
    for _ in 0..2 {
        let line = format!("login http://{address} --username acme --password-stdin");
        let ran = cli.types_with(&line, "a secret of mine").await;
        assert_ne!(ran.code, 0, "{ran}");
    }
    let visit = tokio::time::timeout(std::time::Duration::from_millis(500), thief.accept()).await;
    assert!(visit.is_err(), "the command line went where it was sent");
}

#[tokio::test]
async fn cve_2026_4404_there_is_no_default_administrator_password() {
    let first = TestServer::start_without_password().await;
    let second = TestServer::start_without_password().await;
    let (one, other) = (first.first_password(), second.first_password());
    assert_ne!(one, other, "the same password on two servers");
    assert!(one.len() >= 16, "a password that can be guessed");
    for guess in ["", "admin", "password", "gangplank", "Harbor12345", "changeme", "admin123", other.as_str()]
    {
        let guesser = first.person("admin", guess);
        guesser.get("/api/v1/whoami").send().await.expect(401);
        guesser.get("/v2/").send().await.expect(401);
        guesser.get("/auth/token").send().await.expect(401);
        // Ten wrong ones within a minute, and the rest of it would go unanswered.
        first.clock().pass(60);
    }
    first.person("admin", &one).get("/api/v1/whoami").send().await.expect(200);
}

#[tokio::test]
async fn harbor_89e1c4b_an_old_token_does_not_work_for_a_repository_made_anew() {
    let (server, acme, image, token) = stage().await;
    let globex = server.account("globex").await;
    acme.shares_for_good("team-a/web", "globex").await;
    let theirs = globex.token(&["repository:team-a/web:pull"]).await;
    pull_by(&globex, &theirs).await.expect(200);

    acme.deletes_repository("team-a/web").await;
    pull_by(&acme, &token).await.expect_any(&[401, 404]);
    acme.pushes("team-a/web", "1", &image).await;

    pull_by(&acme, &token).await.expect(401);
    pull_by(&globex, &theirs).await.expect_any(&[401, 404]);
    globex.tries_to_pull("team-a/web", "1").await.expect(404);
    acme.pulls("team-a/web", "1", &image).await;
}

#[tokio::test]
async fn an_old_token_does_not_work_for_a_user_made_anew() {
    let (_server, acme, ..) = stage().await;
    let dev = acme.creates_user("dev").await;
    acme.permits("dev", "read", "team-a/web").await;
    let token = dev.token(&["repository:team-a/web:pull"]).await;
    let personal = dev.creates_token(3600, None).await;
    pull_by(&dev, &token).await.expect(200);

    acme.delete("/api/v1/accounts/acme/users/dev").send().await.expect(204);
    pull_by(&dev, &token).await.expect(401);
    // A name is reserved after its owner is gone; where it may be made anew, it is somebody else.
    let body = json!({ "name": "dev", "password": dev.password() });
    let again = acme.post("/api/v1/accounts/acme/users").json(&body).send().await;
    if again.expect_any(&[201, 409, 422]).status == 201 {
        acme.permits("dev", "read", "team-a/web").await;
    }
    pull_by(&dev, &token).await.expect(401);
    dev.as_other(dev.login(), &personal).get("/api/v1/whoami").send().await.expect(401);
}

#[tokio::test]
async fn a_disabled_users_and_a_changed_passwords_tokens_stop_working() {
    let (_server, acme, ..) = stage().await;
    for change in [json!({ "disabled": true }), json!({ "password": "another-password" })] {
        let name = if change["disabled"].is_null() { "changed" } else { "disabled" };
        let dev = acme.creates_user(name).await;
        acme.permits(name, "read", "team-a/web").await;
        let token = dev.token(&["repository:team-a/web:pull"]).await;
        let refresh = dev.refresh_token().await;
        let personal = dev.as_other(dev.login(), &dev.creates_token(3600, None).await);
        pull_by(&dev, &token).await.expect(200);
        personal.tries_to_pull("team-a/web", "1").await.expect(200);

        acme.patch(&format!("/api/v1/accounts/acme/users/{name}")).json(&change).send().await.expect(200);

        pull_by(&dev, &token).await.expect(401);
        dev.tries_to_pull("team-a/web", "1").await.expect(401);
        personal.tries_to_pull("team-a/web", "1").await.expect(401);
        personal.get("/api/v1/whoami").send().await.expect(401);
        dev.refreshes(&refresh, "repository:team-a/web:pull").await.expect(401);
    }
}

#[tokio::test]
async fn artifact_keeper_504_a_personal_tokens_scope_holds_on_every_way_in() {
    let (_server, acme, image, _) = stage().await;
    acme.pushes("team-a/other", "1", &image).await;
    let secret = acme.creates_token(3600, Some(&["repository:team-a/web:pull"])).await;
    let narrow = acme.as_other("acme", &secret);

    // Basic straight on /v2/.
    narrow.tries_to_pull("team-a/web", "1").await.expect(200);
    narrow.tries_to_pull("team-a/other", "1").await.expect_any(&[401, 403, 404]);
    narrow.puts_manifest("team-a/web", "2", &image).await.expect_any(&[401, 403]);
    narrow.delete("/v2/team-a/web/manifests/1").send().await.expect_any(&[401, 403]);

    // Exchanged for a registry token, and through a refresh token.
    let wanted = "repository:team-a/web:pull,push,delete";
    let mut tokens = vec![narrow.token(&[wanted, "repository:team-a/other:pull"]).await];
    let refresh = narrow.refresh_token().await;
    for scope in [wanted, "repository:team-a/other:pull,push"] {
        let answer = narrow.refreshes(&refresh, scope).await.expect(200);
        tokens.push(answer.json()["access_token"].as_str().expect("a token").to_owned());
    }
    for token in &tokens {
        acme.get("/v2/team-a/other/manifests/1").bearer(token).send().await.expect_any(&[401, 403, 404]);
        let put =
            acme.put("/v2/team-a/web/manifests/2").bearer(token).header("content-type", &image.media_type);
        put.body(image.manifest.clone()).send().await.expect_any(&[401, 403]);
        acme.delete("/v2/team-a/web/manifests/1").bearer(token).send().await.expect_any(&[401, 403]);
    }
    pull_by(&acme, &tokens[0]).await.expect(200);

    // On the management API: it makes no token, and manages nothing.
    narrow.post("/api/v1/tokens").json(&json!({ "expires_in_seconds": 60 })).send().await.expect(403);
    narrow.tries_to_share("team-a/web", &json!({ "account": "admin", "permanent": true })).await.expect(403);
    narrow.post("/api/v1/namespaces").json(&json!({ "name": "team-b" })).send().await.expect(403);
    acme.pulls("team-a/web", "1", &image).await;
}

#[tokio::test]
async fn artifact_keeper_522_a_token_used_again_and_again_ends_with_its_expiry_and_its_share() {
    let (server, acme, ..) = stage().await;
    let globex = server.account("globex").await;
    acme.shares_for_good("team-a/web", "globex").await;
    let token = globex.token(&["repository:team-a/web:pull"]).await;
    for _ in 0..20 {
        pull_by(&globex, &token).await.expect(200);
    }
    acme.revokes("team-a/web", "globex").await;
    pull_by(&globex, &token).await.expect(404);

    acme.shares_for_good("team-a/web", "globex").await;
    let answer = globex.get("/auth/token?scope=repository:team-a/web:pull").send().await.expect(200).json();
    let (token, life) =
        (answer["token"].as_str().expect("a token"), answer["expires_in"].as_i64().expect("a life"));
    for second in [0, life - 1] {
        server.clock().pass(second);
        pull_by(&globex, token).await.expect(200);
    }
    server.clock().pass(1);
    let answer = pull_by(&globex, token).await.expect(401);
    assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""), "{answer:?}");
}

#[tokio::test]
async fn a_personal_token_ends_at_its_end_and_when_it_is_revoked() {
    let (server, acme, ..) = stage().await;
    let by = |secret: &str| acme.as_other("acme", secret);
    let short = by(&acme.creates_token(60, None).await);
    short.tries_to_pull("team-a/web", "1").await.expect(200);
    server.clock().pass(60);
    short.tries_to_pull("team-a/web", "1").await.expect(401);
    short.get("/api/v1/whoami").send().await.expect(401);

    let body = json!({ "expires_in_seconds": 3600 });
    let made = acme.post("/api/v1/tokens").json(&body).send().await.expect(201).json();
    let token = by(made["secret"].as_str().expect("a secret"));
    token.tries_to_pull("team-a/web", "1").await.expect(200);
    acme.delete(&format!("/api/v1/tokens/{}", made["id"])).send().await.expect(204);
    token.tries_to_pull("team-a/web", "1").await.expect(401);
}
