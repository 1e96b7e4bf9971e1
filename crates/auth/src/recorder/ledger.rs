//! What is to be written, and what was written within the last minute and may still be counted on: the folding and its
//! bounds, without a store.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use kv::Id;

use super::sources::Sources;
use super::{
    EVENTS_PER_ACCOUNT_MAX, Fresh, RefusedPull, STRANGERS_MAX, Seen, Strangers, UseOf, Used, What,
    count_stranger,
};
use crate::{AccountId, Actor, EventKind, EventResult};

/// For how long the same is counted in one event.
const FOLD_FOR: SignedDuration = SignedDuration::from_secs(60);
/// The most distinct events of a minute, over all accounts.
const EVENTS_MAX: usize = 100_000;
/// The most refusals of a minute in one account's trail that are told apart: strangers must not fill it.
const REFUSALS_PER_ACCOUNT_MAX: usize = 60;
/// How many refused pulls wait to be looked at.
const REFUSED_PULLS_MAX: usize = 100_000;

/// An event on its way to the store, or there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) event: Id,
    pub(super) at: Timestamp,
    pub(super) count: u64,
    /// Whether the store has it like this.
    pub(super) is_written: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Held {
    rows: usize,
    refusals: usize,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) rows: HashMap<What, Row>,
    held: HashMap<AccountId, Held>,
    pub(super) refused_pulls: HashMap<RefusedPull, Seen>,
    /// As they came: where from is not bounded yet.
    pub(super) uses_seen: BTreeMap<UseOf, Used>,
    /// As they are written.
    pub(super) uses: BTreeMap<UseOf, Used>,
    pub(super) sources: Sources,
    strangers: Strangers,
    /// Which of them were told within the last minute.
    strangers_told: HashMap<Option<IpAddr>, Timestamp>,
    /// What found no room since it was last told.
    lost: u64,
}

impl Ledger {
    /// Takes over what came.
    pub(super) fn merge(&mut self, fresh: Fresh, now: Timestamp) {
        self.forget(now);
        for (what, seen) in fresh.events {
            self.add(what, seen);
        }
        for (refused, seen) in fresh.refused_pulls {
            if let Some(known) = self.refused_pulls.get_mut(&refused) {
                known.add(seen);
            } else if self.refused_pulls.len() < REFUSED_PULLS_MAX {
                self.refused_pulls.insert(refused, seen);
            }
        }
        for (of, used) in fresh.uses {
            self.uses_seen.entry(of).and_modify(|known| known.add(used)).or_insert(used);
        }
        let max = STRANGERS_MAX.saturating_sub(self.strangers_told.len());
        for (from, count) in fresh.strangers {
            let max = if self.strangers_told.contains_key(&from) { usize::MAX } else { max };
            count_stranger(&mut self.strangers, from, count, max);
        }
        for (account, count) in fresh.lost {
            self.lose(account, Seen::new(now, count));
        }
    }

    /// Forgets what was written and has had its minute.
    fn forget(&mut self, now: Timestamp) {
        let over = |row: &Row| now.duration_since(row.at).abs() >= FOLD_FOR;
        self.rows.retain(|_, row| !(row.is_written && over(row)));
        self.held.clear();
        for what in self.rows.keys() {
            hold(&mut self.held, what);
        }
    }

    /// Counts an event.
    pub(super) fn add(&mut self, what: What, seen: Seen) {
        if self.count(&what, seen) {
            return;
        }
        let held = self.held.get(&what.account).copied().unwrap_or_default();
        if is_refusal(&what) && held.refusals >= REFUSALS_PER_ACCOUNT_MAX {
            return self.insert(others(what), seen);
        }
        if self.rows.len() >= EVENTS_MAX || held.rows >= EVENTS_PER_ACCOUNT_MAX {
            return self.lose(what.account, seen);
        }
        self.insert(what, seen);
    }

    fn count(&mut self, what: &What, seen: Seen) -> bool {
        let Some(row) = self.rows.get_mut(what) else { return false };
        row.count = row.count.saturating_add(seen.count);
        row.is_written = false;
        true
    }

    /// Counts or adds, whatever the bounds.
    fn insert(&mut self, what: What, seen: Seen) {
        if !self.count(&what, seen) {
            hold(&mut self.held, &what);
            let Seen { event, at, count } = seen;
            self.rows.insert(what, Row { event, at, count, is_written: false });
        }
    }

    /// There is one such event for an account and minute, so their number needs no bound of its own.
    fn lose(&mut self, account: AccountId, seen: Seen) {
        self.lost = self.lost.saturating_add(seen.count);
        let what = What {
            account,
            kind: EventKind::EventsLost,
            actor: Actor::server(),
            subject: "audit".to_owned(),
            detail: String::new(),
            result: EventResult::Failed,
        };
        self.insert(what, seen);
    }

    /// How many were lost since this was last asked.
    pub(super) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// The refused strangers that are to be told: those from one address at once, and how many followed a minute later.
    pub(super) fn take_strangers(&mut self, now: Timestamp) -> Vec<(Option<IpAddr>, u64)> {
        self.strangers_told.retain(|_, at| now.duration_since(*at).abs() < FOLD_FOR);
        let told = &mut self.strangers_told;
        let mut due: Vec<_> = self.strangers.extract_if(|from, _| !told.contains_key(from)).collect();
        due.sort_unstable();
        told.extend(due.iter().map(|(from, _)| (*from, now)));
        due
    }

    /// At most `limit` events that are still to be written.
    pub(super) fn unwritten(&self, limit: usize) -> Vec<(What, Row)> {
        let unwritten = self.rows.iter().filter(|(_, row)| !row.is_written);
        unwritten.take(limit).map(|(what, row)| (what.clone(), *row)).collect()
    }

    /// Notes that these are in the store.
    pub(super) fn written(&mut self, events: &[(What, Row)]) {
        for (what, _) in events {
            if let Some(row) = self.rows.get_mut(what) {
                row.is_written = true;
            }
        }
    }
}

fn hold(held: &mut HashMap<AccountId, Held>, what: &What) {
    let held = held.entry(what.account).or_default();
    held.rows += 1;
    held.refusals += usize::from(is_refusal(what));
}

fn is_refusal(what: &What) -> bool {
    what.result == EventResult::Denied
}

/// The same, not told apart from others of its kind.
fn others(what: What) -> What {
    What { actor: Actor::anybody(), subject: "several".to_owned(), detail: String::new(), ..what }
}
