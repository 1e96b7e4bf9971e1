//! What users may do with an organization or an image: the list, and the forms that set and take away.

use auth::{Action, Level, Permission, PermissionTarget, UserName};
use maud::{Markup, html};
use oci::NamespaceName;

use super::forms::{Asked, Refusal, done_or_gone};
use super::image::{Seen, Tab};
use super::images::ALL;
use super::list::{ROWS_AND_ONE, Rows, pager};
use super::organizations;
use super::page::{Answer, Question, form_token, go, options};
use super::problem::{Problem, Wrong};
use super::table::{column, heading, table, titled};
use super::text::{Texts, fill};
use super::visitor::{Form, Visitor, parameter};

/// The permissions on something, and where they stand.
pub(super) struct Permissions<'a> {
    pub(super) target: PermissionTarget,
    /// Where the forms go.
    pub(super) forms: &'a str,
    /// Where the list is.
    pub(super) list: &'a str,
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Read => "read",
        Level::Edit => "edit",
        Level::Manage => "manage",
    }
}

/// What a level is called.
pub(super) fn level_text(t: &'static Texts, level: Level) -> &'static str {
    match level {
        Level::Read => t.level_read,
        Level::Edit => t.level_edit,
        Level::Manage => t.level_manage,
    }
}

fn levels(t: &'static Texts) -> [(&'static str, &'static str); 3] {
    [Level::Read, Level::Edit, Level::Manage].map(|level| (word(level), level_text(t, level)))
}

impl Permissions<'_> {
    fn to(&self, what: &str) -> String {
        let joint = if self.list.contains('?') { '&' } else { '?' };
        format!("{}{joint}{what}", self.list)
    }

    /// The list, or the question that is asked for.
    pub(super) async fn show(&self, visitor: &Visitor, asked: Asked<'_>) -> Result<Markup, Problem> {
        let t = visitor.t;
        let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
        if asked.what() == "remove-permission" {
            let name = user(visitor, asked.of()).map_err(|_| Problem::NotFound)?;
            let all = auth.list_permissions(p, &self.target, None, usize::MAX, now).await?;
            all.iter().find(|permission| permission.user == name).ok_or(Problem::NotFound)?;
            let question = Question {
                text: &fill(t.permission_remove_question, &[("name", &name)]),
                warning: t.permission_remove_warning,
                address: self.forms,
                action: "remove-permission",
                of: name.as_str(),
                button: t.permission_remove,
                back: self.list,
            };
            return Ok(html! { (asked.whole_error()) (question.asks(visitor)) });
        }
        let after = visitor.query.get("after");
        let found = auth.list_permissions(p, &self.target, after, ROWS_AND_ONE, now).await?;
        let none = match self.target {
            PermissionTarget::Namespace(_) => t.no_permissions,
            PermissionTarget::Repository(_) => t.no_permissions_of_image,
        };
        let rows = Rows::of(found, |permission| permission.user.to_string());
        let columns = [heading(t.user), column(t.permission), column(t.actions)];
        Ok(html! {
            @if rows.items.is_empty() && visitor.query.get("after").is_none() { div.empty { p { (none) } } } @else {
                (table(t, &columns, rows.items.iter().map(|permission| self.line(visitor, permission))))
                (pager(visitor, self.list, rows.next.as_deref()))
            }
            (self.form(visitor, asked))
        })
    }

    fn line(&self, visitor: &Visitor, permission: &Permission) -> Vec<Markup> {
        let t = visitor.t;
        let login = permission.login();
        let named = |text: &str| fill(text, &[("name", &login)]);
        let remove = format!("do=remove-permission&of={}", parameter(permission.user.as_str()));
        vec![
            html! { (login) },
            html! {
                form.inline method="post" action=(self.forms) {
                    (form_token(&visitor.form_token))
                    input type="hidden" name="user" value=(permission.user);
                    select name="level" aria-label=(named(t.permission_of)) {
                        (options(&levels(t), word(permission.level)))
                    }
                    button.plain type="submit" name="action" value="set-permission"
                        aria-label=(named(t.permission_save_of)) { (t.save) }
                }
            },
            html! { a href=(self.to(&remove)) aria-label=(named(t.permission_remove_of)) { (t.permission_remove) } },
        ]
    }

    fn form(&self, visitor: &Visitor, asked: Asked<'_>) -> Markup {
        let t = visitor.t;
        html! {
            h2 { (t.permission_add) }
            (asked.whole_error())
            form.panel method="post" action=(self.forms) {
                (form_token(&visitor.form_token))
                (asked.field("user", t.user, Some(t.user_hint.to_owned())).line("text", asked.typed("user"), "off"))
                (asked.field("level", t.permission, Some(t.levels_hint.to_owned()))
                    .select(&levels(t), asked.typed_or("level", "read")))
                button type="submit" name="action" value="set-permission" { (t.permission_add) }
            }
        }
    }

    /// Does what a form says, and answers where that leads; `None`: it says something else.
    pub(super) async fn act(&self, visitor: &Visitor, form: &Form) -> Result<Option<String>, Refusal> {
        let Some(done) = self.done(visitor, form).await? else { return Ok(None) };
        let done = format!("done={done}");
        // Whoever gave the own permission away may not see the list any more, or what it is of.
        let sees = match &self.target {
            PermissionTarget::Repository(name) => visitor
                .app
                .auth
                .authorize(&visitor.principal, name, Action::Manage, visitor.now)
                .await
                .is_ok(),
            PermissionTarget::Namespace(name) => {
                visitor.app.auth.show_namespace(&visitor.principal, name, visitor.now).await.is_ok()
            }
        };
        Ok(Some(if sees { self.to(&done) } else { format!("{ALL}?{done}") }))
    }

    /// The word for what was done.
    async fn done(&self, visitor: &Visitor, form: &Form) -> Result<Option<&'static str>, Refusal> {
        let t = visitor.t;
        let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
        let refused = |error| match error {
            auth::Error::NotFound { what: auth::Thing::User } => Wrong::of("user", t.user_unknown).into(),
            error => Refusal::of(error, t),
        };
        match form.get("action") {
            "set-permission" => {
                let name = user(visitor, form.get("user").trim())?;
                let given = form.get("level");
                let level =
                    [Level::Read, Level::Edit, Level::Manage].into_iter().find(|level| word(*level) == given);
                let level = level.ok_or(Problem::NotFound)?;
                auth.set_permission(p, &self.target, &name, level, now).await.map_err(refused)?;
                Ok(Some("permission-set"))
            }
            "remove-permission" => {
                let name = user(visitor, form.get("of"))?;
                let removed = auth.remove_permission(p, &self.target, &name, now).await;
                done_or_gone(removed, "permission-removed", t).map(Some)
            }
            _ => Ok(None),
        }
    }
}

