//! What a caller of `/api/v1` is told when a request fails: a problem of RFC 9457, with a status, a code for programs, a
//! sentence for people that says what to do, and the field that is wrong, if it is one.
//!
//! It is the only place that knows which failure of `auth` and `storage` has which status. What caused a failure of ours
//! is logged here and never told.

use std::borrow::Cow;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};

use super::types;
use crate::told;

/// The media type of a problem.
pub(super) const PROBLEM_JSON: &str = "application/problem+json";

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal, $status:ident;)+) => {
        /// Why a request failed, for programs. Each has one status; both are stable.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// All of them, in the order of their statuses.
            pub(super) const ALL: &[Code] = &[$(Code::$variant,)+];

            /// As it is written.
            pub(super) fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)+ }
            }

            /// The status it comes with.
            pub(super) fn status(self) -> StatusCode {
                match self { $(Code::$variant => StatusCode::$status,)+ }
            }

            /// What it means.
            pub(super) fn meaning(self) -> &'static str {
                match self { $(Code::$variant => concat!($($doc,)+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// The body is not well-formed JSON, or not an object.
    BodyMalformed = "body_malformed", BAD_REQUEST;
    /// The body could not be read to its end.
    BodyIncomplete = "body_incomplete", BAD_REQUEST;
    /// A field, a part of the path or a parameter has an impossible value.
    Invalid = "invalid", BAD_REQUEST;
    /// A field that is needed is absent.
    FieldMissing = "field_missing", BAD_REQUEST;
    /// There is no such field or parameter.
    FieldUnknown = "field_unknown", BAD_REQUEST;
    /// A change names nothing to change.
    NothingToChange = "nothing_to_change", BAD_REQUEST;
    /// A share needs a deadline, or to be permanent.
    DeadlineMissing = "deadline_missing", BAD_REQUEST;
    /// A share has either a deadline or none.
    DeadlineAmbiguous = "deadline_ambiguous", BAD_REQUEST;
    /// The deadline is not an instant with an offset.
    DeadlineMalformed = "deadline_malformed", BAD_REQUEST;
    /// Nobody signed in, or with wrong credentials.
    Unauthenticated = "unauthenticated", UNAUTHORIZED;
    /// The right for this is not held.
    Forbidden = "forbidden", FORBIDDEN;
    /// There is no such thing, or it may not be seen.
    NotFound = "not_found", NOT_FOUND;
    /// There is no such path.
    PathUnknown = "path_unknown", NOT_FOUND;
    /// The path has no such method.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED;
    /// The body came too slowly.
    BodyTimeout = "body_timeout", REQUEST_TIMEOUT;
    /// The name is taken.
    Exists = "exists", CONFLICT;
    /// The name was somebody else's and is still reserved.
    NameReserved = "name_reserved", CONFLICT;
    /// It still holds something.
    NotEmpty = "not_empty", CONFLICT;
    /// There may be no more of these.
    LimitReached = "limit_reached", CONFLICT;
    /// The account was imported, and is changed at its home.
    OtherHome = "other_home", CONFLICT;
    /// Only private images are shared.
    PublicImage = "public_image", CONFLICT;
    /// The account to share with has blocked yours.
    Blocked = "blocked", CONFLICT;
    /// Somebody must remain who administers the registry.
    LastAdministrator = "last_administrator", CONFLICT;
    /// The body is too large.
    BodyTooLarge = "body_too_large", PAYLOAD_TOO_LARGE;
    /// The body is not declared as JSON.
    NotJson = "not_json", UNSUPPORTED_MEDIA_TYPE;
    /// There is no such account to share with.
    UnknownAccount = "unknown_account", UNPROCESSABLE_ENTITY;
    /// An account cannot share with itself.
    ShareWithSelf = "share_with_self", UNPROCESSABLE_ENTITY;
    /// Images are shared within the server's region only.
    OtherRegion = "other_region", UNPROCESSABLE_ENTITY;
    /// The deadline has passed already.
    DeadlinePast = "deadline_past", UNPROCESSABLE_ENTITY;
    /// The current password is wrong or absent.
    WrongPassword = "wrong_password", UNPROCESSABLE_ENTITY;
    /// Too many accounts that do not exist were named.
    TooManyUnknownNames = "too_many_unknown_names", TOO_MANY_REQUESTS;
    /// Too many sign-ins at once.
    TooManySignIns = "too_many_sign_ins", TOO_MANY_REQUESTS;
    /// The registry failed; its log says how.
    Internal = "internal", INTERNAL_SERVER_ERROR;
    /// Too much waits, or others change the same thing.
    Busy = "busy", SERVICE_UNAVAILABLE;
    /// The registry's disk is full.
    NoSpace = "no_space", INSUFFICIENT_STORAGE;
}

/// What a caller is told. Made with [`Problem::new`], or from an error of `auth` or `storage` by `?`.
#[derive(Debug)]
pub(super) struct Problem {
    code: Code,
    detail: Cow<'static, str>,
    field: Option<Cow<'static, str>>,
    share: Option<types::ShareEntry>,
}

impl Problem {
    /// A problem, with the sentence that says what to do.
    pub(super) fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), field: None, share: None }
    }

    /// Names the field, parameter or part of the path that is wrong.
    pub(super) fn field(self, field: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// The same of one of several shares that were to be made at once: none was.
    fn of_share(self, share: types::ShareEntry) -> Self {
        let detail = format!(
            "Nothing is shared, because {} cannot be shared with {}: {}",
            share.repository, share.account, self.detail
        );
        // An account that is wrong is named in `share`; no field of the call is called so.
        let field = self.field.filter(|field| field != "account");
        Self { code: self.code, detail: detail.into(), field, share: Some(share) }
    }

    /// Something of ours went wrong that has no words for a caller.
    pub(super) fn internal() -> Self {
        Self::new(Code::Internal, "The registry failed. Its log says more; try again later.")
    }

    /// The credentials are absent or wrong: `reason` says which.
    pub(super) fn sign_in(reason: &str) -> Self {
        let how = "Use Basic with `account` or `user@account` and a password or personal token, or Bearer with a \
                   personal token.";
        Self::new(Code::Unauthenticated, format!("{reason} {how}"))
    }

    fn failure(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error, "a request of the management interface failed");
        Self::internal()
    }

    fn busy() -> Self {
        Self::new(Code::Busy, "The registry is busy. Try again in a moment.")
    }

    fn no_space() -> Self {
        Self::new(Code::NoSpace, "The registry's disk is full. Ask who runs it to make room, then try again.")
    }

    fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}, or you may not see it."))
    }

    fn forbidden() -> Self {
        let detail = "You may see this, but not do that with it. Ask its account for the permission, or use \
                      credentials that hold it.";
        Self::new(Code::Forbidden, detail)
    }

    fn retry_after_seconds(&self) -> Option<u16> {
        match self.code {
            Code::Busy | Code::TooManySignIns => Some(1),
            Code::TooManyUnknownNames => Some(3600),
            _ => None,
        }
    }

    /// As it is sent.
    pub(super) fn body(&self) -> types::Problem {
        let status = self.code.status();
        types::Problem {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail: told::sentence(&self.detail),
            code: self.code.as_str().to_owned(),
            field: self.field.as_deref().map(told::field),
            share: self.share.clone(),
        }
    }
}

