//! What a server tells its operator.

use serde::{Deserialize, Serialize};

use super::Impossible;

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// What is logged: a level (`info`), or levels by module (`info,storage=debug`).
    pub filter: String,
    /// How a line looks.
    pub format: LogFormat,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Log {
    fn default() -> Log {
        Log { filter: "info".to_owned(), format: LogFormat::Text }
    }
}

impl Log {
    pub(super) fn check(&self, found: &mut Impossible) {
        if let Err(error) = tracing_subscriber::EnvFilter::builder().parse(&self.filter) {
            found.unless(
                false,
                "log.filter",
                format!("{:?} is no filter such as \"info\": {error}", self.filter),
            );
        }
    }
}
