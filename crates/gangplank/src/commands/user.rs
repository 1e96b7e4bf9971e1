//! `gangplank user`

use frontend::types::{self, CredentialChange, NewUser};

use crate::client::{Client, path};
use crate::commands::{Remote, UserLogin};
use crate::failure::Failure;
use crate::input::{Confirmation, PasswordChange, PasswordInput};
use crate::output::{Output, Shown, time, yes_no};

#[derive(Debug, clap::Args)]
pub(crate) struct User {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a user of an account, who may do nothing yet
    #[command(after_help = "Examples:
  gangplank user create dev@acme --password-stdin < password.txt
  gangplank permission set team-a/web --user dev@acme --level edit")]
    Create {
        /// The user's name and its account, dev@acme
        #[arg(value_name = "USER@ACCOUNT")]
        login: UserLogin,
        #[command(flatten)]
        password: PasswordInput,
        /// Without a password: the user cannot sign in by one
        #[arg(long, conflicts_with = "password_stdin")]
        no_password: bool,
    },
    /// List an account's users
    #[command(after_help = "Example:\n  gangplank user list acme")]
    List { account: String },
    /// Show a user
    #[command(after_help = "Example:\n  gangplank user show dev@acme")]
    Show {
        #[arg(value_name = "USER@ACCOUNT")]
        login: UserLogin,
    },
    /// Delete a user with its permissions and tokens
    #[command(after_help = "Example:\n  gangplank user delete dev@acme --yes")]
    Delete {
        #[arg(value_name = "USER@ACCOUNT")]
        login: UserLogin,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Give a user another password; every token issued under the old one ends
    #[command(after_help = "Examples:
  gangplank user password dev@acme --password-stdin < new.txt              # as acme
  cat old.txt new.txt | gangplank user password dev@acme --current-password-stdin --password-stdin")]
    Password {
        #[arg(value_name = "USER@ACCOUNT")]
        login: UserLogin,
        #[command(flatten)]
        password: PasswordChange,
    },
    /// Close a user, at once, for whatever was issued
    #[command(after_help = "Example:\n  gangplank user disable dev@acme")]
    Disable {
        #[arg(value_name = "USER@ACCOUNT")]
        login: UserLogin,
    },
    /// Open a disabled user again
    #[command(after_help = "Example:\n  gangplank user enable dev@acme")]
    Enable {
        #[arg(value_name = "USER@ACCOUNT")]
        login: UserLogin,
    },
}

impl UserLogin {
    fn path(&self) -> Result<String, Failure> {
        path(&["accounts", &self.account, "users", &self.name])
    }
}

impl User {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (client, output) = self.remote.open()?;
        match self.action {
            Action::Create { login, password, no_password } => {
                let password = match no_password {
                    true => None,
                    false => Some(password.chosen("Password of the new user: ")?.reveal().to_owned()),
                };
                let user = NewUser { name: login.name, password };
                let made: types::User =
                    client.post(&path(&["accounts", &login.account, "users"])?, &user).await?;
                output.changed(&made, &format!("User {} is made.", made.login))
            }
            Action::List { account } => {
                output.list(&client.list::<types::User>(&path(&["accounts", &account, "users"])?, &[]).await?)
            }
            Action::Show { login } => output.one(&client.get::<types::User>(&login.path()?).await?),
            Action::Delete { login, confirmation } => {
                confirmation.obtain(&format!("Delete the user {login} with its permissions and tokens?"))?;
                client.delete(&login.path()?).await?;
                output.done(&format!("User {login} is deleted."))
            }
            Action::Password { login, password } => {
                let change = password.obtain(client.username() == login.to_string())?;
                change_user(&client, output, &login, &change, "has a new password").await
            }
            Action::Disable { login } => {
                let change = CredentialChange { disabled: Some(true), ..CredentialChange::default() };
                change_user(&client, output, &login, &change, "is disabled").await
            }
            Action::Enable { login } => {
                let change = CredentialChange { disabled: Some(false), ..CredentialChange::default() };
                change_user(&client, output, &login, &change, "is enabled").await
            }
        }
    }
}

async fn change_user(
    client: &Client,
    output: Output,
    login: &UserLogin,
    change: &CredentialChange,
    what: &str,
) -> Result<(), Failure> {
    let changed: types::User = client.patch(&login.path()?, change).await?;
    output.changed(&changed, &format!("User {} {what}.", changed.login))
}

impl Shown for types::User {
    const COLUMNS: &[&str] = &["USER", "DISABLED", "CREATED"];

    fn row(&self) -> Vec<String> {
        vec![self.login.clone(), yes_no(self.disabled), time(self.created_at)]
    }
}
