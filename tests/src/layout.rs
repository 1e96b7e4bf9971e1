//! OCI image layouts on disk, which clients read as they are.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::image::Image;
use crate::program;

/// Lays `manifests` with all their blobs into the new folder `root`; its index names `named`, with these annotations.
pub fn lay_out(root: &Path, manifests: &[&Image], named: &Image, annotations: &Value) {
    let write = |file: &str, content: &[u8]| {
        fs::write(root.join(file), content).unwrap_or_else(|error| panic!("{file}: {error}"));
    };
    fs::create_dir_all(root.join("blobs/sha256")).expect("folders");
    for image in manifests {
        let manifest = (&image.digest, &image.manifest);
        for (digest, bytes) in image.blobs().map(|blob| (&blob.digest, &blob.bytes)).chain([manifest]) {
            write(&format!("blobs/{}", digest.replace(':', "/")), bytes);
        }
    }
    let entry = json!({
        "mediaType": named.media_type, "digest": named.digest, "size": named.manifest.len(),
        "annotations": annotations,
    });
    write("index.json", json!({ "schemaVersion": 2, "manifests": [entry] }).to_string().as_bytes());
    write("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
}

/// The layout in `root` as one archive.
pub async fn archive_layout(root: &Path, archive: &Path) {
    let mut tar = Command::new("tar");
    tar.arg("--create").arg("--file").arg(archive).arg("--directory").arg(root);
    tar.args(["index.json", "oci-layout", "blobs"]);
    program::run(tar, b"").await.succeeds();
}
