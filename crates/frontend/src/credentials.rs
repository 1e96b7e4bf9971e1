//! The `Authorization` header: what it says, not yet whether it is true.
//!
//! Three kinds are known: nothing, Basic (RFC 7617) and Bearer (RFC 6750). What a Bearer token must be differs by API: on
//! `/v2/` one of our access tokens, on `/api/v1` a personal token; so each API asks [`auth::Auth`] itself.

use auth::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;

/// What a request offers to prove who sends it.
#[derive(Debug)]
pub(crate) enum Credentials {
    /// Nothing: it comes from anybody.
    None,
    /// A name and a password, or a personal token in the password's place.
    Basic {
        /// The name: `acme`, or `dev@acme`.
        username: String,
        /// The password or personal token.
        secret: Secret,
    },
    /// A token.
    Bearer(Secret),
}

/// An `Authorization` header that is none of these: answered as wrong credentials, never as none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the Authorization header is neither Basic nor Bearer")]
pub(crate) struct Malformed;

/// The longest header that is looked at, in bytes: a token with many grants, with room to spare.
const HEADER_BYTES_MAX: usize = 32 << 10;

impl Credentials {
    /// Reads the header. Schemes are matched in any case, as clients send them.
    ///
    /// # Errors
    /// [`Malformed`] when there is a header, or more than one, that is not understood.
    pub(crate) fn parse(headers: &HeaderMap) -> Result<Credentials, Malformed> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Ok(Credentials::None) };
        // Two headers could be read differently by a proxy and by us.
        if values.next().is_some() || value.len() > HEADER_BYTES_MAX {
            return Err(Malformed);
        }
        let (scheme, rest) = value.to_str().map_err(|_| Malformed)?.split_once(' ').ok_or(Malformed)?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") && !rest.is_empty() {
            Ok(Credentials::Bearer(Secret::new(rest.to_owned())))
        } else if scheme.eq_ignore_ascii_case("basic") {
            basic(rest)
        } else {
            Err(Malformed)
        }
    }
}

fn basic(encoded: &str) -> Result<Credentials, Malformed> {
    let decoded = STANDARD.decode(encoded).map_err(|_| Malformed)?;
    let decoded = String::from_utf8(decoded).map_err(|_| Malformed)?;
    // The name holds no colon; the password may.
    let (username, secret) = decoded.split_once(':').ok_or(Malformed)?;
    Ok(Credentials::Basic { username: username.to_owned(), secret: Secret::new(secret.to_owned()) })
}

#[cfg(test)]
mod tests {

    use http::HeaderValue;

    use super::{AUTHORIZATION, Credentials, HEADER_BYTES_MAX, HeaderMap, Malformed};

    fn parse(value: &str) -> Result<String, Malformed> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        Credentials::parse(&headers).map(|credentials| match credentials {
            Credentials::None => "none".to_owned(),
            Credentials::Basic { username, secret } => format!("basic {username} {}", secret.reveal()),
            Credentials::Bearer(token) => format!("bearer {}", token.reveal()),
        })
    }

    #[test]
    fn header() {
        let long = format!("Bearer {}", "a".repeat(HEADER_BYTES_MAX));
        let table: &[(&str, Result<&str, Malformed>)] = &[
            ("Basic YWNtZTpzZWNyZXQ=", Ok("basic acme secret")),
            ("basic ZGV2QGFjbWU6YTpiOmM=", Ok("basic dev@acme a:b:c")),
            ("BASIC Og==", Ok("basic  ")),
            ("Bearer abc.def.ghi", Ok("bearer abc.def.ghi")),
            ("bearer   abc ", Ok("bearer abc")),
            ("Bearer", Err(Malformed)),
            ("Bearer  ", Err(Malformed)),
            ("Basic", Err(Malformed)),
            ("Basic !!!!", Err(Malformed)),
            ("Basic YWNtZQ==", Err(Malformed)),
            ("Basic //8=", Err(Malformed)),
            ("Digest username=x", Err(Malformed)),
            ("", Err(Malformed)),
            (&long, Err(Malformed)),
        ];
        for (header, expected) in table {
            assert_eq!(
                parse(header),
                expected.as_ref().map(|text| (*text).to_owned()).map_err(|_| Malformed)
            );
        }
    }

    #[test]
    fn none_and_two() {
        let mut headers = HeaderMap::new();
        assert!(matches!(Credentials::parse(&headers), Ok(Credentials::None)));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer a"));
        headers.append(AUTHORIZATION, HeaderValue::from_static("Bearer b"));
        assert!(matches!(Credentials::parse(&headers), Err(Malformed)));
    }

    #[test]
    fn debug_hides_secrets() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic YWNtZTpodW50ZXIy"));
        let shown = format!("{:?}", Credentials::parse(&headers));
        assert!(shown.contains("acme") && !shown.contains("hunter2"), "{shown}");
    }
}
