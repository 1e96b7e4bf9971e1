//! Shares: a private repository, opened for another account, to pull only, until a deadline or for good.

use std::time::Duration;

use auth::{AccountName, Description, ShareTags, TagPatterns};
use axum::Json;
use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;
use jiff::Timestamp;
use oci::RepositoryName;

use super::deadline;
use super::document::{Conflict, Forbidden, NotFound, Unprocessable};
use super::extract::{At, Caller, JsonBody};
use super::problem::{Code, Problem, of_field};
use super::query::{Paging, Parameters};
use super::types::{NewShare, Page, Share, ShareChange, ShareStatus};
use crate::counting::counted;

/// A share as it is shown at `now`.
pub(super) fn shown(share: auth::Share, region: &kv::Region, now: Timestamp) -> Share {
    Share {
        id: share.id.get(),
        repository: share.repository.to_string(),
        owner: share.owner.to_string(),
        account: share.grantee.to_string(),
        permission: "pull".to_owned(),
        status: if share.is_open(now) { ShareStatus::Open } else { ShareStatus::Ended },
        deadline: share.deadline,
        tags: share.tags.patterns().map(|tags| tags.iter().map(ToString::to_string).collect()),
        description: share.description.to_string(),
        notice_before_seconds: share.notice_before_seconds,
        created_by: share.created_by,
        created_at: share.created_at,
        updated_at: share.updated_at,
        region: region.to_string(),
        used: share.used.map(super::usage::total),
        owner_sees_pulls: true,
    }
}

/// What of a repository a request shares, or nothing if it does not say so.
pub(super) fn tags_of(tags: Option<&[String]>, all: Option<bool>) -> Result<Option<ShareTags>, Problem> {
    match (tags, all) {
        (None, None) => Ok(None),
        (None, Some(true)) => Ok(Some(ShareTags::All)),
        (Some(tags), None) => Ok(Some(ShareTags::Matching(TagPatterns::parse(tags)?))),
        (_, Some(_)) => {
            let detail = "Give either `tags`, or `all_tags` as true.";
            Err(Problem::new(Code::Invalid, detail).field("tags"))
        }
    }
}

fn page_of(found: Vec<auth::Share>, page: &Paging, caller: &Caller) -> Page<Share> {
    let region = caller.app.auth.region();
    let shares = found.into_iter().map(|share| shown(share, region, caller.now)).collect();
    page.page(shares, |share: &Share| share.id.to_string())
}

/// Shares a private repository with another account.
///
/// Needs *manage*. The share is to pull only, and nothing follows from it. State its end: `until`, an instant in the
/// future, or `permanent`. There is one share for each repository and account; one that has ended is replaced.
#[utoipa::path(
    post,
    path = "/repositories/{repository}/shares",
    tag = "shares",
    operation_id = "createShare",
    params(("repository" = String, Path, description = "Its full name, percent-encoded: `team-a%2Fweb`.")),
    request_body = NewShare,
    responses(
        (status = 201, description = "Shared.", body = Share),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict),
        (status = 422, response = Unprocessable)
    )
)]
pub(super) async fn create(
    caller: Caller,
    At(repository): At<RepositoryName>,
    JsonBody(new): JsonBody<NewShare>,
) -> Result<(StatusCode, Json<Share>), Problem> {
    let Caller { app, principal, now } = caller;
    let share = auth::NewShare {
        grantee: of_field("account", AccountName::parse(&new.account))?,
        end: deadline::end_required(new.until.as_deref(), new.permanent)?,
        tags: tags_of(new.tags.as_deref(), None)?.unwrap_or_default(),
        description: Description::parse(new.description.as_deref().unwrap_or_default())?,
        notice_before: new.notice_before_seconds.map(Duration::from_secs),
        region: new.region,
    };
    let made = counted(&app, || app.auth.create_share(&principal, &repository, share.clone(), now)).await?;
    Ok((StatusCode::CREATED, Json(shown(made, app.auth.region(), now))))
}

/// Lists the shares of a repository.
///
/// Needs *manage*.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/shares",
    tag = "shares",
    operation_id = "listRepositoryShares",
    params(("repository" = String, Path, description = "Its full name, percent-encoded: `team-a%2Fweb`."), Paging),
    responses(
        (status = 200, description = "A page, in the order of ids.", body = Page<Share>),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn list_of_repository(
    caller: Caller,
    At(repository): At<RepositoryName>,
    page: Paging,
) -> Result<Json<Page<Share>>, Problem> {
    let Caller { app, principal, now } = &caller;
    let (after, limit) = (page.after_id()?, page.limit_and_one());
    let found = app.auth.list_repository_shares(principal, &repository, after, limit, *now).await?;
    Ok(Json(page_of(found, &page, &caller)))
}

/// Whose shares are wanted.
enum Direction {
    ByMe,
    WithMe,
}

/// Which shares are wanted.
pub(super) struct Wanted {
    direction: Direction,
    page: Paging,
}

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Parameters::of(parts, &["direction", "after", "limit"])?;
        let direction = match query.get("direction") {
            Some("by_me") => Direction::ByMe,
            Some("with_me") => Direction::WithMe,
            _ => {
                let detail = "The parameter `direction` must be `by_me` or `with_me`.";
                return Err(Problem::new(Code::Invalid, detail).field("direction"));
            }
        };
        Ok(Self { direction, page: query.paging()? })
    }
}

