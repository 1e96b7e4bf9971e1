//! Webhooks: whose they are, what is queued for them, and what becomes of that.

use std::time::Duration;

use jiff::Timestamp;
use kv::Key;

use super::{START, TestAuth, account, at, cheap_settings, password_of, repository};
use crate::{
    Attempt, AttemptEnd, DeliveryStatus, Description, Error, NewWebhook, NoticeKind, Principal, Settings,
    ShareEnd, Thing, Webhook, WebhookChange, WebhookId, WebhookUrl,
};

const WEB: &str = "team-a/web";
const DAY: i64 = 24 * 60 * 60;

fn hook(url: &str, kinds: &[NoticeKind]) -> NewWebhook {
    NewWebhook {
        url: WebhookUrl::parse(url).unwrap(),
        kinds: kinds.to_vec(),
        description: Description::default(),
    }
}

async fn webhook(test: &TestAuth, p: &Principal, kinds: &[NoticeKind]) -> WebhookId {
    test.create_webhook(p, hook("https://example.com/hook", kinds), START).await.unwrap().0.id
}

/// Lets a receiver take (or not) all that may be sent at `now`, and says what that was.
async fn sends(
    test: &TestAuth,
    p: &Principal,
    webhook: WebhookId,
    end: &AttemptEnd,
    now: Timestamp,
) -> Vec<Attempt> {
    while test.queue_notices(now, 2).await.unwrap() == 2 {}
    let mut sent = Vec::new();
    while let Some(attempt) = test.next_attempt(webhook, p.account().unwrap(), now).await.unwrap() {
        test.end_attempt(&attempt, end, now).await.unwrap();
        sent.push(attempt);
    }
    sent
}

fn kinds(sent: &[Attempt]) -> Vec<NoticeKind> {
    sent.iter().map(|attempt| attempt.notice.kind).collect()
}

fn down() -> AttemptEnd {
    AttemptEnd::Unanswered { reason: "connection refused".to_owned() }
}

fn refused(answer: &str) -> AttemptEnd {
    AttemptEnd::Refused { answer: answer.to_owned(), retry_after: None }
}

async fn shown(test: &TestAuth, p: &Principal, id: WebhookId) -> Webhook {
    test.show_webhook(p, id).await.unwrap()
}

#[tokio::test]
async fn an_account_manages_its_own_and_nobody_elses() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let dev = test.user("dev@acme").await;
    let (_, narrow) = test.personal_token(&acme, 60, Some(&["repository:team-a/web:pull"])).await;
    let narrow = test.authenticate_personal_token(&narrow, None, START).await.unwrap();
    let (made, secret) =
        test.create_webhook(&acme, hook("https://example.com/a?b=c", &[]), START).await.unwrap();
    assert!(secret.reveal().starts_with("whsec_") && secret.reveal().len() > 40);
    let renamed = WebhookChange { enabled: Some(false), ..WebhookChange::default() };
    for (p, answer) in [
        (&Principal::anonymous(), "sign in first"),
        (&dev, "you may not do this"),
        (&narrow, "you may not do this"),
        (&globex, "there is no such webhook"),
        (&test.admin, "there is no such webhook"),
    ] {
        let errors = [
            test.show_webhook(p, made.id).await.unwrap_err(),
            test.update_webhook(p, made.id, renamed.clone(), START).await.unwrap_err(),
            test.delete_webhook(p, made.id, START).await.unwrap_err(),
            test.list_deliveries(p, made.id, None, 9).await.unwrap_err(),
            test.test_webhook(p, made.id, START).await.unwrap_err(),
        ];
        assert!(errors.iter().all(|error| error.to_string() == answer), "{}: {errors:?}", p.name());
        if matches!(answer, "there is no such webhook") {
            assert_eq!(test.list_webhooks(p, None, 9).await.unwrap(), []);
        } else {
            assert!(test.list_webhooks(p, None, 9).await.is_err());
            let new = hook("https://example.com/", &[]);
            assert!(test.create_webhook(p, new, START).await.is_err());
        }
    }
    assert_eq!(test.list_webhooks(&acme, None, 9).await.unwrap(), std::slice::from_ref(&made));
    assert_eq!(shown(&test, &acme, made.id).await, made);
    let changed = test.update_webhook(&acme, made.id, renamed, at(5)).await.unwrap();
    assert_eq!((changed.enabled, changed.updated_at), (false, at(5)));
    test.delete_webhook(&acme, made.id, START).await.unwrap();
    let gone = test.show_webhook(&acme, made.id).await;
    assert!(matches!(gone, Err(Error::NotFound { what: Thing::Webhook })), "{gone:?}");
}

