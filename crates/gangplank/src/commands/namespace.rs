//! `gangplank namespace`

use frontend::types::{self, NewNamespace};

use crate::client::path;
use crate::commands::Remote;
use crate::failure::Failure;
use crate::input::Confirmation;
use crate::output::{Shown, time};

#[derive(Debug, clap::Args)]
pub(crate) struct Namespace {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Make a namespace of the account that is signed in
    #[command(after_help = "Example:\n  gangplank namespace create team-a")]
    Create {
        /// The first part of its repositories' names
        name: String,
    },
    /// List the namespaces
    #[command(after_help = "Example:\n  gangplank namespace list --json")]
    List,
    /// Show a namespace
    #[command(after_help = "Example:\n  gangplank namespace show team-a")]
    Show { name: String },
    /// Delete a namespace that holds no repositories any more
    #[command(after_help = "Example:\n  gangplank namespace delete team-a --yes")]
    Delete {
        name: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Free the name of a deleted namespace, which else stays reserved for 90 days (administrators)
    #[command(after_help = "\
Another account can take it then, and serve its own images to whoever still pulls by the old names.

Example:
  gangplank namespace free team-a")]
    Free { name: String },
}

impl Namespace {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (client, output) = self.remote.open()?;
        match self.action {
            Action::Create { name } => {
                let made: types::Namespace =
                    client.post(&path(&["namespaces"])?, &NewNamespace { name }).await?;
                output.changed(&made, &format!("Namespace {} is made, owned by {}.", made.name, made.account))
            }
            Action::List => {
                output.list(&client.list::<types::Namespace>(&path(&["namespaces"])?, &[]).await?)
            }
            Action::Show { name } => {
                output.one(&client.get::<types::Namespace>(&path(&["namespaces", &name])?).await?)
            }
            Action::Delete { name, confirmation } => {
                confirmation.obtain(&format!("Delete the namespace {name}?"))?;
                client.delete(&path(&["namespaces", &name])?).await?;
                output.done(&format!("Namespace {name} is deleted."))
            }
            Action::Free { name } => {
                client.delete(&path(&["namespaces", &name, "reservation"])?).await?;
                output.done(&format!("The name {name} is free."))
            }
        }
    }
}

impl Shown for types::Namespace {
    const COLUMNS: &[&str] = &["NAME", "ACCOUNT", "CREATED"];

    fn row(&self) -> Vec<String> {
        vec![self.name.clone(), self.account.clone(), time(self.created_at)]
    }
}
