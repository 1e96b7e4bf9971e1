//! Accounts: who manages them, how they end, what stays of their names.

use jiff::SignedDuration;
use kv::Key;

use super::trails::of_kind;
use super::{START, TestAuth, account, at, cheap_settings, password_of, repository};
use crate::records::AccountRecord;
use crate::{Error, EventKind, Principal, Secret, ShareEnd, Thing};

const DAY: i64 = 24 * 60 * 60;

/// Makes `name` an administrator, as no function does.
async fn promote(test: &TestAuth, name: &str) -> Principal {
    let (id, record) = test.account_named(&account(name)).await.unwrap().unwrap();
    let mut tx = test.store().transaction();
    let promoted = AccountRecord { administrator: true, ..record.value };
    tx.put(Key::Account { account: id.raw() }, &promoted).unwrap();
    test.store().commit(tx).await.unwrap();
    test.sign_in(name).await
}

#[tokio::test]
async fn only_administrators_manage_accounts() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let dev = test.user("dev@acme").await;
    let of_admin = test.user("clerk@admin").await;
    let (name, password) = (account("initech"), password_of("initech"));
    for p in [&acme, &dev, &of_admin] {
        let made = test.create_account(p, &name, &password, START).await;
        assert!(matches!(made, Err(Error::Forbidden)), "{made:?}");
        assert!(matches!(test.list_accounts(p, None, 10, START).await, Err(Error::Forbidden)));
        // What may be seen is forbidden; what may not, is not there.
        let own = p.account_name().unwrap();
        let closed = test.set_account_disabled(p, own, true, START).await;
        assert!(matches!(closed, Err(Error::Forbidden)), "{closed:?}");
        assert!(matches!(test.delete_account(p, own, START).await, Err(Error::Forbidden)));
        for other in [account("globex"), account("missing")] {
            let closed = test.set_account_disabled(p, &other, true, START).await;
            assert!(matches!(closed, Err(Error::NotFound { what: Thing::Account })), "{closed:?}");
            let deleted = test.delete_account(p, &other, START).await;
            assert!(matches!(deleted, Err(Error::NotFound { what: Thing::Account })), "{deleted:?}");
        }
        assert!(matches!(test.free_account_name(p, &account("globex"), START).await, Err(Error::Forbidden)));
        assert!(matches!(test.authorize_administration(p), Err(Error::Forbidden)));
    }
    let nobody = Principal::anonymous();
    let made = test.create_account(&nobody, &name, &password, START).await;
    assert!(matches!(made, Err(Error::Unauthenticated)), "{made:?}");
    assert!(matches!(test.show_account(&nobody, &name, START).await, Err(Error::Unauthenticated)));
}

#[tokio::test]
async fn others_accounts_and_missing_ones_look_alike() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let dev = test.user("dev@acme").await;
    for p in [&acme, &dev] {
        assert_eq!(test.show_account(p, &account("acme"), START).await.unwrap().name, account("acme"));
        for other in ["globex", "missing"] {
            let shown = test.show_account(p, &account(other), START).await;
            assert!(matches!(shown, Err(Error::NotFound { what: Thing::Account })), "{shown:?}");
            let users = test.list_users(p, &account(other), None, 10, START).await;
            assert!(matches!(users, Err(Error::NotFound { what: Thing::Account })), "{users:?}");
        }
    }
    assert_eq!(
        test.show_account(&test.admin, &account("globex"), START).await.unwrap().name,
        account("globex")
    );
}

#[tokio::test]
async fn accounts_are_listed_in_pages() {
    let (test, ..) = TestAuth::with_acme().await;
    test.account("acme-x").await;
    test.delete_account(&test.admin, &account("globex"), START).await.unwrap();
    let mut names = Vec::new();
    loop {
        let after = names.last().cloned();
        let page = test.list_accounts(&test.admin, after.as_deref(), 1, START).await.unwrap();
        let Some(next) = page.first() else { break };
        names.push(next.name.to_string());
    }
    assert_eq!(names, ["acme", "acme-x", "admin"]);
}

