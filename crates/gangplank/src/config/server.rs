//! Where and how the server answers.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use frontend::ExternalUrl;
use kv::Region;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Impossible, Tls, duration};

/// `[server]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// The address and port to listen on; port 0: any free one.
    pub listen: SocketAddr,
    /// The region's name: what is pushed here belongs to it, for good.
    #[serde(serialize_with = "write_region", deserialize_with = "read_region")]
    pub region: Region,
    /// The URL that clients reach the server at, where a proxy does not tell it (`https://registry.example`).
    #[serde(serialize_with = "write_url", deserialize_with = "read_url")]
    pub external_url: Option<ExternalUrl>,
    /// Proxies whose `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-For` are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Open connections at once; more wait.
    pub connections_max: usize,
    /// Requests in flight at once; more wait for `admission_wait_max`, then get 503.
    pub requests_max: usize,
    /// How long a request waits to be let in.
    #[serde(with = "duration")]
    pub admission_wait_max: Duration,
    /// How long a request's head may take, and a connection may stay without a request.
    #[serde(with = "duration")]
    pub head_timeout: Duration,
    /// How long a body may stand still.
    #[serde(with = "duration")]
    pub body_idle_timeout: Duration,
    /// How long a connection with requests in flight may go without any of them moving.
    #[serde(with = "duration")]
    pub connection_stuck_max: Duration,
    /// How long after a share's end a transfer that began before may go on.
    #[serde(with = "duration")]
    pub transfer_after_end_max: Duration,
    /// How long requests in flight may take to finish when the server stops.
    #[serde(with = "duration")]
    pub shutdown_timeout: Duration,
    /// TLS of its own.
    pub tls: Tls,
}

impl Default for Server {
    fn default() -> Server {
        let front = frontend::Settings::default();
        Server {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 5000)),
            region: default_region(),
            external_url: front.external_url,
            trusted_proxies: front.trusted_proxies,
            connections_max: front.connections_max,
            requests_max: front.requests_max,
            admission_wait_max: front.admission_wait_max,
            head_timeout: front.head_timeout,
            body_idle_timeout: front.body_idle_timeout,
            connection_stuck_max: front.connection_stuck_max,
            transfer_after_end_max: front.transfer_after_end_max,
            shutdown_timeout: front.shutdown_timeout,
            tls: Tls::default(),
        }
    }
}

impl Server {
    pub(super) fn check(&self, found: &mut Impossible) {
        found.outside("server.connections_max", self.connections_max, 1, 1_000_000);
        found.outside("server.requests_max", self.requests_max, 1, 1_000_000);
        for (key, timeout) in [
            ("server.head_timeout", self.head_timeout),
            ("server.body_idle_timeout", self.body_idle_timeout),
            ("server.connection_stuck_max", self.connection_stuck_max),
            ("server.shutdown_timeout", self.shutdown_timeout),
        ] {
            found.unless(
                timeout >= Duration::from_secs(1),
                key,
                "less than a second would cut off honest clients",
            );
        }
        self.tls.check(found);
    }

    /// The front's settings.
    pub(crate) fn front(&self) -> frontend::Settings {
        frontend::Settings {
            external_url: self.external_url.clone(),
            trusted_proxies: self.trusted_proxies.clone(),
            connections_max: self.connections_max,
            requests_max: self.requests_max,
            admission_wait_max: self.admission_wait_max,
            head_timeout: self.head_timeout,
            body_idle_timeout: self.body_idle_timeout,
            connection_stuck_max: self.connection_stuck_max,
            transfer_after_end_max: self.transfer_after_end_max,
            shutdown_timeout: self.shutdown_timeout,
        }
    }
}

#[expect(clippy::expect_used, reason = "a constant, and every test reads it")]
fn default_region() -> Region {
    Region::parse("local").expect("a region's name")
}

fn read_region<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Region, D::Error> {
    let name = String::deserialize(deserializer)?;
    Region::parse(&name)
        .ok_or_else(|| D::Error::custom(format!("{name:?} is no region's name: 1 to 32 of a-z, 0-9 and -")))
}

fn write_region<S: Serializer>(region: &Region, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(region.as_str())
}

fn read_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ExternalUrl>, D::Error> {
    let text = String::deserialize(deserializer)?;
    ExternalUrl::parse(&text).map(Some).map_err(|error| D::Error::custom(format!("{text:?} is {error}")))
}

fn write_url<S: Serializer>(url: &Option<ExternalUrl>, serializer: S) -> Result<S::Ok, S::Error> {
    match url {
        Some(url) => serializer.collect_str(url),
        None => serializer.serialize_none(),
    }
}
