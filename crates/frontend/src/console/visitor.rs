//! What a page takes from a request: who is signed in ([`Visitor`]) and what a form says ([`Form`]).

use std::net::IpAddr;
use std::time::Duration;

use auth::Principal;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use http::header::{CONTENT_TYPE, ORIGIN, REFERER};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::page::{Answer, go};
use super::problem::{self, Problem};
use super::session::{self, Cookies};
use super::text::{Language, Texts};
use crate::{App, ExternalUrl};

/// The largest form: many times what the longest needs.
const FORM_BYTES_MAX: usize = 256 << 10;
/// How long a form may take to arrive.
const FORM_TIME_MAX: Duration = Duration::from_secs(30);
/// The longest address that a page leads to. With the registry's own, browsers name where they come from up to 4,096 bytes, and
/// reverse proxies take an answer's head, which leads there, of the same size.
pub(super) const ADDRESS_BYTES_MAX: usize = 3_500;
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What stays as it is in a parameter.
const PARAMETER: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'/').remove(b'*');

/// Where a request comes from, and under which address we are known to it.
#[derive(Clone)]
pub(super) struct Arrived {
    pub(super) app: App,
    pub(super) from: Option<IpAddr>,
    pub(super) origin: ExternalUrl,
}

impl Arrived {
    /// Of a request that came through [`super::respond`].
    pub(super) fn of(parts: &Parts) -> Result<Arrived, Problem> {
        parts.extensions.get::<Arrived>().cloned().ok_or(Problem::Failed)
    }

    pub(super) fn cookies<'h>(&self, headers: &'h HeaderMap) -> Cookies<'h> {
        Cookies::new(headers, self.origin.is_secure())
    }

    /// The language of whoever asks.
    pub(super) fn language(&self, headers: &HeaderMap) -> Language {
        let chosen = self.cookies(headers).language().and_then(Language::parse);
        chosen.unwrap_or_else(|| Language::accepted(headers))
    }

    /// Whether a request that changes something was made by a page of ours, as far as its browser tells.
    pub(super) fn is_ours(&self, headers: &HeaderMap) -> bool {
        let site = headers.get(FETCH_SITE).is_none_or(|site| site == "same-origin");
        site && headers.get(ORIGIN).is_none_or(|origin| origin.as_bytes() == self.origin.origin().as_bytes())
    }
}

/// Who is signed in.
pub(super) struct Visitor {
    pub(super) app: App,
    /// Never anonymous, never narrowed.
    pub(super) principal: Principal,
    /// The instant of the request.
    pub(super) now: Timestamp,
    pub(super) language: Language,
    pub(super) t: &'static Texts,
    /// In which dates are shown and meant.
    pub(super) zone: TimeZone,
    /// What its forms carry.
    pub(super) form_token: String,
    /// The registry's host and port, as images are called by.
    pub(super) host: String,
    /// What was done by the request before this one.
    pub(super) told: Option<&'static str>,
    pub(super) query: Query,
    /// Whether a page of ours led here, as far as the browser tells.
    pub(super) is_ours: bool,
    /// Whether the browser gets to the same page by its address again. What answers a form has none: another language would
    /// lose what was typed, or what is shown this once.
    pub(super) has_address: bool,
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Answer;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Visitor, Answer> {
        let language = match Arrived::of(parts) {
            Ok(arrived) => arrived.language(&parts.headers),
            Err(_) => Language::accepted(&parts.headers),
        };
        let found = Visitor::of(parts).await.map_err(|problem| problem.answer(language))?;
        // For the form that may follow.
        if let Some(visitor) = &found {
            parts.extensions.insert(visitor.principal.clone());
        }
        found.ok_or_else(|| {
            let next = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
            if parts.uri.path() == "/console/sign-out" {
                go("/console/sign-in")
            } else if parts.method != Method::GET {
                signs_in("ended=1&", &came_from(parts).unwrap_or_default())
            } else if next != "/console/" && next != "/console" {
                signs_in("", &next)
            } else {
                go("/console/sign-in")
            }
        })
    }
}

impl Visitor {
    /// `None`: nobody is signed in.
    async fn of(parts: &Parts) -> Result<Option<Visitor>, Problem> {
        let arrived = Arrived::of(parts)?;
        let language = arrived.language(&parts.headers);
        let is_ours = arrived.is_ours(&parts.headers);
        let Arrived { app, from, origin } = arrived.clone();
        let Some(secret) = arrived.cookies(&parts.headers).session() else { return Ok(None) };
        let now = app.clock.now();
        let Some(principal) = session::holder(&app, &secret, from, now).await? else { return Ok(None) };
        tracing::Span::current().record("principal", principal.name());
        let (t, query) = (language.texts(), Query::parse(parts.uri.query()));
        let zone = app.auth.time_zone(&principal).await?;
        let address_bytes = parts.uri.path_and_query().map_or(0, |address| address.as_str().len());
        Ok(Some(Visitor {
            form_token: session::form_token(secret.reveal()),
            host: origin.authority().to_owned(),
            // No other site says what was done here.
            told: query.get("done").filter(|_| is_ours).and_then(|done| problem::told(done, t)),
            app,
            principal,
            now,
            language,
            t,
            zone,
            query,
            is_ours,
            has_address: parts.method.is_safe() && address_bytes <= ADDRESS_BYTES_MAX,
        }))
    }
}

