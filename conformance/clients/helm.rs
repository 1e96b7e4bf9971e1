//! helm, the package manager of Kubernetes: charts are artifacts to a registry.

use std::fs;

use async_trait::async_trait;
use tests::Installation;

use crate::client::{Cannot, Done, Need, Session, Succeeds};
use crate::go_client::GoClient;
use crate::layout::Layout;

/// It takes no chart that holds a larger file (`MaxDecompressedFileSize`).
const FILE_BYTES_MAX: u64 = 5 << 20;

pub(crate) const CLIENT: GoClient = GoClient {
    name: "helm",
    needs: &[Need::Go("helm")],
    somebody: |installation| Box::new(Somebody(installation)),
};

struct Somebody(Installation);

/// A reference as helm has it: the repository's last part is the chart's name, the tag its version.
struct Chart<'a> {
    parent: &'a str,
    name: &'a str,
    version: &'a str,
}

impl<'a> Chart<'a> {
    fn of(reference: &'a str) -> Chart<'a> {
        let (parent, chart) = reference.rsplit_once('/').expect("a repository");
        let (name, version) = chart.split_once(':').expect("a tag");
        Chart { parent, name, version }
    }
}

#[async_trait]
impl Session for Somebody {
    async fn login(&self, login: &str, password: &str) -> Done {
        let words =
            ["registry", "login", "--plain-http", "--username", login, "--password-stdin", self.0.host()];
        self.0.runs_with(&words, password).await.done()
    }

    /// A chart that holds the layer as a file.
    async fn push(&self, content: &Layout, reference: &str) -> Done {
        if fs::metadata(content.layer()).expect("the layer").len() > FILE_BYTES_MAX {
            return Err(Cannot::NotOffered("takes no chart with a file of more than 5 MiB"));
        }
        let Chart { parent, name, version } = Chart::of(reference);
        let folder = self.0.empty_folder(name);
        let about = format!("apiVersion: v2\nname: {name}\nversion: \"{version}\"\n");
        fs::write(folder.join("Chart.yaml"), about).expect("a file");
        fs::copy(content.layer(), folder.join("layer")).expect("a copy");
        self.0.runs(&["package", name]).await.done()?;
        let (archive, parent) = (format!("{name}-{version}.tgz"), format!("oci://{parent}"));
        self.0.runs(&["push", "--plain-http", &archive, &parent]).await.done()
    }

    async fn pull(&self, reference: &str) -> Done<Option<String>> {
        let Chart { name, version, .. } = Chart::of(reference);
        let (folder, url) = (self.0.empty_folder("pulled"), format!("oci://{reference}"));
        let words = ["pull", "--plain-http", "--destination", &folder.to_string_lossy(), &url];
        let printed = self.0.runs(&words).await.printed()?;
        if !folder.join(format!("{name}-{version}.tgz")).is_file() {
            return Err(Cannot::Failed(format!("no chart was written: {printed}")));
        }
        let shown = self.0.runs(&["show", "chart", "--plain-http", &url]).await.printed()?;
        if !shown.contains(&format!("name: {name}")) {
            return Err(Cannot::Failed(format!("`helm show chart` shows {shown}")));
        }
        Ok(printed.lines().find_map(|line| line.strip_prefix("Digest: ")).map(str::to_owned))
    }
}
