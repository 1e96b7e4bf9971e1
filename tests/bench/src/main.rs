//! `cargo xtask bench`: Gangplank, other registries and nginx on one machine, given the same work in turns by one client;
//! what each made of it, as a table, as JSON and as a picture. Or (`--loaded`) Gangplank alone, with little in it and with much.
//!
//! It builds and installs nothing: `cargo xtask bench` does, and hands the servers' binaries over. It judges no result by
//! itself: a person does, or a comparison with a stored one (`--against`).
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool that talks to a person")]

mod bench;
mod comparison;
mod connection;
mod crowd;
mod docker;
mod door;
mod gauge;
mod machine;
mod options;
mod picture;
mod process;
mod random;
mod result;
mod rounds;
mod run;
mod scale;
mod size;
mod statistics;
mod stock;
mod systems;
mod table;
mod works;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser as _;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};

use crate::options::Options;
use crate::result::{About, Report};
use crate::scale::Scale;
use crate::works::Work;

/// The picture beside a stored result.
const PICTURE: &str = "svg";

fn main() -> ExitCode {
    let options = Options::parse();
    // One thread: what the client does must not be spread over the processors that the servers work on.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime.map_err(|error| format!("no runtime: {error}")).and_then(|runtime| {
        // Whoever is told to stop drops what it has started, which ends it.
        runtime.block_on(async {
            tokio::select! {
                result = bench(&options) => result,
                why = interrupted() => Err(why),
            }
        })
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("bench: {sentence}");
            ExitCode::FAILURE
        }
    }
}

async fn bench(options: &Options) -> Result<(), String> {
    if options.list {
        list(options);
        return Ok(());
    }
    // Before anything is run: a file that cannot be read would show after an hour.
    let before = options.against.clone().map(|file| file.unwrap_or_else(|| options.stored()));
    let before = before.map(|file| read(&from_the_top(&file))).transpose()?;
    let last = options.last();
    let report = if options.no_run { read(&last)? } else { measured(options, &last).await? };
    println!("{}", table::table(&report));
    if options.store {
        is_worth_keeping(&report)?;
        let stored = from_the_top(&options.stored());
        write(&stored, &json(&report)?)?;
        write(&stored.with_extension(PICTURE), &picture::picture(&report))?;
        say(&format!("stored as {}, with its picture", stored.display()));
    }
    let worse = before.is_some_and(|before| tell(&before, &report));
    match failures(&report) {
        failures if !failures.is_empty() => Err(format!("without a figure:\n  {}", failures.join("\n  "))),
        _ if worse => Err("ratios are worse than in the stored result".to_owned()),
        _ => Ok(()),
    }
}

/// Says which works there are.
fn list(options: &Options) {
    let scale = Scale::of(options);
    if options.loaded.is_some() {
        for work in size::Work::all() {
            println!("{:<22} {}", work.id(), work.title(&scale));
        }
    } else {
        for work in Work::ALL {
            println!("{:<14} {}", work.id(), work.title(&scale));
        }
    }
}

/// Runs the works, and leaves the result with its picture for a later look.
async fn measured(options: &Options, last: &Path) -> Result<Report, String> {
    raise_open_files()?;
    let report = match &options.loaded {
        Some(loaded) => size::run(options, loaded, now(), say).await?,
        None => run::run(options, now(), say).await?,
    };
    write(last, &json(&report)?)?;
    write(&last.with_extension(PICTURE), &picture::picture(&report))?;
    Ok(report)
}

/// Says what a comparison finds, and whether something is worse.
fn tell(before: &Report, now: &Report) -> bool {
    let comparison = comparison::compare(before, now);
    println!("\nCompared with the result of {}: {} ratios.", before.made_at, comparison.compared);
    if before.machine != now.machine {
        println!("It was made on another machine: {}", before.machine.line());
    }
    for line in &comparison.lacking {
        println!("  not compared: {line}");
    }
    for line in &comparison.worse {
        println!("  WORSE: {line}");
    }
    !comparison.worse.is_empty()
}

/// An error for what later runs should not be compared with.
fn is_worth_keeping(report: &Report) -> Result<(), String> {
    match report {
        report if report.quick => Err("a smoke run is not stored".to_owned()),
        report if report.rows.len() < works(report.about) => {
            Err("a result that lacks works is not stored: leave --only out".to_owned())
        }
        _ => Ok(()),
    }
}

/// How many works there are.
fn works(about: About) -> usize {
    match about {
        About::Peers => Work::ALL.len(),
        About::Size => size::Work::all().count(),
    }
}

fn failures(report: &Report) -> Vec<String> {
    let mut failures = Vec::new();
    for row in &report.rows {
        for entry in &row.entries {
            let why = entry.failure.iter();
            failures.extend(why.map(|why| format!("{}, {}: {why}", row.work, entry.system)));
        }
    }
    failures
}

fn say(what: &str) {
    eprintln!("bench: {what}");
}

/// Ends when we are told to stop.
async fn interrupted() -> String {
    let signals =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()));
    let (Ok(mut one), Ok(mut two), Ok(mut three)) = signals else {
        return "cannot listen for signals".to_owned();
    };
    tokio::select! { _ = one.recv() => {}, _ = two.recv() => {}, _ = three.recv() => {} }
    "stopped, as asked".to_owned()
}

/// A thousand slow clients have a connection each.
fn raise_open_files() -> Result<(), String> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)
        .map_err(|error| format!("cannot raise the limit of open files: {error}"))
}

#[expect(clippy::disallowed_methods, reason = "the edge: the time of a result is read once, here")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// A path that is told from the top of the workspace, unless it is absolute or there already.
fn from_the_top(file: &Path) -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."));
    if file.exists() { file.to_owned() } else { top.join(file) }
}

fn read(file: &Path) -> Result<Report, String> {
    let text = fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    serde_json::from_slice(&text).map_err(|error| format!("{} is no result: {error}", file.display()))
}

fn json(report: &Report) -> Result<String, String> {
    let text = serde_json::to_string_pretty(report);
    text.map(|text| text + "\n").map_err(|error| format!("no JSON: {error}"))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    let written = file.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(file, text));
    written.map_err(|error| format!("cannot write {}: {error}", file.display()))
}
