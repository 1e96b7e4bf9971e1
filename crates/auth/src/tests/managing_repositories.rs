//! Repositories: who makes, lists, describes, publishes and deletes them, and what a deletion leaves.

use kv::{Key, Target, Usage};
use oci::NamespaceName;

use super::{Answer, START, TestAuth, account, repository};
use crate::{
    Action, Category, Description, DetailsChange, Error, Level, NewRepository, Principal, RepositoryLife,
    ShareEnd, Thing, Visibility,
};

/// All names that `p` is listed, in pages of `limit`.
async fn names(test: &TestAuth, p: &Principal, within: Option<&str>, limit: usize) -> Vec<String> {
    let within = within.map(|name| NamespaceName::parse(name).unwrap());
    let mut names: Vec<String> = Vec::new();
    loop {
        let after = names.last().cloned();
        let page = test
            .list_repositories(p, within.as_ref(), crate::Which::All, after.as_deref(), limit)
            .await
            .unwrap();
        assert!(page.len() <= limit);
        if page.is_empty() {
            return names;
        }
        names.extend(page.iter().map(|repository| repository.name.to_string()));
    }
}

#[tokio::test]
async fn a_repository_is_made_with_all_that_is_said_of_it_or_not_at_all() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (editor, manager) = (test.user("editor@acme").await, test.user("manager@acme").await);
    test.permit(&acme, "team-a", "editor", Level::Edit).await;
    test.permit(&acme, "team-a", "manager", Level::Manage).await;
    let described =
        |text: &str| DetailsChange { description: Some(Description::parse(text).unwrap()), category: None };
    let public = NewRepository { visibility: Visibility::Public, ..NewRepository::default() };
    let told = NewRepository { details: described("hello"), ..NewRepository::default() };
    let sorted = DetailsChange { category: Some(Category::parse("database").unwrap()), description: None };
    let sorted = NewRepository { details: sorted, ..NewRepository::default() };
    let name = repository("team-a/new");
    for new in [&public, &told, &sorted] {
        let refused = test.create_repository(&editor, &name, new, START).await;
        assert!(matches!(refused, Err(Error::Forbidden)), "{refused:?}");
        let shown = test.show_repository(&acme, &name, START).await;
        assert!(matches!(shown, Err(Error::NotFound { .. })), "{shown:?}");
    }
    let all = NewRepository { details: described("hello"), visibility: Visibility::Public };
    let made = test.create_repository(&manager, &name, &all, START).await.unwrap();
    assert_eq!((made.visibility, made.description.as_str()), (Visibility::Public, "hello"));
    assert_eq!(test.show_repository(&Principal::anonymous(), &name, START).await.unwrap(), made);
    // Everybody finds it, once it holds a manifest, as what was made public later.
    test.list("team-a/new", made.id).await;
    let seen = test.catalog(&globex, None, 9, START).await.unwrap();
    assert!(seen.names.iter().any(|seen| seen.as_str() == name.as_str()), "{seen:?}");
    // Made private, it is like any other.
    test.set_visibility(&acme, &name, Visibility::Private, START).await.unwrap();
    let shown = test.show_repository(&Principal::anonymous(), &name, START).await;
    assert!(shown.is_err(), "{shown:?}");
}

#[tokio::test]
async fn who_may_push_makes_repositories() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (reader, editor) = (test.user("reader@acme").await, test.user("editor@acme").await);
    test.permit(&acme, "team-a", "reader", Level::Read).await;
    test.permit(&acme, "team-a", "editor", Level::Edit).await;
    let name = repository("team-a/api/v1");
    for (p, answer) in [
        (&Principal::anonymous(), "sign in first"),
        (&reader, "you may not do this"),
        (&globex, "there is no such namespace"),
        (&test.admin, "there is no such namespace"),
    ] {
        assert_eq!(
            test.create_repository(p, &name, &NewRepository::default(), START).await.unwrap_err().to_string(),
            answer
        );
    }
    let missing =
        test.create_repository(&acme, &repository("team-b/web"), &NewRepository::default(), START).await;
    assert!(matches!(missing, Err(Error::NotFound { what: Thing::Namespace })), "{missing:?}");
    let made = test.create_repository(&editor, &name, &NewRepository::default(), START).await.unwrap();
    assert_eq!((made.account, made.visibility), (account("acme"), Visibility::Private));
    let again = test.create_repository(&acme, &name, &NewRepository::default(), START).await;
    assert!(matches!(again, Err(Error::Exists { what: Thing::Repository })), "{again:?}");
}

