//! Answers that several calls give.

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::errors::SwrError;
use crate::reply::{self, Reply};

/// What a call ends with.
pub(super) type Answer = Result<Reply, SwrError>;

pub(super) const CONTENT_RANGE: HeaderName = http::header::CONTENT_RANGE;

/// JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    let body = serde_json::to_vec(value).map_err(SwrError::internal)?;
    let mut answer = Response::new(reply::full(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(answer)
}

/// Made, or changed: 201 with an empty object. Some clients fail on an empty body, and one takes nothing but 201 for a
/// change.
pub(super) fn created() -> Answer {
    json(StatusCode::CREATED, &serde_json::json!({}))
}

/// Gone.
pub(super) fn no_content() -> Reply {
    reply::status(StatusCode::NO_CONTENT)
}

/// A page of a list by offset.
pub(super) fn range(rows: &impl Serialize, range: &str) -> Answer {
    let mut answer = json(StatusCode::OK, rows)?;
    set(&mut answer, CONTENT_RANGE, range)?;
    Ok(answer)
}

/// Sets a header.
pub(super) fn set(answer: &mut Reply, name: HeaderName, value: &str) -> Result<(), SwrError> {
    answer.headers_mut().insert(name, HeaderValue::from_str(value).map_err(SwrError::internal)?);
    Ok(())
}