/// The parameters of an address.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(query: Option<&str>) -> Query {
        Query::of(query.unwrap_or_default().as_bytes())
    }

    fn of(encoded: &[u8]) -> Query {
        let pairs = form_urlencoded::parse(encoded);
        Query(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// One of them, unless it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str());
        found.filter(|value| !value.is_empty())
    }

    /// All of that name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// A form that was sent, whose token is the session's.
pub(super) struct Form(pub(super) Query);

impl Form {
    /// What a field holds; nothing where it is missing.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.0.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value.as_str())
    }

    /// The same of a text of several lines, whose ends browsers send as CRLF.
    pub(super) fn text(&self, name: &str) -> String {
        self.get(name).replace("\r\n", "\n")
    }

    /// Whether a box is ticked, or a button was pressed.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.0.iter().any(|(given, _)| given == name)
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.all(name)
    }

    /// Reads a form, whose token must be that of `of`: of a session, or of a visit.
    pub(super) async fn read(request: Request, of: &str) -> Result<Form, Problem> {
        let (parts, body) = request.into_parts();
        if !Arrived::of(&parts)?.is_ours(&parts.headers) {
            return Err(Problem::FormStale);
        }
        let media_type = parts.headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
        if !media_type.is_some_and(|value| value.starts_with(b"application/x-www-form-urlencoded")) {
            return Err(Problem::FormStale);
        }
        let whole = tokio::time::timeout(FORM_TIME_MAX, Limited::new(body, FORM_BYTES_MAX).collect()).await;
        let whole = whole.map_err(|_| Problem::FormIncomplete)?.map_err(|error| {
            if error.is::<LengthLimitError>() { Problem::FormTooLarge } else { Problem::FormIncomplete }
        })?;
        let whole = whole.to_bytes();
        let form = Form(Query::of(&whole));
        if session::is_form_token(of, form.get("form_token")) { Ok(form) } else { Err(Problem::FormStale) }
    }
}

/// Of whoever is signed in: [`Visitor`] comes before it.
impl<S: Sync> FromRequest<S> for Form {
    type Rejection = Answer;

    async fn from_request(request: Request, _: &S) -> Result<Form, Answer> {
        let (parts, body) = request.into_parts();
        let arrived = Arrived::of(&parts).map_err(|problem| problem.answer(Language::English))?;
        let language = arrived.language(&parts.headers);
        let read = async {
            let secret = arrived.cookies(&parts.headers).session().ok_or(Problem::FormStale)?;
            let form = Form::read(Request::from_parts(parts.clone(), body), secret.reveal()).await?;
            // A form takes its time: what was revoked while it came bites.
            let principal = parts.extensions.get::<Principal>().ok_or(Problem::FormStale)?;
            let app = &arrived.app;
            Ok(app.auth.still_good(principal, app.clock.now()).await?.then_some(form))
        };
        match read.await {
            Ok(Some(form)) => Ok(form),
            Ok(None) => Err(signs_in("ended=1&", &came_from(&parts).unwrap_or_default())),
            Err(problem) => Err(Problem::answer(problem, language)),
        }
    }
}

/// The part of a path that a page is about.
pub(super) struct At(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for At {
    type Rejection = Answer;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<At, Answer> {
        let language =
            Arrived::of(parts).map_or(Language::English, |arrived| arrived.language(&parts.headers));
        // What is no text names nothing.
        let path = Path::<String>::from_request_parts(parts, state).await;
        path.map(|Path(text)| At(text)).map_err(|_| Problem::NotFound.answer(language))
    }
}

/// Leads to the sign-in, and from there to `next`: to its page, where all of it is too long for an address.
fn signs_in(ended: &str, next: &str) -> Answer {
    let to = |next: &str| format!("/console/sign-in?{ended}next={}", parameter(next));
    let whole = to(next);
    if whole.len() <= ADDRESS_BYTES_MAX {
        return go(&whole);
    }
    let page = to(next.split('?').next().unwrap_or_default());
    go(if page.len() <= ADDRESS_BYTES_MAX { &page } else { "/console/sign-in" })
}

/// The page whose form was sent, as the browser names it, or the one of the form's own address; without what it told of
/// what was done before.
fn came_from(parts: &Parts) -> Option<String> {
    let origin = Arrived::of(parts).ok()?.origin.origin();
    let named = parts.headers.get(REFERER).and_then(|value| value.to_str().ok());
    let named = named.and_then(|address| address.strip_prefix(&origin)).and_then(inside);
    let address = named.or_else(|| inside(parts.uri.path()))?;
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let kept: Vec<_> =
        query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("done=")).collect();
    Some(if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) })
}

/// Text as a parameter of an address.
pub(super) fn parameter(text: &str) -> String {
    utf8_percent_encode(text, PARAMETER).to_string()
}

/// Where to go after signing in: a page of the console, and nowhere else.
pub(super) fn inside(next: &str) -> Option<&str> {
    let plain = next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let path = next.split(['?', '#']).next().unwrap_or_default();
    // No page's path has anything to encode.
    let inside =
        path.starts_with("/console/") && !path.contains("//") && !path.contains("..") && !path.contains('%');
    let is_page = !["/console/sign-in", "/console/sign-out", "/console/language"].contains(&path);
    (plain && inside && is_page).then_some(next)
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn nobody_is_led_off_the_site() {
        for next in ["/console/", "/console/images?q=a%2Fb&page=2", "/console/images/team-a/web?tab=sharing"]
        {
            assert_eq!(inside(next), Some(next));
        }
        for next in [
            "",
            "/",
            "//evil.example/console/",
            "https://evil.example/console/",
            "/\\evil.example",
            "/console\\@evil",
            "/console/\\evil.example",
            "/console//evil.example",
            "/console/../v2/",
            "/console/%2e%2e/%2fevil.example",
            "/console/%2E%2E/v2/",
            "/consolevil/",
            "/console/\r\nx",
            "/console/ü",
            "javascript:alert(1)",
            "/console/sign-in?next=x",
            "/console/sign-out",
            "/console/language?to=zh-CN",
        ] {
            assert_eq!(inside(next), None, "{next}");
        }
    }
}
