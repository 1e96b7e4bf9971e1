//! The works: what each is called, who does it, and how it is measured once. A new row is a new variant here.
//!
//! What depends on how much a server holds is measured in [`crate::size`].

mod cold;
mod docker;
mod limits;
mod lists;
pub(crate) mod many;
mod mixed;
pub(crate) mod pull;
mod push;
mod tokens;

use crate::bench::{Bench, Place};
use crate::gauge::Used;
use crate::result::{Row, Sample};
use crate::scale::{GIB, Scale, written};
use crate::systems::{NGINX, System};

/// What a client does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    PullLarge { clients: usize },
    PullSmall,
    PullMiddle,
    PullManifest,
    PullManifestByShare,
    HeadManifest,
    HeadBlob,
    Tags,
    Catalog,
    Referrers,
    Token,
    PushLarge(Place),
    PushMany,
    Mixed,
    DockerPush,
    DockerPull,
    ColdStart,
    IdleMemory,
    Memory,
}

/// What values are measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    GigabytesPerSecond,
    MegabytesPerSecond,
    PerSecond,
    Milliseconds,
    Seconds,
    Mebibytes,
}

/// Who does a work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Participant {
    /// A system, by its number.
    System(usize),
    /// What the machine does without a server: writing to the disk, or hashing.
    Disk,
    Hash,
}

/// Why there is no figure.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The system does not have what was asked for.
    Absent(String),
    /// It should have worked.
    Failed(String),
}

impl From<String> for Trouble {
    fn from(why: String) -> Trouble {
        Trouble::Failed(why)
    }
}

impl From<&str> for Trouble {
    fn from(why: &str) -> Trouble {
        Trouble::Failed(why.to_owned())
    }
}

pub(crate) type Measured = Result<Sample, Trouble>;

/// The name that the limit of the disk has.
pub(crate) const DISK: &str = "dd conv=fsync";
/// The name that the limit of hashing has.
pub(crate) const HASH: &str = "openssl speed sha256";

pub(crate) const REQUESTS: &str = "1,000 requests";

impl Work {
    pub(crate) const ALL: &[Work] = &[
        Work::PullLarge { clients: 1 },
        Work::PullLarge { clients: 4 },
        Work::PullMiddle,
        Work::PullSmall,
        Work::PullManifest,
        Work::PullManifestByShare,
        Work::HeadManifest,
        Work::HeadBlob,
        Work::Tags,
        Work::Catalog,
        Work::Referrers,
        Work::Token,
        Work::PushLarge(Place::Disk),
        Work::PushLarge(Place::Memory),
        Work::PushMany,
        Work::Mixed,
        Work::DockerPush,
        Work::DockerPull,
        Work::ColdStart,
        Work::IdleMemory,
        Work::Memory,
    ];

