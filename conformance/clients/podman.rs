//! podman and buildah, as Debian has them: two programs over one library, with the same words for what they keep in their storage,
//! push from it and pull into it. No container is run.

use async_trait::async_trait;
use tests::{ContainersHome, Ran, find_program, version_of};
use tokio::process::Command;

use crate::client::{Cannot, Client, Done, Need, Session, Succeeds};
use crate::layout::Layout;
use crate::stage::Stage;

/// Locks lie in the home; else podman keeps them in the machine's shared memory, for good.
const SETTINGS: &str = "[engine]\nlock_type = \"file\"\n";
const SETTINGS_FILE: &str = "containers.conf";

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Program {
    Podman,
    Buildah,
}

#[async_trait]
impl Client for Program {
    fn name(&self) -> &'static str {
        match self {
            Program::Podman => "podman",
            Program::Buildah => "buildah",
        }
    }

    fn needs(&self) -> &'static [Need] {
        match self {
            Program::Podman => &[Need::Package("podman")],
            Program::Buildah => &[Need::Package("buildah")],
        }
    }

    async fn version(&self) -> Result<String, String> {
        version_told_by(self.name()).await
    }

    async fn session(&self, stage: &Stage) -> Box<dyn Session> {
        let home = ContainersHome::new();
        std::fs::write(home.path(SETTINGS_FILE), SETTINGS).expect("a file");
        Box::new(Somebody { program: *self, home, host: stage.host() })
    }
}

/// What `podman --version` tells, and the others of its family: `podman version 4.3.1`.
pub(crate) async fn version_told_by(name: &str) -> Result<String, String> {
    let told = version_of(&find_program(name)?, &["--version"]).await?;
    told.split_whitespace().nth(2).map(str::to_owned).ok_or(told)
}

/// Somebody with a storage of their own.
struct Somebody {
    program: Program,
    home: ContainersHome,
    host: String,
}

impl Somebody {
    /// The program, at its storage: a driver that copies files, and so mounts nothing that would have to be unmounted.
    fn command(&self) -> Command {
        let mut command = self.home.command(self.program.name());
        command.arg("--root").arg(self.home.path("storage")).arg("--runroot").arg(self.home.path("run"));
        command.args(["--storage-driver", "vfs"]).env("CONTAINERS_CONF", self.home.path(SETTINGS_FILE));
        if let Program::Podman = self.program {
            // Else it keeps its state and its events where the machine's podman does.
            command.arg("--tmpdir").arg(self.home.path("state")).args(["--events-backend", "none"]);
        }
        command
    }

    async fn runs(&self, words: &[&str]) -> Ran {
        let mut command = self.command();
        command.args(words);
        tests::run(command, b"").await
    }

    async fn pushes(&self, image: &str, reference: &str) -> Done {
        let to = format!("docker://{reference}");
        self.runs(&["push", "--quiet", "--tls-verify=false", image, &to]).await.done()
    }

    /// Pulls into an empty storage, which would else give what it has kept.
    async fn pulls(&self, options: &[&str], name: &str) -> Done {
        self.runs(&["rmi", "--all", "--force"]).await.done()?;
        let kept = self.runs(&["images", "--all", "--quiet"]).await.printed()?;
        if !kept.is_empty() {
            return Err(Cannot::Failed(format!("the storage has kept {kept}")));
        }
        self.runs(&[&["pull", "--quiet", "--tls-verify=false"], options, &[name]].concat()).await.done()
    }
}

#[async_trait]
impl Session for Somebody {
    async fn login(&self, login: &str, password: &str) -> Done {
        self.home.signs_in(self.command(), login, password, &self.host).await.done()
    }

    async fn push(&self, content: &Layout, reference: &str) -> Done {
        let image = self.runs(&["pull", "--quiet", &named(content)]).await.printed()?;
        self.pushes(&image, reference).await
    }

    async fn pull(&self, reference: &str) -> Done<Option<String>> {
        self.pulls(&[], reference).await?;
        self.runs(&["images", "--format", "{{.Digest}}", reference]).await.printed().map(Some)
    }

    async fn push_index(&self, content: &Layout, reference: &str) -> Done {
        let to = format!("docker://{reference}");
        self.runs(&["manifest", "create", "index"]).await.done()?;
        self.runs(&["manifest", "add", "--all", "index", &named(content)]).await.done()?;
        self.runs(&["manifest", "push", "--quiet", "--all", "--tls-verify=false", "index", &to]).await.done()
    }

    /// This machine's platform: the digest that it tells is that image's.
    async fn pull_index(&self, reference: &str) -> Done<Option<String>> {
        self.pulls(&[], reference).await?;
        Ok(None)
    }

    async fn tags(&self, repository: &str) -> Done<Vec<String>> {
        match self.program {
            Program::Podman => {
                let words = ["search", "--list-tags", "--tls-verify=false", "--format", "json", repository];
                let printed = self.runs(&words).await.printed()?;
                let found: serde_json::Value = serde_json::from_str(&printed).unwrap_or_default();
                let tags = found[0]["Tags"].as_array().into_iter().flatten();
                Ok(tags.filter_map(|tag| tag.as_str()).map(str::to_owned).collect())
            }
            Program::Buildah => {
                // It lists them by pulling all of them.
                self.pulls(&["--all-tags"], repository).await?;
                let printed =
                    self.runs(&["images", "--noheading", "--format", "{{.Tag}}"]).await.printed()?;
                Ok(printed.lines().map(str::to_owned).collect())
            }
        }
    }

    async fn copy(&self, from: &str, to: &str) -> Done {
        self.pulls(&[], from).await?;
        self.runs(&["tag", from, to]).await.done()?;
        self.pushes(to, to).await
    }
}

/// How they name what is to be pushed. They would name an image after a layout's folder, whose name has capitals; after an
/// archive they do not.
fn named(content: &Layout) -> String {
    format!("oci-archive:{}", content.archive().display())
}
