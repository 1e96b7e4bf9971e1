//! Signs a question with an access key, as the clients of the SWR management API do (`SDK-HMAC-SHA256`).

use aws_lc_rs::hmac;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

use super::wire::{HOST, Question};
use super::world::sha256;

/// The world's instant, as the scheme writes it.
const DATE: &str = "20270115T080000Z";
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The question with a signature.
pub(super) fn signed(mut question: Question, access_key: &str, secret_key: &str) -> Question {
    let (path, query) = question.target.split_once('?').unwrap_or((&question.target, ""));
    let path: Vec<u8> = percent_decode_str(path).collect();
    let path: Vec<_> =
        path.split(|byte| *byte == b'/').map(|part| percent_encode(part, KEPT).to_string()).collect();
    let path = path.join("/");
    let slash = if path.ends_with('/') { "" } else { "/" };
    let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
    pairs.sort();
    let encoded = |text: &str| percent_encode(text.as_bytes(), KEPT).to_string();
    let pairs: Vec<_> =
        pairs.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let canonical = format!(
        "{}\n{path}{slash}\n{}\nhost:{HOST}\nx-sdk-date:{DATE}\n\nhost;x-sdk-date\n{}",
        question.method,
        pairs.join("&"),
        sha256(&question.body).hex()
    );
    let message = format!("SDK-HMAC-SHA256\n{DATE}\n{}", sha256(canonical.as_bytes()).hex());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret_key.as_bytes()), message.as_bytes());
    let tag: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let authorization =
        format!("SDK-HMAC-SHA256 Access={access_key}, SignedHeaders=host;x-sdk-date, Signature={tag}");
    question.headers.push(("x-sdk-date", DATE.to_owned()));
    question.headers.push(("authorization", authorization));
    question
}
