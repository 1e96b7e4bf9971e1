//! What was used under a share: when last, how many pulls and bytes, by whom, from where, day by day. It is for whoever
//! manages the repository; the counters are written by [`crate::recorder`].
//!
//! They belong to the share: a new one begins at nothing, and with the share's removal they are out of reach and go.
//! What was pulled under it stays in the audit trail.

use std::collections::BTreeMap;
use std::ops::Bound;

use jiff::Timestamp;
use jiff::civil::Date;
use kv::{Entry, Id, Key, Range, UsageRow, Use, UsedFrom, decode};
use oci::RepositoryName;

use crate::records::{ShareRecord, UserRecord};
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

/// Whether a share has no day of usage that comes before the one of `before`.
fn was_made_since(before: Timestamp, key: Key<'_>, record: &Entry) -> bool {
    let made = decode::<ShareRecord>(key, record).map(|share| share.value.created_at);
    made.is_ok_and(|made| crate::recorder::day_of(made) >= crate::recorder::day_of(before))
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

    /// Whether the usage of all shares was gone through on the day of `now`, by whichever process.
    ///
    /// # Errors
    /// As the store.
    pub async fn is_usage_trimmed(&self, now: Timestamp) -> Result<bool, Error> {
        let done = self.store().get::<u32>(Key::UsageTrimmed).await?;
        Ok(done.is_some_and(|done| done.value == crate::recorder::day_of(now)))
    }

    /// Notes that it was.
    ///
    /// # Errors
    /// As the store.
    pub async fn note_usage_trimmed(&self, now: Timestamp) -> Result<(), Error> {
        let mut tx = self.store().transaction();
        tx.put(Key::UsageTrimmed, &crate::recorder::day_of(now))?;
        self.finish(tx, ()).await?;
        Ok(())
    }

    /// Removes the usage of days before the one of `before`, and all of shares that are gone; looks at no more than
    /// about `limit` shares and rows. Answers where to go on, `None` at the end.
    ///
    /// # Errors
    /// As the store.
    pub async fn trim_usage(
        &self,
        before: Timestamp,
        after: Option<ShareId>,
        limit: usize,
    ) -> Result<Option<ShareId>, Error> {
        let key = Key::ShareLastUse { share: after.map_or(Id::MIN, ShareId::raw) };
        let limit = limit.max(1);
        let rows = self.store().list(key.siblings_after(self.region()), limit).await?;
        let mut left = limit;
        let mut done = after;
        let ids: Result<Vec<_>, _> =
            rows.iter().map(|(encoded, _)| crate::lists::id(key, self.region(), encoded)).collect();
        let ids = ids?;
        let keys: Vec<_> = ids.iter().map(|share| Key::Share { share: *share }).collect();
        let records = self.store().get_many(&keys).await?;
        for ((share, key), record) in ids.into_iter().map(ShareId::from).zip(keys).zip(records) {
            if record.as_ref().is_some_and(|record| was_made_since(before, key, record)) {
                done = Some(share);
                continue;
            }
            let gone = record.is_none();
            let removed = self.trim_share(share, gone, before, left).await?;
            left -= removed;
            if left == 0 {
                // There may be more of this one.
                return Ok(done.or(Some(Id::MIN.into())));
            }
            done = Some(share);
        }
        Ok(done.filter(|_| rows.len() == limit))
    }

    async fn trim_share(
        &self,
        share: ShareId,
        gone: bool,
        before: Timestamp,
        limit: usize,
    ) -> Result<usize, Error> {
        let share = share.raw();
        let list = |day| Key::ShareUsage { share, row: UsageRow::first_of(day) };
        let (start, mut end) = list(0).siblings(self.region());
        if !gone {
            end = Bound::Excluded(list(crate::recorder::day_of(before)).encode(self.region()));
        }
        let rows = self.store().list((start, end), limit).await?;
        let removed = rows.len();
        // What is removed never comes back, so nothing need be expected.
        let mut removal = self.store().transaction();
        for (key, _) in rows {
            removal.delete_encoded(key);
        }
        if gone && removed < limit {
            removal
                .delete(Key::ShareTotal { share, which: Use::Pulls })
                .delete(Key::ShareTotal { share, which: Use::Bytes })
                .delete(Key::ShareLastUse { share });
        }
        if !removal.is_empty() {
            self.store().commit(removal).await?;
        }
        Ok(removed)
    }
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
