//! The sharing of one image: with whom it is shared, and the dialogs that share it, change a share and revoke it.

use auth::{AccountName, Share, ShareChange, Visibility};
use maud::{Markup, html};

use super::forms::gone;
use super::image::{Seen, Tab};
use super::list::{ROWS_AND_ONE, Rows, pager};
use super::page::{Answer, Question, form_token, go, time, until};
use super::problem::{Problem, Wrong};
use super::search::{self, Search};
use super::share_form::{Dialog, Next, fields, refused, whole_error};
use super::share_typed::{Typed, kept};
use super::shared::{deadline, description, status, tags};
use super::table::{column, heading, number, prose, table};
use super::text::fill;
use super::visitor::{Form, Visitor};
use crate::counting::counted;

/// The field that says that a share was open when its form was shown.
const SHOWN_OPEN: &str = "shown_open";

/// The tab: the list, or the dialog that is asked for.
pub(super) async fn show(visitor: &Visitor, seen: &Seen) -> Result<Answer, Problem> {
    match shown(visitor, seen).await {
        // It was revoked since, or left.
        Err(Problem::NotFound)
            if ["change", "revoke"].iter().any(|name| visitor.query.get(name).is_some()) =>
        {
            Ok(gone(&format!("{}?tab=sharing", seen.address())))
        }
        content => Ok(seen.page(visitor, Tab::Sharing, &content?)),
    }
}

async fn shown(visitor: &Visitor, seen: &Seen) -> Result<Markup, Problem> {
    let images = [seen.repository.name.clone()];
    let (address, back) = (seen.address(), format!("{}?tab=sharing", seen.address()));
    if visitor.query.get("new").is_some() {
        let shown_at = new_at(seen);
        let dialog = Dialog { address: &address, shown_at: &shown_at, images: &images, back: &back };
        return dialog.shown(visitor).await;
    }
    if let Some(account) = visitor.query.get("change") {
        let share = find(visitor, seen, account).await?;
        let shown = Typed::of_share(visitor, &share);
        return Ok(change_form(visitor, seen, &share, (&shown, &shown), &[]));
    }
    if let Some(account) = visitor.query.get("revoke") {
        return Ok(question(visitor, seen, &find(visitor, seen, account).await?));
    }
    list(visitor, seen).await
}

/// Where the dialog is.
fn new_at(seen: &Seen) -> String {
    format!("{}?tab=sharing&new=1", seen.address())
}

async fn find(visitor: &Visitor, seen: &Seen, account: &str) -> Result<Share, Problem> {
    let account = AccountName::parse(account).map_err(|_| Problem::NotFound)?;
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    Ok(auth.show_share(p, &seen.repository.name, &account, now).await?)
}

async fn list(visitor: &Visitor, seen: &Seen) -> Result<Markup, Problem> {
    let t = visitor.t;
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let wanted = search::wanted(visitor);
    let after = visitor.query.get("after").and_then(|name| AccountName::parse(name).ok());
    let fits = |name: &AccountName| name.as_str().contains(&wanted);
    let found = (fits, after.as_ref());
    let shares = auth.find_repository_shares(p, &seen.repository.name, found, ROWS_AND_ONE, now).await?;
    let shares = Rows::of(shares, |share| share.grantee.to_string());
    if seen.repository.visibility == Visibility::Public {
        let settings = format!("{}?tab=settings", seen.address());
        return Ok(
            html! { div.empty { p { (t.public_not_shared) } p { a href=(settings) { (t.settings) } } } },
        );
    }
    let button = html! { p { a.button href=(new_at(seen)) { (t.share_image) } } };
    let at = format!("{}?tab=sharing", seen.address());
    let search = Search { list: &at, label: t.search_accounts };
    let columns = [
        heading(t.shared_with),
        column(t.tags_pattern),
        column(t.deadline),
        column(t.status),
        column(t.last_use),
        number(t.pulls),
        prose(t.description),
        column(t.actions),
    ];
    if shares.items.is_empty() && after.is_none() {
        return Ok(match wanted.as_str() {
            "" => html! { (button) div.empty { p { (t.not_shared) } } },
            _ => html! { (button) (search.form(visitor)) (search.found_nothing(visitor, false)) },
        });
    }
    Ok(html! {
        (button)
        @if search.is_for(visitor, &shares) { (search.form(visitor)) }
        (table(t, &columns, shares.items.iter().map(|share| line(visitor, seen, share))))
        (pager(visitor, &search.address(visitor), shares.next.as_deref()))
    })
}

