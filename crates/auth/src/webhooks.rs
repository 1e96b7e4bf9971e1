//! Webhooks: where an account wants to be told what happens to shares that it made or that were made with it.
//!
//! The account itself manages its own. The secret that notices are signed with is shown once, and is kept sealed. How a
//! receiver does (its failures, when it is tried next) is a record of its own, written by whoever delivers
//! ([`crate::deliveries`]), so that the two never stand in each other's way.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kv::{Key, Transaction, Versioned, decode};
use serde::{Deserialize, Serialize};

use crate::principal::Subject;
use crate::seal::Sealed;
use crate::{
    AccountId, Actor, Auth, Description, Error, Event, EventKind, NoticeKind, Principal, Secret, Thing,
    WebhookId, WebhookUrl,
};

/// What a secret begins with, as Standard Webhooks has it.
pub(crate) const SECRET_PREFIX: &str = "whsec_";
/// As long as what HMAC-SHA256 makes of it.
const SECRET_BYTES: usize = 32;

/// What a new webhook shall be.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// Where its notices go.
    pub url: WebhookUrl,
    /// What it is told; nothing stands for everything, also what there will be later.
    pub kinds: Vec<NoticeKind>,
    /// What it is for.
    pub description: Description,
}

/// A change of a webhook; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct WebhookChange {
    /// Where its notices go.
    pub url: Option<WebhookUrl>,
    /// What it is told; nothing stands for everything.
    pub kinds: Option<Vec<NoticeKind>>,
    /// What it is for.
    pub description: Option<Description>,
    /// Whether it is told anything.
    pub enabled: Option<bool>,
}

/// A webhook, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Where its notices go.
    pub url: WebhookUrl,
    /// What it is told; nothing stands for everything.
    pub kinds: Vec<NoticeKind>,
    /// What it is for.
    pub description: Description,
    /// Whether it is told anything.
    pub enabled: bool,
    /// Its receiver said that it is gone for good, which disabled it.
    pub gone: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Notices that wait for it.
    pub pending: u64,
    /// Notices that were given up because more waited than are kept.
    pub dropped: u64,
    /// How its receiver does.
    pub state: ReceiverState,
}

/// How a receiver does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiverState {
    /// Failures since it last took a notice.
    #[serde(default)]
    pub failures: u32,
    /// When it last took a notice.
    #[serde(default)]
    pub last_success_at: Option<Timestamp>,
    /// When it last failed to.
    #[serde(default)]
    pub last_failure_at: Option<Timestamp>,
    /// How it failed then.
    #[serde(default)]
    pub last_failure: Option<String>,
    /// Before this instant nothing is tried; `None`: at once.
    #[serde(default)]
    pub next_attempt_at: Option<Timestamp>,
}

/// `Key::Webhook`. Guard: whatever queues a notice for it expects it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WebhookRecord {
    pub(crate) url: WebhookUrl,
    #[serde(default)]
    pub(crate) kinds: Vec<NoticeKind>,
    #[serde(default)]
    pub(crate) description: Description,
    pub(crate) secret: Sealed,
    pub(crate) enabled: bool,
    #[serde(default)]
    pub(crate) gone: bool,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl WebhookRecord {
    /// Whether it is to be told of `kind`.
    pub(crate) fn wants(&self, kind: NoticeKind) -> bool {
        self.enabled && (self.kinds.is_empty() || self.kinds.contains(&kind))
    }
}

/// `Key::WebhookState`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WebhookState {
    #[serde(flatten)]
    pub(crate) receiver: ReceiverState,
    /// Notices given up because more waited than are kept.
    #[serde(default)]
    pub(crate) dropped: u64,
    /// `Key::Delivered` rows there are.
    #[serde(default)]
    pub(crate) remembered: u64,
}

impl Auth {
    /// Makes a webhook of the caller's account, and answers it with its secret. The account itself only.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Limit`], [`Error::Forbidden`] for a user and for a narrowed credential.
    pub async fn create_webhook(
        &self,
        p: &Principal,
        new: NewWebhook,
        now: Timestamp,
    ) -> Result<(Webhook, Secret), Error> {
        let account = itself(p)?.account;
        self.settings().webhook_destinations.check(&new.url)?;
        let id = WebhookId::random();
        let random: [u8; SECRET_BYTES] = rand::random();
        let secret = Secret::new(format!("{SECRET_PREFIX}{}", STANDARD.encode(random)));
        let record = WebhookRecord {
            url: new.url,
            kinds: ordered(new.kinds),
            description: new.description,
            secret: self.seal_webhook_secret(&secret, id)?,
            enabled: true,
            gone: false,
            created_at: now,
            updated_at: now,
        };
        self.until_done(|| self.try_create_webhook(p, account, id, &record, now)).await?;
        let state = WebhookState::default();
        Ok((Webhook::new(id, record, state, 0), secret))
    }