#[tokio::test]
async fn a_deleted_accounts_name_is_reserved() {
    let (test, ..) = TestAuth::with_acme().await;
    let (name, password) = (account("globex"), password_of("globex"));
    let again = test.create_account(&test.admin, &name, &password, START).await;
    assert!(matches!(again, Err(Error::Exists { what: Thing::Account })), "{again:?}");
    test.delete_account(&test.admin, &name, START).await.unwrap();
    for now in [START, at(90 * DAY - 1)] {
        let again = test.create_account(&test.admin, &name, &password, now).await;
        assert!(
            matches!(again, Err(Error::Reserved { until, .. }) if until == START + SignedDuration::from_hours(90 * 24)),
            "{again:?}"
        );
    }
    test.create_account(&test.admin, &name, &password, at(90 * DAY)).await.unwrap();

    test.delete_account(&test.admin, &name, START).await.unwrap();
    test.free_account_name(&test.admin, &name, START).await.unwrap();
    let free = test.free_account_name(&test.admin, &name, START).await;
    assert!(matches!(free, Err(Error::NotFound { .. })), "{free:?}");
    test.create_account(&test.admin, &name, &password, START).await.unwrap();
    let held = test.free_account_name(&test.admin, &name, START).await;
    assert!(matches!(held, Err(Error::Exists { .. })), "{held:?}");
}

#[tokio::test]
async fn ones_own_password_needs_the_current_one() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let dev = test.user("dev@acme").await;
    let (name, new) = (account("acme"), Secret::new("quite another one"));
    for wrong in [None, Some(Secret::new("a wrong password"))] {
        let changed = test.set_account_password(&acme, &name, wrong.as_ref(), &new, START).await;
        assert!(matches!(changed, Err(Error::WrongPassword)), "{changed:?}");
    }
    let by_user = test.set_account_password(&dev, &name, Some(&password_of("acme")), &new, START).await;
    assert!(matches!(by_user, Err(Error::Forbidden)), "{by_user:?}");
    let (_, token) = test.personal_token(&acme, 3600, None).await;
    test.set_account_password(&acme, &name, Some(&password_of("acme")), &new, START).await.unwrap();
    assert!(test.authenticate("acme", &password_of("acme"), None, START).await.is_err());
    assert!(test.authenticate_personal_token(&token, None, START).await.is_err());
    assert!(test.authenticate("acme", &new, None, START).await.is_ok());

    // The administrator resets others', but its own only as all do.
    test.set_account_password(&test.admin, &name, None, &password_of("acme"), START).await.unwrap();
    let own = test.set_account_password(&test.admin, &account("admin"), None, &new, START).await;
    assert!(matches!(own, Err(Error::WrongPassword)), "{own:?}");
}

#[tokio::test]
async fn guesses_at_ones_own_password_are_noted_and_bounded_as_sign_ins_are() {
    let (test, _, globex) = TestAuth::with_acme().await;
    let from = Some("192.0.2.1".parse().unwrap());
    let acme = test.authenticate("acme", &password_of("acme"), from, START).await.unwrap();
    let (name, new) = (account("acme"), Secret::new("quite another one"));
    let set = async |current: &Secret, now| {
        test.set_account_password(&acme, &name, Some(current), &new, now).await.map(|_| ())
    };
    for _ in 0..10 {
        let guessed = set(&Secret::new("a wrong password"), START).await;
        assert!(matches!(guessed, Err(Error::WrongPassword)), "{guessed:?}");
    }
    // The right one is not told from the others.
    for guess in [Secret::new("a wrong password"), password_of("acme")] {
        let guessed = set(&guess, START).await;
        assert!(matches!(guessed, Err(Error::Busy)), "{guessed:?}");
    }
    test.flush(START).await.unwrap();
    let noted = of_kind(&test, &acme, EventKind::SignInFailed).await;
    assert_eq!(noted.iter().map(|event| event.count).sum::<u64>(), 10);
    assert!(of_kind(&test, &globex, EventKind::SignInFailed).await.is_empty());
    set(&password_of("acme"), at(60)).await.unwrap();
}

