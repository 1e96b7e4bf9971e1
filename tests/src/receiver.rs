//! Somebody's receiver of webhooks: takes what is sent to it, or does not, as a test says.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// No event of a test takes longer.
const LONGEST: Duration = Duration::from_secs(30);

/// A receiver on a port of 127.0.0.1.
pub struct Receiver {
    address: SocketAddr,
    inner: Arc<Inner>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Inner {
    received: Mutex<Vec<Received>>,
    answer: Mutex<Answering>,
}

/// How a receiver answers.
#[derive(Clone)]
enum Answering {
    With(u16, Vec<(&'static str, String)>),
    Never,
}

impl Default for Answering {
    fn default() -> Answering {
        Answering::With(204, Vec::new())
    }
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its path and query.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Receiver {
    /// One that takes everything.
    pub async fn start() -> Receiver {
        Receiver::start_at("127.0.0.1:0".parse().expect("an address")).await
    }

    /// One at this address.
    pub async fn start_at(address: SocketAddr) -> Receiver {
        let listener = TcpListener::bind(address).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let inner = Arc::new(Inner::default());
        let server = tokio::spawn(serve(listener, inner.clone()));
        Receiver { address, inner, server }
    }

    /// Where it is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to give as a webhook's URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/hook?of=tests", self.address)
    }

    /// Answers with `status` from now on.
    pub fn answers(&self, status: u16) {
        self.answers_with(status, &[]);
    }

    /// Answers with `status` and headers from now on.
    pub fn answers_with(&self, status: u16, headers: &[(&'static str, &str)]) {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        *self.inner.answer.lock().expect("no panic") = Answering::With(status, headers);
    }

    /// Takes requests, and answers none of them.
    pub fn hangs(&self) {
        *self.inner.answer.lock().expect("no panic") = Answering::Never;
    }

    /// What came so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.inner.received.lock().expect("no panic").clone()
    }

    /// Waits until so many requests came, and gives them all.
    pub async fn receives(&self, count: usize) -> Vec<Received> {
        let begin = Instant::now();
        loop {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            assert!(begin.elapsed() < LONGEST, "{count} requests were expected: {received:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Received {
    /// Its event.
    #[track_caller]
    #[must_use]
    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// Its event's type, without what all have.
    #[track_caller]
    #[must_use]
    pub fn kind(&self) -> String {
        let kind = self.event()["type"].as_str().expect("a type").to_owned();
        kind.strip_prefix("dev.gangplank.").expect("one of ours").to_owned()
    }

    /// A header, or the empty text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Whether its signature is that of whoever knows `secret`, computed as the specification says and not with our own.
    #[must_use]
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("a secret's prefix")).expect("Base64");
        let (id, timestamp) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let signed = [format!("{id}.{timestamp}.").as_bytes(), &self.body].concat();
        self.header("webhook-signature") == format!("v1,{}", STANDARD.encode(hmac_sha256(&key, &signed)))
    }
}

/// RFC 2104, for keys that are no longer than a block.
fn hmac_sha256(key: &[u8], message: &[u8]) -> Vec<u8> {
    let padded = |pad: u8| -> Vec<u8> {
        let key = key.iter().copied().chain(std::iter::repeat(0)).take(64);
        key.map(|byte| byte ^ pad).collect()
    };
    let inner = Sha256::digest([padded(0x36), message.to_vec()].concat());
    Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
}

async fn serve(listener: TcpListener, inner: Arc<Inner>) {
    // Connections end with the receiver: a set breaks off what is in it when it is dropped.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let inner = inner.clone();
        let answer = service_fn(move |request| answer(inner.clone(), request));
        connections
            .spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
    }
}

async fn answer(inner: Arc<Inner>, request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let received = Received { path: parts.uri.to_string(), headers: parts.headers, body };
    inner.received.lock().expect("no panic").push(received);
    let answering = inner.answer.lock().expect("no panic").clone();
    match answering {
        Answering::With(status, headers) => {
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            Ok(response.body(Empty::new()).expect("an answer"))
        }
        Answering::Never => std::future::pending().await,
    }
}