    async fn try_create_webhook(
        &self,
        p: &Principal,
        account: AccountId,
        id: WebhookId,
        record: &WebhookRecord,
        now: Timestamp,
    ) -> Result<Option<()>, Error> {
        let mut tx = self.store().transaction();
        // Guards the bound below, and the account's deletion (see there).
        self.touch_account(&mut tx, account).await?.ok_or(Error::Unauthenticated)?;
        let key = Key::Webhook { account: account.raw(), webhook: id.raw() };
        let max = self.settings().webhooks_max;
        if self.count(key.siblings(self.region()), max).await? >= max {
            return Err(Error::Limit { what: "webhooks of an account", max: max as u64 });
        }
        tx.expect(key, None).put(key, record)?;
        webhook_event(&mut tx, account, EventKind::WebhookCreated, p.into(), (id, record), now)?;
        self.finish(tx, ()).await
    }

    /// The webhooks of the caller's account by id, those after `after`. The account itself only.
    ///
    /// # Errors
    /// [`Error::Forbidden`].
    pub async fn list_webhooks(
        &self,
        p: &Principal,
        after: Option<WebhookId>,
        limit: usize,
    ) -> Result<Vec<Webhook>, Error> {
        let account = itself(p)?.account;
        let mut shown = Vec::new();
        for (id, record) in self.webhooks_of(account).await? {
            if shown.len() < limit && after.is_none_or(|after| id > after) {
                shown.push(self.show_as_it_is(id, record.value).await?);
            }
        }
        Ok(shown)
    }

    /// A webhook of the caller's account. The account itself only.
    ///
    /// # Errors
    /// [`Error::NotFound`], for another account's too; [`Error::Forbidden`].
    pub async fn show_webhook(&self, p: &Principal, id: WebhookId) -> Result<Webhook, Error> {
        let (_, record) = self.own_webhook(p, id).await?;
        self.show_as_it_is(id, record.value).await
    }

    /// Changes a webhook of the caller's account. One that is enabled, or goes elsewhere, is tried at once. The account
    /// itself only.
    ///
    /// # Errors
    /// As [`Auth::show_webhook`]; [`Error::Invalid`].
    pub async fn update_webhook(
        &self,
        p: &Principal,
        id: WebhookId,
        change: WebhookChange,
        now: Timestamp,
    ) -> Result<Webhook, Error> {
        if let Some(url) = &change.url {
            self.settings().webhook_destinations.check(url)?;
        }
        let record = self.until_done(|| self.try_update_webhook(p, id, &change, now)).await?;
        self.show_as_it_is(id, record).await
    }

    async fn try_update_webhook(
        &self,
        p: &Principal,
        id: WebhookId,
        change: &WebhookChange,
        now: Timestamp,
    ) -> Result<Option<WebhookRecord>, Error> {
        let (account, found) = self.own_webhook(p, id).await?;
        let before = found.value;
        let enabled = change.enabled.unwrap_or(before.enabled);
        let record = WebhookRecord {
            url: change.url.clone().unwrap_or(before.url),
            kinds: change.kinds.clone().map_or(before.kinds, ordered),
            description: change.description.clone().unwrap_or(before.description),
            enabled,
            gone: before.gone && !enabled,
            updated_at: now,
            ..before
        };
        let mut tx = self.store().transaction();
        let key = Key::Webhook { account: account.raw(), webhook: id.raw() };
        tx.expect(key, Some(found.version)).put(key, &record)?;
        if change.url.is_some() || change.enabled == Some(true) {
            self.begin_again(&mut tx, id).await?;
        }
        webhook_event(&mut tx, account, EventKind::WebhookUpdated, p.into(), (id, &record), now)?;
        self.finish(tx, record).await
    }

    /// Removes a webhook of the caller's account, and whatever waits for it. The account itself only.
    ///
    /// # Errors
    /// As [`Auth::show_webhook`].
    pub async fn delete_webhook(&self, p: &Principal, id: WebhookId, now: Timestamp) -> Result<(), Error> {
        self.until_done(async || {
            let (account, found) = self.own_webhook(p, id).await?;
            let mut tx = self.store().transaction();
            self.remove_webhook(&mut tx, account, id, found.version).await?;
            let webhook = (id, &found.value);
            webhook_event(&mut tx, account, EventKind::WebhookDeleted, p.into(), webhook, now)?;
            self.finish(tx, ()).await
        })
        .await
    }

    /// Removes all webhooks of an account that goes, each in a commit of its own.
    pub(crate) async fn remove_webhooks(&self, account: AccountId) -> Result<(), Error> {
        for (id, _) in self.webhooks_of(account).await? {
            self.until_done(async || {
                let key = Key::Webhook { account: account.raw(), webhook: id.raw() };
                let Some(found) = self.store().get::<WebhookRecord>(key).await? else { return Ok(Some(())) };
                let mut tx = self.store().transaction();
                self.remove_webhook(&mut tx, account, id, found.version).await?;
                self.finish(tx, ()).await
            })
            .await?;
        }
        Ok(())
    }

