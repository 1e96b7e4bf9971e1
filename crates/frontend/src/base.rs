//! end-1, and whether the process lives and works.

use http::StatusCode;
use kv::Key;

use crate::App;
use crate::dispatch::Call;
use crate::error::ApiError;
use crate::reply::{self, Reply};

/// `GET /v2/`: this is a registry, and the credentials are good.
pub(crate) fn version() -> Result<Reply, ApiError> {
    reply::json(&serde_json::json!({}))
}

/// `GET /healthz`: the process lives.
pub(crate) fn health() -> Result<Reply, ApiError> {
    Ok(reply::status(StatusCode::OK))
}

/// `GET /readyz`: the metadata answers.
pub(crate) async fn ready(call: &Call<'_>) -> Result<Reply, ApiError> {
    match metadata_answers(call.app).await {
        Ok(()) => Ok(reply::status(StatusCode::OK)),
        Err(error) => Err(ApiError::busy(StatusCode::SERVICE_UNAVAILABLE, 5).caused_by(error)),
    }
}

/// Whether the metadata answers.
pub(crate) async fn metadata_answers(app: &App) -> Result<(), kv::Error> {
    app.auth.store().get_bytes(Key::Schema).await.map(drop)
}
