//! The suite's program: the one that `cargo xtask` builds, or the one that `OCI_CONFORMANCE` names.

use std::fmt::{Display, Formatter};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

// The package, not the module below.
use ::tests::{GoTool, Person, run};
use tokio::process::Command;

/// What every run has in common: every option on. A run's own settings stand above it, in the environment.
const CONFIGURATION: &str = include_str!("oci-conformance.yaml");

/// The suite.
pub(crate) struct Program {
    path: PathBuf,
    /// The version that it was built as; nobody knows it of a program that is given.
    version: Option<String>,
}

/// A run of it that has ended and left a report.
pub(crate) struct Ended {
    /// Its exit code; -1 when a signal ended it.
    pub(crate) code: i32,
    /// The JUnit file.
    pub(crate) report: String,
}

impl Program {
    /// Finds it.
    pub(crate) fn find() -> Result<Program, String> {
        if let Some(path) = std::env::var_os("OCI_CONFORMANCE") {
            return Program::given(path.into());
        }
        let tool = GoTool::find("suite").map_err(
            |_| "the suite is not built: `cargo xtask conformance` builds it with Go, and runs this",
        )?;
        Ok(Program { path: tool.program("conformance"), version: Some(tool.version) })
    }

    /// The one at `path`, if that is a program.
    fn given(path: PathBuf) -> Result<Program, String> {
        let no_suite = |why: &dyn Display| format!("OCI_CONFORMANCE: no suite at {path:?}: {why}");
        let found = fs::metadata(&path).map_err(|error| no_suite(&error))?;
        if !found.is_file() || found.permissions().mode() & 0o111 == 0 {
            return Err(no_suite(&"it is no program"));
        }
        Ok(Program { path, version: None })
    }

    /// Runs it as `user` with these settings and no others of the machine's; what it leaves is in `folder`.
    pub(crate) async fn run(
        &self,
        user: &Person,
        settings: &[(&str, String)],
        folder: &Path,
    ) -> Result<Ended, String> {
        let cannot = |error| format!("cannot use {}: {error}", folder.display());
        let file = folder.join("oci-conformance.yaml");
        // In the file, so that no message which shows the command shows a password.
        let (login, password) = (user.login(), user.password());
        let configuration = format!("{CONFIGURATION}username: {login:?}\npassword: {password:?}\n");
        fs::create_dir_all(folder).and_then(|()| fs::write(&file, configuration)).map_err(cannot)?;
        let mut command = Command::new(&self.path);
        command.env_clear().env("OCI_CONFIGURATION", &file).env("OCI_RESULTS_DIR", folder);
        command.envs(settings.iter().map(|(name, value)| (name, value)));
        let ran = run(command, b"").await;
        fs::write(folder.join("output.txt"), ran.to_string()).map_err(cannot)?;
        // It ends with 0 when it cannot read its configuration, or write its report.
        match fs::read_to_string(folder.join("junit.xml")) {
            Ok(report) => Ok(Ended { code: ran.code, report }),
            Err(error) => Err(format!("no report ({error}): {ran}")),
        }
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

#[cfg(test)]
mod tests {
    use super::{Path, PermissionsExt, Program, fs};

    #[test]
    fn what_is_no_program_is_refused_in_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let text = folder.path().join("text");
        fs::write(&text, "not to be run").unwrap();
        let missing = folder.path().join("missing");
        for (path, why) in [
            (missing.as_path(), "No such file or directory"),
            (folder.path(), "it is no program"),
            (&text, "it is no program"),
            (Path::new(""), "No such file or directory"),
        ] {
            let refused = Program::given(path.to_owned()).err().unwrap();
            assert!(
                refused.starts_with(&format!("OCI_CONFORMANCE: no suite at {path:?}: {why}")),
                "{refused}"
            );
        }
        fs::set_permissions(&text, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(Program::given(text).is_ok());
    }
}
