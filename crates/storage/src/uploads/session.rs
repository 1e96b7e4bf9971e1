//! The record of an upload, and the steps that change it.

use auth::{Permit, PrincipalId, RepositoryId};
use jiff::Timestamp;
use kv::{Key, Outcome, Transaction, Version, Versioned, decode};
use oci::{Algorithm, Hasher};
use serde::{Deserialize, Serialize};

use super::{Upload, UploadId};
use crate::blobs::Segment;
use crate::commit::{after, alive, life_key, time_ms};
use crate::{Error, Place, Storage, hex};

/// `Key::Upload`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) repository: RepositoryId,
    pub(crate) principal: PrincipalId,
    /// Raised by each request that brings bytes.
    pub(crate) epoch: u64,
    /// How many bytes are there: the sum of the segments.
    pub(crate) offset: u64,
    /// Where they lie, synced.
    pub(crate) segments: Vec<Segment>,
    /// What the hash is computed with.
    pub(crate) algorithm: Algorithm,
    /// The hash's state at `offset`.
    pub(crate) hash: String,
    /// The place of the latest request. While that runs, the last segment may be its beginning.
    #[serde(default)]
    pub(crate) writing: Option<Place>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

impl Session {
    pub(crate) fn upload(&self, id: UploadId) -> Upload {
        Upload { id, offset: self.offset, created_at: self.created_at, expires_at: self.expires_at }
    }

    /// The place of a request that brought nothing yet, if there is one.
    pub(crate) fn stray(&self) -> Option<Place> {
        self.writing.filter(|place| !self.segments.iter().any(|segment| segment.place == *place))
    }

    /// Every place that the record names, each once.
    pub(crate) fn places(&self) -> Vec<Place> {
        let mut places: Vec<Place> = self.segments.iter().map(|segment| segment.place).collect();
        places.extend(self.stray());
        places
    }

    pub(crate) fn set_hash(&mut self, hasher: &Hasher) {
        self.algorithm = hasher.algorithm();
        self.hash = hex::encode(&hasher.save());
    }

    /// The hash as it was saved; `None` when another version of this program saved it, and the bytes have to be read
    /// again.
    pub(crate) fn saved_hash(&self) -> Option<Hasher> {
        let hasher = Hasher::restore(&hex::decode(&self.hash)?).ok()?;
        (hasher.bytes_hashed() == self.offset).then_some(hasher)
    }
}

/// What a step starts from.
pub(crate) struct Found {
    pub(crate) life: Version,
    pub(crate) session: Versioned<Session>,
}

pub(super) fn session_key(id: UploadId) -> Key<'static> {
    Key::Upload { upload: id.raw() }
}

fn expiry_key(id: UploadId, expires_at: Timestamp) -> Key<'static> {
    Key::UploadExpiry { time_ms: time_ms(expires_at), upload: id.raw() }
}

fn open_key(principal: PrincipalId) -> Key<'static> {
    Key::UploadsOpen { account: principal.account.raw() }
}

/// Takes the session off the books. What becomes of its places is the caller's to say.
pub(super) fn close(transaction: &mut Transaction, id: UploadId, session: &Versioned<Session>) {
    transaction.expect(session_key(id), Some(session.version)).delete(session_key(id));
    transaction.delete(expiry_key(id, session.value.expires_at));
    // Without a lower bound: an upload must be able to end whatever became of its account's counter.
    transaction.add(open_key(session.value.principal), -1, i64::MIN..=i64::MAX);
}

