//! The real server: the binary, started as a person starts it, and killed as nobody should.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use crate::{ADMIN_PASSWORD, Registry, SmallDisk, program};

const READY_WITHIN: Duration = Duration::from_secs(30);

/// A server process of its own, by the real clock. Dropping it kills it.
pub struct ServerProcess {
    registry: Registry,
    address: SocketAddr,
    child: Child,
    data: PathBuf,
    environment: Vec<(&'static str, &'static str)>,
    /// Holds the log, and the data unless that is on a disk of its own.
    folder: TempDir,
}

impl ServerProcess {
    /// A new one, on fresh data.
    pub async fn start() -> ServerProcess {
        ServerProcess::start_with(&[]).await
    }

    /// A new one, with these environment variables.
    pub async fn start_with(environment: &[(&'static str, &'static str)]) -> ServerProcess {
        let folder = tempfile::tempdir().expect("a temporary folder");
        ServerProcess::start_in(folder.path().join("data"), environment.to_vec(), folder).await
    }

    /// A new one whose data lies on `disk`, with these environment variables.
    pub async fn start_on(disk: &SmallDisk, environment: &[(&'static str, &'static str)]) -> ServerProcess {
        let folder = tempfile::tempdir().expect("a temporary folder");
        ServerProcess::start_in(disk.path().join("data"), environment.to_vec(), folder).await
    }

    async fn start_in(
        data: PathBuf,
        environment: Vec<(&'static str, &'static str)>,
        folder: TempDir,
    ) -> ServerProcess {
        let address = free_address();
        let child = spawn(address, &data, &environment, folder.path());
        let registry = Registry::at(address);
        let mut server = ServerProcess { registry, address, child, data, environment, folder };
        server.wait_until_ready().await;
        server
    }

    /// Kills it (SIGKILL: nothing of it runs on), and starts it again on the same data and port.
    pub async fn kill_and_restart(&mut self) {
        self.restart().await;
        self.wait_until_ready().await;
    }

    /// The same where it may be unable to start. It has had a second.
    pub async fn kill_and_try_to_restart(&mut self) {
        self.restart().await;
        sleep(Duration::from_secs(1)).await;
    }

    async fn restart(&mut self) {
        self.child.kill().await.expect("it can be killed");
        self.child = spawn(self.address, &self.data, &self.environment, self.folder.path());
    }

    /// Where its data lies.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.data.clone()
    }

    async fn wait_until_ready(&mut self) {
        let begun = Instant::now();
        loop {
            if let Ok(answer) = self.registry.stranger().get("/v2/").try_send().await {
                answer.expect(401);
                return;
            }
            let ended = self.child.try_wait().expect("it can be asked");
            if ended.is_some() || begun.elapsed() > READY_WITHIN {
                let log = std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                panic!("the server does not start ({ended:?}); it said:\n{log}");
            }
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Deref for ServerProcess {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        &self.registry
    }
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("its address")
}

fn spawn(address: SocketAddr, data: &Path, environment: &[(&str, &str)], folder: &Path) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).expect("a log");
    let mut command = program::gangplank();
    command
        .args(["serve", "--listen", &address.to_string(), "--data"])
        .arg(data)
        .envs(environment.iter().copied())
        .env("GANGPLANK_ADMIN_PASSWORD", ADMIN_PASSWORD)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a second hand on the log"))
        .stderr(log)
        .kill_on_drop(true);
    command.spawn().expect("the server starts")
}