/// Lists the shares that your account made, or those made with it.
///
/// Who pulls by a share is seen by its owner: which user, when, from where and how much.
#[utoipa::path(
    get,
    path = "/shares",
    tag = "shares",
    operation_id = "listShares",
    params(
        ("direction" = String, Query, description = "`by_me`: that your account made; `with_me`: made with it."),
        Paging
    ),
    responses((status = 200, description = "A page, in the order of ids.", body = Page<Share>))
)]
pub(super) async fn list(caller: Caller, wanted: Wanted) -> Result<Json<Page<Share>>, Problem> {
    let Wanted { direction, page } = wanted;
    let Caller { app, principal, now } = &caller;
    let (after, limit) = (page.after_id()?, page.limit_and_one());
    let found = match direction {
        Direction::ByMe => app.auth.list_shares_by(principal, after, limit, *now).await?,
        Direction::WithMe => app.auth.list_shares_with(principal, after, limit, *now).await?,
    };
    Ok(Json(page_of(found, &page, &caller)))
}

/// Shows a share.
///
/// Needs *manage*. What is shared with you, `GET /api/v1/shares` lists.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/shares/{account}",
    tag = "shares",
    operation_id = "showShare",
    params(
        ("repository" = String, Path, description = "Its full name, percent-encoded: `team-a%2Fweb`."),
        ("account" = String, Path, description = "The account that it is shared with.")
    ),
    responses(
        (status = 200, description = "The share.", body = Share),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn show(
    caller: Caller,
    At((repository, grantee)): At<(RepositoryName, AccountName)>,
) -> Result<Json<Share>, Problem> {
    let Caller { app, principal, now } = caller;
    let share = app.auth.show_share(&principal, &repository, &grantee, now).await?;
    Ok(Json(shown(share, app.auth.region(), now)))
}

/// Changes a share's end, tags or description.
///
/// Needs *manage*. A nearer deadline bites on the next request, and so do other tags.
#[utoipa::path(
    patch,
    path = "/repositories/{repository}/shares/{account}",
    tag = "shares",
    operation_id = "changeShare",
    params(
        ("repository" = String, Path, description = "Its full name, percent-encoded: `team-a%2Fweb`."),
        ("account" = String, Path, description = "The account that it is shared with.")
    ),
    request_body = ShareChange,
    responses(
        (status = 200, description = "The share as it is now.", body = Share),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict),
        (status = 422, response = Unprocessable)
    )
)]
pub(super) async fn change(
    caller: Caller,
    At((repository, grantee)): At<(RepositoryName, AccountName)>,
    JsonBody(change): JsonBody<ShareChange>,
) -> Result<Json<Share>, Problem> {
    let Caller { app, principal, now } = caller;
    let change = auth::ShareChange {
        end: deadline::end(change.until.as_deref(), change.permanent)?,
        tags: tags_of(change.tags.as_deref(), change.all_tags)?,
        description: change.description.as_deref().map(Description::parse).transpose()?,
        notice_before: change.notice_before_seconds.map(Duration::from_secs),
    };
    if change == auth::ShareChange::default() {
        let detail = "Give what to change: `until`, `permanent`, `tags`, `all_tags`, `description` or \
                      `notice_before_seconds`.";
        return Err(Problem::new(Code::NothingToChange, detail));
    }
    let update = || app.auth.update_share(&principal, &repository, &grantee, change.clone(), now);
    let share = counted(&app, update).await?;
    Ok(Json(shown(share, app.auth.region(), now)))
}

/// Revokes a share.
///
/// Needs *manage*. From the next request on the account cannot pull.
#[utoipa::path(
    delete,
    path = "/repositories/{repository}/shares/{account}",
    tag = "shares",
    operation_id = "revokeShare",
    params(
        ("repository" = String, Path, description = "Its full name, percent-encoded: `team-a%2Fweb`."),
        ("account" = String, Path, description = "The account that it is shared with.")
    ),
    responses(
        (status = 204, description = "Revoked."),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn revoke(
    caller: Caller,
    At((repository, grantee)): At<(RepositoryName, AccountName)>,
) -> Result<StatusCode, Problem> {
    caller.app.auth.revoke_share(&caller.principal, &repository, &grantee, caller.now).await?;
    Ok(StatusCode::NO_CONTENT)
}
