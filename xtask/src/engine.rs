//! A docker engine of our own: its images, its socket and its processes live in one temporary folder and go with it.
//!
//! The machine's own engine, if it runs one, is neither used nor disturbed: no bridge, no firewall rules, another
//! containerd namespace. Containers run without a network.
//!
//! An engine looks names up itself, and knows one place only for the authorities that it trusts: `/etc/docker/certs.d`.
//! Ours has mounts of its own, in which that folder and `/etc/hosts` are those of the tests; the machine's stay as they
//! are.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::command::{Interrupt, attended, find, is_root, output, signal};

/// The name that the tests' registries can be called by. It is an address over IPv6 because engines take every name of
/// 127.0.0.0/8 for one whose certificate need not be looked at.
const NAMED: &str = "::1 registry.test\n";

/// Lays the tests' files over the machine's, and becomes the engine. `$1` is the folder; what follows, the engine.
/// (`/etc/docker` is made where it is lacking, as the engine itself would.)
const OVER_THE_MACHINES: &str = "mount --bind \"$1/hosts\" /etc/hosts && mkdir -p /etc/docker && \
    mount --bind \"$1/etc-docker\" /etc/docker && shift && exec \"$@\"";

const READY_WITHIN: Duration = Duration::from_secs(60);
const STOPPED_WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(100);

/// A running engine; dropping it stops it.
pub(crate) struct Engine {
    folder: PathBuf,
    daemon: Child,
    by_sudo: bool,
}

impl Engine {
    /// Starts it and waits until it answers.
    pub(crate) fn start(interrupt: &Interrupt) -> Result<Engine, String> {
        let dockerd = find("dockerd").ok_or("dockerd is not installed")?;
        let by_sudo = !is_root();
        if by_sudo {
            // Now, at the terminal: the engine itself is started in the background, where nobody can type a password.
            attended(Command::new("sudo").arg("-v"))?;
        }
        let folder = std::env::temp_dir().join(format!("gangplank-docker-{}", std::process::id()));
        fs::create_dir(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        eprintln!("xtask: starting a docker engine in {}", folder.display());
        let daemon = spawn(&dockerd, &folder, by_sudo);
        let daemon = daemon.map_err(|error| format!("cannot start {}: {error}", dockerd.display()))?;
        let mut engine = Engine { folder, daemon, by_sudo };
        engine.wait_until_ready(interrupt)?;
        Ok(engine)
    }

    /// What the tests must know of it, as environment variables.
    pub(crate) fn variables(&self) -> [(&'static str, String); 3] {
        let path = |name: &str| self.folder.join(name).display().to_string();
        [
            ("TESTS_DOCKER_HOST", format!("unix://{}", path("docker.sock"))),
            // Where it looks for the authorities that it trusts.
            ("TESTS_DOCKER_CERTIFICATES", path("etc-docker/certs.d")),
            // Where it looks names up.
            ("TESTS_HOSTS", path("hosts")),
        ]
    }

    fn wait_until_ready(&mut self, interrupt: &Interrupt) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            interrupt.check()?;
            if answers(&self.folder.join("docker.sock")) {
                return Ok(());
            }
            let ended = self.daemon.try_wait().ok().flatten();
            if ended.is_some() || begun.elapsed() > READY_WITHIN {
                let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
                let lines: Vec<_> = log.lines().collect();
                let last = lines[lines.len().saturating_sub(20)..].join("\n");
                let what = ended.map_or("does not answer".to_owned(), |status| format!("ended ({status})"));
                return Err(format!("the docker engine {what}; the end of its log:\n{last}"));
            }
            sleep(POLL);
        }
    }

    fn pid_in(&self, file: &str) -> Option<String> {
        let pid = fs::read_to_string(self.folder.join(file)).ok()?.trim().to_owned();
        pid.parse::<u32>().is_ok().then_some(pid)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        eprintln!("xtask: stopping the docker engine");
        let pid = self.pid_in("docker.pid").unwrap_or_else(|| self.daemon.id().to_string());
        signal("TERM", &pid, self.by_sudo);
        let begun = Instant::now();
        while matches!(self.daemon.try_wait(), Ok(None)) && begun.elapsed() < STOPPED_WITHIN {
            sleep(POLL);
        }
        if let Ok(None) = self.daemon.try_wait() {
            let containerd = self.pid_in("exec/containerd/containerd.pid");
            signal("KILL", &pid, self.by_sudo);
            if let Some(containerd) = containerd {
                signal("KILL", &containerd, self.by_sudo);
            }
            let _ = self.daemon.wait();
        }
        let mut removal = Command::new(if self.by_sudo { "sudo" } else { "rm" });
        if self.by_sudo {
            removal.args(["-n", "rm"]);
        }
        let removed = removal.args(["-rf", "--one-file-system"]).arg(&self.folder).status();
        if !removed.is_ok_and(|status| status.success()) {
            eprintln!("xtask: could not remove {}; it is no longer needed", self.folder.display());
        }
    }
}

fn spawn(dockerd: &Path, folder: &Path, by_sudo: bool) -> std::io::Result<Child> {
    // An empty configuration, so that the machine's own is not read.
    fs::write(folder.join("daemon.json"), "{}")?;
    fs::create_dir_all(folder.join("etc-docker/certs.d"))?;
    fs::write(folder.join("hosts"), fs::read_to_string("/etc/hosts")? + "\n" + NAMED)?;
    let log = File::create(folder.join("log"))?;
    let mut command = Command::new(if by_sudo { "sudo" } else { "unshare" });
    if by_sudo {
        command.args(["-n", "unshare"]);
    }
    command.args(["--mount", "sh", "-c", OVER_THE_MACHINES, "sh"]).arg(folder);
    command.arg(dockerd);
    if by_sudo {
        command.args(["--group", &output("id", &["-g"]).unwrap_or_default()]);
    }
    command
        .arg("--host")
        .arg(format!("unix://{}", folder.join("docker.sock").display()))
        .arg("--data-root")
        .arg(folder.join("data"))
        .arg("--exec-root")
        .arg(folder.join("exec"))
        .arg("--pidfile")
        .arg(folder.join("docker.pid"))
        .arg("--config-file")
        .arg(folder.join("daemon.json"))
        .args([
            "--containerd-namespace",
            "gangplank-test",
            "--containerd-plugins-namespace",
            "gangplank-test-plugins",
        ])
        .args(["--bridge", "none", "--iptables=false", "--ip6tables=false"])
        // A group of its own: Ctrl-C at the terminal must not stop it under the tests that are being stopped.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
}

/// Whether an engine behind `socket` answers its `/_ping`.
fn answers(socket: &Path) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"GET /_ping HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.split_whitespace().nth(1) == Some("200"))
}
