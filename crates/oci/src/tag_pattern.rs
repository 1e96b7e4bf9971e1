//! A pattern of tags: a glob that a whole tag must match.

use std::fmt;

use crate::tag::TAG_BYTES_MAX;
use crate::text::read_and_write_as_text;

/// Why a text is not a pattern of tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TagPatternError {
    /// No bytes.
    #[error("a pattern of tags is not empty; * stands for every tag")]
    Empty,
    /// More than [`TAG_BYTES_MAX`].
    #[error("a pattern of tags has at most {TAG_BYTES_MAX} characters")]
    TooLong,
    /// A `.` or `-` at its beginning, where no tag has one.
    #[error("a pattern of tags begins as a tag does, with a letter, a digit or _, or with * or ?")]
    Beginning,
    /// A byte that is neither a tag's nor `*` nor `?`.
    #[error("a pattern of tags holds only letters, digits, and . _ - * ?")]
    Character,
}

/// A whole-tag glob: `*` stands for any run of characters, the empty one too, `?` for one character, and everything
/// else for itself. What means the same is the same pattern: in a run of `*` and `?` the `*` comes last, and once.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagPattern(String);

impl TagPattern {
    /// Reads a pattern, strictly.
    pub fn parse(text: &str) -> Result<TagPattern, TagPatternError> {
        let bytes = text.as_bytes();
        let first = bytes.first().ok_or(TagPatternError::Empty)?;
        if bytes.len() > TAG_BYTES_MAX {
            return Err(TagPatternError::TooLong);
        }
        if !bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-*?".contains(byte)) {
            return Err(TagPatternError::Character);
        }
        if b".-".contains(first) {
            return Err(TagPatternError::Beginning);
        }
        let mut pattern = String::with_capacity(text.len());
        let mut any = false;
        for character in text.chars() {
            match character {
                '*' => any = true,
                '?' => pattern.push('?'),
                literal => {
                    if std::mem::take(&mut any) {
                        pattern.push('*');
                    }
                    pattern.push(literal);
                }
            }
        }
        if any {
            pattern.push('*');
        }
        Ok(TagPattern(pattern))
    }

    /// The pattern.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What every tag that matches begins with.
    pub fn beginning(&self) -> &str {
        let end = self.0.find(['*', '?']).unwrap_or(self.0.len());
        &self.0[..end]
    }

    /// Whether it matches the whole of `tag`. Takes at most as many steps as the pattern's length times the tag's, both
    /// bounded: of the runs that a `*` may stand for, only the last one's is ever tried again.
    pub fn matches(&self, tag: &str) -> bool {
        let (pattern, tag) = (self.0.as_bytes(), tag.as_bytes());
        let (mut at, mut read) = (0, 0);
        // After the last `*`, and how much of the tag it had swallowed when it was last tried.
        let mut retry: Option<(usize, usize)> = None;
        while read < tag.len() {
            match pattern.get(at) {
                Some(b'*') => {
                    retry = Some((at + 1, read));
                    at += 1;
                }
                Some(&byte) if byte == b'?' || byte == tag[read] => {
                    at += 1;
                    read += 1;
                }
                _ => {
                    let Some((after, swallowed)) = retry else { return false };
                    retry = Some((after, swallowed + 1));
                    (at, read) = (after, swallowed + 1);
                }
            }
        }
        pattern[at..].iter().all(|byte| *byte == b'*')
    }
}

impl fmt::Display for TagPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TagPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TagPattern({self})")
    }
}

