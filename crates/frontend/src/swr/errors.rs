//! What a caller of the SWR management API is told when a request fails: a status, one of that API's own codes, a
//! sentence and what it is about, in a body that says each of them under every name its clients look for.
//!
//! It is the one place that knows which failure of `auth` and `storage` has which code there. A code's first three digits
//! are its status. What caused a failure of ours is logged and never told.

use std::borrow::Cow;

use auth::{AccountName, Thing};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::signature::Refusal;
use crate::body::BodyError;
use crate::json::JsonError;
use crate::reply::{self, Reply};
use crate::told;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $number:literal;)+) => {
        /// Why a request failed, for programs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// All of them, in the order of their numbers.
            #[cfg(test)]
            pub(super) const ALL: &[Code] = &[$(Code::$variant,)+];

            fn number(self) -> u32 {
                match self { $(Code::$variant => $number,)+ }
            }

            /// What it means, as a sentence.
            #[cfg(test)]
            pub(super) fn meaning(self) -> &'static str {
                match self { $(Code::$variant => concat!($($doc,)+).trim_ascii(),)+ }
            }
        }
    };
}

codes! {
    /// A field of the body has an impossible value.
    Invalid = 4_000_014;
    /// The size of a page is none.
    PageSize = 4_000_056;
    /// There may be no more organizations.
    TooManyOrganizations = 4_000_097;
    /// There may be no more of these: images of an organization, accounts that an image is shared with, rows of a list.
    TooMany = 4_000_098;
    /// A field that is needed is absent.
    FieldMissing = 4_001_014;
    /// A parameter of the query is unknown, or has an impossible value.
    Parameter = 4_001_025;
    /// The name of the organization is none.
    OrganizationName = 4_001_028;
    /// The name of the image is none.
    ImageName = 4_001_029;
    /// The account to share with is none, does not exist, or is the owner itself.
    Account = 4_001_041;
    /// The level of a user's permission is none.
    Level = 4_001_066;
    /// The user does not exist, or its name and id do not belong together.
    User = 4_001_067;
    /// The permission of a share is none.
    Permit = 4_001_091;
    /// The name of the tag is none.
    TagName = 4_009_021;
    /// Nobody signed the request, or the signature is not good.
    Unauthenticated = 4_010_000;
    /// Too many accounts that do not exist were named.
    TooManyUnknownNames = 4_031_042;
    /// The right for this is not held.
    Forbidden = 4_039_002;
    /// There is no such organization, or it may not be seen.
    OrganizationUnknown = 4_040_058;
    /// The user has no permission there.
    PermissionUnknown = 4_040_078;
    /// There is nothing at this address.
    AddressUnknown = 4_040_083;
    /// The image is not shared with this account.
    ShareUnknown = 4_040_091;
    /// There is no such image, or it may not be seen.
    ImageUnknown = 4_040_113;
    /// The image has no such tag.
    TagUnknown = 4_040_115;
    /// The address is there, but not for this method.
    Method = 4_050_000;
    /// The organization still holds images.
    OrganizationNotEmpty = 4_060_074;
    /// The body came too slowly.
    BodyTimeout = 4_080_000;
    /// There is such an image, or such a tag, already.
    ImageExists = 4_090_006;
    /// Too much waits, or others change the same thing.
    Busy = 4_090_023;
    /// The name of the organization is taken, or kept from others for a while.
    OrganizationExists = 4_090_060;
    /// The user has a permission there already.
    PermissionExists = 4_090_076;
    /// The image is shared with this account already.
    ShareExists = 4_090_089;
    /// The body is too large.
    BodyTooLarge = 4_131_001;
    /// A description has at most 1000 characters.
    DescriptionTooLong = 4_131_012;
    /// The registry failed; its log says how.
    Internal = 5_000_007;
    /// The registry's disk is full.
    NoSpace = 5_070_070;
}

impl Code {
    /// As it is written.
    pub(super) fn text(self) -> String {
        format!("SVCSTG.SWR.{}", self.number())
    }

    /// The status that it comes with.
    pub(super) fn status(self) -> StatusCode {
        let status = u16::try_from(self.number() / 10_000).ok();
        status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or_default()
    }
}

