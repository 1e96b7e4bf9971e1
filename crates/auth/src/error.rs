//! What may go wrong, in three enums: doing something ([`Error`]), finding out who asks ([`AuthenticationError`]) and
//! finding out whether they may ([`Denied`]). Variants are named after what a caller does next; none holds a secret.

use jiff::Timestamp;
use oci::RepositoryName;

use crate::{AccountName, RepositoryId, Scope};

/// A noun that a request named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// An account.
    Account,
    /// A user of an account.
    User,
    /// A namespace.
    Namespace,
    /// A repository.
    Repository,
    /// A user's permission.
    Permission,
    /// A share.
    Share,
    /// A personal token.
    PersonalToken,
    /// An owner that an account blocks.
    BlockedOwner,
    /// An access key pair.
    AccessKey,
    /// A webhook.
    Webhook,
    /// A delivery to a webhook.
    Delivery,
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Thing::Account => "account",
            Thing::User => "user",
            Thing::Namespace => "namespace",
            Thing::Repository => "repository",
            Thing::Permission => "permission",
            Thing::Share => "share",
            Thing::PersonalToken => "personal token",
            Thing::BlockedOwner => "blocked owner",
            Thing::AccessKey => "access key",
            Thing::Webhook => "webhook",
            Thing::Delivery => "delivery",
        })
    }
}

/// Why something was not done. Nothing was changed, except perhaps where a variant says so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is signed in.
    #[error("sign in first")]
    Unauthenticated,
    /// The caller sees the thing, and may not do this with it.
    #[error("you may not do this")]
    Forbidden,
    /// There is none, or the caller may not know of it.
    #[error("there is no such {what}")]
    NotFound {
        /// What was named.
        what: Thing,
    },
    /// The name is taken.
    #[error("this {what} exists already")]
    Exists {
        /// What was named.
        what: Thing,
    },
    /// The name of something deleted is kept from others for a while.
    #[error("the name of this {what} is reserved until {until}")]
    Reserved {
        /// What was named.
        what: Thing,
        /// From this instant on it may be taken.
        until: Timestamp,
    },
    /// A value of the request is wrong.
    #[error("{reason}")]
    Invalid {
        /// The value's name.
        field: &'static str,
        /// The rule that it breaks.
        reason: String,
    },
    /// There may be no more.
    #[error("there may be at most {max} {what}")]
    Limit {
        /// What is counted, in the plural.
        what: &'static str,
        /// The bound.
        max: u64,
    },
    /// It still holds something; empty it first.
    #[error("this {what} still holds something")]
    NotEmpty {
        /// What was to be deleted.
        what: Thing,
    },
    /// The account to share with does not exist. Only said to who may share; counted.
    #[error("there is no such account to share with")]
    UnknownAccount,
    /// This account named too many accounts that do not exist; try again in an hour.
    #[error("too many unknown accounts were named; try again later")]
    TooManyUnknownNames,
    /// Images are shared within a region only.
    #[error("this server's region is {ours}; images are not shared across regions")]
    OtherRegion {
        /// This server's region.
        ours: kv::Region,
    },
    /// The account was imported: its home, another region's server, manages it, its users and their credentials.
    #[error("this account's home is the region {home}; change it there, and import it again")]
    OtherHome {
        /// The region.
        home: String,
    },
    /// Only private images are shared.
    #[error("the image is public; only private images are shared")]
    PublicImage,
    /// An account does not share with itself.
    #[error("an account cannot share with itself")]
    ShareWithSelf,
    /// The account to share with has blocked the one that shares.
    #[error("this account takes no shares from yours")]
    Blocked,
    /// The deadline has passed already.
    #[error("the deadline lies in the past")]
    DeadlinePast,
    /// One of several shares that were to be made at once cannot be, so that none was.
    #[error("{repository} with {grantee}: {error}")]
    OneOfShares {
        /// Which of them, from 0 on, as they were given.
        index: usize,
        /// What was to be shared.
        repository: RepositoryName,
        /// The account that it was to be shared with.
        grantee: AccountName,
        /// Why it cannot be.
        error: Box<Error>,
    },
    /// What the tags of a share reach is to be counted first: have it counted, and come again. The patterns are noted for
    /// that, nothing else is done.
    #[error("what the shared tags reach is not yet counted; try again")]
    TagsUncounted {
        /// Where: each repository of the call whose tags are not.
        repositories: Vec<RepositoryId>,
    },
    /// The current password, which the change needs, is wrong or missing.
    #[error("the current password is wrong")]
    WrongPassword,
    /// There must remain somebody who administers the registry.
    #[error("this is the last account that administers the registry")]
    LastAdministrator,
    /// Too much waits, or others change the same thing; try again.
    #[error("the registry is busy; try again")]
    Busy,
    /// A key folder, a signature or a hash failed below us.
    #[error("cryptography failed: {0}")]
    Crypto(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The metadata failed. What was to be done may be done.
    #[error(transparent)]
    Store(kv::Error),
}

