//! The whole story, by the SDK and docker: organization, image, push, shares, both lists, logins.

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::{Docker, TestServer, in_seconds};

use super::sdk::Sdk;
use super::table;

/// What docker says when the registry does not let it.
const REFUSED: &[&str] = &["denied", "unauthorized", "not found", "no such", "name unknown"];
const HOUR: i64 = 3_600;

/// A server whose clock the test sets, near ours, by which the SDK signs; acme with its users dev and ops; and the
/// accounts globex, initech and hooli, which own nothing.
struct Stage {
    server: TestServer,
    sdk: Sdk,
    region: String,
    users: Value,
    /// How far the server's clock is ahead of ours, in seconds.
    ahead: i64,
}

impl Stage {
    async fn set() -> Stage {
        // 600 accounts are made on the way; what a password's hash costs is not what is tried here.
        let server = TestServer::start_with(|config| {
            config.auth.password_memory_kib = 8 << 10;
            config.auth.password_passes = 1;
        })
        .await;
        server.clock().set(in_seconds(0));
        let acme = server.account("acme").await;
        let (dev, _ops) = (acme.creates_user("dev").await, acme.creates_user("ops").await);
        let (globex, initech) = (server.account("globex").await, server.account("initech").await);
        server.account("hooli").await;
        let sdk = Sdk::of(&[&acme, &dev, &globex, &initech], &server).await;
        let found = acme.get("/api/v1/accounts/acme/users").send().await.expect(200).json();
        let mut users = json!({});
        for user in found["items"].as_array().expect("users") {
            users[user["name"].as_str().expect("a name")] = json!(user["id"].to_string());
        }
        let region = acme.get("/api/v1/whoami").send().await.expect(200).json()["region"].clone();
        let region = region.as_str().expect("a region").to_owned();
        Stage { server, sdk, region, users, ahead: 0 }
    }

    async fn plays(&self, part: &str) -> String {
        self.plays_with(part, json!({})).await
    }

    /// Runs a part of the story, with the server's clock set and standing.
    async fn plays_with(&self, part: &str, more: Value) -> String {
        let now: Timestamp = in_seconds(self.ahead);
        self.server.clock().set(now);
        let mut setup = json!({"region": self.region, "users": self.users, "now": now});
        for (name, value) in more.as_object().expect("an object") {
            setup[name] = value.clone();
        }
        self.sdk.plays(part, &setup).await
    }

    async fn docker(&self, login: &Value) -> Docker {
        let docker = Docker::new();
        let word = |at: usize| login[at].as_str().expect("a word");
        docker.signs_in(word(0), word(1), &self.server.host()).await.succeeds();
        docker
    }

    fn image(&self) -> String {
        format!("{}/team-a/web:v1", self.server.host())
    }
}

#[tokio::test]
async fn the_unmodified_sdk_of_the_swr_management_api_runs_the_whole_story() {
    let mut stage = Stage::set().await;
    stage.plays("organizations").await;
    stage.plays("repositories").await;

    let printed = stage.plays("long_term_login").await;
    let logins: Value = serde_json::from_str(&printed).expect("logins");
    let (acme, globex) = (stage.docker(&logins["acme"]).await, stage.docker(&logins["globex"]).await);
    let image = stage.image();
    acme.builds(&image, &[("file", b"a layer")]).await;
    acme.pushes(&image).await.succeeds();
    let digest = acme.digest_of(&image).await;
    stage.plays_with("tags", json!({"digest": digest})).await;

    globex.pulls(&image).await.fails_saying(REFUSED);
    stage.plays("shares").await;
    globex.pulls(&image).await.succeeds();
    assert_eq!(globex.digest_of(&image).await, digest);
    stage.docker(&logins["initech"]).await.pulls(&image).await.fails_saying(REFUSED);

    stage.plays("signatures").await;
    let (soon, later) = (in_seconds(60), in_seconds(HOUR));
    stage.plays_with("shared_images", json!({"soon": soon, "later": later})).await;
    stage.ahead = 120;
    stage.plays("lists").await;

    a_temporary_login_that_docker_accepts_ends(&stage).await;

    for number in 0..600 {
        stage.server.account(&format!("sharee-{number}")).await;
    }
    stage.plays("many").await;

    stage.ahead = 16 * 60;
    stage.plays("skewed_clock").await;
    table::holds_against(&stage.sdk.calls());
}

async fn a_temporary_login_that_docker_accepts_ends(stage: &Stage) {
    let printed = stage.plays("temporary_login").await;
    let login: Value = serde_json::from_str(&printed).expect("a login");
    let ends = |name: &str| login[name].as_str().and_then(|end| end.parse().ok()).expect("an instant");
    let (docker, image) = (stage.docker(&json!([login["login"], login["password"]])).await, stage.image());
    docker.pulls(&image).await.succeeds();
    let short = login["short_password"].as_str().expect("a password");
    let short = stage.server.person(login["login"].as_str().expect("a name"), short);
    short.get("/v2/").send().await.expect(200);

    let made = stage.server.in_seconds(0);
    assert_eq!(ends("short_ends"), stage.server.in_seconds(900));
    assert_eq!(ends("ends"), stage.server.in_seconds(24 * HOUR));
    stage.server.clock().set(ends("short_ends"));
    short.get("/v2/").send().await.expect(401);
    docker.pulls(&image).await.succeeds();
    stage.server.clock().set(ends("ends"));
    docker.pulls(&image).await.fails_saying(REFUSED);
    stage.server.clock().set(made);
}
