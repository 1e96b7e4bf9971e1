//! The end of uploads that nobody finished.

use jiff::Timestamp;
use kv::{Key, Versioned};

use super::UploadId;
use super::session::{Session, session_key};
use crate::commit::{corrupt, retrying, time_ms};
use crate::{Error, Storage};

/// What [`Storage::expire_uploads`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExpiredUploads {
    /// Entries looked at: call again while it is the limit.
    pub entries: usize,
    /// Uploads ended.
    pub uploads: usize,
}

impl Storage {
    /// Ends at most `limit` of the uploads whose time is over. Their bytes go with the next [`Storage::reap`] after
    /// [`crate::Settings::discard_delay`].
    ///
    /// # Errors
    /// As the store.
    pub async fn expire_uploads(&self, now: Timestamp, limit: usize) -> Result<ExpiredUploads, Error> {
        let region = self.store().region();
        let list = Key::UploadExpiry { time_ms: 0, upload: 0 };
        let rows = self.store().list(list.siblings(region), self.page_entries(limit)).await?;
        let mut expired = ExpiredUploads::default();
        for (key, _) in rows {
            let (ended_at_ms, id) = read_tail(list.tail(region, &key)?)?;
            if ended_at_ms > time_ms(now) {
                break;
            }
            expired.uploads += usize::from(retrying(|| self.try_expire(id, &key, now)).await?);
            expired.entries += 1;
        }
        Ok(expired)
    }

    /// Ends the session `id`, unless a request has moved its end since the list was read: then `entry` is gone, too.
    /// Answers whether it was ended.
    async fn try_expire(&self, id: UploadId, entry: &[u8], now: Timestamp) -> Result<Option<bool>, Error> {
        let session: Option<Versioned<Session>> = self.store().get(session_key(id)).await?;
        let mut end = self.store().transaction();
        match &session {
            Some(session) if now >= session.value.expires_at => self.give_up(&mut end, id, session, now)?,
            Some(_) => return Ok(Some(false)),
            None => _ = end.delete_encoded(entry.to_vec()),
        }
        self.commit(end, session.is_some()).await
    }
}

fn read_tail(tail: &[u8]) -> Result<(u64, UploadId), Error> {
    let read = || {
        let (time_ms, id) = tail.split_first_chunk::<8>()?;
        Some((u64::from_be_bytes(*time_ms), UploadId(u128::from_be_bytes(id.try_into().ok()?))))
    };
    read().ok_or_else(|| corrupt("an end of an upload without its time or name"))
}
