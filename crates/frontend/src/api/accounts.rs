//! Accounts: the tenants.

use auth::{AccountName, Secret};
use axum::Json;
use http::StatusCode;

use super::document::{Conflict, Forbidden, NotFound, Unprocessable};
use super::extract::{At, Caller, JsonBody};
use super::problem::{Code, Problem, of_field};
use super::query::Paging;
use super::types::{Account, CredentialChange, NewAccount, Page};

fn shown(account: auth::Account) -> Account {
    Account {
        id: account.id.get(),
        name: account.name.to_string(),
        administrator: account.administrator,
        disabled: account.disabled,
        home: account.home,
        created_at: account.created_at,
    }
}

/// Makes an account.
///
/// Administrators alone do.
#[utoipa::path(
    post,
    path = "/accounts",
    tag = "accounts",
    operation_id = "createAccount",
    request_body = NewAccount,
    responses(
        (status = 201, description = "Made.", body = Account),
        (status = 403, response = Forbidden),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn create(
    caller: Caller,
    JsonBody(new): JsonBody<NewAccount>,
) -> Result<(StatusCode, Json<Account>), Problem> {
    let name = of_field("name", AccountName::parse(&new.name))?;
    let password = Secret::new(new.password);
    let made = caller.app.auth.create_account(&caller.principal, &name, &password, caller.now).await?;
    Ok((StatusCode::CREATED, Json(shown(made))))
}

/// Lists all accounts.
///
/// Administrators alone do.
#[utoipa::path(
    get,
    path = "/accounts",
    tag = "accounts",
    operation_id = "listAccounts",
    params(Paging),
    responses(
        (status = 200, description = "A page, in the order of names.", body = Page<Account>),
        (status = 403, response = Forbidden)
    )
)]
pub(super) async fn list(caller: Caller, page: Paging) -> Result<Json<Page<Account>>, Problem> {
    let (after, limit) = (page.after.as_deref(), page.limit_and_one());
    let found = caller.app.auth.list_accounts(&caller.principal, after, limit, caller.now).await?;
    Ok(Json(page.page(found.into_iter().map(shown).collect(), |account| account.name.clone())))
}

/// Shows an account: your own, or to an administrator any.
#[utoipa::path(
    get,
    path = "/accounts/{account}",
    tag = "accounts",
    operation_id = "showAccount",
    params(("account" = String, Path, description = "Its name.")),
    responses((status = 200, description = "The account.", body = Account), (status = 404, response = NotFound))
)]
pub(super) async fn show(caller: Caller, At(name): At<AccountName>) -> Result<Json<Account>, Problem> {
    let account = caller.app.auth.show_account(&caller.principal, &name, caller.now).await?;
    Ok(Json(shown(account)))
}

/// Changes an account's password, or closes or opens it.
///
/// The account itself changes its password, giving the current one too; an administrator changes everybody's, and
/// closes and opens accounts. A new password ends every token that was issued under the old one.
#[utoipa::path(
    patch,
    path = "/accounts/{account}",
    tag = "accounts",
    operation_id = "changeAccount",
    params(("account" = String, Path, description = "Its name.")),
    request_body = CredentialChange,
    responses(
        (status = 200, description = "The account as it is now.", body = Account),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict),
        (status = 422, response = Unprocessable)
    )
)]
pub(super) async fn change(
    caller: Caller,
    At(name): At<AccountName>,
    JsonBody(change): JsonBody<CredentialChange>,
) -> Result<Json<Account>, Problem> {
    let Caller { app, principal, now } = caller;
    let account = match Change::of(change)? {
        Change::Disabled(disabled) => app.auth.set_account_disabled(&principal, &name, disabled, now).await?,
        Change::Password { current, new } => {
            app.auth.set_account_password(&principal, &name, current.as_ref(), &new, now).await?
        }
    };
    Ok(Json(shown(account)))
}

/// Deletes an account, with its users and tokens.
///
/// Administrators alone do. Refused while it owns namespaces. The name stays reserved for a while.
#[utoipa::path(
    delete,
    path = "/accounts/{account}",
    tag = "accounts",
    operation_id = "deleteAccount",
    params(("account" = String, Path, description = "Its name.")),
    responses(
        (status = 204, description = "Deleted."),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn delete(caller: Caller, At(name): At<AccountName>) -> Result<StatusCode, Problem> {
    caller.app.auth.delete_account(&caller.principal, &name, caller.now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Frees the reserved name of a deleted account, for anybody to be given.
///
/// Administrators alone do.
#[utoipa::path(
    delete,
    path = "/accounts/{account}/reservation",
    tag = "accounts",
    operation_id = "freeAccountName",
    params(("account" = String, Path, description = "Its name.")),
    responses(
        (status = 204, description = "Free."),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn free(caller: Caller, At(name): At<AccountName>) -> Result<StatusCode, Problem> {
    caller.app.auth.free_account_name(&caller.principal, &name, caller.now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A change of an account or a user. One at a time: each is one commit, and two could be half done.
pub(super) enum Change {
    /// Closes or opens it.
    Disabled(bool),
    /// Another password.
    Password {
        /// The old one, where it is given.
        current: Option<Secret>,
        /// The new one.
        new: Secret,
    },
}

impl Change {
    /// The one that a request asks for.
    pub(super) fn of(change: CredentialChange) -> Result<Self, Problem> {
        match (change.disabled, change.password) {
            (Some(disabled), None) => Ok(Self::Disabled(disabled)),
            (None, Some(new)) => Ok(Self::Password {
                current: change.current_password.map(Secret::new),
                new: Secret::new(new),
            }),
            (Some(_), Some(_)) => {
                let detail = "Change the password and `disabled` in two requests.";
                Err(Problem::new(Code::Invalid, detail).field("disabled"))
            }
            (None, None) => {
                Err(Problem::new(Code::NothingToChange, "Give what to change: `password` or `disabled`."))
            }
        }
    }
}
