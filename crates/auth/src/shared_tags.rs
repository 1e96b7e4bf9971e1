//! The patterns of tags by which a repository is shared: which there are, and how many shares use each. What they reach
//! is counted by who knows manifests; here is only said that it is to be counted, and when it may go.
//!
//! A share uses a pattern from the commit that makes it to the one that removes it, ended or not. A pattern that no share
//! uses any more goes in that commit, and its id with it: what was counted under it is handed to the reaper.

use std::time::Duration;

use jiff::Timestamp;
use kv::{Key, Transaction, Version};
use oci::TagPattern;

use crate::records::{BoundTags, PatternReap, PatternState, SharedPattern, SharedTagsRecord};
use crate::{Auth, Error, PatternId, RepositoryId};

/// The most patterns by which one repository is shared, over all its shares.
pub const SHARED_PATTERNS_MAX: usize = 8;
/// The most that its record holds: those in use, and those that are being built to take their place.
const HELD_MAX: usize = 2 * SHARED_PATTERNS_MAX;
/// For how long a pattern is held for the share that it was built for.
const UNUSED_KEPT_FOR: Duration = Duration::from_secs(60 * 60);

/// One to [`SHARED_PATTERNS_MAX`] patterns of tags, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPatterns(Vec<TagPattern>);

impl TagPatterns {
    /// Reads patterns, in any order.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the rule that one breaks, or for none at all; [`Error::Limit`].
    pub fn parse<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<TagPatterns, Error> {
        let invalid = |reason: String| Error::Invalid { field: "tags", reason };
        let mut patterns = Vec::new();
        for text in texts {
            patterns.push(TagPattern::parse(text.as_ref()).map_err(|error| invalid(error.to_string()))?);
        }
        if patterns.is_empty() {
            return Err(invalid("name at least one pattern of tags; * stands for every tag".to_owned()));
        }
        patterns.sort();
        patterns.dedup();
        if patterns.len() > SHARED_PATTERNS_MAX {
            return Err(too_many());
        }
        Ok(TagPatterns(patterns))
    }

    /// The patterns, in byte order.
    pub fn iter(&self) -> impl Iterator<Item = &TagPattern> {
        self.0.iter()
    }
}

/// What of a repository a share opens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ShareTags {
    /// All of it.
    #[default]
    All,
    /// The tags that one of these matches, and what they reach.
    Matching(TagPatterns),
}

impl ShareTags {
    /// As a share's record has it.
    pub(crate) fn of(tags: Option<&[BoundTags]>) -> ShareTags {
        match tags {
            None => ShareTags::All,
            Some(tags) => {
                ShareTags::Matching(TagPatterns(tags.iter().map(|tags| tags.pattern.clone()).collect()))
            }
        }
    }

    /// The patterns, if it names some.
    #[must_use]
    pub fn patterns(&self) -> Option<&TagPatterns> {
        match self {
            ShareTags::All => None,
            ShareTags::Matching(patterns) => Some(patterns),
        }
    }
}

/// The patterns of a repository, as a transaction finds them and will leave them: read once and written once, however
/// many shares that makes or removes.
pub(crate) struct PatternUse {
    repository: RepositoryId,
    version: Option<Version>,
    patterns: Vec<SharedPattern>,
    changed: bool,
    given_up: Vec<PatternId>,
}

impl Auth {
    /// The patterns by which `repository` is shared.
    pub(crate) async fn pattern_use(&self, repository: RepositoryId) -> Result<PatternUse, Error> {
        let found = self.store().get::<SharedTagsRecord>(key(repository)).await?;
        let version = found.as_ref().map(|found| found.version);
        let patterns = found.map(|found| found.value.patterns).unwrap_or_default();
        Ok(PatternUse { repository, version, patterns, changed: false, given_up: Vec::new() })
    }

    /// Notes the patterns of `tags` that are new in `repository`, whose life record has the version `life`, so that what
    /// they reach can be counted; a conflict is no error. Always fails: with [`Error::TagsUncounted`], so that whoever
    /// shares has it counted and comes again.
    pub(crate) async fn note_patterns<T>(
        &self,
        repository: RepositoryId,
        life: Version,
        tags: &ShareTags,
        now: Timestamp,
    ) -> Result<T, Error> {
        let mut held = self.pattern_use(repository).await?;
        let mut tx = self.store().transaction();
        tx.expect(Key::Repository { repository: repository.raw() }, Some(life));
        for pattern in tags.patterns().into_iter().flat_map(TagPatterns::iter) {
            if held.patterns.iter().all(|held| held.pattern != *pattern) {
                held.add(pattern, tags, &mut tx, now)?;
            }
        }
        held.write(&mut tx, now)?;
        self.finish(tx, ()).await?;
        Err(Error::TagsUncounted { repositories: vec![repository] })
    }
}

