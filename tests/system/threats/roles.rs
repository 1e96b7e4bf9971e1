//! Rights within an account, and ids from one parent under another.

use serde_json::{Value, json};
use tests::{Answer, Image, Person, TestServer};

async fn stage() -> (TestServer, Person, Image) {
    let server = TestServer::start().await;
    let acme = server.owner("acme", "team-a").await;
    server.account("globex").await;
    let image = Image::small();
    acme.pushes("team-a/web", "1", &image).await;
    (server, acme, image)
}

/// Everything that changes a repository's metadata.
async fn changes(who: &Person) -> Vec<Answer> {
    let path = "/api/v1/repositories/team-a%2Fweb";
    let requests = [
        who.patch(path).json(&json!({ "description": "changed" })),
        who.patch(path).json(&json!({ "visibility": "public" })),
        who.put(&format!("{path}/permissions/dev")).json(&json!({ "level": "manage" })),
        who.delete(&format!("{path}/permissions/dev")),
        who.put("/api/v1/namespaces/team-a/permissions/dev").json(&json!({ "level": "manage" })),
        who.post(&format!("{path}/shares")).json(&json!({ "account": "globex", "permanent": true })),
        who.delete(path),
        who.delete("/api/v1/namespaces/team-a"),
    ];
    let mut answers = Vec::new();
    for request in requests {
        answers.push(request.send().await);
    }
    answers
}

#[tokio::test]
async fn cve_2024_22278_a_lower_role_does_not_edit_metadata_or_share() {
    let (_server, acme, image) = stage().await;
    let dev = acme.creates_user("dev").await;
    for level in ["read", "edit"] {
        acme.permits("dev", level, "team-a/web").await;
        for answer in changes(&dev).await {
            answer.expect_any(&[403, 404]);
        }
        dev.pulls("team-a/web", "1", &image).await;
    }
    let repository = acme.get("/api/v1/repositories/team-a%2Fweb").send().await.expect(200).json();
    assert_eq!((&repository["description"], &repository["visibility"]), (&json!(""), &json!("private")));
    let shares = acme.get("/api/v1/shares?direction=by_me").send().await.expect(200).json();
    assert_eq!(shares["items"], json!([]));
}

#[tokio::test]
async fn each_level_may_do_what_it_says_and_no_more() {
    let (_server, acme, image) = stage().await;
    let dev = acme.creates_user("dev").await;
    let delete = |reference: String| dev.delete(&format!("/v2/team-a/web/manifests/{reference}"));
    dev.tries_to_pull("team-a/web", "1").await.expect(404);

    acme.permits("dev", "read", "team-a/web").await;
    dev.pulls("team-a/web", "1", &image).await;
    dev.tries_to_push("team-a/web", "2", &image).await.expect(403);
    delete("1".to_owned()).send().await.expect(403);

    acme.permits("dev", "edit", "team-a/web").await;
    dev.pushes("team-a/web", "2", &image).await;
    delete("2".to_owned()).send().await.expect(202);
    delete(image.digest.clone()).send().await.expect(403);
    dev.tries_to_push("team-a/new", "1", &image).await.expect_any(&[403, 404]);

    acme.permits("dev", "manage", "team-a/web").await;
    dev.shares_for_good("team-a/web", "globex").await;
    delete(image.digest.clone()).send().await.expect(202);

    acme.delete("/api/v1/repositories/team-a%2Fweb/permissions/dev").send().await.expect(204);
    dev.tries_to_pull("team-a/web", "1").await.expect(404);
}

#[tokio::test]
async fn administrators_do_not_read_private_images() {
    let (server, acme, image) = stage().await;
    let admin = server.admin();
    admin.tries_to_pull("team-a/web", "1").await.expect(404);
    admin.tries_to_push("team-a/web", "2", &image).await.expect(404);
    admin.get("/api/v1/repositories/team-a%2Fweb").send().await.expect(404);
    acme.patch("/api/v1/accounts/globex")
        .json(&json!({ "disabled": true }))
        .send()
        .await
        .expect_any(&[403, 404]);
    acme.get("/api/v1/accounts").send().await.expect(403);
    acme.post("/api/v1/accounts")
        .json(&json!({ "name": "mine", "password": "password-of-mine" }))
        .send()
        .await
        .expect(403);
}

/// CVE-2022-31667 to 31670.
#[tokio::test]
async fn cve_2022_31667_an_id_from_one_parent_is_not_taken_under_another() {
    let (server, acme, image) = stage().await;
    let globex = server.person("globex", "password-of-globex");
    globex.creates_namespace("team-g").await;
    globex.pushes("team-g/web", "1", &image).await;
    acme.pushes("team-a/other", "1", &image).await;
    acme.shares_for_good("team-a/web", "globex").await;
    acme.creates_user("dev").await;

    // A share, under another repository of its owner and under one of the grantee.
    acme.delete("/api/v1/repositories/team-a%2Fother/shares/globex").send().await.expect(404);
    globex.delete("/api/v1/repositories/team-g%2Fweb/shares/globex").send().await.expect_any(&[404, 422]);
    // A user, under another account, by short and by full name.
    for path in ["/api/v1/accounts/globex/users/dev", "/api/v1/accounts/globex/users/dev@acme"] {
        globex.get(path).send().await.expect_any(&[400, 404, 422]);
        globex.delete(path).send().await.expect_any(&[400, 404, 422]);
        globex.patch(path).json(&json!({ "disabled": true })).send().await.expect_any(&[400, 404, 422]);
    }
    globex.delete("/api/v1/accounts/acme/users/dev").send().await.expect_any(&[403, 404]);
    // Another account's user, in a permission.
    for user in ["dev", "dev@acme", "acme"] {
        let path = format!("/api/v1/repositories/team-g%2Fweb/permissions/{user}");
        globex.put(&path).json(&json!({ "level": "read" })).send().await.expect_any(&[400, 404, 422]);
    }
    // A personal token, by somebody else.
    let body = json!({ "expires_in_seconds": 600 });
    let made: Value = acme.post("/api/v1/tokens").json(&body).send().await.expect(201).json();
    globex.delete(&format!("/api/v1/tokens/{}", made["id"])).send().await.expect(404);
    let secret = made["secret"].as_str().expect("a secret");
    globex.as_other("globex", secret).get("/v2/").send().await.expect(401);
    // A tag, by another repository's path.
    globex.delete("/api/v1/repositories/team-g%2Fweb/tags/2").send().await.expect(404);

    globex.pulls("team-a/web", "1", &image).await;
    acme.as_other("acme", secret).get("/v2/").send().await.expect(200);
    acme.get("/api/v1/accounts/acme/users/dev").send().await.expect(200);
}
