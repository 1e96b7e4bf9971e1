//! One connection's bounds that hyper does not have: a write that does not move, and a connection that asks for nothing.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::outbox::{First, Outbox};

/// How a request comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// The other end of its connection: the client, or a proxy before it.
    pub(crate) peer: SocketAddr,
    /// Whether the connection is encrypted, by ourselves.
    pub(crate) over_tls: bool,
}

/// What a peer must take of a file before its patience is measured anew. Other writes are as short, or are fed by a
/// reader that has a measure of its own.
const TAKEN_BYTES_MIN: usize = 256 << 10;

/// A socket whose writes fail when the peer takes nothing for a while, or next to nothing of a file. It sends the ranges
/// of files that are in its [`Outbox`]. Reads are bounded elsewhere: heads by hyper, bodies by
/// [`crate::body::RequestBody`].
pub(crate) struct Socket {
    inner: TcpStream,
    outbox: Outbox,
    stall_max: Duration,
    alarm: Pin<Box<Sleep>>,
    stalled: bool,
    /// What was taken of files since the alarm was set.
    taken: usize,
}

impl Socket {
    /// `inner`, whose writes fail when they stand still for `stall_max`.
    pub(crate) fn new(inner: TcpStream, stall_max: Duration) -> Socket {
        let alarm = Box::pin(tokio::time::sleep(stall_max));
        Socket { inner, outbox: Outbox::default(), stall_max, alarm, stalled: false, taken: 0 }
    }

    /// Where ranges of files go that this socket is to send.
    pub(crate) fn outbox(&self) -> Outbox {
        self.outbox.clone()
    }

    /// Passes on what a write came to, and fails it when it has waited for too long.
    fn watch<T>(&mut self, context: &mut Context<'_>, write: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if write.is_ready() {
            self.moved();
            return write;
        }
        ready!(self.poll_stall(context));
        Poll::Ready(Err(takes_nothing()))
    }

    /// Waits until nothing has moved for too long.
    fn poll_stall(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if !self.stalled {
            self.stalled = true;
            self.alarm.as_mut().reset(Instant::now() + self.stall_max);
        }
        self.alarm.as_mut().poll(context)
    }

    fn moved(&mut self) {
        self.stalled = false;
        self.taken = 0;
    }

    /// Sends of the outbox's first range what the peer takes.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let sent = loop {
            match self.inner.poll_write_ready(context)? {
                Poll::Ready(()) => {
                    let sent = self.inner.try_io(Interest::WRITABLE, || self.outbox.send(&self.inner));
                    match sent {
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                        sent => break sent?,
                    }
                }
                Poll::Pending => {
                    ready!(self.poll_stall(context));
                    // The system tells of room only when much of the buffer is free: a slow peer may have taken enough.
                    let sent = self.outbox.send(&self.inner).map_err(|_| takes_nothing())?;
                    if self.taken + sent < TAKEN_BYTES_MIN {
                        return Poll::Ready(Err(takes_nothing()));
                    }
                    break sent;
                }
            }
        };
        self.taken += sent;
        if self.taken >= TAKEN_BYTES_MIN {
            self.moved();
        }
        Poll::Ready(Ok(sent))
    }
}

fn takes_nothing() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(context, &[io::IoSlice::new(data)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.outbox.first(data)? {
            First::Range => self.poll_send(context),
            First::Slices(count) => {
                let write = Pin::new(&mut self.inner).poll_write_vectored(context, &data[..count]);
                self.watch(context, write)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flush = Pin::new(&mut self.inner).poll_flush(context);
        self.watch(context, flush)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shutdown = Pin::new(&mut self.inner).poll_shutdown(context);
        self.watch(context, shutdown)
    }
}

/// What a connection is doing: how many requests are in flight, and when one last moved. This bounds what nothing else
/// does: a silent connection before its protocol is known, an HTTP/2 client that only answers pings, and one that opens
/// no window for its answers.
#[derive(Debug, Clone)]
pub(crate) struct Activity(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    in_flight: usize,
    moved_at: Instant,
}

/// A request in flight, until dropped: with the last byte of its answer.
#[derive(Debug)]
pub(crate) struct InFlight(Activity);

impl Activity {
    /// A connection just opened.
    pub(crate) fn new() -> Activity {
        Activity(Arc::new(Mutex::new(State { in_flight: 0, moved_at: Instant::now() })))
    }

    /// A request begins.
    pub(crate) fn begin(&self) -> InFlight {
        self.change(|in_flight| in_flight + 1);
        InFlight(self.clone())
    }

    /// A body moved.
    pub(crate) fn touch(&self) {
        self.change(|in_flight| in_flight);
    }

    /// Waits until no request has been in flight for `idle_max`, or none of those in flight has moved for `stuck_max`.
    pub(crate) async fn ends(&self, idle_max: Duration, stuck_max: Duration) {
        loop {
            let until = self.patience_ends_at(idle_max, stuck_max);
            if until <= Instant::now() {
                return;
            }
            // A request that ends meanwhile shortens the patience: it is looked at again in time.
            sleep_until(until.min(Instant::now() + idle_max)).await;
        }
    }

    fn patience_ends_at(&self, idle_max: Duration, stuck_max: Duration) -> Instant {
        let state = self.lock();
        state.moved_at + if state.in_flight == 0 { idle_max } else { stuck_max }
    }

    fn change(&self, next: impl FnOnce(usize) -> usize) {
        let mut state = self.lock();
        state.in_flight = next(state.in_flight);
        state.moved_at = Instant::now();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.change(|in_flight| in_flight.saturating_sub(1));
    }
}

/// A request's room, for as long as anything of its answer has not left.
#[derive(Debug)]
pub(crate) struct Admitted {
    in_flight: InFlight,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Admitted {
    /// A request in flight, which may hold a slot.
    pub(crate) fn new(in_flight: InFlight, slot: Option<OwnedSemaphorePermit>) -> Admitted {
        Admitted { in_flight, _slot: slot }
    }

    /// It moved.
    pub(crate) fn touch(&self) {
        self.in_flight.0.touch();
    }
}

#[cfg(test)]
mod tests {
    use super::{Activity, Duration, Instant};

    const IDLE: Duration = Duration::from_secs(30);
    const STUCK: Duration = Duration::from_secs(1800);

    #[tokio::test(start_paused = true)]
    async fn idle_counts_from_the_last_request() {
        let (activity, began) = (Activity::new(), Instant::now());
        let request = activity.begin();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(100)).await;
            drop(request);
        });
        activity.ends(IDLE, STUCK).await;
        let waited = began.elapsed();
        assert!(waited >= Duration::from_secs(130) && waited < Duration::from_secs(161), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn silent_from_the_start() {
        let (activity, began) = (Activity::new(), Instant::now());
        activity.ends(IDLE, STUCK).await;
        assert!(began.elapsed() < IDLE + Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn stuck_counts_from_the_last_move() {
        let (activity, began) = (Activity::new(), Instant::now());
        let _request = activity.begin();
        let moving = activity.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(1000)).await;
            moving.touch();
        });
        activity.ends(IDLE, STUCK).await;
        let waited = began.elapsed();
        assert!(waited >= Duration::from_secs(2800) && waited < Duration::from_secs(2860), "{waited:?}");
    }
}
