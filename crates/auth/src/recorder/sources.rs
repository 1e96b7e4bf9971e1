//! From how many addresses the use of a share is told apart on one day: what is beyond is counted together, so that a
//! sharee with many addresses does not fill the store of its owner.

use std::collections::{HashMap, HashSet};
use std::ops::Bound;

use kv::{Id, Key, UsageRow, UsedFrom};

use super::UseOf;
use crate::{Auth, Error, ShareId};

/// The most users' addresses of one share and day.
const SOURCES_MAX: usize = 1_000;
/// The most that are remembered at all; beyond, they are read again when needed.
const REMEMBERED_MAX: usize = 200_000;

type Day = (ShareId, u32);

/// The addresses that are told apart.
#[derive(Debug, Default)]
pub(super) struct Sources {
    known: HashMap<Day, HashSet<(Id, UsedFrom)>>,
}

impl Sources {
    /// Whether those of this share and day are remembered.
    pub(super) fn remember(&self, of: UseOf) -> bool {
        self.known.contains_key(&(of.share, of.day))
    }

    /// The use as it is counted: with its address as long as there is room for it.
    pub(super) fn bounded(&mut self, of: UseOf) -> UseOf {
        let known = self.known.entry((of.share, of.day)).or_default();
        let source = (of.user, of.from);
        if known.contains(&source) || known.len() < SOURCES_MAX {
            known.insert(source);
            return of;
        }
        UseOf { from: UsedFrom::Others, ..of }
    }

    /// Lets go of what is of another day than `today` or the one before, and of all when it is too much.
    pub(super) fn tidy(&mut self, today: u32) {
        self.known.retain(|(_, day), _| day.abs_diff(today) <= 1);
        if self.known.values().map(HashSet::len).sum::<usize>() > REMEMBERED_MAX {
            self.known.clear();
        }
    }
}

impl Auth {
    /// Reads which addresses the store tells apart already, after a restart.
    pub(super) async fn read_sources(&self, of: UseOf, sources: &mut Sources) -> Result<(), Error> {
        let key = |day| Key::ShareUsage { share: of.share.raw(), row: UsageRow::first_of(day) };
        let end = match of.day.checked_add(1) {
            Some(next) => Bound::Excluded(key(next).encode(self.region())),
            None => key(of.day).siblings(self.region()).1,
        };
        let range = (Bound::Included(key(of.day).encode(self.region())), end);
        let rows = self.store().list(range, kv::SCAN_ENTRIES_MAX).await?;
        let mut known = HashSet::new();
        for (encoded, _) in rows {
            let row = crate::usage::row(of.share, self.region(), &encoded)?;
            if row.from != UsedFrom::Others {
                known.insert((row.user, row.from));
            }
        }
        sources.known.insert((of.share, of.day), known);
        Ok(())
    }
}