    /// What `--only` calls it.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Work::PullLarge { clients: 1 } => "get-large-1",
            Work::PullLarge { .. } => "get-large-4",
            Work::PullMiddle => "get-256k",
            Work::PullSmall => "get-4k",
            Work::PullManifest => "get-manifest",
            Work::PullManifestByShare => "get-manifest-shared",
            Work::HeadManifest => "head-manifest",
            Work::HeadBlob => "head-blob",
            Work::Tags => "tags",
            Work::Catalog => "catalog",
            Work::Referrers => "referrers",
            Work::Token => "token",
            Work::PushLarge(Place::Disk) => "put-disk",
            Work::PushLarge(Place::Memory) => "put-tmpfs",
            Work::PushMany => "push-1m",
            Work::Mixed => "mixed",
            Work::DockerPush => "docker-push",
            Work::DockerPull => "docker-pull",
            Work::ColdStart => "cold-start",
            Work::IdleMemory => "idle-memory",
            Work::Memory => "memory",
        }
    }

    /// What tables call it.
    pub(crate) fn title(self, scale: &Scale) -> String {
        let large = written(scale.large_bytes);
        let connections = scale.connections;
        match self {
            Work::PullLarge { clients: 1 } => format!("GET {large} blob, 1 client"),
            Work::PullLarge { clients } => format!("GET {large} blob, {clients} clients"),
            Work::PullMiddle => {
                format!("GET {} blob, {connections} connections", written(scale.middle_bytes))
            }
            Work::PullSmall => format!("GET {} blob, {connections} connections", written(scale.small_bytes)),
            Work::PullManifest => {
                format!("GET manifest by tag, {connections} connections (nginx: its 4 KiB file)")
            }
            Work::PullManifestByShare => {
                format!("GET shared manifest by tag, {connections} connections (nginx: its 4 KiB file)")
            }
            Work::HeadManifest => format!("HEAD manifest by tag, {connections} connections"),
            Work::HeadBlob => format!("HEAD blob, {connections} connections"),
            Work::Tags => format!("tag list of {}, first byte", scale.tags),
            Work::Catalog => format!("catalog of {}, first byte", scale.repositories),
            Work::Referrers => format!("{} referrers, first byte", scale.referrers),
            Work::Token => {
                format!("token, same credentials, {connections} connections (nginx: its 4 KiB file)")
            }
            Work::PushLarge(Place::Disk) => format!("PUT {large} blob, disk"),
            Work::PushLarge(Place::Memory) => format!("PUT {large} blob, tmpfs"),
            Work::PushMany => format!("{connections} clients pushing {} blobs", written(scale.push_bytes)),
            Work::Mixed => {
                let [least, .., most] = scale.mixed_bytes;
                format!("mixed, 75 % pull, 25 % push, {} to {}", written(least), written(most))
            }
            Work::DockerPush => format!("docker push, {}", docker_image(scale)),
            Work::DockerPull => format!("docker pull, {}", docker_image(scale)),
            Work::ColdStart => "cold start, until a manifest is served".to_owned(),
            Work::IdleMemory => "memory after a start and one request".to_owned(),
            Work::Memory => many::title(scale),
        }
    }

    fn unit(self) -> Unit {
        match self {
            Work::PullLarge { .. } | Work::PullMiddle | Work::PushLarge(_) => Unit::GigabytesPerSecond,
            Work::PushMany | Work::PullSmall | Work::PullManifest | Work::Token => Unit::PerSecond,
            Work::PullManifestByShare | Work::HeadManifest | Work::HeadBlob => Unit::PerSecond,
            Work::Tags | Work::Catalog | Work::Referrers | Work::ColdStart => Unit::Milliseconds,
            Work::Mixed => Unit::MegabytesPerSecond,
            Work::DockerPush | Work::DockerPull => Unit::Seconds,
            Work::IdleMemory | Work::Memory => Unit::Mebibytes,
        }
    }

    /// What processor time is counted for.
    fn cpu_per(self) -> &'static str {
        match self {
            Work::PullLarge { .. } | Work::PullMiddle | Work::PushLarge(_) | Work::Mixed => "GiB",
            Work::PullSmall | Work::PullManifest | Work::HeadManifest | Work::HeadBlob => REQUESTS,
            Work::PullManifestByShare => REQUESTS,
            Work::Tags | Work::Catalog | Work::Referrers | Work::Token => REQUESTS,
            Work::PushMany => "1,000 pushes",
            Work::DockerPush | Work::DockerPull => "image",
            Work::ColdStart | Work::IdleMemory => "start",
            Work::Memory => "all",
        }
    }

    fn limit(self) -> Option<&'static str> {
        match self {
            Work::PushLarge(Place::Disk) => Some(DISK),
            Work::PushLarge(Place::Memory) => Some(HASH),
            Work::PushMany | Work::Mixed | Work::DockerPush | Work::DockerPull | Work::Memory => None,
            _ => Some(NGINX),
        }
    }

    /// Whether it starts servers of its own, beside which no others shall run.
    pub(crate) fn is_fresh(self) -> bool {
        matches!(
            self,
            Work::PushLarge(_)
                | Work::PushMany
                | Work::Mixed
                | Work::DockerPush
                | Work::DockerPull
                | Work::Memory
        )
    }

    /// Its row, without entries.
    pub(crate) fn row(self, scale: &Scale) -> Row {
        Row {
            id: self.id().to_owned(),
            work: self.title(scale),
            unit: self.unit().written().to_owned(),
            lower_is_better: self.unit().lower_is_better(),
            cpu_per: self.cpu_per().to_owned(),
            limit: self.limit().map(str::to_owned),
            entries: Vec::new(),
        }
    }

    /// Who does it: the systems, in their order, and then what shows the limit.
    pub(crate) fn participants<'a>(self, systems: impl Iterator<Item = &'a System>) -> Vec<Participant> {
        let takes_part = |system: &System| match self {
            Work::Token | Work::PullManifestByShare => system.is_ours() || system.is_files(),
            Work::Memory => system.is_ours(),
            work if work.is_fresh() => system.is_registry(),
            _ => true,
        };
        let numbered = systems.enumerate().filter(|(_, system)| takes_part(system));
        let mut participants: Vec<_> = numbered.map(|(index, _)| Participant::System(index)).collect();
        participants.extend(match self {
            Work::PushLarge(Place::Disk) => Some(Participant::Disk),
            Work::PushLarge(Place::Memory) => Some(Participant::Hash),
            _ => None,
        });
        participants
    }

    /// Has it done once.
    pub(crate) async fn measure(self, bench: &mut Bench, who: Participant, round: u32) -> Measured {
        let system = match who {
            Participant::Disk => return limits::disk(bench).await,
            Participant::Hash => return limits::hash(bench).await,
            Participant::System(system) => system,
        };
        match self {
            Work::PullLarge { clients } => pull::large(bench, system, clients).await,
            Work::PullMiddle => pull::middle(bench, system).await,
            Work::PullSmall => pull::small(bench, system).await,
            Work::PullManifest => pull::manifest(bench, system).await,
            Work::PullManifestByShare => pull::manifest_by_share(bench, system).await,
            Work::HeadManifest => pull::head_of_manifest(bench, system).await,
            Work::HeadBlob => pull::head_of_blob(bench, system).await,
            Work::Tags => lists::tags(bench, system).await,
            Work::Catalog => lists::catalog(bench, system).await,
            Work::Referrers => lists::referrers(bench, system).await,
            Work::Token => tokens::tokens(bench, system).await,
            Work::PushLarge(place) => push::large(bench, system, place).await,
            Work::PushMany => push::many(bench, system).await,
            Work::Mixed => mixed::mixed(bench, system, round).await,
            Work::DockerPush => docker::push(bench, system).await,
            Work::DockerPull => docker::pull(bench, system).await,
            Work::ColdStart => cold::start(bench, system).await,
            Work::IdleMemory => cold::idle_memory(bench, system).await,
            Work::Memory => many::memory(bench, system).await,
        }
    }
}

