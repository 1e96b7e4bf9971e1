//! `gangplank system`

use std::time::Duration;

use frontend::types::{self, FilesHealth, MetadataHealth, UpkeepFailure, UpkeepHealth, UpkeepRound};
use humantime::format_duration;

use crate::client::path;
use crate::commands::Remote;
use crate::failure::Failure;
use crate::output::{Shown, size, time};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Its version, whether its parts work, how much room is left, and what was cleaned up in the background.

Examples:
  gangplank system
  gangplank system --json | jq .health")]
pub(crate) struct System {
    #[command(flatten)]
    remote: Remote,
}

impl System {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (client, output) = self.remote.open()?;
        output.one(&client.get::<types::System>(&path(&["system"])?).await?)
    }
}

impl Shown for types::System {
    const COLUMNS: &[&str] = &[
        "Version",
        "Region",
        "Running since",
        "Metadata",
        "Files",
        "Upkeep",
        "Free",
        "Reserve",
        "Blobs",
        "Last round",
        "Next round",
        "To be looked at",
        "Removed since start",
        "Last failure",
    ];

    fn row(&self) -> Vec<String> {
        let (storage, upkeep) = (&self.storage, &self.upkeep);
        let removed = upkeep.removed_since_start;
        let uptime = format_duration(Duration::from_secs(self.uptime_seconds));
        vec![
            self.version.clone(),
            self.region.clone(),
            format!("{}, for {uptime}", time(self.started_at)),
            metadata(self.health.metadata).to_owned(),
            files(self.health.files).to_owned(),
            self::upkeep(self.health.upkeep).to_owned(),
            format!("{} of {}", known(storage.free_bytes, size), known(storage.total_bytes, size)),
            size(storage.reserve_bytes),
            format!("{}, {}", known(storage.blobs, count), known(storage.blob_bytes, size)),
            upkeep.last_round.as_ref().map_or_else(|| "none yet".to_owned(), round),
            upkeep.next_at.map_or_else(|| "one goes on now".to_owned(), time),
            known(storage.candidates, |candidates| format!("{candidates} blobs")),
            format!(
                "{} blobs, {}, {} uploads, {} repositories",
                removed.blobs,
                size(removed.bytes),
                removed.uploads,
                removed.repositories
            ),
            upkeep.last_failure.as_ref().map_or_else(|| "none".to_owned(), failure),
        ]
    }
}

fn known(value: Option<u64>, shown: impl FnOnce(u64) -> String) -> String {
    value.map_or_else(|| "unknown".to_owned(), shown)
}

fn count(number: u64) -> String {
    number.to_string()
}

fn round(round: &UpkeepRound) -> String {
    let took = round.ended_at.duration_since(round.began_at).as_secs();
    let took = format_duration(Duration::from_secs(u64::try_from(took).unwrap_or(0)));
    format!("{}, took {took}", time(round.began_at))
}

fn failure(failure: &UpkeepFailure) -> String {
    format!("{}: {}", time(failure.at), failure.reason)
}

fn metadata(health: MetadataHealth) -> &'static str {
    match health {
        MetadataHealth::Ok => "ok",
        MetadataHealth::Failed => "failed: see the server's log",
    }
}

fn files(health: FilesHealth) -> &'static str {
    match health {
        FilesHealth::Ok => "ok",
        FilesHealth::Full => "full: pushes are refused",
        FilesHealth::ReadOnly => "read only: pushes are refused",
        FilesHealth::Failed => "failed: see the server's log",
    }
}

fn upkeep(health: UpkeepHealth) -> &'static str {
    match health {
        UpkeepHealth::Ok => "ok",
        UpkeepHealth::Failed => "failed in part: it is tried again",
        UpkeepHealth::Stopped => "broke off: restart the server",
    }
}
