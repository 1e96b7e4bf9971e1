//! The reference implementation, version 2 as Debian ships it (`docker-registry`) or version 3, with the settings that
//! come with it: its cache in memory, its own pace of syncing. Nobody signs in, nothing is logged or traced.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::process::{Process, free_address};

pub(super) fn command(binary: &Path, folder: &Path, data: &Path) -> Result<(SocketAddr, Command), String> {
    let address = free_address()?;
    let file = folder.join("distribution.yml");
    fs::write(&file, configuration(address, data))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    let mut command = Process::command(binary);
    command.arg("serve").arg(&file).env("OTEL_TRACES_EXPORTER", "none");
    Ok((address, command))
}

fn configuration(address: SocketAddr, data: &Path) -> String {
    // JSON is YAML, and JSON's strings hold any path.
    let configuration = serde_json::json!({
        "version": "0.1",
        "log": { "level": "error", "accesslog": { "disabled": true } },
        "storage": {
            "cache": { "blobdescriptor": "inmemory" },
            "filesystem": { "rootdirectory": data },
            "delete": { "enabled": true },
        },
        "http": { "addr": address.to_string() },
    });
    // The version must be a number to the one and a word to nobody.
    configuration.to_string().replace("\"0.1\"", "0.1")
}
