//! Byte ranges: the `Range` of a download (RFC 9110, section 14) and the `Content-Range` of an upload's chunk.
//!
//! Pure. Which bytes a header means, for a body of which size; not how they are read or sent.

use std::ops::Range;

use storage::ContentRange;

/// More ranges than this in one header: the header is ignored and the whole is sent, as RFC 9110 allows.
const RANGES_MAX: usize = 16;

/// What a `Range` header asks of a body.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// All of it: no header, or one that is not understood.
    Whole,
    /// One or more ranges in ascending order; none empty, none overlapping or touching another.
    Parts(Vec<Range<u64>>),
    /// Nothing that the body has.
    Unsatisfiable,
}

/// What `header` selects from a body of `size` bytes.
///
/// Ranges that overlap or touch are joined, so that an answer is never longer than the body and its parts' heads.
pub(crate) fn select(header: &str, size: u64) -> Selection {
    let Some(set) = header.trim().strip_prefix("bytes=") else { return Selection::Whole };
    let mut parts = Vec::new();
    for (index, spec) in set.split(',').enumerate() {
        if index == RANGES_MAX {
            return Selection::Whole;
        }
        match one(spec.trim(), size) {
            Some(part) if part.is_empty() => {}
            Some(part) => parts.push(part),
            None => return Selection::Whole,
        }
    }
    if parts.is_empty() {
        return Selection::Unsatisfiable;
    }
    Selection::Parts(joined(parts))
}

/// The bytes of one range; empty when it lies beyond the body, or ends before it begins: RFC 9110 lets us refuse that,
/// and a client that asked for a part is not served by the whole. None: not a range.
fn one(spec: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    if first.is_empty() {
        let suffix = number(last)?;
        return Some(size.saturating_sub(suffix)..size);
    }
    let first = number(first)?;
    let end = if last.is_empty() { size } else { number(last)?.saturating_add(1) };
    let start = first.min(size);
    Some(start..end.min(size).max(start))
}

/// A number of digits alone; a greater one than fits is the greatest.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

fn joined(mut parts: Vec<Range<u64>>) -> Vec<Range<u64>> {
    parts.sort_by_key(|part| part.start);
    let mut joined: Vec<Range<u64>> = Vec::with_capacity(parts.len());
    for part in parts {
        match joined.last_mut() {
            Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
            _ => joined.push(part),
        }
    }
    joined
}

/// The bytes that a chunk says it holds: `a-b`, as the distribution specification has it, or RFC 9110's `bytes a-b/*`.
/// None: neither.
pub(crate) fn content_range(header: &str) -> Option<ContentRange> {
    let text = header.trim();
    let text = match text.strip_prefix("bytes ") {
        Some(rest) => rest.split_once('/').map_or(rest, |(range, _)| range),
        None => text,
    };
    let (first, last) = text.split_once('-')?;
    ContentRange::new(number(first)?, number(last)?)
}

#[cfg(test)]
mod tests {
    use super::{RANGES_MAX, Selection, content_range, select};

    fn parts(bounds: &[(u64, u64)]) -> Selection {
        Selection::Parts(bounds.iter().map(|(start, end)| *start..*end).collect())
    }

    #[test]
    fn downloads() {
        use Selection::{Unsatisfiable, Whole};
        let huge = "bytes=0-99999999999999999999999999";
        let many = format!("bytes={}", vec!["0-0"; RANGES_MAX + 1].join(","));
        let table: Vec<(&str, u64, Selection)> = vec![
            ("bytes=0-0", 10, parts(&[(0, 1)])),
            ("bytes=2-5", 10, parts(&[(2, 6)])),
            ("bytes=5-", 10, parts(&[(5, 10)])),
            ("bytes=-3", 10, parts(&[(7, 10)])),
            ("bytes=-30", 10, parts(&[(0, 10)])),
            ("bytes=9-100", 10, parts(&[(9, 10)])),
            (huge, 10, parts(&[(0, 10)])),
            ("bytes=0-1, 5-6", 10, parts(&[(0, 2), (5, 7)])),
            ("bytes=5-6,0-1", 10, parts(&[(0, 2), (5, 7)])),
            ("bytes=0-4,2-6,7-8", 10, parts(&[(0, 9)])),
            ("bytes=0-1,50-60", 10, parts(&[(0, 2)])),
            ("bytes=10-", 10, Unsatisfiable),
            ("bytes=10-12,20-", 10, Unsatisfiable),
            ("bytes=-0", 10, Unsatisfiable),
            ("bytes=0-", 0, Unsatisfiable),
            ("bytes=-5", 0, Unsatisfiable),
            ("bytes=5-2", 10, Unsatisfiable),
            ("bytes=5-2,7-8", 10, parts(&[(7, 9)])),
            ("bytes=a-b", 10, Whole),
            ("bytes=", 10, Whole),
            ("bytes=1", 10, Whole),
            ("bytes=+1-2", 10, Whole),
            ("items=0-1", 10, Whole),
            ("", 10, Whole),
            (&many, 10, Whole),
        ];
        for (header, size, expected) in table {
            assert_eq!(select(header, size), expected, "{header} of {size}");
        }
    }

    #[test]
    fn chunks() {
        let table: &[(&str, Option<(u64, u64)>)] = &[
            ("0-9", Some((0, 10))),
            ("bytes 0-9/*", Some((0, 10))),
            ("bytes 10-19/20", Some((10, 10))),
            ("bytes 10-19", Some((10, 10))),
            ("5-5", Some((5, 1))),
            ("9-0", None),
            ("-5", None),
            ("5-", None),
            ("", None),
            ("bytes=0-9", None),
            ("0-18446744073709551615", None),
            ("a-b", None),
            ("-1-5", None),
        ];
        for (header, expected) in table {
            let range = content_range(header).map(|range| (range.first(), range.len()));
            assert_eq!(range, *expected, "{header}");
        }
    }
}