impl PatternUse {
    /// The patterns of `tags`, used by one share more from now on; [`Taken::Uncounted`] while what one of them reaches is
    /// not yet counted.
    ///
    /// # Errors
    /// [`Error::Limit`] when they would be too many.
    pub(crate) fn take(&mut self, tags: &ShareTags) -> Result<Taken, Error> {
        let Some(wanted) = tags.patterns() else { return Ok(Taken::Bound(None)) };
        let others = self.patterns.iter().filter(|held| held.shares > 0);
        let others = others.filter(|held| wanted.iter().all(|pattern| *pattern != held.pattern)).count();
        if others + wanted.0.len() > SHARED_PATTERNS_MAX {
            return Err(too_many());
        }
        let mut bound = Vec::with_capacity(wanted.0.len());
        for pattern in wanted.iter() {
            let ready =
                |held: &&mut SharedPattern| held.pattern == *pattern && held.state == PatternState::Ready;
            let Some(held) = self.patterns.iter_mut().find(ready) else { return Ok(Taken::Uncounted) };
            held.shares += 1;
            self.changed = true;
            bound.push(BoundTags { pattern: pattern.clone(), id: held.id });
        }
        Ok(Taken::Bound(Some(bound)))
    }

    /// Lets go of the patterns of a share. Those that went with all others, when the repository became public, are not
    /// here any more.
    pub(crate) fn release(&mut self, tags: Option<&[BoundTags]>) {
        for tags in tags.unwrap_or_default() {
            if let Some(held) = self.patterns.iter_mut().find(|held| held.id == tags.id) {
                held.shares = held.shares.saturating_sub(1);
                self.changed = true;
                if held.shares == 0 {
                    self.given_up.push(held.id);
                }
            }
        }
    }

    /// Lets go of all of them, whoever uses them.
    pub(crate) fn release_all(&mut self) {
        self.changed = !self.patterns.is_empty();
        self.given_up = self.patterns.iter().map(|held| held.id).collect();
        self.patterns.iter_mut().for_each(|held| held.shares = 0);
    }

    /// Adds a pattern, to be built; in the place of one that nobody uses, if there is no other.
    fn add(
        &mut self,
        pattern: &TagPattern,
        wanted: &ShareTags,
        tx: &mut Transaction,
        now: Timestamp,
    ) -> Result<(), Error> {
        let is_wanted =
            |held: &SharedPattern| wanted.patterns().is_some_and(|wanted| wanted.0.contains(&held.pattern));
        if self.patterns.len() >= HELD_MAX {
            let unused = self.patterns.iter().position(|held| held.shares == 0 && !is_wanted(held));
            let held = self.patterns.remove(unused.ok_or_else(too_many)?);
            self.reap(tx, held.id, now)?;
        }
        let (id, state) = (PatternId::random(), PatternState::Building { after: String::new() });
        // Should no share come to use it, the reaper finds it.
        let due_at = now.checked_add(UNUSED_KEPT_FOR).unwrap_or(Timestamp::MAX);
        self.reap(tx, id, due_at)?;
        self.patterns.push(SharedPattern { id, pattern: pattern.clone(), shares: 0, state });
        self.changed = true;
        Ok(())
    }

    fn reap(&self, tx: &mut Transaction, pattern: PatternId, due_at: Timestamp) -> Result<(), Error> {
        tx.put(Key::Reap { id: pattern.raw() }, &PatternReap { repository: self.repository, due_at })?;
        Ok(())
    }

    /// Expects the record as it was read, if it was changed, and writes it as it is now.
    pub(crate) fn write(mut self, tx: &mut Transaction, now: Timestamp) -> Result<(), Error> {
        if !self.changed {
            return Ok(());
        }
        for id in std::mem::take(&mut self.given_up) {
            // One that was taken again after it was let go of stays.
            if let Some(at) = self.patterns.iter().position(|held| held.id == id && held.shares == 0) {
                self.patterns.remove(at);
                self.reap(tx, id, now)?;
            }
        }
        let key = key(self.repository);
        tx.expect(key, self.version);
        if self.patterns.is_empty() {
            tx.delete(key);
        } else {
            tx.put(key, &SharedTagsRecord { patterns: self.patterns })?;
        }
        Ok(())
    }
}

/// What became of the patterns that a share asks for.
pub(crate) enum Taken {
    /// They are its own, or it asks for none.
    Bound(Option<Vec<BoundTags>>),
    /// What one of them reaches is to be counted first.
    Uncounted,
}

fn key(repository: RepositoryId) -> Key<'static> {
    Key::SharedTags { repository: repository.raw() }
}

fn too_many() -> Error {
    Error::Limit { what: "patterns of tags in the shares of a repository", max: SHARED_PATTERNS_MAX as u64 }
}

#[cfg(test)]
mod tests {
    use super::{SHARED_PATTERNS_MAX, TagPatterns};
    use crate::Error;

    #[test]
    fn patterns_table() {
        let numbered = |count: usize| (0..count).map(|n| format!("v{n}.*")).collect::<Vec<_>>();
        let written = |texts: &[&str]| {
            TagPatterns::parse(texts).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(written(&["v1.*", "latest"]), ["latest", "v1.*"]);
        assert_eq!(written(&["v1.*", "v1.**", "v1.*"]), ["v1.*"], "each once");
        assert!(TagPatterns::parse(numbered(SHARED_PATTERNS_MAX)).is_ok());
        assert!(matches!(
            TagPatterns::parse(numbered(SHARED_PATTERNS_MAX + 1)),
            Err(Error::Limit { max: 8, .. })
        ));
        let same = vec!["v1.*"; 100];
        assert!(TagPatterns::parse(same).is_ok());
        for bad in [&[][..], &[""], &["v1.*", ""], &["v1/*"], &["é"], &["a\0"], &["-x"]] {
            assert!(matches!(TagPatterns::parse(bad), Err(Error::Invalid { field: "tags", .. })), "{bad:?}");
        }
    }
}
