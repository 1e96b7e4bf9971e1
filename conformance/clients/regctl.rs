//! regctl, regclient's command.

use async_trait::async_trait;
use tests::Installation;

use crate::client::{Done, Need, Session, Succeeds};
use crate::go_client::GoClient;
use crate::layout::{Layout, NAME};

pub(crate) const CLIENT: GoClient = GoClient {
    name: "regctl",
    needs: &[Need::Go("regctl")],
    somebody: |installation| Box::new(Somebody(installation)),
};

struct Somebody(Installation);

#[async_trait]
impl Session for Somebody {
    async fn login(&self, login: &str, password: &str) -> Done {
        self.0.runs(&["registry", "set", "--skip-check", "--tls", "disabled", self.0.host()]).await.done()?;
        let words = ["registry", "login", self.0.host(), "--user", login, "--pass-stdin"];
        self.0.runs_with(&words, password).await.done()
    }

    async fn push(&self, content: &Layout, reference: &str) -> Done {
        let layout = format!("ocidir://{}:{NAME}", content.folder().display());
        self.0.runs(&["image", "copy", &layout, reference]).await.done()
    }

    async fn pull(&self, reference: &str) -> Done<Option<String>> {
        let layout = format!("ocidir://{}:pulled", self.0.empty_folder("pulled").display());
        self.0.runs(&["image", "copy", reference, &layout]).await.done()?;
        self.0.runs(&["image", "digest", &layout]).await.printed().map(Some)
    }

    async fn push_index(&self, content: &Layout, reference: &str) -> Done {
        self.push(content, reference).await
    }

    async fn tags(&self, repository: &str) -> Done<Vec<String>> {
        let printed = self.0.runs(&["tag", "ls", repository]).await.printed()?;
        Ok(printed.lines().map(str::to_owned).collect())
    }

    async fn delete(&self, reference: &str) -> Done {
        self.0.runs(&["tag", "delete", reference]).await.done()
    }

    async fn copy(&self, from: &str, to: &str) -> Done {
        self.0.runs(&["image", "copy", from, to]).await.done()
    }

    async fn attach(&self, reference: &str) -> Done {
        let words =
            ["artifact", "put", "--artifact-type", "application/vnd.example.note", "--subject", reference];
        self.0.runs_with(&words, "a note").await.done()
    }

    async fn referrers(&self, reference: &str) -> Done<Vec<String>> {
        let format = "{{range .Descriptors}}{{println .Digest}}{{end}}";
        let printed = self.0.runs(&["artifact", "list", "--format", format, reference]).await.printed()?;
        Ok(printed.lines().map(str::to_owned).collect())
    }
}
