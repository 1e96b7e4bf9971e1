//! The real server: the binary, started as a person starts it, and killed as nobody should.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Child;
use tokio::time::{Instant, sleep};

use crate::{ADMIN_PASSWORD, CertificateFiles, Registry, SmallDisk, TestCa, program};

const READY_WITHIN: Duration = Duration::from_secs(30);

/// A server process of its own, by the real clock. Dropping it kills it.
pub struct ServerProcess {
    registry: Registry,
    child: Child,
    data: PathBuf,
    environment: Vec<(&'static str, String)>,
    /// Holds the log, and the data unless that is on a disk of its own.
    folder: TempDir,
}

impl ServerProcess {
    /// A new one, on fresh data.
    pub async fn start() -> ServerProcess {
        ServerProcess::start_with(&[]).await
    }

    /// A new one with these environment variables.
    pub async fn start_with(environment: &[(&'static str, &str)]) -> ServerProcess {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("data");
        ServerProcess::start_in(data, Registry::at(free_address()), owned(environment), folder).await
    }

    /// A new one that speaks TLS with these files of `ca`, which are to be good for 127.0.0.1, with these environment
    /// variables besides.
    pub async fn start_over_tls(
        ca: &TestCa,
        files: &CertificateFiles,
        environment: &[(&'static str, &str)],
    ) -> ServerProcess {
        ServerProcess::start_over_tls_at(Ipv4Addr::LOCALHOST.into(), ca, files, environment).await
    }

    /// The same at another address of this machine, which the files are to be good for.
    pub async fn start_over_tls_at(
        ip: IpAddr,
        ca: &TestCa,
        files: &CertificateFiles,
        environment: &[(&'static str, &str)],
    ) -> ServerProcess {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
        let mut environment = owned(environment);
        environment.push(("GANGPLANK_SERVER__TLS__CERTIFICATE", path(&files.certificate)));
        environment.push(("GANGPLANK_SERVER__TLS__KEY", path(&files.key)));
        let registry = Registry::over_tls(free_address_of(ip), ca);
        ServerProcess::start_in(folder.path().join("data"), registry, environment, folder).await
    }

    /// A new one whose data lies on `disk`, with these environment variables.
    pub async fn start_on(disk: &SmallDisk, environment: &[(&'static str, &'static str)]) -> ServerProcess {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = disk.path().join("data");
        ServerProcess::start_in(data, Registry::at(free_address()), owned(environment), folder).await
    }

    async fn start_in(
        data: PathBuf,
        registry: Registry,
        environment: Vec<(&'static str, String)>,
        folder: TempDir,
    ) -> ServerProcess {
        let child = spawn(&registry, &data, &environment, folder.path());
        let mut server = ServerProcess { registry, child, data, environment, folder };
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
        self.child = spawn(&self.registry, &self.data, &self.environment, self.folder.path());
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
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
                panic!("the server does not start ({ended:?}); it said:\n{}", self.log());
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

/// A free port of 127.0.0.1.
pub(crate) fn free_address() -> SocketAddr {
    free_address_of(Ipv4Addr::LOCALHOST.into())
}

fn free_address_of(ip: IpAddr) -> SocketAddr {
    let listener = TcpListener::bind((ip, 0)).expect("a free port");
    listener.local_addr().expect("its address")
}

fn owned(environment: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    environment.iter().map(|&(name, value)| (name, value.to_owned())).collect()
}

fn spawn(registry: &Registry, data: &Path, environment: &[(&str, String)], folder: &Path) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(folder.join("log")).expect("a log");
    let mut command = program::gangplank();
    command
        .args(["serve", "--listen", &registry.host(), "--data"])
        .arg(data)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .env("GANGPLANK_ADMIN_PASSWORD", ADMIN_PASSWORD)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("a second hand on the log"))
        .stderr(log)
        .kill_on_drop(true);
    command.spawn().expect("the server starts")
}
