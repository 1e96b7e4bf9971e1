//! `gangplank audit`

use ::auth::EventKind;
use frontend::types::{Event, EventResult};

use crate::client::path;
use crate::commands::Remote;
use crate::deadline::instant;
use crate::failure::Failure;
use crate::output::{self, Shown, time};

/// How many events are shown unless more are asked for.
const EVENTS_DEFAULT: usize = 1_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List what happened in your account, the last first: who, what, when, from where, with what result
    #[command(after_help = "Examples:
  gangplank audit list --since 2027-01-01T00:00:00Z
  gangplank audit list --kind sign_in_failed --address 192.0.2.7
  gangplank audit list --kind manifest_pulled,share_created --subject team-a/web --json
  gangplank audit list --account acme     # for administrators; acme sees that you looked")]
    List(Wanted),
}

/// Which events are wanted.
#[derive(Debug, clap::Args)]
struct Wanted {
    /// Whose trail, for administrators
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Only these kinds, with commas between; one that there is not is answered with all that there are
    #[arg(long, value_name = "KIND,…", value_parser = kinds)]
    kind: Option<String>,
    /// Only what this account or user did, such as dev@acme
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only what was done to this, such as team-a/web
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,
    /// Only what ended so: ok, denied or failed
    #[arg(long, value_name = "RESULT")]
    result: Option<String>,
    /// Only what came from this IP address
    #[arg(long, value_name = "ADDRESS")]
    address: Option<String>,
    /// Only what happened at this instant or later, such as 2027-01-31T00:00:00Z
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    since: Option<jiff::Timestamp>,
    /// Only what happened before this instant
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    until: Option<jiff::Timestamp>,
    /// The first that happened comes first
    #[arg(long)]
    oldest_first: bool,
    /// The most events that are shown
    #[arg(long, value_name = "NUMBER", default_value_t = EVENTS_DEFAULT, value_parser = limit)]
    limit: usize,
}

/// Kinds with commas between, each of which there is.
fn kinds(text: &str) -> Result<String, String> {
    match text.split(',').find(|word| EventKind::parse(word).is_none()) {
        None => Ok(text.to_owned()),
        Some(_) => {
            let known: Vec<_> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
            Err(format!("there is no such kind of event; there are {}", known.join(", ")))
        }
    }
}

fn limit(text: &str) -> Result<usize, String> {
    let limit = text.parse::<usize>().ok().filter(|limit| *limit > 0);
    limit.ok_or_else(|| "it must be a number from 1 on".to_owned())
}

impl Audit {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (client, output) = self.remote.open()?;
        let Action::List(wanted) = self.action;
        let query = wanted.query();
        let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let listed = client.list_at_most(&path(&["audit"])?, &query, wanted.limit).await?;
        output.list::<Event>(&listed.items)?;
        if listed.more {
            output::warn(&format!("there are more than these {}; see --limit", wanted.limit));
        }
        Ok(())
    }
}

impl Wanted {
    fn query(&self) -> Vec<(&'static str, String)> {
        let instant = |at: Option<jiff::Timestamp>| at.map(|at| at.to_string());
        let order = self.oldest_first.then(|| "oldest_first".to_owned());
        let given = [
            ("account", self.account.clone()),
            ("kind", self.kind.clone()),
            ("actor", self.actor.clone()),
            ("subject", self.subject.clone()),
            ("result", self.result.clone()),
            ("address", self.address.clone()),
            ("from", instant(self.since)),
            ("to", instant(self.until)),
            ("order", order),
        ];
        given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

fn word(result: EventResult) -> &'static str {
    match result {
        EventResult::Ok => "ok",
        EventResult::Denied => "denied",
        EventResult::Failed => "failed",
    }
}

impl Shown for Event {
    const COLUMNS: &[&str] = &["TIME", "WHAT", "RESULT", "WHO", "FROM", "SUBJECT", "TIMES", "DETAIL"];

    fn row(&self) -> Vec<String> {
        vec![
            time(self.at),
            self.kind.clone(),
            word(self.result).to_owned(),
            self.actor.clone(),
            self.address.clone().unwrap_or_else(|| "-".to_owned()),
            self.subject.clone(),
            self.count.to_string(),
            self.detail.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::{kinds, limit};

    #[test]
    fn a_kind_that_there_is_not_is_answered_with_those_that_there_are() {
        assert_eq!(kinds("tag_deleted,share_created").as_deref(), Ok("tag_deleted,share_created"));
        for text in ["nonsense", "tag_deleted,nonsense", "tag_deleted,", ""] {
            assert!(
                kinds(text).is_err_and(|why| why.contains("no such kind") && why.contains("change_refused")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_list_of_none_is_not_asked_for() {
        assert_eq!((limit("1"), limit("1000")), (Ok(1), Ok(1000)));
        for text in ["0", "-1", "", "many"] {
            assert!(limit(text).is_err_and(|why| why.contains("from 1 on")), "{text}");
        }
    }
}