fn addresses(seen: &Seen) -> (String, String) {
    let forms = seen.address();
    let list = format!("{forms}?tab=permissions");
    (forms, list)
}

/// The tab of an image: its own permissions, and what users have from its organization.
pub(super) async fn of_image(visitor: &Visitor, seen: &Seen, asked: Asked<'_>) -> Result<Markup, Problem> {
    let (forms, list) = addresses(seen);
    let target = PermissionTarget::Repository(seen.repository.name.clone());
    let own = Permissions { target, forms: &forms, list: &list }.show(visitor, asked).await?;
    if asked.what() == "remove-permission" {
        return Ok(own);
    }
    Ok(html! { (own) (of_organization(visitor, seen).await?) })
}

/// Who may do something with the image by a permission on its organization, as far as the visitor may know.
async fn of_organization(visitor: &Visitor, seen: &Seen) -> Result<Markup, Problem> {
    let t = visitor.t;
    let name = NamespaceName::parse(seen.repository.name.namespace()).map_err(|_| Problem::Failed)?;
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let target = PermissionTarget::Namespace(name.clone());
    let found = match auth.list_permissions(p, &target, None, ROWS_AND_ONE, now).await {
        Err(auth::Error::Forbidden | auth::Error::NotFound { .. }) => {
            return Ok(html! { p.hint { (fill(t.permissions_of_organization_hidden, &[("name", &name)])) } });
        }
        found => Rows::of(found?, |permission| permission.user.to_string()),
    };
    let from = fill(t.permission_from_organization, &[("name", &name)]);
    Ok(html! {
        h2 { a href=(organizations::address(&name)) { (from) } }
        @if found.items.is_empty() { p { (t.permissions_of_organization_none) } } @else {
            p.hint { (t.permissions_of_organization) }
            (titled(&from, &[heading(t.user), column(t.permission)], found.items.iter().map(|permission| {
                vec![html! { (permission.login()) }, html! { (level_text(t, permission.level)) }]
            })))
            @if found.next.is_some() { p.hint { (fill(t.first_only, &[("count", &found.items.len())])) } }
        }
    })
}

/// Does what a form of that tab says.
pub(super) async fn act_on_image(visitor: &Visitor, seen: &Seen, form: &Form) -> Result<Answer, Problem> {
    let (forms, list) = addresses(seen);
    let target = PermissionTarget::Repository(seen.repository.name.clone());
    match (Permissions { target, forms: &forms, list: &list }).act(visitor, form).await {
        Ok(to) => Ok(go(&to.ok_or(Problem::NotFound)?)),
        Err(Refusal::Problem(problem)) => Err(problem),
        Err(Refusal::Wrong(wrong)) => {
            let content = of_image(visitor, seen, Asked::Again(form, &wrong)).await?;
            Ok(seen.page(visitor, Tab::Permissions, &content))
        }
    }
}

/// A user of the visitor's account, by its name there (`dev`) or its whole name (`dev@acme`).
fn user(visitor: &Visitor, login: &str) -> Result<UserName, Wrong> {
    let t = visitor.t;
    if login.is_empty() {
        return Err(Wrong::of("user", t.required));
    }
    let unknown = |_| Wrong::of("user", t.user_unknown);
    let name = match login.rsplit_once('@') {
        Some((user, account))
            if visitor.principal.account_name().is_some_and(|own| own.as_str() == account) =>
        {
            user
        }
        _ => login,
    };
    UserName::parse(name).map_err(unknown)
}
