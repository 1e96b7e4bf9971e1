//! The names of repositories and of the namespaces that hold them.
//!
//! ```text
//! team-a/web/api
//! ──────          namespace: one component, at most 64 bytes, not `manage`
//!        ───────  path: one component or more, at most 128 bytes
//! ```
//!
//! A component is `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`, as in "Pulling manifests" of the distribution
//! specification. Two rules are ours: a repository always lies in a namespace, and the lengths. They keep a
//! name within 193 bytes, so that a host of up to 61 bytes stays under the 255 that many clients allow for
//! host and name together.

use std::fmt;
use std::sync::Arc;

use crate::text::read_and_write_as_text;

/// The longest name of a namespace, in bytes.
pub const NAMESPACE_BYTES_MAX: usize = 64;

/// The longest path of a repository within its namespace, in bytes.
pub const PATH_BYTES_MAX: usize = 128;

/// The one name that no namespace may have: the interface of management uses it in its own paths.
pub const RESERVED_NAMESPACE: &str = "manage";

/// Why a text is not the name of a namespace or of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A repository's name has one component only.
    #[error("the name of a repository has two parts or more: namespace/path")]
    NoNamespace,
    /// A component has no bytes: the text is empty, or has a `/` at an end or two in a row.
    #[error("a part of the name is empty")]
    EmptyComponent,
    /// A byte that no component may hold.
    #[error("a name holds only the letters a to z, digits, and . _ - / between them")]
    Character,
    /// A component begins or ends with a separator, or holds one that is none of `.`, `_`, `__`, `-`, `--`,
    /// ….
    #[error(
        "each part of a name begins and ends with a letter or digit, with . _ __ or a run of - between them"
    )]
    Separator,
    /// More than [`NAMESPACE_BYTES_MAX`].
    #[error("a namespace's name has at most {NAMESPACE_BYTES_MAX} characters")]
    NamespaceTooLong,
    /// More than [`PATH_BYTES_MAX`].
    #[error("a repository's name has at most {PATH_BYTES_MAX} characters after its namespace")]
    PathTooLong,
    /// The namespace is [`RESERVED_NAMESPACE`].
    #[error("the namespace {RESERVED_NAMESPACE:?} is reserved")]
    Reserved,
}

/// The name of a namespace: one component, 1 to 64 bytes, not `manage`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespaceName(Arc<str>);

