//! What comes out: manifests, lists and blobs, and what is gone.

use bytes::Bytes;
use serde_json::{Value, json};
use tests::{Answer, Blob, INDEX, Image, MANIFEST, Person, digest_of, index_of, sha512_of};

use super::{MANIFEST_OF_WEB, Stage, WEB, blob_of_web, image};

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

#[tokio::test]
async fn pull_01_a_manifest_comes_back_byte_for_byte_with_its_media_type_whatever_is_accepted() {
    let mut stage = Stage::with_image().await;
    let (acme, globex) = (stage.acme.clone(), stage.globex.clone());
    acme.shares(WEB, "globex", stage.server.in_seconds(60)).await;
    // Spaces, an order and an escape of its own.
    let pretty =
        serde_json::to_string_pretty(&serde_json::from_slice::<Value>(&image().manifest).expect("JSON"));
    let pretty = pretty.expect("JSON").replace("\"schemaVersion\"", "\n\t\"schema\\u0056ersion\"") + "\n";
    let docker = pretty.replace(MANIFEST, DOCKER_MANIFEST);
    let index = String::from_utf8(index_of(&[&image()]).manifest.to_vec()).expect("text");
    for (tag, content_type, media_type, body) in [
        ("pretty", MANIFEST.to_owned(), MANIFEST, &pretty),
        ("parameters", format!("{MANIFEST}; charset=utf-8"), MANIFEST, &pretty),
        ("docker", DOCKER_MANIFEST.to_owned(), DOCKER_MANIFEST, &docker),
        ("index", format!("{INDEX};charset=utf-8;x=\"y\""), INDEX, &index),
    ] {
        let path = format!("/v2/{WEB}/manifests/{tag}");
        let put = acme.put(&path).header("content-type", &content_type).body(body.clone());
        stage.hears(put).await.expect(201);
        for accept in
            ["*/*", MANIFEST, INDEX, DOCKER_MANIFEST, "application/vnd.docker.distribution.manifest.v1+json"]
        {
            let answer = globex.get(&path).header("accept", accept).send().await.expect(200);
            assert_eq!((answer.header("content-type"), &answer.body[..]), (media_type, body.as_bytes()));
            assert_eq!(answer.header("docker-content-digest"), digest_of(body.as_bytes()));
        }
        stage.hears(globex.head(&path).header("accept", INDEX)).await.expect(200);
        stage
            .hears(globex.get(&format!("/v2/{WEB}/manifests/{}", digest_of(body.as_bytes()))))
            .await
            .expect(200);
    }
    // By another algorithm, as it was pushed by it.
    let digest = sha512_of(&image().manifest);
    acme.puts_manifest(WEB, &digest, &image()).await.expect(201);
    let answer = stage.hears(globex.get(&format!("/v2/{WEB}/manifests/{digest}"))).await.expect(200);
    assert_eq!((answer.header("docker-content-digest"), &answer.body), (&*digest, &image().manifest));
    insta::assert_snapshot!(stage.said.text());
}

fn digests(answer: &Answer) -> Vec<String> {
    let json = answer.json();
    let manifests = json["manifests"].as_array().expect("a list");
    manifests.iter().map(|it| it["digest"].as_str().expect("a digest").to_owned()).collect()
}

#[tokio::test]
async fn pull_02_referrers_are_an_index_perhaps_empty_filtered_and_in_pages_with_link_and_never_a_404() {
    let mut stage = Stage::with_image().await;
    let (acme, subject) = (stage.acme.clone(), image());
    let of =
        |repository: &str, digest: &str, query: &str| format!("/v2/{repository}/referrers/{digest}{query}");
    for (repository, digest) in
        [(WEB, &subject.digest), (WEB, &Blob::layer("nothing").digest), ("team-a/none", &subject.digest)]
    {
        let answer = stage.hears(acme.get(&of(repository, digest, ""))).await.expect(200);
        assert_eq!((answer.header("content-type"), digests(&answer)), (INDEX, Vec::new()));
        assert_eq!(answer.json()["manifests"], json!([]), "never null");
    }
    let mut referrers = Vec::new();
    for kind in ["application/vnd.example.sbom+json", "application/vnd.example.signature"] {
        let referrer = subject.referring_to(&subject, kind);
        acme.puts_manifest(WEB, &referrer.digest, &referrer).await.expect(201);
        referrers.push(referrer.digest);
    }
    let all = stage.hears(acme.get(&of(WEB, &subject.digest, ""))).await.expect(200);
    let (mut found, mut expected) = (digests(&all), referrers.clone());
    found.sort();
    expected.sort();
    assert_eq!(found, expected);
    assert!(!all.headers.contains_key("oci-filters-applied"), "{all:?}");
    for filter in ["application/vnd.example.sbom%2Bjson", "application/vnd.example.sbom+json"] {
        let one = stage.hears(acme.get(&of(WEB, &subject.digest, &format!("?artifactType={filter}")))).await;
        assert_eq!(
            (digests(&one), one.header("oci-filters-applied")),
            (vec![referrers[0].clone()], "artifactType")
        );
    }
    let none =
        stage.hears(acme.get(&of(WEB, &subject.digest, "?artifactType=application/x"))).await.expect(200);
    assert_eq!((digests(&none), none.header("oci-filters-applied")), (Vec::new(), "artifactType"));

    let first = stage.hears(acme.get(&of(WEB, &subject.digest, "?n=1"))).await.expect(200);
    let next = first.header("link").strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
    let second = stage.hears(acme.get(next.expect("a link"))).await.expect(200);
    assert_eq!(second.header("link"), "");
    let mut pages = [digests(&first), digests(&second)].concat();
    pages.sort();
    assert_eq!(pages, expected);
    stage.hears(acme.get(&of(WEB, "sha256:x", ""))).await.refused(400, "DIGEST_INVALID");
    insta::assert_snapshot!(stage.said.text());
}

