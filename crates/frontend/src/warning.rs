//! The `Warning` header: what a client is to show its person beside an answer (RFC 7234, section 5.5, in the one form
//! that the distribution specification allows: code 299, agent `-`, no date).

use auth::Permit;
use http::{HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};

use crate::App;
use crate::reply::Reply;

const WARNING: HeaderName = HeaderName::from_static("warning");

/// What warns who pulls by a share that ends soon; `None` when there is nothing to warn of.
pub(crate) fn of_share(app: &App, permit: &Permit, now: Timestamp) -> Option<HeaderValue> {
    let (deadline, owner) = permit.share_end()?;
    let before = SignedDuration::try_from(app.auth.settings().share_warning_before).ok()?;
    if before.is_zero() || deadline.duration_since(now) > before {
        return None;
    }
    // Names hold nothing that would have to be quoted, and are far from the 4096 bytes that all warnings may have.
    let warning = format!("299 - \"your share of {} by {owner} ends at {deadline}\"", permit.name());
    HeaderValue::from_str(&warning).ok()
}

/// Adds the warning to an answer.
pub(crate) fn add(reply: &mut Reply, warning: Option<HeaderValue>) {
    if let Some(warning) = warning {
        reply.headers_mut().append(WARNING, warning);
    }
}
