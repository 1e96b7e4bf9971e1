//! The sending of a blob's bytes, or of a large manifest's: read ahead a little, given up when the client stands still,
//! and cut some time after the end of the right that it rests on: a share, a permission, a credential.
//!
//! A task reads and a channel of a few chunks carries, so that the file is let go of in time even when nobody asks for the
//! next chunk: over HTTP/2, a client that opens no window is never polled for.

use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use auth::{Auth, Permit};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use oci::Digest;
use storage::{Blob, Content, Storage};
use tokio::sync::mpsc;
use tracing::Instrument;

use crate::meter::Meter;
use crate::reply::{Body, BoxError};
use crate::{App, Clock};

/// Chunks read ahead of the client.
const CHUNKS_AHEAD: usize = 2;
/// How long a right is taken to be held before it is looked at again, while a body is sent.
const CHECK_INTERVAL: SignedDuration = SignedDuration::from_secs(10);

/// A part of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// What stands between bytes of the blob.
    Text(Bytes),
    /// Bytes of the blob.
    Range(Range<u64>),
}

impl Part {
    /// How many bytes it is.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Part::Text(text) => text.len() as u64,
            Part::Range(range) => range.end - range.start,
        }
    }
}

/// What is sent, and under what right, since when.
pub(crate) struct Sending {
    pub(crate) permit: Permit,
    pub(crate) content: Sent,
    pub(crate) now: Timestamp,
}

/// What is sent, by its digest.
pub(crate) enum Sent {
    Manifest(Digest),
    Blob(Digest),
}

impl Sent {
    fn content(&self) -> Content<'_> {
        match self {
            Sent::Manifest(digest) => Content::Manifest(digest),
            Sent::Blob(digest) => Content::Blob(digest),
        }
    }
}

/// A body of `parts`, read from `blob`.
pub(crate) fn body(app: &App, sending: Sending, blob: Blob, parts: Vec<Part>) -> Body {
    let length = parts.iter().map(Part::length).sum();
    let source = stream::iter(parts).flat_map(move |part| match part {
        Part::Text(text) => stream::iter([Ok(text)]).boxed(),
        Part::Range(range) => blob.read(range).boxed(),
    });
    of(app, sending, source, length)
}

/// A body of what `source` gives, `length` bytes.
pub(crate) fn of(
    app: &App,
    sending: Sending,
    source: impl Stream<Item = Result<Bytes, storage::Error>> + Send + 'static,
    length: u64,
) -> Body {
    let meter = Meter::of(app, &sending.permit);
    let lease = Lease::new(app, sending);
    let (sender, chunks) = mpsc::channel(CHUNKS_AHEAD);
    let source = leased(source, lease);
    tokio::spawn(pump(source, sender, app.settings.body_idle_timeout).in_current_span());
    Transfer { chunks, left: length, meter }.boxed_unsync()
}

/// Why an answer breaks off.
#[derive(Debug, thiserror::Error)]
enum BrokenOff {
    #[error("the right that this transfer rests on has ended")]
    RightEnded,
    #[error("the content could not be read")]
    Unreadable,
    #[error("the transfer was given up")]
    GivenUp,
}

/// `source`, which breaks off when the lease does.
fn leased(
    source: impl Stream<Item = Result<Bytes, storage::Error>> + Send,
    lease: Lease,
) -> impl Stream<Item = Result<Bytes, BrokenOff>> + Send {
    stream::unfold((Box::pin(source), lease), |(mut source, mut lease)| async move {
        let chunk = match source.next().await? {
            Ok(chunk) if lease.holds().await => Ok(chunk),
            Ok(_) => Err(BrokenOff::RightEnded),
            Err(error) => {
                tracing::error!(%error, "content could not be read");
                Err(BrokenOff::Unreadable)
            }
        };
        Some((chunk, (source, lease)))
    })
}

/// Reads `source` into `sender` until its end, its first failure, or the client's end.
async fn pump(
    source: impl Stream<Item = Result<Bytes, BrokenOff>>,
    sender: mpsc::Sender<Result<Bytes, BrokenOff>>,
    stall_max: Duration,
) {
    let mut source = pin!(source);
    while let Some(chunk) = source.next().await {
        let last = chunk.is_err();
        // Standing still or gone, the client is told by the connection's end, if it still listens.
        let sent = tokio::time::timeout(stall_max, sender.send(chunk)).await;
        if last || !matches!(sent, Ok(Ok(()))) {
            return;
        }
    }
}

