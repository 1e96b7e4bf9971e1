//! The audit trail: each change leaves one event in its account's, and old ones are removed in batches.

use std::ops::Bound;

use jiff::{SignedDuration, Timestamp};
use kv::Key;

use super::{START, TestAuth, account, at, password_of, repository};
use crate::{
    Actor, Event, EventFilter, EventKind, EventOrder, EventPlace, EventResult, Level, NewRepository,
    PermissionTarget, Principal, ShareEnd, UserName, Visibility,
};

pub(super) async fn trail(test: &TestAuth, p: &Principal) -> Vec<Event> {
    let key = Key::Event { account: p.account().unwrap().raw(), time_ms: 0, event: kv::Id::MIN };
    let (mut start, end) = key.siblings(test.region());
    let mut events = Vec::new();
    loop {
        let rows = test.store().list((start, end.clone()), kv::SCAN_ENTRIES_MAX).await.unwrap();
        events.extend(rows.iter().map(|(_, entry)| kv::decode::<Event>(key, entry).unwrap().value));
        let Some((last, _)) = rows.last() else { return events };
        start = Bound::Excluded(last.clone());
    }
}

pub(super) async fn of_kind(test: &TestAuth, p: &Principal, kind: EventKind) -> Vec<Event> {
    trail(test, p).await.into_iter().filter(|event| event.kind == kind).collect()
}

#[tokio::test]
async fn each_change_is_in_its_owners_trail() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let manager = test.user("manager@acme").await;
    test.permit(&acme, "team-a/web", "manager", Level::Manage).await;
    test.share(&manager, "team-a/web", "globex", ShareEnd::Until(at(60))).await;
    let name = repository("team-a/web");
    test.revoke_share(&manager, &name, &account("globex"), START).await.unwrap();
    test.set_visibility(&manager, &name, Visibility::Public, START).await.unwrap();
    let on = PermissionTarget::Repository(name.clone());
    test.remove_permission(&acme, &on, &UserName::parse("manager").unwrap(), START).await.unwrap();
    test.delete_repository(&acme, &name, START).await.unwrap();

    let events = trail(&test, &acme).await;
    let mut seen: Vec<_> = events
        .iter()
        .map(|event| format!("{:?} {} by {} {}", event.kind, event.subject, event.actor.name, event.detail))
        .collect();
    seen.sort();
    let mut expected = [
        "AccountCreated acme by admin ",
        "NamespaceCreated team-a by acme ",
        "RepositoryCreated team-a/web by acme ",
        "UserCreated manager@acme by admin ",
        "PermissionSet team-a/web by acme manager: manage",
        "ShareCreated team-a/web by manager@acme with globex until 2027-01-15T08:01:00.25Z",
        "ShareRevoked team-a/web by manager@acme with globex",
        "RepositoryMadePublic team-a/web by manager@acme ",
        "PermissionRemoved team-a/web by acme manager",
        "RepositoryDeleted team-a/web by acme ",
    ];
    expected.sort_unstable();
    assert_eq!(seen, expected);
    let of_manager = events.iter().find(|event| event.kind == EventKind::ShareCreated).unwrap();
    assert_eq!((of_manager.actor.account, of_manager.actor.user), (acme.account(), manager.user()));
    let of_globex: Vec<_> = trail(&test, &globex).await.into_iter().map(|event| event.kind).collect();
    assert_eq!(
        of_globex,
        [EventKind::AccountCreated, EventKind::ShareCreated, EventKind::ShareRevoked],
        "what concerns it"
    );
}

#[tokio::test]
async fn an_administrators_own_trail_keeps_what_it_did_to_a_deleted_account() {
    let test = TestAuth::new().await;
    let acme = test.account("acme").await;
    let name = account("acme");
    test.set_account_disabled(&test.admin, &name, true, at(1)).await.unwrap();
    test.set_account_disabled(&test.admin, &name, false, at(2)).await.unwrap();
    test.set_account_password(&test.admin, &name, None, &password_of("another"), at(3)).await.unwrap();
    test.delete_account(&test.admin, &name, at(4)).await.unwrap();
    test.free_account_name(&test.admin, &name, at(5)).await.unwrap();

    let expected = [
        "account_created",
        "account_disabled",
        "account_enabled",
        "account_password_changed",
        "account_disabled",
        "account_deleted",
    ];
    let about = EventFilter { subject: Some("acme".to_owned()), ..filter() };
    let (own, _) = pages(&test, &test.admin, &about, EventOrder::OldestFirst, 100).await;
    let mut kinds: Vec<_> = own.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds.pop(), Some("account_name_freed"));
    assert_eq!(kinds, expected);
    assert!(own.iter().all(|event| event.actor.name == "admin"), "{own:?}");
    let of_acme = trail(&test, &acme).await;
    let kinds: Vec<_> = of_acme.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, expected, "where nobody reaches it any more");
}

