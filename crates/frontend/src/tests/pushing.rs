//! Every way in: blobs, mounts, manifests, and out again.

use http::Method;
use reqwest::Body;
use serde_json::{Value, json};

use super::app::{IMAGE, INDEX, TestApp, header, image, refusal, sha256};

const LAYER: &[u8] = b"some bytes of a layer";

#[tokio::test]
async fn post_then_put() {
    let app = TestApp::start().await;
    let begun = app.by("acme", Method::POST, "/v2/team-a/web/blobs/uploads/").send().await.unwrap();
    assert_eq!(begun.status(), 202);
    assert_eq!(header(&begun, "range"), "0-0");
    assert_eq!(header(&begun, "content-length"), "0");
    assert_eq!(header(&begun, "docker-distribution-api-version"), "registry/2.0");
    let location = header(&begun, "location").to_owned();
    assert!(location.starts_with("/v2/team-a/web/blobs/uploads/"), "{location}");
    assert!(location.ends_with(header(&begun, "docker-upload-uuid")));

    let digest = sha256(LAYER);
    let put = app.by("acme", Method::PUT, &format!("{location}?digest={digest}")).body(LAYER);
    let put = put.send().await.unwrap();
    assert_eq!(put.status(), 201);
    assert_eq!(header(&put, "location"), format!("/v2/team-a/web/blobs/{digest}"));
    assert_eq!(header(&put, "docker-content-digest"), digest.to_string());
    let got = app.get("acme", header(&put, "location")).await;
    assert_eq!(got.bytes().await.unwrap(), LAYER);
}

#[tokio::test]
async fn chunks_resume_and_cancel() {
    let app = TestApp::start().await;
    let begun = app.by("dev@acme", Method::POST, "/v2/team-a/web/blobs/uploads/").send().await.unwrap();
    let location = header(&begun, "location").to_owned();
    let patch = |range: &'static str, body: &'static [u8]| {
        app.by("dev@acme", Method::PATCH, &location).header("content-range", range).body(body).send()
    };
    let first = patch("0-4", &LAYER[..5]).await.unwrap();
    assert_eq!((first.status().as_u16(), header(&first, "range")), (202, "0-4"));
    let gap = patch("9-10", &LAYER[9..11]).await.unwrap();
    assert_eq!(
        (gap.status().as_u16(), header(&gap, "range"), header(&gap, "location")),
        (416, "0-4", &*location)
    );
    assert_eq!(refusal(gap).await.1, "BLOB_UPLOAD_INVALID");
    let second = patch("bytes 5-9/*", &LAYER[5..10]).await.unwrap();
    assert_eq!((second.status().as_u16(), header(&second, "range")), (202, "0-9"));
    assert_eq!(
        refusal(patch("10-12", &LAYER[10..11]).await.unwrap()).await,
        (400, "SIZE_INVALID".to_owned())
    );
    assert_eq!(refusal(patch("x", b"").await.unwrap()).await, (400, "BLOB_UPLOAD_INVALID".to_owned()));
    let status = app.get("dev@acme", &location).await;
    assert_eq!((status.status().as_u16(), header(&status, "range")), (204, "0-9"));
    assert_eq!(header(&status, "location"), location);

    // Another user, and another repository, know nothing of it.
    let others = app.get("acme", &location).await;
    assert_eq!(refusal(others).await, (404, "BLOB_UPLOAD_UNKNOWN".to_owned()));
    app.push_blob("dev@acme", "team-a/db", b"x").await;
    let elsewhere = app.get("dev@acme", &location.replace("web", "db")).await;
    assert_eq!(refusal(elsewhere).await, (404, "BLOB_UPLOAD_UNKNOWN".to_owned()));

    let wrong = app.by("dev@acme", Method::PUT, &format!("{location}?digest={}", sha256(b"other")));
    assert_eq!(
        refusal(wrong.body(&LAYER[10..]).send().await.unwrap()).await,
        (400, "DIGEST_INVALID".to_owned())
    );
    let put = app.by("dev@acme", Method::PUT, &format!("{location}?digest={}", sha256(LAYER)));
    assert_eq!(put.body(&LAYER[10..]).send().await.unwrap().status(), 201);

    let begun = app.by("dev@acme", Method::POST, "/v2/team-a/web/blobs/uploads/").send().await.unwrap();
    let location = header(&begun, "location").to_owned();
    assert_eq!(app.by("dev@acme", Method::DELETE, &location).send().await.unwrap().status(), 204);
    assert_eq!(app.get("dev@acme", &location).await.status(), 404);
}

