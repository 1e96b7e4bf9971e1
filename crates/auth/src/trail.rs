//! The reading of an audit trail: filtered, in pages, newest or oldest first. Each account's is its own; an
//! administrator reads any, and that look is in the trail it read.

use std::net::IpAddr;
use std::ops::Bound;

use jiff::Timestamp;
use kv::{Direction, Id, Key, Range, decode};

use crate::events::time_ms;
use crate::lists::ROWS_EXAMINED_MAX;
use crate::{AccountId, AccountName, Auth, Error, Event, EventKind, EventResult, Principal};

/// Rows read at once.
const ROWS_AT_ONCE: usize = 500;

/// Which events are wanted: those that fit all of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of one of these kinds; none: of any.
    pub kinds: Vec<EventKind>,
    /// By whoever had this name.
    pub actor: Option<String>,
    /// About what had this name.
    pub subject: Option<String>,
    /// With this result.
    pub result: Option<EventResult>,
    /// From this address.
    pub address: Option<IpAddr>,
    /// At this instant or later.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
}

/// In which order events are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EventOrder {
    /// The last that happened comes first.
    #[default]
    NewestFirst,
    /// The first that happened comes first.
    OldestFirst,
}

/// A place in a trail: an event's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventPlace {
    time_ms: u64,
    event: Id,
}

/// A page of a trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPage {
    /// The events, each with its place.
    pub events: Vec<(EventPlace, Event)>,
    /// Where to go on; `None`: that was all. A page may be short, or empty, and go on all the same: so many were looked
    /// at that did not fit.
    pub next: Option<EventPlace>,
}

impl EventFilter {
    fn fits(&self, event: &Event) -> bool {
        let kind = self.kinds.is_empty() || self.kinds.contains(&event.kind);
        let actor = self.actor.as_ref().is_none_or(|actor| *actor == event.actor.name);
        let subject = self.subject.as_ref().is_none_or(|subject| *subject == event.subject);
        let result = self.result.is_none_or(|result| result == event.result);
        let address = self.address.is_none_or(|address| Some(address.to_canonical()) == event.actor.address);
        let from = self.from.is_none_or(|from| event.at >= from);
        let to = self.to.is_none_or(|to| event.at < to);
        kind && actor && subject && result && address && from && to
    }
}

const TIME_DIGITS: usize = 16;
const ID_DIGITS: usize = 14;

impl std::fmt::Display for EventPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}{:014x}", self.time_ms, self.event.get())
    }
}

impl EventPlace {
    /// The place that a text stands for.
    #[must_use]
    pub fn parse(text: &str) -> Option<EventPlace> {
        let digits = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !digits || text.len() != TIME_DIGITS + ID_DIGITS {
            return None;
        }
        let (time, event) = text.split_at(TIME_DIGITS);
        let time_ms = u64::from_str_radix(time, 16).ok()?;
        Some(EventPlace { time_ms, event: Id::new(u64::from_str_radix(event, 16).ok()?)? })
    }

    /// The place in the tail of a [`Key::Event`].
    fn from_tail(tail: &[u8]) -> Option<EventPlace> {
        let (time, event) = tail.split_at_checked(8)?;
        Some(EventPlace { time_ms: u64::from_be_bytes(time.try_into().ok()?), event: Id::from_tail(event)? })
    }

    fn key(self, account: AccountId) -> Key<'static> {
        Key::Event { account: account.raw(), time_ms: self.time_ms, event: self.event }
    }
}

impl Auth {
    /// The events of `account`'s trail that fit `filter`, at most `limit`, those after `after` in that order. For the
    /// account itself, and for administrators.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`] for a user of the account.
    pub async fn list_events(
        &self,
        p: &Principal,
        account: &AccountName,
        filter: &EventFilter,
        (order, after, limit): (EventOrder, Option<EventPlace>, usize),
        now: Timestamp,
    ) -> Result<EventPage, Error> {
        let (id, _) = self.managed_account(p, account).await?;
        if p.account() != Some(id) {
            // Not after the look, and not perhaps.
            self.note_trail_read(p, id, account.to_string(), now);
            self.flush(now).await?;
        }
        let mut range = self.event_range(id, filter, order, after);
        let (mut events, mut examined) = (Vec::new(), 0);
        let mut last: Option<EventPlace> = None;
        loop {
            let rows = self.scan_events(range.clone(), order).await?;
            for (encoded, entry) in &rows {
                let key = Key::Event { account: id.raw(), time_ms: 0, event: Id::MIN };
                let place = EventPlace::from_tail(key.tail(self.region(), encoded)?);
                let place = place.ok_or_else(|| kv::Error::Corrupt { what: format!("{key:?}'s tail") })?;
                let event = decode::<Event>(place.key(id), entry)?.value;
                if filter.fits(&event) {
                    if events.len() == limit {
                        return Ok(EventPage { events, next: last });
                    }
                    events.push((place, event));
                }
                last = Some(place);
            }
            examined += rows.len();
            match rows.last() {
                Some((encoded, _)) if rows.len() == ROWS_AT_ONCE => {
                    let beyond = Bound::Excluded(encoded.clone());
                    range = match order {
                        EventOrder::NewestFirst => (range.0, beyond),
                        EventOrder::OldestFirst => (beyond, range.1),
                    };
                }
                _ => return Ok(EventPage { events, next: None }),
            }
            if examined >= ROWS_EXAMINED_MAX {
                return Ok(EventPage { events, next: last });
            }
        }
    }

    async fn scan_events(
        &self,
        range: Range,
        order: EventOrder,
    ) -> Result<Vec<(Vec<u8>, kv::Entry)>, kv::Error> {
        match Direction::from(order) {
            Direction::Forward => self.store().list(range, ROWS_AT_ONCE).await,
            Direction::Backward => self.store().list_backward(range, ROWS_AT_ONCE).await,
        }
    }

    fn event_range(
        &self,
        account: AccountId,
        filter: &EventFilter,
        order: EventOrder,
        after: Option<EventPlace>,
    ) -> Range {
        let key = |time_ms, event| EventPlace { time_ms, event }.key(account);
        let encoded = |key: Key<'_>| key.encode(self.region());
        let (mut start, mut end) = key(0, Id::MIN).siblings(self.region());
        if let Some(from) = filter.from {
            start = Bound::Included(encoded(key(time_ms(from), Id::MIN)));
        }
        // Of the millisecond that it lies in, the filter says which are before it.
        if let Some(next) = filter.to.and_then(|to| time_ms(to).checked_add(1)) {
            end = Bound::Excluded(encoded(key(next, Id::MIN)));
        }
        match (after.map(|after| encoded(after.key(account))), order) {
            (None, _) => {}
            (Some(after), EventOrder::NewestFirst) => end = nearer(end, after, false),
            (Some(after), EventOrder::OldestFirst) => start = nearer(start, after, true),
        }
        (start, end)
    }
}

/// The bound that leaves less: the one that a filter gave, or the place to go on at.
fn nearer(bound: Bound<Vec<u8>>, place: Vec<u8>, is_start: bool) -> Bound<Vec<u8>> {
    match &bound {
        Bound::Included(key) | Bound::Excluded(key) if (*key > place) == is_start => bound,
        _ => Bound::Excluded(place),
    }
}

impl From<EventOrder> for Direction {
    fn from(order: EventOrder) -> Direction {
        match order {
            EventOrder::NewestFirst => Direction::Backward,
            EventOrder::OldestFirst => Direction::Forward,
        }
    }
}
