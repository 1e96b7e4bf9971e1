//! The public half of an access key pair, and the name that docker signs in with by it.

use std::fmt;

use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::Error;

const CHARACTERS: usize = 20;
const ALPHABET: &[u8; 36] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// The public half of an access key pair: 20 of `A-Z` and `0-9`. In `region@ACCESSKEY` it cannot be taken for an
/// account's name, which has no capital letters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccessKeyId(String);

impl AccessKeyId {
    /// A new one, from the system's random numbers: about 103 bits.
    #[must_use]
    pub fn random() -> AccessKeyId {
        AccessKeyId(random_text(ALPHABET, CHARACTERS))
    }

    /// Parses one.
    ///
    /// # Errors
    /// [`Error::Invalid`] with the rule that it breaks.
    pub fn parse(text: &str) -> Result<AccessKeyId, Error> {
        if text.len() == CHARACTERS && text.bytes().all(|b| ALPHABET.contains(&b)) {
            return Ok(AccessKeyId(text.to_owned()));
        }
        let reason = "an access key has 20 characters of A-Z and 0-9".to_owned();
        Err(Error::Invalid { field: "access_key", reason })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccessKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for AccessKeyId {
    type Error = Error;

    fn try_from(text: String) -> Result<AccessKeyId, Error> {
        AccessKeyId::parse(&text)
    }
}

impl From<AccessKeyId> for String {
    fn from(id: AccessKeyId) -> String {
        id.0
    }
}

/// `characters` random ones of `alphabet`.
pub(crate) fn random_text(alphabet: &[u8], characters: usize) -> String {
    let mut random = rand::rng();
    (0..characters).map(|_| char::from(alphabet[random.random_range(0..alphabet.len())])).collect()
}

/// The name that docker signs in with by an access key: `region@ACCESSKEY`. `None` for all other names.
pub(crate) fn parse_long_term_login(username: &str) -> Option<(&str, AccessKeyId)> {
    let (region, access_key) = username.rsplit_once('@')?;
    Some((region, AccessKeyId::parse(access_key).ok()?))
}

#[cfg(test)]
mod tests {
    use super::{AccessKeyId, parse_long_term_login};
    use crate::AccountName;

    #[test]
    fn access_keys_table() {
        for good in ["ABCDEFGHIJKLMNOPQRST", "00000000000000000000", AccessKeyId::random().as_str()] {
            assert!(AccessKeyId::parse(good).is_ok(), "{good}");
        }
        let long = "A".repeat(1 << 20);
        for bad in [
            "",
            "ABCDEFGHIJKLMNOPQRS",
            "ABCDEFGHIJKLMNOPQRSTU",
            "abcdefghijklmnopqrst",
            "ABCDEFGHIJKLMNOPQRS-",
            "ABCDEFGHIJKLMNOPQRS\n",
            "ABCDEFGHIJKLMNOPQRÉ",
            &long,
        ] {
            assert!(AccessKeyId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn no_access_key_is_an_accounts_name() {
        for _ in 0..1000 {
            assert!(AccountName::parse(AccessKeyId::random().as_str()).is_err());
        }
        // Digits alone do not begin a name.
        assert!(AccountName::parse("00000000000000000000").is_err());
    }

    #[test]
    fn long_term_logins_table() {
        let access_key = AccessKeyId::random();
        let parsed = |text: &str| {
            parse_long_term_login(text).map(|(region, access_key)| (region.to_owned(), access_key))
        };
        for region in ["here", "", "a@b"] {
            let login = format!("{region}@{access_key}");
            assert_eq!(parsed(&login), Some((region.to_owned(), access_key.clone())), "{login}");
        }
        for other in ["acme", "dev@acme", "@", "", access_key.as_str(), &format!("{access_key}@here")] {
            assert_eq!(parsed(other), None, "{other}");
        }
    }
}
