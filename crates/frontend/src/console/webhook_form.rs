//! The form of a webhook: what one shall be that is made, and what another one of it shall be.

use auth::{NewWebhook, NoticeKind, Webhook, WebhookChange, WebhookUrl};
use maud::{Markup, html};

use super::forms::{Asked, Refusal, described};
use super::made_once::number;
use super::page::form_token;
use super::problem::Wrong;
use super::text::fill;
use super::visitor::{Form, Visitor};
use super::webhooks::kind_text;

/// Where the form goes, what its button says and does, and where it leads when it is cancelled.
pub(super) struct Sends<'a> {
    pub(super) to: &'a str,
    pub(super) action: &'a str,
    pub(super) button: &'a str,
    pub(super) back: &'a str,
}

/// The form; `now` is the webhook that is changed.
pub(super) fn form(visitor: &Visitor, asked: Asked<'_>, now: Option<&Webhook>, sends: &Sends<'_>) -> Markup {
    let t = visitor.t;
    let url = asked.typed_or("url", now.map_or("", |webhook| webhook.url.as_str()));
    let description = asked.typed_or("description", now.map_or("", |webhook| webhook.description.as_str()));
    let wanted = |kind| now.is_some_and(|webhook| webhook.kinds.contains(&kind));
    html! {
        (asked.whole_error())
        form.panel method="post" action=(sends.to) {
            (form_token(&visitor.form_token))
            // A secret is made with a new one alone.
            @if now.is_none() { (number()) }
            (asked.field("url", t.webhook_url, Some(t.webhook_url_hint.to_owned())).line("url", url, "off"))
            fieldset.field aria-describedby=(if asked.error("event").is_some() { "event-hint event-error" } else { "event-hint" }) {
                legend { (t.webhook_events) }
                @for kind in NoticeKind::ALL {
                    div {
                        label.check {
                            input type="checkbox" name="event" value=(kind.as_str())
                                checked[asked.ticked_or("event", kind.as_str(), wanted(kind))];
                            (kind_text(t, kind)) " " code { (kind.as_str()) }
                        }
                    }
                }
                p.hint id="event-hint" { (t.webhook_events_hint) }
                @if let Some(error) = asked.error("event") { p.error id="event-error" { (error) } }
            }
            (asked.field("description", t.description, Some(t.token_description_hint.to_owned()))
                .line("text", description, "off"))
            div.bar {
                button type="submit" name="action" value=(sends.action) { (sends.button) }
                a.button.plain href=(sends.back) { (t.cancel) }
            }
        }
    }
}

/// What was typed.
pub(super) fn typed(visitor: &Visitor, form: &Form) -> Result<NewWebhook, Refusal> {
    let url = form.get("url").trim();
    if url.is_empty() {
        return Err(Wrong::of("url", visitor.t.required).into());
    }
    let known = |word: &str| NoticeKind::ALL.into_iter().any(|kind| kind.as_str() == word);
    if let Some(word) = form.all("event").find(|word| !known(word)) {
        return Err(Wrong::of("event", fill(visitor.t.webhook_event_wrong, &[("word", &word)])).into());
    }
    Ok(NewWebhook {
        url: WebhookUrl::parse(url).map_err(|error| Refusal::of(error, visitor.t))?,
        kinds: NoticeKind::ALL
            .into_iter()
            .filter(|kind| form.all("event").any(|word| word == kind.as_str()))
            .collect(),
        description: described(visitor, form)?,
    })
}

/// What differs from what the webhook is, if anything does: one that goes where it went is not tried sooner for that.
pub(super) fn change(now: &Webhook, typed: NewWebhook) -> Option<WebhookChange> {
    let change = WebhookChange {
        url: Some(typed.url).filter(|url| *url != now.url),
        kinds: Some(typed.kinds).filter(|kinds| *kinds != now.kinds),
        description: Some(typed.description).filter(|text| *text != now.description),
        enabled: None,
    };
    let differs = change.url.is_some() || change.kinds.is_some() || change.description.is_some();
    differs.then_some(change)
}
