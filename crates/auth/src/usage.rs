//! What was used under a share: when last, how many pulls and bytes, by whom, from where, day by day. It is for whoever
//! manages the repository; the counters are written by [`crate::recorder`].
//!
//! They belong to the share: a new one begins at nothing, and with the share's removal they are out of reach and go.
//! What was pulled under it stays in the audit trail.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use jiff::Timestamp;
use jiff::civil::Date;
use kv::{Entry, Id, Key, Range, Transaction, UsageRow, Use, UsedFrom, decode};
use oci::RepositoryName;

use crate::lists::Rows;
use crate::records::UserRecord;
use crate::{AccountId, AccountName, Action, Auth, Error, Principal, Share, ShareId, UserId};

/// Rows read at once.
const ROWS_AT_ONCE: usize = 1_000;
const EPOCH: Date = Date::constant(1970, 1, 1);

/// All that was used under a share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShareUse {
    /// When it was last used; `None`: never.
    pub last_used_at: Option<Timestamp>,
    /// Manifests that were asked for with GET.
    pub pulls: u64,
    /// Bytes of manifests and blobs that were sent.
    pub bytes: u64,
}

/// What was used on one day (in UTC) by one user from one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageOfDay {
    /// The day.
    pub day: Date,
    /// The user; `None`: the account itself.
    pub user: Option<UserId>,
    /// The name that it signs in with; `None`: it was deleted.
    pub login: Option<String>,
    /// Where from.
    pub from: UsedFrom,
    /// Manifests that were asked for with GET.
    pub pulls: u64,
    /// Bytes of manifests and blobs that were sent.
    pub bytes: u64,
    /// Where the list goes on after it.
    pub place: UsagePlace,
}

/// A place in a list of usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsagePlace(UsageRow);

/// Which part of a share's usage is wanted.
#[derive(Debug, Clone, Copy)]
pub struct UsageWanted {
    /// The first day; `None`: the first that is kept.
    pub from: Option<Date>,
    /// The last day; `None`: the last that there is.
    pub to: Option<Date>,
    /// Only what comes after this place.
    pub after: Option<UsagePlace>,
    /// The most entries.
    pub limit: usize,
}

impl UsagePlace {
    /// As text, for a caller to give back.
    #[must_use]
    pub fn to_text(self) -> String {
        self.0.to_text()
    }

    /// The place that a text stands for.
    #[must_use]
    pub fn parse(text: &str) -> Option<UsagePlace> {
        UsageRow::parse(text).map(UsagePlace)
    }
}

/// The day of a [`Key::UsedOn`] whose share is to be looked at, whenever it was used: it is gone, or nobody knows when.
pub(crate) const LOOK_AT_ONCE: u32 = 0;

/// Notes that a share has usage of `day`, which is to be forgotten one day.
pub(crate) fn note_used_on(tx: &mut Transaction, day: u32, share: ShareId) {
    tx.put_bytes(Key::UsedOn { day, share: share.raw() }, Vec::new());
}

impl Auth {
    /// What was used under the share of a repository with an account: all of it, and day by day. Needs *manage*.
    ///
    /// # Errors
    /// [`Error::NotFound`], whether there is such an account or not; [`Error::Forbidden`].
    pub async fn share_usage(
        &self,
        p: &Principal,
        name: &RepositoryName,
        grantee: &AccountName,
        wanted: UsageWanted,
        now: Timestamp,
    ) -> Result<(ShareUse, Vec<UsageOfDay>), Error> {
        let permit = self.authorize(p, name, Action::Manage, now).await?;
        let found = self.find_share(&permit, grantee).await?;
        let (share, account) = (found.id, found.record.value.grantee);
        let total = self.share_uses(&[share]).await?.remove(&share).unwrap_or_default();
        let mut days = self.usage_days(share, wanted).await?;
        self.name_users(&mut days, account, grantee).await?;
        Ok((total, days))
    }

    /// The share with what was used under it.
    pub(crate) async fn with_use(&self, share: Share) -> Result<Share, Error> {
        let used = self.share_uses(&[share.id]).await?.remove(&share.id);
        Ok(Share { used, ..share })
    }

    /// The shares with what was used under each.
    pub(crate) async fn with_uses(&self, shares: Vec<Share>) -> Result<Vec<Share>, Error> {
        let ids: Vec<_> = shares.iter().map(|share| share.id).collect();
        let mut uses = self.share_uses(&ids).await?;
        Ok(shares.into_iter().map(|share| Share { used: uses.remove(&share.id), ..share }).collect())
    }

    /// All that was used under each of some shares.
    pub(crate) async fn share_uses(&self, shares: &[ShareId]) -> Result<BTreeMap<ShareId, ShareUse>, Error> {
        let keys = |share: Id| {
            let total = |which| Key::ShareTotal { share, which };
            [total(Use::Pulls), total(Use::Bytes), Key::ShareLastUse { share }]
        };
        let mut uses = BTreeMap::new();
        for some in shares.chunks(kv::SCAN_ENTRIES_MAX / 3) {
            let all: Vec<_> = some.iter().flat_map(|share| keys(share.raw())).collect();
            let entries = self.store().get_many(&all).await?;
            for (share, entries) in some.iter().zip(entries.chunks(3)) {
                let [pulls, bytes, last] = entries else { continue };
                let last = last.as_ref().map(|entry| decode(Key::ShareLastUse { share: share.raw() }, entry));
                let last_used_at = last.transpose()?.map(|last| last.value);
                let (pulls, bytes) = (counted(pulls.as_ref())?, counted(bytes.as_ref())?);
                uses.insert(*share, ShareUse { last_used_at, pulls, bytes });
            }
        }
        Ok(uses)
    }

