//! An engine's daemon of our own: its data, its socket and its log lie in one temporary folder, and go with it.
//!
//! What the machine runs itself is neither used nor disturbed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tokio::net::UnixStream;

use crate::background::Background;

/// A running daemon. Dropping it stops it, and unmounts what it has left.
pub struct Daemon {
    background: Option<Background>,
    socket: PathBuf,
    folder: TempDir,
}

impl Daemon {
    /// Whether we may have one: what engines mount, only root may mount.
    ///
    /// # Errors
    /// A sentence, when we may not.
    pub fn is_allowed() -> Result<(), String> {
        match fs::metadata("/proc/self") {
            Ok(process) if process.uid() == 0 => Ok(()),
            _ => Err("its daemon wants root".to_owned()),
        }
    }

    /// Where one will live. Its path is short: a socket's may have 107 bytes.
    ///
    /// # Errors
    /// A sentence, when it cannot be made.
    pub fn folder() -> Result<TempDir, String> {
        let folder = tempfile::Builder::new().prefix("gangplank-").tempdir();
        folder.map_err(|error| format!("cannot make a temporary folder: {error}"))
    }

    /// Starts `program` and waits until its socket, of this name in its folder, lets us in.
    ///
    /// # Errors
    /// What its log ends with, when it does not start.
    pub async fn start(
        program: &Path,
        arguments: impl FnOnce(&mut Command, &Path),
        socket: &str,
        folder: TempDir,
    ) -> Result<Daemon, String> {
        let mut command = Background::command(program);
        arguments(&mut command, folder.path());
        let socket = folder.path().join(socket);
        let answers = || async { UnixStream::connect(&socket).await.is_ok() };
        let background = Background::start(command, &folder.path().join("log"), answers).await?;
        Ok(Daemon { background: Some(background), socket, folder })
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Its folder.
    pub(crate) fn home(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.background.take();
        for mounted in mounts_under(self.folder.path()) {
            let _ = Command::new("umount").arg("--lazy").arg(mounted).status();
        }
    }
}

/// The innermost first.
fn mounts_under(folder: &Path) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(PathBuf::from);
    let mut ours: Vec<_> = points.filter(|point| point.starts_with(folder)).collect();
    ours.reverse();
    ours
}
