//! How much work: the sizes and times of a run, and how a size is written.

use std::time::Duration;

use crate::options::Options;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
pub(crate) const GIB: u64 = 1024 * MIB;

/// The sizes and times of a run.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    pub(crate) rounds: u32,
    /// The blob that is about throughput.
    pub(crate) large_bytes: u64,
    pub(crate) middle_bytes: u64,
    pub(crate) small_bytes: u64,
    /// How often a client pulls the large blob in one round.
    pub(crate) large_pulls: u64,
    /// How long a work lasts that counts requests.
    pub(crate) counting: Duration,
    /// How many connections such a work has.
    pub(crate) connections: usize,
    pub(crate) push_bytes: u64,
    pub(crate) pushes_per_client: u64,
    pub(crate) tags: u64,
    pub(crate) referrers: u64,
    /// In the catalog.
    pub(crate) repositories: u64,
    /// The sizes of the mixed load, from the most to the least frequent.
    pub(crate) mixed_bytes: [u64; 5],
    /// How often its hundred operations are done.
    pub(crate) mixed_hundreds: u64,
    pub(crate) docker_layers: u64,
    pub(crate) docker_layer_bytes: u64,
    pub(crate) slow_pulls: usize,
    pub(crate) pushes_at_once: usize,
    /// What each of them brings; `None`: what the disk holds.
    pub(crate) push_at_once_bytes: Option<u64>,
    /// The longest page of a list that is asked for where much is loaded.
    pub(crate) page_entries: u64,
    /// How many of the things that are there a work asks for in turn.
    pub(crate) different: u64,
    pub(crate) manifests_per_client: u64,
    /// How often a page of the console is opened.
    pub(crate) page_views: u64,
    /// Blobs that become garbage.
    pub(crate) garbage: u64,
    /// How long upkeep is watched that has nothing to do.
    pub(crate) idle: Duration,
    /// How long a server rests before its memory is looked at.
    pub(crate) rest: Duration,
}

impl Scale {
    /// What the command line asks for.
    pub(crate) fn of(options: &Options) -> Scale {
        let mut scale = if options.quick { Scale::quick() } else { Scale::full() };
        scale.rounds = options.rounds.unwrap_or(scale.rounds);
        scale.large_bytes = options.large_mib.map_or(scale.large_bytes, |mib| mib * MIB);
        scale.push_at_once_bytes = options.memory_push_mib.map(|mib| mib * MIB).or(scale.push_at_once_bytes);
        scale
    }

    fn full() -> Scale {
        Scale {
            rounds: 5,
            large_bytes: GIB,
            middle_bytes: 256 * KIB,
            small_bytes: 4 * KIB,
            large_pulls: 3,
            counting: Duration::from_secs(3),
            connections: 16,
            push_bytes: MIB,
            pushes_per_client: 64,
            tags: 1000,
            referrers: 10,
            repositories: 200,
            mixed_bytes: [4 * KIB, 64 * KIB, MIB, 16 * MIB, 100 * MIB],
            mixed_hundreds: 6,
            docker_layers: 5,
            docker_layer_bytes: 20 * MIB,
            slow_pulls: 1000,
            pushes_at_once: 100,
            push_at_once_bytes: None,
            page_entries: 1000,
            different: 1000,
            manifests_per_client: 64,
            page_views: 100,
            garbage: 1000,
            idle: Duration::from_secs(10),
            rest: Duration::from_secs(3),
        }
    }

    fn quick() -> Scale {
        Scale {
            rounds: 1,
            large_bytes: 32 * MIB,
            large_pulls: 1,
            counting: Duration::from_millis(300),
            pushes_per_client: 1,
            tags: 50,
            repositories: 20,
            mixed_bytes: [4 * KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB],
            mixed_hundreds: 1,
            docker_layers: 2,
            docker_layer_bytes: MIB,
            slow_pulls: 100,
            pushes_at_once: 10,
            push_at_once_bytes: Some(MIB),
            different: 200,
            manifests_per_client: 2,
            page_views: 5,
            garbage: 20,
            idle: Duration::from_secs(2),
            rest: Duration::from_millis(300),
            ..Scale::full()
        }
    }

    /// The largest body that any work sends.
    pub(crate) fn body_bytes_max(&self) -> u64 {
        let mixed = self.mixed_bytes.into_iter().max().unwrap_or(0);
        self.large_bytes.max(mixed).max(self.push_at_once_bytes.unwrap_or(GIB))
    }
}

/// A size as a person writes it: `4 KiB`, `1 GiB`.
pub(crate) fn written(bytes: u64) -> String {
    match [(GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")].iter().find(|(unit, _)| bytes.is_multiple_of(*unit)) {
        Some((unit, name)) if bytes > 0 => format!("{} {name}", bytes / unit),
        _ => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::{GIB, KIB, MIB, written};

    #[test]
    fn a_size_is_written_in_the_largest_unit_that_holds_it_whole() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1, "1 bytes"),
            (4 * KIB, "4 KiB"),
            (1536 * KIB, "1536 KiB"),
            (100 * MIB, "100 MiB"),
            (GIB, "1 GiB"),
        ] {
            assert_eq!(written(bytes), text);
        }
    }
}
