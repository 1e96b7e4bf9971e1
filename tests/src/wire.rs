//! A connection of its own, on which a test writes every byte of a request itself: heads as a client writes them, bodies
//! without a length, bodies that wait. The answer is read with no more of HTTP/1.1 than our server uses.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Version};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::{Answer, Registry};

const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A connection.
pub struct Wire {
    stream: BufReader<TcpStream>,
    request: String,
    sent: Vec<String>,
}

impl Wire {
    /// A connection to `registry`.
    pub async fn to(registry: &Registry) -> Wire {
        let stream = TcpStream::connect(registry.host()).await.expect("a connection");
        Wire { stream: BufReader::new(stream), request: String::new(), sent: Vec::new() }
    }

    /// Begins a request: its line and its headers, exactly as they are written here.
    pub async fn head(&mut self, line: &str, headers: &[&str]) -> &mut Wire {
        self.request = line.to_owned();
        self.sent = headers.iter().map(|header| (*header).to_owned()).collect();
        let head = format!("{line}\r\n{}\r\n\r\n", headers.join("\r\n"));
        self.write(head.as_bytes()).await;
        self
    }

    /// Goes on with a body of a length that the head told.
    pub async fn bytes(&mut self, bytes: &[u8]) -> &mut Wire {
        self.sent.push(format!("[{} bytes]", bytes.len()));
        self.write(bytes).await;
        self
    }

    /// Goes on with a chunk of the chunked coding; an empty one ends the body.
    pub async fn chunk(&mut self, bytes: &[u8]) -> &mut Wire {
        self.sent.push(format!("[a chunk of {} bytes]", bytes.len()));
        let framed = [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
        self.write(&framed).await;
        self
    }

    /// Reads the answer.
    pub async fn answer(&mut self) -> Answer {
        let answer = tokio::time::timeout(ANSWER_WITHIN, self.read_answer()).await;
        answer.unwrap_or_else(|_| panic!("{} is not answered", self.request))
    }

    async fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).await.expect("the connection takes it");
    }

    async fn read_answer(&mut self) -> Answer {
        let (status, headers) = loop {
            let (status, headers) = self.read_head().await;
            if status >= 200 {
                break (status, headers);
            }
        };
        assert!(!headers.contains_key("transfer-encoding"), "our answers know their length: {headers:?}");
        let length = headers.get("content-length").and_then(|length| length.to_str().ok()?.parse().ok());
        let empty = self.request.starts_with("HEAD ") || matches!(status, 204 | 304);
        let mut body = vec![0; if empty { 0 } else { length.unwrap_or(0) }];
        self.stream.read_exact(&mut body).await.expect("the whole body");
        let (request, sent) = (format!("wire {}", self.request), std::mem::take(&mut self.sent));
        let version = Version::HTTP_11;
        Answer { request, sent, version, status, headers, body: Bytes::from(body) }
    }

    async fn read_head(&mut self) -> (u16, HeaderMap) {
        let first = self.read_line().await;
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status: {first:?}"));
        let mut headers = HeaderMap::new();
        loop {
            let line = self.read_line().await;
            if line.is_empty() {
                return (status, headers);
            }
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no header: {line:?}"));
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
            headers.append(name, HeaderValue::from_str(value).expect("a header's value"));
        }
    }

    async fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).await.expect("text");
        assert!(line.ends_with("\r\n"), "the connection ended: {line:?}");
        line.trim_end_matches(['\r', '\n']).to_owned()
    }
}
