//! The rules of the house that no compiler knows: which crate may lean on which, who may read the environment, how
//! long a file may be. `ARCHITECTURE.md` says why.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::command::{cargo, words, workspace};

/// Each crate under `crates/`, and the ones of the workspace that it may depend on.
const HOUSE: &[(&str, &[&str])] = &[
    ("oci", &[]),
    ("kv", &[]),
    ("auth", &["oci", "kv"]),
    ("storage", &["oci", "kv", "auth"]),
    ("frontend", &["oci", "kv", "auth", "storage"]),
    ("gangplank", &["oci", "kv", "auth", "storage", "frontend"]),
];

/// Below `frontend` nothing knows HTTP.
const HTTP: &[&str] =
    &["axum", "http", "http-body", "http-body-util", "hyper", "hyper-util", "reqwest", "tower", "tower-http"];
const KNOW_HTTP: &[&str] = &["frontend", "gangplank"];

/// Only `gangplank` reads configuration and the environment.
const CONFIGURATION: &[&str] = &["clap", "config", "toml"];
const ENVIRONMENT: &str = concat!("std::", "env");
const CONFIGURED: &[&str] = &["gangplank"];

const FILE_LINES_MAX: usize = 600;

/// Every breach is told, not only the first.
pub(crate) fn check() -> Result<(), String> {
    eprintln!("xtask: checking the rules of the house");
    let mut breaches = Vec::new();
    members(&mut breaches)?;
    for (name, below) in HOUSE {
        dependencies(name, below, &mut breaches)?;
    }
    for folder in ["conformance", "crates", "tests", "xtask"] {
        for file in files(&workspace().join(folder))? {
            source(&file, &mut breaches)?;
        }
    }
    if breaches.is_empty() {
        Ok(())
    } else {
        Err(format!("the house is not in order:\n  {}", breaches.join("\n  ")))
    }
}

/// The list above is complete, and every member takes the workspace's lints.
fn members(breaches: &mut Vec<String>) -> Result<(), String> {
    let crates = workspace().join("crates");
    let found: BTreeSet<String> = entries(&crates)?
        .iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    let known: BTreeSet<String> = HOUSE.iter().map(|(name, _)| (*name).to_owned()).collect();
    for name in found.symmetric_difference(&known) {
        breaches.push(format!("crates/{name} is not both there and in the list in xtask/src/house.rs"));
    }
    let others = ["conformance", "tests", "tests/bench", "xtask"].map(|name| workspace().join(name));
    for member in entries(&crates)?.into_iter().chain(others) {
        if !read(&member.join("Cargo.toml"))?.contains("[lints]\nworkspace = true\n") {
            breaches.push(format!("{} does not take the workspace's lints", shown(&member)));
        }
    }
    Ok(())
}

fn dependencies(name: &str, below: &[&str], breaches: &mut Vec<String>) -> Result<(), String> {
    for dependency in direct_dependencies(name)? {
        let dependency = dependency.as_str();
        let is_ours = HOUSE.iter().any(|(ours, _)| *ours == dependency);
        if is_ours && !below.contains(&dependency) {
            breaches.push(format!("{name} depends on {dependency}, which does not lie below it"));
        }
        if HTTP.contains(&dependency) && !KNOW_HTTP.contains(&name) {
            breaches.push(format!("{name} depends on {dependency}: nothing below frontend knows HTTP"));
        }
        if CONFIGURATION.contains(&dependency) && !CONFIGURED.contains(&name) {
            breaches.push(format!("{name} depends on {dependency}: only gangplank reads configuration"));
        }
    }
    Ok(())
}

/// Those of every kind, feature and platform.
fn direct_dependencies(name: &str) -> Result<Vec<String>, String> {
    let mut tree = cargo(&["tree", "--locked", "--all-features", "--target", "all", "--depth", "1"]);
    tree.args(["--prefix", "none", "--format", "{p}", "--edges", "normal,build,dev", "--package", name]);
    let output = tree.output().map_err(|error| format!("cannot run `{}`: {error}", words(&tree)))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut names = text.lines().filter_map(|line| line.split_whitespace().next());
    if !output.status.success() || names.next() != Some(name) {
        return Err(format!("`{}` failed: {}", words(&tree), String::from_utf8_lossy(&output.stderr)));
    }
    // A crate's tests may use the crate itself, with other features.
    Ok(names.filter(|found| *found != name).map(str::to_owned).collect())
}

fn source(file: &Path, breaches: &mut Vec<String>) -> Result<(), String> {
    let text = read(file)?;
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        breaches.push(format!("{} has {lines} lines, more than {FILE_LINES_MAX}: split it", shown(file)));
    }
    let crate_name = file.strip_prefix(workspace().join("crates")).ok().and_then(|path| path.iter().next());
    let may_read_environment =
        crate_name.is_none_or(|name| CONFIGURED.iter().any(|configured| name == *configured));
    if !may_read_environment && text.contains(ENVIRONMENT) {
        breaches.push(format!("{} reads the environment: only gangplank does", shown(file)));
    }
    Ok(())
}

/// The Rust files in `folder` and below.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let fail = |error| format!("cannot read {}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        paths.push(entry.map_err(fail)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn read(file: &Path) -> Result<String, String> {
    fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
}

fn shown(path: &Path) -> String {
    path.strip_prefix(workspace()).unwrap_or(path).display().to_string()
}
