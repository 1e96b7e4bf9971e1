//! Sharing: every rule of it, one by one and many at once.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use kv::Key;

use super::{Answer, START, TestAuth, account, at, cheap_settings, repository};
use crate::{
    Action, Auth, Description, Error, Event, EventKind, Level, NewShare, Principal, Settings, Share,
    ShareChange, ShareEnd, ShareTags, Thing, Visibility,
};

const WEB: &str = "team-a/web";

fn new_share(grantee: &str, end: ShareEnd) -> NewShare {
    NewShare {
        grantee: account(grantee),
        end,
        tags: ShareTags::All,
        description: Description::default(),
        notice_before: None,
        region: None,
    }
}

async fn share_with(auth: &Auth, p: &Principal, grantee: &str, now: Timestamp) -> Result<Share, Error> {
    auth.create_share(p, &repository(WEB), new_share(grantee, ShareEnd::Permanent), now).await
}

fn ending(end: ShareEnd) -> ShareChange {
    ShareChange { end: Some(end), ..ShareChange::default() }
}

async fn end_at(
    test: &TestAuth,
    p: &Principal,
    grantee: &str,
    end: ShareEnd,
    now: Timestamp,
) -> Result<Share, Error> {
    test.update_share(p, &repository(WEB), &account(grantee), ending(end), now).await
}

#[tokio::test]
async fn who_may_share() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.account("initech").await;
    let (reader, editor) = (test.user("reader@acme").await, test.user("editor@acme").await);
    let (manager, above, none) =
        (test.user("manager@acme").await, test.user("above@acme").await, test.user("none@acme").await);
    test.permit(&acme, WEB, "reader", Level::Read).await;
    test.permit(&acme, WEB, "editor", Level::Edit).await;
    test.permit(&acme, WEB, "manager", Level::Manage).await;
    test.permit(&acme, "team-a", "above", Level::Manage).await;
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    for (p, answer) in [
        (&Principal::anonymous(), "sign in first"),
        (&reader, "you may not do this"),
        (&editor, "you may not do this"),
        (&globex, "you may not do this"),
        (&none, "there is no such repository"),
        (&test.admin, "there is no such repository"),
    ] {
        // An account that does not exist makes no difference to who may not share.
        for grantee in ["initech", "missing"] {
            let made = share_with(&test, p, grantee, START).await.unwrap_err();
            assert_eq!(made.to_string(), answer, "{}", p.name());
        }
        let (name, with) = (repository(WEB), account("globex"));
        // Its grantee sees a share; another's, no more than anybody.
        let with_other = if p.same_as(&globex) { account("initech") } else { with.clone() };
        let shown = test.show_share(p, &name, &with_other, START).await.unwrap_err();
        let listed = test.list_repository_shares(p, &name, None, 9, START).await.unwrap_err();
        let changed =
            test.update_share(p, &name, &with, ending(ShareEnd::Permanent), START).await.unwrap_err();
        let revoked = test.revoke_share(p, &name, &with, START).await.unwrap_err();
        for error in [shown, listed, changed, revoked] {
            assert_eq!(error.to_string(), answer, "{}", p.name());
        }
    }
    let seen = test.show_share(&globex, &repository(WEB), &account("globex"), START).await.unwrap();
    assert_eq!((seen.owner, seen.grantee), (account("acme"), account("globex")));
    let made = share_with(&test, &manager, "initech", START).await.unwrap();
    assert_eq!((made.owner, made.created_by.as_str()), (account("acme"), "manager@acme"));
    test.revoke_share(&above, &repository(WEB), &account("initech"), START).await.unwrap();
}

