//! Who asks, and whether they may: credentials and a route's access in, a [`Permit`] or a refusal out.
//!
//! Refusals are the same on every route of `/v2/`: 401 with a Bearer challenge, 403 or 404, as [`Denied`] has it.

use std::net::IpAddr;

use auth::{Action, AuthenticationError, Denied, Permit, Principal, PushAccess, Secret};
use http::StatusCode;
use jiff::Timestamp;
use oci::{ErrorCode, RepositoryName};
use storage::UploadId;

use crate::App;
use crate::challenge::{Challenge, Fault};
use crate::credentials::{Credentials, Malformed};
use crate::error::ApiError;
use crate::router::Step;

/// The check before one request.
pub(crate) struct Gate<'a> {
    pub(crate) app: &'a App,
    pub(crate) credentials: Result<Credentials, Malformed>,
    pub(crate) challenge: Challenge<'a>,
    pub(crate) from: Option<IpAddr>,
    pub(crate) now: Timestamp,
}

impl Gate<'_> {
    /// Who asks; nobody, when nothing was offered.
    pub(crate) async fn principal(&self) -> Result<Principal, ApiError> {
        let auth = &self.app.auth;
        let principal = match &self.credentials {
            Ok(Credentials::None) => Ok(Principal::anonymous().coming_from(self.from)),
            Ok(Credentials::Basic { username, secret }) => {
                auth.authenticate(username, secret, self.from, self.now).await
            }
            Ok(Credentials::Bearer(token)) => {
                auth.authenticate_access_token(token.reveal(), self.from, self.now).await
            }
            Err(malformed) => return Err(self.unauthorized(&format!("{malformed}"), Fault::None)),
        };
        principal.map(recorded).map_err(|error| self.rejected(error))
    }

    /// Who asks. Nothing offered is not enough, whatever is public: a client that is let in without its credentials
    /// would leave them off from then on. A token that anybody gets is.
    pub(crate) async fn signed_in(&self) -> Result<Principal, ApiError> {
        if matches!(self.credentials, Ok(Credentials::None)) {
            return Err(self.unauthorized("sign in first", Fault::None));
        }
        self.principal().await
    }

    /// The permit for `action` on a repository that exists.
    pub(crate) async fn permit(&self, name: &RepositoryName, action: Action) -> Result<Permit, ApiError> {
        self.permit_if_any(name, action).await?.ok_or_else(|| self.denied(Denied::Vacant))
    }

    /// The same; `None` when there is no such repository, and the caller may know that.
    pub(crate) async fn permit_if_any(
        &self,
        name: &RepositoryName,
        action: Action,
    ) -> Result<Option<Permit>, ApiError> {
        let principal = self.principal().await?;
        match self.app.auth.authorize(&principal, name, action, self.now).await {
            Ok(permit) => Ok(Some(permit)),
            Err(Denied::Vacant) => Ok(None),
            Err(denied) => Err(self.denied(denied)),
        }
    }

    /// The right to push to a repository that exists or not.
    pub(crate) async fn push_access(&self, name: &RepositoryName) -> Result<PushAccess, ApiError> {
        let principal = self.principal().await?;
        match self.app.auth.authorize_push(&principal, name, self.now).await {
            Ok(access) => Ok(access),
            // Docker's older engines push again and again, for most of a minute, when they read NAME_UNKNOWN first.
            Err(Denied::NotFound | Denied::Vacant) => {
                let refusal = ApiError::plain(StatusCode::NOT_FOUND, ErrorCode::Denied);
                Err(refusal.with_code(ErrorCode::NameUnknown))
            }
            Err(denied) => Err(self.denied(denied)),
        }
    }

    /// The permit to go on with an upload. An access token that has expired meanwhile is good for it, as long as the
    /// right stands: a long push would fail otherwise.
    pub(crate) async fn upload_permit(
        &self,
        name: &RepositoryName,
        id: UploadId,
        step: &Step,
    ) -> Result<Permit, ApiError> {
        let (principal, expired_at) = match &self.credentials {
            Ok(Credentials::Bearer(token)) => self.upload_principal(token).await?,
            _ if step.brings_body() => (self.principal_of_body().await?, None),
            _ => (self.principal().await?, None),
        };
        let permit = self.app.auth.authorize(&principal, name, Action::Push, self.now).await;
        let permit = permit.map_err(|denied| self.denied(denied))?;
        if let Some(at) = expired_at {
            let upload = self.app.storage.upload(&permit, id, self.now).await?;
            if upload.created_at >= at {
                return Err(self.rejected(AuthenticationError::Expired { at }));
            }
        }
        Ok(permit)
    }

    /// Who asks with a body. A streamed one cannot be sent twice: it waits for the sign-in that other requests are told to
    /// come back for.
    async fn principal_of_body(&self) -> Result<Principal, ApiError> {
        match &self.credentials {
            Ok(Credentials::Basic { username, secret }) => {
                let found = self.app.auth.authenticate_for_body(username, secret, self.from, self.now).await;
                found.map(recorded).map_err(|error| self.rejected(error))
            }
            _ => self.principal().await,
        }
    }

    async fn upload_principal(&self, token: &Secret) -> Result<(Principal, Option<Timestamp>), ApiError> {
        let found = self.app.auth.authenticate_for_upload(token.reveal(), self.from, self.now).await;
        let (principal, expired_at) = found.map_err(|error| self.rejected(error))?;
        Ok((recorded(principal), expired_at))
    }

    /// The answer to credentials that stand for nobody.
    fn rejected(&self, error: AuthenticationError) -> ApiError {
        let is_token = matches!(self.credentials, Ok(Credentials::Bearer(_)));
        match error {
            AuthenticationError::Failed(auth::Error::Busy) => {
                ApiError::busy(StatusCode::TOO_MANY_REQUESTS, 2)
            }
            AuthenticationError::Failed(error) => ApiError::from(error),
            error if is_token => self.unauthorized(&error.to_string(), Fault::InvalidToken),
            error => self.unauthorized(&error.to_string(), Fault::None),
        }
    }

    /// The answer to who may not.
    pub(crate) fn denied(&self, denied: Denied) -> ApiError {
        let is_token = matches!(self.credentials, Ok(Credentials::Bearer(_)));
        match denied {
            // Anybody's token: without an error, containerd would send it again.
            Denied::Unauthenticated if is_token => {
                self.unauthorized("sign in first", Fault::InsufficientScope)
            }
            Denied::Unauthenticated => self.unauthorized("sign in first", Fault::None),
            Denied::InsufficientScope { .. } => self
                .unauthorized("the token does not carry the scope that this needs", Fault::InsufficientScope),
            Denied::Forbidden => ApiError::plain(StatusCode::FORBIDDEN, ErrorCode::Denied),
            Denied::NotFound | Denied::Vacant => {
                ApiError::plain(StatusCode::NOT_FOUND, ErrorCode::NameUnknown)
            }
            Denied::Failed(error) => ApiError::from(error),
        }
    }

    pub(crate) fn unauthorized(&self, message: &str, fault: Fault) -> ApiError {
        ApiError::unauthorized(message, &self.challenge.header(fault))
    }
}

/// The principal, whose name the request's log then has.
fn recorded(principal: Principal) -> Principal {
    tracing::Span::current().record("principal", principal.name());
    principal
}