#[tokio::test]
async fn the_events_of_one_instant_stand_in_the_order_in_which_they_came() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.flush(START).await.unwrap();
    let before = trail(&test, &acme).await.len();
    let mut expected = Vec::new();
    for number in 0..20 {
        let (user, namespace) = (format!("user-{number}"), format!("team-{number}"));
        test.authenticate(&format!("{user}@acme"), &password_of("acme"), None, START).await.unwrap_err();
        test.namespace(&acme, &namespace).await;
        expected.extend([format!("{user}@acme"), namespace]);
    }
    test.flush(START).await.unwrap();
    let subjects: Vec<_> = trail(&test, &acme).await.into_iter().map(|event| event.subject).collect();
    assert_eq!(subjects[before..], expected);
}

#[tokio::test]
async fn an_event_says_where_the_request_came_from() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let from = Some("::ffff:192.0.2.7".parse().unwrap());
    let (_, secret) = test.personal_token(&acme, 600, None).await;
    let by_password = test.authenticate("acme", &password_of("acme"), from, START).await.unwrap();
    let by_token = test.authenticate_personal_token(&secret, from, START).await.unwrap();
    let refresh = test.issue_refresh_token(&by_token, START).await.unwrap();
    let by_refresh = test.authenticate_refresh_token(&refresh, from, START).await.unwrap();
    let access = test.token(&by_refresh, &[], START).await;
    let by_access = test.authenticate_access_token(access.reveal(), from, START).await.unwrap();
    for p in [&by_password, &by_token, &by_refresh, &by_access] {
        assert_eq!(Actor::from(p).address, Some("192.0.2.7".parse().unwrap()), "as IPv4, which it is");
    }
    test.namespace(&by_password, "team-b").await;
    let event = trail(&test, &acme).await.into_iter().find(|event| event.subject == "team-b").unwrap();
    assert_eq!(event.actor.address, Some("192.0.2.7".parse().unwrap()));
}

#[test]
fn a_record_from_before_addresses_and_results_is_read() {
    let old = r#"{"account":7,"kind":"tag_deleted","actor":{"account":7,"user":null,"name":"acme"},
        "subject":"team-a/web","at":"2026-11-24T20:15:00Z"}"#;
    let event: Event = serde_json::from_str(old).unwrap();
    assert_eq!((event.kind, event.result, event.count), (EventKind::TagDeleted, EventResult::Ok, 1));
    assert_eq!(event.actor.address, None);
    let again = serde_json::to_string(&event).unwrap();
    assert!(
        !["address", "count", "result"].iter().any(|field| again.contains(&format!("\"{field}\""))),
        "{again}"
    );
    let denied = event.with_result(EventResult::Denied);
    let denied: Event = serde_json::from_value(serde_json::to_value(&denied).unwrap()).unwrap();
    assert_eq!(denied.result, EventResult::Denied);
}

#[tokio::test]
async fn what_is_refused_leaves_no_event() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let before = trail(&test, &acme).await.len();
    let name = repository("team-a/web");
    assert!(test.delete_repository(&globex, &name, START).await.is_err());
    assert!(test.set_visibility(&globex, &name, Visibility::Public, START).await.is_err());
    assert!(test.create_repository(&acme, &name, &NewRepository::default(), START).await.is_err());
    assert_eq!(trail(&test, &acme).await.len(), before);
}

