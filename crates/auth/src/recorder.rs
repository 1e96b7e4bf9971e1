//! What changes nothing and is to be known all the same (sign-ins, tokens, pulls, refusals) on its way to the audit
//! trail, and what is used under shares on its way to its counters.
//!
//! Taking something down stands in the path of every pull: it is a short lock, and never waits. Once a second
//! [`Auth::flush`](crate::Auth::flush) writes what came; a crash loses at most that. Equal events within a minute are
//! one event that is counted, so that ten thousand sign-ins a second are not as many records.
//!
//! All of it is bounded. What is beyond the bounds is counted, and the count is an event of its own.

mod flush;
mod ledger;
mod notes;
mod sources;

pub use flush::Flushed;
pub use notes::RefusedChange;
pub(crate) use notes::{Refused, with_token};

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::events::time_ms;
use crate::{AccountId, Actor, Event, EventKind, EventResult, PrincipalId, RepositoryId, ShareId};
use ledger::Ledger;

/// The most distinct events, uses, and refusals to be looked at, each, that are held between two flushes.
const FRESH_MAX: usize = 100_000;
/// The most distinct events in one account's trail between two flushes, and within a minute: none leaves the others
/// without room.
const EVENTS_PER_ACCOUNT_MAX: usize = 20_000;
/// The most addresses that refused strangers are told apart by between two flushes, and within a minute.
const STRANGERS_MAX: usize = 1_000;
/// The longest detail of an event, in characters: what a token grants may be long.
const DETAIL_CHARACTERS_MAX: usize = 1_000;

/// An event without its time: what is the same is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct What {
    account: AccountId,
    kind: EventKind,
    actor: Actor,
    subject: String,
    detail: String,
    result: EventResult,
}

impl From<Event> for What {
    fn from(event: Event) -> What {
        let Event { account, kind, actor, subject, detail, result, .. } = event;
        let detail = match detail.char_indices().nth(DETAIL_CHARACTERS_MAX) {
            Some((end, _)) => format!("{}…", &detail[..end]),
            None => detail,
        };
        What { account, kind, actor, subject, detail, result }
    }
}

/// How often, and when first.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// The event's: made when it was taken down, so that a trail is in that order.
    event: kv::Id,
    at: Timestamp,
    count: u64,
}

impl Seen {
    fn new(at: Timestamp, count: u64) -> Seen {
        Seen { event: kv::Id::in_order(time_ms(at)), at, count }
    }

    fn add(&mut self, other: Seen) {
        self.count = self.count.saturating_add(other.count);
    }
}

/// What usage is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct UseOf {
    share: ShareId,
    /// In UTC, counted from 1970-01-01.
    day: u32,
    user: kv::Id,
    from: kv::UsedFrom,
}

#[derive(Debug, Clone, Copy)]
struct Used {
    pulls: u64,
    bytes: u64,
    last_at: Timestamp,
}

impl Used {
    fn add(&mut self, other: Used) {
        self.pulls = self.pulls.saturating_add(other.pulls);
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.last_at = self.last_at.max(other.last_at);
    }
}

/// A refused pull of a repository that exists. Whether its owner is to hear of it depends on whether there was a share
/// with the account, which is found out later: the refusal itself must not take longer for a repository that exists.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct RefusedPull {
    repository: RepositoryId,
    owner: AccountId,
    grantee: AccountId,
    what: What,
}

/// Refused sign-ins under names, or with keys and tokens, that no account has, by where they came from: no trail is theirs,
/// the log has them. The name is kept nowhere, for people type passwords there.
type Strangers = HashMap<Option<IpAddr>, u64>;

/// What came since the last flush.
#[derive(Debug, Default)]
struct Fresh {
    events: HashMap<What, Seen>,
    /// How many of them are in each account's trail.
    held: HashMap<AccountId, usize>,
    uses: HashMap<UseOf, Used>,
    refused_pulls: HashMap<RefusedPull, Seen>,
    strangers: Strangers,
    /// What found no room, by the account whose trail, or share, it would have been in.
    lost: HashMap<AccountId, u64>,
}

/// Takes down what is to be written.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    fresh: Mutex<Fresh>,
    ledger: tokio::sync::Mutex<Ledger>,
}

impl Recorder {
    fn lock(&self) -> MutexGuard<'_, Fresh> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Fresh {
        std::mem::take(&mut *self.lock())
    }

    /// Takes an event down.
    pub(crate) fn event(&self, event: Event) {
        let seen = Seen::new(event.at, event.count);
        let what = What::from(event);
        let account = what.account;
        let mut fresh = self.lock();
        let Fresh { events, held, .. } = &mut *fresh;
        let held = held.entry(account).or_default();
        let has_room = *held < EVENTS_PER_ACCOUNT_MAX && events.len() < FRESH_MAX;
        match events.entry(what) {
            Entry::Occupied(mut known) => known.get_mut().add(seen),
            Entry::Vacant(new) if has_room => {
                *held += 1;
                new.insert(seen);
            }
            Entry::Vacant(_) => fresh.lose(account, seen.count),
        }
    }

    fn refused_pull(&self, refused: RefusedPull, at: Timestamp) {
        let mut fresh = self.lock();
        let has_room = fresh.refused_pulls.len() < FRESH_MAX;
        let seen = Seen::new(at, 1);
        match fresh.refused_pulls.entry(refused) {
            Entry::Occupied(mut known) => known.get_mut().add(seen),
            Entry::Vacant(new) if has_room => {
                new.insert(seen);
            }
            // Nobody lost it: it is not even known to be an event.
            Entry::Vacant(_) => {}
        }
    }

    fn stranger(&self, from: Option<IpAddr>) {
        count_stranger(&mut self.lock().strangers, from, 1, STRANGERS_MAX);
    }

    fn used(&self, of: UseOf, owner: AccountId, used: Used) {
        let mut fresh = self.lock();
        let has_room = fresh.uses.len() < FRESH_MAX;
        match fresh.uses.entry(of) {
            Entry::Occupied(mut known) => known.get_mut().add(used),
            Entry::Vacant(new) if has_room => {
                new.insert(used);
            }
            Entry::Vacant(_) => fresh.lose(owner, 1),
        }
    }
}

impl Fresh {
    fn lose(&mut self, account: AccountId, count: u64) {
        let lost = self.lost.entry(account).or_default();
        *lost = lost.saturating_add(count);
    }
}

/// Counts strangers' sign-ins; where there is no room for another address, under none.
fn count_stranger(strangers: &mut Strangers, from: Option<IpAddr>, count: u64, max: usize) {
    let has_room = strangers.len() < max || strangers.contains_key(&from);
    let counted = strangers.entry(from.filter(|_| has_room)).or_default();
    *counted = counted.saturating_add(count);
}

/// Whose use it is, under which share.
fn use_of(share: ShareId, id: PrincipalId, address: Option<IpAddr>, at: Timestamp) -> UseOf {
    let user = id.user.map_or(kv::Id::MIN, crate::UserId::raw);
    UseOf { share, day: day_of(at), user, from: kv::UsedFrom::address(address) }
}

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The day in UTC, counted from 1970-01-01; before that nothing happened.
pub(crate) fn day_of(at: Timestamp) -> u32 {
    u32::try_from(at.as_second().div_euclid(DAY_SECONDS)).unwrap_or(0)
}
