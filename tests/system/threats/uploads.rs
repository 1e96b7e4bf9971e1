//! Uploads: whose they are, what they promise, and what becomes of those that end badly.

use bytes::Bytes;
use futures::StreamExt;
use futures::channel::mpsc;
use tests::{Blob, Image, Person, TestServer};

async fn stage() -> (TestServer, Person) {
    let server = TestServer::start().await;
    let acme = server.owner("acme", "team-a").await;
    acme.pushes("team-a/web", "1", &Image::small()).await;
    (server, acme)
}

fn finish(location: &str, digest: &str) -> String {
    format!("{location}{}digest={digest}", if location.contains('?') { '&' } else { '?' })
}

/// The path of a Location, which may be a whole address.
fn path(location: &str) -> &str {
    location.find("/v2/").map_or(location, |start| &location[start..])
}

#[tokio::test]
async fn cve_2026_32589_an_upload_belongs_to_its_repository_and_its_user() {
    let (server, acme) = stage().await;
    let globex = server.owner("globex", "team-g").await;
    let dev = acme.creates_user("dev").await;
    acme.permits("dev", "manage", "team-a/web").await;
    let blob = Blob::random(1000);
    let location = acme.starts_upload("team-a/web").await;
    let location = path(&location);
    let elsewhere =
        [location.replace("team-a/web", "team-a/other"), location.replace("team-a/web", "team-g/x")];

    // Another repository of the same owner; one's own repository, with another's session; another user of the account.
    for (who, at) in
        [(&acme, elsewhere[0].as_str()), (&globex, &elsewhere[1]), (&dev, location), (&globex, location)]
    {
        who.get(at).send().await.expect(404);
        who.patch(at).body(blob.bytes.clone()).send().await.expect(404);
        who.put(&finish(at, &blob.digest)).body(blob.bytes.clone()).send().await.expect(404);
        who.delete(at).send().await.expect(404);
    }
    server.stranger().get(location).send().await.expect(401);
    // Nothing of it changed the session.
    acme.put(&finish(location, &blob.digest)).body(blob.bytes.clone()).send().await.expect(201);
}

#[tokio::test]
async fn a_digest_that_does_not_match_is_refused_and_leaves_nothing() {
    let (_server, acme) = stage().await;
    let (blob, other) = (Blob::random(1000), Blob::random(1000));
    let location = acme.starts_upload("team-a/web").await;
    let put = acme.put(&finish(&location, &other.digest)).body(blob.bytes.clone());
    put.send().await.refused(400, "DIGEST_INVALID");
    let single = format!("/v2/team-a/web/blobs/uploads/?digest={}", other.digest);
    acme.post(&single).body(blob.bytes.clone()).send().await.refused(400, "DIGEST_INVALID");
    for digest in [&blob.digest, &other.digest] {
        acme.head(&format!("/v2/team-a/web/blobs/{digest}")).send().await.expect(404);
    }
}

#[tokio::test]
async fn a_chunk_out_of_order_is_refused_and_says_where_to_go_on() {
    let (_server, acme) = stage().await;
    let blob = Blob::random(1000);
    let location = acme.starts_upload("team-a/web").await;
    let first = acme.patch(&location).header("content-range", "0-499").body(blob.bytes.slice(..500));
    let answer = first.send().await.expect(202);
    assert_eq!(answer.header("range"), "0-499");
    let location = answer.header("location").to_owned();
    for range in ["0-499", "501-999", "600-999"] {
        let chunk = acme.patch(&location).header("content-range", range).body(blob.bytes.slice(500..));
        let answer = chunk.send().await.expect_any(&[400, 416]);
        if answer.status == 416 {
            assert_eq!(answer.header("range"), "0-499", "{answer:?}");
        }
    }
    let state = acme.get(&location).send().await.expect(204);
    assert_eq!(state.header("range"), "0-499");
    let rest =
        acme.patch(state.header("location")).header("content-range", "500-999").body(blob.bytes.slice(500..));
    let answer = rest.send().await.expect(202);
    acme.put(&finish(answer.header("location"), &blob.digest)).send().await.expect(201);
}

#[tokio::test]
async fn a_cancelled_and_an_expired_upload_are_gone() {
    let (server, acme) = stage().await;
    let location = acme.starts_upload("team-a/web").await;
    acme.delete(&location).send().await.expect(204);
    acme.get(&location).send().await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    let location = acme.starts_upload("team-a/web").await;
    server.clock().pass(25 * 60 * 60);
    acme.patch(&location).body("late").send().await.refused(404, "BLOB_UPLOAD_UNKNOWN");
}

