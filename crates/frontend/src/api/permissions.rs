//! What a user may do with a namespace or a repository.

use auth::{PermissionTarget, UserName};
use axum::Json;
use http::StatusCode;
use oci::{NamespaceName, RepositoryName};

use super::document::{Forbidden, NotFound};
use super::extract::{At, Caller, JsonBody, Login};
use super::problem::Problem;
use super::query::Paging;
use super::types::{Level, Page, Permission, SetPermission};

fn shown(permission: auth::Permission) -> Permission {
    Permission {
        login: permission.login(),
        user: permission.user.to_string(),
        level: match permission.level {
            auth::Level::Read => Level::Read,
            auth::Level::Edit => Level::Edit,
            auth::Level::Manage => Level::Manage,
        },
    }
}

/// The user's name within the caller's account, which must be the one stated: nobody sets permissions elsewhere.
fn user<'l>(caller: &Caller, login: &'l Login) -> Result<&'l UserName, Problem> {
    caller.principal.account_name().map_or_else(|| Ok(login.user()), |account| login.within(account))
}

async fn list(
    caller: &Caller,
    target: PermissionTarget,
    page: &Paging,
) -> Result<Json<Page<Permission>>, Problem> {
    let (after, limit) = (page.after.as_deref(), page.limit_and_one());
    let found =
        caller.app.auth.list_permissions(&caller.principal, &target, after, limit, caller.now).await?;
    Ok(Json(page.page(found.into_iter().map(shown).collect(), |permission| permission.user.clone())))
}

async fn set(
    caller: &Caller,
    target: PermissionTarget,
    login: &Login,
    wanted: &SetPermission,
) -> Result<Json<Permission>, Problem> {
    let level = match wanted.level {
        Level::Read => auth::Level::Read,
        Level::Edit => auth::Level::Edit,
        Level::Manage => auth::Level::Manage,
    };
    let user = user(caller, login)?;
    let set = caller.app.auth.set_permission(&caller.principal, &target, user, level, caller.now).await?;
    Ok(Json(shown(set)))
}

async fn remove(caller: &Caller, target: PermissionTarget, login: &Login) -> Result<StatusCode, Problem> {
    let user = user(caller, login)?;
    caller.app.auth.remove_permission(&caller.principal, &target, user, caller.now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the permissions that users have on a namespace itself.
///
/// Needs *manage*.
#[utoipa::path(
    get,
    path = "/namespaces/{namespace}/permissions",
    tag = "permissions",
    operation_id = "listNamespacePermissions",
    params(("namespace" = String, Path, description = "Its name."), Paging),
    responses(
        (status = 200, description = "A page, in the order of users' names.", body = Page<Permission>),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn list_of_namespace(
    caller: Caller,
    At(name): At<NamespaceName>,
    page: Paging,
) -> Result<Json<Page<Permission>>, Problem> {
    list(&caller, PermissionTarget::Namespace(name), &page).await
}

/// Sets what a user may do with a namespace.
///
/// Needs *manage*. It reaches every repository of the namespace.
#[utoipa::path(
    put,
    path = "/namespaces/{namespace}/permissions/{user}",
    tag = "permissions",
    operation_id = "setNamespacePermission",
    params(
        ("namespace" = String, Path, description = "Its name."),
        ("user" = String, Path, description = "A user of the owning account: `dev`, or `dev@acme`.")
    ),
    request_body = SetPermission,
    responses(
        (status = 200, description = "The permission as it is now.", body = Permission),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn set_on_namespace(
    caller: Caller,
    At((name, login)): At<(NamespaceName, Login)>,
    JsonBody(wanted): JsonBody<SetPermission>,
) -> Result<Json<Permission>, Problem> {
    set(&caller, PermissionTarget::Namespace(name), &login, &wanted).await
}

/// Takes a user's permission on a namespace away.
///
/// Needs *manage*. It bites on the next request.
#[utoipa::path(
    delete,
    path = "/namespaces/{namespace}/permissions/{user}",
    tag = "permissions",
    operation_id = "removeNamespacePermission",
    params(
        ("namespace" = String, Path, description = "Its name."),
        ("user" = String, Path, description = "A user of the owning account: `dev`, or `dev@acme`.")
    ),
    responses(
        (status = 204, description = "Taken away."),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn remove_from_namespace(
    caller: Caller,
    At((name, login)): At<(NamespaceName, Login)>,
) -> Result<StatusCode, Problem> {
    remove(&caller, PermissionTarget::Namespace(name), &login).await
}

/// Lists the permissions that users have on a repository itself.
///
/// Needs *manage*.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/permissions",
    tag = "permissions",
    operation_id = "listRepositoryPermissions",
    params(("repository" = String, Path, description = "Its full name, percent-encoded: `team-a%2Fweb`."), Paging),
    responses(
        (status = 200, description = "A page, in the order of users' names.", body = Page<Permission>),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn list_of_repository(
    caller: Caller,
    At(name): At<RepositoryName>,
    page: Paging,
) -> Result<Json<Page<Permission>>, Problem> {
    list(&caller, PermissionTarget::Repository(name), &page).await
}

/// Sets what a user may do with a repository.
///
/// Needs *manage*.
#[utoipa::path(
    put,
    path = "/repositories/{repository}/permissions/{user}",
    tag = "permissions",
    operation_id = "setRepositoryPermission",
    params(
        ("repository" = String, Path, description = "Its full name, percent-encoded: `team-a%2Fweb`."),
        ("user" = String, Path, description = "A user of the owning account: `dev`, or `dev@acme`.")
    ),
    request_body = SetPermission,
    responses(
        (status = 200, description = "The permission as it is now.", body = Permission),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn set_on_repository(
    caller: Caller,
    At((name, login)): At<(RepositoryName, Login)>,
    JsonBody(wanted): JsonBody<SetPermission>,
) -> Result<Json<Permission>, Problem> {
    set(&caller, PermissionTarget::Repository(name), &login, &wanted).await
}

/// Takes a user's permission on a repository away.
///
/// Needs *manage*. It bites on the next request.
#[utoipa::path(
    delete,
    path = "/repositories/{repository}/permissions/{user}",
    tag = "permissions",
    operation_id = "removeRepositoryPermission",
    params(
        ("repository" = String, Path, description = "Its full name, percent-encoded: `team-a%2Fweb`."),
        ("user" = String, Path, description = "A user of the owning account: `dev`, or `dev@acme`.")
    ),
    responses(
        (status = 204, description = "Taken away."),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn remove_from_repository(
    caller: Caller,
    At((name, login)): At<(RepositoryName, Login)>,
) -> Result<StatusCode, Problem> {
    remove(&caller, PermissionTarget::Repository(name), &login).await
}
