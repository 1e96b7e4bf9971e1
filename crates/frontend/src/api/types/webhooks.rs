//! Webhooks, their deliveries, and the events that they are sent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Share;

redacted!(CreatedWebhook);

/// What a webhook may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum WebhookEvent {
    /// A share was made.
    #[serde(rename = "share.created")]
    ShareCreated,
    /// A share was changed.
    #[serde(rename = "share.updated")]
    ShareUpdated,
    /// A share is near its deadline.
    #[serde(rename = "share.ending")]
    ShareEnding,
    /// A share's deadline has passed.
    #[serde(rename = "share.ended")]
    ShareEnded,
    /// A share was ended by its owner, or with an account, or because its image was deleted or made public.
    #[serde(rename = "share.revoked")]
    ShareRevoked,
    /// A share was left by the account that it was made with.
    #[serde(rename = "share.left")]
    ShareLeft,
}

/// A webhook, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": 4938271605948372_u64, "url": "https://example.com/hooks/gangplank", "events": ["share.ending"],
    "description": "the pager", "enabled": true, "gone": false, "created_at": "2026-11-24T20:15:00Z",
    "updated_at": "2026-11-24T20:15:00Z", "pending": 0, "dropped": 0, "failures": 0,
    "last_success_at": "2026-11-24T20:15:04Z", "last_failure_at": null, "last_failure": null,
    "next_attempt_at": null
}))]
pub struct Webhook {
    /// Its immutable number.
    pub id: u64,
    /// Where events go.
    pub url: String,
    /// What it is told; none stands for all, also those that there will be later.
    pub events: Vec<WebhookEvent>,
    /// What it is for.
    pub description: String,
    /// Whether it is told anything.
    pub enabled: bool,
    /// Its receiver answered 410 Gone, which disabled it.
    pub gone: bool,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// Events that wait for it.
    pub pending: u64,
    /// Events given up because more waited than are kept.
    pub dropped: u64,
    /// Failures since its receiver last took an event.
    pub failures: u32,
    /// When its receiver last took an event.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub last_success_at: Option<Timestamp>,
    /// When its receiver last failed to.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub last_failure_at: Option<Timestamp>,
    /// How it failed then.
    #[schema(required = true)]
    pub last_failure: Option<String>,
    /// Before this instant nothing is tried; `null`: at once.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub next_attempt_at: Option<Timestamp>,
}

/// The making of a webhook.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"url": "https://example.com/hooks/gangplank", "events": ["share.ending", "share.ended"]}))]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    /// Where events go: `https` or `http`, without credentials, at most 2048 bytes; on the public internet, unless the
    /// operator allows a network besides.
    pub url: String,
    /// What it is told; absent or empty: everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<WebhookEvent>>,
    /// What it is for, 0–1000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A change of a webhook; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"enabled": false}))]
#[serde(deny_unknown_fields)]
pub struct WebhookChange {
    /// Where events go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it is told; empty: everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Vec<WebhookEvent>>,
    /// 0–1000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is told anything. What waits for it is kept meanwhile, for as long as anything is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// A webhook just made, with its secret: shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedWebhook {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: Webhook,
    /// What its events are signed with, as Standard Webhooks has it: `whsec_`, and 32 bytes as Base64.
    pub secret: String,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// It waits.
    Pending,
    /// Its receiver took it.
    Delivered,
    /// Its receiver did not take it for too long.
    GivenUp,
}

/// An event on its way to a webhook, or one of the last that were.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "id": 3712839405162738_u64, "status": "delivered", "attempts": 1, "queued_at": "2026-11-24T20:15:00Z",
    "ended_at": "2026-11-24T20:15:01Z", "last_failure": null,
    "event": {
        "specversion": "1.0", "id": "3712839405162000", "source": "https://registry.example.com/regions/main",
        "type": "dev.gangplank.webhook.test", "subject": "webhook", "time": "2026-11-24T20:15:00Z",
        "datacontenttype": "application/json", "data": {}
    }
}))]
pub struct Delivery {
    /// Its number, later ones greater.
    pub id: u64,
    /// What became of it.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was queued.
    #[schema(value_type = String, format = DateTime)]
    pub queued_at: Timestamp,
    /// When it ended; `null`: it waits.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub ended_at: Option<Timestamp>,
    /// How it last failed.
    #[schema(required = true)]
    pub last_failure: Option<String>,
    /// The body that is sent.
    pub event: CloudEvent,
}

/// What is to be delivered.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"delivery": 3712839405162738_u64}))]
#[serde(deny_unknown_fields)]
pub struct NewDelivery {
    /// The delivery that is to be sent again; absent: an event of type `dev.gangplank.webhook.test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<u64>,
}

/// An event of CloudEvents 1.0, as a webhook is sent it: the body of a POST, of type `application/cloudevents+json`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: String,
    /// Unique within `source`, and the same however often the event is sent.
    pub id: String,
    /// The registry's region.
    pub source: String,
    /// `dev.gangplank.share.created` and so on: one of [`WebhookEvent`] with `dev.gangplank.` before it; or
    /// `dev.gangplank.webhook.test`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The share, as its path below `/api/v1`: `repositories/team-a/web/shares/globex`.
    pub subject: String,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    pub time: Timestamp,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// What there is to tell.
    pub data: CloudEventData,
}

/// What an event tells.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CloudEventData {
    /// The share, as it was when that happened; absent in a test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<Share>,
}
