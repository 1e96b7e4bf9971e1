//! crane, go-containerregistry's command.

use async_trait::async_trait;
use tests::Installation;

use crate::client::{Done, Need, Session, Succeeds};
use crate::go_client::GoClient;
use crate::layout::{Layout, written};

pub(crate) const CLIENT: GoClient = GoClient {
    name: "crane",
    needs: &[Need::Go("crane")],
    somebody: |installation| Box::new(Somebody(installation)),
};

struct Somebody(Installation);

#[async_trait]
impl Session for Somebody {
    async fn login(&self, login: &str, password: &str) -> Done {
        // `crane auth login` writes the file and asks nobody: `crane catalog` does.
        let words = ["auth", "login", self.0.host(), "--username", login, "--password-stdin"];
        self.0.runs_with(&words, password).await.done()?;
        self.0.runs(&["catalog", self.0.host()]).await.done()
    }

    async fn push(&self, content: &Layout, reference: &str) -> Done {
        self.0.runs(&["push", &content.folder().to_string_lossy(), reference]).await.done()
    }

    async fn pull(&self, reference: &str) -> Done<Option<String>> {
        let folder = self.0.empty_folder("pulled");
        self.0.runs(&["pull", "--format", "oci", reference, &folder.to_string_lossy()]).await.done()?;
        written(&folder)
    }

    async fn push_index(&self, content: &Layout, reference: &str) -> Done {
        self.0.runs(&["push", "--index", &content.flat_folder().to_string_lossy(), reference]).await.done()
    }

    async fn tags(&self, repository: &str) -> Done<Vec<String>> {
        let printed = self.0.runs(&["ls", repository]).await.printed()?;
        Ok(printed.lines().map(str::to_owned).collect())
    }

    async fn delete(&self, reference: &str) -> Done {
        let digest = self.0.runs(&["digest", "--full-ref", reference]).await.printed()?;
        self.0.runs(&["delete", &digest]).await.done()
    }

    async fn copy(&self, from: &str, to: &str) -> Done {
        self.0.runs(&["copy", from, to]).await.done()
    }
}
