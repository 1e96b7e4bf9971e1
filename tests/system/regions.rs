//! Two servers with two region names, and accounts that both have.

use serde_json::{Value, json};
use tests::{Cli, Docker, Image, Person, ServerProcess};

const REGION: &str = "GANGPLANK_SERVER__REGION";

/// Two regions. The south has the keys of the north: what is signed and sealed there, it can read.
struct Regions {
    north: ServerProcess,
    south: ServerProcess,
    acme: Person,
    folder: tempfile::TempDir,
}

impl Regions {
    /// acme with its namespace `team-n` is at home in the north, and so are its user dev and globex.
    async fn set() -> Regions {
        let north = ServerProcess::start_with(&[(REGION, "north")]).await;
        let mut south = ServerProcess::start_with(&[(REGION, "south")]).await;
        for entry in std::fs::read_dir(north.data().join("keys")).expect("a folder of keys") {
            let file = entry.expect("an entry").path();
            let copy = south.data().join("keys").join(file.file_name().expect("a name"));
            std::fs::copy(&file, copy).expect("a copy of a key");
        }
        south.kill_and_restart().await;
        let acme = north.owner("acme", "team-n").await;
        acme.creates_user("dev").await;
        north.account("globex").await;
        Regions { north, south, acme, folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Exports the north's accounts and imports them in the south, with the lines that a person types.
    async fn follow(&self, file: &str, arguments: &str) -> Value {
        let path = self.folder.path().join(file);
        let path = path.to_str().expect("a path in UTF-8");
        let north = Cli::of(&self.north.admin(), &self.north).await;
        north.types(&format!("account export {path}")).await.succeeds();
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).expect("a file").permissions());
        assert_eq!(mode & 0o777, 0o600);
        let south = Cli::of(&self.south.admin(), &self.south).await;
        let line = format!("account import {path} --json {arguments}");
        serde_json::from_str(&south.types(&line).await.output()).expect("JSON")
    }

    /// The same person at the other region's server.
    fn in_the_south(&self, person: &Person) -> Person {
        self.south.person(person.login(), person.password())
    }
}

#[tokio::test]
async fn an_account_owns_images_in_both_regions_and_shares_each_where_it_lies() {
    let regions = Regions::set().await;
    let report = regions.follow("1.json", "").await;
    assert_eq!((&report["created"], &report["conflicts"]), (&json!(2), &json!([])), "{report}");
    let (acme, image) = (regions.in_the_south(&regions.acme), Image::small());
    acme.creates_namespace("team-s").await;
    acme.pushes("team-s/web", "1", &image).await;
    regions.acme.pushes("team-n/web", "1", &image).await;
    acme.shares_for_good("team-s/web", "globex").await;
    let globex = regions.south.person("globex", "password-of-globex");
    globex.pulls("team-s/web", "1", &image).await;
    regions.north.person("globex", "password-of-globex").tries_to_pull("team-s/web", "1").await.expect(404);

    // The other region's images are not shared here, and are told so.
    for (owner, repository, other) in [(&acme, "team-s/web", "north"), (&regions.acme, "team-n/web", "south")]
    {
        let share = json!({"account": "initech", "permanent": true, "region": other});
        let refused = owner.tries_to_share(repository, &share).await.expect(422).json();
        assert_eq!((&refused["code"], &refused["field"]), (&json!("other_region"), &json!("region")));
    }
    let owner = Cli::of(&acme, &regions.south).await;
    let line = "share add team-s/web --to globex --permanent --region north";
    owner.types(line).await.fails_saying(&["within a region only"]);
}

#[tokio::test]
async fn a_token_of_one_region_opens_nothing_in_the_other_with_the_same_keys() {
    let regions = Regions::set().await;
    regions.follow("1.json", "").await;
    let (south, image) = (regions.in_the_south(&regions.acme), Image::small());
    // The same names in both, so that a token names what is there.
    south.creates_namespace("team-n").await;
    for acme in [&regions.acme, &south] {
        acme.pushes("team-n/web", "1", &image).await;
    }
    let path = "/v2/team-n/web/manifests/1";
    for (here, there) in [(&regions.acme, &south), (&south, &regions.acme)] {
        let token = here.token(&["repository:team-n/web:pull"]).await;
        here.get(path).bearer(&token).send().await.expect(200);
        there.get(path).bearer(&token).send().await.expect(401);
        let refresh = here.refresh_token().await;
        here.refreshes(&refresh, "repository:team-n/web:pull").await.expect(200);
        there.refreshes(&refresh, "repository:team-n/web:pull").await.expect(401);
        let personal = here.creates_token(600, None).await;
        let login =
            here.post("/api/v1/logins").json(&json!({"expires_in_seconds": 900})).send().await.expect(201);
        for secret in [personal.as_str(), login.json()["secret"].as_str().expect("a secret")] {
            here.as_other("acme", secret).tries_to_pull("team-n/web", "1").await.expect(200);
            there.as_other("acme", secret).tries_to_pull("team-n/web", "1").await.expect(401);
            there.as_nobody().get("/api/v1/whoami").bearer(secret).send().await.expect(401);
        }
    }
}

