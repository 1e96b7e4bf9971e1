//! Blobs on their way in.

use std::time::Duration;

use tests::{Blob, Wire, with_digest};

use super::{Stage, UPLOADS_TO_WEB, WEB, blob_of_web, image};

/// Ten bytes, the same every time.
fn ten() -> Blob {
    Blob::layer("0123456789".as_bytes())
}

#[tokio::test]
async fn push_01_a_head_of_a_blob_before_its_upload_is_200_or_404_and_nothing_else() {
    let mut stage = Stage::set().await;
    let (acme, layer) = (stage.acme.clone(), ten());
    // Before there is a repository, too.
    let token = acme.token(&["repository:team-a/web:pull,push"]).await;
    stage.hears(acme.head(&blob_of_web(&layer.digest)).bearer(&token)).await.expect(404);
    stage.hears(acme.head(&blob_of_web(&layer.digest))).await.expect(404);
    acme.uploads(WEB, &layer).await.expect(201);
    for request in
        [acme.head(&blob_of_web(&layer.digest)), acme.head(&blob_of_web(&layer.digest)).bearer(&token)]
    {
        let found = stage.hears(request).await.expect(200);
        assert_eq!(
            (found.header("content-length"), found.header("docker-content-digest")),
            ("10", &*layer.digest)
        );
    }
    stage.hears(acme.head(&blob_of_web(&image().config.digest)).bearer(&token)).await.expect(404);
    insta::assert_snapshot!(stage.said.text());
}

/// containerd fails the push on a 403 or 404.
#[tokio::test]
async fn push_02_a_mount_is_201_or_202_with_a_location_and_never_refused_for_its_source() {
    let mut stage = Stage::with_image().await;
    let (acme, globex, layer) = (stage.acme.clone(), stage.globex.clone(), image().layers[0].clone());
    let at = |target: &str, query: &str| format!("/v2/{target}/blobs/uploads/?mount={}{query}", layer.digest);
    let mounted = stage.hears(acme.post(&at("team-a/copy", "&from=team-a/web"))).await.expect(201);
    assert_eq!(mounted.header("docker-content-digest"), layer.digest);
    assert_eq!(mounted.header("location"), format!("/v2/team-a/copy/blobs/{}", layer.digest));
    acme.get(mounted.header("location")).send().await.expect(200);
    // Without `from`, it is looked for where the caller may pull.
    stage.hears(acme.post(&at("team-a/second", ""))).await.expect(201);
    // Private, missing, impossible, elsewhere and nowhere: an upload begins instead.
    for query in ["&from=team-a/web", "&from=team-a/none", "&from=NOT%2FA%2FNAME", "&from=team-a", ""] {
        let begun = stage.hears(globex.post(&at("team-g/app", query))).await.expect(202);
        assert!(begun.header("location").starts_with("/v2/team-g/app/blobs/uploads/"), "{begun:?}");
    }
    let unknown = format!("/v2/team-a/copy/blobs/uploads/?mount={}&from=team-a/web", ten().digest);
    let begun = stage.hears(acme.post(&unknown)).await.expect(202);
    acme.put(&with_digest(begun.header("location"), &ten().digest))
        .body(ten().bytes)
        .send()
        .await
        .expect(201);
    // From a share, as long as it is open.
    acme.shares(WEB, "globex", stage.server.in_seconds(60)).await;
    stage.said.remark("globex is shared the image, for 60 seconds");
    stage.hears(globex.post(&at("team-g/app", "&from=team-a/web"))).await.expect(201);
    stage.server.clock().pass(60);
    stage.said.remark("the share ends");
    stage.hears(globex.post(&at("team-g/second", "&from=team-a/web"))).await.expect(201);
    for copy in ["app", "second"] {
        globex.delete(&format!("/v2/team-g/{copy}/blobs/{}", layer.digest)).send().await.expect(202);
    }
    stage.said.remark("the copies, which are globex's own, are deleted");
    stage.hears(globex.post(&at("team-g/late", "&from=team-a/web"))).await.expect(202);
    insta::assert_snapshot!(stage.said.text());
}

/// The headers of docker 20.10's requests.
fn docker(stage: &Stage, token: &str) -> Vec<String> {
    vec![
        format!("Host: {}", stage.server.host()),
        "User-Agent: docker/20.10.24 go/go1.19 git-commit/unknown os/linux arch/amd64".to_owned(),
        format!("Authorization: Bearer {token}"),
        "Accept-Encoding: gzip".to_owned(),
    ]
}

