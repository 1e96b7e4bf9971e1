//! Who somebody is: passwords, personal tokens, and what ends them.

use oci::NamespaceName;

use super::{Answer, START, TestAuth, account, at, cheap_settings, password_of, repository};
use crate::{Action, AuthenticationError, Error, Level, Secret, Settings, UserName};

async fn is_rejected(test: &TestAuth, username: &str, secret: &Secret) -> bool {
    matches!(test.authenticate(username, secret, None, START).await, Err(AuthenticationError::Rejected))
}

#[tokio::test]
async fn passwords_table() {
    let (test, _, _) = TestAuth::with_acme().await;
    test.user("dev@acme").await;
    let silent = UserName::parse("silent").unwrap();
    test.create_user(&test.admin, &account("acme"), &silent, None, START).await.unwrap();
    let dev = test.authenticate("dev@acme", &password_of("dev@acme"), None, START).await.unwrap();
    assert_eq!(
        (dev.name(), dev.is_anonymous(), dev.is_administrator()),
        ("dev@acme".to_owned(), false, false)
    );
    assert!(test.admin.is_administrator());
    let wrong = [
        ("dev@acme", "the password of acme"),
        ("acme", "the password of dev@acme"),
        ("dev@globex", "the password of dev@acme"),
        ("dev@acme@acme", "the password of dev@acme"),
        ("DEV@acme", "the password of dev@acme"),
        ("dev", "the password of dev@acme"),
        ("silent@acme", ""),
        ("nobody", "the password of nobody"),
        ("nobody@acme", "the password of nobody@acme"),
        ("", ""),
        ("@", "x"),
        ("acme\0", "the password of acme"),
        ("acme", ""),
    ];
    for (username, password) in wrong {
        assert!(is_rejected(&test, username, &Secret::new(password)).await, "{username}");
    }
    assert!(is_rejected(&test, "acme", &Secret::new("x".repeat(1 << 20))).await);
    assert!(is_rejected(&test, &"a".repeat(1 << 20), &Secret::new("long enough")).await);
}

#[tokio::test]
async fn a_remembered_password_dies_with_its_change() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (old, new) = (password_of("acme"), Secret::new("another password"));
    for _ in 0..3 {
        test.authenticate("acme", &old, None, START).await.unwrap();
    }
    test.set_account_password(&acme, &account("acme"), Some(&old), &new, START).await.unwrap();
    assert!(is_rejected(&test, "acme", &old).await);
    test.authenticate("acme", &new, None, START).await.unwrap();
}

#[tokio::test]
async fn what_is_disabled_or_deleted_signs_in_no_more() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (name, dev) = (account("acme"), UserName::parse("dev").unwrap());
    test.user("dev@acme").await;
    test.set_user_disabled(&acme, &name, &dev, true, START).await.unwrap();
    assert!(is_rejected(&test, "dev@acme", &password_of("dev@acme")).await);
    test.set_user_disabled(&acme, &name, &dev, false, START).await.unwrap();
    test.sign_in("dev@acme").await;
    test.set_account_disabled(&test.admin, &name, true, START).await.unwrap();
    assert!(is_rejected(&test, "dev@acme", &password_of("dev@acme")).await);
    assert!(is_rejected(&test, "acme", &password_of("acme")).await);
    test.set_account_disabled(&test.admin, &name, false, START).await.unwrap();
    test.delete_user(&acme, &name, &dev, START).await.unwrap();
    assert!(is_rejected(&test, "dev@acme", &password_of("dev@acme")).await);
}

#[tokio::test]
async fn new_passwords_keep_rules() {
    let test = TestAuth::new().await;
    let long = "x".repeat(1025);
    for password in ["", "1234567", "gp_pat_1234567890", &long] {
        let made = test.create_account(&test.admin, &account("acme"), &Secret::new(password), START).await;
        assert!(matches!(made, Err(Error::Invalid { field: "password", .. })), "{made:?}");
    }
}

