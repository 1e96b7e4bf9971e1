//! A server, and people who type.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth::Secret;
use frontend::Clock;
use gangplank::{Config, Running, start};
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const ADMIN_PASSWORD: &str = "correct horse battery staple";

/// A clock that stands until it is set.
pub(crate) struct TestClock(Mutex<Timestamp>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// A server in this process, on a real port.
pub(crate) struct Server {
    runtime: tokio::runtime::Runtime,
    running: Option<Running>,
    clock: Arc<TestClock>,
    pub(crate) url: String,
    _data: TempDir,
}

impl Server {
    pub(crate) fn start() -> Server {
        Server::start_with(|_| {})
    }

    /// One with other settings.
    pub(crate) fn start_with(change: impl FnOnce(&mut Config)) -> Server {
        let data = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.storage.data = data.path().join("data");
        config.server.listen = "127.0.0.1:0".parse().unwrap();
        config.auth.password_memory_kib = 8 * 1024;
        config.auth.password_passes = 1;
        config.admin_password.given = Some(Secret::new(ADMIN_PASSWORD));
        change(&mut config);
        let clock = Arc::new(TestClock(Mutex::new("2026-11-24T12:00:00Z".parse().unwrap())));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let running = runtime.block_on(start(config, clock.clone())).unwrap();
        let url = format!("{}://{}", running.scheme(), running.address());
        Server { runtime, running: Some(running), clock, url, _data: data }
    }

    pub(crate) fn set_clock(&self, now: &str) {
        *self.clock.0.lock().unwrap() = now.parse().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }
}

/// Somebody with a home of their own, in which logins are kept.
pub(crate) struct Person {
    home: TempDir,
}

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Person {
    pub(crate) fn new() -> Person {
        Person { home: tempfile::tempdir().unwrap() }
    }

    /// Somebody who signed in.
    pub(crate) fn signed_in(server: &Server, username: &str, password: &str) -> Person {
        let person = Person::new();
        person.login(server, username, password).done();
        person
    }

    pub(crate) fn login(&self, server: &Server, username: &str, password: &str) -> Answer {
        self.give(password, &format!("login {} --username {username} --password-stdin", server.url))
    }

    pub(crate) fn logins(&self) -> PathBuf {
        self.home.path().join("gangplank/logins.toml")
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gangplank"));
        command.env_clear().env("XDG_CONFIG_HOME", self.home.path());
        command
    }

    /// Types a line; a part in single quotes is one word.
    pub(crate) fn run(&self, line: &str) -> Answer {
        self.give("", line)
    }

    /// The same with something on standard input.
    pub(crate) fn give(&self, input: &str, line: &str) -> Answer {
        self.give_where(input, line, |_| {})
    }

    /// The same in other surroundings.
    pub(crate) fn give_where(&self, input: &str, line: &str, set: impl FnOnce(&mut Command)) -> Answer {
        let mut command = self.command();
        for (at, part) in line.split('\'').enumerate() {
            if at % 2 == 1 {
                command.arg(part);
            } else {
                command.args(part.split_whitespace());
            }
        }
        set(&mut command);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that refuses early does not read it.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        ended(&mut child);
        answer(child)
    }
}

/// Waits for the end of a command that may hang; what it wrote by then fits into its pipes.
fn ended(child: &mut Child) {
    for _ in 0..6_000 {
        if child.try_wait().unwrap().is_some() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    panic!("it hangs");
}

/// Waits for a command's end.
pub(crate) fn answer(child: Child) -> Answer {
    let output = child.wait_with_output().unwrap();
    Answer {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Answer {
    /// It did what it was asked: its standard output.
    #[track_caller]
    pub(crate) fn done(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// The same, read as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.done()).unwrap()
    }

    /// It failed with `code`, one sentence on standard error that contains `says`, and nothing on standard output.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, says: &str) {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        let errors: Vec<_> = self.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert!(errors.len() == 1 && self.stderr.contains(says), "{self:?}");
    }
}

/// Waits until `ready` answers something, for as long as a slow machine may need.
pub(crate) fn eventually<T>(mut ready: impl FnMut() -> Option<T>) -> T {
    for _ in 0..3_000 {
        if let Some(value) = ready() {
            return value;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("nothing came");
}
