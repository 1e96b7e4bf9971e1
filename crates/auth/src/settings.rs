//! What an operator may set, with units in the names. The defaults are the ones to run with.

use std::time::Duration;

use crate::Destinations;

/// The bounds and lives of everything that this crate gives out.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The service's name in tokens and challenges; another service's tokens are not ours.
    pub service: String,
    /// The life of an access token.
    pub access_token_ttl: Duration,
    /// The life of a refresh token; it dies earlier with its credential.
    pub refresh_token_ttl: Duration,
    /// Whether GET of a token gives a refresh token to who asks for one (`offline_token=true`). Off: docker would store it
    /// in the password's place, and a pull secret made from that file fails.
    pub refresh_tokens_on_get: bool,
    /// The longest life of a personal token.
    pub personal_token_ttl_max: Duration,
    /// The most personal tokens that an account, or a user, holds.
    pub personal_tokens_max: usize,
    /// The most access key pairs that an account, or a user, holds.
    pub access_keys_max: usize,
    /// What a password's hash costs.
    pub password_hash: PasswordCost,
    /// How many hashes are computed at once.
    pub password_hashes_max: usize,
    /// How many wait for that; whoever comes next is told to come again.
    pub password_queue_max: usize,
    /// How many of those, computed or waiting, may come from one address.
    pub password_hashes_per_address_max: usize,
    /// For how long a verified password is remembered, under a key of this process alone.
    pub password_cache_ttl: Duration,
    /// How many are remembered.
    pub password_cache_entries_max: u64,
    /// The most users of an account.
    pub users_max: usize,
    /// The most namespaces of an account.
    pub namespaces_max: usize,
    /// The most repositories of a namespace.
    pub repositories_max: u32,
    /// The most accounts that one repository is shared with at a time.
    pub share_grantees_max: usize,
    /// How long before a share's deadline notice of it is given, unless its owner says otherwise.
    pub share_notice_before: Duration,
    /// How long before a share's end who pulls by it is warned; zero: never.
    pub share_warning_before: Duration,
    /// For how long a deleted account's or namespace's name is kept from others.
    pub name_reserved_for: Duration,
    /// How many accounts that do not exist an account may name in an hour before it has to wait.
    pub unknown_names_per_hour: u32,
    /// The node that this process is: each counts the use of shares for itself.
    pub node: kv::Id,
    /// The most webhooks of an account.
    pub webhooks_max: usize,
    /// Where webhooks may lead.
    pub webhook_destinations: Destinations,
    /// How many notices wait for one webhook; beyond that the oldest goes.
    pub webhook_notices_pending_max: u32,
    /// For how long a notice waits for its receiver.
    pub webhook_notices_kept: Duration,
    /// How long a webhook waits after its first failure; twice as long after each that follows.
    pub webhook_retry_min: Duration,
    /// The longest such wait.
    pub webhook_retry_max: Duration,
    /// How many deliveries that ended are remembered of a webhook.
    pub webhook_deliveries_remembered_max: u64,
}

/// The cost of argon2id.
#[derive(Debug, Clone, Copy)]
pub struct PasswordCost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for PasswordCost {
    /// What OWASP's password storage sheet asks for first.
    fn default() -> PasswordCost {
        PasswordCost { memory_kib: 19 * 1024, passes: 2, lanes: 1 }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            service: "gangplank".to_owned(),
            access_token_ttl: Duration::from_secs(300),
            refresh_token_ttl: 90 * DAY,
            refresh_tokens_on_get: false,
            personal_token_ttl_max: 365 * DAY,
            personal_tokens_max: 1_000,
            access_keys_max: 10,
            password_hash: PasswordCost::default(),
            password_hashes_max: 2,
            password_queue_max: 64,
            password_hashes_per_address_max: 8,
            password_cache_ttl: Duration::from_secs(60),
            password_cache_entries_max: 10_000,
            users_max: 1_000,
            namespaces_max: 1_000,
            repositories_max: 100_000,
            share_grantees_max: 500,
            share_notice_before: 3 * DAY,
            share_warning_before: 7 * DAY,
            name_reserved_for: 90 * DAY,
            unknown_names_per_hour: 30,
            node: kv::Id::MIN,
            webhooks_max: 16,
            webhook_destinations: Destinations::default(),
            webhook_notices_pending_max: 10_000,
            webhook_notices_kept: 7 * DAY,
            webhook_retry_min: Duration::from_secs(5),
            webhook_retry_max: Duration::from_secs(60 * 60),
            webhook_deliveries_remembered_max: 100,
        }
    }
}
