//! What is due to be told of a share without anybody's doing: that it is about to end, and that it has ended.
//!
//! A row for each lies in the queue, in the order of time, from the commit that gave the share its end; whoever looks
//! takes those whose time has come. A row is only a reminder: what is told follows from the share as it is then. The
//! event and the removal of its row are one commit, so that each is told exactly once, whatever crashes.
//!
//! Notice is given `notice_before_seconds` before the deadline. A share that is made with less time than that gets
//! none: its making has told its end. One whose deadline is moved to leave less gets it at once. Under the deadline that
//! it has, another time for the notice is one to come, or none: what has been told is not told anew.

use std::ops::Bound;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kv::{Entry, Id, Key, Transaction, decode};
use serde::{Deserialize, Serialize};

use crate::events::time_ms;
use crate::records::ShareRecord;
use crate::share_rows::ShareRow;
use crate::{Actor, Auth, Error, EventKind, ShareId};

/// The longest time before its deadline that notice of a share's end may be given.
const NOTICE_BEFORE_MAX: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// `Key::ShareDue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct ShareDue {
    what: Due,
    /// The share's deadline when the row was written. Under another one the row stands for nothing.
    deadline: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Due {
    /// Notice that the share is about to end.
    Notice,
    /// The share's end.
    End,
}

impl Auth {
    /// Tells what is due at `now` of at most `limit` rows, oldest first, and says of how many: call again while it is
    /// `limit`.
    ///
    /// # Errors
    /// As the store.
    pub async fn tell_due_shares(&self, now: Timestamp, limit: usize) -> Result<usize, Error> {
        let (start, _) = PROBE.siblings(self.region());
        let after_now = Key::ShareDue { time_ms: time_ms(now).saturating_add(1), share: Id::MIN };
        let end = Bound::Excluded(after_now.encode(self.region()));
        let rows = self.store().list((start, end), limit).await?;
        let count = rows.len();
        for (key, entry) in rows {
            self.until_done(|| self.try_tell_due(&key, &entry, now)).await?;
        }
        Ok(count)
    }

    /// One attempt at a row: `None` is a conflict with a change of the share. A row that is gone meanwhile is no error.
    async fn try_tell_due(&self, key: &[u8], entry: &Entry, now: Timestamp) -> Result<Option<()>, Error> {
        let share = share_of(key, self.region())?;
        let due = decode::<ShareDue>(PROBE, entry)?.value;
        let row = Key::ShareDue { time_ms: due_ms(key, self.region())?, share };
        match self.store().get_bytes(row).await? {
            Some(found) if found.version == entry.version => {}
            _ => return Ok(Some(())),
        }
        let mut tx = self.store().transaction();
        tx.expect(row, Some(entry.version)).delete(row);
        self.tell_if_so(&mut tx, share.into(), due, now).await?;
        self.finish(tx, ()).await
    }

    /// Adds the event to `tx`, if the share as it is now agrees with the row.
    async fn tell_if_so(
        &self,
        tx: &mut Transaction,
        id: ShareId,
        due: ShareDue,
        now: Timestamp,
    ) -> Result<(), Error> {
        let key = Key::Share { share: id.raw() };
        let Some(record) = self.store().get::<ShareRecord>(key).await? else { return Ok(()) };
        let Some(life) = self.life(record.value.repository).await? else { return Ok(()) };
        let share = &record.value;
        if !share.is_of(share.repository, &life.value) || share.deadline != Some(due.deadline) {
            return Ok(());
        }
        let kind = match due.what {
            Due::Notice if now < due.deadline => EventKind::ShareEnding,
            Due::End if now >= due.deadline => EventKind::ShareEnded,
            // Whoever should have given notice came too late for it.
            _ => return Ok(()),
        };
        let Some(grantee) = self.account_name(share.grantee).await? else { return Ok(()) };
        tx.expect(key, Some(record.version));
        let row = ShareRow { id, record: share, repository: &life.value.name, grantee: &grantee };
        row.tell(tx, kind, Actor::server(), now)
    }
}

