//! Today's docker engine, with the image store of containerd, which keeps manifests as they are.
//!
//! Debian's client drives it.

use std::fs;

use async_trait::async_trait;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{Daemon, Docker, GoTool};
use tokio::sync::OnceCell;

use crate::client::{Client, Done, Need, Session, Succeeds};
use crate::docker::{client, copy, pull, tags, versions};
use crate::layout::Layout;
use crate::stage::Stage;

/// The oldest version of the engine's interface that it still speaks if asked to: Debian's client knows none of the
/// newer ones that it speaks unasked.
const OLDEST_INTERFACE: &str = "1.24";

#[derive(Default)]
pub(crate) struct Moby {
    engine: OnceCell<Engine>,
}

/// Its parts, in the order in which they are stopped.
struct Engine {
    dockerd: Daemon,
    _containerd: Daemon,
}

impl Moby {
    /// The engine, started when it is first asked for.
    async fn engine(&self) -> Result<&Engine, String> {
        self.engine.get_or_try_init(Engine::start).await
    }

    async fn docker(&self) -> Result<Docker, String> {
        let engine = self.engine().await?;
        Ok(Docker::of_engine(&client()?, format!("unix://{}", engine.dockerd.socket().display())))
    }
}

impl Engine {
    async fn start() -> Result<Engine, String> {
        Daemon::is_allowed()?;
        let moby = GoTool::find("moby")?;
        let containerd = Daemon::containerd(&GoTool::find("containerd")?.program("containerd")).await?;
        let folder = Daemon::folder()?;
        // An empty configuration, so that the machine's own is not read.
        let written = fs::write(folder.path().join("daemon.json"), "{}");
        written.map_err(|error| format!("cannot write its configuration: {error}"))?;
        let dockerd = Daemon::start(
            &moby.program("dockerd"),
            |command, folder| {
                command.arg("--host").arg(format!("unix://{}", folder.join("docker.sock").display()));
                command.arg("--containerd").arg(containerd.socket());
                command
                    .arg("--data-root")
                    .arg(folder.join("data"))
                    .arg("--exec-root")
                    .arg(folder.join("exec"));
                command.arg("--pidfile").arg(folder.join("docker.pid"));
                command.arg("--config-file").arg(folder.join("daemon.json"));
                command.args(["--bridge", "none", "--iptables=false", "--ip6tables=false"]);
                command.args(["--feature", "containerd-snapshotter=true"]);
                command.env("DOCKER_MIN_API_VERSION", OLDEST_INTERFACE);
            },
            "docker.sock",
            folder,
        )
        .await?;
        Ok(Engine { dockerd, _containerd: containerd })
    }
}

#[async_trait]
impl Client for Moby {
    fn name(&self) -> &'static str {
        "moby"
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Package("docker.io"), Need::Go("moby"), Need::Go("containerd")]
    }

    async fn version(&self) -> Result<String, String> {
        let (server, client) = versions(&self.docker().await?).await?;
        // An engine that Go has built from the module does not know its own.
        let server = if server == "library-import" { GoTool::find("moby")?.version } else { server };
        Ok(format!("{server}, client {client}"))
    }

    async fn session(&self, stage: &Stage) -> Box<dyn Session> {
        let docker = self.docker().await.expect("it was there");
        Box::new(Somebody { docker, host: stage.host() })
    }
}

struct Somebody {
    docker: Docker,
    host: String,
}

#[async_trait]
impl Session for Somebody {
    async fn login(&self, login: &str, password: &str) -> Done {
        self.docker.signs_in(login, password, &self.host).await.done()
    }

    async fn push(&self, content: &Layout, reference: &str) -> Done {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let archive = named(content, reference, &folder).await;
        self.docker.runs(&["load", "--input", &archive]).await.done()?;
        self.docker.pushes(reference).await.done()
    }

    async fn pull(&self, reference: &str) -> Done<Option<String>> {
        pull(&self.docker, reference).await.map(Some)
    }

    async fn push_index(&self, content: &Layout, reference: &str) -> Done {
        self.push(content, reference).await
    }

    async fn tags(&self, repository: &str) -> Done<Vec<String>> {
        tags(&self.docker, repository).await
    }

    async fn copy(&self, from: &str, to: &str) -> Done {
        copy(&self.docker, from, to).await
    }
}

/// The content as an archive that `docker load` loads under this name.
async fn named(content: &Layout, reference: &str, folder: &TempDir) -> String {
    let layout = content.folder();
    let index = fs::read(layout.join("index.json")).expect("a layout has an index");
    let mut index: Value = serde_json::from_slice(&index).expect("JSON");
    index["manifests"][0]["annotations"] = json!({ "io.containerd.image.name": reference });
    fs::write(folder.path().join("index.json"), index.to_string()).expect("a file");
    let archive = folder.path().join("archive.tar");
    let mut tar = tokio::process::Command::new("tar");
    tar.arg("--create").arg("--file").arg(&archive).arg("--directory").arg(folder.path()).arg("index.json");
    tar.arg("--directory").arg(layout).args(["oci-layout", "blobs"]);
    tests::run(tar, b"").await.succeeds();
    archive.to_string_lossy().into_owned()
}
