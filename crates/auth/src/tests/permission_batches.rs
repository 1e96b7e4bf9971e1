//! Permissions of several users at once: all of them, or none.

use oci::NamespaceName;

use super::{START, TestAuth, repository};
use crate::{Error, Level, PERMISSIONS_AT_ONCE_MAX, PermissionTarget, Principal, Thing, UserId, UserLevel};

fn level(user: &Principal, level: Level) -> UserLevel {
    UserLevel { id: user.user().unwrap(), name: user.user_name().unwrap().clone(), level }
}

async fn levels(test: &TestAuth, acme: &Principal, on: &PermissionTarget) -> Vec<(String, Level)> {
    let found = test.list_permissions(acme, on, None, 10, START).await.unwrap();
    found.into_iter().map(|permission| (permission.user.to_string(), permission.level)).collect()
}

#[tokio::test]
async fn several_are_given_changed_and_taken_away_at_once() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (a, b) = (test.user("a@acme").await, test.user("b@acme").await);
    for on in [
        PermissionTarget::Namespace(NamespaceName::parse("team-a").unwrap()),
        PermissionTarget::Repository(repository("team-a/web")),
    ] {
        test.add_permissions(&acme, &on, &[level(&a, Level::Read), level(&b, Level::Edit)], START)
            .await
            .unwrap();
        let both = [("a".to_owned(), Level::Read), ("b".to_owned(), Level::Edit)];
        assert_eq!(levels(&test, &acme, &on).await, both);
        let ids: Vec<UserId> = test
            .list_permissions(&acme, &on, None, 10, START)
            .await
            .unwrap()
            .iter()
            .map(|p| p.user_id)
            .collect();
        assert_eq!(ids, [a.user().unwrap(), b.user().unwrap()]);
        test.change_permissions(&acme, &on, &[level(&a, Level::Manage)], START).await.unwrap();
        assert_eq!(levels(&test, &acme, &on).await[0].1, Level::Manage);
        test.remove_permissions(&acme, &on, &ids, START).await.unwrap();
        assert!(levels(&test, &acme, &on).await.is_empty());
    }
}

#[tokio::test]
async fn one_that_cannot_be_leaves_all_as_they_were() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (a, b) = (test.user("a@acme").await, test.user("b@acme").await);
    let stranger = test.user("a@globex").await;
    let on = PermissionTarget::Namespace(NamespaceName::parse("team-a").unwrap());
    test.add_permissions(&acme, &on, &[level(&a, Level::Read)], START).await.unwrap();
    let before = [("a".to_owned(), Level::Read)];
    let many: Vec<_> = (0..=PERMISSIONS_AT_ONCE_MAX)
        .map(|_| UserLevel { id: UserId::random(), ..level(&b, Level::Read) })
        .collect();
    let (one, other) = (level(&b, Level::Edit), level(&a, Level::Edit));
    for (users, expected) in [
        (vec![one.clone(), other.clone()], "this permission exists already"),
        (vec![one.clone(), level(&stranger, Level::Edit)], "there is no such user"),
        (vec![one.clone(), one.clone()], "is named twice"),
        (vec![], "no user is named"),
        (many, "there may be at most 100"),
    ] {
        let told = test.add_permissions(&acme, &on, &users, START).await.unwrap_err().to_string();
        assert!(told.contains(expected), "{told}");
        assert_eq!(levels(&test, &acme, &on).await, before);
    }
    let changed = test.change_permissions(&acme, &on, &[other, one.clone()], START).await;
    assert!(matches!(changed, Err(Error::NotFound { what: Thing::Permission })), "{changed:?}");
    let ids = [a.user().unwrap(), b.user().unwrap()];
    let removed = test.remove_permissions(&acme, &on, &ids, START).await;
    assert!(matches!(removed, Err(Error::NotFound { what: Thing::Permission })), "{removed:?}");
    assert_eq!(levels(&test, &acme, &on).await, before);
    for (p, answer) in [(&a, "you may not do this"), (&globex, "there is no such namespace")] {
        let added = test.add_permissions(p, &on, std::slice::from_ref(&one), START).await.unwrap_err();
        let removed = test.remove_permissions(p, &on, &ids[..1], START).await.unwrap_err();
        assert_eq!((added.to_string(), removed.to_string()), (answer.to_owned(), answer.to_owned()));
    }
}

#[tokio::test]
async fn a_name_and_an_id_of_two_users_are_no_user() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (a, b) = (test.user("a@acme").await, test.user("b@acme").await);
    let on = PermissionTarget::Namespace(NamespaceName::parse("team-a").unwrap());
    let mixed = UserLevel { name: a.user_name().unwrap().clone(), ..level(&b, Level::Read) };
    let added = test.add_permissions(&acme, &on, &[mixed], START).await;
    assert!(matches!(added, Err(Error::NotFound { what: Thing::User })), "{added:?}");
}
