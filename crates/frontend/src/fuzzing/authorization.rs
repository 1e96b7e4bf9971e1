//! The `Authorization` header, scopes, and the token service's query and form.

use auth::{SCOPES_MAX, Scope, ScopePattern, ScopeRequest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use crate::ExternalUrl;
use crate::challenge::{Challenge, Fault};
use crate::credentials::Credentials;
use crate::query::Query;

/// The header's value on the first line, a scope on the second, and a query or form behind.
pub fn authorization(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    if let Ok(value) = HeaderValue::from_bytes(&input[..end]) {
        header(value);
    }
    let Some((scope, rest)) = super::line(input.get(end + 1..).unwrap_or_default()) else { return };
    scopes(&[scope]);
    if let Ok(pattern) = ScopePattern::parse(scope) {
        let written = pattern.to_string();
        assert_eq!(ScopePattern::parse(&written).ok(), Some(pattern), "{written}");
    }
    let Ok(form) = std::str::from_utf8(rest) else { return };
    let form = Query::new(Some(form));
    let asked: Vec<_> = form.all("scope").collect();
    scopes(&asked.iter().map(|scope| &**scope).collect::<Vec<_>>());
    for field in ["service", "account", "grant_type", "username", "password", "refresh_token", "access_type"]
    {
        assert_ne!(form.get(field).as_deref(), Some(""), "an empty {field} counts as none");
    }
}

fn header(value: HeaderValue) {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, value.clone());
    match Credentials::parse(&headers) {
        Ok(Credentials::None) => panic!("a header that is there counts as none: {value:?}"),
        Ok(Credentials::Basic { username, secret }) => {
            assert!(!username.contains(':'));
            let sent = value.to_str().ok().and_then(|text| text.split_once(' ')).map(|(_, rest)| rest.trim());
            assert_eq!(sent, Some(&*STANDARD.encode(format!("{username}:{}", secret.reveal()))));
        }
        Ok(Credentials::Bearer(token)) => {
            let token = token.reveal();
            let sent = value.to_str().is_ok_and(|text| text.trim_end().ends_with(token));
            assert!(!token.is_empty() && token == token.trim() && sent, "{value:?}");
        }
        Err(_) => {}
    }
    headers.append(AUTHORIZATION, value);
    assert!(Credentials::parse(&headers).is_err(), "two headers count as one");
}

/// What means something is bounded, of different things, and means the same once more when it is written.
fn scopes(values: &[&str]) {
    let requests = ScopeRequest::parse_all(values.iter().copied());
    assert!(requests.len() <= SCOPES_MAX);
    let granted: Vec<Scope> = requests.iter().map(granted).collect();
    let written: Vec<String> = granted.iter().map(Scope::to_string).collect();
    assert_eq!(ScopeRequest::parse_all([written.join(" ").as_str()]), requests, "{written:?}");

    let origin = ExternalUrl::parse("https://registry.example").expect("a valid address");
    let challenge = Challenge { origin: &origin, service: "gangplank", scopes: granted };
    let header = challenge.header(Fault::InsufficientScope);
    assert!(HeaderValue::from_str(&header).is_ok(), "{header}");
}

fn granted(request: &ScopeRequest) -> Scope {
    match request {
        ScopeRequest::Repository { name, verbs } => {
            assert!(!verbs.is_empty());
            Scope::Repository { name: name.clone(), verbs: *verbs }
        }
        ScopeRequest::Catalog => Scope::Catalog,
    }
}
