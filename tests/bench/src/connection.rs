//! A connection that speaks HTTP/1.1 with as little work as can be: what a client spends, the servers on the same
//! processors lack.
//!
//! Requests are rendered once and sent in one write with what follows them. Heads are parsed where they were received.
//! Bodies that nobody wants are taken from the kernel without being copied (`MSG_TRUNC`), and counted. No more of HTTP
//! is understood than registries use; whatever is not understood is an error.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use bytes::{Buf, Bytes};
use rustix::net::RecvFlags;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;

use crate::random::Body;

/// Holds any head, and a small body with it.
const BUFFER_BYTES: usize = 16 * 1024;
/// What is taken at once of a body that nobody wants. It is address space: the kernel writes nothing there.
const SINK_BYTES: usize = 1024 * 1024;
const HEADERS_MAX: usize = 64;
/// The longest body that is kept.
const KEPT_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A request, ready to be sent any number of times.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// In words, for what is said when it fails.
    pub(crate) line: String,
    head: Bytes,
    body: Option<Body>,
    is_head: bool,
}

/// An answer whose body was received to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: Option<String>,
    /// Each as `name=value`.
    pub(crate) cookies: Vec<String>,
    /// What the head says of the body's length; for a HEAD there is nothing else to go by.
    pub(crate) told_bytes: Option<u64>,
    /// What came.
    pub(crate) body_bytes: u64,
    /// The body, if it was to be kept.
    pub(crate) body: Vec<u8>,
    /// When its head was there.
    pub(crate) begun: Instant,
}

/// An answer's head.
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) told_bytes: Option<u64>,
    location: Option<String>,
    cookies: Vec<String>,
    is_chunked: bool,
}

/// A connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// What of the buffer was received and not consumed.
    from: usize,
    to: usize,
    sink: Vec<u8>,
}

/// Where a body goes.
enum Sink<'a> {
    Nowhere,
    Kept(&'a mut Vec<u8>),
}

impl Request {
    /// Renders one. `target` is a path with its query.
    pub(crate) fn new(method: &str, target: &str, headers: &[(&str, &str)], body: Option<Body>) -> Request {
        let line = format!("{method} {target}");
        let mut head = format!("{line} HTTP/1.1\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = &body {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        } else if method == "POST" {
            head.push_str("content-length: 0\r\n");
        }
        head.push_str("\r\n");
        Request { line, head: head.into(), body, is_head: method == "HEAD" }
    }
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Connection, String> {
        let stream = TcpStream::connect(address).await;
        let stream = stream.map_err(|error| format!("cannot connect to {address}: {error}"))?;
        stream.set_nodelay(true).map_err(|error| format!("cannot set TCP_NODELAY: {error}"))?;
        let (buffer, sink) = (vec![0; BUFFER_BYTES], vec![0; SINK_BYTES]);
        Ok(Connection { stream, buffer, from: 0, to: 0, sink })
    }

    /// Sends a request and receives its answer, whose body is counted and dropped.
    pub(crate) async fn ask(&mut self, request: &Request) -> Result<Answer, String> {
        self.exchange(request, Sink::Nowhere).await.map_err(|why| format!("{}: {why}", request.line))
    }

    /// The same, and keeps the body.
    pub(crate) async fn ask_for(&mut self, request: &Request) -> Result<Answer, String> {
        let mut body = Vec::new();
        let answer = self.exchange(request, Sink::Kept(&mut body)).await;
        answer.map(|answer| Answer { body, ..answer }).map_err(|why| format!("{}: {why}", request.line))
    }

    /// Sends a request and receives the answer's head alone.
    pub(crate) async fn begin(&mut self, request: &Request) -> Result<Head, String> {
        let sent = self.send(request).await;
        // Who refuses a body may do so before it has all of it: then its answer says more than our failure to send.
        match (self.receive_head().await, sent) {
            (Ok(head), Err(why)) => Err(format!("answered {} before it had the body ({why})", head.status)),
            (Err(_), Err(why)) => Err(why),
            (head, Ok(())) => head,
        }
    }

    /// Takes up to `bytes` of a body, once there is something, and says how many they were; 0 at the connection's end.
    pub(crate) async fn take(&mut self, bytes: usize) -> Result<usize, String> {
        if self.from < self.to {
            let taken = bytes.min(self.to - self.from);
            self.from += taken;
            return Ok(taken);
        }
        let sink = &mut self.sink;
        let bytes = bytes.min(sink.len());
        loop {
            self.stream.readable().await.map_err(|error| format!("cannot receive: {error}"))?;
            let stream = &self.stream;
            let taken = stream.try_io(Interest::READABLE, || {
                let (_, taken) = rustix::net::recv(stream, &mut sink[..bytes], RecvFlags::TRUNC)?;
                Ok(taken)
            });
            match taken {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                other => return other.map_err(|error| format!("cannot receive: {error}")),
            }
        }
    }

