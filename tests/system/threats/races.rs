//! Two things at once: whatever comes first, what is left is whole.

use serde_json::json;
use tests::{Blob, Image, TestServer};

const ROUNDS: usize = 25;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repository_deleted_while_a_push_commits_is_whole_or_gone() {
    let server = TestServer::start().await;
    let acme = server.owner("acme", "team-a").await;
    for round in 0..ROUNDS {
        let repository = format!("team-a/web-{round}");
        let image = Image::small();
        for blob in image.blobs() {
            acme.uploads(&repository, blob).await.expect(201);
        }
        let path = format!("/api/v1/repositories/{}", repository.replace('/', "%2F"));
        let (put, deleted) =
            tokio::join!(acme.puts_manifest(&repository, "1", &image), acme.delete(&path).send());
        deleted.expect(204);
        // A manifest that came after the deletion finds none of its blobs; one whose body came meanwhile, its right ended.
        put.expect_any(&[201, 400, 403, 404, 409]);
        let there = acme.tries_to_pull(&repository, "1").await.expect_any(&[200, 404]);
        if there.status == 200 {
            acme.pulls(&repository, "1", &image).await;
        }
        acme.pushes(&repository, "1", &image).await;
        acme.pulls(&repository, "1", &image).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_made_public_while_a_share_is_made_has_no_open_share() {
    let server = TestServer::start().await;
    let acme = server.owner("acme", "team-a").await;
    let globex = server.account("globex").await;
    let image = Image::small();
    for round in 0..ROUNDS {
        let repository = format!("team-a/web-{round}");
        acme.pushes(&repository, "1", &image).await;
        let body = json!({ "account": "globex", "permanent": true });
        let (shared, public) =
            tokio::join!(acme.tries_to_share(&repository, &body), acme.makes(&repository, "public"));
        shared.expect_any(&[201, 409, 422]);
        public.expect(200);
        acme.makes(&repository, "private").await.expect(200);
        globex.tries_to_pull(&repository, "1").await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_pushes_of_one_blob_at_once_all_succeed_and_leave_it_once() {
    let server = TestServer::start().await;
    let acme = server.owner("acme", "team-a").await;
    let blob = Blob::random(200_000);
    let pushes = (0..12).map(|number| {
        let (acme, blob) = (acme.clone(), blob.clone());
        tokio::spawn(async move {
            let repository = format!("team-a/web-{}", number % 3);
            acme.uploads(&repository, &blob).await.expect(201);
            acme.get(&format!("/v2/{repository}/blobs/{}", blob.digest)).send().await.expect(200)
        })
    });
    for push in pushes.collect::<Vec<_>>() {
        assert_eq!(push.await.expect("a push").body, blob.bytes);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_first_pushes_at_once_one_makes_the_repository_and_all_succeed() {
    let server = TestServer::start().await;
    let acme = server.owner("acme", "team-a").await;
    for round in 0..5 {
        let pushes = (0..6).map(|number| {
            let acme = acme.clone();
            tokio::spawn(async move {
                let image = Image::small();
                acme.pushes(&format!("team-a/new-{round}"), &format!("t{number}"), &image).await;
            })
        });
        for push in pushes.collect::<Vec<_>>() {
            push.await.expect("a push");
        }
        let tags =
            acme.get(&format!("/v2/team-a/new-{round}/tags/list")).send().await.expect(200).strings("tags");
        assert_eq!(tags.len(), 6, "{tags:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_manifest_deleted_while_its_blob_is_deleted_leaves_no_manifest_without_its_blob() {
    let server = TestServer::start().await;
    let acme = server.owner("acme", "team-a").await;
    for round in 0..ROUNDS {
        let image = Image::small();
        let repository = format!("team-a/web-{round}");
        for blob in image.blobs() {
            acme.uploads(&repository, blob).await.expect(201);
        }
        let path = format!("/v2/{repository}/blobs/{}", image.layers[0].digest);
        let (put, deleted) =
            tokio::join!(acme.puts_manifest(&repository, "1", &image), acme.delete(&path).send());
        match (put.status, deleted.status) {
            (201, 405) => acme.pulls(&repository, "1", &image).await,
            (400, 202) => {
                acme.tries_to_pull(&repository, "1").await.expect(404);
            }
            _ => panic!("both were done, or neither: {put:?}\n{deleted:?}"),
        }
    }
}
