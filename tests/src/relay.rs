//! A network that a test rules: a relay in front of a server, which carries bytes, writes down what passed, goes slowly,
//! holds a request back, and cuts connections in the middle.
//!
//! It carries plain HTTP/1.1, and changes nothing of it.

mod exchange;
mod http;

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

pub use exchange::Exchange;
use exchange::{Record, Scribe};
use http::Follower;

use crate::Registry;

/// How much is carried at a time.
const PIECE_BYTES: usize = 16 << 10;
/// How long a test waits for something to pass.
const PASSES_WITHIN: Duration = Duration::from_secs(60);

/// A relay in front of a registry. Dropping it cuts everything.
pub struct Relay {
    registry: Registry,
    network: Arc<Network>,
    carrying: JoinHandle<()>,
}

/// Which bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Those of the client.
    Up,
    /// Those of the server.
    Down,
}

/// What all connections share.
struct Network {
    server: SocketAddr,
    record: Record,
    /// In bytes a second, each way of each connection; 0: as fast as it goes.
    rate: AtomicU64,
    /// After how many bytes a connection is cut, once.
    cut_after: Mutex<Option<(Direction, u64)>>,
    /// Counts the cuts of everything.
    cuts: watch::Sender<u64>,
    /// Requests that are held back: those of this method, from the n-th on.
    held: watch::Sender<Option<(String, usize)>>,
}

impl Relay {
    /// A relay to `registry`.
    pub async fn to(registry: &Registry) -> Relay {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let network = Arc::new(Network {
            server: registry.host().parse().expect("an address"),
            record: Record::default(),
            rate: AtomicU64::new(0),
            cut_after: Mutex::new(None),
            cuts: watch::Sender::new(0),
            held: watch::Sender::new(None),
        });
        let carrying = tokio::spawn(carry(listener, network.clone()));
        Relay { registry: Registry::at(address), network, carrying }
    }

    /// The registry as it is seen through the relay.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Carries no more than so many bytes a second, each way of each connection.
    pub fn goes_slowly(&self, bytes_a_second: u64) {
        self.network.rate.store(bytes_a_second, Ordering::Relaxed);
    }

    /// Cuts the first connection that has carried so many bytes in this direction, amid what it carries: once.
    pub fn cuts_after(&self, direction: Direction, bytes: u64) {
        *self.network.cut_after.lock().unwrap_or_else(PoisonError::into_inner) = Some((direction, bytes));
    }

    /// Cuts every connection now.
    pub fn cut(&self) {
        self.network.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Holds back the n-th request of this method (1 is the first), and all that clients send behind it.
    pub fn holds_back(&self, method: &str, n: usize) {
        self.network.held.send_replace(Some((method.to_owned(), n)));
    }

    /// Holds nothing back from now on.
    pub fn lets_go(&self) {
        self.network.held.send_replace(None);
    }

    /// All that passed so far. A request that is held back has passed when its head came.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.network.record.all()
    }

    /// Those of a method, to paths that hold this.
    #[must_use]
    pub fn requests(&self, method: &str, path: &str) -> Vec<Exchange> {
        self.exchanges().into_iter().filter(|exchange| exchange.is(method, path)).collect()
    }

    /// Waits until what passed is as `enough` wants it.
    pub async fn until(&self, enough: impl Fn(&[Exchange]) -> bool) {
        let wait = async {
            while !enough(&self.exchanges()) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let in_time = tokio::time::timeout(PASSES_WITHIN, wait).await;
        in_time.unwrap_or_else(|_| panic!("nothing of the sort passes: {:#?}", self.exchanges()));
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

impl Network {
    /// How many of `bytes` may pass behind those that have; fewer than all: the connection is cut behind them.
    fn lets_pass(&self, direction: Direction, passed: u64, bytes: usize) -> usize {
        let mut cut_after = self.cut_after.lock().unwrap_or_else(PoisonError::into_inner);
        let reached = |(cut, at): (Direction, u64)| cut == direction && passed + bytes as u64 > at;
        match cut_after.take_if(|cut| reached(*cut)) {
            Some((_, at)) => usize::try_from(at.saturating_sub(passed)).map_or(bytes, |left| left.min(bytes)),
            None => bytes,
        }
    }

    /// Waits while the last request that came is held back.
    async fn waits_while_held(&self) {
        let count =
            |method: &str| self.record.with(|all| all.iter().filter(|it| it.method == method).count());
        let free = |held: &Option<(String, usize)>| match held {
            Some((method, n)) => count(method) < *n,
            None => true,
        };
        let _ = self.held.subscribe().wait_for(free).await;
    }

    async fn takes_its_time(&self, bytes: usize) {
        let rate = self.rate.load(Ordering::Relaxed);
        if rate > 0 {
            sleep(Duration::from_secs_f64(bytes as f64 / rate as f64)).await;
        }
    }
}

async fn carry(listener: TcpListener, network: Arc<Network>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(connection(client, network.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// Carries one connection until either side ends it, or it is cut.
async fn connection(client: TcpStream, network: Arc<Network>) {
    let mut cuts = network.cuts.subscribe();
    let Ok(server) = TcpStream::connect(network.server).await else { return };
    let unanswered = Arc::new(Mutex::new(VecDeque::new()));
    let scribe =
        |asks| Scribe { record: network.record.clone(), unanswered: unanswered.clone(), asks, current: 0 };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let up = pump(Direction::Up, from_client, to_server, scribe(true), &network);
    let down = pump(Direction::Down, from_server, to_client, scribe(false), &network);
    tokio::select! {
        // First: what was held back when the cut came does not slip through.
        biased;
        _ = cuts.changed() => {}
        () = up => {}
        () = down => {}
    }
}

async fn pump(
    direction: Direction,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut scribe: Scribe,
    network: &Network,
) {
    let (mut piece, mut follower, mut passed) = (vec![0; PIECE_BYTES], Follower::default(), 0);
    while let Ok(read) = from.read(&mut piece).await
        && read > 0
    {
        let passing = network.lets_pass(direction, passed, read);
        follower.hears(&piece[..passing], &mut scribe);
        if direction == Direction::Up {
            network.waits_while_held().await;
        }
        if to.write_all(&piece[..passing]).await.is_err() || passing < read {
            return;
        }
        passed += passing as u64;
        network.takes_its_time(passing).await;
    }
}
