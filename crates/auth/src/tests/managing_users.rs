//! Users: who manages them, what they may change of themselves, what goes with them.

use std::collections::BTreeSet;

use kv::{Key, Target};

use super::{START, TestAuth, account, cheap_settings, password_of};
use crate::{Action, Error, Level, Principal, Secret, Settings, Thing, UserName};

fn user(name: &str) -> UserName {
    UserName::parse(name).unwrap()
}

#[tokio::test]
async fn the_account_and_administrators_manage_users() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let dev = test.user("dev@acme").await;
    let (acme_name, name) = (account("acme"), user("ops"));
    let by_user = test.create_user(&dev, &acme_name, &name, None, START).await;
    assert!(matches!(by_user, Err(Error::Forbidden)), "{by_user:?}");
    assert!(matches!(test.list_users(&dev, &acme_name, None, 9, START).await, Err(Error::Forbidden)));
    assert!(matches!(test.delete_user(&dev, &acme_name, &user("dev"), START).await, Err(Error::Forbidden)));
    let by_other = test.create_user(&globex, &acme_name, &name, None, START).await;
    assert!(matches!(by_other, Err(Error::NotFound { what: Thing::Account })), "{by_other:?}");
    let nobody = test.create_user(&Principal::anonymous(), &acme_name, &name, None, START).await;
    assert!(matches!(nobody, Err(Error::Unauthenticated)), "{nobody:?}");

    let made = test.create_user(&acme, &acme_name, &name, None, START).await.unwrap();
    assert_eq!(made.login(), "ops@acme");
    let again = test.create_user(&test.admin, &acme_name, &name, None, START).await;
    assert!(matches!(again, Err(Error::Exists { what: Thing::User })), "{again:?}");
    let first = test.list_users(&acme, &acme_name, None, 1, START).await.unwrap();
    let rest = test.list_users(&acme, &acme_name, Some(first[0].name.as_str()), 9, START).await.unwrap();
    assert_eq!([first[0].name.as_str(), rest[0].name.as_str()], ["dev", "ops"]);
    assert_eq!((first.len(), rest.len()), (1, 1));
}

#[tokio::test]
async fn a_user_sees_itself_and_no_other() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let dev = test.user("dev@acme").await;
    test.user("ops@acme").await;
    let of = account("acme");
    assert!(test.show_user(&dev, &of, &user("dev"), START).await.is_ok());
    assert!(test.show_user(&acme, &of, &user("ops"), START).await.is_ok());
    for (p, name) in [(&dev, "ops"), (&dev, "missing"), (&globex, "ops"), (&acme, "missing")] {
        let shown = test.show_user(p, &of, &user(name), START).await;
        assert!(matches!(shown, Err(Error::NotFound { what: Thing::User })), "{name}: {shown:?}");
    }
}

#[tokio::test]
async fn a_user_gives_its_current_password_and_its_account_need_not() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let dev = test.user("dev@acme").await;
    let (of, name, new) = (account("acme"), user("dev"), Secret::new("quite another one"));
    for wrong in [None, Some(Secret::new("a wrong password")), Some(password_of("acme"))] {
        let changed = test.set_user_password(&dev, &of, &name, wrong.as_ref(), &new, START).await;
        assert!(matches!(changed, Err(Error::WrongPassword)), "{changed:?}");
    }
    let other = test.set_user_password(&globex, &of, &name, None, &new, START).await;
    assert!(matches!(other, Err(Error::NotFound { .. })), "{other:?}");
    test.set_user_password(&dev, &of, &name, Some(&password_of("dev@acme")), &new, START).await.unwrap();
    assert!(test.authenticate("dev@acme", &password_of("dev@acme"), None, START).await.is_err());
    test.set_user_password(&acme, &of, &name, None, &password_of("dev@acme"), START).await.unwrap();
    assert!(test.authenticate("dev@acme", &password_of("dev@acme"), None, START).await.is_ok());
}

#[tokio::test]
async fn a_disabled_user_opens_nothing() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let dev = test.user("dev@acme").await;
    let (_, token) = test.personal_token(&dev, 60, None).await;
    let (of, name) = (account("acme"), user("dev"));
    let itself = test.set_user_disabled(&dev, &of, &name, true, START).await;
    assert!(matches!(itself, Err(Error::Forbidden)), "{itself:?}");
    assert!(test.set_user_disabled(&acme, &of, &name, true, START).await.unwrap().disabled);
    assert!(test.authenticate("dev@acme", &password_of("dev@acme"), None, START).await.is_err());
    assert!(test.authenticate_personal_token(&token, None, START).await.is_err());
    // What came in before the disabling makes no credential after it.
    let late = test.list_personal_tokens(&dev, None, 10, START).await;
    assert!(matches!(late, Err(Error::Unauthenticated)), "{late:?}");
    assert!(!test.set_user_disabled(&acme, &of, &name, false, START).await.unwrap().disabled);
    assert!(test.authenticate_personal_token(&token, None, START).await.is_ok());
}

#[tokio::test]
async fn a_deleted_users_rights_go_with_it() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let dev = test.user("dev@acme").await;
    test.permit(&acme, "team-a", "dev", Level::Manage).await;
    test.permit(&acme, "team-a/web", "dev", Level::Edit).await;
    let (_, token) = test.personal_token(&dev, 60, None).await;
    test.delete_user(&acme, &account("acme"), &user("dev"), START).await.unwrap();
    let gone = test.delete_user(&acme, &account("acme"), &user("dev"), START).await;
    assert!(matches!(gone, Err(Error::NotFound { what: Thing::User })), "{gone:?}");
    assert!(test.authenticate_personal_token(&token, None, START).await.is_err());
    let id = dev.user().unwrap().raw();
    let list = Key::Permission { user: id, target: Target::Namespace(kv::Id::MIN) };
    assert!(test.store().list(list.siblings(test.region()), 9).await.unwrap().is_empty());

    // Made anew under the same name, it has nothing of the old one.
    let dev = test.user("dev@acme").await;
    assert_eq!(test.may(&dev, "team-a/web", Action::Pull, START).await, super::Answer::NotFound);
    assert!(test.authenticate_personal_token(&token, None, START).await.is_err());
}

#[tokio::test]
async fn an_account_has_so_many_users_and_no_more() {
    let test = TestAuth::with(Settings { users_max: 3, ..cheap_settings() }).await;
    let acme = test.account("acme").await;
    let tasks: Vec<_> = (0..12)
        .map(|number| {
            let (auth, acme) = (test.auth.clone(), acme.clone());
            tokio::spawn(async move {
                auth.create_user(&acme, &account("acme"), &user(&format!("user{number}")), None, START).await
            })
        })
        .collect();
    let mut made = BTreeSet::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(user) => assert!(made.insert(user.name)),
            Err(Error::Limit { max: 3, .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(made.len(), 3);
    test.delete_user(&acme, &account("acme"), made.first().unwrap(), START).await.unwrap();
    test.create_user(&acme, &account("acme"), &user("another"), None, START).await.unwrap();
}
