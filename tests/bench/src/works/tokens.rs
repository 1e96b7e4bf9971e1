//! Tokens for credentials that were seen before: what docker asks for before each pull.

use crate::bench::Bench;
use crate::crowd::{Crowd, Expected, Until};
use crate::stock::images;

use super::{Measured, pull};

/// Requests each second. Who has only files shows with the small blob what is possible.
pub(super) async fn tokens(bench: &mut Bench, system: usize) -> Measured {
    let running = bench.stocked(system).await?;
    let address = running.address;
    let Some(request) = running.token_request(&images()) else { return pull::small(bench, system).await };
    // A token's length may differ from the next one's.
    let expected = Expected { status: 200, bytes: None };
    let mut crowd = Crowd::open(address, bench.scale.connections, request, expected).await?;
    crowd.run(Until::Times(1)).await?;
    let until = Until::Passed(bench.scale.counting);
    pull::requests(pull::measured(bench, system, &mut crowd, until).await?)
}
