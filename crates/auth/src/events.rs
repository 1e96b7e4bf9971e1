//! The audit trail: who did what, when, from where, and whether it was done.
//!
//! The event of a change is written in the change's own commit: a change that is not in the trail did not happen, and
//! one that is did. What changes nothing (sign-ins, tokens, pulls) comes in by way of [`crate::recorder`], a moment
//! later. It is no log of requests.

use std::net::IpAddr;
use std::ops::Bound;

use jiff::Timestamp;
use kv::{Id, Key, Transaction, decode};
use serde::{Deserialize, Serialize};

use crate::{AccountId, Auth, Error, EventKind, Principal, UserId};

/// Who did it. The ids stay true when the name goes to somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// The account; `None`: the server itself, or nobody who signed in.
    pub account: Option<AccountId>,
    /// The user, when it was not the account itself.
    pub user: Option<UserId>,
    /// The name at that time: `dev@acme`.
    pub name: String,
    /// Where the request came from, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
}

impl Actor {
    /// The server itself: what nobody asked for.
    #[must_use]
    pub fn server() -> Actor {
        Actor { account: None, user: None, name: "gangplank".to_owned(), address: None }
    }

    /// Somebody, where it is not told who.
    #[must_use]
    pub fn anybody() -> Actor {
        Actor { account: None, user: None, name: "anybody".to_owned(), address: None }
    }
}

impl From<&Principal> for Actor {
    fn from(principal: &Principal) -> Actor {
        Actor {
            account: principal.account(),
            user: principal.user(),
            name: principal.name(),
            address: principal.address(),
        }
    }
}

/// Whether it was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventResult {
    /// It was done.
    #[default]
    Ok,
    /// It was refused: the right, or the credential, was not good.
    Denied,
    /// It was not done for another reason.
    Failed,
}

impl EventResult {
    /// All of them.
    pub const ALL: &[EventResult] = &[EventResult::Ok, EventResult::Denied, EventResult::Failed];

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            EventResult::Ok => "ok",
            EventResult::Denied => "denied",
            EventResult::Failed => "failed",
        }
    }

    fn is_ok(&self) -> bool {
        *self == EventResult::Ok
    }
}

/// What happened, as the trail of the account that it concerns holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The account in whose trail it stands: the owner of the subject, as a rule.
    pub account: AccountId,
    /// What happened.
    pub kind: EventKind,
    /// Who did it.
    pub actor: Actor,
    /// What it was done to, by name: `team-a/web`, `dev@acme`.
    pub subject: String,
    /// When.
    pub at: Timestamp,
    /// What else there is to know: a level, a grantee, a digest. Never a secret.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Whether it was done.
    #[serde(default, skip_serializing_if = "EventResult::is_ok")]
    pub result: EventResult,
    /// How often it happened from then on, within a minute: the same by the same actor from the same address.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub count: u64,
}

fn once() -> u64 {
    1
}

fn is_once(count: &u64) -> bool {
    *count == once()
}

impl Event {
    /// An event in `account`'s trail.
    #[must_use]
    pub fn new(account: AccountId, kind: EventKind, actor: Actor, subject: String, at: Timestamp) -> Event {
        Event {
            account,
            kind,
            actor,
            subject,
            at,
            detail: String::new(),
            result: EventResult::Ok,
            count: once(),
        }
    }

    /// The same with a detail.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Event {
        Event { detail: detail.into(), ..self }
    }

    /// The same, with another result than that it was done.
    #[must_use]
    pub fn with_result(self, result: EventResult) -> Event {
        Event { result, ..self }
    }

    /// Writes it as part of `transaction`.
    ///
    /// # Errors
    /// As [`Transaction::put`].
    pub fn record(&self, transaction: &mut Transaction) -> Result<(), kv::Error> {
        // Of one millisecond's events those that came first have the lesser ids.
        let event = Id::in_order(time_ms(self.at));
        transaction.expect(self.key(event), None);
        self.put(transaction, event)
    }

    /// Writes it under an id of its own, perhaps over what it was before.
    pub(crate) fn put(&self, transaction: &mut Transaction, event: Id) -> Result<(), kv::Error> {
        transaction.put(self.key(event), self)?;
        Ok(())
    }

    fn key(&self, event: Id) -> Key<'static> {
        Key::Event { account: self.account.raw(), time_ms: time_ms(self.at), event }
    }
}

impl Auth {
    /// Removes at most `limit` of the events that happened before `before`, and says how many it removed: call again
    /// while it is `limit`.
    ///
    /// # Errors
    /// As the store.
    pub async fn trim_events(&self, before: Timestamp, limit: usize) -> Result<usize, Error> {
        let store = self.store();
        let list = |account| Key::Event { account, time_ms: 0, event: Id::MIN }.siblings(store.region());
        let (mut start, _) = list(Id::MIN);
        let (_, end) = list(last_id());
        let mut trimmed = 0;
        while trimmed < limit {
            // The trail is ordered by account first: what is too old is the beginning of each account's part.
            let Some((_, first)) = store.list((start, end.clone()), 1).await?.pop() else { break };
            let account = decode::<Event>(PROBE, &first)?.value.account.raw();
            let (from, part_end) = list(account);
            let until =
                Key::Event { account, time_ms: time_ms(before), event: Id::MIN }.encode(store.region());
            let rows = store.list((from, Bound::Excluded(until)), (limit - trimmed).min(BATCH_MAX)).await?;
            let Some((last, _)) = rows.last() else {
                start = after(part_end);
                continue;
            };
            start = Bound::Excluded(last.clone());
            trimmed += rows.len();
            // What is removed never comes back, so nothing need be expected.
            let mut removal = store.transaction();
            for (key, _) in rows {
                removal.delete_encoded(key);
            }
            store.commit(removal).await?;
        }
        Ok(trimmed)
    }
}

/// The most events that one commit removes.
const BATCH_MAX: usize = 1_000;

/// Before 1970 nothing happened.
pub(crate) fn time_ms(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}

/// The beginning of what comes after a range with this end.
fn after(end: Bound<Vec<u8>>) -> Bound<Vec<u8>> {
    match end {
        Bound::Excluded(key) => Bound::Included(key),
        other => other,
    }
}

/// The greatest id that there may be.
pub(crate) fn last_id() -> Id {
    Id::new((1 << 53) - 1).unwrap_or(Id::MIN)
}

/// Any event's key, for the text of an error.
const PROBE: Key<'static> = Key::Event { account: Id::MIN, time_ms: 0, event: Id::MIN };
