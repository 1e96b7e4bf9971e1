//! What changes nothing comes into the trails all the same: folded, bounded, and at most a second late.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use kv::memory::Memory;
use kv::{Batch, Direction, Engine, Entry, KeyList, Outcome, Range, Region, Store};
use oci::{Digest, Reference};

use super::trails::{of_kind, trail};
use super::{START, TestAuth, account, at, cheap_settings, password_of, repository};
use crate::{
    Action, Actor, Event, EventKind, EventResult, Flushed, Level, Principal, Secret, ShareEnd, SigningKeys,
};

const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// An engine that fails to write while a test wants it to.
#[derive(Default)]
struct Failing {
    memory: Memory,
    fails: AtomicBool,
}

#[async_trait]
impl Engine for Failing {
    async fn get(&self, key: &[u8]) -> Result<Option<Entry>, kv::Error> {
        self.memory.get(key).await
    }

    async fn get_many(&self, keys: &KeyList) -> Result<Vec<Option<Entry>>, kv::Error> {
        self.memory.get_many(keys).await
    }

    async fn scan(
        &self,
        range: Range,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(Vec<u8>, Entry)>, kv::Error> {
        self.memory.scan(range, limit, direction).await
    }

    async fn commit(&self, batch: Batch) -> Result<Outcome, kv::Error> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(kv::Error::NoSpace);
        }
        self.memory.commit(batch).await
    }
}

fn event(p: &Principal, number: usize) -> Event {
    Event::new(p.account().unwrap(), EventKind::SignedIn, p.into(), format!("s{number}"), START)
}

async fn pull(test: &TestAuth, p: &Principal, tag: &str, now: Timestamp) {
    let permit = test.authorize(p, &repository("team-a/web"), Action::Pull, now).await.unwrap();
    test.note_pull(&permit, &Reference::parse(tag).unwrap(), &Digest::parse(DIGEST).unwrap(), 500, now);
}

#[tokio::test]
async fn the_same_within_a_minute_is_one_event_that_is_counted() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.flush(at(-100)).await.unwrap();
    let before = of_kind(&test, &acme, EventKind::SignedIn).await.len();
    for (second, times) in [(100, 3_000), (101, 5_000), (159, 2_000), (160, 7), (161, 1)] {
        for _ in 0..times {
            test.authenticate("acme", &password_of("acme"), None, at(second)).await.unwrap();
        }
        test.flush(at(second)).await.unwrap();
        assert_eq!(test.flush(at(second)).await.unwrap(), Flushed::default(), "nothing is written twice");
    }
    let events = of_kind(&test, &acme, EventKind::SignedIn).await.split_off(before);
    let seen: Vec<_> = events.iter().map(|event| (event.at, event.count)).collect();
    assert_eq!(seen, [(at(100), 10_000), (at(160), 8)]);
    assert_eq!((events[0].subject.as_str(), events[0].detail.as_str()), ("acme", "password"));
}

#[tokio::test]
async fn what_differs_in_anything_is_told_apart() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.user("dev@acme").await;
    test.flush(START).await.unwrap();
    let (_, secret) = test.personal_token(&acme, 600, None).await;
    for (login, secret, from) in [
        ("acme", &password_of("acme"), Some("192.0.2.1")),
        ("acme", &password_of("acme"), Some("192.0.2.2")),
        ("acme", &secret, Some("192.0.2.1")),
        ("dev@acme", &password_of("dev@acme"), Some("192.0.2.1")),
        ("dev@acme", &password_of("dev@acme"), None),
    ] {
        let from = from.map(|from| from.parse().unwrap());
        test.authenticate(login, secret, from, at(100)).await.unwrap();
    }
    test.flush(at(100)).await.unwrap();
    let after = of_kind(&test, &acme, EventKind::SignedIn).await;
    assert_eq!(after.iter().filter(|event| event.at == at(100)).count(), 5, "{after:?}");
}

#[tokio::test]
async fn refused_strangers_are_counted_by_their_addresses_and_told_once_a_minute() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.flush(at(-100)).await.unwrap();
    let before = trail(&test, &acme).await.len();
    let [one, other] = ["192.0.2.9", "192.0.2.10"].map(|from| Some(from.parse().unwrap()));
    let stranger = async |login: &str, secret: &str, from, second| {
        assert!(test.authenticate(login, &Secret::new(secret), from, at(second)).await.is_err());
    };
    stranger("missing", "a wrong one", one, 0).await;
    stranger("my-password-1", "a wrong one", one, 0).await;
    stranger("acme", "gp_pat_of_nobody", one, 0).await;
    stranger("dev@missing", "a wrong one", other, 0).await;
    assert_eq!(test.flush(at(0)).await.unwrap().strangers, [(one, 3), (other, 1)]);
    stranger("missing", "a wrong one", one, 30).await;
    assert_eq!(test.flush(at(30)).await.unwrap().strangers, [], "told already");
    assert_eq!(test.flush(at(59)).await.unwrap().strangers, []);
    stranger("here@ABCDEFGHIJKLMNOPQRST", "a wrong one", one, 60).await;
    assert_eq!(test.flush(at(60)).await.unwrap().strangers, [(one, 2)], "those of that minute, too");
    assert_eq!(trail(&test, &acme).await.len(), before);
}

