//! Many connections that make the same request again and again, or the same few, and what came of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::connection::{Answer, Connection, Request};

/// What a crowd may take beyond its time. A server that does not answer ends a row, not only delays it.
const GRACE: Duration = Duration::from_secs(300);

/// What every answer must be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    pub(crate) status: u16,
    /// The body's bytes; of a HEAD, those that are told. `None`: any.
    pub(crate) bytes: Option<u64>,
}

/// When a connection is done.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    Passed(Duration),
    Times(u64),
}

/// What all did together.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) seconds: f64,
    pub(crate) requests: u64,
    pub(crate) body_bytes: u64,
    /// Of each request, until its answer's head was there, in microseconds.
    first_byte_micros: Vec<u32>,
}

/// The connections.
pub(crate) struct Crowd {
    connections: Vec<Connection>,
    requests: Arc<[Request]>,
    expected: Expected,
}

impl Crowd {
    /// Opens them.
    pub(crate) async fn open(
        address: std::net::SocketAddr,
        connections: usize,
        request: Request,
        expected: Expected,
    ) -> Result<Crowd, String> {
        Crowd::open_for(address, connections, vec![request], expected).await
    }

    /// Opens them for several requests, at least one: each connection makes one after the other, and begins with another.
    pub(crate) async fn open_for(
        address: std::net::SocketAddr,
        connections: usize,
        requests: Vec<Request>,
        expected: Expected,
    ) -> Result<Crowd, String> {
        let mut open = Vec::with_capacity(connections);
        for _ in 0..connections {
            open.push(Connection::open(address).await?);
        }
        Ok(Crowd { connections: open, requests: requests.into(), expected })
    }

    /// Lets each make its requests until it is done.
    pub(crate) async fn run(&mut self, until: Until) -> Result<Tally, String> {
        let begun = Instant::now();
        let mut tasks = JoinSet::new();
        let connections = self.connections.len();
        for (number, mut connection) in self.connections.drain(..).enumerate() {
            let (requests, expected) = (self.requests.clone(), self.expected);
            let first = first(number, connections, requests.len());
            tasks.spawn(async move {
                let requests = requests.iter().cycle().skip(first);
                let tally = repeat(&mut connection, requests, expected, begun, until).await?;
                Ok::<_, String>((connection, tally))
            });
        }
        let within = GRACE + if let Until::Passed(time) = until { time } else { Duration::ZERO };
        let mut sum = Tally::default();
        while let Some(joined) = tokio::time::timeout(within, tasks.join_next()).await.transpose() {
            let joined = joined.map_err(|_| format!("{}: no end after {within:?}", self.requests[0].line))?;
            let (connection, tally) = joined.map_err(|error| format!("a task failed: {error}"))??;
            self.connections.push(connection);
            sum.add(tally);
        }
        sum.seconds = begun.elapsed().as_secs_f64();
        Ok(sum)
    }
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.requests += other.requests;
        self.body_bytes += other.body_bytes;
        self.first_byte_micros.extend(other.first_byte_micros);
    }

    /// Within which time, in milliseconds, half of the requests had their answer's head, and 99 of 100.
    pub(crate) fn first_byte_millis(&mut self) -> Option<[f64; 2]> {
        half_and_most(&mut self.first_byte_micros)
    }
}

/// Of some times in microseconds: within which, in milliseconds, half of them lie, and 99 of 100.
pub(crate) fn half_and_most(micros: &mut [u32]) -> Option<[f64; 2]> {
    micros.sort_unstable();
    Some([within(micros, 0.5)?, within(micros, 0.99)?])
}

/// Within which time, in milliseconds, this share of the sorted times lies.
fn within(sorted_micros: &[u32], share: f64) -> Option<f64> {
    let last = sorted_micros.len().checked_sub(1)?;
    let index = (last as f64 * share).round() as usize;
    sorted_micros.get(index).map(|micros| f64::from(*micros) / 1000.0)
}

/// An error unless the answer is what it must be.
pub(crate) fn check(answer: &Answer, request: &Request, expected: Expected) -> Result<(), String> {
    let bytes = if answer.body_bytes > 0 { Some(answer.body_bytes) } else { answer.told_bytes };
    if answer.status == expected.status && (expected.bytes.is_none() || bytes == expected.bytes) {
        return Ok(());
    }
    let (status, line) = (answer.status, &request.line);
    Err(format!("{line}: answered {status} with {bytes:?} bytes; {expected:?} is right"))
}

/// The request that a connection begins with, so that of all together each is made as often as every other.
fn first(connection: usize, connections: usize, requests: usize) -> usize {
    connection * requests / connections
}

async fn repeat<'a>(
    connection: &mut Connection,
    mut requests: impl Iterator<Item = &'a Request>,
    expected: Expected,
    begun: Instant,
    until: Until,
) -> Result<Tally, String> {
    let mut tally = Tally::default();
    let is_done = |asked: Instant, requests: u64| match until {
        Until::Passed(time) => asked.duration_since(begun) >= time,
        Until::Times(times) => requests >= times,
    };
    let mut asked = Instant::now();
    // Bounded by time or number.
    while !is_done(asked, tally.requests) {
        let request = requests.next().ok_or("there is nothing to ask for")?;
        let answer = connection.ask(request).await?;
        check(&answer, request, expected)?;
        let micros = answer.begun.duration_since(asked).as_micros();
        tally.requests += 1;
        tally.body_bytes += answer.body_bytes;
        tally.first_byte_micros.push(u32::try_from(micros).unwrap_or(u32::MAX));
        asked = Instant::now();
    }
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::{Tally, first};

    #[test]
    fn connections_share_the_requests() {
        assert_eq!([0, 1, 2, 3].map(|connection| first(connection, 4, 8)), [0, 2, 4, 6]);
        assert_eq!([0, 1, 2].map(|connection| first(connection, 3, 1)), [0, 0, 0]);
    }

    #[test]
    fn a_share_of_the_requests_had_their_answer_within() {
        let mut tally =
            Tally { first_byte_micros: (1..=101).rev().map(|n| n * 1000).collect(), ..Tally::default() };
        assert_eq!(tally.first_byte_millis(), Some([51.0, 100.0]));
        assert_eq!(Tally::default().first_byte_millis(), None);
    }
}
