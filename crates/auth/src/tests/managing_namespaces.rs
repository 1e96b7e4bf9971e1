//! Namespaces and the permissions on them.

use kv::{Key, Target};
use oci::NamespaceName;

use super::{START, TestAuth, account, at, cheap_settings, repository};
use crate::{Error, Level, NewRepository, PermissionTarget, Principal, Settings, Thing, UserName};

const DAY: i64 = 24 * 60 * 60;

fn namespace(name: &str) -> NamespaceName {
    NamespaceName::parse(name).unwrap()
}

fn user(name: &str) -> UserName {
    UserName::parse(name).unwrap()
}

#[tokio::test]
async fn an_account_makes_its_namespaces_itself() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let dev = test.user("dev@acme").await;
    let by_user = test.create_namespace(&dev, &namespace("team-b"), START).await;
    assert!(matches!(by_user, Err(Error::Forbidden)), "{by_user:?}");
    let nobody = test.create_namespace(&Principal::anonymous(), &namespace("team-b"), START).await;
    assert!(matches!(nobody, Err(Error::Unauthenticated)), "{nobody:?}");
    for p in [&acme, &globex] {
        let again = test.create_namespace(p, &namespace("team-a"), START).await;
        assert!(matches!(again, Err(Error::Exists { what: Thing::Namespace })), "{again:?}");
    }
}

#[tokio::test]
async fn who_has_a_permission_within_sees_a_namespace() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.namespace(&acme, "team-a-b").await;
    let (whole, one, none) =
        (test.user("whole@acme").await, test.user("one@acme").await, test.user("none@acme").await);
    test.permit(&acme, "team-a", "whole", Level::Read).await;
    test.permit(&acme, "team-a/web", "one", Level::Read).await;
    for (p, seen) in [(&acme, 2), (&whole, 1), (&one, 1), (&none, 0), (&globex, 0), (&test.admin, 0)] {
        let list = test.list_namespaces(p, None, 10, START).await.unwrap();
        assert_eq!(list.len(), seen, "{}", p.name());
        let shown = test.show_namespace(p, &namespace("team-a"), START).await;
        match shown {
            Ok(shown) => assert!(seen > 0 && shown.account == account("acme"), "{}", p.name()),
            Err(Error::NotFound { what: Thing::Namespace }) => assert_eq!(seen, 0, "{}", p.name()),
            Err(other) => panic!("{other}"),
        }
    }
    let page = test.list_namespaces(&acme, Some("team-a"), 10, START).await.unwrap();
    assert_eq!(page[0].name, namespace("team-a-b"));
    for (p, level) in [(&acme, Some(Level::Manage)), (&whole, Some(Level::Read)), (&one, None)] {
        let shown = test.show_namespace(p, &namespace("team-a"), START).await.unwrap();
        let listed = test.list_namespaces(p, None, 1, START).await.unwrap();
        assert_eq!((shown.level, listed[0].level), (level, level), "{}", p.name());
    }
}

#[tokio::test]
async fn an_empty_namespace_is_deleted_and_its_name_reserved() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (editor, manager) = (test.user("editor@acme").await, test.user("manager@acme").await);
    test.permit(&acme, "team-a", "editor", Level::Edit).await;
    test.permit(&acme, "team-a", "manager", Level::Manage).await;
    let name = namespace("team-a");
    let old = test.show_namespace(&acme, &name, START).await.unwrap().id.raw();
    assert!(matches!(test.delete_namespace(&editor, &name, START).await, Err(Error::Forbidden)));
    let other = test.delete_namespace(&globex, &name, START).await;
    assert!(matches!(other, Err(Error::NotFound { what: Thing::Namespace })), "{other:?}");
    let full = test.delete_namespace(&manager, &name, START).await;
    assert!(matches!(full, Err(Error::NotEmpty { what: Thing::Namespace })), "{full:?}");
    test.delete_repository(&acme, &repository("team-a/web"), START).await.unwrap();
    test.delete_namespace(&manager, &name, START).await.unwrap();
    let gone = test.show_namespace(&acme, &name, START).await;
    assert!(matches!(gone, Err(Error::NotFound { .. })), "{gone:?}");
    for key in [
        Key::PermissionOn { target: Target::Namespace(old), user: kv::Id::MIN },
        Key::Permission { user: manager.user().unwrap().raw(), target: Target::Namespace(kv::Id::MIN) },
        Key::NamespaceOf { account: acme.account().unwrap().raw(), name: "" },
        Key::NamespaceRepositories { namespace: kv::Id::MIN },
    ] {
        let rows = test.store().list(key.siblings(test.region()), 9).await.unwrap();
        assert!(rows.is_empty(), "{key:?}");
    }

    let stranger = test.create_namespace(&globex, &name, at(90 * DAY - 1)).await;
    assert!(matches!(stranger, Err(Error::Reserved { what: Thing::Namespace, .. })), "{stranger:?}");
    // Its own account may have it back; the permissions on the old one do not come with it.
    test.create_namespace(&acme, &name, at(1)).await.unwrap();
    let on = PermissionTarget::Namespace(name.clone());
    assert!(test.list_permissions(&acme, &on, None, 10, START).await.unwrap().is_empty());
    assert!(test.list_namespaces(&manager, None, 10, START).await.unwrap().is_empty());

    test.delete_namespace(&acme, &name, at(2)).await.unwrap();
    test.create_namespace(&globex, &name, at(2 + 90 * DAY)).await.unwrap();
}

