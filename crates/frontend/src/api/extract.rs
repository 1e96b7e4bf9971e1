//! What a handler takes from a request: who calls ([`Caller`]), what the path names ([`At`]) and what the body says
//! ([`JsonBody`]). The query is [`super::query`]'s.
//!
//! The caller is established first, before a byte of the body is read.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use auth::{AccessKeyId, AccountName, Principal, RefusedChange, ShareId, TokenId, UserName, WebhookId};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::Timestamp;
use oci::{NamespaceName, RepositoryName, Tag};
use serde::de::DeserializeOwned;

use super::BASE;
use super::problem::{Code, Problem, of_field};
use crate::App;
use crate::credentials::Credentials;
use crate::json::{self, JsonError};

/// The largest body: twice what 500 shares of the longest names need, and no other request needs as much.
const BODY_BYTES_MAX: usize = 256 << 10;
/// The largest body of a directory of accounts.
const DIRECTORY_BYTES_MAX: usize = 64 << 20;
/// How long a whole body may take.
const BODY_TIME_MAX: Duration = Duration::from_secs(30);

/// Where a request comes from, if that is known.
#[derive(Clone, Copy)]
pub(super) struct Source(pub(super) Option<IpAddr>);

/// Who calls, when, and what of.
#[derive(Clone)]
pub(super) struct Caller {
    /// The registry.
    pub(super) app: App,
    /// Never anonymous.
    pub(super) principal: Principal,
    /// The instant of the request.
    pub(super) now: Timestamp,
}

/// The middleware around every handler but the document's: no handler runs without a [`Caller`], and the trail has what it
/// refused to change.
pub(super) async fn sign_in(request: Request, next: Next) -> Result<Response, Problem> {
    let (mut parts, body) = request.into_parts();
    let caller = caller(&parts).await?;
    let change = if parts.method.is_safe() { None } else { Some(Change::of(&mut parts).await?) };
    parts.extensions.insert(caller.clone());
    let response = next.run(Request::from_parts(parts, body)).await;
    if let Some(change) = change
        && response.status() == StatusCode::FORBIDDEN
    {
        let refused = RefusedChange {
            call: &change.call,
            subject: &change.subject,
            repository: change.repository.as_ref(),
        };
        caller.app.auth.note_refused_change(&caller.principal, refused, caller.now).await?;
    }
    Ok(response)
}

/// What a request is to change, as a refusal of it is told.
struct Change {
    call: String,
    /// What the path names first; the path, if that is nothing.
    subject: String,
    repository: Option<RepositoryName>,
}

impl Change {
    async fn of(parts: &mut Parts) -> Result<Self, Problem> {
        let segments = segments(parts, &()).await?;
        let path = format!("{BASE}{}", parts.uri.path());
        let first = segments.iter().next();
        let named = first.filter(|(name, _)| *name == RepositoryName::NAME).map(|(_, text)| text);
        Ok(Self {
            call: format!("{} {path}", parts.method),
            subject: first.map_or(path.as_str(), |(_, text)| text).to_owned(),
            // What is none is refused for that.
            repository: named.and_then(|name| RepositoryName::parse(name).ok()),
        })
    }
}

async fn caller(parts: &Parts) -> Result<Caller, Problem> {
    let app = parts.extensions.get::<App>().cloned().ok_or_else(Problem::internal)?;
    let Source(from) = parts.extensions.get().copied().ok_or_else(Problem::internal)?;
    let now = app.clock.now();
    let principal = match Credentials::parse(&parts.headers) {
        Ok(Credentials::None) => return Err(Problem::sign_in("Sign in.")),
        Ok(Credentials::Basic { username, secret }) => {
            app.auth.authenticate(&username, &secret, from, now).await?
        }
        Ok(Credentials::Bearer(token)) => app.auth.authenticate_personal_token(&token, from, now).await?,
        Err(malformed) => return Err(Problem::sign_in(&format!("{malformed}."))),
    };
    Ok(Caller { app, principal, now })
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Caller>().cloned().ok_or_else(Problem::internal)
    }
}

/// A part of the path that names something.
pub(super) trait Segment: Sized {
    /// Its name in the route.
    const NAME: &str;

    /// Reads it, already percent-decoded.
    fn parse(text: &str) -> Result<Self, Problem>;
}

macro_rules! segments {
    ($($segment:ty: $name:literal, $parse:expr;)+) => {$(
        impl Segment for $segment {
            const NAME: &str = $name;

            fn parse(text: &str) -> Result<Self, Problem> {
                of_field(Self::NAME, $parse(text))
            }
        }
    )+};
}

segments! {
    AccountName: "account", AccountName::parse;
    NamespaceName: "namespace", NamespaceName::parse;
    RepositoryName: "repository", RepositoryName::parse;
    Tag: "tag", Tag::parse;
    AccessKeyId: "access_key", AccessKeyId::parse;
    ShareId: "id", ShareId::from_str;
    TokenId: "id", TokenId::from_str;
    WebhookId: "webhook", WebhookId::from_str;
}

