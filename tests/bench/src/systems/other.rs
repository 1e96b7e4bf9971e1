//! A registry that is given on the command line.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::options::Other;
use crate::process::Process;

/// What becomes the folder that it is to keep everything in.
const DATA: &str = "{data}";

pub(super) fn command(other: &Other, data: &Path) -> (SocketAddr, Command) {
    let mut command = Process::command(Path::new("sh"));
    // In the shell's place where it is one command, so that it is the one that is asked to end.
    command.arg("-c").arg(format!("exec {}", other.command.replace(DATA, &data.display().to_string())));
    (other.address, command)
}
