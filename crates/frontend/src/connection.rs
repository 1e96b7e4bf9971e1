//! One connection's bounds that hyper does not have: a write that does not move, and a connection that asks for nothing.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// How a request comes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    /// The other end of its connection: the client, or a proxy before it.
    pub(crate) peer: SocketAddr,
    /// Whether the connection is encrypted, by ourselves.
    pub(crate) over_tls: bool,
}

/// A socket whose writes fail when the peer takes nothing for a while. Reads are bounded elsewhere: heads by hyper, bodies
/// by [`crate::body::RequestBody`].
#[derive(Debug)]
pub(crate) struct Socket {
    inner: TcpStream,
    stall_max: Duration,
    alarm: Pin<Box<Sleep>>,
    stalled: bool,
}

impl Socket {
    /// `inner`, whose writes fail when they stand still for `stall_max`.
    pub(crate) fn new(inner: TcpStream, stall_max: Duration) -> Socket {
        Socket { inner, stall_max, alarm: Box::pin(tokio::time::sleep(stall_max)), stalled: false }
    }

    /// Passes on what a write came to, and fails it when it has waited for too long.
    fn watch<T>(&mut self, context: &mut Context<'_>, write: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if write.is_ready() {
            self.stalled = false;
            return write;
        }
        if !self.stalled {
            self.stalled = true;
            self.alarm.as_mut().reset(Instant::now() + self.stall_max);
        }
        ready!(self.alarm.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes nothing")))
    }
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
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.inner).poll_write(context, data);
        self.watch(context, write)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let write = Pin::new(&mut self.inner).poll_write_vectored(context, data);
        self.watch(context, write)
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

impl InFlight {
    /// It moved.
    pub(crate) fn touch(&self) {
        self.0.touch();
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.change(|in_flight| in_flight.saturating_sub(1));
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
