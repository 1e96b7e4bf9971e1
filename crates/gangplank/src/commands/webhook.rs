//! `gangplank webhook`

use clap::ArgGroup;
use frontend::types::{
    self, CreatedWebhook, DeliveryStatus, NewDelivery, NewWebhook, WebhookChange, WebhookEvent,
};
use jiff::Timestamp;

use crate::client::{Client, path};
use crate::commands::Remote;
use crate::failure::Failure;
use crate::output::{self, Shown, time, yes_no};

#[derive(Debug, clap::Args)]
pub(crate) struct Webhook {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Have a URL told what happens to shares that your account made, or that were made with it
    #[command(after_help = "Examples:
  gangplank webhook add https://example.com/hooks/gangplank
  gangplank webhook add https://example.com/hooks --event share.ending --event share.ended --json")]
    Add {
        /// Where events go
        url: String,
        /// What it is told; may be given several times; without it, everything
        #[arg(long = "event", value_name = "EVENT", value_parser = event)]
        events: Vec<WebhookEvent>,
        /// What it is for, 0 to 1000 characters
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// List your account's webhooks
    #[command(after_help = "Example:\n  gangplank webhook list --json")]
    List,
    /// Show a webhook, and how its receiver does
    #[command(after_help = "Example:\n  gangplank webhook show 4503599627370496")]
    Show {
        /// Its number, from the list
        id: u64,
    },
    /// Change a webhook, or enable or disable it
    #[command(
        group(ArgGroup::new("change").required(true).multiple(true)
            .args(["url", "events", "all_events", "description", "enable", "disable"])),
        after_help = "Examples:
  gangplank webhook update 4503599627370496 --url https://example.com/hooks/new
  gangplank webhook update 4503599627370496 --enable"
    )]
    Update {
        /// Its number, from the list
        id: u64,
        /// Where events go
        #[arg(long)]
        url: Option<String>,
        /// What it is told; may be given several times
        #[arg(long = "event", value_name = "EVENT", value_parser = event, conflicts_with = "all_events")]
        events: Vec<WebhookEvent>,
        /// Tell it everything
        #[arg(long)]
        all_events: bool,
        /// What it is for, 0 to 1000 characters
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// Tell it again, and at once
        #[arg(long, conflicts_with = "disable")]
        enable: bool,
        /// Tell it nothing
        #[arg(long)]
        disable: bool,
    },
    /// Remove a webhook, and what waits for it
    #[command(after_help = "Example:\n  gangplank webhook remove 4503599627370496")]
    Remove {
        /// Its number, from the list
        id: u64,
    },
    /// Send a webhook an event that nothing happened; one that is disabled is told nothing
    #[command(after_help = "Example:\n  gangplank webhook test 4503599627370496")]
    Test {
        /// Its number, from the list
        id: u64,
    },
    /// List the events that wait for a webhook, and the last ones that were sent
    #[command(after_help = "Example:\n  gangplank webhook deliveries 4503599627370496")]
    Deliveries {
        /// Its number, from the list
        id: u64,
    },
    /// Send an event again
    #[command(after_help = "Example:\n  gangplank webhook resend 4503599627370496 3712839405162738")]
    Resend {
        /// The webhook's number
        id: u64,
        /// The delivery's number, from `webhook deliveries`
        delivery: u64,
    },
}

/// An event, as the interface writes it.
fn event(text: &str) -> Result<WebhookEvent, String> {
    serde_json::from_value(text.into()).map_err(|_| {
        let known = auth::NoticeKind::ALL.map(|kind| kind.to_string()).join(", ");
        format!("there are {known}")
    })
}

fn path_of(id: u64) -> Result<String, Failure> {
    path(&["webhooks", &id.to_string()])
}

fn deliveries(id: u64) -> Result<String, Failure> {
    path(&["webhooks", &id.to_string(), "deliveries"])
}

