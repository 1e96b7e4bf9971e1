//! The writing of what was taken down, in bounded commits, each of which may be the last.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;
use kv::{Key, Transaction, UsageRow, Use};

use super::ledger::{Ledger, Row};
use super::{RefusedPull, Seen, UseOf, Used, What};
use crate::{Auth, Error, Event, ShareId};

/// The most events that one commit writes.
const EVENTS_AT_ONCE: usize = 1_000;
/// The most uses, each of which is up to two counters.
const USES_AT_ONCE: usize = 500;
/// The most refused pulls that are looked at with one read.
const REFUSED_PULLS_AT_ONCE: usize = 500;

/// What a flush found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Events that were written, those that are counted once more among them.
    pub events: usize,
    /// Uses of shares that were written.
    pub uses: usize,
    /// Events and uses that found no room: to be told to the operator. They stand in their accounts' trails too.
    pub lost: u64,
    /// Where sign-ins were refused from, if that is known, under names that no account has, and how many: to be told to
    /// the operator, for an address at most once a minute. They stand in no trail.
    pub strangers: Vec<(Option<IpAddr>, u64)>,
}

impl Auth {
    /// Writes what was taken down since the last time: to be called once a second, and before the end. What could not
    /// be written is tried again the next time.
    ///
    /// # Errors
    /// As the store.
    pub async fn flush(&self, now: Timestamp) -> Result<Flushed, Error> {
        let recorder = self.recorder();
        // One at a time: what is folded belongs to whoever writes it.
        let mut ledger = recorder.ledger.lock().await;
        ledger.merge(recorder.take(), now);
        self.look_at_refused_pulls(&mut ledger).await?;
        let events = self.write_events(&mut ledger).await?;
        self.bound_sources(&mut ledger, now).await?;
        let uses = self.write_uses(&mut ledger).await?;
        let (lost, strangers) = (ledger.take_lost(), ledger.take_strangers(now));
        Ok(Flushed { events, uses, lost, strangers })
    }

    /// Makes events of the refused pulls by those who once had a share.
    async fn look_at_refused_pulls(&self, ledger: &mut Ledger) -> Result<(), Error> {
        while !ledger.refused_pulls.is_empty() {
            let some: Vec<(RefusedPull, Seen)> = ledger
                .refused_pulls
                .iter()
                .take(REFUSED_PULLS_AT_ONCE)
                .map(|(refused, seen)| (refused.clone(), *seen))
                .collect();
            let keys: Vec<_> = some.iter().flat_map(|(refused, _)| traces(refused)).collect();
            let found = self.store().get_many(&keys).await?;
            for ((refused, seen), traces) in some.into_iter().zip(found.chunks(2)) {
                ledger.refused_pulls.remove(&refused);
                if traces.iter().any(Option::is_some) {
                    ledger.add(refused.what, seen);
                }
            }
        }
        Ok(())
    }

    async fn write_events(&self, ledger: &mut Ledger) -> Result<usize, Error> {
        let mut written = 0;
        loop {
            let some = ledger.unwritten(EVENTS_AT_ONCE);
            if some.is_empty() {
                return Ok(written);
            }
            let mut tx = self.store().transaction();
            for (what, row) in &some {
                let event = event(what, *row);
                // The same key as before, where it is counted once more. Nobody else writes it.
                event.put(&mut tx, row.event)?;
            }
            self.store().commit(tx).await?;
            ledger.written(&some);
            written += some.len();
        }
    }

    /// Settles from where the uses are counted.
    async fn bound_sources(&self, ledger: &mut Ledger, now: Timestamp) -> Result<(), Error> {
        ledger.sources.tidy(super::day_of(now));
        while let Some((of, used)) = ledger.uses_seen.first_key_value().map(|(of, used)| (*of, *used)) {
            if !ledger.sources.remember(of) {
                self.read_sources(of, &mut ledger.sources).await?;
            }
            let counted = ledger.sources.bounded(of);
            ledger.uses_seen.remove(&of);
            ledger.uses.entry(counted).and_modify(|known| known.add(used)).or_insert(used);
        }
        Ok(())
    }

    async fn write_uses(&self, ledger: &mut Ledger) -> Result<usize, Error> {
        let mut last_uses: BTreeMap<ShareId, Timestamp> = BTreeMap::new();
        for (of, used) in &ledger.uses {
            let last = last_uses.entry(of.share).or_insert(used.last_at);
            *last = used.last_at.max(*last);
        }
        let mut written = 0;
        while !ledger.uses.is_empty() {
            let some: Vec<_> = ledger.uses.iter().take(USES_AT_ONCE).map(|(of, used)| (*of, *used)).collect();
            let mut tx = self.store().transaction();
            let mut totals: BTreeMap<ShareId, Used> = BTreeMap::new();
            for (of, used) in &some {
                self.add_use(&mut tx, *of, *used);
                totals.entry(of.share).and_modify(|total| total.add(*used)).or_insert(*used);
            }
            let days: BTreeSet<_> = some.iter().map(|(of, _)| (of.share, of.day)).collect();
            for (share, day) in days {
                crate::usage::note_used_on(&mut tx, day, share);
            }
            for (share, total) in totals {
                add(&mut tx, Key::ShareTotal { share: share.raw(), which: Use::Pulls }, total.pulls);
                add(&mut tx, Key::ShareTotal { share: share.raw(), which: Use::Bytes }, total.bytes);
                let last = last_uses.get(&share).unwrap_or(&total.last_at);
                tx.put(Key::ShareLastUse { share: share.raw() }, last)?;
            }
            if self.finish(tx, ()).await?.is_none() {
                return Err(Error::Busy);
            }
            for (of, _) in &some {
                ledger.uses.remove(of);
            }
            written += some.len();
        }
        Ok(written)
    }

    fn add_use(&self, tx: &mut Transaction, of: UseOf, used: Used) {
        let UseOf { share, day, user, from } = of;
        for (which, delta) in [(Use::Pulls, used.pulls), (Use::Bytes, used.bytes)] {
            let row = UsageRow { day, user, from, node: self.settings().node, which };
            add(tx, Key::ShareUsage { share: share.raw(), row }, delta);
        }
    }
}

fn add(tx: &mut Transaction, key: Key<'_>, delta: u64) {
    if delta > 0 {
        tx.add(key, i64::try_from(delta).unwrap_or(i64::MAX), 0..=i64::MAX);
    }
}

/// Where a share with the account, open or not, left a trace.
fn traces(refused: &RefusedPull) -> [Key<'static>; 2] {
    let (repository, grantee) = (refused.repository.raw(), refused.grantee.raw());
    [Key::ShareOf { repository, grantee }, Key::FormerShare { repository, grantee }]
}

fn event(what: &What, row: Row) -> Event {
    let What { account, kind, actor, subject, detail, result } = what.clone();
    Event { account, kind, actor, subject, at: row.at, detail, result, count: row.count }
}
