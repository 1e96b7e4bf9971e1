//! Signed requests (`SDK-HMAC-SHA256`): the header `Authorization` names an access key, the headers that are signed, and
//! the HMAC of the request under the key's secret half.
//!
//! What is signed covers method, path, query, the named headers and the body; of the headers, `x-sdk-date` must be among
//! them, and nothing here or behind it may rest on one that is not. A signature is good for 15 minutes around its instant,
//! and for one change: what changes something is spent in the store first. Its clock has whole seconds, so equal reads
//! share a signature, and may repeat; two equal changes within a second are one.
//!
//! Two things the scheme itself does not tell apart, and so neither do we: a slash in a path and its `%2F`, and a path
//! with and without a slash at its end. Whoever could change a request on its way could exchange these; that is what TLS
//! is for.

use std::net::IpAddr;

use auth::{AccessKeyId, Auth, AuthenticationError, Principal, SIGNATURE_SKEW_MAX};
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Uri};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use oci::{Algorithm, Digest};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

const SCHEME: &str = "SDK-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-sdk-date");
const CONTENT_SHA256: HeaderName = HeaderName::from_static("x-sdk-content-sha256");
/// The longest `Authorization` that is looked at: that many headers with long names.
const HEADER_BYTES_MAX: usize = 8 << 10;
const SIGNED_HEADERS_MAX: usize = 64;
/// The largest body of a signed request: many times the largest that any call needs.
pub(crate) const SIGNED_BODY_BYTES_MAX: usize = 64 << 10;

/// What stays as it is in a canonical path and query.
const CANONICAL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Why a signed request is not let in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// It has no `Authorization`.
    #[error("sign the request with an access key")]
    Unsigned,
    /// What it says of its signature cannot be.
    #[error("{0}")]
    Malformed(&'static str),
    /// It was signed too long ago, or is yet to be.
    #[error("the X-Sdk-Date is more than 15 minutes from the server's clock, {now:.0}; set your clock")]
    Skewed {
        /// Our clock.
        now: Timestamp,
    },
    /// The body is larger than [`SIGNED_BODY_BYTES_MAX`].
    #[error("the body is larger than {SIGNED_BODY_BYTES_MAX} bytes")]
    BodyTooLarge,
    /// Nobody's access key, a closed one, or the request is not what was signed: one answer for all of it.
    #[error("the access key or the signature is wrong")]
    Rejected,
    /// The same request has been sent before.
    #[error("this signed request was sent before; sign a new one, at least a second later")]
    Replayed,
    /// It could not be checked.
    #[error(transparent)]
    Failed(auth::Error),
}

impl From<AuthenticationError> for Refusal {
    fn from(error: AuthenticationError) -> Refusal {
        match error {
            AuthenticationError::Failed(error) => Refusal::Failed(error),
            _ => Refusal::Rejected,
        }
    }
}

/// What a request says of its signature, not yet whether it is true.
#[derive(Debug)]
pub(crate) struct Signature {
    access_key: AccessKeyId,
    signed_headers: Vec<HeaderName>,
    tag: [u8; 32],
    signed_at: Timestamp,
}

impl Signature {
    /// Reads it from a request's head, before a byte of the body is.
    ///
    /// # Errors
    /// [`Refusal::Unsigned`], [`Refusal::Malformed`], [`Refusal::Skewed`].
    pub(crate) fn of(parts: &Parts, now: Timestamp) -> Result<Signature, Refusal> {
        let header = once(&parts.headers, &AUTHORIZATION)?.ok_or(Refusal::Unsigned)?;
        let (access_key, signed_headers, tag) = fields(header).ok_or(Refusal::Malformed(
            "the Authorization must be `SDK-HMAC-SHA256 Access=…, SignedHeaders=a;b, Signature=…`",
        ))?;
        if !signed_headers.contains(&DATE) {
            return Err(Refusal::Malformed("the header X-Sdk-Date must be among those that are signed"));
        }
        let date = once(&parts.headers, &DATE)?.and_then(date);
        let signed_at = date.ok_or(Refusal::Malformed("the X-Sdk-Date must be like 20270131T235959Z"))?;
        let skew = now.duration_since(signed_at).abs();
        if skew > SIGNATURE_SKEW_MAX {
            return Err(Refusal::Skewed { now });
        }
        Ok(Signature { access_key, signed_headers, tag, signed_at })
    }

    /// Who signed the request that `parts` and `body` are, which came `from` there. One that is to change something is spent by this.
    ///
    /// # Errors
    /// [`Refusal`], each variant as it says.
    pub(crate) async fn verified(
        self,
        auth: &Auth,
        parts: &Parts,
        body: &[u8],
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Principal, Refusal> {
        if body.len() > SIGNED_BODY_BYTES_MAX {
            return Err(Refusal::BodyTooLarge);
        }
        let message = self.message(parts, body)?;
        let proof = (message.as_slice(), self.tag.as_slice());
        let principal = auth.authenticate_access_key(&self.access_key, proof, from, now).await?;
        if !parts.method.is_safe()
            && !auth.spend_signature(&self.tag, self.signed_at).await.map_err(Refusal::Failed)?
        {
            return Err(Refusal::Replayed);
        }
        Ok(principal)
    }

    /// The headers that it covers.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn signed_headers(&self) -> &[HeaderName] {
        &self.signed_headers
    }

