//! Namespaces: the first part of repositories' names.

use axum::Json;
use http::StatusCode;
use oci::NamespaceName;

use super::document::{Conflict, Forbidden, NotFound};
use super::extract::{At, Caller, JsonBody};
use super::problem::{Problem, of_field};
use super::query::Paging;
use super::types::{Namespace, NewNamespace, Page};

fn shown(namespace: auth::Namespace) -> Namespace {
    Namespace {
        id: namespace.id.get(),
        name: namespace.name.to_string(),
        account: namespace.account.to_string(),
        created_at: namespace.created_at,
    }
}

/// Makes a namespace of your account.
///
/// The account itself does.
#[utoipa::path(
    post,
    path = "/namespaces",
    tag = "namespaces",
    operation_id = "createNamespace",
    request_body = NewNamespace,
    responses(
        (status = 201, description = "Made.", body = Namespace),
        (status = 403, response = Forbidden),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn create(
    caller: Caller,
    JsonBody(new): JsonBody<NewNamespace>,
) -> Result<(StatusCode, Json<Namespace>), Problem> {
    let name = of_field("name", NamespaceName::parse(&new.name))?;
    let made = caller.app.auth.create_namespace(&caller.principal, &name, caller.now).await?;
    Ok((StatusCode::CREATED, Json(shown(made))))
}

/// Lists the namespaces of your account that you may see.
#[utoipa::path(
    get,
    path = "/namespaces",
    tag = "namespaces",
    operation_id = "listNamespaces",
    params(Paging),
    responses((status = 200, description = "A page, in the order of names.", body = Page<Namespace>))
)]
pub(super) async fn list(caller: Caller, page: Paging) -> Result<Json<Page<Namespace>>, Problem> {
    let (after, limit) = (page.after.as_deref(), page.limit_and_one());
    let found = caller.app.auth.list_namespaces(&caller.principal, after, limit, caller.now).await?;
    Ok(Json(page.page(found.into_iter().map(shown).collect(), |namespace| namespace.name.clone())))
}

/// Shows a namespace.
#[utoipa::path(
    get,
    path = "/namespaces/{namespace}",
    tag = "namespaces",
    operation_id = "showNamespace",
    params(("namespace" = String, Path, description = "Its name.")),
    responses((status = 200, description = "The namespace.", body = Namespace), (status = 404, response = NotFound))
)]
pub(super) async fn show(caller: Caller, At(name): At<NamespaceName>) -> Result<Json<Namespace>, Problem> {
    let namespace = caller.app.auth.show_namespace(&caller.principal, &name, caller.now).await?;
    Ok(Json(shown(namespace)))
}

/// Deletes a namespace.
///
/// Refused while it holds repositories. The name stays reserved for a while.
#[utoipa::path(
    delete,
    path = "/namespaces/{namespace}",
    tag = "namespaces",
    operation_id = "deleteNamespace",
    params(("namespace" = String, Path, description = "Its name.")),
    responses(
        (status = 204, description = "Deleted."),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn delete(caller: Caller, At(name): At<NamespaceName>) -> Result<StatusCode, Problem> {
    caller.app.auth.delete_namespace(&caller.principal, &name, caller.now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Frees the reserved name of a deleted namespace, for any account to take.
///
/// Administrators alone do. Who pulled from the old one may be served another's images under its names then.
#[utoipa::path(
    delete,
    path = "/namespaces/{namespace}/reservation",
    tag = "namespaces",
    operation_id = "freeNamespaceName",
    params(("namespace" = String, Path, description = "Its name.")),
    responses(
        (status = 204, description = "Free."),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn free(caller: Caller, At(name): At<NamespaceName>) -> Result<StatusCode, Problem> {
    caller.app.auth.free_namespace_name(&caller.principal, &name, caller.now).await?;
    Ok(StatusCode::NO_CONTENT)
}