#[tokio::test]
async fn what_is_refused() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.repository(&acme, "team-a/public").await;
    test.publish(&acme, "team-a/public").await;
    let until = |now| ShareEnd::Until(now);
    let make = async |name: &str, share: NewShare| {
        test.create_share(&acme, &repository(name), share, at(100)).await.map(|share| share.deadline)
    };
    let missing = make("team-a/missing", new_share("globex", ShareEnd::Permanent)).await;
    assert!(matches!(missing, Err(Error::NotFound { what: Thing::Repository })), "{missing:?}");
    let public = make("team-a/public", new_share("globex", ShareEnd::Permanent)).await;
    assert!(matches!(public, Err(Error::PublicImage)), "{public:?}");
    let own = make(WEB, new_share("acme", ShareEnd::Permanent)).await;
    assert!(matches!(own, Err(Error::ShareWithSelf)), "{own:?}");
    for past in [at(0), at(100)] {
        let made = make(WEB, new_share("globex", until(past))).await;
        assert!(matches!(made, Err(Error::DeadlinePast)), "{made:?}");
    }
    // Another region is refused before the account is looked for.
    for grantee in ["globex", "missing"] {
        let elsewhere =
            NewShare { region: Some("elsewhere".into()), ..new_share(grantee, ShareEnd::Permanent) };
        let made = make(WEB, elsewhere).await;
        assert!(matches!(&made, Err(Error::OtherRegion { ours }) if ours.as_str() == "here"), "{made:?}");
    }
    let unknown = make(WEB, new_share("missing", ShareEnd::Permanent)).await;
    assert!(matches!(unknown, Err(Error::UnknownAccount)), "{unknown:?}");

    let just_after = at(100) + SignedDuration::from_nanos(1);
    let here = NewShare { region: Some("here".into()), ..new_share("globex", until(just_after)) };
    assert_eq!(make(WEB, here).await.unwrap(), Some(just_after));
    let second = make(WEB, new_share("globex", ShareEnd::Permanent)).await;
    assert!(matches!(second, Err(Error::Exists { what: Thing::Share })), "{second:?}");
}

#[tokio::test]
async fn an_ended_share_is_replaced_or_opened_again() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let name = repository(WEB);
    let first =
        test.create_share(&acme, &name, new_share("globex", ShareEnd::Until(at(10))), START).await.unwrap();
    assert!(first.is_open(at(9)) && !first.is_open(at(10)));
    let listed = test.list_shares_with(&globex, None, 9, at(10)).await.unwrap();
    assert_eq!((listed.len(), listed[0].is_open(at(10))), (1, false), "an ended one stays listed");

    let second = share_with(&test, &acme, "globex", at(10)).await.unwrap();
    assert_ne!(first.id, second.id);
    assert_eq!(test.list_shares_by(&acme, None, 9, at(10)).await.unwrap(), std::slice::from_ref(&second));
    assert_eq!(
        test.list_shares_with(&globex, None, 9, at(10)).await.unwrap(),
        [Share { used: None, ..second }]
    );
    assert!(test.store().get_bytes(Key::Share { share: first.id.raw() }).await.unwrap().is_none());

    let past = end_at(&test, &acme, "globex", ShareEnd::Until(at(20)), at(20)).await;
    assert!(matches!(past, Err(Error::DeadlinePast)), "{past:?}");
    end_at(&test, &acme, "globex", ShareEnd::Until(at(30)), at(20)).await.unwrap();
    assert_eq!(test.may(&globex, WEB, Action::Pull, at(30)).await, Answer::NotFound);
    let described =
        ShareChange { description: Some(Description::parse("later").unwrap()), ..ShareChange::default() };
    let shown = test.update_share(&acme, &name, &account("globex"), described, at(35)).await.unwrap();
    assert_eq!((shown.deadline, shown.updated_at), (Some(at(30)), at(35)), "still ended");
    end_at(&test, &acme, "globex", ShareEnd::Permanent, at(40)).await.unwrap();
    assert_eq!(test.may(&globex, WEB, Action::Pull, at(1_000_000)).await, Answer::Yes);
}

#[tokio::test]
async fn a_revoked_share_is_gone() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    let name = repository(WEB);
    test.revoke_share(&acme, &name, &account("globex"), START).await.unwrap();
    // No share and no account answer alike, and no such question is counted.
    for grantee in ["globex", "missing"] {
        let with = account(grantee);
        let shown = test.show_share(&acme, &name, &with, START).await;
        assert!(matches!(shown, Err(Error::NotFound { what: Thing::Share })), "{shown:?}");
        let changed = test.update_share(&acme, &name, &with, ending(ShareEnd::Permanent), START).await;
        assert!(matches!(changed, Err(Error::NotFound { what: Thing::Share })), "{changed:?}");
        let revoked = test.revoke_share(&acme, &name, &with, START).await;
        assert!(matches!(revoked, Err(Error::NotFound { what: Thing::Share })), "{revoked:?}");
    }
    assert!(test.list_shares_with(&globex, None, 9, START).await.unwrap().is_empty());
    assert!(test.list_shares_by(&acme, None, 9, START).await.unwrap().is_empty());
    let unknown = Key::UnknownNames { account: acme.account().unwrap().raw() };
    assert!(test.store().get_bytes(unknown).await.unwrap().is_none());
    share_with(&test, &acme, "globex", START).await.unwrap();
}

