//! What an account sees of the deliveries to its webhooks, and what it may ask for: a test, and one of them again.

use jiff::Timestamp;
use kv::{Id, Key, decode};

use crate::deliveries::{DeliveredRecord, DeliveryRecord};
use crate::notices::NoticeRecord;
use crate::{Auth, DeliveryId, Error, Notice, NoticeKind, Principal, Thing, WebhookId};

/// A delivery, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// What it tells.
    pub notice: Notice,
    /// What became of it.
    pub status: DeliveryStatus,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// How it last failed.
    pub last_failure: Option<String>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// It waits.
    Pending,
    /// Its receiver took it.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// Its receiver took it for too long not.
    GivenUp {
        /// When.
        at: Timestamp,
    },
}

impl Auth {
    /// The deliveries to a webhook of the caller's account by id, those after `after`: all that wait, and the last ones
    /// that ended. The account itself only.
    ///
    /// # Errors
    /// [`Error::NotFound`], for another account's too; [`Error::Forbidden`].
    pub async fn list_deliveries(
        &self,
        p: &Principal,
        id: WebhookId,
        after: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<Delivery>, Error> {
        self.own_webhook(p, id).await?;
        let (webhook, delivery) = (id.raw(), after.map_or(Id::MIN, DeliveryId::raw));
        let mut found = Vec::new();
        let waiting = Key::Delivery { webhook, delivery };
        for (key, entry) in self.store().list(waiting.siblings_after(self.region()), limit).await? {
            let id = crate::lists::id(waiting, self.region(), &key)?;
            found.push(pending(id.into(), &decode::<DeliveryRecord>(waiting, &entry)?.value));
        }
        let ended = Key::Delivered { webhook, delivery };
        for (key, entry) in self.store().list(ended.siblings_after(self.region()), limit).await? {
            let id = crate::lists::id(ended, self.region(), &key)?;
            found.push(over(id.into(), &decode::<DeliveredRecord>(ended, &entry)?.value));
        }
        // One that ended between the two scans was met twice: how it ended is the later news.
        found.sort_by_key(|delivery| (delivery.id, delivery.status == DeliveryStatus::Pending));
        found.dedup_by_key(|delivery| delivery.id);
        found.truncate(limit);
        Ok(found)
    }

    /// Sends a webhook of the caller's account a notice that nothing happened, at once. The account itself only.
    ///
    /// # Errors
    /// As [`Auth::list_deliveries`]; [`Error::Limit`] when too many wait already.
    pub async fn test_webhook(
        &self,
        p: &Principal,
        id: WebhookId,
        now: Timestamp,
    ) -> Result<Delivery, Error> {
        let content = NoticeRecord { kind: NoticeKind::Test, at: now, share: None };
        let notice = Id::in_order(crate::events::time_ms(now)).into();
        self.until_done(async || {
            let (account, _) = self.own_webhook(p, id).await?;
            let delivery = DeliveryRecord {
                account,
                notice,
                content: content.clone(),
                owner: None,
                queued_at: now,
                attempts: 0,
                refusals: 0,
                next_attempt_at: None,
                last_failure: None,
            };
            self.try_queue_at_wish(p, id, &delivery, now).await
        })
        .await
    }

    /// Sends a delivery again, at once: one that ended as a new delivery of the same notice. The account itself only.
    ///
    /// # Errors
    /// As [`Auth::test_webhook`]; [`Error::NotFound`] for one that is not remembered.
    pub async fn deliver_again(
        &self,
        p: &Principal,
        id: WebhookId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<Delivery, Error> {
        self.until_done(|| self.try_deliver_again(p, id, delivery, now)).await
    }

    async fn try_deliver_again(
        &self,
        p: &Principal,
        id: WebhookId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<Option<Delivery>, Error> {
        self.own_webhook(p, id).await?;
        if let Some(mut row) = self.delivery(id, delivery).await? {
            row.value.next_attempt_at = None;
            let key = Key::Delivery { webhook: id.raw(), delivery: delivery.raw() };
            let mut tx = self.store().transaction();
            tx.expect(key, Some(row.version)).put(key, &row.value)?;
            self.try_at_once(&mut tx, id).await?;
            return self.finish(tx, pending(delivery, &row.value)).await;
        }
        let key = Key::Delivered { webhook: id.raw(), delivery: delivery.raw() };
        let ended = self.store().get::<DeliveredRecord>(key).await?;
        let ended = ended.ok_or(Error::NotFound { what: Thing::Delivery })?.value.delivery;
        let again = DeliveryRecord {
            queued_at: now,
            attempts: 0,
            refusals: 0,
            next_attempt_at: None,
            last_failure: None,
            ..ended
        };
        self.try_queue_at_wish(p, id, &again, now).await
    }

    /// Queues `delivery` for a webhook that is expected to stay as it is.
    async fn try_queue_at_wish(
        &self,
        p: &Principal,
        id: WebhookId,
        delivery: &DeliveryRecord,
        now: Timestamp,
    ) -> Result<Option<Delivery>, Error> {
        let (account, found) = self.own_webhook(p, id).await?;
        let mut tx = self.store().transaction();
        tx.expect(Key::Webhook { account: account.raw(), webhook: id.raw() }, Some(found.version));
        let made = self.queue_at_wish(&mut tx, id, delivery, now).await?;
        Ok(self.finish_queueing(tx).await?.map(|()| pending(made, delivery)))
    }
}

fn pending(id: DeliveryId, record: &DeliveryRecord) -> Delivery {
    Delivery {
        id,
        notice: record.notice(),
        status: DeliveryStatus::Pending,
        attempts: record.attempts,
        queued_at: record.queued_at,
        last_failure: record.last_failure.clone(),
    }
}

fn over(id: DeliveryId, record: &DeliveredRecord) -> Delivery {
    let at = record.ended_at;
    let status = if record.taken { DeliveryStatus::Delivered { at } } else { DeliveryStatus::GivenUp { at } };
    Delivery { status, ..pending(id, &record.delivery) }
}
