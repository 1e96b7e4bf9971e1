//! The list of repositories: those that the caller may pull.

use oci_spec::distribution::RepositoryListBuilder;

use crate::error::ApiError;
use crate::gate::Gate;
use crate::query::Page;
use crate::reply::{self, Reply};

/// `GET /v2/_catalog`.
pub(crate) async fn list(gate: &Gate<'_>, page: &Page) -> Result<Reply, ApiError> {
    let principal = gate.signed_in().await?;
    let found = gate.app.auth.catalog(&principal, page.after.as_deref(), page.limit, gate.now).await;
    let found = found.map_err(|denied| gate.denied(denied))?;
    let names: Vec<String> = found.names.iter().map(ToString::to_string).collect();
    let list = RepositoryListBuilder::default().repositories(names).build();
    let mut reply = reply::json(&list.map_err(ApiError::internal)?)?;
    if let Some(next) = found.next {
        reply::link_next(&mut reply, &format!("/v2/_catalog?{}", page.next(&next)))?;
    }
    Ok(reply)
}