#[tokio::test]
async fn the_secret_lies_sealed_in_the_store_and_in_no_event() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (made, secret) = test
        .create_webhook(&acme, hook("https://example.com/path-secret?key=query-secret", &[]), START)
        .await
        .unwrap();
    let secret = secret.reveal().strip_prefix("whsec_").unwrap();
    for account in [acme.account().unwrap()] {
        let key = Key::Webhook { account: account.raw(), webhook: made.id.raw() };
        let stored = test.store().get_bytes(key).await.unwrap().unwrap().value;
        assert!(!String::from_utf8(stored.to_vec()).unwrap().contains(secret));
        let trail = Key::Event { account: account.raw(), time_ms: 0, event: kv::Id::MIN };
        for (_, entry) in test.store().list(trail.siblings(test.region()), 100).await.unwrap() {
            let event = String::from_utf8(entry.value.to_vec()).unwrap();
            assert!(!event.contains(secret) && !event.contains("-secret"), "{event}");
        }
    }
}

#[tokio::test]
async fn the_owner_and_the_grantee_are_told_what_they_asked_for_and_nobody_else() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let initech = test.account("initech").await;
    let all = webhook(&test, &acme, &[]).await;
    let ends = webhook(&test, &globex, &[NoticeKind::ShareEnded, NoticeKind::ShareRevoked]).await;
    let other = webhook(&test, &initech, &[]).await;
    test.share(&acme, WEB, "globex", ShareEnd::Until(at(DAY))).await;
    test.revoke_share(&acme, &repository(WEB), &account("globex"), at(1)).await.unwrap();
    let to_owner = sends(&test, &acme, all, &AttemptEnd::Taken, at(2)).await;
    assert_eq!(kinds(&to_owner), [NoticeKind::ShareCreated, NoticeKind::ShareRevoked]);
    let to_grantee = sends(&test, &globex, ends, &AttemptEnd::Taken, at(2)).await;
    assert_eq!(kinds(&to_grantee), [NoticeKind::ShareRevoked]);
    assert_eq!(to_grantee[0].notice, to_owner[1].notice, "the same event, with the same id");
    let share = to_grantee[0].notice.share.as_ref().unwrap();
    assert_eq!(
        (share.repository.as_str(), share.owner.as_str(), share.grantee.as_str()),
        (WEB, "acme", "globex")
    );
    assert_eq!(kinds(&sends(&test, &initech, other, &AttemptEnd::Taken, at(2)).await), []);
    assert_eq!(test.queue_notices(at(3), 9).await.unwrap(), 0, "the outbox is empty");
    let shown = shown(&test, &acme, all).await;
    assert_eq!((shown.pending, shown.state.last_success_at), (0, Some(at(2))));
    let remembered = test.list_deliveries(&acme, all, None, 9).await.unwrap();
    assert_eq!(remembered.len(), 2);
    assert!(
        remembered.iter().all(|d| d.status == DeliveryStatus::Delivered { at: at(2) } && d.attempts == 1)
    );
}

#[tokio::test]
async fn what_a_closed_webhook_or_account_would_be_told_is_not_queued() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (off, on) = (webhook(&test, &acme, &[]).await, webhook(&test, &globex, &[]).await);
    let disabled = WebhookChange { enabled: Some(false), ..WebhookChange::default() };
    test.update_webhook(&acme, off, disabled, START).await.unwrap();
    test.set_account_disabled(&test.admin, &account("globex"), true, START).await.unwrap();
    test.repository(&acme, "team-a/other").await;
    test.account("initech").await;
    test.share(&acme, "team-a/other", "initech", ShareEnd::Permanent).await;
    assert_eq!(test.queue_notices(START, 9).await.unwrap(), 1);
    assert_eq!(test.queue_notices(START, 9).await.unwrap(), 0, "nor kept in the outbox");
    assert_eq!(test.webhooks_waiting(None, 9).await.unwrap(), []);
    let _ = on;
}

