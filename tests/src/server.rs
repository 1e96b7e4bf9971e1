//! A server in the test's own process, by a clock that the test sets.

use std::ops::Deref;
use std::sync::Arc;

use auth::Secret;
use frontend::Clock;
use gangplank::config::AdminPassword;
use gangplank::{Config, Running};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::{ADMIN_PASSWORD, CertificateFiles, Registry, TestCa, TestClock};

/// A server on a port of 127.0.0.1 with RocksDB and files in a temporary folder. Its clock begins with the year 2027
/// and stands still.
pub struct TestServer {
    registry: Registry,
    running: Running,
    clock: TestClock,
    data: TempDir,
}

impl TestServer {
    /// A new one.
    pub async fn start() -> TestServer {
        TestServer::start_with(|_| {}).await
    }

    /// A new one with other settings.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> TestServer {
        let data = tempfile::tempdir().expect("a temporary folder");
        TestServer::open(data, TestClock::at(begin()), None, change).await
    }

    /// A new one that speaks TLS with these files of `ca`, which are to be good for 127.0.0.1.
    pub async fn start_over_tls(ca: &TestCa, files: &CertificateFiles) -> TestServer {
        TestServer::start_over_tls_with(ca, files, |_| {}).await
    }

    /// The same with other settings.
    pub async fn start_over_tls_with(
        ca: &TestCa,
        files: &CertificateFiles,
        change: impl FnOnce(&mut Config),
    ) -> TestServer {
        let data = tempfile::tempdir().expect("a temporary folder");
        TestServer::open(data, TestClock::at(begin()), Some(ca), |config| {
            config.server.tls.certificate = Some(files.certificate.clone());
            config.server.tls.key = Some(files.key.clone());
            change(config);
        })
        .await
    }

    /// A new one whose administrator's password is its own affair.
    pub async fn start_without_password() -> TestServer {
        TestServer::start_with(|config| config.admin_password = AdminPassword::default()).await
    }

    /// The password that it made for its administrator.
    #[must_use]
    pub fn first_password(&self) -> String {
        self.running.first_password().expect("it made one").reveal().to_owned()
    }

    /// The key that it signs tokens with, as PEM.
    #[must_use]
    pub fn signing_key(&self) -> String {
        let mut files = std::fs::read_dir(self.data.path().join("data/keys")).expect("its keys' folder");
        let file = files.find_map(|file| Some(file.ok()?.path()).filter(|path| path.extension().is_some()));
        std::fs::read_to_string(file.expect("a key")).expect("a readable key")
    }

    async fn open(
        data: TempDir,
        clock: TestClock,
        ca: Option<&TestCa>,
        change: impl FnOnce(&mut Config),
    ) -> TestServer {
        let mut config = Config::default();
        config.server.listen = "127.0.0.1:0".parse().expect("an address");
        config.storage.data = data.path().join("data");
        config.admin_password = AdminPassword { given: Some(Secret::new(ADMIN_PASSWORD)), reset: false };
        change(&mut config);
        let running = gangplank::start(config, Arc::new(clock.clone())).await.expect("the server starts");
        let address = running.address();
        let registry = ca.map_or_else(|| Registry::at(address), |ca| Registry::over_tls(address, ca));
        TestServer { registry, running, clock, data }
    }

    /// Stops it, and starts it again on the same data, at another port, over plain HTTP.
    pub async fn restart(self) -> TestServer {
        self.restart_with(|_| {}).await
    }

    /// The same with other settings.
    pub async fn restart_with(self, change: impl FnOnce(&mut Config)) -> TestServer {
        self.running.stop().await;
        TestServer::open(self.data, self.clock, None, change).await
    }

    /// Has everything written that it took down: what its clock's standing still, or a second, would put off.
    pub async fn flush(&self) {
        self.running.flush().await;
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// Its clock's time in so many seconds.
    #[must_use]
    pub fn in_seconds(&self, seconds: i64) -> Timestamp {
        self.clock.now() + SignedDuration::from_secs(seconds)
    }
}

impl Deref for TestServer {
    type Target = Registry;

    fn deref(&self) -> &Registry {
        &self.registry
    }
}

fn begin() -> Timestamp {
    "2027-01-01T00:00:00Z".parse().expect("a time")
}
