//! Webhooks: where an account is told what happens to its shares, and to those made with it.

use std::str::FromStr;

use auth::{DeliveryId, Description, Error, Thing, WebhookId, WebhookUrl};
use axum::Json;
use http::StatusCode;

use super::cloud_event::{cloud_event, kind, word};
use super::document::{Conflict, Forbidden, NotFound};
use super::extract::{At, Caller, JsonBody};
use super::problem::{Code, Problem, of_field};
use super::query::Paging;
use super::types::{
    CreatedWebhook, Delivery, DeliveryStatus, NewDelivery, NewWebhook, Page, Webhook, WebhookChange,
    WebhookEvent,
};

fn shown(webhook: auth::Webhook) -> Webhook {
    let state = webhook.state;
    Webhook {
        id: webhook.id.get(),
        url: webhook.url.to_string(),
        events: webhook.kinds.into_iter().filter_map(word).collect(),
        description: webhook.description.to_string(),
        enabled: webhook.enabled,
        gone: webhook.gone,
        created_at: webhook.created_at,
        updated_at: webhook.updated_at,
        pending: webhook.pending,
        dropped: webhook.dropped,
        failures: state.failures,
        last_success_at: state.last_success_at,
        last_failure_at: state.last_failure_at,
        last_failure: state.last_failure,
        next_attempt_at: state.next_attempt_at,
    }
}

fn delivery_shown(delivery: auth::Delivery, caller: &Caller) -> Delivery {
    let (status, ended_at) = match delivery.status {
        auth::DeliveryStatus::Pending => (DeliveryStatus::Pending, None),
        auth::DeliveryStatus::Delivered { at } => (DeliveryStatus::Delivered, Some(at)),
        auth::DeliveryStatus::GivenUp { at } => (DeliveryStatus::GivenUp, Some(at)),
    };
    let app = &caller.app;
    Delivery {
        id: delivery.id.get(),
        status,
        attempts: delivery.attempts,
        queued_at: delivery.queued_at,
        ended_at,
        last_failure: delivery.last_failure,
        event: cloud_event(delivery.notice, app.auth.region(), app.settings.external_url.as_ref()),
    }
}

fn kinds(events: Vec<WebhookEvent>) -> Vec<auth::NoticeKind> {
    events.into_iter().map(kind).collect()
}

/// Makes a webhook.
///
/// The account itself only, at most 16. From now on its URL gets a POST for each event, a CloudEvent 1.0 as
/// `application/cloudevents+json`, signed as Standard Webhooks has it: `webhook-signature` holds `v1,` and the Base64 of
/// the HMAC-SHA256, under the secret's bytes, of `webhook-id`, `webhook-timestamp` and the body with dots between. The
/// secret is shown this once. Any answer of 2xx takes an event; after another one, or none, it is sent again, for a
/// week, and 410 disables the webhook. Redirects are not followed. An event may come twice: its `id` tells.
#[utoipa::path(
    post,
    path = "/webhooks",
    tag = "webhooks",
    operation_id = "createWebhook",
    request_body = NewWebhook,
    responses(
        (status = 201, description = "Made.", body = CreatedWebhook),
        (status = 403, response = Forbidden),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn create(
    caller: Caller,
    JsonBody(new): JsonBody<NewWebhook>,
) -> Result<(StatusCode, Json<CreatedWebhook>), Problem> {
    let webhook = auth::NewWebhook {
        url: WebhookUrl::parse(&new.url)?,
        kinds: kinds(new.events.unwrap_or_default()),
        description: Description::parse(new.description.as_deref().unwrap_or_default())?,
    };
    let (webhook, secret) = caller.app.auth.create_webhook(&caller.principal, webhook, caller.now).await?;
    let created = CreatedWebhook { webhook: shown(webhook), secret: secret.reveal().to_owned() };
    Ok((StatusCode::CREATED, Json(created)))
}

/// Lists your account's webhooks, without their secrets.
///
/// The account itself only.
#[utoipa::path(
    get,
    path = "/webhooks",
    tag = "webhooks",
    operation_id = "listWebhooks",
    params(Paging),
    responses(
        (status = 200, description = "A page, in the order of ids.", body = Page<Webhook>),
        (status = 403, response = Forbidden)
    )
)]
pub(super) async fn list(caller: Caller, page: Paging) -> Result<Json<Page<Webhook>>, Problem> {
    let after = page.after_id()?;
    let found = caller.app.auth.list_webhooks(&caller.principal, after, page.limit_and_one()).await?;
    Ok(Json(page.page(found.into_iter().map(shown).collect(), |webhook| webhook.id.to_string())))
}

