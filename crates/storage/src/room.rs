//! Large manifests on their way in: one is read whole before it is looked at, so that many at once, sent slowly, would
//! fill the machine. They share a room, of which no account has more than a part.
//!
//! Small ones, which nearly all are, are not counted: a connection has buffers of that size anyway.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use auth::AccountId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::Error;

/// Up to here a manifest is small.
pub const SMALL_BYTES_MAX: usize = 64 << 10;
/// The semaphores' unit.
const UNIT_BYTES: usize = 1 << 10;
/// The part of the room that one account may have.
const ACCOUNT_DIVISOR: u32 = 4;
/// How long a request waits for room.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// The room that large manifests share.
#[derive(Debug)]
pub(crate) struct Rooms {
    free: Arc<Semaphore>,
    units_per_account: u32,
    /// The parts of accounts that have or want some now.
    parts: Mutex<HashMap<AccountId, Weak<Semaphore>>>,
}

/// Room for one manifest, until it is dropped.
#[derive(Debug)]
pub struct Room {
    _part: OwnedSemaphorePermit,
    _free: OwnedSemaphorePermit,
}

impl Rooms {
    pub(crate) fn new(bytes_max: usize) -> Rooms {
        let units = u32::try_from(bytes_max / UNIT_BYTES).unwrap_or(u32::MAX).max(ACCOUNT_DIVISOR);
        let free = Arc::new(Semaphore::new(units as usize));
        Rooms { free, units_per_account: units / ACCOUNT_DIVISOR, parts: Mutex::default() }
    }

    /// Room for so many bytes, once there is some; [`Error::Busy`] after a while. What is larger than an account's part
    /// takes all of that.
    pub(crate) async fn take(&self, account: AccountId, bytes: usize) -> Result<Room, Error> {
        let units = u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX).min(self.units_per_account);
        let taken = timeout(WAIT_MAX, async {
            // The part first: who waits for that holds nothing that others wait for.
            let part = self.part_of(account).acquire_many_owned(units).await?;
            let free = Arc::clone(&self.free).acquire_many_owned(units).await?;
            Ok::<_, tokio::sync::AcquireError>(Room { _part: part, _free: free })
        });
        match taken.await {
            Ok(Ok(room)) => Ok(room),
            Ok(Err(_)) | Err(_) => Err(Error::Busy),
        }
    }

    fn part_of(&self, account: AccountId) -> Arc<Semaphore> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts.retain(|_, part| part.strong_count() > 0);
        if let Some(part) = parts.get(&account).and_then(Weak::upgrade) {
            return part;
        }
        let part = Arc::new(Semaphore::new(self.units_per_account as usize));
        parts.insert(account, Arc::downgrade(&part));
        part
    }
}

#[cfg(test)]
mod tests {
    use auth::AccountId;

    use super::Rooms;
    use crate::Error;

    const MIB: usize = 1 << 20;

    fn account(number: u64) -> AccountId {
        serde_json::from_value(number.into()).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_has_a_part_and_all_together_have_the_room() {
        let rooms = Rooms::new(4 * MIB);
        let first = rooms.take(account(1), MIB).await.unwrap();
        assert!(matches!(rooms.take(account(1), 1).await, Err(Error::Busy)), "it has its part");
        let others: Vec<_> =
            futures::future::join_all((2..=4).map(|number| rooms.take(account(number), MIB))).await;
        assert!(others.iter().all(Result::is_ok), "the others have theirs");
        assert!(matches!(rooms.take(account(5), 1).await, Err(Error::Busy)), "there is no more");
        drop(first);
        let fifth = rooms.take(account(5), MIB).await.unwrap();
        assert!(matches!(rooms.take(account(1), 1).await, Err(Error::Busy)), "the room is full again");
        drop((fifth, others));
        rooms.take(account(1), MIB).await.unwrap();
        assert!(rooms.parts.lock().unwrap().len() <= 2, "what nobody holds is forgotten");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_larger_than_a_part_takes_all_of_it() {
        let rooms = Rooms::new(4 * MIB);
        let _part = rooms.take(account(1), usize::MAX).await.unwrap();
        assert!(matches!(rooms.take(account(1), 1).await, Err(Error::Busy)));
        rooms.take(account(2), usize::MAX).await.unwrap();
    }
}
