//! The management interface as a client sees it, over a registry in memory.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bad_input;
mod document;
mod registry;
mod rights;
mod schema;
mod sign_in;
mod walk;
