//! The layers a setting may come from, and the error that names the layer.
//!
//! Settings are laid one over the other into a table that is read as [`Config`] after each: what fails then is this
//! setting's fault, so the error names its key and origin. No crate that merges first and reads afterwards can do that.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::{Display, Formatter};
use std::path::{Path, PathBuf};

use ::auth::Secret;
use serde::Deserialize;

use super::{AdminPassword, Config};

/// The variable with the administrator's first password. It is no setting, and is never shown.
pub const ADMIN_PASSWORD_VARIABLE: &str = "GANGPLANK_ADMIN_PASSWORD";
/// The variable with the path of the configuration file, if no flag names one.
pub const CONFIG_FILE_VARIABLE: &str = "GANGPLANK_CONFIG";

const PREFIX: &str = "GANGPLANK_";
/// What separates section and key in a variable's name.
const SEPARATOR: &str = "__";
/// The one section in a section.
const TLS_SECTION: &str = "server.tls";

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// A flag.
    Flag(String),
    /// A program that uses this library.
    Program,
}

impl Display for Origin {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path) => write!(f, "file {}", path.display()),
            Origin::Environment(variable) => write!(f, "environment variable {variable}"),
            Origin::Flag(flag) => write!(f, "flag {flag}"),
            Origin::Program => f.write_str("set by the program"),
        }
    }
}

/// A setting given by a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flag {
    /// The flag, `--listen`.
    pub flag: String,
    /// The setting's full name, `server.listen`.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// Something that cannot be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The setting's full name; empty when the layer itself is the problem.
    pub key: String,
    /// The layer.
    pub origin: Origin,
    /// What is wrong with it.
    pub reason: String,
}

impl Display for Problem {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        if self.key.is_empty() {
            write!(f, "{}: {}", self.origin, self.reason)
        } else {
            write!(f, "{}: {} ({})", self.key, self.reason, self.origin)
        }
    }
}

/// Everything in the settings that cannot be, one to a line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the configuration cannot be used: {}", .problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "))]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

/// Settings that were read and hold together.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub config: Config,
    origins: BTreeMap<String, Origin>,
}

impl Loaded {
    /// Where the setting `key` came from.
    #[must_use]
    pub fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }
}

/// Reads the settings: `file`, else the file that the environment names, if any; then `environment`; then `flags`.
///
/// # Errors
/// With everything that is unknown or impossible.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    flags: &[Flag],
) -> Result<Loaded, ConfigError> {
    let mut layers = Layers::default();
    let environment = Environment::read(environment, &mut layers.problems);
    if let Some(path) = file.map(Path::to_owned).or(environment.file) {
        layers.file(&path);
    }
    for (variable, value) in environment.settings {
        layers.variable(variable, value);
    }
    for flag in flags {
        layers.text(&flag.key, &flag.value, Origin::Flag(flag.flag.clone()));
    }
    layers.finish(environment.admin_password)
}

/// The variables that concern us.
#[derive(Default)]
struct Environment {
    file: Option<PathBuf>,
    admin_password: Option<Secret>,
    /// Sorted, so that errors come in the same order.
    settings: BTreeMap<String, String>,
}

impl Environment {
    fn read(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        problems: &mut Vec<Problem>,
    ) -> Environment {
        let mut environment = Environment::default();
        for (name, value) in variables {
            let Some(name) = name.to_str().filter(|name| name.starts_with(PREFIX)) else { continue };
            if name == CONFIG_FILE_VARIABLE {
                environment.file = Some(value.into());
                continue;
            }
            if set_by_kubernetes(name) {
                continue;
            }
            match value.into_string() {
                Ok(value) if name == ADMIN_PASSWORD_VARIABLE => {
                    environment.admin_password = Some(Secret::new(value))
                }
                Ok(value) => {
                    environment.settings.insert(name.to_owned(), value);
                }
                Err(_) => problems.push(Problem {
                    key: String::new(),
                    origin: Origin::Environment(name.to_owned()),
                    reason: "its value is not UTF-8".to_owned(),
                }),
            }
        }
        environment
    }
}

/// Whether a variable is one of those that Kubernetes sets for a service called `gangplank` in every container beside
/// it: the only ones with our prefix that are not refused.
fn set_by_kubernetes(variable: &str) -> bool {
    let rest = variable.strip_prefix(PREFIX).unwrap_or(variable);
    rest == "PORT"
        || rest.starts_with("PORT_")
        || rest == "SERVICE_HOST"
        || rest == "SERVICE_PORT"
        || rest.starts_with("SERVICE_PORT_")
}

/// Whether `key` could name a section: any does at the top, below that the one that there is.
fn may_be_section(key: &str) -> bool {
    !key.contains('.') || key == TLS_SECTION
}

