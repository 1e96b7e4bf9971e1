//! What the forms of the pages about an account have in common: how they are asked, and asked again.

use auth::Description;
use maud::Markup;

use super::page::{Answer, Field, go};
use super::problem::{GONE, Problem, Wrong, wrong};
use super::share_form::{error_of, whole_error};
use super::text::Texts;
use super::visitor::{Form, Query, Visitor};

/// Why a form did nothing: what its visitor can mend, or a page.
#[derive(Debug)]
pub(super) enum Refusal {
    Wrong(Wrong),
    Problem(Problem),
}

impl Refusal {
    pub(super) fn of(error: auth::Error, t: &'static Texts) -> Refusal {
        match wrong(error, t) {
            Ok(wrong) => Refusal::Wrong(wrong),
            Err(problem) => Refusal::Problem(problem),
        }
    }
}

impl From<Wrong> for Refusal {
    fn from(wrong: Wrong) -> Refusal {
        Refusal::Wrong(wrong)
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Refusal {
        Refusal::Problem(problem)
    }
}

/// What a page is asked for: by its address (`?do=create`, `&of=dev`), or by a form that was sent in vain, whose words
/// are the same, and which keeps what was typed.
#[derive(Clone, Copy)]
pub(super) enum Asked<'a> {
    First(&'a Query),
    Again(&'a Form, &'a Wrong),
}

impl<'a> Asked<'a> {
    /// What is to be done.
    pub(super) fn what(self) -> &'a str {
        match self {
            Asked::First(query) => query.get("do").unwrap_or_default(),
            Asked::Again(form, _) => form.get("action"),
        }
    }

    /// What it is to be done with.
    pub(super) fn of(self) -> &'a str {
        match self {
            Asked::First(query) => query.get("of").unwrap_or_default(),
            Asked::Again(form, _) => form.get("of"),
        }
    }

    /// What was typed.
    pub(super) fn typed(self, name: &str) -> &'a str {
        self.typed_or(name, "")
    }

    /// The same, or how it is to begin with.
    pub(super) fn typed_or(self, name: &str, first: &'a str) -> &'a str {
        match self {
            Asked::First(_) => first,
            Asked::Again(form, _) => form.get(name),
        }
    }

    /// Whether this box of that name was ticked; to begin with it is as `first` says.
    pub(super) fn ticked_or(self, name: &str, value: &str, first: bool) -> bool {
        match self {
            Asked::First(_) => first,
            Asked::Again(form, _) => form.all(name).any(|ticked| ticked == value),
        }
    }

    fn wrong(self) -> Option<&'a Wrong> {
        match self {
            Asked::First(_) => None,
            Asked::Again(_, wrong) => Some(wrong),
        }
    }

    pub(super) fn field(self, name: &'a str, label: &'a str, hint: Option<String>) -> Field<'a> {
        Field { name, label, hint, error: self.error(name) }
    }

    /// What is wrong with that field.
    pub(super) fn error(self, name: &str) -> Option<&'a str> {
        error_of(self.wrong(), name)
    }

    /// What is wrong with all of it.
    pub(super) fn whole_error(self) -> Markup {
        whole_error(self.wrong())
    }
}

/// A page, or the one that says why there is none.
pub(super) fn ended(visitor: &Visitor, answer: Result<Answer, Problem>) -> Answer {
    answer.unwrap_or_else(|problem| problem.answer(visitor.language))
}

/// The word for what was done to something that goes by it: that, or that it was gone before, sent twice perhaps.
pub(super) fn done_or_gone<T>(
    done: Result<T, auth::Error>,
    word: &'static str,
    t: &'static Texts,
) -> Result<&'static str, Refusal> {
    match done {
        Ok(_) => Ok(word),
        Err(auth::Error::NotFound { .. }) => Ok(GONE),
        Err(error) => Err(Refusal::of(error, t)),
    }
}

/// A page; where it asks whether something shall go that is gone by now, the list at `list` instead.
pub(super) fn ended_or_gone(visitor: &Visitor, answer: Result<Answer, Problem>, list: &str) -> Answer {
    let asks = ["delete", "revoke", "remove-permission"].map(Some).contains(&visitor.query.get("do"));
    match answer {
        Err(Problem::NotFound) if asks => gone(list),
        answer => ended(visitor, answer),
    }
}

/// Leads to a list, which says that something is gone already.
pub(super) fn gone(list: &str) -> Answer {
    let joint = if list.contains('?') { '&' } else { '?' };
    go(&format!("{list}{joint}done={GONE}"))
}

/// The answer to a form that was sent: what was done, or the page once more, with what is wrong.
pub(super) async fn sent(
    visitor: &Visitor,
    form: &Form,
    done: Result<Answer, Refusal>,
    again: impl AsyncFnOnce(Asked<'_>) -> Result<Answer, Problem>,
) -> Answer {
    match done {
        Ok(answer) => answer,
        Err(Refusal::Wrong(wrong)) => ended(visitor, again(Asked::Again(form, &wrong)).await),
        Err(Refusal::Problem(problem)) => problem.answer(visitor.language),
    }
}

/// The description that was typed.
pub(super) fn described(visitor: &Visitor, form: &Form) -> Result<Description, Refusal> {
    Description::parse(&form.text("description")).map_err(|error| Refusal::of(error, visitor.t))
}
