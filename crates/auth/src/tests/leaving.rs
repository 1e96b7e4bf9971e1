//! The grantee's side: leaving a share, blocking an owner, and what the owner is told.

use kv::Key;

use super::{Answer, START, TestAuth, account, at, cheap_settings, repository};
use crate::{
    Action, Auth, BLOCKED_OWNERS_MAX, Description, Error, Event, Level, NewShare, Principal, Settings, Share,
    ShareChange, ShareEnd, Thing,
};

const WEB: &str = "team-a/web";

async fn share(auth: &Auth, p: &Principal, name: &str, grantee: &str) -> Result<Share, Error> {
    let (grantee, description) = (account(grantee), Description::default());
    let tags = crate::ShareTags::All;
    let new =
        NewShare { grantee, end: ShareEnd::Permanent, tags, description, notice_before: None, region: None };
    auth.create_share(p, &repository(name), new, START).await
}

async fn trail(test: &TestAuth, p: &Principal) -> Vec<String> {
    let key = Key::Event { account: p.account().unwrap().raw(), time_ms: 0, event: kv::Id::MIN };
    let rows = test.store().list(key.siblings(test.region()), 1_000).await.unwrap();
    let events = rows.iter().map(|(_, entry)| kv::decode::<Event>(key, entry).unwrap().value);
    events.map(|e| format!("{:?} {} by {} {}", e.kind, e.subject, e.actor.name, e.detail)).collect()
}

#[tokio::test]
async fn who_leaves_pulls_no_more_and_is_in_both_trails_and_the_owner_may_share_again() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let user = test.user("ci@globex").await;
    let made = share(&test, &acme, WEB, "globex").await.unwrap();
    let permit = test.authorize(&user, &repository(WEB), Action::Pull, START).await.unwrap();
    test.leave_share(&globex, made.id, START).await.unwrap();
    for p in [&globex, &user] {
        assert_eq!(test.may(p, WEB, Action::Pull, START).await, Answer::NotFound);
    }
    assert!(!test.still_open(&permit, START).await.unwrap());
    assert!(test.list_shares_with(&globex, None, 9, START).await.unwrap().is_empty());
    assert!(test.list_shares_by(&acme, None, 9, START).await.unwrap().is_empty());
    for p in [&acme, &globex] {
        let told = "ShareLeft team-a/web by globex with globex".to_owned();
        assert!(trail(&test, p).await.contains(&told), "{:?}", trail(&test, p).await);
    }
    let again = test.leave_share(&globex, made.id, START).await;
    assert!(matches!(again, Err(Error::NotFound { what: Thing::Share })), "{again:?}");
    share(&test, &acme, WEB, "globex").await.unwrap();
    assert_eq!(test.may(&globex, WEB, Action::Pull, START).await, Answer::Yes);
}

#[tokio::test]
async fn who_may_leave_a_share() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (user, initech) = (test.user("ci@globex").await, test.account("initech").await);
    let id = share(&test, &acme, WEB, "globex").await.unwrap().id;
    let (_, narrow) = test.personal_token(&globex, 60, Some(&["repository:team-a/web:pull"])).await;
    let narrow = test.authenticate_personal_token(&narrow, None, START).await.unwrap();
    for (p, told) in [
        (&Principal::anonymous(), "sign in first"),
        (&user, "you may not do this"),
        (&narrow, "you may not do this"),
        (&acme, "there is no such share"),
        (&initech, "there is no such share"),
        (&test.admin, "there is no such share"),
    ] {
        let left = test.leave_share(p, id, START).await.unwrap_err();
        assert_eq!(left.to_string(), told, "{}", p.name());
    }
    assert_eq!(test.may(&globex, WEB, Action::Pull, START).await, Answer::Yes);
}

#[tokio::test]
async fn an_ended_share_may_be_left_and_one_that_nobody_is_shown_may_not() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let id = share(&test, &acme, WEB, "globex").await.unwrap().id;
    let change = ShareChange { end: Some(ShareEnd::Until(at(10))), ..Default::default() };
    test.update_share(&acme, &repository(WEB), &account("globex"), change, START).await.unwrap();
    test.leave_share(&globex, id, at(20)).await.unwrap();
    assert!(test.list_shares_by(&acme, None, 9, at(20)).await.unwrap().is_empty());

    let id = share(&test, &acme, WEB, "globex").await.unwrap().id;
    test.delete_repository(&acme, &repository(WEB), START).await.unwrap();
    let left = test.leave_share(&globex, id, START).await;
    assert!(matches!(left, Err(Error::NotFound { what: Thing::Share })), "{left:?}");
}

