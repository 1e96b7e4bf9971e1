//! People's skopeo, which shares no code with docker's client.

use std::path::PathBuf;

use crate::program::{self, Ran};
use crate::{ContainersHome, Image, Person, Registry};

/// Somebody's skopeo: their logins lie in a home of their own, beside the images they copy.
#[derive(Default)]
pub struct Skopeo(ContainersHome);

impl Skopeo {
    /// Somebody who has not logged in.
    #[must_use]
    pub fn new() -> Skopeo {
        Skopeo::default()
    }

    /// `person`, logged in.
    pub async fn of(person: &Person, registry: &Registry) -> Skopeo {
        let skopeo = Skopeo::new();
        skopeo.logs_in(person, registry).await.succeeds();
        skopeo
    }

    /// `skopeo login`.
    pub async fn logs_in(&self, person: &Person, registry: &Registry) -> Ran {
        self.signs_in(person.login(), person.password(), &registry.host()).await
    }

    /// `skopeo login`, with a password that may be wrong.
    pub async fn signs_in(&self, login: &str, password: &str, host: &str) -> Ran {
        self.0.signs_in(self.0.command("skopeo"), login, password, host).await
    }

    /// Lays `image` into a folder of this person, in the form that skopeo reads.
    pub fn stores(&self, folder: &str, image: &Image) {
        let folder = self.path(folder);
        std::fs::create_dir(&folder).expect("a new folder");
        std::fs::write(folder.join("version"), "Directory Transport Version: 1.1\n").expect("a file");
        std::fs::write(folder.join("manifest.json"), &image.manifest).expect("a file");
        for blob in image.blobs() {
            std::fs::write(folder.join(hex(&blob.digest)), &blob.bytes).expect("a file");
        }
    }

    /// Compares every byte of what skopeo wrote into a folder.
    pub fn holds(&self, folder: &str, image: &Image) {
        let folder = self.path(folder);
        let read = |name: &str| std::fs::read(folder.join(name)).expect("a file that skopeo wrote");
        assert_eq!(read("manifest.json"), image.manifest, "another manifest than was pushed");
        for blob in image.blobs() {
            assert_eq!(read(hex(&blob.digest)), blob.bytes, "another blob than was pushed");
        }
    }

    /// `skopeo copy` from a folder to the registry.
    pub async fn pushes(&self, folder: &str, image: &str) -> Ran {
        self.copies(&[], &self.dir(folder), &format!("docker://{image}")).await
    }

    /// `skopeo copy` from the registry to a folder.
    pub async fn pulls(&self, image: &str, folder: &str) -> Ran {
        self.copies(&[], &format!("docker://{image}"), &self.dir(folder)).await
    }

    /// `skopeo inspect`, the digest of it.
    pub async fn inspects(&self, image: &str) -> Ran {
        let image = format!("docker://{image}");
        self.runs(&["inspect", "--tls-verify=false", "--no-tags", "--format", "{{.Digest}}", &image]).await
    }

    /// `skopeo delete`.
    pub async fn deletes(&self, image: &str) -> Ran {
        self.runs(&["delete", "--tls-verify=false", &format!("docker://{image}")]).await
    }

    /// `skopeo copy` from anywhere to anywhere: `docker://…`, `oci:…`, `dir:…`.
    pub async fn copies(&self, options: &[&str], from: &str, to: &str) -> Ran {
        let words = ["copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false"];
        self.runs(&[&words, options, &[from, to]].concat()).await
    }

    /// Any skopeo command.
    pub async fn runs(&self, words: &[&str]) -> Ran {
        let mut command = self.0.command("skopeo");
        command.args(words);
        program::run(command, b"").await
    }

    /// A folder of this person.
    #[must_use]
    pub fn path(&self, folder: &str) -> PathBuf {
        self.0.path(folder)
    }

    /// The same as skopeo names it.
    #[must_use]
    pub fn dir(&self, folder: &str) -> String {
        format!("dir:{}", self.path(folder).display())
    }
}

/// A digest without its algorithm.
fn hex(digest: &str) -> &str {
    digest.split_once(':').map_or(digest, |(_, hex)| hex)
}
