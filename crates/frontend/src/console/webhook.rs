//! One webhook: how its receiver does, what was sent to it, and what may be done with it.

use std::str::FromStr;

use auth::{Delivery, DeliveryId, DeliveryStatus, Webhook, WebhookChange, WebhookId};
use jiff::Timestamp;
use maud::{Markup, html};

use super::details::failure;
use super::forms::{Asked, Refusal, done_or_gone, ended_or_gone, sent};
use super::holders::switch;
use super::list::{ROWS_AND_ONE, Rows, pager};
use super::page::{Answer, Place, Question, form_token, go, page, time};
use super::problem::{Problem, Wrong};
use super::table::{column, heading, number, table};
use super::text::fill;
use super::visitor::{At, Form, Visitor};
use super::webhook_form::{self, Sends};
use super::webhooks::{ALL, kind_text, kinds, state};

fn address(id: WebhookId) -> String {
    format!("{ALL}/{id}")
}

/// `GET /console/webhooks/{id}`.
pub(super) async fn show(visitor: Visitor, At(text): At) -> Answer {
    ended_or_gone(&visitor, shown(&visitor, &text, Asked::First(&visitor.query)).await, ALL)
}

async fn shown(visitor: &Visitor, text: &str, asked: Asked<'_>) -> Result<Answer, Problem> {
    let t = visitor.t;
    let (auth, p) = (&visitor.app.auth, &visitor.principal);
    let webhook = auth.show_webhook(p, text.parse()?).await?;
    let (at, url) = (address(webhook.id), webhook.url.as_str());
    if asked.what() == "delete" {
        let question = Question {
            text: &fill(t.delete_question, &[("name", &url)]),
            warning: t.webhook_delete_warning,
            address: &at,
            action: "delete",
            of: text,
            button: t.delete,
            back: &at,
        };
        let content = html! { (asked.whole_error()) (question.asks(visitor)) };
        return Ok(page(visitor, Place::Webhooks, url, &content));
    }
    if asked.what() == "change" {
        let sends = Sends { to: &at, action: "change", button: t.save, back: &at };
        let content = webhook_form::form(visitor, asked, Some(&webhook), &sends);
        let title = fill(t.change_named, &[("name", &url)]);
        return Ok(page(visitor, Place::Webhooks, &title, &content));
    }
    let after = visitor.query.get("after").map(DeliveryId::from_str).transpose()?;
    let found = auth.list_deliveries(p, webhook.id, after, ROWS_AND_ONE).await?;
    let rows = Rows::of(found, |delivery| delivery.id.to_string());
    let content = html! {
        (asked.whole_error())
        (facts(visitor, &webhook))
        div.bar {
            @if webhook.enabled {
                form.inline method="post" action=(at) {
                    (form_token(&visitor.form_token))
                    button type="submit" name="action" value="test" { (t.webhook_test) }
                }
            }
            (switch(visitor, &at, text, url, !webhook.enabled))
            a href=(format!("{at}?do=change")) aria-label=(fill(t.change_named, &[("name", &url)])) { (t.change) }
            a href=(format!("{at}?do=delete")) aria-label=(fill(t.delete_named, &[("name", &url)])) { (t.delete) }
        }
        h2 { (t.deliveries) }
        @if rows.items.is_empty() { div.empty { p { (if webhook.enabled { t.no_deliveries } else { t.no_deliveries_disabled }) } } } @else {
            (deliveries(visitor, &at, webhook.enabled, &rows.items))
        }
        (pager(visitor, &at, rows.next.as_deref()))
    };
    Ok(page(visitor, Place::Webhooks, url, &content))
}

fn facts(visitor: &Visitor, webhook: &Webhook) -> Markup {
    let t = visitor.t;
    let receiver = &webhook.state;
    let instant = |at: Option<Timestamp>| html! { @match at { Some(at) => (time(at, &visitor.zone)), None => (t.never) } };
    html! {
        dl.facts {
            dt { (t.webhook_events) } dd { (kinds(visitor, webhook)) }
            dt { (t.description) } dd { (webhook.description) }
            dt { (t.status) } dd { (state(visitor, webhook)) }
            dt { (t.created) } dd { (time(webhook.created_at, &visitor.zone)) }
            dt { (t.webhook_pending) } dd { (webhook.pending) }
            @if webhook.dropped > 0 { dt { (t.webhook_dropped) } dd { (webhook.dropped) } }
            dt { (t.webhook_last_success) } dd { (instant(receiver.last_success_at)) }
            @if receiver.failures > 0 {
                dt { (t.webhook_failures) } dd { (receiver.failures) }
                dt { (t.webhook_last_failure) }
                dd { (instant(receiver.last_failure_at)) " " (failure(visitor, receiver.last_failure.as_deref())) }
                @if let Some(at) = receiver.next_attempt_at { dt { (t.webhook_next) } dd { (time(at, &visitor.zone)) } }
            }
        }
    }
}

