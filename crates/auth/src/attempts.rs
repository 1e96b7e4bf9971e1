//! Read, decide, write, and once more when somebody was faster: how every change of this crate is made.

use std::future::Future;

use kv::{Key, Outcome, Transaction, Version};
use serde::Serialize;

use crate::{Auth, Error};

/// How often a change is tried before the caller is told to come again. In each round somebody gets through, so only
/// as many as try the same thing at once can meet it.
pub(crate) const ATTEMPTS_MAX: usize = 64;

impl Auth {
    /// Runs `attempt` until it answers something: `None` stands for a conflict.
    pub(crate) async fn until_done<T, F>(&self, mut attempt: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<Option<T>, Error>>,
    {
        for _ in 0..ATTEMPTS_MAX {
            if let Some(done) = attempt().await? {
                return Ok(done);
            }
            tokio::task::yield_now().await;
        }
        Err(Error::Busy)
    }

    /// Commits, and answers `value`; `None` when an expectation did not hold.
    pub(crate) async fn finish<T>(&self, transaction: Transaction, value: T) -> Result<Option<T>, Error> {
        match self.store().commit(transaction).await? {
            Outcome::Committed => Ok(Some(value)),
            Outcome::Conflict => Ok(None),
            Outcome::OutOfBounds { key } => {
                let what = format!("a counter that leaves its bounds at {key:02x?}");
                Err(Error::Store(kv::Error::Corrupt { what }))
            }
        }
    }
}

/// Expects a record as it was read and writes it anew as it is, so that everybody else who read it meets a conflict:
/// how one record guards a rule over many keys.
pub(crate) fn touch<T: Serialize>(
    transaction: &mut Transaction,
    key: Key<'_>,
    (version, record): (Version, &T),
) -> Result<(), kv::Error> {
    transaction.expect(key, Some(version)).put(key, record)?;
    Ok(())
}
