//! A new image, made ahead of its first push.

use auth::{Description, DetailsChange, NewRepository, Thing, Visibility};
use maud::{Markup, html};
use oci::RepositoryName;

use super::forms::{Asked, Refusal, described, sent};
use super::image::description_field;
use super::images::{ALL, address};
use super::page::{Answer, Place, form_token, go, page};
use super::problem::{Problem, Wrong};
use super::visitor::{Form, Visitor};

/// Leads to the form.
pub(super) fn link(visitor: &Visitor) -> Markup {
    html! { a.button.plain.end href=(format!("{ALL}?do=create")) { (visitor.t.image_new) } }
}

/// The form, for whoever may send it.
pub(super) async fn asked(visitor: &Visitor) -> Result<Answer, Problem> {
    if !visitor.app.auth.may_push_somewhere(&visitor.principal).await? {
        return Err(Problem::Forbidden);
    }
    Ok(show(visitor, Asked::First(&visitor.query)))
}

fn show(visitor: &Visitor, asked: Asked<'_>) -> Answer {
    let t = visitor.t;
    let content = html! {
        (asked.whole_error())
        p { (t.no_images_hint) }
        form.panel method="post" action=(ALL) {
            (form_token(&visitor.form_token))
            (asked.field("name", t.name, Some(t.image_name_hint.to_owned())).line("text", asked.typed("name"), "off"))
            (description_field(visitor, asked.typed("description"), asked.error("description")))
            div.bar {
                button type="submit" name="action" value="create" { (t.image_new) }
                a.button.plain href=(ALL) { (t.cancel) }
            }
        }
    };
    page(visitor, Place::OwnImages, t.image_new, &content)
}

/// `POST /console/images`.
pub(super) async fn make(visitor: Visitor, form: Form) -> Answer {
    let done = made(&visitor, &form).await;
    sent(&visitor, &form, done, async |asked| Ok(show(&visitor, asked))).await
}

async fn made(visitor: &Visitor, form: &Form) -> Result<Answer, Refusal> {
    let t = visitor.t;
    if form.get("action") != "create" {
        return Err(Problem::NotFound.into());
    }
    let name = form.get("name").trim();
    if name.is_empty() {
        return Err(Wrong::of("name", t.required).into());
    }
    let name = RepositoryName::parse(name).map_err(|_| Wrong::of("name", t.image_name_wrong))?;
    // Whoever says nothing of it needs no more than a push does.
    let description = Some(described(visitor, form)?).filter(|text| *text != Description::default());
    let details = DetailsChange { description, category: None };
    let new = NewRepository { details, visibility: Visibility::Private };
    let made = visitor.app.auth.create_repository(&visitor.principal, &name, &new, visitor.now).await;
    made.map_err(|error| match error {
        auth::Error::NotFound { what: Thing::Namespace } => Wrong::of("name", t.organization_unknown).into(),
        auth::Error::Forbidden => Wrong::of("name", t.image_forbidden).into(),
        error => Refusal::of(error, t),
    })?;
    Ok(go(&format!("{}?done=made", address(name.as_str()))))
}