impl Storage {
    pub(super) async fn try_start_upload(
        &self,
        repository: RepositoryId,
        principal: PrincipalId,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<Option<Upload>, Error> {
        let life = alive(self.store().get_bytes(life_key(repository)).await?.as_ref())?;
        let id = UploadId::random();
        let hasher = Hasher::new(algorithm);
        let session = Session {
            repository,
            principal,
            epoch: 0,
            offset: 0,
            segments: Vec::new(),
            algorithm,
            hash: hex::encode(&hasher.save()),
            writing: None,
            created_at: now,
            expires_at: after(now, self.settings().upload_ttl),
        };
        let max = self.settings().uploads_per_account_max;
        let mut start = self.store().transaction();
        start.expect(life_key(repository), Some(life)).expect(session_key(id), None);
        start.put(session_key(id), &session)?.put(expiry_key(id, session.expires_at), &())?;
        start.add(open_key(principal), 1, i64::MIN..=i64::from(max));
        match self.store().commit(start).await? {
            Outcome::Committed => Ok(Some(session.upload(id))),
            Outcome::Conflict => Ok(None),
            Outcome::OutOfBounds { .. } => Err(Error::TooManyUploads { max }),
        }
    }

    /// The session `id`, if it is one of the permit's repository and principal, and has not ended.
    pub(super) async fn session(
        &self,
        permit: &Permit,
        id: UploadId,
        now: Timestamp,
    ) -> Result<Found, Error> {
        let [life, session] = self.snapshot([life_key(permit.repository()), session_key(id)]).await?;
        let life = alive(life.as_ref())?;
        let session: Versioned<Session> = decode(session_key(id), &session.ok_or(Error::UploadUnknown)?)?;
        let Session { repository, principal, expires_at, .. } = &session.value;
        let is_ours = *repository == permit.repository() && Some(*principal) == permit.principal().id();
        if !is_ours || now >= *expires_at {
            return Err(Error::UploadUnknown);
        }
        Ok(Found { life, session })
    }

    /// The session `id` for a request that took `epoch` in it.
    pub(super) async fn session_at(
        &self,
        repository: RepositoryId,
        id: UploadId,
        epoch: u64,
    ) -> Result<Found, Error> {
        let [life, session] = self.snapshot([life_key(repository), session_key(id)]).await?;
        let life = alive(life.as_ref())?;
        // Gone: finished by a later request, cancelled or ended.
        let session: Versioned<Session> = decode(session_key(id), &session.ok_or(Error::Superseded)?)?;
        if session.value.epoch == epoch { Ok(Found { life, session }) } else { Err(Error::Superseded) }
    }

    /// Writes `next` over the session as it was `found`, and hands `discarded` to the reaper.
    pub(super) async fn try_change(
        &self,
        id: UploadId,
        found: &Found,
        next: &Session,
        discarded: Option<Place>,
        due_at: Timestamp,
    ) -> Result<Option<()>, Error> {
        let (key, now, then) = (session_key(id), found.session.value.expires_at, next.expires_at);
        let mut change = self.store().transaction();
        change.expect(life_key(next.repository), Some(found.life)).expect(key, Some(found.session.version));
        change.put(key, next)?;
        if expiry_key(id, now) != expiry_key(id, then) {
            change.delete(expiry_key(id, now)).put(expiry_key(id, then), &())?;
        }
        self.discard(&mut change, discarded.into_iter().collect(), due_at)?;
        self.commit(change, ()).await
    }

    pub(super) async fn try_cancel_upload(
        &self,
        permit: &Permit,
        id: UploadId,
        now: Timestamp,
    ) -> Result<Option<()>, Error> {
        let Found { life, session } = self.session(permit, id, now).await?;
        let mut cancellation = self.store().transaction();
        cancellation.expect(life_key(permit.repository()), Some(life));
        self.give_up(&mut cancellation, id, &session, now)?;
        self.commit(cancellation, ()).await
    }

    /// Lets `transaction` end a session that became no blob. A request may still be running in it.
    pub(super) fn give_up(
        &self,
        transaction: &mut Transaction,
        id: UploadId,
        session: &Versioned<Session>,
        now: Timestamp,
    ) -> Result<(), Error> {
        close(transaction, id, session);
        self.discard(transaction, session.value.places(), after(now, self.settings().discard_delay))
    }
}
