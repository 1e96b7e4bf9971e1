//! Running real programs: bounded in time, with everything they said at hand when a test fails.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

/// No client of a test takes longer; one that hangs is a failure.
const LONGEST: Duration = Duration::from_secs(300);

/// A program that has ended.
#[derive(Debug)]
pub struct Ran {
    /// What was run.
    pub line: String,
    /// Its exit code; -1 when a signal ended it.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
}

impl Ran {
    /// Panics with everything the program said unless it ended with 0; gives what it printed, trimmed.
    #[track_caller]
    #[must_use]
    pub fn output(self) -> String {
        assert_eq!(self.code, 0, "{self}");
        self.stdout.trim().to_owned()
    }

    /// Panics with everything the program said unless it ended with 0.
    #[track_caller]
    pub fn succeeds(self) {
        assert_eq!(self.code, 0, "{self}");
    }

    /// Panics with everything the program said unless it failed, and said one of these on the way.
    #[track_caller]
    pub fn fails_saying(self, any_of: &[&str]) {
        assert_ne!(self.code, 0, "{self}");
        let said = format!("{}\n{}", self.stdout, self.stderr).to_lowercase();
        assert!(
            any_of.iter().any(|words| said.contains(&words.to_lowercase())),
            "none of {any_of:?}: {self}"
        );
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` ended with {}\n{}\n{}", self.line, self.code, self.stdout, self.stderr)
    }
}

/// What `cargo xtask test` has set.
pub(crate) fn set_by_xtask(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run `cargo xtask test`"))
}

/// Runs `command` to its end, with `input` on its standard input.
pub async fn run(mut command: Command, input: &[u8]) -> Ran {
    let line = format!("{:?}", command.as_std());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot run {line}: {error}"));
    let mut stdin = child.stdin.take().expect("a piped input");
    let talk = async {
        // A program that ends before it has read all of it is no error of ours.
        let _ = stdin.write_all(input).await;
        drop(stdin);
        child.wait_with_output().await
    };
    let output = tokio::time::timeout(LONGEST, talk).await;
    let output = output.unwrap_or_else(|_| panic!("{line} hangs")).expect("its output can be read");
    Ran {
        line,
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The command line under test, with none of the settings that the machine may hold for it.
pub(crate) fn gangplank() -> Command {
    let mut command = Command::new(binary());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GANGPLANK_") {
            command.env_remove(name);
        }
    }
    command
}

/// It lies in the target folder: beside our own program, or above a test's, which lie in `deps/`.
fn binary() -> PathBuf {
    let own = std::env::current_exe().expect("the program's own path");
    let mut places = own.ancestors().skip(1).take(2).map(|folder| folder.join("gangplank"));
    places
        .find(|path| path.is_file())
        .unwrap_or_else(|| panic!("gangplank is not built beside {}: `cargo xtask` builds it", own.display()))
}
