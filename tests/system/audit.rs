//! The audit trail and the usage of shares, as the owner, the sharee and the command line see them.

use std::time::Duration;

use frontend::Clock;
use serde_json::{Value, json};
use tests::{Cli, Image, Person, ServerProcess, TestServer};

const DAY: i64 = 24 * 60 * 60;

/// Acme with an image that it shares with globex, and globex with its user `ci`.
async fn shared(server: &TestServer) -> (Person, Person, Image) {
    let acme = server.owner("acme", "team-a").await;
    let globex = server.account("globex").await;
    globex.creates_user("ci").await;
    let image = Image::small();
    acme.pushes("team-a/web", "v1", &image).await;
    acme.shares("team-a/web", "globex", server.in_seconds(3 * DAY)).await;
    (acme, globex, image)
}

/// Globex' user, at an address.
fn ci(server: &TestServer, from: &str) -> Person {
    server.reached_from(from.parse().expect("an address")).person("ci@globex", "password-of-ci")
}

fn bytes(image: &Image) -> u64 {
    let blobs: usize = image.blobs().map(|blob| blob.bytes.len()).sum();
    (image.manifest.len() + blobs) as u64
}

/// Each event in a line: kind, result, who, from where, of what.
fn lines(events: &[Value]) -> Vec<String> {
    let text = |event: &Value, field: &str| event[field].as_str().unwrap_or("-").to_owned();
    let line = |event: &Value| {
        let fields = ["kind", "result", "actor", "address", "subject"];
        fields.map(|field| text(event, field)).join(" ")
    };
    events.iter().map(line).collect()
}

#[tokio::test]
async fn the_owner_sees_who_pulled_from_where_and_how_much_day_by_day() {
    let server = TestServer::start().await;
    let (acme, globex, image) = shared(&server).await;
    let unused = acme.sees_usage("team-a/web", "globex").await;
    assert_eq!(unused, json!({ "last_used_at": null, "pulls": 0, "bytes": 0, "items": [] }));

    ci(&server, "127.0.0.5").pulls("team-a/web", "v1", &image).await;
    server.clock().pass(1);
    ci(&server, "127.0.0.6").pulls("team-a/web", &image.digest, &image).await;
    server.flush().await;
    server.clock().pass(DAY);
    globex.pulls("team-a/web", "v1", &image).await;
    server.flush().await;

    let whole = bytes(&image);
    let row = |day: &str, user: &str, address: &str| json!({ "day": day, "user": user, "address": address, "pulls": 1, "bytes": whole });
    let mut used = acme.sees_usage("team-a/web", "globex").await;
    for item in used["items"].as_array_mut().expect("a list") {
        item.as_object_mut().expect("an object").remove("user_id");
    }
    assert_eq!(
        used["items"],
        json!([
            row("2027-01-01", "ci@globex", "127.0.0.5"),
            row("2027-01-01", "ci@globex", "127.0.0.6"),
            row("2027-01-02", "globex", "127.0.0.1"),
        ])
    );
    assert_eq!((&used["pulls"], &used["bytes"]), (&json!(3), &json!(3 * whole)));
    let listed = acme.get("/api/v1/shares?direction=by_me").send().await.expect(200).json();
    assert_eq!(listed["items"][0]["used"]["last_used_at"], server.clock().now().to_string());
    let theirs = globex.get("/api/v1/shares?direction=with_me").send().await.expect(200).json();
    assert_eq!(theirs["items"][0].get("used"), None);

    let pulls = acme.audits("kind=manifest_pulled").await;
    assert_eq!(
        lines(&pulls),
        [
            "manifest_pulled ok ci@globex 127.0.0.5 team-a/web",
            "manifest_pulled ok ci@globex 127.0.0.6 team-a/web",
            "manifest_pulled ok globex 127.0.0.1 team-a/web"
        ]
    );
    assert_eq!(pulls[0]["detail"], format!("v1 {}", image.digest));
    assert_eq!(
        lines(&globex.audits("kind=manifest_pulled").await),
        lines(&pulls),
        "in the sharee's trail too"
    );
}

