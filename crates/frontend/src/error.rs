//! What a caller of `/v2/` and `/auth/token` is told when a request fails: a status, the specification's codes and a
//! sentence. What caused it is kept beside, for the log, and never told.
//!
//! It is the one place that knows which failure of `auth` and `storage` has which status there; `/api/v1` has its own.

use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use oci::{ErrorBody, ErrorCode, ErrorEntry};

use crate::body::BodyError;
use crate::query::BadPage;
use crate::reply::{self, BoxError, Reply};
use crate::router::RouteError;

/// More errors of one kind than this are not listed in one answer.
const ENTRIES_MAX: usize = 100;

/// A failed request.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    entries: Vec<ErrorEntry>,
    headers: Box<HeaderMap>,
    source: Option<BoxError>,
}

impl ApiError {
    /// A failure with a sentence for the caller.
    pub(crate) fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> ApiError {
        let entries = vec![ErrorEntry::new(code).with_message(message)];
        ApiError { status, entries, headers: Box::default(), source: None }
    }

    /// A failure that the code says all of.
    pub(crate) fn plain(status: StatusCode, code: ErrorCode) -> ApiError {
        ApiError::new(status, code, code.message())
    }

    /// The same with another code, for clients that look for that one.
    pub(crate) fn with_code(mut self, code: ErrorCode) -> ApiError {
        self.entries.push(ErrorEntry::new(code).with_message(code.message()));
        self
    }

    /// A failure of ours.
    pub(crate) fn internal(source: impl Into<BoxError>) -> ApiError {
        let message = "the registry failed; its log says more under this answer's X-Request-Id";
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Unknown, message).caused_by(source)
    }

    /// A failure that passes: the caller should come again.
    pub(crate) fn busy(status: StatusCode, retry_after_seconds: u32) -> ApiError {
        let code = if status == StatusCode::TOO_MANY_REQUESTS {
            ErrorCode::TooManyRequests
        } else {
            ErrorCode::Unavailable
        };
        let error = ApiError::new(status, code, "the registry is busy; try again");
        error.with_header(RETRY_AFTER, HeaderValue::from(retry_after_seconds))
    }

    /// Sign in first, or better.
    pub(crate) fn unauthorized(message: impl Into<String>, challenge: &str) -> ApiError {
        let error = ApiError::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message);
        error.with_text(WWW_AUTHENTICATE, challenge)
    }

    /// The same with a header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> ApiError {
        self.headers.insert(name, value);
        self
    }

    /// The same with a header of text that has been parsed before, so that it can stand in one.
    pub(crate) fn with_text(self, name: HeaderName, value: &str) -> ApiError {
        match HeaderValue::from_str(value) {
            Ok(value) => self.with_header(name, value),
            Err(invalid) => ApiError::internal(invalid),
        }
    }

    /// The same with its cause, for the log.
    pub(crate) fn caused_by(mut self, source: impl Into<BoxError>) -> ApiError {
        self.source = Some(source.into());
        self
    }

    /// Writes it to the log, with all that caused it. The edge does this, once.
    pub(crate) fn log(&self) {
        let status = self.status.as_u16();
        let code = self.entries.first().map_or("", |entry| entry.code.as_str());
        let message = self.entries.first().map_or("", |entry| entry.message.as_str());
        let cause = self.source.as_deref().map(chain).unwrap_or_default();
        if self.status.is_server_error() {
            tracing::error!(status, code, message, cause, "request failed");
        } else {
            tracing::debug!(status, code, message, cause, "request refused");
        }
    }

    /// The answer.
    pub(crate) fn into_reply(self) -> Reply {
        let body = serde_json::to_vec(&ErrorBody { errors: self.entries }).unwrap_or_default();
        let mut reply = Response::new(reply::full(body));
        *reply.status_mut() = self.status;
        *reply.headers_mut() = *self.headers;
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        reply
    }
}

