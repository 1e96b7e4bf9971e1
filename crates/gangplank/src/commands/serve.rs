//! `gangplank serve`

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use frontend::{Clock, ExternalUrl};
use gangplank::config::{self, Flag, Loaded, Log, LogFormat};
use gangplank::{Running, SystemClock};
use jiff::{SignedDuration, Timestamp};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;
use crate::output;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Settings come from flags, then environment variables GANGPLANK_<SECTION>__<KEY>, then the file, then the defaults;
`gangplank config show` lists them all. GANGPLANK_ADMIN_PASSWORD sets the administrator's first password; without it
the first start makes one and shows it once.

Examples:
  gangplank serve --listen 127.0.0.1:5000 --data ./data
  gangplank serve --config /etc/gangplank.toml --set storage.upload_ttl=12h
  GANGPLANK_SERVER__LISTEN=0.0.0.0:5000 gangplank serve
  gangplank serve --set server.tls.certificate=tls.crt --set server.tls.key=tls.key")]
pub(crate) struct Serve {
    #[command(flatten)]
    settings: Settings,
    /// Give the administrator a password again: from GANGPLANK_ADMIN_PASSWORD, or one that is made and shown once
    #[arg(long)]
    reset_admin_password: bool,
}

/// Where settings come from.
#[derive(Debug, clap::Args)]
pub(crate) struct Settings {
    /// Read settings from this TOML file [env: GANGPLANK_CONFIG]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Listen on this address and port (server.listen)
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Keep everything in this folder (storage.data)
    #[arg(long, value_name = "FOLDER")]
    data: Option<String>,
    /// Give any other setting by its name, as `gangplank config show` lists them; may be given several times
    #[arg(long, value_name = "SECTION.KEY=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write it as SECTION.KEY=VALUE".to_owned()),
    }
}

impl Settings {
    /// Reads them all.
    pub(crate) fn load(self) -> Result<Loaded, Failure> {
        let flag = |flag: &str, key: &str, value| Flag { flag: flag.to_owned(), key: key.to_owned(), value };
        let set = self.set.into_iter().map(|(key, value)| flag("--set", &key, value));
        let listen = self.listen.map(|value| flag("--listen", "server.listen", value));
        let data = self.data.map(|value| flag("--data", "storage.data", value));
        let flags: Vec<Flag> = set.chain(listen).chain(data).collect();
        Ok(config::load(self.config.as_deref(), std::env::vars_os(), &flags)?)
    }
}

impl Serve {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let mut config = self.settings.load()?.config;
        config.admin_password.reset = self.reset_admin_password;
        start_log(&config.log);
        // From here on a signal stops in order, also during the start.
        let mut stop = Stop::new()?;
        let (data, external) = (config.storage.data.clone(), config.server.external_url.clone());
        let mut running = tokio::select! {
            running = gangplank::start(config, Arc::new(SystemClock)) => running?,
            () = stop.asked() => return Ok(()),
        };
        let url = url(running.scheme(), running.address(), external.as_ref());
        output::say(&welcome(&running, &url, &data, output::is_for_a_person()))?;
        let ended = tokio::select! {
            error = running.failed() => Err(Failure::System { doing: "go on serving", source: error }),
            () = stop.asked() => Ok(()),
        };
        tokio::select! {
            () = running.stop() => ended,
            () = stop.asked() => Err(Failure::Hurried),
        }
    }
}

/// The signals that ask for a stop: Ctrl-C, and what a service manager sends.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn new() -> Result<Stop, Failure> {
        let listen =
            |kind| signal(kind).map_err(|source| Failure::System { doing: "listen for signals", source });
        Ok(Stop { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn start_log(log: &Log) {
    // Both were checked with the settings; a filter that is none would log at the level of errors.
    let filter = tracing_subscriber::EnvFilter::builder().parse_lossy(&log.filter);
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match log.format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).init(),
        LogFormat::Json => lines.json().init(),
    }
}

