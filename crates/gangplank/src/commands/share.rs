//! `gangplank share`

use std::time::Duration;

use clap::ArgGroup;
use frontend::types::{self, NewBlockedOwner, NewShare, NewShares, Page, ShareChange, ShareStatus};

use crate::client::{Client, path};
use crate::commands::Remote;
use crate::deadline::Deadline;
use crate::failure::Failure;
use crate::output::{Output, Shown, is_for_a_person, size, tell, time};

#[derive(Debug, clap::Args)]
pub(crate) struct Share {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Let other accounts pull private repositories, until a deadline or for good: all that is named, or nothing
    #[command(
        group(ArgGroup::new("deadline").required(true).args(["until", "permanent"])),
        after_help = "Examples:
  gangplank share add team-a/web --to globex --until 2027-01-31T23:59:59Z --description \"a pilot\"
  gangplank share add team-a/web --to globex --permanent
  gangplank share add team-a/web --to globex --permanent --tags 'v1.*' --tags latest
  gangplank share add team-a/web --to globex --to initech --permanent
  gangplank share add team-a/web team-a/api --to globex --permanent"
    )]
    Add {
        /// The repositories, team-a/web
        #[arg(required = true, value_name = "REPOSITORY")]
        repositories: Vec<String>,
        /// The account to share with; may be given more than once
        #[arg(long = "to", required = true, value_name = "ACCOUNT")]
        accounts: Vec<String>,
        #[command(flatten)]
        deadline: Deadline,
        /// Only the tags that this pattern matches, * being anything and ? one character; may be given again
        #[arg(long, value_name = "PATTERN")]
        tags: Option<Vec<String>>,
        /// What you say of it, 0 to 1000 characters
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// How long before the deadline notice of it is given, such as 7d; 0s: none is
        #[arg(long, value_name = "DURATION", value_parser = notice_before)]
        notice_before: Option<Duration>,
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
    /// Change a share's deadline, tags, description or time of notice
    #[command(
        group(ArgGroup::new("change").required(true).multiple(true)
            .args(["until", "permanent", "tags", "all_tags", "description", "notice_before"])),
        after_help = "Examples:
  gangplank share update team-a/web --to globex --until 2027-06-30T23:59:59+02:00
  gangplank share update team-a/web --to globex --permanent --description \"for good\"
  gangplank share update team-a/web --to globex --tags 'v2.*'
  gangplank share update team-a/web --to globex --notice-before 7d"
    )]
    Update {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        deadline: Deadline,
        /// Only the tags that this pattern matches from now on; may be given again
        #[arg(long, value_name = "PATTERN", conflicts_with = "all_tags")]
        tags: Option<Vec<String>>,
        /// All of the repository from now on
        #[arg(long)]
        all_tags: bool,
        /// What you say of it, 0 to 1000 characters
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// How long before the deadline notice of it is given, such as 7d; 0s: none is
        #[arg(long, value_name = "DURATION", value_parser = notice_before)]
        notice_before: Option<Duration>,
    },
    /// Show what was used under a share: when last, how many pulls and bytes, by whom, from where, day by day
    #[command(after_help = "Examples:
  gangplank share usage team-a/web --to globex
  gangplank share usage team-a/web --to globex --from-day 2027-01-01 --to-day 2027-01-31 --json")]
    Usage {
        #[command(flatten)]
        which: Which,
        /// The first day (in UTC), such as 2027-01-01
        #[arg(long, value_name = "DAY")]
        from_day: Option<String>,
        /// The last day
        #[arg(long, value_name = "DAY")]
        to_day: Option<String>,
    },
    /// Leave a share that another account made with yours, from the next request on
    #[command(after_help = "Example:\n  gangplank share leave team-a/web")]
    Leave {
        /// The repository that is shared with you, team-a/web
        repository: String,
    },
    /// Take no more shares from an owner, and leave those that there are
    #[command(after_help = "Example:\n  gangplank share block acme")]
    Block {
        /// The owner's account
        account: String,
    },
    /// Take shares from an owner again
    #[command(after_help = "Example:\n  gangplank share unblock acme")]
    Unblock {
        /// The owner's account
        account: String,
    },
    /// List the owners from which your account takes no shares
    #[command(after_help = "Example:\n  gangplank share blocked")]
    Blocked,
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
            Action::Add { repositories, accounts, deadline, tags, description, notice_before, region } => {
                let new = NewShares {
                    repositories,
                    accounts,
                    until: deadline.until.map(|until| until.to_string()),
                    permanent: deadline.permanent.then_some(true),
                    tags,
                    description,
                    notice_before_seconds: notice_before.map(|before| before.as_secs()),
                    region,
                };
                add(&client, output, new).await
            }
            Action::List { with_me, of, .. } => list(&client, output, with_me, of.as_deref()).await,
            Action::Show { which } => output.one(&client.get::<types::Share>(&which.path()?).await?),
            Action::Update { which, deadline, tags, all_tags, description, notice_before } => {
                let change = ShareChange {
                    until: deadline.until.map(|until| until.to_string()),
                    permanent: deadline.permanent.then_some(true),
                    tags,
                    all_tags: all_tags.then_some(true),
                    description,
                    notice_before_seconds: notice_before.map(|before| before.as_secs()),
                };
                let changed: types::Share = client.patch(&which.path()?, &change).await?;
                let sentence = format!("{} may pull {} {}.", changed.account, what(&changed), span(&changed));
                output.changed(&changed, &sentence)
            }
            Action::Usage { which, from_day, to_day } => {
                usage(&client, output, &which, from_day, to_day).await
            }
            Action::Leave { repository } => leave(&client, output, &repository).await,
            Action::Block { account } => {
                let new = NewBlockedOwner { account };
                let blocked: types::BlockedOwner = client.post(&path(&["blocked-owners"])?, &new).await?;
                output.changed(&blocked, &format!("Your account takes no shares from {}.", blocked.account))
            }
            Action::Unblock { account } => {
                client.delete(&path(&["blocked-owners", &account])?).await?;
                output.done(&format!("{account} may share with your account again."))
            }
            Action::Blocked => {
                output.list(&client.list::<types::BlockedOwner>(&path(&["blocked-owners"])?, &[]).await?)
            }
            Action::Revoke { which } => {
                client.delete(&which.path()?).await?;
                output.done(&format!("{} is not shared with {} any more.", which.repository, which.account))
            }
        }
    }
}

