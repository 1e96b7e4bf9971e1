//! What is told of shares: by whom something was done, and by the clock; each once.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kv::Key;

use super::{START, TestAuth, account, at, cheap_settings, repository};
use crate::notices::{NoticeKind, NoticeRecord};
use crate::{
    AccountId, Description, Error, Event, EventKind, NewShare, Principal, Settings, ShareChange, ShareEnd,
    Visibility,
};

const WEB: &str = "team-a/web";
const DAY: i64 = 24 * 60 * 60;

fn until(end: i64, notice_before: Option<u64>) -> NewShare {
    NewShare {
        tags: crate::ShareTags::All,
        grantee: account("globex"),
        end: ShareEnd::Until(at(end)),
        description: Description::default(),
        notice_before: notice_before.map(Duration::from_secs),
        region: None,
    }
}

/// What is in the outbox, in its order; it is emptied.
async fn told(test: &TestAuth) -> Vec<NoticeKind> {
    let key = Key::Notice { notice: kv::Id::MIN };
    let mut tx = test.store().transaction();
    let mut kinds = Vec::new();
    for (row, entry) in test.store().list(key.siblings(test.region()), 1_000).await.unwrap() {
        kinds.push(kv::decode::<NoticeRecord>(key, &entry).unwrap().value.kind);
        tx.delete_encoded(row);
    }
    test.store().commit(tx).await.unwrap();
    kinds
}

/// What the clock has to tell at `now`, batch by batch.
async fn tick(test: &TestAuth, now: Timestamp) -> Vec<NoticeKind> {
    while test.tell_due_shares(now, 2).await.unwrap() == 2 {}
    told(test).await
}

async fn rows_due(test: &TestAuth) -> usize {
    let key = Key::ShareDue { time_ms: 0, share: kv::Id::MIN };
    test.store().list(key.siblings(test.region()), 1_000).await.unwrap().len()
}

async fn change(test: &TestAuth, p: &Principal, change: ShareChange, now: Timestamp) {
    test.update_share(p, &repository(WEB), &account("globex"), change, now).await.unwrap();
}

fn ends(end: i64) -> ShareChange {
    ShareChange { end: Some(ShareEnd::Until(at(end))), ..ShareChange::default() }
}

async fn trail(test: &TestAuth, account: AccountId) -> Vec<Event> {
    let key = Key::Event { account: account.raw(), time_ms: 0, event: kv::Id::MIN };
    let rows = test.store().list(key.siblings(test.region()), 1_000).await.unwrap();
    rows.iter().map(|(_, entry)| kv::decode(key, entry).unwrap().value).collect()
}

use NoticeKind::{ShareCreated, ShareEnded, ShareEnding, ShareRevoked, ShareUpdated};

#[tokio::test]
async fn a_share_tells_its_making_its_near_end_and_its_end_each_once() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let made = test.create_share(&acme, &repository(WEB), until(10 * DAY, None), START).await.unwrap();
    assert_eq!(made.notice_before_seconds, 3 * 24 * 60 * 60, "the setting's");
    assert_eq!(told(&test).await, [ShareCreated]);
    let (near, end) = (at(7 * DAY), at(10 * DAY));
    let moment = SignedDuration::from_nanos(1);
    assert_eq!(tick(&test, near - moment).await, []);
    assert_eq!(tick(&test, near).await, [ShareEnding]);
    assert_eq!(tick(&test, end - moment).await, []);
    assert_eq!(tick(&test, end).await, [ShareEnded]);
    assert_eq!(tick(&test, at(1_000 * DAY)).await, []);
    assert_eq!(rows_due(&test).await, 0);

    let trail = trail(&test, acme.account().unwrap()).await;
    let by_clock: Vec<_> = trail
        .iter()
        .filter(|event| event.actor.account.is_none())
        .map(|event| (event.kind, event.subject.as_str(), event.detail.clone(), event.at))
        .collect();
    let detail = format!("with globex until {end}");
    assert_eq!(
        by_clock,
        [(EventKind::ShareEnding, WEB, detail.clone(), near), (EventKind::ShareEnded, WEB, detail, end)]
    );
}

#[tokio::test]
async fn whoever_comes_late_tells_of_the_end_alone_and_of_the_time_that_it_was() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.create_share(&acme, &repository(WEB), until(10 * DAY, None), START).await.unwrap();
    told(&test).await;
    test.tell_due_shares(at(20 * DAY), 9).await.unwrap();
    let key = Key::Notice { notice: kv::Id::MIN };
    let rows = test.store().list(key.siblings(test.region()), 9).await.unwrap();
    let notices: Vec<_> =
        rows.iter().map(|(_, entry)| kv::decode::<NoticeRecord>(key, entry).unwrap().value).collect();
    assert_eq!(notices.len(), 1);
    assert_eq!((notices[0].kind, notices[0].at), (ShareEnded, at(10 * DAY)));
}