    async fn remove_webhook(
        &self,
        tx: &mut Transaction,
        account: AccountId,
        id: WebhookId,
        version: kv::Version,
    ) -> Result<(), Error> {
        let webhook = id.raw();
        let key = Key::Webhook { account: account.raw(), webhook };
        // Whatever is queued moves the counter: it comes before the scan, or one of the two commits meets a conflict.
        let pending = Key::WebhookPending { webhook };
        let (counted, _) = self.store().counter(pending).await?;
        tx.expect(key, Some(version)).expect(pending, counted);
        tx.delete(key).delete(pending).delete(Key::WebhookState { webhook });
        for list in [
            Key::Delivery { webhook, delivery: kv::Id::MIN },
            Key::Delivered { webhook, delivery: kv::Id::MIN },
        ] {
            // Their number is bounded where they are queued and remembered.
            let range = list.siblings(self.region());
            for (row, _) in self.store().list(range, kv::SCAN_ENTRIES_MAX).await? {
                tx.delete_encoded(row);
            }
        }
        Ok(())
    }

    /// The caller's account, and the webhook `id` of it.
    pub(crate) async fn own_webhook(
        &self,
        p: &Principal,
        id: WebhookId,
    ) -> Result<(AccountId, Versioned<WebhookRecord>), Error> {
        let account = itself(p)?.account;
        let key = Key::Webhook { account: account.raw(), webhook: id.raw() };
        let found = self.store().get(key).await?;
        Ok((account, found.ok_or(Error::NotFound { what: Thing::Webhook })?))
    }

    /// All webhooks of an account; their number is bounded where they are made.
    pub(crate) async fn webhooks_of(
        &self,
        account: AccountId,
    ) -> Result<Vec<(WebhookId, Versioned<WebhookRecord>)>, Error> {
        let list = Key::Webhook { account: account.raw(), webhook: kv::Id::MIN };
        let rows = self.store().list(list.siblings(self.region()), kv::SCAN_ENTRIES_MAX).await?;
        let mut webhooks = Vec::with_capacity(rows.len());
        for (key, entry) in rows {
            let id = crate::lists::id(list, self.region(), &key)?;
            webhooks.push((id.into(), decode(list, &entry)?));
        }
        Ok(webhooks)
    }

    async fn show_as_it_is(&self, id: WebhookId, record: WebhookRecord) -> Result<Webhook, Error> {
        let state = self.store().get::<WebhookState>(Key::WebhookState { webhook: id.raw() }).await?;
        let (_, pending) = self.store().counter(Key::WebhookPending { webhook: id.raw() }).await?;
        let state = state.map(|state| state.value).unwrap_or_default();
        Ok(Webhook::new(id, record, state, u64::try_from(pending).unwrap_or(0)))
    }

    /// Lets what waits for a webhook be tried at once, whatever failed before.
    pub(crate) async fn try_at_once(&self, tx: &mut Transaction, id: WebhookId) -> Result<(), Error> {
        let key = Key::WebhookState { webhook: id.raw() };
        if let Some(mut state) = self.store().get::<WebhookState>(key).await? {
            state.value.receiver.next_attempt_at = None;
            tx.expect(key, Some(state.version)).put(key, &state.value)?;
        }
        Ok(())
    }

    fn seal_webhook_secret(&self, secret: &Secret, webhook: WebhookId) -> Result<Sealed, Error> {
        self.sealing_keys().seal(secret, &bound_to(webhook))
    }

    /// The secret that notices to a webhook are signed with.
    pub(crate) fn webhook_secret(&self, record: &WebhookRecord, webhook: WebhookId) -> Result<Secret, Error> {
        self.sealing_keys().unseal(&record.secret, &bound_to(webhook))
    }
}

/// What a webhook's secret is sealed for.
fn bound_to(webhook: WebhookId) -> Vec<u8> {
    format!("webhook {webhook}").into_bytes()
}

impl Webhook {
    fn new(id: WebhookId, record: WebhookRecord, state: WebhookState, pending: u64) -> Webhook {
        let WebhookRecord { url, kinds, description, enabled, gone, created_at, updated_at, .. } = record;
        let WebhookState { receiver, dropped, .. } = state;
        Webhook {
            id,
            url,
            kinds,
            description,
            enabled,
            gone,
            created_at,
            updated_at,
            pending,
            dropped,
            state: receiver,
        }
    }
}

/// The caller, if it is an account itself with a credential that is not narrowed.
fn itself(p: &Principal) -> Result<&Subject, Error> {
    let subject = p.whole_subject()?;
    if subject.user.is_some() { Err(Error::Forbidden) } else { Ok(subject) }
}

/// Each kind once, in their order.
fn ordered(mut kinds: Vec<NoticeKind>) -> Vec<NoticeKind> {
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

pub(crate) fn webhook_event(
    tx: &mut Transaction,
    account: AccountId,
    kind: EventKind,
    actor: Actor,
    (id, record): (WebhookId, &WebhookRecord),
    now: Timestamp,
) -> Result<(), Error> {
    // The host alone: what follows it may be a secret.
    let event = Event::new(account, kind, actor, format!("webhook {id}"), now).with_detail(record.url.host());
    Ok(event.record(tx)?)
}