    async fn usage_days(&self, share: ShareId, wanted: UsageWanted) -> Result<Vec<UsageOfDay>, Error> {
        let (mut start, end) = self.usage_range(share, wanted);
        let mut days: Vec<UsageOfDay> = Vec::new();
        loop {
            let rows = self.store().list((start, end.clone()), ROWS_AT_ONCE).await?;
            for (encoded, entry) in &rows {
                let row = row(share, self.region(), encoded)?;
                let value = counted(Some(entry))?;
                if !days.last().is_some_and(|last| is_same(last.place.0, row)) {
                    if days.len() == wanted.limit {
                        return Ok(days);
                    }
                    days.push(usage_of(row));
                }
                if let Some(last) = days.last_mut() {
                    // Several nodes may have counted the same.
                    last.place = UsagePlace(row);
                    match row.which {
                        Use::Pulls => last.pulls = last.pulls.saturating_add(value),
                        Use::Bytes => last.bytes = last.bytes.saturating_add(value),
                    }
                }
            }
            match rows.last() {
                Some((last, _)) if rows.len() == ROWS_AT_ONCE => start = Bound::Excluded(last.clone()),
                _ => return Ok(days),
            }
        }
    }

    fn usage_range(&self, share: ShareId, wanted: UsageWanted) -> Range {
        let key = |row| Key::ShareUsage { share: share.raw(), row }.encode(self.region());
        let first = UsageRow::first_of(wanted.from.map_or(0, day_number));
        let start = match wanted.after {
            Some(UsagePlace(after)) if key(after) >= key(first) => Bound::Excluded(key(after)),
            _ => Bound::Included(key(first)),
        };
        let next = wanted.to.and_then(|to| day_number(to).checked_add(1));
        let end = match next {
            Some(next) => Bound::Excluded(key(UsageRow::first_of(next))),
            None => Key::ShareUsage { share: share.raw(), row: first }.siblings(self.region()).1,
        };
        (start, end)
    }

    async fn name_users(
        &self,
        days: &mut [UsageOfDay],
        account: AccountId,
        account_name: &AccountName,
    ) -> Result<(), Error> {
        let mut ids: Vec<_> = days.iter().filter_map(|day| day.user).map(UserId::raw).collect();
        ids.sort_unstable();
        ids.dedup();
        let key = |user| Key::User { account: account.raw(), user };
        let users: BTreeMap<_, _> = self.records::<UserRecord>(&ids, key).await?.into_iter().collect();
        for day in days {
            day.login = match day.user {
                None => Some(account_name.to_string()),
                Some(user) => users.get(&user.raw()).map(|record| format!("{}@{account_name}", record.name)),
            };
        }
        Ok(())
    }

    /// Removes the usage of days before the one of `before`, and all of shares that are gone; no more than `limit` rows
    /// and shares. Answers whether there may be more. What was written down of a share after its removal goes when its day
    /// does.
    ///
    /// # Errors
    /// As the store.
    pub async fn trim_usage(&self, before: Timestamp, limit: usize) -> Result<bool, Error> {
        let (limit, day) = (limit.max(1), crate::recorder::day_of(before));
        let first = Key::UsedOn { day: LOOK_AT_ONCE, share: Id::MIN }.encode(self.region());
        let end = Key::UsedOn { day: day.max(LOOK_AT_ONCE + 1), share: Id::MIN }.encode(self.region());
        let found = self.store().list((Bound::Included(first), Bound::Excluded(end)), limit).await?;
        let rows: Result<Vec<_>, _> = found.iter().map(|(key, _)| used_on(self.region(), key)).collect();
        let rows = rows?;
        let keys: Vec<_> = rows.iter().map(|(_, share)| Key::Share { share: *share }).collect();
        let shares = self.store().get_many(&keys).await?;
        let mut removal = self.store().transaction();
        let mut left = limit;
        let mut trimmed = BTreeSet::new();
        for (((used_on, share), (_, filed)), record) in rows.into_iter().zip(&found).zip(shares) {
            if left == 0 {
                break;
            }
            if trimmed.insert(share) {
                let gone = record.is_none();
                left -= self.trim_share(&mut removal, share, (!gone).then_some(day), left).await?;
                if left == 0 {
                    // There may be more of this one.
                    break;
                }
                if !gone {
                    self.file_anew(&mut removal, share, day).await?;
                }
            }
            // Filed anew meanwhile: it was removed, or used, since it was looked at.
            let key = Key::UsedOn { day: used_on, share };
            removal.expect(key, Some(filed.version)).delete(key);
            left -= 1;
        }
        let is_done = removal.is_empty() || self.finish(removal, ()).await?.is_some();
        Ok(left == 0 || found.len() == limit || !is_done)
    }

