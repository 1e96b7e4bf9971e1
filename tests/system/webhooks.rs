//! Webhooks, as their receivers see them: what arrives, how it is signed, and what becomes of it when nobody takes it.

use std::time::{Duration, Instant};

use gangplank::Config;
use serde_json::{Value, json};
use tests::{Cli, Person, Receiver, Registry, TestServer};

const WEB: &str = "team-a/web";
const DAY: i64 = 24 * 60 * 60;

/// As an operator sets it whose receivers lie on the same machine; quick, so that tests are.
fn nearby(config: &mut Config) {
    config.webhooks.internal_networks_allowed = vec!["127.0.0.0/8".parse().expect("a network")];
    config.webhooks.interval = Duration::from_millis(20);
}

/// acme with `team-a/web`, and globex.
async fn people(registry: &Registry) -> (Person, Person) {
    let acme = registry.owner("acme", "team-a").await;
    acme.post("/api/v1/repositories").json(&json!({ "name": WEB })).send().await.expect(201);
    (acme, registry.account("globex").await)
}

/// Makes a webhook; its path below `/api/v1`, and its secret.
async fn hook(person: &Person, receiver: &Receiver, events: &[&str]) -> (String, String) {
    let body = json!({ "url": receiver.url(), "events": events });
    let made = person.post("/api/v1/webhooks").json(&body).send().await.expect(201).json();
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    (format!("/api/v1/webhooks/{}", made["id"]), secret)
}