#[tokio::test]
async fn a_receiver_that_is_down_keeps_its_queue_in_order_and_is_tried_ever_less() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let id = webhook(&test, &acme, &[]).await;
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    test.revoke_share(&acme, &repository(WEB), &account("globex"), START).await.unwrap();
    let (mut now, mut waits) = (0, Vec::new());
    for failures in 1..=14 {
        assert_eq!(kinds(&sends(&test, &acme, id, &down(), at(now)).await), [NoticeKind::ShareCreated]);
        let shown = shown(&test, &acme, id).await;
        assert_eq!((shown.pending, shown.state.failures), (2, failures));
        assert_eq!(shown.state.last_failure.as_deref(), Some("connection refused"));
        let next = shown.state.next_attempt_at.unwrap();
        let wait = next.duration_since(at(now)).as_secs() + 1;
        assert_eq!(kinds(&sends(&test, &acme, id, &down(), at(now + 1)).await), [], "too early");
        waits.push(wait);
        now += wait;
    }
    for (wait, longest) in waits.iter().zip([5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600])
    {
        assert!((longest * 3 / 4..=longest + 1).contains(wait), "{waits:?}");
    }
    let taken = sends(&test, &acme, id, &AttemptEnd::Taken, at(now)).await;
    assert_eq!(kinds(&taken), [NoticeKind::ShareCreated, NoticeKind::ShareRevoked]);
    let shown = shown(&test, &acme, id).await;
    assert_eq!((shown.pending, shown.state.failures, shown.state.next_attempt_at), (0, 0, None));
}

#[tokio::test]
async fn a_notice_that_a_receiver_chokes_on_lets_the_others_pass() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let id = webhook(&test, &acme, &[]).await;
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    test.revoke_share(&acme, &repository(WEB), &account("globex"), START).await.unwrap();
    test.queue_notices(START, 9).await.unwrap();
    let (mut now, mut tried) = (0, Vec::new());
    while tried.len() < 5 {
        now += 1;
        let Some(attempt) = test.next_attempt(id, acme.account().unwrap(), at(now)).await.unwrap() else {
            continue;
        };
        let kind = attempt.notice.kind;
        let end = if kind == NoticeKind::ShareCreated {
            refused("500 Internal Server Error")
        } else {
            AttemptEnd::Taken
        };
        test.end_attempt(&attempt, &end, at(now)).await.unwrap();
        tried.push(kind);
    }
    use NoticeKind::{ShareCreated, ShareRevoked};
    assert_eq!(tried, [ShareCreated, ShareCreated, ShareCreated, ShareRevoked, ShareCreated]);
}

/// Enables the webhook, once more if it is, and sends what waits: what that is.
async fn enabled(test: &TestAuth, p: &Principal, id: WebhookId, now: Timestamp) -> Vec<NoticeKind> {
    let enabled = WebhookChange { enabled: Some(true), ..WebhookChange::default() };
    test.update_webhook(p, id, enabled, now).await.unwrap();
    kinds(&sends(test, p, id, &AttemptEnd::Taken, now).await)
}

#[tokio::test]
async fn what_failed_is_the_first_that_is_tried_when_its_webhook_is_enabled_or_tested() {
    use NoticeKind::{ShareCreated, ShareRevoked};
    for end in [down(), refused("500 Internal Server Error")] {
        let (test, acme, _) = TestAuth::with_acme().await;
        let id = webhook(&test, &acme, &[]).await;
        test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
        test.revoke_share(&acme, &repository(WEB), &account("globex"), START).await.unwrap();
        assert_eq!(kinds(&sends(&test, &acme, id, &end, START).await), [ShareCreated]);
        let tested = test.test_webhook(&acme, id, at(1)).await.unwrap();
        assert_eq!(kinds(&sends(&test, &acme, id, &end, at(1)).await), [ShareCreated], "{end:?}");
        assert_eq!(
            enabled(&test, &acme, id, at(2)).await,
            [ShareCreated, ShareRevoked, tested.notice.kind],
            "{end:?}"
        );
    }
}

#[tokio::test]
async fn what_let_others_pass_is_the_first_again_when_its_webhook_is_enabled() {
    use NoticeKind::{ShareCreated, ShareRevoked};
    let (test, acme, _) = TestAuth::with_acme().await;
    let id = webhook(&test, &acme, &[]).await;
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    test.revoke_share(&acme, &repository(WEB), &account("globex"), START).await.unwrap();
    let no = refused("500 Internal Server Error");
    for hour in 0..3 {
        assert_eq!(kinds(&sends(&test, &acme, id, &no, at(hour * 3_600)).await), [ShareCreated]);
    }
    assert_eq!(enabled(&test, &acme, id, at(2 * 3_600)).await, [ShareCreated, ShareRevoked]);
}