#[tokio::test]
async fn lists_hold_what_may_be_pulled_once() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.namespace(&acme, "team-a-b").await;
    test.namespace(&acme, "team-c").await;
    for name in ["team-a/api", "team-a/web-2", "team-a-b/web", "team-c/web"] {
        test.repository(&acme, name).await;
    }
    let (whole, one) = (test.user("whole@acme").await, test.user("one@acme").await);
    test.permit(&acme, "team-a-b", "whole", Level::Read).await;
    test.permit(&acme, "team-a/web", "whole", Level::Read).await;
    test.permit(&acme, "team-a/web", "one", Level::Manage).await;
    let (_, token) = test.personal_token(&acme, 60, Some(&["repository:team-a/*:pull"])).await;
    let narrowed = test.authenticate_personal_token(&token, None, START).await.unwrap();
    let all = ["team-a/api", "team-a/web", "team-a/web-2", "team-a-b/web", "team-c/web"];
    for limit in 1..=6 {
        assert_eq!(names(&test, &acme, None, limit).await, all);
        assert_eq!(names(&test, &acme, Some("team-a"), limit).await, all[..3]);
        assert_eq!(names(&test, &whole, None, limit).await, ["team-a/web", "team-a-b/web"]);
        assert_eq!(names(&test, &one, Some("team-a"), limit).await, ["team-a/web"]);
        assert_eq!(names(&test, &narrowed, None, limit).await, all[..3]);
        assert!(names(&test, &globex, None, limit).await.is_empty());
    }
    let foreign = NamespaceName::parse("team-a").unwrap();
    for p in [&globex, &test.admin] {
        let list = test.list_repositories(p, Some(&foreign), crate::Which::All, None, 9).await;
        assert!(matches!(list, Err(Error::NotFound { what: Thing::Namespace })), "{list:?}");
    }
    let nobody = test.list_repositories(&Principal::anonymous(), None, crate::Which::All, None, 9).await;
    assert!(matches!(nobody, Err(Error::Unauthenticated)), "{nobody:?}");
}

#[tokio::test]
async fn only_who_manages_changes_what_is_said_and_who_sees() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (editor, none) = (test.user("editor@acme").await, test.user("none@acme").await);
    test.permit(&acme, "team-a", "editor", Level::Edit).await;
    test.share(&acme, "team-a/web", "globex", ShareEnd::Permanent).await;
    let (name, text) = (repository("team-a/web"), Description::parse("the shop").unwrap());
    for (p, answer) in [
        (&editor, "you may not do this"),
        (&globex, "you may not do this"),
        (&none, "there is no such repository"),
        (&test.admin, "there is no such repository"),
    ] {
        let described = test.set_description(p, &name, &text, START).await.unwrap_err();
        let published = test.set_visibility(p, &name, Visibility::Public, START).await.unwrap_err();
        let deleted = test.delete_repository(p, &name, START).await.unwrap_err();
        for error in [described, published, deleted] {
            assert_eq!(error.to_string(), answer, "{}", p.name());
        }
    }
    test.set_description(&acme, &name, &text, START).await.unwrap();
    for p in [&acme, &editor, &globex] {
        assert_eq!(test.show_repository(p, &name, START).await.unwrap().description, text);
    }
    let hidden = test.show_repository(&none, &name, START).await;
    assert!(matches!(hidden, Err(Error::NotFound { what: Thing::Repository })), "{hidden:?}");

    // Each part of the details changes by itself.
    let sorted = DetailsChange { category: Some(Category::Database), ..DetailsChange::default() };
    let sorted = test.change_details(&acme, &name, &sorted, START).await.unwrap();
    assert_eq!((sorted.description, sorted.category), (text.clone(), Category::Database));
    test.set_description(&acme, &name, &text, START).await.unwrap();
    let shown = test.show_repository(&acme, &name, START).await.unwrap();
    assert_eq!((shown.category, shown.owner), (Category::Database, acme.account().unwrap()));

    assert_eq!(test.set_visibility(&acme, &name, Visibility::Public, START).await.unwrap().description, text);
    assert_eq!(test.may(&Principal::anonymous(), "team-a/web", Action::Pull, START).await, Answer::Yes);
    test.set_visibility(&acme, &name, Visibility::Private, START).await.unwrap();
    assert_eq!(test.may(&Principal::anonymous(), "team-a/web", Action::Pull, START).await, Answer::SignIn);
    let public = Key::PublicName { name: "team-a/web" };
    assert!(test.store().get_bytes(public).await.unwrap().is_none());
}

#[tokio::test]
async fn a_description_has_a_thousand_characters() {
    assert!(Description::parse(&"船".repeat(1000)).is_ok());
    assert!(matches!(
        Description::parse(&"x".repeat(1001)),
        Err(Error::Invalid { field: "description", .. })
    ));
    assert!(Description::parse("").is_ok());
}

