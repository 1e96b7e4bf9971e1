//! What an account names is no way into the operator's network (CVE-2026-2376), and no id of another account's opens
//! anything (CVE-2022-31667…70).

use std::time::{Duration, Instant};

use gangplank::Config;
use serde_json::{Value, json};
use tests::{Person, Receiver, TestServer};

fn quick(config: &mut Config) {
    config.webhooks.interval = Duration::from_millis(20);
}

fn nearby(config: &mut Config) {
    quick(config);
    config.webhooks.internal_networks_allowed = vec!["127.0.0.0/8".parse().expect("a network")];
}

async fn asks_for(person: &Person, url: &str) -> tests::Answer {
    person.post("/api/v1/webhooks").json(&json!({ "url": url })).send().await
}

/// The last failure of a test that is sent to the webhook at `path`.
async fn fails(person: &Person, path: &str) -> String {
    person.post(&format!("{path}/deliveries")).json(&json!({})).send().await.expect(201);
    let begin = Instant::now();
    loop {
        let shown: Value = person.get(path).send().await.expect(200).json();
        if let Some(failure) = shown["last_failure"].as_str() {
            return failure.to_owned();
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "{shown}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn cve_2026_2376_a_webhook_to_an_internal_address_is_refused_in_every_spelling() {
    let server = TestServer::start_with(quick).await;
    let acme = server.account("acme").await;
    let receiver = Receiver::start().await;
    let port = receiver.address().port();
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "any.localhost",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "0.0.0.0",
        "0",
        "[::]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[fec0::1]",
        "224.0.0.1",
        "[ff02::1]",
        "255.255.255.255",
        "192.0.2.1",
        "[2001:db8::1]",
        "１２７.0.0.1",
        "127。0。0。1",
    ] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/");
            let refused = asks_for(&acme, &url).await.refused(400, "invalid");
            assert_eq!(refused.json()["field"], "url", "{url}");
        }
    }
    for url in [
        format!("http://user:word@127.0.0.1:{port}/"),
        format!("http://example.com@127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}\\@example.com/"),
        "file:///etc/passwd".to_owned(),
        "gopher://example.com/".to_owned(),
        "//example.com/".to_owned(),
    ] {
        asks_for(&acme, &url).await.refused(400, "invalid");
    }
    let made = asks_for(&acme, "http://example.com/").await.expect(201).json();
    let path = format!("/api/v1/webhooks/{}", made["id"]);
    let moved = acme.patch(&path).json(&json!({ "url": receiver.url() })).send().await;
    moved.refused(400, "invalid");
    assert_eq!(receiver.received().len(), 0);
}

#[tokio::test]
async fn cve_2026_2376_an_address_is_judged_when_it_is_connected_to() {
    let server = TestServer::start_with(nearby).await;
    let acme = server.account("acme").await;
    let receiver = Receiver::start().await;
    let mut paths = Vec::new();
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{}/", receiver.address().port());
        let made = asks_for(&acme, &url).await.expect(201).json();
        paths.push(format!("/api/v1/webhooks/{}", made["id"]));
    }
    // What was allowed when they were made is allowed no more.
    let server = server.restart_with(quick).await;
    let acme = server.person("acme", acme.password());
    for path in paths {
        let failure = fails(&acme, &path).await;
        assert!(failure.contains("does not send to"), "{failure}");
    }
    assert_eq!(receiver.received().len(), 0);
}

#[tokio::test]
async fn cve_2026_2376_a_redirect_is_not_followed() {
    let server = TestServer::start_with(nearby).await;
    let acme = server.account("acme").await;
    let (front, behind) = (Receiver::start().await, Receiver::start().await);
    for status in [301, 302, 303, 307, 308] {
        front.answers_with(status, &[("location", &behind.url())]);
        let made = asks_for(&acme, &front.url()).await.expect(201).json();
        let failure = fails(&acme, &format!("/api/v1/webhooks/{}", made["id"])).await;
        assert!(failure.starts_with(&status.to_string()) && failure.contains("not followed"), "{failure}");
    }
    assert_eq!((front.received().len(), behind.received().len()), (5, 0));
}

#[tokio::test]
async fn cve_2022_31667_another_accounts_webhook_is_none() {
    let server = TestServer::start_with(nearby).await;
    let (acme, globex) = (server.account("acme").await, server.account("globex").await);
    let receiver = Receiver::start().await;
    let made = asks_for(&acme, &receiver.url()).await.expect(201).json();
    let path = format!("/api/v1/webhooks/{}", made["id"]);
    let sent = acme.post(&format!("{path}/deliveries")).json(&json!({})).send().await.expect(201).json();
    receiver.receives(1).await;
    let own = asks_for(&globex, &receiver.url()).await.expect(201).json();
    let (own, again) = (format!("/api/v1/webhooks/{}", own["id"]), json!({ "delivery": sent["id"] }));
    for person in [&globex, &server.admin()] {
        person.get(&path).send().await.refused(404, "not_found");
        person.patch(&path).json(&json!({ "enabled": false })).send().await.refused(404, "not_found");
        person.delete(&path).send().await.refused(404, "not_found");
        let deliveries = format!("{path}/deliveries");
        person.get(&deliveries).send().await.refused(404, "not_found");
        person.post(&deliveries).json(&json!({})).send().await.refused(404, "not_found");
        person.post(&deliveries).json(&again).send().await.refused(404, "not_found");
    }
    globex.post(&format!("{own}/deliveries")).json(&again).send().await.refused(404, "not_found");
    acme.get(&path).send().await.expect(200);
    assert_eq!(receiver.received().len(), 1);
}
