//! A server in this process, asked over a connection in memory: all of the way that a request takes, but for the network.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncWriteExt, copy, duplex, sink, split};

use crate::App;
use crate::connection::{Activity, Arrival};
use crate::edge::Edge;

/// The host that is asked.
pub(super) const HOST: &str = "registry.example";
const PEER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1);

pub(super) struct Wire {
    edge: Edge,
}

/// What is asked.
#[derive(Debug, Clone)]
pub(super) struct Question {
    pub(super) method: &'static str,
    pub(super) target: String,
    /// Names in lower case, and values.
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The codes of a refusal, in whatever API's form.
    pub(super) fn codes(&self) -> Vec<String> {
        let body = self.json();
        let of_v2 = body["errors"].as_array().into_iter().flatten().map(|error| &error["code"]);
        let codes = of_v2.chain([&body["code"], &body["errorCode"]]);
        codes.filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

impl Wire {
    pub(super) fn new(app: App) -> Wire {
        Wire { edge: Edge::new(app) }
    }

    pub(super) async fn ask(&self, question: &Question) -> Answer {
        self.try_ask(question).await.unwrap_or_else(|| panic!("no answer to {question:?}"))
    }

    /// None: what was asked is not even HTTP.
    pub(super) async fn try_ask(&self, question: &Question) -> Option<Answer> {
        let (client, socket) = duplex(64 << 10);
        let answered = Arc::new(Mutex::new(None));
        let service = service_fn(|request| self.answer(request, Arc::clone(&answered)));
        let serving = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
        let asking = async {
            let (mut answers, mut requests) = split(client);
            requests.write_all(&question.bytes()).await.unwrap();
            copy(&mut answers, &mut sink()).await.unwrap();
        };
        let (_served, ()) = tokio::join!(serving, asking);
        answered.lock().unwrap().take()
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        answered: Arc<Mutex<Option<Answer>>>,
    ) -> Result<Response<Full<Bytes>>, Infallible> {
        let arrival = Arrival { peer: PEER, over_tls: false };
        let (parts, body) = self.edge.answer(request, arrival, &Activity::new(), None).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        *answered.lock().unwrap() = Some(answer);
        Ok(Response::new(Full::default()))
    }
}

impl Question {
    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nhost: {HOST}\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", self.body.len()));
        [head.as_bytes(), &self.body].concat()
    }
}
