//! containerd with its `ctr`, which shares no code with docker's engine for talking to registries.

use std::path::Path;

use serde_json::json;
use tempfile::TempDir;
use tokio::net::UnixStream;
use tokio::process::Command;

use crate::daemon::Daemon;
use crate::image::INDEX;
use crate::program::{self, Ran};
use crate::{Image, Person, Registry};

/// Set by `cargo xtask test`: the file in which [`crate::NAME`] has an address.
const HOSTS: &str = "TESTS_HOSTS";

/// A containerd of its own: everything it holds lies in a temporary folder. Dropping it stops it.
pub struct Containerd {
    _daemon: Daemon,
    folder: TempDir,
}

impl Containerd {
    /// A new one, which trusts no authority of a test's.
    pub async fn start() -> Containerd {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        let config = format!(
            "version = 2\nroot = {:?}\nstate = {:?}\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
            [grpc]\naddress = {:?}\n[ttrpc]\naddress = {:?}\n",
            path("root"),
            path("state"),
            path("socket"),
            path("ttrpc")
        );
        std::fs::write(path("config.toml"), config).expect("a configuration");
        std::fs::create_dir(path("hosts")).expect("a folder");
        let mut containerd = by_the_tests_hosts("containerd");
        containerd.arg("--config").arg(path("config.toml"));
        let socket = path("socket");
        let answers = async || UnixStream::connect(&socket).await.is_ok();
        let daemon = Daemon::start(containerd.into_std(), &path("log"), answers).await;
        Containerd { _daemon: daemon, folder }
    }

    /// From now on it trusts the authority of `registry`, if that speaks TLS, for this registry.
    pub fn trusts(&self, registry: &Registry) {
        let Some(ca) = registry.ca_certificate() else { return };
        let folder = self.folder.path().join("hosts").join(registry.host());
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::copy(ca, folder.join("ca.crt")).expect("a copy of the certificate");
        let url = registry.url();
        let hosts = format!("server = {url:?}\n[host.{url:?}]\nca = {:?}\n", folder.join("ca.crt"));
        std::fs::write(folder.join("hosts.toml"), hosts).expect("its settings for the registry");
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
        let folder = tempfile::tempdir_in(&self.folder).expect("a temporary folder");
        lay_out(folder.path(), name, image);
        let archive = folder.path().join("archive");
        let mut tar = Command::new("tar");
        tar.arg("--create").arg("--file").arg(&archive).arg("--directory").arg(folder.path());
        tar.args(["oci-layout", "index.json", "blobs"]);
        program::run(tar, b"").await.succeeds();
        self.runs(&["images", "import", "--no-unpack", &archive.to_string_lossy()]).await.succeeds();
    }

    /// The digest of an image that it holds.
    pub async fn digest_of(&self, image: &str) -> String {
        let list = self.runs(&["images", "list", &format!("name=={image}")]).await.output();
        let digest = list.split_whitespace().find(|word| word.starts_with("sha256:"));
        digest.unwrap_or_else(|| panic!("it does not hold {image}: {list}")).to_owned()
    }

    async fn talks(&self, verb: &str, words: &[&str], person: &Person) -> Ran {
        let hosts = self.folder.path().join("hosts").display().to_string();
        let user = format!("{}:{}", person.login(), person.password());
        let begin = ["images", verb, "--hosts-dir", &hosts, "--user", &user];
        self.runs(&[&begin, words].concat()).await
    }

    async fn runs(&self, words: &[&str]) -> Ran {
        let mut ctr = by_the_tests_hosts("ctr");
        ctr.arg("--address").arg(self.folder.path().join("socket")).args(words);
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

/// The OCI Image Layout of `image`.
fn lay_out(folder: &Path, name: &str, image: &Image) {
    let write = |file: &str, content: &[u8]| {
        std::fs::write(folder.join(file), content).unwrap_or_else(|error| panic!("{file}: {error}"));
    };
    std::fs::create_dir_all(folder.join("blobs/sha256")).expect("a folder");
    let manifest = (&image.digest, &image.manifest);
    for (digest, bytes) in image.blobs().map(|blob| (&blob.digest, &blob.bytes)).chain([manifest]) {
        write(&format!("blobs/{}", digest.replace(':', "/")), bytes);
    }
    let annotations = json!({ "io.containerd.image.name": name });
    let manifest = json!({
        "mediaType": image.media_type, "digest": image.digest, "size": image.manifest.len(),
        "annotations": annotations,
    });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [manifest] });
    write("index.json", index.to_string().as_bytes());
    write("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#);
}
