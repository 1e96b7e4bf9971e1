//! The outermost layer of a request: let in, given an id and a span, answered whatever happens, logged once.

use std::hash::{BuildHasher, RandomState};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::FutureExt;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{Instrument, field};

use crate::body::RequestBody;
use crate::connection::{Activity, Admitted, Arrival};
use crate::error::ApiError;
use crate::outbox::{Direct, Outbox};
use crate::reply::{self, BoxError, CACHE_NEVER, Reply};
use crate::{App, Settings, dispatch};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// Content that others pushed must do nothing in a browser.
const SANDBOX: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");

/// The server's edge, over all connections.
pub(crate) struct Edge {
    app: App,
    admission: Arc<Semaphore>,
    ids: RequestIds,
}

impl Edge {
    pub(crate) fn new(app: App) -> Edge {
        let admission = Arc::new(Semaphore::new(app.settings.requests_max));
        Edge { app, admission, ids: RequestIds::new() }
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.app.settings
    }

    /// Answers a request, always.
    pub(crate) async fn answer(
        &self,
        mut request: Request<Incoming>,
        arrival: Arrival,
        activity: &Activity,
        outbox: Option<&Outbox>,
    ) -> Response<Answer> {
        let in_flight = activity.begin();
        let id = self.ids.next();
        let (method, path) = (request.method().clone(), request.uri().path());
        let is_registry = path.starts_with("/v2");
        // The query is left out: it may hold what is nobody's business.
        let span = tracing::info_span!("request", %id, %method, path, peer = %arrival.peer, principal = field::Empty);
        let work = async {
            let (reply, admitted) = match self.admit().await {
                Ok(slot) => {
                    let admitted = Arc::new(Admitted::new(in_flight, Some(slot)));
                    if let Some(outbox) = outbox.filter(|_| request.version() < Version::HTTP_2) {
                        let direct = Direct { outbox: outbox.clone(), admitted: Arc::clone(&admitted) };
                        request.extensions_mut().insert(direct);
                    }
                    (self.work(request, arrival, activity).await, admitted)
                }
                Err(refused) => (fail(refused), Arc::new(Admitted::new(in_flight, None))),
            };
            tracing::debug!(status = reply.status().as_u16(), "answered");
            (reply, admitted)
        };
        let (mut reply, admitted) = work.instrument(span).await;
        reply.headers_mut().insert(REQUEST_ID, id.header());
        if is_registry {
            reply.headers_mut().insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
        }
        finish(&mut reply, &method);
        reply.map(|body| Answer { body, admitted })
    }

    /// Room for one more request. A body cannot be sent twice, so that waiting is better than refusing.
    async fn admit(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        if let Ok(slot) = Arc::clone(&self.admission).try_acquire_owned() {
            return Ok(slot);
        }
        let admission = Arc::clone(&self.admission).acquire_owned();
        match tokio::time::timeout(self.settings().admission_wait_max, admission).await {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(closed)) => Err(ApiError::internal(closed)),
            Err(_) => Err(ApiError::busy(StatusCode::SERVICE_UNAVAILABLE, 5)),
        }
    }

    async fn work(&self, request: Request<Incoming>, arrival: Arrival, activity: &Activity) -> Reply {
        let idle = self.settings().body_idle_timeout;
        let request = request.map(|body| RequestBody::new(body, idle, activity.clone()));
        // A handler holds nothing that outlives its request, so that a panic leaves nothing half changed behind.
        match AssertUnwindSafe(dispatch::dispatch(&self.app, request, arrival)).catch_unwind().await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => fail(error),
            Err(_) => fail(ApiError::internal("a handler panicked")),
        }
    }
}

fn fail(error: ApiError) -> Reply {
    error.log();
    error.into_reply()
}

/// What all answers have in common.
fn finish(reply: &mut Reply, method: &Method) {
    let headers = reply.headers_mut();
    headers.entry(X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(SANDBOX);
    headers.entry(CACHE_CONTROL).or_insert(CACHE_NEVER);
    if *method == Method::HEAD {
        // The length that GET would have; over HTTP/2, hyper would send the body too.
        if let (false, Some(length)) =
            (reply.headers().contains_key(CONTENT_LENGTH), reply.body().size_hint().exact())
        {
            reply.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        *reply.body_mut() = reply::empty();
    }
}

/// An answer's body.
pub(crate) struct Answer {
    body: reply::Body,
    admitted: Arc<Admitted>,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.admitted.touch();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The ids of requests: unlike each other, over restarts too, and of no further meaning.
struct RequestIds {
    process: RandomState,
    count: AtomicU64,
}

impl RequestIds {
    fn new() -> RequestIds {
        RequestIds { process: RandomState::new(), count: AtomicU64::new(0) }
    }

    fn next(&self) -> RequestId {
        RequestId(self.process.hash_one(self.count.fetch_add(1, Ordering::Relaxed)))
    }
}

#[derive(Debug, Clone, Copy)]
struct RequestId(u64);

impl RequestId {
    fn header(self) -> HeaderValue {
        // Sixteen hexadecimal digits are always a header's value.
        HeaderValue::try_from(self.to_string()).unwrap_or(HeaderValue::from_static("0"))
    }
}

impl std::fmt::Display for RequestId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
