//! What a visitor is told when something cannot be: the one place where a failure becomes a sentence, or a page.

use http::StatusCode;
use maud::html;

use super::page::{Answer, plain_page};
use super::text::{Language, Texts, fill};

/// Marks the answer to what its visitor may not do.
#[derive(Debug, Clone)]
pub(super) struct Refused;

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Problem {
    /// There is none, or the visitor may not know of it: one answer for both.
    NotFound,
    /// The visitor may not do it.
    Forbidden,
    /// The form is not one of this session's.
    FormStale,
    /// The form is longer than any that is meant.
    FormTooLarge,
    /// The form did not arrive as a whole.
    FormIncomplete,
    /// Too much is going on.
    Busy,
    /// More than a page goes through.
    TooMany(u64),
    /// The registry failed, and the log says why.
    Failed,
}

impl Problem {
    /// As a page.
    pub(super) fn answer(self, language: Language) -> Answer {
        let t = language.texts();
        let is_refusal = matches!(self, Problem::Forbidden);
        let (status, title, text) = match self {
            Problem::NotFound => (StatusCode::NOT_FOUND, t.not_found, t.not_found_text.to_owned()),
            Problem::Forbidden => (StatusCode::FORBIDDEN, t.forbidden, t.forbidden_text.to_owned()),
            Problem::FormStale => (StatusCode::FORBIDDEN, t.failed, t.form_stale.to_owned()),
            Problem::FormTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, t.failed, t.form_too_large.to_owned()),
            Problem::FormIncomplete => (StatusCode::BAD_REQUEST, t.failed, t.form_incomplete.to_owned()),
            Problem::Busy => (StatusCode::SERVICE_UNAVAILABLE, t.failed, t.busy.to_owned()),
            Problem::TooMany(max) => (StatusCode::CONFLICT, t.failed, fill(t.too_many, &[("max", &max)])),
            Problem::Failed => (StatusCode::INTERNAL_SERVER_ERROR, t.failed, t.failed_text.to_owned()),
        };
        let content = html! { p { (text) } p { a href="/console/" { (t.back) } } };
        let mut answer = plain_page(language, status, title, &content);
        if is_refusal {
            answer.extensions_mut().insert(Refused);
        }
        answer
    }
}

impl From<auth::Error> for Problem {
    fn from(error: auth::Error) -> Problem {
        use auth::Error;
        match error {
            Error::NotFound { .. } | Error::Invalid { .. } => Problem::NotFound,
            Error::Unauthenticated | Error::Forbidden => Problem::Forbidden,
            Error::Busy | Error::Store(kv::Error::Busy) => Problem::Busy,
            Error::Limit { max, .. } => Problem::TooMany(max),
            error => {
                tracing::error!(%error, "a page of the console failed");
                Problem::Failed
            }
        }
    }
}

impl From<auth::Denied> for Problem {
    fn from(denied: auth::Denied) -> Problem {
        auth::Error::from(denied).into()
    }
}

impl From<kv::Error> for Problem {
    fn from(error: kv::Error) -> Problem {
        auth::Error::from(error).into()
    }
}

impl From<storage::Error> for Problem {
    fn from(error: storage::Error) -> Problem {
        use storage::Error;
        match error {
            Error::ManifestUnknown | Error::RepositoryGone => Problem::NotFound,
            Error::Busy => Problem::Busy,
            Error::Auth(error) => error.into(),
            error => {
                tracing::error!(%error, "a page of the console failed");
                Problem::Failed
            }
        }
    }
}

/// What is wrong with a form: in which field, if in one, and a sentence.
#[derive(Debug, Clone)]
pub(super) struct Wrong {
    pub(super) field: Option<&'static str>,
    pub(super) text: String,
}

impl Wrong {
    pub(super) fn of(field: &'static str, text: impl Into<String>) -> Wrong {
        Wrong { field: Some(field), text: text.into() }
    }
}

/// Sorts a refusal: what the visitor can mend stands beside its field, all else is a page.
pub(super) fn wrong(error: auth::Error, t: &'static Texts) -> Result<Wrong, Problem> {
    use auth::Error;
    Ok(match error {
        Error::UnknownAccount => Wrong::of("account", t.unknown_account),
        Error::ShareWithSelf => Wrong::of("account", t.share_with_self),
        Error::Blocked => Wrong::of("account", t.blocked),
        Error::TooManyUnknownNames => Wrong::of("account", t.too_many_unknown),
        Error::Exists { what: auth::Thing::Share } => Wrong::of("account", t.shared_already),
        Error::Exists { .. } => Wrong::of("name", t.exists),
        Error::Reserved { .. } => Wrong::of("name", t.reserved),
        Error::DeadlinePast => Wrong::of("deadline", t.deadline_past),
        Error::PublicImage => Wrong { field: None, text: t.public_not_shared.to_owned() },
        Error::WrongPassword => Wrong::of("current_password", t.wrong_password),
        Error::OtherHome { home } => Wrong { field: None, text: fill(t.managed_at_home, &[("home", &home)]) },
        Error::NotEmpty { .. } => Wrong { field: None, text: t.not_empty.to_owned() },
        Error::LastAdministrator => Wrong { field: None, text: t.last_administrator.to_owned() },
        Error::Invalid { field: "url", .. } => Wrong::of("url", t.webhook_url_wrong),
        Error::Invalid { field: "description", .. } => Wrong::of("description", t.description_wrong),
        Error::Invalid { field: "notice_before_seconds", .. } => Wrong::of("notice", t.notice_wrong),
        Error::Invalid { field: "tags", .. } => Wrong::of("tags", t.tags_wrong),
        Error::Invalid { field: "password", .. } => Wrong::of("password", t.password_wrong),
        Error::Limit { what: "patterns of tags in the shares of a repository", max } => {
            Wrong::of("tags", fill(t.tags_many, &[("max", &max)]))
        }
        Error::Limit { max, .. } => Wrong { field: None, text: fill(t.limit_reached, &[("max", &max)]) },
        Error::OneOfShares { repository, error, .. } => {
            let wrong = wrong(*error, t)?;
            let text = fill(t.one_of_many, &[("image", &repository), ("reason", &wrong.text)]);
            Wrong { text, ..wrong }
        }
        error => return Err(error.into()),
    })
}

/// What stands for something that was gone before it was to go.
pub(super) const GONE: &str = "gone";

/// What stands for something that its form had made before.
pub(super) const MADE_BEFORE: &str = "made-before";

/// What is said once after something was done, by the word that stands for it in the address.
pub(super) fn told(done: &str, t: &'static Texts) -> Option<&'static str> {
    Some(match done {
        "saved" => t.saved,
        "shared" => t.shared_done,
        "revoked" => t.revoked,
        "left" => t.left,
        "tag-deleted" => t.tag_deleted,
        "password" => t.password_changed,
        "made" => t.made,
        "deleted" => t.deleted,
        "blocked" => t.blocked_done,
        "unblocked" => t.unblocked_done,
        "freed" => t.name_freed,
        "disabled" => t.disabled_done,
        "enabled" => t.enabled_done,
        "holder-enabled" => t.holder_enabled,
        "password-set" => t.password_set,
        "permission-set" => t.permission_set,
        "permission-removed" => t.permission_removed,
        "token-revoked" => t.token_revoked,
        "sending" => t.sending,
        GONE => t.gone_already,
        MADE_BEFORE => t.made_before,
        _ => return None,
    })
}