#[tokio::test]
async fn leaving_makes_room_for_another() {
    let test = TestAuth::with(Settings { share_grantees_max: 1, ..cheap_settings() }).await;
    let (acme, globex) = (test.account("acme").await, test.account("globex").await);
    test.account("initech").await;
    test.namespace(&acme, "team-a").await;
    test.repository(&acme, WEB).await;
    let id = share(&test, &acme, WEB, "globex").await.unwrap().id;
    test.leave_share(&globex, id, START).await.unwrap();
    share(&test, &acme, WEB, "initech").await.unwrap();
}

#[tokio::test]
async fn a_blocked_owners_shares_are_left_and_it_makes_no_others() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let initech = test.account("initech").await;
    test.repository(&acme, "team-a/api").await;
    test.namespace(&initech, "team-i").await;
    test.repository(&initech, "team-i/web").await;
    for (p, name) in [(&acme, WEB), (&acme, "team-a/api"), (&initech, "team-i/web")] {
        share(&test, p, name, "globex").await.unwrap();
    }
    let blocked = test.block_owner(&globex, &account("acme"), START).await.unwrap();
    assert_eq!((blocked.name.as_str(), blocked.since), ("acme", START));
    let left: Vec<_> = test.list_shares_with(&globex, None, 9, START).await.unwrap();
    assert_eq!(left.iter().map(|share| share.repository.as_str()).collect::<Vec<_>>(), ["team-i/web"]);
    for (name, expected) in
        [(WEB, Answer::NotFound), ("team-a/api", Answer::NotFound), ("team-i/web", Answer::Yes)]
    {
        assert_eq!(test.may(&globex, name, Action::Pull, START).await, expected, "{name}");
    }
    let refused = share(&test, &acme, WEB, "globex").await;
    assert!(matches!(refused, Err(Error::Blocked)), "{refused:?}");
    let left = trail(&test, &acme).await.into_iter().filter(|told| told.starts_with("ShareLeft")).count();
    assert_eq!(left, 2);
    assert!(trail(&test, &globex).await.contains(&"OwnerBlocked acme by globex ".to_owned()));
    // Again is the same, and so is an owner's user.
    let again = test.block_owner(&globex, &account("acme"), at(10)).await.unwrap();
    assert_eq!(again.since, START);
    let dev = test.user("dev@acme").await;
    test.permit(&acme, WEB, "dev", Level::Manage).await;
    assert!(matches!(share(&test, &dev, WEB, "globex").await, Err(Error::Blocked)));

    test.unblock_owner(&globex, &account("acme"), START).await.unwrap();
    let twice = test.unblock_owner(&globex, &account("acme"), START).await;
    assert!(matches!(twice, Err(Error::NotFound { what: Thing::BlockedOwner })), "{twice:?}");
    assert_eq!(
        test.may(&globex, WEB, Action::Pull, START).await,
        Answer::NotFound,
        "what was left stays left"
    );
    share(&test, &acme, WEB, "globex").await.unwrap();
}

#[tokio::test]
async fn blocking_tells_nobody_which_accounts_there_are() {
    let (test, _, globex) = TestAuth::with_acme().await;
    for name in ["acme", "no-such-account"] {
        assert_eq!(test.block_owner(&globex, &account(name), START).await.unwrap().name.as_str(), name);
    }
    let blocked = test.list_blocked_owners(&globex, None, 9).await.unwrap();
    assert_eq!(blocked.iter().map(|b| b.name.as_str()).collect::<Vec<_>>(), ["acme", "no-such-account"]);
    // Whoever bears the name later is blocked too.
    let late = test.account("no-such-account").await;
    test.namespace(&late, "late").await;
    test.repository(&late, "late/web").await;
    assert!(matches!(share(&test, &late, "late/web", "globex").await, Err(Error::Blocked)));
    let page = test.list_blocked_owners(&globex, Some("acme"), 1).await.unwrap();
    assert_eq!(page[0].name.as_str(), "no-such-account");
    for name in ["acme", "no-such-account"] {
        test.unblock_owner(&globex, &account(name), START).await.unwrap();
    }
    assert!(test.list_blocked_owners(&globex, None, 9).await.unwrap().is_empty());
}

#[tokio::test]
async fn who_may_block_an_owner() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let user = test.user("ci@globex").await;
    for (p, told) in [(&Principal::anonymous(), "sign in first"), (&user, "you may not do this")] {
        let name = account("acme");
        let blocked = test.block_owner(p, &name, START).await.unwrap_err();
        let unblocked = test.unblock_owner(p, &name, START).await.unwrap_err();
        assert_eq!((blocked.to_string().as_str(), unblocked.to_string().as_str()), (told, told));
    }
    let own = test.block_owner(&globex, &account("globex"), START).await;
    assert!(matches!(own, Err(Error::Invalid { field: "account", .. })), "{own:?}");
    test.block_owner(&globex, &account("acme"), START).await.unwrap();
    assert_eq!(test.list_blocked_owners(&user, None, 9).await.unwrap().len(), 1);
    assert!(test.list_blocked_owners(&acme, None, 9).await.unwrap().is_empty());
    // The other way round nothing changes.
    test.namespace(&globex, "team-g").await;
    test.repository(&globex, "team-g/web").await;
    share(&test, &globex, "team-g/web", "acme").await.unwrap();
}

