//! Organizations: the namespaces of the visitor's account, and what its users may do in each.

use auth::{Level, Namespace, PermissionTarget};
use maud::{Markup, html};
use oci::NamespaceName;

use super::forms::{Asked, Refusal, done_or_gone, ended, ended_or_gone, gone, sent};
use super::list::{ROWS_AND_ONE, Rows, pager};
use super::page::{Answer, Place, Question, form_token, go, page, time};
use super::permissions::{Permissions, level_text};
use super::problem::{Problem, Wrong};
use super::reserved_names::{self, ReservedNames};
use super::table::{column, heading, number, table};
use super::text::{Texts, fill};
use super::visitor::{At, Form, Visitor, parameter};

const ALL: &str = "/console/organizations";
/// Where one is made.
pub(super) const NEW: &str = "/console/organizations?do=create";

/// `GET /console/organizations`.
pub(super) async fn list(visitor: Visitor) -> Answer {
    ended(&visitor, listed(&visitor, Asked::First(&visitor.query)).await)
}

/// `POST /console/organizations`: makes one, or frees the name of one that was deleted.
pub(super) async fn change(visitor: Visitor, form: Form) -> Answer {
    let done = match form.get("action") {
        "create" => created(&visitor, &form).await,
        "free" => freed(&visitor, &form).await,
        _ => Err(Problem::NotFound.into()),
    };
    let done = done.map(|to| go(&to));
    sent(&visitor, &form, done, async |asked| listed(&visitor, asked).await).await
}

async fn created(visitor: &Visitor, form: &Form) -> Result<String, Refusal> {
    let t = visitor.t;
    let name = form.get("name").trim();
    if name.is_empty() {
        return Err(Wrong::of("name", t.required).into());
    }
    let name = NamespaceName::parse(name).map_err(|_| Wrong::of("name", t.organization_name_wrong))?;
    let made = visitor.app.auth.create_namespace(&visitor.principal, &name, visitor.now).await;
    made.map_err(|error| Refusal::of(error, t))?;
    Ok(format!("{}?done=made", address(&name)))
}

async fn freed(visitor: &Visitor, form: &Form) -> Result<String, Refusal> {
    let t = visitor.t;
    if !visitor.principal.is_administrator() {
        return Err(Problem::Forbidden.into());
    }
    let name = reserved(t).name(NamespaceName::parse(form.get("of").trim()))?;
    let freed = visitor.app.auth.free_namespace_name(&visitor.principal, &name, visitor.now).await;
    freed.map_err(|error| reserved_names::refused(error, t))?;
    Ok(format!("{ALL}?done=freed"))
}

fn reserved(t: &'static Texts) -> ReservedNames<'static> {
    ReservedNames {
        address: ALL,
        hint: t.organization_name_free_hint,
        wrong: t.organization_name_wrong,
        warning: t.organization_name_free_warning,
    }
}

/// Where an organization's page is.
pub(super) fn address(name: &NamespaceName) -> String {
    format!("{ALL}/{}", name.as_str())
}

async fn listed(visitor: &Visitor, asked: Asked<'_>) -> Result<Answer, Problem> {
    let t = visitor.t;
    let is_account = visitor.principal.user().is_none();
    if asked.what() == "create" {
        let content = if is_account { form(visitor, asked) } else { return Err(Problem::Forbidden) };
        return Ok(page(visitor, Place::Organizations, t.organization_new, &content));
    }
    let is_administrator = visitor.principal.is_administrator();
    if asked.what() == "free" {
        if !is_administrator {
            return Err(Problem::Forbidden);
        }
        let content = reserved(t).asks(visitor, asked, |name| NamespaceName::parse(name).is_ok());
        return Ok(page(visitor, Place::Organizations, t.name_free, &content));
    }
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let found = auth.list_namespaces(p, visitor.query.get("after"), ROWS_AND_ONE, now).await?;
    let rows = Rows::of(found, |namespace| namespace.name.as_str().to_owned());
    let counts = auth.repository_counts(&rows.items).await?;
    let lines = rows.items.iter().zip(counts).map(|(namespace, images)| line(visitor, namespace, images));
    let columns = [heading(t.name), number(t.images_count), column(t.your_permission), column(t.created)];
    let content = html! {
        @if is_account { p { a.button href=(NEW) { (t.organization_new) } } }
        @if rows.items.is_empty() && visitor.query.get("after").is_none() {
            div.empty { p { (none_yet(visitor)) } }
        } @else {
            (table(t, &columns, lines))
        }
        (pager(visitor, ALL, rows.next.as_deref()))
        @if is_administrator { (reserved(t).link(t)) }
    };
    Ok(page(visitor, Place::Organizations, t.organizations, &content))
}

fn line(visitor: &Visitor, namespace: &Namespace, images: Option<u64>) -> Vec<Markup> {
    vec![
        html! { a href=(address(&namespace.name)) { (namespace.name.as_str()) } },
        html! { @match images { Some(images) => (images), None => "–" } },
        html! { (permission(visitor, namespace)) },
        time(namespace.created_at, &visitor.zone),
    ]
}

fn none_yet(visitor: &Visitor) -> String {
    let t = visitor.t;
    match (visitor.principal.user(), visitor.principal.account_name()) {
        (Some(_), Some(account)) => fill(t.no_organizations_seen, &[("account", account)]),
        _ => t.no_organizations.to_owned(),
    }
}

fn permission(visitor: &Visitor, namespace: &Namespace) -> &'static str {
    let t = visitor.t;
    namespace.level.map_or(t.some_images_only, |level| level_text(t, level))
}