impl Unit {
    fn written(self) -> &'static str {
        match self {
            Unit::GigabytesPerSecond => "GB/s",
            Unit::MegabytesPerSecond => "MB/s",
            Unit::PerSecond => "/s",
            Unit::Milliseconds => "ms",
            Unit::Seconds => "s",
            Unit::Mebibytes => "MiB",
        }
    }

    fn lower_is_better(self) -> bool {
        matches!(self, Unit::Milliseconds | Unit::Seconds | Unit::Mebibytes)
    }
}

fn docker_image(scale: &Scale) -> String {
    format!("{} layers of {}", scale.docker_layers, written(scale.docker_layer_bytes))
}

/// A sample of what was used while something was done.
pub(crate) fn sample(value: f64, seconds: f64, amount: f64, used: Used) -> Sample {
    Sample {
        value,
        seconds,
        cpu_seconds: used.cpu_seconds,
        client_cpu_seconds: used.client_cpu_seconds,
        amount,
        peak_mib: mib(used.peak_bytes),
        ..Sample::default()
    }
}

pub(crate) fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

fn gib(bytes: u64) -> f64 {
    bytes as f64 / GIB as f64
}

fn gigabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Work;

    #[test]
    fn every_work_has_an_id_of_its_own() {
        let ids: BTreeSet<_> = Work::ALL.iter().map(|work| work.id()).collect();
        assert_eq!(ids.len(), Work::ALL.len());
    }
}
