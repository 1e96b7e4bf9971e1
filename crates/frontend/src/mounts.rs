//! end-11: a blob that lies elsewhere already, linked into another repository instead of being sent again.

use std::collections::BTreeSet;

use auth::{AccountId, Action, Permit, ShareRecord};
use kv::{Id, Key};
use oci::{Digest, RepositoryName};

use crate::dispatch::Call;
use crate::error::ApiError;

/// Shares with the caller's account whose owners are looked into.
const MOUNT_SHARES_MAX: usize = 100;
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
    for owner in owners(call, target).await? {
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

/// Whose repositories the caller may be able to pull from: its own account's, and those of whoever shares with it. This
/// only says where to look; each source is authorised by itself.
async fn owners(call: &Call<'_>, target: &Permit) -> Result<Vec<AccountId>, ApiError> {
    let Some(account) = target.principal().account() else { return Ok(Vec::new()) };
    let store = call.app.auth.store();
    let list = Key::SharedWith { grantee: account.raw(), share: Id::MIN };
    let rows =
        store.list(list.siblings(store.region()), MOUNT_SHARES_MAX).await.map_err(auth::Error::from)?;
    let ids = rows.iter().filter_map(|(key, _)| Id::from_tail(list.tail(store.region(), key).ok()?));
    let keys: Vec<_> = ids.map(|share| Key::Share { share }).collect();
    let shares = store.get_many(&keys).await.map_err(auth::Error::from)?;
    let mut owners = BTreeSet::new();
    for (key, entry) in keys.iter().zip(shares) {
        if let Some(entry) = entry {
            owners.insert(kv::decode::<ShareRecord>(*key, &entry).map_err(auth::Error::from)?.value.owner);
        }
    }
    owners.remove(&account);
    Ok(std::iter::once(account).chain(owners).take(MOUNT_OWNERS_MAX).collect())
}
