//! The front of the registry: the HTTP server, the distribution API (`/v2/`), the token service (`/auth/token`), the
//! management API (`/api/v1`) and the console (`/console/`).
//!
//! It turns requests into calls of [`auth`] and [`storage`], and their answers into responses. It decides nothing about
//! rights (a [`auth::Permit`] does), keeps nothing but which forms of the console made something, and reads neither
//! configuration nor the clock ([`Clock`] is given).
//!
//! A request's way: `server` accepts the connection and bounds it, `tls` shakes hands if it is to be encrypted; `edge` gives it an id, a span and an answer
//! whatever happens; `router` parses it into a `Route`; `dispatch` checks the route's access, once; a handler, in the file
//! of its noun, does it.

#![deny(missing_docs)]

mod api;
mod base;
mod blobs;
mod body;
mod catalog;
mod challenge;
mod client;
mod connection;
mod console;
mod counting;
mod credentials;
mod direct;
mod dispatch;
mod edge;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod gate;
mod json;
mod lease;
mod manifests;
mod meter;
mod mounts;
mod origin;
mod outbox;
mod query;
mod ranges;
mod referrers;
mod reply;
mod router;
mod server;
mod settings;
mod swr;
mod system;
mod tags;
#[cfg(test)]
mod tests;
mod tls;
mod token;
mod told;
mod transfer;
mod uploads;
mod warning;

use std::sync::Arc;

use auth::Auth;
use jiff::Timestamp;
use storage::Storage;

pub use api::{cloud_event, openapi, types};
pub use origin::{ExternalUrl, ExternalUrlError};
pub use server::serve;
pub use settings::Settings;
pub use system::Process;
pub use tls::{TlsIdentity, TlsIdentityError};

/// Where the time comes from: the edge's clock, or one that a test sets.
pub trait Clock: Send + Sync + 'static {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// What every handler works with. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// Who it is, and what they may do.
    pub auth: Auth,
    /// What the repositories hold.
    pub storage: Storage,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Bounds and addresses.
    pub settings: Arc<Settings>,
    /// The process itself.
    pub process: Process,
}
