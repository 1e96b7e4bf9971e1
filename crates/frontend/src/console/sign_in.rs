//! Signing in and out, and the language, which needs no sign-in.

use auth::{AuthenticationError, Principal, Secret};
use axum::extract::{FromRequestParts, Request};
use http::header::{REFERER, RETRY_AFTER};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use maud::html;

use super::page::{Answer, Field, form_token, go, plain_page};
use super::problem::Problem;
use super::session;
use super::text::{Language, fill};
use super::visitor::{Arrived, Form, Query, Visitor, inside, parameter};

/// Where a request came in, for pages that need no session.
pub(super) struct Came {
    arrived: Arrived,
    headers: HeaderMap,
    pub(super) language: Language,
    query: Query,
}

impl<S: Sync> FromRequestParts<S> for Came {
    type Rejection = Answer;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Came, Answer> {
        Came::of(parts).map_err(|problem| problem.answer(Language::accepted(&parts.headers)))
    }
}

impl Came {
    fn of(parts: &Parts) -> Result<Came, Problem> {
        let arrived = Arrived::of(parts)?;
        let (headers, query) = (parts.headers.clone(), Query::parse(parts.uri.query()));
        Ok(Came { language: arrived.language(&headers), arrived, headers, query })
    }
}

/// `GET /console/language?to=…`: keeps a language, and goes back to where it was chosen.
pub(super) async fn language(came: Came) -> Answer {
    let back = came.headers.get(REFERER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let back = back.strip_prefix(&came.arrived.origin.origin()).unwrap_or_default();
    let mut answer = match back.strip_prefix(SIGN_IN) {
        Some(query) if query.is_empty() || query.starts_with('?') => {
            let query = Query::parse(query.strip_prefix('?'));
            let ended = query.get("ended").is_some();
            go(&address(query.get("next").and_then(inside).unwrap_or_default(), ended))
        }
        _ => go(inside(back).unwrap_or("/console/")),
    };
    let wanted = came.query.get("to").and_then(Language::parse);
    // No other site chooses for the visitor.
    if let Some(language) = wanted.filter(|_| came.arrived.is_ours(&came.headers)) {
        came.arrived.cookies(&came.headers).set_language(answer.headers_mut(), language.tag());
    }
    answer
}

const SIGN_IN: &str = "/console/sign-in";

/// Where somebody signs in to go on at `next`, perhaps since a session has ended.
fn address(next: &str, ended: bool) -> String {
    let ended = if ended { "&ended=1" } else { "" };
    if next.is_empty() && ended.is_empty() {
        return SIGN_IN.to_owned();
    }
    format!("{SIGN_IN}?next={}{ended}", parameter(next))
}

/// `GET /console/sign-in`.
pub(super) async fn show(came: Came) -> Answer {
    let next = came.query.get("next").and_then(inside).unwrap_or_default().to_owned();
    form(&came, StatusCode::OK, "", &next, None)
}

fn form(came: &Came, status: StatusCode, name: &str, next: &str, error: Option<&str>) -> Answer {
    let t = came.language.texts();
    let cookies = came.arrived.cookies(&came.headers);
    // The form belongs to this browser's visit: another site cannot sign it in as somebody else.
    let visit = cookies.visit().map_or_else(session::random_word, str::to_owned);
    // No other site says what was done here.
    let is_ours = came.arrived.is_ours(&came.headers);
    let told = |name| came.query.get(name).filter(|_| is_ours);
    let content = html! {
        @if told("done") == Some("password") { p.told role="status" { (t.password_changed) } }
        @if told("ended").is_some() { p.told role="status" { (t.session_ended) } }
        p { (t.sign_in_intro) }
        @if let Some(error) = error { p.wrong role="alert" { (error) } }
        form.panel method="post" action=(address(next, false)) {
            (form_token(&session::form_token(&visit)))
            input type="hidden" name="next" value=(next);
            (Field { name: "username", label: t.user_name, hint: None, error: None }.line("text", name, "username"))
            (Field { name: "password", label: t.password, hint: None, error: None }
                .line("password", "", "current-password"))
            button type="submit" { (t.sign_in) }
        }
    };
    let mut answer = plain_page(came.language, status, t.sign_in, &content);
    cookies.set_visit(answer.headers_mut(), &visit);
    answer
}

/// `POST /console/sign-in`.
pub(super) async fn sign_in(request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let came = match Came::of(&parts) {
        Ok(came) => came,
        Err(problem) => return problem.answer(Language::accepted(&parts.headers)),
    };
    let visit = came.arrived.cookies(&came.headers).visit().unwrap_or_default().to_owned();
    let read = match visit.as_str() {
        "" => {
            let (status, t) = (StatusCode::FORBIDDEN, came.language.texts());
            let next = came.query.get("next").and_then(inside).unwrap_or_default();
            return form(&came, status, "", next, Some(t.cookies_needed));
        }
        visit => Form::read(Request::from_parts(parts, body), visit).await,
    };
    match read {
        Ok(form) => begin(&came, &form).await,
        Err(problem) => problem.answer(came.language),
    }
}

async fn begin(came: &Came, sent: &Form) -> Answer {
    let Arrived { app, from, .. } = &came.arrived;
    let t = came.language.texts();
    let (name, next) = (sent.get("username").trim(), inside(sent.get("next")).unwrap_or("/console/"));
    let now = app.clock.now();
    let principal = app.auth.authenticate(name, &Secret::new(sent.get("password")), *from, now).await;
    let begun = match principal {
        Ok(principal) => anew(came, &principal, now).await,
        Err(AuthenticationError::Failed(auth::Error::Busy)) => {
            let status = StatusCode::TOO_MANY_REQUESTS;
            let mut answer = form(came, status, name, next, Some(t.sign_in_throttled));
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("60"));
            return answer;
        }
        Err(AuthenticationError::Failed(error)) => Err(error),
        Err(_) => return form(came, StatusCode::UNAUTHORIZED, name, next, Some(t.sign_in_refused)),
    };
    match begun {
        Ok(secret) => {
            let mut answer = go(next);
            came.arrived.cookies(&came.headers).set_session(answer.headers_mut(), Some(&secret));
            answer
        }
        Err(auth::Error::Forbidden) => {
            form(came, StatusCode::UNAUTHORIZED, name, next, Some(t.sign_in_refused))
        }
        Err(auth::Error::Limit { max, .. }) => {
            let full = fill(t.sign_in_full, &[("max", &max)]);
            form(came, StatusCode::CONFLICT, name, next, Some(&full))
        }
        Err(error) => Problem::from(error).answer(came.language),
    }
}

/// Begins a session in the place of the one that this browser had, which it forgets.
async fn anew(came: &Came, principal: &Principal, now: Timestamp) -> Result<Secret, auth::Error> {
    let Arrived { app, from, .. } = &came.arrived;
    if let Some(former) = came.arrived.cookies(&came.headers).session()
        && let Some(holder) = session::holder(app, &former, *from, now).await?
    {
        session::end(app, &holder, now).await?;
    }
    session::begin(app, principal, now).await
}

/// `POST /console/sign-out`: the session's token is revoked.
pub(super) async fn sign_out(came: Came, visitor: Visitor, _: Form) -> Answer {
    if let Err(error) = session::end(&visitor.app, &visitor.principal, visitor.now).await {
        return Problem::from(error).answer(visitor.language);
    }
    let mut answer = go("/console/sign-in");
    came.arrived.cookies(&came.headers).set_session(answer.headers_mut(), None);
    answer
}
