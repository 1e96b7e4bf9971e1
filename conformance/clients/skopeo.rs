//! skopeo, as Debian has it: it copies between a registry and a folder, and between repositories, and keeps no images.

use async_trait::async_trait;
use tests::Skopeo as SomebodysSkopeo;

use crate::client::{Client, Done, Need, Session, Succeeds};
use crate::layout::{Layout, NAME};
use crate::podman;
use crate::stage::Stage;

/// The folder that pulls go to. skopeo empties it first.
const PULLED: &str = "pulled";
/// Every platform, and not this machine's alone.
const ALL: &[&str] = &["--all"];

pub(crate) struct Skopeo;

#[async_trait]
impl Client for Skopeo {
    fn name(&self) -> &'static str {
        "skopeo"
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Package("skopeo")]
    }

    async fn version(&self) -> Result<String, String> {
        podman::version_told_by(self.name()).await
    }

    async fn session(&self, stage: &Stage) -> Box<dyn Session> {
        Box::new(Somebody { skopeo: SomebodysSkopeo::new(), host: stage.host() })
    }
}

struct Somebody {
    skopeo: SomebodysSkopeo,
    host: String,
}

impl Somebody {
    async fn pushes(&self, options: &[&str], content: &Layout, reference: &str) -> Done {
        let layout = format!("oci:{}:{NAME}", content.folder().display());
        self.skopeo.copies(options, &layout, &docker(reference)).await.done()
    }

    async fn pulls(&self, options: &[&str], reference: &str) -> Done<Option<String>> {
        self.skopeo.copies(options, &docker(reference), &self.skopeo.dir(PULLED)).await.done()?;
        let manifest = self.skopeo.path(PULLED).join("manifest.json");
        self.skopeo.runs(&["manifest-digest", &manifest.to_string_lossy()]).await.printed().map(Some)
    }
}

#[async_trait]
impl Session for Somebody {
    async fn login(&self, login: &str, password: &str) -> Done {
        self.skopeo.signs_in(login, password, &self.host).await.done()
    }

    async fn push(&self, content: &Layout, reference: &str) -> Done {
        self.pushes(&[], content, reference).await
    }

    async fn pull(&self, reference: &str) -> Done<Option<String>> {
        self.pulls(&[], reference).await
    }

    async fn push_index(&self, content: &Layout, reference: &str) -> Done {
        self.pushes(ALL, content, reference).await
    }

    async fn pull_index(&self, reference: &str) -> Done<Option<String>> {
        self.pulls(ALL, reference).await
    }

    async fn tags(&self, repository: &str) -> Done<Vec<String>> {
        let words = ["list-tags", "--tls-verify=false", &docker(repository)];
        let printed = self.skopeo.runs(&words).await.printed()?;
        let listed: serde_json::Value = serde_json::from_str(&printed).unwrap_or_default();
        let tags = listed["Tags"].as_array().into_iter().flatten();
        Ok(tags.filter_map(|tag| tag.as_str()).map(str::to_owned).collect())
    }

    async fn delete(&self, reference: &str) -> Done {
        self.skopeo.deletes(reference).await.done()
    }

    async fn copy(&self, from: &str, to: &str) -> Done {
        self.skopeo.copies(ALL, &docker(from), &docker(to)).await.done()
    }
}

fn docker(reference: &str) -> String {
    format!("docker://{reference}")
}
