//! What is cleaned up in the background.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Impossible, LIFE_MAX, duration};

/// `[upkeep]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Upkeep {
    /// How often is looked for deleted repositories to empty, ended uploads and old events.
    #[serde(with = "duration")]
    pub interval: Duration,
    /// For how long events (the audit trail) are kept.
    #[serde(with = "duration")]
    pub events_kept: Duration,
    /// How many entries are handled at once.
    pub batch_entries_max: usize,
}

impl Default for Upkeep {
    fn default() -> Upkeep {
        Upkeep {
            interval: Duration::from_secs(30),
            events_kept: Duration::from_secs(365 * 24 * 60 * 60),
            batch_entries_max: 500,
        }
    }
}

impl Upkeep {
    pub(super) fn check(&self, found: &mut Impossible) {
        let second = Duration::from_secs(1);
        found.unless(
            self.interval >= second,
            "upkeep.interval",
            "less than a second would keep the server busy",
        );
        found.unless(self.events_kept >= 24 * 60 * 60 * second, "upkeep.events_kept", "less than a day");
        found.unless(self.events_kept <= LIFE_MAX, "upkeep.events_kept", "more than a century");
        let batch_most = ::storage::Settings::default().page_entries_max;
        found.outside("upkeep.batch_entries_max", self.batch_entries_max, 1, batch_most);
    }
}
