//! Personal tokens, and temporary logins for docker, which are such.

use std::cmp::Reverse;
use std::time::Duration;

use auth::{Made, NewToken, PATTERNS_MAX, PersonalToken, ScopePattern, TokenId};
use jiff::Timestamp;
use maud::{Markup, html};

use super::credentials::{ALL, docker_login, maker, maker_field};
use super::forms::{Asked, Refusal, described, done_or_gone};
use super::list::{ROWS_AND_ONE, Rows, pager};
use super::made_once::number;
use super::page::{Answer, Place, Question, form_token, go, instant, once, time};
use super::problem::{Problem, Wrong};
use super::session::is_session;
use super::table::{column, heading, table};
use super::text::fill;
use super::visitor::{Form, Visitor};

const HOUR_SECONDS: u64 = 60 * 60;
const DAY_SECONDS: u64 = 24 * HOUR_SECONDS;
const LOGIN_HOURS_MAX: u64 = 24;

/// A place in the list: when a token was made, and its number.
fn parsed(place: &str) -> Option<(Timestamp, TokenId)> {
    let (at, id) = place.split_once('/')?;
    Some((at.parse().ok()?, id.parse().ok()?))
}

/// The part of the page that lists them, the newest first.
pub(super) async fn list(visitor: &Visitor) -> Result<Markup, Problem> {
    let t = visitor.t;
    let after = visitor.query.get("after").map(|place| parsed(place).ok_or(Problem::NotFound)).transpose()?;
    let mut found = all(visitor).await?;
    found.sort_by_key(|token| Reverse((token.created_at, token.id)));
    found.retain(|token| after.is_none_or(|after| (token.created_at, token.id) < after));
    found.truncate(ROWS_AND_ONE);
    let rows = Rows::of(found, |token| format!("{}/{}", token.created_at, token.id));
    let columns =
        [heading(t.description), column(t.kind), column(t.created), column(t.ends), column(t.actions)];
    Ok(html! {
        h2 { (t.tokens) }
        p { (t.tokens_text) }
        p { a.button href="/console/credentials?do=token" { (t.token_new) } }
        (table(t, &columns, rows.items.iter().map(|token| line(visitor, token))))
        (pager(visitor, ALL, rows.next.as_deref()))
    })
}

/// What a token is called: its description, or where there is none its number.
fn called(token: &PersonalToken) -> String {
    let text = token.description.as_str().trim();
    if text.is_empty() { token.id.to_string() } else { text.to_owned() }
}

fn line(visitor: &Visitor, token: &PersonalToken) -> Vec<Markup> {
    let t = visitor.t;
    let name = called(token);
    let is_this = visitor.principal.personal_token() == Some(token.id);
    let revoke = format!("{ALL}?do=revoke&of={}", token.id);
    vec![
        html! { (name) },
        html! {
            @if is_this { strong { (t.this_session) } }
            @else if is_session(token) { (t.console_session) }
            @else if token.registry_only { (t.docker_login) }
            @else if let Some(scope) = &token.scope { (t.token_narrowed) " " (patterns(scope)) } @else { (t.personal_token) }
        },
        time(token.created_at, &visitor.zone),
        time(token.expires_at, &visitor.zone),
        html! { a href=(revoke) aria-label=(fill(t.token_revoke_named, &[("name", &name)])) { (t.token_revoke) } },
    ]
}

/// All tokens of the visitor, which are bounded where they are made.
async fn all(visitor: &Visitor) -> Result<Vec<PersonalToken>, Problem> {
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    Ok(auth.list_personal_tokens(p, None, usize::MAX, now).await?)
}

/// When the session ends, and with it what is made with it.
fn session_end(visitor: &Visitor) -> String {
    let end = visitor.principal.credential_ends_at();
    end.map(|end| instant(end, &visitor.zone)).unwrap_or_default()
}

