//! Debian's packages whose programs are wanted, and nothing else of them: installed, `docker-registry` would start a
//! service on port 5000. Unpacked into a cache folder, it does not.

use std::path::PathBuf;
use std::process::Command;

use crate::command::{Interrupt, cache, find, watched};
use crate::kept::Kept;

/// The distribution's own `docker-registry`: installed already, or unpacked.
pub(crate) fn docker_registry(interrupt: &Interrupt) -> Result<PathBuf, String> {
    if let Some(installed) = find("docker-registry") {
        return Ok(installed);
    }
    let kept = Kept { folder: cache().join("debian"), name: "docker-registry", version: "packaged" };
    let binary = kept.path().join("usr/bin/docker-registry");
    if kept.is_there() {
        return Ok(binary);
    }
    if find("apt-get").is_none() {
        return Err("docker-registry is not installed, and there is no apt-get to fetch it with".to_owned());
    }
    kept.fill(|part| {
        let mut download = Command::new("apt-get");
        watched(download.args(["download", kept.name]).current_dir(part), interrupt, |_| {})?;
        let mut unpack = Command::new("sh");
        unpack.args(["-c", "dpkg-deb --extract docker-registry_*.deb . && rm docker-registry_*.deb"]);
        watched(unpack.current_dir(part), interrupt, |_| {})
    })?;
    Ok(binary)
}
