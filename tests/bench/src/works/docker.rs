//! A real client with a real image: `docker push` and `docker pull`, in seconds. (The client compresses what it pushes and
//! unpacks what it pulls; the server's part is in its processor time.)

use std::time::Instant;

use crate::bench::{Bench, Fresh, Place};
use crate::gauge::Gauge;
use crate::stock::images;

use super::{Measured, push as pushing, sample};

/// Pushes an image that neither side has seen.
pub(super) async fn push(bench: &mut Bench, system: usize) -> Measured {
    let (fresh, image) = built(bench, system).await?;
    let docker = bench.docker.as_ref().ok_or(NO_ENGINE)?;
    pushing::settle();
    let gauge = Gauge::begin(fresh.running.pid());
    let begun = Instant::now();
    docker.push(&image).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let used = gauge.end()?;
    docker.forget(&image).await?;
    Ok(sample(seconds, seconds, 1.0, used))
}

/// Pulls an image that the engine has forgotten.
pub(super) async fn pull(bench: &mut Bench, system: usize) -> Measured {
    let (fresh, image) = built(bench, system).await?;
    let docker = bench.docker.as_ref().ok_or(NO_ENGINE)?;
    docker.push(&image).await?;
    docker.forget(&image).await?;
    pushing::settle();
    let gauge = Gauge::begin(fresh.running.pid());
    let begun = Instant::now();
    docker.pull(&image).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let used = gauge.end()?;
    docker.forget(&image).await?;
    Ok(sample(seconds, seconds, 1.0, used))
}

const NO_ENGINE: &str = "there is no docker engine: run `cargo xtask bench`, which starts one";

/// A fresh server, and an image in the engine that is named for it.
async fn built(bench: &mut Bench, system: usize) -> Result<(Fresh, String), String> {
    if bench.docker.is_none() {
        return Err(NO_ENGINE.to_owned());
    }
    let fresh = bench.fresh(system, Place::Disk).await?;
    let Bench { docker, random, scale, .. } = bench;
    let docker = docker.as_ref().ok_or(NO_ENGINE)?;
    docker.sign_in(fresh.running.address)?;
    let image = format!("{}/{}:v1", fresh.running.address, images());
    docker.build(&image, scale.docker_layers, scale.docker_layer_bytes, random).await?;
    Ok((fresh, image))
}
