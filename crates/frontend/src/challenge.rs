//! The `WWW-Authenticate` header of `/v2/`: where a token is to be had, and which scope it needs.
//!
//! Always Bearer, whatever the client tried: a Basic challenge after a rejected token makes containerd loop.

use std::fmt;

use auth::Scope;

use crate::ExternalUrl;

/// What is wrong with the token that was sent. Without it containerd uses its cached token again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// None was sent, or no token.
    None,
    /// It is not valid, or no longer.
    InvalidToken,
    /// It is valid and does not carry what is needed.
    InsufficientScope,
}

/// What a client needs to get a token.
#[derive(Debug)]
pub(crate) struct Challenge<'a> {
    /// The address that the client reached us at.
    pub(crate) origin: &'a ExternalUrl,
    /// The name of the service that tokens are for.
    pub(crate) service: &'a str,
    /// All that the request needs.
    pub(crate) scopes: Vec<Scope>,
}

impl Challenge<'_> {
    /// The header's value.
    pub(crate) fn header(&self, fault: Fault) -> String {
        let (origin, service) = (self.origin, Quoted(self.service));
        let mut header = format!("Bearer realm=\"{origin}/auth/token\",service={service}");
        if !self.scopes.is_empty() {
            let scopes: Vec<_> = self.scopes.iter().map(Scope::to_string).collect();
            header.push_str(&format!(",scope=\"{}\"", scopes.join(" ")));
        }
        match fault {
            Fault::None => {}
            Fault::InvalidToken => header.push_str(",error=\"invalid_token\""),
            Fault::InsufficientScope => header.push_str(",error=\"insufficient_scope\""),
        }
        header
    }
}

/// Text as a quoted string of RFC 9110, section 5.6.4; what cannot stand in a header is left out.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for character in self.0.chars().filter(|character| matches!(character, ' '..='~')) {
            if matches!(character, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{character}")?;
        }
        f.write_str("\"")
    }
}

#[cfg(test)]
mod tests {

    use auth::Verbs;
    use oci::RepositoryName;

    use super::{Challenge, ExternalUrl, Fault, Scope};

    #[test]
    fn header() {
        let origin = ExternalUrl::parse("http://localhost:5000").unwrap();
        let name = RepositoryName::parse("team-a/web").unwrap();
        let push = Scope::Repository { name, verbs: Verbs::PULL | Verbs::PUSH };
        let plain = Challenge { origin: &origin, service: "gangplank", scopes: Vec::new() };
        let begin = "Bearer realm=\"http://localhost:5000/auth/token\",service=\"gangplank\"";
        assert_eq!(plain.header(Fault::None), begin);
        let scoped = Challenge { scopes: vec![push.clone(), Scope::Catalog], ..plain };
        let scope = "scope=\"repository:team-a/web:pull,push registry:catalog:*\"";
        assert_eq!(scoped.header(Fault::None), format!("{begin},{scope}"));
        assert_eq!(scoped.header(Fault::InvalidToken), format!("{begin},{scope},error=\"invalid_token\""));
        assert_eq!(
            scoped.header(Fault::InsufficientScope),
            format!("{begin},{scope},error=\"insufficient_scope\"")
        );
        let odd = Challenge { service: "a\"b\\c\r\nd", ..scoped };
        assert!(odd.header(Fault::None).contains(r#"service="a\"b\\cd""#));
    }
}
