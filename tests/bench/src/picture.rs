//! A result as a picture (SVG): for each work a panel with a bar for each system, the machine beneath.
//!
//! Drawn as the few elements that it consists of. A library for charts would bring axes and scales, and bars of one unit
//! each, side by side, have none in common.

use maud::{Markup, html};

use crate::result::{About, Entry, Report, Row};
use crate::table::{figure, rounds};

const COLUMNS: usize = 2;
const PANEL_WIDTH: f64 = 600.0;
const NAME_WIDTH: f64 = 185.0;
const BAR_WIDTH: f64 = 240.0;
const LINE: f64 = 20.0;
const GAP: f64 = 16.0;
const HEADING: f64 = 56.0;
const OURS_COLOUR: &str = "#0b6e99";
const LIMIT_COLOUR: &str = "#b9b9b9";
const PEER_COLOUR: &str = "#d9a05b";

const CONDITIONS: &str = "gangplank with token authentication and every write synced; the others open to everybody. \
    nginx sends files: the limit, as dd and openssl are.";
const CONDITIONS_OF_SIZE: &str = "The same server, with token authentication and every write synced; the files of both folders \
    in the page cache as far as it goes.";

/// The picture, as a file's text.
pub(crate) fn picture(report: &Report) -> String {
    let rows: Vec<_> =
        report.rows.iter().filter(|row| row.entries.iter().any(|entry| entry.spread.is_some())).collect();
    let (title, conditions) = match report.about {
        About::Peers => ("The same work on the same machine", CONDITIONS),
        About::Size => ("The same work with little stored, and with much", CONDITIONS_OF_SIZE),
    };
    let mut panels = Vec::new();
    let mut bottom = HEADING;
    for pair in rows.chunks(COLUMNS) {
        for (column, row) in pair.iter().enumerate() {
            panels.push(panel(row, report.ours(), GAP + column as f64 * (PANEL_WIDTH + GAP), bottom));
        }
        bottom += pair.iter().map(|row| panel_height(row)).fold(0.0, f64::max) + GAP;
    }
    let width = GAP + COLUMNS as f64 * (PANEL_WIDTH + GAP);
    let height = bottom + 3.0 * LINE;
    let markup = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {width} {height}")) width=(width)
            height=(height) font-family="sans-serif" font-size="13" {
            rect width="100%" height="100%" fill="#ffffff" {}
            text x=(GAP) y="26" font-size="18" font-weight="bold" { (title) }
            text x=(GAP) y="45" fill="#555555" { (legend(report)) }
            @for panel in panels { (panel) }
            text x=(GAP) y=(bottom + LINE) fill="#555555" { (report.machine.line()) }
            text x=(GAP) y=(bottom + 2.0 * LINE) fill="#555555" { (conditions) }
        }
    };
    markup.into_string() + "\n"
}

fn legend(report: &Report) -> String {
    let versions: Vec<_> = report
        .systems
        .iter()
        .map(|system| format!("{} {}", system.name, system.version).trim().to_owned())
        .collect();
    let quick = if report.quick { " (a smoke run: no figures)" } else { "" };
    format!(
        "{}; medians of {}, {}{quick}",
        versions.join(", "),
        rounds(report.rounds),
        report.made_at.split('T').next().unwrap_or_default()
    )
}

fn panel_height(row: &Row) -> f64 {
    LINE * (1 + row.entries.iter().filter(|entry| entry.spread.is_some()).count()) as f64
}

fn panel(row: &Row, ours: &str, left: f64, top: f64) -> Markup {
    let bars = row.entries.iter().filter_map(|entry| Some((entry, entry.spread?.median)));
    let most = bars.clone().map(|(_, value)| value).fold(0.0, f64::max);
    let better = if row.lower_is_better { "less is better" } else { "more is better" };
    html! {
        text x=(left) y=(top + 14.0) font-weight="bold" {
            (row.work)
            tspan font-weight="normal" fill="#777777" { ", " (better) }
        }
        @for (number, (entry, value)) in bars.enumerate() {
            (bar(row, ours, entry, value / most, left, top + LINE * (number + 1) as f64))
        }
    }
}

fn bar(row: &Row, ours: &str, entry: &Entry, share: f64, left: f64, top: f64) -> Markup {
    let colour = match entry.system.as_str() {
        system if system == ours => OURS_COLOUR,
        system if row.limit.as_deref() == Some(system) => LIMIT_COLOUR,
        _ => PEER_COLOUR,
    };
    let width = (BAR_WIDTH * share).max(1.0);
    let (begin, middle) = (left + NAME_WIDTH, top + 14.0);
    let value =
        entry.spread.map_or(String::new(), |spread| format!("{} {}", figure(spread.median), row.unit));
    let ratio = entry.ratios.speed_to_best_peer.filter(|_| entry.system == ours);
    let ratio = ratio.map_or(String::new(), |ratio| format!(" ({} x best peer)", figure(ratio)));
    html! {
        text x=(begin - 6.0) y=(middle) text-anchor="end" { (entry.system) }
        rect x=(begin) y=(top + 3.0) width=(format!("{width:.1}")) height=(LINE - 6.0) fill=(colour) {}
        text x=(format!("{:.1}", begin + width + 5.0)) y=(middle) { (value) (ratio) }
    }
}

#[cfg(test)]
mod tests {
    use super::picture;
    use crate::result::{About, Entry, Report, Row, Sample};

    #[test]
    fn a_picture_names_the_machine_and_has_a_bar_for_each_system_with_a_figure() {
        let entry =
            |system: &str, value| Entry::of(system, vec![Sample { value, amount: 1.0, ..Sample::default() }]);
        let failed = Entry { system: "failed".into(), failure: Some("gone".into()), ..Entry::default() };
        let row = Row {
            id: "x".into(),
            work: "GET <1 GiB> & more".into(),
            unit: "GB/s".into(),
            lower_is_better: false,
            cpu_per: "GiB".into(),
            limit: None,
            entries: vec![entry("gangplank", 4.0), entry("other", 2.0), failed],
        };
        let machine = crate::machine::Machine { processor: "a processor".into(), ..Default::default() };
        let report = Report {
            about: About::Peers,
            made_at: "2026-11-26T00:00:00Z".into(),
            quick: false,
            rounds: 5,
            machine,
            systems: Vec::new(),
            rows: vec![row],
        };
        let picture = picture(&report);
        assert!(
            picture.contains("a processor") && picture.contains("GET &lt;1 GiB&gt; &amp; more"),
            "{picture}"
        );
        assert_eq!(picture.matches("<rect").count(), 1 + 2, "the ground and two bars");
        assert!(picture.contains(r#"width="240.0""#) && picture.contains(r#"width="120.0""#), "{picture}");
    }
}
