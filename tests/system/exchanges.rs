//! Whole exchanges, word for word: what a client reads when an owner pushes, when a sharee pulls, and when somebody is
//! refused. A change of any header or sentence shows here first.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test --release -p tests exchanges`, and read the difference.

use tests::{Answer, Blob, Image, MANIFEST, Person, TestServer};

/// An image that is the same every time.
fn image() -> Image {
    Image::of_config(br#"{"architecture":"amd64","os":"linux"}"#, vec![Blob::layer("a layer".as_bytes())])
}

/// What was said, without what differs each time.
struct Transcript {
    text: String,
    host: String,
}

impl Transcript {
    fn new(server: &TestServer) -> Transcript {
        Transcript { text: String::new(), host: server.host() }
    }

    fn note(&mut self, answer: &Answer) {
        for line in format!("{answer:?}").replace(&self.host, "[host]").lines() {
            let line = line.trim_end();
            if line.starts_with("  date: ") || line.starts_with("  x-request-id: ") {
                continue;
            }
            self.text.push_str(&without_upload(line));
            self.text.push('\n');
        }
        self.text.push('\n');
    }
}

/// The line with an upload's id, and all that follows it, left out.
fn without_upload(line: &str) -> String {
    if let Some(name) = line.strip_prefix("  docker-upload-uuid: ") {
        return line.replace(name, "[upload]");
    }
    match line.split_once("/blobs/uploads/") {
        Some((before, after)) if !after.is_empty() && !after.starts_with([' ', '?']) => {
            let end = after.find([' ', '?']).unwrap_or(after.len());
            let query = if after[end..].starts_with('?') { "?[state]" } else { "" };
            let rest = after[end..].split_once(' ').map_or("", |(_, rest)| rest);
            format!("{before}/blobs/uploads/[upload]{query} {rest}").trim_end().to_owned()
        }
        _ => line.to_owned(),
    }
}

async fn stage() -> (TestServer, Person, Person) {
    let server = TestServer::start().await;
    let acme = server.owner("acme", "team-a").await;
    let globex = server.account("globex").await;
    (server, acme, globex)
}

#[tokio::test]
async fn an_owner_pushes() {
    let (server, acme, _) = stage().await;
    let (mut said, image) = (Transcript::new(&server), image());
    said.note(&acme.head(&format!("/v2/team-a/web/blobs/{}", image.layers[0].digest)).send().await);
    let begun = acme.post("/v2/team-a/web/blobs/uploads/").send().await;
    said.note(&begun);
    let patched = acme.patch(begun.header("location")).body(image.layers[0].bytes.clone()).send().await;
    said.note(&patched);
    said.note(&acme.get(patched.header("location")).send().await);
    let location = patched.header("location");
    let separator = if location.contains('?') { '&' } else { '?' };
    said.note(&acme.put(&format!("{location}{separator}digest={}", image.layers[0].digest)).send().await);
    said.note(&acme.puts_manifest("team-a/web", "1", &image).await);
    let whole = format!("/v2/team-a/web/blobs/uploads/?digest={}", image.config.digest);
    said.note(&acme.post(&whole).body(image.config.bytes.clone()).send().await);
    said.note(&acme.puts_manifest("team-a/web", "1", &image).await);
    insta::assert_snapshot!(said.text);
}

#[tokio::test]
async fn a_sharee_pulls() {
    let (server, acme, globex) = stage().await;
    let (mut said, image) = (Transcript::new(&server), image());
    acme.pushes("team-a/web", "1", &image).await;
    acme.shares("team-a/web", "globex", server.in_seconds(60)).await;
    said.note(&server.stranger().get("/v2/").send().await);
    let token = globex.token(&["repository:team-a/web:pull"]).await;
    let blob = format!("/v2/team-a/web/blobs/{}", image.layers[0].digest);
    for request in [
        globex.get("/v2/"),
        globex.head("/v2/team-a/web/manifests/1"),
        globex.get("/v2/team-a/web/manifests/1"),
        globex.get(&blob),
        globex.get(&blob).header("range", "bytes=2-4"),
        globex.get("/v2/team-a/web/tags/list"),
        globex.get(&format!("/v2/team-a/web/referrers/{}", image.digest)),
    ] {
        said.note(&request.bearer(&token).send().await);
    }
    insta::assert_snapshot!(said.text);
}

#[tokio::test]
async fn somebody_is_refused() {
    let (server, acme, globex) = stage().await;
    let (mut said, image) = (Transcript::new(&server), image());
    acme.pushes("team-a/web", "1", &image).await;
    let manifest = "/v2/team-a/web/manifests/1";
    said.note(&server.stranger().get(manifest).send().await);
    said.note(&server.person("acme", "wrong").get(manifest).send().await);
    said.note(&globex.get(manifest).send().await);
    let narrow = acme.token(&["repository:team-a/other:pull"]).await;
    said.note(&acme.get(manifest).bearer(&narrow).send().await);
    said.note(&acme.get("/v2/team-a/web/manifests/2").send().await);
    said.note(
        &acme.put("/v2/team-a/web/manifests/2").header("content-type", MANIFEST).body("{}").send().await,
    );
    acme.shares("team-a/web", "globex", server.in_seconds(60)).await;
    said.note(&globex.delete(manifest).send().await);
    let expired = globex.token(&["repository:team-a/web:pull"]).await;
    server.clock().pass(60);
    said.note(&globex.get(manifest).bearer(&expired).send().await);
    insta::assert_snapshot!(said.text);
}
