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
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::App;
use crate::connection::{Activity, Socket};
use crate::edge::Edge;

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
/// HTTP/1.1, and HTTP/2 for clients that begin with it.
///
/// # Errors
/// When the listener is broken; not for a broken connection, nor while the system is out of descriptors.
pub async fn serve(
    listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let slots = Arc::new(Semaphore::new(app.settings.connections_max));
    let shutdown_timeout = app.settings.shutdown_timeout;
    let server = Arc::new(Server { builder: builder(app.settings.head_timeout), edge: Edge::new(app) });
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => continue,
            accepted = accept(&listener, &slots) => accepted?,
        };
        let (stream, peer, slot) = accepted;
        connections.spawn(Arc::clone(&server).converse(stream, peer, graceful.watcher(), slot));
    }
    drop(listener);
    if tokio::time::timeout(shutdown_timeout, graceful.shutdown()).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "closing connections whose requests did not finish in time"
        );
    }
    connections.shutdown().await;
    Ok(())
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

struct Server {
    builder: auto::Builder<TokioExecutor>,
    edge: Edge,
}

impl Server {
    /// One connection, to its end.
    async fn converse(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        watcher: Watcher,
        _slot: OwnedSemaphorePermit,
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot switch off delays");
        }
        let settings = self.edge.settings();
        let activity = Activity::new();
        let socket = TokioIo::new(Socket::new(stream, settings.body_idle_timeout));
        let service = service_fn(|request| {
            let (server, activity) = (Arc::clone(&self), activity.clone());
            async move { Ok::<_, Infallible>(server.edge.answer(request, peer, &activity).await) }
        });
        let connection = watcher.watch(self.builder.serve_connection(socket, service).into_owned());
        tokio::select! {
            ended = connection => if let Err(error) = ended {
                tracing::debug!(%peer, error, "a connection broke");
            },
            () = activity.ends(settings.head_timeout, settings.connection_stuck_max) => {
                tracing::debug!(%peer, "closed a connection that did nothing");
            }
        }
    }
}

fn builder(head_timeout: Duration) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
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
