//! oras, the command for artifacts.

use std::fs;

use async_trait::async_trait;
use tests::Installation;

use crate::client::{Cannot, Done, Need, Session, Succeeds};
use crate::go_client::GoClient;
use crate::layout::{Layout, NAME};

pub(crate) const CLIENT: GoClient = GoClient {
    name: "oras",
    needs: &[Need::Go("oras")],
    somebody: |installation| Box::new(Somebody(installation)),
};

struct Somebody(Installation);

#[async_trait]
impl Session for Somebody {
    async fn login(&self, login: &str, password: &str) -> Done {
        let words = ["login", "--plain-http", "--username", login, "--password-stdin", self.0.host()];
        self.0.runs_with(&words, password).await.done()
    }

    /// Its own way: a file becomes an artifact's layer.
    async fn push(&self, content: &Layout, reference: &str) -> Done {
        let layer = content.layer();
        let (folder, file) = (layer.parent().expect("a folder"), layer.file_name().expect("a name"));
        let words = ["push", "--plain-http", "--no-tty", reference, &file.to_string_lossy()];
        self.0.runs_in(folder, &words, "").await.done()
    }

    async fn pull(&self, reference: &str) -> Done<Option<String>> {
        let folder = self.0.empty_folder("pulled");
        let (output, format) =
            (folder.to_string_lossy(), ["--format=go-template", "--template={{.reference}}"]);
        let words =
            ["pull", "--plain-http", "--no-tty", "--output", &output, format[0], format[1], reference];
        let printed = self.0.runs(&words).await.printed()?;
        if fs::read_dir(&folder).expect("a folder").next().is_none() {
            return Err(Cannot::Failed("it wrote no file".to_owned()));
        }
        Ok(printed.split_once('@').map(|(_, digest)| digest.to_owned()))
    }

    async fn push_index(&self, content: &Layout, reference: &str) -> Done {
        let layout = format!("{}:{NAME}", content.folder().display());
        self.0
            .runs(&["cp", "--from-oci-layout", "--to-plain-http", "--no-tty", &layout, reference])
            .await
            .done()
    }

    async fn pull_index(&self, reference: &str) -> Done<Option<String>> {
        let layout = format!("{}:pulled", self.0.empty_folder("pulled").display());
        self.0
            .runs(&["cp", "--from-plain-http", "--to-oci-layout", "--no-tty", reference, &layout])
            .await
            .done()?;
        self.0.runs(&["resolve", "--oci-layout", &layout]).await.printed().map(Some)
    }

    async fn tags(&self, repository: &str) -> Done<Vec<String>> {
        let printed = self.0.runs(&["repo", "tags", "--plain-http", repository]).await.printed()?;
        Ok(printed.lines().map(str::to_owned).collect())
    }

    async fn delete(&self, reference: &str) -> Done {
        self.0.runs(&["manifest", "delete", "--plain-http", "--force", reference]).await.done()
    }

    async fn copy(&self, from: &str, to: &str) -> Done {
        self.0.runs(&["cp", "--from-plain-http", "--to-plain-http", "--no-tty", from, to]).await.done()
    }

    async fn attach(&self, reference: &str) -> Done {
        fs::write(self.0.path("note"), "a note").expect("a file");
        let kind = "--artifact-type=application/vnd.example.note";
        self.0.runs(&["attach", "--plain-http", "--no-tty", kind, reference, "note:text/plain"]).await.done()
    }

    async fn referrers(&self, reference: &str) -> Done<Vec<String>> {
        let format = ["--format=go-template", "--template={{range .referrers}}{{println .digest}}{{end}}"];
        let words = ["discover", "--plain-http", "--depth=1", format[0], format[1], reference];
        let printed = self.0.runs(&words).await.printed()?;
        Ok(printed.lines().map(str::to_owned).collect())
    }
}
