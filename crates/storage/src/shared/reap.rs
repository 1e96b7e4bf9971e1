//! The emptying of a pattern that no share uses any more, and of one that was never used.

use auth::{PatternReap, RepositoryId, SharedTagsRecord};
use jiff::Timestamp;
use kv::{Id, Key, Range, Region, Versioned};

use super::shared_tags_key;
use crate::{Error, Storage};

/// What is to become of a pattern.
#[derive(PartialEq)]
enum Fate {
    /// A share uses it: it stays.
    Used,
    /// Nobody does: what it reached goes.
    Unused,
}

impl Storage {
    /// Some commits of the emptying of the pattern `id`; whether it is done with.
    pub(crate) async fn reap_pattern(
        &self,
        id: Id,
        reap: &PatternReap,
        now: Timestamp,
        steps_max: usize,
    ) -> Result<bool, Error> {
        if now < reap.due_at {
            return Ok(true);
        }
        match self.unhook_pattern(id, reap.repository).await? {
            Some(Fate::Unused) => {}
            Some(Fate::Used) => return Ok(true),
            // Somebody writes there just now: next time.
            None => return Ok(true),
        }
        let region = self.store().region();
        let repository = reap.repository.raw();
        let tags = Key::SharedTag { repository, pattern: id, tag: "" }.siblings(region);
        let content = Key::SharedContent { repository, pattern: id, digest: &[] }.siblings(region);
        for _ in 0..steps_max {
            let some = self.empty_range(tags.clone(), self.reap_batch()).await?
                || self.empty_range(content.clone(), self.reap_batch()).await?;
            if !some {
                let mut done = self.store().transaction();
                done.delete(Key::Reap { id });
                self.store().commit(done).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Takes the pattern out of the repository's record if nobody uses it, so that no write counts for it any more; else
    /// out of the queue. `None` when the record was changed meanwhile.
    async fn unhook_pattern(&self, id: Id, repository: RepositoryId) -> Result<Option<Fate>, Error> {
        let key = shared_tags_key(repository);
        let Some(found) = self.store().get::<SharedTagsRecord>(key).await? else {
            return Ok(Some(Fate::Unused));
        };
        let Versioned { version, value: mut record } = found;
        let Some(at) = record.patterns.iter().position(|pattern| pattern.id.raw() == id) else {
            return Ok(Some(Fate::Unused));
        };
        let mut tx = self.store().transaction();
        // Its last share's end would put it into the queue again, and changes the record.
        tx.expect(key, Some(version));
        if record.patterns[at].shares > 0 {
            tx.delete(Key::Reap { id });
            return self.commit(tx, Fate::Used).await;
        }
        record.patterns.remove(at);
        if record.patterns.is_empty() {
            tx.delete(key);
        } else {
            tx.put(key, &record)?;
        }
        self.commit(tx, Fate::Unused).await
    }

    /// What all patterns of a repository reached, for its own emptying.
    pub(crate) fn shared_ranges(repository: Id, region: &Region) -> [Range; 2] {
        let last = Id::new((1 << 53) - 1).unwrap_or(Id::MIN);
        let tag = |pattern| Key::SharedTag { repository, pattern, tag: "" }.siblings(region);
        let content = |pattern| Key::SharedContent { repository, pattern, digest: &[] }.siblings(region);
        [(tag(Id::MIN).0, tag(last).1), (content(Id::MIN).0, content(last).1)]
    }
}
