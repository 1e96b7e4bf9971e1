//! Scopes of the docker token specification: `repository:team-a/web:pull,push`, `registry:catalog:*`. What a client
//! asks for ([`ScopeRequest`]) is whatever it likes; what is granted ([`Scope`]) is what it holds of it.

use std::fmt;

use oci::RepositoryName;
use serde::{Deserialize, Serialize};

use crate::{Action, Error};

/// How many scopes of one request are looked at; the rest is ignored.
pub const SCOPES_MAX: usize = 32;
/// How many patterns narrow one personal token.
pub const PATTERNS_MAX: usize = 64;

/// A set of the verbs that scopes know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verbs(u8);

impl Verbs {
    /// None.
    pub const NONE: Verbs = Verbs(0);
    /// Reading.
    pub const PULL: Verbs = Verbs(1);
    /// Writing.
    pub const PUSH: Verbs = Verbs(2);
    /// Deleting tags, manifests and blobs, each as far as the right reaches.
    pub const DELETE: Verbs = Verbs(4);
    /// Sharing, permissions, visibility, the deletion of the repository: what no token of the registry protocol carries.
    pub const MANAGE: Verbs = Verbs(8);
    /// All, written `*`.
    pub const ALL: Verbs = Verbs(15);
    /// All that the registry protocol knows.
    pub const REGISTRY: Verbs = Verbs(7);

    /// Those of a comma-separated list; unknown ones count for nothing.
    #[must_use]
    pub fn parse(list: &str) -> Verbs {
        list.split(',')
            .fold(Verbs::NONE, |verbs, verb| verbs | Verbs::named(verb.trim()).unwrap_or(Verbs::NONE))
    }

    fn named(verb: &str) -> Option<Verbs> {
        Some(match verb {
            "pull" => Verbs::PULL,
            "push" => Verbs::PUSH,
            "delete" => Verbs::DELETE,
            "*" => Verbs::ALL,
            _ => return None,
        })
    }

    /// Whether it is the empty set.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Verbs::NONE
    }

    /// Whether all of `other` is in it.
    #[must_use]
    pub fn contains(self, other: Verbs) -> bool {
        self & other == other
    }

    /// The words of the set, in a fixed order.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        if self == Verbs::ALL {
            return vec!["*"];
        }
        let table = [(Verbs::PULL, "pull"), (Verbs::PUSH, "push"), (Verbs::DELETE, "delete")];
        table.into_iter().filter(|(verb, _)| self.contains(*verb)).map(|(_, word)| word).collect()
    }
}

impl std::ops::BitOr for Verbs {
    type Output = Verbs;

    fn bitor(self, other: Verbs) -> Verbs {
        Verbs(self.0 | other.0)
    }
}

impl std::ops::BitAnd for Verbs {
    type Output = Verbs;

    fn bitand(self, other: Verbs) -> Verbs {
        Verbs(self.0 & other.0)
    }
}

impl fmt::Display for Verbs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(","))
    }
}

/// In tokens: a list of words, as the token specification has it.
impl Serialize for Verbs {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Verbs {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Verbs, D::Error> {
        Ok(Verbs::parse(&Vec::<String>::deserialize(deserializer)?.join(",")))
    }
}

impl From<Action> for Verbs {
    /// The verb that a token must carry for `action`.
    fn from(action: Action) -> Verbs {
        match action {
            Action::Pull => Verbs::PULL,
            Action::Push => Verbs::PUSH,
            Action::DeleteTag | Action::Delete => Verbs::DELETE,
            Action::Manage => Verbs::MANAGE,
        }
    }
}

/// A scope that was granted, or that a request needs. Its text is the token specification's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// `repository:NAME:VERBS`.
    Repository {
        /// The repository.
        name: RepositoryName,
        /// What may be done with it.
        verbs: Verbs,
    },
    /// `registry:catalog:*`.
    Catalog,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scope::Repository { name, verbs } => write!(f, "repository:{name}:{verbs}"),
            Scope::Catalog => f.write_str("registry:catalog:*"),
        }
    }
}

