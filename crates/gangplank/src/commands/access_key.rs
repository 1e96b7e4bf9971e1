//! `gangplank access-key`

use frontend::types::{self, AccessKeyChange, CreatedAccessKey, NewAccessKey};

use crate::client::{Client, path};
use crate::commands::Remote;
use crate::failure::Failure;
use crate::input::Confirmation;
use crate::output::{self, Output, Shown, time, yes_no};

#[derive(Debug, clap::Args)]
pub(crate) struct AccessKey {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a key pair to sign requests with, and to sign in to docker with for good
    #[command(after_help = "\
The secret key is shown this once. A pair has no end of its own, and a change of your password does not end it: disable
or delete it. It is made with the token of your login, and is deleted where that token is revoked, not where it expires.

Examples:
  gangplank access-key create --description \"nightly build\"
  gangplank access-key create --json")]
    Create {
        /// What it is for, 0 to 1000 characters
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// List your key pairs, or those of a user of yours, without their secret keys
    #[command(after_help = "Examples:
  gangplank access-key list
  gangplank access-key list --of dev@acme --json")]
    List {
        /// A user of your account; administrators: any account or user
        #[arg(long, value_name = "NAME")]
        of: Option<String>,
    },
    /// Close a key pair, and all that was issued for it, from the next request on
    #[command(after_help = "Example:\n  gangplank access-key disable Q3NZ8KX0B5R1T7WJ2MCD")]
    Disable {
        /// From the list
        access_key: String,
    },
    /// Open a disabled key pair again
    #[command(after_help = "Example:\n  gangplank access-key enable Q3NZ8KX0B5R1T7WJ2MCD")]
    Enable {
        /// From the list
        access_key: String,
    },
    /// End a key pair, and all that was issued for it, for good
    #[command(after_help = "Example:\n  gangplank access-key delete Q3NZ8KX0B5R1T7WJ2MCD --yes")]
    Delete {
        /// From the list
        access_key: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

impl AccessKey {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (client, output) = self.remote.open()?;
        match self.action {
            Action::Create { description } => {
                let made = client.post(&path(&["access-keys"])?, &NewAccessKey { description }).await?;
                show_made(&client, output, &made)
            }
            Action::List { of } => {
                let query: Vec<_> = of.iter().map(|of| ("of", of.as_str())).collect();
                output.list(&client.list::<types::AccessKey>(&path(&["access-keys"])?, &query).await?)
            }
            Action::Disable { access_key } => change(&client, output, &access_key, true).await,
            Action::Enable { access_key } => change(&client, output, &access_key, false).await,
            Action::Delete { access_key, confirmation } => {
                confirmation.obtain(&format!("Delete the access key {access_key}?"))?;
                client.delete(&path(&["access-keys", &access_key])?).await?;
                output.done(&format!("Access key {access_key} is deleted."))
            }
        }
    }
}

fn show_made(client: &Client, output: Output, made: &CreatedAccessKey) -> Result<(), Failure> {
    if !output.is_json() {
        output::tell(&format!(
            "An access key of {}; its secret key is shown this once. For docker it needs no other call:\n  \
             docker login {} --username {} --password {}\n",
            made.key.holder,
            client.server().authority(),
            made.docker_username,
            made.docker_password,
        ));
    }
    output.changed(made, &format!("Access key {}, secret key {}", made.key.access_key, made.secret_key))
}

async fn change(client: &Client, output: Output, access_key: &str, disabled: bool) -> Result<(), Failure> {
    let change = AccessKeyChange { disabled };
    let key: types::AccessKey = client.patch(&path(&["access-keys", access_key])?, &change).await?;
    let what = if key.disabled { "disabled" } else { "enabled" };
    output.changed(&key, &format!("Access key {} is {what}.", key.access_key))
}

impl Shown for types::AccessKey {
    const COLUMNS: &[&str] = &["ACCESS KEY", "HOLDER", "DISABLED", "CREATED", "DESCRIPTION"];

    fn row(&self) -> Vec<String> {
        vec![
            self.access_key.clone(),
            self.holder.clone(),
            yes_no(self.disabled),
            time(self.created_at),
            self.description.clone(),
        ]
    }
}