#[tokio::test]
async fn old_events_are_trimmed_in_every_account() {
    let test = TestAuth::new().await;
    let (acme, globex) = (test.account("acme").await, test.account("globex").await);
    let mut tx = test.store().transaction();
    for (p, count) in [(&acme, 10), (&globex, 5), (&test.admin, 5)] {
        for number in 0..count {
            let at = Timestamp::from_second(number).unwrap();
            let account = p.account().unwrap();
            let event = Event::new(account, EventKind::TagDeleted, Actor::server(), "old".to_owned(), at);
            event.record(&mut tx).unwrap();
        }
    }
    test.store().commit(tx).await.unwrap();
    let mut trimmed = Vec::new();
    loop {
        let some = test.trim_events(START, 8).await.unwrap();
        trimmed.push(some);
        if some < 8 {
            break;
        }
    }
    assert_eq!(trimmed, [8, 8, 4]);
    for p in [&acme, &globex, &test.admin] {
        let kinds: Vec<_> = trail(&test, p).await.into_iter().map(|event| event.kind).collect();
        assert!(kinds.iter().all(|kind| *kind == EventKind::AccountCreated), "{kinds:?}");
        // The administrator's has what it did to the others, too.
        let expected = if p.is_administrator() { 3 } else { 1 };
        assert_eq!(kinds.len(), expected, "what is not old stays");
    }
    assert_eq!(test.trim_events(START, 0).await.unwrap(), 0);
}

/// Whether an event is one that a filter is to keep.
type Fits = Box<dyn Fn(&Event) -> bool>;

fn filter() -> EventFilter {
    EventFilter::default()
}

/// All pages of a trail, and how many there were.
async fn pages(
    test: &TestAuth,
    p: &Principal,
    filter: &EventFilter,
    order: EventOrder,
    limit: usize,
) -> (Vec<Event>, usize) {
    let name = p.account_name().unwrap().clone();
    let (mut events, mut after, mut count) = (Vec::new(), None, 0);
    loop {
        let page = test.list_events(p, &name, filter, (order, after, limit), START).await.unwrap();
        assert!(page.events.len() <= limit);
        count += 1;
        events.extend(page.events.into_iter().map(|(_, event)| event));
        let Some(next) = page.next else { return (events, count) };
        assert_eq!(EventPlace::parse(&next.to_string()), Some(next));
        after = Some(next);
    }
}

/// Thousands of events in acme's trail, and some beside it.
async fn a_long_trail() -> (TestAuth, Principal) {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.flush(START).await.unwrap();
    for batch in 0..25 {
        let mut tx = test.store().transaction();
        for number in 0..500 {
            let number = batch * 500 + number;
            let kind = if number % 1_000 == 999 { EventKind::TagDeleted } else { EventKind::ManifestPulled };
            // Several in a millisecond.
            let at = at(100) + SignedDuration::from_micros(number * 250);
            let mut event =
                Event::new(acme.account().unwrap(), kind, (&acme).into(), format!("team-a/{number}"), at);
            event.actor.address = (number % 2 == 0).then(|| "192.0.2.7".parse().unwrap());
            event.record(&mut tx).unwrap();
            let other = Event { account: globex.account().unwrap(), ..event };
            other.record(&mut tx).unwrap();
        }
        test.store().commit(tx).await.unwrap();
    }
    (test, acme)
}

#[tokio::test]
async fn every_event_is_on_exactly_one_page_in_either_order() {
    let (test, acme) = a_long_trail().await;
    let whole = trail(&test, &acme).await;
    assert!(whole.len() > 12_500);
    for limit in [7_000, 1_000, 499] {
        let (oldest, _) = pages(&test, &acme, &filter(), EventOrder::OldestFirst, limit).await;
        assert!(oldest == whole, "the same in the same order");
        let (mut newest, _) = pages(&test, &acme, &filter(), EventOrder::NewestFirst, limit).await;
        newest.reverse();
        assert!(newest == whole, "and backward");
    }
}

#[tokio::test]
async fn a_page_looks_at_a_bounded_number_and_goes_on() {
    let (test, acme) = a_long_trail().await;
    let deleted = EventFilter { kinds: vec![EventKind::TagDeleted], ..filter() };
    for order in [EventOrder::OldestFirst, EventOrder::NewestFirst] {
        let (events, count) = pages(&test, &acme, &deleted, order, 1_000).await;
        assert_eq!((events.len(), count), (12, 2), "ten thousand at a time");
    }
    let nothing = EventFilter { subject: Some("team-b".to_owned()), ..filter() };
    assert_eq!(pages(&test, &acme, &nothing, EventOrder::NewestFirst, 10).await, (vec![], 2));
}