read_and_write_as_text!(TagPattern, TagPatternError);

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::{TagPattern, TagPatternError};

    fn pattern(text: &str) -> TagPattern {
        TagPattern::parse(text).expect("a pattern")
    }

    #[test]
    fn matching_table() {
        for (glob, matching, others) in [
            ("v1.*", &["v1.", "v1.0", "v1.0-rc.1"][..], &["v1", "v10", "xv1.0", "V1.0"][..]),
            ("latest", &["latest"], &["latest1", "xlatest", "late", "LATEST"]),
            ("*", &["a", "latest", "v1.0_x-y"], &[]),
            ("?", &["a", "_"], &["ab"]),
            ("v?.?", &["v1.2", "v_.x"], &["v1.", "v1.22", "v12"]),
            ("*-slim", &["-slim", "v1-slim", "v1-slim-slim"], &["v1-slim-", "slim", "v1-sli"]),
            ("v*.*-rc*", &["v1.0-rc", "v1.0.0-rc.1", "v.-rc-rc"], &["v1-rc", "v1.0", "1.0-rc"]),
            ("a*b*c", &["abc", "axbxc", "abcbc"], &["ab", "acb", "abcd"]),
            ("??*", &["ab", "abc"], &["a"]),
            // A dot is a dot, and nothing here is a regular expression.
            ("v1.0", &["v1.0"], &["v1x0"]),
        ] {
            for tag in matching {
                assert!(pattern(glob).matches(tag), "{glob} {tag}");
            }
            for tag in others {
                assert!(!pattern(glob).matches(tag), "{glob} {tag}");
            }
        }
    }

    #[test]
    fn grammar() {
        let longest = "*".repeat(128);
        for (text, written) in [
            ("latest", "latest"),
            ("_", "_"),
            ("**", "*"),
            ("v1.**", "v1.*"),
            ("*?", "?*"),
            ("*?*?a**b", "??*a*b"),
            (longest.as_str(), "*"),
        ] {
            assert_eq!(pattern(text).as_str(), written, "{text}");
            assert_eq!(serde_json::to_string(&pattern(text)).expect("a text"), format!("{written:?}"));
        }
        let too_long = "a".repeat(129);
        for (text, error) in [
            ("", TagPatternError::Empty),
            (".x", TagPatternError::Beginning),
            ("-*", TagPatternError::Beginning),
            ("v[12]", TagPatternError::Character),
            ("v{1,2}", TagPatternError::Character),
            ("v1/*", TagPatternError::Character),
            ("!v1", TagPatternError::Character),
            ("v1 ", TagPatternError::Character),
            ("v\\*", TagPatternError::Character),
            ("é*", TagPatternError::Character),
            ("v*\0", TagPatternError::Character),
            ("v*\n", TagPatternError::Character),
            (too_long.as_str(), TagPatternError::TooLong),
        ] {
            assert_eq!(TagPattern::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn beginnings() {
        for (text, beginning) in
            [("v1.*", "v1."), ("latest", "latest"), ("*", ""), ("v?.x", "v"), ("a*b*", "a")]
        {
            assert_eq!(pattern(text).beginning(), beginning);
        }
    }

    #[test]
    fn what_takes_backtracking_forever_elsewhere_takes_no_time_here() {
        let nasty = pattern(&("a*".repeat(63) + "b"));
        for _ in 0..1_000 {
            assert!(!nasty.matches(&"a".repeat(128)));
        }
    }

    /// By the definition, however long that takes.
    fn defined(pattern: &[u8], tag: &[u8]) -> bool {
        match (pattern.split_first(), tag.split_first()) {
            (None, tag) => tag.is_none(),
            (Some((b'*', rest)), None) => defined(rest, tag),
            (Some((b'*', rest)), Some((_, shorter))) => defined(rest, tag) || defined(pattern, shorter),
            (Some(_), None) => false,
            (Some((byte, rest)), Some((first, shorter))) => {
                (*byte == b'?' || byte == first) && defined(rest, shorter)
            }
        }
    }

    proptest! {
        #[test]
        fn matches_what_the_definition_matches(text in "[ab_*?]{1,9}", tag in "[ab_]{1,9}") {
            let pattern = pattern(&text);
            prop_assert_eq!(pattern.matches(&tag), defined(text.as_bytes(), tag.as_bytes()), "{}", pattern);
            prop_assert!(!pattern.matches(&tag) || tag.starts_with(pattern.beginning()));
        }

        #[test]
        fn what_is_written_is_read_as_the_same(text in "[a-z0-9_*?][a-zA-Z0-9._*?-]{0,127}") {
            let pattern = pattern(&text);
            prop_assert_eq!(TagPattern::parse(pattern.as_str()), Ok(pattern.clone()));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,9}", tag in "\\PC{0,9}") {
            if let Ok(pattern) = TagPattern::parse(&text) {
                let _ = pattern.matches(&tag);
            }
        }
    }
}