fn line(visitor: &Visitor, seen: &Seen, share: &Share) -> Vec<Markup> {
    let t = visitor.t;
    let with = &share.grantee;
    let at = |what: &str| format!("{}?tab=sharing&{what}={with}", seen.address());
    let used = share.used.as_ref();
    vec![
        html! { (with) },
        tags(visitor, share),
        deadline(visitor, share),
        status(visitor, share),
        html! { @match used.and_then(|used| used.last_used_at) { Some(at) => (time(at, &visitor.zone)), None => (t.never) } },
        html! { (used.map_or(0, |used| used.pulls)) },
        description(share),
        html! {
            div.actions {
                a href=(at("change")) aria-label=(fill(t.change_share, &[("account", with)])) { (t.change) }
                a href=(at("revoke")) aria-label=(fill(t.revoke_named, &[("account", with)])) { (t.revoke) }
            }
        },
    ]
}

/// The form of `share`: what it was when it was `shown` first, and what was typed since.
fn change_form(
    visitor: &Visitor,
    seen: &Seen,
    share: &Share,
    (shown, typed): (&Typed, &Typed),
    wrong: &[Wrong],
) -> Markup {
    let t = visitor.t;
    let was_open = share.is_open(visitor.now);
    html! {
        h2 { (fill(t.change_share, &[("account", &share.grantee)])) }
        (whole_error(wrong))
        form.panel method="post" action=(seen.address()) {
            (form_token(&visitor.form_token))
            input type="hidden" name="account" value=(share.grantee);
            input type="hidden" name="share" value=(share.id);
            (shown.hidden_as_shown())
            @if was_open { input type="hidden" name=(SHOWN_OPEN) value="on"; }
            @if let Some(deadline) = share.deadline.filter(|_| share.is_open(visitor.now)) {
                p.hint { (t.deadline_now) (until(t, deadline, &visitor.zone)) (t.deadline_kept) }
            }
            (fields(visitor, typed, wrong))
            div.bar {
                button type="submit" name="action" value="change-share" { (t.save) }
                a.button.plain href=(format!("{}?tab=sharing", seen.address())) { (t.cancel) }
            }
        }
    }
}

fn question(visitor: &Visitor, seen: &Seen, share: &Share) -> Markup {
    let t = visitor.t;
    let account: &dyn std::fmt::Display = &share.grantee;
    let question = Question {
        text: &fill(t.revoke_question, &[("account", account)]),
        warning: &fill(t.revoke_warning, &[("account", account)]),
        address: &seen.address(),
        action: "revoke-share",
        of: share.grantee.as_str(),
        button: t.revoke,
        back: &format!("{}?tab=sharing", seen.address()),
    };
    question.asks(visitor)
}

