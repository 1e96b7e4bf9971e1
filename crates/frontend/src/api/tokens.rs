//! Personal tokens: a password with an end and a scope, for oneself.

use std::time::Duration;

use auth::{Description, ScopePattern, TokenId};
use axum::Json;
use http::StatusCode;

use super::document::{Conflict, Forbidden, NotFound};
use super::extract::{At, Caller, JsonBody, id};
use super::problem::{Problem, of_field};
use super::query::Paging;
use super::types::{CreatedPersonalToken, NewPersonalToken, Page, PersonalToken};

fn shown(token: auth::PersonalToken) -> PersonalToken {
    let words = |scope: Vec<ScopePattern>| scope.iter().map(ToString::to_string).collect();
    PersonalToken {
        id: token.id.get(),
        description: token.description.to_string(),
        scope: token.scope.map(words),
        created_at: token.created_at,
        expires_at: token.expires_at,
    }
}

/// Makes a personal token for yourself.
///
/// The secret is shown this once. A token that is made with a personal token ends no later than that one, and reaches
/// no further.
#[utoipa::path(
    post,
    path = "/tokens",
    tag = "tokens",
    operation_id = "createToken",
    request_body = NewPersonalToken,
    responses(
        (status = 201, description = "Made.", body = CreatedPersonalToken),
        (status = 403, response = Forbidden),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn create(
    caller: Caller,
    JsonBody(new): JsonBody<NewPersonalToken>,
) -> Result<(StatusCode, Json<CreatedPersonalToken>), Problem> {
    let patterns = |words: Vec<String>| words.iter().map(|word| ScopePattern::parse(word)).collect();
    let token = auth::NewToken {
        expires_in: Duration::from_secs(new.expires_in_seconds),
        description: Description::parse(new.description.as_deref().unwrap_or_default())?,
        scope: new.scope.map(patterns).transpose()?,
    };
    let (token, secret) = caller.app.auth.create_personal_token(&caller.principal, token, caller.now).await?;
    let created = CreatedPersonalToken {
        token: shown(token),
        username: caller.principal.name(),
        secret: secret.reveal().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Lists your personal tokens, without their secrets.
#[utoipa::path(
    get,
    path = "/tokens",
    tag = "tokens",
    operation_id = "listTokens",
    params(Paging),
    responses((status = 200, description = "A page, in the order of ids.", body = Page<PersonalToken>))
)]
pub(super) async fn list(caller: Caller, page: Paging) -> Result<Json<Page<PersonalToken>>, Problem> {
    let after = of_field("after", page.after.as_deref().map(id).transpose())?.map(TokenId::from);
    let limit = page.limit_and_one();
    let found = caller.app.auth.list_personal_tokens(&caller.principal, after, limit, caller.now).await?;
    Ok(Json(page.page(found.into_iter().map(shown).collect(), |token| token.id.to_string())))
}

/// Revokes a personal token of yours, and those made with it.
#[utoipa::path(
    delete,
    path = "/tokens/{id}",
    tag = "tokens",
    operation_id = "revokeToken",
    params(("id" = u64, Path, description = "Its id.")),
    responses((status = 204, description = "Revoked."), (status = 404, response = NotFound))
)]
pub(super) async fn revoke(caller: Caller, At(token): At<TokenId>) -> Result<StatusCode, Problem> {
    caller.app.auth.revoke_personal_token(&caller.principal, token, caller.now).await?;
    Ok(StatusCode::NO_CONTENT)
}
