//! Shares of an image by their numbers: the newer `shares`. The same shares as `access_domains` has by account; each is
//! with one account, so that one call that names several makes several, all or none.

use auth::{Error, Share, ShareChange, ShareId, Thing};
use http::StatusCode;
use oci::RepositoryName;
use serde::{Deserialize, Serialize};

use super::access_domains::{creator_id, deadline, description, end, must_be_read, new_share};
use super::answers::{self, Answer};
use super::errors::{Code, SwrError};
use super::query::Offset;
use super::{Caller, ROWS_MAX, router};

/// The only kind of sharee that there is, as it is written.
const ACCOUNT: &str = "account";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewShares {
    share_type: String,
    share_principals: Vec<String>,
    permission: String,
    deadline: String,
    #[serde(default)]
    description: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    permission: Option<String>,
    #[serde(default)]
    deadline: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Serialize)]
struct Item {
    id: u64,
    namespace: String,
    repository: String,
    share_type: &'static str,
    share_principals: [String; 1],
    permission: &'static str,
    deadline: String,
    description: String,
    creator_id: String,
    creator_name: String,
}

#[derive(Serialize)]
struct Made {
    shares: Vec<Item>,
}

fn shown(share: Share) -> Item {
    Item {
        id: share.id.get(),
        namespace: share.repository.namespace().to_owned(),
        repository: share.repository.path().to_owned(),
        share_type: ACCOUNT,
        share_principals: [share.grantee.to_string()],
        permission: "read",
        deadline: deadline(share.deadline),
        description: share.description.to_string(),
        creator_id: creator_id(&share),
        creator_name: share.created_by,
    }
}

/// `POST …/shares`.
pub(super) async fn create(caller: &Caller<'_>, image: &RepositoryName) -> Answer {
    let new: NewShares = caller.object()?;
    if new.share_type != ACCOUNT {
        let message = format!("an image is shared with accounts: share_type must be \"{ACCOUNT}\"");
        return Err(SwrError::new(Code::Invalid, message).about("share_type"));
    }
    must_be_read(&new.permission, "permission")?;
    let (end, description) = (end(&new.deadline)?, description(&new.description)?);
    let share = |grantee: &String| {
        let grantee = router::account_name(grantee).map_err(|error| error.about("share_principals"))?;
        Ok((image.clone(), new_share(grantee, end, description.clone())))
    };
    let new = new.share_principals.iter().map(share).collect::<Result<Vec<_>, SwrError>>()?;
    let made = caller.app.auth.create_shares(&caller.principal, &new, caller.now).await;
    let made = made.map_err(|error| match error {
        Error::OneOfShares { error, grantee, .. } if names_nobody(&error) => {
            SwrError::from(*error).with(&grantee).about("share_principals")
        }
        error => error.into(),
    })?;
    answers::json(StatusCode::CREATED, &Made { shares: made.into_iter().map(shown).collect() })
}

fn names_nobody(error: &Error) -> bool {
    matches!(error, Error::UnknownAccount | Error::ShareWithSelf | Error::Blocked)
}

/// `GET …/shares`, in the order of their numbers.
pub(super) async fn list(caller: &Caller<'_>, image: &RepositoryName) -> Answer {
    let page = Offset::parse(&caller.parameters(&["limit", "offset"])?)?;
    let (p, now) = (&caller.principal, caller.now);
    let shares = caller.app.auth.list_repository_shares(p, image, None, ROWS_MAX, now).await?;
    let (shares, range) = page.page(shares);
    answers::range(&shares.into_iter().map(shown).collect::<Vec<_>>(), &range)
}

/// `GET …/shares/{share_id}`.
pub(super) async fn show(caller: &Caller<'_>, image: &RepositoryName, id: ShareId) -> Answer {
    answers::json(StatusCode::OK, &shown(find(caller, image, id).await?))
}

/// `PATCH …/shares/{share_id}`. What is not given stays.
pub(super) async fn update(caller: &Caller<'_>, image: &RepositoryName, id: ShareId) -> Answer {
    let wanted: Change = caller.object()?;
    if let Some(permission) = &wanted.permission {
        must_be_read(permission, "permission")?;
    }
    let change = ShareChange {
        end: wanted.deadline.as_deref().map(end).transpose()?,
        description: wanted.description.as_deref().map(description).transpose()?,
        ..ShareChange::default()
    };
    let grantee = find(caller, image, id).await?.grantee;
    caller.app.auth.update_share(&caller.principal, image, &grantee, change, caller.now).await?;
    answers::created()
}

/// `DELETE …/shares/{share_id}`.
pub(super) async fn delete(caller: &Caller<'_>, image: &RepositoryName, id: ShareId) -> Answer {
    let grantee = find(caller, image, id).await?.grantee;
    caller.app.auth.revoke_share(&caller.principal, image, &grantee, caller.now).await?;
    Ok(answers::no_content())
}

/// The share of this image that has the number. Another image's has it not.
async fn find(caller: &Caller<'_>, image: &RepositoryName, id: ShareId) -> Result<Share, SwrError> {
    let (p, now) = (&caller.principal, caller.now);
    let shares = caller.app.auth.list_repository_shares(p, image, None, ROWS_MAX, now).await?;
    let found = shares.into_iter().find(|share| share.id == id);
    found.ok_or_else(|| auth::Error::NotFound { what: Thing::Share }.into())
}
