//! Answers: their bodies, and the headers that several of them share.

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, InvalidHeaderValue, LINK,
    LOCATION,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use oci::Digest;
use serde::Serialize;

use crate::error::ApiError;

/// What may break a body off.
pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// The body of any answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, BoxError>;
/// Any answer.
pub(crate) type Reply = Response<Body>;

pub(crate) const DOCKER_CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
pub(crate) const DOCKER_UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");
pub(crate) const OCI_FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
pub(crate) const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
pub(crate) const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");

/// What a digest names never changes. Private: what may be read is decided for each request, so that no shared cache may
/// answer in our place.
pub(crate) const CACHE_IMMUTABLE: HeaderValue =
    HeaderValue::from_static("private, max-age=31536000, immutable");
/// What a tag names changes.
pub(crate) const CACHE_REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Everything else, and above all tokens.
pub(crate) const CACHE_NEVER: HeaderValue = HeaderValue::from_static("no-store");

/// A body of nothing.
pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body of bytes.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// An answer of content, with room for its headers: one that grows is copied.
pub(crate) fn content(body: Body) -> Reply {
    const HEADERS: usize = 12;
    let mut reply = Response::new(body);
    reply.headers_mut().reserve(HEADERS);
    reply
}

/// A status without a body.
pub(crate) fn status(status: StatusCode) -> Reply {
    let mut reply = Response::new(empty());
    *reply.status_mut() = status;
    // 204 and 304 have no length to tell (RFC 9110, section 8.6).
    if !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        reply.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
    }
    reply
}

/// 200 with JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<Reply, ApiError> {
    json_as(HeaderValue::from_static("application/json"), value)
}

/// 200 with JSON of a media type of its own.
pub(crate) fn json_as(media_type: HeaderValue, value: &impl Serialize) -> Result<Reply, ApiError> {
    let body = serde_json::to_vec(value).map_err(ApiError::internal)?;
    let mut reply = Response::new(full(body));
    reply.headers_mut().insert(CONTENT_TYPE, media_type);
    Ok(reply)
}

/// Sets a header to text that came from outside.
///
/// # Errors
/// 500 when the text cannot stand in a header: all that reaches this has been parsed before.
pub(crate) fn set(
    reply: &mut Reply,
    name: HeaderName,
    value: impl TryInto<HeaderValue, Error = InvalidHeaderValue>,
) -> Result<(), ApiError> {
    reply.headers_mut().insert(name, value.try_into().map_err(ApiError::internal)?);
    Ok(())
}

/// Sets where the thing is.
///
/// Locations are relative: so they stay on the host, port and scheme that the client used, whatever proxy stands
/// between. All clients resolve them against the request's address.
pub(crate) fn locate(reply: &mut Reply, path: &str) -> Result<(), ApiError> {
    set(reply, LOCATION, path)
}

/// Sets the address of the next page.
pub(crate) fn link_next(reply: &mut Reply, path: &str) -> Result<(), ApiError> {
    set(reply, LINK, format!("<{path}>; rel=\"next\""))
}

/// Sets the headers of content that a digest names.
pub(crate) fn identify(reply: &mut Reply, digest: &Digest, cache: HeaderValue) -> Result<(), ApiError> {
    let digest = digest.to_string();
    let tag = ["\"", &digest, "\""].concat();
    set(reply, DOCKER_CONTENT_DIGEST, digest)?;
    set(reply, ETAG, tag)?;
    reply.headers_mut().insert(CACHE_CONTROL, cache);
    Ok(())
}

/// Whether the client has the content already (`If-None-Match`, RFC 9110, section 13.1.2).
pub(crate) fn is_known(headers: &HeaderMap, digest: &Digest) -> bool {
    if !headers.contains_key(IF_NONE_MATCH) {
        return false;
    }
    let etag = format!("\"{digest}\"");
    headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    })
}

#[cfg(test)]
mod tests {

    use oci::Algorithm;

    use super::{Digest, HeaderMap, HeaderValue, IF_NONE_MATCH, is_known};

    #[test]
    fn if_none_match() {
        let digest = Digest::of(Algorithm::Sha256, b"x");
        for (value, known) in [
            (format!("\"{digest}\""), true),
            (format!("W/\"{digest}\""), true),
            (format!("\"other\", \"{digest}\""), true),
            ("*".to_owned(), true),
            (digest.to_string(), false),
            ("\"other\"".to_owned(), false),
            (String::new(), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(IF_NONE_MATCH, HeaderValue::from_str(&value).unwrap());
            assert_eq!(is_known(&headers, &digest), known, "{value}");
        }
        assert!(!is_known(&HeaderMap::new(), &digest));
    }
}