#[tokio::test]
async fn the_owner_sets_when_notice_is_given_or_that_none_is() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let name = repository(WEB);
    for (notice_before, given_at) in [(Some(60), Some(DAY - 60)), (Some(0), None), (Some(2 * 86_400), None)] {
        test.create_share(&acme, &name, until(DAY, notice_before), START).await.unwrap();
        assert_eq!(told(&test).await, [ShareCreated]);
        let expected = given_at.map(|_| ShareEnding);
        if let Some(given_at) = given_at {
            assert_eq!(tick(&test, at(given_at - 1)).await, []);
            assert_eq!(tick(&test, at(given_at)).await, [ShareEnding]);
        }
        let before = if given_at.is_none() { tick(&test, at(DAY - 1)).await } else { vec![ShareEnding] };
        assert_eq!(before.first().copied(), expected, "{notice_before:?}");
        test.revoke_share(&acme, &name, &account("globex"), START).await.unwrap();
        told(&test).await;
        assert_eq!(
            (tick(&test, at(DAY)).await, rows_due(&test).await),
            (vec![], 0),
            "a revoked one is silent"
        );
    }
    let too_long = until(DAY, Some(400 * 86_400));
    let refused = test.create_share(&acme, &name, too_long, START).await;
    assert!(matches!(refused, Err(Error::Invalid { field: "notice_before_seconds", .. })), "{refused:?}");
    assert_eq!(told(&test).await, []);
}

#[tokio::test]
async fn a_moved_deadline_moves_what_is_due() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.create_share(&acme, &repository(WEB), until(10 * DAY, None), START).await.unwrap();
    change(&test, &acme, ends(20 * DAY), at(1)).await;
    assert_eq!((told(&test).await, rows_due(&test).await), (vec![ShareCreated, ShareUpdated], 2));
    assert_eq!(tick(&test, at(16 * DAY)).await, []);
    assert_eq!(tick(&test, at(17 * DAY)).await, [ShareEnding]);
    // What was told is not told again because something else changes.
    let described = Some(Description::parse("a pilot").unwrap());
    change(&test, &acme, ShareChange { description: described, ..ShareChange::default() }, at(17 * DAY))
        .await;
    change(&test, &acme, ends(20 * DAY), at(17 * DAY)).await;
    assert_eq!(told(&test).await, [ShareUpdated], "and what changes nothing tells nothing");
    assert_eq!(tick(&test, at(18 * DAY)).await, []);
    // Another end is another story.
    change(&test, &acme, ends(30 * DAY), at(18 * DAY)).await;
    assert_eq!(tick(&test, at(20 * DAY)).await, [ShareUpdated]);
    assert_eq!(tick(&test, at(27 * DAY)).await, [ShareEnding]);
    change(
        &test,
        &acme,
        ShareChange { end: Some(ShareEnd::Permanent), ..ShareChange::default() },
        at(28 * DAY),
    )
    .await;
    assert_eq!((tick(&test, at(99 * DAY)).await, rows_due(&test).await), (vec![ShareUpdated], 0));
}

#[tokio::test]
async fn a_share_changed_to_be_near_its_end_tells_it_at_once() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.create_share(&acme, &repository(WEB), until(10 * DAY, None), START).await.unwrap();
    change(&test, &acme, ends(2 * DAY), at(60)).await;
    assert_eq!(tick(&test, at(60)).await, [ShareCreated, ShareUpdated, ShareEnding]);
    assert_eq!(tick(&test, at(DAY)).await, []);
    let sooner =
        ShareChange { notice_before: Some(Duration::from_secs(86_400 / 2)), ..ShareChange::default() };
    change(&test, &acme, sooner, at(DAY)).await;
    assert_eq!(tick(&test, at(DAY)).await, [ShareUpdated]);
    assert_eq!(tick(&test, at(DAY + DAY / 2)).await, [ShareEnding], "the notice that was asked for");
    assert_eq!(tick(&test, at(2 * DAY)).await, [ShareEnded]);
    change(&test, &acme, ends(4 * DAY), at(3 * DAY)).await;
    assert_eq!(tick(&test, at(4 * DAY)).await, [ShareUpdated, ShareEnded], "opened again, it ends again");
}

