//! end-3, end-7 and end-9: manifests, byte for byte as they were pushed.
//!
//! `Accept` is not looked at: a manifest is served in the media type that it was pushed in, never converted.

use auth::{Permit, PushAccess};
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use oci::{Digest, Reference, Tag};
use storage::{ManifestBody, NewManifest, Pushed, Room, SMALL_MANIFEST_BYTES_MAX};

use crate::body::RequestBody;
use crate::dispatch::Call;
use crate::error::ApiError;
use crate::gate::Gate;
use crate::lease::{Sending, Sent};
use crate::reply::{
    self, CACHE_IMMUTABLE, CACHE_REVALIDATE, DOCKER_CONTENT_DIGEST, OCI_SUBJECT, OCI_TAG, Reply,
};
use crate::transfer;
use crate::warning;

/// `HEAD /v2/<name>/manifests/<reference>`.
pub(crate) async fn stat(call: &Call<'_>, permit: &Permit, reference: &Reference) -> Result<Reply, ApiError> {
    let found = call.app.storage.stat_manifest(permit, reference).await?;
    let mut reply = reply::content(reply::empty());
    reply.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(found.size));
    let mut reply = served(call, reply, reference, &found.digest, &found.media_type)?;
    warning::add(&mut reply, warning::of_share(call.app, permit, call.now));
    Ok(reply)
}

/// `GET /v2/<name>/manifests/<reference>`.
pub(crate) async fn read(call: &Call<'_>, permit: Permit, reference: &Reference) -> Result<Reply, ApiError> {
    let found = call.app.storage.manifest(&permit, reference).await?;
    let sent = match &found.body {
        ManifestBody::Whole(body) if !reply::is_known(call.headers, &found.digest) => body.len(),
        // Nothing, or what is counted as it goes out.
        _ => 0,
    };
    call.app.auth.note_pull(&permit, reference, &found.digest, sent as u64, call.now);
    let warning = warning::of_share(call.app, &permit, call.now);
    let reply = match found.body {
        ManifestBody::Whole(body) => reply::content(reply::full(body)),
        ManifestBody::Large(manifest) => {
            let size = manifest.size();
            let content = Sent::Manifest(found.digest.clone());
            let sending = Sending { permit, content, now: call.now };
            let body = transfer::of(call.app, sending, manifest.read(), size);
            let mut reply = reply::content(body);
            reply.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(size));
            reply
        }
    };
    let mut reply = served(call, reply, reference, &found.digest, &found.media_type)?;
    warning::add(&mut reply, warning);
    Ok(reply)
}

/// `PUT /v2/<name>/manifests/<reference>`, perhaps with further tags.
pub(crate) async fn put(
    call: &Call<'_>,
    gate: &Gate<'_>,
    body: &mut RequestBody,
    access: PushAccess,
    reference: Reference,
    tags: Vec<Tag>,
) -> Result<Reply, ApiError> {
    let (body, _room) = received(call, body, &access).await?;
    let content_type = match call.headers.get(CONTENT_TYPE) {
        None => "",
        // What is not text is no media type: it is refused as one.
        Some(value) => value.to_str().unwrap_or("?"),
    };
    let manifest = NewManifest { content_type, body, reference, tags };
    let permit = match access {
        PushAccess::Existing(permit) => {
            call.confirm(&permit).await?;
            permit
        }
        PushAccess::Vacant(vacancy) => {
            // What will be refused must not bring a repository into being.
            call.app.storage.check_manifest(&manifest).await?;
            let established = call.app.auth.establish(vacancy, call.app.clock.now()).await;
            established.map_err(|denied| gate.denied(denied))?
        }
    };
    let pushed = call.app.storage.put_manifest(&permit, manifest, call.now).await?;
    created(&permit, &pushed)
}

/// The body, whole. A large one is read once there is room for it.
async fn received(
    call: &Call<'_>,
    body: &mut RequestBody,
    access: &PushAccess,
) -> Result<(Bytes, Option<Room>), ApiError> {
    let bytes_max = call.app.storage.settings().manifest_bytes_max;
    body.refuse_above(bytes_max)?;
    let begun = body.read_up_to(SMALL_MANIFEST_BYTES_MAX).await?;
    if begun.is_whole {
        return Ok((begun.bytes.freeze(), None));
    }
    let account = match access {
        PushAccess::Existing(permit) => permit.principal().account(),
        PushAccess::Vacant(vacancy) => vacancy.principal().account(),
    };
    // Nobody pushes without an account.
    let account = account.ok_or_else(|| ApiError::internal("a push by nobody"))?;
    let bytes = begun.bytes.len().saturating_add(body.bytes_at_most()).min(bytes_max);
    let room = call.app.storage.room_for_manifest(account, bytes).await?;
    Ok((body.read_on(begun.bytes, bytes_max).await?, Some(room)))
}

/// `DELETE /v2/<name>/manifests/<digest>`.
pub(crate) async fn delete(call: &Call<'_>, permit: &Permit, digest: &Digest) -> Result<Reply, ApiError> {
    call.app.storage.delete_manifest(permit, digest, call.now).await?;
    Ok(reply::status(StatusCode::ACCEPTED))
}

fn served(
    call: &Call<'_>,
    mut reply: Reply,
    reference: &Reference,
    digest: &Digest,
    media_type: &str,
) -> Result<Reply, ApiError> {
    let cache = match reference {
        Reference::Digest(_) => CACHE_IMMUTABLE,
        Reference::Tag(_) => CACHE_REVALIDATE,
    };
    if reply::is_known(call.headers, digest) {
        reply = reply::status(StatusCode::NOT_MODIFIED);
    } else {
        reply::set(&mut reply, CONTENT_TYPE, media_type)?;
    }
    reply::identify(&mut reply, digest, cache)?;
    Ok(reply)
}

fn created(permit: &Permit, pushed: &Pushed) -> Result<Reply, ApiError> {
    let mut reply = reply::status(StatusCode::CREATED);
    reply::locate(&mut reply, &format!("/v2/{}/manifests/{}", permit.name(), pushed.digest))?;
    reply::set(&mut reply, DOCKER_CONTENT_DIGEST, pushed.digest.to_string())?;
    if let Some(subject) = &pushed.subject {
        reply::set(&mut reply, OCI_SUBJECT, subject.to_string())?;
    }
    if !pushed.tags.is_empty() {
        let tags: Vec<_> = pushed.tags.iter().map(Tag::as_str).collect();
        reply::set(&mut reply, OCI_TAG, tags.join(", "))?;
    }
    Ok(reply)
}
