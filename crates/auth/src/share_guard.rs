//! The guard of a repository's open shares: read once and written once in a transaction, however many shares that opens
//! or closes.

use jiff::Timestamp;
use kv::{Key, Transaction, Version};

use crate::records::{OpenShare, ShareGuardRecord};
use crate::{Auth, Error, RepositoryId, ShareId};

/// The shares of a repository that are open, as a transaction finds them and will leave them.
pub(crate) struct ShareGuard {
    repository: RepositoryId,
    version: Option<Version>,
    open: Vec<OpenShare>,
    grantees_max: usize,
}

impl Auth {
    /// The guard of `repository`, without the shares that have ended at `now`.
    pub(crate) async fn share_guard(
        &self,
        repository: RepositoryId,
        now: Timestamp,
    ) -> Result<ShareGuard, Error> {
        let key = Key::ShareGuard { repository: repository.raw() };
        let found = self.store().get::<ShareGuardRecord>(key).await?;
        let version = found.as_ref().map(|found| found.version);
        let mut open = found.map(|found| found.value.open).unwrap_or_default();
        open.retain(|share| share.until.is_none_or(|until| now < until));
        Ok(ShareGuard { repository, version, open, grantees_max: self.settings().share_grantees_max })
    }
}

impl ShareGuard {
    /// Counts `share` among the open ones, with the end that it has from now on.
    ///
    /// # Errors
    /// [`Error::Limit`] when it would be one too many.
    pub(crate) fn open(&mut self, share: OpenShare) -> Result<(), Error> {
        self.close(share.share);
        if self.open.len() >= self.grantees_max {
            let max = self.grantees_max as u64;
            return Err(Error::Limit { what: "open shares of a repository", max });
        }
        self.open.push(share);
        Ok(())
    }

    /// Counts `share` no more.
    pub(crate) fn close(&mut self, share: ShareId) {
        self.open.retain(|open| open.share != share);
    }

    /// Expects the guard as it was read, and writes it as it is now. One that is not there and holds nothing stays away:
    /// it went when the repository became public.
    pub(crate) fn write(self, tx: &mut Transaction) -> Result<(), Error> {
        if self.version.is_none() && self.open.is_empty() {
            return Ok(());
        }
        let key = Key::ShareGuard { repository: self.repository.raw() };
        tx.expect(key, self.version).put(key, &ShareGuardRecord { open: self.open })?;
        Ok(())
    }
}