/// `value` as the list that it was probably meant to be.
fn list(value: &toml::Value) -> toml::Value {
    let items = match value.as_str() {
        Some(text) => text.split(',').map(|item| item.trim().into()).collect(),
        None => vec![value.clone()],
    };
    toml::Value::Array(items)
}

#[derive(Default)]
struct Layers {
    /// What was accepted so far: always readable as [`Config`].
    table: toml::Table,
    origins: BTreeMap<String, Origin>,
    problems: Vec<Problem>,
}

impl Layers {
    fn file(&mut self, path: &Path) {
        let origin = Origin::File(path.to_owned());
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => return self.problem("", origin, format!("cannot be read: {error}")),
        };
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            Err(error) => return self.problem("", origin, error.to_string().trim_end().to_owned()),
        };
        for (section, value) in table {
            self.section(section, value, &origin);
        }
    }

    /// Lays what stands in a file under `key`, setting by setting where it is a section.
    fn section(&mut self, key: String, value: toml::Value, origin: &Origin) {
        match value {
            toml::Value::Table(settings) if !settings.is_empty() && may_be_section(&key) => {
                for (name, value) in settings {
                    self.section(format!("{key}.{name}"), value, origin);
                }
            }
            value => self.lay(&key, value, origin),
        }
    }

    fn variable(&mut self, variable: String, value: String) {
        let rest = variable.strip_prefix(PREFIX).unwrap_or(&variable).to_ascii_lowercase();
        if rest.contains(SEPARATOR) {
            self.text(&rest.replace(SEPARATOR, "."), &value, Origin::Environment(variable));
        } else {
            self.problem(
                &rest,
                Origin::Environment(variable),
                "no setting: a variable's name is GANGPLANK_<SECTION>__<KEY>, with two underscores between"
                    .to_owned(),
            );
        }
    }

    /// A setting as text: taken as a string where the setting is one, else as TOML writes numbers, booleans and lists.
    fn text(&mut self, key: &str, value: &str, origin: Origin) {
        let as_text = toml::Value::String(value.to_owned());
        let as_value =
            format!("value = {value}").parse::<toml::Table>().ok().and_then(|mut t| t.remove("value"));
        match as_value {
            Some(other) if self.with(key, as_text.clone()).is_err() => self.lay(key, other, &origin),
            _ => self.lay(key, as_text, &origin),
        }
    }

    /// Lays one setting over what there is, if it can be.
    fn lay(&mut self, key: &str, value: toml::Value, origin: &Origin) {
        let as_list = list(&value);
        match self.with(key, value) {
            Ok(table) => {
                self.table = table;
                self.origins.insert(key.to_owned(), origin.clone());
            }
            // As serde says it of a list.
            Err(reason) if reason.ends_with("expected a sequence") => {
                self.problem(key, origin.clone(), format!("{reason}; a list is written as {as_list}"));
            }
            Err(reason) => self.problem(key, origin.clone(), reason),
        }
    }

    /// The table with `key` set to `value`, or why it cannot be.
    fn with(&self, key: &str, value: toml::Value) -> Result<toml::Table, String> {
        let mut table = self.table.clone();
        let (sections, name) = key.rsplit_once('.').map_or((None, key), |(path, name)| (Some(path), name));
        let mut innermost = &mut table;
        for section in sections.into_iter().flat_map(|path| path.split('.')) {
            let inner = innermost.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            let Some(inner) = inner.as_table_mut() else { return Err("no section".to_owned()) };
            innermost = inner;
        }
        innermost.insert(name.to_owned(), value);
        match Config::deserialize(table.clone()) {
            Ok(_) => Ok(table),
            Err(error) => Err(error.message().to_owned()),
        }
    }

    fn problem(&mut self, key: &str, origin: Origin, reason: String) {
        self.problems.push(Problem { key: key.to_owned(), origin, reason });
    }

    fn finish(mut self, admin_password: Option<Secret>) -> Result<Loaded, ConfigError> {
        let mut config = match Config::deserialize(self.table.clone()) {
            Ok(config) => config,
            // Each setting was read in its place before; this is here so that nothing can panic.
            Err(error) => {
                self.problem("", Origin::Default, error.message().to_owned());
                return Err(ConfigError { problems: self.problems });
            }
        };
        for (key, reason) in config.impossible() {
            let origin = self.origins.get(key).cloned().unwrap_or(Origin::Default);
            self.problem(key, origin, reason);
        }
        if !self.problems.is_empty() {
            return Err(ConfigError { problems: self.problems });
        }
        config.admin_password = AdminPassword { given: admin_password, reset: false };
        Ok(Loaded { config, origins: self.origins })
    }
}
