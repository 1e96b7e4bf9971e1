//! What a manifest's bytes say: which blobs and manifests it names, and what it is about.
//!
//! [`Manifest::parse`] is the one place where a pushed manifest is judged. It is strict where two readers
//! could take the same bytes for different things (CVE-2021-41190): the media type must be the one promised,
//! a body must not be image and index at once, keys must not stand twice or differ in case only. It is
//! lenient where nothing hangs on it: unknown fields pass, `null` counts as absent.
//!
//! `"layers": null` and `"manifests": null` are thus empty lists: that is how Go prints a list to which
//! nothing was added, and clients written in Go (which is most of them) push it. A key that is not there at
//! all is refused, because none of them leaves it out.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::descriptor::{Descriptor, SIZE_MAX, artifact_type};
use crate::field::{FieldError, Object, Problem, check_json};
use crate::media_type::{Kind, MEDIA_TYPE_BYTES_MAX, ManifestType, essence, is_docker_schema1};

/// The most layers of an image, and the most manifests of an index.
pub const DESCRIPTORS_MAX: usize = 10_000;

const FIELDS: [&str; 9] = [
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "manifests",
    "subject",
    "annotations",
    "fsLayers",
];

/// Why a body is not a manifest that can be accepted. Each says what is wrong, to the person who pushed it.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Neither a `Content-Type` nor a `mediaType`: which manifest it is, would have to be guessed.
    #[error("the media type is not known: send it as the Content-Type, or as the manifest's mediaType")]
    NoMediaType,
    /// A manifest of a type that is not accepted.
    #[error(
        "manifests of type {media_type:?} are not accepted, only OCI's image manifest and index, \
         and Docker's image manifest (version 2, schema 2) and manifest list"
    )]
    UnsupportedMediaType {
        /// The type, cut to 255 characters.
        media_type: String,
    },
    /// A manifest in the first form that Docker had.
    #[error("Docker's manifests of schema 1 are not accepted: push the image with a newer client")]
    DockerSchema1,
    /// The body says to be of another type than the request.
    #[error("the Content-Type says {content_type}, but the manifest's mediaType says {media_type:?}")]
    MediaTypeMismatch {
        /// What the request says.
        content_type: &'static str,
        /// What the body says, cut to 255 characters.
        media_type: String,
    },
    /// A manifest of one kind holds a field of the other.
    #[error("{kind} must not have {field:?}: it could be read as a manifest of another kind")]
    Ambiguous {
        /// What the media type says it is.
        kind: Kind,
        /// The field of the other kind.
        field: &'static str,
    },
    /// Not JSON, or nested too deeply.
    #[error("the manifest is not valid JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A field is not as it must be.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// A manifest that can be accepted: what of it a registry goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    media_type: ManifestType,
    /// An image has one, an index none.
    config: Option<Descriptor>,
    /// An image's layers, an index's manifests.
    entries: Vec<Descriptor>,
    subject: Option<Descriptor>,
    artifact_type: Option<String>,
    annotations: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a manifest that came with `content_type` (empty if the request had none: then the body must say
    /// what it is). How long a body may be is the caller's to bound.
    pub fn parse(content_type: &str, body: &[u8]) -> Result<Manifest, ManifestError> {
        let promised = promised_type(content_type)?;
        check_json(body)?;
        let raw: &RawValue = serde_json::from_slice(body)?;
        let top = Object::read(raw, String::new(), &FIELDS)?;
        check_schema(&top)?;
        let media_type = settle_type(promised, top.text("mediaType")?)?;
        let kind = media_type.kind();
        refuse_other_kind(&top, kind)?;

        let read = |(path, raw): (String, &RawValue)| Descriptor::read(raw, path);
        let descriptor = |name: &str| top.element(name).map(read).transpose();
        let missing = |name: &str| top.field_error(name, Problem::Missing);
        let (config, list) = match kind {
            Kind::Image => (Some(descriptor("config")?.ok_or_else(|| missing("config"))?), "layers"),
            Kind::Index => (None, "manifests"),
        };
        if !top.has(list) {
            return Err(missing(list).into());
        }
        let entries =
            top.elements(list, DESCRIPTORS_MAX)?.into_iter().flatten().map(read).collect::<Result<_, _>>()?;

        let manifest = Manifest {
            media_type,
            config,
            entries,
            subject: descriptor("subject")?,
            artifact_type: artifact_type(&top)?,
            annotations: top.texts_by_key("annotations")?,
        };
        let sizes =
            manifest.config.iter().chain(&manifest.entries).map(|descriptor| u128::from(descriptor.size));
        if sizes.sum::<u128>() > u128::from(SIZE_MAX) {
            return Err(top.field_error(list, Problem::TotalSize { max: SIZE_MAX }).into());
        }
        Ok(manifest)
    }

    /// Whether it is an image's or an index.
    pub fn kind(&self) -> Kind {
        self.media_type.kind()
    }

    /// Its media type, as it is to be served: without parameters, in its usual case.
    pub fn media_type(&self) -> &'static str {
        self.media_type.as_str()
    }

    /// An image's config.
    pub fn config(&self) -> Option<&Descriptor> {
        self.config.as_ref()
    }

    /// An image's layers, in order; one may stand there more than once. Empty for an index.
    pub fn layers(&self) -> &[Descriptor] {
        match self.kind() {
            Kind::Image => &self.entries,
            Kind::Index => &[],
        }
    }

    /// The blobs that it names: config and layers, with repetitions. Those of which
    /// [`Descriptor::is_foreign`] holds may be absent.
    pub fn blobs(&self) -> impl Iterator<Item = &Descriptor> {
        self.config.iter().chain(self.layers())
    }

    /// The manifests that an index names, in order, with repetitions. Empty for an image.
    ///
    /// Their media types are not looked at: BuildKit's cache, for one, is an index whose entries are layers.
    /// So a child's digest may be that of a blob.
    pub fn children(&self) -> &[Descriptor] {
        match self.kind() {
            Kind::Image => &[],
            Kind::Index => &self.entries,
        }
    }

    /// The manifest that it is about, which need not exist.
    pub fn subject(&self) -> Option<&Descriptor> {
        self.subject.as_ref()
    }

    /// What kind of artifact it is, by the rule of "Listing Referrers": its `artifactType`; if it has none,
    /// the media type of an image's config; else nothing.
    pub fn artifact_type(&self) -> Option<&str> {
        let config_type = || self.config.as_ref().map(|config| config.media_type.as_str());
        self.artifact_type.as_deref().or_else(config_type)
    }

    /// Its annotations.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.annotations
    }
}

