//! What passed over a relay: requests and their answers, without their bodies.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::http::{Framing, Listener};

/// How many are written down.
const EXCHANGES_MAX: usize = 10_000;

/// A request that passed, and what came back: all that a client did, not what it says that it did.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// `PATCH`.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// How many bytes of its body passed.
    pub sent_bytes: u64,
    /// The answer's status; none when no answer has passed.
    pub status: Option<u16>,
    /// How many bytes of the answer's body passed.
    pub received_bytes: u64,
    headers: Vec<(String, String)>,
    answer_headers: Vec<(String, String)>,
}

impl Exchange {
    /// A header of the request, or the empty text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        find(&self.headers, name)
    }

    /// A header of the answer, or the empty text.
    #[must_use]
    pub fn answer_header(&self, name: &str) -> &str {
        find(&self.answer_headers, name)
    }

    /// Whether it is a request of this method, to a path that holds this.
    #[must_use]
    pub fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path.contains(path)
    }

    /// Whether it was answered with this status.
    #[must_use]
    pub fn got(&self, status: u16) -> bool {
        self.status == Some(status)
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> &'a str {
    headers.iter().find(|(header, _)| header == name).map_or("", |(_, value)| value)
}

/// All that passed, in the order of the requests.
#[derive(Clone, Default)]
pub(super) struct Record(Arc<Mutex<Vec<Exchange>>>);

impl Record {
    pub(super) fn all(&self) -> Vec<Exchange> {
        self.with(|exchanges| exchanges.clone())
    }

    pub(super) fn with<T>(&self, look: impl FnOnce(&mut Vec<Exchange>) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes down one connection's requests; or, told which of them stand in line, their answers.
pub(super) struct Scribe {
    pub(super) record: Record,
    /// This connection's requests that are not yet answered.
    pub(super) unanswered: Arc<Mutex<VecDeque<usize>>>,
    /// Whether the bytes are the client's.
    pub(super) asks: bool,
    /// The exchange whose body passes.
    pub(super) current: usize,
}

impl Scribe {
    fn unanswered<T>(&self, look: impl FnOnce(&mut VecDeque<usize>) -> T) -> T {
        look(&mut self.unanswered.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn request(&mut self, first: &str, headers: Vec<(String, String)>) {
        let mut words = first.split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        self.current = self.record.with(|exchanges| {
            assert!(exchanges.len() < EXCHANGES_MAX, "a client that asks without end");
            exchanges.push(Exchange {
                method,
                path,
                sent_bytes: 0,
                status: None,
                received_bytes: 0,
                headers,
                answer_headers: Vec::new(),
            });
            exchanges.len() - 1
        });
        self.unanswered(|line| line.push_back(self.current));
    }

    /// Gives whether the answer has a body at all.
    fn answer(&mut self, first: &str, headers: Vec<(String, String)>) -> bool {
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        if status < 200 {
            return false;
        }
        // A client that tries TLS first is answered too, and has asked nothing.
        let Some(current) = self.unanswered(VecDeque::pop_front) else { return false };
        self.current = current;
        self.record.with(|exchanges| {
            let exchange = &mut exchanges[self.current];
            (exchange.status, exchange.answer_headers) = (Some(status), headers);
            exchange.method != "HEAD" && !matches!(status, 204 | 304)
        })
    }
}

impl Listener for Scribe {
    fn head(&mut self, head: &str) -> Framing {
        let (first, rest) = head.split_once("\r\n").unwrap_or((head, ""));
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers: Vec<_> = rest.lines().filter_map(header).collect();
        let length = find(&headers, "content-length").parse().unwrap_or(0);
        let chunked = find(&headers, "transfer-encoding").eq_ignore_ascii_case("chunked");
        let has_body = match self.asks {
            true => {
                self.request(first, headers);
                true
            }
            false => self.answer(first, headers),
        };
        match (has_body, chunked) {
            (false, _) => Framing::Length(0),
            (true, true) => Framing::Chunked,
            (true, false) => Framing::Length(length),
        }
    }

    fn body(&mut self, bytes: u64) {
        let (asks, current) = (self.asks, self.current);
        self.record.with(|exchanges| match asks {
            true => exchanges[current].sent_bytes += bytes,
            false => exchanges[current].received_bytes += bytes,
        });
    }
}
