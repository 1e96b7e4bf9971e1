//! From a session whose bytes are all there to a blob that is linked in the repository.

use auth::Permit;
use jiff::Timestamp;
use kv::{Key, Versioned, decode};
use oci::{Algorithm, Digest, Hasher};

use super::UploadId;
use super::session::{Found, Session, close};
use crate::blobs::{Blob, BlobRecord, BlobState, Segment};
use crate::capacity;
use crate::commit::{after, life_key};
use crate::links::{LinkAt, LinkRecord};
use crate::{BlobStat, Error, Place, PlaceError, Storage};

impl Storage {
    /// Finishes an upload whose last request brings no bytes.
    pub(super) async fn try_finish_as_is(
        &self,
        permit: &Permit,
        id: UploadId,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<BlobStat>, Error> {
        let found = self.session(permit, id, now).await?;
        let Session { offset, segments, .. } = &found.session.value;
        let saved = found.session.value.saved_hash();
        self.check_digest(saved, segments, *offset, digest).await?;
        self.try_make_blob(permit, id, &found, &found.session.value, digest, now).await
    }

    /// Refuses bytes whose digest is not `promised`. Reads them again only when `hasher`, which has hashed all of
    /// them, is of another algorithm or missing.
    pub(super) async fn check_digest(
        &self,
        hasher: Option<Hasher>,
        segments: &[Segment],
        size: u64,
        promised: &Digest,
    ) -> Result<(), Error> {
        let actual = match hasher {
            Some(hasher) if hasher.algorithm() == promised.algorithm() => hasher.finish(),
            _ => self.hash_again(segments, size, promised.algorithm()).await?.finish(),
        };
        if actual == *promised {
            Ok(())
        } else {
            Err(Error::DigestMismatch { promised: Box::new(promised.clone()), actual: Box::new(actual) })
        }
    }

    /// The hash of the `size` bytes in `segments`.
    pub(super) async fn hash_again(
        &self,
        segments: &[Segment],
        size: u64,
        algorithm: Algorithm,
    ) -> Result<Hasher, Error> {
        use futures::TryStreamExt;
        let blob = Blob::open(self, size, segments.to_vec()).await?;
        let chunks = blob.read(0..size);
        let hash = async |hasher, chunk| Ok(super::intake::hash(hasher, &[chunk]).await);
        chunks.try_fold(Hasher::new(algorithm), hash).await
    }

    /// Whether the bytes of `blob` still lie where its record says, as far as their number tells.
    async fn is_there(&self, blob: &BlobRecord) -> Result<bool, Error> {
        for segment in blob.segments.iter().filter(|segment| segment.bytes > 0) {
            let last = match self.places().open(segment.place).await {
                Ok(place) => place.read(segment.bytes - 1, 1).await.map(drop),
                Err(error) => Err(error),
            };
            match last {
                Ok(()) => {}
                Err(PlaceError::Absent | PlaceError::Short) => return Ok(false),
                Err(error) => return Err(Error::Places(error)),
            }
        }
        Ok(true)
    }

    /// Makes `whole`, the session as it stands when all its bytes are there, a blob. It was `found` just before.
    pub(super) async fn try_make_blob(
        &self,
        permit: &Permit,
        id: UploadId,
        found: &Found,
        whole: &Session,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<Option<BlobStat>, Error> {
        let at = LinkAt { repository: permit.repository(), digest };
        let blob_key = Key::Blob { digest: digest.raw() };
        let [blob, link] = self.snapshot([blob_key, at.key()]).await?;
        let blob = blob.map(|entry| decode::<BlobRecord>(blob_key, &entry)).transpose()?;
        let link = link.map(|entry| decode::<LinkRecord>(at.key(), &entry)).transpose()?;

        let mut birth = self.store().transaction();
        birth.expect(life_key(permit.repository()), Some(found.life));
        close(&mut birth, id, &found.session);
        let lost = match &blob {
            Some(blob) => !self.is_there(&blob.value).await?,
            None => false,
        };
        if lost {
            tracing::error!(%digest, "a blob's bytes were lost where they lay; this push brings them back");
        }
        let unneeded = make_or_keep(&mut birth, digest, blob.as_ref(), lost, whole, now)?;
        // A request that was given up may be about to make its file.
        let strays: Vec<Place> =
            found.session.value.stray().filter(|stray| !has(whole, *stray)).into_iter().collect();
        self.discard(&mut birth, strays, after(now, self.settings().discard_delay))?;
        self.discard(&mut birth, unneeded.clone(), now)?;

        let size = whole.offset;
        let new = LinkRecord { size, owner: permit.owner(), linked_at: now, renewed_at: now };
        at.make(&mut birth, link.as_ref(), new, self.settings().link_grace)?;
        let done = self.commit(birth, BlobStat { size }).await?;
        if done.is_some() {
            self.remove_early(unneeded).await;
        }
        Ok(done)
    }
}

/// Writes the blob's record, or keeps the one that is there, unless its bytes are lost. Answers the places that are not
/// needed: those of `whole`, or those that were lost.
fn make_or_keep(
    birth: &mut kv::Transaction,
    digest: &Digest,
    blob: Option<&Versioned<BlobRecord>>,
    lost: bool,
    whole: &Session,
    now: Timestamp,
) -> Result<Vec<Place>, Error> {
    if let Some(blob) = blob.filter(|_| !lost) {
        blob.value.keep(birth, digest, blob.version)?;
        return Ok(whole.segments.iter().map(|segment| segment.place).collect());
    }
    let key = Key::Blob { digest: digest.raw() };
    let (size, segments) = (whole.offset, whole.segments.clone());
    let record = BlobRecord { state: BlobState::Live, size, segments, created_at: now };
    birth.expect(key, blob.map(|blob| blob.version)).put(key, &record)?;
    if blob.is_none() {
        capacity::count_in(birth, &record);
    }
    let lost = blob.iter().flat_map(|blob| &blob.value.segments);
    Ok(lost.map(|segment| segment.place).collect())
}

fn has(session: &Session, place: Place) -> bool {
    session.segments.iter().any(|segment| segment.place == place)
}
