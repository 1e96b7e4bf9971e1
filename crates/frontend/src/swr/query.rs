//! The query of a request: the parameters that its call has, each at most once, and no others. Some calls take the same
//! ones once more in one of them, `filter=center::self|limit::10|offset::0`.

use std::borrow::Cow;
use std::str::FromStr;

use super::errors::{Code, SwrError};
use super::router;

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;

/// The parameters given; one without a value is as good as none.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Those of `query`, when `known` lists them all. Where `filter` is among them, it may hold the others.
    pub(super) fn parse(query: Option<&str>, known: &[&str]) -> Result<Parameters, SwrError> {
        let mut given = Parameters(Vec::new());
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if name == "filter" && known.contains(&"filter") {
                for entry in value.split('|').filter(|entry| !entry.is_empty()) {
                    let (name, value) = entry.split_once("::").ok_or_else(|| {
                        let message = format!("an entry of filter is written name::value, not {entry:?}");
                        SwrError::new(Code::Parameter, message).about("filter")
                    })?;
                    given.take(name.trim().into(), value.trim().into(), known)?;
                }
            } else {
                given.take(name, value, known)?;
            }
        }
        Ok(given)
    }

    fn take(&mut self, name: Cow<'_, str>, value: Cow<'_, str>, known: &[&str]) -> Result<(), SwrError> {
        if name == "filter" || !known.contains(&name.as_ref()) {
            let message = match known {
                [] => format!("there are no parameters here, and so none called {name:?}"),
                known => format!("there is no parameter {name:?} here; there are: {}", known.join(", ")),
            };
            return Err(SwrError::new(Code::Parameter, message).about(name.into_owned()));
        }
        if value.is_empty() {
            return Ok(());
        }
        if self.get(&name).is_some() {
            let message = format!("the parameter {name} is given twice");
            return Err(SwrError::new(Code::Parameter, message).about(name.into_owned()));
        }
        self.0.push((name.into_owned(), value.into_owned()));
        Ok(())
    }

    /// One of them.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// One of them that says yes or no.
    pub(super) fn boolean(&self, name: &'static str) -> Result<Option<bool>, SwrError> {
        match self.get(name) {
            None => Ok(None),
            Some("true" | "True") => Ok(Some(true)),
            Some("false" | "False") => Ok(Some(false)),
            Some(_) => {
                let message = format!("the parameter {name} must be true or false");
                Err(SwrError::new(Code::Parameter, message).about(name))
            }
        }
    }

    /// One of them that is one of some words; what each of them stands for.
    pub(super) fn word<T: Copy>(
        &self,
        name: &'static str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, SwrError> {
        let Some(given) = self.get(name) else { return Ok(None) };
        let found = words.iter().find(|(word, _)| *word == given).map(|(_, meant)| *meant);
        found.map(Some).ok_or_else(|| {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let message = format!("the parameter {name} must be one of {}", words.join(", "));
            SwrError::new(Code::Parameter, message).about(name)
        })
    }

    /// How many entries a page is to have.
    pub(super) fn limit(&self) -> Result<usize, SwrError> {
        let Some(text) = self.get("limit") else { return Ok(LIMIT_DEFAULT) };
        number(text).filter(|limit| (1..=LIMIT_MAX).contains(limit)).ok_or_else(|| {
            let message = format!("the parameter limit must be a number from 1 to {LIMIT_MAX}");
            SwrError::new(Code::PageSize, message).about("limit")
        })
    }

    /// The number of the entry after which a page begins.
    pub(super) fn marker<T: FromStr<Err = auth::Error>>(&self) -> Result<Option<T>, SwrError> {
        let marker = self.get("marker").map(|marker| router::id(marker, "marker")).transpose();
        marker.map_err(|error| error.with_code(Code::Parameter))
    }

    /// How many entries come before the page. However many there are, only so many are ever skipped as there are.
    pub(super) fn offset(&self) -> Result<usize, SwrError> {
        let Some(text) = self.get("offset") else { return Ok(0) };
        number(text).ok_or_else(|| {
            SwrError::new(Code::Parameter, "the parameter offset must be a number, 0 or more").about("offset")
        })
    }

    /// The order of a list: by which of `columns`, and whether the greatest comes first.
    pub(super) fn order<T: Copy>(&self, columns: &[(&str, T)]) -> Result<Option<Order<T>>, SwrError> {
        let column = self.word("order_column", columns)?;
        let descending = self.word("order_type", &[("asc", false), ("desc", true)])?;
        match (column, descending) {
            (None, None) => Ok(None),
            (Some(column), descending) => Ok(Some(Order { column, descending: descending.unwrap_or(false) })),
            (None, Some(_)) => {
                let message = "the parameter order_type needs order_column beside it";
                Err(SwrError::new(Code::Parameter, message).about("order_column"))
            }
        }
    }
}

/// An order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order<T> {
    pub(super) column: T,
    pub(super) descending: bool,
}

