//! nginx with files and `sendfile`: no registry, but the limit of what a server on this machine can send.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use crate::process::{Process, free_address};

use super::System;

pub(super) fn command(binary: &Path, folder: &Path) -> Result<(SocketAddr, Command), String> {
    let address = free_address()?;
    let file = folder.join("nginx.conf");
    fs::write(&file, configuration(address, folder))
        .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    let mut command = Process::command(binary);
    command.arg("-c").arg(&file).arg("-p").arg(folder).args(["-e", "stderr"]);
    Ok((address, command))
}

/// As Debian's own has it (a worker for each processor, `sendfile`, `tcp_nopush`), but that connections are kept for as
/// long as a work takes and nothing is logged.
fn configuration(address: SocketAddr, folder: &Path) -> String {
    let files = System::files(folder);
    let (folder, files) = (folder.display(), files.display());
    format!(
        "daemon off;
        user root;
        pid {folder}/nginx.pid;
        error_log stderr;
        worker_processes auto;
        events {{ worker_connections 4096; }}
        http {{
            sendfile on;
            tcp_nopush on;
            keepalive_requests 1000000000;
            keepalive_timeout 1h;
            access_log off;
            default_type application/octet-stream;
            client_body_temp_path {folder}/client-body;
            proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi;
            scgi_temp_path {folder}/scgi;
            server {{
                listen {address};
                root \"{files}\";
            }}
        }}"
    )
}
