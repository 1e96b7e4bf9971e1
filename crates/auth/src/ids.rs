//! Immutable ids, one type for each noun, so that a user's is never taken for a namespace's. A name may be given
//! anew after a deletion; an id never is.

use kv::Id;
use serde::{Deserialize, Serialize};

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