#[tokio::test]
async fn an_administrator_frees_a_reserved_name() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.namespace(&acme, "team-b").await;
    let name = namespace("team-b");
    let held = test.free_namespace_name(&test.admin, &name, START).await;
    assert!(matches!(held, Err(Error::Exists { .. })), "{held:?}");
    test.delete_namespace(&acme, &name, START).await.unwrap();
    assert!(matches!(test.free_namespace_name(&acme, &name, START).await, Err(Error::Forbidden)));
    test.free_namespace_name(&test.admin, &name, START).await.unwrap();
    test.create_namespace(&globex, &name, START).await.unwrap();
}

#[tokio::test]
async fn only_who_manages_sets_permissions() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (editor, manager) = (test.user("editor@acme").await, test.user("manager@acme").await);
    test.user("dev@acme").await;
    test.user("dev@globex").await;
    test.permit(&acme, "team-a", "editor", Level::Edit).await;
    test.permit(&acme, "team-a/web", "manager", Level::Manage).await;
    let whole = PermissionTarget::Namespace(namespace("team-a"));
    let one = PermissionTarget::Repository(repository("team-a/web"));
    for (p, on, answer) in [
        (&editor, &whole, "you may not do this"),
        (&editor, &one, "you may not do this"),
        (&manager, &whole, "you may not do this"),
        (&globex, &whole, "there is no such namespace"),
        (&globex, &one, "there is no such repository"),
        (&test.admin, &one, "there is no such repository"),
    ] {
        let set = test.set_permission(p, on, &user("dev"), Level::Read, START).await.unwrap_err();
        assert_eq!(set.to_string(), answer, "{} on {on}", p.name());
        let removed = test.remove_permission(p, on, &user("editor"), START).await.unwrap_err();
        assert_eq!(removed.to_string(), answer, "{} on {on}", p.name());
        let listed = test.list_permissions(p, on, None, 10, START).await.unwrap_err();
        assert_eq!(listed.to_string(), answer, "{} on {on}", p.name());
    }
    let set = test.set_permission(&manager, &one, &user("dev"), Level::Edit, START).await.unwrap();
    assert_eq!(set.login(), "dev@acme");
    let list = test.list_permissions(&manager, &one, None, 10, START).await.unwrap();
    let list: Vec<_> = list.iter().map(|p| (p.user.as_str(), p.level)).collect();
    assert_eq!(list, [("dev", Level::Edit), ("manager", Level::Manage)]);
    let rest = test.list_permissions(&manager, &one, Some("dev"), 10, START).await.unwrap();
    assert_eq!(rest.len(), 1);

    test.remove_permission(&manager, &one, &user("dev"), START).await.unwrap();
    let again = test.remove_permission(&manager, &one, &user("dev"), START).await;
    assert!(matches!(again, Err(Error::NotFound { what: Thing::Permission })), "{again:?}");
    let stranger = test.set_permission(&acme, &one, &user("missing"), Level::Read, START).await;
    assert!(matches!(stranger, Err(Error::NotFound { what: Thing::User })), "{stranger:?}");
}

#[tokio::test]
async fn a_permission_on_a_name_without_a_repository_makes_it_for_the_first_push() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (dev, editor) = (test.user("dev@acme").await, test.user("editor@acme").await);
    test.permit(&acme, "team-a", "editor", Level::Edit).await;
    let new = PermissionTarget::Repository(repository("team-a/new"));
    // Neither who does not manage the namespace makes one, nor a permission for nobody.
    for (p, name) in [(&globex, "dev"), (&editor, "dev"), (&test.admin, "dev"), (&acme, "missing")] {
        let set = test.set_permission(p, &new, &user(name), Level::Edit, START).await;
        assert!(matches!(set, Err(Error::NotFound { .. })), "{} for {name}: {set:?}", p.name());
    }
    let missing = test.show_repository(&acme, &repository("team-a/new"), START).await;
    assert!(matches!(missing, Err(Error::NotFound { .. })), "{missing:?}");

    test.set_permission(&acme, &new, &user("dev"), Level::Edit, START).await.unwrap();
    let made = test.show_repository(&dev, &repository("team-a/new"), START).await.unwrap();
    assert_eq!(made.visibility, crate::Visibility::Private);
    let access = test.authorize_push(&dev, &repository("team-a/new"), START).await.unwrap();
    assert!(matches!(access, crate::PushAccess::Existing(_)));
}

#[tokio::test]
async fn an_account_has_so_many_namespaces_and_no_more() {
    let test = TestAuth::with(Settings { namespaces_max: 3, ..cheap_settings() }).await;
    let acme = test.account("acme").await;
    let tasks: Vec<_> = (0..12)
        .map(|number| {
            let (auth, acme) = (test.auth.clone(), acme.clone());
            tokio::spawn(async move {
                auth.create_namespace(&acme, &namespace(&format!("team-{number}")), START).await
            })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => made += 1,
            Err(Error::Limit { max: 3, .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(made, 3);
    assert_eq!(test.list_namespaces(&acme, None, 10, START).await.unwrap().len(), 3);
}

#[tokio::test]
async fn no_repository_is_left_without_its_namespace() {
    for _ in 0..200 {
        let test = TestAuth::new().await;
        let acme = test.account("acme").await;
        test.namespace(&acme, "team-a").await;
        let (auth, p) = (test.auth.clone(), acme.clone());
        let creation = tokio::spawn(async move {
            auth.create_repository(&p, &repository("team-a/web"), &NewRepository::default(), START)
                .await
                .is_ok()
        });
        let (auth, p) = (test.auth.clone(), acme.clone());
        let deletion =
            tokio::spawn(async move { auth.delete_namespace(&p, &namespace("team-a"), START).await.is_ok() });
        assert_ne!(creation.await.unwrap(), deletion.await.unwrap(), "exactly one of them is done");
    }
}
