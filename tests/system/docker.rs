//! A real docker engine against the real server.

use serde_json::Value;
use tests::{Cli, Docker, Image, Person, ServerProcess, in_seconds, packages_of_at_least};
use tokio::time::{Duration, sleep};

/// What docker says when the registry does not let it.
const REFUSED: &[&str] = &["denied", "unauthorized", "not found", "no such", "name unknown"];

/// A server; acme, which owns the namespace `team-a`; globex and initech, which own nothing.
struct Stage {
    server: ServerProcess,
    acme: Person,
    globex: Person,
    initech: Person,
}

impl Stage {
    async fn set() -> Stage {
        let server = ServerProcess::start().await;
        let acme = server.owner("acme", "team-a").await;
        let (globex, initech) = (server.account("globex").await, server.account("initech").await);
        Stage { server, acme, globex, initech }
    }

    /// `127.0.0.1:40001/team-a/web:1`.
    fn image(&self, name: &str) -> String {
        format!("{}/{name}", self.server.host())
    }

    async fn docker(&self, person: &Person) -> Docker {
        Docker::of(person, &self.server).await
    }

    /// acme's image of three layers beside its base, pushed; gives what it prints.
    async fn pushed(&self, image: &str) -> String {
        let contents: Vec<String> = (1..=3).map(|layer| format!("layer {layer} of {image}\n")).collect();
        let files: Vec<(&str, &[u8])> =
            ["one", "two", "three"].into_iter().zip(contents.iter().map(String::as_bytes)).collect();
        let docker = self.docker(&self.acme).await;
        docker.builds(image, &files).await;
        docker.pushes(image).await.succeeds();
        contents.concat().trim().to_owned()
    }
}

#[tokio::test]
async fn an_owner_pushes_and_from_the_share_on_the_sharee_pulls_and_runs_the_same_image() {
    let stage = Stage::set().await;
    let image = stage.image("team-a/web:1");
    let printed = stage.pushed(&image).await;
    let pushed = stage.docker(&stage.acme).await.digest_of(&image).await;

    let globex = stage.docker(&stage.globex).await;
    globex.pulls(&image).await.fails_saying(REFUSED);

    let until = in_seconds(3600);
    let owner = Cli::of(&stage.acme, &stage.server).await;
    owner.types(&format!("share add team-a/web --to globex --until {until}")).await.succeeds();

    globex.pulls(&image).await.succeeds();
    assert_eq!(globex.digest_of(&image).await, pushed);
    assert_eq!(globex.output_of(&image).await, printed);
}

#[tokio::test]
async fn a_large_image_of_real_packages_arrives_whole_at_the_sharee() {
    let stage = Stage::set().await;
    let image = stage.image("team-a/large:1");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let archives = packages_of_at_least(640 << 20, folder.path()).await;
    let acme = stage.docker(&stage.acme).await;
    acme.builds_from_archives(&image, &archives, "large").await;
    acme.pushes(&image).await.succeeds();
    let pushed = acme.digest_of(&image).await;

    let repository = stage.acme.get("/api/v1/repositories/team-a%2Flarge").send().await.expect(200).json();
    let size_bytes = repository["size_bytes"].as_u64().expect("a size");
    assert!(size_bytes > 100 << 20, "only {size_bytes} bytes are no large image");

    stage.acme.shares("team-a/large", "globex", in_seconds(3600)).await;
    let globex = stage.docker(&stage.globex).await;
    globex.pulls(&image).await.succeeds();
    assert_eq!(globex.digest_of(&image).await, pushed);
    assert_eq!(globex.output_of(&image).await, "large");
}

#[tokio::test]
async fn a_third_account_is_refused() {
    let stage = Stage::set().await;
    let image = stage.image("team-a/web:1");
    stage.pushed(&image).await;
    stage.acme.shares_for_good("team-a/web", "globex").await;
    stage.docker(&stage.initech).await.pulls(&image).await.fails_saying(REFUSED);
    Docker::new().pulls(&image).await.fails_saying(REFUSED);
    stage.docker(&stage.globex).await.pulls(&image).await.succeeds();
}

#[tokio::test]
async fn a_sharee_can_neither_push_nor_delete() {
    let stage = Stage::set().await;
    let image = stage.image("team-a/web:1");
    stage.pushed(&image).await;
    stage.acme.shares_for_good("team-a/web", "globex").await;
    let globex = stage.docker(&stage.globex).await;
    globex.pulls(&image).await.succeeds();
    let digest = globex.digest_of(&image).await;

    let theirs = stage.image("team-a/web:2");
    globex.runs(&["tag", &image, &theirs]).await.succeeds();
    globex.pushes(&theirs).await.fails_saying(REFUSED);
    // What it would send for a new image; docker itself tries that for more than a minute.
    stage.globex.tries_to_push("team-a/new", "1", &Image::small()).await.expect(404);
    // docker has no command to delete: what one would send.
    for reference in ["1", &digest] {
        stage.globex.delete(&format!("/v2/team-a/web/manifests/{reference}")).send().await.expect(403);
    }

    let tags = stage.acme.get("/v2/team-a/web/tags/list").send().await.expect(200).strings("tags");
    assert_eq!(tags, ["1"]);
    stage.acme.get("/v2/team-a/new/tags/list").send().await.expect(404);
}

