//! Request bodies: bounded in time and size, whoever reads them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use futures::{Stream, StreamExt};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use crate::connection::Activity;

/// How long a body that is read whole (a manifest, a form) may take. One that streams has no such bound: an image's layer
/// takes as long as it takes.
const WHOLE_TIME_MAX: Duration = Duration::from_secs(120);

/// Why a body could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    /// Nothing came for as long as a body may stand still.
    #[error("the request's body stood still for {} seconds", .0.as_secs())]
    Idle(Duration),
    /// It moved, but too slowly.
    #[error("the request's body took longer than {} seconds", .0.as_secs())]
    Slow(Duration),
    /// Whoever sends it has lost the right to while it came.
    #[error("the right to do this ended while the body came")]
    Withdrawn,
    /// More than the reader takes.
    #[error("the request's body is longer than {0} bytes")]
    TooLarge(usize),
    /// The connection broke, or the client broke its promise of a length.
    #[error("the request's body broke off")]
    Broken(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The beginning of a body.
pub(crate) struct Begun {
    pub(crate) bytes: BytesMut,
    /// Whether it is all of it.
    pub(crate) is_whole: bool,
}

/// A request's body that fails when it stands still. A [`Body`] for axum, a [`Stream`] of its data for ourselves.
#[derive(Debug)]
pub(crate) struct RequestBody<B = Incoming> {
    inner: B,
    idle: Duration,
    activity: Activity,
    alarm: Pin<Box<Sleep>>,
    /// Whether the alarm runs: from the first time that the reader had to wait. A reader that is slow itself is none of
    /// the client's doing.
    waiting: bool,
}

impl<B> RequestBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// `inner`, failing when it stands still for `idle` while somebody wants to read it; what comes counts as its
    /// connection's activity.
    pub(crate) fn new(inner: B, idle: Duration, activity: Activity) -> RequestBody<B> {
        RequestBody { inner, idle, activity, alarm: Box::pin(tokio::time::sleep(idle)), waiting: false }
    }

    /// How much of it is still to come, if that was announced; else the greatest number.
    pub(crate) fn bytes_at_most(&self) -> usize {
        self.inner.size_hint().upper().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usize::MAX)
    }

    /// All of it.
    ///
    /// # Errors
    /// [`BodyError::TooLarge`] beyond `bytes_max`, at once where the length is announced; [`BodyError::Slow`] after two
    /// minutes.
    pub(crate) async fn read(&mut self, bytes_max: usize) -> Result<Bytes, BodyError> {
        self.read_on(BytesMut::new(), bytes_max).await
    }

    /// Refuses what announces that more than so many bytes are still to come.
    pub(crate) fn refuse_above(&self, bytes_max: usize) -> Result<(), BodyError> {
        let announced = self.inner.size_hint().lower();
        if announced > bytes_max as u64 { Err(BodyError::TooLarge(bytes_max)) } else { Ok(()) }
    }

    /// The first bytes of it: all, if they are no more than `bytes_max`; else somewhat more than those.
    ///
    /// # Errors
    /// As [`RequestBody::read`], but never for its size.
    pub(crate) async fn read_up_to(&mut self, bytes_max: usize) -> Result<Begun, BodyError> {
        let begin = async {
            let mut begun = Begun { bytes: BytesMut::new(), is_whole: false };
            while begun.bytes.len() <= bytes_max {
                match self.next().await.transpose()? {
                    Some(data) => begun.bytes.extend_from_slice(&data),
                    None => {
                        begun.is_whole = true;
                        break;
                    }
                }
            }
            Ok(begun)
        };
        let begun = tokio::time::timeout(WHOLE_TIME_MAX, begin).await;
        begun.unwrap_or(Err(BodyError::Slow(WHOLE_TIME_MAX)))
    }

    /// All of it, behind the bytes that were read before.
    ///
    /// # Errors
    /// As [`RequestBody::read`].
    pub(crate) async fn read_on(&mut self, begun: BytesMut, bytes_max: usize) -> Result<Bytes, BodyError> {
        let read = tokio::time::timeout(WHOLE_TIME_MAX, self.read_rest(begun, bytes_max)).await;
        read.unwrap_or(Err(BodyError::Slow(WHOLE_TIME_MAX)))
    }

    async fn read_rest(&mut self, mut whole: BytesMut, bytes_max: usize) -> Result<Bytes, BodyError> {
        self.refuse_above(bytes_max.saturating_sub(whole.len()))?;
        while let Some(data) = self.next().await.transpose()? {
            if whole.len() + data.len() > bytes_max {
                return Err(BodyError::TooLarge(bytes_max));
            }
            whole.extend_from_slice(&data);
        }
        Ok(whole.freeze())
    }

    /// Throws away what is left, within bounds: a client that is still writing reads its answer only when it may finish.
    pub(crate) async fn drain(&mut self, bytes_max: usize, wait_max: Duration) {
        let discard = async {
            let mut left = bytes_max;
            while let Some(Ok(data)) = self.next().await {
                match left.checked_sub(data.remaining()) {
                    Some(rest) => left = rest,
                    None => return,
                }
            }
        };
        // Too much or too slow: the connection is closed instead, which hyper does by itself.
        let _ = tokio::time::timeout(wait_max, discard).await;
    }
}