#[tokio::test]
async fn each_filter_keeps_what_fits_it() {
    let (test, acme) = a_long_trail().await;
    let whole = trail(&test, &acme).await;
    let (from, to) =
        (at(100) + SignedDuration::from_micros(250), at(100) + SignedDuration::from_micros(1_250));
    let address = Some("::ffff:192.0.2.7".parse().unwrap());
    let table: Vec<(EventFilter, Fits)> = vec![
        (
            EventFilter { from: Some(from), to: Some(to), ..filter() },
            Box::new(move |e| e.at >= from && e.at < to),
        ),
        (EventFilter { from: Some(from), ..filter() }, Box::new(move |e| e.at >= from)),
        (EventFilter { to: Some(to), ..filter() }, Box::new(move |e| e.at < to)),
        (
            EventFilter { kinds: vec![EventKind::TagDeleted, EventKind::NamespaceCreated], ..filter() },
            Box::new(|e| matches!(e.kind, EventKind::TagDeleted | EventKind::NamespaceCreated)),
        ),
        (EventFilter { actor: Some("admin".to_owned()), ..filter() }, Box::new(|e| e.actor.name == "admin")),
        (
            EventFilter { subject: Some("team-a/7".to_owned()), ..filter() },
            Box::new(|e| e.subject == "team-a/7"),
        ),
        (EventFilter { address, ..filter() }, Box::new(|e| e.actor.address.is_some())),
        (EventFilter { result: Some(EventResult::Denied), ..filter() }, Box::new(|_| false)),
        (
            EventFilter { kinds: vec![EventKind::TagDeleted], address, ..filter() },
            Box::new(|e| e.kind == EventKind::TagDeleted && e.actor.address.is_some()),
        ),
    ];
    for (wanted, fits) in table {
        let expected: Vec<_> = whole.iter().filter(|event| fits(event)).cloned().collect();
        let (found, _) = pages(&test, &acme, &wanted, EventOrder::OldestFirst, 999).await;
        assert!(found == expected, "{wanted:?}: {} and not {}", found.len(), expected.len());
    }
}

#[tokio::test]
async fn a_trail_is_its_accounts_own() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let manager = test.user("manager@acme").await;
    test.permit(&acme, "team-a", "manager", Level::Manage).await;
    let (_, secret) = test.personal_token(&acme, 600, Some(&["repository:team-a/web:pull"])).await;
    let narrowed = test.authenticate_personal_token(&secret, None, START).await.unwrap();
    let name = account("acme");
    let page = (EventOrder::NewestFirst, None, 10);
    for (p, refusal) in [
        (&globex, "there is no such account"),
        (&Principal::anonymous(), "sign in first"),
        (&manager, "you may not do this"),
        (&narrowed, "you may not do this"),
    ] {
        let refused = test.list_events(p, &name, &filter(), page, START).await.unwrap_err();
        assert_eq!(refused.to_string(), refusal, "{p:?}");
    }
    let missing = test.list_events(&globex, &account("missing"), &filter(), page, START).await.unwrap_err();
    assert_eq!(missing.to_string(), "there is no such account");
    test.list_events(&acme, &name, &filter(), page, START).await.unwrap();
    test.flush(START).await.unwrap();
    assert!(
        of_kind(&test, &acme, EventKind::TrailRead).await.is_empty(),
        "one's own is read without a trace"
    );

    let seen = test.list_events(&test.admin, &name, &filter(), page, at(1)).await.unwrap();
    assert_eq!(seen.events[0].1.kind, EventKind::TrailRead, "the look is there when it looks");
    for trail in [&acme, &test.admin] {
        let looks = of_kind(&test, trail, EventKind::TrailRead).await;
        assert_eq!(looks.len(), 1);
        assert_eq!((looks[0].actor.name.as_str(), looks[0].subject.as_str()), ("admin", "acme"));
    }
    assert!(of_kind(&test, &globex, EventKind::TrailRead).await.is_empty());
}

#[test]
fn a_place_is_read_as_it_was_written_and_no_other_way() {
    let whole = "0000019a4b1c2d3e0123456789abcd";
    assert_eq!(EventPlace::parse(whole).unwrap().to_string(), whole);
    for bad in ["", "0", &whole[1..], &format!("{whole}0"), &"f".repeat(30), &"+".repeat(30), &"é".repeat(15)]
    {
        assert_eq!(EventPlace::parse(bad), None, "{bad}");
    }
}
