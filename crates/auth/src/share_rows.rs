//! The rows of a share: the one place where they are written, changed and removed, each with its event and its notice.
//! Whoever keeps something beside a share keeps it in step with [`write_share`], [`change_share`] and [`delete_share`].
//!
//! The rows are five: its record, its place (by repository and grantee), its entry in its owner's list, and two in its
//! grantee's: by id, and by the repository's name. Beside them lies what is due to be told of it (see
//! [`crate::share_dues`]). Rights are checked, and what a share rests on is expected, by those who call.

use jiff::Timestamp;
use kv::{Key, Transaction};
use oci::RepositoryName;

use crate::lists::Rows;
use crate::notices::put_notice;
use crate::records::{ReapRecord, RepositoryLife, ShareRecord};
use crate::share_dues::{clear_dues, move_dues, set_dues};
use crate::{
    AccountId, AccountName, Actor, Auth, Error, Event, EventDetail, EventKind, PrincipalId, RepositoryId,
    ShareField, ShareId,
};

/// A share, with the names that its events tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShareRow<'a> {
    pub(crate) id: ShareId,
    pub(crate) record: &'a ShareRecord,
    pub(crate) repository: &'a RepositoryName,
    pub(crate) grantee: &'a AccountName,
}

impl ShareRow<'_> {
    /// Tells what happened to the share: in its owner's trail and its grantee's, and in the outbox for both.
    pub(crate) fn tell(
        &self,
        tx: &mut Transaction,
        kind: EventKind,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), Error> {
        let detail = match kind {
            EventKind::ShareRevoked | EventKind::ShareLeft => {
                EventDetail::ShareGone { grantee: self.grantee.to_string() }
            }
            _ => self.detail(Vec::new()),
        };
        self.tell_in_detail(tx, (kind, detail), by, now)
    }

    fn tell_in_detail(
        &self,
        tx: &mut Transaction,
        (kind, detail): (EventKind, EventDetail),
        by: Actor,
        now: Timestamp,
    ) -> Result<(), Error> {
        put_notice(tx, (self.id, self.record), kind, self.repository, self.grantee, now)?;
        let ShareRecord { owner, grantee, .. } = *self.record;
        let event = Event::new(owner, kind, by, self.repository.to_string(), now).with_detail(detail);
        event.record(tx)?;
        let actor = self.as_the_grantee_knows(event.actor.clone());
        Event { account: grantee, actor, ..event }.record(tx)?;
        Ok(())
    }

    /// Who did it, in the grantee's trail. Of the owner's users it knows the one who made the share, whom its lists name;
    /// any other is the account to it. From where is the owner's own business.
    fn as_the_grantee_knows(&self, by: Actor) -> Actor {
        let Some(account) = by.account.filter(|account| *account != self.record.grantee) else { return by };
        let made = self.record.creator == Some(PrincipalId { account, user: by.user });
        let of = by.name.rsplit_once('@').map(|(_, account)| account.to_owned());
        match of.filter(|_| !made) {
            Some(name) => Actor { user: None, name, address: None, ..by },
            None => Actor { address: None, ..by },
        }
    }

    fn detail(&self, changed: Vec<ShareField>) -> EventDetail {
        let tags = patterns(self.record).map(str::to_owned).collect();
        let (grantee, deadline) = (self.grantee.to_string(), self.record.deadline);
        EventDetail::Share { grantee, deadline, tags, changed }
    }
}

/// Writes a new share. Whoever calls expects its place as it was, and removes what was there with [`replace_share`].
pub(crate) fn write_share(
    tx: &mut Transaction,
    share: ShareRow<'_>,
    by: Actor,
    now: Timestamp,
) -> Result<(), Error> {
    let ShareRow { id, record, repository, .. } = share;
    let key = Key::Share { share: id.raw() };
    tx.expect(key, None).put(key, record)?;
    tx.put(place_key(record.repository, record.grantee), &id)?;
    put_received(tx, id, record, Some(repository))?;
    tx.put(Key::SharedBy { owner: record.owner.raw(), share: id.raw() }, &record.repository)?;
    tx.delete(former_key(record.repository, record.grantee));
    set_dues(tx, id, record, now)?;
    share.tell(tx, EventKind::ShareCreated, by, now)
}

/// Removes an ended share whose place a new one takes in the same transaction.
pub(crate) fn replace_share(
    tx: &mut Transaction,
    former: ShareId,
    record: &ShareRecord,
    repository: &RepositoryName,
) {
    tx.delete(Key::Share { share: former.raw() });
    delete_beside(tx, former, record, Some(repository));
}

