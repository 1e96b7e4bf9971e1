//! The accept loop: connections in, bounded in number and patience, and out again when the server stops.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::connection::{Activity, Arrival, Socket};
use crate::edge::Edge;
use crate::outbox::Outbox;
use crate::{App, TlsIdentity, tls};

/// How long accepting pauses when the system is out of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// An HTTP/1 request's head, and what is read or written ahead of its handler.
const HTTP1_BUFFER_BYTES_MAX: usize = 128 << 10;
const HTTP1_HEADERS_MAX: usize = 100;
const HTTP2_STREAMS_MAX: u32 = 100;
const HTTP2_HEADER_LIST_BYTES_MAX: u32 = 64 << 10;
const HTTP2_STREAM_WINDOW_BYTES: u32 = 1 << 20;
const HTTP2_CONNECTION_WINDOW_BYTES: u32 = 4 << 20;
const HTTP2_SEND_BUFFER_BYTES_MAX: usize = 256 << 10;
/// Streams opened and reset at once, before the connection is closed (the "rapid reset" of CVE-2023-44487).
const HTTP2_PENDING_RESETS_MAX: usize = 20;
const HTTP2_LOCAL_ERROR_RESETS_MAX: usize = 1024;
const HTTP2_PING_INTERVAL: Duration = Duration::from_secs(30);
const HTTP2_PING_TIMEOUT: Duration = Duration::from_secs(20);

/// Serves `app` on `listener` until `shutdown` comes, then lets requests in flight finish for
/// [`crate::Settings::shutdown_timeout`].
///
/// HTTP/1.1, and HTTP/2 for clients that begin with it. With `tls` both over TLS alone, as the client chooses in the
/// handshake; each connection is shown the identity that is current when it comes.
///
/// A connection is served, to its end, on the one of the `lanes` that has the fewest; without lanes, on the runtime that
/// this is called on.
///
/// # Errors
/// When the listener is broken; not for a broken connection, nor while the system is out of descriptors.
pub async fn serve(
    listener: TcpListener,
    tls: Option<watch::Receiver<TlsIdentity>>,
    app: App,
    lanes: Vec<Handle>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let slots = Arc::new(Semaphore::new(app.settings.connections_max));
    let shutdown_timeout = app.settings.shutdown_timeout;
    let server = Arc::new(Server::new(app, tls));
    let (accepting, stopping) = watch::channel(());
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let lanes = Lanes::new(lanes);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &slots) => accepted?,
        };
        let (stream, peer, slot) = accepted;
        let (server, watcher, stopping) = (Arc::clone(&server), graceful.watcher(), stopping.clone());
        let (runtime, place) = lanes.place();
        let moved = stream.into_std();
        let work = async move {
            let _place = place;
            match moved.and_then(TcpStream::from_std) {
                Ok(stream) => server.converse(stream, peer, watcher, stopping, slot).await,
                Err(error) => tracing::warn!(%error, "cannot serve a connection for now"),
            }
        };
        connections.spawn_on(work, &runtime);
    }
    drop((listener, accepting));
    if tokio::time::timeout(shutdown_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "closing connections whose requests did not finish in time"
        );
    }
    connections.shutdown().await;
    Ok(())
}

/// The runtimes that serve connections, and what stands for each connection on one.
struct Lanes(Vec<(Handle, Arc<()>)>);

impl Lanes {
    fn new(mut runtimes: Vec<Handle>) -> Lanes {
        if runtimes.is_empty() {
            runtimes.push(Handle::current());
        }
        Lanes(runtimes.into_iter().map(|runtime| (runtime, Arc::default())).collect())
    }

    /// A place on the runtime with the fewest connections, until it is let go.
    fn place(&self) -> (Handle, Arc<()>) {
        let fewest = self.0.iter().min_by_key(|(_, places)| Arc::strong_count(places));
        fewest.cloned().unwrap_or_else(|| (Handle::current(), Arc::default()))
    }
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return Ok((stream, peer, slot)),
            Err(error) if is_of_connection(&error) => {
                tracing::debug!(%error, "a connection broke before it began")
            }
            Err(error) if is_passing(&error) => {
                tracing::warn!(%error, "cannot accept connections for now");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether it concerns that one connection alone (`accept(2)`: network errors of the new socket come this way too).
fn is_of_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::ConnectionAborted
            | Kind::ConnectionReset
            | Kind::ConnectionRefused
            | Kind::Interrupted
            | Kind::TimedOut
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
            | Kind::PermissionDenied
    )
}

/// Whether the system is out of descriptors (`EMFILE`, `ENFILE`) or memory (`ENOMEM`, `ENOBUFS`): it may have some again.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(24 | 23 | 12 | 105))
}

type Builder = auto::Builder<TokioExecutor>;

