//! What becomes of a share when what it rests on changes: the repository, its name, its namespace, the sharee's account
//! and users, the owner's account.

use kv::Key;
use oci::NamespaceName;

use super::{Answer, START, TestAuth, account, at, repository};
use crate::{Action, Error, Principal, PushAccess, ShareEnd, Thing, UserName, Visibility};

const WEB: &str = "team-a/web";
/// When reserved names are free again.
const LATER: i64 = 90 * 24 * 60 * 60;

async fn pulls(test: &TestAuth, p: &Principal) -> Answer {
    test.may(p, WEB, Action::Pull, START).await
}

/// acme, which shares `team-a/web` with globex for good.
async fn stage() -> (TestAuth, Principal, Principal) {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    assert_eq!(pulls(&test, &globex).await, Answer::Yes);
    (test, acme, globex)
}

async fn shares(test: &TestAuth) -> usize {
    let all = Key::Share { share: kv::Id::MIN }.siblings(test.region());
    test.store().list(all, 99).await.unwrap().len()
}

#[tokio::test]
async fn a_share_ends_with_its_repository_and_one_made_anew_under_the_name_has_none() {
    let (test, acme, globex) = stage().await;
    let permit = test.authorize(&globex, &repository(WEB), Action::Pull, START).await.unwrap();
    test.delete_repository(&acme, &repository(WEB), START).await.unwrap();
    assert!(!test.still_open(&permit, START).await.unwrap());
    test.repository(&acme, WEB).await;
    // Before the old one's rows are removed, and after.
    for _ in 0..2 {
        assert_eq!(pulls(&test, &globex).await, Answer::NotFound);
        for (p, by) in [(&acme, true), (&globex, false)] {
            let listed = if by {
                test.list_shares_by(p, None, 9, START).await.unwrap()
            } else {
                test.list_shares_with(p, None, 9, START).await.unwrap()
            };
            assert!(listed.is_empty());
        }
        while !test.reap_repository(permit.repository(), 1).await.unwrap() {}
    }
    assert_eq!(shares(&test).await, 0);
}