/// A referrer of its own form.
async fn refers(acme: &Person, mut manifest: Value) -> String {
    let subject = image();
    manifest["schemaVersion"] = json!(2);
    manifest["subject"] =
        json!({ "mediaType": MANIFEST, "digest": subject.digest, "size": subject.manifest.len() });
    let media_type = manifest["mediaType"].as_str().expect("a media type").to_owned();
    let referrer = Image::bare(&media_type, &manifest);
    acme.puts_manifest(WEB, &referrer.digest, &referrer).await.expect(201);
    referrer.digest
}

#[tokio::test]
async fn pull_02_a_referrers_artifact_type_falls_back_to_its_configs_and_its_annotations_come_along() {
    let mut stage = Stage::with_image().await;
    let (acme, subject) = (stage.acme.clone(), image());
    let config = json!({
        "mediaType": "application/vnd.example.config",
        "digest": subject.config.digest,
        "size": subject.config.bytes.len(),
    });
    let annotations = json!({ "org.example.format": "json" });
    let typed = json!({ "mediaType": MANIFEST, "config": config, "layers": [], "artifactType": "application/x",
                        "annotations": annotations });
    let untyped = json!({ "mediaType": MANIFEST, "config": config, "layers": [] });
    let index = json!({ "mediaType": INDEX, "manifests": [], "annotations": annotations });
    let [typed, untyped, index] =
        [refers(&acme, typed).await, refers(&acme, untyped).await, refers(&acme, index).await];
    let answer = stage.hears(acme.get(&format!("/v2/{WEB}/referrers/{}", subject.digest))).await.expect(200);
    let json = answer.json();
    let of = |digest: &str| {
        let all = json["manifests"].as_array().expect("a list");
        all.iter().find(|it| it["digest"] == digest).cloned().expect("it is listed")
    };
    assert_eq!(
        (&of(&typed)["artifactType"], &of(&typed)["annotations"]),
        (&json!("application/x"), &annotations)
    );
    assert_eq!(of(&untyped)["artifactType"], "application/vnd.example.config");
    assert_eq!((of(&index).get("artifactType"), &of(&index)["annotations"]), (None, &annotations));
    let filtered = acme
        .get(&format!("/v2/{WEB}/referrers/{}?artifactType=application/vnd.example.config", subject.digest));
    assert_eq!(digests(&stage.hears(filtered).await.expect(200)), [untyped]);
    // A deleted one is no longer listed.
    acme.delete(&format!("/v2/{WEB}/manifests/{typed}")).send().await.expect(202);
    let answer = acme.get(&format!("/v2/{WEB}/referrers/{}", subject.digest)).send().await.expect(200);
    assert!(!digests(&answer).contains(&typed), "{answer:?}");
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn pull_03_tags_are_in_byte_order_in_pages_after_a_tags_value_and_a_list_is_never_null() {
    let mut stage = Stage::with_image().await;
    let acme = stage.acme.clone();
    acme.uploads("team-a/bare", &image().layers[0]).await.expect(201);
    let bare = stage.hears(acme.get("/v2/team-a/bare/tags/list")).await.expect(200);
    assert_eq!(bare.json(), json!({ "name": "team-a/bare", "tags": [] }));
    for tag in ["b", "a", "B", "10", "9", "_x", "a.b", "a-b", "A"] {
        acme.puts_manifest(WEB, tag, &image()).await.expect(201);
    }
    let sorted = ["1", "10", "9", "A", "B", "_x", "a", "a-b", "a.b", "b"];
    for (query, tags, link) in [
        ("", &sorted[..], ""),
        ("?n=0", &[], ""),
        ("?n=0&last=a", &[], ""),
        ("?n=4", &sorted[..4], "</v2/team-a/web/tags/list?n=4&last=A>; rel=\"next\""),
        ("?n=4&last=A", &sorted[4..8], "</v2/team-a/web/tags/list?n=4&last=a-b>; rel=\"next\""),
        ("?n=4&last=a-b", &sorted[8..], ""),
        ("?n=10", &sorted, ""),
        ("?n=100", &sorted, ""),
        ("?last=b", &[], ""),
        // A value that is no tag, or none any more, stands where it would.
        ("?n=2&last=a-c", &sorted[8..], ""),
        ("?last=0", &sorted, ""),
    ] {
        let answer = stage.hears(acme.get(&format!("/v2/{WEB}/tags/list{query}"))).await.expect(200);
        assert_eq!(answer.strings("tags"), tags, "{query}");
        assert_eq!(answer.header("link"), link, "{query}");
    }
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn pull_04_a_blob_is_read_in_one_range_and_in_several() {
    let mut stage = Stage::with_image().await;
    let acme = stage.acme.clone();
    let blob = Blob::layer("0123456789");
    acme.uploads(WEB, &blob).await.expect(201);
    let path = blob_of_web(&blob.digest);
    let whole = stage.hears(acme.get(&path)).await.expect(200);
    assert_eq!(whole.header("accept-ranges"), "bytes");
    for (range, content_range, body) in [
        ("bytes=2-4", "bytes 2-4/10", "234"),
        ("bytes=7-", "bytes 7-9/10", "789"),
        ("bytes=-2", "bytes 8-9/10", "89"),
        ("bytes=0-100", "bytes 0-9/10", "0123456789"),
    ] {
        let answer = stage.hears(acme.get(&path).header("range", range)).await.expect(206);
        assert_eq!((answer.header("content-range"), &answer.body), (content_range, &Bytes::from(body)));
    }
    let several = stage.hears(acme.get(&path).header("range", "bytes=0-1,8-")).await.expect(206);
    let kind =
        several.header("content-type").strip_prefix("multipart/byteranges; boundary=").expect("several");
    let parts = String::from_utf8_lossy(&several.body).into_owned();
    let parts: Vec<&str> = parts.split(&format!("--{kind}")).collect();
    assert_eq!(parts.len(), 4, "two parts and the end: {several:?}");
    assert!(parts[1].contains("Content-Range: bytes 0-1/10\r\n") && parts[1].ends_with("\r\n\r\n01\r\n"));
    assert!(parts[2].contains("Content-Range: bytes 8-9/10\r\n") && parts[2].ends_with("\r\n\r\n89\r\n"));
    let beyond = stage.hears(acme.get(&path).header("range", "bytes=10-")).await.expect(416);
    assert_eq!(beyond.header("content-range"), "bytes */10");
    // A pull that was cut goes on only with the same content.
    let tag = format!("\"{}\"", blob.digest);
    stage.hears(acme.get(&path).header("range", "bytes=5-").header("if-range", &tag)).await.expect(206);
    stage
        .hears(acme.get(&path).header("range", "bytes=5-").header("if-range", "\"other\""))
        .await
        .expect(200);
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn pull_04_what_a_client_has_already_is_304_by_if_none_match() {
    let mut stage = Stage::with_image().await;
    let (acme, image) = (stage.acme.clone(), image());
    for (path, digest) in [
        (blob_of_web(&image.layers[0].digest), &image.layers[0].digest),
        (format!("/v2/{WEB}/manifests/{}", image.digest), &image.digest),
        (MANIFEST_OF_WEB.to_owned(), &image.digest),
    ] {
        let etag = acme.head(&path).send().await.expect(200).header("etag").to_owned();
        assert_eq!(etag, format!("\"{digest}\""));
        for request in [acme.get(&path), acme.head(&path)] {
            let answer = stage.hears(request.header("if-none-match", &etag)).await.expect(304);
            assert_eq!((answer.header("docker-content-digest"), answer.body.len()), (&**digest, 0));
        }
        acme.get(&path).header("if-none-match", "\"other\"").send().await.expect(200);
        // A condition opens nothing.
        stage.globex.get(&path).header("if-none-match", &etag).send().await.expect(404);
    }
    // A tag that moved is told.
    let other = index_of(&[&image]);
    acme.puts_manifest(WEB, "1", &other).await.expect(201);
    let moved = acme.get(MANIFEST_OF_WEB).header("if-none-match", &format!("\"{}\"", image.digest));
    assert_eq!(stage.hears(moved).await.expect(200).header("docker-content-digest"), other.digest);
    insta::assert_snapshot!(stage.said.text());
}

/// Every way to something, all of which a client has just gone.
async fn ways(acme: &Person, token: &str, path: &str, digest: &str) -> Vec<u16> {
    let etag = format!("\"{digest}\"");
    let mut statuses = Vec::new();
    for request in [
        acme.head(path),
        acme.get(path),
        acme.get(path).bearer(token),
        acme.get(path).header("if-none-match", &etag),
        acme.head(path).header("if-none-match", &etag),
        acme.get(path).header("range", "bytes=0-1").header("if-range", &etag),
    ] {
        statuses.push(request.send().await.status);
    }
    statuses
}

#[tokio::test]
async fn pull_05_what_is_deleted_is_gone_at_once_on_head_get_and_mount_through_every_cache() {
    let mut stage = Stage::with_image().await;
    let (acme, image) = (stage.acme.clone(), image());
    let token = acme.token(&["repository:team-a/web:pull"]).await;
    let blob = blob_of_web(&image.layers[0].digest);
    let by_digest = format!("/v2/{WEB}/manifests/{}", image.digest);
    acme.puts_manifest(WEB, "2", &image).await.expect(201);
    let there = [200, 200, 200, 304, 304];
    for _ in 0..3 {
        for (path, digest) in [
            (MANIFEST_OF_WEB, &image.digest),
            (&*by_digest, &image.digest),
            (&*blob, &image.layers[0].digest),
        ] {
            assert_eq!(ways(&acme, &token, path, digest).await[..5], there, "{path}");
        }
    }
    let gone = vec![404; 6];
    stage.hears(acme.delete(MANIFEST_OF_WEB)).await.expect(202);
    assert_eq!(ways(&acme, &token, MANIFEST_OF_WEB, &image.digest).await, gone, "a tag");
    assert_eq!(ways(&acme, &token, &by_digest, &image.digest).await[..5], there, "its manifest stays");
    stage.hears(acme.delete(&by_digest)).await.expect(202);
    assert_eq!(ways(&acme, &token, &by_digest, &image.digest).await, gone, "a manifest");
    let other_tag = format!("/v2/{WEB}/manifests/2");
    assert_eq!(ways(&acme, &token, &other_tag, &image.digest).await, gone, "every tag of it");
    assert_eq!(acme.get("/v2/team-a/web/tags/list").send().await.strings("tags"), [""; 0]);
    stage
        .hears(acme.get(&by_digest).header("if-none-match", &format!("\"{}\"", image.digest)))
        .await
        .expect(404);
    stage.hears(acme.delete(&blob)).await.expect(202);
    assert_eq!(ways(&acme, &token, &blob, &image.layers[0].digest).await, gone, "a blob");
    stage.hears(acme.head(&blob)).await.expect(404);
    // It is not mounted either, and what would need it is not taken.
    for query in ["&from=team-a/web", ""] {
        let mount = format!("/v2/team-a/copy/blobs/uploads/?mount={}{query}", image.layers[0].digest);
        stage.hears(acme.post(&mount)).await.expect(202);
    }
    let refused = acme.puts_manifest(WEB, "1", &image).await;
    stage.said.note(&refused);
    refused.refused(400, "MANIFEST_BLOB_UNKNOWN");
    stage.hears(acme.delete(&blob)).await.refused(404, "BLOB_UNKNOWN");
    stage.hears(acme.delete(&by_digest)).await.refused(404, "MANIFEST_UNKNOWN");
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn pull_05_a_deleted_repository_is_gone_at_once_and_one_made_anew_holds_nothing_of_it() {
    let mut stage = Stage::with_image().await;
    let (acme, image) = (stage.acme.clone(), image());
    let token = acme.token(&["repository:team-a/web:pull"]).await;
    let blob = blob_of_web(&image.layers[0].digest);
    acme.pulls(WEB, "1", &image).await;
    acme.deletes_repository(WEB).await;
    stage.said.remark("the repository is deleted");
    for path in [MANIFEST_OF_WEB, &blob, "/v2/team-a/web/tags/list"] {
        stage.hears(acme.get(path)).await.refused(404, "NAME_UNKNOWN");
        acme.get(path).bearer(&token).send().await.expect_any(&[401, 404]);
    }
    acme.uploads(WEB, &Blob::layer("another")).await.expect(201);
    stage.said.remark("another is made under its name");
    stage.hears(acme.get(MANIFEST_OF_WEB)).await.refused(404, "MANIFEST_UNKNOWN");
    stage.hears(acme.get(&blob)).await.refused(404, "BLOB_UNKNOWN");
    let mount = format!("/v2/team-a/copy/blobs/uploads/?mount={}&from={WEB}", image.layers[0].digest);
    stage.hears(acme.post(&mount)).await.expect(202);
    insta::assert_snapshot!(stage.said.text());
}
