//! How the server does.

use axum::Json;

use super::document::Forbidden;
use super::extract::Caller;
use super::problem::Problem;
use super::types::System;
use crate::system;

/// Shows how the server does: its version, its health, its disk, and what is cleaned up in the background.
///
/// Administrators may.
#[utoipa::path(
    get,
    path = "/system",
    tag = "system",
    operation_id = "showSystem",
    responses(
        (status = 200, description = "How the server does.", body = System),
        (status = 403, response = Forbidden)
    )
)]
pub(super) async fn show(caller: Caller) -> Result<Json<System>, Problem> {
    Ok(Json(system::report(&caller.app, &caller.principal, caller.now).await?))
}
