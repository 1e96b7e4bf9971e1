//! Repositories: images under one name.

use auth::{Description, DetailsChange, Which};
use axum::Json;
use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;
use oci::{NamespaceName, RepositoryName};

use super::document::{Conflict, Forbidden, NotFound};
use super::extract::{At, Caller, JsonBody};
use super::problem::{Code, Problem, of_field};
use super::query::{Paging, Parameters};
use super::types::{NewRepository, Page, Repository, RepositoryChange, Visibility};

/// A repository with what it holds.
async fn shown(caller: &Caller, repository: auth::Repository) -> Result<Repository, Problem> {
    let usage = caller.app.storage.usage_within(&repository).await?;
    Ok(Repository {
        id: repository.id.get(),
        name: repository.name.to_string(),
        account: repository.account.to_string(),
        visibility: match repository.visibility {
            auth::Visibility::Private => Visibility::Private,
            auth::Visibility::Public => Visibility::Public,
        },
        description: repository.description.to_string(),
        created_at: repository.created_at,
        manifests: usage.map(|usage| usage.manifests),
        tags: usage.map(|usage| usage.tags),
        size_bytes: usage.map(|usage| usage.bytes),
    })
}

/// Makes a repository ahead of its first push, private.
///
/// Needs *edit* on its namespace, and a description *manage*. A push makes one too.
#[utoipa::path(
    post,
    path = "/repositories",
    tag = "repositories",
    operation_id = "createRepository",
    request_body = NewRepository,
    responses(
        (status = 201, description = "Made.", body = Repository),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn create(
    caller: Caller,
    JsonBody(new): JsonBody<NewRepository>,
) -> Result<(StatusCode, Json<Repository>), Problem> {
    let name = of_field("name", RepositoryName::parse(&new.name))?;
    let description = new.description.as_deref().map(Description::parse).transpose()?;
    let details = DetailsChange { description, category: None };
    let new = auth::NewRepository { details, visibility: auth::Visibility::Private };
    let made = caller.app.auth.create_repository(&caller.principal, &name, &new, caller.now).await?;
    Ok((StatusCode::CREATED, Json(shown(&caller, made).await?)))
}

/// Which repositories are wanted.
pub(super) struct Wanted {
    namespace: Option<NamespaceName>,
    which: Which,
    page: Paging,
}

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Parameters::of(parts, &["namespace", "empty", "after", "limit"])?;
        let which = match query.get("empty") {
            None | Some("false") => Which::Listed,
            Some("true") => Which::All,
            Some(_) => {
                let detail = "The parameter `empty` must be `true` or `false`.";
                return Err(Problem::new(Code::Invalid, detail).field("empty"));
            }
        };
        let namespace = query.get("namespace").map(NamespaceName::parse).transpose();
        Ok(Self { namespace: of_field("namespace", namespace)?, which, page: query.paging()? })
    }
}

/// Lists the repositories of your account that you may see.
#[utoipa::path(
    get,
    path = "/repositories",
    tag = "repositories",
    operation_id = "listRepositories",
    params(
        ("namespace" = Option<String>, Query, description = "Only those of this namespace."),
        ("empty" = Option<bool>, Query, description = "`true`: those too that hold no manifest yet."),
        Paging
    ),
    responses(
        (status = 200, description = "A page, in the order of names.", body = Page<Repository>),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn list(caller: Caller, wanted: Wanted) -> Result<Json<Page<Repository>>, Problem> {
    let Wanted { namespace, which, page } = wanted;
    let Caller { app, principal, .. } = &caller;
    let (after, limit) = (page.after.as_deref(), page.limit_and_one());
    let found = app.auth.list_repositories(principal, namespace.as_ref(), which, after, limit).await?;
    let Page { items, next } = page.page(found, |repository| repository.name.to_string());
    let mut repositories = Vec::with_capacity(items.len());
    for repository in items {
        repositories.push(shown(&caller, repository).await?);
    }
    Ok(Json(Page { items: repositories, next }))
}

/// Shows a repository.
#[utoipa::path(
    get,
    path = "/repositories/{repository}",
    tag = "repositories",
    operation_id = "showRepository",
    params(("repository" = String, Path, description = "Its full name, percent-encoded: `team-a%2Fweb`.")),
    responses((status = 200, description = "The repository.", body = Repository), (status = 404, response = NotFound))
)]
pub(super) async fn show(caller: Caller, At(name): At<RepositoryName>) -> Result<Json<Repository>, Problem> {
    let repository = caller.app.auth.show_repository(&caller.principal, &name, caller.now).await?;
    Ok(Json(shown(&caller, repository).await?))
}

/// Changes who may pull a repository, or what is said of it.
///
/// Needs *manage*. Making it public ends every share of it.
#[utoipa::path(
    patch,
    path = "/repositories/{repository}",
    tag = "repositories",
    operation_id = "changeRepository",
    params(("repository" = String, Path, description = "Its full name, percent-encoded: `team-a%2Fweb`.")),
    request_body = RepositoryChange,
    responses(
        (status = 200, description = "The repository as it is now.", body = Repository),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn change(
    caller: Caller,
    At(name): At<RepositoryName>,
    JsonBody(change): JsonBody<RepositoryChange>,
) -> Result<Json<Repository>, Problem> {
    let Caller { app, principal, now } = &caller;
    let description = change.description.as_deref().map(Description::parse).transpose()?;
    let mut changed = None;
    if let Some(description) = description {
        changed = Some(app.auth.set_description(principal, &name, &description, *now).await?);
    }
    if let Some(visibility) = change.visibility {
        let visibility = match visibility {
            Visibility::Private => auth::Visibility::Private,
            Visibility::Public => auth::Visibility::Public,
        };
        changed = Some(app.auth.set_visibility(principal, &name, visibility, *now).await?);
    }
    let changed = changed.ok_or_else(|| {
        let detail = "Give what to change: `visibility` or `description`.";
        Problem::new(Code::NothingToChange, detail)
    })?;
    Ok(Json(shown(&caller, changed).await?))
}

/// Deletes a repository with all it holds, and every share of it.
///
/// Needs *manage*. It is closed at once; its content is removed in the background.
#[utoipa::path(
    delete,
    path = "/repositories/{repository}",
    tag = "repositories",
    operation_id = "deleteRepository",
    params(("repository" = String, Path, description = "Its full name, percent-encoded: `team-a%2Fweb`.")),
    responses(
        (status = 204, description = "Deleted."),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn delete(caller: Caller, At(name): At<RepositoryName>) -> Result<StatusCode, Problem> {
    caller.app.auth.delete_repository(&caller.principal, &name, caller.now).await?;
    Ok(StatusCode::NO_CONTENT)
}
