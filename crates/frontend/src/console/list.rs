//! Lists that go on after a place, a page at a time.

use maud::{Markup, html};

use super::visitor::{Visitor, parameter};

/// How many rows a page shows.
pub(super) const ROWS_A_PAGE: usize = 50;
/// What to ask for, to learn whether there is more.
pub(super) const ROWS_AND_ONE: usize = ROWS_A_PAGE + 1;

/// A page of a list, and the place where it goes on.
pub(super) struct Rows<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

impl<T> Rows<T> {
    /// Of what was found, [`ROWS_AND_ONE`] at most; `place` is what `after` takes.
    pub(super) fn of(mut found: Vec<T>, place: impl Fn(&T) -> String) -> Rows<T> {
        let more = found.len() > ROWS_A_PAGE;
        found.truncate(ROWS_A_PAGE);
        let next = found.last().filter(|_| more).map(place);
        Rows { items: found, next }
    }
}

/// Leads on in the list at `address`, and back to its beginning.
pub(super) fn pager(visitor: &Visitor, address: &str, next: Option<&str>) -> Markup {
    let t = visitor.t;
    let begins = visitor.query.get("after").is_none();
    if begins && next.is_none() {
        return html! {};
    }
    let joint = if address.contains('?') { '&' } else { '?' };
    let onward = next.map(|next| format!("{address}{joint}after={}", parameter(next)));
    html! {
        nav.bar aria-label=(t.pages_of_list) {
            @if !begins { a.button.plain href=(address) { (t.first_page) } }
            @if let Some(onward) = onward { a.button.plain href=(onward) rel="next" { (t.next) } }
        }
    }
}
