//! The commands: one file for each noun, with what may be typed and what is done for it.

pub(crate) mod access_key;
pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod config;
pub(crate) mod docker_login;
pub(crate) mod login;
pub(crate) mod namespace;
pub(crate) mod permission;
pub(crate) mod repository;
pub(crate) mod serve;
pub(crate) mod share;
pub(crate) mod system;
pub(crate) mod tag;
pub(crate) mod token;
pub(crate) mod user;
pub(crate) mod webhook;

use crate::address::ServerUrl;
use crate::client::Client;
use crate::failure::Failure;
use crate::logins::Logins;
use crate::output::Output;

/// What every command that asks a server takes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Remote {
    /// Ask this server, as its last login, instead of the current one
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) server: Option<ServerUrl>,
    /// Answer in JSON, for scripts
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Remote {
    /// The client of the login that is meant, and where its answers go.
    pub(crate) fn open(&self) -> Result<(Client, Output), Failure> {
        let login = Logins::of_this_person()?.current(self.server.as_ref())?;
        Ok((Client::with_login(login)?, Output::new(self.json)))
    }
}

/// `NAME@ACCOUNT`, split at the last `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserLogin {
    name: String,
    account: String,
}

impl std::str::FromStr for UserLogin {
    type Err = String;

    fn from_str(text: &str) -> Result<UserLogin, String> {
        match text.rsplit_once('@') {
            Some((name, account)) if !name.is_empty() && !account.is_empty() => {
                Ok(UserLogin { name: name.to_owned(), account: account.to_owned() })
            }
            _ => Err("a user is named with its account, such as dev@acme".to_owned()),
        }
    }
}

impl std::fmt::Display for UserLogin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.name, self.account)
    }
}
