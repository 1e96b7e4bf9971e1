//! The audit trail: each change leaves one event in its account's, and old ones are removed in batches.

use jiff::Timestamp;
use kv::Key;

use super::{START, TestAuth, account, at, repository};
use crate::{Actor, Event, EventKind, Level, PermissionTarget, Principal, ShareEnd, UserName, Visibility};

async fn trail(test: &TestAuth, p: &Principal) -> Vec<Event> {
    let key = Key::Event { account: p.account().unwrap().raw(), time_ms: 0, event: kv::Id::MIN };
    let rows = test.store().list(key.siblings(test.region()), 1_000).await.unwrap();
    rows.iter().map(|(_, entry)| kv::decode(key, entry).unwrap().value).collect()
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
    assert_eq!(trail(&test, &globex).await.len(), 1, "its creation");
}

#[tokio::test]
async fn what_is_refused_leaves_no_event() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let before = trail(&test, &acme).await.len();
    let name = repository("team-a/web");
    assert!(test.delete_repository(&globex, &name, START).await.is_err());
    assert!(test.set_visibility(&globex, &name, Visibility::Public, START).await.is_err());
    assert!(test.create_repository(&acme, &name, START).await.is_err());
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
        assert_eq!(kinds.len(), 1, "what is not old stays");
    }
    assert_eq!(test.trim_events(START, 0).await.unwrap(), 0);
}
