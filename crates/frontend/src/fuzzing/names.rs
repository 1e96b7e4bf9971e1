//! The names of namespaces, repositories, accounts, users and uploads; tags, digests and references.
//!
//! The grammars are the specifications', written down here a second time and in another way: as tables of states.

use std::fmt::Display;

use auth::{AccountName, NAME_CHARACTERS_MAX, UserName};
use oci::{
    Algorithm, Digest, DigestError, NAMESPACE_BYTES_MAX, NamespaceName, PATH_BYTES_MAX, RESERVED_NAMESPACE,
    Reference, RepositoryName, TAG_BYTES_MAX, Tag,
};
use storage::UploadId;

/// Any text, and any bytes where digests are read from those.
pub fn names(input: &[u8]) {
    if let Some(digest) = Digest::from_raw(input) {
        assert_eq!(digest.raw(), input);
        assert_eq!(Digest::parse(&digest.to_string()), Ok(digest));
    }
    let Ok(text) = std::str::from_utf8(input) else { return };
    expect("namespace", text, NamespaceName::parse(text).ok(), is_namespace(text));
    expect("repository", text, RepositoryName::parse(text).ok(), is_repository(text));
    expect("tag", text, Tag::parse(text).ok(), is_tag(text));
    expect("digest", text, Digest::parse(text).ok(), is_digest(text));
    expect("reference", text, Reference::parse(text).ok(), is_tag(text) || is_digest(text));
    expect("account", text, AccountName::parse(text).ok(), is_account(text));
    expect("user", text, UserName::parse(text).ok(), is_user(text));
    expect("algorithm", text, Algorithm::parse(text).ok(), text == "sha256" || text == "sha512");
    if let Some(id) = UploadId::parse(text) {
        assert!(text.len() == 32 && text.eq_ignore_ascii_case(&id.to_string()), "upload {text:?}");
    }
    if let Ok(name) = RepositoryName::parse(text) {
        assert_eq!(format!("{}/{}", name.namespace(), name.path()), text);
        assert!(NamespaceName::parse(name.namespace()).is_ok());
    }
    if let Err(DigestError::UnsupportedAlgorithm { algorithm }) = Digest::parse(text) {
        assert!(is_algorithm(&algorithm) && text.starts_with(&format!("{algorithm}:")), "{text:?}");
    }
}

/// What is read is what the grammar has, and is written as it came.
fn expect(what: &str, text: &str, read: Option<impl Display>, is_one: bool) {
    assert_eq!(read.is_some(), is_one, "{what} {text:?}");
    if let Some(read) = read {
        assert_eq!(read.to_string(), text, "{what}");
    }
}

fn is_namespace(text: &str) -> bool {
    text.len() <= NAMESPACE_BYTES_MAX && is_component(text) && text != RESERVED_NAMESPACE
}

fn is_repository(text: &str) -> bool {
    let Some((namespace, path)) = text.split_once('/') else { return false };
    is_namespace(namespace) && path.len() <= PATH_BYTES_MAX && path.split('/').all(is_component)
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(text: &str) -> bool {
    #[derive(PartialEq)]
    enum State {
        Begin,
        Word,
        Dot,
        Line,
        Lines,
        Dashes,
        Wrong,
    }
    let step = |state, byte| match (state, byte) {
        (State::Wrong, _) => State::Wrong,
        (_, b'a'..=b'z' | b'0'..=b'9') => State::Word,
        (State::Word, b'.') => State::Dot,
        (State::Word, b'_') => State::Line,
        (State::Line, b'_') => State::Lines,
        (State::Word | State::Dashes, b'-') => State::Dashes,
        _ => State::Wrong,
    };
    text.bytes().fold(State::Begin, step) == State::Word
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`
fn is_tag(text: &str) -> bool {
    text.len() <= TAG_BYTES_MAX
        && text.bytes().enumerate().all(|(index, byte)| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => true,
            b'.' | b'-' => index > 0,
            _ => false,
        })
        && !text.is_empty()
}

/// `sha256:[a-f0-9]{64}` or `sha512:[a-f0-9]{128}`
fn is_digest(text: &str) -> bool {
    [("sha256:", 64), ("sha512:", 128)].iter().any(|(algorithm, digits)| {
        text.strip_prefix(algorithm).is_some_and(|hex| {
            hex.len() == *digits && hex.bytes().all(|byte| matches!(byte, b'a'..=b'f' | b'0'..=b'9'))
        })
    })
}

/// `[a-z0-9]+([+._-][a-z0-9]+)*`
fn is_algorithm(text: &str) -> bool {
    let mut word = false;
    for byte in text.bytes() {
        word = match byte {
            b'a'..=b'z' | b'0'..=b'9' => true,
            b'+' | b'.' | b'_' | b'-' if word => false,
            _ => return false,
        };
    }
    word
}

/// `[a-z]([a-z0-9-]*[a-z0-9])?`, up to 64.
fn is_account(text: &str) -> bool {
    text.len() <= NAME_CHARACTERS_MAX
        && matches!(text.bytes().next(), Some(b'a'..=b'z'))
        && matches!(text.bytes().last(), Some(b'a'..=b'z' | b'0'..=b'9'))
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// `[a-z0-9]([a-z0-9._-]*[a-z0-9])?`, up to 64.
fn is_user(text: &str) -> bool {
    let is_word = |byte| matches!(byte, Some(b'a'..=b'z' | b'0'..=b'9'));
    text.len() <= NAME_CHARACTERS_MAX
        && is_word(text.bytes().next())
        && is_word(text.bytes().last())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
}
