//! TLS of the server's own.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Impossible, duration};

/// `[server.tls]`: with both files the server speaks TLS, with neither plain HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The file (PEM) of the server's certificate, followed by those up to an authority that clients know.
    pub certificate: Option<PathBuf>,
    /// The file (PEM) of its private key. May be the same file.
    pub key: Option<PathBuf>,
    /// How often is looked whether they have changed.
    #[serde(with = "duration")]
    pub reload_interval: Duration,
}

impl Default for Tls {
    fn default() -> Tls {
        Tls { certificate: None, key: None, reload_interval: Duration::from_secs(5) }
    }
}

impl Tls {
    pub(super) fn check(&self, found: &mut Impossible) {
        for (key, path) in [("server.tls.certificate", &self.certificate), ("server.tls.key", &self.key)] {
            let named = path.as_ref().is_none_or(|path| !path.as_os_str().is_empty());
            found.unless(named, key, "no file is named");
        }
        match (&self.certificate, &self.key) {
            (Some(_), None) => found.unless(false, "server.tls.certificate", "server.tls.key is missing"),
            (None, Some(_)) => found.unless(false, "server.tls.key", "server.tls.certificate is missing"),
            _ => {}
        }
        let (second, day) = (Duration::from_secs(1), Duration::from_secs(24 * 60 * 60));
        found.unless(
            (second..=day).contains(&self.reload_interval),
            "server.tls.reload_interval",
            "less than a second or more than a day",
        );
    }
}