fn form(visitor: &Visitor, asked: Asked<'_>) -> Markup {
    let t = visitor.t;
    html! {
        (asked.whole_error())
        form.panel method="post" action=(ALL) {
            (form_token(&visitor.form_token))
            (asked.field("name", t.name, Some(t.organization_name_hint.to_owned()))
                .line("text", asked.typed("name"), "off"))
            div.bar {
                button type="submit" name="action" value="create" { (t.organization_new) }
                a.button.plain href=(ALL) { (t.cancel) }
            }
        }
    }
}

/// The first one, of a page of them, that the visitor may push to.
pub(super) async fn first_to_push_to(visitor: &Visitor) -> Result<Option<Namespace>, Problem> {
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let found = auth.list_namespaces(p, None, ROWS_AND_ONE, now).await?;
    Ok(found.into_iter().find(|one| matches!(one.level, Some(Level::Edit | Level::Manage))))
}

async fn find(visitor: &Visitor, name: &str) -> Result<Namespace, Problem> {
    let name = NamespaceName::parse(name).map_err(|_| Problem::NotFound)?;
    Ok(visitor.app.auth.show_namespace(&visitor.principal, &name, visitor.now).await?)
}

/// `GET /console/organizations/{name}`.
pub(super) async fn show(visitor: Visitor, At(name): At) -> Answer {
    ended_or_gone(&visitor, shown(&visitor, &name, Asked::First(&visitor.query)).await, ALL)
}

async fn shown(visitor: &Visitor, name: &str, asked: Asked<'_>) -> Result<Answer, Problem> {
    let t = visitor.t;
    let namespace = find(visitor, name).await?;
    let (name, at) = (namespace.name.as_str(), address(&namespace.name));
    let manages = namespace.level == Some(Level::Manage);
    if asked.what() == "delete" {
        let question = Question {
            text: &fill(t.delete_question, &[("name", &name)]),
            warning: t.organization_delete_warning,
            address: &at,
            action: "delete",
            of: name,
            button: t.delete,
            back: &at,
        };
        let question = if manages { question.asks(visitor) } else { return Err(Problem::Forbidden) };
        let content = html! { (asked.whole_error()) (question) };
        return Ok(page(visitor, Place::Organizations, name, &content));
    }
    let permissions = if manages {
        let target = PermissionTarget::Namespace(namespace.name.clone());
        match (Permissions { target, forms: &at, list: &at }).show(visitor, asked).await {
            Err(Problem::NotFound) if asked.what() == "remove-permission" => return Ok(gone(&at)),
            permissions => Some(permissions?),
        }
    } else {
        None
    };
    let images = format!("/console/images?q={}", parameter(&format!("{name}/")));
    let content = html! {
        dl.facts {
            dt { (t.owner) } dd { (namespace.account) }
            dt { (t.created) } dd { (time(namespace.created_at, &visitor.zone)) }
            dt { (t.your_permission) } dd { (permission(visitor, &namespace)) }
        }
        p { a href=(images) { (fill(t.images_of, &[("name", &name)])) } }
        @if let Some(permissions) = permissions {
            h2 { (t.permissions) }
            (permissions)
            p { a href=(format!("{at}?do=delete")) { (t.organization_delete) } }
        }
    };
    Ok(page(visitor, Place::Organizations, name, &content))
}

/// `POST /console/organizations/{name}`: what the button that was pressed says.
pub(super) async fn act(visitor: Visitor, At(name): At, form: Form) -> Answer {
    match acted(&visitor, &name, &form).await {
        Ok(to) => go(&to),
        Err(Refusal::Wrong(wrong)) => {
            ended(&visitor, shown(&visitor, &name, Asked::Again(&form, &wrong)).await)
        }
        Err(Refusal::Problem(problem)) => problem.answer(visitor.language),
    }
}

async fn acted(visitor: &Visitor, name: &str, form: &Form) -> Result<String, Refusal> {
    if form.get("action") == "delete" {
        let name = NamespaceName::parse(name).map_err(|_| Problem::NotFound)?;
        let deleted = visitor.app.auth.delete_namespace(&visitor.principal, &name, visitor.now).await;
        return Ok(format!("{ALL}?done={}", done_or_gone(deleted, "deleted", visitor.t)?));
    }
    let namespace = find(visitor, name).await?;
    let at = address(&namespace.name);
    let permissions =
        Permissions { target: PermissionTarget::Namespace(namespace.name), forms: &at, list: &at };
    permissions.act(visitor, form).await?.ok_or(Refusal::Problem(Problem::NotFound))
}