#[tokio::test]
async fn publication_ends_shares_for_good() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    let name = repository(WEB);
    let id = test.show_repository(&acme, &name, START).await.unwrap().id.raw();
    test.publish(&acme, WEB).await;
    test.set_visibility(&acme, &name, Visibility::Private, START).await.unwrap();
    assert_eq!(test.may(&globex, WEB, Action::Pull, START).await, Answer::NotFound);
    assert!(test.list_shares_with(&globex, None, 9, START).await.unwrap().is_empty());
    let places = Key::ShareOf { repository: id, grantee: kv::Id::MIN }.siblings(test.region());
    assert!(test.store().list(places, 9).await.unwrap().is_empty(), "the rows are gone");
    share_with(&test, &acme, "globex", START).await.unwrap();
    assert_eq!(test.may(&globex, WEB, Action::Pull, START).await, Answer::Yes);
}

#[tokio::test]
async fn a_dead_row_is_shown_to_nobody_and_replaced() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.share(&acme, WEB, "globex", ShareEnd::Permanent).await;
    let name = repository(WEB);
    let id = test.show_repository(&acme, &name, START).await.unwrap().id.raw();
    // As if the process had died between the publication and the removal of the rows.
    let key = Key::Repository { repository: id };
    let mut life = test.store().get::<crate::RepositoryLife>(key).await.unwrap().unwrap().value;
    life.sharing_epoch += 1;
    let mut tx = test.store().transaction();
    tx.put(key, &life).unwrap().delete(Key::ShareGuard { repository: id });
    test.store().commit(tx).await.unwrap();

    assert!(test.list_shares_by(&acme, None, 9, START).await.unwrap().is_empty());
    assert!(test.list_shares_with(&globex, None, 9, START).await.unwrap().is_empty());
    assert!(test.list_repository_shares(&acme, &name, None, 9, START).await.unwrap().is_empty());
    let shown = test.show_share(&acme, &name, &account("globex"), START).await;
    assert!(matches!(shown, Err(Error::NotFound { what: Thing::Share })), "{shown:?}");
    let revived = end_at(&test, &acme, "globex", ShareEnd::Permanent, START).await;
    assert!(matches!(revived, Err(Error::NotFound { what: Thing::Share })), "{revived:?}");
    share_with(&test, &acme, "globex", START).await.unwrap();
    assert_eq!(shares(&test).await.len(), 1);
}

#[tokio::test]
async fn lists_are_pages_of_what_one_may_see() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.account("initech").await;
    let mut all = BTreeSet::new();
    for number in 0..4 {
        let name = format!("team-a/app{number}");
        test.repository(&acme, &name).await;
        let share = new_share("globex", ShareEnd::Until(at(10)));
        all.insert(test.create_share(&acme, &repository(&name), share, START).await.unwrap().id);
    }
    let other = share_with(&test, &acme, "initech", START).await.unwrap();
    let (manager, editor) = (test.user("manager@acme").await, test.user("editor@acme").await);
    test.permit(&acme, "team-a/app1", "manager", Level::Manage).await;
    test.permit(&acme, "team-a", "editor", Level::Edit).await;
    let ops = test.user("ops@globex").await;

    for limit in 1..=6 {
        let (mut by, mut with) = (Vec::new(), Vec::new());
        while let page = test.list_shares_by(&acme, by.last().copied(), limit, at(20)).await.unwrap()
            && !page.is_empty()
        {
            by.extend(page.into_iter().map(|share| share.id));
        }
        while let page = test.list_shares_with(&ops, with.last().copied(), limit, at(20)).await.unwrap()
            && !page.is_empty()
        {
            with.extend(page.into_iter().map(|share| share.id));
        }
        assert_eq!(with, all.iter().copied().collect::<Vec<_>>());
        assert_eq!(
            by,
            all.iter().copied().chain([other.id]).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
        );
    }
    let managed = test.list_shares_by(&manager, None, 9, START).await.unwrap();
    assert_eq!((managed.len(), managed[0].repository.as_str()), (1, "team-a/app1"));
    assert!(test.list_shares_by(&editor, None, 9, START).await.unwrap().is_empty());
    assert!(test.list_shares_with(&acme, None, 9, START).await.unwrap().is_empty());
    assert!(test.list_shares_by(&globex, None, 9, START).await.unwrap().is_empty());
    let nobody = test.list_shares_with(&Principal::anonymous(), None, 9, START).await;
    assert!(matches!(nobody, Err(Error::Unauthenticated)), "{nobody:?}");

    let (_, token) = test.personal_token(&globex, 60, Some(&["repository:team-a/app2:pull"])).await;
    let narrowed = test.authenticate_personal_token(&token, None, START).await.unwrap();
    let seen = test.list_shares_with(&narrowed, None, 9, START).await.unwrap();
    assert_eq!((seen.len(), seen[0].repository.as_str()), (1, "team-a/app2"));

    test.account("hooli").await;
    share_with(&test, &acme, "hooli", START).await.unwrap();
    let first = test.list_repository_shares(&acme, &repository(WEB), None, 1, START).await.unwrap();
    let rest =
        test.list_repository_shares(&acme, &repository(WEB), Some(first[0].id), 9, START).await.unwrap();
    assert_eq!((first.len(), rest.len()), (1, 1));
    assert!(first[0].id < rest[0].id);
}

