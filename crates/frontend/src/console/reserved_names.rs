//! The reserved name of what was deleted, freed for others: which one, whether that is meant, and what stands in the way.
//! Administrators free them.

use maud::{Markup, html};

use super::forms::{Asked, Refusal};
use super::page::Question;
use super::problem::Wrong;
use super::text::{Texts, fill};
use super::visitor::Visitor;

/// Names of one kind of thing.
pub(super) struct ReservedNames<'a> {
    /// Where their list is, and where its forms go.
    pub(super) address: &'a str,
    pub(super) hint: &'a str,
    /// What is said of a name that none of them can be.
    pub(super) wrong: &'a str,
    pub(super) warning: &'a str,
}

impl ReservedNames<'_> {
    /// Leads to the form.
    pub(super) fn link(&self, t: &'static Texts) -> Markup {
        html! { p { a href=(format!("{}?do=free", self.address)) { (t.name_free) } } }
    }

    /// The form, or, once there is a name that can be one, the question.
    pub(super) fn asks(&self, visitor: &Visitor, asked: Asked<'_>, can_be: fn(&str) -> bool) -> Markup {
        let name = asked.of().trim();
        match asked {
            Asked::First(_) if can_be(name) => self.question(visitor, name),
            Asked::First(_) if !name.is_empty() => self.form(visitor, asked, Some(self.wrong)),
            Asked::First(_) | Asked::Again(..) => self.form(visitor, asked, None),
        }
    }

    /// It changes nothing, and leads to the question.
    fn form(&self, visitor: &Visitor, asked: Asked<'_>, error: Option<&str>) -> Markup {
        let t = visitor.t;
        let mut field = asked.field("of", t.name, Some(self.hint.to_owned()));
        field.error = field.error.or(error);
        html! {
            (asked.whole_error())
            p { (t.name_free_text) }
            form.panel method="get" action=(self.address) {
                input type="hidden" name="do" value="free";
                (field.line("text", asked.of(), "off"))
                div.bar {
                    button type="submit" { (t.check_share) }
                    a.button.plain href=(self.address) { (t.cancel) }
                }
            }
        }
    }

    fn question(&self, visitor: &Visitor, name: &str) -> Markup {
        let t = visitor.t;
        let question = Question {
            text: &fill(t.name_free_question, &[("name", &name)]),
            warning: self.warning,
            address: self.address,
            action: "free",
            of: name,
            button: t.name_free,
            back: self.address,
        };
        question.asks(visitor)
    }

    /// The name that was typed, as it was read.
    pub(super) fn name<N, E>(&self, read: Result<N, E>) -> Result<N, Wrong> {
        read.map_err(|_| Wrong::of("of", self.wrong))
    }
}

/// Why a name was not freed.
pub(super) fn refused(error: auth::Error, t: &'static Texts) -> Refusal {
    match error {
        auth::Error::NotFound { .. } => Wrong::of("of", t.name_not_reserved).into(),
        auth::Error::Exists { .. } => Wrong::of("of", t.name_in_use).into(),
        error => Refusal::of(error, t),
    }
}
