//! What was used under a share, day by day.

use auth::{AccountName, UsagePlace, UsageWanted};
use axum::Json;
use axum::extract::FromRequestParts;
use http::request::Parts;
use jiff::civil::Date;
use kv::UsedFrom;
use oci::RepositoryName;

use super::document::{Forbidden, NotFound};
use super::extract::{At, Caller};
use super::problem::{Code, Problem};
use super::query::{Paging, Parameters};
use super::types::{ShareUsage, ShareUse, UsageOfDay};

/// Which part is wanted.
pub(super) struct Wanted {
    from: Option<Date>,
    to: Option<Date>,
    page: Paging,
}

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Parameters::of(parts, &["from", "to", "after", "limit"])?;
        Ok(Self { from: date(&query, "from")?, to: date(&query, "to")?, page: query.paging()? })
    }
}

/// A day as RFC 3339 writes it, and nothing else that jiff reads.
fn date(query: &Parameters, field: &'static str) -> Result<Option<Date>, Problem> {
    let Some(text) = query.get(field) else { return Ok(None) };
    let shape = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match text.parse().ok().filter(|_| shape) {
        Some(date) => Ok(Some(date)),
        None => Err(Problem::new(Code::Invalid, "A day is written as 2027-01-31.").field(field)),
    }
}

/// All that was used under a share, as it is shown.
pub(super) fn total(used: auth::ShareUse) -> ShareUse {
    ShareUse { last_used_at: used.last_used_at, pulls: used.pulls, bytes: used.bytes }
}

fn shown(used: &auth::UsageOfDay) -> UsageOfDay {
    UsageOfDay {
        day: used.day.to_string(),
        user: used.login.clone(),
        user_id: used.user.map(auth::UserId::get),
        address: match used.from {
            UsedFrom::Address(address) => address.to_string(),
            UsedFrom::Unknown => "unknown".to_owned(),
            UsedFrom::Others => "others".to_owned(),
        },
        pulls: used.pulls,
        bytes: used.bytes,
    }
}

/// Shows what was used under a share.
///
/// Needs *manage*. A pull is a GET of a manifest; bytes are those of manifests and blobs that were sent. Days are in UTC.
/// Usage is written within a second or two, kept for as long as the operator says, and ends with the share; what was
/// pulled stays in the audit trail.
#[utoipa::path(
    get,
    path = "/repositories/{repository}/shares/{account}/usage",
    tag = "shares",
    operation_id = "showShareUsage",
    params(
        ("repository" = String, Path, description = "Its full name, percent-encoded: `team-a%2Fweb`."),
        ("account" = String, Path, description = "The account that it is shared with."),
        ("from" = Option<String>, Query, description = "The first day, such as `2027-01-01`."),
        ("to" = Option<String>, Query, description = "The last day."),
        Paging
    ),
    responses(
        (status = 200, description = "All that was used, and a page of it day by day.", body = ShareUsage),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn show(
    caller: Caller,
    At((repository, grantee)): At<(RepositoryName, AccountName)>,
    wanted: Wanted,
) -> Result<Json<ShareUsage>, Problem> {
    let Caller { app, principal, now } = caller;
    let Wanted { from, to, page } = wanted;
    let place = |text: &str| {
        UsagePlace::parse(text).ok_or_else(|| {
            Problem::new(Code::Invalid, "Give the `next` of the page before, as it is.").field("after")
        })
    };
    let after = page.after.as_deref().map(place).transpose()?;
    let wanted = UsageWanted { from, to, after, limit: page.limit_and_one() };
    let (used, days) = app.auth.share_usage(&principal, &repository, &grantee, wanted, now).await?;
    let page = page.page(days, |day: &auth::UsageOfDay| day.place.to_text());
    let items = page.items.iter().map(shown).collect();
    Ok(Json(ShareUsage { total: total(used), items, next: page.next }))
}
