//! People's skopeo, which shares no code with docker's client.

use tempfile::TempDir;
use tokio::process::Command;

use crate::program::{self, Ran};
use crate::{Image, Person, Registry};

/// Somebody's skopeo: their logins lie in a folder of their own, beside the images they copy.
pub struct Skopeo {
    folder: TempDir,
}

impl Skopeo {
    /// Somebody who has not logged in.
    #[must_use]
    pub fn new() -> Skopeo {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // skopeo wants a policy, and not every machine has one.
        let policy = r#"{"default":[{"type":"insecureAcceptAnything"}]}"#;
        std::fs::write(folder.path().join("policy.json"), policy).expect("a policy");
        Skopeo { folder }
    }

    /// `person`, logged in.
    pub async fn of(person: &Person, registry: &Registry) -> Skopeo {
        let skopeo = Skopeo::new();
        skopeo.logs_in(person, registry).await.succeeds();
        skopeo
    }

    /// `skopeo login`.
    pub async fn logs_in(&self, person: &Person, registry: &Registry) -> Ran {
        let host = registry.host();
        let words = ["login", "--tls-verify=false", "--username", person.login(), "--password-stdin", &host];
        program::run(self.command(&words), person.password().as_bytes()).await
    }

    /// Lays `image` into a folder of this person, in the form that skopeo reads.
    pub fn stores(&self, folder: &str, image: &Image) {
        let folder = self.folder.path().join(folder);
        std::fs::create_dir(&folder).expect("a new folder");
        std::fs::write(folder.join("version"), "Directory Transport Version: 1.1\n").expect("a file");
        std::fs::write(folder.join("manifest.json"), &image.manifest).expect("a file");
        for blob in image.blobs() {
            std::fs::write(folder.join(hex(&blob.digest)), &blob.bytes).expect("a file");
        }
    }

    /// Compares every byte of what skopeo wrote into a folder.
    pub fn holds(&self, folder: &str, image: &Image) {
        let folder = self.folder.path().join(folder);
        let read = |name: &str| std::fs::read(folder.join(name)).expect("a file that skopeo wrote");
        assert_eq!(read("manifest.json"), image.manifest, "another manifest than was pushed");
        for blob in image.blobs() {
            assert_eq!(read(hex(&blob.digest)), blob.bytes, "another blob than was pushed");
        }
    }

    /// `skopeo copy` from a folder to the registry.
    pub async fn pushes(&self, folder: &str, image: &str) -> Ran {
        self.copies(&self.dir(folder), &format!("docker://{image}")).await
    }

    /// `skopeo copy` from the registry to a folder.
    pub async fn pulls(&self, image: &str, folder: &str) -> Ran {
        self.copies(&format!("docker://{image}"), &self.dir(folder)).await
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

    async fn copies(&self, from: &str, to: &str) -> Ran {
        self.runs(&["copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false", from, to]).await
    }

    fn dir(&self, folder: &str) -> String {
        format!("dir:{}", self.folder.path().join(folder).display())
    }

    async fn runs(&self, words: &[&str]) -> Ran {
        program::run(self.command(words), b"").await
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("skopeo");
        command.arg("--policy").arg(self.folder.path().join("policy.json")).args(words);
        command.env("REGISTRY_AUTH_FILE", self.folder.path().join("auth.json"));
        command
    }
}

/// A digest without its algorithm.
fn hex(digest: &str) -> &str {
    digest.split_once(':').map_or(digest, |(_, hex)| hex)
}

impl Default for Skopeo {
    fn default() -> Skopeo {
        Skopeo::new()
    }
}