#[tokio::test]
async fn a_deleted_repository_is_gone_at_once_and_emptied_later() {
    let (test, acme, _) = TestAuth::with_acme().await;
    for number in 0..5 {
        test.account(&format!("grantee{number}")).await;
        test.share(&acme, "team-a/web", &format!("grantee{number}"), ShareEnd::Permanent).await;
        test.user(&format!("user{number}@acme")).await;
        test.permit(&acme, "team-a/web", &format!("user{number}"), Level::Manage).await;
    }
    let name = repository("team-a/web");
    test.set_description(&acme, &name, &Description::parse("old").unwrap(), START).await.unwrap();
    let old = test.show_repository(&acme, &name, START).await.unwrap().id;
    let alive = test.reap_repository(old, 10).await;
    assert!(matches!(alive, Err(Error::Exists { what: Thing::Repository })), "{alive:?}");
    test.list("team-a/web", old).await;
    let mut tx = test.store().transaction();
    let account = acme.account().unwrap().raw();
    let usage = Usage::ALL.map(|which| Key::RepositoryUsage { account, which, repository: old.raw() });
    for key in usage {
        tx.add(key, 3, 0..=9);
    }
    test.store().commit(tx).await.unwrap();

    test.delete_repository(&acme, &name, START).await.unwrap();
    let again = test.delete_repository(&acme, &name, START).await;
    assert!(matches!(again, Err(Error::NotFound { what: Thing::Repository })), "{again:?}");
    assert!(test.store().get_bytes(Key::Listed { name: "team-a/web" }).await.unwrap().is_none());
    assert!(
        test.list_shares_by(&acme, None, 10, START).await.unwrap().is_empty(),
        "not emptied, and not shown"
    );
    let record = test.store().get::<crate::ReapRecord>(Key::Reap { id: old.raw() }).await.unwrap().unwrap();
    assert_eq!((record.value.life.owner, record.value.deleted_at), (acme.account().unwrap(), START));

    // Made anew under the same name, it has nothing of the old one.
    let new = test.repository(&acme, "team-a/web").await;
    assert_ne!(new, old);
    let grantee = test.sign_in("grantee0").await;
    assert_eq!(test.may(&grantee, "team-a/web", Action::Pull, START).await, Answer::NotFound);
    let user = test.sign_in("user0@acme").await;
    assert_eq!(test.may(&user, "team-a/web", Action::Pull, START).await, Answer::NotFound);
    assert_eq!(test.show_repository(&acme, &name, START).await.unwrap().description, Description::default());
    test.share(&acme, "team-a/web", "grantee0", ShareEnd::Permanent).await;

    let mut batches = 1;
    while !test.reap_repository(old, 2).await.unwrap() {
        batches += 1;
    }
    assert_eq!(batches, 3, "five rows, two at a time");
    assert!(test.reap_repository(old, 2).await.unwrap(), "again does no harm");
    let repository = old.raw();
    let lists = [
        Key::ShareOf { repository, grantee: kv::Id::MIN },
        Key::PermissionOn { target: Target::Repository(repository), user: kv::Id::MIN },
        Key::Permission { user: user.user().unwrap().raw(), target: Target::Repository(kv::Id::MIN) },
    ];
    for key in usage {
        assert!(test.store().get_bytes(key).await.unwrap().is_none(), "{key:?}");
    }
    for list in lists {
        let rows = test.store().list(list.siblings(test.region()), 10).await.unwrap();
        assert!(rows.is_empty(), "{list:?}");
    }
    for key in [Key::RepositoryDetails { repository }, Key::ShareGuard { repository }] {
        assert!(test.store().get_bytes(key).await.unwrap().is_none(), "{key:?}");
    }
    let shares = Key::Share { share: kv::Id::MIN }.siblings(test.region());
    assert_eq!(test.store().list(shares, 10).await.unwrap().len(), 1, "the new repository's");
    assert_eq!(test.may(&grantee, "team-a/web", Action::Pull, START).await, Answer::Yes);
}

#[tokio::test]
async fn publication_raises_the_epoch_once() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let name = repository("team-a/web");
    let id = test.show_repository(&acme, &name, START).await.unwrap().id;
    let life = async || {
        let key = Key::Repository { repository: id.raw() };
        test.store().get::<RepositoryLife>(key).await.unwrap().unwrap().value
    };
    let first = life().await.sharing_epoch;
    for (visibility, raised) in [
        (Visibility::Private, 0),
        (Visibility::Public, 1),
        (Visibility::Public, 1),
        (Visibility::Private, 1),
        (Visibility::Public, 2),
    ] {
        test.set_visibility(&acme, &name, visibility, START).await.unwrap();
        let life = life().await;
        assert_eq!((life.visibility, life.sharing_epoch), (visibility, first + raised));
    }
}
