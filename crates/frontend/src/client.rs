//! The address that a request comes from, as far as it is known: what the bounds on signing in are counted by.
//!
//! It is not an identity. `X-Forwarded-For` counts only from listed proxies, and of it only what they wrote themselves.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};

use crate::Settings;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The peer's address; behind trusted proxies, the last one in `X-Forwarded-For` that is not such a proxy's: further to
/// the left, the client may have written what it likes. None when a trusted proxy tells no valid one: it speaks for
/// many, and who it is for is not known.
pub(crate) fn address(headers: &HeaderMap, peer: IpAddr, settings: &Settings) -> Option<IpAddr> {
    let is_proxy = |address: &IpAddr| settings.trusted_proxies.contains(address);
    // A peer over IPv6 may be an IPv4 one in disguise (`::ffff:10.0.0.1`).
    let peer = peer.to_canonical();
    if !is_proxy(&peer) {
        return Some(peer);
    }
    for value in headers.get_all(&FORWARDED_FOR).iter().rev() {
        for entry in value.to_str().ok()?.rsplit(',') {
            let address = parse(entry.trim())?;
            if !is_proxy(&address) {
                return Some(address);
            }
        }
    }
    None
}

/// An address, as some proxies write it with a port.
fn parse(entry: &str) -> Option<IpAddr> {
    let address = entry.parse().or_else(|_| entry.parse().map(|address: SocketAddr| address.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::{Settings, address};

    #[test]
    fn addresses() {
        let proxies = ["10.0.0.1", "10.0.0.2"].map(|proxy| proxy.parse().unwrap());
        let settings = Settings { trusted_proxies: proxies.to_vec(), ..Settings::default() };
        let table: &[(&str, &[&str], Option<&str>)] = &[
            ("192.0.2.1", &[], Some("192.0.2.1")),
            ("192.0.2.1", &["192.0.2.9"], Some("192.0.2.1")),
            ("::ffff:192.0.2.1", &[], Some("192.0.2.1")),
            ("10.0.0.1", &["192.0.2.9"], Some("192.0.2.9")),
            ("::ffff:10.0.0.1", &["192.0.2.9"], Some("192.0.2.9")),
            ("10.0.0.1", &["198.51.100.7, 192.0.2.9"], Some("192.0.2.9")),
            ("10.0.0.1", &["198.51.100.7", "192.0.2.9"], Some("192.0.2.9")),
            ("10.0.0.1", &["198.51.100.7, 192.0.2.9 , 10.0.0.2"], Some("192.0.2.9")),
            ("10.0.0.1", &["192.0.2.9", "10.0.0.2"], Some("192.0.2.9")),
            ("10.0.0.1", &["192.0.2.9:4711"], Some("192.0.2.9")),
            ("10.0.0.1", &["[2001:db8::1]:4711"], Some("2001:db8::1")),
            ("10.0.0.1", &["2001:db8::1"], Some("2001:db8::1")),
            ("10.0.0.1", &[], None),
            ("10.0.0.1", &[""], None),
            ("10.0.0.1", &["10.0.0.2"], None),
            ("10.0.0.1", &["192.0.2.9, unknown"], None),
            ("10.0.0.1", &["192.0.2.9, unknown, 10.0.0.2"], None),
        ];
        for (peer, forwarded, expected) in table {
            let mut request = Request::get("/v2/");
            for value in *forwarded {
                request = request.header("x-forwarded-for", *value);
            }
            let headers = request.body(()).unwrap().into_parts().0.headers;
            let found = address(&headers, peer.parse().unwrap(), &settings);
            assert_eq!(found, expected.map(|address| address.parse().unwrap()), "{peer} {forwarded:?}");
        }
    }
}
