//! The table as a page: `conformance/permissions.md`.
//!
//! When the table says something else than the page, the test writes the new page to `target/permissions.md` and says so;
//! copied over the old one, it is the page.

use std::path::Path;

use super::role::{Role, State};
use super::table::{Cell, Row, Table};
use super::tables;

const HEAD: &str = "\
# Who may do what

Every call, asked by each of nine roles. This page is written from a table (`crates/frontend/src/tests/calls/`) that a test
asks of the registry, cell by cell; the test fails when an answer, or this page, is another, and when the program knows a
call that has no row.

The repository is acme's: *shared* is private and shared with globex, *private* is shared with nobody, *public* is public.
No entry under \"image\" means that the call is about no repository, or that it makes no difference.

| role | who it is |
|---|---|
| owner | the account acme |
| manage, edit, read | users of acme with that permission on the namespace |
| sharee, its user | the account globex, and a user of it |
| stranger | an account that has nothing to do with acme |
| nobody | no credentials |
| administrator | the account that administers the registry: to images, a stranger |

| cell | what it means |
|---|---|
| ✓ | it is done; in a list, it is shown. ✓ with a number: done in another way, with that status |
| – | the list comes, and does not show it; the token comes, and carries nothing |
| 401 | sign in: the same whether it is there or not |
| 403 | it is seen, but not allowed |
| 404 | to the byte the same as for what is not there |
| none | 404 as well: there is none, for who would see it |
| another number | what is there stands in the way |

Whatever is refused changes nothing. Every call of the registry's protocol was asked with a password and with a token, every
call of the management interface with a password and with a personal token.
";

fn page() -> String {
    let mut page = HEAD.to_owned();
    for table in tables() {
        page.push_str(&section(table));
    }
    page
}

fn section(table: &Table) -> String {
    let heads: Vec<_> = Role::ALL.into_iter().map(Role::title).collect();
    let with_states = table.rows.iter().any(|row| states(row).len() > 1);
    let image = if with_states { " image |" } else { "" };
    let mut text = format!("\n## {}\n\n", table.noun);
    if !table.remark.is_empty() {
        text.push_str(&format!("{}\n\n", table.remark));
    }
    text.push_str(&format!("| call |{image} {} |\n", heads.join(" | ")));
    text.push_str(&format!("|---|{}{}\n", if with_states { "---|" } else { "" }, ":-:|".repeat(heads.len())));
    for row in table.rows {
        for (nth, (state, cells)) in states(row).iter().enumerate() {
            let call = if nth == 0 { call(row) } else { String::new() };
            let state = if with_states { format!(" {state} |") } else { String::new() };
            let cells: Vec<_> = cells.iter().map(|cell| cell.shown()).collect();
            text.push_str(&format!("| {call} |{state} {} |\n", cells.join(" | ")));
        }
    }
    text
}

fn call(row: &Row) -> String {
    let mut target = row.target.to_owned();
    // The world's own words are explained by the text around them.
    for (word, shown) in [
        ("{image}", "<digest>"),
        ("{layer}", "<digest>"),
        ("{loose}", "<digest>"),
        ("{hello}", "<digest>"),
        ("{image-v1}", "<digest>"),
        ("{image-v2}", "<digest>"),
        ("{layer-v1}", "<digest>"),
        ("{layer-v2}", "<digest>"),
        ("{upload}", "<id>"),
        ("{others-upload}", "<id>"),
        ("{own-namespace}/target", "<target>"),
        ("?service=gangplank&scope=repository:{repository}:pull,push,delete", ""),
    ] {
        target = target.replace(word, shown);
    }
    if row.target.starts_with("/v2/") {
        target = target.replace("{repository}", "<name>");
    }
    let remark = if row.remark.is_empty() { String::new() } else { format!(" ({})", row.remark) };
    format!("`{} {target}`{remark}", row.method)
}

/// The states of a row, those together whose cells are all the same.
fn states(row: &Row) -> Vec<(String, Vec<Cell>)> {
    let mut states: Vec<(Vec<State>, Vec<Cell>)> = Vec::new();
    for (state, _) in row.cells {
        let cells: Vec<_> = row.cells().filter(|(of, _, _)| of == state).map(|(_, _, cell)| cell).collect();
        match states.iter_mut().find(|(_, other)| *other == cells) {
            Some((together, _)) => together.push(*state),
            None => states.push((vec![*state], cells)),
        }
    }
    let all = states.len() == 1;
    let title = |states: Vec<State>| states.into_iter().map(State::title).collect::<Vec<_>>().join(", ");
    states
        .into_iter()
        .map(|(states, cells)| (if all { String::new() } else { title(states) }, cells))
        .collect()
}

#[test]
fn the_page_is_what_the_table_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let kept = root.join("conformance/permissions.md");
    let (page, found) = (page(), std::fs::read_to_string(&kept).unwrap_or_default());
    if page == found {
        return;
    }
    let new = root.join("target/permissions.md");
    std::fs::create_dir_all(root.join("target")).unwrap();
    std::fs::write(&new, page).unwrap();
    panic!(
        "{} is not what the table says; if the table is right, {} is the new page",
        kept.display(),
        new.display()
    );
}
