//! A share opens one repository, to pull, for one account, and nothing besides. How it ends is [`super::closing`]'s.

use frontend::Clock;
use serde_json::json;
use tests::{Image, Person, TestServer};

/// acme with `team-a/web`, which holds an image and a signature of it; globex with a namespace of its own.
struct Stage {
    server: TestServer,
    acme: Person,
    globex: Person,
    image: Image,
}

const WEB: &str = "team-a/web";

impl Stage {
    async fn set() -> Stage {
        let server = TestServer::start().await;
        let acme = server.owner("acme", "team-a").await;
        let globex = server.owner("globex", "team-g").await;
        let image = Image::small();
        acme.pushes(WEB, "1", &image).await;
        let signature = image.referring_to(&image, "application/vnd.example.signature");
        acme.puts_manifest(WEB, &signature.digest, &signature).await.expect(201);
        Stage { server, acme, globex, image }
    }
}

#[tokio::test]
async fn a_share_opens_one_repository_and_no_sibling() {
    let stage = Stage::set().await;
    let siblings =
        ["team-a/we", "team-a/web-internal", "team-a/web/internal", "team-a/internal", "team-a/web.x"];
    for sibling in siblings {
        stage.acme.pushes(sibling, "1", &stage.image).await;
    }
    stage.acme.shares_for_good(WEB, "globex").await;
    for sibling in siblings {
        stage.globex.tries_to_pull(sibling, "1").await.expect(404);
        // The same bytes, by a name that opens them and one that does not.
        let path = format!("/v2/{sibling}/blobs/{}", stage.image.layers[0].digest);
        stage.globex.get(&path).send().await.expect(404);
        let token =
            stage.globex.token(&["repository:team-a/web:pull", &format!("repository:{sibling}:pull")]).await;
        stage.globex.get(&path).bearer(&token).send().await.expect_any(&[401, 404]);
    }
    stage.globex.pulls(WEB, "1", &stage.image).await;
}

#[tokio::test]
async fn a_sharee_pulls_and_does_nothing_else() {
    let stage = Stage::set().await;
    let globex = &stage.globex;
    stage.acme.shares_for_good(WEB, "globex").await;
    let token = globex.token(&["repository:team-a/web:pull,push,delete,*"]).await;
    let mut requests = Vec::new();
    for by_token in [false, true] {
        let sign = |request: tests::Request| if by_token { request.bearer(&token) } else { request };
        let manifest = |reference: &str| format!("/v2/{WEB}/manifests/{reference}");
        let image = &stage.image;
        let put =
            globex.put(&manifest("2")).header("content-type", &image.media_type).body(image.manifest.clone());
        requests.push(sign(put));
        requests.push(sign(globex.post(&format!("/v2/{WEB}/blobs/uploads/"))));
        requests.push(sign(globex.delete(&manifest("1"))));
        requests.push(sign(globex.delete(&manifest(&image.digest))));
        requests.push(sign(globex.delete(&format!("/v2/{WEB}/blobs/{}", image.layers[0].digest))));
    }
    let management = "/api/v1/repositories/team-a%2Fweb";
    let shares = format!("{management}/shares");
    requests.push(globex.post(&shares).json(&json!({ "account": "admin", "permanent": true })));
    requests.push(globex.get(&shares));
    requests.push(globex.patch(&format!("{shares}/globex")).json(&json!({ "permanent": true })));
    requests.push(globex.patch(management).json(&json!({ "visibility": "public" })));
    requests.push(globex.patch(management).json(&json!({ "description": "mine" })));
    requests.push(globex.delete(management));
    requests.push(globex.delete(&format!("{management}/tags/1")));
    requests
        .push(globex.put(&format!("{management}/permissions/globex")).json(&json!({ "level": "manage" })));
    for request in requests {
        request.send().await.expect(403);
    }
    stage.acme.pulls(WEB, "1", &stage.image).await;
    stage.acme.tries_to_pull(WEB, "2").await.expect(404);
}

#[tokio::test]
async fn every_user_of_the_sharee_may_pull_and_no_other_user_may() {
    let stage = Stage::set().await;
    let (theirs, ours) = (stage.globex.creates_user("ci").await, stage.acme.creates_user("ci").await);
    stage.acme.shares_for_good(WEB, "globex").await;
    theirs.pulls(WEB, "1", &stage.image).await;
    // A user of the owner has what it is permitted, and nothing by default.
    ours.tries_to_pull(WEB, "1").await.expect(404);
}