#[tokio::test]
async fn a_receiver_that_asks_to_be_left_alone_is() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let id = webhook(&test, &acme, &[]).await;
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    for (asked, given) in [(600, 600), (1_000_000, 3_600)] {
        let retry_after = Some(Duration::from_secs(asked));
        let end = AttemptEnd::Refused { answer: "429 Too Many Requests".to_owned(), retry_after };
        test.test_webhook(&acme, id, START).await.unwrap();
        assert_eq!(sends(&test, &acme, id, &end, START).await.len(), 1);
        assert_eq!(shown(&test, &acme, id).await.state.next_attempt_at, Some(at(given)));
    }
}

#[tokio::test]
async fn a_notice_waits_for_a_week_and_is_then_given_up() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let id = webhook(&test, &acme, &[]).await;
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    assert_eq!(sends(&test, &acme, id, &down(), START).await.len(), 1);
    assert_eq!(sends(&test, &acme, id, &down(), at(7 * DAY - 1)).await.len(), 1);
    assert_eq!(sends(&test, &acme, id, &AttemptEnd::Taken, at(8 * DAY)).await.len(), 0);
    let kept = test.list_deliveries(&acme, id, None, 9).await.unwrap();
    assert_eq!((kept.len(), kept[0].status), (1, DeliveryStatus::GivenUp { at: at(8 * DAY) }));
    assert_eq!((kept[0].attempts, kept[0].last_failure.as_deref()), (2, Some("connection refused")));
    assert_eq!(shown(&test, &acme, id).await.pending, 0);
}

#[tokio::test]
async fn a_receiver_that_is_gone_disables_its_webhook_until_it_is_enabled_again() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let id = webhook(&test, &acme, &[]).await;
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    assert_eq!(sends(&test, &acme, id, &AttemptEnd::Gone, START).await.len(), 1);
    let closed = shown(&test, &acme, id).await;
    assert!(!closed.enabled && closed.gone && closed.pending == 1);
    test.revoke_share(&acme, &repository(WEB), &account("globex"), at(1)).await.unwrap();
    assert_eq!(sends(&test, &acme, id, &AttemptEnd::Taken, at(9 * 3_600)).await.len(), 0);
    let enabled = WebhookChange { enabled: Some(true), ..WebhookChange::default() };
    let open = test.update_webhook(&acme, id, enabled, at(9 * 3_600)).await.unwrap();
    assert!(open.enabled && !open.gone);
    let sent = sends(&test, &acme, id, &AttemptEnd::Taken, at(9 * 3_600)).await;
    assert_eq!(
        kinds(&sent),
        [NoticeKind::ShareCreated],
        "what was queued before; nothing while it was disabled"
    );
}

#[tokio::test]
async fn a_test_is_sent_at_once_and_what_was_sent_is_sent_again_when_asked() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (id, other) = (webhook(&test, &acme, &[]).await, webhook(&test, &globex, &[]).await);
    let made = test.test_webhook(&acme, id, START).await.unwrap();
    assert_eq!((made.status, made.notice.kind), (DeliveryStatus::Pending, NoticeKind::Test));
    assert_eq!(sends(&test, &acme, id, &down(), START).await.len(), 1);
    assert_eq!(sends(&test, &acme, id, &down(), at(1)).await.len(), 0, "it waits");
    test.deliver_again(&acme, id, made.id, at(1)).await.unwrap();
    assert_eq!(
        sends(&test, &acme, id, &AttemptEnd::Taken, at(1)).await.len(),
        1,
        "what waits is tried at once"
    );
    let again = test.deliver_again(&acme, id, made.id, at(2)).await.unwrap();
    assert_ne!(again.id, made.id);
    let sent = sends(&test, &acme, id, &AttemptEnd::Taken, at(2)).await;
    assert_eq!((sent.len(), sent[0].notice.id), (1, made.notice.id), "the same event");
    for (p, webhook) in [(&globex, other), (&globex, id)] {
        let foreign = test.deliver_again(p, webhook, made.id, at(3)).await;
        assert!(matches!(foreign, Err(Error::NotFound { .. })), "{foreign:?}");
    }
}

