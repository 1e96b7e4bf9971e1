//! The list of repositories: who sees which names, and that pages neither lose nor repeat one.

use kv::Key;

use super::{Answer, START, TestAuth, account, at, repository};
use crate::{Denied, Level, Principal, ShareEnd};

/// All pages, each of at most `limit` names.
async fn all(test: &TestAuth, p: &Principal, limit: usize, now: jiff::Timestamp) -> Vec<String> {
    let (mut names, mut after) = (Vec::new(), None);
    for _ in 0..100 {
        let page = test.catalog(p, after.as_deref(), limit, now).await.unwrap();
        assert!(page.names.len() <= limit);
        names.extend(page.names.iter().map(ToString::to_string));
        after = page.next;
        if after.is_none() {
            return names;
        }
    }
    panic!("pages without end");
}

/// acme owns a, a-b, a.b and team-a; globex owns globex; each repository holds a manifest but `a/empty`.
async fn world() -> (TestAuth, Principal, Principal) {
    let (test, acme, globex) = TestAuth::with_acme().await;
    for namespace in ["a", "a-b", "a.b"] {
        test.namespace(&acme, namespace).await;
        for path in ["x", "y"] {
            let name = format!("{namespace}/{path}");
            let id = test.repository(&acme, &name).await;
            test.list(&name, id).await;
        }
    }
    test.repository(&acme, "a/empty").await;
    test.namespace(&globex, "globex").await;
    for (name, public) in [("globex/open", true), ("globex/closed", false), ("globex/shared", false)] {
        let id = test.repository(&globex, name).await;
        test.list(name, id).await;
        if public {
            test.publish(&globex, name).await;
        }
    }
    test.share(&globex, "globex/shared", "acme", ShareEnd::Until(at(60))).await;
    (test, acme, globex)
}

#[tokio::test]
async fn pages_of_every_size_hold_each_name_once_in_byte_order() {
    let (test, acme, globex) = world().await;
    let own = ["a-b/x", "a-b/y", "a.b/x", "a.b/y", "a/x", "a/y"];
    let expected = [own.as_slice(), &["globex/open", "globex/shared"]].concat();
    for limit in [1, 2, 3, 5, 7, 8, 9, 1000, usize::MAX] {
        assert_eq!(all(&test, &acme, limit, START).await, expected, "{limit}");
    }
    let later = [own.as_slice(), &["globex/open"]].concat();
    assert_eq!(all(&test, &acme, 3, at(60)).await, later, "the share has ended");
    assert_eq!(all(&test, &globex, 3, START).await, ["globex/closed", "globex/open", "globex/shared"]);
    let page = test.catalog(&acme, None, 0, START).await.unwrap();
    assert_eq!((page.names.len(), page.next), (0, None));
    let page = test.catalog(&acme, None, 8, START).await.unwrap();
    assert_eq!((page.names.len(), page.next), (8, None), "the last page is known to be the last");
    for after in ["a/x", "a/x\u{0}", "a/xa"] {
        let page = test.catalog(&acme, Some(after), 1, START).await.unwrap();
        assert_eq!(page.names[0].as_str(), "a/y", "{after:?}");
    }
    for after in ["zzz", &"z".repeat(5000), &"é".repeat(5000)] {
        assert_eq!(test.catalog(&acme, Some(after), 1, START).await.unwrap().names, []);
    }
}

#[tokio::test]
async fn users_see_what_their_permissions_reach() {
    let (test, acme, _) = world().await;
    let dev = test.user("dev@acme").await;
    assert_eq!(all(&test, &dev, 2, START).await, ["globex/open", "globex/shared"]);
    test.permit(&acme, "a", "dev", Level::Read).await;
    test.permit(&acme, "a-b/y", "dev", Level::Read).await;
    test.permit(&acme, "a/x", "dev", Level::Edit).await;
    let expected = ["a-b/y", "a/x", "a/y", "globex/open", "globex/shared"];
    for limit in 1..7 {
        assert_eq!(all(&test, &dev, limit, START).await, expected, "{limit}");
    }
}

#[tokio::test]
async fn strangers_and_narrowed_credentials_see_less() {
    let (test, acme, _) = world().await;
    let third = test.account("initech").await;
    assert_eq!(all(&test, &third, 2, START).await, ["globex/open"]);
    assert_eq!(all(&test, &test.admin, 2, START).await, ["globex/open"]);
    let scope: &[&str] = &["repository:a/x:pull", "repository:a/y:push", "repository:a-b/*:pull"];
    let (_, secret) = test.personal_token(&acme, 60, Some(scope)).await;
    let narrowed = test.authenticate("acme", &secret, None, START).await.unwrap();
    for limit in 1..4 {
        let seen = all(&test, &narrowed, limit, START).await;
        assert_eq!(seen, ["a-b/x", "a-b/y", "a/x", "globex/open"], "{limit}");
    }
}

#[tokio::test]
async fn the_list_needs_its_own_scope() {
    let (test, acme, _) = world().await;
    let nobody = Principal::anonymous();
    assert!(matches!(test.catalog(&nobody, None, 1, START).await, Err(Denied::Unauthenticated)));
    let without = test.by_token(&acme, &["repository:a/x:pull"], START).await;
    match test.catalog(&without, None, 1, START).await {
        Err(Denied::InsufficientScope { needed }) => {
            assert_eq!(super::texts(&needed), ["registry:catalog:*"])
        }
        other => panic!("{other:?}"),
    }
    let with = test.by_token(&acme, &["registry:catalog:*"], START).await;
    assert_eq!(all(&test, &with, 100, START).await.len(), 8);
    assert!(matches!(test.may(&with, "a/x", crate::Action::Pull, START).await, Answer::Scope(_)));
    let with = test.by_token(&nobody, &["registry:catalog:*"], START).await;
    assert_eq!(all(&test, &with, 100, START).await, ["globex/open"]);
}

