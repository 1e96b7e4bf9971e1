//! `gangplank account`

use std::io::Write;
use std::path::{Path, PathBuf};

use frontend::types::{self, CredentialChange, DirectoryReport, NewAccount, Profile, ProfileChange};
use serde_json::Value;

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
    /// Write this region's accounts into a file, for another region's server (administrators)
    #[command(after_help = "\
With their users, passwords and access keys, all sealed: the server that imports them needs this one's sealing keys. Copy
the files seal-*.key from its folder keys into the other's, and start that one again.

Example:
  gangplank account export accounts.json")]
    Export {
        /// The file, which is made for you alone, in the place of an older one
        file: PathBuf,
    },
    /// Take over another region's accounts from a file (administrators)
    #[command(after_help = "\
Accounts keep their ids. What was imported is changed at its home, and imported again. An account that its home has no
more is closed here, and opened when it is there again; with --delete it is deleted, unless it owns namespaces here. So
is one whose name its home has given to another account since, which then comes in its place.

Example:
  gangplank account import accounts.json")]
    Import {
        /// What `gangplank account export` wrote
        file: PathBuf,
        /// Delete accounts that their home has no more
        #[arg(long)]
        delete: bool,
    },
    /// Open a disabled account again (administrators)
    #[command(after_help = "Example:\n  gangplank account enable acme")]
    Enable { name: String },
    /// Show what an account says of itself, or change it: a display name, a time zone
    #[command(after_help = "\
Who is about to share an image with an account is shown its display name; the console shows dates in its time zone.

Examples:
  gangplank account profile acme
  gangplank account profile acme --display-name \"Acme Inc.\" --time-zone Europe/Berlin")]
    Profile {
        name: String,
        /// 0 to 100 characters
        #[arg(long, value_name = "TEXT")]
        display_name: Option<String>,
        /// A name of the IANA database
        #[arg(long, value_name = "ZONE")]
        time_zone: Option<String>,
    },
    /// Free the name of a deleted account, which else stays reserved for 90 days (administrators)
    #[command(after_help = "Example:\n  gangplank account free acme")]
    Free { name: String },
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
            Action::Export { file } => export(&client, output, &file).await,
            Action::Import { file, delete } => import(&client, output, &file, delete).await,
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
            Action::Profile { name, display_name, time_zone } => {
                let path = path(&["accounts", &name, "profile"])?;
                if display_name.is_none() && time_zone.is_none() {
                    return output.one(&client.get::<Profile>(&path).await?);
                }
                let changed: Profile =
                    client.patch(&path, &ProfileChange { display_name, time_zone }).await?;
                output.changed(&changed, &format!("The profile of {name} is changed."))
            }
            Action::Free { name } => {
                client.delete(&path(&["accounts", &name, "reservation"])?).await?;
                output.done(&format!("The name {name} is free."))
            }
        }
    }
}

/// The longest export that is read: what the server takes.
const EXPORT_BYTES_MAX: u64 = 64 << 20;

async fn export(client: &Client, output: Output, path: &Path) -> Result<(), Failure> {
    let failed = |doing| move |source| Failure::File { doing, path: path.to_owned(), source };
    let directory: Value = client.get(&self::path(&["directory"])?).await?;
    let text = serde_json::to_vec_pretty(&directory).map_err(std::io::Error::other);
    let text = text.map_err(failed("write"))?;
    // Made anew, for its owner alone: what stands there may be somebody else's to read.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed("make"))?;
    file.write_all(&text).and_then(|()| file.as_file().sync_all()).map_err(failed("write"))?;
    file.persist(path).map_err(|error| failed("make")(error.error))?;
    let count = directory["accounts"].as_array().map_or(0, Vec::len);
    output.done(&format!("{count} accounts are in {}.", path.display()))
}

async fn import(client: &Client, output: Output, file: &Path, delete: bool) -> Result<(), Failure> {
    let read = gangplank::regular_file::read(file, EXPORT_BYTES_MAX);
    let text = read.map_err(|source| Failure::File { doing: "read", path: file.to_owned(), source })?;
    let directory: Value = serde_json::from_slice(&text).map_err(|error| Failure::Usage {
        reason: format!("{} is no export of accounts: {error}", file.display()),
    })?;
    let gone = if delete { "?gone=deletes" } else { "" };
    let report: DirectoryReport = client.put(&format!("{}{gone}", path(&["directory"])?), &directory).await?;
    output.one(&report)?;
    if report.conflicts.is_empty() {
        return Ok(());
    }
    let conflict = |conflict: &types::DirectoryConflict| format!("{}: {}", conflict.account, conflict.reason);
    let conflicts: Vec<_> = report.conflicts.iter().map(conflict).collect();
    Err(Failure::Refused { status: 409, detail: format!("left out: {}", conflicts.join("; ")) })
}

impl Shown for DirectoryReport {
    const COLUMNS: &[&str] = &["Created", "Changed", "Unchanged", "Closed", "Deleted", "Left out"];

    fn row(&self) -> Vec<String> {
        let left_out: Vec<_> = self.conflicts.iter().map(|conflict| conflict.account.as_str()).collect();
        vec![
            self.created.to_string(),
            self.changed.to_string(),
            self.unchanged.to_string(),
            self.closed.join(" "),
            self.deleted.join(" "),
            left_out.join(" "),
        ]
    }
}

impl Shown for Profile {
    const COLUMNS: &[&str] = &["Display name", "Time zone"];

    fn row(&self) -> Vec<String> {
        vec![self.display_name.clone(), self.time_zone.clone()]
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
    const COLUMNS: &[&str] = &["NAME", "ADMINISTRATOR", "DISABLED", "HOME", "CREATED"];

    fn row(&self) -> Vec<String> {
        let home = self.home.clone().unwrap_or_else(|| "here".to_owned());
        let (administrator, disabled) = (yes_no(self.administrator), yes_no(self.disabled));
        vec![self.name.clone(), administrator, disabled, home, time(self.created_at)]
    }
}
