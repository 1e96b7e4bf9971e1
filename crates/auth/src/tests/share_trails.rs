//! What happens to a share stands in both trails, its owner's and its grantee's; once, and to each what it may know.

use std::time::Duration;

use jiff::Timestamp;
use kv::Key;

use super::{START, TestAuth, account, at, repository};
use crate::notices::{NoticeKind, NoticeRecord};
use crate::{
    Description, Error, Level, Principal, ShareChange, ShareEnd, ShareTags, TagPatterns, Visibility,
};

const WEB: &str = "team-a/web";
const DAY: i64 = 24 * 60 * 60;

/// The events of shares in a trail, oldest first.
async fn of_shares(test: &TestAuth, p: &Principal) -> Vec<String> {
    let events = super::trails::trail(test, p).await;
    let of_shares = events.iter().filter(|event| event.kind.as_str().starts_with("share_"));
    let line = |event: &crate::Event| {
        let from = event.actor.address.map(|from| format!(" from {from}")).unwrap_or_default();
        format!("{} {} by {}{from}", event.kind.as_str(), event.detail, event.actor.name)
    };
    of_shares.map(line).collect()
}

/// What is in the outbox.
async fn told(test: &TestAuth) -> Vec<NoticeKind> {
    let key = Key::Notice { notice: kv::Id::MIN };
    let rows = test.store().list(key.siblings(test.region()), 1_000).await.unwrap();
    rows.iter().map(|(_, entry)| kv::decode::<NoticeRecord>(key, entry).unwrap().value.kind).collect()
}

async fn change(test: &TestAuth, p: &Principal, change: ShareChange, now: Timestamp) {
    test.update_share(p, &repository(WEB), &account("globex"), change, now).await.unwrap();
}

/// Who manages the image from an address, and somebody else who does.
async fn managers(test: &TestAuth, acme: &Principal) -> (Principal, Principal) {
    let mut managers = Vec::new();
    for (name, from) in [("maker", "192.0.2.1"), ("other", "192.0.2.2")] {
        let user = test.user(&format!("{name}@acme")).await;
        test.permit(acme, WEB, name, Level::Manage).await;
        managers.push(user.coming_from(Some(from.parse().unwrap())));
    }
    (managers.remove(0), managers.remove(0))
}

#[tokio::test]
async fn both_sides_have_what_happens_to_a_share_and_the_grantee_no_more_than_it_may_know() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (maker, other) = managers(&test, &acme).await;
    test.share(&maker, WEB, "globex", ShareEnd::Until(at(10 * DAY))).await;
    let longer = ShareChange {
        end: Some(ShareEnd::Until(at(20 * DAY))),
        description: Some(Description::parse("a pilot").unwrap()),
        ..ShareChange::default()
    };
    change(&test, &other, longer, at(1)).await;
    for now in [at(17 * DAY), at(20 * DAY)] {
        test.tell_due_shares(now, 9).await.unwrap();
    }
    test.revoke_share(&maker, &repository(WEB), &account("globex"), at(20 * DAY)).await.unwrap();

    let (first, second) = (at(10 * DAY), at(20 * DAY));
    let expected = |maker: &str, other: &str| {
        [
            format!("share_created with globex until {first} by {maker}"),
            format!("share_updated with globex until {second}; changed: deadline, description by {other}"),
            format!("share_ending with globex until {second} by gangplank"),
            format!("share_ended with globex until {second} by gangplank"),
            format!("share_revoked with globex by {maker}"),
        ]
    };
    let of_owner = expected("maker@acme from 192.0.2.1", "other@acme from 192.0.2.2");
    assert_eq!(of_shares(&test, &acme).await, of_owner);
    assert_eq!(of_shares(&test, &globex).await, expected("maker@acme", "acme"));
}

#[tokio::test]
async fn who_leaves_a_share_is_in_both_trails_once() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    let id = test.list_shares_with(&globex, None, 9, START).await.unwrap()[0].id;
    let globex = globex.coming_from(Some("192.0.2.7".parse().unwrap()));
    test.leave_share(&globex, id, at(1)).await.unwrap();
    for p in [&acme, &globex] {
        let last = of_shares(&test, p).await.split_off(1);
        assert_eq!(last, ["share_left with globex by globex from 192.0.2.7"]);
    }
}

