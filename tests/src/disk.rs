//! A disk that fills up: a file system in memory, of a size.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A small file system of its own. Dropping it unmounts it. Mounting needs root, as the docker engine does.
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// A new one, with room for about so many bytes.
    #[must_use]
    pub fn of(size_bytes: u64) -> SmallDisk {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size_bytes},mode=0700"), "tests"]);
        let mounted = mount.arg(folder.path()).output().expect("mount can be run");
        assert!(mounted.status.success(), "a file system for a test cannot be mounted: {mounted:?}");
        SmallDisk { folder }
    }

    /// Where it is mounted.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all the room that is left.
    ///
    /// # Panics
    /// When it could not be filled.
    pub fn fill(&self) {
        let chunk = vec![0x5a; 64 << 10];
        let mut file = std::fs::File::create(self.filler()).expect("a file");
        let full = loop {
            if let Err(error) = std::io::Write::write_all(&mut file, &chunk) {
                break error;
            }
        };
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    }

    /// Gives back the room that [`SmallDisk::fill`] took.
    pub fn clear(&self) {
        std::fs::remove_file(self.filler()).expect("what filled it can be removed");
    }

    fn filler(&self) -> PathBuf {
        self.path().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server that is being killed may still have a file open.
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}