impl Webhook {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let (client, output) = self.remote.open()?;
        match self.action {
            Action::Add { url, events, description } => {
                let events = (!events.is_empty()).then_some(events);
                let webhook = NewWebhook { url, events, description };
                let made: CreatedWebhook = client.post(&path(&["webhooks"])?, &webhook).await?;
                if !self.remote.json {
                    output::tell(&format!(
                        "Webhook {} is told {} at {}. Its events are signed with this secret, shown this once:\n",
                        made.webhook.id,
                        told(&made.webhook),
                        made.webhook.url,
                    ));
                }
                // For people the secret alone on standard output, so that it can be piped on.
                output.changed(&made, &made.secret)
            }
            Action::List => output.list(&client.list::<types::Webhook>(&path(&["webhooks"])?, &[]).await?),
            Action::Show { id } => output.one(&client.get::<types::Webhook>(&path_of(id)?).await?),
            Action::Update { id, url, events, all_events, description, enable, disable } => {
                let change = WebhookChange {
                    url,
                    events: (all_events || !events.is_empty()).then_some(events),
                    description,
                    enabled: (enable || disable).then_some(enable),
                };
                let changed: types::Webhook = client.patch(&path_of(id)?, &change).await?;
                let sentence = match changed.enabled {
                    true => format!("Webhook {id} is told {} at {}.", told(&changed), changed.url),
                    false => format!("Webhook {id} is disabled."),
                };
                output.changed(&changed, &sentence)
            }
            Action::Remove { id } => {
                client.delete(&path_of(id)?).await?;
                output.done(&format!("Webhook {id} is removed."))
            }
            Action::Test { id } => {
                told_anything(&client, id).await?;
                let made: types::Delivery = client.post(&deliveries(id)?, &NewDelivery::default()).await?;
                let sentence = format!(
                    "A test is on its way as delivery {}; gangplank webhook show {id} says how it went.",
                    made.id
                );
                output.changed(&made, &sentence)
            }
            Action::Deliveries { id } => {
                output.list(&client.list::<types::Delivery>(&deliveries(id)?, &[]).await?)
            }
            Action::Resend { id, delivery } => {
                told_anything(&client, id).await?;
                let again = NewDelivery { delivery: Some(delivery) };
                let made: types::Delivery = client.post(&deliveries(id)?, &again).await?;
                output.changed(&made, &format!("{} is sent again, as delivery {}.", made.event.kind, made.id))
            }
        }
    }
}

/// Refuses for a webhook that is disabled: what is sent to it would wait until it is enabled.
async fn told_anything(client: &Client, id: u64) -> Result<(), Failure> {
    if client.get::<types::Webhook>(&path_of(id)?).await?.enabled {
        return Ok(());
    }
    let detail = format!(
        "webhook {id} is disabled, and nothing is sent to it; enable it with: gangplank webhook update {id} --enable"
    );
    Err(Failure::Refused { status: 409, detail })
}

/// What a webhook is told.
fn told(webhook: &types::Webhook) -> String {
    let words: Vec<_> = webhook
        .events
        .iter()
        .filter_map(|event| Some(serde_json::to_value(event).ok()?.as_str()?.to_owned()))
        .collect();
    if words.is_empty() { "everything".to_owned() } else { words.join(", ") }
}

fn maybe(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), time)
}

impl Shown for types::Webhook {
    const COLUMNS: &[&str] = &["ID", "URL", "EVENTS", "ENABLED", "PENDING", "FAILURES", "DESCRIPTION"];

    fn row(&self) -> Vec<String> {
        vec![
            self.id.to_string(),
            self.url.clone(),
            told(self),
            yes_no(self.enabled),
            self.pending.to_string(),
            self.failures.to_string(),
            self.description.clone(),
        ]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        let failure = match (&self.last_failure, self.last_failure_at) {
            (Some(failure), Some(at)) => format!("{}: {failure}", time(at)),
            _ => "never".to_owned(),
        };
        let enabled = match (self.enabled, self.gone) {
            (false, true) => "no: its receiver said that it is gone (410)".to_owned(),
            (enabled, _) => yes_no(enabled),
        };
        vec![
            ("Id", self.id.to_string()),
            ("URL", self.url.clone()),
            ("Events", told(self)),
            ("Enabled", enabled),
            ("Description", self.description.clone()),
            ("Created", time(self.created_at)),
            ("Updated", time(self.updated_at)),
            ("Pending", self.pending.to_string()),
            ("Dropped", self.dropped.to_string()),
            ("Last success", maybe(self.last_success_at)),
            ("Last failure", failure),
            ("Failures since", self.failures.to_string()),
            ("Next attempt", self.next_attempt_at.map_or_else(|| "at once".to_owned(), time)),
        ]
    }
}

impl Shown for types::Delivery {
    const COLUMNS: &[&str] =
        &["ID", "EVENT", "SUBJECT", "STATUS", "ATTEMPTS", "QUEUED", "ENDED", "LAST FAILURE"];

    fn row(&self) -> Vec<String> {
        let status = match self.status {
            DeliveryStatus::Pending => "pending",
            DeliveryStatus::Delivered => "delivered",
            DeliveryStatus::GivenUp => "given up",
        };
        vec![
            self.id.to_string(),
            self.event.kind.clone(),
            self.event.subject.clone(),
            status.to_owned(),
            self.attempts.to_string(),
            time(self.queued_at),
            self.ended_at.map_or_else(String::new, time),
            self.last_failure.clone().unwrap_or_default(),
        ]
    }
}
