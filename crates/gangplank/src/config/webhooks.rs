//! Webhooks: where their notices may go, how many wait, and how long is tried.

use std::time::Duration;

use ::auth::{Destinations, Network};
use serde::{Deserialize, Serialize};

use super::{Impossible, LIFE_MAX, duration};

/// `[webhooks]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// Networks that notices may go to although they are not of the public internet, such as `10.1.0.0/16`.
    pub internal_networks_allowed: Vec<Network>,
    /// Webhooks of an account.
    pub per_account_max: usize,
    /// Notices that wait for one webhook; beyond that the oldest goes.
    pub notices_pending_max: u32,
    /// For how long a notice waits for a receiver that does not take it.
    #[serde(with = "duration")]
    pub notices_kept: Duration,
    /// How long a webhook waits after its first failure; twice as long after each that follows.
    #[serde(with = "duration")]
    pub retry_min: Duration,
    /// The longest such wait.
    #[serde(with = "duration")]
    pub retry_max: Duration,
    /// Deliveries that ended, remembered of each webhook.
    pub deliveries_remembered_max: u64,
    /// Notices sent at once.
    pub deliveries_max: usize,
    /// Of those, how many may be one account's.
    pub deliveries_per_account_max: usize,
    /// How long a receiver may take to answer.
    #[serde(with = "duration")]
    pub answer_timeout: Duration,
    /// How often is looked for what is due, and for what waits.
    #[serde(with = "duration")]
    pub interval: Duration,
}

impl Default for Webhooks {
    fn default() -> Webhooks {
        let settings = ::auth::Settings::default();
        Webhooks {
            internal_networks_allowed: settings.webhook_destinations.internal_networks_allowed,
            per_account_max: settings.webhooks_max,
            notices_pending_max: settings.webhook_notices_pending_max,
            notices_kept: settings.webhook_notices_kept,
            retry_min: settings.webhook_retry_min,
            retry_max: settings.webhook_retry_max,
            deliveries_remembered_max: settings.webhook_deliveries_remembered_max,
            deliveries_max: 64,
            deliveries_per_account_max: 4,
            answer_timeout: Duration::from_secs(15),
            interval: Duration::from_secs(1),
        }
    }
}

impl Webhooks {
    pub(super) fn check(&self, found: &mut Impossible) {
        // Whoever removes a webhook removes all that waits for it in one commit.
        let rows_most = u32::try_from(kv::SCAN_ENTRIES_MAX).unwrap_or(u32::MAX);
        found.outside("webhooks.per_account_max", self.per_account_max, 0, 1_000);
        found.outside("webhooks.notices_pending_max", self.notices_pending_max, 1, rows_most);
        found.outside(
            "webhooks.deliveries_remembered_max",
            self.deliveries_remembered_max,
            0,
            u64::from(rows_most),
        );
        found.outside("webhooks.deliveries_max", self.deliveries_max, 1, 1_000);
        found.outside("webhooks.deliveries_per_account_max", self.deliveries_per_account_max, 1, 1_000);
        let second = Duration::from_secs(1);
        for (key, wait) in [
            ("webhooks.notices_kept", self.notices_kept),
            ("webhooks.retry_min", self.retry_min),
            ("webhooks.retry_max", self.retry_max),
            ("webhooks.answer_timeout", self.answer_timeout),
        ] {
            found.unless(wait >= second, key, "less than a second");
            found.unless(wait <= LIFE_MAX, key, "more than a century");
        }
        found.unless(
            self.retry_min <= self.retry_max,
            "webhooks.retry_min",
            "longer than webhooks.retry_max",
        );
        let (least, most) = (Duration::from_millis(10), Duration::from_secs(3_600));
        found.unless(
            self.interval >= least,
            "webhooks.interval",
            "less than 10ms would keep the server busy",
        );
        found.unless(self.interval <= most, "webhooks.interval", "more than an hour");
    }

    /// `settings` with what is set here.
    pub(crate) fn settings(&self, settings: ::auth::Settings) -> ::auth::Settings {
        let internal_networks_allowed = self.internal_networks_allowed.clone();
        ::auth::Settings {
            webhooks_max: self.per_account_max,
            webhook_destinations: Destinations { internal_networks_allowed },
            webhook_notices_pending_max: self.notices_pending_max,
            webhook_notices_kept: self.notices_kept,
            webhook_retry_min: self.retry_min,
            webhook_retry_max: self.retry_max,
            webhook_deliveries_remembered_max: self.deliveries_remembered_max,
            ..settings
        }
    }
}