#[tokio::test]
async fn more_strangers_than_are_told_apart_are_counted_together() {
    let test = TestAuth::new().await;
    for number in 0..1_200_u32 {
        let from = std::net::Ipv4Addr::from_bits(number).into();
        assert!(test.authenticate("missing", &Secret::new("gp_pat_x"), Some(from), START).await.is_err());
    }
    let strangers = test.flush(START).await.unwrap().strangers;
    assert!(strangers.len() <= 1_001, "{}", strangers.len());
    let (from, unplaced) = strangers[0];
    assert!(from.is_none() && unplaced >= 199, "{unplaced}");
    assert_eq!(strangers.iter().map(|(_, count)| count).sum::<u64>(), 1_200, "none is lost");
    test.note_stranger(Some("198.51.100.1".parse().unwrap()));
    assert_eq!(test.flush(at(30)).await.unwrap().strangers, [], "no room for another within the minute");
    assert_eq!(test.flush(at(60)).await.unwrap().strangers, [(None, 1)]);
}

#[tokio::test]
async fn a_refused_sign_in_is_told_to_the_account_that_was_named() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.user("dev@acme").await;
    let from = Some("192.0.2.9".parse().unwrap());
    let (token, ended) = test.personal_token(&acme, 1, None).await;
    let refresh = test.issue_refresh_token(&acme, START).await.unwrap();
    let (other, secret) = test.personal_token(&acme, 600, None).await;
    let wrong = Secret::new("a wrong one");
    for login in ["acme", "dev@acme", "nobody@acme", "missing", "dev@missing", "not a name"] {
        assert!(test.authenticate(login, &wrong, from, at(5)).await.is_err());
    }
    assert!(test.authenticate("dev@acme", &secret, from, at(5)).await.is_err());
    assert!(test.authenticate("acme", &ended, from, at(5)).await.is_err());
    test.set_account_password(
        &acme,
        &account("acme"),
        Some(&password_of("acme")),
        &Secret::new("another password"),
        at(5),
    )
    .await
    .unwrap();
    assert!(test.authenticate_refresh_token(&refresh, from, at(5)).await.is_err());
    test.flush(at(5)).await.unwrap();
    let events = of_kind(&test, &acme, EventKind::SignInFailed).await;
    let mut seen: Vec<_> = events.iter().map(|e| format!("{} {}", e.actor.name, e.detail)).collect();
    seen.sort_unstable();
    let mut expected = [
        "acme wrong password".to_owned(),
        "dev@acme wrong password".to_owned(),
        "nobody@acme unknown user".to_owned(),
        format!("acme personal token {other} under another name"),
        format!("personal token {token} personal token {token} has ended"),
        "acme refresh token of a credential that has ended".to_owned(),
    ];
    expected.sort_unstable();
    assert_eq!(seen, expected);
    for event in &events {
        assert_eq!((event.result, event.actor.address), (EventResult::Denied, from));
        assert_eq!((event.actor.account, event.actor.user), (None, None), "nobody signed in");
    }
    for p in [&globex, &test.admin] {
        assert!(of_kind(&test, p, EventKind::SignInFailed).await.is_empty());
    }
}

#[tokio::test]
async fn strangers_do_not_fill_a_trail() {
    let (test, acme, _) = TestAuth::with_acme().await;
    for (round, second) in [(0, 100), (1, 101), (2, 170)] {
        for number in 0..500 {
            let login = format!("u{round}-{number}@acme");
            assert!(test.authenticate(&login, &Secret::new("wrong"), None, at(second)).await.is_err());
        }
        test.flush(at(second)).await.unwrap();
    }
    let events = of_kind(&test, &acme, EventKind::SignInFailed).await;
    assert_eq!(events.len(), 61 + 61, "sixty a minute, and one for all others");
    assert_eq!(events.iter().map(|event| event.count).sum::<u64>(), 1_500, "all are counted");
    assert_eq!(events.iter().filter(|event| event.actor == Actor::anybody()).count(), 2);
}

