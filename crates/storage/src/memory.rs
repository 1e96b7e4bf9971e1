//! Places for tests: bytes in memory. They keep the whole contract but survival.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::{Place, PlaceError, PlaceReader, PlaceWriter, Places, Space};

/// Places that live as long as the value.
#[derive(Debug, Default)]
pub struct Memory {
    places: Mutex<HashMap<Place, Content>>,
}

/// What one place holds, for its writer and its readers.
#[derive(Debug, Clone, Default)]
struct Content(Arc<Mutex<Vec<u8>>>);

impl Memory {
    /// No place at all.
    #[must_use]
    pub fn new() -> Memory {
        Memory::default()
    }

    fn places(&self) -> MutexGuard<'_, HashMap<Place, Content>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Places for Memory {
    async fn create(&self, place: Place) -> Result<Box<dyn PlaceWriter>, PlaceError> {
        let mut places = self.places();
        if places.contains_key(&place) {
            return Err(PlaceError::Failed(std::io::ErrorKind::AlreadyExists.into()));
        }
        Ok(Box::new(places.entry(place).or_default().clone()))
    }

    async fn open(&self, place: Place) -> Result<Arc<dyn PlaceReader>, PlaceError> {
        let content = self.places().get(&place).cloned().ok_or(PlaceError::Absent)?;
        Ok(Arc::new(content))
    }

    async fn remove(&self, place: Place) -> Result<(), PlaceError> {
        self.places().remove(&place);
        Ok(())
    }

    async fn space(&self) -> Result<Option<Space>, PlaceError> {
        Ok(None)
    }
}

#[async_trait]
impl PlaceWriter for Content {
    async fn write(&mut self, chunks: Vec<Bytes>) -> Result<(), PlaceError> {
        chunks.iter().for_each(|chunk| self.bytes().extend_from_slice(chunk));
        Ok(())
    }

    fn sync(&mut self) -> BoxFuture<'static, Result<(), PlaceError>> {
        std::future::ready(Ok(())).boxed()
    }

    async fn truncate(&mut self, length: u64) -> Result<(), PlaceError> {
        self.bytes().truncate(usize::try_from(length).unwrap_or(usize::MAX));
        Ok(())
    }
}

#[async_trait]
impl PlaceReader for Content {
    async fn read(&self, offset: u64, length: usize) -> Result<Bytes, PlaceError> {
        let start = usize::try_from(offset).map_err(|_| PlaceError::Short)?;
        let end = start.checked_add(length).ok_or(PlaceError::Short)?;
        self.bytes().get(start..end).map(Bytes::copy_from_slice).ok_or(PlaceError::Short)
    }
}

#[cfg(test)]
mod tests {
    use super::Memory;

    #[tokio::test]
    async fn keeps_the_contract() {
        crate::suite::run(&Memory::new()).await;
    }
}
