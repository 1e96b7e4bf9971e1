//! end-2 and end-10: reading, looking for and deleting a blob.

use std::ops::Range;

use auth::Permit;
use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, StatusCode};
use oci::{Digest, ErrorCode};
use storage::Blob;

use crate::dispatch::Call;
use crate::error::ApiError;
use crate::lease::{Sending, Sent};
use crate::ranges::{self, Selection};
use crate::reply::{self, CACHE_IMMUTABLE, Reply};
use crate::transfer::{self, Part};

const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// `HEAD /v2/<name>/blobs/<digest>`.
pub(crate) async fn stat(call: &Call<'_>, permit: &Permit, digest: &Digest) -> Result<Reply, ApiError> {
    let found = call.app.storage.stat_blob(permit, digest, call.now).await?;
    let reply = if reply::is_known(call.headers, digest) {
        reply::status(StatusCode::NOT_MODIFIED)
    } else {
        let mut reply = reply::content(reply::empty());
        reply.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(found.size));
        reply.headers_mut().insert(CONTENT_TYPE, OCTETS);
        reply
    };
    identified(reply, digest)
}

/// `GET /v2/<name>/blobs/<digest>`, whole or in ranges.
pub(crate) async fn read(call: &Call<'_>, permit: Permit, digest: &Digest) -> Result<Reply, ApiError> {
    let blob = call.app.storage.open_blob(&permit, digest, call.now).await?;
    if reply::is_known(call.headers, digest) {
        return identified(reply::status(StatusCode::NOT_MODIFIED), digest);
    }
    let size = blob.size();
    let sending = Sending { permit, content: Sent::Blob(digest.clone()), now: call.now };
    let reply = match wanted(call.headers, digest, size) {
        Selection::Whole => content(call, sending, blob, StatusCode::OK, vec![Part::Range(0..size)]).await?,
        Selection::Parts(ranges) => match ranges.as_slice() {
            [range] => {
                let value = format!("bytes {}-{}/{size}", range.start, range.end - 1);
                let mut reply = content(
                    call,
                    sending,
                    blob,
                    StatusCode::PARTIAL_CONTENT,
                    vec![Part::Range(range.clone())],
                )
                .await?;
                reply::set(&mut reply, CONTENT_RANGE, &value)?;
                reply
            }
            ranges => {
                let boundary = boundary(digest);
                let parts = multipart(ranges, size, &boundary);
                let mut reply = content(call, sending, blob, StatusCode::PARTIAL_CONTENT, parts).await?;
                reply::set(&mut reply, CONTENT_TYPE, format!("multipart/byteranges; boundary={boundary}"))?;
                reply
            }
        },
        Selection::Unsatisfiable => return Err(unsatisfiable(size)),
    };
    identified(reply, digest)
}

/// `DELETE /v2/<name>/blobs/<digest>`.
pub(crate) async fn delete(call: &Call<'_>, permit: &Permit, digest: &Digest) -> Result<Reply, ApiError> {
    call.app.storage.delete_blob(permit, digest, call.now).await?;
    Ok(reply::status(StatusCode::ACCEPTED))
}

/// What the request asks for. `If-Range` with anything but this content's tag asks for the whole (RFC 9110, 13.1.5).
fn wanted(headers: &HeaderMap, digest: &Digest, size: u64) -> Selection {
    let header = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let Some(range) = header(RANGE) else { return Selection::Whole };
    let unchanged =
        headers.get(IF_RANGE).is_none_or(|tag| tag.as_bytes() == format!("\"{digest}\"").as_bytes());
    if unchanged { ranges::select(range, size) } else { Selection::Whole }
}

async fn content(
    call: &Call<'_>,
    sending: Sending,
    blob: Blob,
    status: StatusCode,
    parts: Vec<Part>,
) -> Result<Reply, ApiError> {
    let length = transfer::length(&parts);
    let mut reply = reply::content(transfer::body(call, sending, blob, parts).await?);
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    // Whatever the bytes are, nothing here vouches for it.
    reply.headers_mut().insert(CONTENT_TYPE, OCTETS);
    Ok(reply)
}

fn identified(mut reply: Reply, digest: &Digest) -> Result<Reply, ApiError> {
    reply::identify(&mut reply, digest, CACHE_IMMUTABLE)?;
    reply.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    Ok(reply)
}

fn unsatisfiable(size: u64) -> ApiError {
    let message = format!("the blob has {size} bytes, none of which is in the range");
    let error = ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, ErrorCode::SizeInvalid, message);
    error.with_text(CONTENT_RANGE, &format!("bytes */{size}"))
}

/// A line that the content does not hold: part of its own digest.
fn boundary(digest: &Digest) -> String {
    digest.hex().chars().take(32).collect()
}

/// Several ranges as `multipart/byteranges` (RFC 9110, section 14.6).
fn multipart(ranges: &[Range<u64>], size: u64, boundary: &str) -> Vec<Part> {
    let mut parts = Vec::with_capacity(ranges.len() * 2 + 1);
    for range in ranges {
        let (first, last) = (range.start, range.end - 1);
        let head = format!(
            "\r\n--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {first}-{last}/{size}\r\n\r\n"
        );
        parts.push(Part::Text(Bytes::from(head)));
        parts.push(Part::Range(range.clone()));
    }
    parts.push(Part::Text(Bytes::from(format!("\r\n--{boundary}--\r\n"))));
    parts
}
