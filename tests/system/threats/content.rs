//! What is served: only what was pushed, only where it lies, only as what it is.

use serde_json::json;
use tests::{Blob, Image, MANIFEST, Person, TestServer, index_of};
use tokio::time::{Duration, Instant};

async fn stage() -> (TestServer, Person, Person, Image) {
    let server = TestServer::start().await;
    let acme = server.owner("acme", "team-a").await;
    let globex = server.owner("globex", "team-g").await;
    let image = Image::small();
    acme.pushes("team-a/web", "1", &image).await;
    (server, acme, globex, image)
}

#[tokio::test]
async fn cve_2023_2253_a_huge_n_allocates_nothing_and_answers_at_once() {
    let (_server, acme, _, image) = stage().await;
    let begun = Instant::now();
    let huge = ["1000000", "2147483647", "4294967296", "9223372036854775807", "18446744073709551615"];
    let beyond = ["18446744073709551616", "1e9", "-1", "0x10", "99999999999999999999999999999999"];
    for path in
        ["/v2/team-a/web/tags/list", "/v2/_catalog", &format!("/v2/team-a/web/referrers/{}", image.digest)]
    {
        for n in huge {
            acme.get(&format!("{path}?n={n}")).send().await.expect_any(&[200, 400]);
        }
        for n in beyond {
            acme.get(&format!("{path}?n={n}")).send().await.expect_any(&[200, 400]);
        }
    }
    for n in huge.iter().chain(&beyond) {
        acme.get(&format!("/api/v1/repositories?limit={n}")).send().await.expect_any(&[200, 400, 422]);
    }
    assert_eq!(acme.get("/v2/team-a/web/tags/list?n=0").send().await.expect(200).strings("tags"), [""; 0]);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn cve_2026_35172_a_deleted_blob_stays_deleted_when_another_repository_is_read() {
    let (_server, acme, ..) = stage().await;
    let blob = Blob::random(5000);
    for repository in ["team-a/one", "team-a/two"] {
        acme.uploads(repository, &blob).await.expect(201);
        acme.get(&format!("/v2/{repository}/blobs/{}", blob.digest)).send().await.expect(200);
    }
    acme.delete(&format!("/v2/team-a/one/blobs/{}", blob.digest)).send().await.expect(202);
    for _ in 0..3 {
        acme.get(&format!("/v2/team-a/two/blobs/{}", blob.digest)).send().await.expect(200);
        let path = format!("/v2/team-a/one/blobs/{}", blob.digest);
        acme.get(&path).send().await.refused(404, "BLOB_UNKNOWN");
        acme.head(&path).send().await.expect(404);
        acme.get(&path).header("range", "bytes=0-9").send().await.expect(404);
    }
    // Another push of it elsewhere does not bring it back either.
    acme.uploads("team-a/three", &blob).await.expect(201);
    acme.head(&format!("/v2/team-a/one/blobs/{}", blob.digest)).send().await.expect(404);
}

#[tokio::test]
async fn cve_2021_41190_a_manifest_is_taken_as_what_it_says_it_is_or_not_at_all() {
    let (_server, acme, _, image) = stage().await;
    let index = index_of(&[&image]);
    let both = json!({
        "schemaVersion": 2,
        "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": image.config.digest,
                    "size": image.config.bytes.len() },
        "layers": [],
        "manifests": [],
    });
    let both = both.to_string();
    let untyped = r#"{"schemaVersion":2}"#;
    let index_text = String::from_utf8_lossy(&index.manifest).into_owned();
    let image_text = String::from_utf8_lossy(&image.manifest).into_owned();
    let twice = image_text.replacen('{', r#"{"mediaType":"application/vnd.oci.image.index.v1+json","#, 1);
    let attempts = [
        (MANIFEST, index_text.as_str()),
        (index.media_type.as_str(), image_text.as_str()),
        ("application/vnd.docker.distribution.manifest.v2+json", image_text.as_str()),
        (MANIFEST, both.as_str()),
        (index.media_type.as_str(), both.as_str()),
        (MANIFEST, untyped),
        (MANIFEST, twice.as_str()),
        (MANIFEST, "[]"),
        (MANIFEST, ""),
        (MANIFEST, "{"),
    ];
    for (content_type, body) in attempts {
        let put = acme.put("/v2/team-a/web/manifests/wrong").header("content-type", content_type);
        let answer = put.body(body.to_owned()).send().await;
        answer.refused(400, "MANIFEST_INVALID");
    }
    acme.tries_to_pull("team-a/web", "wrong").await.expect(404);
    acme.puts_manifest("team-a/web", "index", &index).await.expect(201);
    acme.pulls("team-a/web", "1", &image).await;
}

#[tokio::test]
async fn a_media_type_outside_the_list_is_refused() {
    let (_server, acme, _, image) = stage().await;
    for content_type in
        ["text/html", "application/json", "application/vnd.docker.distribution.manifest.v1+prettyjws"]
    {
        let put = acme.put("/v2/team-a/web/manifests/2").header("content-type", content_type);
        put.body(image.manifest.clone()).send().await.expect_any(&[400, 415]);
    }
    let put =
        acme.put("/v2/team-a/web/manifests/2").header("content-type", &format!("{MANIFEST}; charset=utf-8"));
    put.body(image.manifest.clone()).send().await.expect(201);
    let served = acme.tries_to_pull("team-a/web", "2").await.expect(200);
    assert_eq!(served.header("content-type"), MANIFEST);
}

#[tokio::test]
async fn cve_2024_39897_bytes_are_reached_only_where_the_caller_may_pull_them() {
    let (server, acme, globex, image) = stage().await;
    let blob = &image.layers[0];
    let own = Image::small();
    globex.pushes("team-g/own", "1", &own).await;
    for method in ["GET", "HEAD"] {
        for repository in ["team-a/web", "team-g/own", "team-g/none"] {
            for what in [format!("blobs/{}", blob.digest), format!("manifests/{}", image.digest)] {
                let path = format!("/v2/{repository}/{what}");
                let request = if method == "GET" { globex.get(&path) } else { globex.head(&path) };
                request.send().await.expect(404);
            }
        }
    }
    for from in ["", "&from=team-a/web", "&from=team-g/own", "&from=team-a/none", "&from=../web"] {
        let mount = format!("/v2/team-g/own/blobs/uploads/?mount={}{from}", blob.digest);
        let answer = globex.post(&mount).send().await.expect(202);
        assert!(!answer.header("location").is_empty(), "{answer:?}");
    }
    // A token for one's own repository opens no source either.
    let token = globex.token(&["repository:team-g/own:pull,push"]).await;
    let mount = format!("/v2/team-g/own/blobs/uploads/?mount={}&from=team-a/web", blob.digest);
    globex.post(&mount).bearer(&token).send().await.expect(202);
    globex.head(&format!("/v2/team-g/own/blobs/{}", blob.digest)).send().await.expect(404);
    // A manifest cannot name what one does not hold.
    globex.puts_manifest("team-g/own", "stolen", &image).await.refused(400, "MANIFEST_BLOB_UNKNOWN");
    // Who may read the source mounts it.
    acme.post(&format!("/v2/team-a/copy/blobs/uploads/?mount={}&from=team-a/web", blob.digest))
        .send()
        .await
        .expect(201);
    acme.post(&format!("/v2/team-a/copy/blobs/uploads/?mount={}", image.layers[1].digest))
        .send()
        .await
        .expect(201);
    drop(server);
}

#[tokio::test]
async fn cve_2026_27771_a_private_image_is_not_pulled_anonymously_and_is_not_told_from_a_missing_one() {
    let (server, _, _, image) = stage().await;
    let stranger = server.stranger();
    let anonymous = stranger.token(&["repository:team-a/web:pull", "repository:team-a/none:pull"]).await;
    let paths = |repository: &str| {
        [
            format!("/v2/{repository}/manifests/1"),
            format!("/v2/{repository}/manifests/{}", image.digest),
            format!("/v2/{repository}/blobs/{}", image.layers[0].digest),
            format!("/v2/{repository}/tags/list"),
            format!("/v2/{repository}/referrers/{}", image.digest),
        ]
    };
    for (private, missing) in paths("team-a/web").iter().zip(paths("team-a/none").iter()) {
        let private_answer = stranger.get(private).send().await.expect(401);
        let missing_answer = stranger.get(missing).send().await.expect(401);
        assert_eq!(private_answer.body, missing_answer.body);
        stranger.head(private).send().await.expect(401);
        stranger.get(private).bearer(&anonymous).send().await.expect(401);
    }
    stranger.get("/api/v1/repositories/team-a%2Fweb").send().await.expect(401);
    assert_eq!(
        stranger.get("/v2/").send().await.expect(401).header("www-authenticate").split(' ').next(),
        Some("Bearer")
    );
    // Signed in as somebody else: private and missing look alike, too.
    let globex = server.person("globex", "password-of-globex");
    for (private, missing) in paths("team-a/web").iter().zip(paths("team-a/none").iter()) {
        let private_answer = globex.get(private).send().await.expect(404);
        assert_eq!(private_answer.body, globex.get(missing).send().await.expect(404).body);
    }
}

#[tokio::test]
async fn zot_22deb3bb_a_push_of_many_tags_checks_each_of_them() {
    let (_server, acme, _, image) = stage().await;
    let dev = acme.creates_user("dev").await;
    acme.permits("dev", "read", "team-a/web").await;
    let put = |who: &Person, query: &str| {
        let path = format!("/v2/team-a/web/manifests/{}?{query}", image.digest);
        who.put(&path).header("content-type", &image.media_type).body(image.manifest.clone())
    };
    for query in ["tag=good&tag=-bad", "tag=good&tag=a%2Fb", "tag=good&tag=", "tag=good&tag=..%2F..%2Fetc"] {
        put(&acme, query).send().await.expect(400);
    }
    let many: Vec<String> = (0..1000).map(|number| format!("tag=t{number}")).collect();
    put(&acme, &many.join("&")).send().await.expect_any(&[400, 413, 414]);
    put(&dev, "tag=good").send().await.expect(403);
    let tags = acme.get("/v2/team-a/web/tags/list").send().await.expect(200).strings("tags");
    assert_eq!(tags, ["1"], "a refused push tagged something");
    let answer = put(&acme, "tag=a&tag=b").send().await.expect(201);
    assert_eq!(answer.header("oci-tag"), "a, b", "{answer:?}");
}

#[tokio::test]
async fn content_is_served_so_that_no_browser_runs_it() {
    let (_server, acme, ..) = stage().await;
    let page = Blob::layer("<script>alert(document.domain)</script>".as_bytes().to_vec());
    acme.uploads("team-a/web", &page).await.expect(201);
    let blob = acme.get(&format!("/v2/team-a/web/blobs/{}", page.digest)).send().await.expect(200);
    assert_eq!(blob.header("content-type"), "application/octet-stream");
    for answer in [blob, acme.tries_to_pull("team-a/web", "1").await.expect(200)] {
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{answer:?}");
        assert!(answer.header("content-security-policy").contains("sandbox"), "{answer:?}");
    }
}
