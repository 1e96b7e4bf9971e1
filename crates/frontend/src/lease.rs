//! The right that a transfer rests on (a share, a permission, a credential), which is looked at again while bytes flow,
//! and whose end cuts them off some time later.

use std::sync::Arc;

use auth::{Auth, Permit};
use jiff::{SignedDuration, Timestamp};
use oci::Digest;
use storage::{Content, Storage};

use crate::{App, Clock};

/// How long a right is taken to be held before it is looked at again, while a body is sent.
const CHECK_INTERVAL: SignedDuration = SignedDuration::from_secs(10);

/// What is sent, and under what right, since when.
pub(crate) struct Sending {
    pub(crate) permit: Permit,
    pub(crate) content: Sent,
    pub(crate) now: Timestamp,
}

/// What is sent, by its digest.
pub(crate) enum Sent {
    Manifest(Digest),
    Blob(Digest),
}

impl Sent {
    fn content(&self) -> Content<'_> {
        match self {
            Sent::Manifest(digest) => Content::Manifest(digest),
            Sent::Blob(digest) => Content::Blob(digest),
        }
    }
}

/// A right, watched while bytes flow under it.
pub(crate) struct Lease {
    auth: Auth,
    storage: Storage,
    clock: Arc<dyn Clock>,
    permit: Permit,
    content: Sent,
    checked_at: Timestamp,
    ended_at: Option<Timestamp>,
    after_end_max: SignedDuration,
}

impl Lease {
    /// For what is sent from now on.
    pub(crate) fn new(app: &App, Sending { permit, content, now }: Sending) -> Lease {
        let after_end_max = SignedDuration::try_from(app.settings.transfer_after_end_max);
        Lease {
            auth: app.auth.clone(),
            storage: app.storage.clone(),
            clock: Arc::clone(&app.clock),
            permit,
            content,
            checked_at: now,
            ended_at: None,
            after_end_max: after_end_max.unwrap_or(SignedDuration::MAX),
        }
    }

    /// Whether the right is held, and what is sent is still within it: a share may be narrowed to tags, and they move.
    async fn is_held(&self, now: Timestamp) -> Result<bool, storage::Error> {
        Ok(self.auth.still_open(&self.permit, now).await?
            && self.storage.still_shows(&self.permit, self.content.content()).await?)
    }

    /// Whether bytes may flow: the right is held, or has not been lost for too long.
    pub(crate) async fn holds(&mut self) -> bool {
        let now = self.clock.now();
        if self.ended_at.is_none() && now.duration_since(self.checked_at) >= CHECK_INTERVAL {
            self.checked_at = now;
            match self.is_held(now).await {
                Ok(true) => {}
                // A deadline that has passed is the end; a revocation ends when it is noticed.
                Ok(false) => {
                    self.ended_at = Some(self.permit.not_after().filter(|end| *end <= now).unwrap_or(now))
                }
                Err(error) => {
                    tracing::error!(%error, "a right could not be looked at; it is taken to have ended");
                    self.ended_at = Some(now);
                }
            }
        }
        self.ended_at.is_none_or(|end| now.duration_since(end) < self.after_end_max)
    }
}
