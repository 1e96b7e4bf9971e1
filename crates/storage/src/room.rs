//! Large manifests in memory, over all requests: a manifest is read and sent whole, so that many large ones at once,
//! with readers that take their time, would fill the machine.
//!
//! Small ones, which nearly all are, are not counted: a connection has buffers of that size anyway.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::Error;

/// Up to here a manifest is small.
pub(crate) const SMALL_BYTES_MAX: usize = 64 << 10;
/// The semaphore's unit.
const UNIT_BYTES: usize = 1 << 10;
/// How long a request waits for room.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// The room that large manifests share.
#[derive(Debug, Clone)]
pub(crate) struct Rooms {
    free: Arc<Semaphore>,
    units: u32,
}

/// Room for one manifest, until it is dropped.
#[derive(Debug)]
pub struct Room(Option<OwnedSemaphorePermit>);

impl Rooms {
    pub(crate) fn new(bytes_max: usize) -> Rooms {
        let units = u32::try_from(bytes_max / UNIT_BYTES).unwrap_or(u32::MAX).max(1);
        Rooms { free: Arc::new(Semaphore::new(units as usize)), units }
    }

    /// Room for so many bytes, once there is some; [`Error::Busy`] after a while. What is larger than all of it takes all.
    pub(crate) async fn take(&self, bytes: usize) -> Result<Room, Error> {
        if bytes <= SMALL_BYTES_MAX {
            return Ok(Room(None));
        }
        let units = u32::try_from(bytes.div_ceil(UNIT_BYTES)).unwrap_or(u32::MAX).min(self.units);
        match timeout(WAIT_MAX, Arc::clone(&self.free).acquire_many_owned(units)).await {
            Ok(Ok(permit)) => Ok(Room(Some(permit))),
            Ok(Err(_)) | Err(_) => Err(Error::Busy),
        }
    }
}

impl Room {
    /// The bytes, which take this room for as long as anybody holds them.
    pub(crate) fn filled_with(self, bytes: Vec<u8>) -> Bytes {
        struct Filled(Vec<u8>, #[expect(dead_code, reason = "held, not looked at")] Room);
        impl AsRef<[u8]> for Filled {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
        if self.0.is_none() { Bytes::from(bytes) } else { Bytes::from_owner(Filled(bytes, self)) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Rooms, SMALL_BYTES_MAX};
    use crate::Error;

    #[tokio::test(start_paused = true)]
    async fn large_ones_wait_for_each_other_and_small_ones_for_nobody() {
        let rooms = Rooms::new(1 << 20);
        let first = rooms.take(1 << 20).await.unwrap().filled_with(vec![7; 1 << 20]);
        let part = first.slice(10..20);
        drop(first);
        assert!(matches!(rooms.take(SMALL_BYTES_MAX + 1).await, Err(Error::Busy)), "a part is still held");
        rooms.take(SMALL_BYTES_MAX).await.unwrap();
        assert_eq!(part, &[7; 10][..]);
        drop(part);
        rooms.take(1 << 20).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_larger_than_all_of_it_takes_all() {
        let rooms = Rooms::new(1 << 20);
        let _all = rooms.take(usize::MAX).await.unwrap();
        assert!(matches!(rooms.take(SMALL_BYTES_MAX + 1).await, Err(Error::Busy)));
    }
}