#[tokio::test]
async fn an_images_deletion_or_publication_is_an_event_for_each_share_that_was_open() {
    for deletes in [true, false] {
        let (test, acme, globex) = TestAuth::with_acme().await;
        let initech = test.account("initech").await;
        let (maker, other) = managers(&test, &acme).await;
        test.share(&maker, WEB, "globex", ShareEnd::Permanent).await;
        test.share(&maker, WEB, "initech", ShareEnd::Until(at(5))).await;
        let name = repository(WEB);
        let id = test.show_repository(&acme, &name, START).await.unwrap().id;
        if deletes {
            test.delete_repository(&other, &name, at(10)).await.unwrap();
            while !test.reap_repository(id, 9).await.unwrap() {}
        } else {
            test.set_visibility(&other, &name, Visibility::Public, at(10)).await.unwrap();
        }
        let revoked = async |p: &Principal| {
            let mut events = of_shares(&test, p).await;
            events.retain(|event| event.starts_with("share_revoked"));
            events
        };
        let of_owner = ["share_revoked with globex by other@acme from 192.0.2.2"];
        assert_eq!(revoked(&acme).await, of_owner, "{deletes}");
        assert_eq!(revoked(&globex).await, ["share_revoked with globex by acme"], "{deletes}");
        assert_eq!(revoked(&initech).await, [""; 0], "it had ended: {deletes}");
    }
}

#[tokio::test]
async fn a_grantees_deletion_tells_of_its_open_shares_alone() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.repository(&acme, "team-a/api").await;
    test.share(&acme, WEB, "globex", ShareEnd::Until(at(5))).await;
    test.share(&acme, "team-a/api", "globex", ShareEnd::Permanent).await;
    let before = told(&test).await.len();
    test.delete_account(&test.admin, &account("globex"), at(10)).await.unwrap();
    assert_eq!(told(&test).await[before..], [NoticeKind::ShareRevoked]);
    for p in [&acme, &globex] {
        let last = of_shares(&test, p).await.split_off(2);
        assert_eq!(last, ["share_revoked with globex by admin"]);
    }
    let rows = Key::Share { share: kv::Id::MIN }.siblings(test.region());
    assert!(test.store().list(rows, 9).await.unwrap().is_empty(), "the ended one is gone, too");
}

#[tokio::test]
async fn a_change_says_what_it_changes_and_one_that_changes_nothing_is_no_event_and_no_notice() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.share(&acme, WEB, "globex", ShareEnd::Until(at(60))).await;
    let before = (told(&test).await.len(), of_shares(&test, &globex).await.len());
    let shown = async || test.show_share(&acme, &repository(WEB), &account("globex"), at(1)).await.unwrap();
    let made = shown().await;
    let same = ShareChange {
        end: Some(ShareEnd::Until(at(60))),
        tags: Some(ShareTags::All),
        description: Some(Description::default()),
        notice_before: Some(Duration::from_secs(made.notice_before_seconds)),
    };
    change(&test, &acme, same, at(1)).await;
    assert_eq!((told(&test).await.len(), of_shares(&test, &acme).await.len()), before);
    assert_eq!(shown().await, made, "not even when it was changed");

    let tags = ShareTags::Matching(TagPatterns::parse(["v1.*"]).unwrap());
    let none = ShareChange::default();
    for (changed, words) in [
        (ShareChange { end: Some(ShareEnd::Permanent), ..none.clone() }, "permanent; changed: deadline"),
        (ShareChange { notice_before: Some(Duration::ZERO), ..none.clone() }, "permanent; changed: notice"),
        (ShareChange { tags: Some(tags), ..none }, "permanent, tags v1.*; changed: tags"),
    ] {
        let (name, grantee) = (repository(WEB), account("globex"));
        let update = || test.update_share(&acme, &name, &grantee, changed.clone(), at(2));
        super::shared_tags::counted(&test, update).await.unwrap();
        let last = of_shares(&test, &globex).await.pop().unwrap();
        assert_eq!(last, format!("share_updated with globex {words} by acme"));
    }
}

#[tokio::test]
async fn there_is_no_notice_of_an_end_that_a_share_does_not_have() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    let update = async |end, seconds| {
        let notice_before = Some(Duration::from_secs(seconds));
        let change = ShareChange { end, notice_before, ..ShareChange::default() };
        test.update_share(&acme, &repository(WEB), &account("globex"), change, START).await
    };
    for end in [None, Some(ShareEnd::Permanent)] {
        for seconds in [60, 3 * 86_400] {
            let refused = update(end, seconds).await;
            assert!(
                matches!(refused, Err(Error::Invalid { field: "notice_before_seconds", .. })),
                "{refused:?}"
            );
        }
        update(end, 0).await.unwrap();
    }
    let given = update(Some(ShareEnd::Until(at(DAY))), 60).await.unwrap();
    assert_eq!(given.notice_before_seconds, 60);
}