/// A registry where at most `max` shares of a repository are open, with accounts `g0` to `g9`.
async fn narrow(max: usize) -> (TestAuth, Principal) {
    let test = TestAuth::with(Settings { share_grantees_max: max, ..cheap_settings() }).await;
    let acme = test.account("acme").await;
    test.namespace(&acme, "team-a").await;
    test.repository(&acme, WEB).await;
    for number in 0..10 {
        test.account(&format!("g{number}")).await;
    }
    (test, acme)
}

#[tokio::test]
async fn ended_and_revoked_shares_make_room() {
    let (test, acme) = narrow(2).await;
    let short = new_share("g0", ShareEnd::Until(at(10)));
    test.create_share(&acme, &repository(WEB), short, START).await.unwrap();
    share_with(&test, &acme, "g1", START).await.unwrap();
    for grantee in ["g2", "missing"] {
        let full = share_with(&test, &acme, grantee, at(9)).await;
        assert!(matches!(full, Err(Error::Limit { max: 2, .. })), "{full:?}");
    }
    end_at(&test, &acme, "g0", ShareEnd::Until(at(10)), START).await.unwrap();
    share_with(&test, &acme, "g2", at(10)).await.unwrap();
    let reopened = end_at(&test, &acme, "g0", ShareEnd::Permanent, at(10)).await;
    assert!(matches!(reopened, Err(Error::Limit { max: 2, .. })), "{reopened:?}");
    test.revoke_share(&acme, &repository(WEB), &account("g1"), at(10)).await.unwrap();
    end_at(&test, &acme, "g0", ShareEnd::Permanent, at(10)).await.unwrap();
}

