//! Pushing blobs to a server that holds nothing: one large one, or many by many.

use std::time::Instant;

use tokio::task::JoinSet;

use crate::bench::{Bench, Place};
use crate::connection::Connection;
use crate::gauge::Gauge;
use crate::stock::images;

use super::{Measured, gib, gigabytes, sample};

/// One large blob: bytes each second, from the POST to the answer of the PUT.
pub(super) async fn large(bench: &mut Bench, system: usize, place: Place) -> Measured {
    let body = bench.random.body(bench.scale.large_bytes);
    let fresh = bench.fresh(system, place).await?;
    let door = fresh.running.door(&images()).await?;
    let mut connection = Connection::open(door.address).await?;
    // What others have written must not be on its way to the disk meanwhile.
    settle();
    let gauge = Gauge::begin(fresh.running.pid());
    let begun = Instant::now();
    door.push(&mut connection, &body).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let used = gauge.end()?;
    Ok(sample(gigabytes(body.len()) / seconds, seconds, gib(body.len()), used))
}

/// Many clients with many blobs each: pushes each second.
pub(super) async fn many(bench: &mut Bench, system: usize) -> Measured {
    let scale = bench.scale.clone();
    let fresh = bench.fresh(system, Place::Disk).await?;
    let door = fresh.running.door(&images()).await?;
    let mut clients = Vec::new();
    for _ in 0..scale.connections {
        let bodies: Vec<_> =
            (0..scale.pushes_per_client).map(|_| bench.random.body(scale.push_bytes)).collect();
        clients.push((Connection::open(door.address).await?, bodies));
    }
    // The repository is there before: it is made once.
    door.push(&mut Connection::open(door.address).await?, &bench.stock.small).await?;
    settle();
    let gauge = Gauge::begin(fresh.running.pid());
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for (mut connection, bodies) in clients {
        let door = door.clone();
        tasks.spawn(async move {
            for body in &bodies {
                door.push(&mut connection, body).await?;
            }
            Ok::<_, String>(())
        });
    }
    while let Some(joined) = tasks.join_next().await {
        joined.map_err(|error| format!("a task failed: {error}"))??;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let used = gauge.end()?;
    let pushes = scale.connections as f64 * scale.pushes_per_client as f64;
    Ok(sample(pushes / seconds, seconds, pushes / 1000.0, used))
}

/// Waits until what was written before is on its disk.
pub(super) fn settle() {
    rustix::fs::sync();
}