#[tokio::test]
async fn one_streamed_patch_then_an_empty_put() {
    let app = TestApp::start().await;
    let path = "/v2/team-a/web/blobs/uploads/?digest-algorithm=sha512";
    let begun = app.by("acme", Method::POST, path).send().await.unwrap();
    let location = header(&begun, "location").to_owned();
    let parts = LAYER.chunks(4).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()));
    let body = Body::wrap_stream(futures::stream::iter(parts.collect::<Vec<_>>()));
    let patched = app.by("acme", Method::PATCH, &location).body(body).send().await.unwrap();
    assert_eq!((patched.status().as_u16(), header(&patched, "range")), (202, "0-20"));
    let digest = oci::Digest::of(oci::Algorithm::Sha512, LAYER);
    let put = app.by("acme", Method::PUT, &format!("{location}?digest={digest}")).send().await.unwrap();
    assert_eq!((put.status().as_u16(), header(&put, "docker-content-digest")), (201, &*digest.to_string()));
}

#[tokio::test]
async fn a_single_post_that_fails_leaves_no_session() {
    let app = TestApp::start().await;
    let path = format!("/v2/team-a/web/blobs/uploads/?digest={}", sha256(b"other"));
    let posted = app.by("acme", Method::POST, &path).body(LAYER).send().await.unwrap();
    assert_eq!(refusal(posted).await, (400, "DIGEST_INVALID".to_owned()));
    assert_eq!(app.get("acme", &format!("/v2/team-a/web/blobs/{}", sha256(LAYER))).await.status(), 404);
}

#[tokio::test]
async fn mounting() {
    let app = TestApp::start().await;
    let digest = app.push_blob("acme", "team-a/web", LAYER).await;
    let mount = |login: &'static str, repository: &str, query: &str| {
        let path = format!("/v2/{repository}/blobs/uploads/?mount={digest}{query}");
        app.by(login, Method::POST, &path).send()
    };
    let mounted = mount("dev@acme", "team-a/one", "&from=team-a/web").await.unwrap();
    assert_eq!(
        (mounted.status().as_u16(), header(&mounted, "docker-content-digest")),
        (201, &*digest.to_string())
    );
    assert_eq!(mount("dev@acme", "team-a/two", "").await.unwrap().status(), 201, "without a source");
    for query in ["&from=team-a/web", "&from=team-a/none", "&from=NO", ""] {
        let refused = mount("globex", "globex/app", query).await.unwrap();
        assert_eq!(refused.status(), 202, "{query}: what may not be pulled is not mounted, and no error");
        assert!(header(&refused, "location").starts_with("/v2/globex/app/blobs/uploads/"));
    }
    // A token for the target alone reaches what its holder may pull.
    let token = app.token("dev@acme", "repository:team-a/three:pull,push").await;
    let path = format!("/v2/team-a/three/blobs/uploads/?mount={digest}");
    let mounted = app.anonymous(Method::POST, &path).bearer_auth(token).send().await.unwrap();
    assert_eq!(mounted.status(), 201);
    app.share("team-a/web", Some(60)).await;
    assert_eq!(mount("globex", "globex/app", "").await.unwrap().status(), 201, "an open share");
    app.clock.advance(60);
    assert_eq!(mount("globex", "globex/late", "").await.unwrap().status(), 201, "the copy is the sharee's");
}

#[tokio::test]
async fn manifests() {
    let app = TestApp::start().await;
    let manifest = app.push_image("acme", "team-a/web", "v1", LAYER).await;
    let digest = sha256(manifest.as_bytes());
    let got = app.get("acme", "/v2/team-a/web/manifests/v1").await;
    assert_eq!(
        (header(&got, "content-type"), header(&got, "docker-content-digest")),
        (IMAGE, &*digest.to_string())
    );
    assert_eq!(got.text().await.unwrap(), manifest, "byte for byte");

    let tagged = format!("{digest}?tag=v2&tag=latest");
    let pushed =
        app.put_manifest("acme", "team-a/web", &tagged, &format!("{IMAGE}; charset=utf-8"), &manifest).await;
    assert_eq!((pushed.status().as_u16(), header(&pushed, "oci-tag")), (201, "latest, v2"));
    assert_eq!(header(&pushed, "location"), format!("/v2/team-a/web/manifests/{digest}"));

    for (reference, media_type, body, status, code) in [
        ("v3", INDEX, manifest.as_str(), 400, "MANIFEST_INVALID"),
        ("v3", IMAGE, "{", 400, "MANIFEST_INVALID"),
        (&*sha256(b"other").to_string(), IMAGE, &manifest, 400, "DIGEST_INVALID"),
        (".bad", IMAGE, &manifest, 400, "TAG_INVALID"),
        ("v3", IMAGE, &image(&sha256(b"{}"), 2, &sha256(b"missing"), 7), 400, "MANIFEST_BLOB_UNKNOWN"),
    ] {
        let refused = app.put_manifest("acme", "team-a/web", reference, media_type, body).await;
        assert_eq!(refusal(refused).await, (status, code.to_owned()), "{reference} {media_type}");
    }
    let long = " ".repeat((4 << 20) + 1);
    let refused = app.put_manifest("acme", "team-a/web", "v3", IMAGE, &long).await;
    assert_eq!(refusal(refused).await, (413, "SIZE_INVALID".to_owned()));
}

