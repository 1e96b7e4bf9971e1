//! The server's own TLS, without a proxy.

use std::net::Ipv6Addr;

use http::Version;
use tests::{Containerd, Docker, Image, NAME, Registry, ServerProcess, TestCa};
use tokio::time::{Duration, Instant, sleep};

use super::{LARGE, MIB, UNKNOWN_AUTHORITY, docker_and_containerd_exchange};

/// All that the servers of these tests are called.
const NAMES: &[&str] = &[NAME, "127.0.0.1", "::1"];
const RENEWED_WITHIN: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn large_layers_pass_by_name() {
    let ca = TestCa::new();
    let files = ca.issue("server", NAMES);
    let server = ServerProcess::start_over_tls_at(Ipv6Addr::LOCALHOST.into(), &ca, &files, &[]).await;
    let acme = server.owner("acme", "team-a").await;
    docker_and_containerd_exchange(&server.called(NAME), &acme, LARGE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_layers_pass_by_address() {
    let ca = TestCa::new();
    let files = ca.issue("server", NAMES);
    let server = ServerProcess::start_over_tls(&ca, &files, &[]).await;
    let acme = server.owner("acme", "team-a").await;
    docker_and_containerd_exchange(&server, &acme, LARGE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_passes_over_http_2_and_over_http_1_1() {
    let ca = TestCa::new();
    let files = ca.issue("server", NAMES);
    let server = ServerProcess::start_over_tls(&ca, &files, &[]).await;
    let acme = server.owner("acme", "team-a").await;
    for (registry, version) in [((*server).clone(), Version::HTTP_2), (server.over_http1(), Version::HTTP_11)]
    {
        let acme = registry.person(acme.login(), acme.password());
        let image = Image::random(3, 20 * MIB);
        acme.pushes("team-a/web", "1", &image).await;
        acme.pulls("team-a/web", "1", &image).await;
        let answer = acme.tries_to_pull("team-a/web", "1").await.expect(200);
        assert_eq!(answer.version, version, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_pull_by_the_new_certificate_once_the_files_were_replaced() {
    let old = TestCa::new();
    let files = old.issue("server", NAMES);
    let server = ServerProcess::start_over_tls_at(Ipv6Addr::LOCALHOST.into(), &old, &files, &[]).await;
    let acme = server.owner("acme", "team-a").await;
    let image = Image::of_file(b"before and after").await;
    acme.pushes("team-a/web", "1", &image).await;
    let registry = server.called(NAME);
    let name = format!("{}/team-a/web:1", registry.host());
    Docker::engine_trusts(&registry);
    let docker = Docker::of(&acme, &registry).await;
    let containerd = Containerd::start().await;
    containerd.trusts(&registry);
    docker.pulls(&name).await.succeeds();
    containerd.pulls(&name, &acme).await.succeeds();

    // From another authority, so that one can tell which certificate a client was shown.
    let new = TestCa::new();
    new.issue_to(&files, NAMES);
    let registry = Registry::over_tls(server.host().parse().expect("an address"), &new).called(NAME);
    let begun = Instant::now();
    while registry.stranger().get("/v2/").try_send().await.is_err() {
        assert!(begun.elapsed() < RENEWED_WITHIN, "the server shows the old certificate: {}", server.log());
        sleep(Duration::from_millis(100)).await;
    }
    docker.pulls(&name).await.fails_saying(UNKNOWN_AUTHORITY);
    containerd.pulls(&name, &acme).await.fails_saying(UNKNOWN_AUTHORITY);
    Docker::engine_trusts(&registry);
    containerd.trusts(&registry);
    docker.pulls(&name).await.succeeds();
    assert_eq!(docker.digest_of(&name).await, image.digest);
    containerd.pulls(&name, &acme).await.succeeds();
    docker.forgets(&[&name]).await;
}
