//! A server's address, in one form whatever was typed: the key under which a login is kept.

use std::fmt::{Display, Formatter};
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;
use serde::{Deserialize, Serialize};

/// `http://host[:port]` or `https://host[:port]`: no user, path, query or fragment; the scheme's own port left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct ServerUrl(Box<Url>);

impl ServerUrl {
    /// The address of `path_and_query` on this server.
    pub(crate) fn join(&self, path_and_query: &str) -> Url {
        let mut url = Url::clone(&self.0);
        match path_and_query.split_once('?') {
            Some((path, query)) => {
                url.set_path(path);
                url.set_query(Some(query));
            }
            None => url.set_path(path_and_query),
        }
        url
    }

    /// Host and port, as docker names the registry.
    pub(crate) fn authority(&self) -> &str {
        self.0.authority()
    }

    /// Whether it is spoken to over TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Whether it is this machine itself.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => address.is_loopback(),
            Err(_) => host == "localhost" || host.ends_with(".localhost"),
        }
    }

    /// Whether credentials on their way could be read by others: plain HTTP to another machine.
    pub(crate) fn is_readable_on_the_way(&self) -> bool {
        !self.is_https() && !self.is_loopback()
    }
}

impl FromStr for ServerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<ServerUrl, String> {
        let example = "write it as https://registry.example or http://127.0.0.1:5000";
        let url = Url::parse(text).map_err(|error| format!("{text:?} is no URL ({error}); {example}"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(format!("{text:?} is neither an http:// nor an https:// URL; {example}"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("the URL must not hold credentials: use --username; {example}"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(format!("{text:?} goes beyond host and port; {example}"));
        }
        Ok(ServerUrl(Box::new(url)))
    }
}

impl TryFrom<String> for ServerUrl {
    type Error = String;

    fn try_from(text: String) -> Result<ServerUrl, String> {
        text.parse()
    }
}

impl From<ServerUrl> for String {
    fn from(url: ServerUrl) -> String {
        url.to_string()
    }
}

impl Display for ServerUrl {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::ServerUrl;

    #[test]
    fn one_form_whatever_was_typed() {
        for (typed, kept) in [
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
            ("HTTP://Localhost:80/", "http://localhost"),
            ("https://registry.example:443", "https://registry.example"),
            ("https://[::1]:5000", "https://[::1]:5000"),
        ] {
            assert_eq!(typed.parse::<ServerUrl>().map(String::from).as_deref(), Ok(kept), "{typed}");
        }
    }

    #[test]
    fn refuses_what_is_no_address_without_showing_a_password() {
        for typed in [
            "",
            "127.0.0.1:5000",
            "localhost:5000",
            "ftp://registry.example",
            "https://registry.example/path",
            "https://registry.example?x",
            "https://registry.example#x",
            "https://admin:hunter22@registry.example",
            "file:///etc/passwd",
        ] {
            let refused = typed.parse::<ServerUrl>().map(String::from);
            assert!(
                refused.as_ref().is_err_and(|reason| !reason.contains("hunter22")),
                "{typed}: {refused:?}"
            );
        }
    }

    #[test]
    fn plain_http_is_readable_except_to_this_machine() {
        for (typed, readable) in [
            ("http://127.0.0.1:5000", false),
            ("http://127.9.9.9", false),
            ("http://[::1]:5000", false),
            ("http://localhost", false),
            ("https://registry.example", false),
            ("http://registry.example", true),
            ("http://localhost.example", true),
            ("http://10.0.0.1", true),
        ] {
            let url: Result<ServerUrl, _> = typed.parse();
            assert_eq!(url.map(|url| url.is_readable_on_the_way()), Ok(readable), "{typed}");
        }
    }

    #[test]
    fn a_path_is_joined_on_the_same_host() {
        let url: Result<ServerUrl, _> = "http://127.0.0.1:5000".parse();
        let joined = url.map(|url| url.join("/api/v1/repositories/team-a%2Fweb?after=x").to_string());
        assert_eq!(joined.as_deref(), Ok("http://127.0.0.1:5000/api/v1/repositories/team-a%2Fweb?after=x"));
    }
}
