//! `cargo xtask bench`: what the comparison needs, and then the comparison itself, which is a program of its own. With
//! `--load`: two folders, one with little in it and one with much, and the same program on both.

use std::path::PathBuf;
use std::process::Command;

use crate::command::{Interrupt, cargo, target, watched};
use crate::engine::Engine;
use crate::load::Filling;
use crate::{debian, go, load, needs, run};

/// With these nothing is measured.
const TALK: [&str; 5] = ["--list", "--no-run", "--help", "-h", "--version"];
/// The works that a docker engine is started for.
const DOCKER: [&str; 2] = ["docker-push", "docker-pull"];

/// Asks for works on folders that were filled, instead of a comparison with others.
const LOAD: &str = "--load";
/// How many hundred repositories there are to be where there is much.
const HUNDREDS: &str = "--hundreds";

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
    let [little, much] = Filling::little_and_much(hundreds)?;
    let measures = !rest.iter().any(|argument| TALK.contains(&argument.as_str()));
    let mut bench = Command::new(target().join("release/bench"));
    if measures {
        let mut packages = vec!["--package", "load"];
        if !is_given(&rest, "--gangplank") {
            packages.extend(["--package", "gangplank"]);
            bench.arg("--gangplank").arg(target().join("release/gangplank"));
        }
        run::build(&[&["build", "--release", "--locked"], &packages[..]].concat(), interrupt)?;
        little.fill(interrupt)?;
        much.fill(interrupt)?;
    }
    watched(&mut cargo(&["build", "--release", "--locked", "--package", "bench"]), interrupt, |_| {})?;
    if !is_given(&rest, "--folder") {
        bench.arg("--folder").arg(target().join("bench"));
    }
    let loaded = format!("{},{}", little.data().display(), much.data().display());
    bench.arg("--loaded").arg(loaded).args(&rest);
    watched(&mut bench, interrupt, |_| {})
}

/// How many hundreds are wanted, and the arguments that are the bench's own.
fn without_load(arguments: &[String]) -> Result<(u64, Vec<String>), String> {
    let (mut hundreds, mut rest) = (load::HUNDREDS, Vec::new());
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
    use super::{is_given, wants_docker, without_load};

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
    fn an_engine_is_started_for_its_works_alone() {
        assert!(wants_docker(&arguments("--quick")));
        assert!(wants_docker(&arguments("--only get --only docker")));
        assert!(wants_docker(&arguments("--only=docker-pull")));
        assert!(!wants_docker(&arguments("--only get --quick")));
    }
}