    /// What is signed: the scheme, the instant, and the hash of the canonical request.
    ///
    /// # Errors
    /// [`Refusal::Malformed`].
    pub(crate) fn message(&self, parts: &Parts, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        let canonical = self.canonical(parts, body)?;
        let date = once(&parts.headers, &DATE)?.unwrap_or_default();
        Ok([SCHEME.as_bytes(), b"\n", date, b"\n", sha256(&canonical).as_bytes()].concat())
    }

    /// Method, path, query, headers, the headers' names and the body's hash, a line each.
    fn canonical(&self, parts: &Parts, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        let content = once(&parts.headers, &CONTENT_SHA256)?;
        if !body.is_empty()
            && content.is_some_and(|content| content.eq_ignore_ascii_case(b"UNSIGNED-PAYLOAD"))
        {
            return Err(Refusal::Malformed("the body must be signed: send JSON"));
        }
        let mut canonical =
            format!("{}\n{}\n{}\n", parts.method, canonical_path(&parts.uri), canonical_query(&parts.uri))
                .into_bytes();
        for name in &self.signed_headers {
            let value = signed_value(parts, name)?;
            canonical.extend_from_slice(name.as_str().as_bytes());
            canonical.push(b':');
            canonical.extend_from_slice(value);
            canonical.push(b'\n');
        }
        let names: Vec<_> = self.signed_headers.iter().map(HeaderName::as_str).collect();
        canonical.extend_from_slice(format!("\n{}\n{}", names.join(";"), sha256(body)).as_bytes());
        Ok(canonical)
    }
}

/// Access key, names of the signed headers and signature, in a header's value; `None` unless all of it is as the clients
/// write it.
fn fields(header: &[u8]) -> Option<(AccessKeyId, Vec<HeaderName>, [u8; 32])> {
    let header = std::str::from_utf8(header).ok().filter(|header| header.len() <= HEADER_BYTES_MAX)?;
    let mut fields = header.strip_prefix(SCHEME)?.strip_prefix(' ')?.split(',').map(str::trim);
    let mut next = |name: &str| fields.next()?.strip_prefix(name)?.strip_prefix('=');
    let access_key = AccessKeyId::parse(next("Access")?).ok()?;
    let signed_headers = signed_headers(next("SignedHeaders")?)?;
    let tag = tag(next("Signature")?)?;
    fields.next().is_none().then_some((access_key, signed_headers, tag))
}

/// Lowercase names in ascending order: each once.
fn signed_headers(list: &str) -> Option<Vec<HeaderName>> {
    let names: Vec<_> = list.split(';').take(SIGNED_HEADERS_MAX + 1).collect();
    let ascending = names.is_sorted_by(|one, next| one < next);
    if !ascending || names.len() > SIGNED_HEADERS_MAX || list != list.to_ascii_lowercase() {
        return None;
    }
    names.into_iter().map(|name| HeaderName::from_bytes(name.as_bytes()).ok()).collect()
}

/// 64 lowercase hexadecimal digits: the form of a digest.
fn tag(text: &str) -> Option<[u8; 32]> {
    let digest = Digest::parse(&format!("sha256:{text}")).ok()?;
    digest.raw()[1..].try_into().ok()
}

/// `20270131T235959Z`
fn date(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let shape = text.len() == 16
        && text.bytes().enumerate().all(|(at, b)| match at {
            8 => b == b'T',
            15 => b == b'Z',
            _ => b.is_ascii_digit(),
        });
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i8>().ok();
    let year = shape.then(|| text.get(..4)?.parse().ok())??;
    let (month, day) = (number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
    let date = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    TimeZone::UTC.to_timestamp(date).ok()
}

/// The only value of a header. Two of a name could be read differently by what checks them and by what acts on them.
fn once<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h [u8]>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().map(|value| value.as_bytes().trim_ascii());
    if values.next().is_some() {
        return Err(Refusal::Malformed("a header that is signed, or says how, stands twice"));
    }
    Ok(value)
}

/// The value of a header that is said to be signed. Over HTTP/2 the address has the host.
fn signed_value<'p>(parts: &'p Parts, name: &HeaderName) -> Result<&'p [u8], Refusal> {
    let value = once(&parts.headers, name)?;
    let authority = parts.uri.authority().filter(|_| *name == HOST).map(|host| host.as_str().as_bytes());
    if let (Some(header), Some(authority)) = (value, authority)
        && !header.eq_ignore_ascii_case(authority)
    {
        return Err(Refusal::Malformed("the request names two hosts"));
    }
    value.or(authority).ok_or(Refusal::Malformed("a header that is said to be signed is absent"))
}

/// The path with each segment written in one way, and a slash at its end.
fn canonical_path(uri: &Uri) -> String {
    let decoded: Vec<u8> = percent_decode_str(uri.path()).collect();
    let segments: Vec<_> =
        decoded.split(|b| *b == b'/').map(|segment| percent_encode(segment, CANONICAL).to_string()).collect();
    let path = segments.join("/");
    if path.ends_with('/') { path } else { path + "/" }
}

/// The parameters in order, written in one way. They are read as the handlers read them: a plus sign is a blank.
fn canonical_query(uri: &Uri) -> String {
    let mut pairs: Vec<_> = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).collect();
    pairs.sort();
    let encode = |text: &str| percent_encode(text.as_bytes(), CANONICAL).to_string();
    let pairs: Vec<_> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

fn sha256(content: &[u8]) -> String {
    Digest::of(Algorithm::Sha256, content).hex()
}

#[cfg(test)]
mod tests;
