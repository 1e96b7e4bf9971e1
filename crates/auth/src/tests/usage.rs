//! What is used under a share is counted by day, user and address, for its owner alone.

use std::net::IpAddr;

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use kv::{Key, UsageRow, Use, UsedFrom};
use oci::{Digest, Reference};

use super::{START, TestAuth, account, at, cheap_settings, memory_store, password_of, repository};
use crate::{
    Action, Auth, Keys, Level, Permit, Principal, SealingKeys, Settings, ShareEnd, SigningKeys, UsageOfDay,
    UsagePlace, UsageWanted,
};

const WEB: &str = "team-a/web";
/// The day of [`START`].
const FIRST: Date = date(2027, 1, 15);
const DAY: i64 = 24 * 60 * 60;

fn all() -> UsageWanted {
    UsageWanted { from: None, to: None, after: None, limit: 1_000 }
}

fn from(address: &str) -> Option<IpAddr> {
    Some(address.parse().unwrap())
}

async fn permit(auth: &Auth, p: &Principal, now: Timestamp) -> Permit {
    auth.authorize(p, &repository(WEB), Action::Pull, now).await.unwrap()
}

async fn pulls(auth: &Auth, p: &Principal, bytes: u64, now: Timestamp) {
    let digest = Digest::parse("sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
    let permit = permit(auth, p, now).await;
    auth.note_pull(&permit, &Reference::parse("v1").unwrap(), &digest.unwrap(), bytes, now);
}

async fn usage(test: &TestAuth, acme: &Principal, wanted: UsageWanted) -> Vec<UsageOfDay> {
    test.share_usage(acme, &repository(WEB), &account("globex"), wanted, START).await.unwrap().1
}

fn lines(days: &[UsageOfDay]) -> Vec<String> {
    let line = |day: &UsageOfDay| {
        let who = day.login.as_deref().unwrap_or("?");
        format!("{} {who} {:?} {} {}", day.day, day.from, day.pulls, day.bytes)
    };
    days.iter().map(line).collect()
}

/// Acme shares with globex, which has a user.
async fn shared() -> (TestAuth, Principal, Principal, Principal) {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let ci = test.user("ci@globex").await;
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    (test, acme, globex, ci)
}

#[tokio::test]
async fn the_owner_sees_who_pulled_what_from_where_day_by_day() {
    let (test, acme, globex, ci) = shared().await;
    let ci = ci.coming_from(from("::ffff:192.0.2.7"));
    for second in [1, 2] {
        pulls(&test, &ci, 500, at(second)).await;
    }
    test.note_sent(&permit(&test, &ci, at(2)).await, 1 << 20, at(3));
    pulls(&test, &ci.clone().coming_from(from("2001:db8::1")), 500, at(4)).await;
    pulls(&test, &globex, 7, at(5)).await;
    pulls(&test, &ci, 9, at(DAY)).await;
    test.flush(at(DAY)).await.unwrap();
    pulls(&test, &ci, 1, at(DAY + 1)).await;
    test.flush(at(DAY + 1)).await.unwrap();

    let expected = [
        "2027-01-15 globex Unknown 1 7",
        "2027-01-15 ci@globex Address(192.0.2.7) 2 1049576",
        "2027-01-15 ci@globex Address(2001:db8::1) 1 500",
        "2027-01-16 ci@globex Address(192.0.2.7) 2 10",
    ];
    assert_eq!(lines(&usage(&test, &acme, all()).await), expected);
    let share = test.show_share(&acme, &repository(WEB), &account("globex"), START).await.unwrap();
    let used = share.used.unwrap();
    assert_eq!((used.pulls, used.bytes, used.last_used_at), (6, 1_050_093, Some(at(DAY + 1))));

    let by_day = |first, last| UsageWanted { from: Some(first), to: Some(last), ..all() };
    let second = date(2027, 1, 16);
    assert_eq!(lines(&usage(&test, &acme, by_day(FIRST, FIRST)).await), expected[..3]);
    assert_eq!(lines(&usage(&test, &acme, by_day(second, second)).await), expected[3..]);
    assert!(usage(&test, &acme, by_day(second, FIRST)).await.is_empty());
    assert!(usage(&test, &acme, by_day(Date::MIN, date(1970, 1, 1))).await.is_empty());
    assert_eq!(usage(&test, &acme, by_day(Date::MIN, Date::MAX)).await.len(), 4);

    let mut paged = Vec::new();
    let mut wanted = UsageWanted { limit: 1, ..all() };
    while let Some(day) = usage(&test, &acme, wanted).await.pop() {
        wanted.after = UsagePlace::parse(&day.place.to_text());
        assert_eq!(wanted.after, Some(day.place));
        paged.push(day);
    }
    assert_eq!(lines(&paged), expected);
}

#[tokio::test]
async fn nodes_count_apart_and_are_shown_together() {
    let store = memory_store("here").await;
    let node = |raw| Settings { node: kv::Id::new(raw).unwrap(), ..cheap_settings() };
    let keys = SigningKeys::ephemeral().unwrap();
    let test = TestAuth::over(store.clone(), keys.clone(), node(1)).await;
    let other = Auth::new(store, Keys { signing: keys, sealing: SealingKeys::ephemeral().unwrap() }, node(2));
    let (acme, globex) = (test.account("acme").await, test.account("globex").await);
    test.namespace(&acme, "team-a").await;
    test.repository(&acme, WEB).await;
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    for auth in [&test.auth, &other] {
        pulls(auth, &globex, 100, at(1)).await;
        pulls(auth, &globex.clone().coming_from(from("192.0.2.1")), 1, at(1)).await;
        auth.flush(at(1)).await.unwrap();
    }
    let expected = ["2027-01-15 globex Unknown 2 200", "2027-01-15 globex Address(192.0.2.1) 2 2"];
    assert_eq!(lines(&usage(&test, &acme, all()).await), expected);
    let first = usage(&test, &acme, UsageWanted { limit: 1, ..all() }).await;
    let rest = UsageWanted { after: Some(first[0].place), ..all() };
    assert_eq!(lines(&first), expected[..1], "a page does not cut what two nodes counted");
    assert_eq!(lines(&usage(&test, &acme, rest).await), expected[1..]);
}

#[tokio::test]
async fn addresses_beyond_the_bound_are_counted_together() {
    let (test, acme, globex, _) = shared().await;
    let address = |number: u32| Some(IpAddr::from(number.to_be_bytes()));
    for number in 0..1_500 {
        pulls(&test, &globex.clone().coming_from(address(number)), 1, at(1)).await;
    }
    test.flush(at(1)).await.unwrap();
    // As after a restart.
    let again = Auth::new(test.store().clone(), Keys::ephemeral().unwrap(), cheap_settings());
    for number in 1_400..1_600 {
        pulls(&again, &globex.clone().coming_from(address(number)), 1, at(2)).await;
    }
    pulls(&again, &globex.clone().coming_from(address(3)), 1, at(2)).await;
    again.flush(at(2)).await.unwrap();
    let days = usage(&test, &acme, UsageWanted { limit: 5_000, ..all() }).await;
    let others: Vec<_> = days.iter().filter(|day| day.from == UsedFrom::Others).collect();
    assert_eq!((days.len(), others.len()), (1_001, 1));
    assert_eq!(days.iter().map(|day| day.pulls).sum::<u64>(), 1_701, "all are counted");
    assert_eq!(days.iter().find(|day| day.from == UsedFrom::address(address(3))).unwrap().pulls, 2);
}

#[tokio::test]
async fn usage_is_for_who_manages_the_repository() {
    let (test, acme, globex, ci) = shared().await;
    let (manager, editor) = (test.user("manager@acme").await, test.user("editor@acme").await);
    test.permit(&acme, WEB, "manager", Level::Manage).await;
    test.permit(&acme, WEB, "editor", Level::Edit).await;
    let initech = test.account("initech").await;
    let ask = async |p: &Principal, grantee: &str| {
        let usage = test.share_usage(p, &repository(WEB), &account(grantee), all(), START).await;
        usage.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(ask(&acme, "globex").await, Ok(()));
    assert_eq!(ask(&manager, "globex").await, Ok(()));
    for (p, grantee, refusal) in [
        (&editor, "globex", "you may not do this"),
        (&globex, "globex", "you may not do this"),
        (&ci, "globex", "you may not do this"),
        (&initech, "globex", "there is no such repository"),
        (&test.admin, "globex", "there is no such repository"),
        (&Principal::anonymous(), "globex", "sign in first"),
        (&acme, "initech", "there is no such share"),
        (&acme, "missing", "there is no such share"),
    ] {
        assert_eq!(ask(p, grantee).await, Err(refusal.to_owned()), "{p:?}");
    }
    let name = repository(WEB);
    let shown = test.show_share(&globex, &name, &account("globex"), START).await.unwrap();
    assert_eq!(shown.used, None, "the sharee does not see its users' pulls by way of the share");
    assert_eq!(test.list_shares_with(&globex, None, 10, START).await.unwrap()[0].used, None);
    for listed in [
        test.list_shares_by(&acme, None, 10, START).await.unwrap(),
        test.list_repository_shares(&manager, &name, None, 10, START).await.unwrap(),
    ] {
        assert_eq!(listed[0].used.unwrap().last_used_at, None, "never used");
    }
}

#[tokio::test]
async fn only_what_rests_on_a_share_is_counted() {
    let (test, acme, _, _) = shared().await;
    pulls(&test, &acme, 500, at(1)).await;
    test.flush(at(1)).await.unwrap();
    assert!(usage(&test, &acme, all()).await.is_empty());
}

/// How many keys there are of usage, of whatever kind, and how many shares are filed to be forgotten.
async fn keys(test: &TestAuth) -> (usize, usize) {
    let region = test.region();
    let first = Key::ShareUsage { share: kv::Id::MIN, row: UsageRow::first_of(0) }.encode(region);
    let end = Key::FormerShare { repository: kv::Id::MIN, grantee: kv::Id::MIN }.encode(region);
    let range = (std::ops::Bound::Included(first), std::ops::Bound::Excluded(end));
    let filed = Key::UsedOn { day: 0, share: kv::Id::MIN }.siblings(region);
    let count = async |range| test.store().list(range, 10_000).await.unwrap().len();
    (count(range).await, count(filed).await)
}

/// Trims in batches of `limit`; how many there were.
async fn trim(test: &TestAuth, before: Timestamp, limit: usize) -> usize {
    let mut batches = 1;
    while test.trim_usage(before, limit).await.unwrap() {
        batches += 1;
        assert!(batches < 1000, "it comes to no end");
    }
    batches
}

/// WEB is shared with globex, whose user pulls as well, and with initech; each pulls on each of ten days.
async fn used_for_ten_days() -> (TestAuth, Principal) {
    let (test, acme, globex, ci) = shared().await;
    test.account("initech").await;
    test.share(&acme, WEB, "initech", ShareEnd::Permanent).await;
    let initech = test.sign_in("initech").await;
    for day in 0..10 {
        for p in [&globex, &ci, &initech] {
            pulls(&test, p, 5, at(day * DAY)).await;
        }
        test.flush(at(day * DAY)).await.unwrap();
    }
    assert_eq!(keys(&test).await, (10 * 3 * 2 + 2 * 3, 10 * 2));
    (test, acme)
}

#[tokio::test]
async fn old_usage_is_trimmed_by_day_and_that_of_a_share_that_is_gone() {
    let (test, acme) = used_for_ten_days().await;
    let before = at(4 * DAY) + SignedDuration::from_hours(1);
    assert!(trim(&test, before, 7).await > 1);
    assert_eq!(keys(&test).await, (6 * 3 * 2 + 2 * 3, 6 * 2), "the days before, whatever the hour");
    assert_eq!(usage(&test, &acme, all()).await[0].day, date(2027, 1, 19));
    let total = test.show_share(&acme, &repository(WEB), &account("globex"), START).await.unwrap().used;
    assert_eq!(total.unwrap().pulls, 20, "the sum over all days stays");

    test.revoke_share(&acme, &repository(WEB), &account("globex"), at(10 * DAY)).await.unwrap();
    trim(&test, before, 5).await;
    assert_eq!(
        keys(&test).await,
        (6 * 2 + 3, 6 * 2),
        "what is left is initech's; days of nothing go in their time"
    );
    // A limit of nothing does one.
    trim(&test, at(10 * DAY), 0).await;
    assert_eq!(keys(&test).await, (3, 0));
    assert!(!test.trim_usage(at(20 * DAY), 7).await.unwrap(), "and then there is nothing to do");
}

#[tokio::test]
async fn usage_of_a_share_that_is_gone_goes_where_all_other_is_kept_for_good() {
    let (test, acme) = used_for_ten_days().await;
    test.revoke_share(&acme, &repository(WEB), &account("globex"), at(10 * DAY)).await.unwrap();
    trim(&test, Timestamp::MIN, 7).await;
    assert_eq!(keys(&test).await.0, 10 * 2 + 3, "initech's");
}

#[tokio::test]
async fn what_was_pulled_as_a_share_went_is_forgotten_with_its_day() {
    let (test, acme, globex, _) = shared().await;
    pulls(&test, &globex, 5, at(1)).await;
    test.revoke_share(&acme, &repository(WEB), &account("globex"), at(2)).await.unwrap();
    trim(&test, at(3), 100).await;
    test.flush(at(4)).await.unwrap();
    assert_eq!(keys(&test).await, (5, 1));
    trim(&test, at(DAY), 100).await;
    assert_eq!(keys(&test).await, (0, 0));
}

#[tokio::test]
async fn usage_of_an_older_store_is_filed_once() {
    let (test, acme) = used_for_ten_days().await;
    let store = test.store();
    test.revoke_share(&acme, &repository(WEB), &account("initech"), at(10 * DAY)).await.unwrap();
    let filed = Key::UsedOn { day: 0, share: kv::Id::MIN }.siblings(store.region());
    let mut older = store.transaction();
    for (key, _) in store.list(filed, 1000).await.unwrap() {
        older.delete_encoded(key);
    }
    store.commit(older).await.unwrap();
    trim(&test, at(4 * DAY), 7).await;
    assert_eq!(keys(&test).await, (10 * 3 * 2 + 2 * 3, 0), "or the test would show nothing");

    assert_eq!(test.file_usage_once().await.unwrap(), 2);
    assert_eq!(test.file_usage_once().await.unwrap(), 0);
    let mut served_by_an_older_version = store.transaction();
    served_by_an_older_version.put(Key::FormerUsageTrimmed, &1).unwrap();
    store.commit(served_by_an_older_version).await.unwrap();
    assert_eq!(test.file_usage_once().await.unwrap(), 2);
    assert_eq!(test.file_usage_once().await.unwrap(), 0);
    trim(&test, at(4 * DAY), 7).await;
    assert_eq!(keys(&test).await, (6 * 2 * 2 + 3, 1), "globex's, filed under the first day that is left");
    trim(&test, at(5 * DAY), 7).await;
    assert_eq!(keys(&test).await, (5 * 2 * 2 + 3, 1), "and so on");
    trim(&test, at(10 * DAY), 7).await;
    assert_eq!(keys(&test).await, (3, 0));
}

#[tokio::test]
async fn a_new_share_begins_at_nothing() {
    let (test, acme, globex, _) = shared().await;
    pulls(&test, &globex, 5, at(1)).await;
    test.flush(at(1)).await.unwrap();
    test.revoke_share(&acme, &repository(WEB), &account("globex"), at(2)).await.unwrap();
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    assert!(usage(&test, &acme, all()).await.is_empty());
    let trail = super::trails::of_kind(&test, &acme, crate::EventKind::ManifestPulled).await;
    assert_eq!(trail.len(), 1, "what was pulled stays in the trail");
}

#[tokio::test]
async fn a_deleted_users_pulls_stay() {
    let (test, acme, _, ci) = shared().await;
    pulls(&test, &ci, 5, at(1)).await;
    test.flush(at(1)).await.unwrap();
    let globex = test.authenticate("globex", &password_of("globex"), None, START).await.unwrap();
    let name = crate::UserName::parse("ci").unwrap();
    test.delete_user(&globex, &account("globex"), &name, at(2)).await.unwrap();
    let days = usage(&test, &acme, all()).await;
    assert_eq!((days[0].user, days[0].login.clone(), days[0].pulls), (ci.user(), None, 1));
    let row = UsageRow {
        day: crate::recorder::day_of(at(1)),
        user: ci.user().unwrap().raw(),
        from: UsedFrom::Unknown,
        node: kv::Id::MIN,
        which: Use::Pulls,
    };
    let share = test.list_shares_by(&acme, None, 1, START).await.unwrap()[0].id;
    let key = Key::ShareUsage { share: share.raw(), row };
    assert_eq!(test.store().counter(key).await.unwrap().1, 1);
}
