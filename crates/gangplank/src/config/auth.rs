//! Credentials, tokens, and how much of each there may be.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Impossible, LIFE_MAX, duration};

/// `[auth]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// The service's name in tokens and challenges.
    pub service: String,
    /// The life of an access token.
    #[serde(with = "duration")]
    pub access_token_ttl: Duration,
    /// The life of a refresh token.
    #[serde(with = "duration")]
    pub refresh_token_ttl: Duration,
    /// Whether GET of a token gives a refresh token to who asks for one (`offline_token=true`). Off: docker would store it
    /// in the password's place, and a pull secret made from that file fails.
    pub refresh_tokens_on_get: bool,
    /// The longest life of a personal token.
    #[serde(with = "duration")]
    pub personal_token_ttl_max: Duration,
    /// The most personal tokens that an account, or a user, holds.
    pub personal_tokens_max: usize,
    /// The most access key pairs that an account, or a user, holds.
    pub access_keys_max: usize,
    /// Memory that a password's hash takes, in KiB.
    pub password_memory_kib: u32,
    /// Passes over that memory.
    pub password_passes: u32,
    /// Lanes of a password's hash.
    pub password_lanes: u32,
    /// Password hashes computed at once.
    pub password_hashes_max: usize,
    /// Sign-ins that wait for that; more are told to come again.
    pub password_queue_max: usize,
    /// Of both together, how many may come from one address (of IPv6: from one /64).
    pub password_hashes_per_address_max: usize,
    /// For how long a verified password is remembered.
    #[serde(with = "duration")]
    pub password_cache_ttl: Duration,
    /// Verified passwords remembered.
    pub password_cache_entries_max: u64,
    /// Users of an account.
    pub users_max: usize,
    /// Namespaces of an account.
    pub namespaces_max: usize,
    /// Repositories of a namespace.
    pub repositories_max: u32,
    /// Accounts that one repository is shared with at a time.
    pub share_grantees_max: usize,
    /// How long before a share's deadline notice of it is given, unless its owner says otherwise.
    #[serde(with = "duration")]
    pub share_notice_before: Duration,
    /// How long before a share's end who pulls by it is warned (`Warning: 299`); `"0s"`: never.
    #[serde(with = "duration")]
    pub share_warning_before: Duration,
    /// For how long a deleted account's or namespace's name is kept from others.
    #[serde(with = "duration")]
    pub name_reserved_for: Duration,
    /// Accounts that do not exist, named by one account in an hour, before it has to wait.
    pub unknown_names_per_hour: u32,
}

impl Default for Auth {
    fn default() -> Auth {
        let settings = ::auth::Settings::default();
        Auth {
            service: settings.service,
            access_token_ttl: settings.access_token_ttl,
            refresh_token_ttl: settings.refresh_token_ttl,
            refresh_tokens_on_get: settings.refresh_tokens_on_get,
            personal_token_ttl_max: settings.personal_token_ttl_max,
            personal_tokens_max: settings.personal_tokens_max,
            access_keys_max: settings.access_keys_max,
            password_memory_kib: settings.password_hash.memory_kib,
            password_passes: settings.password_hash.passes,
            password_lanes: settings.password_hash.lanes,
            password_hashes_max: settings.password_hashes_max,
            password_queue_max: settings.password_queue_max,
            password_hashes_per_address_max: settings.password_hashes_per_address_max,
            password_cache_ttl: settings.password_cache_ttl,
            password_cache_entries_max: settings.password_cache_entries_max,
            users_max: settings.users_max,
            namespaces_max: settings.namespaces_max,
            repositories_max: settings.repositories_max,
            share_grantees_max: settings.share_grantees_max,
            share_notice_before: settings.share_notice_before,
            share_warning_before: settings.share_warning_before,
            name_reserved_for: settings.name_reserved_for,
            unknown_names_per_hour: settings.unknown_names_per_hour,
        }
    }
}

