//! Webhooks: where the visitor's account is told what happens to its shares. The account itself has them.

use auth::{NoticeKind, Webhook};
use maud::{Markup, html};

use super::forms::{Asked, Refusal, ended, sent};
use super::made_once::made_once;
use super::page::{Answer, Place, once, page, time};
use super::problem::Problem;
use super::table::{column, heading, number, prose, table};
use super::text::Texts;
use super::visitor::{Form, Visitor};
use super::webhook_form::{Sends, form, typed};

/// Where the list is.
pub(super) const ALL: &str = "/console/webhooks";

/// `GET /console/webhooks`.
pub(super) async fn list(visitor: Visitor) -> Answer {
    ended(&visitor, listed(&visitor, Asked::First(&visitor.query)).await)
}

async fn listed(visitor: &Visitor, asked: Asked<'_>) -> Result<Answer, Problem> {
    let t = visitor.t;
    // Their number is bounded where they are made.
    let webhooks = visitor.app.auth.list_webhooks(&visitor.principal, None, usize::MAX).await?;
    if asked.what() == "create" {
        let sends = Sends { to: ALL, action: "create", button: t.webhook_new, back: ALL };
        return Ok(page(visitor, Place::Webhooks, t.webhook_new, &form(visitor, asked, None, &sends)));
    }
    let columns = [
        heading(t.webhook_url),
        column(t.webhook_events),
        column(t.status),
        number(t.webhook_pending),
        column(t.webhook_last_success),
        prose(t.description),
    ];
    let content = html! {
        (asked.whole_error())
        p { (t.webhooks_text) }
        p { a.button href="/console/webhooks?do=create" { (t.webhook_new) } }
        @if webhooks.is_empty() { div.empty { p { (t.no_webhooks) } } } @else {
            (table(t, &columns, webhooks.iter().map(|webhook| line(visitor, webhook))))
        }
    };
    Ok(page(visitor, Place::Webhooks, t.webhooks, &content))
}

fn line(visitor: &Visitor, webhook: &Webhook) -> Vec<Markup> {
    let t = visitor.t;
    vec![
        html! { a href=(format!("{ALL}/{}", webhook.id)) { (webhook.url) } },
        kinds(visitor, webhook),
        state(visitor, webhook),
        html! { (webhook.pending) },
        html! { @match webhook.state.last_success_at { Some(at) => (time(at, &visitor.zone)), None => (t.never) } },
        html! { (webhook.description) },
    ]
}

/// What a webhook is told.
pub(super) fn kinds(visitor: &Visitor, webhook: &Webhook) -> Markup {
    let t = visitor.t;
    html! {
        @if webhook.kinds.is_empty() { (t.webhook_everything) }
        @for (at, kind) in webhook.kinds.iter().enumerate() { @if at > 0 { ", " } (kind_text(t, *kind)) }
    }
}

/// Whether a webhook is told anything.
pub(super) fn state(visitor: &Visitor, webhook: &Webhook) -> Markup {
    let t = visitor.t;
    if webhook.gone {
        html! { span.state.ended { (t.webhook_gone) } }
    } else {
        super::holders::state(visitor, webhook.enabled)
    }
}

/// What a kind of notice is called.
pub(super) fn kind_text(t: &'static Texts, kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::ShareCreated => t.event_share_created,
        NoticeKind::ShareUpdated => t.event_share_updated,
        NoticeKind::ShareEnding => t.event_share_ending,
        NoticeKind::ShareEnded => t.event_share_ended,
        NoticeKind::ShareRevoked => t.event_share_revoked,
        NoticeKind::ShareLeft => t.event_share_left,
        NoticeKind::Test => t.webhook_test_notice,
    }
}

/// `POST /console/webhooks`: makes one.
pub(super) async fn create(visitor: Visitor, form: Form) -> Answer {
    let done = made_once(&visitor, &form, ALL, created(&visitor, &form)).await;
    sent(&visitor, &form, done, async |asked| listed(&visitor, asked).await).await
}

async fn created(visitor: &Visitor, form: &Form) -> Result<Answer, Refusal> {
    let t = visitor.t;
    let new = typed(visitor, form)?;
    let made = visitor.app.auth.create_webhook(&visitor.principal, new, visitor.now).await;
    let (webhook, secret) = made.map_err(|error| Refusal::of(error, t))?;
    let facts = html! {
        p { (t.webhook_secret_text) }
        p { a href=(format!("{ALL}/{}", webhook.id)) { (webhook.url) } }
    };
    Ok(once(visitor, Place::Webhooks, t.made, &[(t.webhook_secret, secret.reveal())], &facts))
}
