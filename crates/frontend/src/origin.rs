//! The address that the client reached us at: what a challenge's realm is made of.
//!
//! The realm must stay on the host and port that the client used, so it is made from the request. A `Host` is the
//! client's word: it is validated before it is repeated, and `X-Forwarded-*` counts only from listed proxies.

use std::fmt;
use std::net::Ipv6Addr;

use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderName};

use crate::Settings;
use crate::connection::Arrival;

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// The longest authority: a DNS name of 253 characters, a colon and a port.
const AUTHORITY_BYTES_MAX: usize = 259;

/// A scheme and an authority, `https://registry.example.org:5000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalUrl {
    scheme: &'static str,
    authority: String,
}

/// What is wrong with an external URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not of the form http(s)://HOST[:PORT], without a path")]
pub struct ExternalUrlError;

impl ExternalUrl {
    /// Parses `http(s)://HOST[:PORT]`, with or without a slash behind.
    ///
    /// # Errors
    /// [`ExternalUrlError`] for anything else.
    pub fn parse(text: &str) -> Result<ExternalUrl, ExternalUrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(ExternalUrlError)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        ExternalUrl::of(scheme, authority).ok_or(ExternalUrlError)
    }

    /// Whether it is reached over TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.scheme == "https"
    }

    /// The host, with the port if there is one.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    /// The same as browsers name it (RFC 6454, section 6.2): in small letters, without the port that the scheme has anyway.
    pub(crate) fn origin(&self) -> String {
        let usual = if self.is_secure() { 443 } else { 80 };
        let (host, port) = match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()),
            _ => (self.authority.as_str(), None),
        };
        // An IPv6 address has one form among many.
        let inner = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let address = inner.and_then(|inner| inner.parse::<Ipv6Addr>().ok());
        let host = address.map_or_else(|| host.to_ascii_lowercase(), |address| format!("[{address}]"));
        let port = port.filter(|port: &u16| *port != usual).map(|port| format!(":{port}"));
        format!("{}://{}{}", self.scheme, host, port.unwrap_or_default())
    }

    fn of(scheme: &str, authority: &str) -> Option<ExternalUrl> {
        let scheme = ["http", "https"].into_iter().find(|known| known.eq_ignore_ascii_case(scheme))?;
        is_authority(authority).then(|| ExternalUrl { scheme, authority: authority.to_owned() })
    }
}

impl fmt::Display for ExternalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

/// The request names no host that could be one, or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadHost;

/// The address that the request was sent to.
///
/// # Errors
/// [`BadHost`], to be answered with 400 (RFC 9112, section 3.2).
pub(crate) fn of(request: &Parts, arrival: Arrival, settings: &Settings) -> Result<ExternalUrl, BadHost> {
    let host = match request.uri.authority() {
        Some(authority) => authority.as_str(),
        None => single(&request.headers, &HOST).ok_or(BadHost)?,
    };
    if !is_authority(host) {
        return Err(BadHost);
    }
    if let Some(fixed) = &settings.external_url {
        return Ok(fixed.clone());
    }
    let (mut scheme, mut authority) = (if arrival.over_tls { "https" } else { "http" }, host);
    // A peer over IPv6 may be an IPv4 one in disguise (`::ffff:10.0.0.1`).
    if settings.trusted_proxies.contains(&arrival.peer.ip().to_canonical()) {
        scheme = first(&request.headers, &FORWARDED_PROTO).unwrap_or(scheme);
        authority = first(&request.headers, &FORWARDED_HOST).unwrap_or(authority);
    }
    ExternalUrl::of(scheme, authority).ok_or(BadHost)
}

fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// The first of a list, `https, http`: what the outermost proxy saw.
fn first<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().ok()?.split(',').next()?.trim())
}

/// Whether `text` is `HOST[:PORT]`, fit to be repeated in a header: nothing in it needs quoting.
fn is_authority(text: &str) -> bool {
    if text.len() > AUTHORITY_BYTES_MAX {
        return false;
    }
    let (host_ok, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, port)) => {
                (address.parse::<Ipv6Addr>().is_ok(), port.strip_prefix(':').or(none_if_empty(port)))
            }
            None => return false,
        },
        None => match text.split_once(':') {
            Some((host, port)) => (is_host(host), Some(port)),
            None => (is_host(text), Some("0")),
        },
    };
    host_ok
        && port
            .is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok())
}

