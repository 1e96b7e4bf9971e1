//! Why an operation was not done, in variants named after what a caller does next.

use oci::Digest;

use crate::{PlaceError, Upload};

/// A failure of a storage operation. Unless a variant says otherwise, nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The permit was given for another action: a defect of the caller.
    #[error("the permit does not allow this operation")]
    NotPermitted,
    /// The repository was deleted since the permit was given.
    #[error("the repository was deleted")]
    RepositoryGone,
    /// No such blob in this repository.
    #[error("blob {digest} is unknown in this repository")]
    BlobUnknown {
        /// What was asked for.
        digest: Digest,
    },
    /// A manifest of this repository names the blob; delete that first.
    #[error("a manifest in this repository needs blob {digest}")]
    BlobReferenced {
        /// What was to be deleted.
        digest: Digest,
    },
    /// No such manifest or tag in this repository.
    #[error("the manifest is unknown in this repository")]
    ManifestUnknown,
    /// The tag names something already, and was not to be moved.
    #[error("the tag exists already")]
    TagExists,
    /// The manifest breaks a rule.
    #[error("invalid manifest: {0}")]
    ManifestInvalid(#[source] oci::ManifestError),
    /// The image names blobs that this repository does not hold.
    #[error("the image names {} blob(s) that are not in this repository", digests.len())]
    ManifestBlobsUnknown {
        /// All of them, each once.
        digests: Vec<Digest>,
    },
    /// The image says another size of a blob than the repository's has.
    #[error("the manifest says that blob {digest} has {said} bytes, but it has {actual}")]
    BlobSizeMismatch {
        /// Of the blob.
        digest: Box<Digest>,
        /// What the manifest says.
        said: u64,
        /// What it is.
        actual: u64,
    },
    /// The repository is shared by patterns of tags, and what this write would open or close of it is more than fits one
    /// commit. End those shares first, or share all of it.
    #[error(
        "this repository is shared by patterns of tags, and this would change what they reach in more than {max} places \
         at once; end the shares that are narrowed to these tags first"
    )]
    TooMuchShared {
        /// The bound.
        max: usize,
    },
    /// A push may set fewer tags.
    #[error("a push sets at most {max} tags")]
    TooManyTags {
        /// The bound.
        max: usize,
    },
    /// No such upload for this caller in this repository; it may have ended.
    #[error("the upload is unknown")]
    UploadUnknown,
    /// A later request took the upload over; this one's bytes do not count.
    #[error("a later request took over this upload")]
    Superseded,
    /// The bytes do not follow those that are there.
    #[error("the upload stands at {} bytes", upload.offset)]
    RangeUnsatisfiable {
        /// Where it stands.
        upload: Upload,
    },
    /// The account has as many uploads open as it may; finish or cancel some.
    #[error("an account may have at most {max} uploads open")]
    TooManyUploads {
        /// The bound.
        max: u32,
    },
    /// The upload came in too many pieces, or in too small ones; finish it as it is, or start again with larger ones.
    #[error(
        "send larger chunks: an upload may come in at most {max} requests, and in more than {} only if they bring at \
         least {bytes_min} bytes each on average",
        crate::uploads::SMALL_SEGMENTS_MAX
    )]
    TooManySegments {
        /// The bound.
        max: usize,
        /// What the average must be from a hundred on.
        bytes_min: u64,
    },
    /// The body is longer or shorter than its request said. After a short one that brought bytes to an upload without
    /// finishing it, the upload has those bytes.
    #[error("the request promised {promised} bytes and brought {received}")]
    SizeMismatch {
        /// What was said.
        promised: u64,
        /// What came; of a body that was too long, what was read of it.
        received: u64,
    },
    /// The content has another digest than was said.
    #[error("the content's digest is {actual}, not {promised}")]
    DigestMismatch {
        /// What was said.
        promised: Box<Digest>,
        /// What it is.
        actual: Box<Digest>,
    },
    /// The content is greater than is accepted.
    #[error("at most {max} bytes are accepted")]
    TooLarge {
        /// The bound.
        max: u64,
    },
    /// The body broke off. An upload that was not being finished has the bytes that came.
    #[error("the request's body broke off: {0}")]
    Body(#[source] BodyError),
    /// There is no room for it.
    #[error("there is no space left")]
    NoSpace,
    /// Too much waits, or others keep changing the same thing; try again.
    #[error("storage is busy; try again")]
    Busy,
    /// The bytes' storage failed, or what lies there is not what was written.
    #[error("the storage of blobs failed: {0}")]
    Places(#[source] PlaceError),
    /// The metadata failed. What was to be done may be done.
    #[error(transparent)]
    Store(kv::Error),
    /// Emptying a deleted repository failed in the part that belongs to authority.
    #[error(transparent)]
    Auth(auth::Error),
}

impl From<kv::Error> for Error {
    fn from(error: kv::Error) -> Error {
        match error {
            kv::Error::Busy => Error::Busy,
            kv::Error::NoSpace => Error::NoSpace,
            other => Error::Store(other),
        }
    }
}

impl From<PlaceError> for Error {
    fn from(error: PlaceError) -> Error {
        match error {
            PlaceError::NoSpace => Error::NoSpace,
            other => Error::Places(other),
        }
    }
}

impl From<auth::Error> for Error {
    fn from(error: auth::Error) -> Error {
        Error::Auth(error)
    }
}

/// Why a request's body did not come to its end: the connection broke, the sender stalled, its right ended.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BodyError(Box<dyn std::error::Error + Send + Sync>);

impl BodyError {
    /// The caller's own error; [`BodyError::get_ref`] gives it back.
    pub fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> BodyError {
        BodyError(error.into())
    }

    /// The caller's own error.
    #[must_use]
    pub fn get_ref(&self) -> &(dyn std::error::Error + Send + Sync + 'static) {
        self.0.as_ref()
    }
}
