//! Whole exchanges over real connections, against a registry in this process whose clock the test sets.

mod app;
mod calls;
mod connections;
mod counted;
mod pulling;
mod pushing;
mod sharing;
mod sign_ins;
mod swr;
mod tls;
mod tokens;
mod withdrawn;
