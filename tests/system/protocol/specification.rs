//! What the distribution specification asks for that no client depends on, endpoint by endpoint.
//! `conformance/endpoints.md` says which test proves which sentence.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;
use tests::{Answer, Blob, INDEX, Image, MANIFEST, sha512_of, with_digest};

use super::{MANIFEST_OF_WEB, Stage, UPLOADS_TO_WEB, WEB, blob_of_web, image};

/// The specification's codes, and the one of Docker's that it names.
const CODES: [&str; 15] = [
    "BLOB_UNKNOWN",
    "BLOB_UPLOAD_INVALID",
    "BLOB_UPLOAD_UNKNOWN",
    "DIGEST_INVALID",
    "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID",
    "MANIFEST_UNKNOWN",
    "NAME_INVALID",
    "NAME_UNKNOWN",
    "SIZE_INVALID",
    "UNAUTHORIZED",
    "DENIED",
    "UNSUPPORTED",
    "TOOMANYREQUESTS",
    "TAG_INVALID",
];

/// The codes of a refusal, whose body has the specification's form.
fn codes(answer: &Answer) -> Vec<String> {
    assert!((400..500).contains(&answer.status), "{answer:?}");
    assert_eq!(answer.header("content-type"), "application/json", "{answer:?}");
    let json = answer.json();
    assert_eq!(json.as_object().map(serde_json::Map::len), Some(1), "{answer:?}");
    let errors = json["errors"].as_array().unwrap_or_else(|| panic!("no errors: {answer:?}"));
    assert!(!errors.is_empty(), "{answer:?}");
    let code = |error: &serde_json::Value| {
        let code = error["code"].as_str().unwrap_or_else(|| panic!("no code: {answer:?}"));
        assert!(CODES.contains(&code), "{code} is none of the specification's: {answer:?}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer:?}");
        code.to_owned()
    };
    errors.iter().map(code).collect()
}

