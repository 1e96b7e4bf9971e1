//! All accounts of the registry, for its administrators. To everybody else there is no such page.

use auth::{Account, AccountName};
use maud::html;

use super::forms::{Asked, Refusal, done_or_gone, ended_or_gone, sent};
use super::holders::{Holder, Holders};
use super::list::{ROWS_AND_ONE, Rows, pager};
use super::page::{Answer, Place, go, page};
use super::problem::{Problem, Wrong};
use super::reserved_names::{self, ReservedNames};
use super::text::{Texts, fill};
use super::users::new_password;
use super::visitor::{Form, Visitor};

const ALL: &str = "/console/accounts";

fn holder(visitor: &Visitor, account: &Account) -> Holder {
    let t = visitor.t;
    let home = account.home.clone().unwrap_or_else(|| t.home_here.to_owned());
    let administrator = if account.administrator { t.yes } else { t.no };
    Holder {
        name: account.name.to_string(),
        login: account.name.to_string(),
        disabled: account.disabled,
        created_at: account.created_at,
        more: vec![home, administrator.to_owned()],
        is_own: visitor.principal.account() == Some(account.id),
    }
}

fn reserved(t: &'static Texts) -> ReservedNames<'static> {
    ReservedNames {
        address: ALL,
        hint: t.account_name_free_hint,
        wrong: t.account_wrong,
        warning: t.account_name_free_warning,
    }
}

/// `GET /console/accounts`.
pub(super) async fn show(visitor: Visitor) -> Answer {
    ended_or_gone(&visitor, shown(&visitor, Asked::First(&visitor.query)).await, ALL)
}

async fn shown(visitor: &Visitor, asked: Asked<'_>) -> Result<Answer, Problem> {
    let t = visitor.t;
    if !visitor.principal.is_administrator() {
        return Err(Problem::NotFound);
    }
    let words = Holders {
        address: ALL,
        new: t.account_new,
        none_yet: t.no_accounts,
        heads: &[t.home, t.administrator],
        name_hint: t.account_wrong.to_owned(),
        password_hint: t.new_password_hint,
        delete_warning: t.account_delete_warning,
    };
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let one = async || {
        let name = AccountName::parse(asked.of()).map_err(|_| Problem::NotFound)?;
        Ok::<_, Problem>(auth.show_account(p, &name, now).await?)
    };
    let (title, content) = match asked.what() {
        "create" => (t.account_new.to_owned(), words.form(visitor, asked)),
        "password" => {
            let account = one().await?;
            if p.account() == Some(account.id) {
                // The own one needs the current password.
                return Ok(go("/console/settings"));
            }
            (fill(t.password_for, &[("name", &account.name)]), words.password_form(visitor, asked))
        }
        "free" => {
            let content = reserved(t).asks(visitor, asked, |name| AccountName::parse(name).is_ok());
            (t.name_free.to_owned(), content)
        }
        "delete" => (t.accounts.to_owned(), words.question(visitor, asked, one().await?.name.as_str())),
        _ => {
            let found = auth.list_accounts(p, visitor.query.get("after"), ROWS_AND_ONE, now).await?;
            let rows = Rows::of(found, |account| account.name.to_string());
            let holders: Vec<_> = rows.items.iter().map(|account| holder(visitor, account)).collect();
            let content = html! {
                (words.list(visitor, asked, &holders))
                (pager(visitor, ALL, rows.next.as_deref()))
                (reserved(t).link(t))
            };
            (t.accounts.to_owned(), content)
        }
    };
    Ok(page(visitor, Place::Accounts, &title, &content))
}

/// `POST /console/accounts`: what the button that was pressed says.
pub(super) async fn act(visitor: Visitor, form: Form) -> Answer {
    let done = acted(&visitor, &form).await.map(|done| go(&format!("{ALL}?done={done}")));
    sent(&visitor, &form, done, async |asked| shown(&visitor, asked).await).await
}

async fn acted(visitor: &Visitor, form: &Form) -> Result<&'static str, Refusal> {
    let t = visitor.t;
    if !visitor.principal.is_administrator() {
        return Err(Problem::NotFound.into());
    }
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let refused = |error| Refusal::of(error, t);
    let of = || AccountName::parse(form.get("of")).map_err(|_| Refusal::Problem(Problem::NotFound));
    match form.get("action") {
        "create" => {
            let name = AccountName::parse(form.get("name").trim());
            let name = name.map_err(|_| Wrong::of("name", t.account_wrong))?;
            let password = new_password(visitor, form)?;
            auth.create_account(p, &name, &password, now).await.map_err(refused)?;
            Ok("made")
        }
        "password" => {
            let password = new_password(visitor, form)?;
            auth.set_account_password(p, &of()?, None, &password, now).await.map_err(refused)?;
            Ok("password-set")
        }
        "disable" => {
            auth.set_account_disabled(p, &of()?, true, now).await.map_err(refused)?;
            Ok("disabled")
        }
        "enable" => {
            auth.set_account_disabled(p, &of()?, false, now).await.map_err(refused)?;
            Ok("holder-enabled")
        }
        "delete" => done_or_gone(auth.delete_account(p, &of()?, now).await, "deleted", t),
        "free" => {
            let name = reserved(t).name(AccountName::parse(form.get("of").trim()))?;
            auth.free_account_name(p, &name, now).await.map_err(|error| reserved_names::refused(error, t))?;
            Ok("freed")
        }
        _ => Err(Problem::NotFound.into()),
    }
}
