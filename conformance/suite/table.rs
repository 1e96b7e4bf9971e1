//! The table of runs and groups, for a person's eyes and for comparing.

use std::fmt::Write as _;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{ContentArrangement, Table};

use crate::report::{Outcome, Report};
use crate::run::Run;

const LEGEND: &str = "\
Cases passed/failed/skipped. `off`: cases that the run does not ask, because its configuration says so. The last row is
the suite's own count: of things asked, of which some cases hold two.
";

/// The table in Markdown, the groups in the order in which the suite asks them.
pub(crate) fn text(reports: &[(Run, Report)]) -> String {
    let mut groups: Vec<&str> = Vec::new();
    for case in reports.iter().flat_map(|(_, report)| &report.cases) {
        if !groups.contains(&case.group.as_str()) {
            groups.push(&case.group);
        }
    }
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    let runs = reports.iter().map(|(run, _)| run.to_string());
    table.set_header(["group".to_owned()].into_iter().chain(runs));
    for group in groups {
        table.add_row(row(group, reports, |report| cell(counts(report, Some(group)))));
    }
    table.add_row(row("all", reports, |report| cell(counts(report, None))));
    table.add_row(row("the suite's own count", reports, |report| {
        let head = report.head;
        cell([head.passed, head.failed, head.skipped, head.off])
    }));
    format!("{LEGEND}\n{table}\n")
}

fn row(title: &str, reports: &[(Run, Report)], cell: impl Fn(&Report) -> String) -> Vec<String> {
    [title.to_owned()].into_iter().chain(reports.iter().map(|(_, report)| cell(report))).collect()
}

fn counts(report: &Report, group: Option<&str>) -> [usize; 4] {
    [Outcome::Passed, Outcome::Failed, Outcome::Skipped, Outcome::Off]
        .map(|outcome| report.count(group, outcome))
}

fn cell([passed, failed, skipped, off]: [usize; 4]) -> String {
    match (passed + failed + skipped, off) {
        (0, 0) => "-".to_owned(),
        (0, off) => format!("{off} off"),
        (_, 0) => format!("{passed}/{failed}/{skipped}"),
        (_, off) => format!("{passed}/{failed}/{skipped}, {off} off"),
    }
}

/// The lines that only one of two texts has, marked with `-` and `+`; empty when the texts are the same.
pub(crate) fn differences(expected: &str, found: &str) -> String {
    let mut differences = String::new();
    for (mark, text, other) in [('-', expected, found), ('+', found, expected)] {
        for line in text.lines().filter(|line| !other.lines().any(|own| own == *line)) {
            let _ = writeln!(differences, "{mark} {line}");
        }
    }
    if differences.is_empty() && expected != found {
        "the order of the lines".to_owned()
    } else {
        differences
    }
}