#[tokio::test]
async fn what_is_gone_is_listed_no_more() {
    let (test, acme, globex) = world().await;
    test.delete_repository(&acme, &repository("a/x"), START).await.unwrap();
    test.revoke_share(&globex, &repository("globex/shared"), &account("acme"), START).await.unwrap();
    test.set_visibility(&globex, &repository("globex/open"), crate::Visibility::Private, START)
        .await
        .unwrap();
    assert_eq!(all(&test, &acme, 10, START).await, ["a-b/x", "a-b/y", "a.b/x", "a.b/y", "a/y"]);
}

/// All names that are shared with `globex`, as its list of shares has them.
async fn named(test: &TestAuth, p: &Principal, limit: usize) -> Vec<String> {
    let (mut names, mut after) = (Vec::new(), None);
    for _ in 0..100 {
        let found = test.find_shares_with(p, |_| true, after.as_ref(), limit).await.unwrap();
        assert!(found.shares.len() <= limit);
        names.extend(found.shares.iter().map(|share| share.repository.to_string()));
        after = found.next;
        if after.is_none() {
            return names;
        }
    }
    panic!("pages without end");
}

/// acme shares forty images with globex, most of them after others of the same name that are deleted, and every fifth is
/// deleted too. Nothing that is dead is removed.
async fn shared_world() -> (TestAuth, Principal, Vec<String>) {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let mut open = Vec::new();
    for at in 0..40 {
        let name = format!("team-a/{at:02}");
        let shared = async || {
            let id = test.repository(&acme, &name).await;
            test.list(&name, id).await;
            test.share(&acme, &name, "globex", ShareEnd::Permanent).await;
        };
        for _ in 0..at % 4 {
            shared().await;
            test.delete_repository(&acme, &repository(&name), START).await.unwrap();
        }
        shared().await;
        if at % 5 == 0 {
            test.delete_repository(&acme, &repository(&name), START).await.unwrap();
        } else {
            open.push(name);
        }
    }
    (test, globex, open)
}

#[tokio::test]
async fn what_is_shared_is_paged_by_name_however_much_of_it_is_dead() {
    let (test, globex, open) = shared_world().await;
    for limit in (1..35).chain([1000]) {
        assert_eq!(all(&test, &globex, limit, START).await, open, "{limit}");
        assert_eq!(named(&test, &globex, limit).await, open, "{limit}");
    }
}

#[tokio::test]
async fn a_page_looks_at_as_many_shares_as_it_holds() {
    let (test, globex, open) = shared_world().await;
    let key =
        Key::SharedName { grantee: globex.account().unwrap().raw(), name: "team-a/2", share: kv::Id::MIN };
    // Records that are torn are an error: those that no page of five comes to.
    let rows = test.store().list(key.siblings_after(test.store().region()), 100).await.unwrap();
    let mut torn = test.store().transaction();
    for (row, _) in rows {
        let share = kv::Id::from_tail(&row[row.len() - 8..]).unwrap();
        torn.put_bytes(Key::Share { share }, b"torn".to_vec());
    }
    test.store().commit(torn).await.unwrap();
    assert_eq!(test.catalog(&globex, None, 5, START).await.unwrap().names.len(), 5);
    assert!(
        test.catalog(&globex, Some(&open[9]), 30, START).await.is_err(),
        "or the test would show nothing"
    );
}

#[tokio::test]
async fn lists_of_an_older_store_are_moved_and_stay() {
    let (test, globex, open) = shared_world().await;
    let (store, grantee) = (test.store(), globex.account().unwrap().raw());
    let by_id = Key::SharedWith { grantee, share: kv::Id::MIN };
    let by_name = Key::SharedName { grantee, name: "", share: kv::Id::MIN };
    let rows = async |key: Key<'_>| store.list(key.siblings(store.region()), 1000).await.unwrap();
    let (mut older, ids, names) = (store.transaction(), rows(by_id).await, rows(by_name).await);
    for (row, entry) in &ids {
        let share = by_id.tail(store.region(), row).unwrap();
        let former = [grantee.get().to_be_bytes().as_slice(), share].concat();
        older.put_bytes(Key::FormerSharedWith { row: &former }, entry.value.to_vec());
    }
    for (row, _) in ids.iter().chain(&names) {
        older.delete_encoded(row.clone());
    }
    store.commit(older).await.unwrap();
    assert!(all(&test, &globex, 10, START).await.is_empty());
    for _ in 0..2 {
        test.move_received_shares_once().await.unwrap();
        let keys = |rows: Vec<(Vec<u8>, kv::Entry)>| rows.into_iter().map(|(row, _)| row).collect::<Vec<_>>();
        assert_eq!(keys(rows(by_id).await), keys(ids.clone()));
        assert_eq!(keys(rows(by_name).await), keys(names.clone()));
        assert!(rows(Key::FormerSharedWith { row: &[] }).await.is_empty());
    }
    assert_eq!(named(&test, &globex, 10).await, open);
}
