//! Keyset pages over a store's lists. What exists throughout a walk appears exactly once.

use std::ops::Bound;

use kv::{Entry, Range, SCAN_ENTRIES_MAX};

use crate::{Auth, Error};

/// The most rows that one page looks at, to find those that the caller may see.
pub(crate) const ROWS_EXAMINED_MAX: usize = 10_000;

const ROWS_AT_ONCE: usize = 500;

/// A walk over a list, some rows at a time.
pub(crate) struct Rows {
    range: Option<Range>,
    /// How many more rows may be looked at.
    pub(crate) left: usize,
    at_once: usize,
}

impl Rows {
    /// For a page of one list.
    pub(crate) fn new(range: Range) -> Rows {
        Rows::at_most(range, ROWS_EXAMINED_MAX)
    }

    /// For a page that may look at `left` more rows.
    pub(crate) fn at_most(range: Range, left: usize) -> Rows {
        Rows { range: Some(range), left, at_once: ROWS_AT_ONCE }
    }

    /// Begins with the rows of a page of `limit`, which are seldom too few, and takes more from time to time.
    pub(crate) fn beginning_with(self, limit: usize) -> Rows {
        Rows { at_once: limit.clamp(1, ROWS_AT_ONCE), ..self }
    }

    /// For a change that has to go through all of them, however many.
    pub(crate) fn all(range: Range) -> Rows {
        Rows::at_most(range, usize::MAX)
    }

    /// The next rows; none at the end.
    ///
    /// # Errors
    /// [`Error::Limit`] when enough were looked at and there may be more.
    pub(crate) async fn next(&mut self, auth: &Auth) -> Result<Vec<(Vec<u8>, Entry)>, Error> {
        match self.next_of_enough(auth).await? {
            Some(rows) => Ok(rows),
            None if self.is_complete() => Ok(Vec::new()),
            None => Err(Error::Limit { what: "rows looked at for one page", max: ROWS_EXAMINED_MAX as u64 }),
        }
    }

    /// The next rows; none at the end, and none when enough were looked at.
    ///
    /// # Errors
    /// As the store.
    pub(crate) async fn next_of_enough(
        &mut self,
        auth: &Auth,
    ) -> Result<Option<Vec<(Vec<u8>, Entry)>>, Error> {
        let limit = self.left.min(self.at_once);
        let Some((start, end)) = self.range.take_if(|_| limit > 0) else { return Ok(None) };
        let rows = auth.store().list((start, end.clone()), limit).await?;
        self.left -= rows.len();
        self.at_once = (self.at_once * 2).min(ROWS_AT_ONCE);
        if let Some((last, _)) = rows.last().filter(|_| rows.len() == limit) {
            self.range = Some((Bound::Excluded(last.clone()), end));
        }
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
    }

    /// Whether it came to the end.
    pub(crate) fn is_complete(&self) -> bool {
        self.range.is_none()
    }
}

impl Auth {
    /// How many rows `range` has, counted up to `max`.
    pub(crate) async fn count(&self, (mut start, end): Range, max: usize) -> Result<usize, Error> {
        let mut count = 0;
        while count < max {
            let rows = self.store().list((start, end.clone()), (max - count).min(SCAN_ENTRIES_MAX)).await?;
            count += rows.len();
            match rows.last() {
                Some((last, _)) => start = Bound::Excluded(last.clone()),
                None => break,
            }
        }
        Ok(count)
    }
}

/// The text in the tail of a key.
pub(crate) fn text<'k>(
    key: kv::Key<'_>,
    region: &kv::Region,
    encoded: &'k [u8],
) -> Result<&'k str, kv::Error> {
    let tail = key.tail(region, encoded)?;
    std::str::from_utf8(tail)
        .map_err(|_| kv::Error::Corrupt { what: format!("a name in the list of {key:?}") })
}

/// The id in the tail of a key.
pub(crate) fn id(key: kv::Key<'_>, region: &kv::Region, encoded: &[u8]) -> Result<kv::Id, kv::Error> {
    let tail = key.tail(region, encoded)?;
    kv::Id::from_tail(tail)
        .ok_or_else(|| kv::Error::Corrupt { what: format!("an id in the list of {key:?}") })
}

/// The name and the id in the tail of a `Key::SharedName`.
pub(crate) fn named<'k>(
    key: kv::Key<'_>,
    region: &kv::Region,
    encoded: &'k [u8],
) -> Result<(&'k str, kv::Id), kv::Error> {
    let tail = key.tail(region, encoded)?;
    kv::Id::named_of_tail(tail)
        .ok_or_else(|| kv::Error::Corrupt { what: format!("a name and an id in the list of {key:?}") })
}

/// The target in the tail of a `Key::Permission`.
pub(crate) fn target(key: kv::Key<'_>, region: &kv::Region, encoded: &[u8]) -> Result<kv::Target, kv::Error> {
    let tail = key.tail(region, encoded)?;
    kv::Target::from_tail(tail)
        .ok_or_else(|| kv::Error::Corrupt { what: format!("a target in the list of {key:?}") })
}