/// No port at all stands for one that parses.
fn none_if_empty(port: &str) -> Option<&'static str> {
    port.is_empty().then_some("0")
}

fn is_host(host: &str) -> bool {
    !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::{Arrival, BadHost, ExternalUrl, Settings, is_authority, of};

    #[test]
    fn authorities() {
        for good in [
            "localhost",
            "localhost:5000",
            "127.0.0.1:5000",
            "a-b.example.org",
            "my_host",
            "[::1]",
            "[::1]:5000",
        ] {
            assert!(is_authority(good), "{good}");
        }
        let long = "a".repeat(260);
        for bad in [
            "", ":5000", "a:", "a:x", "a:70000", "a:+1", "u@a", "a/b", "a b", "a\"b", "a,b", "a?b", "a\\b",
            "[::1", "[x]:1", "[::1]x", "::1", "a:1:2", &long,
        ] {
            assert!(!is_authority(bad), "{bad}");
        }
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for (url, origin) in [
            ("https://r.example", "https://r.example"),
            ("HTTPS://Registry.Example:443/", "https://registry.example"),
            ("http://R.example:80", "http://r.example"),
            ("https://r.example:80", "https://r.example:80"),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
            ("https://[2001:0DB8:0::1]:443", "https://[2001:db8::1]"),
            ("https://[2001:db8::1]:5000", "https://[2001:db8::1]:5000"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]"),
        ] {
            assert_eq!(ExternalUrl::parse(url).unwrap().origin(), origin, "{url}");
        }
        // Whoever pulls from a port says so: a name without one may be no host to docker.
        assert_eq!(ExternalUrl::parse("http://myhost:80").unwrap().authority(), "myhost:80");
    }

    fn ask(headers: &[(&str, &str)], settings: &Settings) -> Result<String, BadHost> {
        ask_over(false, headers, settings)
    }

    fn ask_over(over_tls: bool, headers: &[(&str, &str)], settings: &Settings) -> Result<String, BadHost> {
        let mut request = Request::get("/v2/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let arrival = Arrival { peer: "[::ffff:10.0.0.1]:4711".parse().unwrap(), over_tls };
        of(&request.body(()).unwrap().into_parts().0, arrival, settings).map(|url| url.to_string())
    }

    #[test]
    fn host_and_proxies() {
        let plain = Settings::default();
        let proxied = Settings { trusted_proxies: vec!["10.0.0.1".parse().unwrap()], ..Settings::default() };
        let fixed = Settings {
            external_url: Some(ExternalUrl::parse("https://r.example/").unwrap()),
            ..Settings::default()
        };
        let forwarded =
            [("host", "in:5000"), ("x-forwarded-proto", "https, http"), ("x-forwarded-host", "out.example")];
        assert_eq!(ask(&[("host", "a:5000")], &plain), Ok("http://a:5000".to_owned()));
        assert_eq!(
            ask(&forwarded, &plain),
            Ok("http://in:5000".to_owned()),
            "an unlisted peer is not believed"
        );
        assert_eq!(ask(&forwarded, &proxied), Ok("https://out.example".to_owned()));
        assert_eq!(ask_over(true, &[("host", "a:5000")], &plain), Ok("https://a:5000".to_owned()));
        assert_eq!(ask_over(true, &[("host", "a:5000")], &proxied), Ok("https://a:5000".to_owned()));
        let outside = [("host", "in"), ("x-forwarded-proto", "http"), ("x-forwarded-host", "out.example")];
        assert_eq!(ask_over(true, &outside, &plain), Ok("https://in".to_owned()));
        assert_eq!(ask_over(true, &outside, &proxied), Ok("http://out.example".to_owned()));
        assert_eq!(ask(&forwarded, &fixed), Ok("https://r.example".to_owned()));
        assert_eq!(ask(&[("host", "a"), ("x-forwarded-proto", "gopher")], &proxied), Err(BadHost));
        for bad in [&[][..], &[("host", "a\"b")], &[("host", "a"), ("host", "b")], &[("host", "")]] {
            assert_eq!(ask(bad, &plain), Err(BadHost));
        }
    }

    #[test]
    fn external_urls() {
        for bad in
            ["", "r.example", "ftp://r.example", "https://r.example/x", "https://u@r.example", "https://"]
        {
            assert!(ExternalUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
