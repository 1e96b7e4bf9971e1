//! `cargo xtask conformance` and `cargo xtask clients`: other people's programs against a server of ours.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::command::{Interrupt, target, watched, words};
use crate::engine::Engine;
use crate::{go, needs, python, run};

/// Where the programs find what [`go`] keeps.
pub(crate) const GO_TOOLS: &str = "TESTS_GO_TOOLS";
/// Where they find what [`python`] keeps.
pub(crate) const PYTHON_PACKAGES: &str = "TESTS_PYTHON_PACKAGES";

/// The official suite.
pub(crate) fn suite(interrupt: &Interrupt) -> Result<(), String> {
    needs::for_the_build()?;
    build(interrupt)?;
    run_suite(interrupt)
}

/// Every client, or those that `arguments` name; one that this machine cannot have is listed as absent.
pub(crate) fn clients(arguments: &[String], interrupt: &Interrupt) -> Result<(), String> {
    needs::for_the_build()?;
    build(interrupt)?;
    let needs = Needs::of(arguments)?;
    say(needs::for_the_clients(|package| needs.hold("package", package)));
    install_clients(|kind, name| needs.hold(kind, name), interrupt);
    let engine = match needs.hold("engine", "docker") {
        true => say(Engine::start(interrupt)),
        false => None,
    };
    interrupt.check()?;
    run_clients(engine.as_ref(), arguments, interrupt)
}

/// What the clients need that are tried, as their program tells it: `go crane`, `package podman`, …
struct Needs(Vec<String>);

impl Needs {
    /// Asks the program, which knows its clients: it refuses a name that none has.
    fn of(arguments: &[String]) -> Result<Needs, String> {
        let mut clients = program("conformance-clients");
        clients.arg("--needs").args(arguments).stderr(Stdio::inherit());
        let output =
            clients.output().map_err(|error| format!("cannot run `{}`: {error}", words(&clients)))?;
        if !output.status.success() {
            return Err(format!("`{}` failed ({})", words(&clients), output.status));
        }
        Ok(Needs(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()))
    }

    fn hold(&self, kind: &str, name: &str) -> bool {
        self.0.contains(&format!("{kind} {name}"))
    }
}

/// What a test of everything builds with Go. Else that it is lacking would show after half an hour.
pub(crate) fn check_go() -> Result<(), String> {
    go::check(&[if suite_is_given() { &[] } else { go::SUITE }, go::CLIENTS].concat())
}

/// Both, where the clients are installed and the programs are built.
pub(crate) fn all(engine: &Engine, interrupt: &Interrupt) -> Result<(), String> {
    run_suite(interrupt)?;
    run_clients(Some(engine), &["--all".to_owned()], interrupt)
}

fn run_suite(interrupt: &Interrupt) -> Result<(), String> {
    if !suite_is_given() {
        go::install(go::SUITE, interrupt)?;
    }
    let mut suite = program("conformance-suite");
    suite.arg("--reports").arg(target().join("conformance")).env(GO_TOOLS, go::folder());
    watched(&mut suite, interrupt, |_| {})
}

/// Whether somebody has built it.
fn suite_is_given() -> bool {
    std::env::var_os("OCI_CONFORMANCE").is_some()
}

/// Those clients that are wanted. What cannot be installed is said here, and is absent from the table; the tests that
/// need it fail.
pub(crate) fn install_clients(wanted: impl Fn(&str, &str) -> bool, interrupt: &Interrupt) {
    let tools: Vec<_> = go::CLIENTS.iter().copied().filter(|tool| wanted("go", tool.name)).collect();
    let packages = python::CLIENTS.iter().copied().filter(|package| wanted("python", package.name));
    say(go::install(&tools, interrupt));
    say(python::install(&packages.collect::<Vec<_>>(), interrupt));
}

/// A failure that is no end: it is said.
fn say<T>(result: Result<T, String>) -> Option<T> {
    result.inspect_err(|sentence| eprintln!("xtask: {sentence}")).ok()
}

fn run_clients(engine: Option<&Engine>, arguments: &[String], interrupt: &Interrupt) -> Result<(), String> {
    let mut clients = program("conformance-clients");
    clients.args(arguments).env(GO_TOOLS, go::folder()).env(PYTHON_PACKAGES, python::folder());
    clients.envs(engine.into_iter().flat_map(Engine::variables));
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
