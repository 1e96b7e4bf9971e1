//! Shares of an image by the account that each is with: `access-domains`. An account is a "domain" here.

use auth::{
    AccountName, DESCRIPTION_CHARACTERS_MAX, Description, NewShare, Share, ShareChange, ShareEnd, ShareTags,
    Thing,
};
use http::StatusCode;
use jiff::Timestamp;
use oci::RepositoryName;
use serde::{Deserialize, Serialize};

use super::answers::{self, Answer};
use super::errors::{Code, SwrError};
use super::query::Offset;
use super::{Caller, ROWS_MAX, router};

/// A deadline that never comes, as it is written.
const FOREVER: &str = "forever";
/// The only permission that a share gives, as it is written.
const READ: &str = "read";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewAccessDomain {
    access_domain: String,
    permit: String,
    deadline: String,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessDomainChange {
    permit: String,
    deadline: String,
    #[serde(default)]
    description: String,
}

#[derive(Serialize)]
struct AccessDomain {
    namespace: String,
    repository: String,
    access_domain: String,
    permit: &'static str,
    deadline: String,
    description: String,
    creator_id: String,
    creator_name: String,
    created: Timestamp,
    updated: Timestamp,
    /// Whether it opens anything now.
    status: bool,
}

#[derive(Serialize)]
struct Looked {
    exist: bool,
    #[serde(flatten)]
    found: Option<AccessDomain>,
}

fn shown(share: Share, now: Timestamp) -> AccessDomain {
    AccessDomain {
        status: share.is_open(now),
        namespace: share.repository.namespace().to_owned(),
        repository: share.repository.path().to_owned(),
        access_domain: share.grantee.to_string(),
        permit: READ,
        deadline: deadline(share.deadline),
        description: share.description.to_string(),
        creator_id: creator_id(&share),
        creator_name: share.created_by,
        created: share.created_at,
        updated: share.updated_at,
    }
}

/// The number of who made a share: a user's, or an account's.
pub(super) fn creator_id(share: &Share) -> String {
    share.creator.user.map_or_else(|| share.creator.account.to_string(), |user| user.to_string())
}

/// A deadline, as it is written.
pub(super) fn deadline(deadline: Option<Timestamp>) -> String {
    deadline.map_or_else(|| FOREVER.to_owned(), |deadline| deadline.to_string())
}

/// The end that a deadline means.
pub(super) fn end(text: &str) -> Result<ShareEnd, SwrError> {
    if text == FOREVER {
        return Ok(ShareEnd::Permanent);
    }
    let end = auth::parse_deadline(text).map(ShareEnd::Until);
    end.map_err(|error| {
        SwrError::new(Code::Invalid, format!("a deadline is \"{FOREVER}\" or an instant: {error}"))
            .about("deadline")
    })
}

/// Refuses any permission but the one there is; `field` is what it stands in.
pub(super) fn must_be_read(permission: &str, field: &'static str) -> Result<(), SwrError> {
    if permission == READ {
        return Ok(());
    }
    let message = format!("an image is shared to be pulled: {field} must be \"{READ}\"");
    Err(SwrError::new(Code::Permit, message).about(field))
}

/// What an owner says.
pub(super) fn description(text: &str) -> Result<Description, SwrError> {
    Description::parse(text).map_err(|error| {
        let too_long = text.chars().count() > DESCRIPTION_CHARACTERS_MAX;
        let code = if too_long { Code::DescriptionTooLong } else { Code::Invalid };
        SwrError::new(code, error.to_string()).about("description")
    })
}

/// A share as this API can tell of one: what else there is to a share is as it comes.
pub(super) fn new_share(grantee: AccountName, end: ShareEnd, description: Description) -> NewShare {
    NewShare { grantee, end, tags: ShareTags::All, description, notice_before: None, region: None }
}

/// `POST …/access-domains`.
pub(super) async fn create(caller: &Caller<'_>, image: &RepositoryName) -> Answer {
    let new: NewAccessDomain = caller.object()?;
    must_be_read(&new.permit, "permit")?;
    let grantee = router::account_name(&new.access_domain)?;
    let share = new_share(grantee, end(&new.deadline)?, description(&new.description)?);
    caller.app.auth.create_share(&caller.principal, image, share, caller.now).await?;
    answers::created()
}

/// `GET …/access-domains`, in the order of the shares' numbers.
pub(super) async fn list(caller: &Caller<'_>, image: &RepositoryName) -> Answer {
    let page = Offset::parse(&caller.parameters(&["limit", "offset"])?)?;
    let (p, now) = (&caller.principal, caller.now);
    let shares = caller.app.auth.list_repository_shares(p, image, None, ROWS_MAX, now).await?;
    let (shares, range) = page.page(shares);
    let shares: Vec<_> = shares.into_iter().map(|share| shown(share, now)).collect();
    answers::range(&shares, &range)
}

/// `GET …/access-domains/{access_domain}`. That there is none is an answer, too.
pub(super) async fn show(caller: &Caller<'_>, image: &RepositoryName, grantee: &AccountName) -> Answer {
    let (p, now) = (&caller.principal, caller.now);
    let looked = match caller.app.auth.show_share(p, image, grantee, now).await {
        Ok(share) => Looked { exist: true, found: Some(shown(share, now)) },
        Err(auth::Error::NotFound { what: Thing::Share }) => Looked { exist: false, found: None },
        Err(error) => return Err(error.into()),
    };
    answers::json(StatusCode::OK, &looked)
}

/// `PATCH …/access-domains/{access_domain}`. A description that is not given is none.
pub(super) async fn update(caller: &Caller<'_>, image: &RepositoryName, grantee: &AccountName) -> Answer {
    let wanted: AccessDomainChange = caller.object()?;
    must_be_read(&wanted.permit, "permit")?;
    let change = ShareChange {
        end: Some(end(&wanted.deadline)?),
        description: Some(description(&wanted.description)?),
        ..ShareChange::default()
    };
    caller.app.auth.update_share(&caller.principal, image, grantee, change, caller.now).await?;
    answers::created()
}

/// `DELETE …/access-domains/{access_domain}`.
pub(super) async fn delete(caller: &Caller<'_>, image: &RepositoryName, grantee: &AccountName) -> Answer {
    caller.app.auth.revoke_share(&caller.principal, image, grantee, caller.now).await?;
    Ok(answers::no_content())
}
