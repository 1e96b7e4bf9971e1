//! Deliveries: notices on their way to webhooks. Who sends them is elsewhere; here is what is queued, what comes next,
//! and what becomes of it.
//!
//! A notice leaves the outbox in the commit that queues it for each webhook that wants it, so that none is lost and none
//! is queued twice. It stays queued until its receiver took it, or for a set time; a receiver that is down keeps its
//! queue, up to a bound, beyond which the oldest goes and is counted. A receiver may be sent a notice twice (it took it,
//! and we crashed before we wrote that down): its id tells.
//!
//! One notice after another goes to a webhook, oldest first. After a failure the webhook waits, longer with each one,
//! and then the same notice is tried again. It is the webhook that waits: should it be tried at once after all, the same
//! notice comes first. Only one that its receiver refused [`REFUSALS_IN_ORDER_MAX`] times waits for itself and lets the
//! others pass: one that a receiver chokes on does not keep all that come after it. A webhook that is enabled begins
//! with the oldest again, that one too.

use std::ops::Bound;
use std::time::Duration;

use jiff::Timestamp;
use kv::{Entry, Id, Key, Outcome, Transaction, Versioned, decode};
use serde::{Deserialize, Serialize};

use crate::events::time_ms;
use crate::notices::NoticeRecord;
use crate::records::AccountRecord;
use crate::webhooks::{WebhookRecord, WebhookState, webhook_event};
use crate::{
    AccountId, AccountName, Actor, Auth, DeliveryId, Error, EventKind, Notice, NoticeId, Secret, Share,
    WebhookId, WebhookUrl,
};

/// How often a receiver refuses a notice before the notices after it may pass it.
const REFUSALS_IN_ORDER_MAX: u32 = 3;

/// How many of a webhook's notices are looked at for one that may be sent. When all of them wait, so do the others.
const HEAD_ROWS_MAX: usize = 100;

/// `Key::Delivery`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeliveryRecord {
    pub(crate) account: AccountId,
    pub(crate) notice: NoticeId,
    pub(crate) content: NoticeRecord,
    /// The share's owner, by name.
    #[serde(default)]
    pub(crate) owner: Option<AccountName>,
    pub(crate) queued_at: Timestamp,
    #[serde(default)]
    pub(crate) attempts: u32,
    /// Attempts that the receiver answered with a refusal.
    #[serde(default)]
    pub(crate) refusals: u32,
    /// Before this instant the others pass it; `None`: none does.
    #[serde(default)]
    pub(crate) next_attempt_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) last_failure: Option<String>,
}

impl DeliveryRecord {
    pub(crate) fn notice(&self) -> Notice {
        let NoticeRecord { kind, at, share } = self.content.clone();
        let share = share
            .zip(self.owner.clone())
            .map(|(share, owner)| Share::new(share.id, share.record, share.repository, owner, share.grantee));
        Notice { id: self.notice, kind, at, share }
    }
}

/// `Key::Delivered`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeliveredRecord {
    #[serde(flatten)]
    pub(crate) delivery: DeliveryRecord,
    pub(crate) ended_at: Timestamp,
    /// Whether its receiver took it; otherwise it waited too long.
    pub(crate) taken: bool,
}

/// A notice that is to be sent now.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The webhook.
    pub webhook: WebhookId,
    /// The account that it belongs to.
    pub account: AccountId,
    /// The delivery.
    pub delivery: DeliveryId,
    /// Where to.
    pub url: WebhookUrl,
    /// What to sign with.
    pub secret: Secret,
    /// What to tell.
    pub notice: Notice,
}

/// What became of an [`Attempt`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttemptEnd {
    /// The receiver took it.
    Taken,
    /// The receiver is gone for good, and says so: the webhook is disabled.
    Gone,
    /// The receiver answered, but did not take it.
    Refused {
        /// Its answer, in a few words.
        answer: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// There was no answer.
    Unanswered {
        /// Why, in a few words.
        reason: String,
    },
}

/// What became of a notice in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Queued {
    /// Whoever wants it has it in a queue, and it is out of the outbox.
    Already,
    /// Nobody wants it: it is to go.
    ForNobody,
}

