//! What leads from one digest of a repository to another: what a manifest names, what refers to it, which tags are about
//! it. As the store has it, changed by what the write at hand changes.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use auth::RepositoryId;
use kv::{Key, Range, Versioned, decode};
use oci::{Digest, Manifest};

use crate::commit::corrupt;
use crate::manifests::{ManifestRecord, body_key, manifest_key, read};
use crate::tags::{TagRecord, read_tag};
use crate::{Error, Storage};

/// How many tags are read at once. Few in tests, so that they see the next ones read.
const TAGS_AT_ONCE: usize = if cfg!(test) { 2 } else { 1_000 };
/// How many referrers: each may be as large as a manifest.
const REFERRERS_AT_ONCE: usize = if cfg!(test) { 2 } else { 16 };

/// What a manifest names, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// Manifests.
    pub(crate) children: Vec<Digest>,
    /// Blobs.
    pub(crate) blobs: Vec<Digest>,
}

impl Names {
    pub(crate) fn of(manifest: &Manifest) -> Names {
        let each_once = |mut digests: Vec<Digest>| {
            digests.sort();
            digests.dedup();
            digests
        };
        Names {
            children: each_once(manifest.children().iter().map(|child| child.digest.clone()).collect()),
            blobs: each_once(manifest.blobs().map(|blob| blob.digest.clone()).collect()),
        }
    }
}

/// A tag and what it names.
type Tagged = (String, Digest);