struct Server {
    /// Looks at how a connection begins: without TLS nothing else tells.
    either: Builder,
    http1: Builder,
    http2: Builder,
    tls: Option<watch::Receiver<TlsIdentity>>,
    edge: Edge,
}

impl Server {
    fn new(app: App, tls: Option<watch::Receiver<TlsIdentity>>) -> Server {
        let either = builder(app.settings.head_timeout);
        let (http1, http2) = (either.clone().http1_only(), either.clone().http2_only());
        Server { either, http1, http2, tls, edge: Edge::new(app) }
    }

    /// One connection, to its end.
    async fn converse(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        watcher: Watcher,
        mut stopping: watch::Receiver<()>,
        _slot: OwnedSemaphorePermit,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot switch off delays");
        }
        let settings = self.edge.settings();
        let Some(identity) = self.tls.as_ref().map(|identity| identity.borrow().clone()) else {
            let arrival = Arrival { peer, over_tls: false };
            let socket = Socket::new(stream, settings.body_idle_timeout);
            let outbox = socket.outbox();
            return self.serve(socket, Some(outbox), &self.either, arrival, watcher).await;
        };
        let handshake = identity.shake_hands(stream, settings.body_idle_timeout);
        let shaken = tokio::select! {
            shaken = tokio::time::timeout(settings.head_timeout, handshake) => shaken,
            // It has asked for nothing yet, so there is nothing to finish.
            _ = stopping.changed() => return,
        };
        match shaken {
            Ok(Ok(Some(stream))) => {
                let arrival = Arrival { peer, over_tls: true };
                let builder = if tls::is_http2(&stream) { &self.http2 } else { &self.http1 };
                self.serve(stream, None, builder, arrival, watcher).await;
            }
            Ok(Ok(None)) => tracing::debug!(%peer, "refused plain HTTP where TLS is spoken"),
            Ok(Err(error)) => tracing::debug!(%peer, %error, "a handshake failed"),
            Err(_) => tracing::debug!(%peer, "closed a connection whose handshake took too long"),
        }
    }

    /// The requests of a connection, whose socket sends what is in `outbox`, if nothing stands between.
    async fn serve(
        self: &Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        outbox: Option<Outbox>,
        builder: &Builder,
        arrival: Arrival,
        watcher: Watcher,
    ) {
        let (settings, peer) = (self.edge.settings(), arrival.peer);
        let activity = Activity::new();
        let service = service_fn(|request| {
            let (server, activity, outbox) = (Arc::clone(self), activity.clone(), outbox.clone());
            async move {
                Ok::<_, Infallible>(server.edge.answer(request, arrival, &activity, outbox.as_ref()).await)
            }
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        tokio::select! {
            ended = watcher.watch(connection) => if let Err(error) = ended {
                tracing::debug!(%peer, error, "a connection broke");
            },
            () = activity.ends(settings.head_timeout, settings.connection_stuck_max) => {
                tracing::debug!(%peer, "closed a connection that did nothing");
            }
        }
    }
}

fn builder(head_timeout: Duration) -> Builder {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // Frames reach the socket as they are: it tells those that stand for files by their addresses.
        .writev(true)
        .header_read_timeout(head_timeout)
        .max_headers(HTTP1_HEADERS_MAX)
        .max_buf_size(HTTP1_BUFFER_BYTES_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(HTTP2_STREAMS_MAX)
        .max_header_list_size(HTTP2_HEADER_LIST_BYTES_MAX)
        .initial_stream_window_size(HTTP2_STREAM_WINDOW_BYTES)
        .initial_connection_window_size(HTTP2_CONNECTION_WINDOW_BYTES)
        .max_send_buf_size(HTTP2_SEND_BUFFER_BYTES_MAX)
        .max_pending_accept_reset_streams(HTTP2_PENDING_RESETS_MAX)
        .max_local_error_reset_streams(HTTP2_LOCAL_ERROR_RESETS_MAX)
        .keep_alive_interval(HTTP2_PING_INTERVAL)
        .keep_alive_timeout(HTTP2_PING_TIMEOUT);
    builder
}

#[cfg(test)]
mod tests {
    use super::{Arc, Handle, Lanes};

    #[tokio::test]
    async fn a_connection_goes_where_the_fewest_are() {
        let lanes = Lanes::new(vec![Handle::current(); 3]);
        let lane_of = |place: &Arc<()>| lanes.0.iter().position(|(_, places)| Arc::ptr_eq(places, place));
        let mut places: Vec<_> = (0..6).map(|_| lanes.place().1).collect();
        assert_eq!(places.iter().filter_map(lane_of).collect::<Vec<_>>(), [0, 1, 2, 0, 1, 2]);
        places.remove(4);
        assert_eq!(lane_of(&lanes.place().1), Some(1));
        assert_eq!(lane_of(&Lanes::new(Vec::new()).place().1), None, "its own");
    }
}
