//! The nouns of the OCI specifications, as a registry must read them: names, tags, digests, references,
//! descriptors, manifests, error codes.
//!
//! Everything here is pure: no I/O, no clock, no configuration. A value that exists is valid, because its
//! only constructor refuses what is not; nothing is repaired or guessed. What a manifest's bytes mean is
//! decided here, but the bytes themselves are never written again: a registry stores and serves them as they
//! came.
//!
//! It is no client's view: there is no default host, no default tag and no `library/`; and no HTTP: which
//! status goes with an [`ErrorCode`] is the frontend's business.

#![deny(missing_docs)]

mod descriptor;
mod digest;
mod error_code;
mod field;
mod hasher;
mod manifest;
mod media_type;
mod names;
mod reference;
mod referrers;
mod tag;
mod tag_pattern;
mod tag_subject;
mod text;

pub use descriptor::{Descriptor, SIZE_MAX, URLS_MAX};
pub use digest::{Algorithm, Digest, DigestError};
pub use error_code::{ErrorBody, ErrorCode, ErrorEntry};
pub use field::{FieldError, KEYS_MAX, Problem};
pub use hasher::{Hasher, RestoreError};
pub use manifest::{DESCRIPTORS_MAX, Manifest, ManifestError};
pub use media_type::{Kind, MEDIA_TYPE_BYTES_MAX, ManifestType, OCI_EMPTY};
pub use names::{
    NAMESPACE_BYTES_MAX, NameError, NamespaceName, PATH_BYTES_MAX, RESERVED_NAMESPACE, RepositoryName,
};
pub use reference::{Reference, ReferenceError};
pub use referrers::{ReferrersPage, referrer};
pub use tag::{TAG_BYTES_MAX, Tag, TagError};
pub use tag_pattern::{TagPattern, TagPatternError};
