//! What real clients depend on, one promise a test: each sends what the client named in it sends, and has the whole
//! exchange as a snapshot, but for one in push.rs in which it differs from run to run. What must never change is asserted
//! beside it in words.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test --release -p tests protocol`, and read the difference.

mod authentication;
mod manifests;
mod pull;
mod push;
mod specification;
mod suite;
mod tokens;

use gangplank::Config;
use tests::{Answer, Blob, Image, Person, Request, TestServer, Transcript, Wire};

const WEB: &str = "team-a/web";
const MANIFEST_OF_WEB: &str = "/v2/team-a/web/manifests/1";
const UPLOADS_TO_WEB: &str = "/v2/team-a/web/blobs/uploads/";

/// An image that is the same every time.
fn image() -> Image {
    Image::of_config(br#"{"architecture":"amd64","os":"linux"}"#, vec![Blob::layer("a layer".as_bytes())])
}

/// A server, an owner with a namespace, another account with one, and what is said.
struct Stage {
    server: TestServer,
    acme: Person,
    globex: Person,
    said: Transcript,
}

impl Stage {
    async fn set() -> Stage {
        Stage::set_with(|_| {}).await
    }

    async fn set_with(change: impl FnOnce(&mut Config)) -> Stage {
        let server = TestServer::start_with(change).await;
        let acme = server.owner("acme", "team-a").await;
        let globex = server.owner("globex", "team-g").await;
        let said = Transcript::new(&server);
        Stage { server, acme, globex, said }
    }

    /// With [`image`] in [`WEB`], as `1`.
    async fn with_image() -> Stage {
        let stage = Stage::set().await;
        stage.acme.pushes(WEB, "1", &image()).await;
        stage
    }

    async fn hears(&mut self, request: Request) -> Answer {
        self.said.hears(request).await
    }

    /// The challenge that follows the realm and the service with `rest`.
    fn challenge(&self, rest: &str) -> String {
        format!("Bearer realm=\"{}/auth/token\",service=\"gangplank\"{rest}", self.server.url())
    }

    async fn wire(&self) -> Wire {
        Wire::to(&self.server).await
    }
}

/// The address of a blob of [`WEB`].
fn blob_of_web(digest: &str) -> String {
    format!("/v2/{WEB}/blobs/{digest}")
}