impl<T: Copy> Order<T> {
    /// Sorts `rows` by what `key` makes of a row and the column. Rows that are equal there stay as they are.
    pub(super) fn sort<R, K: Ord>(self, rows: &mut [R], key: impl Fn(&R, T) -> K) {
        rows.sort_by(|one, other| {
            let order = key(one, self.column).cmp(&key(other, self.column));
            if self.descending { order.reverse() } else { order }
        });
    }
}

/// A number, in digits alone.
pub(super) fn number(text: &str) -> Option<usize> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // What does not fit is more than there is of anything.
    digits.then(|| text.parse().unwrap_or(usize::MAX))
}

/// Part of a list that is there as a whole.
pub(super) struct Offset {
    pub(super) limit: usize,
    pub(super) offset: usize,
}

impl Offset {
    /// Reads `limit` and `offset`.
    pub(super) fn parse(query: &Parameters) -> Result<Offset, SwrError> {
        Ok(Offset { limit: query.limit()?, offset: query.offset()? })
    }

    /// The page's rows, and the header `Content-Range` of it.
    pub(super) fn page<R>(&self, rows: Vec<R>) -> (Vec<R>, String) {
        let total = rows.len();
        let page: Vec<R> = rows.into_iter().skip(self.offset).take(self.limit).collect();
        let range = format!("{}-{}/{total}", self.offset.min(total), page.len());
        (page, range)
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Offset, Order, Parameters};

    const KNOWN: &[&str] = &["center", "limit", "offset", "status", "order_column", "order_type", "filter"];

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Column {
        Name,
    }

    fn parse(query: &str) -> Result<(usize, usize, Option<String>), Code> {
        let read = || {
            let query = Parameters::parse(Some(query), KNOWN)?;
            query.boolean("status")?;
            query.order(&[("name", Column::Name)])?;
            let page = Offset::parse(&query)?;
            Ok((page.limit, page.offset, query.get("center").map(str::to_owned)))
        };
        read().map_err(|error: super::SwrError| error.code())
    }

    #[test]
    fn parameters_table() {
        let own = || Some("self".to_owned());
        for (query, expected) in [
            ("", Ok((100, 0, None))),
            ("limit=&offset=", Ok((100, 0, None))),
            ("center=self&limit=10&offset=20", Ok((10, 20, own()))),
            ("filter=center%3A%3Aself%7Climit%3A%3A10%7Coffset%3A%3A0", Ok((10, 0, own()))),
            ("filter=center::self|limit::10&offset=5", Ok((10, 5, own()))),
            ("filter=", Ok((100, 0, None))),
            ("limit=1000", Ok((1000, 0, None))),
            ("offset=99999999999999999999999", Ok((100, usize::MAX, None))),
            ("order_column=name&order_type=desc&status=true", Ok((100, 0, None))),
            ("limit=0", Err(Code::PageSize)),
            ("limit=1001", Err(Code::PageSize)),
            ("limit=-1", Err(Code::PageSize)),
            ("limit=ten", Err(Code::PageSize)),
            ("limit=%2B5", Err(Code::PageSize)),
            ("offset=-1", Err(Code::Parameter)),
            ("offset=1.5", Err(Code::Parameter)),
            ("centre=self", Err(Code::Parameter)),
            ("center=self&center=self", Err(Code::Parameter)),
            ("filter=center::self&center=self", Err(Code::Parameter)),
            ("filter=center", Err(Code::Parameter)),
            ("filter=filter::x", Err(Code::Parameter)),
            ("filter=centre::self", Err(Code::Parameter)),
            ("status=yes", Err(Code::Parameter)),
            ("order_column=size&order_type=asc", Err(Code::Parameter)),
            ("order_column=name&order_type=down", Err(Code::Parameter)),
            ("order_type=asc", Err(Code::Parameter)),
        ] {
            assert_eq!(parse(query), expected, "{query}");
        }
    }

    #[test]
    fn a_page_says_where_it_is() {
        let rows: Vec<u32> = (0..5).collect();
        for (limit, offset, page, range) in [
            (2, 0, &[0, 1][..], "0-2/5"),
            (2, 4, &[4], "4-1/5"),
            (10, 0, &[0, 1, 2, 3, 4], "0-5/5"),
            (2, 5, &[], "5-0/5"),
            (2, usize::MAX, &[], "5-0/5"),
        ] {
            let found = Offset { limit, offset }.page(rows.clone());
            assert_eq!(found, (page.to_vec(), range.to_owned()), "{limit} {offset}");
        }
    }

    #[test]
    fn equal_rows_keep_their_order_whichever_way() {
        for (descending, expected) in [(false, "a1 a2 b1 b2"), (true, "b1 b2 a1 a2")] {
            let mut rows = vec!["a1", "b1", "a2", "b2"];
            Order { column: Column::Name, descending }.sort(&mut rows, |row, _| row[..1].to_owned());
            assert_eq!(rows.join(" "), expected);
        }
    }
}
