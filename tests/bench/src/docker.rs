//! A docker client, signed in nowhere but where a run's servers are, and its engine, which is started elsewhere.

use std::fs::{self, File};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::random::Random;
use crate::systems::{LOGIN, PASSWORD};

/// Set by `cargo xtask bench`, which starts the engine.
const HOST: &str = "TESTS_DOCKER_HOST";

/// A client.
pub(crate) struct Docker {
    host: String,
    /// Its configuration, and what images are built from.
    folder: TempDir,
}

impl Docker {
    /// A client whose files lie in `folder`; `None` where there is no engine.
    pub(crate) fn new(folder: &Path) -> Result<Option<Docker>, String> {
        let Ok(host) = std::env::var(HOST) else { return Ok(None) };
        let folder = tempfile::Builder::new().prefix("docker-").tempdir_in(folder);
        let folder = folder.map_err(|error| format!("cannot make a folder: {error}"))?;
        Ok(Some(Docker { host, folder }))
    }

    /// Signs in to a registry. (One that is open to everybody does not look.)
    pub(crate) fn sign_in(&self, address: SocketAddr) -> Result<(), String> {
        let credentials = STANDARD.encode(format!("{LOGIN}:{PASSWORD}"));
        let configuration = json!({ "auths": { address.to_string(): { "auth": credentials } } });
        let file = self.folder.path().join("config.json");
        fs::write(&file, configuration.to_string())
            .map_err(|error| format!("cannot write {}: {error}", file.display()))
    }

    /// Builds an image of so many layers, each with a file of random bytes, unlike every other image.
    pub(crate) async fn build(
        &self,
        image: &str,
        layers: u64,
        bytes: u64,
        random: &mut Random,
    ) -> Result<(), String> {
        let folder = tempfile::tempdir_in(&self.folder);
        let folder = folder.map_err(|error| format!("cannot make a folder: {error}"))?;
        let mut lines = "FROM scratch\n".to_owned();
        let write = |name: &str, parts: &[&[u8]]| {
            let file = File::create(folder.path().join(name));
            file.and_then(|mut file| parts.iter().try_for_each(|part| file.write_all(part)))
                .map_err(|error| format!("cannot write {name}: {error}"))
        };
        for number in 0..layers {
            let name = format!("layer-{number}");
            write(&name, &random.body(bytes).parts())?;
            lines.push_str(&format!("COPY {name} /{name}\n"));
        }
        write("Dockerfile", &[lines.as_bytes()])?;
        self.run(&["build", "--quiet", "--network", "none", "--tag", image, "."], folder.path()).await
    }

    pub(crate) async fn push(&self, image: &str) -> Result<(), String> {
        self.run(&["push", "--quiet", image], self.folder.path()).await
    }

    pub(crate) async fn pull(&self, image: &str) -> Result<(), String> {
        self.run(&["pull", "--quiet", image], self.folder.path()).await
    }

    /// Removes the image from the engine.
    pub(crate) async fn forget(&self, image: &str) -> Result<(), String> {
        self.run(&["image", "rm", "--force", image], self.folder.path()).await
    }

    async fn run(&self, words: &[&str], folder: &Path) -> Result<(), String> {
        let mut command = Command::new("docker");
        command.args(words).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
        command.env("DOCKER_HOST", &self.host).env("DOCKER_CONFIG", self.folder.path());
        // The classic builder: Debian's engine has no other.
        command.env_remove("DOCKER_CONTEXT").env("DOCKER_BUILDKIT", "0");
        let output = command.output().await.map_err(|error| format!("cannot run docker: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(format!("docker {}: {} {}", words.join(" "), output.status, said.trim()))
    }
}
