//! A server's process: started in the background, waited for, and ended by its own pid, whatever happens.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// It is killed when ending takes longer.
const ENDS_WITHIN: Duration = Duration::from_secs(40);
const POLL: Duration = Duration::from_millis(5);
/// How much of the log is shown when it fails.
const LINES: usize = 20;

/// A running process. Dropping it ends it.
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// The command that runs `program`, and has it end with us, however we end.
    pub(crate) fn command(program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM"]).arg(program);
        command
    }

    /// Starts it. What it says goes to the end of the file `log`.
    pub(crate) fn start(name: &str, mut command: Command, log: &Path) -> Result<Process, String> {
        let cannot = |error| format!("cannot start {name} ({command:?}): {error}");
        let file = File::options().create(true).append(true).open(log);
        let (file, again) = file.and_then(|file| Ok((file.try_clone()?, file))).map_err(cannot)?;
        // A group of its own: Ctrl-C at the terminal must not end it under the client that talks to it.
        let spawned = command.process_group(0).stdin(Stdio::null()).stdout(file).stderr(again).spawn();
        let child = spawned.map_err(|error| format!("cannot start {name} ({command:?}): {error}"))?;
        Ok(Process { name: name.to_owned(), child, log: log.to_owned() })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// An error, with the end of its log, once it is gone.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.failure(&format!("ended ({status})"))),
            Err(error) => Err(format!("cannot look at {}: {error}", self.name)),
        }
    }

    /// What to say when it does not do what it should.
    pub(crate) fn failure(&self, what: &str) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
        format!("{} {what}; the end of its log:\n{last}", self.name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Asked first: killed, it would leave its own children behind.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < ENDS_WITHIN {
            sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A free port of 127.0.0.1.
pub(crate) fn free_address() -> Result<SocketAddr, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    listener.and_then(|listener| listener.local_addr()).map_err(|error| format!("no free port: {error}"))
}

/// A program in `PATH`, or where Debian keeps those of root, which a user's `PATH` lacks.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// What a program prints, to either side; `None` when it is not there.
pub(crate) fn said_by(program: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).trim().to_owned())
}
