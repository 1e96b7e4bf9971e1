//! Collection of blobs that have lost their last link.
//!
//! It works through the queue of candidates that the removal of links fills; it never sweeps. A candidate without a link
//! is condemned, its links are looked for once more, and only if there is none is its record deleted, expecting the
//! condemned version. Whoever links it meanwhile either is found by the second look or has changed that version.

use jiff::Timestamp;
use kv::{Id, Key, Versioned};
use oci::Digest;

use crate::blobs::{BlobRecord, BlobState};
use crate::capacity;
use crate::commit::{corrupt, retrying, time_ms};
use crate::{Error, Storage};

/// What [`Storage::collect`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Collected {
    /// Candidates looked at: call again while it is the limit.
    pub candidates: usize,
    /// Blobs deleted.
    pub blobs: usize,
    /// Their bytes.
    pub bytes: u64,
}

impl Storage {
    /// Looks at no more than `limit` candidates, and deletes those blobs that nothing links.
    ///
    /// # Errors
    /// As the store. What was done stays done.
    pub async fn collect(&self, now: Timestamp, limit: usize) -> Result<Collected, Error> {
        let region = self.store().region();
        let list = Key::Candidate { time_ms: 0, digest: &[] };
        let rows = self.store().list(list.siblings(region), self.page_entries(limit)).await?;
        let mut collected = Collected::default();
        for (key, _) in rows {
            let (since_ms, digest) = read_tail(list.tail(region, &key)?)?;
            if since_ms > time_ms(now) {
                break;
            }
            let deleted = retrying(|| self.try_collect(&digest, &key, now)).await?;
            collected.candidates += 1;
            if let Some(blob) = deleted {
                collected.blobs += 1;
                collected.bytes = collected.bytes.saturating_add(blob.size);
                self.remove_early(blob.places()).await;
            }
        }
        Ok(collected)
    }

    /// How many candidates wait to be looked at, counted up to `limit`.
    ///
    /// # Errors
    /// As the store.
    pub async fn candidates(&self, limit: usize) -> Result<usize, Error> {
        let list = Key::Candidate { time_ms: 0, digest: &[] };
        Ok(self.store().list(list.siblings(self.store().region()), self.page_entries(limit)).await?.len())
    }

    /// Answers the blob if it was deleted. `candidate` is gone either way.
    async fn try_collect(
        &self,
        digest: &Digest,
        candidate: &[u8],
        now: Timestamp,
    ) -> Result<Option<Option<BlobRecord>>, Error> {
        let key = Key::Blob { digest: digest.raw() };
        let mut end = self.store().transaction();
        end.delete_encoded(candidate.to_vec());
        let found: Option<Versioned<BlobRecord>> = self.store().get(key).await?;
        let is_linked = self.is_linked(digest).await?;
        let Some(blob) = found.filter(|_| !is_linked) else {
            return self.commit(end, None).await;
        };
        match blob.value.state {
            BlobState::Live => {
                let mut verdict = self.store().transaction();
                verdict.expect(key, Some(blob.version));
                verdict.put(key, &BlobRecord { state: BlobState::Condemned, ..blob.value })?;
                // Whatever comes of it: the next round reads the record anew, and only then looks for links.
                self.commit(verdict, ()).await?;
                Ok(None)
            }
            BlobState::Condemned => {
                end.expect(key, Some(blob.version)).delete(key);
                capacity::count_out(&mut end, &blob.value);
                self.discard(&mut end, blob.value.places(), now)?;
                self.commit(end, Some(blob.value)).await
            }
        }
    }

    async fn is_linked(&self, digest: &Digest) -> Result<bool, Error> {
        let list = Key::LinkOf { digest: digest.raw(), repository: Id::MIN };
        Ok(!self.store().list(list.siblings(self.store().region()), 1).await?.is_empty())
    }
}

fn read_tail(tail: &[u8]) -> Result<(u64, Digest), Error> {
    let read = || {
        let (time_ms, digest) = tail.split_first_chunk::<8>()?;
        Some((u64::from_be_bytes(*time_ms), Digest::from_raw(digest)?))
    };
    read().ok_or_else(|| corrupt("a candidate without its time or digest"))
}
