//! end-12: the manifests that are about another one.

use auth::Permit;
use http::HeaderValue;
use oci::{Digest, ReferrersPage};

use crate::dispatch::Call;
use crate::error::ApiError;
use crate::query::Page;
use crate::reply::{self, OCI_FILTERS_APPLIED, Reply};
use crate::router::RouteError;

/// `GET /v2/<name>/referrers/<digest>`: an index, perhaps an empty one; never 404 for a subject that is not there.
pub(crate) async fn list(
    call: &Call<'_>,
    permit: &Permit,
    subject: &Digest,
    artifact_type: Option<&str>,
    page: &Page,
) -> Result<Reply, ApiError> {
    let after = page.after.as_deref().map(Digest::parse).transpose().map_err(RouteError::Digest)?;
    let found = call.app.storage.referrers(permit, subject, artifact_type, after.as_ref(), page.limit).await?;
    let media_type = HeaderValue::from_static(ReferrersPage::MEDIA_TYPE);
    let mut reply = reply::json_as(media_type, &ReferrersPage::new(&found.descriptors))?;
    if artifact_type.is_some() {
        reply.headers_mut().insert(OCI_FILTERS_APPLIED, HeaderValue::from_static("artifactType"));
    }
    if let Some(next) = &found.next {
        let mut query = page.next(&next.to_string());
        if let Some(kind) = artifact_type {
            query = form_urlencoded::Serializer::new(query).append_pair("artifactType", kind).finish();
        }
        reply::link_next(&mut reply, &format!("/v2/{}/referrers/{subject}?{query}", permit.name()))?;
    }
    Ok(reply)
}
