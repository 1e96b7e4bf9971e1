//! Upkeep, each second: what collecting garbage costs beside all that is kept, what looking for it costs where there is
//! none, and what is done once after a start.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::door::{Door, expect};
use crate::gauge::{Gauge, Used};
use crate::random::Random;
use crate::result::Sample;
use crate::scale::Scale;
use crate::stock::{TAG, image};
use crate::systems::Running;
use crate::works::{Measured, sample};

use super::count::{owner, signed_in};
use super::loaded::{Loaded, wait_until_ready};

/// A round of upkeep in each.
const ROUND: Duration = Duration::from_secs(1);
const SETTINGS: &[&str] = &["upkeep.interval=1s"];
/// After a start there is more to do, once a day. That is over when the server has hardly used a processor for a while,
/// and what goes on after a longer while goes on always.
const QUIET: Duration = Duration::from_secs(2);
const QUIET_CPU_SECONDS: f64 = 0.1;
const QUIET_WITHIN: Duration = Duration::from_secs(180);
const GONE_WITHIN: Duration = Duration::from_secs(300);
const POLL: Duration = Duration::from_millis(10);

/// What a start costs, with what upkeep does in its first rounds: the server's processor time, in milliseconds.
pub(crate) async fn first_rounds(loaded: &mut Loaded) -> Measured {
    let (_running, first) = start(loaded).await?;
    Ok(sample(first.used.cpu_seconds * 1000.0, first.seconds, 1.0, first.used))
}

/// What a round costs that finds nothing to do: the server's processor time, in milliseconds.
pub(crate) async fn idle(loaded: &mut Loaded, scale: &Scale) -> Measured {
    let (running, _) = start(loaded).await?;
    let gauge = Gauge::begin(running.pid());
    let begun = Instant::now();
    tokio::time::sleep(scale.idle).await;
    let (seconds, used) = (begun.elapsed().as_secs_f64(), gauge.end()?);
    let rounds = seconds / ROUND.as_secs_f64();
    Ok(sample(used.cpu_seconds * 1000.0 / rounds, seconds, rounds / 1000.0, used))
}

/// From the deletion of a repository until the files of its blobs are gone, in milliseconds. The next round of upkeep is
/// up to a second away.
pub(crate) async fn collection(loaded: &mut Loaded, scale: &Scale) -> Measured {
    let (running, _) = start(loaded).await?;
    let blobs = loaded.data.join("blobs");
    let before = files(&blobs)?;
    let account = owner(0);
    let repository = format!("{account}/garbage-{:016x}", rand::random::<u64>());
    push(&running, &signed_in(&running, &account, &repository), scale).await?;
    let pushed = files(&blobs)?.saturating_sub(before);
    if pushed < scale.garbage {
        return Err(format!("{pushed} of {} blobs have a file", scale.garbage).into());
    }
    let door = signed_in(&running, &account, "");
    let path = format!("/api/v1/repositories/{}", repository.replace('/', "%2F"));
    let request = door.request("DELETE", &path, None);
    let mut connection = Connection::open(running.address).await?;
    let gauge = Gauge::begin(running.pid());
    let begun = Instant::now();
    expect(connection.ask_for(&request).await?, &request, 204)?;
    while files(&blobs)? > before {
        if begun.elapsed() > GONE_WITHIN {
            return Err(format!("files are left after {GONE_WITHIN:?}").into());
        }
        tokio::time::sleep(POLL).await;
    }
    let (seconds, used) = (begun.elapsed().as_secs_f64(), gauge.end()?);
    Ok(Sample { value: seconds * 1000.0, ..sample(0.0, seconds, scale.garbage as f64 / 1000.0, used) })
}

/// What was used from a start until the server had no more to do, and when that was.
struct First {
    used: Used,
    seconds: f64,
}

/// The server with upkeep each second, once it has no more to do. It ends when it is dropped; the usual one is started
/// again by who needs it.
async fn start(loaded: &mut Loaded) -> Result<(Running, First), String> {
    loaded.stop();
    let begun = Instant::now();
    let mut running = loaded.spawn(SETTINGS)?;
    let gauge = Gauge::begin(running.pid());
    wait_until_ready(&mut running).await?;
    let mut first = First { used: gauge.end()?, seconds: begun.elapsed().as_secs_f64() };
    while begun.elapsed() < QUIET_WITHIN {
        let gauge = Gauge::begin(running.pid());
        tokio::time::sleep(QUIET).await;
        running.check()?;
        let used = gauge.end()?;
        first.used.add(used);
        first.seconds = begun.elapsed().as_secs_f64();
        if used.cpu_seconds < QUIET_CPU_SECONDS {
            break;
        }
    }
    Ok((running, first))
}

/// Pushes an image of many blobs.
async fn push(running: &Running, door: &Door, scale: &Scale) -> Result<(), String> {
    let mut random = Random::new(scale.small_bytes)?;
    let blobs: Vec<_> = (0..scale.garbage).map(|_| random.body(scale.small_bytes)).collect();
    let Some((first, others)) = blobs.split_first() else { return Ok(()) };
    let mut connection = Connection::open(running.address).await?;
    // The first one makes the repository.
    door.push(&mut connection, first).await?;
    let mut tasks = JoinSet::new();
    for some in others.chunks(others.len().div_ceil(scale.connections).max(1)) {
        let (door, some, address) = (door.clone(), some.to_vec(), running.address);
        tasks.spawn(async move {
            let mut connection = Connection::open(address).await?;
            for blob in &some {
                door.push(&mut connection, blob).await?;
            }
            Ok::<_, String>(())
        });
    }
    while let Some(joined) = tasks.join_next().await {
        joined.map_err(|error| format!("a task failed: {error}"))??;
    }
    let manifest = image(first, &others.iter().collect::<Vec<_>>(), None);
    door.push_manifest(&mut connection, TAG, &manifest).await
}

/// How many files there are in a folder and below.
fn files(folder: &Path) -> Result<u64, String> {
    let cannot = |error| format!("cannot look into {}: {error}", folder.display());
    let mut count = 0;
    let entries = match fs::read_dir(folder) {
        // It went meanwhile.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries.map_err(cannot)?,
    };
    for entry in entries {
        let entry = entry.map_err(cannot)?;
        count += if entry.file_type().map_err(cannot)?.is_dir() { files(&entry.path())? } else { 1 };
    }
    Ok(count)
}
