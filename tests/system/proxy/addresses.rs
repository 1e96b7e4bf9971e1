//! Whom a client finds itself talking to behind nginx, and whom the server.

use std::net::{IpAddr, Ipv4Addr};

use tests::{Containerd, Docker, NAME, Nginx, Person, Registry, TestServer};

use super::{MIB, Stage, UNKNOWN_AUTHORITY, docker_and_containerd_exchange};

/// Where a client of `registry` is sent for a token.
async fn realm(registry: &Registry, headers: &[(&str, &str)]) -> String {
    let mut request = registry.stranger().get("/v2/");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let answer = request.send().await.expect(401);
    let (_, rest) = answer.header("www-authenticate").split_once("realm=\"").expect("a realm");
    rest.split('"').next().expect("a realm").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn realm_and_uploads_stay_on_the_address_that_the_client_used() {
    let stage = Stage::set().await;
    let straight: &Registry = &stage.server;
    for registry in [&stage.nginx.registry().called(NAME), stage.nginx.registry(), straight] {
        assert_eq!(realm(registry, &[]).await, format!("{}/auth/token", registry.url()));
        let acme = registry.person(stage.acme.login(), stage.acme.password());
        let location = acme.starts_upload("team-a/web").await;
        assert!(location.starts_with('/') || location.starts_with(&registry.url()), "{location}");
        docker_and_containerd_exchange(registry, &stage.acme, MIB).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_refuse_an_authority_that_they_were_not_told_of() {
    // What all other tests of these clients prove rests on this: they do look at the certificate.
    let stage = Stage::set().await;
    let registry = stage.nginx.registry().called(NAME);
    Docker::new().logs_in(&stage.acme, &registry).await.fails_saying(UNKNOWN_AUTHORITY);
    let image = format!("{}/team-a/web:1", registry.host());
    let containerd = Containerd::start().await;
    containerd.pulls(&image, &stage.acme).await.fails_saying(UNKNOWN_AUTHORITY);
}

const FORGED: &[(&str, &str)] = &[("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "http")];

#[tokio::test]
async fn a_client_cannot_say_where_tokens_are_to_be_had() {
    let stage = Stage::set().await;
    let registry = stage.nginx.registry();
    assert_eq!(realm(registry, FORGED).await, format!("{}/auth/token", registry.url()));
    // Not from where nginx is: from there, the server would believe it.
    let straight = stage.server.reached_from(Ipv4Addr::new(127, 0, 0, 2).into());
    assert_eq!(realm(&straight, FORGED).await, format!("{}/auth/token", straight.url()));
}

#[tokio::test]
async fn a_proxy_that_the_server_was_not_told_of_is_not_believed() {
    let server = TestServer::start().await;
    let nginx = Nginx::before(&server).await;
    let told = format!("http://{}/auth/token", nginx.registry().host());
    assert_eq!(realm(nginx.registry(), &[]).await, told);
}

/// Ten wrong passwords of acme's, from an address of this machine's.
async fn ten_wrong_passwords(nginx: &Nginx, from: IpAddr) -> Person {
    let impostor = nginx.registry().reached_from(from).person("acme", "wrong");
    for _ in 0..10 {
        // What a client says of its own address is not what it is counted by.
        let guess = impostor.get("/auth/token").header("x-forwarded-for", &random_address());
        guess.send().await.expect(401);
    }
    impostor
}

fn random_address() -> String {
    Ipv4Addr::from(rand::random::<u32>()).to_string()
}

const ONE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));

#[tokio::test]
async fn wrong_passwords_are_counted_by_the_address_of_the_client_before_nginx() {
    let server =
        TestServer::start_with(|config| config.server.trusted_proxies = vec![Ipv4Addr::LOCALHOST.into()])
            .await;
    let nginx = Nginx::before(&server).await;
    let acme = server.account("acme").await;
    let impostor = ten_wrong_passwords(&nginx, ONE).await;
    impostor.get("/auth/token").send().await.expect(429);
    let elsewhere = nginx.registry().reached_from(OTHER);
    elsewhere.person("acme", "wrong").get("/auth/token").send().await.expect(401);
    elsewhere.person("acme", acme.password()).get("/auth/token").send().await.expect(200);
}

#[tokio::test]
async fn behind_a_proxy_that_the_server_was_not_told_of_all_clients_count_as_one() {
    let server = TestServer::start().await;
    let nginx = Nginx::before(&server).await;
    server.account("acme").await;
    ten_wrong_passwords(&nginx, ONE).await;
    let elsewhere = nginx.registry().reached_from(OTHER);
    elsewhere.person("acme", "wrong").get("/auth/token").send().await.expect(429);
}
