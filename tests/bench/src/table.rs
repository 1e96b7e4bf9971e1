//! A result as a table for a terminal.

use comfy_table::{CellAlignment, ColumnConstraint, Table, Width, presets};

use crate::result::{About, Entry, Report, Row};
use crate::systems::OURS;

const COLUMNS: [&str; 7] = ["work", "system", "median", "spread", "CPU", "peak MiB", "first byte"];
/// How we stand to others: speed to the limit, speed to the best peer, processor time to the limit.
const RATIOS_TO_PEERS: [&str; 3] = ["x limit", "x best peer", "CPU x limit"];
/// The same where the limit is who has little, and nobody a peer.
const RATIOS_TO_LITTLE: [&str; 3] = ["x little", "", "CPU x little"];
/// The column from which on there are figures.
const FIGURES: usize = 2;
/// Longer names of works go on in the next line.
const WORK_WIDTH_MAX: u16 = 36;

/// The whole result.
pub(crate) fn table(report: &Report) -> String {
    let mut table = Table::new();
    let (ratios, notes) = match report.about {
        About::Peers => (RATIOS_TO_PEERS, NOTES),
        About::Size => (RATIOS_TO_LITTLE, NOTES_ON_SIZE),
    };
    // Of a column that has no name there is none.
    let columns =
        COLUMNS.into_iter().map(Some).chain(ratios.map(|name| Some(name).filter(|name| !name.is_empty())));
    let columns: Vec<_> = columns.collect();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header(columns.iter().flatten());
    for row in &report.rows {
        for (number, entry) in row.entries.iter().enumerate() {
            let work = if number == 0 { row.work.clone() } else { String::new() };
            let cells = std::iter::once(work).chain(cells(row, entry)).zip(&columns);
            table.add_row(cells.filter_map(|(cell, column)| column.map(|_| cell)));
        }
    }
    for column in table.column_iter_mut().skip(FIGURES) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    if let Some(works) = table.column_mut(0) {
        works.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(WORK_WIDTH_MAX)));
    }
    format!("{}\n\n{table}\n\n{notes}", heading(report))
}

const NOTES: &str = "\
gangplank: with authentication by tokens, and every write synced before it is acknowledged. The others: open to everybody, and
synced as they do it by themselves.
x limit: speed as a multiple of the limit's (nginx; dd for the disk, openssl for tmpfs); x best peer: of the fastest other
registry's. Of what is measured in s, ms or MiB, the multiple is turned over, so more is better. CPU: the server's, user and
system; of it less is better. First byte: half of the answers within, and 99 of 100.";

const NOTES_ON_SIZE: &str = "\
The same server, with authentication by tokens, every write synced before it is acknowledged, and the files of both folders in
the page cache as far as it goes. x little: speed as a multiple of what it is with little; of what is measured in ms, µs or MiB,
the multiple is turned over, so that 1 means that it does not matter how much there is, and less that it is slower. CPU: the
server's, user and system; of it less is better. Share check: of the same manifests in turns, so it may come out below nothing.
First byte: half of the answers within, and 99 of 100; of the console, of its slowest page (the JSON has them all).";

fn heading(report: &Report) -> String {
    let systems: Vec<_> =
        report.systems.iter().map(|system| format!("{} {}", system.name, system.version)).collect();
    let quick = if report.quick { " A smoke run: its figures are none." } else { "" };
    format!(
        "{}, {}\n{}; {}.{quick}",
        report.made_at,
        report.machine.line(),
        systems.iter().map(|system| system.trim()).collect::<Vec<_>>().join(", "),
        rounds(report.rounds),
    )
}

/// How many rounds there were.
pub(crate) fn rounds(number: u32) -> String {
    if number == 1 { "1 round".to_owned() } else { format!("{number} rounds") }
}

fn cells(row: &Row, entry: &Entry) -> Vec<String> {
    let mut cells = vec![entry.system.clone()];
    match (&entry.spread, &entry.failure, &entry.absent) {
        (Some(spread), ..) => {
            cells.push(format!("{} {}", figure(spread.median), row.unit));
            cells.push(format!("{} - {}", figure(spread.min), figure(spread.max)));
            cells.push(format!("{} s/{}", figure(entry.cpu_seconds_per), row.cpu_per));
            cells.push(if entry.peak_mib > 0.0 { figure(entry.peak_mib) } else { String::new() });
            let first_byte = entry.first_byte_millis;
            cells.push(
                first_byte
                    .map_or(String::new(), |[half, most]| format!("{} {} ms", figure(half), figure(most))),
            );
            let ratios = &entry.ratios;
            let is_limit = row.limit.as_ref() == Some(&entry.system);
            let to_peer = ratios.speed_to_best_peer.filter(|_| entry.system == OURS);
            for ratio in [ratios.speed_to_limit, to_peer, ratios.cpu_to_limit] {
                cells.push(ratio.filter(|_| !is_limit).map_or(String::new(), |ratio| format!("{ratio:.2}")));
            }
        }
        (None, Some(_), _) => cells.push("FAILED".to_owned()),
        (None, None, why) => cells.push(why.clone().unwrap_or_default()),
    }
    cells
}

/// Three digits, or all before the point.
pub(crate) fn figure(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{figure, table};
    use crate::result::{About, Entry, Report, Row, Sample};

    #[test]
    fn a_figure_has_three_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.12345, "0.123"),
            (1.2345, "1.23"),
            (12.345, "12.3"),
            (123.45, "123"),
            (43210.9, "43211"),
        ] {
            assert_eq!(figure(value), text);
        }
    }

    #[test]
    fn a_table_has_a_line_for_each_system_and_says_what_failed() {
        let sample =
            Sample { value: 4.5, cpu_seconds: 0.26, amount: 2.0, peak_mib: 51.0, ..Sample::default() };
        let failed = Entry { system: "b".into(), failure: Some("it is gone".into()), ..Entry::default() };
        let row = Row {
            id: "x".into(),
            work: "GET 1 GiB blob".into(),
            unit: "GB/s".into(),
            lower_is_better: false,
            cpu_per: "GiB".into(),
            limit: None,
            entries: vec![Entry::of("a", vec![sample]), failed],
        };
        let report = Report {
            about: About::Peers,
            made_at: "2026-11-26T00:00:00Z".into(),
            quick: false,
            rounds: 1,
            machine: Default::default(),
            systems: Vec::new(),
            rows: vec![row],
        };
        let table = table(&report);
        for text in ["GET 1 GiB blob", "4.50 GB/s", "0.130 s/GiB", "51.0", "FAILED"] {
            assert!(table.contains(text), "{text:?} is not in\n{table}");
        }
    }

    #[test]
    fn with_little_and_much_there_is_no_peer() {
        let report = Report {
            about: About::Size,
            made_at: "2026-11-26T00:00:00Z".into(),
            quick: false,
            rounds: 1,
            machine: Default::default(),
            systems: Vec::new(),
            rows: Vec::new(),
        };
        let table = table(&report);
        assert!(table.contains("x little") && !table.contains("best peer"), "{table}");
    }
}
