//! Many shares in one commit: all of them or none, whatever runs beside it.

use kv::Key;

use super::{Answer, START, TestAuth, account, at, cheap_settings, repository};
use crate::{
    Action, Auth, Description, Error, Event, EventKind, NewShare, Principal, Settings, Share, ShareEnd,
    Thing, Visibility,
};

/// `team-a/web` → `globex`.
type Entry<'a> = (&'a str, &'a str);

fn entries(entries: &[Entry<'_>], end: ShareEnd) -> Vec<(oci::RepositoryName, NewShare)> {
    let share = |grantee| NewShare {
        grantee,
        end,
        tags: crate::ShareTags::All,
        description: Description::default(),
        notice_before: None,
        region: None,
    };
    entries.iter().map(|(name, grantee)| (repository(name), share(account(grantee)))).collect()
}

async fn share_all(auth: &Auth, p: &Principal, all: &[Entry<'_>]) -> Result<Vec<Share>, Error> {
    auth.create_shares(p, &entries(all, ShareEnd::Permanent), START).await
}

/// acme with `team-a/web`, `team-a/api` and `team-a/open`, which is public; globex, initech and hooli.
async fn stage() -> (TestAuth, Principal, Principal) {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.repository(&acme, "team-a/api").await;
    test.repository(&acme, "team-a/open").await;
    test.publish(&acme, "team-a/open").await;
    test.account("initech").await;
    test.account("hooli").await;
    (test, acme, globex)
}

async fn rows(test: &TestAuth) -> usize {
    let shares = Key::Share { share: kv::Id::MIN }.siblings(test.region());
    test.store().list(shares, 1_000).await.unwrap().len()
}

async fn events(test: &TestAuth, p: &Principal, kind: EventKind) -> Vec<Event> {
    let key = Key::Event { account: p.account().unwrap().raw(), time_ms: 0, event: kv::Id::MIN };
    let rows = test.store().list(key.siblings(test.region()), 1_000).await.unwrap();
    let events = rows.iter().map(|(_, entry)| kv::decode::<Event>(key, entry).unwrap().value);
    events.filter(|event| event.kind == kind).collect()
}

#[tokio::test]
async fn one_image_with_many_accounts_and_many_images_with_one() {
    let (test, acme, globex) = stage().await;
    let all = [
        ("team-a/web", "initech"),
        ("team-a/web", "globex"),
        ("team-a/web", "hooli"),
        ("team-a/api", "globex"),
    ];
    let made = share_all(&test, &acme, &all).await.unwrap();
    let told: Vec<_> = made.iter().map(|share| (share.repository.as_str(), share.grantee.as_str())).collect();
    assert_eq!(told, all, "in the order in which they were given");
    for name in ["team-a/web", "team-a/api"] {
        assert_eq!(test.may(&globex, name, Action::Pull, START).await, Answer::Yes, "{name}");
    }
    let initech = test.sign_in("initech").await;
    assert_eq!(test.may(&initech, "team-a/api", Action::Pull, START).await, Answer::NotFound);
    assert_eq!(events(&test, &acme, EventKind::ShareCreated).await.len(), 4);
    assert_eq!(test.list_shares_with(&globex, None, 9, START).await.unwrap().len(), 2);
}

#[tokio::test]
async fn when_one_cannot_be_made_none_is_and_it_is_named() {
    let (test, acme, globex) = stage().await;
    test.share(&acme, "team-a/api", "initech", ShareEnd::Permanent).await;
    let good = [("team-a/web", "globex"), ("team-a/web", "initech")];
    for (bad, why) in [
        (("team-a/web", "nobody"), "there is no such account to share with"),
        (("team-a/web", "acme"), "an account cannot share with itself"),
        (("team-a/open", "globex"), "the image is public; only private images are shared"),
        (("team-a/missing", "globex"), "there is no such repository"),
        (("team-x/web", "globex"), "there is no such repository"),
        (("team-a/api", "initech"), "this share exists already"),
        // The same one twice.
        (("team-a/web", "globex"), "this share exists already"),
    ] {
        for place in 0..=good.len() {
            let mut all = good.to_vec();
            all.insert(place, bad);
            // Of the same share twice the second is one too many.
            let expected = if bad == good[0] { place.max(1) } else { place };
            match share_all(&test, &acme, &all).await {
                Err(Error::OneOfShares { index, repository, grantee, error }) => {
                    let named = (index, repository.as_str(), grantee.as_str(), error.to_string());
                    assert_eq!(named, (expected, bad.0, bad.1, why.to_owned()));
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(rows(&test).await, 1, "that which was there before");
    assert_eq!(events(&test, &acme, EventKind::ShareCreated).await.len(), 1);
    assert_eq!(test.may(&globex, "team-a/web", Action::Pull, START).await, Answer::NotFound);
    let past = test.create_shares(&acme, &entries(&good, ShareEnd::Until(START)), START).await;
    assert!(
        matches!(&past, Err(Error::OneOfShares { index: 0, error, .. }) if matches!(**error, Error::DeadlinePast)),
        "{past:?}"
    );
    share_all(&test, &acme, &good).await.unwrap();
}

#[tokio::test]
async fn who_manages_one_of_them_alone_shares_none() {
    let (test, acme, globex) = stage().await;
    test.user("dev@acme").await;
    test.permit(&acme, "team-a/web", "dev", crate::Level::Manage).await;
    test.permit(&acme, "team-a/api", "dev", crate::Level::Edit).await;
    let dev = test.sign_in("dev@acme").await;
    let both = [("team-a/web", "globex"), ("team-a/api", "globex")];
    for (p, index, why) in [(&dev, 1, "you may not do this"), (&globex, 0, "there is no such repository")] {
        match share_all(&test, p, &both).await {
            Err(Error::OneOfShares { index: found, error, .. }) => {
                assert_eq!((found, error.to_string().as_str()), (index, why));
            }
            other => panic!("{other:?}"),
        }
    }
    let nobody = share_all(&test, &Principal::anonymous(), &both).await;
    assert!(matches!(nobody, Err(Error::Unauthenticated)), "{nobody:?}");
    assert_eq!(rows(&test).await, 0);
}

#[tokio::test]
async fn one_call_makes_at_most_500_and_that_many() {
    let test = TestAuth::new().await;
    let acme = test.account("acme").await;
    test.namespace(&acme, "team-a").await;
    let names: Vec<_> = (0..25).map(|number| format!("team-a/app{number}")).collect();
    for name in &names {
        test.repository(&acme, name).await;
    }
    let grantees: Vec<_> = (0..20).map(|number| format!("g{number}")).collect();
    for grantee in &grantees {
        test.create_account(&test.admin, &account(grantee), &super::password_of(grantee), START)
            .await
            .unwrap();
    }
    let mut all: Vec<_> = names
        .iter()
        .flat_map(|name| grantees.iter().map(move |with| (name.as_str(), with.as_str())))
        .collect();
    all.push(("team-a/app0", "g0"));
    for wrong in [&all[..], &[]] {
        let refused = share_all(&test, &acme, wrong).await;
        assert!(matches!(refused, Err(Error::Invalid { field: "accounts", .. })), "{refused:?}");
    }
    let made = share_all(&test, &acme, &all[..500]).await.unwrap();
    assert_eq!((made.len(), rows(&test).await), (500, 500));
}

#[tokio::test]
async fn the_bound_on_open_shares_holds_over_the_entries_of_one_call() {
    let test = TestAuth::with(Settings { share_grantees_max: 2, ..cheap_settings() }).await;
    let acme = test.account("acme").await;
    test.namespace(&acme, "team-a").await;
    test.repository(&acme, "team-a/web").await;
    for grantee in ["a", "b", "c"] {
        test.account(grantee).await;
    }
    let all = [("team-a/web", "a"), ("team-a/web", "b"), ("team-a/web", "c")];
    match share_all(&test, &acme, &all).await {
        Err(Error::OneOfShares { index: 2, error, .. }) => {
            assert!(matches!(*error, Error::Limit { max: 2, .. }), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
    share_all(&test, &acme, &all[..2]).await.unwrap();
    // Ended ones make room for as many.
    test.update_share(
        &acme,
        &repository("team-a/web"),
        &account("a"),
        crate::ShareChange { end: Some(ShareEnd::Until(at(10))), ..Default::default() },
        START,
    )
    .await
    .unwrap();
    let again = entries(&[("team-a/web", "a")], ShareEnd::Permanent);
    test.create_shares(&acme, &again, at(10)).await.unwrap();
    assert_eq!(rows(&test).await, 2, "the ended one is replaced");
}

#[tokio::test]
async fn an_unknown_name_in_a_call_counts_once_and_beyond_the_bound_no_name_is_looked_up() {
    let test = TestAuth::with(Settings { unknown_names_per_hour: 2, ..cheap_settings() }).await;
    let acme = test.account("acme").await;
    test.namespace(&acme, "team-a").await;
    test.repository(&acme, "team-a/web").await;
    test.account("globex").await;
    for guess in ["guess-1", "guess-2"] {
        let all = [("team-a/web", "globex"), ("team-a/web", guess), ("team-a/web", "guess-3")];
        match share_all(&test, &acme, &all).await {
            Err(Error::OneOfShares { index: 1, error, .. }) => {
                assert!(matches!(*error, Error::UnknownAccount), "{error:?}");
            }
            other => panic!("{other:?}"),
        }
    }
    match share_all(&test, &acme, &[("team-a/web", "globex")]).await {
        Err(Error::OneOfShares { index: 0, error, .. }) => {
            assert!(matches!(*error, Error::TooManyUnknownNames), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(events(&test, &acme, EventKind::UnknownNameTried).await.len(), 2);
}

#[tokio::test]
async fn of_two_calls_with_one_share_in_common_one_makes_all_of_its_own() {
    for _ in 0..100 {
        let (test, acme, _) = stage().await;
        let calls = [
            [("team-a/web", "globex"), ("team-a/web", "initech"), ("team-a/api", "globex")],
            [("team-a/api", "hooli"), ("team-a/api", "globex"), ("team-a/web", "hooli")],
        ];
        let tasks = calls.map(|all| {
            let (auth, acme) = (test.auth.clone(), acme.clone());
            tokio::spawn(async move { share_all(&auth, &acme, &all).await })
        });
        let mut made = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(shares) => made += shares.len(),
                Err(Error::OneOfShares { repository, grantee, error, .. }) => {
                    assert_eq!((repository.as_str(), grantee.as_str()), ("team-a/api", "globex"));
                    assert!(matches!(*error, Error::Exists { what: Thing::Share }), "{error:?}");
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!((made, rows(&test).await), (3, 3));
    }
}

#[tokio::test]
async fn a_call_beside_a_publication_leaves_no_share_of_what_was_public() {
    for _ in 0..100 {
        let (test, acme, globex) = stage().await;
        let (auth, p) = (test.auth.clone(), acme.clone());
        let all = [("team-a/api", "globex"), ("team-a/web", "globex")];
        let sharing = tokio::spawn(async move { share_all(&auth, &p, &all).await });
        test.set_visibility(&acme, &repository("team-a/web"), Visibility::Public, START).await.unwrap();
        let made = sharing.await.unwrap();
        test.set_visibility(&acme, &repository("team-a/web"), Visibility::Private, START).await.unwrap();
        assert_eq!(test.may(&globex, "team-a/web", Action::Pull, START).await, Answer::NotFound);
        let expected = if made.is_ok() { Answer::Yes } else { Answer::NotFound };
        assert_eq!(test.may(&globex, "team-a/api", Action::Pull, START).await, expected);
        assert_eq!(rows(&test).await, usize::from(made.is_ok()), "none is left of what was public");
    }
}

#[tokio::test]
async fn what_would_be_refused_is_told_of_each_before_anything_is_made() {
    let (test, acme, _) = stage().await;
    share_all(&test, &acme, &[("team-a/api", "globex")]).await.unwrap();
    let refused = async |p: &Principal, all: &[Entry<'_>], end| {
        let refused = test.refused_shares(p, &entries(all, end), START).await;
        refused.map(|all| all.into_iter().map(|(name, error)| (name.to_string(), error)).collect::<Vec<_>>())
    };
    let before = rows(&test).await;
    let all = [
        ("team-a/web", "globex"),
        ("team-a/api", "globex"),
        ("team-a/open", "globex"),
        ("team-a/no", "globex"),
    ];
    let told = refused(&acme, &all, ShareEnd::Permanent).await.unwrap();
    let told: Vec<_> = told.iter().map(|(name, error)| (name.as_str(), error)).collect();
    assert!(
        matches!(
            told.as_slice(),
            [
                ("team-a/api", Error::Exists { what: Thing::Share }),
                ("team-a/open", Error::PublicImage),
                ("team-a/no", Error::NotFound { .. })
            ]
        ),
        "{told:?}"
    );
    let reader = test.user("reader@acme").await;
    test.permit(&acme, "team-a", "reader", crate::Level::Read).await;
    let told = refused(&reader, &[("team-a/web", "globex")], ShareEnd::Permanent).await.unwrap();
    assert!(matches!(told.as_slice(), [(_, Error::Forbidden)]), "{told:?}");
    for (entry, end) in
        [("nobody", ShareEnd::Permanent), ("acme", ShareEnd::Permanent), ("globex", ShareEnd::Until(at(-1)))]
    {
        let told = refused(&acme, &[("team-a/web", entry)], end).await;
        assert!(told.is_err(), "{entry}: what is wrong with all is no matter of one");
    }
    assert_eq!(rows(&test).await, before, "nothing is made");
}

#[tokio::test]
async fn shares_are_found_by_the_names_of_accounts_and_images_page_by_page() {
    let (test, acme, globex) = stage().await;
    let all = [
        ("team-a/web", "initech"),
        ("team-a/web", "globex"),
        ("team-a/web", "hooli"),
        ("team-a/api", "globex"),
    ];
    share_all(&test, &acme, &all).await.unwrap();
    let web = repository("team-a/web");
    let found = async |search: &str, after: Option<&str>, limit| {
        let after = after.map(account);
        let wants = |name: &crate::AccountName| name.as_str().contains(search);
        let found =
            test.find_repository_shares(&acme, &web, (wants, after.as_ref()), limit, START).await.unwrap();
        found.iter().map(|share| share.grantee.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found("", None, 2).await, ["globex", "hooli"]);
    assert_eq!(found("", Some("hooli"), 2).await, ["initech"]);
    assert_eq!(found("oo", None, 9).await, ["hooli"]);
    let refused = test.find_repository_shares(&globex, &web, (|_: &_| true, None), 9, START).await;
    assert!(matches!(refused, Err(Error::Forbidden | Error::NotFound { .. })), "{refused:?}");
    let with = async |search: &str, after: Option<&crate::SharePlace>, limit| {
        let wants = |share: &Share| share.repository.as_str().contains(search);
        let found = test.find_shares_with(&globex, wants, after, limit).await.unwrap();
        let names = found.shares.iter().map(|share| share.repository.to_string());
        (names.collect::<Vec<_>>(), found.next)
    };
    assert_eq!(with("", None, 9).await, (vec!["team-a/api".to_owned(), "team-a/web".to_owned()], None));
    let (first, next) = with("", None, 1).await;
    assert_eq!(first, ["team-a/api"]);
    assert_eq!(with("", next.as_ref(), 1).await, (vec!["team-a/web".to_owned()], None));
    assert_eq!(with("ap", None, 1).await, (vec!["team-a/api".to_owned()], None));
}