/// A scope that a client asked for and that means something here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScopeRequest {
    /// Something to do with a repository, which may not exist.
    Repository {
        /// The repository.
        name: RepositoryName,
        /// What the client would like to do; never empty.
        verbs: Verbs,
    },
    /// The list of repositories.
    Catalog,
}

impl ScopeRequest {
    /// Those in `values`, each of which may hold several, separated by spaces. Unknown types, malformed ones and what
    /// goes beyond [`SCOPES_MAX`] are left out, as the token specification wants it: never an error. Two of one
    /// repository are one.
    pub fn parse_all<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<ScopeRequest> {
        let mut requests: Vec<ScopeRequest> = Vec::new();
        let words = values.into_iter().flat_map(|value| value.split(' ')).filter(|word| !word.is_empty());
        for request in words.take(SCOPES_MAX).filter_map(ScopeRequest::parse) {
            if !requests.iter_mut().any(|earlier| earlier.take_in(&request)) {
                requests.push(request);
            }
        }
        requests
    }

    /// A resource's name may hold colons: the type ends at the first one, the verbs begin after the last one.
    fn parse(word: &str) -> Option<ScopeRequest> {
        let (kind, rest) = word.split_once(':')?;
        let (name, list) = rest.rsplit_once(':')?;
        let verbs = Verbs::parse(list);
        match kind {
            "repository" if !verbs.is_empty() => {
                Some(ScopeRequest::Repository { name: RepositoryName::parse(name).ok()?, verbs })
            }
            "registry" if name == "catalog" && verbs == Verbs::ALL => Some(ScopeRequest::Catalog),
            _ => None,
        }
    }

    /// Takes `other` in, if both are of one thing.
    fn take_in(&mut self, other: &ScopeRequest) -> bool {
        match (self, other) {
            (
                ScopeRequest::Repository { name, verbs },
                ScopeRequest::Repository { name: same, verbs: more },
            ) if name == same => {
                *verbs = *verbs | *more;
                true
            }
            (ScopeRequest::Catalog, ScopeRequest::Catalog) => true,
            _ => false,
        }
    }
}

/// What narrows a personal token: `repository:team-a/web:pull`, or `repository:team-a/*:pull,push` for all
/// repositories of a namespace. Its text is its form in records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScopePattern {
    names: Names,
    verbs: Verbs,
}

/// The names that a pattern means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Names {
    /// This one.
    One(RepositoryName),
    /// All in the namespace of this name.
    Namespace(oci::NamespaceName),
}

impl ScopePattern {
    /// Parses a pattern.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the rule that it breaks.
    pub fn parse(pattern: &str) -> Result<ScopePattern, Error> {
        ScopePattern::parsed(pattern).ok_or_else(|| Error::Invalid {
            field: "scope",
            reason: format!(
                "a scope is written repository:team-a/web:pull,push or repository:team-a/*:pull, with the verbs \
                 pull, push, delete or *; this is none: {pattern:?}"
            ),
        })
    }

    fn parsed(pattern: &str) -> Option<ScopePattern> {
        let (name, list) = pattern.strip_prefix("repository:")?.rsplit_once(':')?;
        // What a person narrows a token to must not lose a word on the way.
        let verbs = list.split(',').try_fold(Verbs::NONE, |verbs, verb| Some(verbs | Verbs::named(verb)?))?;
        let names = match name.strip_suffix("/*") {
            Some(namespace) => Names::Namespace(oci::NamespaceName::parse(namespace).ok()?),
            None => Names::One(RepositoryName::parse(name).ok()?),
        };
        Some(ScopePattern { names, verbs })
    }

