//! Who uses the console: a session is a personal token in a cookie. So it is one more credential of its holder, listed
//! and revoked with the others, and ends with the password's change, as they do.
//!
//! The cookie is the browser's alone (`HttpOnly`), goes with requests from this site alone (`SameSite=Lax`), and over TLS
//! is bound to it and to this host (`Secure`, the prefix `__Host-`). What changes something carries a token besides, which
//! is derived from the session and which no other site can read.

use std::time::Duration;

use auth::{AuthenticationError, Description, Made, NewToken, PersonalToken, Principal, Secret, TokenId};
use aws_lc_rs::hmac;
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use subtle::ConstantTimeEq;

use crate::App;

/// How long a session lasts.
pub(super) const SESSION_LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// What its token is called in the list of tokens.
const SESSION_DESCRIPTION: &str = "console";
const SESSION: &str = "gangplank_session";
/// What the form of the sign-in is bound to, while there is no session.
const VISIT: &str = "gangplank_visit";
const LANGUAGE: &str = "gangplank_language";
const VISIT_SECONDS: u64 = 60 * 60;
const WORD_CHARACTERS: usize = 32;
const LANGUAGE_SECONDS: u64 = 365 * 24 * 60 * 60;

/// The cookies of a request, and how they are set: over TLS or not.
pub(super) struct Cookies<'a> {
    headers: &'a HeaderMap,
    secure: bool,
}

impl<'a> Cookies<'a> {
    pub(super) fn new(headers: &'a HeaderMap, secure: bool) -> Cookies<'a> {
        Cookies { headers, secure }
    }

    fn name(&self, name: &str) -> String {
        if self.secure { format!("__Host-{name}") } else { name.to_owned() }
    }

    /// The first one of that name.
    fn get(&self, name: &str) -> Option<&'a str> {
        let name = self.name(name);
        let lines = self.headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(given, _)| *given == name).map(|(_, value)| value)
    }

    pub(super) fn session(&self) -> Option<Secret> {
        self.get(SESSION).map(Secret::new)
    }

    pub(super) fn visit(&self) -> Option<&'a str> {
        self.get(VISIT).filter(|visit| visit.len() == WORD_CHARACTERS)
    }

    pub(super) fn language(&self) -> Option<&'a str> {
        self.get(LANGUAGE)
    }

    fn cookie(&self, name: &str, value: &str, seconds: u64) -> Option<HeaderValue> {
        let (name, secure) = (self.name(name), if self.secure { "; Secure" } else { "" });
        let cookie = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&cookie).ok()
    }

    /// Sets the session in an answer, or ends it.
    pub(super) fn set_session(&self, answer: &mut HeaderMap, secret: Option<&Secret>) {
        let (value, seconds) = match secret {
            Some(secret) => (secret.reveal(), SESSION_LIFE.as_secs()),
            None => ("", 0),
        };
        answer.extend(self.cookie(SESSION, value, seconds).map(|cookie| (SET_COOKIE, cookie)));
    }

    pub(super) fn set_visit(&self, answer: &mut HeaderMap, value: &str) {
        answer.extend(self.cookie(VISIT, value, VISIT_SECONDS).map(|cookie| (SET_COOKIE, cookie)));
    }

    pub(super) fn set_language(&self, answer: &mut HeaderMap, tag: &str) {
        answer.extend(self.cookie(LANGUAGE, tag, LANGUAGE_SECONDS).map(|cookie| (SET_COOKIE, cookie)));
    }
}

/// Who has the session `secret`; `None`: nobody any more.
pub(super) async fn holder(
    app: &App,
    secret: &Secret,
    from: Option<std::net::IpAddr>,
    now: Timestamp,
) -> Result<Option<Principal>, auth::Error> {
    match app.auth.authenticate_personal_token(secret, from, now).await {
        // A narrowed token, or a docker login, manages nothing.
        Ok(principal) if !principal.is_narrowed() => Ok(Some(principal)),
        Err(AuthenticationError::Failed(error)) => Err(error),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// A word that nobody guesses, and no two have in common: what a visit is called.
pub(super) fn random_word() -> String {
    format!("{:0WORD_CHARACTERS$x}", rand::random::<u128>())
}

/// Begins a session of `principal`, instead of its oldest one where it has as many tokens as there may be.
pub(super) async fn begin(app: &App, principal: &Principal, now: Timestamp) -> Result<Secret, auth::Error> {
    match make(app, principal, now).await {
        Err(auth::Error::Limit { what, max }) => {
            let tokens = app.auth.list_personal_tokens(principal, None, usize::MAX, now).await?;
            let oldest = tokens.iter().filter(|token| is_session(token)).min_by_key(|token| token.created_at);
            let oldest = oldest.ok_or(auth::Error::Limit { what, max })?.id;
            revoke(app, principal, oldest, now).await?;
            make(app, principal, now).await
        }
        begun => begun,
    }
}

async fn make(app: &App, principal: &Principal, now: Timestamp) -> Result<Secret, auth::Error> {
    let description = Description::parse(SESSION_DESCRIPTION)?;
    let new = NewToken { expires_in: SESSION_LIFE, description, scope: None };
    Ok(app.auth.create_personal_token(principal, new, now).await?.1)
}

/// Ends the session that `principal` came with. What it made stays.
pub(super) async fn end(app: &App, principal: &Principal, now: Timestamp) -> Result<(), auth::Error> {
    let Some(token) = principal.personal_token() else { return Ok(()) };
    revoke(app, principal, token, now).await
}

async fn revoke(app: &App, principal: &Principal, token: TokenId, now: Timestamp) -> Result<(), auth::Error> {
    match app.auth.revoke_personal_token(principal, token, Made::Stays, now).await {
        // Twice at once, perhaps.
        Err(auth::Error::NotFound { .. }) => Ok(()),
        ended => ended,
    }
}

/// Whether a token is a session.
pub(super) fn is_session(token: &PersonalToken) -> bool {
    let life = token.expires_at.duration_since(token.created_at);
    token.description.as_str() == SESSION_DESCRIPTION
        && !token.registry_only
        && token.scope.is_none()
        && u64::try_from(life.as_secs()).is_ok_and(|seconds| seconds == SESSION_LIFE.as_secs())
}

/// What forms carry that are made for the session, or visit, `of`.
pub(super) fn form_token(of: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, of.as_bytes());
    let tag = hmac::sign(&key, b"gangplank: a form of the console");
    tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether a form carries what it must.
pub(super) fn is_form_token(of: &str, given: &str) -> bool {
    form_token(of).as_bytes().ct_eq(given.as_bytes()).into()
}
