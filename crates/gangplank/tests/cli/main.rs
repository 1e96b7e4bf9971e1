//! The command line as it is typed: the binary, against a server in this process (with a clock that the test sets) or
//! started by itself.

#![expect(clippy::unwrap_used, reason = "a test")]

mod access_keys;
mod commands;
mod remote;
mod serve;
mod support;
mod tls;
