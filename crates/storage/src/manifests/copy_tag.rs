//! One more tag for what a tag names: a push of a manifest that is here already, without its bytes.

use std::collections::BTreeSet;

use auth::{Action, EventKind, Permit};
use jiff::Timestamp;
use kv::{Key, Versioned, decode};
use oci::Tag;

use super::push::Tagging;
use super::{ManifestRecord, manifest_key};
use crate::commit::{alive, life_key, require, retrying};
use crate::shared::{Changes, Turn, shared_tags_key};
use crate::tags::TagRecord;
use crate::{Error, Storage};

/// A tag to be set to what another one names.
#[derive(Debug, Clone)]
pub struct TagCopy {
    /// The one that names it.
    pub source: Tag,
    /// The one to be set.
    pub destination: Tag,
    /// Whether that may be moved, if it names something already.
    pub overwrite: bool,
}

impl Storage {
    /// Sets a tag to the manifest that another tag of the repository names. For [`Action::Push`].
    ///
    /// # Errors
    /// [`Error::ManifestUnknown`] when there is no such tag to copy; [`Error::TagExists`].
    pub async fn copy_tag(&self, permit: &Permit, copy: &TagCopy, now: Timestamp) -> Result<(), Error> {
        require(permit, &[Action::Push])?;
        let turn = Turn::default();
        retrying(|| self.try_copy_tag(permit, copy, now, &turn)).await
    }

    async fn try_copy_tag(
        &self,
        permit: &Permit,
        copy: &TagCopy,
        now: Timestamp,
        turn: &Turn,
    ) -> Result<Option<()>, Error> {
        let repository = permit.repository();
        let source_key = Key::Tag { repository: repository.raw(), tag: copy.source.as_str() };
        let keys = [life_key(repository), source_key, shared_tags_key(repository)];
        let [life, source, patterns] = self.snapshot(keys).await?;
        if self.waited_for_turn(repository, patterns.as_ref(), turn).await {
            return Ok(None);
        }
        let life = alive(life.as_ref())?;
        let source: Versioned<TagRecord> = decode(keys[1], &source.ok_or(Error::ManifestUnknown)?)?;
        let digest = &source.value.digest;
        let key = manifest_key(repository, digest);
        // Moved, and the manifest deleted, between the two reads: look again.
        let Some(manifest) = self.store().get::<ManifestRecord>(key).await? else { return Ok(None) };

        let mut commit = self.store().transaction();
        commit.expect(keys[0], Some(life)).expect(keys[1], Some(source.version));
        // Written anew, as every push of it does: its deletion must see the tag.
        commit.expect(key, Some(manifest.version)).put(key, &manifest.value)?;
        let tags = BTreeSet::from([copy.destination.clone()]);
        let tagging = Tagging { permit, digest, tags: &tags, overwrite: copy.overwrite, now };
        let moved = self.set_tags(&tagging, &mut commit).await?;
        let detail = format!("{digest} tags: {} (as {})", copy.destination, copy.source);
        self.record_event(&mut commit, permit, EventKind::ManifestPushed, detail, now)?;
        let changes = Changes { tags: moved, ..Changes::default() };
        let counted = self.count_changes(repository, (life, patterns.as_ref()), changes, &mut commit).await?;
        let Some(()) = counted else { return Ok(None) };
        self.commit(commit, ()).await
    }
}
