//! A result beside a stored one: which ratios have become worse.
//!
//! Ratios, since figures move from machine to machine. A server's memory moves little, so there the value itself counts.

use std::collections::BTreeSet;

use crate::result::{Report, Row};
use crate::table::figure;

/// What is still as good as before.
const TOLERANCE: f64 = 0.1;

/// What a comparison finds.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Comparison {
    /// Ratios that are worse by more than the tolerance, in words.
    pub(crate) worse: Vec<String>,
    /// Works of ours that one of the two results does not have, or has no figures of.
    pub(crate) lacking: Vec<String>,
    /// How many ratios there were on both sides.
    pub(crate) compared: usize,
}

/// Compares what is ours in `now` with `before`.
pub(crate) fn compare(before: &Report, now: &Report) -> Comparison {
    let mut comparison = Comparison::default();
    if before.ours() != now.ours() {
        let what = format!("{}: the stored result is that {}", now.ours(), before.ours());
        comparison.lacking.push(what);
        return comparison;
    }
    for row in &now.rows {
        match before.rows.iter().find(|other| other.work == row.work) {
            Some(other) => comparison.row(other, row, now.ours()),
            None => comparison.lacking.push(format!("{}: it is not in the stored result", row.work)),
        }
    }
    comparison
}

impl Comparison {
    fn row(&mut self, before: &Row, now: &Row, ours: &str) {
        let (Some(was), Some(is)) = (before.entry(ours), now.entry(ours)) else { return };
        if was.spread.is_none() && is.spread.is_none() {
            return;
        }
        let (Some(value_was), Some(value_is)) = (was.spread, is.spread) else {
            self.lacking.push(format!("{}: one of the two has no figure", now.work));
            return;
        };
        let (old, mut new) = (&was.ratios, is.ratios.clone());
        if peers(before, ours) != peers(now, ours) {
            self.lacking.push(format!("{}, with the best peer: there are other peers", now.work));
            (new.speed_to_best_peer, new.cpu_to_best_peer) = (None, None);
        }
        let limit = now.limit.as_deref().unwrap_or_default();
        let work = &now.work;
        self.ratio(&format!("{work}: speed to {limit}"), old.speed_to_limit, new.speed_to_limit, false);
        let peer = format!("{work}: speed to the best peer");
        self.ratio(&peer, old.speed_to_best_peer, new.speed_to_best_peer, false);
        self.ratio(&format!("{work}: CPU to {limit}"), old.cpu_to_limit, new.cpu_to_limit, true);
        let peer = format!("{work}: CPU to the best peer");
        self.ratio(&peer, old.cpu_to_best_peer, new.cpu_to_best_peer, true);
        if now.unit == "MiB" {
            self.ratio(&format!("{work}: MiB"), Some(value_was.median), Some(value_is.median), true);
        }
    }

    fn ratio(&mut self, what: &str, before: Option<f64>, now: Option<f64>, lower_is_better: bool) {
        let (Some(before), Some(now)) = (before, now) else { return };
        self.compared += 1;
        let change = if lower_is_better { now / before - 1.0 } else { 1.0 - now / before };
        if change > TOLERANCE {
            let percent = change * 100.0;
            self.worse.push(format!("{what}: {} was {}, {percent:.0} % worse", figure(now), figure(before)));
        }
    }
}

/// Who has figures besides us: the best of others is another best.
fn peers<'a>(row: &'a Row, ours: &str) -> BTreeSet<&'a str> {
    let with_figures = row.entries.iter().filter(|entry| entry.spread.is_some() && entry.system != ours);
    with_figures.map(|entry| entry.system.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::compare;
    use crate::result::{About, Entry, Report, Row, Sample, Version};

    #[test]
    fn what_has_another_size_is_not_compared() {
        let of_size = |name: &str| {
            let mut report = report("GB/s", 10.0, 1.0);
            report.about = About::Size;
            report.systems.push(Version { name: name.into(), version: String::new() });
            report.rows[0].entries[0].system = name.into();
            report
        };
        let before = of_size("with 1,000 repositories");
        assert_eq!(compare(&before, &of_size("with 1,000 repositories")).compared, 2);
        let other = compare(&before, &of_size("with 2,000 repositories"));
        assert_eq!((other.compared, other.lacking.len()), (0, 1));
    }

    fn report(unit: &str, ours: f64, cpu_seconds: f64) -> Report {
        let entry = |system: &str, value, cpu_seconds| {
            Entry::of(system, vec![Sample { value, cpu_seconds, amount: 1.0, ..Sample::default() }])
        };
        let mut row = Row {
            id: "get".into(),
            work: "GET".into(),
            unit: unit.into(),
            lower_is_better: unit == "MiB",
            cpu_per: "GiB".into(),
            limit: Some("nginx".into()),
            entries: vec![entry("gangplank", ours, cpu_seconds), entry("nginx", 10.0, 1.0)],
        };
        row.relate();
        Report {
            about: About::Peers,
            made_at: String::new(),
            quick: false,
            rounds: 1,
            machine: Default::default(),
            systems: Vec::new(),
            rows: vec![row],
        }
    }

    #[test]
    fn a_tenth_worse_is_told_and_less_is_not() {
        let before = report("GB/s", 10.0, 1.0);
        assert!(compare(&before, &report("GB/s", 9.1, 1.09)).worse.is_empty());
        assert!(compare(&before, &report("GB/s", 20.0, 0.1)).worse.is_empty());
        let slower = compare(&before, &report("GB/s", 8.0, 1.0));
        assert_eq!(slower.worse, ["GET: speed to nginx: 0.800 was 1.00, 20 % worse"]);
        let dearer = compare(&before, &report("GB/s", 10.0, 1.5));
        assert_eq!(dearer.worse, ["GET: CPU to nginx: 1.50 was 1.00, 50 % worse"]);
        assert_eq!(dearer.compared, 2);
    }

    #[test]
    fn with_other_peers_the_best_one_is_another() {
        let mut before = report("GB/s", 10.0, 1.0);
        let mut now = report("GB/s", 10.0, 1.0);
        for (report, peers) in [(&mut before, &[1.0][..]), (&mut now, &[1.0, 5.0])] {
            for (number, value) in peers.iter().enumerate() {
                let sample = Sample { value: *value, amount: 1.0, ..Sample::default() };
                report.rows[0].entries.push(Entry::of(&format!("peer {number}"), vec![sample]));
            }
            report.rows[0].relate();
        }
        let comparison = compare(&before, &now);
        assert_eq!((comparison.worse.len(), comparison.lacking.len()), (0, 1), "{comparison:?}");
    }

    #[test]
    fn memory_counts_by_itself() {
        let worse = compare(&report("MiB", 10.0, 1.0), &report("MiB", 12.0, 1.0)).worse;
        assert!(worse.iter().any(|line| line.starts_with("GET: MiB: 12.0 was 10.0")), "{worse:?}");
    }

    #[test]
    fn what_cannot_be_compared_is_told() {
        let before = report("GB/s", 10.0, 1.0);
        let mut now = report("GB/s", 10.0, 1.0);
        now.rows[0].work = "GET more".into();
        assert_eq!(compare(&before, &now).lacking.len(), 1);
        let mut failed = report("GB/s", 10.0, 1.0);
        failed.rows[0].entries[0].spread = None;
        assert_eq!(compare(&before, &failed).lacking.len(), 1);
    }
}
