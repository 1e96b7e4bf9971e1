//! An engine's daemon of our own: its data, its socket and its log lie in one temporary folder, and go with it.
//!
//! What the machine runs itself is neither used nor disturbed.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::time::sleep;

const READY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);
/// How much of the log is shown when it does not start.
const LINES: usize = 20;

/// A running daemon. Dropping it stops it, and unmounts what it has left.
pub struct Daemon {
    child: Child,
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
        let mut command = Command::new("setpriv");
        // It ends with us, however we end.
        command.args(["--pdeathsig", "TERM"]).arg(program);
        arguments(&mut command, folder.path());
        let child = spawn(&mut command, &folder.path().join("log"));
        let child = child.map_err(|error| format!("cannot start {}: {error}", program.display()))?;
        let mut daemon = Daemon { child, socket: folder.path().join(socket), folder };
        daemon.wait_until_ready(program).await?;
        Ok(daemon)
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    async fn wait_until_ready(&mut self, program: &Path) -> Result<(), String> {
        let begun = Instant::now();
        while UnixStream::connect(&self.socket).is_err() {
            let ended = self.child.try_wait().ok().flatten();
            if ended.is_some() || begun.elapsed() > READY_WITHIN {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                let lines: Vec<_> = log.lines().collect();
                let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
                let what = ended.map_or("does not answer".to_owned(), |status| format!("ended ({status})"));
                return Err(format!("{} {what}; the end of its log:\n{last}", program.display()));
            }
            sleep(POLL).await;
        }
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // The shell's own kill: a small machine need not have the program.
        let _ = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.child.id())).status();
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < STOPPED_WITHIN {
            thread::sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        for mounted in mounts_under(self.folder.path()) {
            let _ = Command::new("umount").arg("--lazy").arg(mounted).status();
        }
    }
}

fn spawn(command: &mut Command, log: &Path) -> std::io::Result<Child> {
    let log = File::create(log)?;
    // A group of its own: Ctrl-C at the terminal must not stop it under the client that talks to it.
    command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()
}

/// The innermost first.
fn mounts_under(folder: &Path) -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(PathBuf::from);
    let mut ours: Vec<_> = points.filter(|point| point.starts_with(folder)).collect();
    ours.reverse();
    ours
}