#[tokio::test]
async fn a_disabled_sharee_is_shut_out_while_it_is_and_a_deleted_one_for_good() {
    let (test, acme, globex) = stage().await;
    let name = account("globex");
    let token = test.token(&globex, &["repository:team-a/web:pull"], START).await;
    test.set_account_disabled(&test.admin, &name, true, START).await.unwrap();
    assert!(test.authenticate_access_token(token.reveal(), None, START).await.is_err());
    assert_eq!(test.list_shares_by(&acme, None, 9, START).await.unwrap().len(), 1, "the share stays");
    test.set_account_disabled(&test.admin, &name, false, START).await.unwrap();
    let again = test.authenticate_access_token(token.reveal(), None, START).await.unwrap();
    assert_eq!(pulls(&test, &again).await, Answer::Yes);

    test.delete_account(&test.admin, &name, START).await.unwrap();
    assert_eq!(shares(&test).await, 0);
    assert!(test.list_shares_by(&acme, None, 9, START).await.unwrap().is_empty());
    // Another account that takes the name when it is free again has nothing of it.
    let taken = test.create_account(&test.admin, &name, &super::password_of("globex"), at(LATER - 1)).await;
    assert!(matches!(taken, Err(Error::Reserved { what: Thing::Account, .. })), "{taken:?}");
    test.create_account(&test.admin, &name, &super::password_of("globex"), at(LATER)).await.unwrap();
    let other = test.sign_in("globex").await;
    assert_eq!(pulls(&test, &other).await, Answer::NotFound);
    assert!(test.list_shares_with(&other, None, 9, START).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_sharees_user_that_goes_is_shut_out_and_the_others_are_not() {
    let (test, acme, globex) = stage().await;
    let (one, two) = (test.user("one@globex").await, test.user("two@globex").await);
    let (of, name) = (account("globex"), UserName::parse("one").unwrap());
    let token = test.token(&one, &["repository:team-a/web:pull"], START).await;
    test.set_user_disabled(&globex, &of, &name, true, START).await.unwrap();
    assert!(test.authenticate_access_token(token.reveal(), None, START).await.is_err());
    test.delete_user(&globex, &of, &name, START).await.unwrap();
    assert!(test.authenticate_access_token(token.reveal(), None, START).await.is_err());
    for p in [&two, &globex] {
        assert_eq!(pulls(&test, p).await, Answer::Yes);
    }
    assert_eq!(test.list_shares_by(&acme, None, 9, START).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_disabled_owner_has_is_open_to_nobody_while_it_is() {
    let (test, acme, globex) = stage().await;
    let (web, open) = (repository(WEB), repository("team-a/open"));
    let public = test.repository(&acme, "team-a/open").await;
    test.publish(&acme, "team-a/open").await;
    test.list("team-a/open", public).await;
    let shared = test.show_repository(&acme, &web, START).await.unwrap().id;
    test.list(WEB, shared).await;
    let nobody = Principal::anonymous();
    let everywhere = async |p: &Principal| {
        let mut open_to_p = Vec::new();
        for name in [&web, &open] {
            open_to_p.push(test.authorize(p, name, Action::Pull, START).await.is_ok());
        }
        for id in [shared, public] {
            open_to_p.push(test.authorize_source(p, id, START).await.unwrap().is_some());
        }
        open_to_p
    };
    let permit = test.authorize(&globex, &web, Action::Pull, START).await.unwrap();
    let names = async |p: &Principal| test.catalog(p, None, 9, START).await.unwrap().names;
    for disabled in [false, true, false] {
        test.set_account_disabled(&test.admin, &account("acme"), disabled, START).await.unwrap();
        assert_eq!(everywhere(&globex).await, [!disabled; 4]);
        assert_eq!(everywhere(&nobody).await, [false, !disabled, false, !disabled]);
        assert_eq!(test.still_open(&permit, START).await.unwrap(), !disabled);
        let listed = test.list_shares_with(&globex, None, 9, START).await.unwrap();
        assert_eq!(listed.len(), usize::from(!disabled));
        assert_eq!(names(&globex).await.len(), if disabled { 0 } else { 2 });
        let shown = test.show_share(&globex, &web, &account("globex"), START).await;
        assert_eq!(shown.is_ok(), !disabled);
        let requests = super::requests(&["repository:team-a/web:pull"]);
        let granted = test.issue_access_token(&globex, &requests, START);
        assert_eq!(granted.await.unwrap().granted.len(), usize::from(!disabled));
    }
    // What is answered does not tell a disabled owner from one that never was.
    test.set_account_disabled(&test.admin, &account("acme"), true, START).await.unwrap();
    assert_eq!(test.may(&nobody, "team-a/open", Action::Pull, START).await, Answer::SignIn);
    assert_eq!(test.may(&globex, "team-a/open", Action::Pull, START).await, Answer::NotFound);
}

/// There is no transfer of a namespace: it is given up, and taken by another account when its name is free.
#[tokio::test]
async fn a_namespace_that_another_account_takes_carries_no_share_over() {
    let (test, acme, globex) = stage().await;
    let initech = test.account("initech").await;
    let namespace = NamespaceName::parse("team-a").unwrap();
    let token = test.token(&globex, &["repository:team-a/web:pull"], START).await;
    let id = test.show_repository(&acme, &repository(WEB), START).await.unwrap().id;
    test.delete_repository(&acme, &repository(WEB), START).await.unwrap();
    test.delete_namespace(&acme, &namespace, START).await.unwrap();
    let early = test.create_namespace(&initech, &namespace, at(LATER - 1)).await;
    assert!(matches!(early, Err(Error::Reserved { what: Thing::Namespace, .. })), "{early:?}");
    test.create_namespace(&initech, &namespace, at(LATER)).await.unwrap();
    let vacant = test.authorize_push(&initech, &repository(WEB), START).await.unwrap();
    let PushAccess::Vacant(vacancy) = vacant else { panic!("it exists already") };
    test.establish(vacancy, START).await.unwrap();
    for _ in 0..2 {
        let by_token = test.authenticate_access_token(token.reveal(), None, START).await.unwrap();
        for p in [&globex, &by_token, &acme] {
            assert_eq!(pulls(&test, p).await, Answer::NotFound);
        }
        assert!(test.list_shares_with(&globex, None, 9, START).await.unwrap().is_empty());
        assert!(test.list_shares_by(&initech, None, 9, START).await.unwrap().is_empty());
        while !test.reap_repository(id, 9).await.unwrap() {}
    }
    assert_eq!(shares(&test).await, 0);
}

#[tokio::test]
async fn of_a_publication_only_what_is_shared_after_it_opens_again() {
    let (test, acme, globex) = stage().await;
    let initech = test.account("initech").await;
    for visibility in [Visibility::Public, Visibility::Private] {
        test.set_visibility(&acme, &repository(WEB), visibility, START).await.unwrap();
    }
    test.share(&acme, WEB, "initech", ShareEnd::Permanent).await;
    assert_eq!(pulls(&test, &globex).await, Answer::NotFound);
    assert_eq!(pulls(&test, &initech).await, Answer::Yes);
    assert_eq!(shares(&test).await, 1);
}
