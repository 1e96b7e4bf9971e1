//! What a server uses while it works: processor time and the most memory, of all its processes, as the kernel tells it.

use std::collections::BTreeMap;
use std::fs;

/// The kernel counts processor time in hundredths of a second (`USER_HZ`), on every architecture that we run on.
const TICKS_PER_SECOND: f64 = 100.0;

/// A measurement that has begun.
pub(crate) struct Gauge {
    root: u32,
    /// The ticks of each process by then.
    ticks: BTreeMap<u32, u64>,
    /// Ours.
    client_ticks: u64,
}

/// What was used.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Used {
    pub(crate) cpu_seconds: f64,
    /// What the client used: it shares the processors.
    pub(crate) client_cpu_seconds: f64,
    /// The sum of the processes' peaks.
    pub(crate) peak_bytes: u64,
}

impl Used {
    /// Adds what was used at another time.
    pub(crate) fn add(&mut self, other: Used) {
        self.cpu_seconds += other.cpu_seconds;
        self.client_cpu_seconds += other.client_cpu_seconds;
        self.peak_bytes = self.peak_bytes.max(other.peak_bytes);
    }
}

impl Gauge {
    /// Begins for the process `root` and all that descend from it. Their peaks begin anew.
    pub(crate) fn begin(root: u32) -> Gauge {
        let mut ticks = BTreeMap::new();
        for pid in family(root) {
            // Only who may write there can have the peak of this work alone: the owner of the process, that is we.
            let _ = fs::write(format!("/proc/{pid}/clear_refs"), "5");
            ticks.insert(pid, ticks_of(pid).unwrap_or(0));
        }
        Gauge { root, ticks, client_ticks: ticks_of(std::process::id()).unwrap_or(0) }
    }

    /// What was used since.
    pub(crate) fn end(&self) -> Result<Used, String> {
        let (mut ticks, mut peak_bytes) = (0, 0);
        for pid in family(self.root) {
            let Some(now) = ticks_of(pid) else { continue };
            ticks += now.saturating_sub(self.ticks.get(&pid).copied().unwrap_or(0));
            peak_bytes += status_bytes(pid, "VmHWM:").unwrap_or(0);
        }
        if peak_bytes == 0 {
            return Err(format!("the server's process {} is gone", self.root));
        }
        let client_ticks = ticks_of(std::process::id()).unwrap_or(0).saturating_sub(self.client_ticks);
        Ok(Used { cpu_seconds: seconds(ticks), client_cpu_seconds: seconds(client_ticks), peak_bytes })
    }
}

/// The memory that the process `root` and all that descend from it have now.
pub(crate) fn resident_bytes(root: u32) -> u64 {
    family(root).into_iter().filter_map(|pid| status_bytes(pid, "VmRSS:")).sum()
}

/// Processor time, in seconds, of those children of ours that have ended.
pub(crate) fn cpu_seconds_of_ended_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: u64 = fields(&stat).skip(13).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    seconds(ticks)
}

fn seconds(ticks: u64) -> f64 {
    ticks as f64 / TICKS_PER_SECOND
}

/// A process and all that descend from it.
fn family(root: u32) -> Vec<u32> {
    let mut parents = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        if let Some(parent) = fields(&stat).nth(1).and_then(|field| field.parse::<u32>().ok()) {
            parents.insert(pid, parent);
        }
    }
    descendants(root, &parents)
}

/// `root` and below, given the parent of each process.
fn descendants(root: u32, parents: &BTreeMap<u32, u32>) -> Vec<u32> {
    let mut found = vec![root];
    let mut next = 0;
    // Ends: nobody has two parents, and who is found already is not taken again.
    while let Some(&parent) = found.get(next) {
        next += 1;
        let children = parents.iter().filter(|(_, of)| **of == parent).map(|(child, _)| *child);
        let new: Vec<_> = children.filter(|child| !found.contains(child)).collect();
        found.extend(new);
    }
    found
}

fn ticks_of(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    ticks_in(&stat)
}

/// `utime` and `stime` together.
fn ticks_in(stat: &str) -> Option<u64> {
    let mut fields = fields(stat).skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

/// The fields behind the program's name, which may hold blanks and parentheses: the state comes first.
fn fields(stat: &str) -> impl Iterator<Item = &str> {
    stat.rsplit_once(") ").map_or("", |(_, fields)| fields).split_whitespace()
}

fn status_bytes(pid: u32, key: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Gauge, descendants, ticks_in};

    #[test]
    fn the_ticks_are_found_behind_any_name() {
        let stat = "7 (a) b (c)) S 1 7 7 0 -1 4194560 100 0 0 0 30 12 5 6 20 0 1 0 1 1 1";
        assert_eq!(ticks_in(stat), Some(42));
        assert_eq!(ticks_in(""), None);
    }

    #[test]
    fn a_family_is_everybody_below_and_nobody_else() {
        let parents = BTreeMap::from([(2, 1), (3, 2), (4, 3), (5, 1), (6, 5)]);
        assert_eq!(descendants(2, &parents), [2, 3, 4]);
        assert_eq!(descendants(6, &parents), [6]);
    }

    #[test]
    fn who_works_is_seen_to_work() {
        let gauge = Gauge::begin(std::process::id());
        let mut sum = 0_u64;
        for number in 0..200_000_000_u64 {
            sum = sum.wrapping_add(std::hint::black_box(number));
        }
        std::hint::black_box(sum);
        let used = gauge.end().unwrap();
        assert!(used.cpu_seconds > 0.0 && used.peak_bytes > 0, "{used:?}");
    }
}
