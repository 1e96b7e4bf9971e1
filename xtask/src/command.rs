//! Running other programs: said before, stopped when we are told to stop, failing with a sentence.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

const POLL: Duration = Duration::from_millis(50);
const TICK: Duration = Duration::from_secs(30);
/// How long a program that was asked to end may take before it is killed.
const END: Duration = Duration::from_secs(10);

/// Whether a person, or the machine, has asked us to stop.
#[derive(Clone)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From here on Ctrl-C does not end this program: it raises the flag, and what was started is stopped first.
    pub(crate) fn watch() -> Result<Interrupt, String> {
        let raised = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            signal_hook::flag::register(signal, raised.clone())
                .map_err(|error| format!("cannot listen for signal {signal}: {error}"))?;
        }
        Ok(Interrupt(raised))
    }

    /// An error once the flag is up.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.0.load(Ordering::Relaxed) { Err("stopped, as asked".to_owned()) } else { Ok(()) }
    }
}

/// The command in words, as a person would type it.
pub(crate) fn words(command: &Command) -> String {
    let mut words = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        words.push(' ');
        words.push_str(&argument.to_string_lossy());
    }
    words
}

/// cargo, the one that runs us, at the top of the workspace.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(workspace());
    command
}

/// The top of the workspace.
pub(crate) fn workspace() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| workspace().join("target"), PathBuf::from)
}

/// What is built once and kept for the next tree: `gangplank/` in the user's cache folder.
pub(crate) fn cache() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let caches = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    caches.unwrap_or_else(|| target().join("cache")).join("gangplank")
}

/// A program in `PATH`, or where Debian keeps those of root, which a user's `PATH` lacks.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Runs `command` with the terminal: for what may ask for a password.
pub(crate) fn attended(command: &mut Command) -> Result<(), String> {
    eprintln!("xtask: {}", words(command));
    let status = command.status().map_err(|error| format!("cannot run `{}`: {error}", words(command)))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status})", words(command))) }
}

/// Runs `command` in a process group of its own, which ends when we are told to; `tick` is called twice a minute
/// with the time passed.
pub(crate) fn watched(
    command: &mut Command,
    interrupt: &Interrupt,
    mut tick: impl FnMut(Duration),
) -> Result<(), String> {
    interrupt.check()?;
    eprintln!("xtask: {}", words(command));
    let mut child = command
        .process_group(0)
        .stdin(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot run `{}`: {error}", words(command)))?;
    let begun = Instant::now();
    let mut next_tick = TICK;
    let mut asked_to_end: Option<Instant> = None;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() && asked_to_end.is_none() => return Ok(()),
            Ok(Some(status)) => {
                interrupt.check()?;
                return Err(format!("`{}` failed ({status})", words(command)));
            }
            Ok(None) => {}
            Err(error) => return Err(format!("cannot wait for `{}`: {error}", words(command))),
        }
        match asked_to_end {
            None if interrupt.check().is_err() => {
                signal("TERM", &format!("-{}", child.id()), false);
                asked_to_end = Some(Instant::now());
            }
            Some(since) if since.elapsed() > END => signal("KILL", &format!("-{}", child.id()), false),
            _ => {}
        }
        if begun.elapsed() >= next_tick {
            tick(begun.elapsed());
            next_tick += TICK;
        }
        sleep(POLL);
    }
}

/// Does something with each, whatever comes of the others, until we are told to stop; all failures make one.
pub(crate) fn each<T>(
    all: &[T],
    interrupt: &Interrupt,
    work: impl Fn(&T) -> Result<(), String>,
) -> Result<(), String> {
    let mut sentences = Vec::new();
    for one in all {
        interrupt.check()?;
        sentences.extend(work(one).err());
    }
    if sentences.is_empty() { Ok(()) } else { Err(sentences.join("\nxtask: ")) }
}

/// Sends a signal to a process (`123`) or a process group (`-123`); one that is gone is no error.
pub(crate) fn signal(name: &str, receiver: &str, as_root: bool) {
    // The shell's own kill: a small machine need not have the program.
    let script = format!("kill -{name} -- {receiver} 2>/dev/null || kill -{name} {receiver} 2>/dev/null");
    let mut command = if as_root { Command::new("sudo") } else { Command::new("sh") };
    if as_root {
        command.args(["-n", "sh"]);
    }
    let _ = command.args(["-c", &script]).status();
}

/// What a program prints; `None` when it fails or is not there.
pub(crate) fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether we are root.
pub(crate) fn is_root() -> bool {
    output("id", &["-u"]).as_deref() == Some("0")
}
