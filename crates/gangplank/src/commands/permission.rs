//! `gangplank permission`

use frontend::types::{self, SetPermission};

use crate::client::path;
use crate::commands::{Remote, UserLogin};
use crate::failure::Failure;
use crate::output::Shown;

#[derive(Debug, clap::Args)]
pub(crate) struct Permission {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Let a user do something in a repository, or in all of a namespace
    #[command(after_help = "Examples:
  gangplank permission set team-a/web --user dev@acme --level edit
  gangplank permission set team-a --user dev@acme --level read")]
    Set {
        /// A repository (team-a/web) or a namespace (team-a)
        target: String,
        /// The user
        #[arg(long, value_name = "USER@ACCOUNT")]
        user: UserLogin,
        /// What it may do
        #[arg(long, value_enum)]
        level: Level,
    },
    /// Take a user's permission away
    #[command(after_help = "Example:\n  gangplank permission remove team-a/web --user dev@acme")]
    Remove {
        /// A repository (team-a/web) or a namespace (team-a)
        target: String,
        /// The user
        #[arg(long, value_name = "USER@ACCOUNT")]
        user: UserLogin,
    },
    /// List the permissions on a repository or a namespace
    #[command(after_help = "Example:\n  gangplank permission list team-a/web")]
    List {
        /// A repository (team-a/web) or a namespace (team-a)
        target: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Level {
    /// Pull
    Read,
    /// Pull, push, delete tags
    Edit,
    /// Edit, and delete, share, set permissions and visibility
    Manage,
}

impl From<Level> for types::Level {
    fn from(level: Level) -> types::Level {
        match level {
            Level::Read => types::Level::Read,
            Level::Edit => types::Level::Edit,
            Level::Manage => types::Level::Manage,
        }
    }
}

/// The path of the permissions on `target`, or of one of them. A namespace's name has no `/`.
fn permissions(target: &str, user: Option<&UserLogin>) -> Result<String, Failure> {
    let kind = if target.contains('/') { "repositories" } else { "namespaces" };
    match user.map(ToString::to_string) {
        Some(user) => path(&[kind, target, "permissions", &user]),
        None => path(&[kind, target, "permissions"]),
    }
}

impl Permission {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (client, output) = self.remote.open()?;
        match self.action {
            Action::Set { target, user, level } => {
                let level = SetPermission { level: level.into() };
                let set: types::Permission = client.put(&permissions(&target, Some(&user))?, &level).await?;
                output.changed(&set, &format!("{} has {} on {target}.", set.login, word(set.level)))
            }
            Action::Remove { target, user } => {
                client.delete(&permissions(&target, Some(&user))?).await?;
                output.done(&format!("{user} has no permission of its own on {target} any more."))
            }
            Action::List { target } => {
                output.list(&client.list::<types::Permission>(&permissions(&target, None)?, &[]).await?)
            }
        }
    }
}

fn word(level: types::Level) -> &'static str {
    match level {
        types::Level::Read => "read",
        types::Level::Edit => "edit",
        types::Level::Manage => "manage",
    }
}

impl Shown for types::Permission {
    const COLUMNS: &[&str] = &["USER", "LEVEL"];

    fn row(&self) -> Vec<String> {
        vec![self.login.clone(), word(self.level).to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use super::permissions;

    #[test]
    fn a_target_without_a_slash_is_a_namespace() {
        let user = "dev@acme".parse().ok();
        for (target, user, expected) in [
            ("team-a", None, "/api/v1/namespaces/team-a/permissions"),
            ("team-a/web", None, "/api/v1/repositories/team-a%2Fweb/permissions"),
            ("team-a/web", user.as_ref(), "/api/v1/repositories/team-a%2Fweb/permissions/dev%40acme"),
        ] {
            assert_eq!(permissions(target, user).ok().as_deref(), Some(expected));
        }
    }
}
