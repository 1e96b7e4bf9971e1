//! Temporary logins for docker.

use std::time::Duration;

use axum::Json;
use http::StatusCode;

use super::document::{Conflict, Forbidden};
use super::extract::{Caller, JsonBody};
use super::problem::Problem;
use super::types::{CreatedDockerLogin, NewDockerLogin};

/// Makes a temporary login for docker, for yourself.
///
/// It is a personal token for the registry protocol alone: it pulls and pushes what you may, and manages nothing. It is
/// listed and revoked as one, and ends no later than the token it was made with, and with the access key it was made
/// with. The secret is shown this once.
#[utoipa::path(
    post,
    path = "/logins",
    tag = "tokens",
    operation_id = "createLogin",
    request_body = NewDockerLogin,
    responses(
        (status = 201, description = "Made.", body = CreatedDockerLogin),
        (status = 403, response = Forbidden),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn create(
    caller: Caller,
    JsonBody(new): JsonBody<NewDockerLogin>,
) -> Result<(StatusCode, Json<CreatedDockerLogin>), Problem> {
    let Caller { app, principal, now } = caller;
    let life = Duration::from_secs(new.expires_in_seconds);
    let (token, secret) = app.auth.create_docker_login(&principal, life, now).await?;
    let created = CreatedDockerLogin {
        id: token.id.get(),
        username: principal.name(),
        secret: secret.reveal().to_owned(),
        expires_at: token.expires_at,
    };
    Ok((StatusCode::CREATED, Json(created)))
}
