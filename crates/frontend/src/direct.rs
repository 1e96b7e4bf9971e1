//! The sending of a blob's files past this process: the body says which ranges, and the connection's socket lets the
//! system send them ([`crate::outbox`]).
//!
//! A socket that waits for the disk keeps a thread from all that others asked of it. So a range is handed out only when
//! memory holds it, and what must be read for that is read elsewhere, the next range while this one is sent. Who reads
//! slowly is given up by the socket, and with the connection all of this is dropped.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use storage::{Blob, FileRange, PlaceError, Presence};
use tokio::task::JoinSet;
use tracing::{Instrument, Span};

use crate::App;
use crate::lease::{Lease, Sending};
use crate::meter::Meter;
use crate::outbox::{Answering, Direct, Outbox, RANGE_BYTES_MAX};
use crate::reply::{Body, BoxError};
use crate::transfer::{self, BrokenOff, Part};

/// A body of `parts` of `blob`, whose bytes lie in files.
pub(crate) fn body(app: &App, direct: &Direct, sending: Sending, blob: Blob, parts: Vec<Part>) -> Body {
    let left = transfer::length(&parts);
    let meter = Meter::of(app, &sending.permit).map(Mutex::new);
    let answer = Arc::new(Answering { meter, admitted: Arc::clone(&direct.admitted) });
    let pieces = stream::iter(parts).flat_map(move |part| match part {
        Part::Text(text) => stream::iter([Ok(Piece::Text(text))]).boxed(),
        Part::Range(range) => blob.read_files(range).map_ok(Piece::File).boxed(),
    });
    let pieces =
        Pieces { source: pieces.boxed(), rest: None, ahead: JoinSet::new(), lease: Lease::new(app, sending) };
    let span = Span::current();
    let pieces = stream::try_unfold(pieces, move |mut pieces| {
        let next = async move {
            let piece = pieces.next().await?;
            Ok(piece.map(|piece| (piece, pieces)))
        };
        next.instrument(span.clone())
    });
    DirectBody { pieces: Box::pin(pieces), outbox: direct.outbox.clone(), answer, left }.boxed_unsync()
}

/// What is sent in one go.
enum Piece {
    Text(Bytes),
    File(FileRange),
}

struct Pieces {
    source: BoxStream<'static, Result<Piece, storage::Error>>,
    /// What follows in the file that was begun.
    rest: Option<FileRange>,
    /// The reading of what is sent next. Dropped, it ends.
    ahead: JoinSet<Result<(), PlaceError>>,
    lease: Lease,
}

impl Pieces {
    /// The next piece that may be sent, ready to be.
    async fn next(&mut self) -> Result<Option<Piece>, BrokenOff> {
        let piece = match self.rest.take() {
            Some(rest) => Piece::File(rest),
            None => match self.source.next().await {
                None => return Ok(None),
                Some(piece) => piece.map_err(|error| BrokenOff::unreadable(&error))?,
            },
        };
        let piece = match piece {
            Piece::Text(text) => Piece::Text(text),
            Piece::File(mut rest) => {
                let range = cut(&mut rest);
                self.rest = (!rest.range.is_empty()).then_some(rest);
                self.prepare(&range).await.map_err(|error| BrokenOff::unreadable(&error))?;
                Piece::File(range)
            }
        };
        if self.lease.holds().await { Ok(Some(piece)) } else { Err(BrokenOff::RightEnded) }
    }

    /// Waits until memory holds `range`. Where that took a disk, it has the range behind it read meanwhile.
    async fn prepare(&mut self, FileRange { file, range }: &FileRange) -> Result<(), PlaceError> {
        let loaded = self.ahead.join_next().await;
        let was_ahead = loaded.is_some();
        if let Some(loaded) = loaded {
            loaded.map_err(std::io::Error::other)??;
        }
        let is_ready = match file.presence(range) {
            Presence::Held => true,
            Presence::Missing => false,
            Presence::Unknown => was_ahead,
        };
        if !is_ready {
            file.load(range.clone()).await?;
        }
        if let Some(rest) = self.rest.clone().filter(|_| was_ahead || !is_ready) {
            let FileRange { file, range } = cut(&mut { rest });
            if file.presence(&range) != Presence::Held {
                self.ahead.spawn(async move { file.load(range).await });
            }
        }
        Ok(())
    }
}

/// The beginning of `rest`, which begins behind it from then on.
fn cut(rest: &mut FileRange) -> FileRange {
    let end = rest.range.end.min(rest.range.start + RANGE_BYTES_MAX as u64);
    let range = rest.range.start..end;
    rest.range.start = end;
    FileRange { file: rest.file.clone(), range }
}

struct DirectBody<S> {
    pieces: Pin<Box<S>>,
    outbox: Outbox,
    answer: Arc<Answering>,
    left: u64,
}

impl<S: Stream<Item = Result<Piece, BrokenOff>>> http_body::Body for DirectBody<S> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match ready!(self.pieces.as_mut().poll_next(context)) {
            Some(Ok(Piece::Text(text))) => {
                self.answer.count(text.len());
                text
            }
            Some(Ok(Piece::File(range))) => self.outbox.put(range, &self.answer),
            Some(Err(error)) => return Poll::Ready(Some(Err(error.into()))),
            None if self.left > 0 => return Poll::Ready(Some(Err(BrokenOff::GivenUp.into()))),
            None => return Poll::Ready(None),
        };
        self.left = self.left.saturating_sub(frame.len() as u64);
        Poll::Ready(Some(Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
