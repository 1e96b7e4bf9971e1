//! Starting a server that holds something: how long it takes, and how much memory it then has.

use std::time::Instant;

use crate::bench::Bench;
use crate::gauge::{Gauge, Used, resident_bytes};
use crate::result::Sample;
use crate::stock::{TAG, images};

use super::{Measured, Trouble, mib, sample};

/// From the start of the process to the first manifest, in milliseconds.
pub(super) async fn start(bench: &mut Bench, system: usize) -> Measured {
    let (seconds, used) = restart(bench, system).await?;
    Ok(sample(seconds * 1000.0, seconds, 1.0, used))
}

/// Memory that it has after that and a rest, in MiB.
pub(super) async fn idle_memory(bench: &mut Bench, system: usize) -> Measured {
    let (seconds, used) = restart(bench, system).await?;
    tokio::time::sleep(bench.scale.rest).await;
    let resident = resident_bytes(bench.stocked(system).await?.pid());
    if resident == 0 {
        return Err(Trouble::Failed("its process is gone".to_owned()));
    }
    Ok(Sample { value: mib(resident), ..sample(0.0, seconds, 1.0, used) })
}

async fn restart(bench: &mut Bench, system: usize) -> Result<(f64, Used), String> {
    // The token of before: it is good after a restart, too.
    let door = bench.stocked(system).await?.door(&images()).await?;
    let (stopped, folder) = bench.stop_stocked(system).await?;
    let begun = Instant::now();
    let mut running = stopped.spawn(folder)?;
    let gauge = Gauge::begin(running.pid());
    let request = door.at(running.address).manifest("GET", TAG);
    running.wait_for(&request, |status| status == 200).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let used = gauge.end()?;
    bench.put_back(system, running);
    Ok((seconds, used))
}
