//! Users of an account.

use auth::{AccountName, Secret, UserName};
use axum::Json;
use http::StatusCode;

use super::accounts::Change;
use super::document::{Conflict, Forbidden, NotFound, Unprocessable};
use super::extract::{At, Caller, JsonBody, Login};
use super::problem::{Problem, of_field};
use super::query::Paging;
use super::types::{CredentialChange, NewUser, Page, User};

fn shown(user: auth::User) -> User {
    User {
        id: user.id.get(),
        login: user.login(),
        name: user.name.to_string(),
        account: user.account.to_string(),
        disabled: user.disabled,
        created_at: user.created_at,
    }
}

/// Makes a user.
///
/// The account itself does, or an administrator. A user has no permission until it is given one.
#[utoipa::path(
    post,
    path = "/accounts/{account}/users",
    tag = "users",
    operation_id = "createUser",
    params(("account" = String, Path, description = "The account's name.")),
    request_body = NewUser,
    responses(
        (status = 201, description = "Made.", body = User),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn create(
    caller: Caller,
    At(account): At<AccountName>,
    JsonBody(new): JsonBody<NewUser>,
) -> Result<(StatusCode, Json<User>), Problem> {
    let Caller { app, principal, now } = caller;
    let name = of_field("name", UserName::parse(&new.name))?;
    let password = new.password.map(Secret::new);
    let made = app.auth.create_user(&principal, &account, &name, password.as_ref(), now).await?;
    Ok((StatusCode::CREATED, Json(shown(made))))
}

/// Lists the users of an account.
#[utoipa::path(
    get,
    path = "/accounts/{account}/users",
    tag = "users",
    operation_id = "listUsers",
    params(("account" = String, Path, description = "The account's name."), Paging),
    responses(
        (status = 200, description = "A page, in the order of names.", body = Page<User>),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn list(
    caller: Caller,
    At(account): At<AccountName>,
    page: Paging,
) -> Result<Json<Page<User>>, Problem> {
    let Caller { app, principal, now } = caller;
    let (after, limit) = (page.after.as_deref(), page.limit_and_one());
    let found = app.auth.list_users(&principal, &account, after, limit, now).await?;
    Ok(Json(page.page(found.into_iter().map(shown).collect(), |user| user.name.clone())))
}

/// Shows a user.
#[utoipa::path(
    get,
    path = "/accounts/{account}/users/{user}",
    tag = "users",
    operation_id = "showUser",
    params(
        ("account" = String, Path, description = "The account's name."),
        ("user" = String, Path, description = "`dev`, or `dev@acme`.")
    ),
    responses(
        (status = 200, description = "The user.", body = User),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn show(
    caller: Caller,
    At((account, login)): At<(AccountName, Login)>,
) -> Result<Json<User>, Problem> {
    let name = login.within(&account)?;
    let user = caller.app.auth.show_user(&caller.principal, &account, name, caller.now).await?;
    Ok(Json(shown(user)))
}

/// Changes a user's password, or closes or opens it.
///
/// The account itself does, or an administrator; the user too changes its password, giving the current one. A new
/// password ends every token that was issued under the old one.
#[utoipa::path(
    patch,
    path = "/accounts/{account}/users/{user}",
    tag = "users",
    operation_id = "changeUser",
    params(
        ("account" = String, Path, description = "The account's name."),
        ("user" = String, Path, description = "`dev`, or `dev@acme`.")
    ),
    request_body = CredentialChange,
    responses(
        (status = 200, description = "The user as it is now.", body = User),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 422, response = Unprocessable)
    )
)]
pub(super) async fn change(
    caller: Caller,
    At((account, login)): At<(AccountName, Login)>,
    JsonBody(change): JsonBody<CredentialChange>,
) -> Result<Json<User>, Problem> {
    let Caller { app, principal, now } = caller;
    let name = login.within(&account)?;
    let user = match Change::of(change)? {
        Change::Disabled(disabled) => {
            app.auth.set_user_disabled(&principal, &account, name, disabled, now).await?
        }
        Change::Password { current, new } => {
            app.auth.set_user_password(&principal, &account, name, current.as_ref(), &new, now).await?
        }
    };
    Ok(Json(shown(user)))
}

/// Deletes a user, with its permissions and tokens.
#[utoipa::path(
    delete,
    path = "/accounts/{account}/users/{user}",
    tag = "users",
    operation_id = "deleteUser",
    params(
        ("account" = String, Path, description = "The account's name."),
        ("user" = String, Path, description = "`dev`, or `dev@acme`.")
    ),
    responses(
        (status = 204, description = "Deleted."),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn delete(
    caller: Caller,
    At((account, login)): At<(AccountName, Login)>,
) -> Result<StatusCode, Problem> {
    let name = login.within(&account)?;
    caller.app.auth.delete_user(&caller.principal, &account, name, caller.now).await?;
    Ok(StatusCode::NO_CONTENT)
}