#[tokio::test]
async fn under_one_deadline_its_nearness_is_not_told_anew_for_an_instant_that_has_passed() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.create_share(&acme, &repository(WEB), until(10 * DAY, None), START).await.unwrap();
    assert_eq!(tick(&test, at(7 * DAY)).await, [ShareCreated, ShareEnding]);
    let notice = |days: u64| {
        let before = Duration::from_secs(days * 86_400);
        ShareChange { notice_before: Some(before), ..ShareChange::default() }
    };
    for days in [4, 5, 0, 9, 3] {
        change(&test, &acme, notice(days), at(8 * DAY)).await;
        assert_eq!(tick(&test, at(8 * DAY)).await, [ShareUpdated], "{days} days");
    }
    // What is due by then and was not told yet is told, whatever is asked for since.
    change(&test, &acme, notice(1), at(8 * DAY)).await;
    change(&test, &acme, notice(7), at(9 * DAY)).await;
    assert_eq!(tick(&test, at(9 * DAY)).await, [ShareUpdated, ShareUpdated, ShareEnding]);
    change(&test, &acme, ends(11 * DAY), at(9 * DAY)).await;
    assert_eq!(tick(&test, at(9 * DAY)).await, [ShareUpdated, ShareEnding], "another end is told");
    assert_eq!((tick(&test, at(11 * DAY)).await, rows_due(&test).await), (vec![ShareEnded], 0));
}

#[tokio::test]
async fn an_image_made_public_or_deleted_tells_that_once_and_is_silent_from_then_on() {
    for (deletes, ended) in [(true, false), (true, true), (false, false), (false, true)] {
        let (test, acme, _) = TestAuth::with_acme().await;
        let name = repository(WEB);
        test.create_share(&acme, &name, until(10 * DAY, None), START).await.unwrap();
        told(&test).await;
        let then = if ended { 10 * DAY } else { 1 };
        let id = test.show_repository(&acme, &name, START).await.unwrap().id;
        if deletes {
            test.delete_repository(&acme, &name, at(then)).await.unwrap();
            while !test.reap_repository(id, 9).await.unwrap() {}
            assert!(test.reap_repository(id, 9).await.unwrap());
        } else {
            test.set_visibility(&acme, &name, Visibility::Public, at(then)).await.unwrap();
            test.set_visibility(&acme, &name, Visibility::Private, at(then)).await.unwrap();
        }
        let expected = if ended { vec![] } else { vec![ShareRevoked] };
        assert_eq!(told(&test).await, expected, "{deletes} {ended}");
        let later = tick(&test, at(99 * DAY)).await;
        assert!(!later.contains(&ShareEnding) && !later.contains(&ShareEnded), "{deletes}: {later:?}");
        assert_eq!(rows_due(&test).await, 0);
    }
}

#[tokio::test]
async fn a_row_that_no_share_agrees_with_is_only_removed() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let made = test.create_share(&acme, &repository(WEB), until(10 * DAY, None), START).await.unwrap();
    told(&test).await;
    let mut tx = test.store().transaction();
    // As if a row of another deadline had been left behind, and one of a share that is gone.
    for (share, what) in [(made.id.raw(), "end"), (made.id.raw(), "notice"), (kv::Id::random(), "end")] {
        let time_ms = if what == "end" { 7 } else { 8 };
        let row = serde_json::json!({ "what": what, "deadline": at(5) });
        tx.put(Key::ShareDue { time_ms, share }, &row).unwrap();
    }
    test.store().commit(tx).await.unwrap();
    assert_eq!((tick(&test, at(6)).await, rows_due(&test).await), (vec![], 2));
}

#[tokio::test]
async fn many_at_once_tell_each_thing_once() {
    let settings = Settings { share_notice_before: Duration::from_secs(60), ..cheap_settings() };
    let test = TestAuth::with(settings).await;
    let acme = test.account("acme").await;
    test.account("globex").await;
    test.namespace(&acme, "team-a").await;
    for number in 0..5 {
        let name = format!("team-a/web-{number}");
        test.repository(&acme, &name).await;
        test.create_share(&acme, &repository(&name), until(120, None), START).await.unwrap();
    }
    told(&test).await;
    for (now, kind) in [(at(60), ShareEnding), (at(120), ShareEnded)] {
        let tellers: Vec<_> = (0..4)
            .map(|_| {
                let auth = test.auth.clone();
                tokio::spawn(async move { while auth.tell_due_shares(now, 3).await.unwrap() == 3 {} })
            })
            .collect();
        for teller in tellers {
            teller.await.unwrap();
        }
        assert_eq!(told(&test).await, [kind; 5]);
    }
}

#[tokio::test]
async fn what_is_refused_tells_nothing() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let name = repository(WEB);
    assert!(test.create_share(&globex, &name, until(DAY, None), START).await.is_err());
    assert!(test.create_share(&acme, &name, until(-DAY, None), START).await.is_err());
    test.create_share(&acme, &name, until(DAY, None), START).await.unwrap();
    assert!(test.create_share(&acme, &name, until(DAY, None), START).await.is_err());
    assert!(test.revoke_share(&globex, &name, &account("globex"), START).await.is_err());
    assert_eq!(told(&test).await, [ShareCreated]);
    test.revoke_share(&acme, &name, &account("globex"), START).await.unwrap();
    assert_eq!(told(&test).await, [ShareRevoked]);
}
