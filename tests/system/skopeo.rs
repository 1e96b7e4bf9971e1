//! skopeo, by a clock that the test sets.

use tests::{Blob, Image, Person, Skopeo, TestServer};

/// What skopeo says when the registry does not let it in.
const REFUSED: &[&str] =
    &["denied", "unauthorized", "authentication required", "not found", "unknown", "forbidden"];

async fn image() -> Image {
    Image::of(vec![Blob::archive(b"one").await, Blob::archive(&[7; 100_000]).await])
}

/// A server, acme with an image that skopeo pushed to `team-a/web:1`, and globex.
async fn stage() -> (TestServer, Person, Person, Image) {
    let server = TestServer::start().await;
    let acme = server.owner("acme", "team-a").await;
    let globex = server.account("globex").await;
    let (skopeo, image) = (Skopeo::of(&acme, &server).await, image().await);
    skopeo.stores("image", &image);
    skopeo.pushes("image", &web(&server)).await.succeeds();
    (server, acme, globex, image)
}

fn web(server: &TestServer) -> String {
    format!("{}/team-a/web:1", server.host())
}

#[tokio::test]
async fn the_owner_copies_in_and_from_the_share_on_the_sharee_copies_out_every_byte() {
    let (server, acme, globex, image) = stage().await;
    let skopeo = Skopeo::of(&globex, &server).await;
    skopeo.pulls(&web(&server), "early").await.fails_saying(REFUSED);
    skopeo.inspects(&web(&server)).await.fails_saying(REFUSED);

    acme.shares("team-a/web", "globex", server.in_seconds(60)).await;
    skopeo.pulls(&web(&server), "copy").await.succeeds();
    skopeo.holds("copy", &image);
    assert_eq!(skopeo.inspects(&web(&server)).await.output(), image.digest);
}

#[tokio::test]
async fn the_share_closes_at_its_deadline_to_the_second() {
    let (server, acme, globex, image) = stage().await;
    let skopeo = Skopeo::of(&globex, &server).await;
    acme.shares("team-a/web", "globex", server.in_seconds(60)).await;
    server.clock().pass(59);
    skopeo.pulls(&web(&server), "copy").await.succeeds();
    skopeo.holds("copy", &image);
    server.clock().pass(1);
    skopeo.pulls(&web(&server), "late").await.fails_saying(REFUSED);
    skopeo.inspects(&web(&server)).await.fails_saying(REFUSED);
}

#[tokio::test]
async fn the_share_closes_when_it_is_revoked() {
    let (server, acme, globex, _) = stage().await;
    let skopeo = Skopeo::of(&globex, &server).await;
    acme.shares_for_good("team-a/web", "globex").await;
    skopeo.pulls(&web(&server), "copy").await.succeeds();
    acme.revokes("team-a/web", "globex").await;
    skopeo.pulls(&web(&server), "late").await.fails_saying(REFUSED);
}

#[tokio::test]
async fn a_sharee_neither_pushes_nor_deletes_and_a_third_account_and_a_sibling_stay_closed() {
    let (server, acme, globex, image) = stage().await;
    let initech = server.account("initech").await;
    let sibling = format!("{}/team-a/web-internal:1", server.host());
    acme.pushes("team-a/web-internal", "1", &image).await;
    acme.shares_for_good("team-a/web", "globex").await;

    let sharee = Skopeo::of(&globex, &server).await;
    sharee.pulls(&web(&server), "copy").await.succeeds();
    sharee.pushes("copy", &format!("{}/team-a/web:2", server.host())).await.fails_saying(REFUSED);
    sharee.deletes(&web(&server)).await.fails_saying(REFUSED);
    sharee.pulls(&sibling, "sibling").await.fails_saying(REFUSED);
    let third = Skopeo::of(&initech, &server).await;
    third.pulls(&web(&server), "third").await.fails_saying(REFUSED);
    Skopeo::new().pulls(&web(&server), "stranger").await.fails_saying(REFUSED);

    acme.pulls("team-a/web", "1", &image).await;
    acme.tries_to_pull("team-a/web", "2").await.expect(404);
}

#[tokio::test]
async fn the_owner_deletes_and_it_is_gone_for_everybody() {
    let (server, acme, globex, image) = stage().await;
    acme.shares_for_good("team-a/web", "globex").await;
    let skopeo = Skopeo::of(&globex, &server).await;
    skopeo.pulls(&web(&server), "copy").await.succeeds();
    Skopeo::of(&acme, &server).await.deletes(&web(&server)).await.succeeds();
    skopeo.pulls(&web(&server), "late").await.fails_saying(REFUSED);
    for reference in ["1", &image.digest] {
        acme.tries_to_pull("team-a/web", reference).await.refused(404, "MANIFEST_UNKNOWN");
    }
}

#[tokio::test]
async fn skopeo_login_with_a_wrong_password_is_refused() {
    let (server, _, globex, _) = stage().await;
    let impostor = server.person("acme", globex.password());
    Skopeo::new()
        .logs_in(&impostor, &server)
        .await
        .fails_saying(&["invalid username/password", "unauthorized"]);
}
