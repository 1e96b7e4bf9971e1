//! What shares reach that are narrowed to tags: counted by the writes, so that a pull looks up a key and walks nothing.
//!
//! For each pattern of tags by which a repository is shared, every digest that the pattern reaches has a record that
//! counts how often it is named: by a tag that matches, by a manifest that is reached, by what refers to one. Whatever
//! sets or removes a tag or a manifest changes these counts in its own commit, so that a tag that moves closes what it
//! named from that commit on. A digest is reached while a count of it is not zero.
//!
//! Counts alone would keep a circle alive: an index may name a manifest both as its child and as its subject. So a
//! manifest is counted in layers. In layer 0 are the targets of matching tags and what descends from them; in each
//! further one the referrers of what is in the layer before, the targets of tags that are about it (`sha256-…`), and
//! what descends from those. Within a layer only hashes lead on, which have no circles, and from layer to layer it goes
//! up, to the last of [`LAYERS`]: what refers to something that refers to something, and so on, is reached so many times.
//! Blobs lead nowhere, and have one count.
//!
//! One write of a repository's tags or manifests comes after the other while there are patterns: each expects the
//! [`auth::SharedTagsRecord`] and writes it anew (and waits for its turn, see [`turns`]). Where there is none, that is one
//! key more in a snapshot.

mod build;
mod graph;
mod ledger;
mod reap;
mod turns;
mod view;

use auth::RepositoryId;
use kv::{Entry, Key, Transaction, Version};
use oci::Digest;
use serde::{Deserialize, Serialize};

use ledger::Ledger;
pub(crate) use ledger::{Changes, ManifestChange, Names, TagMove, TagMoves};
pub(crate) use turns::{Turn, Turns};
pub use view::Content;
pub(crate) use view::Shown;

use crate::commit::corrupt;
use crate::{Error, Storage};

/// How often referrers of referrers are followed, the tags themselves counted in.
pub(crate) const LAYERS: usize = 8;

/// `Key::SharedContent`: how often a pattern reaches a digest. Absent when it does not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MemberRecord {
    /// As a manifest, in each layer.
    pub(crate) manifests: [u32; LAYERS],
    /// As a blob, by whatever manifest in whatever layer.
    pub(crate) blobs: u32,
}

/// As what a digest is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// As a manifest in this layer.
    Manifest(usize),
    /// As a blob.
    Blob,
}

/// Whether an edge comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    Comes,
    Goes,
}

impl MemberRecord {
    /// Whether it is reached as a manifest.
    pub(crate) fn is_manifest(&self) -> bool {
        self.layers().next().is_some()
    }

    /// Whether what refers to it is reached through it: all but the last layer are followed.
    pub(crate) fn is_followed(&self) -> bool {
        self.followed().next().is_some()
    }

    /// Whether nothing reaches it.
    pub(crate) fn is_empty(&self) -> bool {
        *self == MemberRecord::default()
    }

    /// The layers in which it is reached as a manifest.
    pub(crate) fn layers(&self) -> impl Iterator<Item = usize> + '_ {
        (0..LAYERS).filter(|layer| self.manifests[*layer] > 0)
    }

    /// Those in which what refers to it is looked for.
    pub(crate) fn followed(&self) -> impl Iterator<Item = usize> + '_ {
        self.layers().filter(|layer| layer + 1 < LAYERS)
    }

    /// Counts once more or once less; whether that makes it reached, or not reached, in `place`.
    pub(crate) fn count(&mut self, place: Place, sign: Sign) -> Result<bool, Error> {
        let count = match place {
            Place::Manifest(layer) => &mut self.manifests[layer],
            Place::Blob => &mut self.blobs,
        };
        let changed = match sign {
            Sign::Comes => count.checked_add(1),
            Sign::Goes => count.checked_sub(1),
        };
        let before = *count;
        *count = changed.ok_or_else(|| corrupt("a count of shared content disagrees with what it counts"))?;
        Ok(before == 0 || *count == 0)
    }
}

impl Storage {
    /// Counts what a write changes in `repository`, as part of its commit, by its life and the record of its patterns as
    /// the write read them. `None` when they were changed since, and the write is to be decided anew.
    pub(crate) async fn count_changes(
        &self,
        repository: RepositoryId,
        (life, patterns): (Version, Option<&Entry>),
        changes: Changes<'_>,
        commit: &mut Transaction,
    ) -> Result<Option<()>, Error> {
        let Some(patterns) = patterns else {
            commit.expect(shared_tags_key(repository), None);
            return Ok(Some(()));
        };
        let mut ledger = Ledger::open(self, repository, life, patterns)?;
        let told = ledger.tell(changes, commit).await;
        ledger.settle(told).await
    }
}

/// The key of the record of a repository's patterns.
pub(crate) fn shared_tags_key(repository: RepositoryId) -> Key<'static> {
    Key::SharedTags { repository: repository.raw() }
}

/// The digest in the tail of a `Key::SharedContent`.
fn read_digest(tail: &[u8]) -> Result<Digest, Error> {
    Digest::from_raw(tail).ok_or_else(|| corrupt("shared content without a digest"))
}
