//! Where a webhook's notices go, as an account names it, and which of that the server may be made to talk to.
//!
//! A name says nothing about where it leads, and may lead elsewhere a moment later: whoever connects asks
//! [`Destinations`] about the very address that it connects to. What is refused here already, an address or the
//! machine's own name, is refused so that the account hears of it at once.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::Error;
use crate::networks::{Network, is_public};

/// The longest address of a webhook, in bytes.
pub const WEBHOOK_URL_BYTES_MAX: usize = 2_048;

/// An absolute `http` or `https` URL with a host, without credentials and without a fragment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WebhookUrl(Url);

impl WebhookUrl {
    /// Parses one.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub fn parse(text: &str) -> Result<WebhookUrl, Error> {
        if text.len() > WEBHOOK_URL_BYTES_MAX {
            return Err(invalid(&format!("it has at most {WEBHOOK_URL_BYTES_MAX} bytes")));
        }
        // A parser of URLs skips some of these, so that another address would be kept than was read.
        if text.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(invalid("it holds neither blanks, nor control characters, nor backslashes"));
        }
        // It reads `https:host` and `https:///host` too, as nobody else does.
        if text.split_once("://").is_none_or(|(_, rest)| rest.starts_with('/')) {
            return Err(invalid("it is an absolute URL, such as https://example.com/hook"));
        }
        let url = Url::parse(text)
            .map_err(|_| invalid("it is an absolute URL, such as https://example.com/hook"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(invalid("it begins with https:// or http://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("it holds no credentials: notices are signed instead"));
        }
        if url.fragment().is_some() {
            return Err(invalid("it has no fragment"));
        }
        if url.port() == Some(0) {
            return Err(invalid("there is no port 0"));
        }
        Ok(WebhookUrl(url))
    }

    /// The whole of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Its host, for a log: the rest may hold what only its owner should read.
    #[must_use]
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }

    /// The address that it names, in whatever spelling; `None`: it has a name, which leads somewhere else at any time.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        match self.0.host()? {
            Host::Ipv4(address) => Some(address.into()),
            Host::Ipv6(address) => Some(address.into()),
            // RFC 6761: no resolver is needed for these.
            Host::Domain(name) => {
                let name = name.strip_suffix('.').unwrap_or(name);
                let own = name == "localhost" || name.ends_with(".localhost");
                own.then_some(Ipv4Addr::LOCALHOST.into())
            }
        }
    }
}

fn invalid(reason: &str) -> Error {
    Error::Invalid { field: "url", reason: format!("a webhook's address is wrong: {reason}") }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for WebhookUrl {
    type Error = Error;

    fn try_from(text: String) -> Result<WebhookUrl, Error> {
        WebhookUrl::parse(&text)
    }
}

impl From<WebhookUrl> for String {
    fn from(url: WebhookUrl) -> String {
        url.0.into()
    }
}

/// Which addresses the server may be made to talk to by what an account names: those of the public internet, and those
/// of networks that the operator allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Destinations {
    /// Networks that are allowed although they are not public.
    pub internal_networks_allowed: Vec<Network>,
}

impl Destinations {
    /// Whether a connection to `address` may be made.
    #[must_use]
    pub fn permit(&self, address: IpAddr) -> bool {
        is_public(address) || self.internal_networks_allowed.iter().any(|network| network.contains(address))
    }

    /// Refuses a URL that can lead to no permitted address.
    ///
    /// # Errors
    /// [`Error::Invalid`].
    pub(crate) fn check(&self, url: &WebhookUrl) -> Result<(), Error> {
        match url.address() {
            Some(address) if !self.permit(address) => {
                Err(invalid("it lies in a network that this registry does not send to"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Destinations, WebhookUrl};

    #[test]
    fn addresses_of_webhooks() {
        for (text, kept) in [
            ("https://example.com/hook", "https://example.com/hook"),
            ("http://example.com:8080/a?b=c", "http://example.com:8080/a?b=c"),
            ("HTTPS://EXAMPLE.com", "https://example.com/"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
        ] {
            assert_eq!(WebhookUrl::parse(text).unwrap().as_str(), kept);
        }
        let long = format!("https://example.com/{}", "a".repeat(2_048));
        for text in [
            "",
            "example.com",
            "/hook",
            "//example.com",
            "ftp://example.com",
            "file:///etc/passwd",
            "https://",
            "https:///hook",
            "https:hook",
            "https:/hook",
            "https://user@example.com",
            "https://user:word@example.com",
            "https://:word@example.com",
            "https://example.com#part",
            "https://example.com:0/",
            "https://exa mple.com",
            "https://example.com/\n",
            "https://exa\tmple.com",
            "https:\\\\example.com",
            "https://example.com:99999",
            "https://[::1",
            "data:,x",
            "javascript:alert(1)",
            "https://exa\u{0}mple.com",
            "https://1.2.3.4.5/",
            &long,
        ] {
            assert!(WebhookUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_internal_address_is_refused_in_every_spelling() {
        let nowhere = Destinations::default();
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "app.localhost",
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "0177.0.0.1",
            "017700000001",
            "127.0.0.1.",
            "[::1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::7f00:1]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "0",
            "0.0.0.0",
            "10.0.0.1",
            "169.254.169.254",
            "192.168.0.1",
            "[fe80::1]",
            "[fd00::1]",
            "１２７.0.0.1",
            "①②⑦.0.0.1",
            "127。0。0。1",
        ] {
            for port in ["", ":8080"] {
                let url = WebhookUrl::parse(&format!("http://{host}{port}/hook")).unwrap();
                assert!(nowhere.check(&url).is_err(), "{host} is {url}");
            }
        }
        for host in ["example.com", "8.8.8.8", "[2606:4700::1111]", "localhost.example.com"] {
            let url = WebhookUrl::parse(&format!("http://{host}/")).unwrap();
            assert!(nowhere.check(&url).is_ok(), "{host}");
        }
    }

    #[test]
    fn what_the_operator_allows_is_allowed_and_nothing_besides() {
        let loopback = Destinations { internal_networks_allowed: vec!["127.0.0.0/8".parse().unwrap()] };
        for (host, allowed) in [
            ("127.0.0.1", true),
            ("localhost", true),
            ("[::ffff:127.0.0.1]", true),
            ("[::1]", false),
            ("10.0.0.1", false),
        ] {
            let url = WebhookUrl::parse(&format!("http://{host}/")).unwrap();
            assert_eq!(loopback.check(&url).is_ok(), allowed, "{host}");
        }
    }
}
