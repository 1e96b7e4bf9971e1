//! `gangplank docker-login`

use std::time::Duration;

use frontend::types::{CreatedDockerLogin, NewDockerLogin};

use crate::client::path;
use crate::commands::{Remote, token};
use crate::failure::Failure;
use crate::output::{self, time};

#[derive(Debug, clap::Args)]
#[command(after_help = "\
It pulls and pushes what you may, manages nothing, and ends by itself; `gangplank token revoke` ends it before.

Examples:
  gangplank docker-login --duration 1h
  gangplank docker-login --json | jq -r .secret | docker login HOST -u acme --password-stdin")]
pub(crate) struct DockerLogin {
    #[command(flatten)]
    remote: Remote,
    /// For how long, from 15m to 24h
    #[arg(long, value_name = "DURATION", value_parser = token::lifetime, default_value = "1h")]
    duration: Duration,
}

impl DockerLogin {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (client, output) = self.remote.open()?;
        let login = NewDockerLogin { expires_in_seconds: self.duration.as_secs() };
        let made: CreatedDockerLogin = client.post(&path(&["logins"])?, &login).await?;
        if !output.is_json() {
            output::tell(&format!("A login of {} until {}:\n", made.username, time(made.expires_at)));
        }
        let command = format!(
            "docker login {} --username {} --password {}",
            client.server().authority(),
            made.username,
            made.secret
        );
        output.changed(&made, &command)
    }
}
