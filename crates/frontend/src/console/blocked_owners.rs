//! The owners from which the visitor's account takes no shares. The account itself blocks; its users see whom.

use auth::{AccountName, BlockedOwner};
use maud::{Markup, html};

use super::forms::{Asked, Refusal, done_or_gone, ended, sent};
use super::list::{ROWS_AND_ONE, Rows, pager};
use super::page::{Answer, Place, form_token, go, page, time};
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

fn form(visitor: &Visitor, asked: Asked<'_>) -> Markup {
    let t = visitor.t;
    html! {
        h2 { (t.block) }
        (asked.whole_error())
        p { (t.block_warning) }
        form.panel method="post" action=(ALL) {
            (form_token(&visitor.form_token))
            (asked.field("account", t.account, Some(t.block_hint.to_owned())).line("text", asked.typed("account"), "off"))
            button.danger type="submit" name="action" value="block" { (t.block) }
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
    match form.get("action") {
        "block" => {
            let name = form.get("account").trim();
            if name.is_empty() {
                return Err(Wrong::of("account", t.required).into());
            }
            let owner = AccountName::parse(name).map_err(|_| Wrong::of("account", t.account_wrong))?;
            let blocked = auth.block_owner(p, &owner, now).await;
            blocked.map_err(|error| match error {
                auth::Error::Invalid { .. } => Wrong::of("account", t.block_self).into(),
                error => Refusal::of(error, t),
            })?;
            Ok("blocked")
        }
        "unblock" => {
            let owner = AccountName::parse(form.get("of")).map_err(Problem::from)?;
            done_or_gone(auth.unblock_owner(p, &owner, now).await, "unblocked", t)
        }
        _ => Err(Problem::NotFound.into()),
    }
}
