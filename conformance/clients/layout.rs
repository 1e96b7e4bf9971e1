//! Content to push: an OCI image layout on disk, which clients read as it is, and the pieces of it for those that do
//! not. The layers are real archives and the configuration tells their digests, so that engines unpack them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{Blob, INDEX, Image, archive_layout, digest_of, index_of, lay_out};
use tokio::process::Command;

use crate::client::{Cannot, Done};

/// The name of the image in the layout's index.
pub(crate) const NAME: &str = "1";

/// An image, or an index, unlike every other.
pub(crate) struct Layout {
    folder: TempDir,
    /// The digest of what the layout's name stands for.
    pub(crate) digest: String,
    layer: PathBuf,
}

impl Layout {
    /// An image for this machine, with one layer that holds one file of `bytes` random bytes.
    pub(crate) async fn image(bytes: usize) -> Layout {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let layer = archive(folder.path(), bytes).await;
        let image = image_of(&layer, architecture());
        Layout::lay(folder, layer, &[&image], &image).await
    }

    /// An index of two images, one of which is for this machine.
    pub(crate) async fn index() -> Layout {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let layer = archive(folder.path(), 3000).await;
        let images = ["amd64", "arm64"].map(|architecture| image_of(&layer, architecture));
        let mut manifest: Value =
            serde_json::from_slice(&index_of(&[&images[0], &images[1]]).manifest).expect("JSON");
        for (at, architecture) in ["amd64", "arm64"].iter().enumerate() {
            manifest["manifests"][at]["platform"] = json!({ "architecture": architecture, "os": "linux" });
        }
        let index = Image::bare(INDEX, &manifest);
        Layout::lay(folder, layer, &[&images[0], &images[1], &index], &index).await
    }

    async fn lay(folder: TempDir, layer: PathBuf, manifests: &[&Image], named: &Image) -> Layout {
        let root = folder.path().join("layout");
        let annotations = json!({ "org.opencontainers.image.ref.name": NAME });
        lay_out(&root, manifests, named, &annotations);
        archive_layout(&root, &folder.path().join("layout.tar")).await;
        Layout { digest: named.digest.clone(), folder, layer }
    }

    /// The layout's folder.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("layout")
    }

    /// An index's layout in the form that go-containerregistry pushes: its entries are the layout's own.
    pub(crate) fn flat_folder(&self) -> PathBuf {
        let (folder, flat) = (self.folder(), self.folder.path().join("flat"));
        fs::create_dir(&flat).expect("a new folder");
        std::os::unix::fs::symlink(folder.join("blobs"), flat.join("blobs")).expect("a link");
        fs::copy(folder.join("oci-layout"), flat.join("oci-layout")).expect("a copy");
        let index = folder.join("blobs").join(self.digest.replace(':', "/"));
        fs::copy(index, flat.join("index.json")).expect("a copy");
        flat
    }

    /// The same as one archive.
    pub(crate) fn archive(&self) -> PathBuf {
        self.folder.path().join("layout.tar")
    }

    /// The archive that is the layer.
    pub(crate) fn layer(&self) -> &Path {
        &self.layer
    }
}

/// The digest of what a client has written into a layout: of the first entry of its index, whose bytes must be there.
pub(crate) fn written(folder: &Path) -> Done<Option<String>> {
    let index = fs::read(folder.join("index.json")).unwrap_or_default();
    let index: Value = serde_json::from_slice(&index).unwrap_or_default();
    let digest = index["manifests"][0]["digest"].as_str().unwrap_or_default();
    let bytes = fs::read(folder.join("blobs").join(digest.replace(':', "/"))).unwrap_or_default();
    if digest_of(&bytes) == digest {
        Ok(Some(digest.to_owned()))
    } else {
        Err(Cannot::Failed(format!("the layout that it wrote does not hold what its index names: {index}")))
    }
}

/// A small image that engines of this machine unpack, to be pushed by our own hand.
pub(crate) async fn unpackable() -> Image {
    let folder = tempfile::tempdir().expect("a temporary folder");
    image_of(&archive(folder.path(), 100).await, architecture())
}

/// What this machine calls itself.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "amd64",
    }
}

/// An archive of one random file.
async fn archive(folder: &Path, bytes: usize) -> PathBuf {
    let layer = folder.join("layer.tar");
    fs::write(folder.join("file"), Blob::random(bytes).bytes).expect("a file");
    let mut tar = Command::new("tar");
    tar.arg("--create").arg("--file").arg(&layer).arg("--directory").arg(folder).arg("file");
    tests::run(tar, b"").await.succeeds();
    fs::remove_file(folder.join("file")).expect("a file of ours");
    layer
}

fn image_of(layer: &Path, architecture: &str) -> Image {
    let layer = Blob::layer(fs::read(layer).expect("an archive"));
    let config = json!({
        "architecture": architecture, "os": "linux", "config": { "Cmd": ["/file"] },
        "rootfs": { "type": "layers", "diff_ids": [layer.digest] },
    });
    Image::of_config(config.to_string().as_bytes(), vec![layer])
}
