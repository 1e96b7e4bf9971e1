//! Immutable ids, one type for each noun, so that a user's is never taken for a namespace's. A name may be given
//! anew after a deletion; an id never is.

use std::str::FromStr;

use kv::Id;
use serde::{Deserialize, Serialize};

use crate::Error;

fn read(text: &str) -> Result<Id, Error> {
    // Digits alone: a number's own parser takes a sign too.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let id = text.parse().ok().filter(|_| digits).and_then(Id::new);
    id.ok_or_else(|| Error::Invalid { field: "id", reason: "an id is a number below 2^53".to_owned() })
}

macro_rules! id {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Id);

        impl $name {
            /// A new one, from the system's random numbers.
            #[must_use]
            pub fn random() -> $name {
                $name(Id::random())
            }

            /// The id as the metadata's keys hold it.
            #[must_use]
            pub fn raw(self) -> Id {
                self.0
            }

            /// Its number, below 2⁵³.
            #[must_use]
            pub fn get(self) -> u64 {
                self.0.get()
            }
        }

        impl From<Id> for $name {
            fn from(id: Id) -> $name {
                $name(id)
            }
        }

        /// As answers give it: digits alone, of a number below 2⁵³.
        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<$name, Error> {
                read(text).map($name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// An account's.
    AccountId
}
id! {
    /// A user's.
    UserId
}
id! {
    /// A namespace's.
    NamespaceId
}
id! {
    /// A repository's.
    RepositoryId
}
id! {
    /// A share's.
    ShareId
}
id! {
    /// That of a pattern of tags in a repository. One that is used again after it was given up has another.
    PatternId
}
id! {
    /// A personal token's.
    TokenId
}
id! {
    /// A webhook's.
    WebhookId
}
id! {
    /// A notice's, later ones greater.
    NoticeId
}
id! {
    /// A delivery's, later ones greater.
    DeliveryId
}

#[cfg(test)]
mod tests {
    use super::TokenId;

    #[test]
    fn an_id_is_read_as_it_is_written_and_in_no_other_way() {
        for number in [0, 7, (1 << 53) - 1] {
            assert_eq!(number.to_string().parse::<TokenId>().unwrap().get(), number);
        }
        for bad in
            ["", "+7", "-7", " 7", "7 ", "7.0", "0x7", "v7", "9007199254740992", "18446744073709551617", "７"]
        {
            assert!(bad.parse::<TokenId>().is_err(), "{bad:?}");
        }
    }
}
