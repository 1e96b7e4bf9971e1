//! A descriptor: how one piece of content names another (the image specification's "OCI Content
//! Descriptors").

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::field::{FieldError, Object, Problem};
use crate::{Digest, media_type};

/// The largest size, of one descriptor and of all in a manifest together: 2⁵³ − 1, which clients that parse
/// numbers as floats keep whole. Sums of sizes thus stay far from overflow.
pub const SIZE_MAX: u64 = (1 << 53) - 1;

/// The most addresses of one descriptor.
pub const URLS_MAX: usize = 100;

const FIELDS: [&str; 8] =
    ["mediaType", "digest", "size", "urls", "annotations", "artifactType", "data", "platform"];

/// A descriptor. What we have no use for (`platform`, `data`, fields of others) is not kept: the manifest's
/// bytes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the content is.
    pub media_type: String,
    /// What it is called by.
    pub digest: Digest,
    /// Its length in bytes, at most [`SIZE_MAX`].
    pub size: u64,
    /// What kind of artifact it is, if it is a manifest that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Where else it can be fetched. Never followed by us.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// Anything, by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// Whether the content may be absent here: a non-distributable layer, of Docker's or OCI's media types,
    /// that says where on the web it lies. Without an address it would lie nowhere, so it is a layer like any
    /// other.
    pub fn is_foreign(&self) -> bool {
        let is_on_the_web =
            |url: &String| ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
        media_type::is_non_distributable(&self.media_type) && self.urls.iter().any(is_on_the_web)
    }

    /// Reads the descriptor that stands at `path` of a manifest.
    pub(crate) fn read(raw: &RawValue, path: String) -> Result<Descriptor, FieldError> {
        let object = Object::read(raw, path, &FIELDS)?;
        let missing = |name: &str| object.field_error(name, Problem::Missing);

        let media_type = object.text("mediaType")?.ok_or_else(|| missing("mediaType"))?;
        if !media_type::is_media_type(&media_type) {
            return Err(object.field_error("mediaType", Problem::NotA { expected: "a media type" }));
        }
        let digest = object.text("digest")?.ok_or_else(|| missing("digest"))?;
        let digest = Digest::parse(&digest).map_err(|error| object.field_error("digest", error.into()))?;
        let size_expected = "a whole number from 0 to 9007199254740991";
        let size = object.value("size", size_expected)?.ok_or_else(|| missing("size"))?;
        if size > SIZE_MAX {
            return Err(object.field_error("size", Problem::NotA { expected: size_expected }));
        }
        // Not kept, but a client could not read the descriptor if they were of another type.
        object.text("data")?;
        object.object("platform", &[])?;

        Ok(Descriptor {
            media_type,
            digest,
            size,
            artifact_type: artifact_type(&object)?,
            urls: object.texts("urls", URLS_MAX)?,
            annotations: object.texts_by_key("annotations")?,
        })
    }
}

/// The `artifactType` of a descriptor or a manifest. An empty one is none, by the referrers rule.
pub(crate) fn artifact_type(object: &Object<'_>) -> Result<Option<String>, FieldError> {
    let artifact_type = object.text("artifactType")?.filter(|text| !text.is_empty());
    match artifact_type {
        Some(text) if !media_type::is_media_type(&text) => {
            Err(object.field_error("artifactType", Problem::NotA { expected: "a media type" }))
        }
        other => Ok(other),
    }
}