    /// Removes what there is of a share's usage, or what comes before a day: `limit` rows of it at most, and answers how
    /// many.
    async fn trim_share(
        &self,
        removal: &mut Transaction,
        share: Id,
        before: Option<u32>,
        limit: usize,
    ) -> Result<usize, Error> {
        let list = |day| Key::ShareUsage { share, row: UsageRow::first_of(day) };
        let (start, mut end) = list(0).siblings(self.region());
        if let Some(day) = before {
            end = Bound::Excluded(list(day).encode(self.region()));
        }
        let rows = self.store().list((start, end), limit).await?;
        let removed = rows.len();
        for (key, _) in rows {
            removal.delete_encoded(key);
        }
        if before.is_none() && removed < limit {
            removal
                .delete(Key::ShareTotal { share, which: Use::Pulls })
                .delete(Key::ShareTotal { share, which: Use::Bytes })
                .delete(Key::ShareLastUse { share });
        }
        Ok(removed)
    }

    /// Files a share under the first day of its usage from `day` on, as it is already, unless an older version counted
    /// that: it comes up again when that day is over.
    async fn file_anew(&self, tx: &mut Transaction, share: Id, day: u32) -> Result<(), Error> {
        // A row of the first day of all would be none to file under.
        let day = day.max(LOOK_AT_ONCE + 1);
        let list = |day| Key::ShareUsage { share, row: UsageRow::first_of(day) };
        let range = (Bound::Included(list(day).encode(self.region())), list(day).siblings(self.region()).1);
        for (key, _) in self.store().list(range, 1).await? {
            note_used_on(tx, row(share.into(), self.region(), &key)?.day, share.into());
        }
        Ok(())
    }

    /// Files the shares of a store that does not keep [`Key::UsedOn`] yet, or was served by a version that does not, to be
    /// looked at, and answers how many there were. To be called before anything else works on the store.
    ///
    /// # Errors
    /// As the store.
    pub async fn file_usage_once(&self) -> Result<usize, Error> {
        let keys = [Key::UsedOnKept, Key::FormerUsageTrimmed];
        if let [Some(_), None] = self.store().get_many(&keys).await?[..] {
            return Ok(0);
        }
        let list = Key::ShareLastUse { share: Id::MIN };
        let mut rows = Rows::all(list.siblings(self.region()));
        let mut count = 0;
        while let Some(some) = rows.next_of_enough(self).await? {
            count += some.len();
            let mut filed = self.store().transaction();
            for (encoded, _) in some {
                note_used_on(
                    &mut filed,
                    LOOK_AT_ONCE,
                    crate::lists::id(list, self.region(), &encoded)?.into(),
                );
            }
            self.finish(filed, ()).await?;
        }
        let mut kept = self.store().transaction();
        kept.put_bytes(Key::UsedOnKept, Vec::new()).delete(Key::FormerUsageTrimmed);
        self.finish(kept, ()).await?;
        Ok(count)
    }
}

/// The day and the share of a [`Key::UsedOn`].
fn used_on(region: &kv::Region, encoded: &[u8]) -> Result<(u32, Id), kv::Error> {
    let list = Key::UsedOn { day: LOOK_AT_ONCE, share: Id::MIN };
    let parts = list.tail(region, encoded)?.split_first_chunk::<4>();
    parts
        .and_then(|(day, share)| Some((u32::from_be_bytes(*day), Id::from_tail(share)?)))
        .ok_or_else(|| kv::Error::Corrupt { what: "a share in the list of those used on a day".to_owned() })
}

/// The row at an encoded key.
pub(crate) fn row(share: ShareId, region: &kv::Region, encoded: &[u8]) -> Result<UsageRow, kv::Error> {
    let key = Key::ShareUsage { share: share.raw(), row: UsageRow::first_of(0) };
    UsageRow::from_tail(key.tail(region, encoded)?)
        .ok_or_else(|| kv::Error::Corrupt { what: format!("a row in the list of {key:?}") })
}

fn counted(entry: Option<&Entry>) -> Result<u64, kv::Error> {
    let value = entry.map_or(Ok(0), Entry::counter)?;
    Ok(u64::try_from(value).unwrap_or(0))
}

fn is_same(one: UsageRow, other: UsageRow) -> bool {
    (one.day, one.user, one.from) == (other.day, other.user, other.from)
}

fn usage_of(row: UsageRow) -> UsageOfDay {
    let user = (row.user != Id::MIN).then(|| row.user.into());
    let place = UsagePlace(row);
    UsageOfDay { day: day(row.day), user, login: None, from: row.from, pulls: 0, bytes: 0, place }
}

fn day(number: u32) -> Date {
    EPOCH.saturating_add(jiff::SignedDuration::from_hours(24 * i64::from(number)))
}

/// Counted from 1970-01-01; before that nothing happened.
fn day_number(day: Date) -> u32 {
    u32::try_from(day.duration_since(EPOCH).as_hours() / 24).unwrap_or(0)
}
