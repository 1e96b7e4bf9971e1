//! Notices: what happened to a share, for those who asked to be told ([`crate::Webhook`]).
//!
//! A notice is put in the outbox by the commit of what it tells, so that there is one for each change that happened and
//! none for another. From there it is queued for the webhooks of the owner and of the grantee, and only of those two.
//! It holds the share as it then was, so that it tells the same whenever it arrives.

use jiff::Timestamp;
use kv::{Id, Key, Transaction};
use oci::RepositoryName;
use serde::{Deserialize, Serialize};

use crate::events::time_ms;
use crate::records::ShareRecord;
use crate::{AccountName, Error, EventKind, NoticeId, Share, ShareId};

/// What a notice tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NoticeKind {
    /// A share was made.
    #[serde(rename = "share.created")]
    ShareCreated,
    /// A share's end, description, tags or time of notice was changed.
    #[serde(rename = "share.updated")]
    ShareUpdated,
    /// A share is near its deadline.
    #[serde(rename = "share.ending")]
    ShareEnding,
    /// A share's deadline has passed.
    #[serde(rename = "share.ended")]
    ShareEnded,
    /// A share was ended by its owner, or with one of the two accounts, or its image was deleted or made public.
    #[serde(rename = "share.revoked")]
    ShareRevoked,
    /// A share was left by its grantee.
    #[serde(rename = "share.left")]
    ShareLeft,
    /// Nothing happened: somebody tries a webhook.
    #[serde(rename = "webhook.test")]
    Test,
}

impl NoticeKind {
    /// Those that an account may ask for, in the order in which a share meets them.
    pub const ALL: [NoticeKind; 6] = [
        NoticeKind::ShareCreated,
        NoticeKind::ShareUpdated,
        NoticeKind::ShareEnding,
        NoticeKind::ShareEnded,
        NoticeKind::ShareRevoked,
        NoticeKind::ShareLeft,
    ];

    /// As it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeKind::ShareCreated => "share.created",
            NoticeKind::ShareUpdated => "share.updated",
            NoticeKind::ShareEnding => "share.ending",
            NoticeKind::ShareEnded => "share.ended",
            NoticeKind::ShareRevoked => "share.revoked",
            NoticeKind::ShareLeft => "share.left",
            NoticeKind::Test => "webhook.test",
        }
    }

    /// The one that tells what `event` records; `None`: nobody is told of it.
    fn of(event: EventKind) -> Option<NoticeKind> {
        match event {
            EventKind::ShareCreated => Some(NoticeKind::ShareCreated),
            EventKind::ShareUpdated => Some(NoticeKind::ShareUpdated),
            EventKind::ShareEnding => Some(NoticeKind::ShareEnding),
            EventKind::ShareEnded => Some(NoticeKind::ShareEnded),
            EventKind::ShareRevoked => Some(NoticeKind::ShareRevoked),
            EventKind::ShareLeft => Some(NoticeKind::ShareLeft),
            _ => None,
        }
    }
}

impl std::fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A notice, as a receiver is told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Its id, the same however often it is sent.
    pub id: NoticeId,
    /// What it tells.
    pub kind: NoticeKind,
    /// When that happened.
    pub at: Timestamp,
    /// The share as it was then; `None` for a test.
    pub share: Option<Share>,
}

/// `Key::Notice`: the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NoticeRecord {
    pub(crate) kind: NoticeKind,
    pub(crate) at: Timestamp,
    /// `None` for a test.
    pub(crate) share: Option<NoticedShare>,
}

/// A share as a notice holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NoticedShare {
    pub(crate) id: ShareId,
    pub(crate) record: ShareRecord,
    pub(crate) repository: RepositoryName,
    pub(crate) grantee: AccountName,
}

/// Puts the notice of `kind` in the outbox, as part of `tx`; nothing for a kind that nobody is told of.
pub(crate) fn put_notice(
    tx: &mut Transaction,
    (id, record): (ShareId, &ShareRecord),
    kind: EventKind,
    repository: &RepositoryName,
    grantee: &AccountName,
    now: Timestamp,
) -> Result<(), Error> {
    let Some(kind) = NoticeKind::of(kind) else { return Ok(()) };
    // What ended by itself did so then, whenever it was noticed.
    let at = record.deadline.filter(|_| kind == NoticeKind::ShareEnded).unwrap_or(now);
    let (repository, grantee) = (repository.clone(), grantee.clone());
    let share = Some(NoticedShare { id, record: record.clone(), repository, grantee });
    let key = Key::Notice { notice: Id::in_order(time_ms(now)) };
    tx.expect(key, None).put(key, &NoticeRecord { kind, at, share })?;
    Ok(())
}