/// The seconds that a record holds for a wish.
///
/// # Errors
/// [`Error::Invalid`].
pub(crate) fn notice_seconds(before: Duration) -> Result<u64, Error> {
    if before > NOTICE_BEFORE_MAX {
        let reason = format!("notice is given at most {} seconds ahead", NOTICE_BEFORE_MAX.as_secs());
        return Err(Error::Invalid { field: "notice_before_seconds", reason });
    }
    Ok(before.as_secs())
}

/// Writes the rows of a share that is made at `now`.
pub(crate) fn set_dues(
    tx: &mut Transaction,
    id: ShareId,
    record: &ShareRecord,
    now: Timestamp,
) -> Result<(), Error> {
    for (at, due) in dues(record) {
        if due.what == Due::End || at > now {
            tx.put(row(at, id), &due)?;
        }
    }
    Ok(())
}

/// Moves the rows of a share that was `before` and is `after`; those that stay are not touched, so that what was told
/// is not told again.
pub(crate) fn move_dues(
    tx: &mut Transaction,
    id: ShareId,
    before: &ShareRecord,
    after: &ShareRecord,
    now: Timestamp,
) -> Result<(), Error> {
    // A row whose time has come is told, or about to be; under the same deadline it stays, and no other joins it.
    let settled = |at: Timestamp| before.deadline == after.deadline && at <= now;
    let (former, present): (Vec<_>, Vec<_>) = (dues(before).collect(), dues(after).collect());
    let rows: Vec<_> = present.iter().map(|(at, _)| row(*at, id)).collect();
    for (at, _) in former.iter().filter(|due| !present.contains(due) && !settled(due.0)) {
        let gone = row(*at, id);
        // What is written below is not removed here: a key is written once.
        if !rows.contains(&gone) {
            tx.delete(gone);
        }
    }
    for (at, due) in present.iter().filter(|due| !former.contains(due) && !settled(due.0)) {
        tx.put(row(*at, id), due)?;
    }
    Ok(())
}

/// Removes the rows of a share that goes.
pub(crate) fn clear_dues(tx: &mut Transaction, id: ShareId, record: &ShareRecord) {
    for (at, _) in dues(record) {
        tx.delete(row(at, id));
    }
}

/// What is due of a share, and when: nothing of a permanent one.
fn dues(record: &ShareRecord) -> impl Iterator<Item = (Timestamp, ShareDue)> {
    let before = SignedDuration::from_secs(i64::try_from(record.notice_before_seconds).unwrap_or(i64::MAX));
    let deadline = record.deadline;
    let notice = deadline.filter(|_| !before.is_zero()).map(|deadline| {
        // A row is told apart by its time, which is another one, for the seconds are whole.
        let at = deadline.checked_sub(before).unwrap_or(Timestamp::MIN);
        (at, ShareDue { what: Due::Notice, deadline })
    });
    let end = deadline.map(|deadline| (deadline, ShareDue { what: Due::End, deadline }));
    notice.into_iter().chain(end)
}

fn row(at: Timestamp, share: ShareId) -> Key<'static> {
    Key::ShareDue { time_ms: ceil_ms(at), share: share.raw() }
}

/// Milliseconds since 1970, so that a row is never looked at before its time.
fn ceil_ms(at: Timestamp) -> u64 {
    let whole = time_ms(at);
    whole + u64::from(at.subsec_nanosecond() % 1_000_000 > 0)
}

/// Any row's key: the beginning of the queue.
const PROBE: Key<'static> = Key::ShareDue { time_ms: 0, share: Id::MIN };

fn share_of(key: &[u8], region: &kv::Region) -> Result<Id, kv::Error> {
    let tail = PROBE.tail(region, key)?;
    tail.get(8..).and_then(Id::from_tail).ok_or_else(|| corrupt("a share"))
}

fn due_ms(key: &[u8], region: &kv::Region) -> Result<u64, kv::Error> {
    let tail = PROBE.tail(region, key)?;
    let time = tail.first_chunk::<8>().ok_or_else(|| corrupt("a time"))?;
    Ok(u64::from_be_bytes(*time))
}

fn corrupt(what: &str) -> kv::Error {
    kv::Error::Corrupt { what: format!("{what} in the queue of shares that end") }
}