    /// The verbs that it leaves for the repository `name`.
    #[must_use]
    pub fn allows(&self, name: &RepositoryName) -> Verbs {
        let matches = match &self.names {
            Names::One(one) => one == name,
            Names::Namespace(namespace) => namespace.as_str() == name.namespace(),
        };
        if matches { self.verbs } else { Verbs::NONE }
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }
}

impl fmt::Display for ScopePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.names {
            Names::One(name) => write!(f, "repository:{name}:{}", self.verbs),
            Names::Namespace(namespace) => write!(f, "repository:{namespace}/*:{}", self.verbs),
        }
    }
}

impl TryFrom<String> for ScopePattern {
    type Error = Error;

    fn try_from(pattern: String) -> Result<ScopePattern, Error> {
        ScopePattern::parse(&pattern)
    }
}

impl From<ScopePattern> for String {
    fn from(pattern: ScopePattern) -> String {
        pattern.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::{SCOPES_MAX, ScopePattern, ScopeRequest, Verbs};

    fn parsed(values: &[&str]) -> Vec<String> {
        let requests = ScopeRequest::parse_all(values.iter().copied());
        requests
            .iter()
            .map(|request| match request {
                ScopeRequest::Repository { name, verbs } => format!("{name} {verbs}"),
                ScopeRequest::Catalog => "catalog".to_owned(),
            })
            .collect()
    }

    #[test]
    fn requests_table() {
        let table: [(&[&str], &[&str]); 17] = [
            (&["repository:a/b:pull"], &["a/b pull"]),
            (&["repository:a/b:push,pull"], &["a/b pull,push"]),
            (&["repository:a/b:*"], &["a/b *"]),
            (&["repository:a/b:pull,*"], &["a/b *"]),
            (&["repository:a/b:pull,fly"], &["a/b pull"]),
            (&["repository:a/b:fly"], &[]),
            (&["repository:a/b:"], &[]),
            (&["repository:a/b"], &[]),
            (&["repository:a:pull"], &[]),
            (&["repository:host:5000/a/b:pull"], &[]),
            (&["repository(plugin):a/b:pull"], &[]),
            (&["registry:catalog:*"], &["catalog"]),
            (&["registry:catalog:*", "registry:catalog:*"], &["catalog"]),
            (&["registry:other:*"], &[]),
            (
                &["repository:a/b:pull repository:a/c:pull", "repository:a/b:push"],
                &["a/b pull,push", "a/c pull"],
            ),
            (&["  repository:a/b:pull  "], &["a/b pull"]),
            (&["", ":", "::", ":::"], &[]),
        ];
        for (values, expected) in table {
            assert_eq!(parsed(values), expected, "{values:?}");
        }
    }

    #[test]
    fn requests_are_bounded() {
        let many: Vec<String> = (0..1000).map(|n| format!("repository:a/b{n}:pull")).collect();
        assert_eq!(ScopeRequest::parse_all(many.iter().map(String::as_str)).len(), SCOPES_MAX);
        assert_eq!(ScopeRequest::parse_all([many.join(" ").as_str()]).len(), SCOPES_MAX);
    }

    #[test]
    fn patterns_table() {
        for good in
            ["repository:a/b:pull", "repository:a/*:pull,push", "repository:a/b:*", "repository:a/b/c:delete"]
        {
            assert_eq!(ScopePattern::parse(good).unwrap().to_string(), good);
        }
        let bad = [
            "",
            "repository",
            "repository:a/b",
            "repository:a/b:",
            "repository:a/b:fly",
            "repository:a/b:pull,fly",
            "repository:a:pull",
            "repository:*:pull",
            "repository:*/*:pull",
            "repository:a/b/*:pull",
            "repository:/*:pull",
            "repository:a*:pull",
            "registry:catalog:*",
            "repository:manage/*:pull",
        ];
        for bad in bad {
            assert!(ScopePattern::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Verbs::parse("pull,push,delete"), Verbs::REGISTRY);
    }
}
