//! Access key pairs: what requests are signed with, and what machines sign in to docker with for good.

use auth::{AccessKeyId, AccountName, Description, UserName};
use axum::Json;
use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;

use super::document::{Conflict, Forbidden, NotFound};
use super::extract::{At, Caller, JsonBody};
use super::problem::{Problem, of_field};
use super::query::{Paging, Parameters};
use super::types::{AccessKey, AccessKeyChange, CreatedAccessKey, NewAccessKey, Page};

fn shown(key: auth::AccessKey) -> AccessKey {
    AccessKey {
        access_key: key.id.to_string(),
        holder: key.holder,
        description: key.description.to_string(),
        disabled: key.disabled,
        created_at: key.created_at,
    }
}

/// Makes an access key pair for yourself.
///
/// The secret key is shown this once. A pair is a credential of its own: a change of the password does not end it. Who
/// came with an access key, or with a personal token that has a scope, makes none.
#[utoipa::path(
    post,
    path = "/access-keys",
    tag = "access keys",
    operation_id = "createAccessKey",
    request_body = NewAccessKey,
    responses(
        (status = 201, description = "Made.", body = CreatedAccessKey),
        (status = 403, response = Forbidden),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn create(
    caller: Caller,
    JsonBody(new): JsonBody<NewAccessKey>,
) -> Result<(StatusCode, Json<CreatedAccessKey>), Problem> {
    let Caller { app, principal, now } = caller;
    let description = Description::parse(new.description.as_deref().unwrap_or_default())?;
    let (key, secret) = app.auth.create_access_key(&principal, description, now).await?;
    let created = CreatedAccessKey {
        docker_username: app.auth.long_term_username(&key.id),
        docker_password: auth::long_term_password(&key.id, &secret).reveal().to_owned(),
        secret_key: secret.reveal().to_owned(),
        key: shown(key),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Whose pairs are listed, and which part of the list.
pub(super) struct Wanted {
    of: Option<(AccountName, Option<UserName>)>,
    after: Option<AccessKeyId>,
    page: Paging,
}

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let parameters = Parameters::of(parts, &["of", "after", "limit"])?;
        let of = of_field("of", parameters.get("of").map(login).transpose())?;
        let page = parameters.paging()?;
        let after = of_field("after", page.after.as_deref().map(AccessKeyId::parse).transpose())?;
        Ok(Self { of, after, page })
    }
}

/// An account, or a user of one, by the name that it signs in with.
fn login(text: &str) -> Result<(AccountName, Option<UserName>), auth::Error> {
    match text.rsplit_once('@') {
        Some((user, account)) => Ok((AccountName::parse(account)?, Some(UserName::parse(user)?))),
        None => Ok((AccountName::parse(text)?, None)),
    }
}

/// Lists your access key pairs, or those of somebody whose credentials you manage, without their secret keys.
#[utoipa::path(
    get,
    path = "/access-keys",
    tag = "access keys",
    operation_id = "listAccessKeys",
    params(
        (
            "of" = Option<String>, Query,
            description = "Whose: `dev@acme`, to its account and administrators; `acme`, to administrators. Absent: yours."
        ),
        Paging
    ),
    responses(
        (status = 200, description = "A page, in the order of access keys.", body = Page<AccessKey>),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn list(caller: Caller, wanted: Wanted) -> Result<Json<Page<AccessKey>>, Problem> {
    let Caller { app, principal, .. } = caller;
    let Wanted { of, after, page } = wanted;
    let of = of.as_ref().map(|(account, user)| (account, user.as_ref()));
    let found = app.auth.list_access_keys(&principal, of, after.as_ref(), page.limit_and_one()).await?;
    Ok(Json(page.page(found.into_iter().map(shown).collect(), |key| key.access_key.clone())))
}

/// Disables an access key pair, and all that was issued for it, at once; or enables it again.
///
/// Its holder does, the account of its holder, or an administrator.
#[utoipa::path(
    patch,
    path = "/access-keys/{access_key}",
    tag = "access keys",
    operation_id = "changeAccessKey",
    params(("access_key" = String, Path, description = "The access key.")),
    request_body = AccessKeyChange,
    responses(
        (status = 200, description = "The pair as it is now.", body = AccessKey),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn change(
    caller: Caller,
    At(id): At<AccessKeyId>,
    JsonBody(change): JsonBody<AccessKeyChange>,
) -> Result<Json<AccessKey>, Problem> {
    let Caller { app, principal, now } = caller;
    let key = app.auth.set_access_key_disabled(&principal, &id, change.disabled, now).await?;
    Ok(Json(shown(key)))
}

/// Deletes an access key pair, and ends all that was issued for it.
///
/// Its holder does, the account of its holder, or an administrator.
#[utoipa::path(
    delete,
    path = "/access-keys/{access_key}",
    tag = "access keys",
    operation_id = "deleteAccessKey",
    params(("access_key" = String, Path, description = "The access key.")),
    responses(
        (status = 204, description = "Deleted."),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn delete(caller: Caller, At(id): At<AccessKeyId>) -> Result<StatusCode, Problem> {
    caller.app.auth.delete_access_key(&caller.principal, &id, caller.now).await?;
    Ok(StatusCode::NO_CONTENT)
}