#[tokio::test]
async fn no_more_are_open_however_many_try_at_once() {
    let (test, acme) = narrow(3).await;
    let tasks: Vec<_> = (0..10)
        .map(|number| {
            let (auth, acme) = (test.auth.clone(), acme.clone());
            tokio::spawn(async move { share_with(&auth, &acme, &format!("g{number}"), START).await })
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
    assert_eq!(test.list_shares_by(&acme, None, 99, START).await.unwrap().len(), 3);
}

#[tokio::test]
async fn of_two_creators_of_one_share_one_makes_it() {
    for _ in 0..50 {
        let (test, acme, globex) = TestAuth::with_acme().await;
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let (auth, acme) = (test.auth.clone(), acme.clone());
                tokio::spawn(async move { share_with(&auth, &acme, "globex", START).await })
            })
            .collect();
        let mut made = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => made += 1,
                Err(Error::Exists { what: Thing::Share }) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(made, 1);
        assert_eq!(test.list_shares_with(&globex, None, 9, START).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn no_share_outlives_a_publication_beside_it() {
    for _ in 0..200 {
        let (test, acme, globex) = TestAuth::with_acme().await;
        let (auth, p) = (test.auth.clone(), acme.clone());
        let sharing = tokio::spawn(async move { share_with(&auth, &p, "globex", START).await });
        let (auth, p) = (test.auth.clone(), acme.clone());
        let publishing = tokio::spawn(async move {
            auth.set_visibility(&p, &repository(WEB), Visibility::Public, START).await.unwrap();
        });
        match sharing.await.unwrap() {
            Ok(_) | Err(Error::PublicImage) => {}
            Err(other) => panic!("{other}"),
        }
        publishing.await.unwrap();
        test.set_visibility(&acme, &repository(WEB), Visibility::Private, START).await.unwrap();
        assert_eq!(test.may(&globex, WEB, Action::Pull, START).await, Answer::NotFound);
        assert!(shares(&test).await.is_empty());
    }
}

#[tokio::test]
async fn no_share_outlives_a_deletion_beside_it() {
    for _ in 0..200 {
        let (test, acme, _) = TestAuth::with_acme().await;
        let id = test.show_repository(&acme, &repository(WEB), START).await.unwrap().id;
        let (auth, p) = (test.auth.clone(), acme.clone());
        let sharing = tokio::spawn(async move { share_with(&auth, &p, "globex", START).await });
        let (auth, p) = (test.auth.clone(), acme.clone());
        let deletion = tokio::spawn(async move {
            auth.delete_repository(&p, &repository(WEB), START).await.unwrap();
            while !auth.reap_repository(id, 1).await.unwrap() {}
        });
        match sharing.await.unwrap() {
            Ok(_) | Err(Error::NotFound { what: Thing::Repository }) => {}
            Err(other) => panic!("{other}"),
        }
        deletion.await.unwrap();
        assert!(shares(&test).await.is_empty());
    }
}

#[tokio::test]
async fn guessing_names_ends_after_thirty() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let manager = test.user("manager@acme").await;
    test.permit(&acme, WEB, "manager", Level::Manage).await;
    for number in 0..30 {
        let guesser = if number % 2 == 0 { &acme } else { &manager };
        let guess = share_with(&test, guesser, &format!("guess{number}"), at(number)).await;
        assert!(matches!(guess, Err(Error::UnknownAccount)), "{guess:?}");
    }
    // From here on not even a name that exists is looked up: that would tell it from the others.
    for grantee in ["guess30", "globex"] {
        let guess = share_with(&test, &acme, grantee, at(3599)).await;
        assert!(matches!(guess, Err(Error::TooManyUnknownNames)), "{guess:?}");
    }
    let tried = events(&test, &acme).await.into_iter().filter(|e| e.kind == EventKind::UnknownNameTried);
    let subjects: BTreeSet<_> = tried.map(|event| event.subject).collect();
    assert_eq!(subjects.len(), 30, "all of it is in the trail");
    share_with(&test, &acme, "globex", at(3600)).await.unwrap();
}

#[tokio::test]
async fn guessing_many_at_once_tells_no_more() {
    let test = TestAuth::with(Settings { unknown_names_per_hour: 3, ..cheap_settings() }).await;
    let acme = test.account("acme").await;
    test.namespace(&acme, "team-a").await;
    test.repository(&acme, WEB).await;
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let (auth, acme) = (test.auth.clone(), acme.clone());
            tokio::spawn(async move { share_with(&auth, &acme, &format!("guess{number}"), START).await })
        })
        .collect();
    let mut told = 0;
    for task in tasks {
        match task.await.unwrap() {
            Err(Error::UnknownAccount) => told += 1,
            Err(Error::TooManyUnknownNames) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(told, 3);
}

#[tokio::test]
async fn a_disabled_account_is_none_to_share_with() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.set_account_disabled(&test.admin, &account("globex"), true, START).await.unwrap();
    let made = share_with(&test, &acme, "globex", START).await;
    assert!(matches!(made, Err(Error::UnknownAccount)), "{made:?}");
}

#[tokio::test]
async fn no_share_is_left_with_a_deleted_account() {
    for _ in 0..100 {
        let (test, acme, _) = TestAuth::with_acme().await;
        let (auth, p) = (test.auth.clone(), acme.clone());
        let sharing = tokio::spawn(async move { share_with(&auth, &p, "globex", START).await.is_ok() });
        let (auth, admin) = (test.auth.clone(), test.admin.clone());
        let deletion =
            tokio::spawn(
                async move { auth.delete_account(&admin, &account("globex"), START).await.unwrap() },
            );
        sharing.await.unwrap();
        deletion.await.unwrap();
        assert!(shares(&test).await.is_empty());
    }
}

/// The rows of all shares there are, whatever they open.
async fn shares(test: &TestAuth) -> Vec<(Vec<u8>, kv::Entry)> {
    test.store().list(Key::Share { share: kv::Id::MIN }.siblings(test.region()), 99).await.unwrap()
}

async fn events(test: &TestAuth, p: &Principal) -> Vec<Event> {
    let key = Key::Event { account: p.account().unwrap().raw(), time_ms: 0, event: kv::Id::MIN };
    let rows = test.store().list(key.siblings(test.region()), 1_000).await.unwrap();
    rows.iter().map(|(_, entry)| kv::decode(key, entry).unwrap().value).collect()
}
