//! `cargo xtask run`: from a clone to a registry that serves.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::command::{Interrupt, cargo, target, watched, words};
use crate::needs;

const LISTEN: &str = "127.0.0.1:5000";
const DATA: &str = "./data";
/// About how many C++ files RocksDB consists of.
const ROCKSDB_FILES: usize = 343;

pub(crate) fn run(arguments: &[String], interrupt: &Interrupt) -> Result<(), String> {
    needs::for_the_build()?;
    build(&["build", "--release", "--locked", "--package", "gangplank"], interrupt)?;
    let mut serve = Command::new(target().join("release/gangplank"));
    serve.args(["serve", "--listen", LISTEN, "--data", DATA]).args(arguments);
    eprintln!("xtask: {}", words(&serve));
    // In our place: Ctrl-C then ends the server as the server likes it.
    Err(format!("cannot run `{}`: {}", words(&serve), serve.exec()))
}

/// Builds, and says how far it is while RocksDB takes its time.
pub(crate) fn build(arguments: &[&str], interrupt: &Interrupt) -> Result<(), String> {
    if rocksdb_files_compiled() < ROCKSDB_FILES {
        eprintln!(
            "xtask: the first build compiles RocksDB, about a quarter of an hour of two cores; later ones take it \
             from ccache"
        );
    }
    watched(&mut cargo(arguments), interrupt, |passed| eprintln!("xtask: {}", progress(passed)))
}

fn progress(passed: Duration) -> String {
    let (minutes, seconds) = (passed.as_secs() / 60, passed.as_secs() % 60);
    match rocksdb_files_compiled() {
        compiled if compiled < ROCKSDB_FILES => {
            format!(
                "building for {minutes} min {seconds} s; RocksDB: {compiled} of {ROCKSDB_FILES} files compiled"
            )
        }
        _ => format!("building for {minutes} min {seconds} s; RocksDB is compiled"),
    }
}

/// The fullest of the folders in which RocksDB was or is being compiled.
fn rocksdb_files_compiled() -> usize {
    let folders = std::fs::read_dir(target().join("release/build")).into_iter().flatten().flatten();
    folders
        .filter(|folder| folder.file_name().to_string_lossy().starts_with("librocksdb-sys-"))
        .map(|folder| objects(&folder.path().join("out")))
        .max()
        .unwrap_or(0)
}

fn objects(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => objects(&entry.path()),
            _ => usize::from(entry.path().extension().is_some_and(|extension| extension == "o")),
        })
        .sum()
}
