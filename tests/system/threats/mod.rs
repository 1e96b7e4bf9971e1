//! Flaws that registries have shipped, each with a test of ours that fails when the flaw is put back. The names are
//! those under which the flaws are known.
//!
//! Without a test yet, because the feature is not there yet: CVE-2026-41888 (switched-off delete), CVE-2026-31801
//! (create-only users), PROJQUAY-10504 (immutable tags), open redirects (the
//! console), D#2881 (collection), signed URLs, other regions.

mod addresses;
mod closing;
mod content;
mod names;
mod races;
mod roles;
mod shares;
mod tokens;
mod uploads;
