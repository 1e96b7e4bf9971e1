//! Names of what was deleted: kept from others for a while, so that nobody serves images, or is shared with, under a
//! stranger's old name.

use jiff::Timestamp;
use kv::{Key, Transaction, Versioned};

use crate::records::NameRecord;
use crate::{AccountId, Auth, Error, Thing};

impl Auth {
    /// What stands at the name of something that is deleted at `now`. Only `former` may take it again before its time.
    pub(crate) fn reserved(&self, former: Option<AccountId>, now: Timestamp) -> NameRecord {
        // Beyond the calendar's end (the year 9999) that end is as good.
        let until = now.checked_add(self.settings().name_reserved_for).unwrap_or(Timestamp::MAX);
        NameRecord::Reserved { until, former }
    }

    /// Frees the reserved name at `key` in `tx`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is free, [`Error::Exists`] while something bears it.
    pub(crate) async fn free_name(
        &self,
        tx: &mut Transaction,
        key: Key<'_>,
        what: Thing,
    ) -> Result<(), Error> {
        let name = self.store().get::<NameRecord>(key).await?.ok_or(Error::NotFound { what })?;
        if name.value.held().is_some() {
            return Err(Error::Exists { what });
        }
        tx.expect(key, Some(name.version)).delete(key);
        Ok(())
    }
}

/// Whether `claimant` may take a name at which `record` stands.
///
/// # Errors
/// [`Error::Exists`], [`Error::Reserved`].
pub(crate) fn claimable(
    record: Option<&Versioned<NameRecord>>,
    what: Thing,
    claimant: Option<AccountId>,
    now: Timestamp,
) -> Result<(), Error> {
    match record.map(|record| record.value) {
        None => Ok(()),
        Some(NameRecord::Held(_)) => Err(Error::Exists { what }),
        Some(NameRecord::Reserved { until, former }) => {
            let own = former.is_some() && former == claimant;
            if own || now >= until { Ok(()) } else { Err(Error::Reserved { what, until }) }
        }
    }
}