/// The type that the request promises, if it promises one.
fn promised_type(content_type: &str) -> Result<Option<ManifestType>, ManifestError> {
    if essence(content_type).is_empty() {
        return Ok(None);
    }
    accepted(content_type).map(Some)
}

fn accepted(media_type: &str) -> Result<ManifestType, ManifestError> {
    if is_docker_schema1(media_type) {
        return Err(ManifestError::DockerSchema1);
    }
    ManifestType::from_content_type(media_type)
        .ok_or_else(|| ManifestError::UnsupportedMediaType { media_type: shown(media_type) })
}

fn check_schema(top: &Object<'_>) -> Result<(), ManifestError> {
    let expected = "2";
    let version: u64 = top
        .value("schemaVersion", expected)?
        .ok_or_else(|| top.field_error("schemaVersion", Problem::Missing))?;
    if version == 1 || top.has("fsLayers") {
        return Err(ManifestError::DockerSchema1);
    }
    if version != 2 {
        return Err(top.field_error("schemaVersion", Problem::NotA { expected }).into());
    }
    Ok(())
}

/// The type, from what the request promises and what the body says: one is enough, two must agree to the
/// letter.
fn settle_type(promised: Option<ManifestType>, said: Option<String>) -> Result<ManifestType, ManifestError> {
    match (promised, said) {
        (None, None) => Err(ManifestError::NoMediaType),
        (Some(promised), None) => Ok(promised),
        (Some(promised), Some(said)) if said == promised.as_str() => Ok(promised),
        (Some(promised), Some(said)) => Err(ManifestError::MediaTypeMismatch {
            content_type: promised.as_str(),
            media_type: shown(&said),
        }),
        (None, Some(said)) => {
            let accepted = accepted(&said)?;
            settle_type(Some(accepted), Some(said))
        }
    }
}

/// The mere key of the other kind is enough, since a reader may go by its presence.
fn refuse_other_kind(top: &Object<'_>, kind: Kind) -> Result<(), ManifestError> {
    let foreign: &[&'static str] = match kind {
        Kind::Image => &["manifests"],
        Kind::Index => &["config", "layers"],
    };
    match foreign.iter().find(|field| top.has(field)) {
        Some(field) => Err(ManifestError::Ambiguous { kind, field }),
        None => Ok(()),
    }
}

fn shown(text: &str) -> String {
    text.chars().take(MEDIA_TYPE_BYTES_MAX).collect()
}

#[cfg(test)]
mod tests;
