//! Names and texts that people give, parsed once: who holds one of these types need not check again.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Error;

/// The longest name of an account or a user, in characters.
pub const NAME_CHARACTERS_MAX: usize = 64;
/// The longest description, in characters.
pub const DESCRIPTION_CHARACTERS_MAX: usize = 1000;

/// An account's name: 1 to 64 of `a-z`, `0-9` and `-`; a letter first, no `-` last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountName(Arc<str>);

impl AccountName {
    /// Parses a name.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the rule that it breaks.
    pub fn parse(name: &str) -> Result<AccountName, Error> {
        let clean = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
        if clean && starts && !name.ends_with('-') && name.len() <= NAME_CHARACTERS_MAX {
            return Ok(AccountName(name.into()));
        }
        let reason =
            "an account's name has 1 to 64 characters of a-z, 0-9 and -, a letter first and no - last";
        Err(Error::Invalid { field: "account", reason: reason.to_owned() })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A user's name within its account: 1 to 64 of `a-z`, `0-9`, `.`, `_` and `-`; a letter or a digit at both ends.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserName(Arc<str>);

impl UserName {
    /// Parses a name.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the rule that it breaks.
    pub fn parse(name: &str) -> Result<UserName, Error> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let clean = name.chars().all(|c| plain(c) || matches!(c, '.' | '_' | '-'));
        if clean && name.starts_with(plain) && name.ends_with(plain) && name.len() <= NAME_CHARACTERS_MAX {
            return Ok(UserName(name.into()));
        }
        let reason = "a user's name has 1 to 64 characters of a-z, 0-9, '.', '_' and '-', a letter or a digit at both ends";
        Err(Error::Invalid { field: "user", reason: reason.to_owned() })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What somebody says of a thing: 0 to 1000 characters, without control characters other than line ends and tabs, and
/// without those that turn the direction of writing: they make a text read as what it is not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Description(Arc<str>);

impl Description {
    /// Parses a description.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the rule that it breaks.
    pub fn parse(text: &str) -> Result<Description, Error> {
        let invalid = |reason: &str| Error::Invalid { field: "description", reason: reason.to_owned() };
        if text.chars().count() > DESCRIPTION_CHARACTERS_MAX {
            return Err(invalid("a description has at most 1000 characters"));
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            return Err(invalid("a description has no control characters other than line ends and tabs"));
        }
        if text.chars().any(turns_direction) {
            return Err(invalid("a description has no characters that turn the direction of writing"));
        }
        Ok(Description(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `c` is one of Unicode's explicit directional controls (`Bidi_Control`): marks, embeddings, overrides, isolates.
#[must_use]
pub fn turns_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

macro_rules! text {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<$name, Error> {
                $name::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.as_str().to_owned()
            }
        }
    };
}

text!(AccountName);
text!(UserName);
text!(Description);

/// A password, a token: what must reach neither a log nor an error's text. Not comparable, so that nobody compares
/// one in a time that tells.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret in.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Secret {
        Secret(secret.into())
    }

    /// The secret itself.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::{AccountName, Description, Secret, UserName};

    #[test]
    fn account_names_table() {
        let long = "a".repeat(64);
        for good in ["a", "acme", "acme-x", "a1", "a--b", &long] {
            assert!(AccountName::parse(good).is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "-a", "a-", "1a", "A", "a_b", "a.b", "a b", "a@b", "a\n", "é", "a\0", &long] {
            assert!(AccountName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn user_names_table() {
        let long = "a".repeat(64);
        for good in ["a", "1", "dev", "j.doe", "ci_bot-2", "a..b", &long] {
            assert!(UserName::parse(good).is_ok(), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", ".a", "a.", "-a", "a-", "_a", "A", "a b", "a@b", "a/b", "a\n", "é", &long] {
            assert!(UserName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn descriptions_table() {
        let long = "é".repeat(1000);
        for good in ["", "for the pilot", "a\nb\tc", "日本語", "שלום", "مرحبا", "a\u{200d}b", &long]
        {
            assert!(Description::parse(good).is_ok(), "{good}");
        }
        let long = "é".repeat(1001);
        for bad in ["a\0", "a\x1b[31m", "a\r\n", "a\u{85}", &long] {
            assert!(Description::parse(bad).is_err(), "{bad:?}");
        }
        let turning = ['\u{61c}', '\u{200e}', '\u{200f}'].into_iter();
        for bad in turning.chain('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}') {
            assert!(Description::parse(&format!("a{bad}b")).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn secrets_do_not_show() {
        let shown = format!("{:?}", Secret::new("hunter22"));
        assert!(!shown.contains("hunter"), "{shown}");
    }
}