/// An error and all that caused it, on one line.
fn chain(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl From<RouteError> for ApiError {
    fn from(error: RouteError) -> ApiError {
        let (status, code) = match &error {
            RouteError::Unknown => (StatusCode::NOT_FOUND, ErrorCode::Unsupported),
            RouteError::NotEncoded => (StatusCode::BAD_REQUEST, ErrorCode::Unsupported),
            RouteError::Method { .. } => (StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported),
            RouteError::Name(_) => (StatusCode::BAD_REQUEST, ErrorCode::NameInvalid),
            RouteError::Digest(_) | RouteError::DigestMissing => {
                (StatusCode::BAD_REQUEST, ErrorCode::DigestInvalid)
            }
            RouteError::Tag(_) => (StatusCode::BAD_REQUEST, ErrorCode::TagInvalid),
            RouteError::TagUnknown => (StatusCode::NOT_FOUND, ErrorCode::ManifestUnknown),
            RouteError::UploadUnknown => (StatusCode::NOT_FOUND, ErrorCode::BlobUploadUnknown),
            RouteError::Page(BadPage) => (StatusCode::BAD_REQUEST, ErrorCode::Unsupported),
        };
        let answer = ApiError::new(status, code, error.to_string());
        match error {
            RouteError::Method { allow } => answer.with_header(ALLOW, HeaderValue::from_static(allow)),
            _ => answer,
        }
    }
}

impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> ApiError {
        ApiError::from(&error).caused_by(error)
    }
}

impl From<&BodyError> for ApiError {
    fn from(error: &BodyError) -> ApiError {
        let (status, code) = match error {
            BodyError::Idle(_) | BodyError::Slow(_) => (StatusCode::REQUEST_TIMEOUT, ErrorCode::SizeInvalid),
            BodyError::Withdrawn => (StatusCode::FORBIDDEN, ErrorCode::Denied),
            BodyError::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::SizeInvalid),
            BodyError::Broken(_) => (StatusCode::BAD_REQUEST, ErrorCode::SizeInvalid),
        };
        ApiError::new(status, code, error.to_string())
    }
}

impl From<auth::Error> for ApiError {
    /// Failures of what a route does below its access check: there the caller's rights have been looked at already.
    fn from(error: auth::Error) -> ApiError {
        match error {
            auth::Error::Busy => ApiError::busy(StatusCode::SERVICE_UNAVAILABLE, 1),
            auth::Error::Store(kv::Error::NoSpace) => no_space().caused_by(error),
            auth::Error::Forbidden | auth::Error::Unauthenticated => {
                ApiError::plain(StatusCode::FORBIDDEN, ErrorCode::Denied)
            }
            auth::Error::Limit { .. } => {
                ApiError::new(StatusCode::FORBIDDEN, ErrorCode::Denied, error.to_string())
            }
            other => ApiError::internal(other),
        }
    }
}

impl From<storage::Error> for ApiError {
    fn from(error: storage::Error) -> ApiError {
        use storage::Error;
        let (status, code) = match &error {
            Error::RepositoryGone => (StatusCode::NOT_FOUND, ErrorCode::NameUnknown),
            Error::BlobUnknown { .. } => (StatusCode::NOT_FOUND, ErrorCode::BlobUnknown),
            Error::BlobReferenced { .. } => (StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported),
            Error::ManifestUnknown => (StatusCode::NOT_FOUND, ErrorCode::ManifestUnknown),
            Error::TagExists => (StatusCode::CONFLICT, ErrorCode::TagInvalid),
            Error::ManifestInvalid(_) | Error::BlobSizeMismatch { .. } => {
                (StatusCode::BAD_REQUEST, ErrorCode::ManifestInvalid)
            }
            Error::ManifestBlobsUnknown { digests } => return blobs_unknown(digests),
            // The specification's answer to too many tags in one address.
            Error::TooManyTags { .. } => (StatusCode::URI_TOO_LONG, ErrorCode::TagInvalid),
            Error::TooMuchShared { .. } => (StatusCode::FORBIDDEN, ErrorCode::Denied),
            Error::UploadUnknown => (StatusCode::NOT_FOUND, ErrorCode::BlobUploadUnknown),
            Error::Superseded => (StatusCode::CONFLICT, ErrorCode::BlobUploadInvalid),
            Error::RangeUnsatisfiable { .. } => {
                (StatusCode::RANGE_NOT_SATISFIABLE, ErrorCode::BlobUploadInvalid)
            }
            Error::TooManyUploads { .. } => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests),
            Error::TooManySegments { .. } => (StatusCode::BAD_REQUEST, ErrorCode::BlobUploadInvalid),
            Error::SizeMismatch { .. } => (StatusCode::BAD_REQUEST, ErrorCode::SizeInvalid),
            Error::DigestMismatch { .. } => (StatusCode::BAD_REQUEST, ErrorCode::DigestInvalid),
            Error::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::SizeInvalid),
            Error::Body(body) => return broken_off(body).caused_by(error),
            Error::NoSpace => return no_space().caused_by(error),
            Error::Busy => return ApiError::busy(StatusCode::SERVICE_UNAVAILABLE, 1),
            Error::NotPermitted | Error::Places(_) | Error::Store(_) | Error::Auth(_) => {
                return ApiError::internal(error);
            }
        };
        let answer = ApiError::new(status, code, error.to_string());
        match error {
            Error::BlobReferenced { .. } => answer.with_header(ALLOW, HeaderValue::from_static("GET, HEAD")),
            Error::TooManyUploads { .. } => answer.with_header(RETRY_AFTER, HeaderValue::from_static("60")),
            _ => answer,
        }
    }
}