/// The receiving end: a body whose length is known, and which fails when less comes.
struct Transfer {
    chunks: mpsc::Receiver<Result<Bytes, BrokenOff>>,
    left: u64,
    meter: Option<Meter>,
}

impl http_body::Body for Transfer {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(match ready!(self.chunks.poll_recv(context)) {
            Some(Ok(chunk)) => {
                self.left = self.left.saturating_sub(chunk.len() as u64);
                if let Some(meter) = &mut self.meter {
                    meter.count(chunk.len());
                }
                Some(Ok(Frame::data(chunk)))
            }
            Some(Err(error)) => Some(Err(error.into())),
            None if self.left > 0 => Some(Err(BrokenOff::GivenUp.into())),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// A right, watched while bytes flow under it.
struct Lease {
    auth: Auth,
    storage: Storage,
    clock: Arc<dyn Clock>,
    permit: Permit,
    content: Sent,
    checked_at: Timestamp,
    ended_at: Option<Timestamp>,
    after_end_max: SignedDuration,
}

impl Lease {
    fn new(app: &App, Sending { permit, content, now }: Sending) -> Lease {
        let after_end_max = SignedDuration::try_from(app.settings.transfer_after_end_max);
        Lease {
            auth: app.auth.clone(),
            storage: app.storage.clone(),
            clock: Arc::clone(&app.clock),
            permit,
            content,
            checked_at: now,
            ended_at: None,
            after_end_max: after_end_max.unwrap_or(SignedDuration::MAX),
        }
    }

    /// Whether the right is held, and what is sent is still within it: a share may be narrowed to tags, and they move.
    async fn is_held(&self, now: Timestamp) -> Result<bool, storage::Error> {
        Ok(self.auth.still_open(&self.permit, now).await?
            && self.storage.still_shows(&self.permit, self.content.content()).await?)
    }

    /// Whether bytes may flow: the right is held, or has not been lost for too long.
    async fn holds(&mut self) -> bool {
        let now = self.clock.now();
        if self.ended_at.is_none() && now.duration_since(self.checked_at) >= CHECK_INTERVAL {
            self.checked_at = now;
            match self.is_held(now).await {
                Ok(true) => {}
                // A deadline that has passed is the end; a revocation ends when it is noticed.
                Ok(false) => {
                    self.ended_at = Some(self.permit.not_after().filter(|end| *end <= now).unwrap_or(now))
                }
                Err(error) => {
                    tracing::error!(%error, "a right could not be looked at; it is taken to have ended");
                    self.ended_at = Some(now);
                }
            }
        }
        self.ended_at.is_none_or(|end| now.duration_since(end) < self.after_end_max)
    }
}

#[cfg(test)]
mod tests {

    use super::{BodyExt, BrokenOff, Bytes, Duration, Transfer, mpsc, pump, stream};

    const STALL: Duration = Duration::from_secs(60);

    fn chunk() -> Bytes {
        Bytes::from_static(b"0123456789")
    }

    #[tokio::test(start_paused = true)]
    async fn whole_short_and_unreadable() {
        for (source, length, whole) in [
            (vec![Ok(chunk()), Ok(chunk())], 20, true),
            (vec![Ok(chunk())], 20, false),
            (vec![Ok(chunk()), Err(BrokenOff::Unreadable)], 20, false),
            (vec![], 0, true),
        ] {
            let (sender, chunks) = mpsc::channel(2);
            tokio::spawn(pump(stream::iter(source), sender, STALL));
            let received = Transfer { chunks, left: length, meter: None }.collect().await;
            assert_eq!(received.is_ok_and(|body| body.to_bytes().len() as u64 == length), whole);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_stands_still_is_given_up() {
        let (sender, mut chunks) = mpsc::channel(1);
        let endless = stream::repeat_with(|| Ok(chunk()));
        let pump = tokio::spawn(pump(endless, sender, STALL));
        assert!(chunks.recv().await.unwrap().is_ok());
        pump.await.unwrap();
        assert!(chunks.recv().await.unwrap().is_ok(), "what was read ahead");
        assert!(chunks.recv().await.is_none());
        let message = BrokenOff::GivenUp.to_string();
        let rest = Transfer { chunks, left: 10, meter: None }.collect().await;
        assert_eq!(rest.unwrap_err().to_string(), message);
    }
}
