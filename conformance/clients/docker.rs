//! docker, as Debian has it: an engine with a store of its own format, which makes the manifests that it pushes.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tests::{Docker, find_program};

use crate::client::{Cannot, Client, Done, Need, Session, Succeeds};
use crate::layout::Layout;
use crate::stage::Stage;

/// Names the engine, which `cargo xtask` starts.
const HOST: &str = "TESTS_DOCKER_HOST";
/// Debian's client, whose version is its engine's, even where a newer one comes first in `PATH`.
const DEBIANS_CLIENT: &str = "/usr/bin/docker";

pub(crate) struct DebiansDocker;

#[async_trait]
impl Client for DebiansDocker {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Package("docker.io"), Need::DockerEngine]
    }

    async fn version(&self) -> Result<String, String> {
        let (server, client) = versions(&Docker::of_engine(&client()?, engine()?)).await?;
        Ok(if server == client { server } else { format!("{server}, client {client}") })
    }

    async fn session(&self, stage: &Stage) -> Box<dyn Session> {
        let client = client().expect("it was there");
        let docker = Docker::of_engine(&client, engine().expect("it was there"));
        Box::new(Somebody { docker, host: stage.host() })
    }
}

/// docker's client.
pub(crate) fn client() -> Result<PathBuf, String> {
    let debians = PathBuf::from(DEBIANS_CLIENT);
    if debians.is_file() { Ok(debians) } else { find_program("docker") }
}

/// The versions that the engine and the client tell.
pub(crate) async fn versions(docker: &Docker) -> Result<(String, String), String> {
    let ran = docker.runs(&["version", "--format", "{{.Server.Version}} {{.Client.Version}}"]).await;
    match ran.stdout.trim().split_once(' ') {
        Some((server, client)) if ran.code == 0 => Ok((server.to_owned(), client.to_owned())),
        _ => Err(format!("the docker engine does not answer: {}", ran.stderr.trim())),
    }
}

fn engine() -> Result<String, String> {
    std::env::var(HOST).map_err(|_| format!("no docker engine runs for it ({HOST} is not set)"))
}

struct Somebody {
    docker: Docker,
    host: String,
}

impl Somebody {
    /// Makes an image of this layer, and pushes it.
    async fn push_image(&self, settings: &[&str], layer: &Path, reference: &str) -> Done {
        let import = ["--change", r#"CMD ["/file"]"#, &layer.to_string_lossy(), reference];
        self.docker.runs(&[&["import"], settings, &import].concat()).await.done()?;
        self.docker.pushes(reference).await.done()
    }
}

#[async_trait]
impl Session for Somebody {
    async fn login(&self, login: &str, password: &str) -> Done {
        self.docker.signs_in(login, password, &self.host).await.done()
    }

    async fn push(&self, content: &Layout, reference: &str) -> Done {
        self.push_image(&[], content.layer(), reference).await
    }

    async fn pull(&self, reference: &str) -> Done<Option<String>> {
        pull(&self.docker, reference).await.map(Some)
    }

    async fn push_index(&self, content: &Layout, reference: &str) -> Done {
        let images =
            ["amd64", "arm64"].map(|architecture| (architecture, format!("{reference}-{architecture}")));
        for (architecture, image) in &images {
            let platform = format!("linux/{architecture}");
            self.push_image(&["--platform", &platform], content.layer(), image).await?;
        }
        let [(_, amd64), (_, arm64)] = &images;
        self.docker.runs(&["manifest", "create", "--insecure", reference, amd64, arm64]).await.done()?;
        self.docker.runs(&["manifest", "push", "--insecure", "--purge", reference]).await.done()?;
        // Else a pull of the index would find its layers in the engine.
        self.docker.forgets(&[amd64, arm64]).await;
        Ok(())
    }

    async fn tags(&self, repository: &str) -> Done<Vec<String>> {
        tags(&self.docker, repository).await
    }

    async fn copy(&self, from: &str, to: &str) -> Done {
        copy(&self.docker, from, to).await
    }
}

/// Pulls, and sees that the engine downloaded; gives the digest.
pub(crate) async fn pull(docker: &Docker, reference: &str) -> Done<String> {
    let said = docker.pulls(reference).await.printed()?;
    if !said.contains("Status: Downloaded newer image") {
        return Err(Cannot::Failed(format!("the engine had kept {reference}: {said}")));
    }
    Ok(docker.digest_of(reference).await)
}

/// The tags, which docker lists by pulling all of them.
pub(crate) async fn tags(docker: &Docker, repository: &str) -> Done<Vec<String>> {
    docker.runs(&["pull", "--all-tags", repository]).await.done()?;
    let printed = docker.runs(&["image", "ls", "--format", "{{.Tag}}", repository]).await.printed()?;
    Ok(printed.lines().map(str::to_owned).collect())
}

/// Pulls, and pushes under the other name: the engine knows where it has the layers from, and asks to mount them.
pub(crate) async fn copy(docker: &Docker, from: &str, to: &str) -> Done {
    pull(docker, from).await?;
    docker.runs(&["tag", from, to]).await.done()?;
    docker.pushes(to).await.done()
}