impl Auth {
    pub(super) fn check(&self, found: &mut Impossible) {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
        let service = (1..=255).contains(&self.service.len()) && self.service.bytes().all(plain);
        found.unless(
            service,
            "auth.service",
            "a service's name has 1 to 255 letters, digits, '.', ':', '_' and '-'",
        );
        for (key, life) in [
            ("auth.access_token_ttl", self.access_token_ttl),
            ("auth.refresh_token_ttl", self.refresh_token_ttl),
            ("auth.personal_token_ttl_max", self.personal_token_ttl_max),
        ] {
            found.unless(life >= Duration::from_secs(1), key, "less than a second");
            found.unless(life <= LIFE_MAX, key, "more than a century");
        }
        found.unless(
            self.access_token_ttl <= self.refresh_token_ttl,
            "auth.access_token_ttl",
            "longer than auth.refresh_token_ttl",
        );
        let warns = self.share_warning_before <= LIFE_MAX;
        found.unless(warns, "auth.share_warning_before", "more than a century");
        found.unless(self.name_reserved_for <= LIFE_MAX, "auth.name_reserved_for", "more than a century");
        let year = Duration::from_secs(366 * 24 * 60 * 60);
        found.unless(self.share_notice_before <= year, "auth.share_notice_before", "more than a year");
        let hour = Duration::from_secs(60 * 60);
        found.unless(self.password_cache_ttl <= hour, "auth.password_cache_ttl", "more than an hour");
        found.outside("auth.password_memory_kib", self.password_memory_kib, 8 * 1024, 4 * 1024 * 1024);
        found.outside("auth.password_passes", self.password_passes, 1, 100);
        found.outside("auth.password_lanes", self.password_lanes, 1, 64);
        found.outside("auth.password_hashes_max", self.password_hashes_max, 1, 256);
        found.outside("auth.password_queue_max", self.password_queue_max, 1, 100_000);
        found.outside(
            "auth.password_hashes_per_address_max",
            self.password_hashes_per_address_max,
            1,
            100_000,
        );
        found.outside("auth.personal_tokens_max", self.personal_tokens_max, 1, kv::SCAN_ENTRIES_MAX);
        found.outside("auth.access_keys_max", self.access_keys_max, 1, kv::SCAN_ENTRIES_MAX);
        found.outside("auth.users_max", self.users_max, 1, kv::SCAN_ENTRIES_MAX);
        found.outside("auth.namespaces_max", self.namespaces_max, 1, kv::SCAN_ENTRIES_MAX);
        found.outside("auth.repositories_max", self.repositories_max, 1, 10_000_000);
        found.outside("auth.share_grantees_max", self.share_grantees_max, 1, kv::SCAN_ENTRIES_MAX);
        found.outside("auth.unknown_names_per_hour", self.unknown_names_per_hour, 1, 1_000);
    }

    /// The settings of the crate that this is about.
    pub(crate) fn settings(&self) -> ::auth::Settings {
        ::auth::Settings {
            service: self.service.clone(),
            access_token_ttl: self.access_token_ttl,
            refresh_token_ttl: self.refresh_token_ttl,
            refresh_tokens_on_get: self.refresh_tokens_on_get,
            personal_token_ttl_max: self.personal_token_ttl_max,
            personal_tokens_max: self.personal_tokens_max,
            access_keys_max: self.access_keys_max,
            password_hash: ::auth::PasswordCost {
                memory_kib: self.password_memory_kib,
                passes: self.password_passes,
                lanes: self.password_lanes,
            },
            password_hashes_max: self.password_hashes_max,
            password_queue_max: self.password_queue_max,
            password_hashes_per_address_max: self.password_hashes_per_address_max,
            password_cache_ttl: self.password_cache_ttl,
            password_cache_entries_max: self.password_cache_entries_max,
            users_max: self.users_max,
            namespaces_max: self.namespaces_max,
            repositories_max: self.repositories_max,
            share_grantees_max: self.share_grantees_max,
            share_notice_before: self.share_notice_before,
            share_warning_before: self.share_warning_before,
            name_reserved_for: self.name_reserved_for,
            unknown_names_per_hour: self.unknown_names_per_hour,
            // What is about webhooks has a section of its own.
            ..::auth::Settings::default()
        }
    }
}
