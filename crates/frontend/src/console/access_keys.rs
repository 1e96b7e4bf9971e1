//! Access keys, and the long-term login for docker that each one opens.

use auth::{AccessKey, AccessKeyId};
use maud::{Markup, html};

use super::credentials::{ALL, docker_login, maker, maker_field};
use super::forms::{Asked, Refusal, described, done_or_gone};
use super::holders::{state, switch};
use super::made_once::number;
use super::page::{Answer, Place, Question, form_token, go, once, time};
use super::problem::Problem;
use super::table::{column, heading, table};
use super::text::fill;
use super::visitor::{Form, Visitor, parameter};

fn id(text: &str) -> Result<AccessKeyId, Problem> {
    AccessKeyId::parse(text).map_err(|_| Problem::NotFound)
}

/// All access keys of the visitor, which are bounded where they are made.
async fn all(visitor: &Visitor) -> Result<Vec<AccessKey>, Problem> {
    Ok(visitor.app.auth.list_access_keys(&visitor.principal, None, None, usize::MAX).await?)
}

/// The part of the page that lists them.
pub(super) async fn list(visitor: &Visitor) -> Result<Markup, Problem> {
    let t = visitor.t;
    let keys = all(visitor).await?;
    let columns = [
        heading(t.access_key),
        column(t.description),
        column(t.status),
        column(t.created),
        column(t.actions),
    ];
    Ok(html! {
        h2 { (t.keys) }
        p { (t.keys_text) }
        p { a.button href="/console/credentials?do=access-key" { (t.key_new) } }
        @if keys.is_empty() { div.empty { p { (t.no_keys) } } } @else {
            (table(t, &columns, keys.iter().map(|key| line(visitor, key))))
        }
    })
}

fn line(visitor: &Visitor, key: &AccessKey) -> Vec<Markup> {
    let t = visitor.t;
    let id = key.id.as_str();
    let delete = format!("{ALL}?do=delete&of={}", parameter(id));
    vec![
        html! { code { (id) } },
        html! { (key.description) },
        state(visitor, !key.disabled),
        time(key.created_at, &visitor.zone),
        html! {
            div.actions {
                (switch(visitor, ALL, id, id, key.disabled))
                a href=(delete) aria-label=(fill(t.delete_named, &[("name", &id)])) { (t.delete) }
            }
        },
    ]
}

/// The form that makes one.
pub(super) fn form(visitor: &Visitor, asked: Asked<'_>) -> Markup {
    let t = visitor.t;
    html! {
        (asked.whole_error())
        p { (t.keys_text) }
        form.panel method="post" action=(ALL) {
            (form_token(&visitor.form_token))
            (number())
            (asked.field("description", t.description, Some(t.token_description_hint.to_owned()))
                .line("text", asked.typed("description"), "off"))
            (maker_field(visitor, asked, t.key_maker_hint.to_owned()))
            div.bar {
                button type="submit" name="action" value="access-key" { (t.key_new) }
                a.button.plain href=(ALL) { (t.cancel) }
            }
        }
    }
}

/// Makes one.
pub(super) async fn make(visitor: &Visitor, form: &Form) -> Result<Answer, Refusal> {
    let t = visitor.t;
    let auth = &visitor.app.auth;
    let description = described(visitor, form)?;
    let maker = maker(visitor, form).await?;
    let made = auth.create_access_key(&maker, description, visitor.now).await;
    let (key, secret) = made.map_err(|error| Refusal::of(error, t))?;
    let password = auth::long_term_password(&key.id, &secret);
    let line = docker_login(visitor, &auth.long_term_username(&key.id), password.reveal());
    let lines = [
        (t.access_key, key.id.as_str()),
        (t.secret_key, secret.reveal()),
        (t.long_term_login, line.as_str()),
    ];
    Ok(once(visitor, Place::Credentials, t.access_key, &lines, &html! {}))
}

/// The question before one is deleted.
pub(super) async fn question(visitor: &Visitor, asked: Asked<'_>) -> Result<Markup, Problem> {
    let t = visitor.t;
    let wanted = id(asked.of())?;
    all(visitor).await?.iter().find(|key| key.id == wanted).ok_or(Problem::NotFound)?;
    let question = Question {
        text: &fill(t.delete_question, &[("name", &wanted)]),
        warning: t.key_delete_warning,
        address: ALL,
        action: "delete",
        of: wanted.as_str(),
        button: t.delete,
        back: ALL,
    };
    Ok(html! { (asked.whole_error()) (question.asks(visitor)) })
}

/// Closes one, or opens it again.
pub(super) async fn set_disabled(visitor: &Visitor, form: &Form, disabled: bool) -> Result<Answer, Refusal> {
    let (auth, p, key) = (&visitor.app.auth, &visitor.principal, id(form.get("of"))?);
    let set = auth.set_access_key_disabled(p, &key, disabled, visitor.now).await;
    set.map_err(|error| Refusal::of(error, visitor.t))?;
    Ok(go(&format!("{ALL}?done={}", if disabled { "disabled" } else { "enabled" })))
}

/// Deletes one.
pub(super) async fn delete(visitor: &Visitor, form: &Form) -> Result<Answer, Refusal> {
    let (auth, p, key) = (&visitor.app.auth, &visitor.principal, id(form.get("of"))?);
    let deleted = auth.delete_access_key(p, &key, visitor.now).await;
    let done = done_or_gone(deleted, "deleted", visitor.t)?;
    Ok(go(&format!("{ALL}?done={done}")))
}