/// A failed request.
#[derive(Debug)]
pub(super) struct SwrError {
    code: Code,
    message: Cow<'static, str>,
    /// The field or parameter that is wrong, if it is one.
    detail: Cow<'static, str>,
    /// The methods that the address has.
    allow: Option<&'static str>,
}

impl SwrError {
    /// A failure with a sentence for the caller.
    pub(super) fn new(code: Code, message: impl Into<Cow<'static, str>>) -> SwrError {
        SwrError { code, message: message.into(), detail: "".into(), allow: None }
    }

    /// Whether the right is not held.
    pub(super) fn is_forbidden(&self) -> bool {
        self.code == Code::Forbidden
    }

    /// Names what is wrong.
    pub(super) fn about(self, detail: impl Into<Cow<'static, str>>) -> SwrError {
        SwrError { detail: detail.into(), ..self }
    }

    /// The same of one of several accounts.
    pub(super) fn with(self, account: &AccountName) -> SwrError {
        SwrError { message: format!("{account}: {}", self.message).into(), ..self }
    }

    /// An address that has other methods.
    pub(super) fn method(allow: &'static str) -> SwrError {
        let message = format!("this method is not supported here, only {allow}");
        SwrError { allow: Some(allow), ..SwrError::new(Code::Method, message) }
    }

    /// The same with another code.
    pub(super) fn with_code(self, code: Code) -> SwrError {
        SwrError { code, ..self }
    }

    /// A failure of ours.
    pub(super) fn internal(error: impl std::fmt::Display) -> SwrError {
        tracing::error!(%error, "a request of the SWR management API failed");
        SwrError::new(Code::Internal, "the registry failed; its log says more; try again later")
    }

    /// Whether it is that there is nothing at the address.
    pub(super) fn is_address_unknown(&self) -> bool {
        self.code == Code::AddressUnknown
    }

    fn busy() -> SwrError {
        SwrError::new(Code::Busy, "the registry is busy; try again in a moment")
    }

    fn no_space() -> SwrError {
        SwrError::new(Code::NoSpace, "the registry's disk is full")
    }

    fn retry_after_seconds(&self) -> Option<u16> {
        match self.code {
            Code::Busy => Some(1),
            Code::TooManyUnknownNames => Some(3600),
            _ => None,
        }
    }

    /// As it is sent.
    pub(super) fn into_reply(self) -> Reply {
        let code = self.code.text();
        let (message, detail) = (told::sentence(&self.message), told::field(&self.detail));
        let entry = Entry { error_code: &code, error_message: &message, detail: &detail };
        let body = Body {
            error_code: &code,
            error_message: &message,
            error_msg: &message,
            detail: &detail,
            errors: [entry],
        };
        let mut answer = Response::new(reply::full(serde_json::to_vec(&body).unwrap_or_default()));
        *answer.status_mut() = self.code.status();
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if self.code == Code::Unauthenticated {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("SDK-HMAC-SHA256"));
        }
        if let Some(seconds) = self.retry_after_seconds() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(allow) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        answer
    }
}

#[cfg(test)]
impl SwrError {
    pub(super) fn code(&self) -> Code {
        self.code
    }
}

/// The Python SDK reads `errorCode` with `errorMsg`, the Go ones `errorMessage`, some of them the first of `errors`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    error_code: &'a str,
    error_message: &'a str,
    error_msg: &'a str,
    detail: &'a str,
    errors: [Entry<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    error_code: &'a str,
    error_message: &'a str,
    detail: &'a str,
}

impl From<kv::Error> for SwrError {
    fn from(error: kv::Error) -> SwrError {
        match error {
            kv::Error::Busy => SwrError::busy(),
            kv::Error::NoSpace => SwrError::no_space(),
            error => SwrError::internal(error),
        }
    }
}

