//! The systems that are compared: how each is started on a folder of its own, and how one enters it.
//!
//! Each speaks plain HTTP on 127.0.0.1 and keeps everything below its folder. Gangplank authenticates and syncs, as it
//! always does; the others are open to everybody, with the settings that their makers ship. None writes a log of requests.

mod distribution;
mod gangplank;
mod nginx;
mod other;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::connection::{Connection, Request};
use crate::door::Door;
use crate::options::{Options, Other};
use crate::process::{Process, find, said_by};

use gangplank::Opens;
pub(crate) use gangplank::{LOGIN, PASSWORD, basic, token_in, token_request_of};

/// The name that results have of the server that all this is about.
pub(crate) const OURS: &str = "gangplank";
/// The name of the limit.
pub(crate) const NGINX: &str = "nginx";

const READY_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(1);
const ASKED_WITHIN: Duration = Duration::from_secs(10);

/// A system.
pub(crate) struct System {
    pub(crate) name: String,
    /// As it tells it.
    pub(crate) version: String,
    program: Program,
}

enum Program {
    Gangplank(PathBuf),
    Distribution(PathBuf),
    Nginx(PathBuf),
    Other(Other),
}

/// A system that runs. Dropping it ends it.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    process: Process,
    is_ours: bool,
}

impl System {
    /// Those that this machine has, ours first. Why another one is lacking is told to `say`.
    pub(crate) fn all(options: &Options, mut say: impl FnMut(&str)) -> Result<Vec<System>, String> {
        let mut all = vec![System::ours(options)?];
        match find("nginx") {
            Some(binary) => all.push(System::new(NGINX, Program::Nginx(binary))),
            None => say("nginx is not installed: there is no limit to compare with"),
        }
        match options.docker_registry.clone().or_else(|| find("docker-registry")) {
            Some(binary) => all.push(System::new("docker-registry", Program::Distribution(binary))),
            None => say("docker-registry is not installed: there are no rows of it"),
        }
        match options.distribution.clone() {
            Some(binary) => all.push(System::new("distribution 3", Program::Distribution(binary))),
            None => say("no binary of distribution 3 (--distribution): there are no rows of it"),
        }
        for other in &options.systems {
            all.push(System::new(&other.name, Program::Other(other.clone())));
        }
        for name in &options.without {
            if !all.iter().any(|system| system.name == *name) {
                return Err(format!("there is no system {name:?} to leave out"));
            }
        }
        all.retain(|system| !options.without.contains(&system.name));
        if let Some(twice) =
            all.iter().find(|one| all.iter().filter(|other| other.name == one.name).count() > 1)
        {
            return Err(format!("two systems are called {:?}", twice.name));
        }
        Ok(all)
    }

    /// The server that all this is about.
    pub(crate) fn ours(options: &Options) -> Result<System, String> {
        let ours = System::our_binary(options)?;
        Ok(System::new(OURS, Program::Gangplank(ours)))
    }

    /// Its binary.
    pub(crate) fn our_binary(options: &Options) -> Result<PathBuf, String> {
        let ours = options.gangplank.clone().or_else(|| find("gangplank"));
        ours.ok_or_else(|| {
            "no binary of gangplank: name it with --gangplank, or run `cargo xtask bench`".to_owned()
        })
    }

    fn new(name: &str, program: Program) -> System {
        let asked = match &program {
            Program::Gangplank(binary) | Program::Distribution(binary) => said_by(binary, &["--version"]),
            Program::Nginx(binary) => said_by(binary, &["-v"]),
            Program::Other(_) => None,
        };
        // Paths and names of programs are of no interest to who reads a result: what looks like a version is.
        let version = asked.as_deref().and_then(|said| said.split([' ', '/']).find(|word| is_version(word)));
        System { name: name.to_owned(), version: version.unwrap_or("").to_owned(), program }
    }

