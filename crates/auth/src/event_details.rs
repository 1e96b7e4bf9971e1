//! What an event's detail says: the one place that writes it, in English, and the one that reads it again.
//!
//! A record holds the English text, which the API, the command line and every record of before have too. Whoever shows it
//! in another language, or with instants in another zone, reads it with [`EventDetail::read`] and says what it found. What
//! it cannot read stays the text that it is: nothing is shown that the record does not say.

use std::fmt;

use jiff::Timestamp;

use crate::EventKind;
use crate::records::Level;
use crate::sign_in_refusals::SignInRefusal;

/// An event's detail. Names are as they were written: what they named may be gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventDetail {
    /// Of a share: what it is now.
    Share {
        /// The account that it is with.
        grantee: String,
        /// Its end; `None`: it is permanent.
        deadline: Option<Timestamp>,
        /// The patterns of the tags that it is narrowed to, if it is.
        tags: Vec<String>,
        /// What of it was changed, if it was there before.
        changed: Vec<ShareField>,
    },
    /// Of a share that is gone: the account that it was with.
    ShareGone {
        /// By name.
        grantee: String,
    },
    /// Of a name that no account has: which image was to be shared with it.
    ToShare {
        /// By name.
        repository: String,
    },
    /// Whose permission, and which one.
    Permission {
        /// The user, by name.
        user: String,
        /// What it may do now.
        level: Level,
    },
    /// The region that an account was imported from.
    FromRegion(String),
    /// A personal token that was made or revoked, by id.
    Token(String),
    /// An access key, by id: what was done to it, or what was signed in with.
    AccessKey(String),
    /// What was pushed.
    Pushed {
        /// Whether it is an index of images, or one image.
        index: bool,
        /// Its digest.
        digest: String,
        /// The tags that it got.
        tags: Vec<String>,
    },
    /// A tag that was put on what another one is on.
    Tagged {
        /// What both are on.
        digest: String,
        /// The new one.
        tag: String,
        /// The other one.
        source: String,
    },
    /// It was pulled as everybody may.
    PulledAsPublic,
    /// It was signed in with the password.
    Password,
    /// It was signed in with that personal token.
    PersonalToken(String),
    /// It was not signed in.
    SignInRefused(SignInRefusal),
    /// An access token was issued, for these scopes.
    AccessToken(String),
    /// A refresh token was issued.
    RefreshToken,
    /// Nothing but names, and the same in each language: a tag, a digest, a host, a user, a call.
    Names(String),
    /// What this version does not read, as it was written.
    Other(String),
}

/// What of a share may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareField {
    /// Its end.
    Deadline,
    /// Its description.
    Description,
    /// The tags that it is narrowed to.
    Tags,
    /// When its near end is told.
    Notice,
}

impl ShareField {
    /// All of them.
    pub const ALL: &[ShareField] =
        &[ShareField::Deadline, ShareField::Description, ShareField::Tags, ShareField::Notice];

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ShareField::Deadline => "deadline",
            ShareField::Description => "description",
            ShareField::Tags => "tags",
            ShareField::Notice => "notice",
        }
    }
}

impl EventDetail {
    /// One of each, with the kind of an event that has it.
    pub const EXAMPLES: &[(EventKind, &str)] = &[
        (EventKind::ShareCreated, "with globex until 2027-01-31T16:00:00Z"),
        (EventKind::ShareEnding, "with globex permanent, tags v1.* latest"),
        (
            EventKind::ShareUpdated,
            "with globex permanent, tags v1.*; changed: deadline, description, tags, notice",
        ),
        (EventKind::ShareRevoked, "with globex"),
        (EventKind::UnknownNameTried, "to share team-a/web with"),
        (EventKind::PermissionSet, "dev: read"),
        (EventKind::AccountImported, "from the region main"),
        (EventKind::PersonalTokenCreated, "token 17"),
        (EventKind::AccessKeyCreated, "access key AKIDEXAMPLE"),
        (EventKind::ManifestPushed, "image sha256:9f86 tags: a,b"),
        (EventKind::ManifestPushed, "index sha256:9f86 tags: "),
        (EventKind::ManifestPushed, "sha256:9f86 tags: v1 (as latest)"),
        (EventKind::ManifestPulled, "public"),
        (EventKind::SignedIn, "password"),
        (EventKind::SignedIn, "personal token 17"),
        (EventKind::SignInFailed, "disabled"),
        (EventKind::SignInFailed, "wrong password"),
        (EventKind::SignInFailed, "unknown user"),
        (EventKind::SignInFailed, "personal token 17 under another name"),
        (EventKind::SignInFailed, "personal token 17 has ended"),
        (EventKind::SignInFailed, "refresh token of a credential that has ended"),
        (EventKind::SignInFailed, "access key AKIDEXAMPLE, not proven"),
        (EventKind::SignInFailed, "access key AKIDEXAMPLE, closed"),
        (EventKind::TokenIssued, "access repository:team-a/web:pull"),
        (EventKind::TokenIssued, "access"),
        (EventKind::TokenIssued, "refresh"),
        (EventKind::ManifestPulled, "v1 sha256:9f86"),
        (EventKind::ChangeRefused, "DELETE /api/v1/repositories/team-a/web"),
    ];

