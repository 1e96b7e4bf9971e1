//! The official conformance suite against servers of ours: as each version of the specification, with every option on.
//!
//! It starts a server on fresh data for each run, reads what the suite reports, and fails when anything but "passed" is
//! in it, or when the number of cases is another than `expected.md` says. It asks nothing of the server itself.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a tool that talks to a person")]

mod content;
mod program;
mod report;
mod run;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use program::Program;
use report::{Outcome, Report};
use run::Run;

/// The cases of each run and group, as [`table::text`] writes them.
const EXPECTED: &str = include_str!("expected.md");

/// Runs the official conformance suite.
#[derive(Parser)]
struct Arguments {
    /// The folder that keeps the reports, a folder for each run.
    #[arg(long, default_value = "target/conformance")]
    reports: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { reports: folder } = Arguments::parse();
    let found = match Program::find() {
        Ok(program) => all_runs(&program, &folder).await.map(|reports| (program, reports)),
        Err(sentence) => Err(sentence),
    };
    match found {
        Ok((program, reports)) => conclude(&program, &reports, &folder.join("suite.md")),
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}

async fn all_runs(program: &Program, folder: &Path) -> Result<Vec<(Run, Report)>, String> {
    let mut reports = Vec::new();
    for run in Run::all() {
        eprintln!("{run} …");
        let report = run.report(program, &folder.join(run.slug())).await;
        reports.push((run, report.map_err(|sentence| format!("{run}: {sentence}"))?));
    }
    Ok(reports)
}

/// Prints the table, and what is wrong with it.
fn conclude(program: &Program, reports: &[(Run, Report)], kept: &Path) -> ExitCode {
    let found = table::text(reports);
    println!("The suite {program}:\n\n{found}");
    let mut faults: Vec<String> = Vec::new();
    for (run, report) in reports {
        faults.extend(report.faults(&run.switched_off()).into_iter().map(|fault| format!("{run}: {fault}")));
    }
    if let Err(error) = std::fs::write(kept, &found) {
        faults.push(format!("cannot write {}: {error}", kept.display()));
    }
    let differences = table::differences(EXPECTED, &found);
    if !differences.is_empty() {
        let meant = format!("if it is meant so, {} is the new conformance/suite/expected.md", kept.display());
        faults.push(format!("not the expected result; {meant}:\n{differences}"));
    }
    faults.iter().for_each(|fault| eprintln!("{fault}"));
    let count = |outcome| -> usize { reports.iter().map(|(_, report)| report.count(None, outcome)).sum() };
    let [passed, failed, skipped] = [Outcome::Passed, Outcome::Failed, Outcome::Skipped].map(count);
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if faults.is_empty() && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_readme_shows_the_expected_result() {
        assert!(include_str!("../README.md").contains(super::EXPECTED));
    }
}
