//! Lists: how long one client waits for the first byte.

use crate::bench::Bench;
use crate::connection::{Connection, Request};
use crate::crowd::{Crowd, Expected, Until};
use crate::door::Door;
use crate::stock::lists;
use crate::systems::LOGIN;

use super::{Measured, Trouble, pull, sample};

/// What each entry of a list of tags has, and nothing else there.
const ENTRY_TAG: &str = "\"v0";
/// The same of a list of referrers.
const ENTRY_REFERRER: &str = "\"digest\"";

/// All tags in one answer.
pub(super) async fn tags(bench: &mut Bench, system: usize) -> Measured {
    let door = bench.stocked(system).await?.door(&lists()).await?;
    let request = door.tags(bench.scale.tags);
    let wanted = bench.scale.tags;
    first_byte(bench, system, &door, request, (ENTRY_TAG, wanted)).await
}

/// All repositories in one answer.
pub(super) async fn catalog(bench: &mut Bench, system: usize) -> Measured {
    let door = bench.stocked(system).await?.door_to_catalog().await?;
    let wanted = bench.scale.repositories;
    let request = door.catalog(wanted);
    first_byte(bench, system, &door, request, (&format!("\"{LOGIN}/"), wanted)).await
}

/// All referrers of one manifest.
pub(super) async fn referrers(bench: &mut Bench, system: usize) -> Measured {
    let door = bench.stocked(system).await?.door(&lists()).await?;
    let request = door.referrers(&bench.stock.subject.digest);
    let wanted = bench.scale.referrers;
    first_byte(bench, system, &door, request, (ENTRY_REFERRER, wanted)).await
}

/// Asks once, sees whether the answer has as many entries as it should, and then asks for a while.
async fn first_byte(
    bench: &mut Bench,
    system: usize,
    door: &Door,
    request: Request,
    (entry, wanted): (&str, u64),
) -> Measured {
    let answer = Connection::open(door.address).await?.ask_for(&request).await?;
    if answer.status == 404 {
        return Err(Trouble::Absent("it has no such call".to_owned()));
    }
    let found = String::from_utf8_lossy(&answer.body).matches(entry).count() as u64;
    if answer.status != 200 || found != wanted {
        let line = &request.line;
        return Err(format!("{line}: answered {} with {found} of {wanted} entries", answer.status).into());
    }
    let expected = Expected { status: 200, bytes: Some(answer.body_bytes) };
    let mut crowd = Crowd::open(door.address, 1, request, expected).await?;
    let until = Until::Passed(bench.scale.counting);
    let (mut tally, used) = pull::measured(bench, system, &mut crowd, until).await?;
    let [half, most] = tally.first_byte_millis().ok_or("no answers")?;
    let mut sample = sample(half, tally.seconds, tally.requests as f64 / 1000.0, used);
    sample.first_byte_millis = Some([half, most]);
    Ok(sample)
}
