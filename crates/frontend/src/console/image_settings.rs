//! What else is set of an image, and its end: who may pull it, and its deletion. For who manages it.

use auth::Visibility;
use maud::{Markup, html};

use super::image::Seen;
use super::images::{ALL, visibility};
use super::page::{Answer, Question, go};
use super::problem::Problem;
use super::text::fill;
use super::visitor::{Form, Visitor};

/// The tab, or the question that is asked for.
pub(super) fn show(visitor: &Visitor, seen: &Seen) -> Result<Markup, Problem> {
    let t = visitor.t;
    let at = seen.address();
    let back = format!("{at}?tab=settings");
    let name = seen.repository.name.as_str();
    let named = |text: &str| fill(text, &[("name", &name)]);
    let asks = |text: &str, warning, action, button| {
        let text = named(text);
        let question = Question { text: &text, warning, address: &at, action, of: name, button, back: &back };
        Ok(question.asks(visitor))
    };
    match visitor.query.get("do") {
        None => {}
        Some("publish") => {
            return asks(t.publish_question, t.publish_warning, "publish", t.publish);
        }
        Some("unpublish") => {
            return asks(t.unpublish_question, t.unpublish_warning, "unpublish", t.unpublish);
        }
        Some("delete") => return asks(t.delete_question, t.image_delete_warning, "delete", t.delete),
        Some(_) => return Err(Problem::NotFound),
    }
    let (word, text) = match seen.repository.visibility {
        Visibility::Private => ("publish", t.publish),
        Visibility::Public => ("unpublish", t.unpublish),
    };
    Ok(html! {
        section.panel {
            h2 { (t.visibility) }
            p { (visibility(visitor, seen.repository.visibility)) }
            p { a.button.plain href=(format!("{back}&do={word}")) { (text) } }
        }
        section.panel {
            h2 { (t.delete) }
            p { (t.image_delete_warning) }
            p { a.button.plain href=(format!("{back}&do=delete")) { (t.image_delete) } }
        }
    })
}

/// Does what a question was answered with; `None`: it is none of these.
pub(super) async fn act(visitor: &Visitor, seen: &Seen, form: &Form) -> Result<Option<Answer>, Problem> {
    let (auth, p, now) = (&visitor.app.auth, &visitor.principal, visitor.now);
    let name = &seen.repository.name;
    let wanted = match form.get("action") {
        "publish" => Visibility::Public,
        "unpublish" => Visibility::Private,
        "delete" => {
            auth.delete_repository(p, name, now).await?;
            return Ok(Some(go(&format!("{ALL}?done=deleted"))));
        }
        _ => return Ok(None),
    };
    auth.set_visibility(p, name, wanted, now).await?;
    Ok(Some(go(&format!("{}?tab=settings&done=saved", seen.address()))))
}
