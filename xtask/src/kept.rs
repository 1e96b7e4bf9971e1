//! What is kept for the next run in a cache folder, each thing with its version in its name: `<folder>/<name>@<version>/`.

use std::fs;
use std::path::{Path, PathBuf};

/// A folder that is whole when it is there.
pub(crate) struct Kept {
    pub(crate) folder: PathBuf,
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

impl Kept {
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.join(format!("{}@{}", self.name, self.version))
    }

    pub(crate) fn is_there(&self) -> bool {
        self.path().is_dir()
    }

    /// Lets `fill` fill a folder, which gets its name afterwards, when other versions are gone.
    pub(crate) fn fill(&self, fill: impl FnOnce(&Path) -> Result<(), String>) -> Result<(), String> {
        let part = self.folder.join(format!("{}.{}.part", self.name, std::process::id()));
        let cannot = |what: &str, error| format!("cannot {what} {}: {error}", part.display());
        fs::create_dir_all(&part).map_err(|error| cannot("make", error))?;
        fill(&part).inspect_err(|_| {
            // Else each try would leave one.
            let _ = fs::remove_dir_all(&part);
        })?;
        self.remove_others(&part)?;
        fs::rename(&part, self.path()).map_err(|error| cannot("rename", error))
    }

    /// Removes what is kept of other versions, and what a broken installation left.
    fn remove_others(&self, part: &Path) -> Result<(), String> {
        let entries = fs::read_dir(&self.folder).map_err(|error| error.to_string())?;
        for path in entries.flatten().map(|entry| entry.path()) {
            let found = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if found.split(['@', '.']).next() == Some(self.name) && path != part {
                let removed = fs::remove_dir_all(&path);
                removed.map_err(|error| format!("cannot remove {}: {error}", path.display()))?;
            }
        }
        Ok(())
    }
}