    /// What the detail of an event of that kind says.
    #[must_use]
    pub fn read(kind: EventKind, text: &str) -> EventDetail {
        let found = parse(kind, text).filter(|found| found.to_string() == text);
        found.unwrap_or_else(|| EventDetail::Other(text.to_owned()))
    }

    /// In English, with instants as `at` writes them.
    #[must_use]
    pub fn english(&self, at: impl Fn(Timestamp) -> String) -> String {
        match self {
            EventDetail::Share { grantee, deadline, tags, changed } => {
                let end = deadline.map_or_else(|| "permanent".to_owned(), |end| format!("until {}", at(end)));
                let (tags, changed) =
                    (after(", tags ", tags, " "), after("; changed: ", &words(changed), ", "));
                format!("with {grantee} {end}{tags}{changed}")
            }
            EventDetail::ShareGone { grantee } => format!("with {grantee}"),
            EventDetail::ToShare { repository } => format!("to share {repository} with"),
            EventDetail::Permission { user, level } => format!("{user}: {}", level_word(*level)),
            EventDetail::FromRegion(region) => format!("from the region {region}"),
            EventDetail::Token(id) => format!("token {id}"),
            EventDetail::AccessKey(id) => format!("access key {id}"),
            EventDetail::Pushed { index, digest, tags } => {
                format!("{} {digest} tags: {}", if *index { "index" } else { "image" }, tags.join(","))
            }
            EventDetail::Tagged { digest, tag, source } => format!("{digest} tags: {tag} (as {source})"),
            EventDetail::PulledAsPublic => "public".to_owned(),
            EventDetail::Password => "password".to_owned(),
            EventDetail::PersonalToken(id) => format!("personal token {id}"),
            EventDetail::SignInRefused(reason) => reason.english(),
            EventDetail::AccessToken(scopes) => format!("access {scopes}").trim_end().to_owned(),
            EventDetail::RefreshToken => "refresh".to_owned(),
            EventDetail::Names(text) | EventDetail::Other(text) => text.clone(),
        }
    }
}

/// As records have it: instants in UTC.
impl fmt::Display for EventDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english(|at| at.to_string()))
    }
}

impl From<EventDetail> for String {
    fn from(detail: EventDetail) -> String {
        match detail {
            EventDetail::Names(text) | EventDetail::Other(text) => text,
            other => other.to_string(),
        }
    }
}

fn level_word(level: Level) -> &'static str {
    match level {
        Level::Read => "read",
        Level::Edit => "edit",
        Level::Manage => "manage",
    }
}

fn words(fields: &[ShareField]) -> Vec<&'static str> {
    fields.iter().map(|field| field.as_str()).collect()
}

/// A list with what leads to it; nothing, if it is empty.
fn after<T: AsRef<str>>(lead: &str, all: &[T], joint: &str) -> String {
    let all: Vec<_> = all.iter().map(AsRef::as_ref).collect();
    if all.is_empty() { String::new() } else { format!("{lead}{}", all.join(joint)) }
}

fn parse(kind: EventKind, text: &str) -> Option<EventDetail> {
    if text.is_empty() {
        return Some(EventDetail::Names(String::new()));
    }
    let rest = |prefix| text.strip_prefix(prefix).map(str::to_owned);
    match kind {
        EventKind::ShareCreated
        | EventKind::ShareUpdated
        | EventKind::ShareEnding
        | EventKind::ShareEnded => share(text),
        EventKind::ShareRevoked | EventKind::ShareLeft => {
            rest("with ").map(|grantee| EventDetail::ShareGone { grantee })
        }
        EventKind::UnknownNameTried => {
            let repository = text.strip_prefix("to share ")?.strip_suffix(" with")?.to_owned();
            Some(EventDetail::ToShare { repository })
        }
        EventKind::PermissionSet => permission(text),
        EventKind::AccountImported => rest("from the region ").map(EventDetail::FromRegion),
        EventKind::PersonalTokenCreated | EventKind::PersonalTokenRevoked => {
            rest("token ").map(EventDetail::Token)
        }
        EventKind::AccessKeyCreated
        | EventKind::AccessKeyDisabled
        | EventKind::AccessKeyEnabled
        | EventKind::AccessKeyDeleted => rest("access key ").map(EventDetail::AccessKey),
        EventKind::ManifestPushed => pushed(text),
        EventKind::ManifestPulled if text == "public" => Some(EventDetail::PulledAsPublic),
        EventKind::SignedIn if text == "password" => Some(EventDetail::Password),
        EventKind::SignedIn => {
            let key = || rest("access key ").map(EventDetail::AccessKey);
            rest("personal token ").map(EventDetail::PersonalToken).or_else(key)
        }
        EventKind::SignInFailed => SignInRefusal::parse(text).map(EventDetail::SignInRefused),
        EventKind::TokenIssued if text == "refresh" => Some(EventDetail::RefreshToken),
        EventKind::TokenIssued => {
            rest("access").map(|scopes| EventDetail::AccessToken(scopes.trim_start().to_owned()))
        }
        EventKind::ManifestPulled
        | EventKind::ManifestDeleted
        | EventKind::TagDeleted
        | EventKind::BlobDeleted
        | EventKind::PermissionRemoved
        | EventKind::ChangeRefused
        | EventKind::WebhookCreated
        | EventKind::WebhookUpdated
        | EventKind::WebhookDisabled
        | EventKind::WebhookDeleted => Some(EventDetail::Names(text.to_owned())),
        // The others have none.
        _ => None,
    }
}

