//! end-12: the manifests that are about another one.

use auth::Permit;
use http::HeaderValue;
use oci::{Digest, ReferrersPage};

use crate::dispatch::Call;
use crate::error::ApiError;
use crate::reply::{self, OCI_FILTERS_APPLIED, Reply};
use crate::router::{Referrers, RouteError};

/// `GET /v2/<name>/referrers/<digest>`: an index, perhaps an empty one; never 404 for a subject that is not there, nor,
/// to who would see it, for a repository that is not (`permit` is then `None`).
pub(crate) async fn list(
    call: &Call<'_>,
    permit: Option<&Permit>,
    which: &Referrers,
) -> Result<Reply, ApiError> {
    let Referrers { subject, artifact_type, page } = which;
    let artifact_type = artifact_type.as_deref();
    let after = page.after.as_deref().map(Digest::parse).transpose().map_err(RouteError::Digest)?;
    let found = match permit {
        Some(permit) => {
            let storage = &call.app.storage;
            storage.referrers(permit, subject, artifact_type, after.as_ref(), page.limit).await?
        }
        None => storage::Referrers::default(),
    };
    let media_type = HeaderValue::from_static(ReferrersPage::MEDIA_TYPE);
    let mut reply = reply::json_as(media_type, &ReferrersPage::new(&found.descriptors))?;
    if artifact_type.is_some() {
        reply.headers_mut().insert(OCI_FILTERS_APPLIED, HeaderValue::from_static("artifactType"));
    }
    if let (Some(permit), Some(next)) = (permit, &found.next) {
        let mut query = page.next(&next.to_string());
        if let Some(kind) = artifact_type {
            query = form_urlencoded::Serializer::new(query).append_pair("artifactType", kind).finish();
        }
        reply::link_next(&mut reply, &format!("/v2/{}/referrers/{subject}?{query}", permit.name()))?;
    }
    Ok(reply)
}
