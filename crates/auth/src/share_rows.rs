//! The rows of a share: the one place where they are written, changed and removed, each with its event and its notice.
//! Whoever keeps something beside a share keeps it in step with [`write_share`], [`change_share`] and [`delete_share`].
//!
//! The rows are four: its record, its place (by repository and grantee), and its entry in the list of either side. Beside
//! them lies what is due to be told of it (see [`crate::share_dues`]). Rights are checked, and what a share rests on is
//! expected, by those who call.

use jiff::Timestamp;
use kv::{Key, Transaction};
use oci::RepositoryName;

use crate::notices::put_notice;
use crate::records::ShareRecord;
use crate::share_dues::{clear_dues, move_dues, set_dues};
use crate::{AccountId, AccountName, Actor, Auth, Error, Event, EventKind, RepositoryId, ShareId};

/// A share, with the names that its events tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShareRow<'a> {
    pub(crate) id: ShareId,
    pub(crate) record: &'a ShareRecord,
    pub(crate) repository: &'a RepositoryName,
    pub(crate) grantee: &'a AccountName,
}

impl ShareRow<'_> {
    /// Tells what happened to the share: in its owner's trail, and in the outbox for both accounts.
    pub(crate) fn tell(
        &self,
        tx: &mut Transaction,
        kind: EventKind,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), Error> {
        put_notice(tx, (self.id, self.record), kind, self.repository, self.grantee, now)?;
        self.event(self.record.owner, kind, by, now).record(tx)?;
        Ok(())
    }

    /// The share's event in the trail of `account`, which is its owner or its grantee.
    fn event(&self, account: AccountId, kind: EventKind, by: Actor, now: Timestamp) -> Event {
        let detail = match kind {
            EventKind::ShareRevoked | EventKind::ShareLeft => format!("with {}", self.grantee),
            _ => {
                format!("with {} {}{}", self.grantee, end_word(self.record.deadline), tags_words(self.record))
            }
        };
        Event::new(account, kind, by, self.repository.to_string(), now).with_detail(detail)
    }
}

/// Writes a new share. Whoever calls expects its place as it was, and removes what was there with [`replace_share`].
pub(crate) fn write_share(
    tx: &mut Transaction,
    share: ShareRow<'_>,
    by: Actor,
    now: Timestamp,
) -> Result<(), Error> {
    let ShareRow { id, record, .. } = share;
    let key = Key::Share { share: id.raw() };
    tx.expect(key, None).put(key, record)?;
    tx.put(place_key(record.repository, record.grantee), &id)?;
    tx.put(Key::SharedWith { grantee: record.grantee.raw(), share: id.raw() }, &record.repository)?;
    tx.put(Key::SharedBy { owner: record.owner.raw(), share: id.raw() }, &record.repository)?;
    tx.delete(former_key(record.repository, record.grantee));
    set_dues(tx, id, record, now)?;
    share.tell(tx, EventKind::ShareCreated, by, now)
}

/// Removes an ended share whose place a new one takes in the same transaction.
pub(crate) fn replace_share(tx: &mut Transaction, former: ShareId, record: &ShareRecord) {
    tx.delete(Key::Share { share: former.raw() });
    delete_beside(tx, former, record);
}

/// Writes a share's record as it is from now on, and was `before`. The record must be expected.
pub(crate) fn change_share(
    tx: &mut Transaction,
    before: &ShareRecord,
    share: ShareRow<'_>,
    by: Actor,
    now: Timestamp,
) -> Result<(), Error> {
    tx.put(Key::Share { share: share.id.raw() }, share.record)?;
    move_dues(tx, share.id, before, share.record)?;
    share.tell(tx, EventKind::ShareUpdated, by, now)
}

impl Auth {
    /// Ends a share for good and removes it; `kind` says how it came about. The record must be expected.
    pub(crate) async fn close_share(
        &self,
        tx: &mut Transaction,
        share: ShareRow<'_>,
        kind: EventKind,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), Error> {
        let ShareRow { id, record, .. } = share;
        let mut guard = self.share_guard(record.repository, now).await?;
        guard.close(id);
        guard.write(tx)?;
        let mut patterns = self.pattern_use(record.repository).await?;
        patterns.release(record.tags.as_deref());
        patterns.write(tx, now)?;
        delete_share(tx, id, record);
        // Whoever goes on pulling is then no stranger to the owner's audit trail.
        tx.put(former_key(record.repository, record.grantee), &now)?;
        if kind == EventKind::ShareLeft {
            // It is the grantee's doing: it finds it in its own trail, too.
            share.event(record.grantee, kind, by.clone(), now).record(tx)?;
        }
        share.tell(tx, kind, by, now)
    }
}

/// Removes a share's rows without a word: of one that opens nothing any more, whose end is in the trail already.
pub(crate) fn delete_share(tx: &mut Transaction, id: ShareId, record: &ShareRecord) {
    tx.delete(Key::Share { share: id.raw() }).delete(place_key(record.repository, record.grantee));
    delete_beside(tx, id, record);
}

/// Removes what lies beside a share's record and place.
fn delete_beside(tx: &mut Transaction, id: ShareId, record: &ShareRecord) {
    tx.delete(Key::SharedWith { grantee: record.grantee.raw(), share: id.raw() });
    tx.delete(Key::SharedBy { owner: record.owner.raw(), share: id.raw() });
    clear_dues(tx, id, record);
}

/// Where the id of the share of `repository` with `grantee` lies.
pub(crate) fn place_key(repository: RepositoryId, grantee: AccountId) -> Key<'static> {
    Key::ShareOf { repository: repository.raw(), grantee: grantee.raw() }
}

fn former_key(repository: RepositoryId, grantee: AccountId) -> Key<'static> {
    Key::FormerShare { repository: repository.raw(), grantee: grantee.raw() }
}

fn end_word(deadline: Option<Timestamp>) -> String {
    deadline.map_or_else(|| "permanent".to_owned(), |deadline| format!("until {deadline}"))
}

/// What of the repository is shared, where that is not all of it.
fn tags_words(record: &ShareRecord) -> String {
    let Some(tags) = &record.tags else { return String::new() };
    let patterns: Vec<_> = tags.iter().map(|tags| tags.pattern.as_str()).collect();
    format!(", tags {}", patterns.join(" "))
}
