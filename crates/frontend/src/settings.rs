//! The bounds and addresses of the front.

use std::net::IpAddr;
use std::time::Duration;

use crate::ExternalUrl;

/// The bounds and addresses of the front. [`Settings::default`] is right for one machine without a proxy.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address that clients reach us at, where a proxy does not tell it; it then stands in every challenge.
    /// None: the `Host` that the client used.
    pub external_url: Option<ExternalUrl>,
    /// Peers whose `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-For` are believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Open connections at once; more wait to be accepted.
    pub connections_max: usize,
    /// Requests in flight at once, over all connections; more wait for [`Settings::admission_wait_max`], then get 503.
    pub requests_max: usize,
    /// How long a request waits to be let in.
    pub admission_wait_max: Duration,
    /// How long a request's head may take, and how long a connection may stay without a request.
    pub head_timeout: Duration,
    /// How long a body, in either direction, may stand still.
    pub body_idle_timeout: Duration,
    /// How long a connection with requests in flight may go without any of them moving.
    pub connection_stuck_max: Duration,
    /// How long a transfer may go on after the end of the share, or other right, under which it began.
    pub transfer_after_end_max: Duration,
    /// How long requests in flight may take to finish when the server stops.
    pub shutdown_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            external_url: None,
            trusted_proxies: Vec::new(),
            connections_max: 4096,
            requests_max: 4096,
            admission_wait_max: Duration::from_secs(10),
            head_timeout: Duration::from_secs(30),
            body_idle_timeout: Duration::from_secs(60),
            connection_stuck_max: Duration::from_secs(1800),
            transfer_after_end_max: Duration::from_secs(600),
            shutdown_timeout: Duration::from_secs(30),
        }
    }
}
