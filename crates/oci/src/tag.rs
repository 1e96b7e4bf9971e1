//! A tag: the name that a person gives to a manifest in a repository.

use std::fmt;
use std::sync::Arc;

use crate::text::read_and_write_as_text;

/// The longest tag, in bytes.
pub const TAG_BYTES_MAX: usize = 128;

/// Why a text is not a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// No bytes.
    #[error("a tag is not empty")]
    Empty,
    /// More than [`TAG_BYTES_MAX`].
    #[error("a tag has at most {TAG_BYTES_MAX} characters")]
    TooLong,
    /// A `.` or `-` at its beginning.
    #[error("a tag begins with a letter, a digit or _")]
    Beginning,
    /// A byte that no tag may hold.
    #[error("a tag holds only letters, digits, and . _ -")]
    Character,
}

/// A tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`. Ordered by its bytes, as lists of tags are. Cheap
/// to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(Arc<str>);

impl Tag {
    /// Reads a tag, strictly.
    pub fn parse(text: &str) -> Result<Tag, TagError> {
        let bytes = text.as_bytes();
        let first = bytes.first().ok_or(TagError::Empty)?;
        if bytes.len() > TAG_BYTES_MAX {
            return Err(TagError::TooLong);
        }
        if !bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte)) {
            return Err(TagError::Character);
        }
        if b".-".contains(first) {
            return Err(TagError::Beginning);
        }
        Ok(Tag(text.into()))
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({self})")
    }
}

read_and_write_as_text!(Tag, TagError);

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::{Tag, TagError};

    #[test]
    fn grammar() {
        for text in ["latest", "a", "_", "__", "_.-", "0", "V1.2.3-rc.1_x", "a..b", "a--", "a."] {
            assert_eq!(Tag::parse(text).map(|tag| tag.to_string()), Ok(text.to_owned()), "{text}");
        }
        let bad = [
            ("", TagError::Empty),
            ("-x", TagError::Beginning),
            (".x", TagError::Beginning),
            ("..", TagError::Beginning),
            ("a/b", TagError::Character),
            ("a:b", TagError::Character),
            ("a b", TagError::Character),
            ("a+b", TagError::Character),
            ("a@b", TagError::Character),
            ("é", TagError::Character),
            ("latest\n", TagError::Character),
            ("a\0", TagError::Character),
            ("+x", TagError::Character),
        ];
        for (text, error) in bad {
            assert_eq!(Tag::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn length() {
        assert!(Tag::parse(&"a".repeat(128)).is_ok());
        assert_eq!(Tag::parse(&"a".repeat(129)), Err(TagError::TooLong));
        assert_eq!(Tag::parse(&"é".repeat(65)), Err(TagError::TooLong));
    }

    #[test]
    fn order_is_that_of_bytes() {
        let mut tags: Vec<Tag> =
            ["b", "a", "B", "_", "10", "9", "a-"].iter().filter_map(|text| Tag::parse(text).ok()).collect();
        tags.sort();
        let texts: Vec<&str> = tags.iter().map(Tag::as_str).collect();
        assert_eq!(texts, ["10", "9", "B", "_", "a", "a-", "b"]);
    }

    proptest! {
        #[test]
        fn what_the_specification_allows_is_read_and_written_alike(
            text in "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}",
        ) {
            let tag = Tag::parse(&text).expect("the specification's grammar");
            prop_assert_eq!(tag.to_string(), text);
            let json = serde_json::to_string(&tag).expect("a text");
            prop_assert_eq!(serde_json::from_str::<Tag>(&json).expect("its own text"), tag);
        }

        #[test]
        fn no_text_makes_it_panic_or_changes(text in "\\PC{0,9}") {
            if let Ok(tag) = Tag::parse(&text) {
                prop_assert_eq!(tag.as_str(), text);
            }
        }
    }
}
