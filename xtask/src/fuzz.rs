//! `cargo xtask fuzz`: whatever a stranger may send, made up by libFuzzer, against what must hold for all of it.
//!
//! `tests/fuzz` is a workspace of its own, compiled by cargo-fuzz on the stable toolchain: without a sanitizer, since
//! nothing of ours is unsafe, and without RocksDB. Its kept inputs are under `tests/fuzz/corpus`; what a run finds besides
//! lies under `target/fuzz`, and the next run begins with it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Interrupt, cache, cargo, output, target, watched, words, workspace};
use crate::kept::Kept;
use crate::needs;

const CARGO_FUZZ: &str = "0.13.2";
const FOLDER: &str = "tests/fuzz";
/// With what is passed to the compiler when the targets are only looked at.
const FUZZING: &str = "--cfg fuzzing";

const SECONDS: u32 = 60;
const INPUT_BYTES_MAX: u32 = 8 << 10;
const INPUT_SECONDS_MAX: u32 = 10;
const MEMORY_MIB_MAX: u32 = 2048;

/// How many inputs of a target are kept in the tree.
const KEPT_MAX: usize = 100;

const USAGE: &str = "cargo xtask fuzz [TARGET] [--seconds N] [--keep]";

/// Which target, for how long, and whether what it finds is kept.
#[derive(Debug, PartialEq, Eq)]
struct Wish {
    target: Option<String>,
    seconds: u32,
    keep: bool,
}

/// Runs the targets, one after the other.
pub(crate) fn fuzz(arguments: &[String], interrupt: &Interrupt) -> Result<(), String> {
    let wish = Wish::parse(arguments)?;
    let mut targets = targets()?;
    if let Some(wanted) = &wish.target {
        targets.retain(|target| target == wanted);
        if targets.is_empty() {
            return Err(format!("there is no fuzz target {wanted:?} in {FOLDER}"));
        }
    }
    needs::for_the_build()?;
    build(interrupt)?;
    targets.iter().try_for_each(|name| Target::new(name)?.run(&wish, interrupt))
}

/// Compiles the targets and has clippy look at them.
pub(crate) fn check(interrupt: &Interrupt) -> Result<(), String> {
    let manifest = format!("{FOLDER}/Cargo.toml");
    watched(&mut cargo(&["fmt", "--manifest-path", &manifest, "--check"]), interrupt, |_| {})?;
    let mut clippy = cargo(&["clippy", "--release", "--locked", "--manifest-path", &manifest]);
    // For a named target, as cargo-fuzz compiles: what runs while compiling is then built once for both.
    clippy.args(["--target", &triple()?]).arg("--target-dir").arg(built()).env("RUSTFLAGS", FUZZING);
    clippy.args(["--", "--deny", "warnings"]);
    watched(&mut clippy, interrupt, |_| {})?;
    build(interrupt)
}

fn build(interrupt: &Interrupt) -> Result<(), String> {
    let program = cargo_fuzz(interrupt)?;
    let mut build = Command::new(program);
    // cargo-fuzz would compile for its own triple, which need not be the toolchain's.
    build.args(["build", "--fuzz-dir", FOLDER, "--sanitizer", "none", "--target", &triple()?]);
    build.arg("--target-dir").arg(built()).current_dir(workspace());
    watched(&mut build, interrupt, |passed| {
        eprintln!("xtask: building the targets for {} s", passed.as_secs())
    })
}

/// cargo-fuzz, installed once into the cache folder.
fn cargo_fuzz(interrupt: &Interrupt) -> Result<PathBuf, String> {
    let kept = Kept { folder: cache(), name: "cargo-fuzz", version: CARGO_FUZZ };
    if !kept.is_there() {
        kept.fill(|part| {
            let mut install = cargo(&["install", "--locked", "--version", CARGO_FUZZ, "--root"]);
            // Not into the tree's target folder, whatever the environment says.
            install.arg(part).arg("cargo-fuzz").env_remove("CARGO_TARGET_DIR");
            watched(&mut install, interrupt, |_| {})
        })?;
    }
    Ok(kept.path().join("bin/cargo-fuzz"))
}

fn built() -> PathBuf {
    target().join("fuzz")
}

/// The triple that rustc compiles for by itself.
fn triple() -> Result<String, String> {
    let version = output("rustc", &["--version", "--verbose"]).unwrap_or_default();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not tell its host".to_owned())
}

