//! `gangplank config`

use std::fmt::Write;

use gangplank::config::Loaded;

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
    /// Check the settings that `serve` would use: file, environment and flags
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
                settings.load()?;
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
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{separator}[{section}]");
        for (key, value) in settings.as_table().into_iter().flatten() {
            let origin = loaded.origin(&format!("{section}.{key}"));
            let _ = writeln!(text, "{:<50} # {origin}", format!("{key} = {value}"));
        }
    }
    Ok(text)
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
