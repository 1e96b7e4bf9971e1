//! From a request to its handler: parse the route, check its access once, do it.

use std::net::IpAddr;
use std::time::Duration;

use auth::{Action, Permit};
use http::header::EXPECT;
use http::request::Parts;
use http::{HeaderMap, Request, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt;
use jiff::Timestamp;
use oci::{ErrorCode, RepositoryName};
use storage::UploadId;

use crate::body::{BodyError, RequestBody};
use crate::challenge::Challenge;
use crate::connection::Arrival;
use crate::credentials::Credentials;
use crate::error::ApiError;
use crate::gate::Gate;
use crate::outbox::Direct;
use crate::reply::Reply;
use crate::router::{self, Existing, Open, Operation, Push, Route, Step};
use crate::swr::{self, Asked};
use crate::{
    App, ExternalUrl, api, base, blobs, catalog, client, console, manifests, origin, referrers, tags, token,
    uploads,
};

/// What is read of a refused request's body, so that its sender comes to read the refusal.
const REFUSED_BODY_BYTES_MAX: usize = 16 << 20;
const REFUSED_BODY_WAIT_MAX: Duration = Duration::from_secs(5);

/// A request on its way to a handler.
pub(crate) struct Call<'a> {
    pub(crate) app: &'a App,
    pub(crate) headers: &'a HeaderMap,
    /// Where it comes from, if that is known ([`client`]).
    pub(crate) from: Option<IpAddr>,
    pub(crate) now: Timestamp,
    /// How its answer sends files, if it can.
    pub(crate) direct: Option<&'a Direct>,
}

impl Call<'_> {
    /// Looks again whether `permit` would be given, before what was asked for is done: a body takes its time, and what
    /// was revoked meanwhile bites.
    pub(crate) async fn confirm(&self, permit: &Permit) -> Result<(), BodyError> {
        match self.app.auth.still_open(permit, self.app.clock.now()).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(BodyError::Withdrawn),
            Err(error) => {
                tracing::error!(%error, "a right could not be looked at again; it is taken to have ended");
                Err(BodyError::Withdrawn)
            }
        }
    }
}

/// Answers a request.
pub(crate) async fn dispatch(
    app: &App,
    request: Request<RequestBody>,
    arrival: Arrival,
) -> Result<Reply, ApiError> {
    let (parts, mut body) = request.into_parts();
    let route = router::parse(&parts.method, parts.uri.path(), parts.uri.query());
    if matches!(route, Ok(Route::Open(Open::Api))) {
        let from = client::address(&parts.headers, arrival.peer.ip(), &app.settings);
        let reply = api::respond(app, Request::from_parts(parts, body), from).await;
        return Ok(reply.map(|body| body.map_err(Into::into).boxed_unsync()));
    }
    if matches!(route, Ok(Route::Open(Open::Console))) {
        let from = client::address(&parts.headers, arrival.peer.ip(), &app.settings);
        let origin = origin_of(&parts, arrival, app)?;
        let reply = console::respond(app, Request::from_parts(parts, body), from, origin).await;
        return Ok(reply.map(|body| body.map_err(Into::into).boxed_unsync()));
    }
    if let Some(asked) = Asked::of(&parts, &route) {
        let reply = swr::respond(app, &parts, &mut body, arrival, asked).await;
        if !reply.status().is_success() {
            let_finish(&parts, &mut body).await;
        }
        return Ok(reply);
    }
    let outcome = match route {
        Ok(route) => perform(app, &parts, &mut body, arrival, route).await,
        Err(error) => Err(error.into()),
    };
    if outcome.is_err() {
        let_finish(&parts, &mut body).await;
    }
    outcome
}

/// Reads what is left of a refused request's body. Who waits for a "100 Continue" has not begun to send.
async fn let_finish(parts: &Parts, body: &mut RequestBody) {
    if !body.is_end_stream() && !parts.headers.contains_key(EXPECT) {
        body.drain(REFUSED_BODY_BYTES_MAX, REFUSED_BODY_WAIT_MAX).await;
    }
}

fn origin_of(parts: &Parts, arrival: Arrival, app: &App) -> Result<ExternalUrl, ApiError> {
    origin::of(parts, arrival, &app.settings).map_err(|origin::BadHost| {
        ApiError::new(StatusCode::BAD_REQUEST, ErrorCode::Unsupported, "the request names no valid host")
    })
}

