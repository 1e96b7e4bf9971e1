//! What a run gives: for each work, what each system made of it. Kept as JSON, and read again to be compared with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::machine::Machine;
use crate::statistics::{Spread, best, median};
use crate::systems::OURS;

/// A run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    #[serde(default)]
    pub(crate) about: About,
    /// In UTC.
    pub(crate) made_at: String,
    /// Whether it was a smoke run, whose figures are none.
    pub(crate) quick: bool,
    pub(crate) rounds: u32,
    pub(crate) machine: Machine,
    pub(crate) systems: Vec<Version>,
    pub(crate) rows: Vec<Row>,
}

/// What is put side by side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum About {
    /// The server, and others.
    #[default]
    Peers,
    /// The server with little in it, and with much.
    Size,
}

/// A system's version, as it tells it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// A work.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    /// With its sizes: works of different sizes are different works.
    pub(crate) work: String,
    /// Of the values.
    pub(crate) unit: String,
    pub(crate) lower_is_better: bool,
    /// What processor time is counted for: `GiB`, `1,000 requests`, …
    pub(crate) cpu_per: String,
    /// Who shows what the machine allows.
    pub(crate) limit: Option<String>,
    pub(crate) entries: Vec<Entry>,
}

/// What one system made of a work.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) system: String,
    /// Why it has no figures, though it should.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failure: Option<String>,
    /// Why it has none, and need not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) absent: Option<String>,
    /// Of the values of all rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) spread: Option<Spread>,
    /// The medians over all rounds.
    pub(crate) cpu_seconds: f64,
    pub(crate) cpu_seconds_per: f64,
    /// The highest of all rounds.
    pub(crate) peak_mib: f64,
    /// Half of the requests had their first byte within, and 99 of 100; the medians over all rounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) first_byte_millis: Option<[f64; 2]>,
    pub(crate) ratios: Ratios,
    pub(crate) samples: Vec<Sample>,
}

/// How a system stands to others. Of speed, more is better (a time's ratio is turned over); of processor time, less.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ratios {
    pub(crate) speed_to_limit: Option<f64>,
    pub(crate) speed_to_best_peer: Option<f64>,
    pub(crate) cpu_to_limit: Option<f64>,
    pub(crate) cpu_to_best_peer: Option<f64>,
}

/// One round of one system.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) value: f64,
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    /// What the client took of the processors that it shares with the server.
    pub(crate) client_cpu_seconds: f64,
    /// How much work it was, in what processor time is counted for.
    pub(crate) amount: f64,
    pub(crate) peak_mib: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) first_byte_millis: Option<[f64; 2]>,
    /// Where a work consists of several pages: the same of each.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) pages_millis: BTreeMap<String, [f64; 2]>,
}

impl Report {
    /// The system whose figures count, of those that stand side by side: ours, or the one with much in it.
    pub(crate) fn ours(&self) -> &str {
        match self.about {
            About::Peers => OURS,
            About::Size => self.systems.last().map_or(OURS, |system| &system.name),
        }
    }
}

impl Entry {
    /// Sums the samples up.
    pub(crate) fn of(system: &str, samples: Vec<Sample>) -> Entry {
        let of = |part: fn(&Sample) -> f64| samples.iter().map(part).collect::<Vec<_>>();
        let first_bytes: Vec<_> = samples.iter().filter_map(|sample| sample.first_byte_millis).collect();
        let first_byte =
            |index: usize| median(&first_bytes.iter().map(|pair| pair[index]).collect::<Vec<_>>());
        Entry {
            system: system.to_owned(),
            spread: Spread::of(&of(|sample| sample.value)),
            cpu_seconds: median(&of(|sample| sample.cpu_seconds)).unwrap_or(0.0),
            cpu_seconds_per: median(&of(|sample| sample.cpu_seconds / sample.amount)).unwrap_or(0.0),
            peak_mib: samples.iter().map(|sample| sample.peak_mib).fold(0.0, f64::max),
            first_byte_millis: first_byte(0).zip(first_byte(1)).map(|(half, most)| [half, most]),
            samples,
            ..Entry::default()
        }
    }