impl NamespaceName {
    /// Reads a name, strictly.
    pub fn parse(text: &str) -> Result<NamespaceName, NameError> {
        check_namespace(text)?;
        Ok(NamespaceName(text.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The full name of a repository, `namespace/path`. Ordered by its bytes. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryName {
    text: Arc<str>,
    namespace_bytes: usize,
}

impl RepositoryName {
    /// Reads a name, strictly: nothing is completed, trimmed or put into lower case.
    pub fn parse(text: &str) -> Result<RepositoryName, NameError> {
        let Some((namespace, path)) = text.split_once('/') else {
            check_component(text.as_bytes())?;
            return Err(NameError::NoNamespace);
        };
        check_namespace(namespace)?;
        if path.len() > PATH_BYTES_MAX {
            return Err(NameError::PathTooLong);
        }
        path.split('/').try_for_each(|component| check_component(component.as_bytes()))?;
        Ok(RepositoryName { text: text.into(), namespace_bytes: namespace.len() })
    }

    /// The full name, `namespace/path`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first component.
    pub fn namespace(&self) -> &str {
        &self.text[..self.namespace_bytes]
    }

    /// What follows the namespace: one component or more.
    pub fn path(&self) -> &str {
        &self.text[self.namespace_bytes + 1..]
    }
}

impl fmt::Display for NamespaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NamespaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NamespaceName({self})")
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RepositoryName({self})")
    }
}

read_and_write_as_text!(NamespaceName, NameError);
read_and_write_as_text!(RepositoryName, NameError);

fn check_namespace(text: &str) -> Result<(), NameError> {
    if text.len() > NAMESPACE_BYTES_MAX {
        return Err(NameError::NamespaceTooLong);
    }
    check_component(text.as_bytes())?;
    if text == RESERVED_NAMESPACE {
        return Err(NameError::Reserved);
    }
    Ok(())
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`: read as runs of letters and digits with runs of separators between
/// them.
fn check_component(component: &[u8]) -> Result<(), NameError> {
    if component.is_empty() {
        return Err(NameError::EmptyComponent);
    }
    if !component.iter().all(|byte| is_alphanumeric(byte) || b"._-".contains(byte)) {
        return Err(NameError::Character);
    }
    let ends_well =
        component.first().is_some_and(is_alphanumeric) && component.last().is_some_and(is_alphanumeric);
    let separators = component.split(is_alphanumeric).filter(|run| !run.is_empty());
    if !ends_well || !separators.into_iter().all(is_separator) {
        return Err(NameError::Separator);
    }
    Ok(())
}

fn is_alphanumeric(byte: &u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_separator(run: &[u8]) -> bool {
    matches!(run, b"." | b"_" | b"__") || run.iter().all(|byte| *byte == b'-')
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::{NameError, NamespaceName, RepositoryName};

    fn namespace(text: &str) -> Result<String, NameError> {
        NamespaceName::parse(text).map(|name| name.as_str().to_owned())
    }

    fn repository(text: &str) -> Result<(String, String), NameError> {
        RepositoryName::parse(text).map(|name| (name.namespace().to_owned(), name.path().to_owned()))
    }

    #[test]
    fn components() {
        let good = [
            "a",
            "0",
            "a0",
            "team-a",
            "a-b",
            "a--b",
            "a-----b",
            "a.b",
            "a_b",
            "a__b",
            "a.b_c__d-e---f",
            "0.0",
        ];
        for text in good {
            assert_eq!(namespace(text), Ok(text.to_owned()), "{text}");
        }
        let bad = [
            ("", NameError::EmptyComponent),
            ("A", NameError::Character),
            ("teamA", NameError::Character),
            ("a b", NameError::Character),
            (" a", NameError::Character),
            ("a\n", NameError::Character),
            ("a\0", NameError::Character),
            ("é", NameError::Character),
            ("а", NameError::Character), // a Cyrillic letter
            ("a+b", NameError::Character),
            ("a:b", NameError::Character),
            ("a@b", NameError::Character),
            ("a%2fb", NameError::Character),
            ("a\\b", NameError::Character),
            ("a/b", NameError::Character),
            (".", NameError::Separator),
            ("..", NameError::Separator),
            ("-", NameError::Separator),
            ("__", NameError::Separator),
            (".a", NameError::Separator),
            ("a.", NameError::Separator),
            ("-a", NameError::Separator),
            ("a-", NameError::Separator),
            ("_a", NameError::Separator),
            ("a_", NameError::Separator),
            ("a__", NameError::Separator),
            ("a..b", NameError::Separator),
            ("a___b", NameError::Separator),
            ("a____b", NameError::Separator),
            ("a._b", NameError::Separator),
            ("a-.b", NameError::Separator),
            ("a-_b", NameError::Separator),
            ("a_-b", NameError::Separator),
            ("a_._b", NameError::Separator),
            ("a.b..c", NameError::Separator),
            ("manage", NameError::Reserved),
        ];
        for (text, error) in bad {
            assert_eq!(namespace(text), Err(error), "{text:?}");
        }
        // Only the whole name is reserved.
        assert!(namespace("manager").is_ok() && namespace("manage-it").is_ok());
    }

    #[test]
    fn repositories_lie_in_namespaces() {
        let good = [
            ("team-a/web", "team-a", "web"),
            ("a/b/c/d", "a", "b/c/d"),
            ("a/manage", "a", "manage"),
            ("a/v2", "a", "v2"),
            ("a/blobs/uploads", "a", "blobs/uploads"),
        ];
        for (text, namespace, path) in good {
            assert_eq!(repository(text), Ok((namespace.to_owned(), path.to_owned())), "{text}");
        }
        let bad = [
            ("", NameError::EmptyComponent),
            ("/", NameError::EmptyComponent),
            ("a/", NameError::EmptyComponent),
            ("/a", NameError::EmptyComponent),
            ("a//b", NameError::EmptyComponent),
            ("a/b/", NameError::EmptyComponent),
            ("busybox", NameError::NoNamespace),
            ("Busybox", NameError::Character),
            ("a/B", NameError::Character),
            ("a/b c", NameError::Character),
            ("a/b:latest", NameError::Character),
            ("a/b/é", NameError::Character),
            ("a/..", NameError::Separator),
            ("../a", NameError::Separator),
            ("a/../b", NameError::Separator),
            ("a/.", NameError::Separator),
            ("a/-b", NameError::Separator),
            ("a/b-", NameError::Separator),
            ("a/b___c", NameError::Separator),
            ("manage/a", NameError::Reserved),
        ];
        for (text, error) in bad {
            assert_eq!(repository(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn lengths_are_counted_in_bytes() {
        let of = |bytes: usize| "a".repeat(bytes);
        assert!(namespace(&of(64)).is_ok());
        assert_eq!(namespace(&of(65)), Err(NameError::NamespaceTooLong));
        assert!(repository(&format!("{}/{}", of(64), of(128))).is_ok());
        assert_eq!(repository(&format!("{}/b", of(65))), Err(NameError::NamespaceTooLong));
        assert_eq!(repository(&format!("a/{}", of(129))), Err(NameError::PathTooLong));
        assert_eq!(repository(&format!("a/{}/{}", of(64), of(64))), Err(NameError::PathTooLong));
        assert!(repository(&format!("a/{}/{}", of(64), of(63))).is_ok());
        // 33 letters of two bytes each: too long before they are wrong.
        assert_eq!(namespace(&"é".repeat(33)), Err(NameError::NamespaceTooLong));
    }

    #[test]
    fn json_is_checked_too() {
        assert!(serde_json::from_str::<RepositoryName>(r#""a/B""#).is_err());
        assert!(serde_json::from_str::<NamespaceName>(r#""manage""#).is_err());
        assert!(serde_json::from_str::<NamespaceName>("1").is_err());
    }

    proptest! {
        #[test]
        fn what_the_specification_allows_is_read_and_written_alike(
            components in vec(r"[a-z0-9]{1,4}((\.|_|__|-{1,3})[a-z0-9]{1,3}){0,3}", 2..6)
        ) {
            let text = components.join("/");
            let name = RepositoryName::parse(&text).expect("the specification's grammar");
            prop_assert_eq!(name.to_string(), &text[..]);
            prop_assert_eq!(format!("{}/{}", name.namespace(), name.path()), &text[..]);
            let json = serde_json::to_string(&name).expect("a text");
            prop_assert_eq!(serde_json::from_str::<RepositoryName>(&json).expect("its own text"), name);
        }

        #[test]
        fn no_text_makes_it_panic_or_changes(text in r"[a-zA-Z0-9._/é-]{0,12}") {
            if let Ok(name) = RepositoryName::parse(&text) {
                prop_assert_eq!(name.as_str(), text);
            }
        }
    }
}
