//! The visitor's own credentials: temporary logins for docker, personal tokens and access keys. What is secret is in the
//! answer that makes it, and nowhere after.

use auth::{AuthenticationError, Principal, Secret};
use maud::{Markup, html};

use super::forms::{Asked, Refusal, ended_or_gone, sent};
use super::made_once::made_once;
use super::page::{Answer, Place, page};
use super::problem::{Problem, Wrong};
use super::visitor::{Form, Visitor};
use super::{access_keys, tokens};

/// Where the page is, and where its forms go.
pub(super) const ALL: &str = "/console/credentials";

/// `GET /console/credentials`.
pub(super) async fn show(visitor: Visitor) -> Answer {
    ended_or_gone(&visitor, shown(&visitor, Asked::First(&visitor.query)).await, ALL)
}

async fn shown(visitor: &Visitor, asked: Asked<'_>) -> Result<Answer, Problem> {
    let t = visitor.t;
    let (title, content) = match asked.what() {
        "docker-login" => (t.login_new, tokens::login_form(visitor, asked)),
        "token" => (t.token_new, tokens::token_form(visitor, asked)),
        "access-key" => (t.key_new, access_keys::form(visitor, asked)),
        "revoke" => (t.token_revoke, tokens::question(visitor, asked).await?),
        "delete" => (t.key_delete, access_keys::question(visitor, asked).await?),
        _ => {
            let content = html! {
                (asked.whole_error())
                section.panel {
                    h2 { (t.docker_login) }
                    p { (t.login_text) }
                    p { a.button href="/console/credentials?do=docker-login" { (t.login_new) } }
                }
                (tokens::list(visitor).await?)
                (access_keys::list(visitor).await?)
            };
            (t.credentials, content)
        }
    };
    Ok(page(visitor, Place::Credentials, title, &content))
}

/// `POST /console/credentials`: what the button that was pressed says.
pub(super) async fn act(visitor: Visitor, form: Form) -> Answer {
    let done = match form.get("action") {
        "docker-login" => made_once(&visitor, &form, ALL, tokens::make_login(&visitor, &form)).await,
        "token" => made_once(&visitor, &form, ALL, tokens::make_token(&visitor, &form)).await,
        "revoke" => tokens::revoke(&visitor, &form).await,
        "access-key" => made_once(&visitor, &form, ALL, access_keys::make(&visitor, &form)).await,
        "disable" => access_keys::set_disabled(&visitor, &form, true).await,
        "enable" => access_keys::set_disabled(&visitor, &form, false).await,
        "delete" => access_keys::delete(&visitor, &form).await,
        _ => Err(Problem::NotFound.into()),
    };
    sent(&visitor, &form, done, async |asked| shown(&visitor, asked).await).await
}

/// Who makes a credential: who has the session, so that it ends with that; or, with the password, its holder anew, so that
/// it stands on its own.
pub(super) async fn maker(visitor: &Visitor, form: &Form) -> Result<Principal, Refusal> {
    let (t, p, given) = (visitor.t, &visitor.principal, form.get("current_password"));
    if given.is_empty() {
        return Ok(p.clone());
    }
    let (auth, password) = (&visitor.app.auth, Secret::new(given));
    let wrong = |text: &str| Refusal::Wrong(Wrong::of("current_password", text));
    match auth.authenticate(&p.name(), &password, p.address(), visitor.now).await {
        Ok(principal) if principal.same_as(p) => Ok(principal),
        Err(AuthenticationError::Failed(auth::Error::Busy)) => Err(wrong(t.sign_in_throttled)),
        Err(AuthenticationError::Failed(error)) => Err(Problem::from(error).into()),
        Ok(_) | Err(_) => Err(wrong(t.wrong_password)),
    }
}

/// The field that [`maker`] reads.
pub(super) fn maker_field(visitor: &Visitor, asked: Asked<'_>, hint: String) -> Markup {
    asked.field("current_password", visitor.t.current_password, Some(hint)).line(
        "password",
        "",
        "current-password",
    )
}

/// The line that signs docker in.
pub(super) fn docker_login(visitor: &Visitor, username: &str, password: &str) -> String {
    format!("docker login --username '{username}' --password '{password}' {}", visitor.host)
}
