//! The edge of the house: what turns settings into a running server.
//!
//! [`Config`] is the only reader of configuration files and of the environment, [`SystemClock`] the only reader of the
//! clock, [`start`] the only place where the engine, authority, storage and the HTTP server meet. The command line is
//! the binary beside this library; whole-system tests start a server through [`start`] with a clock of their own.

#![deny(missing_docs)]

mod clock;
pub mod config;
mod couriers;
mod data;
mod lanes;
mod open_files;
mod password;
mod recording;
pub mod regular_file;
mod sender;
mod tls;
mod upkeep;
mod wiring;

pub use clock::SystemClock;
pub use config::Config;
pub use data::DataError;
pub use password::first_password;
pub use tls::TlsError;
pub use wiring::{Running, StartError, start};
