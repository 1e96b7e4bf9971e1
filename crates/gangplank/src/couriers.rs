//! Notices in the background: those that are due by the clock are written down, all are queued for the webhooks that
//! want them, and what is queued is sent.
//!
//! Sending is apart from the rest, so that no receiver delays what is written down: a round sends one webhook's notices,
//! one after the other, until one fails. Rounds run side by side, bounded in all and for each account, so that receivers
//! that do not answer hold neither each other up nor those of other accounts. A stop breaks rounds off; what was sent and
//! not written down is sent again.

use std::collections::HashMap;
use std::sync::Arc;

use ::auth::{AccountId, Attempt, AttemptEnd, Auth, WebhookId};
use frontend::{Clock, ExternalUrl, cloud_event};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::config;
use crate::sender::Sender;
use crate::upkeep::stop_asked;

/// How many notices, or due shares, are handled before the others have their turn.
const BATCH_ENTRIES_MAX: usize = 500;
/// How many webhooks are looked at at once.
const PAGE_WEBHOOKS: usize = 100;
/// How many notices a round sends, so that none keeps a place for good.
const ROUND_NOTICES_MAX: usize = 100;

/// What the background works with.
#[derive(Clone)]
pub(crate) struct Couriers {
    pub(crate) auth: Auth,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sender: Sender,
    pub(crate) settings: config::Webhooks,
    /// Where clients reach the registry: whose events they are.
    pub(crate) external_url: Option<ExternalUrl>,
}

/// The rounds that run.
#[derive(Default)]
struct Rounds {
    tasks: JoinSet<WebhookId>,
    busy: HashMap<WebhookId, AccountId>,
    /// Where to go on when there was no room for more.
    after: Option<WebhookId>,
}

/// Works until a stop is asked for.
pub(crate) async fn run(couriers: Couriers, stopped: watch::Receiver<bool>) {
    let mut rounds = Rounds::default();
    loop {
        if let Err(error) = couriers.write_down().await {
            tracing::warn!(%error, "notices were not written down; it is tried again");
        }
        rounds.tidy();
        if let Err(error) = couriers.start_rounds(&mut rounds).await {
            tracing::warn!(%error, "notices were not looked for; it is tried again");
        }
        tokio::select! {
            () = stop_asked(stopped.clone()) => break,
            () = tokio::time::sleep(couriers.settings.interval) => {}
        }
    }
    rounds.tasks.shutdown().await;
}

impl Rounds {
    /// Gives the places of those that ended to others.
    fn tidy(&mut self) {
        while let Some(ended) = self.tasks.try_join_next() {
            match ended {
                Ok(webhook) => drop(self.busy.remove(&webhook)),
                Err(error) => tracing::error!(%error, "a round of notices broke off"),
            }
        }
        if self.tasks.is_empty() {
            // Those that broke off are not busy either.
            self.busy.clear();
        }
    }
}

impl Couriers {
    /// Writes down what is due, and queues what happened.
    async fn write_down(&self) -> Result<(), ::auth::Error> {
        let now = self.clock.now();
        self.auth.tell_due_shares(now, BATCH_ENTRIES_MAX).await?;
        self.auth.queue_notices(now, BATCH_ENTRIES_MAX).await?;
        Ok(())
    }

    /// Starts a round for each webhook that something may be sent to, as long as there is room.
    async fn start_rounds(&self, rounds: &mut Rounds) -> Result<(), ::auth::Error> {
        let mut after = rounds.after.take();
        loop {
            let waiting = self.auth.webhooks_waiting(after, PAGE_WEBHOOKS).await?;
            for (webhook, account) in &waiting {
                if rounds.busy.len() >= self.settings.deliveries_max {
                    rounds.after = after;
                    return Ok(());
                }
                after = Some(*webhook);
                if self.has_room(rounds, *webhook, *account)
                    && let Some(attempt) = self.next(*webhook, *account).await
                {
                    rounds.busy.insert(*webhook, *account);
                    rounds.tasks.spawn(self.clone().round(attempt));
                }
            }
            if waiting.len() < PAGE_WEBHOOKS {
                return Ok(());
            }
        }
    }

    fn has_room(&self, rounds: &Rounds, webhook: WebhookId, account: AccountId) -> bool {
        let of_account = rounds.busy.values().filter(|busy| **busy == account).count();
        !rounds.busy.contains_key(&webhook) && of_account < self.settings.deliveries_per_account_max
    }

    /// What is to be sent to a webhook. One whose notices cannot be read must not keep the others waiting.
    async fn next(&self, webhook: WebhookId, account: AccountId) -> Option<Attempt> {
        match self.auth.next_attempt(webhook, account, self.clock.now()).await {
            Ok(attempt) => attempt,
            Err(error) => {
                tracing::warn!(%webhook, %error, "a webhook's notices cannot be read; it is tried again");
                None
            }
        }
    }

    /// Sends a webhook's notices until one fails.
    async fn round(self, first: Attempt) -> WebhookId {
        let (webhook, account) = (first.webhook, first.account);
        let mut attempt = first;
        for _ in 0..ROUND_NOTICES_MAX {
            let end = self.attempt(&attempt).await;
            if let Err(error) = self.auth.end_attempt(&attempt, &end, self.clock.now()).await {
                tracing::warn!(%webhook, %error, "what became of a notice was not written down; it is sent again");
                break;
            }
            if end != AttemptEnd::Taken {
                break;
            }
            let Some(next) = self.next(webhook, account).await else { break };
            attempt = next;
        }
        webhook
    }

    async fn attempt(&self, attempt: &Attempt) -> AttemptEnd {
        let event = cloud_event(attempt.notice.clone(), self.auth.region(), self.external_url.as_ref());
        let end = self.sender.send(attempt, &event, self.clock.now()).await;
        let (webhook, delivery, host) = (attempt.webhook, attempt.delivery, attempt.url.host());
        tracing::debug!(%webhook, %delivery, host, ?end, "sent a notice");
        end
    }
}