    /// Whether it is the server that all this is about.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self.program, Program::Gangplank(_))
    }

    /// Whether it knows no registry's calls, only files.
    pub(crate) fn is_files(&self) -> bool {
        matches!(self.program, Program::Nginx(_))
    }

    /// Whether it takes pushes.
    pub(crate) fn is_registry(&self) -> bool {
        !self.is_files()
    }

    /// Where it keeps what it serves as files, in its folder.
    pub(crate) fn files(folder: &Path) -> PathBuf {
        folder.join("files")
    }

    /// Starts it on `folder`, empty or with what it left there, and waits until it answers.
    pub(crate) async fn start(&self, folder: &Path) -> Result<Running, String> {
        let is_new = !folder.join("data").exists();
        let mut running = self.spawn(folder)?;
        running.wait_until_ready().await?;
        if self.is_ours() && is_new {
            gangplank::prepare(running.address).await?;
        }
        Ok(running)
    }

    /// Starts it on `folder`, and does not wait.
    pub(crate) fn spawn(&self, folder: &Path) -> Result<Running, String> {
        let data = folder.join("data");
        for needed in [&data, &System::files(folder)] {
            fs::create_dir_all(needed)
                .map_err(|error| format!("cannot make {}: {error}", needed.display()))?;
        }
        let (address, command) = match &self.program {
            Program::Gangplank(binary) => gangplank::command(binary, &data, gangplank::ADMIN_PASSWORD, &[])?,
            Program::Distribution(binary) => distribution::command(binary, folder, &data)?,
            Program::Nginx(binary) => nginx::command(binary, folder)?,
            Program::Other(other) => other::command(other, &data),
        };
        let process = Process::start(&self.name, command, &folder.join("log"))?;
        Ok(Running { address, process, is_ours: self.is_ours() })
    }
}

impl Running {
    /// Starts our server on a data folder that somebody has filled, with these settings, and does not wait.
    pub(crate) fn loaded(
        binary: &Path,
        data: &Path,
        log: &Path,
        settings: &[&str],
    ) -> Result<Running, String> {
        let (address, command) = gangplank::command(binary, data, gangplank::ADMIN_PASSWORD, settings)?;
        let process = Process::start(OURS, command, log)?;
        Ok(Running { address, process, is_ours: true })
    }

    /// The process; others of it descend from this one.
    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// An error once it is gone.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        self.process.check()
    }

    /// Enters a repository, to pull from it and push to it.
    pub(crate) async fn door(&self, repository: &str) -> Result<Door, String> {
        self.door_for(repository, &Opens::Owned(repository)).await
    }

    /// The same as somebody whom it is shared with.
    pub(crate) async fn door_by_share(&self, repository: &str) -> Result<Door, String> {
        self.door_for(repository, &Opens::Shared(repository)).await
    }

    /// Enters no repository, to list them all.
    pub(crate) async fn door_to_catalog(&self) -> Result<Door, String> {
        self.door_for("", &Opens::Catalog).await
    }

    /// Shares a repository, where there is such a thing.
    pub(crate) async fn share(&self, repository: &str) -> Result<(), String> {
        if self.is_ours { gangplank::share(self.address, repository).await } else { Ok(()) }
    }

    async fn door_for(&self, repository: &str, opens: &Opens<'_>) -> Result<Door, String> {
        let token = if self.is_ours { Some(gangplank::token(self.address, opens).await?) } else { None };
        Ok(Door::new(self.address, repository, token.map(|token| format!("Bearer {token}"))))
    }

    /// The request for a token that opens a repository; `None` where nobody needs one.
    pub(crate) fn token_request(&self, repository: &str) -> Option<Request> {
        self.is_ours.then(|| gangplank::token_request(self.address, &Opens::Owned(repository)))
    }

    async fn wait_until_ready(&mut self) -> Result<(), String> {
        let request = Request::new("GET", "/v2/", &[("host", &self.address.to_string())], None);
        self.wait_for(&request, |_| true).await
    }

    /// Asks until an answer's status is right.
    pub(crate) async fn wait_for(
        &mut self,
        request: &Request,
        is_right: impl Fn(u16) -> bool,
    ) -> Result<(), String> {
        let begun = Instant::now();
        let mut last = String::new();
        while begun.elapsed() < READY_WITHIN {
            self.check()?;
            let ask = async { Connection::open(self.address).await?.ask(request).await };
            match tokio::time::timeout(ASKED_WITHIN, ask).await {
                Ok(Ok(answer)) if is_right(answer.status) => return Ok(()),
                Ok(Ok(answer)) => last = format!("it answers {}", answer.status),
                Ok(Err(why)) => last = why,
                Err(_) => last = "it does not answer".to_owned(),
            }
            tokio::time::sleep(POLL).await;
        }
        Err(self.process.failure(&format!("is not ready after {READY_WITHIN:?} ({last})")))
    }
}

/// `1.22.1`, `v3.1.1`, `2.8.2+ds1`.
fn is_version(word: &str) -> bool {
    let digits = word.trim_start_matches('v');
    digits.starts_with(|letter: char| letter.is_ascii_digit()) && digits.contains('.')
}