fn deliveries(visitor: &Visitor, at: &str, enabled: bool, deliveries: &[Delivery]) -> Markup {
    let t = visitor.t;
    let mut columns = vec![
        column(t.at_time),
        heading(t.event),
        column(t.share),
        column(t.status),
        number(t.attempts),
        column(t.webhook_last_failure),
    ];
    columns.extend(enabled.then(|| column(t.actions)));
    table(t, &columns, deliveries.iter().map(|delivery| line(visitor, at, enabled, delivery)))
}

fn line(visitor: &Visitor, at: &str, enabled: bool, delivery: &Delivery) -> Vec<Markup> {
    let t = visitor.t;
    let (kind, share) = (kind_text(t, delivery.notice.kind), delivery.notice.share.as_ref());
    let status = match delivery.status {
        DeliveryStatus::Pending => html! { span.state { (t.delivery_pending) } },
        DeliveryStatus::Delivered { at } => {
            html! { span.state.open { (t.delivery_done) } " " (time(at, &visitor.zone)) }
        }
        DeliveryStatus::GivenUp { at } => {
            html! { span.state.ended { (t.delivery_given_up) } " " (time(at, &visitor.zone)) }
        }
    };
    let mut cells = vec![
        time(delivery.queued_at, &visitor.zone),
        html! { (kind) },
        html! { @if let Some(share) = share { (share.repository) " → " (share.grantee) } },
        status,
        html! { (delivery.attempts) },
        failure(visitor, delivery.last_failure.as_deref()),
    ];
    let named = fill(t.send_again_named, &[("name", &kind), ("id", &delivery.id)]);
    let again = html! {
        form.inline method="post" action=(at) {
            (form_token(&visitor.form_token))
            input type="hidden" name="of" value=(delivery.id);
            button.plain type="submit" name="action" value="again" aria-label=(named) { (t.send_again) }
        }
    };
    cells.extend(enabled.then_some(again));
    cells
}

/// `POST /console/webhooks/{id}`: what the button that was pressed says.
pub(super) async fn act(visitor: Visitor, At(text): At, form: Form) -> Answer {
    let done = acted(&visitor, &text, &form).await.map(|to| go(&to));
    sent(&visitor, &form, done, async |asked| shown(&visitor, &text, asked).await).await
}

async fn acted(visitor: &Visitor, text: &str, form: &Form) -> Result<String, Refusal> {
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let webhook: WebhookId = text.parse().map_err(Problem::from)?;
    let (at, refused) = (address(webhook), |error| Refusal::of(error, visitor.t));
    let enabled = |enabled| WebhookChange { enabled: Some(enabled), ..WebhookChange::default() };
    let action = form.get("action");
    if ["test", "again"].contains(&action) && !auth.show_webhook(p, webhook).await.map_err(refused)?.enabled {
        return Err(Wrong { field: None, text: visitor.t.webhook_is_disabled.to_owned() }.into());
    }
    match action {
        "test" => {
            auth.test_webhook(p, webhook, now).await.map_err(refused)?;
            Ok(format!("{at}?done=sending"))
        }
        "again" => {
            let delivery = form.get("of").parse().map_err(Problem::from)?;
            auth.deliver_again(p, webhook, delivery, now).await.map_err(refused)?;
            Ok(format!("{at}?done=sending"))
        }
        "disable" => {
            auth.update_webhook(p, webhook, enabled(false), now).await.map_err(refused)?;
            Ok(format!("{at}?done=disabled"))
        }
        "enable" => {
            auth.update_webhook(p, webhook, enabled(true), now).await.map_err(refused)?;
            Ok(format!("{at}?done=enabled"))
        }
        "change" => {
            let now_is = auth.show_webhook(p, webhook).await.map_err(refused)?;
            if let Some(change) = webhook_form::change(&now_is, webhook_form::typed(visitor, form)?) {
                auth.update_webhook(p, webhook, change, now).await.map_err(refused)?;
            }
            Ok(format!("{at}?done=saved"))
        }
        "delete" => {
            let done = done_or_gone(auth.delete_webhook(p, webhook, now).await, "deleted", visitor.t)?;
            Ok(format!("{ALL}?done={done}"))
        }
        _ => Err(Problem::NotFound.into()),
    }
}