#[tokio::test]
async fn what_finds_no_room_is_counted_and_shown() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.flush(START).await.unwrap();
    let held =
        trail(&test, &acme).await.into_iter().filter(|event| event.kind == EventKind::SignedIn).count();
    for number in 0..25_000 {
        test.recorder().event(event(&acme, number));
    }
    test.recorder().event(event(&globex, 0));
    let flushed = test.flush(at(1)).await.unwrap();
    assert_eq!(flushed.lost, 5_000 + held as u64);
    let lost = of_kind(&test, &acme, EventKind::EventsLost).await;
    assert_eq!(
        lost.iter().map(|event| (event.count, event.result)).collect::<Vec<_>>(),
        [(flushed.lost, EventResult::Failed)]
    );
    let signed_in = of_kind(&test, &acme, EventKind::SignedIn).await;
    assert_eq!(signed_in.iter().map(|event| event.count).sum::<u64>() + flushed.lost, 25_000 + held as u64);
    assert_eq!(of_kind(&test, &globex, EventKind::SignedIn).await.len(), 2, "another account has its room");
    assert_eq!(test.flush(at(2)).await.unwrap().lost, 0, "told once");
}

#[tokio::test]
async fn a_crash_loses_what_came_since_the_last_flush_and_no_more() {
    let store = super::memory_store("here").await;
    let test = TestAuth::over(store.clone(), SigningKeys::ephemeral().unwrap(), cheap_settings()).await;
    let acme = test.account("acme").await;
    test.flush(START).await.unwrap();
    test.recorder().event(event(&acme, 1));
    test.flush(at(1)).await.unwrap();
    test.recorder().event(event(&acme, 2));
    drop(test);
    let after = TestAuth::over(store, SigningKeys::ephemeral().unwrap(), cheap_settings()).await;
    after.flush(at(2)).await.unwrap();
    let mut subjects: Vec<_> =
        of_kind(&after, &acme, EventKind::SignedIn).await.into_iter().map(|event| event.subject).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["acme", "s1"]);
}

#[tokio::test]
async fn what_could_not_be_written_is_written_once_later() {
    let engine = Arc::new(Failing::default());
    let store = Store::open(engine.clone(), Region::parse("here").unwrap()).await.unwrap();
    let test = TestAuth::over(store, SigningKeys::ephemeral().unwrap(), cheap_settings()).await;
    let (acme, globex) = (test.account("acme").await, test.account("globex").await);
    test.namespace(&acme, "team-a").await;
    test.repository(&acme, "team-a/web").await;
    test.share(&acme, "team-a/web", "globex", ShareEnd::Permanent).await;
    test.flush(START).await.unwrap();
    for second in 1..4 {
        pull(&test, &globex, "v1", at(second)).await;
        engine.fails.store(true, Ordering::SeqCst);
        assert!(test.flush(at(second)).await.is_err());
        engine.fails.store(false, Ordering::SeqCst);
    }
    test.flush(at(4)).await.unwrap();
    test.flush(at(5)).await.unwrap();
    let pulls = of_kind(&test, &acme, EventKind::ManifestPulled).await;
    assert_eq!(pulls.iter().map(|event| (event.at, event.count)).collect::<Vec<_>>(), [(at(1), 3)]);
    let share = &test.list_shares_by(&acme, None, 10, at(5)).await.unwrap()[0];
    assert_eq!(share.used.map(|used| (used.pulls, used.bytes)), Some((3, 1_500)));
}

#[tokio::test]
async fn a_token_says_what_it_grants() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.token(&acme, &["repository:team-a/web:pull,push", "repository:other/x:pull"], START).await;
    test.issue_refresh_token(&acme, START).await.unwrap();
    test.token(&Principal::anonymous(), &["repository:team-a/web:pull"], START).await;
    test.flush(START).await.unwrap();
    let mut details: Vec<_> =
        of_kind(&test, &acme, EventKind::TokenIssued).await.into_iter().map(|event| event.detail).collect();
    details.sort_unstable();
    assert_eq!(details, ["access repository:team-a/web:pull,push", "refresh"]);
}

#[tokio::test]
async fn a_pull_is_in_the_owners_trail_and_in_the_pullers() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let dev = test.user("dev@acme").await;
    let ci = test.user("ci@globex").await.coming_from(Some("192.0.2.7".parse().unwrap()));
    test.permit(&acme, "team-a/web", "dev", Level::Read).await;
    test.share(&acme, "team-a/web", "globex", ShareEnd::Permanent).await;
    pull(&test, &dev, "v1", at(1)).await;
    pull(&test, &ci, "v1", at(2)).await;
    pull(&test, &ci, DIGEST, at(3)).await;
    test.flush(at(3)).await.unwrap();
    let seen = |events: Vec<Event>| {
        let line = |e: &Event| format!("{} {:?} {} {}", e.actor.name, e.actor.address, e.subject, e.detail);
        events.iter().map(line).collect::<Vec<_>>()
    };
    let by_ci = [
        format!("ci@globex Some(192.0.2.7) team-a/web v1 {DIGEST}"),
        format!("ci@globex Some(192.0.2.7) team-a/web {DIGEST}"),
    ];
    let by_dev = format!("dev@acme None team-a/web v1 {DIGEST}");
    assert_eq!(
        seen(of_kind(&test, &acme, EventKind::ManifestPulled).await),
        [[by_dev].as_slice(), &by_ci].concat()
    );
    assert_eq!(seen(of_kind(&test, &globex, EventKind::ManifestPulled).await), by_ci);
}