/// What a start says on standard output: the first password, once, and after that, or to a person, what to type next.
fn welcome(running: &Running, url: &str, data: &Path, for_a_person: bool) -> String {
    let mut text = String::new();
    if for_a_person {
        text +=
            &format!("Gangplank serves on {url}, with its data in {}. Ctrl-C stops it.\n\n", data.display());
    }
    if let Some(password) = running.first_password() {
        text += &format!(
            "The administrator \"admin\" has this password, shown this once:\n\n    {}\n\n",
            password.reveal()
        );
    }
    if for_a_person || running.first_password().is_some() {
        text += &next_commands(url, folder_to_add().as_deref(), SystemClock.now());
    }
    text
}

/// What a client on this machine types. A certificate is for a name, which is the external one if that is told.
fn url(scheme: &str, mut address: SocketAddr, external: Option<&ExternalUrl>) -> String {
    if let Some(external) = external.filter(|_| scheme == "https") {
        return external.to_string();
    }
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("{scheme}://{address}")
}

/// The folder of this program, if a shell would not find the program by its name.
fn folder_to_add() -> Option<PathBuf> {
    let folder = std::env::current_exe().ok()?.parent()?.to_owned();
    let known = std::env::split_paths(&std::env::var_os("PATH")?).any(|known| known == folder);
    (!known).then_some(folder)
}

fn next_commands(url: &str, folder: Option<&Path>, now: Timestamp) -> String {
    let path = folder
        .map_or_else(String::new, |folder| format!("    export PATH=\"{}:$PATH\"\n\n", folder.display()));
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    let in_a_week = now.checked_add(SignedDuration::from_hours(7 * 24)).unwrap_or(Timestamp::MAX);
    format!(
        "\
Next, in another terminal (each login asks for the password):

{path}    gangplank login {url} --username admin
    gangplank account create acme                  # an account that owns images
    gangplank account create globex                # an account to share one with

    gangplank login {url} --username acme
    gangplank namespace create team-a
    docker login {host} --username acme
    docker tag IMAGE {host}/team-a/web:1.0
    docker push {host}/team-a/web:1.0
    gangplank share add team-a/web --to globex --until {in_a_week:.0}

    docker login {host} --username globex
    docker pull {host}/team-a/web:1.0

"
    )
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{ExternalUrl, next_commands, setting, url};

    #[test]
    fn an_unspecified_address_is_typed_as_this_machine() {
        for (listening, typed) in [
            ("127.0.0.1:5000", "http://127.0.0.1:5000"),
            ("0.0.0.0:5000", "http://127.0.0.1:5000"),
            ("[::]:5000", "http://[::1]:5000"),
            ("10.1.2.3:80", "http://10.1.2.3:80"),
        ] {
            assert_eq!(listening.parse().map(|address| url("http", address, None)).as_deref(), Ok(typed));
        }
    }

    #[test]
    fn over_tls_the_name_that_is_told_is_typed() {
        let (address, told) = ("0.0.0.0:443".parse().unwrap(), ExternalUrl::parse("https://r.example").ok());
        assert_eq!(url("https", address, told.as_ref()), "https://r.example");
        assert_eq!(url("https", address, None), "https://127.0.0.1:443");
        assert_eq!(url("http", address, told.as_ref()), "http://127.0.0.1:443", "a proxy has that one");
        let text = next_commands("https://r.example", None, Timestamp::UNIX_EPOCH);
        assert!(text.contains("docker push r.example/team-a/web:1.0"), "{text}");
    }

    #[test]
    fn the_next_commands_can_be_typed() {
        use clap::Parser;
        let text = next_commands("http://127.0.0.1:5000", None, Timestamp::UNIX_EPOCH);
        assert!(text.contains("--until 1970-01-08T00:00:00Z"), "{text}");
        let lines: Vec<_> =
            text.lines().map(str::trim).filter(|line| line.starts_with("gangplank ")).collect();
        assert_eq!(lines.len(), 6);
        for line in lines {
            let typed = line.split('#').next().unwrap_or_default();
            assert!(crate::Cli::try_parse_from(typed.split_whitespace()).is_ok(), "{typed}");
        }
    }

    #[test]
    fn a_setting_is_split_at_its_first_equals_sign() {
        assert_eq!(
            setting("log.filter=info,storage=debug"),
            Ok(("log.filter".into(), "info,storage=debug".into()))
        );
        assert!(setting("log.filter").is_err() && setting("=x").is_err());
    }
}
