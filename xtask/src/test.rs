//! `cargo xtask test`: every test, with the servers that they need, and then other people's programs.

use crate::command::{Interrupt, cargo, watched};
use crate::engine::Engine;
use crate::{conformance, go, needs, python, run};

pub(crate) fn test(arguments: &[String], interrupt: &Interrupt) -> Result<(), String> {
    if arguments.is_empty() {
        conformance::check_go()?;
    }
    needs::for_the_tests()?;
    conformance::install_clients(|_, _| true, interrupt);
    // With the binary, which the whole-system tests start; and with the tests' features, so that nothing is built twice.
    run::build(&["build", "--release", "--locked", "--workspace", "--bins", "--tests"], interrupt)?;
    let engine = Engine::start(interrupt)?;
    let mut tests = cargo(&["test", "--release", "--locked", "--workspace", "--no-fail-fast"]);
    tests.args(arguments).envs(engine.variables());
    tests.env(conformance::GO_TOOLS, go::folder()).env(conformance::PYTHON_PACKAGES, python::folder());
    watched(&mut tests, interrupt, |_| {})?;
    // Whoever asks for certain tests wants no others.
    if arguments.is_empty() { conformance::all(&engine, interrupt) } else { Ok(()) }
    // The engine stops here, whatever the tests said.
}
