//! `gangplank token`

use std::time::Duration;

use frontend::types::{self, CreatedPersonalToken, NewPersonalToken};
use jiff::SignedDuration;

use crate::client::path;
use crate::commands::Remote;
use crate::failure::Failure;
use crate::output::{self, Shown, time};

#[derive(Debug, clap::Args)]
pub(crate) struct Token {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a token to sign in with instead of a password, for scripts and pull secrets
    #[command(after_help = "Examples:
  gangplank token create --expires 24h
  gangplank token create --expires 30d --scope repository:team-a/web:pull,push --json")]
    Create {
        /// For how long, such as 24h or 30d
        #[arg(long, value_name = "DURATION", value_parser = lifetime)]
        expires: Duration,
        /// What it is for, 0 to 1000 characters
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// Narrow it, such as repository:team-a/web:pull; may be given several times
        #[arg(long, value_name = "SCOPE")]
        scope: Vec<String>,
    },
    /// List your tokens, without their secrets
    #[command(after_help = "Example:\n  gangplank token list --json")]
    List,
    /// End a token, from the next request on
    #[command(after_help = "\
With it ends what was made with it: tokens, temporary logins and access keys.

Example:
  gangplank token revoke 4503599627370496")]
    Revoke {
        /// Its number, from the list
        id: u64,
    },
}

/// A token's life: whole seconds, at least one.
pub(crate) fn lifetime(text: &str) -> Result<Duration, String> {
    let life = humantime::parse_duration(text).map_err(|error| format!("{error}; write it as 24h or 30d"))?;
    if life.as_secs() == 0 || life.subsec_nanos() != 0 {
        return Err("a token lives for whole seconds, at least one".to_owned());
    }
    Ok(life)
}

impl Token {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (client, output) = self.remote.open()?;
        match self.action {
            Action::Create { expires, description, scope } => {
                let token = NewPersonalToken {
                    expires_in_seconds: expires.as_secs(),
                    description,
                    scope: (!scope.is_empty()).then_some(scope),
                };
                let made: CreatedPersonalToken = client.post(&path(&["tokens"])?, &token).await?;
                if ends_early(&made.token, expires) {
                    output::warn(&format!(
                        "it ends already at {}, with the login that it was made with; for a longer one, sign in \
                         with a longer --expires",
                        time(made.token.expires_at)
                    ));
                }
                if !self.remote.json {
                    output::tell(&format!(
                        "A token of {} until {}, shown this once. It takes the password's place:\n  \
                         docker login {} --username {} --password-stdin\n",
                        made.username,
                        made.token.expires_at,
                        client.server().authority(),
                        made.username,
                    ));
                }
                // For people the secret alone on standard output, so that it can be piped on.
                output.changed(&made, &made.secret)
            }
            Action::List => {
                output.list(&client.list::<types::PersonalToken>(&path(&["tokens"])?, &[]).await?)
            }
            Action::Revoke { id } => {
                client.delete(&path(&["tokens", &id.to_string()])?).await?;
                output.done(&format!("Token {id} is revoked."))
            }
        }
    }
}

/// Whether the server gave less than was asked for.
fn ends_early(token: &types::PersonalToken, asked: Duration) -> bool {
    let given = token.expires_at.duration_since(token.created_at);
    SignedDuration::try_from(asked).is_ok_and(|asked| given < asked)
}

impl Shown for types::PersonalToken {
    const COLUMNS: &[&str] = &["ID", "SCOPE", "EXPIRES", "CREATED", "DESCRIPTION"];

    fn row(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.scope.as_ref().map_or_else(|| "all".to_owned(), |scope| scope.join(" ")),
            time(self.expires_at),
            time(self.created_at),
            self.description.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::lifetime;

    #[test]
    fn lifetimes() {
        assert_eq!(lifetime("24h"), Ok(Duration::from_secs(86_400)));
        assert_eq!(lifetime("30d"), Ok(Duration::from_secs(30 * 86_400)));
        for wrong in ["", "0s", "24", "-1h", "500ms", "1500ms", "soon", "99999999999999999999y"] {
            assert!(lifetime(wrong).is_err(), "{wrong}");
        }
    }
}
