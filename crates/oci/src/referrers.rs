//! The list of manifests that are about another one ("Listing Referrers").

use serde::Serialize;

use crate::{Descriptor, Digest, Manifest, ManifestType};

/// The descriptor by which a manifest is listed among its subject's referrers: with its artifact type by the
/// rule of the specification, and its annotations copied. `digest` and `size` are those of the manifest's own
/// bytes.
pub fn referrer(manifest: &Manifest, digest: Digest, size: u64) -> Descriptor {
    Descriptor {
        media_type: manifest.media_type().to_owned(),
        digest,
        size,
        artifact_type: manifest.artifact_type().map(str::to_owned),
        urls: Vec::new(),
        annotations: manifest.annotations().clone(),
    }
}

/// One page of referrers: in JSON, an OCI index with the descriptors as its manifests. May be empty.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReferrersPage<'a> {
    schema_version: u8,
    media_type: &'static str,
    manifests: &'a [Descriptor],
}

impl<'a> ReferrersPage<'a> {
    /// The media type of a page.
    pub const MEDIA_TYPE: &'static str = ManifestType::OciIndex.as_str();

    /// A page of these.
    pub fn new(manifests: &'a [Descriptor]) -> ReferrersPage<'a> {
        ReferrersPage { schema_version: 2, media_type: Self::MEDIA_TYPE, manifests }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{ReferrersPage, referrer};
    use crate::{Algorithm, Digest, Manifest, ManifestType};

    #[test]
    fn a_referrer_carries_type_and_annotations() {
        let blob = json!({ "mediaType": "a/b", "digest": Digest::of(Algorithm::Sha256, b"x"), "size": 1 });
        let annotations = json!({ "org.example": "é" });
        let image = json!({ "schemaVersion": 2, "config": blob, "layers": [], "annotations": annotations });
        let index = json!({ "schemaVersion": 2, "manifests": [], "subject": blob });
        let referrer_of = |media_type: ManifestType, body: &serde_json::Value| {
            let body = body.to_string();
            let manifest = Manifest::parse(media_type.as_str(), body.as_bytes()).expect("a manifest");
            referrer(&manifest, Digest::of(Algorithm::Sha512, body.as_bytes()), body.len() as u64)
        };
        let image_referrer = referrer_of(ManifestType::OciImage, &image);
        let index_referrer = referrer_of(ManifestType::OciIndex, &index);

        let page = serde_json::to_value(ReferrersPage::new(&[image_referrer, index_referrer])).expect("JSON");
        let expected = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [
                {
                    "mediaType": "application/vnd.oci.image.manifest.v1+json",
                    "digest": Digest::of(Algorithm::Sha512, image.to_string().as_bytes()),
                    "size": image.to_string().len(),
                    "artifactType": "a/b",
                    "annotations": annotations,
                },
                {
                    "mediaType": "application/vnd.oci.image.index.v1+json",
                    "digest": Digest::of(Algorithm::Sha512, index.to_string().as_bytes()),
                    "size": index.to_string().len(),
                },
            ],
        });
        assert_eq!(page, expected);
        // A page is itself an index that we would accept.
        assert!(Manifest::parse(ReferrersPage::MEDIA_TYPE, page.to_string().as_bytes()).is_ok());
    }

    #[test]
    fn an_empty_page_has_an_empty_list() {
        let page = serde_json::to_string(&ReferrersPage::new(&[])).expect("JSON");
        assert!(page.ends_with(r#""manifests":[]}"#), "{page}");
    }
}
