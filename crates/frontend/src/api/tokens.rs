//! Personal tokens: a password with an end and a scope, for oneself.

use std::time::Duration;

use auth::{Description, Made, ScopePattern, TokenId};
use axum::Json;
use axum::extract::FromRequestParts;
use http::StatusCode;
use http::request::Parts;

use super::document::{Conflict, Forbidden, NotFound};
use super::extract::{At, Caller, JsonBody};
use super::problem::{Code, Problem};
use super::query::{Paging, Parameters};
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
/// The secret is shown this once. A token that is made with a personal token ends no later than that one, and is
/// revoked with it. A personal token with a scope makes none.
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
    let after = page.after_id()?;
    let limit = page.limit_and_one();
    let found = caller.app.auth.list_personal_tokens(&caller.principal, after, limit, caller.now).await?;
    Ok(Json(page.page(found.into_iter().map(shown).collect(), |token| token.id.to_string())))
}

/// What becomes of the tokens made with a revoked one.
pub(super) struct Fate(Made);

impl<S: Sync> FromRequestParts<S> for Fate {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Parameters::of(parts, &["made"])?.get("made") {
            None | Some("ends") => Ok(Self(Made::Ends)),
            Some("stays") => Ok(Self(Made::Stays)),
            Some(_) => {
                let detail = "The parameter `made` must be `ends` or `stays`.";
                Err(Problem::new(Code::Invalid, detail).field("made"))
            }
        }
    }
}

/// Revokes a personal token of yours, and as a rule those made with it.
#[utoipa::path(
    delete,
    path = "/tokens/{id}",
    tag = "tokens",
    operation_id = "revokeToken",
    params(
        ("id" = u64, Path, description = "Its id."),
        (
            "made" = Option<String>, Query,
            description = "`ends`, as a rule: what was made with it ends too. `stays`: only its maker signs out."
        )
    ),
    responses((status = 204, description = "Revoked."), (status = 404, response = NotFound))
)]
pub(super) async fn revoke(
    caller: Caller,
    At(token): At<TokenId>,
    Fate(made): Fate,
) -> Result<StatusCode, Problem> {
    caller.app.auth.revoke_personal_token(&caller.principal, token, made, caller.now).await?;
    Ok(StatusCode::NO_CONTENT)
}
