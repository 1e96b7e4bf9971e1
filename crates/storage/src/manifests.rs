//! Manifests: kept byte for byte as they were pushed, with what they refer to counted.
//!
//! A manifest is a record, a body, and for each blob or manifest that it names a reference with its counter. Whoever
//! deletes a blob expects that counter, whoever pushes a manifest expects the blob's link: so one of the two notices
//! the other. Its tags and its entry among its subject's referrers go with it.

mod copy_tag;
mod delete;
mod large;
mod push;

use auth::{AccountId, Action, Actor, Permit, RepositoryId};
use bytes::Bytes;
use jiff::Timestamp;
use kv::{Entry, Key, decode, decode_shared};
use oci::{Algorithm, Digest, Manifest, Reference, Tag};
use serde::{Deserialize, Serialize};

use crate::commit::{blocking, require, retrying};
use crate::room::{Room, SMALL_BYTES_MAX};
use crate::shared::{Content, Shown};
use crate::tags::TagRecord;
use crate::{Error, Storage};

pub use copy_tag::TagCopy;
pub use large::{LargeManifest, ManifestBody};

/// A manifest to be pushed.
#[derive(Debug, Clone)]
pub struct NewManifest<'a> {
    /// As the request said; empty when it did not.
    pub content_type: &'a str,
    /// Its bytes.
    pub body: Bytes,
    /// What it is pushed as: under a tag, or as a digest that it must have.
    pub reference: Reference,
    /// More tags to set.
    pub tags: Vec<Tag>,
}

/// A manifest that was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Its digest: of the algorithm that it was pushed with, SHA-256 under a tag.
    pub digest: Digest,
    /// The manifest that it is about.
    pub subject: Option<Digest>,
    /// The tags that name it now, in byte order.
    pub tags: Vec<Tag>,
}

/// What is known of a manifest without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestStat {
    /// Its digest.
    pub digest: Digest,
    /// Its media type, without parameters.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A manifest with its body.
#[derive(Debug)]
pub struct StoredManifest {
    /// Its digest.
    pub digest: Digest,
    /// Its media type, without parameters.
    pub media_type: String,
    /// The bytes as they were pushed.
    pub body: ManifestBody,
}

/// `Key::Manifest`. Guard: written by every push of it, expected by its deletion, so that no tag comes to name it in
/// between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ManifestRecord {
    pub(crate) media_type: String,
    /// Of its body, in bytes.
    pub(crate) size: u64,
    /// Of the blobs that it names itself, in bytes, each once, as it says.
    pub(crate) content_size: u64,
    #[serde(default)]
    pub(crate) subject: Option<Digest>,
    pub(crate) created_at: Timestamp,
    pub(crate) pushed_at: Timestamp,
    pub(crate) pushed_by: Actor,
}

/// From here on a body is read on another thread.
const PARSE_HERE_BYTES: usize = 16 << 10;

/// The digest of `body`, and what it says.
pub(crate) async fn read(
    content_type: &str,
    body: &Bytes,
    algorithm: Algorithm,
) -> Result<(Digest, Parsed), Error> {
    let (content_type, body) = (content_type.to_owned(), body.clone());
    let small = body.len() <= PARSE_HERE_BYTES;
    let work = move || (Digest::of(algorithm, &body), Manifest::parse(&content_type, &body));
    if small { Ok(work()) } else { blocking(work).await }
}

pub(crate) type Parsed = Result<Manifest, oci::ManifestError>;

pub(crate) fn manifest_key(repository: RepositoryId, digest: &Digest) -> Key<'_> {
    Key::Manifest { repository: repository.raw(), digest: digest.raw() }
}

pub(crate) fn body_key(repository: RepositoryId, digest: &Digest) -> Key<'_> {
    Key::ManifestBody { repository: repository.raw(), digest: digest.raw() }
}

impl Storage {
    /// A manifest of the repository. For [`Action::Pull`].
    ///
    /// # Errors
    /// [`Error::ManifestUnknown`].
    pub async fn manifest(&self, permit: &Permit, reference: &Reference) -> Result<StoredManifest, Error> {
        require(permit, &[Action::Pull])?;
        retrying(|| async {
            let Some(stat) = self.find_manifest(permit, reference).await? else { return Ok(None) };
            let ManifestStat { digest, media_type, size } = stat;
            let repository = permit.repository();
            let body = if size > SMALL_BYTES_MAX as u64 {
                ManifestBody::Large(LargeManifest::new(self.clone(), repository, digest.clone(), size))
            } else {
                // What a digest names never changes: it is there as it was described, or gone.
                match self.store().get_bytes(body_key(repository, &digest)).await? {
                    Some(body) => ManifestBody::Whole(body.value),
                    None => return gone(reference),
                }
            };
            Ok(Some(StoredManifest { digest, media_type, body }))
        })
        .await
    }

    /// The same without the body. For [`Action::Pull`].
    ///
    /// # Errors
    /// [`Error::ManifestUnknown`].
    pub async fn stat_manifest(&self, permit: &Permit, reference: &Reference) -> Result<ManifestStat, Error> {
        require(permit, &[Action::Pull])?;
        retrying(|| self.find_manifest(permit, reference)).await
    }

    /// The same, once; `None` where the tag was moved to another manifest meanwhile.
    async fn find_manifest(
        &self,
        permit: &Permit,
        reference: &Reference,
    ) -> Result<Option<ManifestStat>, Error> {
        let digest = self.resolve(permit, reference).await?;
        let key = manifest_key(permit.repository(), &digest);
        let Some(Shown { entries: [Some(record)], .. }) =
            self.shown(permit, Content::Manifest(&digest), [key]).await?
        else {
            return gone(reference);
        };
        let record = decode_shared::<ManifestRecord>(key, &record)?.value;
        Ok(Some(ManifestStat { digest, media_type: record.media_type.clone(), size: record.size }))
    }

    /// Room in memory for a manifest above [`SMALL_BYTES_MAX`], of up to so many bytes, that `account` brings; to be held
    /// while it is there.
    ///
    /// # Errors
    /// [`Error::Busy`] when there is none for a while.
    pub async fn room_for_manifest(&self, account: AccountId, bytes: usize) -> Result<Room, Error> {
        self.inner.rooms.take(account, bytes).await
    }

    async fn resolve(&self, permit: &Permit, reference: &Reference) -> Result<Digest, Error> {
        match reference {
            Reference::Digest(digest) => Ok(digest.clone()),
            Reference::Tag(tag) => {
                let key = Key::Tag { repository: permit.repository().raw(), tag: tag.as_str() };
                let shown = self.shown(permit, Content::Tag(tag.as_str()), [key]).await?;
                let Some(Shown { entries: [Some(tag)], .. }) = shown else {
                    return Err(Error::ManifestUnknown);
                };
                Ok(decode::<TagRecord>(key, &tag)?.value.digest)
            }
        }
    }

    /// The entries at `keys`, however many, in their order. Not from one snapshot: expect what is decided upon.
    pub(crate) async fn entries(&self, keys: &[Key<'_>]) -> Result<Vec<Option<Entry>>, Error> {
        let mut entries = Vec::with_capacity(keys.len());
        for some in keys.chunks(kv::SCAN_ENTRIES_MAX) {
            entries.extend(self.store().get_many(some).await?);
        }
        Ok(entries)
    }
}

/// A manifest that is not there: by a tag, it was moved and deleted between two reads, and is to be looked up again.
fn gone<T>(reference: &Reference) -> Result<Option<T>, Error> {
    match reference {
        Reference::Digest(_) => Err(Error::ManifestUnknown),
        Reference::Tag(_) => Ok(None),
    }
}
