//! Many shares in one call: one image with many accounts, or many images with one, all or none.

use std::collections::BTreeSet;
use std::time::Duration;

use auth::{AccountName, Description, SHARES_AT_ONCE_MAX};
use axum::Json;
use http::StatusCode;
use oci::RepositoryName;

use super::deadline;
use super::document::{Conflict, Forbidden, NotFound, Unprocessable};
use super::extract::{Caller, JsonBody};
use super::problem::{Code, Problem};
use super::shares::{shown, tags_of};
use super::types::{NewShares, Page, Share};
use crate::counting::counted;

/// Shares each of some repositories with each of some accounts, all at once or none.
///
/// Needs *manage* on each repository. At most 500 shares are made in a call. When one of them cannot be made, none is, and
/// the problem's `share` says which it was.
#[utoipa::path(
    post,
    path = "/shares",
    tag = "shares",
    operation_id = "createShares",
    request_body = NewShares,
    responses(
        (status = 201, description = "Shared, in the order of repositories, then of accounts.", body = Page<Share>),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict),
        (status = 422, response = Unprocessable)
    )
)]
pub(super) async fn create(
    caller: Caller,
    JsonBody(new): JsonBody<NewShares>,
) -> Result<(StatusCode, Json<Page<Share>>), Problem> {
    let Caller { app, principal, now } = caller;
    bounded(&new)?;
    let repositories = each("repositories", &new.repositories, RepositoryName::parse)?;
    let accounts = each("accounts", &new.accounts, AccountName::parse)?;
    let end = deadline::end_required(new.until.as_deref(), new.permanent)?;
    let tags = tags_of(new.tags.as_deref(), None)?.unwrap_or_default();
    let description = Description::parse(new.description.as_deref().unwrap_or_default())?;
    let mut entries = Vec::with_capacity(repositories.len() * accounts.len());
    for repository in &repositories {
        for grantee in &accounts {
            let share = auth::NewShare {
                grantee: grantee.clone(),
                end,
                tags: tags.clone(),
                description: description.clone(),
                notice_before: new.notice_before_seconds.map(Duration::from_secs),
                region: new.region.clone(),
            };
            entries.push((repository.clone(), share));
        }
    }
    let make = || app.auth.create_shares(&principal, &entries, now);
    let made = counted(&app, make).await?;
    let items = made.into_iter().map(|share| shown(share, app.auth.region(), now)).collect();
    Ok((StatusCode::CREATED, Json(Page { items, next: None })))
}

/// Refuses more shares than a call makes before a name is looked at, and none at all.
fn bounded(new: &NewShares) -> Result<(), Problem> {
    for (field, names) in [("repositories", &new.repositories), ("accounts", &new.accounts)] {
        if names.is_empty() {
            let detail = format!("The field `{field}` must name at least one.");
            return Err(Problem::new(Code::Invalid, detail).field(field));
        }
    }
    let shares = new.repositories.len().saturating_mul(new.accounts.len());
    if shares > SHARES_AT_ONCE_MAX {
        let detail = format!("One call makes at most {SHARES_AT_ONCE_MAX} shares, and these are {shares}.");
        return Err(Problem::new(Code::Invalid, detail).field("accounts"));
    }
    Ok(())
}

/// The names in `field`, each of which stands there once.
fn each<T, E: Into<Problem>>(
    field: &'static str,
    names: &[String],
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, Problem> {
    let mut seen = BTreeSet::new();
    let mut parsed = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        parsed.push(parse(name).map_err(|error| error.into().field(format!("{field}[{index}]")))?);
        if !seen.insert(name) {
            let detail = format!("{name} stands twice in `{field}`.");
            return Err(Problem::new(Code::Invalid, detail).field(format!("{field}[{index}]")));
        }
    }
    Ok(parsed)
}
