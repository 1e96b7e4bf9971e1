//! The owners from which the visitor's account takes no shares. The account itself blocks; its users see whom.

use auth::{AccountName, BlockedOwner};
use maud::{Markup, html};

use super::forms::{Asked, Refusal, done_or_gone, ended, sent};
use super::list::{ROWS_AND_ONE, Rows, pager};
use super::page::{Answer, Place, Question, form_token, go, page, time};
use super::problem::{Problem, Wrong};
use super::table::{column, heading, table};
use super::text::fill;
use super::visitor::{Form, Visitor};

/// Where the page is, and where its forms go.
pub(super) const ALL: &str = "/console/blocked-owners";

/// `GET /console/blocked-owners`.
pub(super) async fn list(visitor: Visitor) -> Answer {
    ended(&visitor, shown(&visitor, Asked::First(&visitor.query)).await)
}

async fn shown(visitor: &Visitor, asked: Asked<'_>) -> Result<Answer, Problem> {
    let t = visitor.t;
    if let Some(question) = question(visitor, asked)? {
        return Ok(page(visitor, Place::SharedByOthers, t.block, &question));
    }
    let auth = &visitor.app.auth;
    let found =
        auth.list_blocked_owners(&visitor.principal, visitor.query.get("after"), ROWS_AND_ONE).await?;
    let rows = Rows::of(found, |owner| owner.name.to_string());
    let blocks = visitor.principal.user().is_none();
    let mut columns = vec![heading(t.owner), column(t.blocked_since)];
    columns.extend(blocks.then(|| column(t.actions)));
    let content = html! {
        p { (t.blocked_text) }
        @if rows.items.is_empty() && visitor.query.get("after").is_none() { div.empty { p { (t.no_blocked) } } } @else {
            (table(t, &columns, rows.items.iter().map(|owner| line(visitor, owner))))
        }
        (pager(visitor, ALL, rows.next.as_deref()))
        @if blocks { (form(visitor, asked)) }
    };
    Ok(page(visitor, Place::SharedByOthers, t.blocked_owners, &content))
}

fn line(visitor: &Visitor, owner: &BlockedOwner) -> Vec<Markup> {
    let t = visitor.t;
    vec![
        html! { (owner.name) },
        time(owner.since, &visitor.zone),
        html! {
            form.inline method="post" action=(ALL) {
                (form_token(&visitor.form_token))
                input type="hidden" name="of" value=(owner.name);
                button.plain type="submit" name="action" value="unblock"
                    aria-label=(fill(t.unblock_named, &[("name", &owner.name)])) { (t.unblock) }
            }
        },
    ]
}

/// The owner that was typed, whether it exists or not.
fn owner(visitor: &Visitor, typed: &str) -> Result<AccountName, Wrong> {
    let (t, typed) = (visitor.t, typed.trim());
    if typed.is_empty() {
        return Err(Wrong::of("of", t.required));
    }
    let name = AccountName::parse(typed).map_err(|_| Wrong::of("of", t.account_wrong))?;
    if visitor.principal.account_name() == Some(&name) {
        return Err(Wrong::of("of", t.block_self));
    }
    Ok(name)
}

/// The question before an owner is blocked, once there is a name that can be one.
fn question(visitor: &Visitor, asked: Asked<'_>) -> Result<Option<Markup>, Problem> {
    let t = visitor.t;
    if asked.what() != "block" || matches!(asked, Asked::Again(..)) {
        return Ok(None);
    }
    if visitor.principal.user().is_some() {
        return Err(Problem::Forbidden);
    }
    let asks = |name: AccountName| {
        let question = Question {
            text: &fill(t.block_question, &[("name", &name)]),
            warning: t.block_warning,
            address: ALL,
            action: "block",
            of: name.as_str(),
            button: t.block,
            back: ALL,
        };
        question.asks(visitor)
    };
    Ok(owner(visitor, asked.of()).ok().map(asks))
}

/// It changes nothing, and leads to the question.
fn form(visitor: &Visitor, asked: Asked<'_>) -> Markup {
    let t = visitor.t;
    let typed = (asked.what() == "block").then(|| asked.of());
    let wrong = typed.and_then(|typed| owner(visitor, typed).err());
    let mut field = asked.field("of", t.account, Some(t.block_hint.to_owned()));
    field.error = field.error.or(wrong.as_ref().map(|wrong| wrong.text.as_str()));
    html! {
        h2 { (t.block) }
        (asked.whole_error())
        form.panel method="get" action=(ALL) {
            input type="hidden" name="do" value="block";
            (field.line("text", typed.unwrap_or_default(), "off"))
            button type="submit" { (t.check_share) }
        }
    }
}

/// `POST /console/blocked-owners`: what the button that was pressed says.
pub(super) async fn act(visitor: Visitor, form: Form) -> Answer {
    let done = acted(&visitor, &form).await.map(|done| go(&format!("{ALL}?done={done}")));
    sent(&visitor, &form, done, async |asked| shown(&visitor, asked).await).await
}

async fn acted(visitor: &Visitor, form: &Form) -> Result<&'static str, Refusal> {
    let t = visitor.t;
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    if p.user().is_some() {
        return Err(Problem::Forbidden.into());
    }
    match form.get("action") {
        "block" => {
            let owner = owner(visitor, form.get("of"))?;
            auth.block_owner(p, &owner, now).await.map_err(|error| Refusal::of(error, t))?;
            Ok("blocked")
        }
        "unblock" => {
            let owner = AccountName::parse(form.get("of")).map_err(Problem::from)?;
            done_or_gone(auth.unblock_owner(p, &owner, now).await, "unblocked", t)
        }
        _ => Err(Problem::NotFound.into()),
    }
}
