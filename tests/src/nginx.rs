//! nginx with TLS before a server, by the very configuration that users copy: `deploy/nginx.conf`.

use std::net::SocketAddr;
use std::path::Path;

use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::background::Background;
use crate::process::free_address;
use crate::{NAME, Registry, TestCa, find_program};

const SITE: &str = include_str!("../../deploy/nginx.conf");

/// An nginx of its own. Dropping it stops it.
pub struct Nginx {
    whole: Registry,
    pull_only: Registry,
    _background: Background,
    folder: TempDir,
    _ca: TestCa,
}

impl Nginx {
    /// A new one before `server`, at 127.0.0.1 and at [`NAME`], with a certificate from an authority of its own.
    pub async fn before(server: &Registry) -> Nginx {
        Nginx::before_with(server, &[]).await
    }

    /// The same after some changes to the file: what stands there, and what shall stand there.
    pub async fn before_with(server: &Registry, changes: &[(&str, &str)]) -> Nginx {
        let ca = TestCa::new();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (whole, pull_only) = (free_address(), free_address());
        let files = ca.issue("nginx", &[NAME, "127.0.0.1"]);
        let path = |path: &Path| path.to_str().expect("a path in UTF-8").to_owned();
        let mut site = SITE.to_owned();
        for (from, to) in [
            ("server 127.0.0.1:5000;", format!("server {};", server.host())),
            ("listen 443 ", format!("listen {whole} ")),
            ("listen [::]:443 ", format!("listen [::1]:{} ", whole.port())),
            ("listen 8443 ", format!("listen {pull_only} ")),
            ("listen [::]:8443 ", format!("listen [::1]:{} ", pull_only.port())),
            ("registry.example;", format!("{NAME};")),
            ("/etc/ssl/private/registry.example.pem", path(&files.certificate)),
            ("/etc/ssl/private/registry.example.key", path(&files.key)),
        ] {
            replace(&mut site, from, &to);
        }
        for (from, to) in changes {
            replace(&mut site, from, to);
        }
        std::fs::write(folder.path().join("site.conf"), site).expect("a configuration");
        std::fs::write(folder.path().join("nginx.conf"), around(folder.path())).expect("a configuration");
        let nginx = find_program("nginx").unwrap_or_else(|why| panic!("{why}: run `cargo xtask test`"));
        let mut nginx = Background::command(&nginx);
        nginx.arg("-c").arg(folder.path().join("nginx.conf")).arg("-p").arg(folder.path());
        nginx.arg("-e").arg("stderr");
        let background = Background::start(nginx, &folder.path().join("log"), || answers(whole)).await;
        let background = background.unwrap_or_else(|why| panic!("{why}"));
        let (whole, pull_only) = (Registry::over_tls(whole, &ca), Registry::over_tls(pull_only, &ca));
        Nginx { whole, pull_only, _background: background, folder, _ca: ca }
    }

    /// The registry by this proxy's address.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.whole
    }

    /// The registry by the address for partners, who only pull.
    #[must_use]
    pub fn pull_only(&self) -> &Registry {
        &self.pull_only
    }

    /// What it has answered so far, one request a line: `PATCH 202 52428800`, the last being the request's length.
    #[must_use]
    pub fn answered(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.folder.path().join("answered")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

fn replace(site: &mut String, from: &str, to: &str) {
    assert!(site.contains(from), "deploy/nginx.conf no longer holds {from:?}");
    *site = site.replace(from, to);
}

/// What Debian's own `nginx.conf` is to the file: all that it reads and writes lies in `folder`.
fn around(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "daemon off;
        user root;
        pid {folder}/pid;
        error_log stderr;
        events {{}}
        http {{
            log_format brief '$request_method $status $request_length';
            access_log {folder}/answered brief;
            client_body_temp_path {folder}/client-body;
            proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi;
            scgi_temp_path {folder}/scgi;
            include {folder}/site.conf;
        }}"
    )
}

async fn answers(address: SocketAddr) -> bool {
    TcpStream::connect(address).await.is_ok()
}