#[tokio::test]
async fn beyond_the_bound_the_oldest_goes_and_is_counted() {
    let settings =
        Settings { webhook_notices_pending_max: 3, webhook_deliveries_remembered_max: 2, ..cheap_settings() };
    let test = TestAuth::with(settings).await;
    let acme = test.account("acme").await;
    test.account("globex").await;
    test.namespace(&acme, "team-a").await;
    let id = webhook(&test, &acme, &[]).await;
    for number in 0..5 {
        let name = format!("team-a/web-{number}");
        test.repository(&acme, &name).await;
        test.share(&acme, &name, "globex", ShareEnd::Permanent).await;
    }
    assert_eq!(test.queue_notices(START, 9).await.unwrap(), 5);
    let kept = shown(&test, &acme, id).await;
    assert_eq!((kept.pending, kept.dropped), (3, 2));
    let full = test.test_webhook(&acme, id, START).await;
    assert!(matches!(full, Err(Error::Limit { max: 3, .. })), "{full:?}");
    let sent = sends(&test, &acme, id, &AttemptEnd::Taken, START).await;
    let names: Vec<_> =
        sent.iter().map(|s| s.notice.share.as_ref().unwrap().repository.to_string()).collect();
    assert_eq!(names, ["team-a/web-2", "team-a/web-3", "team-a/web-4"]);
    let remembered = test.list_deliveries(&acme, id, None, 9).await.unwrap();
    assert_eq!(remembered.len(), 2, "the last ones");
    let page = test.list_deliveries(&acme, id, Some(remembered[0].id), 9).await.unwrap();
    assert_eq!(page, &remembered[1..]);
    assert_eq!(shown(&test, &acme, id).await.dropped, 2);
}

#[tokio::test]
async fn an_account_has_a_bounded_number_and_takes_them_with_it() {
    let settings = Settings { webhooks_max: 2, ..cheap_settings() };
    let test = TestAuth::with(settings).await;
    let (acme, globex) = (test.account("acme").await, test.account("globex").await);
    test.namespace(&acme, "team-a").await;
    test.repository(&acme, WEB).await;
    let ids = [webhook(&test, &globex, &[]).await, webhook(&test, &globex, &[]).await];
    let third = test.create_webhook(&globex, hook("https://example.com", &[]), START).await;
    assert!(matches!(third, Err(Error::Limit { max: 2, .. })), "{third:?}");
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    test.queue_notices(START, 9).await.unwrap();
    assert_eq!(test.webhooks_waiting(None, 9).await.unwrap().len(), 2);
    sends(&test, &globex, ids[0], &AttemptEnd::Taken, START).await;
    test.delete_account(&test.admin, &account("globex"), at(1)).await.unwrap();
    assert_eq!(test.webhooks_waiting(None, 9).await.unwrap(), []);
    test.queue_notices(at(1), 9).await.unwrap();
    for id in ids {
        let (webhook, delivery) = (id.raw(), kv::Id::MIN);
        for list in [Key::Delivery { webhook, delivery }, Key::Delivered { webhook, delivery }] {
            assert_eq!(test.store().list(list.siblings(test.region()), 9).await.unwrap(), []);
        }
        for key in [Key::WebhookState { webhook }, Key::WebhookPending { webhook }] {
            assert!(test.store().get_bytes(key).await.unwrap().is_none(), "{key:?}");
        }
    }
    let _ = password_of("globex");
}

#[tokio::test]
async fn a_webhook_of_an_internal_address_is_refused_when_made_and_when_changed() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let id = webhook(&test, &acme, &[]).await;
    for url in ["http://127.0.0.1/", "http://127.1/", "http://[::ffff:127.0.0.1]/", "http://2130706433/"] {
        let made = test.create_webhook(&acme, hook(url, &[]), START).await.map(|_| ());
        assert!(matches!(made, Err(Error::Invalid { field: "url", .. })), "{url}: {made:?}");
        let change = WebhookChange { url: Some(WebhookUrl::parse(url).unwrap()), ..WebhookChange::default() };
        let changed = test.update_webhook(&acme, id, change, START).await;
        assert!(matches!(changed, Err(Error::Invalid { field: "url", .. })), "{url}: {changed:?}");
    }
}

#[tokio::test]
async fn many_webhooks_wait_and_each_is_found() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let mut ids = Vec::new();
    for p in [&acme, &globex, &acme, &globex, &acme] {
        ids.push((webhook(&test, p, &[]).await, p.account().unwrap()));
    }
    ids.sort();
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    test.revoke_share(&acme, &repository(WEB), &account("globex"), START).await.unwrap();
    test.queue_notices(START, 9).await.unwrap();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = test.webhooks_waiting(after, 2).await.unwrap();
        found.extend(page.iter().copied());
        let Some((last, _)) = page.last() else { break };
        after = Some(*last);
    }
    assert_eq!(found, ids);
}