#[tokio::test]
async fn too_many_passwords_at_once_are_told_to_come_again() {
    let settings = Settings { password_hashes_max: 1, password_queue_max: 1, ..cheap_settings() };
    let test = TestAuth::with(settings).await;
    let tasks: Vec<_> = (0..64)
        .map(|n| {
            let auth = test.auth.clone();
            tokio::spawn(
                async move { auth.authenticate(&format!("a{n}"), &Secret::new("x"), None, START).await },
            )
        })
        .collect();
    let (mut busy, mut rejected) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Err(AuthenticationError::Failed(Error::Busy)) => busy += 1,
            Err(AuthenticationError::Rejected) => rejected += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(busy > 0 && rejected > 0, "{busy} busy, {rejected} rejected");
    test.sign_in("admin").await;
}

#[tokio::test]
async fn guessing_at_a_name_from_one_address_is_slow() {
    let (test, _, _) = TestAuth::with_acme().await;
    let (here, there) = (Some([192, 0, 2, 1].into()), Some([192, 0, 2, 2].into()));
    let (wrong, right) = (Secret::new("a wrong guess"), password_of("acme"));
    let ask = async |login: &str, secret: &Secret, from, seconds| match test
        .authenticate(login, secret, from, at(seconds))
        .await
    {
        Ok(_) => "in",
        Err(AuthenticationError::Rejected) => "rejected",
        Err(AuthenticationError::Failed(Error::Busy)) => "busy",
        Err(other) => panic!("{other:?}"),
    };
    // A password that is not remembered is checked, and what failed before it is forgotten.
    let new = Secret::new("another password");
    test.set_account_password(&test.admin, &account("acme"), None, &new, START).await.unwrap();
    for _ in 0..9 {
        assert_eq!(ask("acme", &wrong, here, 0).await, "rejected");
    }
    assert_eq!(ask("acme", &new, here, 0).await, "in");
    for seconds in 0..10 {
        assert_eq!(ask("acme", &right, here, seconds).await, "rejected", "the former one");
    }
    assert_eq!(ask("acme", &wrong, here, 59).await, "busy");
    assert_eq!(ask("acme", &wrong, there, 59).await, "rejected");
    assert_eq!(ask("globex", &wrong, here, 59).await, "rejected");
    assert_eq!(ask("acme", &wrong, None, 59).await, "rejected");
    assert_eq!(ask("acme", &new, here, 59).await, "busy", "the one right guess is not told from the others");
    assert_eq!(ask("acme", &new, there, 59).await, "in", "its owner signs in from elsewhere");
    assert_eq!(ask("acme", &new, here, 59).await, "busy", "also while it is remembered");
    assert_eq!(ask("acme", &wrong, here, 60).await, "rejected", "the minute is over");

    // Names that nobody has are no different.
    for _ in 0..10 {
        assert_eq!(ask("nobody", &wrong, here, 0).await, "rejected");
    }
    assert_eq!(ask("nobody", &wrong, here, 0).await, "busy");
}

#[tokio::test]
async fn personal_tokens_stand_for_their_owner_until_they_end() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (id, secret) = test.personal_token(&acme, 60, None).await;
    let p = test.authenticate("acme", &secret, None, at(59)).await.unwrap();
    assert_eq!(test.may(&p, "team-a/web", Action::Manage, at(59)).await, Answer::Yes);
    let permit = test.authorize(&p, &repository("team-a/web"), Action::Pull, START).await.unwrap();
    assert_eq!(permit.not_after(), Some(at(60)));
    assert!(is_rejected(&test, "globex", &secret).await, "under another's name");
    assert!(test.authenticate_personal_token(&secret, None, at(60)).await.is_err());
    assert!(!test.still_open(&permit, at(60)).await.unwrap());
    assert!(
        test.revoke_personal_token(&globex, id, crate::Made::Ends, START).await.is_err(),
        "another's token"
    );
    test.revoke_personal_token(&acme, id, crate::Made::Ends, START).await.unwrap();
    assert!(test.authenticate_personal_token(&secret, None, START).await.is_err());
    assert!(!test.still_open(&permit, START).await.unwrap());
    for secret in ["gp_pat_", "gp_pat_xyz", "gp_ref_x", ""] {
        assert!(test.authenticate_personal_token(&Secret::new(secret), None, START).await.is_err());
    }
}

