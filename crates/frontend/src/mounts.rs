//! end-11: a blob that lies elsewhere already, linked into another repository instead of being sent again.

use auth::{Action, Permit};
use oci::{Digest, RepositoryName};

use crate::dispatch::Call;
use crate::error::ApiError;

/// Owners whose repositories are looked into: the caller's account, and those that share with it.
const MOUNT_OWNERS_MAX: usize = 16;
/// Repositories of one owner that are tried.
const MOUNT_REPOSITORIES_MAX: usize = 16;

/// Whether the blob was found elsewhere, and is now here too. What may not be pulled counts as not found: a refusal would
/// fail the push of a client that only tried.
pub(crate) async fn mount(
    call: &Call<'_>,
    target: &Permit,
    digest: &Digest,
    from: Option<&RepositoryName>,
) -> Result<bool, ApiError> {
    let auth = &call.app.auth;
    if let Some(name) = from
        && let Ok(source) = auth.authorize(target.principal(), name, Action::Pull, call.now).await
        && mounted(call, &source, target, digest).await?
    {
        return Ok(true);
    }
    for owner in auth.owners_near(target.principal(), MOUNT_OWNERS_MAX).await? {
        let candidates = call.app.storage.mount_candidates(owner, digest, MOUNT_REPOSITORIES_MAX).await?;
        for repository in candidates {
            if let Some(source) = auth.authorize_source(target.principal(), repository, call.now).await?
                && mounted(call, &source, target, digest).await?
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

async fn mounted(
    call: &Call<'_>,
    source: &Permit,
    target: &Permit,
    digest: &Digest,
) -> Result<bool, ApiError> {
    match call.app.storage.mount(source, target, digest, call.now).await {
        Ok(_) => Ok(true),
        Err(storage::Error::BlobUnknown { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
