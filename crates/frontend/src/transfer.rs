//! The sending of a blob's bytes, or of a large manifest's: given up when the client stands still, and cut some time after
//! the end of the right that it rests on ([`Lease`]).
//!
//! What is small leaves in one piece, and files go by [`direct`] where the connection can send them. The rest passes through
//! this process, read ahead a little: a task reads and a channel of a few chunks carries, so that the file is let go of in
//! time even when nobody asks for the next chunk: over HTTP/2, a client that opens no window is never polled for.

use std::ops::Range;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use auth::Permit;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use storage::Blob;
use tokio::sync::mpsc;
use tracing::Instrument;

use crate::dispatch::Call;
use crate::lease::{Lease, Sending};
use crate::meter::Meter;
use crate::reply::{self, Body, BoxError};
use crate::{App, direct};

/// Chunks read ahead of the client.
const CHUNKS_AHEAD: usize = 2;
/// What is read whole before its answer begins, and leaves with the answer's head.
const SMALL_BYTES_MAX: u64 = 64 << 10;

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

/// A body of `parts` of `blob`: small, it is read at once; else its files are sent past this process where the connection
/// can, and read piece by piece where it cannot.
///
/// # Errors
/// When what is read at once cannot be read.
pub(crate) async fn body(
    call: &Call<'_>,
    sending: Sending,
    blob: Blob,
    parts: Vec<Part>,
) -> Result<Body, storage::Error> {
    let length = length(&parts);
    if length <= SMALL_BYTES_MAX {
        return small(call.app, &sending.permit, &blob, parts).await;
    }
    if let Some(direct) = call.direct.filter(|_| blob.is_in_files()) {
        return Ok(direct::body(call.app, direct, sending, blob, parts));
    }
    let source = stream::iter(parts).flat_map(move |part| read(&blob, part));
    Ok(of(call.app, sending, source, length))
}

fn read(blob: &Blob, part: Part) -> BoxStream<'static, Result<Bytes, storage::Error>> {
    match part {
        Part::Text(text) => stream::iter([Ok(text)]).boxed(),
        Part::Range(range) => blob.read(range).boxed(),
    }
}

/// The right was looked at a moment ago: it is good for what is sent at once.
async fn small(app: &App, permit: &Permit, blob: &Blob, parts: Vec<Part>) -> Result<Body, storage::Error> {
    let source = stream::iter(parts).flat_map(|part| read(blob, part));
    let chunks: Vec<Bytes> = source.try_collect().await?;
    let whole = match <[Bytes; 1]>::try_from(chunks) {
        Ok([whole]) => whole,
        Err(chunks) => chunks.concat().into(),
    };
    if let Some(mut meter) = Meter::of(app, permit) {
        meter.count(whole.len());
    }
    Ok(reply::full(whole))
}

/// In bytes.
pub(crate) fn length(parts: &[Part]) -> u64 {
    parts.iter().map(Part::length).sum()
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
pub(crate) enum BrokenOff {
    #[error("the right that this transfer rests on has ended")]
    RightEnded,
    #[error("the content could not be read")]
    Unreadable,
    #[error("the transfer was given up")]
    GivenUp,
}

impl BrokenOff {
    /// Content that cannot be read is logged here, once: the client is told by the connection's end.
    pub(crate) fn unreadable(error: &dyn std::error::Error) -> BrokenOff {
        tracing::error!(%error, "content could not be read");
        BrokenOff::Unreadable
    }
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
            Err(error) => Err(BrokenOff::unreadable(&error)),
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
