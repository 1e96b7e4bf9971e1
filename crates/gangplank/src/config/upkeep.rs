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
    /// For how long the usage of shares is kept, day by day.
    #[serde(with = "duration")]
    pub usage_kept: Duration,
    /// How many entries are handled at once.
    pub batch_entries_max: usize,
}

impl Default for Upkeep {
    fn default() -> Upkeep {
        Upkeep {
            interval: Duration::from_secs(30),
            events_kept: Duration::from_secs(365 * 24 * 60 * 60),
            usage_kept: Duration::from_secs(365 * 24 * 60 * 60),
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
        for (key, kept) in [("upkeep.events_kept", self.events_kept), ("upkeep.usage_kept", self.usage_kept)]
        {
            found.unless(kept >= 24 * 60 * 60 * second, key, "less than a day");
            found.unless(kept <= LIFE_MAX, key, "more than a century");
        }
        let batch_most = ::storage::Settings::default().page_entries_max;
        found.outside("upkeep.batch_entries_max", self.batch_entries_max, 1, batch_most);
    }
}