/// The names of the targets, in order.
fn targets() -> Result<Vec<String>, String> {
    let folder = workspace().join(FOLDER).join("fuzz_targets");
    let mut names: Vec<_> =
        files(&folder)?.iter().filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let fail = |error| format!("cannot read {}: {error}", folder.display());
    fs::read_dir(folder).map_err(fail)?.map(|entry| Ok(entry.map_err(fail)?.path())).collect()
}

fn copy(file: &Path, folder: &Path) -> Result<(), String> {
    let fail = |error| format!("cannot copy {} to {}: {error}", file.display(), folder.display());
    fs::copy(file, folder.join(file.file_name().unwrap_or_default())).map(|_| ()).map_err(fail)
}

impl Wish {
    fn parse(arguments: &[String]) -> Result<Wish, String> {
        let mut wish = Wish { target: None, seconds: SECONDS, keep: false };
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--keep" => wish.keep = true,
                "--seconds" => {
                    let seconds =
                        arguments.next().and_then(|text| text.parse().ok()).filter(|seconds| *seconds > 0);
                    wish.seconds = seconds.ok_or("--seconds wants a number of them")?;
                }
                name if wish.target.is_none() && !name.starts_with('-') => {
                    wish.target = Some(name.to_owned())
                }
                other => return Err(format!("what is {other:?}?\n\n{USAGE}")),
            }
        }
        Ok(wish)
    }
}

/// A target, and where its inputs are.
struct Target<'a> {
    name: &'a str,
    program: PathBuf,
    /// In the tree.
    kept: PathBuf,
    /// What runs here have found.
    found: PathBuf,
    artifacts: PathBuf,
    log: PathBuf,
}

impl Target<'_> {
    fn new(name: &str) -> Result<Target<'_>, String> {
        let folder = built().join("runs").join(name);
        let target = Target {
            name,
            program: built().join(triple()?).join("release").join(name),
            kept: workspace().join(FOLDER).join("corpus").join(name),
            found: folder.join("found"),
            artifacts: folder.join("artifacts"),
            log: folder.join("log"),
        };
        for folder in [&target.kept, &target.found, &target.artifacts] {
            fs::create_dir_all(folder)
                .map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        }
        Ok(target)
    }

    fn run(&self, wish: &Wish, interrupt: &Interrupt) -> Result<(), String> {
        let before = files(&self.found)?.len();
        let mut fuzzing = self.command();
        fuzzing.arg(format!("-max_total_time={}", wish.seconds)).arg("-print_final_stats=1");
        fuzzing.arg(format!("-dict={}", workspace().join(FOLDER).join("dictionary").display()));
        fuzzing.arg(format!("-artifact_prefix={}/", self.artifacts.display()));
        fuzzing.args([&self.found, &self.kept]);
        let ended = self.logged(&mut fuzzing, interrupt);
        let log =
            fs::read(&self.log).map_err(|error| format!("cannot read {}: {error}", self.log.display()))?;
        let log = String::from_utf8_lossy(&log);
        if let Err(sentence) = ended {
            interrupt.check()?;
            return Err(broken(self.name, &log, &sentence, &self.log));
        }
        let new = files(&self.found)?.len().saturating_sub(before);
        eprintln!("xtask: {:<14} {}, {new} new inputs", self.name, Figures::read(&log));
        if wish.keep { self.keep(interrupt) } else { Ok(()) }
    }

    /// Takes those of the found inputs over into the tree that reach what no kept one does, the smallest first: what is
    /// kept is for people to read and for every test to replay, so that there are not too many.
    fn keep(&self, interrupt: &Interrupt) -> Result<(), String> {
        let kept = files(&self.kept)?;
        let merged = self.found.with_file_name("merged");
        // What another run left. That there is none is no error.
        let _ = fs::remove_dir_all(&merged);
        fs::create_dir_all(&merged).map_err(|error| format!("cannot make {}: {error}", merged.display()))?;
        kept.iter().try_for_each(|file| copy(file, &merged))?;
        let mut merge = self.command();
        // By the edges that are reached, not by how often: else nearly everything that was found is new.
        merge.args(["-set_cover_merge=1", "-use_counters=0"]).args([&merged, &self.found]);
        self.logged(&mut merge, interrupt)?;
        let mut new: Vec<_> = files(&merged)?
            .into_iter()
            .filter(|file| !kept.iter().any(|old| old.file_name() == file.file_name()))
            .collect();
        new.sort_by_key(|file| file.metadata().map_or(u64::MAX, |metadata| metadata.len()));
        new.truncate(KEPT_MAX.saturating_sub(kept.len()));
        new.iter().try_for_each(|file| copy(file, &self.kept))?;
        eprintln!(
            "xtask: {:<14} {} inputs kept, {} of them new",
            self.name,
            kept.len() + new.len(),
            new.len()
        );
        Ok(())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(format!("-max_len={INPUT_BYTES_MAX}"));
        command.arg(format!("-timeout={INPUT_SECONDS_MAX}"));
        command.arg(format!("-rss_limit_mb={MEMORY_MIB_MAX}"));
        command
    }

    /// Runs with its many words in the log.
    fn logged(&self, command: &mut Command, interrupt: &Interrupt) -> Result<(), String> {
        let log = File::create(&self.log)
            .map_err(|error| format!("cannot write {}: {error}", self.log.display()))?;
        let again = log.try_clone().map_err(|error| format!("cannot write {}: {error}", words(command)))?;
        watched(command.stdout(log).stderr(again), interrupt, |_| {})
    }
}