#[tokio::test]
async fn the_story_of_a_share_is_in_the_owners_trail_and_the_sharees_part_in_its_own() {
    let server = TestServer::start().await;
    let (acme, globex, image) = shared(&server).await;
    let ci = ci(&server, "127.0.0.5");
    ci.pulls("team-a/web", "v1", &image).await;
    acme.revokes("team-a/web", "globex").await;
    ci.tries_to_pull("team-a/web", "v1").await.expect(404);
    server.account("initech").await.tries_to_pull("team-a/web", "v1").await.expect(404);
    acme.delete("/api/v1/repositories/team-a%2Fweb/tags/v1").send().await.expect(204);
    server.flush().await;
    let mut lines = lines(&acme.audits("subject=team-a/web").await);
    lines.sort_unstable();
    let mut expected = [
        "repository_created ok acme 127.0.0.1 team-a/web",
        "manifest_pushed ok acme 127.0.0.1 team-a/web",
        "share_created ok acme 127.0.0.1 team-a/web",
        "manifest_pulled ok ci@globex 127.0.0.5 team-a/web",
        "share_revoked ok acme 127.0.0.1 team-a/web",
        "manifest_pulled denied ci@globex 127.0.0.5 team-a/web",
        "tag_deleted ok acme 127.0.0.1 team-a/web",
    ];
    expected.sort_unstable();
    assert_eq!(lines, expected);
    let of_globex = self::lines(&globex.audits("subject=team-a/web").await);
    assert_eq!(
        of_globex,
        [
            "share_created ok acme - team-a/web",
            "manifest_pulled ok ci@globex 127.0.0.5 team-a/web",
            "share_revoked ok acme - team-a/web",
        ],
        "what concerns it, and not from where the owner did it"
    );
}

#[tokio::test]
async fn sign_ins_and_refused_ones_are_told_with_their_address() {
    let server = TestServer::start().await;
    let acme = server.account("acme").await;
    let there = server.reached_from("127.0.0.9".parse().expect("an address"));
    for _ in 0..3 {
        there.person("acme", "a wrong one").get("/api/v1/whoami").send().await.expect(401);
    }
    there.person("nobody@acme", "x").get("/v2/").send().await.expect(401);
    there.person("acme", "password-of-acme").get("/v2/").send().await.expect(200);
    server.flush().await;
    let events = acme.audits("address=127.0.0.9").await;
    let mut seen = lines(&events);
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            "sign_in_failed denied acme 127.0.0.9 acme",
            "sign_in_failed denied nobody@acme 127.0.0.9 nobody@acme",
            "signed_in ok acme 127.0.0.9 acme"
        ]
    );
    let wrong = events.iter().find(|event| event["detail"] == "wrong password").expect("the refusals");
    assert_eq!(wrong["count"], 3);
    let all = serde_json::to_string(&acme.audits("").await).expect("JSON");
    assert!(!all.contains("password-of") && !all.contains("a wrong one"), "no secret is told");
}

#[tokio::test]
async fn a_stop_loses_nothing() {
    let server = TestServer::start().await;
    let (_, _, image) = shared(&server).await;
    ci(&server, "127.0.0.5").pulls("team-a/web", "v1", &image).await;
    let server = server.restart().await;
    let acme = server.person("acme", "password-of-acme");
    assert_eq!(acme.audits("kind=manifest_pulled").await.len(), 1);
    assert_eq!(acme.sees_usage("team-a/web", "globex").await["pulls"], 1);
}

#[tokio::test]
async fn the_command_line_shows_the_trail_and_the_usage() {
    let server = ServerProcess::start().await;
    let acme = server.owner("acme", "team-a").await;
    let globex = server.account("globex").await;
    let image = Image::small();
    acme.pushes("team-a/web", "v1", &image).await;
    acme.shares_for_good("team-a/web", "globex").await;
    globex.pulls("team-a/web", "v1", &image).await;
    let cli = Cli::new();
    let line = format!("login {} --username acme --password-stdin", server.url());
    cli.types_with(&line, "password-of-acme").await.succeeds();

    let line = "audit list --kind manifest_pulled --subject team-a/web";
    let mut table = String::new();
    for _ in 0..100 {
        table = cli.types(line).await.output();
        if table.contains("globex") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let rows: Vec<_> = table.lines().collect();
    assert_eq!(rows.len(), 2, "{table}");
    for word in ["manifest_pulled", "ok", "globex", "127.0.0.1", "team-a/web", &image.digest] {
        assert!(rows[1].contains(word), "{word}: {table}");
    }
    let events: Value =
        serde_json::from_str(&cli.types("audit list --limit 2 --oldest-first --json").await.output())
            .expect("JSON");
    assert_eq!(events.as_array().expect("a list").len(), 2);
    assert_eq!(events[0]["kind"], "account_created");
    cli.types("audit list --kind nothing").await.fails_saying(&["no such kind"]);
    cli.types("audit list --limit 0").await.fails_saying(&["a number from 1 on"]);
    cli.types("audit list --account globex").await.fails_saying(&["no such account"]);

    let usage = cli.types("share usage team-a/web --to globex").await.output();
    for word in ["1 pulls", "DAY", "globex", "127.0.0.1"] {
        assert!(usage.contains(word), "{word}: {usage}");
    }
    let usage: Value =
        serde_json::from_str(&cli.types("share usage team-a/web --to globex --json").await.output())
            .expect("JSON");
    assert_eq!((&usage["pulls"], &usage["items"][0]["bytes"]), (&json!(1), &json!(bytes(&image))));
    cli.types("share usage team-a/web --to initech").await.fails_saying(&["no such share"]);
}