#[tokio::test]
async fn a_mount_from_an_open_share_needs_the_share_and_the_copy_is_the_sharees() {
    let stage = Stage::set().await;
    let blob = &stage.image.layers[0];
    let mount = format!("/v2/team-g/copy/blobs/uploads/?mount={}&from={WEB}", blob.digest);
    stage.globex.post(&mount).send().await.expect(202);
    stage.acme.shares(WEB, "globex", stage.server.in_seconds(60)).await;
    stage.globex.post(&mount).send().await.expect(201);
    stage.server.clock().pass(60);
    let copy = stage.globex.get(&format!("/v2/team-g/copy/blobs/{}", blob.digest)).send().await.expect(200);
    assert_eq!(copy.body, blob.bytes);
}

#[tokio::test]
async fn accounts_cannot_be_listed_by_guessing_with_shares() {
    let stage = Stage::set().await;
    let dev = stage.acme.creates_user("dev").await;
    stage.acme.permits("dev", "edit", WEB).await;
    stage.acme.shares_for_good(WEB, "globex").await;
    // Who may not share is told the same for a name that is and a name that is not.
    for who in [&dev, &stage.globex] {
        let answers = ["admin", "no-such-account"].map(|name| json!({ "account": name, "permanent": true }));
        let there = who.tries_to_share(WEB, &answers[0]).await.expect(403);
        let missing = who.tries_to_share(WEB, &answers[1]).await.expect(403);
        assert_eq!(there.body, missing.body);
    }
    for path in ["/api/v1/accounts/admin", "/api/v1/accounts/no-such-account", "/api/v1/accounts"] {
        stage.globex.get(path).send().await.expect_any(&[403, 404]);
    }
    // Who may share is told, thirty times an hour.
    let mut unknown = 0;
    for number in 0..40 {
        let body = json!({ "account": format!("guess-{number}"), "permanent": true });
        let answer = stage.acme.tries_to_share(WEB, &body).await.expect_any(&[404, 422, 429]);
        unknown += usize::from(answer.status != 429);
    }
    assert_eq!(unknown, 30);
    let known = json!({ "account": "admin", "permanent": true });
    stage.acme.tries_to_share(WEB, &known).await.expect_any(&[201, 429]);
    stage.server.clock().pass(3601);
    let body = json!({ "account": "guess-41", "permanent": true });
    stage.acme.tries_to_share(WEB, &body).await.expect_any(&[404, 422]);
}

#[tokio::test]
async fn an_impossible_share_is_refused_with_a_sentence_and_makes_nothing() {
    let stage = Stage::set().await;
    let now = stage.server.clock().now();
    let later = stage.server.in_seconds(60).to_string();
    let impossible = [
        json!({ "account": "globex" }),
        json!({ "account": "globex", "until": later, "permanent": true }),
        json!({ "account": "globex", "until": now.to_string() }),
        json!({ "account": "globex", "until": "2020-01-01T00:00:00Z" }),
        json!({ "account": "globex", "until": "2027-02-01T00:00:00" }),
        json!({ "account": "globex", "until": "2027-02-01" }),
        json!({ "account": "globex", "until": "2027-02-30T00:00:00Z" }),
        json!({ "account": "globex", "until": "soon" }),
        json!({ "account": "globex", "until": 1_900_000_000 }),
        json!({ "account": "globex", "until": later, "description": "x".repeat(1001) }),
        json!({ "account": "globex", "until": later, "description": "\u{0}" }),
        json!({ "account": "globex", "until": later, "region": "elsewhere" }),
        json!({ "account": "globex", "until": later, "permission": "push" }),
        json!({ "account": "acme", "until": later }),
        json!({ "account": "no-such-account", "until": later }),
        json!({ "account": "../globex", "until": later }),
        json!({ "until": later }),
        json!([]),
    ];
    for body in &impossible {
        let answer = stage.acme.tries_to_share(WEB, body).await.expect_any(&[400, 404, 409, 422]);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:?}");
        assert!(answer.json()["detail"].as_str().is_some_and(|detail| detail.len() > 10), "{answer:?}");
    }
    for repository in ["team-a/none", "team-g/none", "team-a", "Team-A/web"] {
        let body = json!({ "account": "globex", "until": later });
        stage.acme.tries_to_share(repository, &body).await.expect_any(&[400, 404, 422]);
    }
    let shares = stage.acme.get("/api/v1/shares?direction=by_me").send().await.expect(200).json();
    assert_eq!(shares["items"], json!([]));
    // The longest description, in characters, and the same share twice.
    let good =
        json!({ "account": "globex", "until": later, "description": "é".repeat(1000), "region": "local" });
    stage.acme.tries_to_share(WEB, &good).await.expect(201);
    stage.acme.tries_to_share(WEB, &good).await.expect(409);
}