/// Shows a webhook, and how its receiver does.
///
/// The account itself only.
#[utoipa::path(
    get,
    path = "/webhooks/{webhook}",
    tag = "webhooks",
    operation_id = "showWebhook",
    params(("webhook" = u64, Path, description = "Its id.")),
    responses(
        (status = 200, description = "The webhook.", body = Webhook),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn show(caller: Caller, At(webhook): At<WebhookId>) -> Result<Json<Webhook>, Problem> {
    Ok(Json(shown(caller.app.auth.show_webhook(&caller.principal, webhook).await?)))
}

/// Changes a webhook.
///
/// The account itself only. One that is enabled, or goes elsewhere, is tried at once, oldest event first.
#[utoipa::path(
    patch,
    path = "/webhooks/{webhook}",
    tag = "webhooks",
    operation_id = "changeWebhook",
    params(("webhook" = u64, Path, description = "Its id.")),
    request_body = WebhookChange,
    responses(
        (status = 200, description = "The webhook as it is now.", body = Webhook),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn change(
    caller: Caller,
    At(webhook): At<WebhookId>,
    JsonBody(change): JsonBody<WebhookChange>,
) -> Result<Json<Webhook>, Problem> {
    let WebhookChange { url, events, description, enabled } = change;
    if url.is_none() && events.is_none() && description.is_none() && enabled.is_none() {
        let detail = "Give what to change: `url`, `events`, `description` or `enabled`.";
        return Err(Problem::new(Code::NothingToChange, detail));
    }
    let change = auth::WebhookChange {
        url: url.as_deref().map(WebhookUrl::parse).transpose()?,
        kinds: events.map(kinds),
        description: description.as_deref().map(Description::parse).transpose()?,
        enabled,
    };
    let changed = caller.app.auth.update_webhook(&caller.principal, webhook, change, caller.now).await?;
    Ok(Json(shown(changed)))
}

/// Removes a webhook, and what waits for it.
///
/// The account itself only.
#[utoipa::path(
    delete,
    path = "/webhooks/{webhook}",
    tag = "webhooks",
    operation_id = "deleteWebhook",
    params(("webhook" = u64, Path, description = "Its id.")),
    responses(
        (status = 204, description = "Removed."),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn delete(caller: Caller, At(webhook): At<WebhookId>) -> Result<StatusCode, Problem> {
    caller.app.auth.delete_webhook(&caller.principal, webhook, caller.now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lists the events that wait for a webhook, and the last ones that were sent.
///
/// The account itself only.
#[utoipa::path(
    get,
    path = "/webhooks/{webhook}/deliveries",
    tag = "webhooks",
    operation_id = "listDeliveries",
    params(("webhook" = u64, Path, description = "Its id."), Paging),
    responses(
        (status = 200, description = "A page, in the order of ids: oldest first.", body = Page<Delivery>),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn list_deliveries(
    caller: Caller,
    At(webhook): At<WebhookId>,
    page: Paging,
) -> Result<Json<Page<Delivery>>, Problem> {
    let after = page.after_id()?;
    let auth = &caller.app.auth;
    let found = auth.list_deliveries(&caller.principal, webhook, after, page.limit_and_one()).await?;
    let found = found.into_iter().map(|delivery| delivery_shown(delivery, &caller)).collect();
    Ok(Json(page.page(found, |delivery: &Delivery| delivery.id.to_string())))
}

/// Sends an event again, or a test.
///
/// The account itself only. The webhook is tried at once, whatever failed before, and what waited for it goes first. One
/// that is disabled is told when it is enabled again.
#[utoipa::path(
    post,
    path = "/webhooks/{webhook}/deliveries",
    tag = "webhooks",
    operation_id = "createDelivery",
    params(("webhook" = u64, Path, description = "Its id.")),
    request_body = NewDelivery,
    responses(
        (status = 201, description = "It waits to be sent.", body = Delivery),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound),
        (status = 409, response = Conflict)
    )
)]
pub(super) async fn deliver(
    caller: Caller,
    At(webhook): At<WebhookId>,
    JsonBody(new): JsonBody<NewDelivery>,
) -> Result<(StatusCode, Json<Delivery>), Problem> {
    let Caller { app, principal, now } = &caller;
    let made = match new.delivery {
        Some(again) => {
            let again = of_field("delivery", DeliveryId::from_str(&again.to_string()))?;
            match app.auth.deliver_again(principal, webhook, again, *now).await {
                Err(error @ Error::NotFound { what: Thing::Delivery }) => {
                    return Err(Problem::from(error).field("delivery"));
                }
                made => made?,
            }
        }
        None => app.auth.test_webhook(principal, webhook, *now).await?,
    };
    Ok((StatusCode::CREATED, Json(delivery_shown(made, &caller))))
}
