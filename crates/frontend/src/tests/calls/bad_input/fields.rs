//! The fields of every body, with what they are for. A test holds this list against the document: a field that is not
//! here is a failure.

use super::values::Kind;

/// A field of a body.
pub(super) struct Field {
    /// The body's schema in the OpenAPI document.
    pub(super) schema: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// The rest of a body that is complete with this field.
    pub(super) beside: &'static str,
    /// The code for its absence; none: it may be absent.
    pub(super) absent: Option<&'static str>,
}

const fn field(schema: &'static str, name: &'static str, kind: Kind, beside: &'static str) -> Field {
    Field { schema, name, kind, beside, absent: None }
}

impl Field {
    const fn needed(self) -> Field {
        self.absent("field_missing")
    }

    const fn absent(self, code: &'static str) -> Field {
        Field { absent: Some(code), ..self }
    }
}

const PASSWORD: &str = r#"{"password": "a good password"}"#;
const WITH_INITECH: &str = r#"{"account": "initech"}"#;
const SEVERAL_WITH_INITECH: &str = r#"{"repositories": ["team-a/web"], "accounts": ["initech"]}"#;
const SEVERAL_FOR_GOOD: &str =
    r#"{"repositories": ["team-a/web"], "accounts": ["initech"], "permanent": true}"#;
const NOTHING: &str = "{}";
const URL: &str = r#"{"url": "https://example.com/hook"}"#;

pub(super) const FIELDS: &[Field] = &[
    field("NewAccount", "name", Kind::Name, PASSWORD).needed(),
    field("NewAccount", "password", Kind::Password, r#"{"name": "umbrella"}"#).needed(),
    field("CredentialChange", "disabled", Kind::Boolean, NOTHING).absent("nothing_to_change"),
    field("CredentialChange", "password", Kind::Password, r#"{"current_password": "{current}"}"#)
        .absent("nothing_to_change"),
    field("CredentialChange", "current_password", Kind::CurrentPassword, PASSWORD).absent("wrong_password"),
    field("ProfileChange", "display_name", Kind::DisplayName, NOTHING),
    field("ProfileChange", "time_zone", Kind::Word, NOTHING),
    field("NewUser", "name", Kind::Name, PASSWORD).needed(),
    field("NewUser", "password", Kind::Password, r#"{"name": "new"}"#),
    field("NewNamespace", "name", Kind::Name, NOTHING).needed(),
    field("NewRepository", "name", Kind::Name, NOTHING).needed(),
    field("NewRepository", "description", Kind::Description, r#"{"name": "team-a/new"}"#),
    field("RepositoryChange", "visibility", Kind::Word, NOTHING).absent("nothing_to_change"),
    field("RepositoryChange", "description", Kind::Description, NOTHING).absent("nothing_to_change"),
    field("SetPermission", "level", Kind::Word, NOTHING).needed(),
    field("NewShare", "account", Kind::Name, r#"{"permanent": true}"#).needed(),
    field("NewShare", "until", Kind::Deadline, WITH_INITECH).absent("deadline_missing"),
    field("NewShare", "permanent", Kind::Boolean, WITH_INITECH).absent("deadline_missing"),
    field("NewShare", "tags", Kind::Tags, r#"{"account": "initech", "permanent": true}"#),
    field("NewShare", "description", Kind::Description, r#"{"account": "initech", "permanent": true}"#),
    field("NewShare", "region", Kind::Region, r#"{"account": "initech", "permanent": true}"#),
    field(
        "NewShare",
        "notice_before_seconds",
        Kind::SecondsBefore,
        r#"{"account": "initech", "permanent": true}"#,
    ),
    field("NewShares", "repositories", Kind::Names, r#"{"accounts": ["initech"], "permanent": true}"#)
        .needed(),
    field("NewShares", "accounts", Kind::Names, r#"{"repositories": ["team-a/web"], "permanent": true}"#)
        .needed(),
    field("NewShares", "until", Kind::Deadline, SEVERAL_WITH_INITECH).absent("deadline_missing"),
    field("NewShares", "permanent", Kind::Boolean, SEVERAL_WITH_INITECH).absent("deadline_missing"),
    field("NewShares", "tags", Kind::Tags, SEVERAL_FOR_GOOD),
    field("NewShares", "description", Kind::Description, SEVERAL_FOR_GOOD),
    field("NewShares", "region", Kind::Region, SEVERAL_FOR_GOOD),
    field("NewShares", "notice_before_seconds", Kind::SecondsBefore, SEVERAL_FOR_GOOD),
    field("NewBlockedOwner", "account", Kind::Name, NOTHING).needed(),
    field("ShareChange", "until", Kind::Deadline, NOTHING).absent("nothing_to_change"),
    field("ShareChange", "permanent", Kind::Boolean, NOTHING).absent("nothing_to_change"),
    field("ShareChange", "tags", Kind::Tags, NOTHING).absent("nothing_to_change"),
    field("ShareChange", "all_tags", Kind::Boolean, NOTHING).absent("nothing_to_change"),
    field("ShareChange", "description", Kind::Description, NOTHING).absent("nothing_to_change"),
    field(
        "ShareChange",
        "notice_before_seconds",
        Kind::SecondsBefore,
        r#"{"until": "2030-01-31T23:59:59Z"}"#,
    ),
    field("NewPersonalToken", "expires_in_seconds", Kind::Seconds, NOTHING).needed(),
    field("NewPersonalToken", "description", Kind::Description, r#"{"expires_in_seconds": 60}"#),
    field("NewDockerLogin", "expires_in_seconds", Kind::LoginSeconds, NOTHING).needed(),
    field("NewAccessKey", "description", Kind::Description, NOTHING),
    field("AccessKeyChange", "disabled", Kind::Boolean, NOTHING).needed(),
    field("NewPersonalToken", "scope", Kind::Scope, r#"{"expires_in_seconds": 60}"#),
    field("NewWebhook", "url", Kind::Url, NOTHING).needed(),
    field("NewWebhook", "events", Kind::Events, URL),
    field("NewWebhook", "description", Kind::Description, URL),
    field("WebhookChange", "url", Kind::Url, NOTHING).absent("nothing_to_change"),
    field("WebhookChange", "events", Kind::Events, NOTHING).absent("nothing_to_change"),
    field("WebhookChange", "description", Kind::Description, NOTHING).absent("nothing_to_change"),
    field("WebhookChange", "enabled", Kind::Boolean, NOTHING).absent("nothing_to_change"),
    field("NewDelivery", "delivery", Kind::Id, NOTHING),
];
