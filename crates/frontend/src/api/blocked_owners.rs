//! The grantee's side of sharing: leaving a share, and blocking an owner.

use auth::{AccountName, ShareId};
use axum::Json;
use http::StatusCode;

use super::document::{Conflict, Forbidden, NotFound};
use super::extract::{At, Caller, JsonBody};
use super::problem::{Problem, of_field};
use super::query::Paging;
use super::types::{BlockedOwner, NewBlockedOwner, Page};

fn shown(blocked: auth::BlockedOwner) -> BlockedOwner {
    BlockedOwner { account: blocked.name.to_string(), since: blocked.since }
}

/// Leaves a share that was made with your account.
///
/// For the account itself: the share ends for all of its users, from the next request on, and the owner sees who left it.
/// Shares that your account made are not found here: they are revoked below their repository.
#[utoipa::path(
    delete,
    path = "/shares/{id}",
    tag = "shares",
    operation_id = "leaveShare",
    params(("id" = u64, Path, description = "The share's number, as `GET /api/v1/shares?direction=with_me` has it.")),
    responses(
        (status = 204, description = "Left."),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn leave(caller: Caller, At(share): At<ShareId>) -> Result<StatusCode, Problem> {
    caller.app.auth.leave_share(&caller.principal, share, caller.now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Blocks an owner: your account takes no shares from it.
///
/// For the account itself. The shares that the owner made with your account are left. Whether there is an account of that
/// name is not told; one that is blocked already stays so.
#[utoipa::path(
    post,
    path = "/blocked-owners",
    tag = "shares",
    operation_id = "blockOwner",
    request_body = NewBlockedOwner,
    responses(
        (status = 201, description = "Blocked.", body = BlockedOwner),
        (status = 403, response = Forbidden),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn block(
    caller: Caller,
    JsonBody(new): JsonBody<NewBlockedOwner>,
) -> Result<(StatusCode, Json<BlockedOwner>), Problem> {
    let Caller { app, principal, now } = caller;
    let owner = of_field("account", AccountName::parse(&new.account))?;
    let blocked = app.auth.block_owner(&principal, &owner, now).await?;
    Ok((StatusCode::CREATED, Json(shown(blocked))))
}

/// Lists the owners that your account blocks.
#[utoipa::path(
    get,
    path = "/blocked-owners",
    tag = "shares",
    operation_id = "listBlockedOwners",
    params(Paging),
    responses(
        (status = 200, description = "A page, in the order of names.", body = Page<BlockedOwner>),
        (status = 403, response = Forbidden)
    )
)]
pub(super) async fn list(caller: Caller, page: Paging) -> Result<Json<Page<BlockedOwner>>, Problem> {
    let Caller { app, principal, .. } = caller;
    let found = app.auth.list_blocked_owners(&principal, page.after.as_deref(), page.limit_and_one()).await?;
    let owners = found.into_iter().map(shown).collect();
    Ok(Json(page.page(owners, |owner: &BlockedOwner| owner.account.clone())))
}

/// Unblocks an owner: it may share with your account again.
///
/// For the account itself. The shares that were left stay left.
#[utoipa::path(
    delete,
    path = "/blocked-owners/{account}",
    tag = "shares",
    operation_id = "unblockOwner",
    params(("account" = String, Path, description = "The owner's name.")),
    responses(
        (status = 204, description = "Unblocked."),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn unblock(caller: Caller, At(owner): At<AccountName>) -> Result<StatusCode, Problem> {
    caller.app.auth.unblock_owner(&caller.principal, &owner, caller.now).await?;
    Ok(StatusCode::NO_CONTENT)
}
