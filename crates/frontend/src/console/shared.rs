//! My images › Shared by others: what other accounts share with the visitor's.

use auth::{Share, ShareId, SharePlace};
use maud::{Markup, html};
use oci::RepositoryName;

use super::blocked_owners;
use super::forms::{ended, gone};
use super::images::address;
use super::list::{ROWS_A_PAGE, Rows, pager};
use super::page::{Answer, Place, Question, go, page, time_left, until};
use super::problem::Problem;
use super::search::{self, Search};
use super::table::{column, heading, prose, table};
use super::text::{clipped, fill};
use super::visitor::{Form, Visitor};

const ALL: &str = "/console/shared";

/// `GET /console/shared`; with `leave`, the question before that share is left.
pub(super) async fn list(visitor: Visitor) -> Answer {
    let t = visitor.t;
    let (auth, p) = (&visitor.app.auth, &visitor.principal);
    if let Some(leave) = visitor.query.get("leave") {
        let Ok(id) = leave.parse() else { return Problem::NotFound.answer(visitor.language) };
        return match auth.show_share_with(p, id).await {
            Ok(share) => page(&visitor, Place::SharedByOthers, t.leave, &question(&visitor, &share)),
            Err(auth::Error::NotFound { .. }) => gone(ALL),
            Err(error) => Problem::from(error).answer(visitor.language),
        };
    }
    match found(&visitor).await {
        Ok(shares) => page(&visitor, Place::SharedByOthers, t.shared_by_others, &shown(&visitor, &shares)),
        Err(error) => Problem::from(error).answer(visitor.language),
    }
}

/// By image, as many as a page shows.
async fn found(visitor: &Visitor) -> Result<Rows<Share>, auth::Error> {
    let wanted = search::wanted(visitor);
    let fits = |share: &Share| format!("{}/{}", share.owner, share.repository).contains(&wanted);
    let after = visitor.query.get("after").and_then(place);
    let (auth, p) = (&visitor.app.auth, &visitor.principal);
    let found = auth.find_shares_with(p, fits, after.as_ref(), ROWS_A_PAGE).await?;
    let next = found.next.map(|SharePlace { name, share }| format!("{name}:{share}"));
    Ok(Rows { items: found.shares, next })
}

/// `team-a/web:123`: where a share stands in the list.
fn place(text: &str) -> Option<SharePlace> {
    let (name, share) = text.split_once(':')?;
    Some(SharePlace { name: RepositoryName::parse(name).ok()?, share: share.parse().ok()? })
}

/// `POST /console/shared`: leaves a share.
pub(super) async fn leave(visitor: Visitor, form: Form) -> Answer {
    ended(&visitor, left(&visitor, &form).await)
}

async fn left(visitor: &Visitor, form: &Form) -> Result<Answer, Problem> {
    let share: ShareId = form.get("of").parse()?;
    match visitor.app.auth.leave_share(&visitor.principal, share, visitor.now).await {
        Ok(_) => Ok(go(&format!("{ALL}?done=left"))),
        Err(auth::Error::NotFound { .. }) => Ok(gone(ALL)),
        Err(error) => Err(error.into()),
    }
}

fn shown(visitor: &Visitor, shares: &Rows<Share>) -> Markup {
    let t = visitor.t;
    let search = Search { list: ALL, label: t.search_shared };
    let blocked = html! { p { a href=(blocked_owners::ALL) { (t.blocked_owners) } } };
    if shares.items.is_empty() && !search::wanted(visitor).is_empty() {
        let pages = pager(visitor, &search.address(visitor), shares.next.as_deref());
        return html! { (search.form(visitor)) (search.found_nothing(visitor, shares.next.is_some())) (pages) };
    }
    if shares.items.is_empty() && shares.next.is_none() && visitor.query.get("after").is_none() {
        let account = visitor.principal.account_name().map(ToString::to_string).unwrap_or_default();
        let text = fill(t.nothing_shared_with_me, &[("account", &account)]);
        return html! { div.empty { p { (text) } } (blocked) };
    }
    // The account itself leaves; its users do not.
    let may_leave = visitor.principal.user().is_none();
    let mut columns = vec![
        column(t.owner),
        heading(t.image),
        column(t.tags_pattern),
        column(t.deadline),
        column(t.status),
        prose(t.description),
    ];
    columns.extend(may_leave.then(|| column(t.actions)));
    html! {
        p.hint { (t.owner_sees_pulls) }
        @if search.is_for(visitor, shares) { (search.form(visitor)) }
        (table(t, &columns, shares.items.iter().map(|share| line(visitor, share, may_leave))))
        (pager(visitor, &search.address(visitor), shares.next.as_deref()))
        (blocked)
    }
}

fn line(visitor: &Visitor, share: &Share, may_leave: bool) -> Vec<Markup> {
    let t = visitor.t;
    let (open, name) = (share.is_open(visitor.now), share.repository.as_str());
    let mut cells = vec![
        html! { (share.owner) },
        html! { @if open { a href=(address(name)) { (name) } } @else { (name) } },
        tags(visitor, share),
        deadline(visitor, share),
        status(visitor, share),
        description(share),
    ];
    let leave = format!("{ALL}?leave={}", share.id);
    let leave = html! { a href=(leave) aria-label=(fill(t.leave_named, &[("image", &name)])) { (t.leave) } };
    cells.extend(may_leave.then_some(leave));
    cells
}

/// What a share is for: what fits in a row, and the whole of it on demand.
pub(super) fn description(share: &Share) -> Markup {
    let whole = share.description.as_str();
    let begins = clipped(whole);
    html! {
        @if begins == whole { (whole) } @else { details { summary { (begins) } div { (whole) } } }
    }
}

/// When a share ends, and how long that is.
pub(super) fn deadline(visitor: &Visitor, share: &Share) -> Markup {
    let t = visitor.t;
    html! {
        @match share.deadline {
            None => (t.permanent),
            Some(deadline) => {
                (until(t, deadline, &visitor.zone))
                @if share.is_open(visitor.now) { br; span.hint { (time_left(t, deadline, visitor.now)) } }
            }
        }
    }
}

pub(super) fn status(visitor: &Visitor, share: &Share) -> Markup {
    let t = visitor.t;
    if share.is_open(visitor.now) {
        html! { span.state.open { (t.open) } }
    } else {
        html! { span.state.ended { (t.ended) } }
    }
}

/// What of an image a share opens.
pub(super) fn tags(visitor: &Visitor, share: &Share) -> Markup {
    match share.tags.patterns() {
        None => html! { (visitor.t.all_tags) },
        Some(patterns) => html! { @for pattern in patterns.iter() { code { (pattern) } " " } },
    }
}

fn question(visitor: &Visitor, share: &Share) -> Markup {
    let t = visitor.t;
    let question = Question {
        text: &fill(t.leave_question, &[("image", &share.repository)]),
        warning: t.leave_warning,
        address: ALL,
        action: "leave",
        of: &share.id.to_string(),
        button: t.leave,
        back: ALL,
    };
    question.asks(visitor)
}