#[tokio::test]
async fn a_personal_token_dies_with_its_owners_password() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (_, secret) = test.personal_token(&acme, 60, None).await;
    let (old, new) = (password_of("acme"), Secret::new("another password"));
    test.set_account_password(&acme, &account("acme"), Some(&old), &new, START).await.unwrap();
    assert!(is_rejected(&test, "acme", &secret).await);
}

#[tokio::test]
async fn a_narrowed_personal_token_reaches_as_far_as_it_says() {
    use Answer::{Forbidden, NotFound, Yes};
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.repository(&acme, "team-a/api").await;
    test.repository(&acme, "team-a/web-x").await;
    test.namespace(&globex, "public").await;
    test.repository(&globex, "public/image").await;
    test.publish(&globex, "public/image").await;
    let (_, secret) = test.personal_token(&acme, 60, Some(&["repository:team-a/web:pull"])).await;
    let p = test.authenticate("acme", &secret, None, START).await.unwrap();
    assert!(p.is_narrowed() && p.same_as(&acme));
    let table = [
        ("team-a/web", Action::Pull, Yes),
        ("team-a/web", Action::Push, Forbidden),
        ("team-a/web", Action::Manage, Forbidden),
        ("team-a/api", Action::Pull, NotFound),
        ("team-a/web-x", Action::Pull, NotFound),
        ("public/image", Action::Pull, Yes),
    ];
    for (name, action, expected) in table {
        assert_eq!(test.may(&p, name, action, START).await, expected, "{action:?} {name}");
    }
    assert_eq!(test.may_push(&p, "team-a/new", START).await, NotFound);
    let id =
        test.authorize(&acme, &repository("team-a/api"), Action::Pull, START).await.unwrap().repository();
    assert!(test.authorize_source(&p, id, START).await.unwrap().is_none(), "as a mount's source too");
    let namespace = NamespaceName::parse("team-b").unwrap();
    assert!(matches!(test.create_namespace(&p, &namespace, START).await, Err(Error::Forbidden)));

    let (_, secret) = test.personal_token(&acme, 60, Some(&["repository:team-a/*:pull,push"])).await;
    let p = test.authenticate("acme", &secret, None, START).await.unwrap();
    assert_eq!(test.may_push(&p, "team-a/new", START).await, Yes);
    assert_eq!(test.may(&p, "team-a/api", Action::Delete, START).await, Forbidden);
}

#[tokio::test]
async fn a_user_is_no_administrator_of_the_administrators_account() {
    let test = TestAuth::new().await;
    let user = test.user("dev@admin").await;
    assert!(!user.is_administrator());
    let (_, secret) = test.personal_token(&test.admin, 60, None).await;
    assert!(test.authenticate("admin", &secret, None, START).await.unwrap().is_administrator());
    test.namespace(&test.admin, "own").await;
    test.permit(&test.admin, "own", "dev", Level::Manage).await;
    let (_, secret) = test.personal_token(&test.admin, 60, Some(&["repository:own/*:*"])).await;
    assert!(!test.authenticate("admin", &secret, None, START).await.unwrap().is_administrator());
}

#[tokio::test]
async fn the_first_start_makes_the_administrator_once() {
    let test = TestAuth::new().await;
    let again = test.bootstrap(|| panic!("nobody asks for a second password"), START).await;
    assert!(!again.unwrap());
}
