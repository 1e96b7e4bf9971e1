//! cosign, which signs images and looks whether they are signed: with a key pair of its own, and no service of others.

use std::fs;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::{GoTool, Installation};
use tokio::sync::OnceCell;

use crate::client::{Cannot, Client, Done, Need, Session, Succeeds};
use crate::layout::{Layout, written};
use crate::stage::Stage;

/// What makes it sign without a transparency log and without asking anybody where one is.
const ALONE: [&str; 3] = ["--use-signing-config=false", "--tlog-upload=false", "--yes"];

/// The key's password, which it would ask for; and what allows the older form of signatures.
const ENVIRONMENT: &[(&str, &str)] = &[("COSIGN_PASSWORD", ""), ("COSIGN_EXPERIMENTAL", "1")];

/// cosign, and the key pair of all who use it here: who pulls knows whose signature to look for.
#[derive(Default)]
pub(crate) struct Cosign {
    keys: OnceCell<TempDir>,
}

#[async_trait]
impl Client for Cosign {
    fn name(&self) -> &'static str {
        "cosign"
    }

    fn needs(&self) -> &'static [Need] {
        &[Need::Go("cosign")]
    }

    async fn version(&self) -> Result<String, String> {
        Ok(GoTool::find("cosign")?.version)
    }

    async fn session(&self, stage: &Stage) -> Box<dyn Session> {
        let installation = Installation::of("cosign", &stage.server).with(ENVIRONMENT);
        let keys = self.keys.get_or_init(|| key_pair(&installation)).await.path().to_owned();
        Box::new(Somebody { installation, keys })
    }
}

async fn key_pair(cosign: &Installation) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    cosign.runs_in(folder.path(), &["generate-key-pair"], "").await.succeeds();
    folder
}

struct Somebody {
    installation: Installation,
    keys: PathBuf,
}

impl Somebody {
    /// Runs a command that signs.
    async fn signs(&self, words: &[&str]) -> Done {
        let key = self.keys.join("cosign.key");
        let key = key.to_string_lossy();
        let words = [words[0..1].as_ref(), ALONE.as_ref(), &["--key", &key], &words[1..]].concat();
        self.installation.runs(&words).await.done()
    }

    /// Runs a command that looks for signatures.
    async fn verifies(&self, words: &[&str]) -> Done {
        let key = self.keys.join("cosign.pub");
        let key = key.to_string_lossy();
        let words = [&words[0..1], &["--insecure-ignore-tlog", "--key", &key], &words[1..]].concat();
        self.installation.runs(&words).await.done()
    }

    async fn loads_and_signs(&self, content: &Layout, kind: &str, reference: &str) -> Done {
        let folder = self.installation.empty_folder("content");
        let layout = folder.join("layout");
        adapt(content, kind, &layout);
        self.installation.runs(&["load", "--dir", &layout.to_string_lossy(), reference]).await.done()?;
        let (repository, _) = reference.rsplit_once(':').expect("a tag");
        self.signs(&["sign", &format!("{repository}@{}", content.digest)]).await
    }
}

/// Lays the same content into `folder`, with what cosign wants to be told about it.
fn adapt(content: &Layout, kind: &str, folder: &Path) {
    let from = content.folder();
    fs::create_dir(folder).expect("a new folder");
    std::os::unix::fs::symlink(from.join("blobs"), folder.join("blobs")).expect("a link");
    fs::copy(from.join("oci-layout"), folder.join("oci-layout")).expect("a copy");
    let index = fs::read(from.join("index.json")).expect("the layout's index");
    let mut index: Value = serde_json::from_slice(&index).expect("JSON");
    index["manifests"][0]["annotations"] = json!({ "kind": format!("dev.cosignproject.cosign/{kind}") });
    fs::write(folder.join("index.json"), index.to_string()).expect("a file");
}

#[async_trait]
impl Session for Somebody {
    async fn login(&self, login: &str, password: &str) -> Done {
        let host = self.installation.host();
        let words = ["login", host, "--username", login, "--password-stdin"];
        self.installation.runs_with(&words, password).await.done()?;
        // It writes the file and asks nobody: to ask for what is not there does, and shows whether we are let in.
        let asked = self.installation.runs(&["tree", &format!("{host}/team-a/nothing:1")]).await;
        if asked.stderr.contains("NAME_UNKNOWN") { Ok(()) } else { Err(Cannot::Failed(asked.to_string())) }
    }

    /// Pushes and signs.
    async fn push(&self, content: &Layout, reference: &str) -> Done {
        self.loads_and_signs(content, "image", reference).await
    }

    /// Looks whether it is signed, and pulls.
    async fn pull(&self, reference: &str) -> Done<Option<String>> {
        self.verifies(&["verify", reference]).await?;
        let folder = self.installation.empty_folder("pulled");
        self.installation.runs(&["save", "--dir", &folder.to_string_lossy(), reference]).await.done()?;
        written(&folder)
    }

    async fn push_index(&self, content: &Layout, reference: &str) -> Done {
        self.loads_and_signs(content, "imageIndex", reference).await
    }

    async fn copy(&self, from: &str, to: &str) -> Done {
        self.installation.runs(&["copy", from, to]).await.done()
    }

    /// The signature of the push, an attestation, and a signature in the older form.
    fn artifacts(&self) -> usize {
        3
    }

    async fn attach(&self, reference: &str) -> Done {
        fs::write(self.installation.path("predicate"), r#"{ "reviewed": true }"#).expect("a file");
        self.signs(&["attest", "--predicate=predicate", reference]).await?;
        self.verifies(&["verify-attestation", reference]).await?;
        let older = ["sign", "--new-bundle-format=false", "--registry-referrers-mode=oci-1-1", reference];
        self.signs(&older).await?;
        self.verifies(&["verify", "--new-bundle-format=false", "--experimental-oci11", reference]).await
    }

    async fn referrers(&self, reference: &str) -> Done<Vec<String>> {
        let printed = self.installation.runs(&["tree", reference]).await.printed()?;
        let digest =
            |line: &str| Some(line.split_once("via OCI referrer: ")?.1.split_once('@')?.1.to_owned());
        Ok(printed.lines().filter_map(digest).collect())
    }
}
