//! A server's answer, and what a test says of it.

use std::fmt::{Debug, Formatter};

use bytes::Bytes;
use http::{HeaderMap, Version};
use serde_json::Value;

/// The most of a body that is shown.
const SHOWN_BYTES_MAX: usize = 8 << 10;

/// An answer, read to its end, and what was asked.
#[derive(Clone)]
pub struct Answer {
    /// Who asked, the method and the address.
    pub request: String,
    /// What was sent with it that a test chose: `name: value` of each header, the body or what it was.
    pub sent: Vec<String>,
    /// The version of HTTP that it came in.
    pub version: Version,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// Panics with the whole answer unless it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Answer {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Panics with the whole answer unless its status is one of these.
    #[track_caller]
    pub fn expect_any(self, statuses: &[u16]) -> Answer {
        assert!(statuses.contains(&self.status), "none of {statuses:?}: {self:?}");
        self
    }

    /// Panics unless the answer has this status and this first error code: of the specification's, or a problem's.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Answer {
        let found = self.json_or_null();
        let found = found["errors"][0]["code"].as_str().or(found["code"].as_str());
        assert!(self.status == status && found == Some(code), "{status} {code} expected: {self:?}");
        self
    }

    /// A header, or the empty text.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// A parameter of the challenge that the answer holds, without its quotes: `realm`, `service`, `scope`, `error`.
    #[must_use]
    pub fn challenge(&self, parameter: &str) -> Option<&str> {
        let (_, rest) = self.header("www-authenticate").split_once(&format!("{parameter}=\""))?;
        Some(rest.split('"').next().unwrap_or(rest))
    }

    /// The token that the token service gave.
    #[track_caller]
    #[must_use]
    pub fn token(&self) -> String {
        self.json()["token"].as_str().unwrap_or_else(|| panic!("no token: {self:?}")).to_owned()
    }

    /// The body as JSON.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The strings of the list at `key`.
    #[track_caller]
    #[must_use]
    pub fn strings(&self, key: &str) -> Vec<String> {
        let json = self.json();
        let list = json[key].as_array().unwrap_or_else(|| panic!("no list {key}: {self:?}"));
        list.iter().map(|entry| entry.as_str().expect("a list of strings").to_owned()).collect()
    }

    fn json_or_null(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Debug for Answer {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.request)?;
        for line in &self.sent {
            writeln!(f, "> {line}")?;
        }
        writeln!(f, "→ {}", self.status)?;
        for (name, value) in &self.headers {
            writeln!(f, "  {name}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        let shown = &self.body[..self.body.len().min(SHOWN_BYTES_MAX)];
        write!(f, "  {}", String::from_utf8_lossy(shown))
    }
}
