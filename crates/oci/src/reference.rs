//! The last part of a manifest's address: a tag or a digest.

use std::fmt;

use crate::{Digest, DigestError, Tag, TagError, text::read_and_write_as_text};

/// Why a text is neither a tag nor a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It holds no `:`, so it was read as a tag.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// It holds a `:`, so it was read as a digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

/// A tag or a digest. A digest holds a `:`, which no tag does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reference {
    /// A tag, which may come to name another manifest.
    Tag(Tag),
    /// A digest, which always names the same bytes.
    Digest(Digest),
}

impl Reference {
    /// Reads a reference, strictly.
    pub fn parse(text: &str) -> Result<Reference, ReferenceError> {
        if text.contains(':') {
            Ok(Reference::Digest(Digest::parse(text)?))
        } else {
            Ok(Reference::Tag(Tag::parse(text)?))
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reference::Tag(tag) => tag.fmt(f),
            Reference::Digest(digest) => digest.fmt(f),
        }
    }
}

read_and_write_as_text!(Reference, ReferenceError);

#[cfg(test)]
mod tests {
    use super::{Reference, ReferenceError};
    use crate::{DigestError, TagError};

    #[test]
    fn a_colon_makes_a_digest() {
        let hex = "a".repeat(64);
        assert!(matches!(Reference::parse("latest"), Ok(Reference::Tag(tag)) if tag.as_str() == "latest"));
        // The referrers tag schema: a tag, not a digest.
        assert!(matches!(Reference::parse(&format!("sha256-{hex}")), Ok(Reference::Tag(_))));
        let text = format!("sha256:{hex}");
        assert!(
            matches!(Reference::parse(&text), Ok(digest @ Reference::Digest(_)) if digest.to_string() == text)
        );

        let cases = [
            ("", ReferenceError::Tag(TagError::Empty)),
            ("-x", ReferenceError::Tag(TagError::Beginning)),
            ("sha256@abc", ReferenceError::Tag(TagError::Character)),
            ("sha256:abc", ReferenceError::Digest(DigestError::Malformed)),
            ("latest:", ReferenceError::Digest(DigestError::Malformed)),
        ];
        for (text, error) in cases {
            assert_eq!(Reference::parse(text), Err(error), "{text:?}");
        }
        let md5 = Reference::parse("md5:abc");
        assert!(
            matches!(md5, Err(ReferenceError::Digest(DigestError::UnsupportedAlgorithm { .. }))),
            "{md5:?}"
        );
    }
}
