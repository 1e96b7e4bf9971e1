//! The command line, as somebody with a home of their own uses it.

use tempfile::TempDir;

use crate::program::{self, Ran};
use crate::{Person, Registry};

/// Somebody's command line: their logins lie in a home of their own.
pub struct Cli {
    home: TempDir,
}

impl Cli {
    /// Somebody who has not signed in.
    #[must_use]
    pub fn new() -> Cli {
        Cli { home: tempfile::tempdir().expect("a temporary folder") }
    }

    /// `person`, signed in.
    pub async fn of(person: &Person, registry: &Registry) -> Cli {
        let cli = Cli::new();
        let mut line = format!("login {} --username {} --password-stdin", registry.url(), person.login());
        if let Some(ca) = registry.ca_certificate() {
            line += &format!(" --ca-certificate {}", ca.display());
        }
        cli.types_with(&line, person.password()).await.succeeds();
        cli
    }

    /// What a person types after `gangplank`, words apart by blanks.
    pub async fn types(&self, line: &str) -> Ran {
        self.types_with(line, "").await
    }

    /// The same with `input` on standard input.
    pub async fn types_with(&self, line: &str, input: &str) -> Ran {
        let words: Vec<_> = line.split_whitespace().collect();
        self.runs(&words, input).await
    }

    /// The same, word by word.
    pub async fn runs(&self, words: &[&str], input: &str) -> Ran {
        let mut command = program::gangplank();
        command.args(words).current_dir(self.home.path());
        command.env("HOME", self.home.path()).env_remove("XDG_CONFIG_HOME");
        program::run(command, input.as_bytes()).await
    }
}

impl Default for Cli {
    fn default() -> Cli {
        Cli::new()
    }
}