/// The form that makes a login for docker.
pub(super) fn login_form(visitor: &Visitor, asked: Asked<'_>) -> Markup {
    let t = visitor.t;
    let hint = fill(t.maker_hint, &[("end", &session_end(visitor))]);
    let hours: Vec<_> = (1..=LOGIN_HOURS_MAX).map(|hours| hours.to_string()).collect();
    let hours: Vec<_> = hours.iter().map(|hours| (hours.as_str(), hours.as_str())).collect();
    html! {
        (asked.whole_error())
        p { (t.login_text) }
        form.panel method="post" action=(ALL) {
            (form_token(&visitor.form_token))
            (number())
            (asked.field("hours", t.login_hours, None).select(&hours, asked.typed_or("hours", "12")))
            (maker_field(visitor, asked, hint))
            div.bar {
                button type="submit" name="action" value="docker-login" { (t.login_new) }
                a.button.plain href=(ALL) { (t.cancel) }
            }
        }
    }
}

/// Makes a login for docker.
pub(super) async fn make_login(visitor: &Visitor, form: &Form) -> Result<Answer, Refusal> {
    let t = visitor.t;
    let hours: Option<u64> = form.get("hours").parse().ok();
    let hours = hours.filter(|hours| (1..=LOGIN_HOURS_MAX).contains(hours));
    let wrong = || Wrong::of("hours", fill(t.login_hours_wrong, &[("max", &LOGIN_HOURS_MAX)]));
    let life = Duration::from_secs(hours.ok_or_else(wrong)? * HOUR_SECONDS);
    let maker = maker(visitor, form).await?;
    let made = visitor.app.auth.create_docker_login(&maker, life, visitor.now).await;
    let (token, secret) = made.map_err(|error| Refusal::of(error, t))?;
    let line = docker_login(visitor, &maker.name(), secret.reveal());
    Ok(once(visitor, Place::Credentials, t.docker_login, &[(t.login_command, &line)], &ends(visitor, &token)))
}

fn ends(visitor: &Visitor, token: &PersonalToken) -> Markup {
    let t = visitor.t;
    html! {
        dl.facts {
            dt { (t.ends) } dd { (time(token.expires_at, &visitor.zone)) }
            @if let Some(scope) = &token.scope { dt { (t.token_scope) } dd { (patterns(scope)) } }
        }
    }
}

fn patterns(scope: &[ScopePattern]) -> Markup {
    html! { @for pattern in scope { code { (pattern) } " " } }
}

/// The longest life of a personal token, in days.
fn days_max(visitor: &Visitor) -> u64 {
    visitor.app.auth.settings().personal_token_ttl_max.as_secs() / DAY_SECONDS
}

/// The form that makes a personal token.
pub(super) fn token_form(visitor: &Visitor, asked: Asked<'_>) -> Markup {
    let t = visitor.t;
    let max = days_max(visitor);
    let hint = fill(t.token_maker_hint, &[("end", &session_end(visitor))]);
    let days = fill(t.token_days_hint, &[("max", &max)]);
    let scope = fill(t.token_scope_hint, &[("max", &PATTERNS_MAX)]);
    html! {
        (asked.whole_error())
        form.panel method="post" action=(ALL) {
            (form_token(&visitor.form_token))
            (number())
            (asked.field("description", t.description, Some(t.token_description_hint.to_owned()))
                .line("text", asked.typed("description"), "off"))
            (asked.field("days", t.token_days, Some(days)).line("text", asked.typed_or("days", "30"), "off"))
            (asked.field("scope", t.token_scope, Some(scope)).lines(asked.typed("scope")))
            (maker_field(visitor, asked, hint))
            div.bar {
                button type="submit" name="action" value="token" { (t.token_new) }
                a.button.plain href=(ALL) { (t.cancel) }
            }
        }
    }
}