#[tokio::test]
async fn a_sibling_whose_name_begins_the_same_stays_closed() {
    let stage = Stage::set().await;
    let siblings =
        ["team-a/web-internal:1", "team-a/web/internal:1", "team-a/we:1"].map(|name| stage.image(name));
    let shared = stage.image("team-a/web:1");
    stage.pushed(&shared).await;
    for sibling in &siblings {
        stage.pushed(sibling).await;
    }
    stage.acme.shares_for_good("team-a/web", "globex").await;
    let globex = stage.docker(&stage.globex).await;
    for sibling in &siblings {
        globex.pulls(sibling).await.fails_saying(REFUSED);
    }
    globex.pulls(&shared).await.succeeds();
}

#[tokio::test]
async fn docker_login_with_a_wrong_password_is_refused() {
    let stage = Stage::set().await;
    let docker = Docker::new();
    for (login, password) in [("acme", "wrong"), ("nobody", "wrong"), ("acme", stage.globex.password())] {
        let impostor = stage.server.person(login, password);
        docker.logs_in(&impostor, &stage.server).await.fails_saying(&["unauthorized"]);
    }
    docker.logs_in(&stage.acme, &stage.server).await.succeeds();
}

#[tokio::test]
async fn a_users_permission_decides_what_their_docker_may_do() {
    let stage = Stage::set().await;
    let image = stage.image("team-a/web:1");
    stage.pushed(&image).await;
    let dev = stage.acme.creates_user("dev").await;
    let docker = stage.docker(&dev).await;
    docker.pulls(&image).await.fails_saying(REFUSED);
    stage.acme.permits("dev", "read", "team-a/web").await;
    docker.pulls(&image).await.succeeds();
    let second = stage.image("team-a/web:2");
    docker.runs(&["tag", &image, &second]).await.succeeds();
    docker.pushes(&second).await.fails_saying(REFUSED);
    stage.acme.permits("dev", "edit", "team-a/web").await;
    docker.pushes(&second).await.succeeds();
}

#[tokio::test]
async fn a_share_that_lives_seconds_closes_at_its_deadline_for_the_same_login_and_for_a_token_issued_before()
{
    let stage = Stage::set().await;
    let image = stage.image("team-a/web:1");
    stage.pushed(&image).await;
    let globex = stage.docker(&stage.globex).await;

    let deadline = in_seconds(12);
    stage.acme.shares("team-a/web", "globex", deadline).await;
    let token = stage.globex.token(&["repository:team-a/web:pull"]).await;
    let by_token = || stage.globex.get("/v2/team-a/web/manifests/1").bearer(&token);
    by_token().send().await.expect(200);
    globex.pulls(&image).await.succeeds();
    assert!(in_seconds(0) < deadline, "this machine is too slow for a share of seconds");

    while in_seconds(0) < deadline {
        sleep(Duration::from_millis(50)).await;
    }
    by_token().send().await.expect_any(&[401, 404]);
    globex.pulls(&image).await.fails_saying(REFUSED);
}

#[tokio::test]
async fn a_revocation_closes_at_once_for_the_same_login_and_for_a_token_issued_before() {
    let stage = Stage::set().await;
    let image = stage.image("team-a/web:1");
    stage.pushed(&image).await;
    let globex = stage.docker(&stage.globex).await;
    stage.acme.shares_for_good("team-a/web", "globex").await;
    let token = stage.globex.token(&["repository:team-a/web:pull"]).await;
    let by_token = || stage.globex.get("/v2/team-a/web/manifests/1").bearer(&token);
    by_token().send().await.expect(200);
    globex.pulls(&image).await.succeeds();

    let owner = Cli::of(&stage.acme, &stage.server).await;
    owner.types("share revoke team-a/web --to globex").await.succeeds();
    by_token().send().await.expect(404);
    globex.pulls(&image).await.fails_saying(REFUSED);
}

#[tokio::test]
async fn a_public_image_is_pulled_without_signing_in() {
    let stage = Stage::set().await;
    let image = stage.image("team-a/web:1");
    stage.pushed(&image).await;
    let stranger = Docker::new();
    stranger.pulls(&image).await.fails_saying(REFUSED);
    stage.acme.makes("team-a/web", "public").await.expect(200);
    stranger.pulls(&image).await.succeeds();
}

#[tokio::test]
async fn what_docker_pushed_is_what_the_registry_serves() {
    let stage = Stage::set().await;
    let name = stage.image("team-a/web:1");
    stage.pushed(&name).await;
    let answer = stage.acme.tries_to_pull("team-a/web", "1").await.expect(200);
    assert_eq!(answer.header("docker-content-digest"), tests::digest_of(&answer.body));
    let manifest: Value = answer.json();
    let layers = manifest["layers"].as_array().expect("layers");
    assert!(layers.len() >= 4, "a base and three layers: {answer:?}");
    // And the engine takes what another client pushed.
    let layer = tests::Blob::archive(b"by another client").await;
    stage.acme.pushes("team-a/other", "1", &Image::of(vec![layer])).await;
    let other = stage.image("team-a/other:1");
    stage.docker(&stage.acme).await.pulls(&other).await.fails_saying(&["rootfs", "unpack", "layer", "diff"]);
}
