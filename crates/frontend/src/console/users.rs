//! The users of the visitor's account. The account itself manages them; to its users the page says who does.

use auth::{AccountName, Secret, User, UserName};
use maud::html;

use super::forms::{Asked, Refusal, done_or_gone, ended_or_gone, sent};
use super::holders::{Holder, Holders};
use super::list::{ROWS_AND_ONE, Rows, pager};
use super::page::{Answer, Place, go, page};
use super::problem::{Problem, Wrong};
use super::text::fill;
use super::visitor::{Form, Visitor};

const ALL: &str = "/console/users";

fn account(visitor: &Visitor) -> Result<&AccountName, Problem> {
    visitor.principal.account_name().ok_or(Problem::Forbidden)
}

fn words<'a>(visitor: &Visitor, account: &AccountName) -> Holders<'a> {
    let t = visitor.t;
    Holders {
        address: ALL,
        new: t.user_new,
        none_yet: t.no_users,
        heads: &[],
        name_hint: fill(t.user_name_hint, &[("account", account)]),
        password_hint: t.user_password_hint,
        delete_warning: t.user_delete_warning,
    }
}

fn holder(user: &User) -> Holder {
    Holder {
        name: user.name.to_string(),
        login: user.login(),
        disabled: user.disabled,
        created_at: user.created_at,
        more: Vec::new(),
        is_own: false,
    }
}

/// `GET /console/users`.
pub(super) async fn show(visitor: Visitor) -> Answer {
    ended_or_gone(&visitor, shown(&visitor, Asked::First(&visitor.query)).await, ALL)
}

async fn shown(visitor: &Visitor, asked: Asked<'_>) -> Result<Answer, Problem> {
    let t = visitor.t;
    let account = account(visitor)?;
    if visitor.principal.user().is_some() {
        let content = html! { div.empty { p { (fill(t.users_managed_by, &[("account", account)])) } } };
        return Ok(page(visitor, Place::Users, t.users, &content));
    }
    let words = words(visitor, account);
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let one = async || {
        let name = UserName::parse(asked.of()).map_err(|_| Problem::NotFound)?;
        Ok::<_, Problem>(auth.show_user(p, account, &name, now).await?.login())
    };
    let (title, content) = match asked.what() {
        "create" => (t.user_new.to_owned(), words.form(visitor, asked)),
        "password" => (fill(t.password_for, &[("name", &one().await?)]), words.password_form(visitor, asked)),
        "delete" => (t.users.to_owned(), words.question(visitor, asked, &one().await?)),
        _ => {
            let found = auth.list_users(p, account, visitor.query.get("after"), ROWS_AND_ONE, now).await?;
            let rows = Rows::of(found, |user| user.name.to_string());
            let holders: Vec<_> = rows.items.iter().map(holder).collect();
            let content = html! {
                (words.list(visitor, asked, &holders))
                (pager(visitor, ALL, rows.next.as_deref()))
            };
            (t.users.to_owned(), content)
        }
    };
    Ok(page(visitor, Place::Users, &title, &content))
}

/// `POST /console/users`: what the button that was pressed says.
pub(super) async fn act(visitor: Visitor, form: Form) -> Answer {
    let done = acted(&visitor, &form).await.map(|done| go(&format!("{ALL}?done={done}")));
    sent(&visitor, &form, done, async |asked| shown(&visitor, asked).await).await
}

async fn acted(visitor: &Visitor, form: &Form) -> Result<&'static str, Refusal> {
    let t = visitor.t;
    let account = account(visitor)?;
    if visitor.principal.user().is_some() {
        // Its own password it changes in the settings.
        return Err(Problem::Forbidden.into());
    }
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let refused = |error| Refusal::of(error, t);
    let of = || UserName::parse(form.get("of")).map_err(|_| Refusal::Problem(Problem::NotFound));
    match form.get("action") {
        "create" => {
            let name = UserName::parse(form.get("name").trim());
            let name = name.map_err(|_| Wrong::of("name", t.user_name_wrong))?;
            let password = new_password(visitor, form)?;
            let password = Some(&password).filter(|password| !password.reveal().is_empty());
            auth.create_user(p, account, &name, password, now).await.map_err(refused)?;
            Ok("made")
        }
        "password" => {
            let password = new_password(visitor, form)?;
            auth.set_user_password(p, account, &of()?, None, &password, now).await.map_err(refused)?;
            Ok("password-set")
        }
        "disable" => {
            auth.set_user_disabled(p, account, &of()?, true, now).await.map_err(refused)?;
            Ok("disabled")
        }
        "enable" => {
            auth.set_user_disabled(p, account, &of()?, false, now).await.map_err(refused)?;
            Ok("holder-enabled")
        }
        "delete" => done_or_gone(auth.delete_user(p, account, &of()?, now).await, "deleted", t),
        _ => Err(Problem::NotFound.into()),
    }
}

/// The password that was typed twice.
pub(super) fn new_password(visitor: &Visitor, form: &Form) -> Result<Secret, Wrong> {
    if form.get("password") != form.get("repeated") {
        return Err(Wrong::of("repeated", visitor.t.passwords_differ));
    }
    Ok(Secret::new(form.get("password")))
}