impl<B> Body for RequestBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let body = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut body.inner).poll_frame(context) {
            body.waiting = false;
            body.activity.touch();
            return Poll::Ready(frame.map(|frame| frame.map_err(|error| BodyError::Broken(error.into()))));
        }
        if !body.waiting {
            body.waiting = true;
            body.alarm.as_mut().reset(Instant::now() + body.idle);
        }
        ready!(body.alarm.as_mut().poll(context));
        Poll::Ready(Some(Err(BodyError::Idle(body.idle))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl<B> Stream for RequestBody<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match ready!(self.as_mut().poll_frame(context)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                // Trailers mean nothing here.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {

    use std::convert::Infallible;

    use futures::stream;
    use http_body_util::{Full, StreamBody};

    use super::{Activity, BodyError, Bytes, Duration, Frame, RequestBody, Stream, StreamExt};

    const IDLE: Duration = Duration::from_millis(50);

    fn chunks(
        sizes: &'static [usize],
    ) -> RequestBody<StreamBody<impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Unpin>> {
        let frames = sizes.iter().map(|size| Ok(Frame::data(Bytes::from(vec![7; *size]))));
        RequestBody::new(StreamBody::new(stream::iter(frames)), IDLE, Activity::new())
    }

    #[tokio::test]
    async fn size() {
        for (sizes, max, fits) in [
            (&[][..], 0, true),
            (&[10], 10, true),
            (&[11], 10, false),
            (&[5, 5], 10, true),
            (&[5, 6], 10, false),
            (&[1, 0, 1], 2, true),
        ] {
            let read = chunks(sizes).read(max).await;
            match read {
                Ok(bytes) => assert!(fits && bytes.len() == sizes.iter().sum::<usize>()),
                Err(error) => assert!(!fits && matches!(error, BodyError::TooLarge(_))),
            }
        }
        let mut announced = RequestBody::new(Full::new(Bytes::from(vec![0; 11])), IDLE, Activity::new());
        assert!(matches!(announced.read(10).await, Err(BodyError::TooLarge(10))));
        assert!(announced.next().await.unwrap().is_ok(), "nothing was read of a body announced too long");
    }

    #[tokio::test(start_paused = true)]
    async fn drips() {
        // Never still for as long as a body may stand still, and never done.
        let drop = || async { Some((Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"x"))), ())) };
        let frames = stream::unfold((), |()| async move {
            tokio::time::sleep(IDLE / 2).await;
            drop().await
        });
        let mut body = RequestBody::new(StreamBody::new(Box::pin(frames)), IDLE, Activity::new());
        assert!(matches!(body.read(1 << 20).await, Err(BodyError::Slow(_))));
    }

    #[tokio::test]
    async fn stands_still() {
        let body = StreamBody::new(stream::pending::<Result<Frame<Bytes>, Infallible>>());
        assert!(matches!(
            RequestBody::new(body, IDLE, Activity::new()).read(10).await,
            Err(BodyError::Idle(_))
        ));
    }
}
