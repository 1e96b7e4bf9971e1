//! The images that are ticked in the list of images. They go along with every search, order and page of it, for the list
//! is one form: those of the page as its boxes, the others as fields that nobody sees.

use maud::{Markup, html};
use oci::RepositoryName;

use super::text::fill;
use super::visitor::{Query, Visitor};

/// The field that a ticked box is.
pub(super) const FIELD: &str = "image";
/// The most that go along, so that the address stays one that every browser and proxy takes.
const IMAGES_SELECTED_MAX: usize = 100;

/// The images that are ticked.
pub(super) struct Selection {
    names: Vec<RepositoryName>,
    /// Whether more were ticked than are kept.
    cut: bool,
}

impl Selection {
    /// Those that an address names, each once.
    pub(super) fn of(query: &Query) -> Selection {
        let mut names: Vec<_> =
            query.all(FIELD).filter_map(|name| RepositoryName::parse(name).ok()).collect();
        names.sort_unstable();
        names.dedup();
        let cut = names.len() > IMAGES_SELECTED_MAX;
        names.truncate(IMAGES_SELECTED_MAX);
        Selection { names, cut }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(super) fn has(&self, name: &RepositoryName) -> bool {
        self.names.binary_search(name).is_ok()
    }

    /// Those that the page has no box for, and how many they are; `clear` is the same list without them.
    pub(super) fn elsewhere(
        &self,
        visitor: &Visitor,
        has_box: impl Fn(&RepositoryName) -> bool,
        clear: &str,
    ) -> Markup {
        let t = visitor.t;
        let others: Vec<_> = self.names.iter().filter(|name| !has_box(name)).collect();
        html! {
            @for name in &others { input type="hidden" name=(FIELD) value=(name); }
            @if self.cut { p.wrong { (fill(t.selected_cut, &[("max", &IMAGES_SELECTED_MAX)])) } }
            @if !others.is_empty() {
                p.hint { (fill(t.selected_elsewhere, &[("count", &others.len())])) " " a href=(clear) { (t.selected_clear) } }
            }
        }
    }
}
