//! Organizations: namespaces, by the name that this API has for them.

use auth::{Level, Namespace};
use http::StatusCode;
use oci::NamespaceName;
use serde::{Deserialize, Serialize};

use super::answers::{self, Answer};
use super::errors::SwrError;
use super::{Caller, ROWS_MAX, router};

/// A level, as a number: 7 manages, 3 edits, 1 reads. 0 is who sees an organization for the sake of one of its images.
pub(super) fn number(level: Option<Level>) -> u8 {
    match level {
        None => 0,
        Some(Level::Read) => 1,
        Some(Level::Edit) => 3,
        Some(Level::Manage) => 7,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewOrganization {
    namespace: String,
}

#[derive(Serialize)]
struct Organization {
    id: u64,
    name: String,
    creator_name: String,
    auth: u8,
}

#[derive(Serialize)]
struct Organizations {
    namespaces: Vec<Organization>,
}

fn shown(namespace: Namespace) -> Organization {
    Organization {
        id: namespace.id.get(),
        name: namespace.name.to_string(),
        // The account itself makes them, and nobody else.
        creator_name: namespace.account.to_string(),
        auth: number(namespace.level),
    }
}

/// `POST /v2/manage/namespaces`.
pub(super) async fn create(caller: &Caller<'_>) -> Answer {
    let new: NewOrganization = caller.object()?;
    let name = router::organization(&new.namespace)?;
    caller.app.auth.create_namespace(&caller.principal, &name, caller.now).await?;
    answers::created()
}

/// `GET /v2/manage/namespaces`: those that the caller has a permission on, and with `mode::visible` in the filter those
/// too in which it may see an image.
pub(super) async fn list(caller: &Caller<'_>) -> Answer {
    let query = caller.parameters(&["namespace", "mode", "filter"])?;
    let visible = query.word("mode", &[("visible", true)])?.unwrap_or(false);
    let wanted = query.get("namespace");
    let found = caller.app.auth.list_namespaces(&caller.principal, None, ROWS_MAX, caller.now).await?;
    let wants = |namespace: &Namespace| {
        (visible || namespace.level.is_some())
            && wanted.is_none_or(|wanted| namespace.name.as_str().contains(wanted))
    };
    answers::json(
        StatusCode::OK,
        &Organizations { namespaces: found.into_iter().filter(wants).map(shown).collect() },
    )
}

/// `GET /v2/manage/namespaces/{namespace}`.
pub(super) async fn show(caller: &Caller<'_>, name: &NamespaceName) -> Answer {
    let found = caller.app.auth.show_namespace(&caller.principal, name, caller.now).await?;
    answers::json(StatusCode::OK, &shown(found))
}

/// `DELETE /v2/manage/namespaces/{namespace}`.
pub(super) async fn delete(caller: &Caller<'_>, name: &NamespaceName) -> Answer {
    caller.app.auth.delete_namespace(&caller.principal, name, caller.now).await?;
    Ok::<_, SwrError>(answers::no_content())
}
