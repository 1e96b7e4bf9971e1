//! What a manifest and the configuration that it names say, as far as pages show it.

use bytes::Bytes;
use futures::TryStreamExt;
use oci::{Digest, Reference};
use serde_json::Value;
use storage::{ManifestBody, StoredManifest};

use super::image::Seen;
use super::problem::Problem;
use super::visitor::Visitor;

/// How many images of an index are looked at for what they run on.
const IMAGES_MAX: usize = 200;

/// A manifest that was read.
pub(super) struct Read {
    pub(super) stored: StoredManifest,
    /// Its content; `None`: too large to be shown.
    pub(super) document: Option<Value>,
    /// The configuration of an image (Image Specification, `config.md`); `None` where there is none to be shown.
    pub(super) configuration: Option<Value>,
    /// Whether there is one that cannot be shown: too large, or no JSON.
    pub(super) unread: bool,
}

impl Read {
    /// The manifest that `reference` names; nothing that is larger than `bytes_max` is looked into.
    pub(super) async fn of(
        visitor: &Visitor,
        seen: &Seen,
        reference: &Reference,
        bytes_max: u64,
    ) -> Result<Read, Problem> {
        let stored = visitor.app.storage.manifest(&seen.permit, reference).await?;
        let document = match &stored.body {
            ManifestBody::Whole(bytes) if bytes.len() as u64 <= bytes_max => {
                serde_json::from_slice(bytes).ok()
            }
            _ => None,
        };
        let configuration = match &document {
            Some(document) => configuration(visitor, seen, document, bytes_max).await?,
            None => None,
        };
        let unread = configuration.is_none() && document.as_ref().is_some_and(is_image);
        Ok(Read { stored, document, configuration, unread })
    }

    /// What an image runs on, or what the images of an index do, each once.
    pub(super) fn platforms(&self) -> Vec<String> {
        let of_index = self.document.as_ref().and_then(|document| document["manifests"].as_array());
        let of_index = of_index.into_iter().flatten().take(IMAGES_MAX).map(|image| &image["platform"]);
        let mut found: Vec<String> = Vec::new();
        for one in self.configuration.iter().chain(of_index).map(platform) {
            // That of what is attested of an image is written so.
            if !one.is_empty() && one != "unknown/unknown" && !found.contains(&one) {
                found.push(one);
            }
        }
        found
    }
}

/// What a text field says, unless it is empty.
pub(super) fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// A platform, as `linux/arm64/v8`.
pub(super) fn platform(of: &Value) -> String {
    let words = [&of["os"], &of["architecture"], &of["variant"]];
    words.into_iter().filter_map(text).collect::<Vec<_>>().join("/")
}

/// Whether a manifest is that of an image, with a configuration.
fn is_image(document: &Value) -> bool {
    text(&document["config"]["mediaType"]).is_some_and(|kind| {
        kind == "application/vnd.oci.image.config.v1+json"
            || kind == "application/vnd.docker.container.image.v1+json"
    })
}

async fn configuration(
    visitor: &Visitor,
    seen: &Seen,
    document: &Value,
    bytes_max: u64,
) -> Result<Option<Value>, Problem> {
    let config = &document["config"];
    let Some(digest) = text(&config["digest"]).and_then(|digest| Digest::parse(digest).ok()) else {
        return Ok(None);
    };
    if !is_image(document) || config["size"].as_u64().is_none_or(|size| size > bytes_max) {
        return Ok(None);
    }
    let blob = match visitor.app.storage.open_blob(&seen.permit, &digest, visitor.now).await {
        Ok(blob) if blob.size() <= bytes_max => blob,
        Ok(_) | Err(storage::Error::BlobUnknown { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let bytes: Vec<Bytes> = blob.read(0..bytes_max).try_collect().await?;
    Ok(serde_json::from_slice(&bytes.concat()).ok())
}