impl Error {
    pub(crate) fn crypto(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::Crypto(error.into())
    }

    /// The same of one of several shares, unless it is nothing to do with that one.
    pub(crate) fn of_share(self, index: usize, repository: &RepositoryName, grantee: &AccountName) -> Error {
        match self {
            Error::Unauthenticated | Error::Busy | Error::Crypto(_) | Error::Store(_) => self,
            error => Error::OneOfShares {
                index,
                repository: repository.clone(),
                grantee: grantee.clone(),
                error: Box::new(error),
            },
        }
    }
}

impl From<kv::Error> for Error {
    fn from(error: kv::Error) -> Error {
        match error {
            kv::Error::Busy => Error::Busy,
            other => Error::Store(other),
        }
    }
}

/// Why credentials stand for nobody.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticationError {
    /// They are wrong, or what they stood for is closed or gone: one answer for all of it.
    #[error("the credentials are not valid")]
    Rejected,
    /// The token was good until `at`; get a new one.
    #[error("the token expired at {at}")]
    Expired {
        /// Its end.
        at: Timestamp,
    },
    /// They name another region than this server's, which alone they could be checked in.
    #[error("this server's region is {ours}; sign in as {ours}@ACCESSKEY, or at the other region's server")]
    OtherRegion {
        /// This server's region.
        ours: kv::Region,
    },
    /// They could not be checked.
    #[error(transparent)]
    Failed(Error),
}

impl From<Error> for AuthenticationError {
    fn from(error: Error) -> AuthenticationError {
        AuthenticationError::Failed(error)
    }
}

impl From<kv::Error> for AuthenticationError {
    fn from(error: kv::Error) -> AuthenticationError {
        AuthenticationError::Failed(error.into())
    }
}

/// Why no [`crate::Permit`] was given. The same for what is missing and for what the caller may not know of.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    /// Nobody is signed in, and the thing is not public, whether it exists or not.
    #[error("sign in first")]
    Unauthenticated,
    /// The right is held, but the access token does not carry it: get one that does.
    #[error("the token lacks a scope")]
    InsufficientScope {
        /// All that the request needs.
        needed: Vec<Scope>,
    },
    /// Visible, but the right is not held.
    #[error("you may not do this")]
    Forbidden,
    /// Missing, or invisible.
    #[error("there is no such repository")]
    NotFound,
    /// Missing, in a namespace that the caller sees: to be told as [`Denied::NotFound`], except where nothing is an
    /// answer.
    #[error("there is no such repository")]
    Vacant,
    /// It could not be found out.
    #[error(transparent)]
    Failed(Error),
}

impl From<Error> for Denied {
    fn from(error: Error) -> Denied {
        Denied::Failed(error)
    }
}

impl From<kv::Error> for Denied {
    fn from(error: kv::Error) -> Denied {
        Denied::Failed(error.into())
    }
}

/// For callers that answer with one kind of error: the management functions.
impl From<Denied> for Error {
    fn from(denied: Denied) -> Error {
        match denied {
            Denied::Unauthenticated => Error::Unauthenticated,
            Denied::InsufficientScope { .. } | Denied::Forbidden => Error::Forbidden,
            Denied::NotFound | Denied::Vacant => Error::NotFound { what: Thing::Repository },
            Denied::Failed(error) => error,
        }
    }
}
