//! Places that nothing needs any more: named in the metadata until their files are gone, so that a crash in between
//! leaves no file that nobody remembers.

use jiff::Timestamp;
use kv::{Id, Key, Transaction};
use serde::{Deserialize, Serialize};

use crate::{Error, Place, Storage};

/// `Key::Reap`, beside [`auth::ReapRecord`]: places to remove.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DiscardRecord {
    pub(crate) places: Vec<Place>,
    /// Not before this instant: a request that broke off may still be about to make one of the files.
    pub(crate) due_at: Timestamp,
}

impl Storage {
    /// Lets `transaction` hand `places` to the reaper.
    pub(crate) fn discard(
        &self,
        transaction: &mut Transaction,
        places: Vec<Place>,
        due_at: Timestamp,
    ) -> Result<(), Error> {
        if places.is_empty() {
            return Ok(());
        }
        let key = Key::Reap { id: Id::random() };
        transaction.expect(key, None).put(key, &DiscardRecord { places, due_at })?;
        Ok(())
    }

    /// Removes `places`, which the reaper knows of, ahead of it. What fails here is tried again there.
    pub(crate) async fn remove_early(&self, places: impl IntoIterator<Item = Place>) {
        for place in places {
            if let Err(error) = self.places().remove(place).await {
                tracing::warn!(%place, %error, "a place was not removed; the reaper will try again");
            }
        }
    }
}