/// A user, by its name within an account (`dev`), or by its whole name (`dev@acme`).
pub(super) struct Login {
    user: UserName,
    account: Option<AccountName>,
}

impl Segment for Login {
    const NAME: &str = "user";

    fn parse(text: &str) -> Result<Self, Problem> {
        let (user, account) = match text.rsplit_once('@') {
            Some((user, account)) => (user, Some(of_field(Self::NAME, AccountName::parse(account))?)),
            None => (text, None),
        };
        Ok(Self { user: of_field(Self::NAME, UserName::parse(user))?, account })
    }
}

impl Login {
    /// The user's name within its account.
    pub(super) fn user(&self) -> &UserName {
        &self.user
    }

    /// The user's name within `account`, which must be the one stated.
    pub(super) fn within(&self, account: &AccountName) -> Result<&UserName, Problem> {
        match &self.account {
            Some(stated) if stated != account => {
                let detail = format!("A user of {account} is meant here, not one of {stated}.");
                Err(Problem::new(Code::NotFound, detail).field(Self::NAME))
            }
            _ => Ok(&self.user),
        }
    }
}

/// What the path names: one thing, or a thing and one below it.
pub(super) struct At<T>(pub(super) T);

impl<S: Send + Sync, A: Segment> FromRequestParts<S> for At<A> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let segments = segments(parts, state).await?;
        Ok(At(segment(&segments)?))
    }
}

impl<S: Send + Sync, A: Segment, B: Segment> FromRequestParts<S> for At<(A, B)> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let segments = segments(parts, state).await?;
        Ok(At((segment(&segments)?, segment(&segments)?)))
    }
}

async fn segments<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<RawPathParams, Problem> {
    RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| Problem::new(Code::Invalid, "The path must be percent-encoded UTF-8."))
}

fn segment<T: Segment>(segments: &RawPathParams) -> Result<T, Problem> {
    let text = segments.iter().find(|(name, _)| *name == T::NAME).map(|(_, text)| text);
    T::parse(text.ok_or_else(Problem::internal)?)
}

/// A body of JSON: one object of the fields of `T`, and nothing else.
pub(super) struct JsonBody<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read(request, BODY_BYTES_MAX).await.map(JsonBody)
    }
}

/// The same for a directory of accounts, which is long: nobody's but an administrator's is read.
pub(super) struct AdministratorsBody<T>(pub(super) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for AdministratorsBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let caller = request.extensions().get::<Caller>().ok_or_else(Problem::internal)?;
        if !caller.principal.is_administrator() {
            return Err(auth::Error::Forbidden.into());
        }
        read(request, DIRECTORY_BYTES_MAX).await.map(AdministratorsBody)
    }
}

/// Reads a body of at most `bytes_max`.
async fn read<T: DeserializeOwned>(request: Request, bytes_max: usize) -> Result<T, Problem> {
    let (parts, body) = request.into_parts();
    if !is_json(&parts) {
        let detail = "Send the body as JSON, with `Content-Type: application/json`.";
        return Err(Problem::new(Code::NotJson, detail));
    }
    let body = tokio::time::timeout(BODY_TIME_MAX, Limited::new(body, bytes_max).collect())
        .await
        .map_err(|_| {
            let detail = format!("The body did not arrive within {} seconds.", BODY_TIME_MAX.as_secs());
            Problem::new(Code::BodyTimeout, detail)
        })?
        .map_err(|error| unreadable(error.as_ref(), bytes_max))?;
    // A body takes its time: what was revoked while it came bites.
    let Caller { app, principal, .. } = parts.extensions.get::<Caller>().ok_or_else(Problem::internal)?;
    if !app.auth.still_good(principal, app.clock.now()).await? {
        return Err(Problem::sign_in("The credentials ended while the body came."));
    }
    Ok(json::object(&body.to_bytes())?)
}

fn is_json(parts: &Parts) -> bool {
    let Some(value) = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else {
        return false;
    };
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn unreadable(error: &(dyn std::error::Error + 'static), bytes_max: usize) -> Problem {
    if error.is::<LengthLimitError>() {
        let detail = format!("The body is larger than {bytes_max} bytes.");
        return Problem::new(Code::BodyTooLarge, detail);
    }
    Problem::new(Code::BodyIncomplete, "The body ended before its promised length.")
}

impl From<JsonError> for Problem {
    fn from(error: JsonError) -> Problem {
        let code = match &error {
            JsonError::Empty(_) | JsonError::Kind(_) | JsonError::Malformed(_) => Code::BodyMalformed,
            JsonError::Unknown { .. } => Code::FieldUnknown,
            JsonError::Missing { .. } => Code::FieldMissing,
            JsonError::Repeated { .. } | JsonError::Misfit { .. } => Code::Invalid,
        };
        let problem = Problem::new(code, format!("{error}."));
        match error.field() {
            Some(field) => problem.field(field.to_owned()),
            None => problem,
        }
    }
}
