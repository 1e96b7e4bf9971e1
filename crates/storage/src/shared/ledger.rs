//! The counts that one write changes: what it makes or removes is told one by one, each edge that comes or goes is
//! followed as far as it makes something reached or not reached any more, and all of it is written in the write's commit.
//!
//! After each step the counts agree with the edges as they are by then, so that steps may come in any order. What comes
//! is told before what goes: what both name is then never let go of and taken up again.
//!
//! Counts and edges are read one after the other. When the patterns change meanwhile (one is not used any more, and what
//! it reached is taken away), some of what was read is of before and some of after: what is found wrong in it is
//! nothing, and the write is decided anew. See [`Ledger::settle`].

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use auth::{RepositoryId, SharedTagsRecord};
use kv::{Entry, Id, Key, Transaction, Version, Versioned, decode};
use oci::Digest;

use super::graph::Graph;
use super::{MemberRecord, Place, Sign, read_digest, shared_tags_key};
use crate::commit::life_key;
use crate::{Error, Storage};

pub(crate) use super::graph::Names;

/// A tag that is set, moved or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TagMove {
    pub(crate) tag: String,
    /// What it named.
    pub(crate) from: Option<Digest>,
    /// What it names from now on.
    pub(crate) to: Option<Digest>,
}

/// Tags that change in one commit.
#[derive(Default)]
#[must_use = "what the patterns of tags reach changes with them, in the same commit"]
pub(crate) struct TagMoves(pub(crate) Vec<TagMove>);

/// A manifest that comes or goes.
pub(crate) struct ManifestChange<'c> {
    pub(crate) digest: &'c Digest,
    pub(crate) names: Names,
    pub(crate) subject: Option<&'c Digest>,
}

/// What one write changes, in the order in which it is told.
#[derive(Default)]
pub(crate) struct Changes<'c> {
    pub(crate) made: Option<ManifestChange<'c>>,
    pub(crate) tags: TagMoves,
    pub(crate) gone: Option<ManifestChange<'c>>,
}

/// A count as it was read, and as it is by now.
#[derive(Debug, Default)]
struct Member {
    was: MemberRecord,
    is: MemberRecord,
}

/// Something that is reached in a layer since a moment ago, or is not any more.
#[derive(Debug)]
struct Turned {
    pattern: usize,
    layer: usize,
    digest: Digest,
}

/// The counts of one repository in one write.
pub(crate) struct Ledger<'a> {
    storage: &'a Storage,
    repository: RepositoryId,
    life: Version,
    version: Version,
    /// As it is written by [`Ledger::write`]. Patterns are named by their place in it.
    pub(super) record: SharedTagsRecord,
    graph: Graph<'a>,
    members: HashMap<(usize, Digest), Member>,
    changes_max: usize,
}

