//! The counting of what a new pattern reaches, in bounded commits: tag by tag, with a cursor in the pattern's record.
//!
//! A write of a tag at or before the cursor counts for the pattern, one behind it is left to the count, so that none is
//! counted twice or not at all. It can stop anywhere, and goes on where it was.

use auth::{PatternState, RepositoryId};
use kv::{Key, Transaction, Versioned, decode};

use super::{Ledger, Turn, shared_tags_key};
use crate::commit::{alive, life_key, retrying};
use crate::tags::{TagRecord, read_tag};
use crate::{Error, Storage};

/// How many tags are looked at in one commit. Few in tests, so that they see it stop and go on.
const TAGS_AT_ONCE: usize = if cfg!(test) { 3 } else { 1_000 };
/// After how many counts a commit takes no further tag.
const COUNTS_AT_ONCE: usize = if cfg!(test) { 6 } else { 2_000 };

/// What is left after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    More,
    Nothing,
}

impl Storage {
    /// Counts what the new patterns of `repository` reach, until there is none left that is not ready. Asks no permit: it
    /// shows nothing, and `auth` has noted the patterns for who may share.
    ///
    /// # Errors
    /// [`Error::TooMuchShared`] when what one tag reaches is too much for one commit.
    pub async fn count_shared_tags(&self, repository: RepositoryId) -> Result<(), Error> {
        loop {
            // Others have theirs between two commits.
            let turn = Turn::default();
            if retrying(|| self.try_count(repository, &turn)).await? == Step::Nothing {
                return Ok(());
            }
        }
    }

    async fn try_count(&self, repository: RepositoryId, turn: &Turn) -> Result<Option<Step>, Error> {
        match self.try_count_some(repository, COUNTS_AT_ONCE, turn).await {
            // Perhaps only together with the tags before it.
            Err(Error::TooMuchShared { .. }) => self.try_count_some(repository, 0, turn).await,
            other => other,
        }
    }

    async fn try_count_some(
        &self,
        repository: RepositoryId,
        counts_max: usize,
        turn: &Turn,
    ) -> Result<Option<Step>, Error> {
        let [life, record] = self.snapshot([life_key(repository), shared_tags_key(repository)]).await?;
        let life = alive(life.as_ref())?;
        if self.waited_for_turn(repository, record.as_ref(), turn).await {
            return Ok(None);
        }
        let Some(record) = record else { return Ok(Some(Step::Nothing)) };
        let mut ledger = Ledger::open(self, repository, life, &record)?;
        let mut commit = self.store().transaction();
        commit.expect(life_key(repository), Some(life));
        let counted = self.count_some(&mut ledger, repository, counts_max, &mut commit).await;
        match ledger.settle(counted).await? {
            Some(Step::More) => self.commit(commit, Step::More).await,
            other => Ok(other),
        }
    }

    async fn count_some(
        &self,
        ledger: &mut Ledger<'_>,
        repository: RepositoryId,
        counts_max: usize,
        commit: &mut Transaction,
    ) -> Result<Step, Error> {
        let mut patterns = ledger.record.patterns.iter().enumerate();
        let building = patterns.find_map(|(at, pattern)| match &pattern.state {
            PatternState::Building { after } => Some((at, after.clone(), pattern.pattern.clone())),
            PatternState::Ready => None,
        });
        let Some((at, mut after, pattern)) = building else { return Ok(Step::Nothing) };

        let list = Key::Tag { repository: repository.raw(), tag: pattern.beginning() };
        let region = self.store().region();
        let (mut start, end) = list.beginning(region);
        if !after.is_empty() {
            let cursor = Key::Tag { repository: repository.raw(), tag: &after };
            start = std::ops::Bound::Excluded(cursor.encode(region));
        }
        let rows = self.store().list((start, end), TAGS_AT_ONCE).await?;
        let mut state = if rows.len() < TAGS_AT_ONCE { Some(PatternState::Ready) } else { None };
        for (key, entry) in rows {
            let tag = read_tag(list.tail(region, &key)?)?;
            if pattern.matches(&tag) {
                let named: Versioned<TagRecord> = decode(list, &entry)?;
                ledger.tag_counted(at, &tag, &named.value.digest).await?;
            }
            after = tag;
            if ledger.len() > counts_max {
                state = None;
                break;
            }
        }
        let state = state.unwrap_or(PatternState::Building { after });
        if let Some(counted) = ledger.record.patterns.get_mut(at) {
            counted.state = state;
        }
        ledger.write(commit).await?;
        Ok(Step::More)
    }
}
