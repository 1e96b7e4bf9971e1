//! What all blobs take up together, as counters that are part of each change of their number, and how much room is left.

use kv::{BlobTotal, Entry, Key, Transaction, decode};
use oci::Digest;

use crate::blobs::BlobRecord;
use crate::commit::{COUNT, corrupt, delta};
use crate::{Error, Space, Storage};

/// All blobs together, each once for all repositories that hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BlobTotals {
    /// How many there are.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

const BLOBS: Key<'static> = Key::BlobTotal { which: BlobTotal::Blobs };
const BYTES: Key<'static> = Key::BlobTotal { which: BlobTotal::Bytes };

/// Lets `transaction` count a blob that it makes.
pub(crate) fn count_in(transaction: &mut Transaction, blob: &BlobRecord) {
    transaction.add(BLOBS, 1, COUNT).add(BYTES, delta(blob.size), COUNT);
}

/// Lets `transaction` no longer count a blob that it deletes.
pub(crate) fn count_out(transaction: &mut Transaction, blob: &BlobRecord) {
    transaction.add(BLOBS, -1, COUNT).add(BYTES, -delta(blob.size), COUNT);
}

impl Storage {
    /// How many blobs there are, and their bytes. Asks no permit: it is for who runs the registry.
    ///
    /// # Errors
    /// As the store.
    pub async fn blob_totals(&self) -> Result<BlobTotals, Error> {
        let [blobs, bytes] = self.snapshot([BLOBS, BYTES]).await?;
        let count = |entry: Option<Entry>| {
            let count = entry.map_or(Ok(0), |entry| entry.counter())?;
            u64::try_from(count).map_err(|_| corrupt("fewer blobs than none"))
        };
        Ok(BlobTotals { blobs: count(blobs)?, bytes: count(bytes)? })
    }

    /// Counts the blobs of a store that never counted them, which takes the longer the more there are. To be called
    /// before anything else works on the store.
    ///
    /// # Errors
    /// As the store.
    pub async fn count_blobs_once(&self) -> Result<(), Error> {
        if self.store().get_bytes(BLOBS).await?.is_some() {
            return Ok(());
        }
        let region = self.store().region();
        let (mut blobs, mut bytes) = (0, 0_i64);
        let mut range = Key::Blob { digest: &[] }.siblings(region);
        loop {
            let page = self.store().list(range, kv::SCAN_ENTRIES_MAX).await?;
            let list = Key::Blob { digest: &[] };
            for (_, entry) in &page {
                blobs += 1;
                bytes = bytes.saturating_add(delta(decode::<BlobRecord>(list, entry)?.value.size));
            }
            let Some((last, _)) = page.last() else { break };
            let last = Digest::from_raw(list.tail(region, last)?);
            let last = last.ok_or_else(|| corrupt("a blob without a digest"))?;
            range = Key::Blob { digest: last.raw() }.siblings_after(region);
        }
        let mut counted = self.store().transaction();
        counted.expect(BLOBS, None).add(BLOBS, blobs, COUNT).add(BYTES, bytes, COUNT);
        // A conflict: it was counted meanwhile.
        self.commit(counted, ()).await?;
        Ok(())
    }

    /// How much room there is where the bytes lie; `None` where nobody knows a bound.
    ///
    /// # Errors
    /// [`Error::Places`].
    pub async fn space(&self) -> Result<Option<Space>, Error> {
        Ok(self.places().space().await?)
    }

    /// Refuses what would leave too little room once `incoming` bytes have come.
    pub(crate) async fn check_space(&self, incoming: u64) -> Result<(), Error> {
        let needed = self.settings().free_bytes_min.saturating_add(incoming);
        match self.space().await? {
            Some(space) if space.free_bytes < needed => Err(Error::NoSpace),
            _ => Ok(()),
        }
    }
}
