//! The query of a `/v2/` or `/auth/token` request, and the paging in it.

use std::borrow::Cow;

/// The most entries of one page; a client that asks for more gets a `Link` to the rest.
pub(crate) const PAGE_ENTRIES_MAX: usize = 1000;

/// A query, read when asked. Unknown parameters are ignored: clients send their own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Query<'a>(&'a str);

impl<'a> Query<'a> {
    /// The query of an address.
    pub(crate) fn new(query: Option<&'a str>) -> Query<'a> {
        Query(query.unwrap_or_default())
    }

    /// Every value of a parameter.
    pub(crate) fn all(self, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
        form_urlencoded::parse(self.0.as_bytes()).filter(move |(key, _)| key == name).map(|(_, value)| value)
    }

    /// A parameter's first value; an empty one is as good as none.
    pub(crate) fn get(self, name: &str) -> Option<Cow<'a, str>> {
        self.all(name).next().filter(|value| !value.is_empty())
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page {
    /// How many entries, at most [`PAGE_ENTRIES_MAX`]; 0 asks for none.
    pub(crate) limit: usize,
    /// The value after which the page begins (`last`).
    pub(crate) after: Option<String>,
}

/// `n` is not a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the parameter n must be a number of entries, 0 or more")]
pub(crate) struct BadPage;

impl Page {
    /// Reads `n` and `last`. However great `n` is, only a page is ever read.
    ///
    /// # Errors
    /// [`BadPage`] when `n` is not a number.
    pub(crate) fn parse(query: Query<'_>) -> Result<Page, BadPage> {
        let limit = match query.get("n") {
            None => PAGE_ENTRIES_MAX,
            Some(n) if n.bytes().all(|byte| byte.is_ascii_digit()) => {
                n.parse().unwrap_or(PAGE_ENTRIES_MAX).min(PAGE_ENTRIES_MAX)
            }
            Some(_) => return Err(BadPage),
        };
        Ok(Page { limit, after: query.get("last").map(Cow::into_owned) })
    }

    /// The query of the page after the one that ended with `last`.
    pub(crate) fn next(&self, last: &str) -> String {
        form_urlencoded::Serializer::new(String::new())
            .append_pair("n", &self.limit.to_string())
            .append_pair("last", last)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{BadPage, PAGE_ENTRIES_MAX, Page, Query};

    #[test]
    fn pages() {
        type Expected<'a> = Result<(usize, Option<&'a str>), BadPage>;
        let table: &[(&str, Expected<'_>)] = &[
            ("", Ok((PAGE_ENTRIES_MAX, None))),
            ("n=", Ok((PAGE_ENTRIES_MAX, None))),
            ("n=0", Ok((0, None))),
            ("n=10&last=v1.0", Ok((10, Some("v1.0")))),
            ("last=a%2Fb", Ok((PAGE_ENTRIES_MAX, Some("a/b")))),
            ("n=1001", Ok((PAGE_ENTRIES_MAX, None))),
            ("n=18446744073709551615", Ok((PAGE_ENTRIES_MAX, None))),
            ("n=99999999999999999999999999999999", Ok((PAGE_ENTRIES_MAX, None))),
            ("n=-1", Err(BadPage)),
            ("n=ten", Err(BadPage)),
            ("n=1.5", Err(BadPage)),
            ("n=%2B1", Err(BadPage)),
        ];
        for (query, expected) in table {
            let page = Page::parse(Query::new(Some(query)));
            let expected = expected.map(|(limit, after)| Page { limit, after: after.map(str::to_owned) });
            assert_eq!(page, expected, "{query}");
        }
    }

    #[test]
    fn next_page() {
        let page = Page { limit: 2, after: None };
        assert_eq!(page.next("team-a/web&x"), "n=2&last=team-a%2Fweb%26x");
    }
}
