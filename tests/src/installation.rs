//! Somebody's installation of a client that is a tool in Go.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::process::Command;

use crate::program::{self, Ran};
use crate::{GoTool, Registry};

/// A proxy that does not answer. Tools in Go reach this machine without one, and so reach nothing else.
const NO_WAY_OUT: &str = "http://127.0.0.1:9";

/// A program, a home of its own, and the registry that it talks to.
pub struct Installation {
    program: PathBuf,
    environment: &'static [(&'static str, &'static str)],
    home: TempDir,
    host: String,
}

impl Installation {
    /// A new one of `tool`, for somebody who has not signed in to `registry`.
    ///
    /// # Panics
    /// When this machine does not have it.
    #[must_use]
    pub fn of(tool: &str, registry: &Registry) -> Installation {
        let found = GoTool::find(tool).unwrap_or_else(|absent| panic!("{absent}"));
        Installation::of_program(found.program(tool), registry)
    }

    /// The same of a program that is no tool in Go.
    #[must_use]
    pub fn of_program(program: PathBuf, registry: &Registry) -> Installation {
        let home = tempfile::tempdir().expect("a temporary folder");
        Installation { program, environment: &[], home, host: registry.host() }
    }

    /// The same where the program wants to find these variables.
    #[must_use]
    pub fn with(self, environment: &'static [(&'static str, &'static str)]) -> Installation {
        Installation { environment, ..self }
    }

    /// `127.0.0.1:40001`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// A path in the home.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// An empty folder in the home: what an earlier pull left there is gone, so that a pull is a pull.
    #[must_use]
    pub fn empty_folder(&self, name: &str) -> PathBuf {
        let folder = self.path(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).expect("a folder of ours");
        }
        fs::create_dir(&folder).expect("a new folder");
        folder
    }

    /// Runs it with these words.
    pub async fn runs(&self, words: &[&str]) -> Ran {
        self.runs_with(words, "").await
    }

    /// The same with `input` on standard input.
    pub async fn runs_with(&self, words: &[&str], input: impl AsRef<[u8]>) -> Ran {
        self.runs_in(self.home.path(), words, input).await
    }

    /// The same in a folder. It sees nothing of what this machine has set.
    pub async fn runs_in(&self, folder: &Path, words: &[&str], input: impl AsRef<[u8]>) -> Ran {
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(folder).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("HOME", self.home.path()).env("DOCKER_CONFIG", self.home.path());
        command.env("HTTPS_PROXY", NO_WAY_OUT).env("HTTP_PROXY", NO_WAY_OUT);
        command.envs(self.environment.iter().copied());
        program::run(command, input.as_ref()).await
    }
}
