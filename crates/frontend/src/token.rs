//! The token service (Docker's token specification, GET and POST): credentials in, tokens for `/v2/` out.
//!
//! What is asked for beyond what is held is left out, never an error. Wrong credentials are an error: who gave some does
//! not want to be nobody.

use std::borrow::Cow;

use auth::{AccessToken, AuthenticationError, Principal, Scope, ScopeRequest, Secret};
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use oci::ErrorCode;
use serde::Serialize;

use crate::body::RequestBody;
use crate::credentials::{Credentials, Malformed};
use crate::dispatch::Call;
use crate::error::ApiError;
use crate::query::Query;
use crate::reply::{self, Reply};

const FORM: &str = "application/x-www-form-urlencoded";
/// A form with as many scopes as are looked at, and a refresh token.
const FORM_BYTES_MAX: usize = 64 << 10;

/// The fields of an answer that clients read. No `issued_at`: docker would add the token's life to our clock's time, and
/// compare the sum with its own.
#[derive(Serialize)]
struct Answer<'a> {
    token: &'a str,
    access_token: &'a str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

/// `GET /auth/token`, with Basic credentials or none.
///
/// `offline_token=true` is heard only where the operator says so ([`auth::Settings::refresh_tokens_on_get`]).
pub(crate) async fn get(
    call: &Call<'_>,
    credentials: &Result<Credentials, Malformed>,
    query: Option<&str>,
) -> Result<Reply, ApiError> {
    let principal = match credentials {
        Ok(Credentials::None) => Principal::anonymous().coming_from(call.from),
        Ok(Credentials::Basic { username, secret }) => {
            call.app.auth.authenticate(username, secret, call.from, call.now).await.map_err(rejected)?
        }
        Ok(Credentials::Bearer(_)) => {
            return Err(sign_in("a token does not buy another; send a name and a password"));
        }
        Err(malformed) => return Err(sign_in(&malformed.to_string())),
    };
    let query = Query::new(query);
    let token = issue(call, &principal, query.all("scope")).await?;
    let asked = query.get("offline_token").as_deref() == Some("true");
    let refresh = if asked && call.app.auth.settings().refresh_tokens_on_get && !principal.is_anonymous() {
        Some(call.app.auth.issue_refresh_token(&principal, call.now).await.map_err(not_issued)?)
    } else {
        None
    };
    answer(&token, None, refresh.as_ref())
}

/// `POST /auth/token`: a password or a refresh token, in a form.
pub(crate) async fn post(call: &Call<'_>, body: &mut RequestBody) -> Result<Reply, ApiError> {
    if !is_form(call.headers) {
        return Err(malformed("the body must be a form (application/x-www-form-urlencoded)"));
    }
    let body = body.read(FORM_BYTES_MAX).await?;
    let form = Query::new(Some(std::str::from_utf8(&body).map_err(|_| malformed("the form is not UTF-8"))?));
    let auth = &call.app.auth;
    let (principal, given) = match form.get("grant_type").as_deref() {
        Some("password") => {
            let (username, password) = (needed(form, "username")?, secret(form, "password")?);
            (auth.authenticate(&username, &password, call.from, call.now).await.map_err(rejected)?, None)
        }
        Some("refresh_token") => {
            let token = secret(form, "refresh_token")?;
            (
                auth.authenticate_refresh_token(&token, call.from, call.now).await.map_err(rejected)?,
                Some(token),
            )
        }
        Some(_) => return Err(malformed("the field grant_type must be password or refresh_token")),
        None => return Err(malformed("the field grant_type is missing")),
    };
    let token = issue(call, &principal, form.all("scope")).await?;
    let refresh = match given {
        // It stays good, so that it is its own successor.
        Some(token) => Some(token),
        None if form.get("access_type").as_deref() == Some("offline") => {
            Some(auth.issue_refresh_token(&principal, call.now).await.map_err(not_issued)?)
        }
        None => None,
    };
    let granted: Vec<_> = token.granted.iter().map(Scope::to_string).collect();
    answer(&token, Some(granted.join(" ")), refresh.as_ref())
}

/// `GET /auth/jwks.json`.
pub(crate) fn keys(call: &Call<'_>) -> Result<Reply, ApiError> {
    reply::json_as(HeaderValue::from_static("application/jwk-set+json"), &call.app.auth.jwks())
}

async fn issue<'q>(
    call: &Call<'_>,
    principal: &Principal,
    scopes: impl Iterator<Item = Cow<'q, str>>,
) -> Result<AccessToken, ApiError> {
    let scopes: Vec<_> = scopes.take(auth::SCOPES_MAX).collect();
    let requested = ScopeRequest::parse_all(scopes.iter().map(|scope| &**scope));
    call.app.auth.issue_access_token(principal, &requested, call.now).await.map_err(not_issued)
}

fn answer(token: &AccessToken, scope: Option<String>, refresh: Option<&Secret>) -> Result<Reply, ApiError> {
    reply::json(&Answer {
        token: token.token.reveal(),
        access_token: token.token.reveal(),
        expires_in: token.expires_in_seconds,
        scope,
        refresh_token: refresh.map(Secret::reveal),
    })
}

/// Whether the body is a form; containerd names a character set behind the type.
fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(FORM))
}

fn needed<'q>(form: Query<'q>, field: &str) -> Result<Cow<'q, str>, ApiError> {
    form.get(field).ok_or_else(|| malformed(&format!("the field {field} is missing")))
}

fn secret(form: Query<'_>, field: &str) -> Result<Secret, ApiError> {
    Ok(Secret::new(needed(form, field)?.into_owned()))
}

/// containerd tries GET after 400, 401 and 404, and after nothing else.
fn malformed(message: &str) -> ApiError {
    ApiError::new(StatusCode::BAD_REQUEST, ErrorCode::Unsupported, message)
}

/// Here, and only here, Basic is what is asked for.
fn sign_in(message: &str) -> ApiError {
    let error = ApiError::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message);
    error.with_header(
        WWW_AUTHENTICATE,
        HeaderValue::from_static("Basic realm=\"gangplank\", charset=\"UTF-8\""),
    )
}

fn rejected(error: AuthenticationError) -> ApiError {
    match error {
        AuthenticationError::Rejected
        | AuthenticationError::Expired { .. }
        | AuthenticationError::OtherRegion { .. } => sign_in(&error.to_string()),
        AuthenticationError::Failed(auth::Error::Busy) => ApiError::busy(StatusCode::TOO_MANY_REQUESTS, 2),
        AuthenticationError::Failed(error) => error.into(),
    }
}

/// A credential that ends within the second buys nothing.
fn not_issued(error: auth::Error) -> ApiError {
    match error {
        auth::Error::Unauthenticated => sign_in("the credential is about to end"),
        other => other.into(),
    }
}
