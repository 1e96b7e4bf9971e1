//! Other people's packages in Python: clients, of the matrix and of the tests. Each is pinned to a version, and has an
//! environment of its own in a cache folder outside the tree: `<cache>/gangplank/python/<name>@<version>/bin/python`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Interrupt, cache, each, watched};
use crate::kept::Kept;

/// A package, as the index of packages names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Package {
    pub(crate) name: &'static str,
    version: &'static str,
    /// Whether a file of it is wanted alone, and nothing of what it needs to run.
    as_files: bool,
}

/// The clients.
pub(crate) const CLIENTS: &[Package] = &[
    Package { name: "oras", version: "0.2.43", as_files: false },
    // Of the tests alone: it drives the SWR management API.
    Package { name: "huaweicloudsdkswr", version: "3.1.219", as_files: false },
    // Brings axe-core 4.12.1, which tests run in a browser's pages.
    Package { name: "axe-playwright-python", version: "0.1.8", as_files: true },
];

/// Where they are kept.
pub(crate) fn folder() -> PathBuf {
    cache().join("python")
}

/// Installs those that are not there yet: each that it can.
pub(crate) fn install(packages: &[Package], interrupt: &Interrupt) -> Result<(), String> {
    each(packages, interrupt, |package| {
        let kept = Kept { folder: folder(), name: package.name, version: package.version };
        if kept.is_there() { Ok(()) } else { kept.fill(|part| package.install(part, interrupt)) }
    })
}

impl Package {
    fn install(&self, environment: &Path, interrupt: &Interrupt) -> Result<(), String> {
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(environment);
        watched(&mut venv, interrupt, |_| {})?;
        let mut pip = Command::new(environment.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]);
        if self.as_files {
            pip.arg("--no-deps");
        }
        pip.arg(format!("{}=={}", self.name, self.version));
        watched(&mut pip, interrupt, |passed| {
            eprintln!("xtask: installing {} for {} s", self.name, passed.as_secs());
        })
    }
}
