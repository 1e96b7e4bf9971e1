//! A program in the background: asked to end, by its own pid, when it is dropped; its log is shown when a test fails.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const READY_WITHIN: Duration = Duration::from_secs(60);
/// It is killed when it takes longer.
const ENDS_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);
/// How much of the log is shown when it does not start.
const LINES: usize = 20;

/// A program in the background, with everything it says in a file.
pub(crate) struct Background {
    line: String,
    child: Child,
    log: PathBuf,
}

impl Background {
    /// The command that runs `program` and has it end with us, however we end.
    pub(crate) fn command(program: &Path) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM"]).arg(program);
        command
    }

    /// Starts it, and waits until it `answers`.
    ///
    /// # Errors
    /// What its log ends with, when it does not start.
    pub(crate) async fn start<F: Future<Output = bool> + Send>(
        mut command: Command,
        log: &Path,
        answers: impl Fn() -> F + Send,
    ) -> Result<Background, String> {
        let line = format!("{command:?}");
        let child = spawn(&mut command, log).map_err(|error| format!("cannot start {line}: {error}"))?;
        let mut background = Background { line, child, log: log.to_owned() };
        let begun = Instant::now();
        while !answers().await {
            let ended = background.child.try_wait().ok().flatten();
            if ended.is_some() || begun.elapsed() > READY_WITHIN {
                let said = background.said();
                let lines: Vec<_> = said.lines().collect();
                let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
                let what = ended.map_or("does not answer".to_owned(), |status| format!("ended ({status})"));
                return Err(format!("{} {what}; the end of its log:\n{last}", background.line));
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(background)
    }

    /// Asks it to end, and what it has started in its group.
    pub(crate) fn ends_with_its_group(&self) {
        let _ = Command::new("sh").arg("-c").arg(format!("kill -s TERM -- -{}", self.child.id())).status();
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Background {
    #[expect(clippy::print_stderr, reason = "a failed test's report")]
    fn drop(&mut self) {
        // No SIGKILL at first: what it has started itself would outlive it. The shell's own kill: a small machine need
        // not have the program.
        let _ = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.child.id())).status();
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < ENDS_WITHIN {
            thread::sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("{} said:\n{}", self.line, self.said());
        }
    }
}

fn spawn(command: &mut Command, log: &Path) -> std::io::Result<Child> {
    let log = File::create(log)?;
    // A group of its own: Ctrl-C at the terminal must not stop it under the client that talks to it.
    command.process_group(0).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).spawn()
}
