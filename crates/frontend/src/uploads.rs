//! end-4, end-5, end-6, end-13, end-14: a blob's way in.

use auth::{Permit, PushAccess};
use bytes::Bytes;
use futures::future::ready;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use http::header::{CONTENT_LENGTH, CONTENT_RANGE, LOCATION, RANGE};
use http::{HeaderMap, StatusCode};
use oci::{Algorithm, Digest, ErrorCode};
use storage::{BodyError, ContentRange, Upload, UploadId};

use crate::body::RequestBody;
use crate::dispatch::Call;
use crate::error::ApiError;
use crate::gate::Gate;
use crate::reply::{self, DOCKER_CONTENT_DIGEST, DOCKER_UPLOAD_UUID, Reply};
use crate::router::Start;
use crate::{mounts, ranges};

/// `POST /v2/<name>/blobs/uploads/`: a session, a whole blob, or a mount.
pub(crate) async fn start(
    call: &Call<'_>,
    gate: &Gate<'_>,
    body: &mut RequestBody,
    access: PushAccess,
    start: Start,
) -> Result<Reply, ApiError> {
    let permit = match access {
        PushAccess::Existing(permit) => permit,
        PushAccess::Vacant(vacancy) => {
            let established = call.app.auth.establish(vacancy, call.now).await;
            established.map_err(|denied| gate.denied(denied))?
        }
    };
    match start {
        Start::Session(algorithm) => open(call, &permit, algorithm).await,
        Start::Whole(digest) => whole(call, body, &permit, &digest).await,
        Start::Mount { digest, from } => {
            if mounts::mount(call, &permit, &digest, from.as_ref()).await? {
                created(&permit, &digest)
            } else {
                open(call, &permit, digest.algorithm()).await
            }
        }
    }
}

/// `GET` of an upload.
pub(crate) async fn status(call: &Call<'_>, permit: &Permit, id: UploadId) -> Result<Reply, ApiError> {
    let upload = call.app.storage.upload(permit, id, call.now).await?;
    progress(permit, upload, StatusCode::NO_CONTENT)
}

/// `PATCH` of an upload.
pub(crate) async fn append(
    call: &Call<'_>,
    body: &mut RequestBody,
    permit: &Permit,
    id: UploadId,
) -> Result<Reply, ApiError> {
    let (at, length) = promise(call.headers)?;
    let body = body.map_err(BodyError::new);
    let appended = call.app.storage.append(permit, id, at, length, body, call.now).await;
    progress(permit, appended.map_err(|error| failed(permit, error))?, StatusCode::ACCEPTED)
}

/// `PUT` of an upload.
pub(crate) async fn finish(
    call: &Call<'_>,
    body: &mut RequestBody,
    permit: &Permit,
    id: UploadId,
    digest: &Digest,
) -> Result<Reply, ApiError> {
    let (at, length) = promise(call.headers)?;
    let body = confirmed(call, permit, body);
    let finished = call.app.storage.finish(permit, id, digest, at, length, body, call.now).await;
    finished.map_err(|error| failed(permit, error))?;
    created(permit, digest)
}

/// `DELETE` of an upload.
pub(crate) async fn cancel(call: &Call<'_>, permit: &Permit, id: UploadId) -> Result<Reply, ApiError> {
    call.app.storage.cancel_upload(permit, id, call.now).await?;
    Ok(reply::status(StatusCode::NO_CONTENT))
}

async fn open(call: &Call<'_>, permit: &Permit, algorithm: Algorithm) -> Result<Reply, ApiError> {
    let upload = call.app.storage.start_upload(permit, algorithm, call.now).await?;
    progress(permit, upload, StatusCode::ACCEPTED)
}

/// A session of one request: nobody learns its name, so that nothing is left of it when it fails.
async fn whole(
    call: &Call<'_>,
    body: &mut RequestBody,
    permit: &Permit,
    digest: &Digest,
) -> Result<Reply, ApiError> {
    let storage = &call.app.storage;
    let (at, length) = promise(call.headers)?;
    let upload = storage.start_upload(permit, digest.algorithm(), call.now).await?;
    let body = confirmed(call, permit, body);
    match storage.finish(permit, upload.id, digest, at, length, body, call.now).await {
        Ok(_) => created(permit, digest),
        Err(failure) => {
            if let Err(error) = storage.cancel_upload(permit, upload.id, call.now).await {
                tracing::debug!(%error, "a failed upload stays until it expires");
            }
            Err(failure.into())
        }
    }
}

/// The bytes of a body that makes a blob; it fails at its end when the right has ended while it came.
fn confirmed(
    call: &Call<'_>,
    permit: &Permit,
    body: &mut RequestBody,
) -> impl Stream<Item = Result<Bytes, BodyError>> + Send {
    let confirm = stream::once(call.confirm(permit)).filter_map(|confirmed| ready(confirmed.err().map(Err)));
    body.chain(confirm).map_err(BodyError::new)
}

/// Where the bytes of a request belong and how many they are, as far as it says so.
fn promise(headers: &HeaderMap) -> Result<(Option<ContentRange>, Option<u64>), ApiError> {
    let at = headers.get(CONTENT_RANGE).map(|value| {
        value.to_str().ok().and_then(ranges::content_range).ok_or_else(|| {
            let message = "the header Content-Range must have the form FIRST-LAST, both ends included";
            ApiError::new(StatusCode::BAD_REQUEST, ErrorCode::BlobUploadInvalid, message)
        })
    });
    // hyper has checked it; it is absent from a chunked body.
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    Ok((at.transpose()?, length))
}

fn upload_path(permit: &Permit, id: UploadId) -> String {
    format!("/v2/{}/blobs/uploads/{id}", permit.name())
}

/// The last byte that an upload has, as clients read it; for an empty one there is no other form than this.
fn reach(upload: Upload) -> String {
    format!("0-{}", upload.offset.saturating_sub(1))
}

fn progress(permit: &Permit, upload: Upload, status: StatusCode) -> Result<Reply, ApiError> {
    let mut reply = reply::status(status);
    reply::locate(&mut reply, &upload_path(permit, upload.id))?;
    reply::set(&mut reply, RANGE, reach(upload))?;
    reply::set(&mut reply, DOCKER_UPLOAD_UUID, upload.id.to_string())?;
    Ok(reply)
}

/// A failed request to an upload. Where bytes do not follow, the client is told where to go on.
fn failed(permit: &Permit, error: storage::Error) -> ApiError {
    let storage::Error::RangeUnsatisfiable { upload } = error else { return error.into() };
    ApiError::from(error)
        .with_text(LOCATION, &upload_path(permit, upload.id))
        .with_text(RANGE, &reach(upload))
        .with_text(DOCKER_UPLOAD_UUID, &upload.id.to_string())
}

fn created(permit: &Permit, digest: &Digest) -> Result<Reply, ApiError> {
    let mut reply = reply::status(StatusCode::CREATED);
    reply::locate(&mut reply, &format!("/v2/{}/blobs/{digest}", permit.name()))?;
    reply::set(&mut reply, DOCKER_CONTENT_DIGEST, digest.to_string())?;
    Ok(reply)
}