/// Makes one share, which is told in a sentence, or many at once, which are listed.
async fn add(client: &Client, output: Output, new: NewShares) -> Result<(), Failure> {
    let ([repository], [account]) = (&new.repositories[..], &new.accounts[..]) else {
        let made: Page<types::Share> = client.post(&path(&["shares"])?, &new).await?;
        return output.list(&made.items);
    };
    let path = path(&["repositories", repository, "shares"])?;
    let NewShares { until, permanent, tags, description, notice_before_seconds, region, .. } = new;
    let account = account.clone();
    let share = NewShare { account, until, permanent, tags, description, notice_before_seconds, region };
    let made: types::Share = client.post(&path, &share).await?;
    output.changed(&made, &format!("{} may pull {} {}.", made.account, what(&made), span(&made)))
}

async fn list(client: &Client, output: Output, with_me: bool, of: Option<&str>) -> Result<(), Failure> {
    let shares: Vec<types::Share> = match of {
        Some(repository) => client.list(&path(&["repositories", repository, "shares"])?, &[]).await?,
        None => {
            let direction = if with_me { "with_me" } else { "by_me" };
            client.list(&path(&["shares"])?, &[("direction", direction)]).await?
        }
    };
    output.list(&shares)?;
    if with_me && !shares.is_empty() && is_for_a_person() {
        tell("The owner of an image sees which of your users pulls it, when, from where and how much.\n");
    }
    Ok(())
}

/// Leaves the one share of `repository` that there can be with this account.
async fn leave(client: &Client, output: Output, repository: &str) -> Result<(), Failure> {
    let shares: Vec<types::Share> = client.list(&path(&["shares"])?, &[("direction", "with_me")]).await?;
    let Some(share) = shares.iter().find(|share| share.repository == repository) else {
        let detail = format!("{repository} is not shared with your account");
        return Err(Failure::Refused { status: 404, detail });
    };
    client.delete(&path(&["shares", &share.id.to_string()])?).await?;
    output.done(&format!("Your account has left {}'s {repository}.", share.owner))
}