/// Docker shows the status line of what is not 4xx, and nothing else: 507 says there what is wrong.
fn no_space() -> ApiError {
    let message = "the registry's disk is full; its operator has to make room";
    ApiError::new(StatusCode::INSUFFICIENT_STORAGE, ErrorCode::Unavailable, message)
}

/// One error for each blob, as the specification wants it.
fn blobs_unknown(digests: &[oci::Digest]) -> ApiError {
    let entry = |digest: &oci::Digest| {
        let detail = serde_json::json!({ "digest": digest.to_string() });
        let message = format!("the manifest names blob {digest}, which this repository does not hold");
        ErrorEntry::new(ErrorCode::ManifestBlobUnknown).with_message(message).with_detail(detail)
    };
    let entries = digests.iter().take(ENTRIES_MAX).map(entry).collect();
    ApiError { entries, ..ApiError::plain(StatusCode::BAD_REQUEST, ErrorCode::ManifestBlobUnknown) }
}

fn broken_off(body: &storage::BodyError) -> ApiError {
    match body.get_ref().downcast_ref::<BodyError>() {
        Some(error) => ApiError::from(error),
        None => {
            ApiError::new(StatusCode::BAD_REQUEST, ErrorCode::SizeInvalid, "the request's body broke off")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use oci::{Algorithm, Digest};

    use super::{ApiError, BodyError, RETRY_AFTER, StatusCode};

    #[test]
    fn statuses() {
        let digest = Digest::of(Algorithm::Sha256, b"x");
        let idle = storage::BodyError::new(BodyError::Idle(Duration::from_secs(60)));
        let table = [
            (storage::Error::RepositoryGone, 404, "NAME_UNKNOWN"),
            (storage::Error::BlobReferenced { digest: digest.clone() }, 405, "UNSUPPORTED"),
            (
                storage::Error::BlobSizeMismatch { digest: Box::new(digest.clone()), said: 7, actual: 6 },
                400,
                "MANIFEST_INVALID",
            ),
            (storage::Error::ManifestBlobsUnknown { digests: vec![digest] }, 400, "MANIFEST_BLOB_UNKNOWN"),
            (storage::Error::TooManySegments { max: 9, bytes_min: 9 }, 400, "BLOB_UPLOAD_INVALID"),
            (storage::Error::TooManyTags { max: 100 }, 414, "TAG_INVALID"),
            (storage::Error::TooManyUploads { max: 9 }, 429, "TOOMANYREQUESTS"),
            (storage::Error::NoSpace, 507, "UNAVAILABLE"),
            (storage::Error::Busy, 503, "UNAVAILABLE"),
            (storage::Error::Body(idle), 408, "SIZE_INVALID"),
            (storage::Error::Store(kv::Error::InUse), 500, "UNKNOWN"),
        ];
        for (error, status, code) in table {
            let error = ApiError::from(error);
            assert_eq!((error.status.as_u16(), error.entries[0].code.as_str()), (status, code));
            if matches!(error.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
                assert!(error.headers.contains_key(RETRY_AFTER));
            }
        }
    }

    #[test]
    fn causes_are_kept_from_the_caller() {
        let error =
            ApiError::from(storage::Error::Store(kv::Error::Corrupt { what: "the secret place".to_owned() }));
        assert!(error.source.is_some());
        assert!(!format!("{:?}", error.entries).contains("secret place"));
    }
}
