//! `cargo xtask bench`: what the comparison needs, and then the comparison itself, which is a program of its own. With
//! `--load`: two folders, one with little in it and one with much, and the same program on both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Interrupt, cargo, target, watched};
use crate::engine::Engine;
use crate::{debian, go, needs, run};

/// With these nothing is measured.
const TALK: [&str; 5] = ["--list", "--no-run", "--help", "-h", "--version"];
/// The works that a docker engine is started for.
const DOCKER: [&str; 2] = ["docker-push", "docker-pull"];

/// Asks for works on folders that were filled, instead of a comparison with others.
const LOAD: &str = "--load";
/// How many hundred repositories there are to be where there are many, and with how many tags in one more.
const HUNDREDS: &str = "--hundreds";
const HUNDREDS_MUCH: u64 = 10_000;
const MANY_TAGS_PER_HUNDRED: u64 = 100;
const TAGS: u64 = 9;
/// How much less there is where there is little.
const LITTLE: u64 = 1000;
/// The hundreds that little must at least have: each of a hundred owners has some.
const HUNDREDS_LITTLE_MIN: u64 = 10;
/// Written last beside a folder: it says what the folder was filled with.
const MARKER: &str = "filled";

pub(crate) fn bench(arguments: &[String], interrupt: &Interrupt) -> Result<(), String> {
    if arguments.iter().any(|argument| argument == LOAD) {
        return bench_of_size(arguments, interrupt);
    }
    if is_given(arguments, HUNDREDS) {
        return Err(format!("{HUNDREDS} belongs to {LOAD}"));
    }
    needs::for_the_build()?;
    let measures = !arguments.iter().any(|argument| TALK.contains(&argument.as_str()));
    if measures {
        needs::for_the_bench()?;
        if !is_given(arguments, "--gangplank") {
            run::build(&["build", "--release", "--locked", "--package", "gangplank"], interrupt)?;
        }
    }
    // It knows no RocksDB, so nothing is said of how that gets on.
    watched(&mut cargo(&["build", "--release", "--locked", "--package", "bench"]), interrupt, |_| {})?;
    let mut bench = Command::new(target().join("release/bench"));
    if !is_given(arguments, "--folder") {
        bench.arg("--folder").arg(target().join("bench"));
    }
    let mut engine = None;
    if measures {
        for (flag, binary) in binaries(arguments, interrupt) {
            bench.arg(flag).arg(binary);
        }
        if wants_docker(arguments) {
            engine = say(Engine::start(interrupt));
        }
    }
    interrupt.check()?;
    bench.args(arguments).envs(engine.iter().flat_map(Engine::variables));
    watched(&mut bench, interrupt, |_| {})
    // The engine stops here.
}

/// Fills two folders, unless they are there, and has the server do the same works on each.
fn bench_of_size(arguments: &[String], interrupt: &Interrupt) -> Result<(), String> {
    needs::for_the_build()?;
    let (hundreds, rest) = without_load(arguments)?;
    let fillings = [Filling::of((hundreds / LITTLE).max(HUNDREDS_LITTLE_MIN)), Filling::of(hundreds)];
    if fillings[0].hundreds >= fillings[1].hundreds {
        return Err(format!(
            "{HUNDREDS} must be above {HUNDREDS_LITTLE_MIN}: so many there are where there is little"
        ));
    }
    let folders = target().join("bench/load");
    let [little, much] = ["little", "much"].map(|name| folders.join(name));
    let measures = !rest.iter().any(|argument| TALK.contains(&argument.as_str()));
    let mut bench = Command::new(target().join("release/bench"));
    if measures {
        let mut packages = vec!["--package", "load"];
        if !is_given(&rest, "--gangplank") {
            packages.extend(["--package", "gangplank"]);
            bench.arg("--gangplank").arg(target().join("release/gangplank"));
        }
        run::build(&[&["build", "--release", "--locked"], &packages[..]].concat(), interrupt)?;
        for (filling, folder) in fillings.iter().zip([&little, &much]) {
            filling.fill(folder, interrupt)?;
        }
    }
    watched(&mut cargo(&["build", "--release", "--locked", "--package", "bench"]), interrupt, |_| {})?;
    if !is_given(&rest, "--folder") {
        bench.arg("--folder").arg(target().join("bench"));
    }
    let loaded = [little.join("data"), much.join("data")].map(|folder| folder.display().to_string());
    bench.arg("--loaded").arg(loaded.join(",")).args(&rest);
    watched(&mut bench, interrupt, |_| {})
}

/// How many hundreds are wanted, and the arguments that are the bench's own.
fn without_load(arguments: &[String]) -> Result<(u64, Vec<String>), String> {
    let (mut hundreds, mut rest) = (HUNDREDS_MUCH, Vec::new());
    let mut arguments = arguments.iter().filter(|argument| *argument != LOAD);
    while let Some(argument) = arguments.next() {
        let given = match argument.strip_prefix(HUNDREDS) {
            Some("") => Some(arguments.next().map_or("", String::as_str)),
            Some(value) => value.strip_prefix('='),
            None => None,
        };
        match given {
            Some(number) => {
                hundreds =
                    number.parse().map_err(|_| format!("{HUNDREDS} wants a number, not {number:?}"))?;
            }
            None => rest.push(argument.clone()),
        }
    }
    Ok((hundreds, rest))
}