#[tokio::test]
async fn what_is_refused_makes_no_repository() {
    let app = TestApp::start().await;
    let manifest = image(&sha256(b"{}"), 2, &sha256(LAYER), LAYER.len());
    let refused = app.put_manifest("acme", "team-a/new", "v1", IMAGE, &manifest).await;
    assert_eq!(refusal(refused).await, (400, "MANIFEST_BLOB_UNKNOWN".to_owned()));
    let refused = app.put_manifest("acme", "team-a/new", &sha256(b"x").to_string(), IMAGE, &manifest).await;
    assert_eq!(refusal(refused).await, (400, "DIGEST_INVALID".to_owned()));
    assert_eq!(app.get("acme", "/v2/team-a/new/tags/list").await.status(), 404);
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }).to_string();
    assert_eq!(app.put_manifest("acme", "team-a/new", "v1", INDEX, &index).await.status(), 201);
    assert_eq!(app.get("acme", "/v2/team-a/new/tags/list").await.status(), 200);
    // Nor does a push into somebody else's namespace, or by who only reads.
    let refused = app.by("globex", Method::POST, "/v2/team-a/x/blobs/uploads/").send().await.unwrap();
    assert_eq!(refusal(refused).await, (404, "DENIED".to_owned()), "first what docker does not try again");
    let refused = app.by("reader@acme", Method::POST, "/v2/team-a/x/blobs/uploads/").send().await.unwrap();
    assert_eq!(refusal(refused).await, (403, "DENIED".to_owned()));
}

#[tokio::test]
async fn deleting() {
    let app = TestApp::start().await;
    let manifest = app.push_image("acme", "team-a/web", "v1", LAYER).await;
    let by_digest = format!("/v2/team-a/web/manifests/{}", sha256(manifest.as_bytes()));
    let blob = format!("/v2/team-a/web/blobs/{}", sha256(LAYER));
    let delete = |login: &'static str, path: &str| app.by(login, Method::DELETE, path).send();

    let refused = delete("acme", &blob).await.unwrap();
    assert!(header(&refused, "allow").contains("GET"));
    assert_eq!(refusal(refused).await, (405, "UNSUPPORTED".to_owned()));
    assert_eq!(refusal(delete("dev@acme", &by_digest).await.unwrap()).await, (403, "DENIED".to_owned()));
    assert_eq!(delete("dev@acme", "/v2/team-a/web/manifests/v1").await.unwrap().status(), 202, "a tag");
    assert_eq!(app.get("acme", "/v2/team-a/web/manifests/v1").await.status(), 404);
    assert_eq!(app.get("acme", &by_digest).await.status(), 200, "the manifest stays");
    assert_eq!(delete("acme", &by_digest).await.unwrap().status(), 202);
    assert_eq!(refusal(app.get("acme", &by_digest).await).await, (404, "MANIFEST_UNKNOWN".to_owned()));
    assert_eq!(delete("acme", &blob).await.unwrap().status(), 202);
    assert_eq!(refusal(app.get("acme", &blob).await).await, (404, "BLOB_UNKNOWN".to_owned()));
    assert_eq!(delete("acme", &blob).await.unwrap().status(), 404);
}

#[tokio::test]
async fn referrers() {
    let app = TestApp::start().await;
    let subject = sha256(app.push_image("acme", "team-a/web", "v1", LAYER).await.as_bytes());
    let of = |query: &str| format!("/v2/team-a/web/referrers/{subject}{query}");
    let none = app.get("acme", &of("")).await;
    assert_eq!((none.status().as_u16(), header(&none, "content-type")), (200, INDEX));
    assert_eq!(none.json::<Value>().await.unwrap()["manifests"], json!([]));
    for kind in ["a/sbom+json", "a/signature"] {
        let body = json!({
            "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "artifactType": kind,
            "subject": { "mediaType": IMAGE, "digest": subject, "size": 1 },
        });
        let pushed = app
            .put_manifest(
                "acme",
                "team-a/web",
                kind.split_once('/').unwrap().1.split('+').next().unwrap(),
                INDEX,
                &body.to_string(),
            )
            .await;
        assert_eq!((pushed.status().as_u16(), header(&pushed, "oci-subject")), (201, &*subject.to_string()));
    }
    let filtered = app.get("acme", &of("?artifactType=a/sbom+json")).await;
    assert_eq!(header(&filtered, "oci-filters-applied"), "artifactType");
    let filtered: Value = filtered.json().await.unwrap();
    assert_eq!(filtered["manifests"].as_array().unwrap().len(), 1);
    assert_eq!(filtered["manifests"][0]["artifactType"], "a/sbom+json");
    let first = app.get("acme", &of("?n=1")).await;
    let link = header(&first, "link").trim_start_matches('<').split('>').next().unwrap().to_owned();
    let second = app.get("acme", &link).await;
    assert_eq!(header(&second, "link"), "");
    let (first, second): (Value, Value) = (first.json().await.unwrap(), second.json().await.unwrap());
    assert_ne!(first["manifests"][0]["digest"], second["manifests"][0]["digest"]);
    assert_eq!(refusal(app.get("acme", "/v2/team-a/web/referrers/x").await).await.0, 400);
}