/// The edges of one repository, for one write.
pub(super) struct Graph<'a> {
    storage: &'a Storage,
    repository: RepositoryId,
    /// The most edges of a kind that are read from one digest.
    edges_max: usize,
    names: HashMap<Digest, Option<Arc<Names>>>,
    referrers: HashMap<Digest, Arc<Vec<Digest>>>,
    tags: HashMap<Digest, Arc<Vec<Tagged>>>,
    /// A referrer that comes, by its subject, or one that goes: a write makes or removes one manifest.
    referrer_made: Option<(Digest, Digest)>,
    referrer_gone: Option<(Digest, Digest)>,
    /// What the tags that change name now: two things, while one of them comes and the other is still to go.
    tags_changed: BTreeMap<String, Vec<Digest>>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(storage: &'a Storage, repository: RepositoryId, edges_max: usize) -> Graph<'a> {
        Graph {
            storage,
            repository,
            edges_max,
            names: HashMap::new(),
            referrers: HashMap::new(),
            tags: HashMap::new(),
            referrer_made: None,
            referrer_gone: None,
            tags_changed: BTreeMap::new(),
        }
    }

    /// From now on the manifest `digest` is here, or is not.
    pub(super) fn set_names(&mut self, digest: &Digest, names: Option<Arc<Names>>) {
        self.names.insert(digest.clone(), names);
    }

    /// From now on `digest` refers to `subject`.
    pub(super) fn add_referrer(&mut self, subject: &Digest, digest: &Digest) {
        self.referrer_made = Some((subject.clone(), digest.clone()));
    }

    /// From now on it does not.
    pub(super) fn remove_referrer(&mut self, subject: &Digest, digest: &Digest) {
        self.referrer_gone = Some((subject.clone(), digest.clone()));
    }

    /// From now on `tag`, which named `before`, names `digest` too.
    pub(super) fn add_tag(&mut self, tag: &str, before: Option<&Digest>, digest: &Digest) {
        let named = self.tags_changed.entry(tag.to_owned());
        named.or_insert_with(|| before.into_iter().cloned().collect()).push(digest.clone());
    }

    /// From now on `tag` does not name `digest` any more.
    pub(super) fn remove_tag(&mut self, tag: &str, digest: &Digest) {
        self.tags_changed.entry(tag.to_owned()).or_default().retain(|named| named != digest);
    }

    /// The tags that change, and whether they name something by now.
    pub(super) fn changed_tags(&self) -> impl Iterator<Item = (&str, bool)> {
        self.tags_changed.iter().map(|(tag, named)| (tag.as_str(), !named.is_empty()))
    }

    /// What the manifest `digest` names; `None` while it is not here.
    pub(super) async fn names(&mut self, digest: &Digest) -> Result<Option<Arc<Names>>, Error> {
        if let Some(names) = self.names.get(digest) {
            return Ok(names.clone());
        }
        let names = self.read_names(digest).await?.map(Arc::new);
        self.names.insert(digest.clone(), names.clone());
        Ok(names)
    }

    async fn read_names(&self, digest: &Digest) -> Result<Option<Names>, Error> {
        let keys = [manifest_key(self.repository, digest), body_key(self.repository, digest)];
        let [Some(record), Some(body)] = self.storage.snapshot(keys).await? else { return Ok(None) };
        let record: Versioned<ManifestRecord> = decode(keys[0], &record)?;
        let (_, manifest) = read(&record.value.media_type, &body.value, digest.algorithm()).await?;
        let manifest = manifest.map_err(|error| corrupt(format!("manifest {digest}: {error}")))?;
        Ok(Some(Names::of(&manifest)))
    }

    /// What refers to `subject`.
    pub(super) async fn referrers(&mut self, subject: &Digest) -> Result<Vec<Digest>, Error> {
        let known = match self.referrers.get(subject) {
            Some(known) => Arc::clone(known),
            None => {
                let read = Arc::new(self.read_referrers(subject).await?);
                self.referrers.insert(subject.clone(), Arc::clone(&read));
                read
            }
        };
        let is = |edge: &Option<(Digest, Digest)>, digest: &Digest| {
            edge.as_ref().is_some_and(|(of, by)| of == subject && by == digest)
        };
        let mut referrers: Vec<Digest> =
            known.iter().filter(|digest| !is(&self.referrer_gone, digest)).cloned().collect();
        referrers.extend(self.referrer_made.iter().filter(|(of, _)| of == subject).map(|(_, by)| by.clone()));
        Ok(referrers)
    }

    async fn read_referrers(&self, subject: &Digest) -> Result<Vec<Digest>, Error> {
        let list = Key::Referrer { repository: self.repository.raw(), subject: subject.raw(), digest: &[] };
        let region = self.storage.store().region();
        let (mut start, end) = list.siblings(region);
        let mut found = Vec::new();
        loop {
            let rows = self.rows((start, end.clone()), REFERRERS_AT_ONCE, found.len()).await?;
            for (key, _) in &rows {
                let digest = Digest::from_raw(list.tail(region, key)?);
                found.push(digest.ok_or_else(|| corrupt("a referrer without a digest"))?);
            }
            match rows.last() {
                Some((last, _)) if rows.len() == REFERRERS_AT_ONCE => start = Bound::Excluded(last.clone()),
                _ => return Ok(found),
            }
        }
    }

    /// The tags that are about `subject`, with what they name.
    pub(super) async fn tags_about(&mut self, subject: &Digest) -> Result<Vec<Tagged>, Error> {
        let known = match self.tags.get(subject) {
            Some(known) => Arc::clone(known),
            None => {
                let read = Arc::new(self.read_tags_about(subject).await?);
                self.tags.insert(subject.clone(), Arc::clone(&read));
                read
            }
        };
        let kept = known.iter().filter(|(tag, _)| !self.tags_changed.contains_key(tag));
        let mut tags: Vec<Tagged> = kept.cloned().collect();
        for (tag, named) in self.tags_changed.iter().filter(|(tag, _)| subject.is_subject_of(tag)) {
            tags.extend(named.iter().map(|digest| (tag.clone(), digest.clone())));
        }
        Ok(tags)
    }

    async fn read_tags_about(&self, subject: &Digest) -> Result<Vec<Tagged>, Error> {
        let beginning = subject.tag_beginning();
        let list = Key::Tag { repository: self.repository.raw(), tag: &beginning };
        let region = self.storage.store().region();
        let (mut start, end) = list.beginning(region);
        let mut found = Vec::new();
        loop {
            let rows = self.rows((start, end.clone()), TAGS_AT_ONCE, found.len()).await?;
            for (key, entry) in &rows {
                let tag = read_tag(list.tail(region, key)?)?;
                if subject.is_subject_of(&tag) {
                    found.push((tag, decode::<TagRecord>(list, entry)?.value.digest));
                }
            }
            match rows.last() {
                Some((last, _)) if rows.len() == TAGS_AT_ONCE => start = Bound::Excluded(last.clone()),
                _ => return Ok(found),
            }
        }
    }

    /// Some rows, unless there are too many already.
    async fn rows(
        &self,
        range: Range,
        limit: usize,
        found: usize,
    ) -> Result<Vec<(Vec<u8>, kv::Entry)>, Error> {
        if found > self.edges_max {
            return Err(Error::TooMuchShared { max: self.edges_max });
        }
        Ok(self.storage.store().list(range, limit).await?)
    }
}
