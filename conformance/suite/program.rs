//! The suite's program: the one that `cargo xtask` builds, or the one that `OCI_CONFORMANCE` names.

use std::fmt::{Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};

use tests::GoTool;
use tokio::process::Command;

/// What every run has in common: every option on. A run's own settings stand above it, in the environment.
const CONFIGURATION: &str = include_str!("oci-conformance.yaml");

/// The suite.
pub(crate) struct Program {
    path: PathBuf,
    /// The version that it was built as; nobody knows it of a program that is given.
    version: Option<String>,
}

impl Program {
    /// Finds it.
    pub(crate) fn find() -> Result<Program, String> {
        if let Some(path) = std::env::var_os("OCI_CONFORMANCE") {
            return Ok(Program { path: path.into(), version: None });
        }
        let tool = GoTool::find("suite").map_err(
            |_| "the suite is not built: `cargo xtask conformance` builds it with Go, and runs this",
        )?;
        Ok(Program { path: tool.program("conformance"), version: Some(tool.version) })
    }

    /// Runs it with these settings and no others of the machine's, and gives the JUnit report that it leaves in `folder`.
    pub(crate) async fn report(&self, settings: &[(&str, String)], folder: &Path) -> Result<String, String> {
        let cannot = |error| format!("cannot use {}: {error}", folder.display());
        let configuration = folder.join("oci-conformance.yaml");
        fs::create_dir_all(folder).and_then(|()| fs::write(&configuration, CONFIGURATION)).map_err(cannot)?;
        let mut command = Command::new(&self.path);
        command.env_clear().env("OCI_CONFIGURATION", &configuration).env("OCI_RESULTS_DIR", folder);
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        let ran = tests::run(command, b"").await;
        fs::write(folder.join("output.txt"), ran.to_string()).map_err(cannot)?;
        // It ends with 0 too when it cannot read its configuration; the report is what counts.
        let report = fs::read_to_string(folder.join("junit.xml"));
        report.map_err(|error| format!("no report ({error}): {ran}"))
    }
}

impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match &self.version {
            Some(version) => write!(f, "{version}"),
            None => write!(f, "at {}", self.path.display()),
        }
    }
}
