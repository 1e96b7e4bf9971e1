//! Other people's programs: those of the machine, and those in Go and Python that are kept beside it, each with its version.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::program;

/// Set by `cargo xtask`, which installs them: `<folder>/<name>@<version>/<program>`.
const GO_TOOLS: &str = "TESTS_GO_TOOLS";
/// The same for packages in Python, each with an interpreter of its own: `<folder>/<name>@<version>/bin/python`.
const PYTHON_PACKAGES: &str = "TESTS_PYTHON_PACKAGES";

/// A tool in Go.
#[derive(Debug, Clone)]
pub struct GoTool {
    /// Its folder.
    pub folder: PathBuf,
    /// The version that it was built as.
    pub version: String,
}

impl GoTool {
    /// Finds it.
    ///
    /// # Errors
    /// A sentence, when it is not there.
    pub fn find(name: &str) -> Result<GoTool, String> {
        let (folder, version) = kept(GO_TOOLS, name)
            .ok_or_else(|| format!("{name} is not built: `cargo xtask clients` builds it with Go"))?;
        Ok(GoTool { folder, version })
    }

    /// One of its programs.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// A package in Python, in an environment of its own.
#[derive(Debug, Clone)]
pub struct PythonPackage(PathBuf);

impl PythonPackage {
    /// Finds it.
    ///
    /// # Errors
    /// A sentence, when it is not there.
    pub fn find(name: &str) -> Result<PythonPackage, String> {
        let (folder, _) = kept(PYTHON_PACKAGES, name).ok_or_else(|| {
            format!("{name} is not installed: `cargo xtask test` does so with python3-venv")
        })?;
        Ok(PythonPackage(folder))
    }

    /// The interpreter that has it.
    #[must_use]
    pub fn interpreter(&self) -> PathBuf {
        self.0.join("bin/python")
    }

    /// A file that it brings.
    #[must_use]
    pub fn file(&self, path: &str) -> PathBuf {
        let versions = std::fs::read_dir(self.0.join("lib")).expect("an environment");
        let files = versions.flatten().map(|version| version.path().join("site-packages").join(path));
        files
            .into_iter()
            .find(|file| file.is_file())
            .unwrap_or_else(|| panic!("no {path} in {}", self.0.display()))
    }
}

/// The folder `<name>@<version>` in the one that `variable` names, and the version.
fn kept(variable: &str, name: &str) -> Option<(PathBuf, String)> {
    let entries = std::fs::read_dir(std::env::var_os(variable)?).ok()?;
    entries.flatten().find_map(|entry| {
        let file = entry.file_name();
        let (found, version) = file.to_str()?.split_once('@')?;
        (found == name).then(|| (entry.path(), version.to_owned()))
    })
}

/// A program of the machine, in `PATH` or where Debian keeps those of root.
///
/// # Errors
/// A sentence, when it is not there.
pub fn find_program(program: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .ok_or_else(|| format!("{program} is not installed"))
}

/// What `program` prints when asked for its version.
///
/// # Errors
/// What it said, when it fails.
pub async fn version_of(program: &Path, words: &[&str]) -> Result<String, String> {
    let mut command = Command::new(program);
    command.args(words);
    let ran = program::run(command, b"").await;
    if ran.code == 0 { Ok(ran.stdout.trim().to_owned()) } else { Err(ran.to_string()) }
}
