//! The deletion of a manifest, with all that only made sense with it.

use std::collections::BTreeSet;

use auth::{Action, EventKind, Permit};
use jiff::Timestamp;
use kv::{Key, Transaction, Usage, Versioned, decode};
use oci::{Digest, Manifest};

use super::{ManifestRecord, body_key, manifest_key, read};
use crate::commit::{COUNT, alive, corrupt, delta, life_key, require, retrying};
use crate::shared::{Changes, ManifestChange, Names, TagMove, TagMoves, Turn, shared_tags_key};
use crate::tags::{TagRecord, read_tag};
use crate::usage::usage_of;
use crate::{Error, Storage};

/// How many tags one commit removes.
const TAGS_PER_COMMIT: usize = 1_000;

/// What a step left.
#[derive(PartialEq)]
enum Step {
    /// Tags, and so the manifest.
    Tags,
    Nothing,
}

impl Storage {
    /// Deletes a manifest with all tags that name it, also when an index names it. Its blobs stay for their grace period.
    /// For [`Action::Delete`].
    ///
    /// # Errors
    /// [`Error::ManifestUnknown`].
    pub async fn delete_manifest(
        &self,
        permit: &Permit,
        digest: &Digest,
        now: Timestamp,
    ) -> Result<(), Error> {
        require(permit, &[Action::Delete])?;
        let turn = Turn::default();
        while retrying(|| self.try_delete_manifest(permit, digest, now, &turn)).await? == Step::Tags {}
        Ok(())
    }

    /// Deletes the manifest, or some of its tags when it has more than fit a commit: no tag ever names a manifest that is
    /// not there.
    async fn try_delete_manifest(
        &self,
        permit: &Permit,
        digest: &Digest,
        now: Timestamp,
        turn: &Turn,
    ) -> Result<Option<Step>, Error> {
        let repository = permit.repository();
        let keys = [life_key(repository), manifest_key(repository, digest), shared_tags_key(repository)];
        let [life, found, patterns] = self.snapshot(keys).await?;
        if self.waited_for_turn(repository, patterns.as_ref(), turn).await {
            return Ok(None);
        }
        let life = alive(life.as_ref())?;
        let found: Versioned<ManifestRecord> = decode(keys[1], &found.ok_or(Error::ManifestUnknown)?)?;
        let mut tags = self.tags_of(permit, digest, TAGS_PER_COMMIT + 1).await?;
        let step = if tags.len() > TAGS_PER_COMMIT { Step::Tags } else { Step::Nothing };
        tags.truncate(TAGS_PER_COMMIT);

        let mut deletion = self.store().transaction();
        // Every push of this manifest writes its record: no tag comes to it between the list and the commit.
        deletion.expect(keys[0], Some(life)).expect(keys[1], Some(found.version));
        if !self.delete_tags(permit, digest, &tags, &mut deletion).await? {
            return Ok(None);
        }
        let mut names = None;
        if step == Step::Nothing {
            deletion.delete(keys[1]);
            names = Some(self.delete_content(permit, digest, &found.value, &mut deletion).await?);
            self.record_event(&mut deletion, permit, EventKind::ManifestDeleted, digest.to_string(), now)?;
        }
        let moved = tags.into_iter().map(|tag| TagMove { tag, from: Some(digest.clone()), to: None });
        let subject = found.value.subject.as_ref();
        let gone = names.map(|names| ManifestChange { digest, names, subject });
        let changes = Changes { made: None, tags: TagMoves(moved.collect()), gone };
        let counted =
            self.count_changes(repository, (life, patterns.as_ref()), changes, &mut deletion).await?;
        let Some(()) = counted else { return Ok(None) };
        self.commit(deletion, step).await
    }

    async fn tags_of(&self, permit: &Permit, digest: &Digest, limit: usize) -> Result<Vec<String>, Error> {
        let list = Key::TagOf { repository: permit.repository().raw(), digest: digest.raw(), tag: "" };
        let region = self.store().region();
        let rows = self.store().list(list.siblings(region), limit).await?;
        rows.iter().map(|(key, _)| read_tag(list.tail(region, key)?)).collect()
    }

    /// `false` when a tag was moved since the list was read.
    async fn delete_tags(
        &self,
        permit: &Permit,
        digest: &Digest,
        tags: &[String],
        deletion: &mut Transaction,
    ) -> Result<bool, Error> {
        let repository = permit.repository().raw();
        let keys: Vec<_> = tags.iter().map(|tag| Key::Tag { repository, tag }).collect();
        for ((tag, key), found) in tags.iter().zip(&keys).zip(self.entries(&keys).await?) {
            let Some(found) = found else { return Ok(false) };
            let found: Versioned<TagRecord> = decode(*key, &found)?;
            if found.value.digest != *digest {
                return Ok(false);
            }
            deletion.expect(*key, Some(found.version)).delete(*key);
            deletion.delete(Key::TagOf { repository, digest: digest.raw(), tag });
        }
        if !tags.is_empty() {
            let count = delta(tags.len() as u64);
            deletion.add(usage_of(permit, Usage::Tags), -count, COUNT);
        }
        Ok(true)
    }

    /// Removes the body, the references and the entry among the subject's referrers; answers what it named.
    async fn delete_content(
        &self,
        permit: &Permit,
        digest: &Digest,
        record: &ManifestRecord,
        deletion: &mut Transaction,
    ) -> Result<Names, Error> {
        let (id, source) = (permit.repository(), digest.raw());
        let repository = id.raw();
        let body = self.store().get_bytes(body_key(id, digest)).await?.ok_or(Error::ManifestUnknown)?;
        deletion.delete(body_key(id, digest));
        let (_, manifest) = read(&record.media_type, &body.value, digest.algorithm()).await?;
        let manifest = manifest.map_err(|error| corrupt(format!("manifest {digest}: {error}")))?;
        self.delete_references(permit, digest, &manifest, deletion).await?;
        if let Some(subject) = &record.subject {
            deletion.delete(Key::Referrer { repository, subject: subject.raw(), digest: source });
        }

        deletion.add(usage_of(permit, Usage::Bytes), -delta(record.size), COUNT);
        let manifests = usage_of(permit, Usage::Manifests);
        deletion.add(manifests, -1, COUNT);
        let (version, count) = self.store().counter(manifests).await?;
        if count == 1 {
            deletion.expect(manifests, version).delete(Key::Listed { name: permit.name().as_str() });
        }
        Ok(Names::of(&manifest))
    }

    async fn delete_references(
        &self,
        permit: &Permit,
        digest: &Digest,
        manifest: &Manifest,
        deletion: &mut Transaction,
    ) -> Result<(), Error> {
        let (repository, source) = (permit.repository().raw(), digest.raw());
        let targets: BTreeSet<&Digest> =
            manifest.blobs().chain(manifest.children()).map(|descriptor| &descriptor.digest).collect();
        let counters: Vec<_> =
            targets.iter().map(|target| Key::References { repository, target: target.raw() }).collect();
        for ((target, key), counter) in targets.iter().zip(&counters).zip(self.entries(&counters).await?) {
            deletion.delete(Key::Reference { repository, target: target.raw(), source });
            match counter {
                // The last one takes the counter along, so that none is left behind.
                Some(counter) if counter.counter()? == 1 => {
                    deletion.expect(*key, Some(counter.version)).delete(*key);
                }
                _ => _ = deletion.add(*key, -1, COUNT),
            }
        }
        Ok(())
    }
}
