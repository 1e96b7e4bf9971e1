//! Forms whose answer shows a secret once. A browser that loads such an answer anew sends its form again: that makes nothing
//! more, and says so.
//!
//! Each form carries a number, which is used up by what it makes. This process remembers for as long as a session lasts
//! which were; one that is started anew has forgotten.

use std::collections::VecDeque;

use aws_lc_rs::hmac;
use jiff::Timestamp;
use maud::{Markup, html};
use tokio::sync::Mutex;

use super::forms::Refusal;
use super::page::{Answer, go};
use super::problem::{MADE_BEFORE, Problem};
use super::session::SESSION_LIFE;
use super::visitor::{Form, Visitor};

const FIELD: &str = "once";
/// In how many parts forms are remembered.
const PARTS: usize = 64;
/// The most that a part remembers.
const PART_FORMS_MAX: usize = 256;

/// The forms that made something, and when, each in the part that it falls into. Who makes something holds its part until
/// that is done.
static USED: [Mutex<VecDeque<(Timestamp, hmac::Tag)>>; PARTS] =
    [const { Mutex::const_new(VecDeque::new()) }; PARTS];

/// The field with a number that no other form has.
pub(super) fn number() -> Markup {
    html! { input type="hidden" name=(FIELD) value=(format!("{:032x}", rand::random::<u128>())); }
}

/// What `make` answers, which is done unless this form has made something before: that is told at the list at `list`. Of two
/// that are sent at once, one waits for what becomes of the other.
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
    let mut used = USED[usize::from(form.as_ref()[0]) % PARTS].lock().await;
    let forgotten = visitor.now.checked_sub(SESSION_LIFE).unwrap_or(Timestamp::MIN);
    used.retain(|(at, _)| *at > forgotten);
    if used.iter().any(|(_, known)| known.as_ref() == form.as_ref()) {
        return Ok(go(&format!("{list}?done={MADE_BEFORE}")));
    }
    let answer = make.await?;
    if used.len() >= PART_FORMS_MAX {
        used.pop_front();
    }
    used.push_back((visitor.now, form));
    Ok(answer)
}