#[tokio::test]
async fn passwords_have_bounds() {
    let test = TestAuth::new().await;
    let table = [("1234567", false), ("12345678", true), ("nul\0nul\0nul", false)];
    let long: Vec<_> = [(256, true), (257, false)].map(|(length, fits)| ("ä".repeat(length), fits)).into();
    let table = table.map(|(password, fits)| (password.to_owned(), fits)).into_iter().chain(long);
    for (index, (password, fits)) in table.enumerate() {
        let name = account(&format!("account-{index}"));
        let made = test.create_account(&test.admin, &name, &Secret::new(password.clone()), START).await;
        match made {
            Ok(_) => assert!(fits, "{password}"),
            Err(Error::Invalid { field: "password", .. }) => assert!(!fits, "{password}"),
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test]
async fn a_deleted_account_leaves_nothing() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let user = test.user("ops@globex").await;
    test.personal_token(&globex, 3600, None).await;
    let (_, users_token) = test.personal_token(&user, 3600, None).await;
    test.share(&acme, "team-a/web", "globex", ShareEnd::Permanent).await;
    let id = globex.account().unwrap().raw();

    test.namespace(&globex, "team-g").await;
    let refused = test.delete_account(&test.admin, &account("globex"), START).await;
    assert!(matches!(refused, Err(Error::NotEmpty { what: Thing::Account })), "{refused:?}");
    assert!(
        test.authenticate("globex", &password_of("globex"), None, START).await.is_ok(),
        "it was not touched"
    );
    let namespace = oci::NamespaceName::parse("team-g").unwrap();
    test.delete_namespace(&globex, &namespace, START).await.unwrap();

    test.delete_account(&test.admin, &account("globex"), START).await.unwrap();
    assert!(test.authenticate("globex", &password_of("globex"), None, START).await.is_err());
    assert!(test.authenticate_personal_token(&users_token, None, START).await.is_err());
    assert!(test.list_shares_by(&acme, None, 10, START).await.unwrap().is_empty());
    let lists = [
        Key::UserName { account: id, name: "" },
        Key::User { account: id, user: kv::Id::MIN },
        Key::PersonalToken { account: id, user: kv::Id::MIN, token: kv::Id::MIN },
        Key::PersonalToken { account: id, user: user.user().unwrap().raw(), token: kv::Id::MIN },
        Key::PersonalTokenHash { hash: &[0; 32] },
        Key::SharedWith { grantee: id, share: kv::Id::MIN },
        Key::SharedName { grantee: id, name: "", share: kv::Id::MIN },
        Key::SharedBy { owner: acme.account().unwrap().raw(), share: kv::Id::MIN },
        Key::Share { share: kv::Id::MIN },
    ];
    for list in lists {
        let rows = test.store().list(list.siblings(test.region()), 10).await.unwrap();
        assert!(rows.is_empty(), "{list:?}");
    }
    // The grantee's place under the bound is free again.
    let web = test.authorize(&acme, &repository("team-a/web"), crate::Action::Pull, START).await.unwrap();
    let guard = Key::ShareGuard { repository: web.repository().raw() };
    let guard = test.store().get::<crate::records::ShareGuardRecord>(guard).await.unwrap().unwrap();
    assert!(guard.value.open.is_empty());
}

#[tokio::test]
async fn somebody_always_administers() {
    let test = TestAuth::new().await;
    let (admin, name) = (&test.admin, account("admin"));
    let refused = test.set_account_disabled(admin, &name, true, START).await;
    assert!(matches!(refused, Err(Error::LastAdministrator)), "{refused:?}");
    let refused = test.delete_account(admin, &name, START).await;
    assert!(matches!(refused, Err(Error::LastAdministrator)), "{refused:?}");

    test.account("second").await;
    let second = promote(&test, "second").await;
    test.set_account_disabled(&second, &name, true, START).await.unwrap();
    let refused = test.set_account_disabled(&second, &account("second"), true, START).await;
    assert!(matches!(refused, Err(Error::LastAdministrator)), "{refused:?}");
    test.set_account_disabled(&second, &name, false, START).await.unwrap();
    test.delete_account(&test.sign_in("admin").await, &name, START).await.unwrap();
}

#[tokio::test]
async fn two_administrators_cannot_close_each_other() {
    for _ in 0..50 {
        let test = TestAuth::new().await;
        test.account("second").await;
        let second = promote(&test, "second").await;
        let (auth, admin) = (test.auth.clone(), test.admin.clone());
        let one = tokio::spawn(async move {
            auth.set_account_disabled(&admin, &account("second"), true, START).await.is_ok()
        });
        let auth = test.auth.clone();
        let other = tokio::spawn(async move {
            auth.set_account_disabled(&second, &account("admin"), true, START).await.is_ok()
        });
        assert_ne!(one.await.unwrap(), other.await.unwrap(), "one of them stays");
    }
}

#[tokio::test]
async fn no_namespace_is_left_without_its_account() {
    for _ in 0..200 {
        let test = TestAuth::with(cheap_settings()).await;
        let acme = test.account("acme").await;
        let id = acme.account().unwrap();
        let (auth, admin) = (test.auth.clone(), test.admin.clone());
        let deletion =
            tokio::spawn(async move { auth.delete_account(&admin, &account("acme"), START).await.is_ok() });
        let auth = test.auth.clone();
        let creation = tokio::spawn(async move {
            let name = oci::NamespaceName::parse("team-a").unwrap();
            auth.create_namespace(&acme, &name, START).await.is_ok()
        });
        let (deleted, created) = (deletion.await.unwrap(), creation.await.unwrap());
        assert!(!(deleted && created), "a namespace without an account");
        let account = test.store().get::<AccountRecord>(Key::Account { account: id.raw() }).await.unwrap();
        assert_eq!(account.is_none(), deleted);
        if created {
            assert!(!account.unwrap().value.disabled, "a refused deletion changes nothing");
        }
    }
}
