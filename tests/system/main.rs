//! Whole-system tests: a server on a real port, and those who use it. A test's name says what is promised.
//!
//! `cargo xtask test` starts what they need; those that need a docker engine, or a client that this machine
//! lacks, fail without it, rather than pass.

mod access_keys;
mod audit;
mod commands;
mod console;
mod disk;
mod docker;
mod interrupted;
mod kill;
mod model;
mod protocol;
mod proxy;
mod regions;
mod skopeo;
mod swr;
mod threats;
mod upkeep;
mod webhooks;
