//! Who may do what, until when: accounts, users, permissions, credentials, tokens, shares, and the repositories' life
//! records that all of it hangs on.
//!
//! The crate answers three questions. *Who is it?* [`Auth::authenticate`] and its sisters make a [`Principal`] of
//! credentials. *May it?* [`Auth::authorize`] makes a [`Permit`] of a principal, a repository and an action, and
//! nothing else does; whoever touches content takes one. *What changes?* The management functions change accounts,
//! users, namespaces, repositories, permissions, shares, personal tokens and access keys, each checking rights itself and
//! each in one commit with its [`Event`].
//!
//! It knows neither HTTP nor bytes of images, and it never reads the clock: `now` is a parameter.
//!
//! Two rules carry it. *A token only narrows*: every request looks the live state up, so that a revocation, a deadline,
//! a disabled account, a changed password or a deletion bites on the next request, whatever was issued before.
//! *Authority binds ids*: a name that was given anew opens nothing for what was issued under the old one.

#![deny(missing_docs)]

mod access_key_id;
mod access_keys;
mod access_tokens;
mod account_deletion;
mod accounts;
mod attempts;
mod authorize;
mod blocked_owners;
mod bootstrap;
mod catalog;
mod category;
mod credentials;
mod deadline;
mod deliveries;
mod delivery_failures;
mod delivery_lists;
mod directory;
mod directory_import;
mod error;
mod establish;
mod event_details;
mod event_kinds;
mod events;
mod holders;
mod ids;
mod key_files;
mod keys;
mod lists;
mod names;
mod namespaces;
mod narrowing;
mod networks;
mod notices;
mod passwords;
mod permission_batches;
mod permissions;
mod permit;
mod personal_tokens;
mod principal;
mod profiles;
mod reap;
mod recorder;
mod records;
mod repositories;
mod repository_lists;
mod reservations;
mod rights;
mod scope;
mod seal;
mod settings;
mod share_creation;
mod share_dues;
mod share_guard;
mod share_lists;
mod share_rows;
mod shared_tags;
mod shares;
mod sign_in_refusals;
mod signatures;
mod sources;
mod trail;
mod unknown_names;
mod usage;
mod users;
mod verified_tokens;
mod webhook_signature;
mod webhook_url;
mod webhooks;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use access_key_id::AccessKeyId;
pub use access_keys::AccessKey;
pub use access_tokens::AccessToken;
pub use accounts::Account;
pub use blocked_owners::{BLOCKED_OWNERS_MAX, BlockedOwner};
pub use catalog::Catalog;
pub use category::Category;
pub use deadline::{DeadlineError, parse_deadline};
pub use deliveries::{Attempt, AttemptEnd};
pub use delivery_failures::DeliveryFailure;
pub use delivery_lists::{Delivery, DeliveryStatus};
pub use directory::{
    DIRECTORY_ENTRIES_MAX, Directory, DirectoryAccessKey, DirectoryAccount, DirectoryUser, SealedCredential,
};
pub use directory_import::{DirectoryConflict, DirectoryReport, Gone};
pub use error::{AuthenticationError, Denied, Error, Thing};
pub use event_details::{EventDetail, ShareField};
pub use event_kinds::EventKind;
pub use events::{Actor, Event, EventResult};
pub use ids::{
    AccountId, DeliveryId, NamespaceId, NoticeId, PatternId, RepositoryId, ShareId, TokenId, UserId,
    WebhookId,
};
pub use key_files::KeysError;
pub use keys::{Keys, SigningKeys};
pub use names::{
    AccountName, DESCRIPTION_CHARACTERS_MAX, Description, NAME_CHARACTERS_MAX, Secret, UserName,
    turns_direction,
};
pub use namespaces::Namespace;
pub use narrowing::BoundPattern;
pub use networks::{Network, NetworkError};
pub use notices::{Notice, NoticeKind};
pub use permission_batches::{PERMISSIONS_AT_ONCE_MAX, UserLevel};
pub use permissions::{Permission, PermissionTarget};
pub use permit::{Action, ContentScope, PatternIds, Permit, PushAccess, Vacancy};
pub use personal_tokens::{Made, NewToken, PersonalToken};
pub use principal::{Principal, PrincipalId};
pub use profiles::{DISPLAY_NAME_CHARACTERS_MAX, Profile, ProfileChange};
pub use recorder::{Flushed, RefusedChange};
pub use records::{
    AccessKeyRecord, AccountRecord, BoundTags, Credential, Home, Level, NameRecord, NamespaceRecord,
    PasswordHash, PatternReap, PatternState, PermissionRecord, PersonalTokenPlace, PersonalTokenRecord,
    ReapRecord, RepositoryDetails, RepositoryLife, ShareRecord, SharedPattern, SharedTagsRecord,
    UnknownNames, UserRecord, Visibility,
};
pub use repositories::{DetailsChange, NewRepository, Repository, Which};
pub use repository_lists::NamedRepository;
pub use scope::{PATTERNS_MAX, SCOPES_MAX, Scope, ScopePattern, ScopeRequest, Verbs};
pub use seal::{Sealed, SealingKeys};
pub use settings::{PasswordCost, Settings};
pub use share_creation::SHARES_AT_ONCE_MAX;
pub use share_lists::{Grantees, SharePlace, SharesFound};
pub use shared_tags::{SHARED_PATTERNS_MAX, ShareTags, TagPatterns};
pub use shares::{NewShare, Share, ShareChange, ShareEnd};
pub use sign_in_refusals::SignInRefusal;
pub use signatures::{SIGNATURE_SKEW_MAX, long_term_password};
pub use trail::{EventFilter, EventOrder, EventPage, EventPlace};
pub use usage::{ShareUse, UsageOfDay, UsagePlace, UsageWanted};
pub use users::User;
pub use webhook_url::{Destinations, WEBHOOK_URL_BYTES_MAX, WebhookUrl};
pub use webhooks::{NewWebhook, ReceiverState, Webhook, WebhookChange};

