//! The directory: the accounts of a region, for another region's server.
//!
//! Everything in it that opens something is sealed: only a server that holds the same sealing key reads it.

use auth::{Directory, Gone};
use axum::Json;
use axum::extract::FromRequestParts;
use http::request::Parts;

use super::document::{Conflict, Forbidden};
use super::extract::{AdministratorsBody, Caller};
use super::problem::{Code, Problem};
use super::query::Parameters;
use super::types::{DirectoryConflict, DirectoryReport};

/// Exports the accounts whose home is this region: their ids, users, sealed passwords and access keys.
///
/// Administrators do, for another region's server. Accounts that administer a server stay, and so do those that were
/// imported.
#[utoipa::path(
    get,
    path = "/directory",
    tag = "directory",
    operation_id = "exportDirectory",
    responses(
        (status = 200, description = "What another region's server imports.", body = serde_json::Value),
        (status = 403, response = Forbidden),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn export(caller: Caller) -> Result<Json<Directory>, Problem> {
    Ok(Json(caller.app.auth.export_directory(&caller.principal, caller.now).await?))
}

/// What becomes of accounts that their home has no more.
pub(super) struct Fate(Gone);

impl<S: Sync> FromRequestParts<S> for Fate {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Parameters::of(parts, &["gone"])?.get("gone") {
            None | Some("closes") => Ok(Self(Gone::Closes)),
            Some("deletes") => Ok(Self(Gone::Deletes)),
            Some(_) => {
                let detail = "The parameter `gone` must be `closes` or `deletes`.";
                Err(Problem::new(Code::Invalid, detail).field("gone"))
            }
        }
    }
}

/// Imports another region's accounts, as their home exported them.
///
/// Administrators do. Ids are kept. An account whose name or id is another's here is left out and told; the others are taken
/// over. What was imported is changed at its home, and imported again.
#[utoipa::path(
    put,
    path = "/directory",
    tag = "directory",
    operation_id = "importDirectory",
    params((
        "gone" = Option<String>, Query,
        description = "What becomes of accounts that their home has no more: `closes`, as a rule; `deletes`."
    )),
    request_body = serde_json::Value,
    responses(
        (status = 200, description = "What was done.", body = DirectoryReport),
        (status = 403, response = Forbidden),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn import(
    caller: Caller,
    Fate(gone): Fate,
    AdministratorsBody(directory): AdministratorsBody<Directory>,
) -> Result<Json<DirectoryReport>, Problem> {
    let Caller { app, principal, now } = caller;
    let report = app.auth.import_directory(&principal, directory, gone, now).await?;
    let names = |names: Vec<auth::AccountName>| names.iter().map(ToString::to_string).collect();
    let conflicts = report.conflicts.into_iter().map(|conflict| DirectoryConflict {
        account: conflict.account.to_string(),
        reason: conflict.why.to_string(),
    });
    Ok(Json(DirectoryReport {
        created: report.created,
        changed: report.changed,
        unchanged: report.unchanged,
        closed: names(report.closed),
        deleted: names(report.deleted),
        conflicts: conflicts.collect(),
    }))
}
