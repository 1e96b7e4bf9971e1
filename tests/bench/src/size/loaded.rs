//! A data folder that was filled, with the server on it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::connection::{Connection, Request};
use crate::door::Door;
use crate::systems::{Running, token_in, token_request_of};

use super::count::{Counted, owner, password};

/// A data folder with its server. It runs whenever it is asked for.
pub(crate) struct Loaded {
    pub(crate) name: String,
    pub(crate) counted: Counted,
    binary: PathBuf,
    pub(crate) data: PathBuf,
    log: PathBuf,
    running: Option<Running>,
    /// Tokens that pull, by the account that pulls and the repository.
    tokens: BTreeMap<(String, String), String>,
    /// The console's sessions, by account: as cookies.
    pub(crate) sessions: BTreeMap<String, String>,
    /// The manifest that the referrers refer to.
    pub(crate) subject: Option<String>,
}

impl Loaded {
    /// Counts what is there.
    pub(crate) async fn new(binary: &Path, data: &Path, log: &Path) -> Result<Loaded, String> {
        if !data.join("metadata").is_dir() {
            return Err(format!("{} is no data folder", data.display()));
        }
        let mut running = spawn(binary, data, log, &[])?;
        wait_until_ready(&mut running).await?;
        let counted = Counted::of(&running).await?;
        Ok(Loaded {
            name: counted.name(),
            counted,
            binary: binary.to_owned(),
            data: data.to_owned(),
            log: log.to_owned(),
            running: Some(running),
            tokens: BTreeMap::new(),
            sessions: BTreeMap::new(),
            subject: None,
        })
    }

    /// The server; it is started if it does not run.
    pub(crate) async fn running(&mut self) -> Result<&mut Running, String> {
        let running = match self.running.take() {
            Some(running) => running,
            None => {
                let mut running = self.spawn(&[])?;
                wait_until_ready(&mut running).await?;
                running
            }
        };
        let running = self.running.insert(running);
        running.check()?;
        Ok(running)
    }

    /// Stops it.
    pub(crate) fn stop(&mut self) {
        self.running = None;
    }

    /// Starts it with these settings, and does not wait. It must have been stopped.
    pub(crate) fn spawn(&self, settings: &[&str]) -> Result<Running, String> {
        spawn(&self.binary, &self.data, &self.log, settings)
    }

    /// Takes it back after a start.
    pub(crate) fn put_back(&mut self, running: Running) {
        self.running = Some(running);
    }

    /// The request for a token that pulls from a repository.
    pub(crate) async fn token_request(&mut self, account: &str, repository: &str) -> Result<Request, String> {
        let (address, password) = (self.running().await?.address, password(account));
        let scope = format!("repository:{repository}:pull");
        Ok(token_request_of(address, (account, &password), &scope))
    }

    /// A repository's door, with a token that pulls. It is the same one after a restart.
    pub(crate) async fn door(&mut self, account: &str, repository: &str) -> Result<Door, String> {
        let address = self.running().await?.address;
        let key = (account.to_owned(), repository.to_owned());
        let token = match self.tokens.get(&key) {
            Some(token) => token.clone(),
            None => {
                let request = self.token_request(account, repository).await?;
                let token = token_in(&mut Connection::open(address).await?, &request).await?;
                self.tokens.insert(key, token.clone());
                token
            }
        };
        Ok(Door::new(address, repository, Some(format!("Bearer {token}"))))
    }
}

/// Whom what an owner has is shared with.
pub(crate) fn sharee(number: u64) -> String {
    owner(number + 1)
}

/// Waits for the answer that says so.
pub(crate) async fn wait_until_ready(running: &mut Running) -> Result<(), String> {
    let request = Request::new("GET", "/readyz", &[("host", &running.address.to_string())], None);
    running.wait_for(&request, |status| status == 200).await
}

fn spawn(binary: &Path, data: &Path, log: &Path, settings: &[&str]) -> Result<Running, String> {
    Running::loaded(binary, data, log, settings)
}
