//! Many at once: slow pulls of the large blob, and pushes beside them. What counts is the server's memory.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::bench::{Bench, Place};
use crate::connection::{Connection, Request};
use crate::gauge::Gauge;
use crate::scale::{GIB, Scale, written};
use crate::stock::images;

use super::{Measured, mib, sample};

/// What a slow client takes at once, and how long it then waits.
const SLOW_BYTES: usize = 16 * 1024;
const SLOW_PAUSE: Duration = Duration::from_millis(100);
/// What each push brings where the disk does not hold a GiB of each.
const SMALLER_BYTES: u64 = GIB / 4;

pub(super) fn title(scale: &Scale) -> String {
    let pushed = written(scale.push_at_once_bytes.unwrap_or(GIB));
    format!(
        "peak memory, {} slow pulls of {} and {} pushes of {pushed} at once",
        scale.slow_pulls,
        written(scale.large_bytes),
        scale.pushes_at_once,
    )
}

/// What each push can bring so that the disk under `folder` holds them all, twice over.
pub(crate) fn bytes_for(folder: &Path, scale: &Scale) -> Result<u64, String> {
    let free = free_bytes(folder)?;
    let fits = |bytes: u64| bytes * scale.pushes_at_once as u64 * 2 <= free;
    Ok(if fits(GIB) { GIB } else { SMALLER_BYTES })
}

/// The most memory that the server has, in MiB.
pub(super) async fn memory(bench: &mut Bench, system: usize) -> Measured {
    let scale = bench.scale.clone();
    let bytes = scale.push_at_once_bytes.unwrap_or(SMALLER_BYTES);
    let needed = bytes * scale.pushes_at_once as u64 + scale.large_bytes;
    let free = free_bytes(bench.folder(Place::Disk))?;
    if free < needed + GIB {
        let sizes = (written(needed), written(free));
        return Err(format!(
            "the disk has {} free, and {} are pushed: see --memory-push-mib",
            sizes.1, sizes.0
        )
        .into());
    }
    let fresh = bench.fresh(system, Place::Disk).await?;
    let door = fresh.running.door(&images()).await?;
    door.push(&mut Connection::open(door.address).await?, &bench.stock.large).await?;
    let bodies: Vec<_> = (0..scale.pushes_at_once).map(|_| bench.random.body(bytes)).collect();
    let request = Arc::new(door.blob("GET", &bench.stock.large.digest));
    let is_over = Arc::new(AtomicBool::new(false));
    let gauge = Gauge::begin(fresh.running.pid());
    let begun = Instant::now();
    let mut pulls = JoinSet::new();
    for _ in 0..scale.slow_pulls {
        // All have begun before the first push does.
        let mut connection = Connection::open(door.address).await?;
        begin(&mut connection, &request, scale.large_bytes).await?;
        pulls.spawn(pull_slowly(connection, request.clone(), scale.large_bytes, is_over.clone()));
    }
    let mut pushes = JoinSet::new();
    for body in bodies {
        let door = door.clone();
        pushes.spawn(async move { door.push(&mut Connection::open(door.address).await?, &body).await });
    }
    while let Some(joined) = pushes.join_next().await {
        joined.map_err(|error| format!("a task failed: {error}"))??;
    }
    is_over.store(true, Ordering::Relaxed);
    while let Some(joined) = pulls.join_next().await {
        joined.map_err(|error| format!("a task failed: {error}"))??;
    }
    let used = gauge.end()?;
    Ok(sample(mib(used.peak_bytes), begun.elapsed().as_secs_f64(), 1.0, used))
}

async fn begin(connection: &mut Connection, request: &Request, bytes: u64) -> Result<(), String> {
    let head = connection.begin(request).await?;
    if head.status == 200 && head.told_bytes == Some(bytes) {
        return Ok(());
    }
    Err(format!("{}: answered {} with {:?} bytes", request.line, head.status, head.told_bytes))
}

/// Goes on with a pull that has begun, a little at a time, and pulls again when it has all, until it is over.
async fn pull_slowly(
    mut connection: Connection,
    request: Arc<Request>,
    bytes: u64,
    is_over: Arc<AtomicBool>,
) -> Result<(), String> {
    let mut left = bytes;
    // Ended by who pushes, whose own end is bounded.
    loop {
        if left == 0 {
            begin(&mut connection, &request, bytes).await?;
            left = bytes;
        }
        let wanted = SLOW_BYTES.min(usize::try_from(left).unwrap_or(SLOW_BYTES));
        match connection.take(wanted).await? {
            0 => return Err(format!("{}: the connection ended {left} bytes early", request.line)),
            taken => left -= taken as u64,
        }
        if is_over.load(Ordering::Relaxed) {
            return Ok(());
        }
        tokio::time::sleep(SLOW_PAUSE).await;
    }
}

fn free_bytes(folder: &Path) -> Result<u64, String> {
    let disk = rustix::fs::statvfs(folder);
    disk.map(|disk| disk.f_bavail * disk.f_frsize)
        .map_err(|error| format!("cannot see what is free on the disk of {}: {error}", folder.display()))
}
