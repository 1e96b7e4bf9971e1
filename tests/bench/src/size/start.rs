//! Starting the server on what there is: how long it takes, how much memory it then has, and how long who comes first waits.

use std::time::Instant;

use crate::connection::Connection;
use crate::crowd::half_and_most;
use crate::gauge::{Gauge, Used, resident_bytes};
use crate::result::Sample;
use crate::scale::Scale;
use crate::works::{Measured, mib, sample};

use super::count::image;
use super::loaded::{Loaded, wait_until_ready};
use super::requests::{Who, manifests};

/// From the start of the process until it says that it is ready, in milliseconds.
pub(crate) async fn start(loaded: &mut Loaded) -> Measured {
    let (seconds, used) = restart(loaded).await?;
    Ok(sample(seconds * 1000.0, seconds, 1.0, used))
}

/// Memory that it has after that and a rest, in MiB.
pub(crate) async fn memory(loaded: &mut Loaded, scale: &Scale) -> Measured {
    let (seconds, used) = restart(loaded).await?;
    tokio::time::sleep(scale.rest).await;
    let resident = resident_bytes(loaded.running().await?.pid());
    if resident == 0 {
        return Err("its process is gone".into());
    }
    Ok(Sample { value: mib(resident), ..sample(0.0, seconds, 1.0, used) })
}

/// How long a shared manifest takes that nobody has asked for since the start, in milliseconds: the median. What each of
/// them says of itself is looked at.
pub(crate) async fn first_pulls(loaded: &mut Loaded, scale: &Scale) -> Measured {
    // The tokens are from before.
    manifests(loaded, scale, Who::Sharee, "GET").await?;
    restart(loaded).await?;
    let all = manifests(loaded, scale, Who::Sharee, "GET").await?;
    let running = loaded.running().await?;
    let (address, pid) = (running.address, running.pid());
    let mut connection = Connection::open(address).await?;
    let gauge = Gauge::begin(pid);
    let (begun, mut micros) = (Instant::now(), Vec::new());
    for (request, (owner, number)) in all.iter().zip(loaded.counted.spread(scale.different)) {
        let asked = Instant::now();
        let answer = connection.ask_for(request).await?;
        micros.push(u32::try_from(answer.begun.duration_since(asked).as_micros()).unwrap_or(u32::MAX));
        let name = format!("\"{}\"", image(owner, number));
        if answer.status != 200 || !String::from_utf8_lossy(&answer.body).contains(&name) {
            let line = &request.line;
            return Err(format!("{line}: answered {} with another manifest", answer.status).into());
        }
    }
    let (seconds, used) = (begun.elapsed().as_secs_f64(), gauge.end()?);
    let pair = half_and_most(&mut micros).ok_or("there is nothing to pull")?;
    let sample = sample(pair[0], seconds, micros.len() as f64 / 1000.0, used);
    Ok(Sample { first_byte_millis: Some(pair), ..sample })
}

async fn restart(loaded: &mut Loaded) -> Result<(f64, Used), String> {
    loaded.stop();
    let begun = Instant::now();
    let mut running = loaded.spawn(&[])?;
    let gauge = Gauge::begin(running.pid());
    wait_until_ready(&mut running).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let used = gauge.end()?;
    loaded.put_back(running);
    Ok((seconds, used))
}
