//! A containerd of our own.

use std::fs;
use std::path::Path;

use serde_json::json;
use tokio::process::Command;

use crate::layout::{archive_layout, lay_out};
use crate::program::{self, Ran};
use crate::{Daemon, Image, Person, Registry, find_program};

/// Set by `cargo xtask test`: the file in which [`crate::NAME`] has an address.
const HOSTS: &str = "TESTS_HOSTS";

/// Its settings, without what serves clusters and reaches out of its folder. What one namespace has fetched, another
/// has not: each person pulls from the registry.
const SETTINGS: &str = r#"
version = 2
disabled_plugins = [
  "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri",
  "io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri",
]
[plugins."io.containerd.metadata.v1.bolt"]
  content_sharing_policy = "isolated"
[plugins."io.containerd.transfer.v1.local"]
  unpack_config = [{ platform = "linux", snapshotter = "native" }]
"#;

impl Daemon {
    /// Starts this containerd with nothing in it.
    ///
    /// # Errors
    /// A sentence, when it does not start.
    pub async fn containerd(program: &Path) -> Result<Daemon, String> {
        Daemon::is_allowed()?;
        let folder = Daemon::folder()?;
        let written = fs::write(folder.path().join("config.toml"), SETTINGS);
        written.map_err(|error| format!("cannot write its configuration: {error}"))?;
        let arguments = |command: &mut std::process::Command, folder: &Path| {
            command.arg("--config").arg(folder.join("config.toml")).arg("--address").arg(folder.join("sock"));
            command.arg("--root").arg(folder.join("root")).arg("--state").arg(folder.join("state"));
        };
        Daemon::start(program, arguments, "sock", folder).await
    }
}

/// Debian's containerd with nothing in it, and its `ctr`, which shares no code with docker's engine for talking to
/// registries. Dropping it stops it.
pub struct Containerd {
    daemon: Daemon,
}

impl Containerd {
    /// A new one, which trusts no authority of a test's.
    pub async fn start() -> Containerd {
        let program =
            find_program("containerd").unwrap_or_else(|why| panic!("{why}: run `cargo xtask test`"));
        let daemon = Daemon::containerd(&program).await.unwrap_or_else(|why| panic!("{why}"));
        fs::create_dir(daemon.home().join("hosts")).expect("a folder");
        Containerd { daemon }
    }

    /// From now on it trusts the authority of `registry`, if that speaks TLS, for this registry.
    pub fn trusts(&self, registry: &Registry) {
        let Some(ca) = registry.ca_certificate() else { return };
        let folder = self.daemon.home().join("hosts").join(registry.host());
        fs::create_dir_all(&folder).expect("a folder");
        fs::copy(ca, folder.join("ca.crt")).expect("a copy of the certificate");
        let url = registry.url();
        let hosts = format!("server = {url:?}\n[host.{url:?}]\nca = {:?}\n", folder.join("ca.crt"));
        fs::write(folder.join("hosts.toml"), hosts).expect("its settings for the registry");
    }

    /// `ctr images pull` by `person`, after it has forgotten the image.
    pub async fn pulls(&self, image: &str, person: &Person) -> Ran {
        self.runs(&["images", "remove", "--sync", image]).await;
        // Layers are unpacked by copying: that works on every file system.
        self.talks("pull", &["--snapshotter", "native", image], person).await
    }

    /// `ctr images push` by `person`.
    pub async fn pushes(&self, image: &str, person: &Person) -> Ran {
        self.talks("push", &[image], person).await
    }

    /// Takes in `image` under a name of its own.
    pub async fn stores(&self, name: &str, image: &Image) {
        let folder = tempfile::tempdir_in(self.daemon.home()).expect("a temporary folder");
        let annotations = json!({ "io.containerd.image.name": name });
        lay_out(folder.path(), &[image], image, &annotations);
        let archive = folder.path().join("archive");
        archive_layout(folder.path(), &archive).await;
        self.runs(&["images", "import", "--no-unpack", &archive.to_string_lossy()]).await.succeeds();
    }

    /// The digest of an image that it holds.
    pub async fn digest_of(&self, image: &str) -> String {
        let list = self.runs(&["images", "list", &format!("name=={image}")]).await.output();
        let digest = list.split_whitespace().find(|word| word.starts_with("sha256:"));
        digest.unwrap_or_else(|| panic!("it does not hold {image}: {list}")).to_owned()
    }

    async fn talks(&self, verb: &str, words: &[&str], person: &Person) -> Ran {
        let hosts = self.daemon.home().join("hosts").display().to_string();
        let user = format!("{}:{}", person.login(), person.password());
        let begin = ["images", verb, "--hosts-dir", &hosts, "--user", &user];
        self.runs(&[&begin, words].concat()).await
    }

    async fn runs(&self, words: &[&str]) -> Ran {
        let mut ctr = by_the_tests_hosts("ctr");
        ctr.arg("--address").arg(self.daemon.socket()).args(words);
        program::run(ctr, b"").await
    }
}

/// `program`, which looks names up in the tests' file: laid over the machine's, in mounts of its own.
fn by_the_tests_hosts(program: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", "mount --bind \"$0\" /etc/hosts && exec \"$@\""]);
    command.arg(program::set_by_xtask(HOSTS)).arg(program);
    command
}
