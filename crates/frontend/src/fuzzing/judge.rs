//! What every answer has to be, whatever was asked.

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderName, Method, StatusCode, response};
use oci::ErrorCode;
use serde_json::Value;

/// The part of a request that its answer is judged by.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
}

/// Judges an answer: no failure of ours, and a refusal that a client can read.
pub(super) fn judge(asked: &Asked, answer: &response::Parts, body: &Bytes) {
    let what = format!("{} {} {answer:?} {body:?}", asked.method, asked.path);
    let status = answer.status;
    assert!(!status.is_server_error(), "{what}");
    let header = |name: HeaderName| answer.headers.get(name).and_then(|value| value.to_str().ok());
    if asked.method == Method::HEAD {
        assert!(body.is_empty(), "{what}");
    } else if let Some(length) = header(CONTENT_LENGTH) {
        assert_eq!(length, body.len().to_string(), "{what}");
    }
    if !status.is_client_error() {
        return;
    }
    let is_api = asked.path == "/api/v1" || asked.path.starts_with("/api/v1/");
    if asked.method != Method::HEAD {
        match is_api {
            true => problem(status, header(CONTENT_TYPE), body, &what),
            false => errors(header(CONTENT_TYPE), body, &what),
        }
    }
    if status == StatusCode::UNAUTHORIZED {
        assert!(header(WWW_AUTHENTICATE).is_some(), "{what}");
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        assert!(header(ALLOW).is_some(), "{what}");
    }
}

/// The distribution specification's errors, "Error Codes".
fn errors(content_type: Option<&str>, body: &Bytes, what: &str) {
    assert_eq!(content_type, Some("application/json"), "{what}");
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let errors = body["errors"].as_array().filter(|errors| !errors.is_empty());
    assert!(errors.is_some(), "{what}");
    for error in errors.into_iter().flatten() {
        let code = error["code"].as_str().unwrap_or_default();
        assert!(ErrorCode::ALL.iter().any(|known| known.as_str() == code), "{what}");
        assert!(error["message"].is_string(), "{what}");
    }
}

/// A problem of RFC 9457.
fn problem(status: StatusCode, content_type: Option<&str>, body: &Bytes, what: &str) {
    assert_eq!(content_type, Some("application/problem+json"), "{what}");
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    assert_eq!(body["status"], status.as_u16(), "{what}");
    assert!(body["code"].is_string(), "{what}");
}
