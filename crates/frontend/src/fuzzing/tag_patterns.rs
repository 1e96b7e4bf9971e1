//! The patterns of tags that a share may name: which texts are one, and what they match.

use oci::{TAG_BYTES_MAX, Tag, TagPattern};

/// A pattern and a tag, on a line each.
pub fn tag_patterns(input: &[u8]) {
    let Some((text, rest)) = super::line(input) else { return };
    let read = TagPattern::parse(text);
    assert_eq!(read.is_ok(), is_pattern(text), "{text:?}");
    let Ok(pattern) = read else { return };
    assert_eq!(
        TagPattern::parse(pattern.as_str()).as_ref(),
        Ok(&pattern),
        "{text:?} is written as it is read"
    );
    let Some(tag) = std::str::from_utf8(rest).ok().and_then(|tag| Tag::parse(tag).ok()) else { return };
    let matches = pattern.matches(tag.as_str());
    assert_eq!(matches, is_matched(text.as_bytes(), tag.as_str().as_bytes()), "{text:?} {tag}");
    assert!(!matches || tag.as_str().starts_with(pattern.beginning()), "{text:?} {tag}");
}

fn is_pattern(text: &str) -> bool {
    let clean = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'*' | b'?'));
    clean && (1..=TAG_BYTES_MAX).contains(&text.len()) && !text.starts_with(['.', '-'])
}

/// The textbook's way: for each beginning of the pattern, which beginnings of the tag it matches.
fn is_matched(pattern: &[u8], tag: &[u8]) -> bool {
    let mut matched = vec![false; tag.len() + 1];
    matched[0] = true;
    for byte in pattern {
        let mut next = vec![false; tag.len() + 1];
        for read in 0..=tag.len() {
            next[read] = match byte {
                b'*' => matched[read] || (read > 0 && next[read - 1]),
                byte => read > 0 && matched[read - 1] && (*byte == b'?' || *byte == tag[read - 1]),
            };
        }
        matched = next;
    }
    matched[tag.len()]
}
