//! Signed requests: what is read of a signature, and that it covers what it must.

use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use jiff::Timestamp;

use crate::swr::signature::Signature;

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);
const HEADERS_MAX: usize = 100;

/// A method and a target, headers, and behind an empty line the body.
pub fn signature(input: &[u8]) {
    let Some((parts, body)) = request(input) else { return };
    let Ok(signature) = Signature::of(&parts, NOW) else { return };
    let Ok(message) = signature.message(&parts, body) else { return };
    assert_eq!(signature.message(&parts, body).ok().as_ref(), Some(&message), "the same, asked again");
    for (what, touched) in touched(&parts, signature.signed_headers()) {
        assert_ne!(signature.message(&touched, body).ok().as_ref(), Some(&message), "{what} is not covered");
    }
    let longer = [body, b"x"].concat();
    assert_ne!(signature.message(&parts, &longer).ok().as_ref(), Some(&message), "the body is not covered");
    // What is not signed may come and go.
    let mut with_more = parts.clone();
    let unsigned = HeaderName::from_static("x-not-signed");
    if !signature.signed_headers().contains(&unsigned) {
        with_more.headers.insert(unsigned, HeaderValue::from_static("anything"));
        assert_eq!(signature.message(&with_more, body).ok().as_ref(), Some(&message));
    }
}

fn request(input: &[u8]) -> Option<(Parts, &[u8])> {
    let (head, mut rest) = super::line(input)?;
    let (method, target) = head.split_once(' ')?;
    let method = Method::from_bytes(method.as_bytes()).ok()?;
    let (mut parts, ()) = Request::builder().method(method).uri(target).body(()).ok()?.into_parts();
    for _ in 0..HEADERS_MAX {
        let (line, after) = super::line(rest)?;
        rest = after;
        if line.is_empty() {
            return Some((parts, rest));
        }
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
        parts.headers.append(name, HeaderValue::from_str(value.trim()).ok()?);
    }
    None
}

/// The request, touched in one place after the other.
fn touched(parts: &Parts, signed: &[HeaderName]) -> Vec<(String, Parts)> {
    let with = |change: &dyn Fn(&mut Parts)| {
        let mut touched = parts.clone();
        change(&mut touched);
        touched
    };
    let mut all = vec![(
        "the method".to_owned(),
        with(&|parts| parts.method = if parts.method == Method::GET { Method::DELETE } else { Method::GET }),
    )];
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    for (what, target) in
        [("the path", format!("{path}/touched?{query}")), ("the query", format!("{path}?{query}&touched=1"))]
    {
        if let Ok(uri) = target.parse::<Uri>() {
            all.push((what.to_owned(), with(&|parts| parts.uri = uri.clone())));
        }
    }
    for name in signed {
        let Some(value) = parts.headers.get(name) else { continue };
        let longer = HeaderValue::from_bytes(&[value.as_bytes(), b"x"].concat());
        let Ok(longer) = longer else { continue };
        all.push((name.to_string(), with(&|parts| drop(parts.headers.insert(name, longer.clone())))));
    }
    all
}
