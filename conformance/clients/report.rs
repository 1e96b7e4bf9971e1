//! The table, for a person's eyes and for the folder of reports.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{ContentArrangement, Table};

use crate::matrix::{Cell, Operation};

/// A client's row: what it did, or why this machine does not have it.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) result: Result<(String, Vec<(Operation, Cell)>), String>,
}

/// All rows.
pub(crate) struct Report(pub(crate) Vec<Row>);

impl Report {
    /// Cells that passed.
    pub(crate) fn passed(&self) -> usize {
        self.cells().filter(|cell| matches!(cell, Cell::Passed(_))).count()
    }

    /// Cells that did not.
    pub(crate) fn failed(&self) -> usize {
        self.cells().filter(|cell| matches!(cell, Cell::Failed(_))).count()
    }

    /// Clients that this machine does not have.
    pub(crate) fn absent(&self) -> Vec<&'static str> {
        self.0.iter().filter(|row| row.result.is_err()).map(|row| row.name).collect()
    }

    fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.0
            .iter()
            .filter_map(|row| row.result.as_ref().ok())
            .flat_map(|(_, cells)| cells)
            .map(|(_, cell)| cell)
    }

    /// The table in Markdown, and below it what a dash means, and what failed.
    pub(crate) fn text(&self) -> String {
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
        let titles = Operation::ALL.iter().map(|operation| operation.title());
        table.set_header(["client", "version"].into_iter().chain(titles));
        let (mut notes, mut failures) = (String::new(), String::new());
        for Row { name, result } in &self.0 {
            let mut line = vec![(*name).to_owned()];
            match result {
                Err(why) => {
                    line.push("absent".to_owned());
                    notes += &format!("- {name} is absent: {why}\n");
                }
                Ok((version, cells)) => {
                    line.push(version.clone());
                    line.extend(cells.iter().map(|(_, cell)| cell.word()));
                    for (operation, cell) in cells {
                        let title = operation.title();
                        match cell {
                            Cell::Passed(_) => {}
                            Cell::NotOffered(why) => notes += &format!("- {name}, {title}: {why}\n"),
                            Cell::Failed(said) => failures += &format!("\n{name}, {title}:\n{said}\n"),
                        }
                    }
                }
            }
            table.add_row(line);
        }
        format!("{table}\n\nA dash: the client has no command for it.\n\n{notes}{failures}")
    }
}

impl Cell {
    /// What stands in the table.
    fn word(&self) -> String {
        match self {
            Cell::Passed(how) if how.is_empty() => "yes".to_owned(),
            Cell::Passed(how) => format!("yes, {how}"),
            Cell::NotOffered(_) => "-".to_owned(),
            Cell::Failed(_) => "FAILED".to_owned(),
        }
    }
}
