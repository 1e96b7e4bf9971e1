//! The machine that a result was made on: what a reader must know of it to make something of the figures.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The machine.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) processors: usize,
    pub(crate) memory_gib: u64,
    pub(crate) kernel: String,
    /// Of the folder on disk.
    pub(crate) file_system: String,
}

impl Machine {
    /// This one. `folder` is where the servers keep their data.
    pub(crate) fn this(folder: &Path) -> Machine {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let (processor, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
        let memory_kib: u64 = value(&memory, "MemTotal").split(' ').next().unwrap_or("").parse().unwrap_or(0);
        Machine {
            processor: value(&processor, "model name").to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            memory_gib: memory_kib.div_ceil(1024 * 1024),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            file_system: file_system(&read("/proc/self/mounts"), folder).to_owned(),
        }
    }

    /// In a line.
    pub(crate) fn line(&self) -> String {
        format!(
            "{} processors ({}), {} GiB, Linux {}, {}",
            self.processors, self.processor, self.memory_gib, self.kernel, self.file_system
        )
    }
}

/// The value of the first line `key : value`.
fn value<'a>(text: &'a str, key: &str) -> &'a str {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(name, _)| name.trim() == key).map_or("", |(_, value)| value.trim())
}

/// The kind of the file system that holds `folder`: that of the innermost mount, of several there the last one.
fn file_system<'a>(mounts: &'a str, folder: &Path) -> &'a str {
    let mut found = ("", 0);
    for mount in mounts.lines() {
        let mut words = mount.split(' ').skip(1);
        let (Some(point), Some(kind)) = (words.next(), words.next()) else { continue };
        if folder.starts_with(point) && point.len() >= found.1 {
            found = (kind, point.len());
        }
    }
    found.0
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{file_system, value};

    #[test]
    fn the_innermost_mount_counts() {
        let mounts = "a / ext4 rw 0 0\nb /home xfs rw 0 0\nc /home/x tmpfs rw 0 0\nd / btrfs rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/home/x/y")), "tmpfs");
        assert_eq!(file_system(mounts, Path::new("/home/xy")), "xfs");
        assert_eq!(file_system(mounts, Path::new("/var")), "btrfs");
    }

    #[test]
    fn a_value_stands_behind_its_key() {
        assert_eq!(value("a\t: b c\nd: e f", "a"), "b c");
        assert_eq!(value("a\t: b c\nd: e f", "d"), "e f");
        assert_eq!(value("", "d"), "");
    }
}
