//! How the server does: what `/api/v1/system` and the console's page of that name show to administrators.
//!
//! Nothing here counts what is stored: there are counters for that, and a bound on what waits.

use auth::Principal;
use jiff::Timestamp;
use storage::{BlobTotals, Space};
use tokio::sync::watch;

use crate::types::{FilesHealth, MetadataHealth, System, SystemHealth, SystemStorage, Upkeep, UpkeepHealth};
use crate::{App, base};

/// How many candidates for collection are counted.
pub(crate) const CANDIDATES_MAX: usize = 1_000;

/// The process that serves, as who started it tells.
#[derive(Debug, Clone)]
pub struct Process {
    /// The program's version.
    pub version: &'static str,
    /// When it began.
    pub started_at: Timestamp,
    /// How its upkeep does. Who does the upkeep holds the other end for as long as it is done.
    pub upkeep: watch::Receiver<Upkeep>,
}

#[cfg(any(test, fuzzing))]
impl Process {
    /// A process of a test, and the end that its upkeep would hold.
    pub(crate) fn of_test(started_at: Timestamp) -> (Process, watch::Sender<Upkeep>) {
        let (tells, upkeep) = watch::channel(Upkeep::default());
        (Process { version: "1.2.3", started_at, upkeep }, tells)
    }
}

/// How the server does. Administrators only. A part that does not answer is told of, and keeps no other from being shown.
///
/// # Errors
/// [`auth::Error::Forbidden`].
pub(crate) async fn report(app: &App, principal: &Principal, now: Timestamp) -> Result<System, auth::Error> {
    app.auth.authorize_administration(principal)?;
    let metadata = metadata(app).await;
    let metadata = metadata.inspect_err(|error| tracing::error!(%error, "the metadata does not answer")).ok();
    let space = app.storage.space().await;
    let space = space.inspect_err(|error| tracing::error!(%error, "the disk of blobs does not answer"));
    let Process { version, started_at, upkeep } = &app.process;
    let is_kept_up = upkeep.has_changed().is_ok();
    let upkeep = upkeep.borrow().clone();
    let reserve_bytes = app.storage.settings().free_bytes_min;
    let health = SystemHealth {
        metadata: if metadata.is_some() { MetadataHealth::Ok } else { MetadataHealth::Failed },
        files: files_health(space.as_ref().map(Option::as_ref).map_err(drop), reserve_bytes),
        upkeep: upkeep_health(&upkeep, is_kept_up),
    };
    let space = space.ok().flatten();
    let storage = SystemStorage {
        free_bytes: space.map(|space| space.free_bytes),
        total_bytes: space.map(|space| space.total_bytes),
        reserve_bytes,
        blobs: metadata.map(|(totals, _)| totals.blobs),
        blob_bytes: metadata.map(|(totals, _)| totals.bytes),
        candidates: metadata.map(|(_, candidates)| candidates as u64),
    };
    Ok(System {
        version: (*version).to_owned(),
        region: app.auth.region().to_string(),
        started_at: *started_at,
        uptime_seconds: u64::try_from(now.duration_since(*started_at).as_secs()).unwrap_or(0),
        health,
        storage,
        upkeep,
    })
}

/// What the metadata knows of blobs: all of them, and how many wait to be looked at.
async fn metadata(app: &App) -> Result<(BlobTotals, usize), storage::Error> {
    base::metadata_answers(app).await?;
    Ok((app.storage.blob_totals().await?, app.storage.candidates(CANDIDATES_MAX).await?))
}

/// `space` is what the disk answered, if it did, and if it knows.
fn files_health(space: Result<Option<&Space>, ()>, reserve_bytes: u64) -> FilesHealth {
    match space {
        Err(()) => FilesHealth::Failed,
        Ok(Some(space)) if !space.writable => FilesHealth::ReadOnly,
        Ok(Some(space)) if space.free_bytes <= reserve_bytes => FilesHealth::Full,
        Ok(_) => FilesHealth::Ok,
    }
}

fn upkeep_health(upkeep: &Upkeep, is_kept_up: bool) -> UpkeepHealth {
    match &upkeep.last_round {
        _ if !is_kept_up => UpkeepHealth::Stopped,
        Some(round) if !round.failures.is_empty() => UpkeepHealth::Failed,
        _ => UpkeepHealth::Ok,
    }
}

#[cfg(test)]
mod tests {
    use storage::Space;

    use super::files_health;
    use crate::types::FilesHealth;

    #[test]
    fn pushes_are_refused_at_the_reserve_and_where_no_file_is_made() {
        for (free_bytes, writable, health) in [
            (101, true, FilesHealth::Ok),
            (100, true, FilesHealth::Full),
            (99, true, FilesHealth::Full),
            (101, false, FilesHealth::ReadOnly),
            (0, false, FilesHealth::ReadOnly),
        ] {
            let space = Space { free_bytes, total_bytes: 1_000, writable };
            assert_eq!(files_health(Ok(Some(&space)), 100), health, "{space:?}");
        }
    }
}
