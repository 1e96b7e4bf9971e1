//! end-8, and end-9 for a tag.

use auth::Permit;
use http::StatusCode;
use oci::Tag;
use oci_spec::distribution::TagListBuilder;

use crate::dispatch::Call;
use crate::error::ApiError;
use crate::query::Page;
use crate::reply::{self, Reply};

/// `GET /v2/<name>/tags/list`.
pub(crate) async fn list(call: &Call<'_>, permit: &Permit, page: &Page) -> Result<Reply, ApiError> {
    let found = call.app.storage.tags(permit, page.after.as_deref(), page.limit).await?;
    let next = found.items.last().filter(|_| found.more).map(|last| page.next(last));
    let list = TagListBuilder::default().name(permit.name().as_str()).tags(found.items).build();
    let mut reply = reply::json(&list.map_err(ApiError::internal)?)?;
    if let Some(next) = next {
        reply::link_next(&mut reply, &format!("/v2/{}/tags/list?{next}", permit.name()))?;
    }
    Ok(reply)
}

/// `DELETE /v2/<name>/manifests/<tag>`: the tag goes, its manifest stays.
pub(crate) async fn delete(call: &Call<'_>, permit: &Permit, tag: &Tag) -> Result<Reply, ApiError> {
    call.app.storage.delete_tag(permit, tag, call.now).await?;
    Ok(reply::status(StatusCode::ACCEPTED))
}