    fn value(&self) -> Option<f64> {
        self.spread.map(|spread| spread.median)
    }

    fn cpu(&self) -> Option<f64> {
        self.value().map(|_| self.cpu_seconds_per).filter(|seconds| *seconds > 0.0)
    }
}

impl Row {
    /// The entry of this system.
    pub(crate) fn entry(&self, system: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.system == system)
    }

    /// Fills in how each stands to the limit and to the best of the peers: those that are neither ours, nor the limit,
    /// nor itself.
    pub(crate) fn relate(&mut self) {
        let limit = self.limit.as_deref().and_then(|limit| self.entry(limit)).cloned();
        let ratios: Vec<_> = self.entries.iter().map(|entry| self.ratios(entry, limit.as_ref())).collect();
        for (entry, ratios) in self.entries.iter_mut().zip(ratios) {
            entry.ratios = ratios;
        }
    }

    fn ratios(&self, entry: &Entry, limit: Option<&Entry>) -> Ratios {
        let peers = || {
            self.entries.iter().filter(|peer| {
                peer.system != OURS
                    && Some(peer.system.as_str()) != self.limit.as_deref()
                    && peer.system != entry.system
            })
        };
        let speed = |other: Option<f64>| self.faster(entry.value()?, other?);
        let cpu = |other: Option<f64>| Some(entry.cpu()? / other?);
        Ratios {
            speed_to_limit: speed(limit.and_then(Entry::value)),
            speed_to_best_peer: speed(best(peers().filter_map(Entry::value), self.lower_is_better)),
            cpu_to_limit: cpu(limit.and_then(Entry::cpu)),
            cpu_to_best_peer: cpu(best(peers().filter_map(Entry::cpu), true)),
        }
    }

    fn faster(&self, one: f64, other: f64) -> Option<f64> {
        let ratio = if self.lower_is_better { other / one } else { one / other };
        (ratio.is_finite() && ratio > 0.0).then_some(ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Row, Sample};

    fn entry(system: &str, value: f64, cpu_seconds: f64) -> Entry {
        Entry::of(system, vec![Sample { value, cpu_seconds, amount: 2.0, ..Sample::default() }])
    }

    fn row(lower_is_better: bool, entries: Vec<Entry>) -> Row {
        let limit = Some("nginx".to_owned());
        let mut row = Row {
            id: "x".into(),
            work: "x".into(),
            unit: "GB/s".into(),
            lower_is_better,
            cpu_per: "GiB".into(),
            limit,
            entries,
        };
        row.relate();
        row
    }

    #[test]
    fn we_stand_to_the_limit_and_to_the_best_peer() {
        let entries = vec![
            entry("gangplank", 4.0, 1.0),
            entry("nginx", 5.0, 0.5),
            entry("a", 1.0, 4.0),
            entry("b", 2.0, 8.0),
        ];
        let row = row(false, entries);
        let ratios = &row.entry("gangplank").unwrap().ratios;
        assert_eq!(ratios.speed_to_limit, Some(0.8));
        assert_eq!(ratios.speed_to_best_peer, Some(2.0));
        assert_eq!(ratios.cpu_to_limit, Some(2.0));
        assert_eq!(ratios.cpu_to_best_peer, Some(0.25));
        // Neither are we a peer, nor is anybody its own.
        assert_eq!(row.entry("b").unwrap().ratios.speed_to_best_peer, Some(2.0));
    }

    #[test]
    fn of_a_time_half_is_twice_as_fast() {
        let row = row(true, vec![entry("gangplank", 2.0, 0.0), entry("a", 4.0, 1.0), entry("b", 6.0, 1.0)]);
        let ratios = &row.entry("gangplank").unwrap().ratios;
        assert_eq!(ratios.speed_to_best_peer, Some(2.0));
        assert_eq!(ratios.speed_to_limit, None);
        assert_eq!(ratios.cpu_to_best_peer, None, "no time was counted");
    }
}
