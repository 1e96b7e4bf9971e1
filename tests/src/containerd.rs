//! A containerd of our own.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Daemon;

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
        let arguments = |command: &mut Command, folder: &Path| {
            command.arg("--config").arg(folder.join("config.toml")).arg("--address").arg(folder.join("sock"));
            command.arg("--root").arg(folder.join("root")).arg("--state").arg(folder.join("state"));
        };
        Daemon::start(program, arguments, "sock", folder).await
    }
}
