//! The SWR management API over HTTP, by requests that are signed here as its clients sign theirs.

mod bad_input;
mod calls;
mod closed;

use std::sync::atomic::{AtomicU32, Ordering};

use auth::{Description, Secret};
use aws_lc_rs::hmac;
use http::{HeaderMap, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use serde_json::Value;

use super::app::{TestApp, password_of, sha256};
use crate::Clock;

const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Somebody with an access key.
struct Signer<'a> {
    app: &'a TestApp,
    access_key: String,
    secret_key: Secret,
    /// A header that makes each request another one: the clock stands, and an equal one would be a replay.
    count: AtomicU32,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    /// The answer, which must have this status.
    #[track_caller]
    fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// The status, the number of the code, and what it is about.
    fn refusal(&self) -> (u16, &str, &str) {
        let text = |name: &str| self.body[name].as_str().unwrap_or_default();
        (self.status, text("errorCode").strip_prefix("SVCSTG.SWR.").unwrap_or_default(), text("detail"))
    }
}

impl<'a> Signer<'a> {
    async fn of(app: &'a TestApp, login: &str) -> Signer<'a> {
        let now = app.clock.now();
        let secret = Secret::new(password_of(login));
        let holder = app.auth.authenticate(login, &secret, None, now).await.unwrap();
        let (made, secret_key) =
            app.auth.create_access_key(&holder, Description::default(), now).await.unwrap();
        Signer { app, access_key: made.id.to_string(), secret_key, count: AtomicU32::new(0) }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, None).await
    }

    /// Sends a signed request; a body is JSON.
    async fn send(&self, method: &str, address: &str, body: Option<Value>) -> Answer {
        self.send_bytes(method, address, body.map(|body| body.to_string()).unwrap_or_default()).await
    }

    async fn send_bytes(&self, method: &str, address: &str, body: String) -> Answer {
        let (path, query) = address.split_once('?').unwrap_or((address, ""));
        let date = self.app.clock.now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let count = self.count.fetch_add(1, Ordering::Relaxed).to_string();
        let headers = format!("host:{}\nx-count:{count}\nx-sdk-date:{date}\n", self.app.host);
        let signed = "host;x-count;x-sdk-date";
        let hash = |bytes: &[u8]| sha256(bytes).hex();
        let canonical = format!(
            "{method}\n{}\n{}\n{headers}\n{signed}\n{}",
            canonical_path(path),
            canonical_query(query),
            hash(body.as_bytes())
        );
        let message = format!("SDK-HMAC-SHA256\n{date}\n{}", hash(canonical.as_bytes()));
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.secret_key.reveal().as_bytes());
        let tag = hmac::sign(&key, message.as_bytes());
        let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let authorization =
            format!("SDK-HMAC-SHA256 Access={}, SignedHeaders={signed}, Signature={tag}", self.access_key);
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.app.anonymous(method, address).header("authorization", authorization);
        let request = request.header("x-count", count).header("x-sdk-date", date).body(body);
        answer(request.send().await.unwrap()).await
    }
}

async fn answer(answer: reqwest::Response) -> Answer {
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let bytes = answer.bytes().await.unwrap();
    let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
    Answer { status, headers, body }
}

fn canonical_path(path: &str) -> String {
    let decoded: Vec<u8> = percent_decode_str(path).collect();
    let segments = decoded.split(|byte| *byte == b'/');
    segments.map(|segment| percent_encode(segment, KEPT).to_string()).collect::<Vec<_>>().join("/") + "/"
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    pairs.sort();
    let encode = |text: &str| percent_encode(text.as_bytes(), KEPT).to_string();
    let pairs = pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}
