//! What nginx lets through: some paths, some methods, some sizes.

use http::Version;
use tests::{Blob, Cli, Containerd, Docker, Image, NAME, in_seconds};

use super::{MIB, Stage};

const PULL_ONLY: &str = "this address is for pulling only";

#[tokio::test(flavor = "multi_thread")]
async fn three_paths_are_enough_for_everything_and_no_other_is_passed() {
    let stage = Stage::set().await;
    let globex = stage.server.account("globex").await;
    let (image, registry) = (Image::small(), stage.nginx.registry());
    let acme = registry.person(stage.acme.login(), stage.acme.password());
    acme.pushes("team-a/web", "1", &image).await;
    // The name of a repository is one piece of this path, and stays one.
    let cli = Cli::of(&acme, registry).await;
    let until = in_seconds(3600);
    cli.types(&format!("share add team-a/web --to globex --until {until}")).await.succeeds();
    let there = registry.person(globex.login(), globex.password());
    there.pulls("team-a/web", "1", &image).await;

    stage.server.stranger().get("/healthz").send().await.expect(200);
    for path in ["/healthz", "/readyz", "/", "/v3/"] {
        let answer = registry.stranger().get(path).send().await.expect(404);
        assert_eq!(answer.header("x-request-id"), "", "the server saw it: {answer:?}");
        assert_eq!(answer.version, Version::HTTP_2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn partners_pull_by_an_address_at_which_nobody_pushes() {
    let stage = Stage::set().await;
    let globex = stage.server.account("globex").await;
    let initech = stage.server.account("initech").await;
    let image = Image::of_file(b"for partners").await;
    stage.acme.pushes("team-a/web", "1", &image).await;
    stage.acme.shares_for_good("team-a/web", "globex").await;

    let registry = stage.nginx.pull_only().called(NAME);
    let name = format!("{}/team-a/web:1", registry.host());
    Docker::engine_trusts(&registry);
    let containerd = Containerd::start().await;
    containerd.trusts(&registry);
    let docker = Docker::of(&globex, &registry).await;
    docker.pulls(&name).await.succeeds();
    assert_eq!(docker.digest_of(&name).await, image.digest);
    containerd.pulls(&name, &globex).await.succeeds();
    // The server's own refusals pass unchanged.
    Docker::of(&initech, &registry).await.pulls(&name).await.fails_saying(&[
        "name unknown",
        "not found",
        "denied",
    ]);

    // Even by the owner, who elsewhere may.
    let new = format!("{}/team-a/web:2", registry.host());
    let docker = Docker::of(&stage.acme, &registry).await;
    docker.builds(&new, &[("file", b"new")]).await;
    docker.pushes(&new).await.fails_saying(&[PULL_ONLY]);
    containerd.stores(&new, &Image::of_file(b"newer").await).await;
    containerd.pushes(&new, &stage.acme).await.fails_saying(&["403 Forbidden", PULL_ONLY]);
    let acme = registry.person(stage.acme.login(), stage.acme.password());
    let deletion = acme.delete("/v2/team-a/web/manifests/1").send().await.refused(403, "DENIED");
    assert!(deletion.json()["errors"][0]["message"] == PULL_ONLY, "{deletion:?}");
    acme.get("/api/v1/whoami").send().await.expect(404);
    docker.forgets(&[&name, &new]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_line_nginx_refuses_layers_and_docker_says_so() {
    let stage = Stage::set_with(&[("client_max_body_size 0;", "")]).await;
    let registry = stage.nginx.registry().called(NAME);
    Docker::engine_trusts(&registry);
    let docker = Docker::of(&stage.acme, &registry).await;
    let image = format!("{}/team-a/web:1", registry.host());
    docker.builds(&image, &[("file", &Blob::random(2 * MIB).bytes)]).await;
    docker.pushes(&image).await.fails_saying(&["413 Request Entity Too Large"]);
    docker.forgets(&[&image]).await;
}
