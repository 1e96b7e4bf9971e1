//! `Range` of a download, `Content-Range` of an upload's chunk, and the pages of lists.

use std::ops::Range;

use crate::query::{PAGE_ENTRIES_MAX, Page, Query};
use crate::ranges::{Selection, content_range, select};

/// Up to this size each byte is looked at.
const SMALL: u64 = 64;
const RANGES_MAX: usize = 16;

/// A size, a `Range`, a `Content-Range` and a query, on a line each.
pub fn ranges(input: &[u8]) {
    let Some((size, rest)) = super::line(input) else { return };
    let Some((range, rest)) = super::line(rest) else { return };
    let Some((chunk_range, rest)) = super::line(rest) else { return };
    let Ok(size) = size.parse() else { return };
    download(range, size);
    chunk(chunk_range);
    if let Ok(query) = std::str::from_utf8(rest) {
        page(query);
    }
}

fn download(header: &str, size: u64) {
    let parts = match select(header, size) {
        Selection::Whole => return,
        Selection::Unsatisfiable => Vec::new(),
        Selection::Parts(parts) => {
            assert!(!parts.is_empty());
            parts
        }
    };
    assert!(parts.len() <= RANGES_MAX, "{header}: {parts:?}");
    assert!(
        parts.iter().all(|part| part.start < part.end && part.end <= size),
        "{header} of {size}: {parts:?}"
    );
    assert!(parts.windows(2).all(|two| two[0].end < two[1].start), "{header} of {size}: {parts:?}");
    if size <= SMALL {
        for at in 0..size {
            let sent = parts.iter().any(|part| part.contains(&at));
            assert_eq!(sent, is_asked_for(header, size, at), "byte {at} for {header} of {size}");
        }
    }
}

/// Whether RFC 9110 has byte `at` among those that a well-formed header selects.
fn is_asked_for(header: &str, size: u64, at: u64) -> bool {
    let specs = header.trim().trim_start_matches("bytes=").split(',').map(str::trim);
    specs.into_iter().any(|spec| match spec.split_once('-') {
        Some(("", suffix)) => at >= size.saturating_sub(digits(suffix)),
        Some((first, "")) => digits(first) <= at,
        Some((first, last)) => (digits(first)..=digits(last)).contains(&at),
        None => false,
    })
}

/// Digits alone, however many, as a number that is large enough here.
fn digits(text: &str) -> u64 {
    text.bytes()
        .fold(0, |number: u64, digit| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
}

fn chunk(header: &str) {
    let Some(range) = content_range(header) else { return };
    let (first, length) = (range.first(), range.len());
    assert!(length > 0, "{header}");
    let last = first.checked_add(length - 1).expect("its last byte can be counted");
    let bounds = |range: storage::ContentRange| range.first()..range.first() + (range.len() - 1);
    for written in [format!("{first}-{last}"), format!("bytes {first}-{last}/*")] {
        let again: Option<Range<u64>> = content_range(&written).map(bounds);
        assert_eq!(again, Some(first..last), "{written}");
    }
}

fn page(query: &str) {
    let Ok(page) = Page::parse(Query::new(Some(query))) else { return };
    assert!(page.limit <= PAGE_ENTRIES_MAX);
    assert_ne!(page.after.as_deref(), Some(""));
    if let Some(last) = &page.after {
        assert_eq!(Page::parse(Query::new(Some(&page.next(last)))).as_ref(), Ok(&page), "{query}");
    }
}
