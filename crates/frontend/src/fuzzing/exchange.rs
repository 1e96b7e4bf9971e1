//! Whole requests against a whole server.
//!
//! An input is text, so that a person can write and read it: requests, one after the other, with a line of `===` between
//! them.
//!
//! ```text
//! POST /v2/team-a/web/blobs/uploads/
//! authorization: {acme}
//! ===
//! PATCH {upload}
//! authorization: {acme}
//! content-range: 0-4
//!
//! hello
//! ```
//!
//! What is needed to be understood is added (`Host`, `Content-Length`), unless it is there. `{…}` stands for what an input
//! cannot know: the credentials and digests of [`World`], and `{upload}` for where the last answer pointed to. A request
//! that begins with `raw` is sent as it is, whatever it is.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, LOCATION};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncWriteExt, DuplexStream, copy, duplex, sink, split};

use super::judge::{Asked, judge};
use super::world::{PRIVATE, World};
use crate::connection::{Activity, Arrival};
use crate::edge::Edge;

const REQUESTS_MAX: usize = 16;
const SEPARATOR: &str = "\n===\n";
const NAME_BYTES_MAX: usize = 16;
/// Longer than any wait in the server. It takes no time: the clock stands, and goes on when there is nothing else to do.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// Requests in the form above.
pub fn exchange(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        let server = Arc::new(Server::new().await);
        for request in text.split(SEPARATOR).take(REQUESTS_MAX) {
            let request = server.filled(request).await;
            let bytes = request.strip_prefix("raw\n").map_or_else(|| framed(&request), str::to_owned);
            server.converse(bytes.into_bytes()).await;
        }
    });
}

/// A request with what HTTP/1.1 wants of it.
fn framed(request: &str) -> String {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut lines = head.split('\n');
    let mut framed = format!("{} HTTP/1.1\r\n", lines.next().unwrap_or_default());
    lines.for_each(|line| framed.extend([line, "\r\n"]));
    let has = |names: &[&str]| {
        let fields = head.split('\n').filter_map(|line| line.split_once(':'));
        fields.into_iter().any(|(name, _)| names.iter().any(|wanted| name.eq_ignore_ascii_case(wanted)))
    };
    if !has(&["host"]) {
        framed.push_str("host: registry.example\r\n");
    }
    if !has(&["content-length", "transfer-encoding"]) {
        framed.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    framed.extend(["connection: close\r\n\r\n", body]);
    framed
}

struct Server {
    world: World,
    edge: Edge,
    /// Where the last answer pointed to.
    location: Mutex<String>,
}

impl Server {
    async fn new() -> Server {
        let world = World::new().await;
        let edge = Edge::new(world.app.clone());
        let location = Mutex::new(format!("/v2/team-a/web/blobs/uploads/{:032x}", 1));
        Server { world, edge, location }
    }

    /// `request` with what its `{…}` stand for.
    async fn filled(&self, request: &str) -> String {
        let mut filled = String::with_capacity(request.len());
        let mut rest = request;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            rest = after;
            let name = after.find('}').filter(|end| *end <= NAME_BYTES_MAX).map(|end| &after[..end]);
            let value = match name {
                Some("upload") => Some(self.location().clone()),
                Some(name) => self.world.value(name).await,
                None => None,
            };
            match (value, name) {
                (Some(value), Some(name)) => {
                    filled.push_str(&value);
                    rest = &after[name.len() + 1..];
                }
                _ => filled.push('{'),
            }
        }
        filled + rest
    }

    /// Sends `bytes` over a connection of their own, and reads whatever comes until the server ends it.
    async fn converse(self: &Arc<Self>, bytes: Vec<u8>) {
        let (client, socket) = duplex(64 << 10);
        let talking = async {
            let (mut answers, mut requests) = split(client);
            let mut nowhere = sink();
            let (_sent, _read) = tokio::join!(requests.write_all(&bytes), copy(&mut answers, &mut nowhere));
        };
        let both = async { tokio::join!(self.serve(socket), talking) };
        // Who waits for more of a request, or for the next, waits for ever.
        let _ = tokio::time::timeout(PATIENCE, both).await;
    }

    async fn serve(self: &Arc<Self>, socket: DuplexStream) {
        let activity = Activity::new();
        let service = service_fn(|request| {
            let (server, activity) = (Arc::clone(self), activity.clone());
            async move { Ok::<_, Infallible>(server.answer(request, &activity).await) }
        });
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder.http1().timer(TokioTimer::new()).header_read_timeout(self.edge.settings().head_timeout);
        builder.http2().timer(TokioTimer::new());
        // What is no HTTP breaks the connection, and nothing else.
        let _ = builder.serve_connection(TokioIo::new(socket), service).await;
    }

    async fn answer(&self, request: Request<Incoming>, activity: &Activity) -> Response<Full<Bytes>> {
        let asked = Asked { method: request.method().clone(), path: request.uri().path().to_owned() };
        let is_nobody = !request.headers().contains_key(AUTHORIZATION);
        let arrival = Arrival { peer: PEER, over_tls: false };
        let (parts, body) = self.edge.answer(request, arrival, activity, None).await.into_parts();
        let body = body.collect().await.expect("an answer from memory does not break off").to_bytes();
        judge(&asked, &parts, &body);
        if is_nobody && body.windows(PRIVATE.len()).any(|window| window == PRIVATE) {
            assert!(!self.world.is_private().await, "nobody reads what is private: {}", asked.path);
        }
        if let Some(location) = parts.headers.get(LOCATION).and_then(|location| location.to_str().ok()) {
            location.clone_into(&mut self.location());
        }
        Response::from_parts(parts, Full::new(body))
    }

    fn location(&self) -> std::sync::MutexGuard<'_, String> {
        self.location.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
