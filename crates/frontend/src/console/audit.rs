//! The audit trail of the visitor's account: newest first, filtered, a page at a time.

use auth::{Event, EventFilter, EventKind, EventOrder, EventPlace, EventResult};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::details::event_detail;
use super::event_words::event_text;
use super::forms::ended;
use super::list::{ROWS_A_PAGE, pager};
use super::page::{Answer, Field, Place, end_of, page, time};
use super::problem::{Problem, Wrong};
use super::share_form::error_of;
use super::table::{column, heading, number, table, words};
use super::text::{Texts, fill};
use super::visitor::{Visitor, parameter};

const ALL: &str = "/console/audit";
/// The names of the filters, as the address has them.
const FILTERS: [&str; 7] = ["kind", "actor", "subject", "result", "address", "from", "until"];

/// `GET /console/audit`.
pub(super) async fn show(visitor: Visitor) -> Answer {
    ended(&visitor, shown(&visitor).await)
}

async fn shown(visitor: &Visitor) -> Result<Answer, Problem> {
    let t = visitor.t;
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let account = p.account_name().ok_or(Problem::Forbidden)?;
    let after = visitor.query.get("after").and_then(EventPlace::parse);
    let (filter, wrong) = match filter(visitor) {
        Ok(filter) => (filter, None),
        Err(wrong) => (EventFilter::default(), Some(wrong)),
    };
    // Asked for in any case: whoever may not read the trail sees no form either.
    let limit = if wrong.is_some() { 1 } else { ROWS_A_PAGE };
    let found = auth.list_events(p, account, &filter, (EventOrder::NewestFirst, after, limit), now).await?;
    let content = html! {
        (form(visitor, wrong.as_ref()))
        @if wrong.is_none() {
            @if found.events.is_empty() {
                div.empty { p { (if found.next.is_some() { t.events_further } else { t.nothing_found }) } p { a href=(ALL) { (t.clear) } } }
            } @else { (listed(visitor, found.events.iter().map(|(_, event)| event))) }
            (pager(visitor, &address(visitor), found.next.map(|next| next.to_string()).as_deref()))
        }
    };
    Ok(page(visitor, Place::Audit, t.audit, &content))
}

/// The same list, from its beginning.
fn address(visitor: &Visitor) -> String {
    let given = FILTERS.into_iter().filter_map(|name| Some((name, visitor.query.get(name)?)));
    let given: Vec<_> = given.map(|(name, value)| format!("{name}={}", parameter(value))).collect();
    if given.is_empty() { ALL.to_owned() } else { format!("{ALL}?{}", given.join("&")) }
}

fn filter(visitor: &Visitor) -> Result<EventFilter, Wrong> {
    let (t, query) = (visitor.t, &visitor.query);
    let typed = |name| query.get(name).map(str::trim).filter(|text| !text.is_empty());
    let day = |name: &'static str, instant: fn(Date, &TimeZone) -> Option<Timestamp>| {
        let Some(text) = typed(name) else { return Ok(None) };
        let date: Option<Date> = text.parse().ok().filter(|_| text.len() == 10);
        let at = date.and_then(|date| instant(date, &visitor.zone));
        at.map(Some).ok_or_else(|| Wrong::of(name, t.deadline_unreadable))
    };
    let kind = match typed("kind") {
        None => Vec::new(),
        Some(word) => vec![EventKind::parse(word).ok_or_else(|| Wrong::of("kind", t.event_kind_wrong))?],
    };
    let result = match typed("result") {
        None => None,
        Some(word) => {
            let found = EventResult::ALL.iter().copied().find(|result| result.as_str() == word);
            Some(found.ok_or_else(|| Wrong::of("result", t.event_result_wrong))?)
        }
    };
    let from = day("from", |date, zone| zone.to_timestamp(date.at(0, 0, 0, 0)).ok())?;
    let to = day("until", end_of)?;
    if from.zip(to).is_some_and(|(from, to)| from >= to) {
        return Err(Wrong::of("until", t.until_before_from));
    }
    let address_of = |text: &str| text.parse().map_err(|_| Wrong::of("address", t.address_wrong));
    Ok(EventFilter {
        kinds: kind,
        actor: typed("actor").map(str::to_owned),
        subject: typed("subject").map(str::to_owned),
        result,
        address: typed("address").map(address_of).transpose()?,
        from,
        to,
    })
}

fn form(visitor: &Visitor, wrong: Option<&Wrong>) -> Markup {
    let t = visitor.t;
    let typed = |name| visitor.query.get(name).unwrap_or_default();
    let field = |name: &'static str, label: &'static str, hint: Option<&'static str>| Field {
        name,
        label,
        hint: hint.map(str::to_owned),
        error: error_of(wrong, name),
    };
    let mut kinds = vec![("", t.any)];
    kinds.extend(EventKind::ALL.iter().map(|kind| (kind.as_str(), event_text(t, *kind))));
    let mut results = vec![("", t.any)];
    results.extend(EventResult::ALL.iter().map(|result| (result.as_str(), result_text(t, *result))));
    let zone = visitor.zone.iana_name().unwrap_or("UTC");
    html! {
        form.panel.filters method="get" action=(ALL) role="search" {
            (field("kind", t.event, None).select(&kinds, typed("kind")))
            (field("actor", t.actor, Some(t.actor_hint)).line("text", typed("actor"), "off"))
            (field("subject", t.subject, Some(t.subject_hint)).line("text", typed("subject"), "off"))
            (field("result", t.result, None).select(&results, typed("result")))
            (field("address", t.address, None).line("text", typed("address"), "off"))
            (field("from", t.from_day, None).line("date", typed("from"), "off"))
            (field("until", t.until_day, None).line("date", typed("until"), "off"))
            div.bar {
                button type="submit" { (t.search) }
                a.button.plain href=(ALL) { (t.clear) }
                span.hint { (fill(t.days_in_zone, &[("zone", &zone)])) }
            }
        }
    }
}

fn result_text(t: &'static Texts, result: EventResult) -> &'static str {
    match result {
        EventResult::Ok => t.result_ok,
        EventResult::Denied => t.result_denied,
        EventResult::Failed => t.result_failed,
    }
}

fn listed<'e>(visitor: &Visitor, events: impl Iterator<Item = &'e Event>) -> Markup {
    let t = visitor.t;
    let columns = [
        column(t.at_time),
        heading(t.event),
        words(t.actor),
        column(t.subject),
        column(t.result),
        words(t.address),
        column(t.detail),
        number(t.count),
    ];
    table(t, &columns, events.map(|event| line(visitor, event)))
}

fn line(visitor: &Visitor, event: &Event) -> Vec<Markup> {
    let t = visitor.t;
    vec![
        time(event.at, &visitor.zone),
        html! { span title=(event.kind.as_str()) { (event_text(t, event.kind)) } },
        html! { (event.actor.name) },
        html! { (event.subject) },
        html! { (result_text(t, event.result)) },
        html! { @if let Some(address) = event.actor.address { (address) } },
        event_detail(visitor, event),
        html! { (event.count) },
    ]
}
