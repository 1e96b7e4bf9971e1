//! The settings of a server: one struct for each topic, with its defaults and its rules, and where each setting came
//! from.
//!
//! A flag wins over the environment, which wins over the file, which wins over the defaults. Whatever cannot be (an
//! unknown key, a value of the wrong kind, one outside its bounds) is refused with the key's full name and its origin;
//! nothing is ignored. Durations are written with their unit (`"24h"`), other units stand in the key's name.

mod auth;
mod duration;
mod layers;
mod log;
mod server;
mod storage;
mod tls;
mod upkeep;
mod webhooks;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use auth::Auth;
pub use layers::{
    ADMIN_PASSWORD_VARIABLE, CONFIG_FILE_VARIABLE, ConfigError, Flag, Loaded, Origin, Problem, load,
};
pub use log::{Log, LogFormat};
pub use server::Server;
pub use storage::Storage;
pub use tls::Tls;
pub use upkeep::Upkeep;
pub use webhooks::Webhooks;

/// The longest time that anything is given: a century keeps every sum of times within what a timestamp holds.
const LIFE_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// All settings of a server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where and how it serves.
    pub server: Server,
    /// Where and how it keeps images.
    pub storage: Storage,
    /// Credentials and tokens.
    pub auth: Auth,
    /// What is cleaned up in the background.
    pub upkeep: Upkeep,
    /// Webhooks.
    pub webhooks: Webhooks,
    /// What it tells its operator.
    pub log: Log,
    /// The administrator's first password, if the environment gives one. No setting: it is in no file, no flag and no
    /// output.
    #[serde(skip)]
    pub admin_password: AdminPassword,
}

/// The administrator's first password, if there is one to use. Its `Debug` form tells nothing.
#[derive(Clone, Default)]
pub struct AdminPassword {
    /// The password; `None`: one is made.
    pub given: Option<::auth::Secret>,
    /// Whether the administrator gets it even where there is one already.
    pub reset: bool,
}

impl std::fmt::Debug for AdminPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.given.is_some() { "given" } else { "none" })
    }
}

/// Compares nothing: a password is no setting.
impl PartialEq for AdminPassword {
    fn eq(&self, _: &AdminPassword) -> bool {
        true
    }
}

impl Config {
    /// What cannot be, as `(key, reason)`: the bounds of single settings and the rules between them.
    #[must_use]
    pub fn impossible(&self) -> Vec<(&'static str, String)> {
        let mut found = Impossible::default();
        self.server.check(&mut found);
        self.storage.check(&mut found);
        self.auth.check(&mut found);
        self.upkeep.check(&mut found);
        self.webhooks.check(&mut found);
        self.log.check(&mut found);
        found.0
    }

    /// Refuses what cannot be, for settings that a program made instead of [`load`].
    ///
    /// # Errors
    /// With everything that is impossible.
    pub fn checked(&self) -> Result<(), ConfigError> {
        let problem =
            |(key, reason): (&str, _)| Problem { key: key.to_owned(), origin: Origin::Program, reason };
        let problems: Vec<_> = self.impossible().into_iter().map(problem).collect();
        if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
    }
}

/// The impossible settings met so far.
#[derive(Debug, Default)]
struct Impossible(Vec<(&'static str, String)>);

impl Impossible {
    /// Notes `reason` under `key` unless `holds`.
    fn unless(&mut self, holds: bool, key: &'static str, reason: impl Into<String>) {
        if !holds {
            self.0.push((key, reason.into()));
        }
    }

    /// Notes `key` unless `value` lies in `bounds`.
    fn outside<T: PartialOrd + std::fmt::Display>(&mut self, key: &'static str, value: T, least: T, most: T) {
        let holds = value >= least && value <= most;
        self.unless(holds, key, format!("{value} is outside {least} to {most}"));
    }
}

#[cfg(test)]
mod tests;