/// What a share opens, in a sentence.
fn what(share: &types::Share) -> String {
    match &share.tags {
        None => share.repository.clone(),
        Some(tags) => format!("the tags {} of {}", tags.join(", "), share.repository),
    }
}

async fn usage(
    client: &Client,
    output: Output,
    which: &Which,
    from: Option<String>,
    to: Option<String>,
) -> Result<(), Failure> {
    let path = path(&["repositories", &which.repository, "shares", &which.account, "usage"])?;
    let query: Vec<_> = [("from", from.as_deref()), ("to", to.as_deref())]
        .into_iter()
        .filter_map(|(name, day)| Some((name, day?)))
        .collect();
    let items: Vec<types::UsageOfDay> = client.list(&path, &query).await?;
    let total = client.get::<types::ShareUsage>(&path).await?.total;
    let usage = types::ShareUsage { total, items, next: None };
    let sentence = format!("{} used {}: {}.", which.account, which.repository, used(&usage.total));
    output.summed(&usage, &sentence, &usage.items)
}

/// All that was used, in words.
fn used(total: &types::ShareUse) -> String {
    let last = total.last_used_at.map_or_else(|| "never".to_owned(), |at| format!("last at {}", time(at)));
    format!("{last}, {} pulls, {}", total.pulls, size(total.bytes))
}

impl Shown for types::UsageOfDay {
    const COLUMNS: &[&str] = &["DAY", "USER", "FROM", "PULLS", "BYTES"];

    fn row(&self) -> Vec<String> {
        let gone = || format!("user {} (deleted)", self.user_id.unwrap_or_default());
        vec![
            self.day.clone(),
            self.user.clone().unwrap_or_else(gone),
            self.address.clone(),
            self.pulls.to_string(),
            size(self.bytes),
        ]
    }
}

/// A time before a deadline: whole seconds.
fn notice_before(text: &str) -> Result<Duration, String> {
    let before =
        humantime::parse_duration(text).map_err(|error| format!("{error}; write it as 7d or 12h"))?;
    if before.subsec_nanos() != 0 {
        return Err("notice is given whole seconds ahead".to_owned());
    }
    Ok(before)
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

/// How long before its deadline notice is given.
fn notice(share: &types::Share) -> String {
    match share.notice_before_seconds {
        0 => "none".to_owned(),
        seconds => format!("{} before its end", humantime::format_duration(Duration::from_secs(seconds))),
    }
}

/// The patterns of tags that it opens, or that it opens all.
fn tags(share: &types::Share) -> String {
    share.tags.as_ref().map_or_else(|| "all".to_owned(), |tags| tags.join(", "))
}

/// The deadline as it is: its part of a second decides too.
fn deadline(share: &types::Share) -> String {
    share.deadline.map_or_else(|| "permanent".to_owned(), |deadline| deadline.to_string())
}

impl Shown for types::Share {
    const COLUMNS: &[&str] =
        &["REPOSITORY", "OWNER", "SHARED WITH", "TAGS", "UNTIL", "STATUS", "DESCRIPTION"];

    fn row(&self) -> Vec<String> {
        vec![
            self.repository.clone(),
            self.owner.clone(),
            self.account.clone(),
            tags(self),
            deadline(self),
            word(self.status).to_owned(),
            self.description.clone(),
        ]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let mut details = vec![
            ("Repository", self.repository.clone()),
            ("Owner", self.owner.clone()),
            ("Shared with", self.account.clone()),
            ("Permission", self.permission.clone()),
            ("Tags", tags(self)),
            ("Until", deadline(self)),
            ("Status", word(self.status).to_owned()),
            ("Notice", notice(self)),
            ("Description", self.description.clone()),
            ("Region", self.region.clone()),
            ("Created by", self.created_by.clone()),
            ("Created", time(self.created_at)),
            ("Updated", time(self.updated_at)),
            ("Owner sees", "who pulls, when, from where and how much".to_owned()),
        ];
        details.extend(self.used.as_ref().map(|total| ("Used", used(total))));
        details
    }
}

impl Shown for types::BlockedOwner {
    const COLUMNS: &[&str] = &["OWNER", "BLOCKED SINCE"];

    fn row(&self) -> Vec<String> {
        vec![self.account.clone(), time(self.since)]
    }
}
