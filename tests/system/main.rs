//! Whole-system tests: a server on a real port, and those who use it. A test's name says what is promised.
//!
//! `cargo xtask test` starts what they need; those that need a docker engine fail without it, rather than pass.

mod commands;
mod disk;
mod docker;
mod exchanges;
mod kill;
mod model;
mod proxy;
mod skopeo;
mod threats;
