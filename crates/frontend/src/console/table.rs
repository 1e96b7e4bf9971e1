//! Lists: a table where there is room for its columns, and on a narrow screen a card for each row, in which every cell says
//! what it is. Styles turn the one into the other, so that roles are said aloud: else a card would be no row any more.

use maud::{Markup, html};

use super::text::Texts;

/// A column: what its cells are, and how they look.
pub(super) struct Column<'a> {
    label: &'a str,
    /// What stands in its head in the place of the label.
    head: Option<Markup>,
    /// The order in which the rows stand by it, as `aria-sort` calls it.
    sorted: Option<&'static str>,
    class: Option<&'static str>,
    names_rows: bool,
}

/// A column of text.
pub(super) fn column(label: &str) -> Column<'_> {
    Column { label, head: None, sorted: None, class: None, names_rows: false }
}

/// The column that says which row it is.
pub(super) fn heading(label: &str) -> Column<'_> {
    Column { names_rows: true, ..column(label) }
}

/// A column of numbers.
pub(super) fn number(label: &str) -> Column<'_> {
    Column { class: Some("number"), ..column(label) }
}

/// A column of words, none of which is broken.
pub(super) fn words(label: &str) -> Column<'_> {
    Column { class: Some("words"), ..column(label) }
}

/// A column of texts that people wrote, which have lines.
pub(super) fn prose(label: &str) -> Column<'_> {
    Column { class: Some("text"), ..column(label) }
}

impl<'a> Column<'a> {
    /// Rows can be put in its order by what stands in its head.
    pub(super) fn sorts(self, head: Markup, sorted: Option<&'static str>) -> Column<'a> {
        Column { head: Some(head), sorted, ..self }
    }

    fn head(&self) -> Markup {
        html! {
            th role="columnheader" scope="col" class=[self.class] aria-sort=[self.sorted] {
                @match &self.head { Some(head) => (head), None => (self.label) }
            }
        }
    }

    fn cell(&self, content: &Markup) -> Markup {
        html! {
            @if self.names_rows { th role="rowheader" scope="row" class=[self.class] { (content) } }
            @else { td role="cell" class=[self.class] data-label=(self.label) { div { (content) } } }
        }
    }
}

/// A list; each row has a cell for each column.
pub(super) fn table(
    t: &'static Texts,
    columns: &[Column<'_>],
    rows: impl IntoIterator<Item = Vec<Markup>>,
) -> Markup {
    titled(t.list, columns, rows)
}

/// The same under a name of its own.
pub(super) fn titled(
    title: &str,
    columns: &[Column<'_>],
    rows: impl IntoIterator<Item = Vec<Markup>>,
) -> Markup {
    html! {
        div.scroll tabindex="0" role="group" aria-label=(title) {
            table role="table" {
                thead role="rowgroup" { tr role="row" { @for column in columns { (column.head()) } } }
                tbody role="rowgroup" {
                    @for row in rows {
                        tr role="row" { @for (column, cell) in columns.iter().zip(&row) { (column.cell(cell)) } }
                    }
                }
            }
        }
    }
}
