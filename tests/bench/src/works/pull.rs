//! Pulling blobs and manifests, whole or their heads alone, from a server that holds them.

use crate::bench::Bench;
use crate::connection::Request;
use crate::crowd::{Crowd, Expected, Tally, Until};
use crate::door::Door;
use crate::gauge::{Gauge, Used};
use crate::stock::{TAG, images};

use super::{Measured, gib, gigabytes, sample};

/// The large blob: bytes each second.
pub(super) async fn large(bench: &mut Bench, system: usize, clients: usize) -> Measured {
    let door = door(bench, system).await?;
    let blob = &bench.stock.large;
    let (request, bytes) = (door.blob("GET", &blob.digest), blob.len());
    let until = Until::Times(bench.scale.large_pulls);
    let mut crowd = Crowd::open(door.address, clients, request, whole(bytes)).await?;
    let (tally, used) = measured(bench, system, &mut crowd, until).await?;
    throughput(&tally, used)
}

/// The middle blob: bytes each second.
pub(super) async fn middle(bench: &mut Bench, system: usize) -> Measured {
    let door = door(bench, system).await?;
    let blob = &bench.stock.middle;
    let (request, bytes) = (door.blob("GET", &blob.digest), blob.len());
    let (tally, used) = counted(bench, system, &door, request, bytes).await?;
    throughput(&tally, used)
}

/// The small blob: requests each second.
pub(super) async fn small(bench: &mut Bench, system: usize) -> Measured {
    let door = door(bench, system).await?;
    let blob = &bench.stock.small;
    let (request, bytes) = (door.blob("GET", &blob.digest), blob.len());
    requests(counted(bench, system, &door, request, bytes).await?)
}

/// The manifest by its tag: requests each second. Who has only files shows with the small blob what is possible.
pub(super) async fn manifest(bench: &mut Bench, system: usize) -> Measured {
    if bench.system(system).is_files() {
        return small(bench, system).await;
    }
    let door = door(bench, system).await?;
    manifest_behind(bench, system, &door).await
}

/// The same by somebody whom it is shared with: what that costs beyond the owner's pull is the look at the share.
pub(super) async fn manifest_by_share(bench: &mut Bench, system: usize) -> Measured {
    if bench.system(system).is_files() {
        return small(bench, system).await;
    }
    let door = bench.stocked(system).await?.door_by_share(&images()).await?;
    manifest_behind(bench, system, &door).await
}

async fn manifest_behind(bench: &mut Bench, system: usize, door: &Door) -> Measured {
    let (request, bytes) = (door.manifest("GET", TAG), bench.stock.manifest.len());
    requests(counted(bench, system, door, request, bytes).await?)
}

pub(super) async fn head_of_manifest(bench: &mut Bench, system: usize) -> Measured {
    let door = door(bench, system).await?;
    let (request, bytes) = (door.manifest("HEAD", TAG), bench.stock.manifest.len());
    requests(counted(bench, system, &door, request, bytes).await?)
}

pub(super) async fn head_of_blob(bench: &mut Bench, system: usize) -> Measured {
    let door = door(bench, system).await?;
    let blob = &bench.stock.large;
    let (request, bytes) = (door.blob("HEAD", &blob.digest), blob.len());
    requests(counted(bench, system, &door, request, bytes).await?)
}

async fn door(bench: &mut Bench, system: usize) -> Result<Door, String> {
    bench.stocked(system).await?.door(&images()).await
}

fn whole(bytes: u64) -> Expected {
    Expected { status: 200, bytes: Some(bytes) }
}

/// Many connections for a while, after each has asked once.
async fn counted(
    bench: &mut Bench,
    system: usize,
    door: &Door,
    request: Request,
    bytes: u64,
) -> Result<(Tally, Used), String> {
    let scale = &bench.scale;
    let until = Until::Passed(scale.counting);
    let mut crowd = Crowd::open(door.address, scale.connections, request, whole(bytes)).await?;
    crowd.run(Until::Times(1)).await?;
    measured(bench, system, &mut crowd, until).await
}

/// What a crowd does, and what the server uses meanwhile.
pub(super) async fn measured(
    bench: &mut Bench,
    system: usize,
    crowd: &mut Crowd,
    until: Until,
) -> Result<(Tally, Used), String> {
    let gauge = Gauge::begin(bench.stocked(system).await?.pid());
    let tally = crowd.run(until).await?;
    Ok((tally, gauge.end()?))
}

fn throughput(tally: &Tally, used: Used) -> Measured {
    let bytes = tally.body_bytes;
    Ok(sample(gigabytes(bytes) / tally.seconds, tally.seconds, gib(bytes), used))
}

/// Requests each second, and how long the first byte took.
pub(crate) fn requests((mut tally, used): (Tally, Used)) -> Measured {
    let requests = tally.requests as f64;
    let mut sample = sample(requests / tally.seconds, tally.seconds, requests / 1000.0, used);
    sample.first_byte_millis = tally.first_byte_millis();
    Ok(sample)
}
