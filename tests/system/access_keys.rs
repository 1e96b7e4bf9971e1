//! Access keys and temporary logins, as a real docker engine and the command line use them.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tests::{Cli, Docker, Image, Person, ServerProcess};

/// What docker says when the registry does not know who it is.
const UNKNOWN: &[&str] = &["unauthorized", "denied"];

/// A pair, made with the command line.
struct Pair {
    access_key: String,
    secret_key: String,
}

impl Pair {
    async fn of(cli: &Cli) -> Pair {
        let made = json_of(cli, "access-key create --json").await;
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        Pair { access_key: text("access_key"), secret_key: text("secret_key") }
    }

    /// What a machine derives from it: the HMAC-SHA256 of the access key under the secret key, by its definition (RFC 2104).
    fn password(&self) -> String {
        let mut key = [0_u8; 64];
        key[..self.secret_key.len()].copy_from_slice(self.secret_key.as_bytes());
        let inner = Sha256::digest([key.map(|b| b ^ 0x36).as_slice(), self.access_key.as_bytes()].concat());
        let outer = Sha256::digest([key.map(|b| b ^ 0x5c).as_slice(), &inner].concat());
        outer.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn login(&self, region: &str) -> String {
        format!("{region}@{}", self.access_key)
    }
}

async fn json_of(cli: &Cli, line: &str) -> Value {
    serde_json::from_str(&cli.types(line).await.output()).expect("JSON")
}

/// A server, and acme with the namespace `team-a`.
async fn stage() -> (ServerProcess, Person, Cli) {
    let server = ServerProcess::start().await;
    let acme = server.owner("acme", "team-a").await;
    let cli = Cli::of(&acme, &server).await;
    (server, acme, cli)
}

#[tokio::test]
async fn docker_signs_in_for_good_with_an_access_key_until_it_is_disabled() {
    let (server, _acme, cli) = stage().await;
    let pair = Pair::of(&cli).await;
    let (login, password, host) = (pair.login("local"), pair.password(), server.host());
    let docker = Docker::new();
    docker.signs_in(&login, &pair.secret_key, &host).await.fails_saying(UNKNOWN);
    docker
        .signs_in(&pair.login("north"), &password, &host)
        .await
        .fails_saying(&["this server's region is local"]);
    docker.signs_in(&login, &password, &host).await.succeeds();
    let image = format!("{host}/team-a/web:1");
    docker.builds(&image, &[("one", b"by an access key\n")]).await;
    docker.pushes(&image).await.succeeds();
    docker.pulls(&image).await.succeeds();
    assert_eq!(docker.output_of(&image).await, "by an access key");

    cli.types(&format!("access-key disable {}", pair.access_key)).await.succeeds();
    docker.pulls(&image).await.fails_saying(UNKNOWN);
    docker.signs_in(&login, &password, &host).await.fails_saying(UNKNOWN);
    cli.types(&format!("access-key enable {}", pair.access_key)).await.succeeds();
    docker.pulls(&image).await.succeeds();
    cli.types(&format!("access-key delete {} --yes", pair.access_key)).await.succeeds();
    docker.pulls(&image).await.fails_saying(UNKNOWN);
}

#[tokio::test]
async fn docker_signs_in_for_a_while_with_a_temporary_login_that_ends() {
    let (server, acme, cli) = stage().await;
    acme.pushes("team-a/web", "1", &Image::of(vec![tests::Blob::archive(b"a layer").await])).await;
    let host = server.host();
    let line = cli.types("docker-login --duration 15m").await.output();
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(words[..5], ["docker", "login", &host, "--username", "acme"], "{line}");
    let docker = Docker::new();
    docker.runs(&words[1..]).await.succeeds();
    let image = format!("{host}/team-a/web:1");
    docker.runs(&["manifest", "inspect", "--insecure", &image]).await;
    let temporary = server.person("acme", words[6]);
    temporary.tries_to_pull("team-a/web", "1").await.expect(200);
    temporary.post("/api/v1/namespaces").json(&json!({"name": "team-b"})).send().await.expect(403);

    // It is a personal token, and ends as one.
    let listed = json_of(&cli, "token list --json").await;
    let tokens = listed.as_array().expect("a list");
    let login = tokens.iter().find(|token| token["description"] == "docker login").expect("the login");
    cli.types(&format!("token revoke {}", login["id"])).await.succeeds();
    temporary.tries_to_pull("team-a/web", "1").await.expect(401);
    docker.signs_in("acme", words[6], &host).await.fails_saying(UNKNOWN);
    cli.types("docker-login --duration 10m").await.fails_saying(&["900 to 86400"]);
}

#[tokio::test]
async fn whatever_was_issued_for_an_access_key_ends_with_it_on_the_next_request() {
    let (server, acme, cli) = stage().await;
    acme.pushes("team-a/web", "1", &Image::small()).await;
    let pair = Pair::of(&cli).await;
    let by_key = server.person(&pair.login("local"), &pair.password());
    let token = by_key.token(&["repository:team-a/web:pull"]).await;
    let refresh = by_key.refresh_token().await;
    let login =
        by_key.post("/api/v1/logins").json(&json!({"expires_in_seconds": 900})).send().await.expect(201);
    let temporary = server.person("acme", login.json()["secret"].as_str().expect("a secret"));
    let of_temporary = temporary.token(&["repository:team-a/web:pull"]).await;
    let statuses = async || {
        let by_token = by_key.get("/v2/team-a/web/manifests/1").bearer(&token).send().await.status;
        let by_theirs = by_key.get("/v2/team-a/web/manifests/1").bearer(&of_temporary).send().await.status;
        let basic = by_key.tries_to_pull("team-a/web", "1").await.status;
        let refreshed = by_key.refreshes(&refresh, "repository:team-a/web:pull").await.status;
        [basic, by_token, refreshed, temporary.tries_to_pull("team-a/web", "1").await.status, by_theirs]
    };
    assert_eq!(statuses().await, [200; 5]);
    cli.types(&format!("access-key disable {}", pair.access_key)).await.succeeds();
    assert_eq!(statuses().await, [401; 5]);
}

#[tokio::test]
async fn an_access_key_survives_a_restart_and_its_secret_lies_nowhere_readable() {
    let (mut server, _acme, cli) = stage().await;
    let pair = Pair::of(&cli).await;
    server.kill_and_restart().await;
    server.person(&pair.login("local"), &pair.password()).get("/v2/").send().await.expect(200);
    let mut folders = vec![server.data()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = std::fs::read(&path).unwrap_or_default();
            let found = bytes.windows(pair.secret_key.len()).any(|part| part == pair.secret_key.as_bytes());
            assert!(!found, "{}", path.display());
            files += 1;
        }
    }
    assert!(files > 5, "only {files} files");
    assert!(!server.log().contains(&pair.secret_key));
}