use passwords::Passwords;
use recorder::Recorder;
use verified_tokens::VerifiedTokens;

/// The door to everything in this crate. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    inner: Arc<Inner>,
}

struct Inner {
    store: kv::Store,
    keys: Keys,
    settings: Settings,
    passwords: Passwords,
    verified_tokens: VerifiedTokens,
    recorder: Recorder,
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth").field("store", &self.inner.store).finish_non_exhaustive()
    }
}

impl Auth {
    /// Over `store`, signing and sealing with `keys`.
    #[must_use]
    pub fn new(store: kv::Store, keys: Keys, settings: Settings) -> Auth {
        let passwords = Passwords::new(&settings);
        let (verified_tokens, recorder) = (VerifiedTokens::new(), Recorder::default());
        Auth { inner: Arc::new(Inner { store, keys, settings, passwords, verified_tokens, recorder }) }
    }

    /// The store it works on.
    #[must_use]
    pub fn store(&self) -> &kv::Store {
        &self.inner.store
    }

    /// The server's region.
    #[must_use]
    pub fn region(&self) -> &kv::Region {
        self.inner.store.region()
    }

    /// The settings it works with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The public keys that tokens are verified with, as a JSON Web Key Set (RFC 7517).
    #[must_use]
    pub fn jwks(&self) -> serde_json::Value {
        self.inner.keys.signing.jwks()
    }

    pub(crate) fn signing_keys(&self) -> &SigningKeys {
        &self.inner.keys.signing
    }

    /// The keys that secrets are sealed with which must be readable again.
    #[must_use]
    pub fn sealing_keys(&self) -> &SealingKeys {
        &self.inner.keys.sealing
    }

    pub(crate) fn passwords(&self) -> &Passwords {
        &self.inner.passwords
    }

    pub(crate) fn verified_tokens(&self) -> &VerifiedTokens {
        &self.inner.verified_tokens
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.inner.recorder
    }
}