#[cfg(test)]
impl Problem {
    pub(super) fn code(&self) -> Code {
        self.code
    }

    pub(super) fn field_name(&self) -> Option<&str> {
        self.field.as_deref()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.body()).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if self.code == Code::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"gangplank\""));
        }
        if let Some(seconds) = self.retry_after_seconds() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<auth::Error> for Problem {
    fn from(error: auth::Error) -> Self {
        use auth::Error;
        match error {
            Error::Unauthenticated => Self::sign_in("Sign in."),
            Error::Forbidden => Self::forbidden(),
            Error::NotFound { what } => Self::not_found(what),
            Error::Exists { what } => {
                Self::new(Code::Exists, format!("There is one already: this {what} exists."))
            }
            Error::Reserved { what, until } => {
                let detail = format!("The name of this {what} was deleted and is reserved until {until}.");
                Self::new(Code::NameReserved, detail)
            }
            Error::Invalid { field, reason } => Self::new(Code::Invalid, sentence(&reason)).field(field),
            Error::Limit { what, max } => Self::new(
                Code::LimitReached,
                format!("There may be at most {max} {what}, and that is reached."),
            ),
            Error::NotEmpty { what } => {
                Self::new(Code::NotEmpty, format!("This {what} still holds something. Empty it first."))
            }
            Error::Busy => Self::busy(),
            Error::LastAdministrator => {
                let detail =
                    "This is the last account that administers the registry; it must stay, and enabled.";
                Self::new(Code::LastAdministrator, detail)
            }
            Error::WrongPassword => {
                let detail = "To change your own password, give the current one as `current_password`.";
                Self::new(Code::WrongPassword, detail).field("current_password")
            }
            Error::Store(error) => error.into(),
            error @ Error::Crypto(_) => Self::failure(&error),
            error => of_sharing(error),
        }
    }
}

