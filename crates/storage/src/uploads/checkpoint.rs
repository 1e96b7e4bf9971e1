//! Checkpoints: what a request has brought so far is synced, and then named by its session's record, while more comes.

use auth::RepositoryId;
use futures::future::BoxFuture;
use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::UploadId;
use super::session::{Found, Session};
use crate::commit::retrying;
use crate::{Error, Place, PlaceError, Storage};

/// A request's claim to its session: good while the session's record bears the request's epoch.
#[derive(Clone)]
pub(super) struct Claim {
    pub(super) storage: Storage,
    pub(super) repository: RepositoryId,
    pub(super) id: UploadId,
    pub(super) epoch: u64,
    pub(super) now: Timestamp,
}

impl Claim {
    /// The session's record, if this request is still the latest.
    pub(super) async fn current(&self) -> Result<Found, Error> {
        self.storage.session_at(self.repository, self.id, self.epoch).await
    }

    pub(super) async fn replace(&self, session: &Session, discarded: Option<Place>) -> Result<(), Error> {
        retrying(|| async {
            let found = self.current().await?;
            self.storage.try_change(self.id, &found, session, discarded, self.now).await
        })
        .await
    }
}

/// A checkpoint under way.
pub(super) struct Checkpoint {
    received: u64,
    task: JoinHandle<Result<(), Error>>,
}

impl Checkpoint {
    /// Lets the record be `session`, which names `received` bytes of the request, once they are `synced`.
    pub(super) fn begin(
        claim: Claim,
        synced: BoxFuture<'static, Result<(), PlaceError>>,
        session: Session,
        received: u64,
    ) -> Checkpoint {
        let task = tokio::spawn(async move {
            synced.await?;
            claim.replace(&session, None).await
        });
        Checkpoint { received, task }
    }

    /// How many bytes of the request it names.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Waits for its end: how many bytes of the request the record names then.
    pub(super) async fn end(self) -> Result<u64, Error> {
        self.task.await.map_err(|error| PlaceError::Failed(std::io::Error::other(error)))??;
        Ok(self.received)
    }
}
