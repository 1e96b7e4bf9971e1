//! The push of a manifest: judged, then written with its references, tags and entry among referrers in one commit.

use std::collections::{BTreeMap, BTreeSet};

use auth::{Action, EventKind, Permit};
use bytes::Bytes;
use jiff::Timestamp;
use kv::{Id, Key, Transaction, Usage, Version, Versioned, decode};
use oci::{Algorithm, Digest, Kind, Manifest, Reference, Tag};

use super::{ManifestRecord, NewManifest, Pushed, body_key, manifest_key, read};
use crate::commit::{COUNT, alive, delta, life_key, require, retrying};
use crate::links::{LinkAt, LinkRecord};
use crate::shared::{Changes, ManifestChange, Names, TagMove, TagMoves, Turn, shared_tags_key};
use crate::tags::TagRecord;
use crate::usage::usage_of;
use crate::{Error, Storage};

/// What a manifest says, found fit to be pushed somewhere.
struct Judged {
    digest: Digest,
    manifest: Manifest,
    /// That of the reference among them.
    tags: BTreeSet<Tag>,
}

/// A push into a repository.
struct Push<'a> {
    permit: &'a Permit,
    digest: Digest,
    body: Bytes,
    manifest: &'a Manifest,
    /// Whatever it names, each once, and whether that must be here.
    targets: BTreeMap<&'a Digest, bool>,
    tags: BTreeSet<Tag>,
    now: Timestamp,
    turn: Turn,
}

/// Tags to be set.
pub(super) struct Tagging<'a> {
    pub(super) permit: &'a Permit,
    /// What they are to name.
    pub(super) digest: &'a Digest,
    pub(super) tags: &'a BTreeSet<Tag>,
    /// Whether one that names something already may be moved.
    pub(super) overwrite: bool,
    pub(super) now: Timestamp,
}

