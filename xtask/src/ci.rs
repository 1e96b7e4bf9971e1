//! `cargo xtask ci`: what must hold before anything is tested.

use crate::command::{Interrupt, cargo, watched};
use crate::{fuzz, house, needs, run};

pub(crate) fn ci(interrupt: &Interrupt) -> Result<(), String> {
    needs::for_the_checks()?;
    watched(&mut cargo(&["fmt", "--all", "--check"]), interrupt, |_| {})?;
    house::check()?;
    let clippy =
        ["clippy", "--release", "--locked", "--workspace", "--all-targets", "--", "--deny", "warnings"];
    run::build(&clippy, interrupt)?;
    let mut documentation = cargo(&["doc", "--release", "--locked", "--workspace", "--no-deps"]);
    watched(documentation.env("RUSTDOCFLAGS", "--deny warnings"), interrupt, |_| {})?;
    fuzz::check(interrupt)
}
