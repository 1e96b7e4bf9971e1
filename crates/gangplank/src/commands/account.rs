//! `gangplank account`

use frontend::types::{self, CredentialChange, NewAccount};

use crate::client::{Client, path};
use crate::commands::Remote;
use crate::failure::Failure;
use crate::input::{Confirmation, PasswordChange, PasswordInput};
use crate::output::{Output, Shown, time, yes_no};

#[derive(Debug, clap::Args)]
pub(crate) struct Account {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make an account (administrators)
    #[command(after_help = "Example:\n  gangplank account create acme --password-stdin < password.txt")]
    Create {
        /// 1 to 64 of a-z, 0-9 and -, a letter first
        name: String,
        #[command(flatten)]
        password: PasswordInput,
    },
    /// List the accounts (administrators)
    #[command(after_help = "Example:\n  gangplank account list --json")]
    List,
    /// Show an account
    #[command(after_help = "Example:\n  gangplank account show acme")]
    Show { name: String },
    /// Delete an account that owns no namespaces any more, with its users and tokens (administrators)
    #[command(after_help = "Example:\n  gangplank account delete acme --yes")]
    Delete {
        name: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Give an account another password; every token issued under the old one ends
    #[command(after_help = "Examples:
  gangplank account password acme --password-stdin < new.txt               # as an administrator
  cat old.txt new.txt | gangplank account password acme --current-password-stdin --password-stdin")]
    Password {
        name: String,
        #[command(flatten)]
        password: PasswordChange,
    },
    /// Close an account, at once, for whatever was issued (administrators)
    #[command(after_help = "Example:\n  gangplank account disable acme")]
    Disable { name: String },
    /// Open a disabled account again (administrators)
    #[command(after_help = "Example:\n  gangplank account enable acme")]
    Enable { name: String },
}

impl Account {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (client, output) = self.remote.open()?;
        match self.action {
            Action::Create { name, password } => {
                let password = password.chosen("Password of the new account: ")?.reveal().to_owned();
                let made: types::Account =
                    client.post(&path(&["accounts"])?, &NewAccount { name, password }).await?;
                output.changed(&made, &format!("Account {} is made.", made.name))
            }
            Action::List => output.list(&client.list::<types::Account>(&path(&["accounts"])?, &[]).await?),
            Action::Show { name } => {
                output.one(&client.get::<types::Account>(&path(&["accounts", &name])?).await?)
            }
            Action::Delete { name, confirmation } => {
                confirmation.obtain(&format!("Delete the account {name} with its users and tokens?"))?;
                client.delete(&path(&["accounts", &name])?).await?;
                output.done(&format!("Account {name} is deleted."))
            }
            Action::Password { name, password } => {
                let change = password.obtain(client.username() == name)?;
                change_account(&client, output, &name, &change, "has a new password").await
            }
            Action::Disable { name } => {
                let change = CredentialChange { disabled: Some(true), ..CredentialChange::default() };
                change_account(&client, output, &name, &change, "is disabled").await
            }
            Action::Enable { name } => {
                let change = CredentialChange { disabled: Some(false), ..CredentialChange::default() };
                change_account(&client, output, &name, &change, "is enabled").await
            }
        }
    }
}

async fn change_account(
    client: &Client,
    output: Output,
    name: &str,
    change: &CredentialChange,
    what: &str,
) -> Result<(), Failure> {
    let changed: types::Account = client.patch(&path(&["accounts", name])?, change).await?;
    output.changed(&changed, &format!("Account {} {what}.", changed.name))
}

impl Shown for types::Account {
    const COLUMNS: &[&str] = &["NAME", "ADMINISTRATOR", "DISABLED", "CREATED"];

    fn row(&self) -> Vec<String> {
        vec![self.name.clone(), yes_no(self.administrator), yes_no(self.disabled), time(self.created_at)]
    }
}
