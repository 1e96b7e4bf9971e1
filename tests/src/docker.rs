//! A real docker engine, and people's docker clients.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

use crate::program::{self, Ran};
use crate::{Person, Registry};

/// Set by `cargo xtask test`, which starts the engine.
const HOST: &str = "TESTS_DOCKER_HOST";
/// The same: the folder of the authorities that the engine trusts.
const CERTIFICATES: &str = "TESTS_DOCKER_CERTIFICATES";

/// Somebody's docker client: their logins lie in a folder of their own; the engine is everybody's.
pub struct Docker {
    program: PathBuf,
    host: String,
    folder: TempDir,
}

impl Docker {
    /// Somebody who has not logged in.
    #[must_use]
    pub fn new() -> Docker {
        Docker::of_engine(Path::new("docker"), program::set_by_xtask(HOST))
    }

    /// Somebody who has not logged in, with this client, and an engine that is not everybody's.
    #[must_use]
    pub fn of_engine(program: &Path, host: String) -> Docker {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Docker { program: program.to_owned(), host, folder }
    }

    /// `person`, logged in.
    pub async fn of(person: &Person, registry: &Registry) -> Docker {
        let docker = Docker::new();
        docker.logs_in(person, registry).await.succeeds();
        docker
    }

    /// From now on the engine, everybody's, trusts the authority of `registry`, if that speaks TLS, for this registry.
    pub fn engine_trusts(registry: &Registry) {
        let Some(ca) = registry.ca_certificate() else { return };
        let folder = Path::new(&program::set_by_xtask(CERTIFICATES)).join(registry.host());
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::copy(ca, folder.join("ca.crt")).expect("a copy of the certificate");
    }

    /// `docker login`.
    pub async fn logs_in(&self, person: &Person, registry: &Registry) -> Ran {
        self.signs_in(person.login(), person.password(), &registry.host()).await
    }

    /// `docker login`, with a password that may be wrong.
    pub async fn signs_in(&self, login: &str, password: &str, host: &str) -> Ran {
        let words = ["login", "--username", login, "--password-stdin", host];
        program::run(self.command(&words), password.as_bytes()).await
    }

    /// Any docker command.
    pub async fn runs(&self, words: &[&str]) -> Ran {
        program::run(self.command(words), b"").await
    }

    /// `docker push`.
    pub async fn pushes(&self, image: &str) -> Ran {
        self.runs(&["push", image]).await
    }

    /// `docker pull`, after the engine has forgotten the image (another account's pull may have left it).
    pub async fn pulls(&self, image: &str) -> Ran {
        self.forgets(&[image]).await;
        self.runs(&["pull", image]).await
    }

    /// Removes these images from the engine, so that a pull is a pull.
    pub async fn forgets(&self, images: &[&str]) {
        let mut words = vec!["image", "rm", "--force"];
        words.extend(images);
        self.runs(&words).await;
    }

    /// Runs a container of the image, without a network, and gives what it prints.
    pub async fn output_of(&self, image: &str) -> String {
        self.runs(&["run", "--rm", "--network", "none", image]).await.output()
    }

    /// The digest under which the registry holds the image that was pushed to or pulled from it.
    pub async fn digest_of(&self, image: &str) -> String {
        let format = "{{range .RepoDigests}}{{println .}}{{end}}";
        let digests = self.runs(&["image", "inspect", "--format", format, image]).await.output();
        let name = image.rsplit_once(':').map_or(image, |(name, _)| name);
        let digest = digests.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('@'));
        digest.unwrap_or_else(|| panic!("{image} has no digest of {name}: {digests}")).to_owned()
    }

    /// Builds an image: static busybox, then one layer for each file, that prints them all when run.
    pub async fn builds(&self, image: &str, files: &[(&str, &[u8])]) {
        let base = self.busybox().await;
        let folder = tempfile::tempdir_in(&self.folder).expect("a temporary folder");
        let mut lines = format!("FROM {base}\n");
        let mut shown = String::new();
        for (name, content) in files {
            std::fs::write(folder.path().join(name), content).expect("a file");
            lines.push_str(&format!("COPY {name} /{name}\n"));
            shown.push_str(&format!(", \"/{name}\""));
        }
        lines.push_str(&format!("CMD [\"/bin/busybox\", \"cat\"{shown}]\n"));
        std::fs::write(folder.path().join("Dockerfile"), lines).expect("a Dockerfile");
        self.build_folder(image, folder.path()).await;
    }

    /// Builds an image: static busybox, then one layer for each archive, that prints `word` when run.
    pub async fn builds_from_archives(&self, image: &str, archives: &[PathBuf], word: &str) {
        let base = self.busybox().await;
        let folder = archives.first().and_then(|archive| archive.parent()).expect("an archive in a folder");
        let mut lines = format!("FROM {base}\n");
        for archive in archives {
            let name = archive.file_name().expect("a name").to_string_lossy();
            lines.push_str(&format!("ADD {name} /\n"));
        }
        lines.push_str(&format!("CMD [\"/bin/busybox\", \"echo\", \"{word}\"]\n"));
        std::fs::write(folder.join("Dockerfile"), lines).expect("a Dockerfile");
        self.build_folder(image, folder).await;
    }

    async fn build_folder(&self, image: &str, folder: &Path) {
        // The classic builder: Debian's engine has no other.
        let mut build = self.command(&["build", "--quiet", "--network", "none", "--tag", image, "."]);
        build.env("DOCKER_BUILDKIT", "0").current_dir(folder);
        program::run(build, b"").await.succeeds();
    }

    /// The image that all others are built from, imported from the machine's static busybox.
    async fn busybox(&self) -> String {
        let image = format!("busybox-{}:test", std::process::id());
        let folder = tempfile::tempdir_in(&self.folder).expect("a temporary folder");
        let bin = folder.path().join("bin");
        std::fs::create_dir(&bin).expect("a folder");
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].iter().find(|file| Path::new(file).is_file());
        let busybox = busybox.expect("busybox-static is not installed: run `cargo xtask test`");
        std::fs::copy(busybox, bin.join("busybox")).expect("a copy of busybox");
        let archive = folder.path().join("base.tar");
        let mut tar = Command::new("tar");
        tar.arg("--create").arg("--file").arg(&archive).arg("--directory").arg(folder.path()).arg("bin");
        program::run(tar, b"").await.succeeds();
        self.runs(&["import", &archive.to_string_lossy(), &image]).await.succeeds();
        image
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).env("DOCKER_HOST", &self.host).env("DOCKER_CONFIG", self.folder.path());
        command.env_remove("DOCKER_CONTEXT");
        command
    }
}

impl Default for Docker {
    fn default() -> Docker {
        Docker::new()
    }
}
