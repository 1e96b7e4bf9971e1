//! Whole exchanges as text, for snapshots: what was sent, and every line of the answer.
//!
//! Only what differs each time is replaced: the host, the date, a request's id, an upload's id, tokens and the length of
//! an answer that holds one. Uploads and tokens are numbered, so that a snapshot shows whether two of them are the same.

use crate::{Answer, Registry, Request};

/// An upload's id: that many hexadecimal digits.
const UPLOAD_ID_BYTES: usize = 32;

/// What was said, in order.
pub struct Transcript {
    text: String,
    host: String,
    names: Vec<(String, String)>,
}

/// What differs each time, and how it is found.
#[derive(Clone, Copy)]
enum Secret {
    /// An upload's id, behind these words.
    Upload(&'static str),
    /// A token that begins with these.
    Token(&'static str),
}

const SECRETS: [Secret; 5] = [
    Secret::Upload("/blobs/uploads/"),
    Secret::Upload("docker-upload-uuid: "),
    Secret::Token("gp_ref_"),
    Secret::Token("gp_pat_"),
    Secret::Token("eyJ"),
];

impl Transcript {
    /// An empty one of a conversation with `registry`.
    #[must_use]
    pub fn new(registry: &Registry) -> Transcript {
        Transcript { text: String::new(), host: registry.host(), names: Vec::new() }
    }

    /// Sends a request, and writes down the exchange.
    pub async fn hears(&mut self, request: Request) -> Answer {
        let answer = request.send().await;
        self.note(&answer);
        answer
    }

    /// Writes down an exchange.
    pub fn note(&mut self, answer: &Answer) {
        let whole = format!("{answer:?}").replace(&self.host, "[host]");
        let holds_token = String::from_utf8_lossy(&answer.body).contains("eyJ");
        for line in whole.lines().map(str::trim_end) {
            let line = match line.split_once(": ") {
                Some((name @ ("  date" | "  x-request-id"), _)) => format!("{name}: […]"),
                // Ids in a token are numbers of any length.
                Some((name @ "  content-length", _)) if holds_token => format!("{name}: […]"),
                _ => self.without_secrets(line),
            };
            self.text.push_str(&line);
            self.text.push('\n');
        }
        self.text.push('\n');
    }

    /// A sentence between exchanges: what happens meanwhile.
    pub fn remark(&mut self, sentence: &str) {
        self.text.push_str(&format!("({sentence})\n\n"));
    }

    /// All of it.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.trim_end()
    }

    fn without_secrets(&mut self, line: &str) -> String {
        let (mut written, mut rest) = (String::new(), line);
        while let Some((start, kind, secret)) = next_secret(rest) {
            written.push_str(&rest[..start]);
            written.push_str(&self.name(kind, secret));
            rest = &rest[start + secret.len()..];
        }
        written + rest
    }

    /// The same name for the same secret.
    fn name(&mut self, kind: &str, secret: &str) -> String {
        if let Some((_, name)) = self.names.iter().find(|(known, _)| known == secret) {
            return name.clone();
        }
        let number = 1 + self.names.iter().filter(|(_, name)| name[1..].starts_with(kind)).count();
        let name = format!("[{kind} {number}]");
        self.names.push((secret.to_owned(), name.clone()));
        name
    }
}

/// The first secret in `text`: where it begins, what it is, and itself.
fn next_secret(text: &str) -> Option<(usize, &'static str, &str)> {
    let found = SECRETS.iter().filter_map(|secret| match *secret {
        Secret::Upload(before) => text.match_indices(before).find_map(|(at, _)| {
            let start = at + before.len();
            let id = word(&text[start..]);
            (id.len() == UPLOAD_ID_BYTES).then_some((start, "upload", id))
        }),
        Secret::Token(begin) => text.find(begin).map(|start| (start, "token", word(&text[start..]))),
    });
    found.min_by_key(|(start, ..)| *start)
}

/// What stands before the first byte that no id and no token has.
fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')));
    &text[..end.unwrap_or(text.len())]
}