#[tokio::test]
async fn every_refusal_has_the_specifications_form_and_one_of_its_codes() {
    let mut stage = Stage::with_image().await;
    let (acme, globex, image) = (stage.acme.clone(), stage.globex.clone(), image());
    let (blob, other) = (&image.layers[0], Blob::layer("another"));
    let manifest = |reference: &str, body: &str| {
        let put = acme.put(&format!("/v2/{WEB}/manifests/{reference}")).header("content-type", MANIFEST);
        put.body(body.to_owned())
    };
    let upload = acme.starts_upload(WEB).await;
    let requests = [
        stage.server.stranger().get("/v2/"),
        acme.get("/v2/team-a/web/nothing/x"),
        acme.get("/v2/Team-A/web/tags/list"),
        acme.get("/v2/team-a/none/tags/list"),
        acme.get("/v2/team-a/web/tags/list?n=x"),
        acme.get("/v2/_catalog?n=-1"),
        acme.post("/v2/team-a/web/tags/list"),
        acme.get(&blob_of_web(&other.digest)),
        acme.get(&blob_of_web("sha256:x")),
        acme.get(&blob_of_web(&blob.digest)).header("range", "bytes=100-"),
        acme.delete(&blob_of_web(&blob.digest)),
        acme.get("/v2/team-a/web/manifests/none"),
        manifest("new", "{"),
        manifest(".new", "{}"),
        manifest(&other.digest, &String::from_utf8_lossy(&image.manifest)),
        manifest("new", &" ".repeat((4 << 20) + 1)),
        acme.get("/v2/team-a/web/referrers/x"),
        acme.post(&with_digest(UPLOADS_TO_WEB, &other.digest)).body("not that"),
        acme.post(&with_digest(UPLOADS_TO_WEB, "md5:x")).body("not that"),
        acme.patch(&upload).header("content-range", "5-9").body("fiver"),
        acme.patch(&upload).header("content-range", "from here").body("fiver"),
        acme.patch(&upload).header("content-range", "0-9").body("fiver"),
        acme.put(&upload),
        acme.put(&with_digest(&upload, &other.digest)).body("not that"),
        acme.get(&format!("{UPLOADS_TO_WEB}0123456789abcdef0123456789abcdef")),
        globex.post(UPLOADS_TO_WEB),
        globex.get(MANIFEST_OF_WEB),
    ];
    let mut seen = BTreeSet::new();
    for request in requests {
        seen.extend(codes(&stage.hears(request).await));
    }
    acme.shares(WEB, "globex", stage.server.in_seconds(60)).await;
    seen.extend(codes(&stage.hears(globex.post(UPLOADS_TO_WEB)).await));
    // All but the two that pull_05 and push_09 see.
    let unseen: Vec<_> = CODES.iter().filter(|code| !seen.contains(**code)).copied().collect();
    assert_eq!(unseen, ["MANIFEST_BLOB_UNKNOWN", "TOOMANYREQUESTS"]);
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn end_2_and_end_3_what_is_not_there_is_404_by_get_and_by_head() {
    let mut stage = Stage::with_image().await;
    let (acme, nothing) = (stage.acme.clone(), Blob::layer("nothing").digest);
    for (path, code) in [
        (blob_of_web(&nothing), "BLOB_UNKNOWN"),
        (blob_of_web(&sha512_of(b"nothing")), "BLOB_UNKNOWN"),
        (blob_of_web(&image().digest), "BLOB_UNKNOWN"),
        (format!("/v2/{WEB}/manifests/{nothing}"), "MANIFEST_UNKNOWN"),
        (format!("/v2/{WEB}/manifests/none"), "MANIFEST_UNKNOWN"),
        (format!("/v2/{WEB}/manifests/{}", image().layers[0].digest), "MANIFEST_UNKNOWN"),
        (format!("/v2/team-a/none/blobs/{nothing}"), "NAME_UNKNOWN"),
        ("/v2/team-a/none/manifests/1".to_owned(), "NAME_UNKNOWN"),
    ] {
        stage.hears(acme.get(&path)).await.refused(404, code);
        assert_eq!(acme.head(&path).send().await.expect(404).body.len(), 0);
    }
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn end_4_every_session_has_a_location_with_an_id_of_its_own() {
    let mut stage = Stage::set().await;
    let acme = stage.acme.clone();
    let mut ids = BTreeSet::new();
    for _ in 0..3 {
        let begun = stage.hears(acme.post(UPLOADS_TO_WEB).header("content-length", "0")).await.expect(202);
        let location = begun.header("location");
        let id = location.strip_prefix(UPLOADS_TO_WEB).unwrap_or_else(|| panic!("elsewhere: {begun:?}"));
        assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "128 bits: {begun:?}");
        ids.insert(id.to_owned());
    }
    assert_eq!(ids.len(), 3);
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn end_4_and_end_6_a_digest_that_is_none_or_unsupported_is_400_and_a_single_post_tells_where_the_blob_is()
 {
    let mut stage = Stage::set().await;
    let (acme, blob) = (stage.acme.clone(), Blob::layer("a blob"));
    for digest in [
        "sha256:x",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "nonsense",
        "sha256:",
        &blob.digest.to_uppercase(),
    ] {
        let post = acme.post(&with_digest(UPLOADS_TO_WEB, digest)).body(blob.bytes.clone());
        stage.hears(post).await.refused(400, "DIGEST_INVALID");
        let location = acme.starts_upload(WEB).await;
        let put = acme.put(&with_digest(&location, digest)).body(blob.bytes.clone());
        stage.hears(put).await.refused(400, "DIGEST_INVALID");
        // The session is as it was.
        acme.put(&with_digest(&location, &blob.digest)).body(blob.bytes.clone()).send().await.expect(201);
    }
    let made = acme.post(&with_digest(UPLOADS_TO_WEB, &blob.digest)).body(blob.bytes.clone());
    let made = stage.hears(made).await.expect(201);
    assert_eq!(acme.get(made.header("location")).send().await.expect(200).body, blob.bytes);
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn end_7_a_tag_has_at_most_128_characters_of_its_alphabet_and_a_manifest_may_name_no_blob() {
    let mut stage = Stage::set().await;
    let acme = stage.acme.clone();
    let empty = Image::bare(INDEX, &json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }));
    for tag in ["_", "0", "A.b-c_d", "Z9", &"x".repeat(128)] {
        let made = acme.puts_manifest(WEB, tag, &empty).await.expect(201);
        stage.said.note(&made);
        acme.pulls(WEB, tag, &empty).await;
    }
    for tag in [".x", "-x", "x+y", "x%20y", &"x".repeat(129)] {
        let refused = acme.puts_manifest(WEB, tag, &empty).await;
        stage.said.note(&refused);
        refused.refused(400, "TAG_INVALID");
        acme.tries_to_pull(WEB, tag).await.refused(404, "MANIFEST_UNKNOWN");
    }
    insta::assert_snapshot!(stage.said.text());
}

#[tokio::test]
async fn end_8_to_end_10_and_end_12_in_a_repository_that_is_not_there_nothing_is_listed_or_deleted() {
    let mut stage = Stage::with_image().await;
    let (acme, nothing) = (stage.acme.clone(), Blob::layer("nothing").digest);
    for request in [
        acme.get("/v2/team-a/none/tags/list"),
        acme.delete("/v2/team-a/none/manifests/1"),
        acme.delete(&format!("/v2/team-a/none/manifests/{nothing}")),
        acme.delete(&format!("/v2/team-a/none/blobs/{nothing}")),
    ] {
        stage.hears(request).await.refused(404, "NAME_UNKNOWN");
    }
    stage.hears(acme.delete("/v2/team-a/web/manifests/none")).await.refused(404, "MANIFEST_UNKNOWN");
    stage
        .hears(acme.delete(&format!("/v2/{WEB}/manifests/{nothing}")))
        .await
        .refused(404, "MANIFEST_UNKNOWN");
    stage.hears(acme.delete(&blob_of_web(&nothing))).await.refused(404, "BLOB_UNKNOWN");
    acme.pulls(WEB, "1", &image()).await;
    insta::assert_snapshot!(stage.said.text());
}

/// The names of all functions under `folder`.
fn functions(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            functions(&entry, names);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&entry).expect("text");
            let found = text.split("fn ").skip(1).filter_map(|rest| rest.split_once('('));
            names.extend(found.map(|(name, _)| name.to_owned()));
        }
    }
}

#[test]
fn every_test_that_the_page_of_endpoints_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("conformance/endpoints.md")).expect("the page");
    let mut names = BTreeSet::new();
    for folder in ["tests/system", "crates/frontend/src/tests"] {
        functions(&root.join(folder), &mut names);
    }
    let is_name = |word: &&str| {
        word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    // Of a row, what stands in its last column; of that, what stands between backticks.
    let rows =
        page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.rsplit_once(" | "));
    let named: Vec<&str> =
        rows.flat_map(|(_, tests)| tests.split('`').skip(1).step_by(2)).filter(is_name).collect();
    assert!(named.len() >= 40, "{named:?}");
    for name in named {
        assert!(names.contains(name), "there is no test {name}");
    }
}