/// What is said of a target that something broke.
fn broken(name: &str, log: &str, sentence: &str, file: &Path) -> String {
    let artifact = log.lines().find_map(|line| line.split_once("Test unit written to "));
    let panic =
        log.lines().skip_while(|line| !line.contains("panicked at")).take(2).collect::<Vec<_>>().join("\n");
    match artifact {
        Some((_, artifact)) => {
            format!(
                "{name} is broken by {artifact}\n{panic}\nmend it, and keep the input under {FOLDER}/corpus/{name}"
            )
        }
        None => format!("{sentence}; see {}", file.display()),
    }
}

/// What libFuzzer says of a run.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    runs: u64,
    coverage: u64,
}

impl Figures {
    /// From its lines `#123 NEW cov: 45 …` and `stat::number_of_executed_units: 678`.
    fn read(log: &str) -> Figures {
        let number = |text: &str| text.split_whitespace().next().and_then(|number| number.parse().ok());
        let mut figures = Figures::default();
        for line in log.lines() {
            if let Some(runs) = line.strip_prefix("stat::number_of_executed_units:").and_then(number) {
                figures.runs = runs;
            } else if let Some(coverage) = line.split_once(" cov: ").and_then(|(_, rest)| number(rest)) {
                figures.coverage = coverage;
            }
        }
        figures
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>9} runs, coverage {:>5}", self.runs, self.coverage)
    }
}

#[cfg(test)]
mod tests {
    use super::{Figures, Wish, broken};

    fn wish(arguments: &[&str]) -> Option<Wish> {
        let arguments: Vec<_> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Wish::parse(&arguments).ok()
    }

    #[test]
    fn wishes() {
        let all = Wish { target: None, seconds: 60, keep: false };
        assert_eq!(wish(&[]), Some(all));
        let one = Wish { target: Some("route".to_owned()), seconds: 5, keep: true };
        assert_eq!(wish(&["--keep", "route", "--seconds", "5"]), Some(one));
        for bad in [&["a", "b"][..], &["--seconds"], &["--seconds", "x"], &["--seconds", "0"], &["--fast"]] {
            assert_eq!(wish(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn figures_are_the_last_ones() {
        let log =
            "#2\tINITED cov: 3 ft: 4\n#9\tNEW    cov: 51 ft: 6 corp: 7\nstat::number_of_executed_units: 9\n";
        assert_eq!(Figures::read(log), Figures { runs: 9, coverage: 51 });
    }

    #[test]
    fn a_broken_target_names_what_broke_it() {
        let log =
            "thread 'main' panicked at router.rs:1:2:\noops\n== ERROR\nTest unit written to /x/crash-1\n";
        let said = broken("route", log, "it failed", std::path::Path::new("/log"));
        assert!(said.contains("/x/crash-1") && said.contains("oops"), "{said}");
        assert!(broken("route", "", "it failed", std::path::Path::new("/log")).contains("/log"));
    }
}