fn share(text: &str) -> Option<EventDetail> {
    let (text, changed) = text.split_once("; changed: ").unwrap_or((text, ""));
    let (text, tags) = text.split_once(", tags ").unwrap_or((text, ""));
    let (grantee, end) = text.strip_prefix("with ")?.split_once(' ')?;
    let deadline = match end {
        "permanent" => None,
        end => Some(end.strip_prefix("until ")?.parse().ok()?),
    };
    let field = |word| ShareField::ALL.iter().copied().find(|field| field.as_str() == word);
    let changed: Option<Vec<_>> = changed.split(", ").filter(|word| !word.is_empty()).map(field).collect();
    let tags = tags.split_whitespace().map(str::to_owned).collect();
    Some(EventDetail::Share { grantee: grantee.to_owned(), deadline, tags, changed: changed? })
}

fn permission(text: &str) -> Option<EventDetail> {
    let (user, word) = text.split_once(": ")?;
    let level =
        [Level::Read, Level::Edit, Level::Manage].into_iter().find(|level| level_word(*level) == word)?;
    Some(EventDetail::Permission { user: user.to_owned(), level })
}

fn pushed(text: &str) -> Option<EventDetail> {
    let (what, tags) = text.split_once(" tags: ")?;
    let index = match what.split_once(' ') {
        Some(("index", _)) => true,
        Some(("image", _)) => false,
        _ => {
            let (tag, source) = tags.strip_suffix(')')?.split_once(" (as ")?;
            let (digest, tag, source) = (what.to_owned(), tag.to_owned(), source.to_owned());
            return Some(EventDetail::Tagged { digest, tag, source });
        }
    };
    let digest = what.split_once(' ')?.1.to_owned();
    let tags = tags.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect();
    Some(EventDetail::Pushed { index, digest, tags })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::EventDetail;
    use crate::{EventKind, SignInRefusal};

    /// A number for each variant: one that is new does not compile without.
    fn number(detail: &EventDetail) -> usize {
        match detail {
            EventDetail::Share { .. } => 0,
            EventDetail::ShareGone { .. } => 1,
            EventDetail::ToShare { .. } => 2,
            EventDetail::Permission { .. } => 3,
            EventDetail::FromRegion(_) => 4,
            EventDetail::Token(_) => 5,
            EventDetail::AccessKey(_) => 6,
            EventDetail::Pushed { .. } => 7,
            EventDetail::Tagged { .. } => 8,
            EventDetail::PulledAsPublic => 9,
            EventDetail::Password => 10,
            EventDetail::PersonalToken(_) => 11,
            EventDetail::AccessToken(_) => 12,
            EventDetail::RefreshToken => 13,
            EventDetail::Names(_) => 14,
            EventDetail::SignInRefused(reason) => match reason {
                SignInRefusal::Disabled => 15,
                SignInRefusal::WrongPassword => 16,
                SignInRefusal::UnknownUser => 17,
                SignInRefusal::TokenUnderAnotherName(_) => 18,
                SignInRefusal::TokenEnded(_) => 19,
                SignInRefusal::RefreshTokenEnded => 20,
                SignInRefusal::AccessKeyUnproven(_) => 21,
                SignInRefusal::AccessKeyClosed(_) => 22,
            },
            EventDetail::Other(text) => panic!("not read: {text}"),
        }
    }

    #[test]
    fn each_detail_that_is_written_is_read_again_those_of_before_too() {
        let read = EventDetail::EXAMPLES.iter().map(|(kind, text)| {
            let detail = EventDetail::read(*kind, text);
            assert_eq!(detail.to_string(), *text, "{kind:?}");
            number(&detail)
        });
        assert_eq!(read.collect::<BTreeSet<_>>(), (0..=22).collect());
    }

    #[test]
    fn what_is_not_understood_stays_as_it_was_written() {
        for (kind, text) in [
            (EventKind::ShareCreated, "with globex until tomorrow"),
            (EventKind::ShareCreated, "with globex until 2027-01-31T16:00:00+00:00"),
            (EventKind::ShareUpdated, "with globex permanent; changed: colour"),
            (EventKind::SignInFailed, "another planet"),
            (EventKind::PermissionSet, "dev: everything"),
            (EventKind::ManifestPushed, "image"),
            (EventKind::AccountCreated, "with globex"),
            (EventKind::SignedIn, "retina scan"),
        ] {
            assert_eq!(EventDetail::read(kind, text), EventDetail::Other(text.to_owned()));
        }
    }
}
