//! The audit trail: who did what, when, from where, with what result.

use std::net::IpAddr;

use auth::{AccountName, DeadlineError, EventFilter, EventKind, EventOrder, EventPlace, EventResult};
use axum::Json;
use axum::extract::FromRequestParts;
use http::request::Parts;
use jiff::Timestamp;

use super::document::{Forbidden, NotFound};
use super::extract::Caller;
use super::problem::{Code, Problem, of_field, sentence};
use super::query::{Paging, Parameters};
use super::types::{self, Event, Page};

const PARAMETERS: &[&str] =
    &["account", "kind", "actor", "subject", "result", "address", "from", "to", "order", "after", "limit"];
/// The longest name that is looked for, in characters: longer than any that there is.
const NAME_CHARACTERS_MAX: usize = 512;

/// Which part of whose trail is wanted.
pub(super) struct Wanted {
    account: Option<AccountName>,
    filter: EventFilter,
    order: EventOrder,
    after: Option<EventPlace>,
    limit: usize,
}

impl<S: Sync> FromRequestParts<S> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = Parameters::of(parts, PARAMETERS)?;
        let Paging { after, limit } = query.paging()?;
        let account = query.get("account").map(AccountName::parse).transpose();
        let filter = EventFilter {
            kinds: kinds(query.get("kind"))?,
            actor: name(&query, "actor")?,
            subject: name(&query, "subject")?,
            result: query.get("result").map(result).transpose()?,
            address: query.get("address").map(address).transpose()?,
            from: instant(&query, "from")?,
            to: instant(&query, "to")?,
        };
        let order = match query.get("order") {
            None | Some("newest_first") => EventOrder::NewestFirst,
            Some("oldest_first") => EventOrder::OldestFirst,
            Some(_) => {
                let detail = "The parameter `order` must be `newest_first` or `oldest_first`.";
                return Err(Problem::new(Code::Invalid, detail).field("order"));
            }
        };
        let after = after.as_deref().map(place).transpose()?;
        Ok(Self { account: of_field("account", account)?, filter, order, after, limit })
    }
}

fn invalid(field: &'static str, detail: String) -> Problem {
    Problem::new(Code::Invalid, detail).field(field)
}

/// Kinds, with commas between.
fn kinds(text: Option<&str>) -> Result<Vec<EventKind>, Problem> {
    let parse = |word: &str| {
        EventKind::parse(word).ok_or_else(|| {
            let detail =
                "There is no such kind of event; the introduction of /api/v1/openapi.json lists them.";
            invalid("kind", detail.to_owned())
        })
    };
    text.map_or(Ok(Vec::new()), |text| text.split(',').map(parse).collect())
}

fn name(query: &Parameters, field: &'static str) -> Result<Option<String>, Problem> {
    match query.get(field) {
        Some(text) if text.is_empty() || text.chars().count() > NAME_CHARACTERS_MAX => {
            Err(invalid(field, format!("A name has 1 to {NAME_CHARACTERS_MAX} characters.")))
        }
        text => Ok(text.map(str::to_owned)),
    }
}

fn result(text: &str) -> Result<EventResult, Problem> {
    EventResult::ALL
        .iter()
        .copied()
        .find(|result| result.as_str() == text)
        .ok_or_else(|| invalid("result", "A result is `ok`, `denied` or `failed`.".to_owned()))
}

fn address(text: &str) -> Result<IpAddr, Problem> {
    text.parse().map_err(|_| invalid("address", "This is no IP address.".to_owned()))
}

fn instant(query: &Parameters, field: &'static str) -> Result<Option<Timestamp>, Problem> {
    let parse = |text| {
        auth::parse_deadline(text).map_err(|error| match error {
            DeadlineError::Malformed => invalid(field, format!("This is {error}.")),
            DeadlineError::NoSuchInstant => invalid(field, sentence(&error.to_string())),
        })
    };
    query.get(field).map(parse).transpose()
}

fn place(text: &str) -> Result<EventPlace, Problem> {
    EventPlace::parse(text)
        .ok_or_else(|| invalid("after", "Give the `next` of the page before, as it is.".to_owned()))
}

fn shown((place, event): (EventPlace, auth::Event)) -> Event {
    Event {
        id: place.to_string(),
        at: event.at,
        kind: event.kind.as_str().to_owned(),
        result: match event.result {
            EventResult::Ok => types::EventResult::Ok,
            EventResult::Denied => types::EventResult::Denied,
            EventResult::Failed => types::EventResult::Failed,
        },
        actor: event.actor.name,
        address: event.actor.address.map(|address| address.to_string()),
        subject: event.subject,
        detail: event.detail,
        count: event.count,
    }
}

/// What the document says of the kinds.
pub(super) fn kinds_described() -> String {
    let row = |kind: &EventKind| format!("| `{}` | {} |\n", kind.as_str(), kind.meaning());
    let rows: String = EventKind::ALL.iter().map(row).collect();
    format!("| kind | meaning |\n|---|---|\n{rows}")
}

/// Lists the events of your account's audit trail.
///
/// For the account itself, not for its users; an administrator may read any account's trail, which is an event in it.
/// Sign-ins, tokens, pulls and refused changes are written within a second or two; equal ones within a minute are one event
/// with a `count`. A page may be short, or empty, while `next` is there: go on.
#[utoipa::path(
    get,
    path = "/audit",
    tag = "audit",
    operation_id = "listEvents",
    params(
        ("account" = Option<String>, Query, description = "Whose trail; your own account's when absent."),
        ("kind" = Option<String>, Query, description = "Only these kinds, with commas between."),
        ("actor" = Option<String>, Query, description = "Only what this name did: `acme`, `dev@acme`."),
        ("subject" = Option<String>, Query, description = "Only what was done to this: `team-a/web`, `dev@acme`."),
        ("result" = Option<types::EventResult>, Query, description = "Only what ended so."),
        ("address" = Option<String>, Query, description = "Only what came from this IP address."),
        ("from" = Option<String>, Query, description = "Only what happened at this instant (RFC 3339) or later."),
        ("to" = Option<String>, Query, description = "Only what happened before this instant (RFC 3339)."),
        ("order" = Option<String>, Query, description = "`newest_first`, as it is without, or `oldest_first`."),
        Paging
    ),
    responses(
        (status = 200, description = "A page, in the order of time.", body = Page<Event>),
        (status = 403, response = Forbidden),
        (status = 404, response = NotFound)
    )
)]
pub(super) async fn list(caller: Caller, wanted: Wanted) -> Result<Json<Page<Event>>, Problem> {
    let Caller { app, principal, now } = caller;
    let Wanted { account, filter, order, after, limit } = wanted;
    let own = principal.account_name().cloned();
    let account = account.or(own).ok_or_else(Problem::internal)?;
    let page = app.auth.list_events(&principal, &account, &filter, (order, after, limit), now).await?;
    let next = page.next.map(|place| place.to_string());
    Ok(Json(Page { items: page.events.into_iter().map(shown).collect(), next }))
}
