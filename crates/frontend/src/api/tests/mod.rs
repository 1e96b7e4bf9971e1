//! The management interface as a client sees it, over a registry in memory.

mod audit;
mod bad_input;
mod document;
mod registry;
mod rights;
mod schema;
mod shared_tags;
mod sign_in;
mod walk;