impl From<auth::Error> for SwrError {
    fn from(error: auth::Error) -> SwrError {
        use auth::Error;
        let code = match &error {
            Error::Unauthenticated => Code::Unauthenticated,
            Error::Forbidden => Code::Forbidden,
            Error::NotFound { what } => unknown(*what),
            Error::Exists { what } => exists(*what),
            Error::Reserved { .. } => Code::OrganizationExists,
            Error::Invalid { field, .. } => return invalid(field, error.to_string()),
            Error::Limit { what: "namespaces of an account", .. } => Code::TooManyOrganizations,
            Error::Limit { .. } => Code::TooMany,
            Error::NotEmpty { .. } => Code::OrganizationNotEmpty,
            // What is wrong with one of several is wrong with the call.
            Error::OneOfShares { .. } => match error {
                Error::OneOfShares { grantee, error, .. } => return SwrError::from(*error).with(&grantee),
                other => return SwrError::internal(other),
            },
            Error::UnknownAccount | Error::ShareWithSelf | Error::Blocked => {
                return SwrError::new(Code::Account, error.to_string()).about("access_domain");
            }
            Error::TooManyUnknownNames => Code::TooManyUnknownNames,
            Error::DeadlinePast => return SwrError::new(Code::Invalid, error.to_string()).about("deadline"),
            Error::PublicImage | Error::OtherRegion { .. } => Code::Invalid,
            Error::Busy => return SwrError::busy(),
            Error::Store(_) => match error {
                Error::Store(error) => return error.into(),
                other => return SwrError::internal(other),
            },
            _ => return SwrError::internal(error),
        };
        SwrError::new(code, error.to_string())
    }
}

fn unknown(what: Thing) -> Code {
    match what {
        Thing::Namespace => Code::OrganizationUnknown,
        Thing::Permission => Code::PermissionUnknown,
        Thing::Share => Code::ShareUnknown,
        Thing::User => Code::User,
        Thing::Account => Code::Account,
        _ => Code::ImageUnknown,
    }
}

fn exists(what: Thing) -> Code {
    match what {
        Thing::Namespace => Code::OrganizationExists,
        Thing::Permission => Code::PermissionExists,
        Thing::Share => Code::ShareExists,
        _ => Code::ImageExists,
    }
}

fn invalid(field: &'static str, reason: String) -> SwrError {
    let (code, field) = match field {
        "account" => (Code::Account, "access_domain"),
        "accounts" => (Code::Invalid, "share_principals"),
        "user" => (Code::User, "user_name"),
        other => (Code::Invalid, other),
    };
    SwrError::new(code, reason).about(field)
}

impl From<auth::Denied> for SwrError {
    fn from(denied: auth::Denied) -> SwrError {
        auth::Error::from(denied).into()
    }
}

impl From<storage::Error> for SwrError {
    fn from(error: storage::Error) -> SwrError {
        use storage::Error;
        match error {
            Error::ManifestUnknown => SwrError::new(Code::TagUnknown, "the image has no such tag"),
            Error::TagExists => SwrError::new(Code::ImageExists, error.to_string()),
            Error::TooMuchShared { .. } => SwrError::new(Code::TooMany, error.to_string()),
            Error::RepositoryGone => SwrError::new(Code::ImageUnknown, "there is no such repository"),
            Error::NoSpace => SwrError::no_space(),
            Error::Busy => SwrError::busy(),
            Error::Store(error) => error.into(),
            Error::Auth(error) => error.into(),
            error => SwrError::internal(error),
        }
    }
}

impl From<JsonError> for SwrError {
    fn from(error: JsonError) -> SwrError {
        let code = match &error {
            JsonError::Missing { .. } => Code::FieldMissing,
            _ => Code::Invalid,
        };
        let field = error.field().unwrap_or_default().to_owned();
        SwrError::new(code, error.to_string()).about(field)
    }
}

impl From<Refusal> for SwrError {
    fn from(refusal: Refusal) -> SwrError {
        let message = refusal.to_string();
        match refusal {
            Refusal::BodyTooLarge => SwrError::new(Code::BodyTooLarge, message),
            Refusal::Failed(error) => error.into(),
            Refusal::Unsigned
            | Refusal::Malformed(_)
            | Refusal::Skewed { .. }
            | Refusal::Rejected
            | Refusal::Replayed => SwrError::new(Code::Unauthenticated, message),
        }
    }
}

