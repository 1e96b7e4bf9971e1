//! `gangplank login`, `logout` and `whoami`.

use std::path::PathBuf;
use std::time::Duration;

use frontend::types::{self, CreatedPersonalToken, NewPersonalToken};

use crate::address::ServerUrl;
use crate::client::{Client, path};
use crate::commands::{Remote, token};
use crate::failure::Failure;
use crate::input::PasswordInput;
use crate::logins::{Login as Kept, Logins};
use crate::output::{self, Output, Shown, yes_no};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
A token of its own is made and kept in ~/.config/gangplank/logins.toml, never the password.
Certificates are trusted as the system does; SSL_CERT_FILE names other authorities for one command.

Examples:
  gangplank login https://registry.example --username acme
  gangplank login https://registry.internal --username acme --ca-certificate ca.pem
  gangplank login http://127.0.0.1:5000 --username admin --password-stdin < password.txt")]
pub(crate) struct Login {
    /// The server's address, such as https://registry.example or http://127.0.0.1:5000
    url: ServerUrl,
    /// An account (acme) or a user of one (dev@acme)
    #[arg(long, short, value_name = "NAME")]
    username: String,
    #[command(flatten)]
    password: PasswordInput,
    /// For how long, such as 24h or 30d
    #[arg(long, value_name = "DURATION", value_parser = token::lifetime, default_value = "30d")]
    expires: Duration,
    /// Trust the authorities in this file (PEM) too, in this and in the commands that follow
    #[arg(long, value_name = "FILE")]
    ca_certificate: Option<PathBuf>,
}

impl Login {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (server, username) = (self.url.clone(), self.username.clone());
        self.sign_in().await.map_err(|cause| {
            // Whoever overlooks the failure would change something elsewhere.
            match Logins::of_this_person().and_then(|logins| logins.current(None)) {
                Ok(current) if (&current.server, &current.username) != (&server, &username) => {
                    let Kept { server, username, .. } = current;
                    Failure::StillElsewhere { cause: Box::new(cause), server, username }
                }
                _ => cause,
            }
        })
    }

    /// Signs in: makes a personal token, and keeps that, not the password.
    async fn sign_in(self) -> Result<(), Failure> {
        if self.url.is_readable_on_the_way() {
            output::warn(&format!(
                "{} sends the password in the clear; use https:// where others listen",
                self.url
            ));
        }
        let ca_certificate = self.ca_certificate()?;
        let password = self.password.existing(&format!("Password of {}: ", self.username))?;
        let client =
            Client::with_password(self.url.clone(), ca_certificate.as_deref(), self.username, password)?;
        let token = NewPersonalToken {
            expires_in_seconds: self.expires.as_secs(),
            description: Some(format!("gangplank login on {}", host_name())),
            scope: None,
        };
        let made: CreatedPersonalToken = client.post(&path(&["tokens"])?, &token).await?;
        let login = Kept {
            server: self.url,
            ca_certificate,
            username: made.username,
            token_id: made.token.id,
            token: auth::Secret::new(made.secret),
            expires_at: made.token.expires_at,
        };
        let sentence = format!(
            "Signed in to {} as {} until {}.",
            login.server,
            login.username,
            output::time(login.expires_at)
        );
        let logins = Logins::of_this_person()?;
        let replaced = match logins.keep(login) {
            Ok(replaced) => replaced,
            Err(failure) => {
                // Nobody holds the token, so nobody will miss it; that it ends by itself is the second line.
                let _ = client.delete(&path(&["tokens", &made.token.id.to_string()])?).await;
                return Err(failure);
            }
        };
        if let Some(old) = replaced {
            // Its place is taken. If it cannot be revoked it ends by itself.
            let _ = client.delete(&signing_out(old.token_id)?).await;
        }
        Output::new(false).done(&sentence)
    }

    /// The file of authorities, as any later command finds it.
    fn ca_certificate(&self) -> Result<Option<PathBuf>, Failure> {
        let Some(path) = &self.ca_certificate else { return Ok(None) };
        if !self.url.is_https() {
            return Err(Failure::Usage { reason: "--ca-certificate is for https:// addresses".to_owned() });
        }
        let whole = std::path::absolute(path).map_err(|source| Failure::File {
            doing: "find",
            path: path.clone(),
            source,
        })?;
        if whole.to_str().is_none() {
            let path = whole.display();
            let reason = format!("{path} is not UTF-8, so it cannot be kept with the login; rename the file");
            return Err(Failure::Usage { reason });
        }
        Ok(Some(whole))
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Logout {
    /// Sign out of this server's last login instead of the current one
    #[arg(long, value_name = "URL")]
    server: Option<ServerUrl>,
}

impl Logout {
    /// Removes the login here whatever the server answers, and revokes its token there. What stays valid is told.
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let logins = Logins::of_this_person()?;
        let login = logins.current(self.server.as_ref())?;
        let (server, username, until) = (login.server.clone(), login.username.clone(), login.expires_at);
        let token = signing_out(login.token_id)?;
        let client = Client::with_login(login.clone());
        logins.remove(&login)?;
        let revoked = match client {
            Ok(client) => client.delete(&token).await,
            Err(failure) => Err(failure),
        };
        match revoked {
            // It opened nothing any more.
            Ok(()) | Err(Failure::LoginEnded { .. } | Failure::Refused { status: 404, .. }) => {}
            Err(cause) => return Err(Failure::NotRevoked { until, cause: Box::new(cause) }),
        }
        let next = match logins.current(None) {
            Ok(next) => format!(" Current is now {} at {}.", next.username, next.server),
            Err(_) => String::new(),
        };
        Output::new(false).done(&format!("Signed out of {server} as {username}.{next}"))
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct WhoAmI {
    #[command(flatten)]
    remote: Remote,
}

impl WhoAmI {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (client, output) = self.remote.open()?;
        let who: types::WhoAmI = client.get(&path(&["whoami"])?).await?;
        output.one(&Here { server: client.server().to_string(), who })
    }
}

/// Who is signed in, and where.
#[derive(serde::Serialize)]
struct Here {
    server: String,
    #[serde(flatten)]
    who: types::WhoAmI,
}

impl Shown for Here {
    const COLUMNS: &[&str] = &["Server", "Name", "Account", "Administrator", "Region"];

    fn row(&self) -> Vec<String> {
        let types::WhoAmI { name, account, administrator, region, .. } = &self.who;
        vec![self.server.clone(), name.clone(), account.clone(), yes_no(*administrator), region.clone()]
    }
}

/// Where a login's own token is ended. Tokens that were made with it for scripts stay.
fn signing_out(token: u64) -> Result<String, Failure> {
    Ok(path(&["tokens", &token.to_string()])? + "?made=stays")
}

/// This machine's name, so that its owner knows the token again in a list.
fn host_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    name.chars().filter(|c| !c.is_control()).take(200).collect()
}
