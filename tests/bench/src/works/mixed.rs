//! The mixed load: of a hundred operations 75 pulls and 25 pushes, small ones often and large ones seldom, in an order
//! that is each round's own and every system's same. So all move the same bytes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use tokio::task::JoinSet;

use crate::bench::{Bench, Place};
use crate::connection::{Connection, Request};
use crate::crowd::{Expected, check};
use crate::door::Door;
use crate::gauge::Gauge;
use crate::random::Body;
use crate::stock::mixed as repository;

use super::{Measured, gib, push, sample};

/// Of a hundred operations, how many pull each size.
const PULLS: [usize; 5] = [30, 22, 15, 6, 2];
/// And how many push it.
const PUSHES: [usize; 5] = [10, 7, 5, 2, 1];
const CLIENTS: usize = 8;

/// Pulls, or pushes, the size of this number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pull(usize),
    Push(usize),
}

enum Operation {
    Pull(Arc<Request>, u64),
    Push(Body),
}

type Queue = Arc<Mutex<VecDeque<Operation>>>;

/// Megabytes moved each second, both ways together.
pub(super) async fn mixed(bench: &mut Bench, system: usize, round: u32) -> Measured {
    let fresh = bench.fresh(system, Place::Disk).await?;
    bench.stock.fill_for_mixed(&fresh.running).await?;
    let door = fresh.running.door(&repository()).await?;
    let mut bytes = 0;
    let mut operations = VecDeque::new();
    for kind in order(bench.scale.mixed_hundreds, round) {
        let (Kind::Pull(size) | Kind::Push(size)) = kind;
        bytes += bench.scale.mixed_bytes[size];
        operations.push_back(operation(bench, &door, kind));
    }
    let mut connections = Vec::new();
    for _ in 0..CLIENTS {
        connections.push(Connection::open(door.address).await?);
    }
    push::settle();
    let queue: Queue = Arc::new(Mutex::new(operations));
    let gauge = Gauge::begin(fresh.running.pid());
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for connection in connections {
        tasks.spawn(work_off(connection, door.clone(), queue.clone()));
    }
    while let Some(joined) = tasks.join_next().await {
        joined.map_err(|error| format!("a task failed: {error}"))??;
    }
    let seconds = begun.elapsed().as_secs_f64();
    let used = gauge.end()?;
    Ok(sample(bytes as f64 / 1e6 / seconds, seconds, gib(bytes), used))
}

/// Takes operations until there are none.
async fn work_off(mut connection: Connection, door: Door, queue: Queue) -> Result<(), String> {
    // Nothing is added, so this ends.
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match next {
            None => return Ok(()),
            Some(Operation::Push(body)) => door.push(&mut connection, &body).await?,
            Some(Operation::Pull(request, bytes)) => {
                let answer = connection.ask(&request).await?;
                check(&answer, &request, Expected { status: 200, bytes: Some(bytes) })?;
            }
        }
    }
}

fn operation(bench: &mut Bench, door: &Door, kind: Kind) -> Operation {
    match kind {
        Kind::Push(size) => Operation::Push(bench.random.body(bench.scale.mixed_bytes[size])),
        Kind::Pull(size) => {
            let blob = &bench.stock.mixed[size];
            Operation::Pull(Arc::new(door.blob("GET", &blob.digest)), blob.len())
        }
    }
}

/// The operations of a round.
fn order(hundreds: u64, round: u32) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for _ in 0..hundreds {
        for size in 0..PULLS.len() {
            kinds.extend(std::iter::repeat_n(Kind::Pull(size), PULLS[size]));
            kinds.extend(std::iter::repeat_n(Kind::Push(size), PUSHES[size]));
        }
    }
    kinds.shuffle(&mut StdRng::seed_from_u64(u64::from(round)));
    kinds
}

#[cfg(test)]
mod tests {
    use super::{Kind, order};

    #[test]
    fn of_a_hundred_operations_a_quarter_pushes() {
        let operations = order(2, 1);
        assert_eq!(operations.len(), 200);
        assert_eq!(operations.iter().filter(|kind| matches!(kind, Kind::Push(_))).count(), 50);
    }

    #[test]
    fn a_round_is_the_same_for_everybody_and_unlike_the_next() {
        assert_eq!(order(1, 1), order(1, 1));
        assert_ne!(order(1, 1), order(1, 2));
    }
}
