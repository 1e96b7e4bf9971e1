//! Forms whose answer shows a secret once. A browser that loads such an answer anew sends its form again: that makes nothing
//! more, and says so.
//!
//! Each form carries a number, which is used up by what it makes. This process remembers for as long as a session lasts
//! which were; one that is started anew has forgotten.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac;
use jiff::Timestamp;
use maud::{Markup, html};

use super::forms::Refusal;
use super::page::{Answer, go};
use super::problem::{MADE_BEFORE, Problem};
use super::session::{SESSION_LIFE, random_word};
use super::visitor::{Form, Visitor};

const FIELD: &str = "once";
/// In how many parts forms are remembered.
const PARTS: usize = 64;
/// The most that a part remembers.
const PART_FORMS_MAX: usize = 256;

type Part = VecDeque<(Timestamp, hmac::Tag)>;

/// The forms that were used up, and when, each in the part that it falls into.
static USED: [Mutex<Part>; PARTS] = [const { Mutex::new(VecDeque::new()) }; PARTS];

fn part_of(form: &hmac::Tag) -> MutexGuard<'static, Part> {
    USED[usize::from(form.as_ref()[0]) % PARTS].lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_same((_, known): &(Timestamp, hmac::Tag), form: &hmac::Tag) -> bool {
    known.as_ref() == form.as_ref()
}

/// Uses a form up, unless it was.
fn take(form: hmac::Tag, now: Timestamp) -> bool {
    let forgotten = now.checked_sub(SESSION_LIFE).unwrap_or(Timestamp::MIN);
    let mut used = part_of(&form);
    used.retain(|(at, _)| *at > forgotten);
    if used.iter().any(|known| is_same(known, &form)) {
        return false;
    }
    if used.len() >= PART_FORMS_MAX {
        used.pop_front();
    }
    used.push_back((now, form));
    true
}

/// The field with a number that no other form has.
pub(super) fn number() -> Markup {
    html! { input type="hidden" name=(FIELD) value=(random_word()); }
}

/// What `make` answers, which is done unless this form has made something before, or is about to: that is told at the list at
/// `list`. A form whose sender went away meanwhile stays used up.
pub(super) async fn made_once(
    visitor: &Visitor,
    form: &Form,
    list: &str,
    make: impl Future<Output = Result<Answer, Refusal>>,
) -> Result<Answer, Refusal> {
    let number = form.get(FIELD);
    if number.is_empty() {
        return Err(Problem::FormStale.into());
    }
    // Of the session, whose forms' token only it has.
    let key = hmac::Key::new(hmac::HMAC_SHA256, visitor.form_token.as_bytes());
    let form = hmac::sign(&key, number.as_bytes());
    if !take(form, visitor.now) {
        return Ok(go(&format!("{list}?done={MADE_BEFORE}")));
    }
    let made = make.await;
    if made.is_err() {
        part_of(&form).retain(|known| !is_same(known, &form));
    }
    made
}
