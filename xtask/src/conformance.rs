//! `cargo xtask conformance` and `cargo xtask clients`: other people's programs against a server of ours.

use std::path::PathBuf;
use std::process::Command;

use crate::command::{Interrupt, target, watched};
use crate::engine::Engine;
use crate::{go, needs, python, run};

/// Where the programs find what [`go`] keeps.
pub(crate) const GO_TOOLS: &str = "TESTS_GO_TOOLS";
/// Where they find what [`python`] keeps.
const PYTHON_PACKAGES: &str = "TESTS_PYTHON_PACKAGES";

/// The official suite.
pub(crate) fn suite(interrupt: &Interrupt) -> Result<(), String> {
    needs::for_the_build()?;
    build(interrupt)?;
    run_suite(interrupt)
}

/// Every client, or those that `arguments` name; one that this machine cannot have is listed as absent.
pub(crate) fn clients(arguments: &[String], interrupt: &Interrupt) -> Result<(), String> {
    needs::for_the_tests()?;
    install_clients(interrupt);
    build(interrupt)?;
    let engine = Engine::start(interrupt)?;
    run_clients(&engine, arguments, interrupt)
}

/// Both, where the clients are installed and the programs are built.
pub(crate) fn all(engine: &Engine, interrupt: &Interrupt) -> Result<(), String> {
    run_suite(interrupt)?;
    run_clients(engine, &["--all".to_owned()], interrupt)
}

fn run_suite(interrupt: &Interrupt) -> Result<(), String> {
    if std::env::var_os("OCI_CONFORMANCE").is_none() {
        go::install(go::SUITE, interrupt)?;
    }
    let mut suite = program("conformance-suite");
    suite.arg("--reports").arg(target().join("conformance")).env(GO_TOOLS, go::folder());
    watched(&mut suite, interrupt, |_| {})
}

/// What cannot be installed is said here, and is absent from the table; the tests that need it fail.
pub(crate) fn install_clients(interrupt: &Interrupt) {
    let tools = go::install(go::CLIENTS, interrupt);
    let packages = python::install(python::CLIENTS, interrupt);
    for sentence in [tools, packages].into_iter().filter_map(Result::err) {
        eprintln!("xtask: {sentence}");
    }
}

fn run_clients(engine: &Engine, arguments: &[String], interrupt: &Interrupt) -> Result<(), String> {
    let mut clients = program("conformance-clients");
    clients.args(arguments).env(GO_TOOLS, go::folder()).env(PYTHON_PACKAGES, python::folder());
    clients.envs(engine.variables());
    watched(&mut clients, interrupt, |_| {})
}

/// The server, and the programs that run others against it.
fn build(interrupt: &Interrupt) -> Result<(), String> {
    let packages = ["--package", "gangplank", "--package", "conformance"];
    run::build(&[&["build", "--release", "--locked", "--bins"][..], &packages].concat(), interrupt)
}

fn program(name: &str) -> Command {
    let path: PathBuf = target().join("release").join(name);
    Command::new(path)
}
