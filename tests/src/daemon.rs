//! A program in the background: asked to end, by its own pid, when it is dropped; its log is shown when a test fails.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const READY_WITHIN: Duration = Duration::from_secs(30);
/// It is killed when it takes longer.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// A program in the background, with everything it says in a file.
pub(crate) struct Daemon {
    line: String,
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts it, and waits until `answers`.
    pub(crate) async fn start(mut command: Command, log: &Path, answers: impl AsyncFn() -> bool) -> Daemon {
        let line = format!("{command:?}");
        let file = std::fs::File::create(log).expect("a log");
        command.stdin(Stdio::null()).stdout(file.try_clone().expect("a second hand on the log")).stderr(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot run {line}: {error}"));
        let mut daemon = Daemon { line, child, log: log.to_owned() };
        let begun = Instant::now();
        while !answers().await {
            let ended = daemon.child.try_wait().expect("it can be asked");
            if ended.is_some() || begun.elapsed() > READY_WITHIN {
                panic!("{} does not come up ({ended:?})", daemon.line);
            }
            tokio::time::sleep(POLL).await;
        }
        daemon
    }
}

impl Drop for Daemon {
    #[expect(clippy::print_stderr, reason = "a failed test's report")]
    fn drop(&mut self) {
        // No SIGKILL at first: nginx's workers would outlive their master. The shell's own kill: a small machine need
        // not have the program.
        let _ = Command::new("sh").arg("-c").arg(format!("kill -TERM {}", self.child.id())).status();
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < ENDS_WITHIN {
            std::thread::sleep(POLL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{} said:\n{}", self.line, std::fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}