#[tokio::test]
async fn docker_signs_in_with_an_access_key_in_the_region_that_it_names() {
    let regions = Regions::set().await;
    let made = regions.acme.post("/api/v1/access-keys").json(&json!({})).send().await.expect(201).json();
    regions.follow("1.json", "").await;
    let text = |name: &str| made[name].as_str().expect("a text");
    let (north, south) = (format!("north@{}", text("access_key")), format!("south@{}", text("access_key")));
    let (docker, password) = (Docker::new(), text("docker_password"));
    docker.signs_in(&north, password, &regions.north.host()).await.succeeds();
    docker.signs_in(&south, password, &regions.south.host()).await.succeeds();
    let told = docker.signs_in(&north, password, &regions.south.host()).await;
    told.fails_saying(&["this server's region is south"]);
    let told = docker.signs_in(&south, password, &regions.north.host()).await;
    told.fails_saying(&["this server's region is north"]);
}

#[tokio::test]
async fn what_changes_at_home_changes_in_the_other_region_and_not_there() {
    let regions = Regions::set().await;
    regions.follow("1.json", "").await;
    let south = regions.in_the_south(&regions.acme);
    let change = json!({"password": "another password", "current_password": regions.acme.password()});
    let refused = south.patch("/api/v1/accounts/acme").json(&change).send().await.expect(409).json();
    assert_eq!(refused["code"], "other_home", "{refused}");
    south.post("/api/v1/access-keys").json(&json!({})).send().await.expect(409);

    regions.acme.patch("/api/v1/accounts/acme").json(&change).send().await.expect(200);
    regions
        .north
        .admin()
        .patch("/api/v1/accounts/globex")
        .json(&json!({"disabled": true}))
        .send()
        .await
        .expect(200);
    let report = regions.follow("2.json", "").await;
    assert_eq!(report["changed"], 2, "{report}");
    south.get("/v2/").send().await.expect(401);
    south.as_other("acme", "another password").get("/v2/").send().await.expect(200);
    let globex = regions.south.person("globex", "password-of-globex");
    globex.get("/v2/").send().await.expect(401);

    regions.north.admin().delete("/api/v1/accounts/globex").send().await.expect(204);
    let report = regions.follow("3.json", "--delete").await;
    assert_eq!(report["deleted"], json!(["globex"]), "{report}");
    regions.south.admin().get("/api/v1/accounts/globex").send().await.expect(404);
}

#[tokio::test]
async fn an_import_that_cannot_be_is_told_with_what_to_do() {
    let regions = Regions::set().await;
    regions.south.account("acme").await;
    let folder = regions.folder.path().to_str().expect("a path in UTF-8");
    let north = Cli::of(&regions.north.admin(), &regions.north).await;
    let south = Cli::of(&regions.south.admin(), &regions.south).await;
    north.types(&format!("account export {folder}/1.json")).await.succeeds();
    north.types(&format!("account export {folder}/none/1.json")).await.fails_saying(&["none"]);
    south
        .types(&format!("account import {folder}/1.json"))
        .await
        .fails_saying(&["acme: this account exists"]);
    let changed = std::fs::read_to_string(format!("{folder}/1.json")).expect("an export");
    let changed = changed.replace("\"disabled\": false", "\"disabled\": true");
    std::fs::write(format!("{folder}/changed.json"), changed).expect("a changed export");
    south
        .types(&format!("account import {folder}/changed.json"))
        .await
        .fails_saying(&["was changed since it was made"]);
    north.types(&format!("account import {folder}/1.json")).await.fails_saying(&["own region"]);
    let acme = Cli::of(&regions.acme, &regions.north).await;
    acme.types(&format!("account export {folder}/2.json")).await.fails_saying(&["may see this"]);
    acme.types(&format!("account import {folder}/1.json")).await.fails_saying(&["may see this"]);
    south.types(&format!("account import {folder}/none.json")).await.fails_saying(&["none.json"]);

    // A server without the north's sealing key.
    let west = ServerProcess::start_with(&[(REGION, "west")]).await;
    let admin = Cli::of(&west.admin(), &west).await;
    admin.types(&format!("account import {folder}/1.json")).await.fails_saying(&["seal-*.key"]);
    west.admin().get("/api/v1/accounts/acme").send().await.expect(404);
}
