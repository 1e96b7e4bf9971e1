//! `gangplank share`

use clap::ArgGroup;
use frontend::types::{self, NewShare, ShareChange, ShareStatus};

use crate::client::{Client, path};
use crate::commands::Remote;
use crate::deadline::Deadline;
use crate::failure::Failure;
use crate::output::{Output, Shown, time};

#[derive(Debug, clap::Args)]
pub(crate) struct Share {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Let another account pull a private repository, until a deadline or for good
    #[command(
        group(ArgGroup::new("deadline").required(true).args(["until", "permanent"])),
        after_help = "Examples:
  gangplank share add team-a/web --to globex --until 2027-01-31T23:59:59Z --description \"a pilot\"
  gangplank share add team-a/web --to globex --permanent"
    )]
    Add {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        deadline: Deadline,
        /// What you say of it, 0 to 1000 characters
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// The region that is meant: refused when the server's is another
        #[arg(long, value_name = "NAME")]
        region: Option<String>,
    },
    /// List shares
    #[command(
        group(ArgGroup::new("whose").required(true).args(["by_me", "with_me", "of"])),
        after_help = "Examples:
  gangplank share list --by-me
  gangplank share list --with-me --json
  gangplank share list --of team-a/web"
    )]
    List {
        /// What your account shares with others
        #[arg(long)]
        by_me: bool,
        /// What others share with your account
        #[arg(long)]
        with_me: bool,
        /// What is shared of one repository
        #[arg(long, value_name = "REPOSITORY")]
        of: Option<String>,
    },
    /// Show a share
    #[command(after_help = "Example:\n  gangplank share show team-a/web --to globex")]
    Show {
        #[command(flatten)]
        which: Which,
    },
    /// Change a share's deadline or description
    #[command(
        group(ArgGroup::new("change").required(true).multiple(true).args(["until", "permanent", "description"])),
        after_help = "Examples:
  gangplank share update team-a/web --to globex --until 2027-06-30T23:59:59+02:00
  gangplank share update team-a/web --to globex --permanent --description \"for good\""
    )]
    Update {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        deadline: Deadline,
        /// What you say of it, 0 to 1000 characters
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// End a share, from the next request on
    #[command(after_help = "Example:\n  gangplank share revoke team-a/web --to globex")]
    Revoke {
        #[command(flatten)]
        which: Which,
    },
}

/// Which share: a repository is shared with an account once.
#[derive(Debug, clap::Args)]
struct Which {
    /// The repository, team-a/web
    repository: String,
    /// The account it is shared with
    #[arg(long = "to", value_name = "ACCOUNT")]
    account: String,
}

impl Which {
    fn path(&self) -> Result<String, Failure> {
        path(&["repositories", &self.repository, "shares", &self.account])
    }
}

impl Share {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (client, output) = self.remote.open()?;
        match self.action {
            Action::Add { which, deadline, description, region } => {
                let share = NewShare {
                    account: which.account,
                    until: deadline.until.map(|until| until.to_string()),
                    permanent: deadline.permanent.then_some(true),
                    description,
                    region,
                };
                let made: types::Share =
                    client.post(&path(&["repositories", &which.repository, "shares"])?, &share).await?;
                output.changed(
                    &made,
                    &format!("{} may pull {} {}.", made.account, made.repository, span(&made)),
                )
            }
            Action::List { with_me, of, .. } => list(&client, output, with_me, of.as_deref()).await,
            Action::Show { which } => output.one(&client.get::<types::Share>(&which.path()?).await?),
            Action::Update { which, deadline, description } => {
                let change = ShareChange {
                    until: deadline.until.map(|until| until.to_string()),
                    permanent: deadline.permanent.then_some(true),
                    description,
                };
                let changed: types::Share = client.patch(&which.path()?, &change).await?;
                let sentence =
                    format!("{} may pull {} {}.", changed.account, changed.repository, span(&changed));
                output.changed(&changed, &sentence)
            }
            Action::Revoke { which } => {
                client.delete(&which.path()?).await?;
                output.done(&format!("{} is not shared with {} any more.", which.repository, which.account))
            }
        }
    }
}

async fn list(client: &Client, output: Output, with_me: bool, of: Option<&str>) -> Result<(), Failure> {
    let shares: Vec<types::Share> = match of {
        Some(repository) => client.list(&path(&["repositories", repository, "shares"])?, &[]).await?,
        None => {
            let direction = if with_me { "with_me" } else { "by_me" };
            client.list(&path(&["shares"])?, &[("direction", direction)]).await?
        }
    };
    output.list(&shares)
}

/// For how long a share is open, in a sentence.
fn span(share: &types::Share) -> String {
    match (share.status, share.deadline) {
        (ShareStatus::Open, None) => "for good".to_owned(),
        (ShareStatus::Open, Some(deadline)) => format!("until {deadline}"),
        (ShareStatus::Ended, _) => "no more: the share has ended".to_owned(),
    }
}

fn word(status: ShareStatus) -> &'static str {
    match status {
        ShareStatus::Open => "open",
        ShareStatus::Ended => "ended",
    }
}

/// The deadline as it is: its part of a second decides too.
fn deadline(share: &types::Share) -> String {
    share.deadline.map_or_else(|| "permanent".to_owned(), |deadline| deadline.to_string())
}

impl Shown for types::Share {
    const COLUMNS: &[&str] = &["REPOSITORY", "OWNER", "SHARED WITH", "UNTIL", "STATUS", "DESCRIPTION"];

    fn row(&self) -> Vec<String> {
        vec![
            self.repository.clone(),
            self.owner.clone(),
            self.account.clone(),
            deadline(self),
            word(self.status).to_owned(),
            self.description.clone(),
        ]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        vec![
            ("Repository", self.repository.clone()),
            ("Owner", self.owner.clone()),
            ("Shared with", self.account.clone()),
            ("Permission", self.permission.clone()),
            ("Until", deadline(self)),
            ("Status", word(self.status).to_owned()),
            ("Description", self.description.clone()),
            ("Region", self.region.clone()),
            ("Created by", self.created_by.clone()),
            ("Created", time(self.created_at)),
            ("Updated", time(self.updated_at)),
        ]
    }
}
