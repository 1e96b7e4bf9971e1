//! The search of a list: a field, where the list is longer than a page, and its word, which goes along from page to page.

use maud::{Markup, html};

use super::list::Rows;
use super::visitor::{Visitor, parameter};

/// The search of a list.
pub(super) struct Search<'a> {
    /// Where the list is.
    pub(super) list: &'a str,
    /// What is searched by.
    pub(super) label: &'a str,
}

/// What is searched for, in small letters; nothing, where nothing is.
pub(super) fn wanted(visitor: &Visitor) -> String {
    visitor.query.get("q").unwrap_or_default().trim().to_lowercase()
}

impl Search<'_> {
    /// Whether the field is shown: a page needs none.
    pub(super) fn is_for<T>(&self, visitor: &Visitor, rows: &Rows<T>) -> bool {
        rows.next.is_some() || visitor.query.get("after").is_some() || !wanted(visitor).is_empty()
    }

    /// The list as it is searched, from its beginning.
    pub(super) fn address(&self, visitor: &Visitor) -> String {
        let joint = if self.list.contains('?') { '&' } else { '?' };
        match visitor.query.get("q") {
            Some(word) => format!("{}{joint}q={}", self.list, parameter(word)),
            None => self.list.to_owned(),
        }
    }

    /// The field.
    pub(super) fn form(&self, visitor: &Visitor) -> Markup {
        let t = visitor.t;
        let (path, parameters) = self.list.split_once('?').unwrap_or((self.list, ""));
        let typed = visitor.query.get("q").unwrap_or_default();
        html! {
            form.bar method="get" action=(path) role="search" {
                @for (name, value) in parameters.split('&').filter_map(|one| one.split_once('=')) {
                    input type="hidden" name=(name) value=(value);
                }
                input type="search" name="q" value=(typed) placeholder=(self.label) aria-label=(self.label);
                button.plain type="submit" { (t.search) }
            }
        }
    }

    /// What stands in the place of a list that has nothing of it; or of a page of one that goes on, when there is `more`.
    pub(super) fn found_nothing(&self, visitor: &Visitor, more: bool) -> Markup {
        let t = visitor.t;
        html! { div.empty { p { (if more { t.nothing_so_far } else { t.nothing_found }) } p { a href=(self.list) { (t.clear) } } } }
    }
}