    async fn exchange(&mut self, request: &Request, sink: Sink<'_>) -> Result<Answer, String> {
        let head = self.begin(request).await?;
        let begun = Instant::now();
        let Head { status, told_bytes, location, cookies, is_chunked } = head;
        let has_none = request.is_head || matches!(status, 204 | 304);
        let body_bytes = match (has_none, is_chunked, told_bytes) {
            (true, _, _) => 0,
            (false, true, _) => self.receive_chunks(sink).await?,
            (false, false, Some(bytes)) => self.receive(bytes, sink).await.map(|()| bytes)?,
            (false, false, None) => return Err(format!("answered {status} without telling its length")),
        };
        Ok(Answer { status, location, cookies, told_bytes, body_bytes, body: Vec::new(), begun })
    }

    async fn send(&mut self, request: &Request) -> Result<(), String> {
        let sent = match &request.body {
            None => self.stream.write_all(&request.head).await,
            Some(body) => {
                let mut bytes = request.head.clone().chain(body.bytes());
                self.stream.write_all_buf(&mut bytes).await
            }
        };
        sent.map_err(|error| format!("cannot send: {error}"))
    }

    async fn receive_head(&mut self) -> Result<Head, String> {
        // Bounded by the buffer: each turn receives more into it, parses a head, or fails.
        loop {
            if self.from < self.to {
                match parse(&self.buffer[self.from..self.to])? {
                    Some((head, bytes)) => {
                        self.from += bytes;
                        if head.status >= 200 {
                            return Ok(head);
                        }
                        continue;
                    }
                    None if self.to - self.from == BUFFER_BYTES => {
                        return Err(format!("a head of more than {BUFFER_BYTES} bytes"));
                    }
                    None => {}
                }
            }
            self.fill().await?;
        }
    }

    /// Receives something more into the buffer.
    async fn fill(&mut self) -> Result<(), String> {
        self.buffer.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from);
        let received = self.stream.read(&mut self.buffer[self.to..]).await;
        match received.map_err(|error| format!("cannot receive: {error}"))? {
            0 => Err("the server closed the connection".to_owned()),
            bytes => {
                self.to += bytes;
                Ok(())
            }
        }
    }

    async fn receive(&mut self, bytes: u64, mut sink: Sink<'_>) -> Result<(), String> {
        let mut left = bytes;
        if let Sink::Kept(body) = &mut sink {
            if body.len() as u64 + bytes > KEPT_BYTES_MAX {
                return Err(format!("a body of more than {KEPT_BYTES_MAX} bytes"));
            }
            while left > 0 {
                if self.from == self.to {
                    self.fill().await?;
                }
                let part = (self.to - self.from).min(usize::try_from(left).unwrap_or(usize::MAX));
                body.extend_from_slice(&self.buffer[self.from..self.from + part]);
                self.from += part;
                left -= part as u64;
            }
            return Ok(());
        }
        while left > 0 {
            match self.take(usize::try_from(left).unwrap_or(usize::MAX)).await? {
                0 => return Err(format!("the connection ended {left} bytes before the body did")),
                taken => left -= taken as u64,
            }
        }
        Ok(())
    }

    async fn receive_chunks(&mut self, mut sink: Sink<'_>) -> Result<u64, String> {
        let mut sum = 0;
        // Ends with the last chunk, or with the connection.
        loop {
            let bytes = self.receive_chunk_size().await?;
            let part = match &mut sink {
                Sink::Nowhere => Sink::Nowhere,
                Sink::Kept(body) => Sink::Kept(body),
            };
            self.receive(bytes, part).await?;
            sum += bytes;
            // The line's end behind each chunk; behind the last one, that of trailers, which registries do not send.
            self.receive(2, Sink::Nowhere).await?;
            if bytes == 0 {
                return Ok(sum);
            }
        }
    }

    async fn receive_chunk_size(&mut self) -> Result<u64, String> {
        // Bounded by the buffer, as a head is.
        loop {
            match httparse::parse_chunk_size(&self.buffer[self.from..self.to]) {
                Ok(httparse::Status::Complete((bytes, size))) => {
                    self.from += bytes;
                    return Ok(size);
                }
                Ok(httparse::Status::Partial) if self.to - self.from < BUFFER_BYTES => self.fill().await?,
                _ => return Err("a chunk that is none".to_owned()),
            }
        }
    }
}

/// A head, and how many bytes it has; `None` while it is not whole.
fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, String> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(bytes).map_err(|error| format!("no answer in HTTP/1.1: {error}"))?;
    let httparse::Status::Complete(bytes) = parsed else { return Ok(None) };
    let mut head = Head {
        status: response.code.unwrap_or(0),
        told_bytes: None,
        location: None,
        cookies: Vec::new(),
        is_chunked: false,
    };
    for header in response.headers.iter() {
        let value = String::from_utf8_lossy(header.value);
        if header.name.eq_ignore_ascii_case("content-length") {
            head.told_bytes = value.trim().parse().ok();
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            head.is_chunked = value.trim().eq_ignore_ascii_case("chunked");
        } else if header.name.eq_ignore_ascii_case("location") {
            head.location = Some(value.into_owned());
        } else if header.name.eq_ignore_ascii_case("set-cookie") {
            head.cookies.extend(value.split(';').next().map(str::to_owned));
        }
    }
    Ok(Some((head, bytes)))
}

#[cfg(test)]
mod tests;