/// Does what a form of this tab says.
pub(super) async fn act(
    visitor: &Visitor,
    seen: &Seen,
    action: &str,
    form: &Form,
) -> Result<Answer, Problem> {
    if !seen.manages {
        return Err(Problem::Forbidden);
    }
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let back = format!("{}?tab=sharing", seen.address());
    match action {
        "check-share" | "edit-share" | "share" => {
            let (images, address) = ([seen.repository.name.clone()], seen.address());
            let shown_at = new_at(seen);
            let dialog = Dialog { address: &address, shown_at: &shown_at, images: &images, back: &back };
            Ok(match dialog.goes_on(visitor, form).await? {
                Next::Done => go(&format!("{back}&done=shared")),
                Next::At(address) => go(&address),
                Next::With(content, _) => seen.page(visitor, Tab::Sharing, &content),
            })
        }
        "change-share" => match change(visitor, seen, form).await {
            Err(Problem::NotFound) => Ok(gone(&back)),
            answer => answer,
        },
        "revoke-share" => {
            let account = AccountName::parse(form.get("of")).map_err(|_| Problem::NotFound)?;
            match auth.revoke_share(p, &seen.repository.name, &account, now).await {
                Ok(()) => Ok(go(&format!("{back}&done=revoked"))),
                Err(auth::Error::NotFound { .. }) => Ok(gone(&back)),
                Err(error) => Err(error.into()),
            }
        }
        _ => Err(Problem::NotFound),
    }
}

async fn change(visitor: &Visitor, seen: &Seen, form: &Form) -> Result<Answer, Problem> {
    let share = find(visitor, seen, form.get("account")).await?;
    if share.id.to_string() != form.get("share") {
        // It was revoked since, and made anew: that one was not looked at.
        return Err(Problem::NotFound);
    }
    let (shown, typed) = (Typed::as_shown(&form.0), Typed::of(form));
    if form.has(SHOWN_OPEN) && !share.is_open(visitor.now) {
        // It was to go on, not to be opened again.
        let shown = Typed::of_share(visitor, &share);
        let wrong = Wrong { field: None, text: visitor.t.share_ended_since.to_owned() };
        let content = change_form(visitor, seen, &share, (&shown, &typed), &[wrong]);
        return Ok(seen.page(visitor, Tab::Sharing, &content));
    }
    let changed = match changed(visitor, &share, &shown, &typed) {
        Ok(change) => {
            let (p, name) = (&visitor.principal, &seen.repository.name);
            let auth = &visitor.app.auth;
            let update = || auth.update_share(p, name, &share.grantee, change.clone(), visitor.now);
            match counted(&visitor.app, update).await {
                Ok(_) => Ok(()),
                Err(error) => Err(vec![refused(error, visitor)?]),
            }
        }
        Err(wrong) => Err(wrong),
    };
    Ok(match changed {
        Ok(()) => go(&format!("{}?tab=sharing&done=saved", seen.address())),
        Err(wrong) => {
            let content = change_form(visitor, seen, &share, (&shown, &typed), &wrong);
            seen.page(visitor, Tab::Sharing, &content)
        }
    })
}

/// What was typed that differs from what was shown: the rest stays as it is by now, whoever changed it meanwhile. So a
/// deadline within the day that was shown is kept as well.
fn changed(
    visitor: &Visitor,
    share: &Share,
    shown: &Typed,
    typed: &Typed,
) -> Result<ShareChange, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let as_shown = (shown.permanent, &shown.deadline) == (typed.permanent, &typed.deadline);
    // Of what has ended the same day is meant anew: all of it.
    let same_end = as_shown && share.is_open(visitor.now);
    let end = if same_end { None } else { kept(typed.end(visitor), &mut wrong) };
    let same_text = typed.description == shown.description;
    let description = if same_text { None } else { kept(typed.description(visitor), &mut wrong) };
    let tags = if typed.tags == shown.tags { None } else { kept(typed.tags(visitor), &mut wrong) };
    let notice_before = if typed.notice == shown.notice {
        None
    } else {
        let rule = visitor.app.auth.settings().share_notice_before;
        // What is permanent has none.
        let unsaid = (!typed.permanent).then_some(rule);
        kept(typed.notice_before(visitor), &mut wrong).and_then(|days| days.or(unsaid))
    };
    if !wrong.is_empty() {
        return Err(wrong);
    }
    Ok(ShareChange { end, description, tags, notice_before })
}
