//! What a person types: `cargo xtask run`, `cargo xtask test`, `cargo xtask ci`, …
//!
//! It installs what is lacking, says what it does, and ends with 0 or 1. It is no build system: cargo builds.
#![expect(clippy::print_stderr, reason = "a tool that talks to a person")]

mod bench;
mod ci;
mod command;
mod conformance;
mod debian;
mod engine;
mod fuzz;
mod go;
mod house;
mod kept;
mod load;
mod needs;
mod python;
mod run;
mod test;

use std::process::ExitCode;

use crate::command::Interrupt;

const USAGE: &str = "\
cargo xtask run  [ARGUMENTS]   install what the build lacks, build in release, and serve on 127.0.0.1:5000 with the
                               data in ./data; ARGUMENTS go to `gangplank serve`
cargo xtask test [ARGUMENTS]   install what the tests lack, start a docker engine for them, run every test, the official
                               conformance suite and every client, stop it; ARGUMENTS go to `cargo test`, and nothing
                               else is run then
cargo xtask conformance        run the official conformance suite against a server of our own, as every version and with
                               every option; OCI_CONFORMANCE=PATH names a suite that is built already
cargo xtask clients  [NAMES]   try every client, or those named, and print what each can do; one that this machine
                               cannot have is listed as absent
cargo xtask fuzz     [TARGET]  feed each fuzz target for a minute, or for --seconds N; --keep takes what is found over
                               into tests/fuzz/corpus
cargo xtask bench [ARGUMENTS]  give the server, other registries and nginx the same work, and print what each made of it;
                               --help lists the ARGUMENTS; --load instead measures the server with 1,000 repositories and
                               with 1,000,000 (or --hundreds N), which it loads once
cargo xtask ci                 formatting, clippy, documentation, and the rules of the house";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next();
    // `cargo xtask run -- --flag` and `cargo xtask run --flag` mean the same.
    let rest: Vec<String> = arguments.skip_while(|argument| argument == "--").collect();
    let result = Interrupt::watch().and_then(|interrupt| match command.as_deref() {
        Some("run") => run::run(&rest, &interrupt),
        Some("test") => test::test(&rest, &interrupt),
        Some("conformance") if rest.is_empty() => conformance::suite(&interrupt),
        Some("clients") => conformance::clients(&rest, &interrupt),
        Some("fuzz") => fuzz::fuzz(&rest, &interrupt),
        Some("bench") => bench::bench(&rest, &interrupt),
        Some("ci") if rest.is_empty() => ci::ci(&interrupt),
        Some("help" | "--help" | "-h") => {
            eprintln!("{USAGE}");
            Ok(())
        }
        _ => Err(format!("what shall be done?\n\n{USAGE}")),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("xtask: {sentence}");
            ExitCode::FAILURE
        }
    }
}
