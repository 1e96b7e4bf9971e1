//! What may happen: the kinds of events, with the words that records and the API have for them.

use serde::{Deserialize, Serialize};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal;)+) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum EventKind { $($(#[doc = $doc])+ #[serde(rename = $text)] $variant,)+ }

        impl EventKind {
            /// All of them.
            pub const ALL: &[EventKind] = &[$(EventKind::$variant,)+];

            /// As it is written, in records and elsewhere.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(EventKind::$variant => $text,)+ }
            }

            /// What it says, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(EventKind::$variant => concat!($($doc,)+).trim_ascii(),)+ }
            }
        }
    };
}

kinds! {
    /// An account was made.
    AccountCreated = "account_created";
    /// An account was deleted.
    AccountDeleted = "account_deleted";
    /// An account was closed: it opens nothing any more.
    AccountDisabled = "account_disabled";
    /// A closed account was opened again.
    AccountEnabled = "account_enabled";
    /// An account got another password.
    AccountPasswordChanged = "account_password_changed";
    /// An account's display name or time zone was changed.
    AccountProfileChanged = "account_profile_changed";
    /// The reserved name of a deleted account was freed.
    AccountNameFreed = "account_name_freed";
    /// An account was taken over as its home, another region, has it.
    AccountImported = "account_imported";
    /// A user was made.
    UserCreated = "user_created";
    /// A user was deleted.
    UserDeleted = "user_deleted";
    /// A user was closed: it opens nothing any more.
    UserDisabled = "user_disabled";
    /// A closed user was opened again.
    UserEnabled = "user_enabled";
    /// A user got another password.
    UserPasswordChanged = "user_password_changed";
    /// A namespace was made.
    NamespaceCreated = "namespace_created";
    /// A namespace was deleted.
    NamespaceDeleted = "namespace_deleted";
    /// The reserved name of a deleted namespace was freed.
    NamespaceNameFreed = "namespace_name_freed";
    /// A repository was made, ahead of a push or by one.
    RepositoryCreated = "repository_created";
    /// A repository was deleted, with all it held.
    RepositoryDeleted = "repository_deleted";
    /// A repository was opened to everybody, which ended its shares.
    RepositoryMadePublic = "repository_made_public";
    /// A repository was closed to everybody who holds no right of their own.
    RepositoryMadePrivate = "repository_made_private";
    /// A repository got another description.
    RepositoryDescribed = "repository_described";
    /// A user was given a permission.
    PermissionSet = "permission_set";
    /// A permission was taken from a user.
    PermissionRemoved = "permission_removed";
    /// A repository was shared with another account.
    ShareCreated = "share_created";
    /// A share got another end, description, tags or time of notice: the detail says which.
    ShareUpdated = "share_updated";
    /// A share is about to end by its deadline.
    ShareEnding = "share_ending";
    /// A share ended by its deadline.
    ShareEnded = "share_ended";
    /// A share was ended, by its owner or with its image or the account that it was with.
    ShareRevoked = "share_revoked";
    /// An account left a share that was made with it.
    ShareLeft = "share_left";
    /// An account blocked an owner: it takes no shares from it.
    OwnerBlocked = "owner_blocked";
    /// An account takes shares from an owner again.
    OwnerUnblocked = "owner_unblocked";
    /// Somebody tried to share with an account that does not exist.
    UnknownNameTried = "unknown_name_tried";
    /// A personal token was made.
    PersonalTokenCreated = "personal_token_created";
    /// A personal token was ended.
    PersonalTokenRevoked = "personal_token_revoked";
    /// An access key pair was made.
    AccessKeyCreated = "access_key_created";
    /// An access key pair was closed: it opens nothing any more.
    AccessKeyDisabled = "access_key_disabled";
    /// A closed access key pair was opened again.
    AccessKeyEnabled = "access_key_enabled";
    /// An access key pair was deleted.
    AccessKeyDeleted = "access_key_deleted";
    /// A webhook was made.
    WebhookCreated = "webhook_created";
    /// A webhook was changed.
    WebhookUpdated = "webhook_updated";
    /// A webhook was disabled, for its receiver said that it is gone.
    WebhookDisabled = "webhook_disabled";
    /// A webhook was removed.
    WebhookDeleted = "webhook_deleted";
    /// A manifest was pushed, with the blobs that it names.
    ManifestPushed = "manifest_pushed";
    /// A manifest was deleted, with its tags.
    ManifestDeleted = "manifest_deleted";
    /// A tag was deleted.
    TagDeleted = "tag_deleted";
    /// A blob was taken out of a repository.
    BlobDeleted = "blob_deleted";
    /// A manifest was pulled; its blobs' pulls are no events of their own.
    ManifestPulled = "manifest_pulled";
    /// A change was refused to somebody who lacks the right: the detail has the call.
    ChangeRefused = "change_refused";
    /// Somebody signed in with a password, a personal token or an access key.
    SignedIn = "signed_in";
    /// Somebody was refused who named this account, or a user of it.
    SignInFailed = "sign_in_failed";
    /// An access or refresh token was issued.
    TokenIssued = "token_issued";
    /// An administrator read this trail.
    TrailRead = "trail_read";
    /// More happened than could be kept: so many events are not in the trail.
    EventsLost = "events_lost";
}

impl EventKind {
    /// The kind that is written so.
    #[must_use]
    pub fn parse(text: &str) -> Option<EventKind> {
        EventKind::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::EventKind;

    #[test]
    fn a_kind_is_written_in_records_as_elsewhere() {
        for kind in EventKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(EventKind::parse(kind.as_str()), Some(*kind));
            assert!(kind.meaning().ends_with('.'), "{kind:?}");
        }
        assert_eq!(EventKind::parse("SignedIn"), None);
    }
}