impl Auth {
    /// Queues at most `limit` notices of the outbox for the webhooks that want them, oldest first, and says how many:
    /// call again while it is `limit`.
    ///
    /// # Errors
    /// As the store.
    pub async fn queue_notices(&self, now: Timestamp, limit: usize) -> Result<usize, Error> {
        let list = Key::Notice { notice: Id::MIN };
        let rows = self.store().list(list.siblings(self.region()), limit).await?;
        let count = rows.len();
        let (mut unwanted, mut failed) = (self.store().transaction(), None);
        for (key, entry) in rows {
            let id = NoticeId::from(crate::lists::id(list, self.region(), &key)?);
            match self.until_done(|| self.try_queue_notice(id, &entry, now)).await {
                Ok(Queued::Already) => {}
                Ok(Queued::ForNobody) => {
                    let key = Key::Notice { notice: id.raw() };
                    unwanted.expect(key, Some(entry.version)).delete(key);
                }
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        if !unwanted.is_empty() {
            // A conflict: another node has taken some of them. What is left comes up again.
            self.store().commit(unwanted).await?;
        }
        failed.map_or(Ok(count), Err)
    }

    async fn try_queue_notice(
        &self,
        id: NoticeId,
        entry: &Entry,
        now: Timestamp,
    ) -> Result<Option<Queued>, Error> {
        let key = Key::Notice { notice: id.raw() };
        match self.store().get_bytes(key).await? {
            Some(found) if found.version == entry.version => {}
            _ => return Ok(Some(Queued::Already)),
        }
        let content = decode::<NoticeRecord>(key, entry)?.value;
        let mut tx = self.store().transaction();
        if let Some(share) = &content.share {
            let owner = self.account_name(share.record.owner).await?;
            for account in [share.record.owner, share.record.grantee] {
                let delivery = DeliveryRecord {
                    account,
                    notice: id,
                    content: content.clone(),
                    owner: owner.clone(),
                    queued_at: now,
                    attempts: 0,
                    refusals: 0,
                    next_attempt_at: None,
                    last_failure: None,
                };
                self.queue_for(&mut tx, &delivery, now).await?;
            }
        }
        if tx.is_empty() {
            return Ok(Some(Queued::ForNobody));
        }
        tx.expect(key, Some(entry.version)).delete(key);
        Ok(self.finish_queueing(tx).await?.map(|()| Queued::Already))
    }

    /// Queues a notice for the webhooks of its account that want it; one that is closed is told nothing.
    async fn queue_for(
        &self,
        tx: &mut Transaction,
        delivery: &DeliveryRecord,
        now: Timestamp,
    ) -> Result<(), Error> {
        if !self.is_open_account(delivery.account).await? {
            return Ok(());
        }
        for (id, webhook) in self.webhooks_of(delivery.account).await? {
            if webhook.value.wants(delivery.content.kind) {
                let key = Key::Webhook { account: delivery.account.raw(), webhook: id.raw() };
                tx.expect(key, Some(webhook.version));
                self.queue(tx, id, delivery, now).await?;
            }
        }
        Ok(())
    }

    /// Queues a delivery for one webhook, in the place of the oldest if there are too many.
    async fn queue(
        &self,
        tx: &mut Transaction,
        id: WebhookId,
        delivery: &DeliveryRecord,
        now: Timestamp,
    ) -> Result<(), Error> {
        let webhook = id.raw();
        let max = self.pending_max();
        let (_, pending) = self.store().counter(Key::WebhookPending { webhook }).await?;
        if pending < max {
            tx.add(Key::WebhookPending { webhook }, 1, 0..=max);
        } else {
            let list = Key::Delivery { webhook, delivery: Id::MIN };
            let oldest = self.store().list(list.siblings(self.region()), 1).await?.pop();
            let (oldest, _) = oldest.ok_or_else(|| corrupt("a count of nothing"))?;
            let oldest = crate::lists::id(list, self.region(), &oldest)?;
            let key = Key::Delivery { webhook, delivery: oldest };
            let row = self.store().get_bytes(key).await?.map(|entry| entry.version);
            tx.expect(key, row).delete(key);
            let (key, mut state) = self.receiver(tx, id).await?;
            state.dropped += 1;
            tx.put(key, &state)?;
        }
        let key = Key::Delivery { webhook, delivery: Id::in_order(time_ms(now)) };
        tx.expect(key, None).put(key, delivery)?;
        Ok(())
    }

    /// Commits what queues something; a counter that moved out of its bounds meanwhile is a conflict.
    pub(crate) async fn finish_queueing(&self, tx: Transaction) -> Result<Option<()>, Error> {
        match self.store().commit(tx).await? {
            Outcome::Committed => Ok(Some(())),
            Outcome::Conflict | Outcome::OutOfBounds { .. } => Ok(None),
        }
    }

    /// Queues a notice for one webhook at its account's wish, to be tried at once.
    ///
    /// # Errors
    /// [`Error::Limit`] when too many wait already.
    pub(crate) async fn queue_at_wish(
        &self,
        tx: &mut Transaction,
        id: WebhookId,
        delivery: &DeliveryRecord,
        now: Timestamp,
    ) -> Result<DeliveryId, Error> {
        let pending = Key::WebhookPending { webhook: id.raw() };
        let max = self.pending_max();
        if self.store().counter(pending).await?.1 >= max {
            return Err(Error::Limit {
                what: "notices that wait for a webhook",
                max: u64::try_from(max).unwrap_or(0),
            });
        }
        let made = Id::in_order(time_ms(now));
        let key = Key::Delivery { webhook: id.raw(), delivery: made };
        tx.expect(key, None).put(key, delivery)?.add(pending, 1, 0..=max);
        self.try_at_once(tx, id).await?;
        Ok(made.into())
    }

    /// The webhooks for which something is queued, by id, those after `after`, with their accounts.
    ///
    /// # Errors
    /// As the store.
    pub async fn webhooks_waiting(
        &self,
        after: Option<WebhookId>,
        limit: usize,
    ) -> Result<Vec<(WebhookId, AccountId)>, Error> {
        let region = self.region();
        let list = |webhook| Key::Delivery { webhook, delivery: Id::MIN }.siblings(region);
        let beyond = |webhook| match list(webhook).1 {
            Bound::Excluded(end) => Bound::Included(end),
            other => other,
        };
        let mut start = after.map_or(list(Id::MIN).0, |after| beyond(after.raw()));
        let (_, end) = list(crate::events::last_id());
        let mut waiting = Vec::new();
        while waiting.len() < limit {
            let Some((key, entry)) = self.store().list((start, end.clone()), 1).await?.pop() else { break };
            let webhook = webhook_of(&key)?;
            waiting.push((webhook.into(), decode::<DeliveryRecord>(PROBE, &entry)?.value.account));
            start = beyond(webhook);
        }
        Ok(waiting)
    }

    /// What is to be sent to a webhook of `account` at `now`; `None`: nothing, or not yet.
    ///
    /// # Errors
    /// As the store; [`Error::Crypto`] when the secret cannot be read.
    pub async fn next_attempt(
        &self,
        webhook: WebhookId,
        account: AccountId,
        now: Timestamp,
    ) -> Result<Option<Attempt>, Error> {
        let state = self.store().get::<WebhookState>(Key::WebhookState { webhook: webhook.raw() }).await?;
        if state.is_some_and(|state| state.value.receiver.next_attempt_at.is_some_and(|next| now < next)) {
            return Ok(None);
        }
        let key = Key::Webhook { account: account.raw(), webhook: webhook.raw() };
        let found = self.store().get::<WebhookRecord>(key).await?.map(|found| found.value);
        let open = found.as_ref().is_some_and(|found| found.enabled) && self.is_open_account(account).await?;
        let list = Key::Delivery { webhook: webhook.raw(), delivery: Id::MIN };
        // Of one that is closed only what has waited too long is looked at: the oldest.
        let rows = if open { HEAD_ROWS_MAX } else { 1 };
        for (key, entry) in self.store().list(list.siblings(self.region()), rows).await? {
            let delivery = DeliveryId::from(crate::lists::id(list, self.region(), &key)?);
            let record = decode::<DeliveryRecord>(list, &entry)?.value;
            if self.has_waited_too_long(&record, now) {
                self.until_done(|| self.try_give_up(webhook, delivery, now)).await?;
            } else if let Some(found) = found.as_ref().filter(|_| open)
                && record.next_attempt_at.is_none_or(|next| next <= now)
            {
                let (url, secret) = (found.url.clone(), self.webhook_secret(found, webhook)?);
                let notice = record.notice();
                return Ok(Some(Attempt { webhook, account, delivery, url, secret, notice }));
            }
        }
        Ok(None)
    }

    fn has_waited_too_long(&self, record: &DeliveryRecord, now: Timestamp) -> bool {
        let kept = self.settings().webhook_notices_kept;
        record.queued_at.checked_add(kept).is_ok_and(|end| end <= now)
    }

    async fn try_give_up(
        &self,
        webhook: WebhookId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<Option<()>, Error> {
        let Some(row) = self.delivery(webhook, delivery).await? else { return Ok(Some(())) };
        let mut tx = self.store().transaction();
        let (key, mut state) = self.receiver(&mut tx, webhook).await?;
        self.end(&mut tx, (webhook, delivery), row, &mut state, false, now).await?;
        tx.put(key, &state)?;
        self.finish_queueing(tx).await
    }

    /// Writes down what became of an attempt. One whose delivery is gone meanwhile leaves nothing to write.
    ///
    /// # Errors
    /// As the store.
    pub async fn end_attempt(
        &self,
        attempt: &Attempt,
        end: &AttemptEnd,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.until_done(|| self.try_end_attempt(attempt, end, now)).await
    }

    async fn try_end_attempt(
        &self,
        attempt: &Attempt,
        end: &AttemptEnd,
        now: Timestamp,
    ) -> Result<Option<()>, Error> {
        let (webhook, id) = (attempt.webhook, attempt.delivery);
        let Some(mut row) = self.delivery(webhook, id).await? else { return Ok(Some(())) };
        let mut tx = self.store().transaction();
        let (key, mut state) = self.receiver(&mut tx, webhook).await?;
        row.value.attempts = row.value.attempts.saturating_add(1);
        match end {
            AttemptEnd::Taken => {
                let receiver = &mut state.receiver;
                (receiver.failures, receiver.last_success_at, receiver.next_attempt_at) =
                    (0, Some(now), None);
                self.end(&mut tx, (webhook, id), row, &mut state, true, now).await?;
            }
            AttemptEnd::Gone => {
                self.fail(&mut tx, (webhook, id), row, &mut state, ("410 Gone", true, None), now)?;
                self.close_webhook(&mut tx, attempt, now).await?;
            }
            AttemptEnd::Refused { answer, retry_after } => {
                self.fail(&mut tx, (webhook, id), row, &mut state, (answer, true, *retry_after), now)?;
            }
            AttemptEnd::Unanswered { reason } => {
                self.fail(&mut tx, (webhook, id), row, &mut state, (reason, false, None), now)?;
            }
        }
        tx.put(key, &state)?;
        self.finish_queueing(tx).await
    }

    /// Moves a delivery from the queue to what is remembered.
    async fn end(
        &self,
        tx: &mut Transaction,
        (webhook, id): (WebhookId, DeliveryId),
        row: Versioned<DeliveryRecord>,
        state: &mut WebhookState,
        taken: bool,
        now: Timestamp,
    ) -> Result<(), Error> {
        let webhook = webhook.raw();
        let key = Key::Delivery { webhook, delivery: id.raw() };
        tx.expect(key, Some(row.version)).delete(key);
        tx.add(Key::WebhookPending { webhook }, -1, 0..=self.pending_max());
        let ended = DeliveredRecord { delivery: row.value, ended_at: now, taken };
        tx.put(Key::Delivered { webhook, delivery: id.raw() }, &ended)?;
        state.remembered += 1;
        // One at a time leaves as many as there may be: their number is counted in the state, which is expected.
        if state.remembered > self.settings().webhook_deliveries_remembered_max {
            let list = Key::Delivered { webhook, delivery: Id::MIN };
            if let Some((oldest, _)) = self.store().list(list.siblings(self.region()), 1).await?.pop() {
                tx.delete_encoded(oldest);
                state.remembered -= 1;
            }
        }
        Ok(())
    }

    /// Notes a failure: when the notice and its webhook are tried again.
    fn fail(
        &self,
        tx: &mut Transaction,
        (webhook, id): (WebhookId, DeliveryId),
        row: Versioned<DeliveryRecord>,
        state: &mut WebhookState,
        (reason, answered, retry_after): (&str, bool, Option<Duration>),
        now: Timestamp,
    ) -> Result<(), Error> {
        let receiver = &mut state.receiver;
        receiver.failures = receiver.failures.saturating_add(1);
        receiver.last_failure_at = Some(now);
        receiver.last_failure = Some(reason.to_owned());
        let asked = retry_after.unwrap_or_default().min(self.settings().webhook_retry_max);
        let wait = self.wait_after(receiver.failures).max(asked);
        receiver.next_attempt_at = now.checked_add(wait).ok();

        let Versioned { version, value: mut record } = row;
        record.last_failure = Some(reason.to_owned());
        record.refusals = record.refusals.saturating_add(u32::from(answered));
        record.next_attempt_at = match record.refusals.checked_sub(REFUSALS_IN_ORDER_MAX) {
            Some(beyond) if answered => {
                let extra = self.wait_after(beyond.saturating_add(REFUSALS_IN_ORDER_MAX));
                now.checked_add(wait + extra).ok()
            }
            _ => None,
        };
        let key = Key::Delivery { webhook: webhook.raw(), delivery: id.raw() };
        tx.expect(key, Some(version)).put(key, &record)?;
        Ok(())
    }

    /// Lets the notices at the head of a webhook's queue be tried at once, oldest first, those too that let others pass.
    pub(crate) async fn begin_again(&self, tx: &mut Transaction, webhook: WebhookId) -> Result<(), Error> {
        self.try_at_once(tx, webhook).await?;
        let list = Key::Delivery { webhook: webhook.raw(), delivery: Id::MIN };
        for (encoded, entry) in self.store().list(list.siblings(self.region()), HEAD_ROWS_MAX).await? {
            let Versioned { version, value: record } = decode::<DeliveryRecord>(list, &entry)?;
            if record.next_attempt_at.is_some() {
                let delivery = crate::lists::id(list, self.region(), &encoded)?;
                let key = Key::Delivery { webhook: webhook.raw(), delivery };
                let record = DeliveryRecord { next_attempt_at: None, ..record };
                tx.expect(key, Some(version)).put(key, &record)?;
            }
        }
        Ok(())
    }

    /// How long to wait after so many failures: twice as long after each, up to a bound, and somewhat less at random,
    /// so that what failed at the same time is not tried at the same time.
    fn wait_after(&self, failures: u32) -> Duration {
        let settings = self.settings();
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        let wait = settings.webhook_retry_min.saturating_mul(doubled).min(settings.webhook_retry_max);
        wait.mul_f64(rand::random_range(0.75..=1.0))
    }

    /// Disables the webhook of an attempt whose receiver is gone.
    async fn close_webhook(
        &self,
        tx: &mut Transaction,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Result<(), Error> {
        let key = Key::Webhook { account: attempt.account.raw(), webhook: attempt.webhook.raw() };
        let Some(found) = self.store().get::<WebhookRecord>(key).await? else { return Ok(()) };
        // One that goes elsewhere by now is not the one that is gone.
        if found.value.url != attempt.url || !found.value.enabled {
            return Ok(());
        }
        let record = WebhookRecord { enabled: false, gone: true, updated_at: now, ..found.value };
        tx.expect(key, Some(found.version)).put(key, &record)?;
        let webhook = (attempt.webhook, &record);
        webhook_event(tx, attempt.account, EventKind::WebhookDisabled, Actor::server(), webhook, now)
    }

    pub(crate) async fn delivery(
        &self,
        webhook: WebhookId,
        delivery: DeliveryId,
    ) -> Result<Option<Versioned<DeliveryRecord>>, Error> {
        Ok(self.store().get(Key::Delivery { webhook: webhook.raw(), delivery: delivery.raw() }).await?)
    }

    /// A webhook's state, which `tx` expects, and is to write.
    async fn receiver(
        &self,
        tx: &mut Transaction,
        webhook: WebhookId,
    ) -> Result<(Key<'static>, WebhookState), Error> {
        let key = Key::WebhookState { webhook: webhook.raw() };
        let state = self.store().get::<WebhookState>(key).await?;
        tx.expect(key, state.as_ref().map(|state| state.version));
        Ok((key, state.map(|state| state.value).unwrap_or_default()))
    }

    async fn is_open_account(&self, account: AccountId) -> Result<bool, Error> {
        let record = self.store().get::<AccountRecord>(Key::Account { account: account.raw() }).await?;
        Ok(record.is_some_and(|record| !record.value.is_closed()))
    }

    fn pending_max(&self) -> i64 {
        i64::from(self.settings().webhook_notices_pending_max)
    }
}

/// Any delivery's key, for the text of an error.
const PROBE: Key<'static> = Key::Delivery { webhook: Id::MIN, delivery: Id::MIN };

/// The webhook in the key of one of its deliveries.
fn webhook_of(key: &[u8]) -> Result<Id, kv::Error> {
    // The last sixteen bytes are the two ids.
    let fields = key.last_chunk::<16>().ok_or_else(|| corrupt("a key"))?;
    Id::from_tail(&fields[..8]).ok_or_else(|| corrupt("a webhook"))
}

fn corrupt(what: &str) -> kv::Error {
    kv::Error::Corrupt { what: format!("{what} in the queue of notices") }
}
