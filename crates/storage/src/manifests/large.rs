//! Large manifests on their way out: read again for each piece, so that nobody who takes them slowly keeps them in memory.

use auth::RepositoryId;
use bytes::Bytes;
use futures::{Stream, stream};
use oci::Digest;

use super::body_key;
use crate::{Error, Storage};

/// How much of it is handed out at a time. The whole of it, at most some MiB, is copied from the store for each.
const PIECE_BYTES: usize = 128 << 10;

/// The bytes of a manifest, as they were pushed.
#[derive(Debug)]
pub enum ManifestBody {
    /// All of them.
    Whole(Bytes),
    /// Too many to be kept while they are sent.
    Large(LargeManifest),
}

/// A large manifest's bytes.
#[derive(Debug)]
pub struct LargeManifest {
    storage: Storage,
    repository: RepositoryId,
    digest: Digest,
    size: u64,
}

impl LargeManifest {
    pub(super) fn new(
        storage: Storage,
        repository: RepositoryId,
        digest: Digest,
        size: u64,
    ) -> LargeManifest {
        LargeManifest { storage, repository, digest, size }
    }

    /// How many they are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Piece by piece. It ends with [`Error::ManifestUnknown`] when the manifest is deleted meanwhile.
    pub fn read(self) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
        stream::try_unfold((self, 0), |(manifest, at)| async move {
            let piece = manifest.piece(at).await?;
            Ok(piece.map(|piece| {
                let end = at + piece.len();
                (piece, (manifest, end))
            }))
        })
    }

    async fn piece(&self, at: usize) -> Result<Option<Bytes>, Error> {
        if at as u64 >= self.size {
            return Ok(None);
        }
        let body = self.storage.store().get_bytes(body_key(self.repository, &self.digest)).await?;
        let body = body.ok_or(Error::ManifestUnknown)?.value;
        let piece = body.get(at..body.len().min(at + PIECE_BYTES)).filter(|piece| !piece.is_empty());
        Ok(piece.map(Bytes::copy_from_slice))
    }
}
