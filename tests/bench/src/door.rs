//! How one repository of a server is entered: its address, and the header that opens it. Renders the requests of the OCI
//! Distribution Specification, and makes those that are no work but its preparation.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::connection::{Answer, Connection, Request};
use crate::random::Body;

/// A repository's door. The same for every system, but for the header.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    pub(crate) repository: Arc<str>,
    authorization: Option<Arc<str>>,
}

/// The media type of the manifests that are pushed.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

impl Door {
    /// `authorization` is the header's value, for who wants one.
    pub(crate) fn new(address: SocketAddr, repository: &str, authorization: Option<String>) -> Door {
        Door { address, repository: repository.into(), authorization: authorization.map(Into::into) }
    }

    /// The same where the server has moved.
    pub(crate) fn at(self, address: SocketAddr) -> Door {
        Door { address, ..self }
    }

    /// A request for `target`, a path with its query.
    pub(crate) fn request(&self, method: &str, target: &str, body: Option<Body>) -> Request {
        self.request_of(method, target, "application/octet-stream", body)
    }

    fn request_of(&self, method: &str, target: &str, media_type: &str, body: Option<Body>) -> Request {
        let host = self.address.to_string();
        let mut headers = vec![("host", host.as_str()), ("accept", MANIFEST)];
        headers.extend(self.authorization.as_deref().map(|value| ("authorization", value)));
        if body.is_some() {
            headers.push(("content-type", media_type));
        }
        Request::new(method, target, &headers, body)
    }

    pub(crate) fn blob(&self, method: &str, digest: &str) -> Request {
        self.request(method, &format!("/v2/{}/blobs/{digest}", self.repository), None)
    }

    pub(crate) fn manifest(&self, method: &str, reference: &str) -> Request {
        self.request(method, &format!("/v2/{}/manifests/{reference}", self.repository), None)
    }

    /// The request that pushes one, of this media type.
    pub(crate) fn put_manifest(&self, reference: &str, media_type: &str, manifest: Body) -> Request {
        let target = format!("/v2/{}/manifests/{reference}", self.repository);
        self.request_of("PUT", &target, media_type, Some(manifest))
    }

    pub(crate) fn tags(&self, at_most: u64) -> Request {
        self.request("GET", &format!("/v2/{}/tags/list?n={at_most}", self.repository), None)
    }

    /// A page of tags, after one that need not be there.
    pub(crate) fn tags_after(&self, at_most: u64, last: &str) -> Request {
        self.request("GET", &format!("/v2/{}/tags/list?n={at_most}&last={last}", self.repository), None)
    }

    pub(crate) fn catalog(&self, at_most: u64) -> Request {
        self.request("GET", &format!("/v2/_catalog?n={at_most}"), None)
    }

    pub(crate) fn referrers(&self, digest: &str) -> Request {
        self.request("GET", &format!("/v2/{}/referrers/{digest}", self.repository), None)
    }

    /// Pushes a blob: POST, then PUT of all of it, which every registry can.
    pub(crate) async fn push(&self, connection: &mut Connection, body: &Body) -> Result<(), String> {
        let begin = self.request("POST", &format!("/v2/{}/blobs/uploads/", self.repository), None);
        let answer = expect(connection.ask(&begin).await?, &begin, 202)?;
        let location = answer.location.ok_or_else(|| format!("{}: no Location", begin.line))?;
        let end = self.request("PUT", &with_digest(&location, &body.digest)?, Some(body.clone()));
        expect(connection.ask(&end).await?, &end, 201).map(|_| ())
    }

    /// Pushes a manifest under a tag or its digest.
    pub(crate) async fn push_manifest(
        &self,
        connection: &mut Connection,
        reference: &str,
        manifest: &Body,
    ) -> Result<(), String> {
        let put = self.put_manifest(reference, MANIFEST, manifest.clone());
        expect(connection.ask(&put).await?, &put, 201).map(|_| ())
    }
}

/// The answer, if it has this status.
pub(crate) fn expect(answer: Answer, request: &Request, status: u16) -> Result<Answer, String> {
    if answer.status == status {
        return Ok(answer);
    }
    let body = String::from_utf8_lossy(&answer.body);
    Err(format!("{}: answered {} instead of {status} {body}", request.line, answer.status))
}

/// The path with query of an upload's Location, with the digest that ends it.
fn with_digest(location: &str, digest: &str) -> Result<String, String> {
    let path = match location.split_once("://") {
        Some((_, rest)) => rest.find('/').map(|slash| &rest[slash..]),
        None => Some(location),
    };
    let path = path.filter(|path| path.starts_with('/')).ok_or(format!("no path in {location:?}"))?;
    let separator = if path.contains('?') { '&' } else { '?' };
    Ok(format!("{path}{separator}digest={digest}"))
}

#[cfg(test)]
mod tests {
    use super::with_digest;

    #[test]
    fn a_location_is_relative_or_absolute_and_may_have_a_query() {
        for (location, target) in [
            ("/v2/a/blobs/uploads/1", "/v2/a/blobs/uploads/1?digest=d"),
            ("http://127.0.0.1:5000/v2/a/1?state=x", "/v2/a/1?state=x&digest=d"),
        ] {
            assert_eq!(with_digest(location, "d").as_deref(), Ok(target));
        }
        assert!(with_digest("http://127.0.0.1", "d").is_err());
        assert!(with_digest("", "d").is_err());
    }
}