/// What a data folder is filled with.
#[derive(Debug, PartialEq, Eq)]
struct Filling {
    hundreds: u64,
    many_tags: u64,
}

impl Filling {
    fn of(hundreds: u64) -> Filling {
        Filling { hundreds, many_tags: hundreds * MANY_TAGS_PER_HUNDRED }
    }

    fn arguments(&self) -> [String; 6] {
        let numbers = [("--hundreds", self.hundreds), ("--tags", TAGS), ("--many-tags", self.many_tags)];
        let [a, b, c] = numbers.map(|(flag, number)| [flag.to_owned(), number.to_string()]);
        let ([a, a_number], [b, b_number], [c, c_number]) = (a, b, c);
        [a, a_number, b, b_number, c, c_number]
    }

    /// Fills `data` in a folder, unless that was done with the same before. What was begun and broken off goes.
    fn fill(&self, folder: &Path, interrupt: &Interrupt) -> Result<(), String> {
        let (marker, words) = (folder.join(MARKER), self.arguments().join(" "));
        if fs::read_to_string(&marker).is_ok_and(|filled| filled == words) {
            return Ok(());
        }
        if folder.exists() {
            eprintln!("xtask: {} is not whole, or of another size: it is filled anew", folder.display());
            fs::remove_dir_all(folder)
                .map_err(|error| format!("cannot remove {}: {error}", folder.display()))?;
        }
        fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let mut load = Command::new(target().join("release/load"));
        load.arg(folder.join("data")).args(self.arguments());
        watched(&mut load, interrupt, |_| {})?;
        fs::write(&marker, words).map_err(|error| format!("cannot write {}: {error}", marker.display()))
    }
}

/// The servers' binaries that are not given: ours, as built, and those peers that can be had. That one cannot is said,
/// and it has no rows.
fn binaries(arguments: &[String], interrupt: &Interrupt) -> Vec<(&'static str, PathBuf)> {
    let mut binaries = Vec::new();
    let is_lacking = |flag: &str| !is_given(arguments, flag);
    if is_lacking("--gangplank") {
        binaries.push(("--gangplank", target().join("release/gangplank")));
    }
    if is_lacking("--distribution") && say(go::install(go::PEERS, interrupt)).is_some() {
        let [distribution] = go::PEERS;
        binaries.push(("--distribution", distribution.program("registry")));
    }
    if is_lacking("--docker-registry") {
        let found = say(debian::docker_registry(interrupt));
        binaries.extend(found.map(|binary| ("--docker-registry", binary)));
    }
    binaries
}

/// A failure that is no end: it is said.
fn say<T>(result: Result<T, String>) -> Option<T> {
    result.inspect_err(|sentence| eprintln!("xtask: {sentence}")).ok()
}

/// Whether `flag` is among the arguments: `--flag value`, or `--flag=value`.
fn is_given(arguments: &[String], flag: &str) -> bool {
    values(arguments, flag).next().is_some()
}

/// What is given with `flag`.
fn values<'a>(arguments: &'a [String], flag: &'a str) -> impl Iterator<Item = &'a str> {
    let next = arguments.iter().skip(1).map(String::as_str).chain([""]);
    arguments.iter().zip(next).filter_map(move |(argument, next)| match argument.strip_prefix(flag)? {
        "" => Some(next),
        rest => rest.strip_prefix('='),
    })
}

/// Whether no works are named, or some that the engine is for: by the beginning of their ids.
fn wants_docker(arguments: &[String]) -> bool {
    !is_given(arguments, "--only")
        || values(arguments, "--only").any(|named| DOCKER.iter().any(|work| work.starts_with(named)))
}

#[cfg(test)]
mod tests {
    use super::{Filling, is_given, wants_docker, without_load};

    fn arguments(words: &str) -> Vec<String> {
        words.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_flag_is_given_in_two_ways() {
        assert!(is_given(&arguments("--quick --gangplank path"), "--gangplank"));
        assert!(is_given(&arguments("--gangplank=path"), "--gangplank"));
        assert!(!is_given(&arguments("--gangplanks path"), "--gangplank"));
    }

    #[test]
    fn what_is_filled_is_told_apart_from_what_the_bench_is_asked() {
        let given = |words| without_load(&arguments(words)).unwrap();
        assert_eq!(given("--load --quick"), (10_000, arguments("--quick")));
        assert_eq!(given("--only tags --load --hundreds 100"), (100, arguments("--only tags")));
        assert_eq!(given("--hundreds=20 --load --store"), (20, arguments("--store")));
        assert!(without_load(&arguments("--load --hundreds")).is_err());
        assert!(without_load(&arguments("--load --hundreds many")).is_err());
    }

    #[test]
    fn little_has_a_thousandth_of_much() {
        let words = |hundreds| Filling::of(hundreds).arguments().join(" ");
        assert_eq!(words(10_000), "--hundreds 10000 --tags 9 --many-tags 1000000");
        assert_eq!(words(10), "--hundreds 10 --tags 9 --many-tags 1000");
    }

    #[test]
    fn an_engine_is_started_for_its_works_alone() {
        assert!(wants_docker(&arguments("--quick")));
        assert!(wants_docker(&arguments("--only get --only docker")));
        assert!(wants_docker(&arguments("--only=docker-pull")));
        assert!(!wants_docker(&arguments("--only get --quick")));
    }
}
