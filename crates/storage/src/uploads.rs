//! Uploads: the sessions in which the bytes of a blob come in.
//!
//! A session lies in the metadata, belongs to one repository and one principal, and can be resumed after a restart.
//! Each request that brings bytes takes a new epoch and writes to a place of its own, which the session names before
//! its file is made; at its commits it expects to be the latest, so that a request that was given up, and comes to
//! itself late, changes nothing.
//!
//! * [`session`]: the record, and the steps that change it.
//! * [`intake`]: one request's bytes: written, hashed, synced, saved.
//! * [`finish`]: the step from a session to a linked blob.

mod checkpoint;
mod expiry;
mod finish;
mod intake;
mod session;

use auth::{Action, Permit};
use bytes::Bytes;
use futures::Stream;
use jiff::Timestamp;
use oci::{Algorithm, Digest};

use crate::commit::{require, retrying};
use crate::{BlobStat, BodyError, Error, Storage};
use intake::Begin;

pub use expiry::ExpiredUploads;
pub(crate) use intake::{Intakes, SMALL_SEGMENTS_MAX};

/// The name of an upload: 128 random bits, shown as 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UploadId(u128);

impl UploadId {
    /// The id that a client named; `None` for anything that no upload is called.
    #[must_use]
    pub fn parse(text: &str) -> Option<UploadId> {
        let bytes = crate::hex::decode(text)?;
        Some(UploadId(u128::from_be_bytes(bytes.try_into().ok()?)))
    }

    fn random() -> UploadId {
        UploadId(rand::random())
    }

    fn raw(self) -> u128 {
        self.0
    }
}

impl std::fmt::Display for UploadId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// An upload as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upload {
    /// Its name.
    pub id: UploadId,
    /// How many bytes it has: where the next ones begin.
    pub offset: u64,
    /// When it was started.
    pub created_at: Timestamp,
    /// From this instant on it is unknown. Each request that brings bytes moves it.
    pub expires_at: Timestamp,
}

/// Where a request's bytes belong in the blob: both ends are among them, as in `Content-Range: 0-99`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    first: u64,
    last: u64,
}

impl ContentRange {
    /// The bytes from `first` to `last`; `None` when they are in the wrong order, or more than can be counted.
    #[must_use]
    pub fn new(first: u64, last: u64) -> Option<ContentRange> {
        (first <= last && last < u64::MAX).then_some(ContentRange { first, last })
    }

    /// The offset of the first byte.
    #[must_use]
    pub fn first(self) -> u64 {
        self.first
    }

    /// How many bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(self) -> u64 {
        self.last - self.first + 1
    }
}

/// How many bytes a request promises, by its range and by its length.
fn promised(at: Option<ContentRange>, length: Option<u64>) -> Result<Option<u64>, Error> {
    match (at.map(ContentRange::len), length) {
        (Some(promised), Some(received)) if promised != received => {
            Err(Error::SizeMismatch { promised, received })
        }
        (range, length) => Ok(range.or(length)),
    }
}

impl Storage {
    /// Starts an upload whose digest will likely be of `algorithm`. For [`Action::Push`].
    ///
    /// # Errors
    /// [`Error::TooManyUploads`], [`Error::NoSpace`].
    pub async fn start_upload(
        &self,
        permit: &Permit,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<Upload, Error> {
        require(permit, &[Action::Push])?;
        let principal = permit.principal().id().ok_or(Error::NotPermitted)?;
        self.check_space(0).await?;
        retrying(|| self.try_start_upload(permit.repository(), principal, algorithm, now)).await
    }

    /// How an upload stands. For [`Action::Push`].
    ///
    /// # Errors
    /// [`Error::UploadUnknown`], also for an upload of another repository or another principal.
    pub async fn upload(&self, permit: &Permit, id: UploadId, now: Timestamp) -> Result<Upload, Error> {
        require(permit, &[Action::Push])?;
        let found = self.session(permit, id, now).await?;
        Ok(found.session.value.upload(id))
    }

    /// Appends the bytes of `body`, which belong `at` and are `length`, as far as the request says so. The bytes that
    /// are answered for survive a power cut. For [`Action::Push`].
    ///
    /// When the body breaks off or is shorter than promised, the upload has what came. When it is longer than
    /// promised, or the bytes cannot be stored, the upload is as it was. A caller that drops the future breaks the
    /// body off.
    ///
    /// # Errors
    /// [`Error::UploadUnknown`], [`Error::RangeUnsatisfiable`], [`Error::Superseded`], [`Error::SizeMismatch`],
    /// [`Error::TooLarge`], [`Error::TooManySegments`], [`Error::NoSpace`], [`Error::Body`].
    pub async fn append(
        &self,
        permit: &Permit,
        id: UploadId,
        at: Option<ContentRange>,
        length: Option<u64>,
        body: impl Stream<Item = Result<Bytes, BodyError>> + Send,
        now: Timestamp,
    ) -> Result<Upload, Error> {
        require(permit, &[Action::Push])?;
        let begin = Begin { permit, id, at, promised: promised(at, length)?, algorithm: None, now };
        let intake = self.begin(begin).await?;
        intake::run(&self.inner.intakes, body, |messages| intake.append(messages)).await
    }

    /// Appends the bytes of `body`, and makes the upload a blob of the repository if its digest is `digest`. When it
    /// fails, the upload is as it was, and can be finished again. For [`Action::Push`].
    ///
    /// # Errors
    /// As [`Storage::append`]; [`Error::DigestMismatch`].
    #[expect(clippy::too_many_arguments, reason = "what a PUT says, each once")]
    pub async fn finish(
        &self,
        permit: &Permit,
        id: UploadId,
        digest: &Digest,
        at: Option<ContentRange>,
        length: Option<u64>,
        body: impl Stream<Item = Result<Bytes, BodyError>> + Send,
        now: Timestamp,
    ) -> Result<BlobStat, Error> {
        require(permit, &[Action::Push])?;
        let promised = promised(at, length)?;
        if promised == Some(0) {
            // All bytes are there: nothing is written before the blob is, and nothing need be taken back.
            return retrying(|| self.try_finish_as_is(permit, id, digest, now)).await;
        }
        let begin = Begin { permit, id, at, promised, algorithm: Some(digest.algorithm()), now };
        let intake = self.begin(begin).await?;
        intake::run(&self.inner.intakes, body, |messages| {
            intake.finish(messages, permit.clone(), digest.clone())
        })
        .await
    }

    /// Gives an upload up. For [`Action::Push`].
    ///
    /// # Errors
    /// [`Error::UploadUnknown`].
    pub async fn cancel_upload(&self, permit: &Permit, id: UploadId, now: Timestamp) -> Result<(), Error> {
        require(permit, &[Action::Push])?;
        retrying(|| self.try_cancel_upload(permit, id, now)).await
    }
}
