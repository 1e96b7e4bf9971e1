//! Requests that many connections make: tokens, pulls, looks at manifests, and pushes.
//!
//! They ask for different things in turn, taken from all over what there is: of one alone, all that leads to it would be at
//! hand soon, however much there is.

use serde_json::json;

use crate::connection::{Connection, Request};
use crate::crowd::{Crowd, Expected, Tally, Until};
use crate::gauge::{Gauge, Used};
use crate::random::Body;
use crate::scale::Scale;
use crate::stock::INDEX;
use crate::systems::token_in;
use crate::works::pull::requests;
use crate::works::{Measured, sample};

use super::count::{MANY_TAGS, image, owner, signed_in, tag};
use super::loaded::{Loaded, sharee};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Owner,
    Sharee,
}

/// How often the two are measured in turns for their difference.
const TURNS: u32 = 4;
const OK: Expected = Expected { status: 200, bytes: None };

impl Who {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Who::Owner => "owned",
            Who::Sharee => "shared",
        }
    }

    fn name(self, number: u64) -> String {
        match self {
            Who::Owner => owner(number),
            Who::Sharee => sharee(number),
        }
    }
}

/// Tokens each second, for credentials that were seen before.
pub(crate) async fn tokens(loaded: &mut Loaded, scale: &Scale) -> Measured {
    let mut all = Vec::new();
    for (owner, number) in loaded.counted.spread(scale.different) {
        all.push(loaded.token_request(&sharee(owner), &image(owner, number)).await?);
    }
    // Many that are new at once would be turned away: hashing their passwords is bounded.
    let mut connection = Connection::open(loaded.running().await?.address).await?;
    for request in &all {
        token_in(&mut connection, request).await?;
    }
    requests(counted(loaded, scale, all, OK).await?)
}

/// Shared manifests each second.
pub(crate) async fn pull(loaded: &mut Loaded, scale: &Scale) -> Measured {
    let all = manifests(loaded, scale, Who::Sharee, "GET").await?;
    requests(counted(loaded, scale, all, OK).await?)
}

/// Looks at manifests each second.
pub(crate) async fn head(loaded: &mut Loaded, scale: &Scale, who: Who) -> Measured {
    let all = manifests(loaded, scale, who, "HEAD").await?;
    requests(counted(loaded, scale, all, OK).await?)
}

/// What it costs to find a share, and that it is open: the server's processor time for a HEAD of a manifest by whom it is
/// shared with, less that for one by its owner, in microseconds. Both are asked in turns, for the same manifests.
pub(crate) async fn share_check(loaded: &mut Loaded, scale: &Scale, round: u32) -> Measured {
    let short = Scale { counting: scale.counting / TURNS, ..scale.clone() };
    let (mut requests, mut cpu, mut sum, mut seconds) = ([0, 0], [0.0, 0.0], Used::default(), 0.0);
    for turn in 0..2 * TURNS {
        // Each begins as often as the other: owner, sharee, sharee, owner, …
        let which = usize::from((turn + 1 + round) % 4 >= 2);
        let all = manifests(loaded, scale, [Who::Owner, Who::Sharee][which], "HEAD").await?;
        let (tally, used) = counted(loaded, &short, all, OK).await?;
        requests[which] += tally.requests;
        cpu[which] += used.cpu_seconds;
        sum.add(used);
        seconds += tally.seconds;
    }
    let micros = |which: usize| cpu[which] * 1e6 / requests[which].max(1) as f64;
    let all = requests[0] + requests[1];
    Ok(sample(micros(1) - micros(0), seconds, all as f64 / 1000.0, sum))
}

/// Manifests pushed each second, each unlike every other, under a few tags beside all the others.
pub(crate) async fn push(loaded: &mut Loaded, scale: &Scale) -> Measured {
    let running = loaded.running().await?;
    let (address, pid) = (running.address, running.pid());
    let door = signed_in(running, &owner(0), MANY_TAGS);
    let each = scale.manifests_per_client;
    let all = (0..scale.connections as u64 * each).map(|number| {
        let unique = format!("{:032x}", rand::random::<u128>());
        let manifest = json!({
            "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "annotations": { "unique": unique },
        });
        door.put_manifest(&format!("bench-{}", number / each), INDEX, Body::of(manifest.to_string()))
    });
    let created = Expected { status: 201, bytes: None };
    let mut crowd = Crowd::open_for(address, scale.connections, all.collect(), created).await?;
    let gauge = Gauge::begin(pid);
    let tally = crowd.run(Until::Times(each)).await?;
    requests((tally, gauge.end()?))
}

/// A request for each of the manifests that are asked for.
pub(crate) async fn manifests(
    loaded: &mut Loaded,
    scale: &Scale,
    who: Who,
    method: &str,
) -> Result<Vec<Request>, String> {
    let mut all = Vec::new();
    for (owner, number) in loaded.counted.spread(scale.different) {
        let door = loaded.door(&who.name(owner), &image(owner, number)).await?;
        all.push(door.manifest(method, &tag(0)));
    }
    Ok(all)
}

/// Many connections for a while, after each has asked once.
async fn counted(
    loaded: &mut Loaded,
    scale: &Scale,
    all: Vec<Request>,
    expected: Expected,
) -> Result<(Tally, Used), String> {
    let running = loaded.running().await?;
    let (address, pid) = (running.address, running.pid());
    let mut crowd = Crowd::open_for(address, scale.connections, all, expected).await?;
    crowd.run(Until::Times(1)).await?;
    let gauge = Gauge::begin(pid);
    let tally = crowd.run(Until::Passed(scale.counting)).await?;
    Ok((tally, gauge.end()?))
}