/// The patterns that were typed; `None`: none were.
fn scope(visitor: &Visitor, form: &Form) -> Result<Option<Vec<ScopePattern>>, Wrong> {
    let t = visitor.t;
    let typed: Vec<_> = form.get("scope").split_whitespace().collect();
    if typed.len() > PATTERNS_MAX {
        return Err(Wrong::of("scope", fill(t.token_scope_many, &[("max", &PATTERNS_MAX)])));
    }
    let wrong = |word: &str| Wrong::of("scope", fill(t.token_scope_wrong, &[("pattern", &word)]));
    let patterns = typed.iter().map(|word| ScopePattern::parse(word).map_err(|_| wrong(word)));
    let patterns: Vec<_> = patterns.collect::<Result<_, _>>()?;
    Ok(Some(patterns).filter(|patterns| !patterns.is_empty()))
}

/// Nobody gets a token that ends sooner than was asked for: one that outlives the session takes the password.
fn ends_in_time(visitor: &Visitor, form: &Form, life: Duration) -> Result<(), Wrong> {
    let last = visitor.principal.credential_ends_at().filter(|_| form.get("current_password").is_empty());
    if last.is_some_and(|last| visitor.now.checked_add(life).map_or(true, |end| end > last)) {
        let text = fill(visitor.t.token_outlives, &[("end", &session_end(visitor))]);
        return Err(Wrong::of("current_password", text));
    }
    Ok(())
}

/// Makes a personal token.
pub(super) async fn make_token(visitor: &Visitor, form: &Form) -> Result<Answer, Refusal> {
    let t = visitor.t;
    let description = described(visitor, form)?;
    let days: Option<u64> = form.get("days").trim().parse().ok();
    let days = days.filter(|days| (1..=days_max(visitor)).contains(days));
    let wrong = || Wrong::of("days", fill(t.token_days_wrong, &[("max", &days_max(visitor))]));
    let expires_in = Duration::from_secs(days.ok_or_else(wrong)? * DAY_SECONDS);
    let scope = scope(visitor, form)?;
    ends_in_time(visitor, form, expires_in)?;
    let maker = maker(visitor, form).await?;
    let new = NewToken { expires_in, description, scope };
    let made = visitor.app.auth.create_personal_token(&maker, new, visitor.now).await;
    let (token, secret) = made.map_err(|error| match error {
        // All that a new token names is its scope.
        auth::Error::NotFound { .. } => Wrong::of("scope", t.token_scope_unknown).into(),
        error => Refusal::of(error, t),
    })?;
    let line = docker_login(visitor, &maker.name(), secret.reveal());
    let lines = [(t.personal_token, secret.reveal()), (t.login_command, line.as_str())];
    Ok(once(visitor, Place::Credentials, &called(&token), &lines, &ends(visitor, &token)))
}

/// The question before one is revoked.
pub(super) async fn question(visitor: &Visitor, asked: Asked<'_>) -> Result<Markup, Problem> {
    let t = visitor.t;
    let wanted: TokenId = asked.of().parse()?;
    let token = all(visitor).await?.into_iter().find(|token| token.id == wanted).ok_or(Problem::NotFound)?;
    let is_this = visitor.principal.personal_token() == Some(wanted);
    let question = Question {
        text: &fill(t.token_revoke_question, &[("name", &called(&token))]),
        warning: if is_this { t.token_revoke_own_warning } else { t.token_revoke_warning },
        address: ALL,
        action: "revoke",
        of: &wanted.to_string(),
        button: t.token_revoke,
        back: ALL,
    };
    Ok(question.asks(visitor))
}

/// Revokes one, and what was made with it.
pub(super) async fn revoke(visitor: &Visitor, form: &Form) -> Result<Answer, Refusal> {
    let token: TokenId = form.get("of").parse().map_err(Problem::from)?;
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let revoked = auth.revoke_personal_token(p, token, Made::Ends, now).await;
    let done = done_or_gone(revoked, "token-revoked", visitor.t)?;
    Ok(go(&format!("{ALL}?done={done}")))
}
