//! The bytes of an answer, counted under the share that they are sent under as they go out: of a transfer that is broken
//! off, those that went.

use std::sync::Arc;

use auth::{Auth, Permit};

use crate::{App, Clock};

/// How many bytes are noted at once; a crash forgets at most as many of each transfer.
const NOTED_BYTES: u64 = 1 << 20;

/// Counts what goes out, until it is dropped.
pub(crate) struct Meter {
    auth: Auth,
    clock: Arc<dyn Clock>,
    permit: Permit,
    unnoted: u64,
}

impl Meter {
    /// For what is sent under `permit`; nothing is counted when that rests on no share.
    pub(crate) fn of(app: &App, permit: &Permit) -> Option<Meter> {
        permit.share()?;
        let (auth, clock) = (app.auth.clone(), Arc::clone(&app.clock));
        Some(Meter { auth, clock, permit: permit.clone(), unnoted: 0 })
    }

    /// Counts some bytes.
    pub(crate) fn count(&mut self, bytes: usize) {
        self.unnoted = self.unnoted.saturating_add(bytes as u64);
        if self.unnoted >= NOTED_BYTES {
            self.note();
        }
    }

    fn note(&mut self) {
        let bytes = std::mem::take(&mut self.unnoted);
        if bytes > 0 {
            self.auth.note_sent(&self.permit, bytes, self.clock.now());
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.note();
    }
}