/// Waits until the webhook shows what is wanted.
async fn shows(person: &Person, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let begin = Instant::now();
    loop {
        let shown = person.get(path).send().await.expect(200).json();
        if wanted(&shown) {
            return shown;
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "{shown}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_shares_whole_life_arrives_signed_at_the_owner_and_at_the_grantee() {
    let server = TestServer::start_with(nearby).await;
    let (acme, globex) = people(&server).await;
    let (to_acme, to_globex) = (Receiver::start().await, Receiver::start().await);
    let (_, acmes_secret) = hook(&acme, &to_acme, &[]).await;
    let (_, globexs_secret) = hook(&globex, &to_globex, &["share.created", "share.ended"]).await;

    acme.shares(WEB, "globex", server.in_seconds(10 * DAY)).await;
    let listed = globex.get("/api/v1/shares?direction=with_me").send().await.expect(200).json();
    to_acme.receives(1).await;
    server.clock().pass(7 * DAY);
    to_acme.receives(2).await;
    server.clock().pass(3 * DAY);
    to_acme.receives(3).await;
    acme.shares(WEB, "globex", server.in_seconds(DAY)).await;
    acme.revokes(WEB, "globex").await;

    let got = to_acme.receives(5).await;
    let kinds: Vec<_> = got.iter().map(tests::Received::kind).collect();
    assert_eq!(kinds, ["share.created", "share.ending", "share.ended", "share.created", "share.revoked"]);
    let theirs = to_globex.receives(3).await;
    let kinds: Vec<_> = theirs.iter().map(tests::Received::kind).collect();
    assert_eq!(kinds, ["share.created", "share.ended", "share.created"]);
    assert_eq!(theirs[0].event(), got[0].event(), "both are told the same");
    assert_eq!(theirs[0].event()["data"]["share"], listed["items"][0], "what the list shows, and no more");

    for (received, secret, other) in got
        .iter()
        .map(|received| (received, &acmes_secret, &globexs_secret))
        .chain(theirs.iter().map(|received| (received, &globexs_secret, &acmes_secret)))
    {
        assert!(received.is_signed_with(secret) && !received.is_signed_with(other), "{received:?}");
        assert_eq!(received.header("content-type"), "application/cloudevents+json; charset=utf-8");
        assert!(received.path.ends_with("/hook?of=tests"), "{received:?}");
        let event = received.event();
        assert_eq!((&event["specversion"], &event["source"]), (&json!("1.0"), &json!("/regions/local")));
        assert_eq!(event["subject"], "repositories/team-a/web/shares/globex");
        assert_eq!(event["datacontenttype"], "application/json");
        assert_eq!(format!("msg_{}", event["id"].as_str().expect("an id")), received.header("webhook-id"));
        let body = String::from_utf8(received.body.to_vec()).expect("text");
        for secret in [&acmes_secret, &globexs_secret] {
            assert!(!body.contains(secret.trim_start_matches("whsec_")), "{body}");
        }
        for word in ["password", "secret", "token", "hash"] {
            assert!(!body.contains(word), "{word}: {body}");
        }
    }
    assert_eq!(got[2].event()["time"], "2027-01-11T00:00:00Z", "the end, whenever it was noticed");
    for (number, status) in ["open", "open", "ended", "open", "ended"].into_iter().enumerate() {
        assert_eq!(got[number].event()["data"]["share"]["status"], status, "{number}");
    }
}

#[tokio::test]
async fn what_happens_while_a_receiver_is_down_is_kept_over_a_restart_and_arrives_in_order() {
    let server = TestServer::start_with(nearby).await;
    let (acme, _) = people(&server).await;
    let receiver = Receiver::start().await;
    let (path, secret) = hook(&acme, &receiver, &[]).await;
    let address = receiver.address();
    drop(receiver);
    acme.shares_for_good(WEB, "globex").await;
    acme.revokes(WEB, "globex").await;
    let down = shows(&acme, &path, |hook| hook["failures"] == 1 && hook["pending"] == 2).await;
    assert!(down["last_failure"].as_str().is_some_and(|why| !why.is_empty()), "{down}");

    let server = server.restart_with(nearby).await;
    let acme = server.person("acme", acme.password());
    let receiver = Receiver::start_at(address).await;
    acme.shares_for_good(WEB, "globex").await;
    server.clock().pass(3600);
    let got = receiver.receives(3).await;
    let kinds: Vec<_> = got.iter().map(tests::Received::kind).collect();
    assert_eq!(kinds, ["share.created", "share.revoked", "share.created"]);
    assert!(got.iter().all(|received| received.is_signed_with(&secret)), "the secret was kept, too");
    shows(&acme, &path, |hook| hook["failures"] == 0 && hook["pending"] == 0).await;
    let sent = acme.get(&format!("{path}/deliveries")).send().await.expect(200).json();
    let attempts: Vec<_> = sent["items"].as_array().expect("a list").iter().map(|d| &d["attempts"]).collect();
    assert_eq!(attempts, [2, 1, 1]);
}

#[tokio::test]
async fn a_receiver_that_refuses_is_tried_again_by_the_clock_and_not_before() {
    let server = TestServer::start_with(nearby).await;
    let (acme, _) = people(&server).await;
    let receiver = Receiver::start().await;
    let (path, _) = hook(&acme, &receiver, &[]).await;
    receiver.answers_with(503, &[("retry-after", "600")]);
    acme.shares_for_good(WEB, "globex").await;
    for failures in 1..=3 {
        let shown = shows(&acme, &path, |hook| hook["failures"] == failures).await;
        assert_eq!(shown["last_failure"], "503 Service Unavailable");
        server.clock().pass(599);
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert_eq!(receiver.received().len(), failures, "it asked for ten minutes");
        server.clock().pass(1);
    }
    receiver.answers(200);
    server.clock().pass(3600);
    shows(&acme, &path, |hook| hook["failures"] == 0 && hook["pending"] == 0).await;
    let ids: Vec<_> = receiver.received().iter().map(|got| got.header("webhook-id").to_owned()).collect();
    assert!(ids.len() >= 4 && ids.iter().all(|id| *id == ids[0]), "the same event each time: {ids:?}");
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_told_nothing_more() {
    let server = TestServer::start_with(nearby).await;
    let (acme, _) = people(&server).await;
    let receiver = Receiver::start().await;
    let (path, _) = hook(&acme, &receiver, &[]).await;
    receiver.answers(410);
    acme.shares_for_good(WEB, "globex").await;
    shows(&acme, &path, |hook| hook["enabled"] == false && hook["gone"] == true).await;
    receiver.answers(204);
    acme.revokes(WEB, "globex").await;
    server.clock().pass(DAY);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(receiver.received().len(), 1);
    acme.patch(&path).json(&json!({ "enabled": true })).send().await.expect(200);
    let got = receiver.receives(2).await;
    assert_eq!(got[1].kind(), "share.created", "what was refused then; the rest was not queued");
}

#[tokio::test]
async fn a_receiver_that_hangs_keeps_nobody_else_waiting() {
    let server = TestServer::start_with(|config| {
        nearby(config);
        config.webhooks.answer_timeout = Duration::from_secs(5);
    })
    .await;
    let (acme, globex) = people(&server).await;
    let (stuck, quick) = (Receiver::start().await, Receiver::start().await);
    stuck.hangs();
    let (path, _) = hook(&acme, &stuck, &[]).await;
    hook(&acme, &quick, &[]).await;
    hook(&globex, &quick, &[]).await;
    acme.shares(WEB, "globex", server.in_seconds(DAY)).await;
    stuck.receives(1).await;
    quick.receives(2).await;
    server.clock().pass(DAY);
    let got = quick.receives(4).await;
    assert!(got[2..].iter().all(|got| got.kind() == "share.ended"), "{got:?}");
    assert_eq!(stuck.received().len(), 1, "all that while");
    shows(&acme, &path, |hook| hook["last_failure"] == "no answer in time" && hook["pending"] == 2).await;
}

#[tokio::test]
async fn the_lines_of_the_documents_manage_webhooks() {
    let server = TestServer::start_with(nearby).await;
    let (acme, _) = people(&server).await;
    let cli = Cli::of(&acme, &server).await;
    let receiver = Receiver::start().await;
    let line = format!("webhook add {} --event share.ending --event share.created --json", receiver.url());
    let made: Value = serde_json::from_str(&cli.types(&line).await.output()).expect("JSON");
    assert_eq!(made["events"], json!(["share.created", "share.ending"]));
    let (id, secret) = (made["id"].to_string(), made["secret"].as_str().expect("a secret"));
    let shares = "share add team-a/web --to globex --until 2027-01-31T00:00:00Z --notice-before 7d";
    cli.types(shares).await.succeeds();
    assert!(receiver.receives(1).await[0].is_signed_with(secret));
    let shown = cli.types("share show team-a/web --to globex").await.output();
    assert!(shown.contains("7days before its end"), "{shown}");
    cli.types("share update team-a/web --to globex --notice-before 0s").await.succeeds();

    for (line, word) in [
        ("webhook list".to_owned(), receiver.url()),
        (format!("webhook show {id}"), "Pending".to_owned()),
        (format!("webhook deliveries {id}"), "dev.gangplank.share.created".to_owned()),
        (format!("webhook test {id}"), "on its way".to_owned()),
        (format!("webhook update {id} --all-events --description all"), "told everything".to_owned()),
        (format!("webhook update {id} --disable"), "disabled".to_owned()),
    ] {
        let said = cli.types(&line).await.output();
        assert!(said.contains(&word) && !said.contains(secret), "{line}: {said}");
    }
    cli.types(&format!("webhook test {id}")).await.fails_saying(&["is disabled"]);
    let enabled = cli.types(&format!("webhook update {id} --enable")).await.output();
    assert!(enabled.contains("told everything"), "{enabled}");
    let got = receiver.receives(2).await;
    assert_eq!(got[1].kind(), "webhook.test");
    let sent: Value =
        serde_json::from_str(&cli.types(&format!("webhook deliveries {id} --json")).await.output())
            .expect("JSON");
    cli.types(&format!("webhook resend {id} {}", sent[0]["id"])).await.succeeds();
    let again = &receiver.receives(3).await[2];
    assert_eq!(again.header("webhook-id"), got[0].header("webhook-id"));
    cli.types(&format!("webhook remove {id}")).await.succeeds();
    cli.types(&format!("webhook show {id}")).await.fails_saying(&["no such webhook"]);
    cli.types("webhook add http://127.0.0.1/ --event share.burnt")
        .await
        .fails_saying(&["there are share.created"]);
    let outside = format!("webhook add http://user:word@{}/", receiver.address());
    cli.types(&outside).await.fails_saying(&["credentials"]);
}
