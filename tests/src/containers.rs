//! What skopeo, podman and buildah have in common: one library, containers/image, that reads its policy and keeps its
//! sign-ins in a home.

use std::path::PathBuf;

use tempfile::TempDir;
use tokio::process::Command;

use crate::program::{self, Ran};

/// The home of somebody who uses them. They see nothing of what this machine has set.
pub struct ContainersHome(TempDir);

impl ContainersHome {
    /// Of somebody who has not signed in.
    #[must_use]
    pub fn new() -> ContainersHome {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // They want a policy, and not every machine has one.
        let policies = folder.path().join(".config/containers");
        std::fs::create_dir_all(&policies).expect("a new folder");
        let policy = r#"{"default":[{"type":"insecureAcceptAnything"}]}"#;
        std::fs::write(policies.join("policy.json"), policy).expect("a policy");
        ContainersHome(folder)
    }

    /// A path in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// One of the programs, at home here.
    #[must_use]
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.0.path()).env("REGISTRY_AUTH_FILE", self.path("auth.json"));
        // Where blobs lie on their way; /var/tmp else.
        command.env("TMPDIR", self.0.path());
        command
    }

    /// `login`, the same words for each of them, with a password that may be wrong.
    pub async fn signs_in(&self, mut command: Command, login: &str, password: &str, host: &str) -> Ran {
        command.args(["login", "--tls-verify=false", "--username", login, "--password-stdin", host]);
        program::run(command, password.as_bytes()).await
    }
}

impl Default for ContainersHome {
    fn default() -> ContainersHome {
        ContainersHome::new()
    }
}
