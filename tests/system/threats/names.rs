//! Names: what they begin with grants nothing, and whose they were is not forgotten.

use serde_json::json;
use tests::{Image, TestServer};

const DAY: i64 = 24 * 60 * 60;

#[tokio::test]
async fn harbor_c080060_a_names_beginning_grants_nothing() {
    let server = TestServer::start().await;
    let acme = server.owner("acme", "team").await;
    let acme_x = server.owner("acme-x", "team-x").await;
    let image = Image::small();
    for repository in ["team/b", "team/b-c", "team/b/c"] {
        acme.pushes(repository, "1", &image).await;
    }
    acme_x.pushes("team-x/b", "1", &image).await;

    acme.tries_to_pull("team-x/b", "1").await.expect(404);
    acme_x.tries_to_pull("team/b", "1").await.expect(404);
    acme.tries_to_push("team-x/new", "1", &image).await.expect(404);
    acme_x.tries_to_push("team/new", "1", &image).await.expect(404);

    let dev = acme.creates_user("dev").await;
    acme.permits("dev", "manage", "team/b").await;
    dev.pulls("team/b", "1", &image).await;
    for repository in ["team/b-c", "team/b/c"] {
        dev.tries_to_pull(repository, "1").await.expect(404);
        dev.tries_to_push(repository, "2", &image).await.expect(404);
        let scope = format!("repository:{repository}:pull,push");
        let token = dev.token(&["repository:team/b:pull,push", &scope]).await;
        let path = format!("/v2/{repository}/manifests/1");
        dev.get(&path).bearer(&token).send().await.expect_any(&[401, 404]);
    }
    assert_eq!(dev.get("/v2/_catalog").send().await.expect(200).strings("repositories"), ["team/b"]);

    // A user of acme, named as one of acme-x could be: the account is what stands after the last `@`.
    let x = acme_x.creates_user("x").await;
    x.as_other("x@acme", x.password()).get("/v2/").send().await.expect(401);
    x.as_other("acme-x@acme", acme_x.password()).get("/v2/").send().await.expect(401);
}

#[tokio::test]
async fn a_deleted_namespaces_name_stays_reserved_for_its_owner() {
    let server = TestServer::start().await;
    let (acme, image) = (server.owner("acme", "team-a").await, Image::small());
    let (globex, mallory) = (server.account("globex").await, server.account("mallory").await);
    acme.pushes("team-a/web", "1", &image).await;
    acme.shares_for_good("team-a/web", "globex").await;
    acme.deletes_repository("team-a/web").await;
    acme.delete("/api/v1/namespaces/team-a").send().await.expect(204);

    let body = json!({ "name": "team-a" });
    for day in [0, 1, 88] {
        server.clock().pass(day * DAY);
        mallory.post("/api/v1/namespaces").json(&body).send().await.expect(409);
        mallory.tries_to_push("team-a/web", "1", &image).await.expect(404);
    }
    server.clock().pass(2 * DAY);
    mallory.post("/api/v1/namespaces").json(&body).send().await.expect(201);
    // Even then the old share opens nothing.
    mallory.pushes("team-a/web", "1", &image).await;
    globex.tries_to_pull("team-a/web", "1").await.expect(404);
}

#[tokio::test]
async fn an_old_token_does_not_work_for_a_namespace_made_anew() {
    let server = TestServer::start().await;
    let (acme, image) = (server.owner("acme", "team-a").await, Image::small());
    // Granted for a name that does not exist yet: bound to the namespace.
    let scope = "repository:team-a/web:pull,push";
    let token = acme.token(&[scope]).await;
    acme.delete("/api/v1/namespaces/team-a").send().await.expect(204);
    acme.creates_namespace("team-a").await;
    acme.post("/v2/team-a/web/blobs/uploads/").bearer(&token).send().await.expect_any(&[401, 404]);
    acme.pushes("team-a/web", "1", &image).await;
    acme.get("/v2/team-a/web/manifests/1").bearer(&token).send().await.expect_any(&[401, 404]);
    let fresh = acme.token(&[scope]).await;
    acme.get("/v2/team-a/web/manifests/1").bearer(&fresh).send().await.expect(200);
}

#[tokio::test]
async fn a_deleted_accounts_name_stays_reserved() {
    let server = TestServer::start().await;
    let admin = server.admin();
    let globex = server.account("globex").await;
    let (acme, image) = (server.owner("acme", "team-a").await, Image::small());
    acme.pushes("team-a/web", "1", &image).await;
    acme.shares_for_good("team-a/web", "globex").await;
    admin.delete("/api/v1/accounts/globex").send().await.expect(204);
    globex.get("/v2/").send().await.expect(401);

    let body = json!({ "name": "globex", "password": "password-of-mallory" });
    let again = admin.post("/api/v1/accounts").json(&body).send().await.expect_any(&[201, 409]);
    if again.status == 409 {
        server.clock().pass(91 * DAY);
        admin.post("/api/v1/accounts").json(&body).send().await.expect(201);
    }
    // The name opens nothing of what it once did.
    let mallory = server.person("globex", "password-of-mallory");
    mallory.tries_to_pull("team-a/web", "1").await.expect(404);
    globex.get("/v2/").send().await.expect(401);
}

#[tokio::test]
async fn a_name_that_is_none_is_refused_in_the_protocols_words() {
    let server = TestServer::start().await;
    let acme = server.owner("acme", "team-a").await;
    let long = format!("team-a/{}", "x".repeat(300));
    for name in ["team-a/Web", "team-a/web_", "team-a/..", "team-a//web", "team-a/we%00b", long.as_str()] {
        let answer = acme.get(&format!("/v2/{name}/tags/list")).send().await;
        answer.expect_any(&[400, 404]);
        acme.post(&format!("/v2/{name}/blobs/uploads/")).send().await.expect_any(&[400, 404]);
    }
    acme.get("/v2/team-a/Web/tags/list").send().await.refused(400, "NAME_INVALID");
    for tag in ["-x", ".x", "x%2Fy", &"x".repeat(129)] {
        let put =
            acme.put(&format!("/v2/team-a/web/manifests/{tag}")).header("content-type", tests::MANIFEST);
        put.body("{}").send().await.expect_any(&[400, 404]);
    }
    acme.get("/v2/team-a/web/blobs/sha256:xyz").send().await.refused(400, "DIGEST_INVALID");
}
