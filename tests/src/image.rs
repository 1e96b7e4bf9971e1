//! Images made up by tests.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha512};

use crate::program;

/// The media type of the manifests made here.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of indices.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// The sha256 digest of `bytes`, by no code of ours.
#[must_use]
pub fn digest_of(bytes: &[u8]) -> String {
    written("sha256", &Sha256::digest(bytes))
}

/// The sha512 digest of `bytes`, by no code of ours.
#[must_use]
pub fn sha512_of(bytes: &[u8]) -> String {
    written("sha512", &Sha512::digest(bytes))
}

fn written(algorithm: &str, hash: &[u8]) -> String {
    let mut digest = format!("{algorithm}:");
    for byte in hash {
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

/// A blob.
#[derive(Debug, Clone)]
pub struct Blob {
    /// Its media type in manifests.
    pub media_type: &'static str,
    /// Its digest.
    pub digest: String,
    /// Its bytes.
    pub bytes: Bytes,
}

impl Blob {
    /// A layer of these bytes.
    #[must_use]
    pub fn layer(bytes: impl Into<Bytes>) -> Blob {
        let bytes = bytes.into();
        Blob { media_type: "application/vnd.oci.image.layer.v1.tar", digest: digest_of(&bytes), bytes }
    }

    /// A layer of random bytes, unlike every other.
    #[must_use]
    pub fn random(size_bytes: usize) -> Blob {
        let mut bytes = vec![0; size_bytes];
        rand::fill(&mut bytes[..]);
        Blob::layer(bytes)
    }

    /// A layer that clients unpack: a compressed archive with one file of this content.
    pub async fn archive(content: &[u8]) -> Blob {
        let layer = Blob::layer(packed(content, &["--gzip"]).await);
        Blob { media_type: "application/vnd.oci.image.layer.v1.tar+gzip", ..layer }
    }

    fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest, "size": self.bytes.len() })
    }
}

/// An image: a manifest and the blobs that it names.
#[derive(Debug, Clone)]
pub struct Image {
    /// The configuration.
    pub config: Blob,
    /// The layers.
    pub layers: Vec<Blob>,
    /// The manifest's media type.
    pub media_type: String,
    /// The manifest's bytes.
    pub manifest: Bytes,
    /// The manifest's digest.
    pub digest: String,
}

impl Image {
    /// An image of random layers, each of `layer_bytes`: unlike every other.
    #[must_use]
    pub fn random(layers: usize, layer_bytes: usize) -> Image {
        Image::of((0..layers).map(|_| Blob::random(layer_bytes)).collect())
    }

    /// A small image, unlike every other.
    #[must_use]
    pub fn small() -> Image {
        Image::random(2, 2000)
    }

    /// An image of these layers, with a configuration unlike every other.
    #[must_use]
    pub fn of(layers: Vec<Blob>) -> Image {
        let salt: u64 = rand::random();
        let config = json!({ "architecture": "amd64", "os": "linux", "author": salt.to_string() });
        Image::of_config(config.to_string().as_bytes(), layers)
    }

    /// An image of this configuration and these layers.
    #[must_use]
    pub fn of_config(config: &[u8], layers: Vec<Blob>) -> Image {
        let config = Blob {
            media_type: "application/vnd.oci.image.config.v1+json",
            ..Blob::layer(Bytes::copy_from_slice(config))
        };
        Image::with(config, layers, None)
    }

    /// An image for this machine that clients unpack: one layer with one file of this content.
    pub async fn of_file(content: &[u8]) -> Image {
        // Not compressed: the layer's digest is also the one that clients find when they have unpacked it.
        let layer = Blob::layer(packed(content, &[]).await);
        let architecture = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        let config = json!({
            "architecture": architecture, "os": "linux", "config": {},
            "rootfs": { "type": "layers", "diff_ids": [layer.digest] },
        });
        Image::of_config(config.to_string().as_bytes(), vec![layer])
    }

    /// The same blobs under a manifest that points at `subject`.
    #[must_use]
    pub fn referring_to(&self, subject: &Image, artifact_type: &str) -> Image {
        let subject = json!({
            "mediaType": subject.media_type, "digest": subject.digest, "size": subject.manifest.len(),
        });
        Image::with(self.config.clone(), self.layers.clone(), Some((subject, artifact_type)))
    }

    fn with(config: Blob, layers: Vec<Blob>, refers: Option<(Value, &str)>) -> Image {
        let mut manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": config.descriptor(),
            "layers": layers.iter().map(Blob::descriptor).collect::<Vec<_>>(),
        });
        if let Some((subject, artifact_type)) = refers {
            manifest["subject"] = subject;
            manifest["artifactType"] = json!(artifact_type);
        }
        Image { config, layers, ..Image::bare(MANIFEST, &manifest) }
    }

    /// A manifest of any form, without blobs.
    #[must_use]
    pub fn bare(media_type: &str, manifest: &Value) -> Image {
        let manifest = Bytes::from(manifest.to_string());
        Image {
            config: Blob::layer(Bytes::new()),
            layers: Vec::new(),
            media_type: media_type.to_owned(),
            digest: digest_of(&manifest),
            manifest,
        }
    }

    /// Every blob, the configuration first; none when the manifest is bare.
    pub fn blobs(&self) -> impl Iterator<Item = &Blob> {
        let config = (!self.config.bytes.is_empty()).then_some(&self.config);
        config.into_iter().chain(&self.layers)
    }
}

/// An archive with one file of this content.
async fn packed(content: &[u8], how: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("file"), content).expect("a file");
    let mut tar = tokio::process::Command::new("tar");
    tar.arg("--create").args(how).args(["--file=layer", "file"]).current_dir(folder.path());
    program::run(tar, b"").await.succeeds();
    std::fs::read(folder.path().join("layer")).expect("an archive")
}

/// An index over images.
#[must_use]
pub fn index_of(images: &[&Image]) -> Image {
    let descriptor = |image: &&Image| {
        json!({
            "mediaType": image.media_type, "digest": image.digest, "size": image.manifest.len(),
        })
    };
    let manifests: Vec<Value> = images.iter().map(descriptor).collect();
    Image::bare(INDEX, &json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests }))
}