impl From<BodyError> for SwrError {
    fn from(error: BodyError) -> SwrError {
        let code = match &error {
            BodyError::TooLarge(_) => Code::BodyTooLarge,
            BodyError::Idle(_) | BodyError::Slow(_) => Code::BodyTimeout,
            BodyError::Withdrawn => Code::Unauthenticated,
            BodyError::Broken(_) => Code::Invalid,
        };
        SwrError::new(code, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use serde_json::{Value, json};

    use super::{AccountName, Code, StatusCode, SwrError};

    #[test]
    fn a_codes_first_digits_are_its_status() {
        for code in Code::ALL {
            let (text, status) = (code.text(), code.status().as_str().to_owned());
            assert!(text.starts_with(&format!("SVCSTG.SWR.{status}")) && text.len() == 18, "{text} {status}");
            assert!(code.status() != StatusCode::OK, "{text}");
            assert!(code.meaning().ends_with('.'), "{text}");
        }
    }

    #[tokio::test]
    async fn one_body_has_every_name_that_a_client_looks_for() {
        let error = SwrError::new(Code::ShareExists, "shared already").about("access_domain");
        let answer = error.into_reply();
        assert_eq!(answer.status(), StatusCode::CONFLICT);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let entry = json!({
            "errorCode": "SVCSTG.SWR.4090089", "errorMessage": "shared already", "detail": "access_domain"
        });
        let mut expected = entry.clone();
        expected["errorMsg"] = json!("shared already");
        expected["errors"] = json!([entry]);
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
    }

    #[test]
    fn what_auth_and_storage_refuse_has_a_code() {
        use auth::{Error, Thing};
        let not_found = |what| Error::NotFound { what };
        let exists = |what| Error::Exists { what };
        let one_of = |error| Error::OneOfShares {
            index: 0,
            repository: oci::RepositoryName::parse("team-a/web").unwrap(),
            grantee: AccountName::parse("globex").unwrap(),
            error: Box::new(error),
        };
        for (error, code) in [
            (Error::Unauthenticated, Code::Unauthenticated),
            (Error::Forbidden, Code::Forbidden),
            (not_found(Thing::Namespace), Code::OrganizationUnknown),
            (not_found(Thing::Repository), Code::ImageUnknown),
            (not_found(Thing::Share), Code::ShareUnknown),
            (not_found(Thing::Permission), Code::PermissionUnknown),
            (not_found(Thing::User), Code::User),
            (exists(Thing::Namespace), Code::OrganizationExists),
            (exists(Thing::Repository), Code::ImageExists),
            (exists(Thing::Share), Code::ShareExists),
            (exists(Thing::Permission), Code::PermissionExists),
            (Error::NotEmpty { what: Thing::Namespace }, Code::OrganizationNotEmpty),
            (Error::Limit { what: "namespaces of an account", max: 1 }, Code::TooManyOrganizations),
            (Error::Limit { what: "open shares of a repository", max: 500 }, Code::TooMany),
            (Error::UnknownAccount, Code::Account),
            (Error::ShareWithSelf, Code::Account),
            (Error::Blocked, Code::Account),
            (one_of(Error::PublicImage), Code::Invalid),
            (Error::TooManyUnknownNames, Code::TooManyUnknownNames),
            (Error::DeadlinePast, Code::Invalid),
            (Error::PublicImage, Code::Invalid),
            (Error::Busy, Code::Busy),
            (Error::Store(kv::Error::NoSpace), Code::NoSpace),
            (Error::Store(kv::Error::InUse), Code::Internal),
        ] {
            let text = error.to_string();
            assert_eq!(SwrError::from(error).code(), code, "{text}");
        }
        for (error, code) in [
            (storage::Error::ManifestUnknown, Code::TagUnknown),
            (storage::Error::TagExists, Code::ImageExists),
            (storage::Error::RepositoryGone, Code::ImageUnknown),
            (storage::Error::NoSpace, Code::NoSpace),
        ] {
            assert_eq!(SwrError::from(error).code(), code);
        }
    }
}
