//! One client's stage: a server, the people, and what the matrix knows about what the server holds.

use jiff::Timestamp;
use serde_json::Value;
use tests::{Image, Person, TestServer, digest_of};

use crate::client::{Cannot, Done};

/// What the registry holds under a tag or a digest.
pub(crate) struct Held {
    /// The manifest's digest.
    pub(crate) digest: String,
    /// The size of everything: manifests and blobs.
    pub(crate) bytes: u64,
    /// The digests of its layers.
    pub(crate) layers: Vec<String>,
    /// What it holds of each entry of an index.
    pub(crate) children: Vec<Held>,
}

/// A server of its own, by a clock that the matrix sets; acme, who owns `team-a` and `team-b`; and globex, who owns nothing.
pub(crate) struct Stage {
    pub(crate) server: TestServer,
    pub(crate) acme: Person,
    pub(crate) globex: Person,
}

impl Stage {
    pub(crate) async fn set() -> Stage {
        let server = TestServer::start().await;
        let acme = server.owner("acme", "team-a").await;
        acme.creates_namespace("team-b").await;
        let globex = server.account("globex").await;
        Stage { server, acme, globex }
    }

    /// `127.0.0.1:40001`.
    pub(crate) fn host(&self) -> String {
        self.server.host()
    }

    /// `127.0.0.1:40001/team-a/web:1`.
    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.host())
    }

    /// A deadline.
    pub(crate) fn in_seconds(&self, seconds: i64) -> Timestamp {
        self.server.in_seconds(seconds)
    }

    /// Pushes an image by our own hand.
    pub(crate) async fn holds(&self, repository: &str, tag: &str, image: &Image) {
        self.acme.pushes(repository, tag, image).await;
    }

    /// Reads all that the registry holds under a tag, manifest by manifest and blob by blob, and compares every digest.
    pub(crate) async fn reads(&self, repository: &str, reference: &str) -> Done<Held> {
        let answer = self.acme.tries_to_pull(repository, reference).await;
        if answer.status != 200 {
            return Err(Cannot::Failed(format!("the registry does not hold it: {answer:?}")));
        }
        let digest = agrees(answer.header("docker-content-digest"), &answer.body)?;
        let manifest = answer.json();
        let mut bytes = answer.body.len() as u64;
        let mut children = Vec::new();
        for child in entries(&manifest, "manifests") {
            let child = Box::pin(self.reads(repository, child)).await?;
            bytes += child.bytes;
            children.push(child);
        }
        for blob in entries(&manifest, "layers").chain(manifest["config"]["digest"].as_str()) {
            let answer = self.acme.get(&format!("/v2/{repository}/blobs/{blob}")).send().await;
            if answer.status != 200 {
                return Err(Cannot::Failed(format!("the registry lacks a blob: {answer:?}")));
            }
            agrees(blob, &answer.body)?;
            bytes += answer.body.len() as u64;
        }
        let layers = entries(&manifest, "layers").map(str::to_owned).collect();
        Ok(Held { digest, bytes, layers, children })
    }
}

fn entries<'a>(manifest: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    manifest[key].as_array().into_iter().flatten().filter_map(|entry| entry["digest"].as_str())
}

/// The digest, if the bytes have it.
fn agrees(digest: &str, bytes: &[u8]) -> Done<String> {
    match digest_of(bytes) {
        found if found == digest => Ok(found),
        found => Err(Cannot::Failed(format!("the registry gave {found} for {digest}"))),
    }
}