fn with<'a>(headers: &'a [String], more: &[&'a str]) -> Vec<&'a str> {
    headers.iter().map(String::as_str).chain(more.iter().copied()).collect()
}

#[tokio::test]
async fn push_03_docker_streams_one_chunked_patch_without_a_length_or_range_then_an_empty_put() {
    let mut stage = Stage::set().await;
    let layer = ten();
    let token = stage.acme.token(&["repository:team-a/web:pull,push"]).await;
    let headers = docker(&stage, &token);
    let mut wire = stage.wire().await;
    let post = format!("POST {UPLOADS_TO_WEB} HTTP/1.1");
    let begun = wire.head(&post, &with(&headers, &["Content-Length: 0"])).await.answer().await.expect(202);
    stage.said.note(&begun);
    let patch = format!("PATCH {} HTTP/1.1", begun.header("location"));
    wire.head(&patch, &with(&headers, &["Transfer-Encoding: chunked"])).await;
    let patched =
        wire.chunk(b"0123").await.chunk(b"456789").await.chunk(b"").await.answer().await.expect(202);
    stage.said.note(&patched);
    assert_eq!(patched.header("range"), "0-9", "docker reads both ends");
    let put =
        format!("PUT {}?digest={} HTTP/1.1", patched.header("location"), layer.digest.replace(':', "%3A"));
    let made = wire.head(&put, &with(&headers, &["Content-Length: 0"])).await.answer().await.expect(201);
    stage.said.note(&made);
    assert_eq!(made.header("docker-content-digest"), layer.digest);
    let served = stage.acme.get(&blob_of_web(&layer.digest)).send().await.expect(200);
    assert_eq!(served.body, layer.bytes);
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn push_03_containerds_put_of_the_whole_cranes_one_patch_and_a_single_post_make_the_same_blob() {
    let mut stage = Stage::set().await;
    let acme = stage.acme.clone();
    let octets = ("content-type", "application/octet-stream");
    let blobs = ["containerd's", "crane's", "of a single POST"].map(|text| Blob::layer(text.as_bytes()));
    let begun = stage.hears(acme.post(UPLOADS_TO_WEB)).await.expect(202);
    let put = acme.put(&with_digest(begun.header("location"), &blobs[0].digest)).header(octets.0, octets.1);
    stage.hears(put.body(blobs[0].bytes.clone())).await.expect(201);

    let begun =
        stage.hears(acme.post(UPLOADS_TO_WEB).header("content-type", "application/json")).await.expect(202);
    let stream = futures::stream::iter([Ok::<_, std::io::Error>(blobs[1].bytes.clone())]);
    let patch = acme.patch(begun.header("location")).body(reqwest::Body::wrap_stream(stream));
    let patched = stage.hears(patch).await.expect(202);
    stage.hears(acme.put(&with_digest(patched.header("location"), &blobs[1].digest))).await.expect(201);

    let post = acme.post(&with_digest(UPLOADS_TO_WEB, &blobs[2].digest)).header(octets.0, octets.1);
    stage.hears(post.body(blobs[2].bytes.clone())).await.expect(201);
    for blob in &blobs {
        assert_eq!(acme.get(&blob_of_web(&blob.digest)).send().await.expect(200).body, blob.bytes);
    }
    insta::assert_snapshot!(stage.said.text());
}

/// regclient resumes from what a 416 says.
#[tokio::test]
async fn push_04_every_step_of_an_upload_tells_where_it_stands_and_where_to_go_on() {
    let mut stage = Stage::set().await;
    let (acme, layer) = (stage.acme.clone(), ten());
    let begun = stage.hears(acme.post(UPLOADS_TO_WEB)).await.expect(202);
    assert_eq!(begun.header("range"), "0-0", "there is no other form for nothing");
    let empty = stage.hears(acme.get(begun.header("location"))).await.expect(204);
    assert_eq!((empty.header("range"), empty.header("location")), ("0-0", begun.header("location")));
    let chunk = |location: &str, range: &str, bytes: std::ops::Range<usize>| {
        acme.patch(location).header("content-range", range).body(layer.bytes.slice(bytes))
    };
    let first = stage.hears(chunk(begun.header("location"), "0-3", 0..4)).await.expect(202);
    assert_eq!(first.header("range"), "0-3", "inclusive, without a unit");
    for (range, bytes) in [("6-9", 6..10), ("0-3", 0..4), ("3-6", 3..7)] {
        let gap = stage.hears(chunk(first.header("location"), range, bytes)).await.expect(416);
        assert_eq!(gap.header("range"), "0-3");
        assert!(gap.header("location").starts_with(UPLOADS_TO_WEB), "{gap:?}");
    }
    let state = stage.hears(acme.get(first.header("location"))).await.expect(204);
    assert_eq!(state.header("range"), "0-3");
    assert!(state.header("location").starts_with(UPLOADS_TO_WEB), "{state:?}");
    // A last chunk in the closing PUT that does not follow is told the same.
    let put = acme.put(&with_digest(state.header("location"), &layer.digest)).header("content-range", "5-9");
    let gap = stage.hears(put.body(layer.bytes.slice(5..))).await.expect(416);
    assert_eq!(gap.header("range"), "0-3");
    let rest = stage.hears(chunk(gap.header("location"), "4-9", 4..10)).await.expect(202);
    assert_eq!(rest.header("range"), "0-9");
    stage.hears(acme.put(&with_digest(rest.header("location"), &layer.digest))).await.expect(201);

    let other = acme.starts_upload(WEB).await;
    stage.hears(acme.delete(&other)).await.expect(204);
    stage.hears(acme.get(&other)).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    stage.hears(acme.delete(&other)).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn push_05_a_chunks_range_is_understood_in_both_forms() {
    let mut stage = Stage::set().await;
    let (acme, layer) = (stage.acme.clone(), ten());
    for forms in [["0-4", "5-9"], ["bytes 0-4/*", "bytes 5-9/*"], ["0-4", "bytes 5-9/10"]] {
        let mut location = acme.starts_upload(WEB).await;
        for (form, (bytes, range)) in forms.iter().zip([(0..5, "0-4"), (5..10, "0-9")]) {
            let patch = acme.patch(&location).header("content-range", form).body(layer.bytes.slice(bytes));
            let answer = stage.hears(patch).await.expect(202);
            assert_eq!(answer.header("range"), range);
            location = answer.header("location").to_owned();
        }
        acme.put(&with_digest(&location, &layer.digest)).send().await.expect(201);
    }
    let location = acme.starts_upload(WEB).await;
    for form in ["bytes=0-4", "5-", "4-0", "x"] {
        let patch = acme.patch(&location).header("content-range", form).body(layer.bytes.slice(0..5));
        stage.hears(patch).await.expect(400);
    }
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn push_06_clients_append_the_digest_to_a_location_with_or_without_a_query() {
    let mut stage = Stage::set().await;
    let (acme, layer) = (stage.acme.clone(), ten());
    let encoded = layer.digest.replace(':', "%3A");
    for query in [
        format!("?digest={}", layer.digest),
        format!("?digest={encoded}"),
        format!("?_state=abc&digest={encoded}"),
        format!("?digest={encoded}&_state=abc"),
    ] {
        let location = acme.starts_upload(WEB).await;
        assert!(location.starts_with('/'), "relative, as it may be: {location}");
        let patch = acme.patch(&format!("{location}?_state=abc")).body(layer.bytes.clone());
        stage.hears(patch).await.expect(202);
        stage.hears(acme.put(&format!("{location}{query}"))).await.expect(201);
    }
    let location = acme.starts_upload(WEB).await;
    stage.hears(acme.put(&location).body(layer.bytes.clone())).await.refused(400, "DIGEST_INVALID");
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn push_07_a_put_is_exactly_201_with_the_digest() {
    let mut stage = Stage::set().await;
    let (acme, image) = (stage.acme.clone(), image());
    for blob in image.blobs() {
        // The second time as well.
        for _ in 0..2 {
            let put = acme.put(&with_digest(&acme.starts_upload(WEB).await, &blob.digest));
            let made = stage.hears(put.body(blob.bytes.clone())).await.expect(201);
            assert_eq!(made.header("docker-content-digest"), blob.digest);
            assert_eq!(made.header("location"), blob_of_web(&blob.digest));
            acme.get(made.header("location")).send().await.expect(200);
        }
    }
    for reference in ["1", "1", &image.digest] {
        let made = acme.puts_manifest(WEB, reference, &image).await.expect(201);
        stage.said.note(&made);
        assert_eq!(made.header("docker-content-digest"), image.digest);
        assert_eq!(made.header("location"), format!("/v2/{WEB}/manifests/{}", image.digest));
        assert_eq!(acme.get(made.header("location")).send().await.expect(200).body, image.manifest);
    }
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn push_08_uploads_have_their_id_in_a_header_and_every_answer_has_the_apis_version() {
    let mut stage = Stage::with_image().await;
    let (acme, layer) = (stage.acme.clone(), ten());
    let begun = stage.hears(acme.post(UPLOADS_TO_WEB)).await.expect(202);
    let location = begun.header("location").to_owned();
    let id = begun.header("docker-upload-uuid").to_owned();
    assert!(!id.is_empty() && location.ends_with(&id), "{begun:?}");
    let patched = stage.hears(acme.patch(&location).body(layer.bytes.clone())).await.expect(202);
    let refused =
        stage.hears(acme.patch(&location).header("content-range", "0-9").body(layer.bytes.clone())).await;
    let state = stage.hears(acme.get(&location)).await.expect(204);
    for answer in [&patched, &refused.expect(416), &state] {
        assert_eq!(answer.header("docker-upload-uuid"), id, "{answer:?}");
    }
    let nobody = stage.server.stranger();
    for (request, status) in [
        (nobody.get("/v2/"), 401),
        (acme.get("/v2/"), 200),
        (acme.put(&with_digest(&location, &layer.digest)), 201),
        (acme.head(&blob_of_web(&layer.digest)), 200),
        (acme.get("/v2/team-a/web/manifests/1"), 200),
        (acme.get("/v2/team-a/web/tags/list"), 200),
        (acme.get("/v2/team-a/web/manifests/none"), 404),
        (acme.get("/v2/team-a/web/blobs/sha256:x"), 400),
        (acme.post("/v2/team-a/web/tags/list"), 405),
        (acme.delete(&blob_of_web(&layer.digest)), 202),
        (acme.get("/v2/nothing/at/all"), 404),
    ] {
        let answer = request.send().await.expect(status);
        assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0", "{answer:?}");
    }
    insta::assert_snapshot!(stage.said.text());
}

/// A streamed body cannot be sent again.
#[tokio::test]
async fn push_09_who_has_too_many_uploads_is_told_so_at_the_post_and_never_in_the_middle_of_a_patch() {
    let mut stage = Stage::set_with(|config| config.storage.uploads_per_account_max = 1).await;
    let (acme, layer) = (stage.acme.clone(), ten());
    let token = acme.token(&["repository:team-a/web:pull,push"]).await;
    let headers = docker(&stage, &token);
    let begun = stage.hears(acme.post(UPLOADS_TO_WEB).bearer(&token)).await.expect(202);
    let mut wire = Wire::to(&stage.server).await;
    let patch = format!("PATCH {} HTTP/1.1", begun.header("location"));
    wire.head(&patch, &with(&headers, &["Transfer-Encoding: chunked"])).await.chunk(b"01234").await;
    for path in [
        UPLOADS_TO_WEB.to_owned(),
        with_digest(UPLOADS_TO_WEB, &layer.digest),
        format!("{UPLOADS_TO_WEB}?mount={}&from=team-a/none", layer.digest),
    ] {
        let refused = stage.hears(acme.post(&path).bearer(&token)).await.refused(429, "TOOMANYREQUESTS");
        let seconds: u32 = refused.header("retry-after").parse().expect("seconds");
        assert!((1..=60).contains(&seconds), "{refused:?}");
    }
    let patched = wire.chunk(b"56789").await.chunk(b"").await.answer().await.expect(202);
    stage.said.note(&patched);
    stage
        .hears(acme.put(&with_digest(patched.header("location"), &layer.digest)).bearer(&token))
        .await
        .expect(201);
    stage.hears(acme.post(UPLOADS_TO_WEB).bearer(&token)).await.expect(202);
    insta::assert_snapshot!(stage.said.text());
}

/// With Basic straight on the upload's URL, while strangers keep every password check busy.
#[tokio::test]
async fn push_09_a_patch_waits_for_its_sign_in_where_other_requests_are_told_to_come_again() {
    let stage = Stage::set_with(|config| {
        (config.auth.password_hashes_max, config.auth.password_queue_max) = (1, 1);
        config.auth.password_cache_ttl = Duration::ZERO;
    })
    .await;
    let begun = stage.acme.post(UPLOADS_TO_WEB).send().await.expect(202);
    let flood = |number: usize| {
        let stranger = stage.server.person(&format!("nobody-{number}"), "wrong");
        async move {
            let mut told_to_come_again = 0;
            for _ in 0..40 {
                told_to_come_again += usize::from(stranger.get("/v2/").send().await.status == 429);
            }
            told_to_come_again
        }
    };
    let flood = futures::future::join_all((0..6).map(flood));
    let patch = async {
        let mut location = begun.header("location").to_owned();
        for byte in [b"0", b"1", b"2", b"3", b"4"] {
            let patched = stage.acme.patch(&location).body(byte.as_slice()).send().await.expect(202);
            location = patched.header("location").to_owned();
        }
    };
    let (told_to_come_again, ()) = futures::join!(flood, patch);
    assert!(told_to_come_again.iter().sum::<usize>() > 0, "the strangers did not fill the queue");
}