#[tokio::test]
async fn an_account_blocks_so_many_owners_and_no_more() {
    let (test, _, globex) = TestAuth::with_acme().await;
    for number in 0..BLOCKED_OWNERS_MAX {
        test.block_owner(&globex, &account(&format!("owner-{number}")), START).await.unwrap();
    }
    let full = test.block_owner(&globex, &account("one-more"), START).await;
    assert!(matches!(full, Err(Error::Limit { max: 1_000, .. })), "{full:?}");
    test.block_owner(&globex, &account("owner-7"), START).await.unwrap();
}

#[tokio::test]
async fn no_share_slips_past_a_block_beside_it() {
    for _ in 0..200 {
        let (test, acme, globex) = TestAuth::with_acme().await;
        test.repository(&acme, "team-a/api").await;
        let (auth, p) = (test.auth.clone(), acme.clone());
        let sharing = tokio::spawn(async move {
            for name in [WEB, "team-a/api"] {
                match share(&auth, &p, name, "globex").await {
                    Ok(_) | Err(Error::Blocked) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        });
        test.block_owner(&globex, &account("acme"), START).await.unwrap();
        sharing.await.unwrap();
        for name in [WEB, "team-a/api"] {
            assert_eq!(test.may(&globex, name, Action::Pull, START).await, Answer::NotFound);
        }
    }
}

#[tokio::test]
async fn a_share_that_is_changed_while_it_is_left_or_revoked_stays_closed() {
    for round in 0..200 {
        let (test, acme, globex) = TestAuth::with_acme().await;
        let id = share(&test, &acme, WEB, "globex").await.unwrap().id;
        let (auth, p) = (test.auth.clone(), acme.clone());
        let changing = tokio::spawn(async move {
            let change = ShareChange { end: Some(ShareEnd::Until(at(1_000))), ..Default::default() };
            auth.update_share(&p, &repository(WEB), &account("globex"), change, START).await
        });
        match round % 2 {
            0 => test.leave_share(&globex, id, START).await.unwrap(),
            _ => test.revoke_share(&acme, &repository(WEB), &account("globex"), START).await.unwrap(),
        }
        match changing.await.unwrap() {
            Ok(_) | Err(Error::NotFound { what: Thing::Share }) => {}
            Err(other) => panic!("{other}"),
        }
        assert_eq!(test.may(&globex, WEB, Action::Pull, START).await, Answer::NotFound);
        let rows = Key::Share { share: kv::Id::MIN }.siblings(test.region());
        assert!(test.store().list(rows, 9).await.unwrap().is_empty());
        // The guard counts it no more.
        let repository = test.show_repository(&acme, &repository(WEB), START).await.unwrap().id;
        let guard = Key::ShareGuard { repository: repository.raw() };
        let guard = test.store().get::<crate::records::ShareGuardRecord>(guard).await.unwrap().unwrap();
        assert!(guard.value.open.is_empty());
    }
}

#[tokio::test]
async fn of_a_call_with_many_beside_a_revocation_all_or_none_is_made_and_the_revoked_one_is_closed() {
    for _ in 0..200 {
        let (test, acme, globex) = TestAuth::with_acme().await;
        test.account("initech").await;
        share(&test, &acme, WEB, "globex").await.unwrap();
        let (auth, p) = (test.auth.clone(), acme.clone());
        let sharing = tokio::spawn(async move {
            let new = |grantee| NewShare {
                tags: crate::ShareTags::All,
                grantee: account(grantee),
                end: ShareEnd::Permanent,
                description: Description::default(),
                notice_before: None,
                region: None,
            };
            let all = ["globex", "initech"].map(|grantee| (repository(WEB), new(grantee)));
            auth.create_shares(&p, &all, START).await
        });
        test.revoke_share(&acme, &repository(WEB), &account("globex"), START).await.unwrap();
        let made = sharing.await.unwrap().is_ok();
        let open = test.list_shares_by(&acme, None, 9, START).await.unwrap().len();
        // Made: after the revocation, anew. Not made: the share was still there, and was revoked then.
        assert_eq!(open, if made { 2 } else { 0 });
        let expected = if made { Answer::Yes } else { Answer::NotFound };
        assert_eq!(test.may(&globex, WEB, Action::Pull, START).await, expected);
    }
}
