//! `gangplank config`

use std::fmt::Write;

use frontend::Clock;
use gangplank::config::Loaded;
use gangplank::{StartError, SystemClock};

use crate::commands::serve::Settings;
use crate::failure::Failure;
use crate::output;

#[derive(Debug, clap::Args)]
pub(crate) struct ConfigCommand {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Check the settings that `serve` would use: file, environment and flags; and the certificate that they name
    #[command(after_help = "Example:\n  gangplank config check --config /etc/gangplank.toml")]
    Check {
        #[command(flatten)]
        settings: Settings,
    },
    /// Show the settings that `serve` would use, as a TOML file, with where each comes from
    #[command(after_help = "Example:\n  gangplank config show --config /etc/gangplank.toml")]
    Show {
        #[command(flatten)]
        settings: Settings,
    },
}

impl ConfigCommand {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::Check { settings } => {
                let loaded = settings.load()?;
                let doubt =
                    loaded.config.server.tls.check_files(SystemClock.now()).map_err(StartError::Tls)?;
                if let Some(doubt) = doubt {
                    output::warn(&doubt);
                }
                output::say("The configuration is good.\n")
            }
            Action::Show { settings } => output::say(&shown(&settings.load()?)?),
        }
    }
}

/// All settings as a file that says the same, each with its origin.
fn shown(loaded: &Loaded) -> Result<String, Failure> {
    let failed = |error: toml::ser::Error| Failure::System {
        doing: "write the settings as TOML",
        source: std::io::Error::other(error),
    };
    let sections = toml::Table::try_from(&loaded.config).map_err(failed)?;
    let mut text = String::new();
    for (section, settings) in sections {
        let separator = if text.is_empty() { "" } else { "\n" };
        text += separator;
        if let toml::Value::Table(settings) = settings {
            show_section(&mut text, &section, settings, loaded);
        }
    }
    Ok(text)
}

/// A section, and behind its own settings the sections in it.
fn show_section(text: &mut String, section: &str, settings: toml::Table, loaded: &Loaded) {
    let mut inner = Vec::new();
    // Writing to a string cannot fail.
    let _ = writeln!(text, "[{section}]");
    for (name, value) in settings {
        let key = format!("{section}.{name}");
        match value {
            toml::Value::Table(settings) => inner.push((key, settings)),
            value => {
                let _ = writeln!(text, "{:<50} # {}", format!("{name} = {value}"), loaded.origin(&key));
            }
        }
    }
    for (section, settings) in inner {
        text.push('\n');
        show_section(text, &section, settings, loaded);
    }
}

#[cfg(test)]
mod tests {
    use gangplank::config::{Flag, load};

    use super::shown;

    #[test]
    fn what_is_shown_says_the_same_when_it_is_read() {
        let set = |key: &str, value: &str| Flag {
            flag: "--set".to_owned(),
            key: key.to_owned(),
            value: value.to_owned(),
        };
        let flags = [
            set("server.external_url", "https://registry.example"),
            set("server.tls.certificate", "/etc/gangplank/tls.crt"),
            set("server.tls.key", "/etc/gangplank/tls.key"),
            set("log.filter", "a=debug"),
            set("storage.upload_ttl", "90m"),
        ];
        let loaded = load(None, [], &flags).unwrap();
        let text = shown(&loaded).unwrap();
        assert!(text.contains("# flag --set") && text.contains("# default"), "{text}");

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("gangplank.toml");
        std::fs::write(&file, &text).unwrap();
        assert_eq!(load(Some(&file), [], &[]).unwrap().config, loaded.config);
    }
}