#[tokio::test]
async fn a_body_shorter_than_promised_leaves_the_upload_where_a_client_can_go_on() {
    let (server, acme) = stage().await;
    let blob = Blob::random(300_000);
    let location = acme.starts_upload("team-a/web").await;
    broken_patch(&server, &acme, path(&location), &blob.bytes[..200_000], blob.bytes.len()).await;
    let state = acme.get(&location).send().await.expect(204);
    let range = state.header("range");
    let end: usize = range.strip_prefix("0-").and_then(|end| end.parse().ok()).expect("a range");
    let begin = if end == 0 { 0 } else { end + 1 };
    assert!(begin <= 200_000, "more than was sent: {state:?}");
    let rest = acme.patch(state.header("location")).body(blob.bytes.slice(begin..)).send().await.expect(202);
    acme.put(&finish(rest.header("location"), &blob.digest)).send().await.expect(201);
    let served = acme.get(&format!("/v2/team-a/web/blobs/{}", blob.digest)).send().await.expect(200);
    assert_eq!(served.body, blob.bytes);
}

/// A PATCH that promises more than it sends, and hangs up.
async fn broken_patch(server: &TestServer, who: &Person, path: &str, sent: &[u8], promised: usize) {
    use base64::Engine;
    use tokio::io::AsyncWriteExt;
    let login =
        base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", who.login(), who.password()));
    let head = format!(
        "PATCH {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {login}\r\nContent-Length: {promised}\r\n\r\n",
        host = server.host()
    );
    let mut connection = tokio::net::TcpStream::connect(server.host()).await.expect("a connection");
    connection.write_all(head.as_bytes()).await.expect("the head is sent");
    connection.write_all(sent).await.expect("a part of the body is sent");
    connection.shutdown().await.expect("it hangs up");
    drop(connection);
    // The server notices in its own time; asking for the state must wait for no such thing.
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
}

#[tokio::test]
async fn a_timed_out_chunk_does_not_write_under_its_retry() {
    let (_server, acme) = stage().await;
    let (right, wrong) = (Blob::random(100_000), Blob::random(100_000));
    let location = acme.starts_upload("team-a/web").await;

    // The first attempt sends a part, and stalls.
    let (mut sender, receiver) = mpsc::unbounded::<Result<Bytes, std::io::Error>>();
    let stalled = acme.patch(&location).body(reqwest::Body::wrap_stream(receiver.boxed()));
    let stalled = tokio::spawn(stalled.send());
    sender.start_send(Ok(wrong.bytes.slice(..50_000))).expect("the body is open");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;

    // The retry sends all of it, is acknowledged, and then the first attempt goes on.
    let retry = acme.patch(&location).header("content-range", "0-99999").body(right.bytes.clone());
    let retry = retry.send().await.expect(202);
    let _ = sender.start_send(Ok(wrong.bytes.slice(50_000..)));
    drop(sender);
    let late = stalled.await.expect("it ends");
    assert!(late.status >= 400, "both attempts were acknowledged: {late:?}");

    acme.put(&finish(retry.header("location"), &right.digest)).send().await.expect(201);
    let served = acme.get(&format!("/v2/team-a/web/blobs/{}", right.digest)).send().await.expect(200);
    assert_eq!(served.body, right.bytes);
}

#[tokio::test]
async fn a_token_that_expires_during_an_upload_does_not_fail_it_and_opens_nothing_else() {
    let (server, acme) = stage().await;
    let blob = Blob::random(1000);
    let token = acme.token(&["repository:team-a/web:pull,push"]).await;
    let begun = acme.post("/v2/team-a/web/blobs/uploads/").bearer(&token).send().await.expect(202);
    server.clock().pass(3000);
    let patch = acme.patch(begun.header("location")).bearer(&token).body(blob.bytes.clone());
    let patched = patch.send().await.expect(202);
    let put = acme.put(&finish(patched.header("location"), &blob.digest)).bearer(&token);
    put.send().await.expect(201);
    acme.post("/v2/team-a/web/blobs/uploads/").bearer(&token).send().await.expect(401);
    acme.get("/v2/team-a/web/manifests/1").bearer(&token).send().await.expect(401);
}

/// distribution#1960, zot#3924.
#[tokio::test]
async fn d_1960_a_full_disk_is_told_and_leaves_no_link_to_missing_bytes() {
    let server = TestServer::start_with(|config| config.storage.free_bytes_min = 1 << 60).await;
    let acme = server.owner("acme", "team-a").await;
    let blob = Blob::random(1000);
    let answer = acme.uploads("team-a/web", &blob).await;
    assert!(matches!(answer.status, 500..=599), "{answer:?}");
    assert!(
        answer.json()["errors"][0]["message"].as_str().is_some_and(|message| message.len() > 5),
        "{answer:?}"
    );
    acme.head(&format!("/v2/team-a/web/blobs/{}", blob.digest)).send().await.expect(404);
}
