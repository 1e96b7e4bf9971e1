//! `cargo xtask test`: every test, with the servers that they need.

use crate::command::{Interrupt, cargo, watched};
use crate::engine::Engine;
use crate::{needs, run};

pub(crate) fn test(arguments: &[String], interrupt: &Interrupt) -> Result<(), String> {
    needs::for_the_tests()?;
    // With the binary, which the whole-system tests start; and with the tests' features, so that nothing is built twice.
    run::build(&["build", "--release", "--locked", "--workspace", "--bins", "--tests"], interrupt)?;
    let engine = Engine::start(interrupt)?;
    let mut tests = cargo(&["test", "--release", "--locked", "--workspace"]);
    tests.args(arguments).envs(engine.variables());
    watched(&mut tests, interrupt, |_| {})
    // The engine stops here, whatever the tests said.
}