impl Storage {
    /// Pushes a manifest, and sets its tags. Pushing what is there already sets the tags alone. For [`Action::Push`].
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::TooManyTags`], [`Error::DigestMismatch`], [`Error::ManifestInvalid`],
    /// [`Error::ManifestBlobsUnknown`], [`Error::BlobSizeMismatch`].
    pub async fn put_manifest(
        &self,
        permit: &Permit,
        new: NewManifest<'_>,
        now: Timestamp,
    ) -> Result<Pushed, Error> {
        require(permit, &[Action::Push])?;
        let Judged { digest, manifest, tags } = self.judge(&new).await?;
        let targets = self.targets(&manifest);
        let push = Push {
            permit,
            digest,
            body: new.body,
            manifest: &manifest,
            targets,
            tags,
            now,
            turn: Turn::default(),
        };
        retrying(|| self.try_push(&push)).await?;
        let subject = manifest.subject().map(|subject| subject.digest.clone());
        Ok(Pushed { digest: push.digest, subject, tags: push.tags.into_iter().collect() })
    }

    /// Refuses what [`Storage::put_manifest`] would refuse in a repository that holds nothing: asked before a repository
    /// is made for a push.
    ///
    /// # Errors
    /// As [`Storage::put_manifest`].
    pub async fn check_manifest(&self, new: &NewManifest<'_>) -> Result<(), Error> {
        let judged = self.judge(new).await?;
        let targets = self.targets(&judged.manifest);
        let needed: Vec<Digest> =
            targets.into_iter().filter(|(_, needed)| *needed).map(|(digest, _)| digest.clone()).collect();
        if needed.is_empty() { Ok(()) } else { Err(Error::ManifestBlobsUnknown { digests: needed }) }
    }

    async fn judge(&self, new: &NewManifest<'_>) -> Result<Judged, Error> {
        let max = self.settings().manifest_bytes_max;
        if new.body.len() > max {
            return Err(Error::TooLarge { max: max as u64 });
        }
        let mut tags: BTreeSet<Tag> = new.tags.iter().cloned().collect();
        let algorithm = match &new.reference {
            Reference::Digest(digest) => digest.algorithm(),
            Reference::Tag(tag) => {
                tags.insert(tag.clone());
                Algorithm::Sha256
            }
        };
        let max = self.settings().tags_per_push_max;
        if tags.len() > max {
            return Err(Error::TooManyTags { max });
        }
        let (digest, manifest) = read(new.content_type, &new.body, algorithm).await?;
        match &new.reference {
            Reference::Digest(promised) if *promised != digest => {
                Err(Error::DigestMismatch { promised: Box::new(promised.clone()), actual: Box::new(digest) })
            }
            _ => Ok(Judged { digest, manifest: manifest.map_err(Error::ManifestInvalid)?, tags }),
        }
    }

    /// What `manifest` names, and whether it must be here: an image's blobs must, unless they may lie elsewhere.
    fn targets<'a>(&self, manifest: &'a Manifest) -> BTreeMap<&'a Digest, bool> {
        let mut targets = BTreeMap::new();
        for blob in manifest.blobs() {
            let needed = !blob.is_foreign() && !self.settings().sparse_images;
            *targets.entry(&blob.digest).or_insert(false) |= needed;
        }
        for child in manifest.children() {
            targets.insert(&child.digest, false);
        }
        targets
    }

    async fn try_push(&self, push: &Push<'_>) -> Result<Option<()>, Error> {
        let repository = push.permit.repository();
        let keys =
            [life_key(repository), manifest_key(repository, &push.digest), shared_tags_key(repository)];
        let [life, found, patterns] = self.snapshot(keys).await?;
        if self.waited_for_turn(repository, patterns.as_ref(), &push.turn).await {
            return Ok(None);
        }
        let life = alive(life.as_ref())?;
        let found: Option<Versioned<ManifestRecord>> =
            found.map(|entry| decode(keys[1], &entry)).transpose()?;

        let mut commit = self.store().transaction();
        commit.expect(keys[0], Some(life)).expect(keys[1], found.as_ref().map(|found| found.version));
        for (digest, link) in self.needed_links(push).await? {
            commit.expect(LinkAt { repository, digest }.key(), Some(link));
        }
        commit.put(keys[1], &push.record(found.as_ref()))?;
        if found.is_none() {
            push.write_new(&mut commit)?;
        }
        let moved = self.set_tags(&push.tagging(), &mut commit).await?;
        self.record_event(&mut commit, push.permit, EventKind::ManifestPushed, push.detail(), push.now)?;
        let made = (found.is_none() && patterns.is_some()).then(|| ManifestChange {
            digest: &push.digest,
            names: Names::of(push.manifest),
            subject: push.manifest.subject().map(|subject| &subject.digest),
        });
        let changes = Changes { made, tags: moved, gone: None };
        let counted = self.count_changes(repository, (life, patterns.as_ref()), changes, &mut commit).await?;
        let Some(()) = counted else { return Ok(None) };
        self.commit(commit, ()).await
    }

    /// The links of the blobs that must be here. Those that may be missing are looked up as well: whatever is here
    /// must have the size that the manifest says.
    async fn needed_links<'a>(&self, push: &Push<'a>) -> Result<Vec<(&'a Digest, Version)>, Error> {
        let repository = push.permit.repository();
        let blobs: BTreeSet<&Digest> = push.manifest.blobs().map(|blob| &blob.digest).collect();
        let keys: Vec<_> = blobs.iter().map(|digest| LinkAt { repository, digest }.key()).collect();
        let links = self.entries(&keys).await?;
        let (mut needed, mut missing, mut sizes) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (digest, link) in blobs.into_iter().zip(links) {
            let is_needed = push.targets.get(digest).copied().unwrap_or(false);
            let Some(link) = link else {
                missing.extend(is_needed.then(|| digest.clone()));
                continue;
            };
            let link: Versioned<LinkRecord> = decode(LinkAt { repository, digest }.key(), &link)?;
            sizes.insert(digest, link.value.size);
            needed.extend(is_needed.then_some((digest, link.version)));
        }
        if missing.is_empty() {
            check_sizes(push.manifest, &sizes)?;
            Ok(needed)
        } else {
            Err(Error::ManifestBlobsUnknown { digests: missing })
        }
    }

    /// Points tags at a manifest whose record `commit` expects and writes, and answers how they move.
    pub(super) async fn set_tags(
        &self,
        push: &Tagging<'_>,
        commit: &mut Transaction,
    ) -> Result<TagMoves, Error> {
        let repository = push.permit.repository().raw();
        commit.put(usage_of(push.permit, Usage::LastPush), &push.now)?;
        let key_of = |tag| Key::Tag { repository, tag: Tag::as_str(tag) };
        let keys: Vec<_> = push.tags.iter().map(key_of).collect();
        let (mut made, mut moved) = (0, Vec::with_capacity(push.tags.len()));
        for (tag, found) in push.tags.iter().zip(self.entries(&keys).await?) {
            let found = found.map(|entry| decode::<TagRecord>(key_of(tag), &entry)).transpose()?;
            if found.is_some() && !push.overwrite {
                return Err(Error::TagExists);
            }
            commit.expect(key_of(tag), found.as_ref().map(|found| found.version));
            commit.put(key_of(tag), &TagRecord { digest: push.digest.clone(), updated_at: push.now })?;
            let from = found.as_ref().map(|found| found.value.digest.clone());
            moved.push(TagMove { tag: tag.to_string(), from, to: Some(push.digest.clone()) });
            match found {
                Some(found) if found.value.digest == *push.digest => continue,
                Some(found) => _ = commit.delete(tag_of(repository, &found.value.digest, tag)),
                None => made += 1,
            }
            commit.put(tag_of(repository, push.digest, tag), &())?;
        }
        if made > 0 {
            commit.add(usage_of(push.permit, Usage::Tags), made, COUNT);
        }
        Ok(TagMoves(moved))
    }
}

impl Push<'_> {
    fn tagging(&self) -> Tagging<'_> {
        Tagging {
            permit: self.permit,
            digest: &self.digest,
            tags: &self.tags,
            overwrite: true,
            now: self.now,
        }
    }

    fn size(&self) -> u64 {
        self.body.len() as u64
    }

    fn record(&self, found: Option<&Versioned<ManifestRecord>>) -> ManifestRecord {
        let sizes: BTreeMap<_, _> = self.manifest.blobs().map(|blob| (&blob.digest, blob.size)).collect();
        ManifestRecord {
            media_type: self.manifest.media_type().to_owned(),
            size: self.size(),
            content_size: sizes.values().fold(0, |sum, size| sum.saturating_add(*size)),
            subject: self.manifest.subject().map(|subject| subject.digest.clone()),
            created_at: found.map_or(self.now, |found| found.value.created_at),
            pushed_at: self.now,
            pushed_by: self.permit.principal().into(),
        }
    }

    /// Writes what a manifest brings with it when it is new.
    fn write_new(&self, commit: &mut Transaction) -> Result<(), Error> {
        let id = self.permit.repository();
        let (repository, source) = (id.raw(), self.digest.raw());
        commit.put_bytes(body_key(id, &self.digest), self.body.to_vec());
        for target in self.targets.keys().map(|target| target.raw()) {
            commit.put(Key::Reference { repository, target, source }, &())?;
            commit.add(Key::References { repository, target }, 1, COUNT);
        }
        if let Some(subject) = self.manifest.subject() {
            let key = Key::Referrer { repository, subject: subject.digest.raw(), digest: source };
            commit.put(key, &oci::referrer(self.manifest, self.digest.clone(), self.size()))?;
        }
        commit.add(usage_of(self.permit, Usage::Manifests), 1, COUNT);
        commit.add(usage_of(self.permit, Usage::Bytes), delta(self.size()), COUNT);
        // Removed with the last manifest, which expects the counter of manifests.
        commit.put(Key::Listed { name: self.permit.name().as_str() }, &id)?;
        Ok(())
    }

    fn detail(&self) -> String {
        let tags: Vec<&str> = self.tags.iter().map(Tag::as_str).collect();
        let kind = match self.manifest.kind() {
            Kind::Image => "image",
            Kind::Index => "index",
        };
        format!("{kind} {} tags: {}", self.digest, tags.join(","))
    }
}

/// Refuses a manifest that says another size of a blob than it has: pullers would trust it, and so does usage.
fn check_sizes(manifest: &Manifest, sizes: &BTreeMap<&Digest, u64>) -> Result<(), Error> {
    for blob in manifest.blobs() {
        match sizes.get(&blob.digest) {
            Some(actual) if *actual != blob.size => {
                let (digest, said, actual) = (Box::new(blob.digest.clone()), blob.size, *actual);
                return Err(Error::BlobSizeMismatch { digest, said, actual });
            }
            _ => {}
        }
    }
    Ok(())
}

fn tag_of<'a>(repository: Id, digest: &'a Digest, tag: &'a Tag) -> Key<'a> {
    Key::TagOf { repository, digest: digest.raw(), tag: tag.as_str() }
}