#[tokio::test]
async fn who_pulls_a_public_image_stays_untold_to_its_owner() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.publish(&acme, "team-a/web").await;
    let strangers = ["192.0.2.1", "192.0.2.2"].map(|from| Some(from.parse().unwrap()));
    for from in strangers {
        pull(&test, &globex.clone().coming_from(from), "v1", at(1)).await;
        pull(&test, &Principal::anonymous().coming_from(from), "v1", at(1)).await;
    }
    test.flush(at(1)).await.unwrap();
    let events = of_kind(&test, &acme, EventKind::ManifestPulled).await;
    assert_eq!(events.len(), 1, "strangers fill no trail: {events:?}");
    assert_eq!((&events[0].actor, events[0].count), (&Actor::anybody(), 4));
    assert_eq!(of_kind(&test, &globex, EventKind::ManifestPulled).await.len(), 2, "its own, by address");
}

#[tokio::test]
async fn a_former_sharee_that_goes_on_is_told_to_the_owner_and_a_stranger_is_not() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let initech = test.account("initech").await;
    let umbrella = test.account("umbrella").await;
    let name = repository("team-a/web");
    test.share(&acme, "team-a/web", "globex", ShareEnd::Permanent).await;
    test.share(&acme, "team-a/web", "initech", ShareEnd::Until(at(10))).await;
    test.revoke_share(&acme, &name, &account("globex"), at(5)).await.unwrap();
    for p in [&globex, &initech, &umbrella, &Principal::anonymous()] {
        assert!(test.authorize(p, &name, Action::Pull, at(20)).await.is_err());
        assert!(test.authorize(p, &repository("team-a/none"), Action::Pull, at(20)).await.is_err());
    }
    test.flush(at(20)).await.unwrap();
    let events = of_kind(&test, &acme, EventKind::ManifestPulled).await;
    let mut seen: Vec<_> = events.iter().map(|e| (e.actor.name.as_str(), e.result)).collect();
    seen.sort_unstable_by_key(|(name, _)| *name);
    assert_eq!(seen, [("globex", EventResult::Denied), ("initech", EventResult::Denied)]);
    test.share(&acme, "team-a/web", "globex", ShareEnd::Permanent).await;
    pull(&test, &globex, "v1", at(30)).await;
    test.flush(at(30)).await.unwrap();
    assert_eq!(
        of_kind(&test, &acme, EventKind::ManifestPulled).await.last().unwrap().result,
        EventResult::Ok
    );
}

#[tokio::test]
async fn a_refused_push_of_ones_own_user_is_in_the_trail() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let reader = test.user("reader@acme").await;
    test.permit(&acme, "team-a/web", "reader", Level::Read).await;
    test.share(&acme, "team-a/web", "globex", ShareEnd::Permanent).await;
    let name = repository("team-a/web");
    for p in [&reader, &globex] {
        assert!(test.authorize_push(p, &name, START).await.is_err());
        assert!(test.authorize(p, &name, Action::Delete, START).await.is_err());
    }
    test.flush(START).await.unwrap();
    let denied: Vec<_> = trail(&test, &acme).await;
    let mut denied: Vec<_> = denied
        .iter()
        .filter(|event| event.result == EventResult::Denied)
        .map(|event| format!("{} {}", event.kind.as_str(), event.actor.name))
        .collect();
    denied.sort_unstable();
    assert_eq!(
        denied,
        [
            "manifest_deleted globex",
            "manifest_deleted reader@acme",
            "manifest_pushed globex",
            "manifest_pushed reader@acme"
        ]
    );
}

#[tokio::test]
async fn a_detail_is_cut_at_a_bound() {
    let test = TestAuth::new().await;
    let account = test.admin.account().unwrap();
    let long = Event::new(account, EventKind::TokenIssued, Actor::server(), String::new(), START);
    test.recorder().event(long.with_detail("é".repeat(5_000)));
    test.flush(START).await.unwrap();
    let events = of_kind(&test, &test.admin, EventKind::TokenIssued).await;
    assert_eq!(events[0].detail.chars().count(), 1_001);
}