/// What of a share a change changes; nothing, if it is as it was.
pub(crate) fn changes(before: &ShareRecord, after: &ShareRecord) -> Vec<ShareField> {
    let changed = [
        (ShareField::Deadline, before.deadline != after.deadline),
        (ShareField::Description, before.description != after.description),
        (ShareField::Tags, !patterns(before).eq(patterns(after))),
        (ShareField::Notice, before.notice_before_seconds != after.notice_before_seconds),
    ];
    changed.into_iter().filter(|(_, changed)| *changed).map(|(field, _)| field).collect()
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
    move_dues(tx, share.id, before, share.record, now)?;
    let detail = share.detail(changes(before, share.record));
    share.tell_in_detail(tx, (EventKind::ShareUpdated, detail), by, now)
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
        self.take_away(tx, share, now).await?;
        share.tell(tx, kind, by, now)
    }

    /// Ends a share whose grantee goes; one that has ended already goes without a word.
    pub(crate) async fn close_if_open(
        &self,
        tx: &mut Transaction,
        share: ShareRow<'_>,
        life: &RepositoryLife,
        by: Actor,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.take_away(tx, share, now).await?;
        if !share.record.opens(share.record.repository, life, now) {
            return Ok(());
        }
        share.tell(tx, EventKind::ShareRevoked, by, now)
    }

    /// Tells that a share ended because its image was deleted, or made public, at `at`; one that had ended before is
    /// silent.
    pub(crate) async fn tell_closed(
        &self,
        tx: &mut Transaction,
        (id, record): (ShareId, &ShareRecord),
        repository: &RepositoryName,
        by: Actor,
        at: Timestamp,
    ) -> Result<(), Error> {
        if record.deadline.is_some_and(|deadline| deadline <= at) {
            return Ok(());
        }
        let Some(grantee) = self.account_name(record.grantee).await? else { return Ok(()) };
        ShareRow { id, record, repository, grantee: &grantee }.tell(tx, EventKind::ShareRevoked, by, at)
    }

    async fn take_away(
        &self,
        tx: &mut Transaction,
        share: ShareRow<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let ShareRow { id, record, repository, .. } = share;
        let mut guard = self.share_guard(record.repository, now).await?;
        guard.close(id);
        guard.write(tx)?;
        let mut patterns = self.pattern_use(record.repository).await?;
        patterns.release(record.tags.as_deref());
        patterns.write(tx, now)?;
        delete_share(tx, id, record, Some(repository));
        // Whoever goes on pulling is then no stranger to the owner's audit trail.
        tx.put(former_key(record.repository, record.grantee), &now)?;
        Ok(())
    }
}

/// Removes a share's rows without a word: of one that opens nothing any more, whose end is in the trail already. `None`
/// when nothing knows the repository's name any more.
pub(crate) fn delete_share(
    tx: &mut Transaction,
    id: ShareId,
    record: &ShareRecord,
    repository: Option<&RepositoryName>,
) {
    tx.delete(Key::Share { share: id.raw() }).delete(place_key(record.repository, record.grantee));
    delete_beside(tx, id, record, repository);
}

/// Writes a share's entries in its grantee's lists.
fn put_received(
    tx: &mut Transaction,
    id: ShareId,
    record: &ShareRecord,
    repository: Option<&RepositoryName>,
) -> Result<(), Error> {
    for key in received_keys(id, record, repository) {
        tx.put(key, &record.repository)?;
    }
    Ok(())
}

fn received_keys<'a>(
    id: ShareId,
    record: &ShareRecord,
    repository: Option<&'a RepositoryName>,
) -> impl Iterator<Item = Key<'a>> {
    let (grantee, share) = (record.grantee.raw(), id.raw());
    let named = repository.map(|name| Key::SharedName { grantee, name: name.as_str(), share });
    std::iter::once(Key::SharedWith { grantee, share }).chain(named)
}

/// Removes what lies beside a share's record and place.
fn delete_beside(
    tx: &mut Transaction,
    id: ShareId,
    record: &ShareRecord,
    repository: Option<&RepositoryName>,
) {
    for key in received_keys(id, record, repository) {
        tx.delete(key);
    }
    tx.delete(Key::SharedBy { owner: record.owner.raw(), share: id.raw() });
    clear_dues(tx, id, record);
    crate::usage::note_used_on(tx, crate::usage::LOOK_AT_ONCE, id);
}

impl Auth {
    /// Moves the lists of grantees of a store that has them by id alone, where they once were, and answers how many rows
    /// there were. To be called before anything else works on the store.
    ///
    /// # Errors
    /// As the store.
    pub async fn move_received_shares_once(&self) -> Result<usize, Error> {
        let mut rows = Rows::all(Key::FormerSharedWith { row: &[] }.siblings(self.region()));
        let mut count = 0;
        while let Some(some) = rows.next_of_enough(self).await? {
            count += some.len();
            let mut moved = self.store().transaction();
            for (encoded, _) in some {
                let list = Key::FormerSharedWith { row: &[] };
                let tail = list.tail(self.region(), &encoded)?;
                let id = tail.last_chunk::<8>().and_then(|id| kv::Id::from_tail(id)).ok_or_else(|| {
                    kv::Error::Corrupt { what: "a share in the list of its grantee".to_owned() }
                })?;
                if let Some(share) = self.store().get::<ShareRecord>(Key::Share { share: id }).await? {
                    let name = self.name_of(share.value.repository).await?;
                    put_received(&mut moved, id.into(), &share.value, name.as_ref())?;
                }
                moved.delete_encoded(encoded);
            }
            self.finish(moved, ()).await?;
        }
        Ok(count)
    }

    /// The name of a repository that is there, or is still to be emptied.
    pub(crate) async fn name_of(&self, repository: RepositoryId) -> Result<Option<RepositoryName>, Error> {
        if let Some(life) = self.life(repository).await? {
            return Ok(Some(life.value.name));
        }
        let reaped = self.store().get::<ReapRecord>(Key::Reap { id: repository.raw() }).await?;
        Ok(reaped.map(|reaped| reaped.value.life.name))
    }
}

/// Where the id of the share of `repository` with `grantee` lies.
pub(crate) fn place_key(repository: RepositoryId, grantee: AccountId) -> Key<'static> {
    Key::ShareOf { repository: repository.raw(), grantee: grantee.raw() }
}

fn former_key(repository: RepositoryId, grantee: AccountId) -> Key<'static> {
    Key::FormerShare { repository: repository.raw(), grantee: grantee.raw() }
}

/// The patterns of the tags that are shared, where that is not all of them.
fn patterns(record: &ShareRecord) -> impl Iterator<Item = &str> {
    record.tags.iter().flatten().map(|tags| tags.pattern.as_str())
}
