//! Tags of a repository.

use auth::Action;
use axum::Json;
use http::StatusCode;
use oci::RepositoryName;

use super::document::{Forbidden, NotFound};
use super::extract::{At, Caller};
use super::problem::Problem;
use super::query::Paging;
use super::types::{Page, Tag};

fn shown(tag: storage::TagDetails) -> Tag {
    Tag {
        name: tag.name,
        digest: tag.digest.to_string(),
        media_type: tag.media_type,
        size_bytes: tag.size,
        updated_at: tag.pushed_at,
    }
}

/// Lists the tags of a repository.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/tags",
    tag = "tags",
    operation_id = "listTags",
    params(("repository" = String, Path, description = "Its full name, percent-encoded: `team-a%2Fweb`."), Paging),
    responses(
        (status = 200, description = "A page, in the order of names.", body = Page<Tag>),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn list(
    caller: Caller,
    At(repository): At<RepositoryName>,
    page: Paging,
) -> Result<Json<Page<Tag>>, Problem> {
    let Caller { app, principal, now } = caller;
    let permit = app.auth.authorize(&principal, &repository, Action::Pull, now).await?;
    loop {
        let found = app.storage.tag_details(&permit, page.after.as_deref(), page.limit).await?;
        // All of a page may have been deleted while it was read; what follows is still to be shown.
        if found.items.is_empty() && found.more {
            continue;
        }
        let next = found.items.last().filter(|_| found.more).map(|tag| tag.name.clone());
        return Ok(Json(Page { items: found.items.into_iter().map(shown).collect(), next }));
    }
}

/// Shows a tag.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/tags/{tag}",
    tag = "tags",
    operation_id = "showTag",
    params(
        ("repository" = String, Path, description = "Its full name, percent-encoded: `team-a%2Fweb`."),
        ("tag" = String, Path, description = "The tag.")
    ),
    responses((status = 200, description = "The tag.", body = Tag), (status = 404, response = NotFound))
)]
pub(super) async fn show(
    caller: Caller,
    At((repository, tag)): At<(RepositoryName, oci::Tag)>,
) -> Result<Json<Tag>, Problem> {
    let Caller { app, principal, now } = caller;
    let permit = app.auth.authorize(&principal, &repository, Action::Pull, now).await?;
    let found = app.storage.tag(&permit, &tag).await?;
    Ok(Json(shown(found)))
}

/// Deletes a tag.
///
/// The manifest that it names stays, and so do other tags of it.
#[utoipa::path(
    delete,
    path = "/repositories/{repository}/tags/{tag}",
    tag = "tags",
    operation_id = "deleteTag",
    params(
        ("repository" = String, Path, description = "Its full name, percent-encoded: `team-a%2Fweb`."),
        ("tag" = String, Path, description = "The tag.")
    ),
    responses(
        (status = 204, description = "Deleted."),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn delete(
    caller: Caller,
    At((repository, tag)): At<(RepositoryName, oci::Tag)>,
) -> Result<StatusCode, Problem> {
    let Caller { app, principal, now } = caller;
    let permit = app.auth.authorize(&principal, &repository, Action::DeleteTag, now).await?;
    app.storage.delete_tag(&permit, &tag, now).await?;
    Ok(StatusCode::NO_CONTENT)
}