impl<'a> Ledger<'a> {
    /// For a write in `repository`, by its life and the record of its patterns as they were read.
    pub(super) fn open(
        storage: &'a Storage,
        repository: RepositoryId,
        life: Version,
        record: &Entry,
    ) -> Result<Ledger<'a>, Error> {
        let record: Versioned<SharedTagsRecord> = decode(shared_tags_key(repository), record)?;
        let changes_max = storage.settings().shared_changes_max;
        Ok(Ledger {
            storage,
            repository,
            life,
            version: record.version,
            record: record.value,
            graph: Graph::new(storage, repository, changes_max),
            members: HashMap::new(),
            changes_max,
        })
    }

    /// How many counts were looked at.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// What was `told`; `None` when that is an error, and the repository or its patterns were changed since they were
    /// read.
    pub(super) async fn settle<T>(&self, told: Result<T, Error>) -> Result<Option<T>, Error> {
        let error = match told {
            Ok(done) => return Ok(Some(done)),
            Err(error) => error,
        };
        let keys = [life_key(self.repository), shared_tags_key(self.repository)];
        let now = self.storage.snapshot(keys).await?.map(|entry| entry.map(|entry| entry.version));
        if now == [Some(self.life), Some(self.version)] {
            return Err(error);
        }
        tracing::debug!(%error, "what shared tags reach was changed while it was read");
        Ok(None)
    }

    /// Counts what one write changes, as part of its commit.
    pub(super) async fn tell(&mut self, changes: Changes<'_>, commit: &mut Transaction) -> Result<(), Error> {
        if let Some(made) = changes.made {
            self.manifest_made(made).await?;
        }
        self.tags_moved(changes.tags).await?;
        if let Some(gone) = changes.gone {
            self.manifest_gone(gone).await?;
        }
        self.write(commit).await
    }

    async fn manifest_made(&mut self, made: ManifestChange<'_>) -> Result<(), Error> {
        let ManifestChange { digest, names, subject } = made;
        let names = Arc::new(names);
        let edges = self.names_edges(digest, &names).await?;
        self.graph.set_names(digest, Some(names));
        self.apply(edges, Sign::Comes).await?;
        if let Some(subject) = subject {
            let edges = self.edges_to(subject, digest).await?;
            self.graph.add_referrer(subject, digest);
            self.apply(edges, Sign::Comes).await?;
        }
        Ok(())
    }

    async fn manifest_gone(&mut self, gone: ManifestChange<'_>) -> Result<(), Error> {
        let ManifestChange { digest, names, subject } = gone;
        if let Some(subject) = subject {
            let edges = self.edges_to(subject, digest).await?;
            self.graph.remove_referrer(subject, digest);
            self.apply(edges, Sign::Goes).await?;
        }
        let edges = self.names_edges(digest, &names).await?;
        self.graph.set_names(digest, None);
        self.apply(edges, Sign::Goes).await
    }

    async fn tags_moved(&mut self, TagMoves(moves): TagMoves) -> Result<(), Error> {
        for TagMove { tag, from, to } in moves.iter().filter(|tag| tag.from != tag.to) {
            if let Some(to) = to {
                let edges = self.tag_edges(tag, to).await?;
                self.graph.add_tag(tag, from.as_ref(), to);
                self.apply(edges, Sign::Comes).await?;
            }
        }
        for TagMove { tag, from, .. } in moves.iter().filter(|tag| tag.from != tag.to) {
            if let Some(from) = from {
                let edges = self.tag_edges(tag, from).await?;
                self.graph.remove_tag(tag, from);
                self.apply(edges, Sign::Goes).await?;
            }
        }
        Ok(())
    }

    /// A tag that was there comes to be counted by the pattern `at`, whose matching tags end with it from now on.
    pub(super) async fn tag_counted(&mut self, at: usize, tag: &str, digest: &Digest) -> Result<(), Error> {
        self.graph.add_tag(tag, None, digest);
        self.apply(vec![(at, digest.clone(), Place::Manifest(0))], Sign::Comes).await
    }

    /// What leads to the manifests and blobs that `digest` names, in the layers in which it is reached.
    async fn names_edges(&mut self, digest: &Digest, names: &Names) -> Result<Vec<Edge>, Error> {
        let mut edges = Vec::new();
        for pattern in 0..self.record.patterns.len() {
            let member = self.member(pattern, digest).await?;
            for layer in member.layers() {
                edges.extend(named(pattern, layer, names));
            }
        }
        Ok(edges)
    }

    /// What leads from `subject` to `digest`, which refers to it, in the layers in which that is followed.
    async fn edges_to(&mut self, subject: &Digest, digest: &Digest) -> Result<Vec<Edge>, Error> {
        let mut edges = Vec::new();
        for pattern in 0..self.record.patterns.len() {
            let member = self.member(pattern, subject).await?;
            edges
                .extend(member.followed().map(|layer| (pattern, digest.clone(), Place::Manifest(layer + 1))));
        }
        Ok(edges)
    }

    /// What leads to `digest` by way of `tag`: from the patterns that count it, and from what it is about.
    async fn tag_edges(&mut self, tag: &str, digest: &Digest) -> Result<Vec<Edge>, Error> {
        let mut edges = Vec::new();
        for pattern in 0..self.record.patterns.len() {
            if self.record.patterns[pattern].counts(tag) {
                edges.push((pattern, digest.clone(), Place::Manifest(0)));
            }
            for subject in self.subjects(pattern, tag).await? {
                let member = self.member(pattern, &subject).await?;
                edges.extend(
                    member.followed().map(|layer| (pattern, digest.clone(), Place::Manifest(layer + 1))),
                );
            }
        }
        Ok(edges)
    }

    /// Counts `edges` that come or go, and follows what they turn.
    async fn apply(&mut self, edges: Vec<Edge>, sign: Sign) -> Result<(), Error> {
        let mut turned = Vec::new();
        self.count(edges, sign, &mut turned).await?;
        while let Some(turn) = turned.pop() {
            let edges = self.edges_of(&turn).await?;
            self.count(edges, sign, &mut turned).await?;
        }
        Ok(())
    }

    async fn count(&mut self, edges: Vec<Edge>, sign: Sign, turned: &mut Vec<Turned>) -> Result<(), Error> {
        let wanted: BTreeSet<(usize, &Digest)> =
            edges.iter().map(|(pattern, digest, _)| (*pattern, digest)).collect();
        self.load(wanted).await?;
        for (pattern, digest, place) in edges {
            let member = self.members.entry((pattern, digest.clone())).or_default();
            let has_turned = member.is.count(place, sign)?;
            // A blob leads nowhere.
            if let (true, Place::Manifest(layer)) = (has_turned, place) {
                turned.push(Turned { pattern, layer, digest });
            }
        }
        Ok(())
    }

    /// What leads on from something that has turned.
    async fn edges_of(&mut self, turned: &Turned) -> Result<Vec<Edge>, Error> {
        let Turned { pattern, layer, digest } = turned;
        let mut edges = Vec::new();
        if let Some(names) = self.graph.names(digest).await? {
            edges.extend(named(*pattern, *layer, &names));
        }
        if layer + 1 < super::LAYERS {
            let further = Place::Manifest(layer + 1);
            let referrers = self.graph.referrers(digest).await?;
            edges.extend(referrers.into_iter().map(|by| (*pattern, by, further)));
            let tags = self.graph.tags_about(digest).await?;
            edges.extend(tags.into_iter().map(|(_, named)| (*pattern, named, further)));
        }
        Ok(edges)
    }

    /// How often `digest` is named by now.
    async fn member(&mut self, pattern: usize, digest: &Digest) -> Result<MemberRecord, Error> {
        self.load(BTreeSet::from([(pattern, digest)])).await?;
        Ok(self.members.get(&(pattern, digest.clone())).map(|member| member.is.clone()).unwrap_or_default())
    }

    async fn load(&mut self, wanted: BTreeSet<(usize, &Digest)>) -> Result<(), Error> {
        let wanted: Vec<(usize, &Digest)> = wanted
            .into_iter()
            .filter(|(pattern, digest)| !self.members.contains_key(&(*pattern, (*digest).clone())))
            .collect();
        if self.members.len() + wanted.len() > self.changes_max {
            return Err(Error::TooMuchShared { max: self.changes_max });
        }
        let keys: Vec<_> = wanted.iter().map(|(pattern, digest)| self.key(*pattern, digest)).collect();
        let entries = self.storage.entries(&keys).await?;
        for (((pattern, digest), key), entry) in wanted.iter().zip(&keys).zip(entries) {
            let was = match entry {
                Some(entry) => decode::<MemberRecord>(*key, &entry)?.value,
                None => MemberRecord::default(),
            };
            self.members.insert((*pattern, (*digest).clone()), Member { is: was.clone(), was });
        }
        Ok(())
    }

    /// What `tag` is about, among what the pattern reaches: one digest at most, unless two begin alike.
    async fn subjects(&mut self, pattern: usize, tag: &str) -> Result<Vec<Digest>, Error> {
        let Some(beginning) = Digest::subject_raw_beginning(tag) else { return Ok(Vec::new()) };
        if let Some(whole) = Digest::from_raw(&beginning) {
            return Ok(vec![whole]);
        }
        let id = self.record.patterns[pattern].id.raw();
        let list = Key::SharedContent { repository: self.repository.raw(), pattern: id, digest: &beginning };
        let region = self.storage.store().region();
        let rows = self.storage.store().list(list.beginning(region), self.storage.page_entries(usize::MAX));
        let all = Key::SharedContent { repository: self.repository.raw(), pattern: id, digest: &[] };
        let mut subjects = BTreeSet::new();
        for (key, _) in rows.await? {
            subjects.insert(read_digest(all.tail(region, &key)?)?);
        }
        let loaded =
            self.members.keys().filter(|(of, digest)| *of == pattern && digest.raw().starts_with(&beginning));
        subjects.extend(loaded.map(|(_, digest)| digest.clone()));
        Ok(subjects.into_iter().collect())
    }

    fn key<'k>(&self, pattern: usize, digest: &'k Digest) -> Key<'k> {
        let pattern = self.record.patterns.get(pattern).map_or(Id::MIN, |pattern| pattern.id.raw());
        Key::SharedContent { repository: self.repository.raw(), pattern, digest: digest.raw() }
    }

    /// Adds all that has changed to `commit`, which expects the patterns to be as they were read.
    ///
    /// # Errors
    /// [`Error::TooMuchShared`].
    pub(super) async fn write(&mut self, commit: &mut Transaction) -> Result<(), Error> {
        self.write_tags(commit).await?;
        for ((pattern, digest), member) in &self.members {
            let key = self.key(*pattern, digest);
            if member.is.is_empty() && !member.was.is_empty() {
                commit.delete(key);
            } else if member.is != member.was {
                commit.put(key, &member.is)?;
            }
        }
        let key = shared_tags_key(self.repository);
        commit.expect(key, Some(self.version)).put(key, &self.record)?;
        if commit.len() > kv::BATCH_OPERATIONS_MAX {
            return Err(Error::TooMuchShared { max: self.changes_max });
        }
        Ok(())
    }

    /// Shows the tags that are to be shown from now on, and hides the others, among those that may have changed: tags of
    /// this write, and tags about what is followed, or not followed, since this write.
    async fn write_tags(&mut self, commit: &mut Transaction) -> Result<(), Error> {
        let mut tags: BTreeSet<(usize, String, bool)> = BTreeSet::new();
        for (tag, exists) in self.graph.changed_tags() {
            tags.extend((0..self.record.patterns.len()).map(|pattern| (pattern, tag.to_owned(), exists)));
        }
        let turned =
            self.members.iter().filter(|(_, member)| member.is.is_followed() != member.was.is_followed());
        let turned: Vec<_> = turned.map(|(key, _)| key.clone()).collect();
        for (pattern, digest) in turned {
            let about = self.graph.tags_about(&digest).await?;
            tags.extend(about.into_iter().map(|(tag, _)| (pattern, tag, true)));
        }
        for (pattern, tag, exists) in tags {
            let shown = exists && self.shows(pattern, &tag).await?;
            let id = self.record.patterns[pattern].id.raw();
            let key = Key::SharedTag { repository: self.repository.raw(), pattern: id, tag: &tag };
            if shown {
                commit.put(key, &())?;
            } else {
                commit.delete(key);
            }
        }
        Ok(())
    }

    async fn shows(&mut self, pattern: usize, tag: &str) -> Result<bool, Error> {
        if self.record.patterns[pattern].counts(tag) {
            return Ok(true);
        }
        for subject in self.subjects(pattern, tag).await? {
            if self.member(pattern, &subject).await?.is_followed() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Something that leads to a digest in a place, by the pattern that it is counted for.
type Edge = (usize, Digest, Place);

fn named(pattern: usize, layer: usize, names: &Names) -> impl Iterator<Item = Edge> {
    let children = names.children.iter().map(move |child| (pattern, child.clone(), Place::Manifest(layer)));
    children.chain(names.blobs.iter().map(move |blob| (pattern, blob.clone(), Place::Blob)))
}