/// What sharing and regions meet.
fn of_sharing(error: auth::Error) -> Problem {
    use auth::Error;
    match error {
        Error::UnknownAccount => {
            let detail = "There is no account of that name to share with. Check its spelling.";
            Problem::new(Code::UnknownAccount, detail).field("account")
        }
        Error::TooManyUnknownNames => {
            let detail = "Too many accounts that do not exist were named. Try again in an hour.";
            Problem::new(Code::TooManyUnknownNames, detail).field("account")
        }
        Error::OtherRegion { ours } => {
            let detail = format!("Images are shared within a region only, and this server's is {ours}.");
            Problem::new(Code::OtherRegion, detail).field("region")
        }
        Error::OtherHome { home } => {
            let detail =
                format!("This account's home is the region {home}. Change it there, and import it again.");
            Problem::new(Code::OtherHome, detail)
        }
        Error::PublicImage => {
            let detail = "The image is public: everybody can pull it. Make it private first.";
            Problem::new(Code::PublicImage, detail)
        }
        Error::ShareWithSelf => {
            let detail = "An account cannot share with itself. Give a user of yours a permission instead.";
            Problem::new(Code::ShareWithSelf, detail).field("account")
        }
        Error::Blocked => {
            let detail = "This account takes no shares from yours: it has blocked your account.";
            Problem::new(Code::Blocked, detail).field("account")
        }
        Error::DeadlinePast => {
            let detail = "The deadline has passed already. Give one in the future.";
            Problem::new(Code::DeadlinePast, detail).field("until")
        }
        Error::OneOfShares { index, repository, grantee, error } => {
            let (repository, account) = (repository.to_string(), grantee.to_string());
            let share = types::ShareEntry { index: index as u64, repository, account };
            Problem::from(*error).of_share(share)
        }
        error => Problem::failure(&error),
    }
}

/// `reason` as a sentence.
pub(super) fn sentence(reason: &str) -> String {
    let mut characters = reason.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(std::iter::once('.')).collect()
}

impl From<kv::Error> for Problem {
    fn from(error: kv::Error) -> Self {
        match error {
            kv::Error::Busy => Self::busy(),
            kv::Error::NoSpace => Self::no_space(),
            error => Self::failure(&error),
        }
    }
}

impl From<crate::counting::Uncounted> for Problem {
    fn from(error: crate::counting::Uncounted) -> Self {
        match error {
            crate::counting::Uncounted::Refused(error) => error.into(),
            crate::counting::Uncounted::Failed(error) => error.into(),
        }
    }
}

impl From<auth::AuthenticationError> for Problem {
    fn from(error: auth::AuthenticationError) -> Self {
        use auth::AuthenticationError;
        match error {
            AuthenticationError::Rejected => Self::sign_in("The credentials are wrong, or no longer good."),
            AuthenticationError::OtherRegion { ours } => {
                Self::sign_in(&format!("These are another region's credentials; this server's is {ours}."))
            }
            AuthenticationError::Expired { at } => Self::sign_in(&format!("The token expired at {at}.")),
            AuthenticationError::Failed(auth::Error::Busy) => {
                let detail = "Too many sign-ins at once. Try again in a moment.";
                Self::new(Code::TooManySignIns, detail)
            }
            AuthenticationError::Failed(error) => error.into(),
        }
    }
}

macro_rules! invalid {
    ($($error:ty),+) => {$(
        impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                Self::new(Code::Invalid, sentence(&error.to_string()))
            }
        }
    )+};
}

invalid!(oci::NameError, oci::TagError);

/// The value of `result`; what is wrong with it is wrong with `field`.
pub(super) fn of_field<T>(field: &'static str, result: Result<T, impl Into<Problem>>) -> Result<T, Problem> {
    result.map_err(|error| error.into().field(field))
}

impl From<storage::Error> for Problem {
    fn from(error: storage::Error) -> Self {
        use storage::Error;
        match error {
            Error::ManifestUnknown => Self::not_found("tag"),
            Error::RepositoryGone => Self::not_found("repository"),
            Error::TooMuchShared { .. } => Self::new(Code::LimitReached, sentence(&error.to_string())),
            Error::NoSpace => Self::no_space(),
            Error::Busy => Self::busy(),
            Error::Store(error) => error.into(),
            Error::Auth(error) => error.into(),
            error => Self::failure(&error),
        }
    }
}

impl From<auth::Denied> for Problem {
    fn from(denied: auth::Denied) -> Self {
        auth::Error::from(denied).into()
    }
}