async fn perform(
    app: &App,
    parts: &Parts,
    body: &mut RequestBody,
    arrival: Arrival,
    route: Route,
) -> Result<Reply, ApiError> {
    let origin = origin_of(parts, arrival, app)?;
    let from = client::address(&parts.headers, arrival.peer.ip(), &app.settings);
    let direct = parts.extensions.get();
    let call = Call { app, headers: &parts.headers, from, now: app.clock.now(), direct };
    let credentials = Credentials::parse(&parts.headers);
    let service = app.auth.settings().service.as_str();
    let challenge = Challenge { origin: &origin, service, scopes: route.access().scopes() };
    let gate = Gate { app, credentials, challenge, from, now: call.now };
    match route {
        Route::Open(open) => anybody(&call, &gate, parts.uri.query(), body, open).await,
        Route::Base => {
            gate.signed_in().await?;
            base::version()
        }
        Route::Catalog(page) => catalog::list(&gate, &page).await,
        Route::Repository(name, operation) => repository(&call, &gate, body, &name, operation).await,
    }
}

async fn anybody(
    call: &Call<'_>,
    gate: &Gate<'_>,
    query: Option<&str>,
    body: &mut RequestBody,
    open: Open,
) -> Result<Reply, ApiError> {
    match open {
        Open::Health => base::health(),
        Open::Ready => base::ready(call).await,
        Open::Token => token::get(call, &gate.credentials, query).await,
        Open::TokenForm => token::post(call, body).await,
        Open::Keys => token::keys(call),
        // Handed over before: it takes the request whole.
        Open::Api | Open::Console => {
            Err(ApiError::internal("a request that routes itself came to the registry's handlers"))
        }
    }
}

async fn repository(
    call: &Call<'_>,
    gate: &Gate<'_>,
    body: &mut RequestBody,
    name: &RepositoryName,
    operation: Operation,
) -> Result<Reply, ApiError> {
    match operation {
        Operation::Referrers(which) => {
            referrers::list(call, gate.permit_if_any(name, Action::Pull).await?.as_ref(), &which).await
        }
        Operation::Existing(operation) => {
            existing(call, gate.permit(name, operation.action()).await?, operation).await
        }
        // A future has room for its largest part, for as long as it lives: in a box, a write takes none of a pull's.
        Operation::Push(push) => Box::pin(pushing(call, gate, body, name, push)).await,
        Operation::Upload(id, step) => Box::pin(uploading(call, gate, body, name, id, step)).await,
    }
}

async fn pushing(
    call: &Call<'_>,
    gate: &Gate<'_>,
    body: &mut RequestBody,
    name: &RepositoryName,
    push: Push,
) -> Result<Reply, ApiError> {
    let access = gate.push_access(name).await?;
    match push {
        Push::Blob(start) => uploads::start(call, gate, body, access, start).await,
        Push::Manifest { reference, tags } => manifests::put(call, gate, body, access, reference, tags).await,
    }
}

async fn uploading(
    call: &Call<'_>,
    gate: &Gate<'_>,
    body: &mut RequestBody,
    name: &RepositoryName,
    id: UploadId,
    step: Step,
) -> Result<Reply, ApiError> {
    let permit = gate.upload_permit(name, id, &step).await?;
    match step {
        Step::Status => uploads::status(call, &permit, id).await,
        Step::Append => uploads::append(call, body, &permit, id).await,
        Step::Finish(digest) => uploads::finish(call, body, &permit, id, &digest).await,
        Step::Cancel => uploads::cancel(call, &permit, id).await,
    }
}

async fn existing(call: &Call<'_>, permit: Permit, operation: Existing) -> Result<Reply, ApiError> {
    match operation {
        Existing::StatBlob(digest) => blobs::stat(call, &permit, &digest).await,
        Existing::ReadBlob(digest) => blobs::read(call, permit, &digest).await,
        Existing::DeleteBlob(digest) => Box::pin(blobs::delete(call, &permit, &digest)).await,
        Existing::StatManifest(reference) => manifests::stat(call, &permit, &reference).await,
        Existing::ReadManifest(reference) => manifests::read(call, permit, &reference).await,
        Existing::DeleteManifest(digest) => Box::pin(manifests::delete(call, &permit, &digest)).await,
        Existing::DeleteTag(tag) => Box::pin(tags::delete(call, &permit, &tag)).await,
        Existing::ListTags(page) => tags::list(call, &permit, &page).await,
    }
}
