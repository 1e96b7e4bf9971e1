//! Personal tokens: their making, their narrowing, their end.

use std::time::Duration;

use kv::Key;
use oci::NamespaceName;

use super::{Answer, START, TestAuth, account, at, cheap_settings, repository};
use crate::{
    Action, Auth, Description, Error, Level, NewToken, PermissionTarget, PersonalToken, Principal,
    ScopePattern, Secret, Settings, ShareEnd, Thing, UserName,
};

fn new_token(seconds: u64, scope: Option<&[&str]>) -> NewToken {
    let patterns = |scope: &[&str]| scope.iter().map(|text| ScopePattern::parse(text).unwrap()).collect();
    NewToken {
        expires_in: Duration::from_secs(seconds),
        description: Description::parse("for the pipeline").unwrap(),
        scope: scope.map(patterns),
    }
}

async fn make(auth: &Auth, p: &Principal, scope: Option<&[&str]>) -> Result<(PersonalToken, Secret), Error> {
    auth.create_personal_token(p, new_token(100, scope), START).await
}

async fn by(test: &TestAuth, secret: &Secret) -> Principal {
    test.authenticate_personal_token(secret, None, START).await.unwrap()
}

#[tokio::test]
async fn who_signs_out_keeps_what_was_made_meanwhile() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (login, secret) = make(&test, &acme, None).await.unwrap();
    let (_, made) = make(&test, &by(&test, &secret).await, None).await.unwrap();
    test.revoke_personal_token(&acme, login.id, crate::Made::Stays, START).await.unwrap();
    assert!(test.authenticate_personal_token(&secret, None, START).await.is_err());
    assert!(test.authenticate_personal_token(&made, None, START).await.is_ok());
    // It is listed and revoked as any other.
    let left = test.list_personal_tokens(&acme, None, 9, START).await.unwrap();
    test.revoke_personal_token(&acme, left[0].id, crate::Made::Ends, START).await.unwrap();
    assert!(test.authenticate_personal_token(&made, None, START).await.is_err());
}

#[tokio::test]
async fn lives_have_bounds() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let year = 365 * 24 * 60 * 60;
    for (seconds, fits) in [(0, false), (1, true), (year, true), (year + 1, false), (u64::MAX, false)] {
        let made = test.create_personal_token(&acme, new_token(seconds, None), START).await;
        match made {
            Ok((token, _)) => {
                assert!(fits, "{seconds}");
                assert_eq!(token.expires_at, at(i64::try_from(seconds).unwrap()));
            }
            Err(Error::Invalid { field: "expires_in_seconds", .. }) => assert!(!fits, "{seconds}"),
            Err(other) => panic!("{other}"),
        }
    }
    let nobody = make(&test, &Principal::anonymous(), None).await;
    assert!(matches!(nobody, Err(Error::Unauthenticated)), "{nobody:?}");
    let by_access_token = test.by_token(&acme, &["repository:team-a/web:pull"], START).await;
    assert!(matches!(make(&test, &by_access_token, None).await, Err(Error::Forbidden)));
    let listed = test.list_personal_tokens(&by_access_token, None, 9, START).await;
    assert!(matches!(listed, Err(Error::Forbidden)), "{listed:?}");
}

#[tokio::test]
async fn the_secret_is_kept_nowhere() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (token, secret) = make(&test, &acme, None).await.unwrap();
    let random = secret.reveal().strip_prefix("gp_pat_").unwrap();
    assert!(random.len() >= 43, "32 random bytes");
    let account = acme.account().unwrap().raw();
    let keys = [
        Key::PersonalToken { account, user: kv::Id::MIN, token: kv::Id::MIN },
        Key::PersonalTokenHash { hash: &[0; 32] },
        Key::Event { account, time_ms: 0, event: kv::Id::MIN },
    ];
    for key in keys {
        let rows = test.store().list(key.siblings(test.region()), 99).await.unwrap();
        assert!(!rows.is_empty());
        for (encoded, entry) in rows {
            for bytes in [encoded, entry.value.to_vec()] {
                assert!(!String::from_utf8_lossy(&bytes).contains(random), "{key:?}");
            }
        }
    }
    assert!(!format!("{token:?} {secret:?}").contains(random));
}

#[tokio::test]
async fn a_scope_names_what_its_maker_sees() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.repository(&acme, "team-a/api").await;
    test.share(&acme, "team-a/web", "globex", ShareEnd::Permanent).await;
    let dev = test.user("dev@acme").await;
    test.permit(&acme, "team-a/api", "dev", Level::Read).await;
    for (p, scope, seen) in [
        (&acme, "repository:team-a/web:pull", true),
        (&acme, "repository:team-a/*:pull,push", true),
        (&acme, "repository:team-a/missing:pull", false),
        (&acme, "repository:team-b/*:pull", false),
        (&dev, "repository:team-a/api:pull", true),
        (&dev, "repository:team-a/web:pull", false),
        (&globex, "repository:team-a/web:pull", true),
        (&globex, "repository:team-a/api:pull", false),
        (&globex, "repository:team-a/*:pull", false),
        (&test.admin, "repository:team-a/web:pull", false),
    ] {
        match make(&test, p, Some(&[scope])).await {
            Ok((token, _)) => {
                assert!(seen, "{} {scope}", p.name());
                let scope = vec![ScopePattern::parse(scope).unwrap()];
                assert_eq!(token.scope, Some(scope));
            }
            Err(Error::NotFound { .. }) => assert!(!seen, "{} {scope}", p.name()),
            Err(other) => panic!("{other}"),
        }
    }
    let many = vec!["repository:team-a/web:pull"; 65];
    for scope in [&[][..], &many] {
        let made = make(&test, &acme, Some(scope)).await;
        assert!(matches!(made, Err(Error::Invalid { field: "scope", .. })), "{made:?}");
    }
}

#[tokio::test]
async fn a_scope_binds_what_its_names_stood_for() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (_, one) = make(&test, &acme, Some(&["repository:team-a/web:*"])).await.unwrap();
    let (_, all) = make(&test, &acme, Some(&["repository:team-a/*:*"])).await.unwrap();
    test.delete_repository(&acme, &repository("team-a/web"), START).await.unwrap();
    test.repository(&acme, "team-a/web").await;
    assert_eq!(test.may(&by(&test, &one).await, "team-a/web", Action::Pull, START).await, Answer::NotFound);
    assert_eq!(test.may(&by(&test, &all).await, "team-a/web", Action::Push, START).await, Answer::Yes);

    test.delete_repository(&acme, &repository("team-a/web"), START).await.unwrap();
    let name = NamespaceName::parse("team-a").unwrap();
    test.delete_namespace(&acme, &name, START).await.unwrap();
    test.create_namespace(&acme, &name, START).await.unwrap();
    test.repository(&acme, "team-a/web").await;
    assert_eq!(test.may(&by(&test, &all).await, "team-a/web", Action::Pull, START).await, Answer::NotFound);
}

#[tokio::test]
async fn a_token_made_with_one_ends_no_later_and_a_narrowed_one_makes_none() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (whole, secret) = make(&test, &acme, None).await.unwrap();
    let by_whole = by(&test, &secret).await;
    let web = &["repository:team-a/web:*"][..];
    for scope in [None, Some(web)] {
        let made = test.create_personal_token(&by_whole, new_token(3600, scope), at(50)).await.unwrap().0;
        assert_eq!((made.scope.is_some(), made.expires_at), (scope.is_some(), whole.expires_at));
    }

    let (_, secret) = make(&test, &acme, Some(web)).await.unwrap();
    let narrowed = by(&test, &secret).await;
    for scope in [None, Some(web), Some(&["repository:team-a/web:pull"]), Some(&["repository:team-b/*:pull"])]
    {
        let made = make(&test, &narrowed, scope).await;
        assert!(matches!(made, Err(Error::Forbidden)), "{scope:?}: {made:?}");
    }
    // What is not a repository's is not in any scope.
    let name = NamespaceName::parse("team-b").unwrap();
    assert!(matches!(test.create_namespace(&narrowed, &name, START).await, Err(Error::Forbidden)));
}

#[tokio::test]
async fn a_revocation_takes_what_was_made_with_the_token() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (bystander, _) = make(&test, &acme, None).await.unwrap();
    let (parent, secret) = make(&test, &acme, None).await.unwrap();
    let by_parent = by(&test, &secret).await;
    let (child, child_secret) = make(&test, &by_parent, None).await.unwrap();
    let (_, grandchild_secret) =
        make(&test, &by(&test, &child_secret).await, Some(&["repository:team-a/web:pull"])).await.unwrap();

    // Who came with a narrowed one reaches that one alone.
    let narrowed = by(&test, &grandchild_secret).await;
    assert_eq!(test.list_personal_tokens(&narrowed, None, 9, START).await.unwrap().len(), 1);
    for other in [bystander.id, parent.id, child.id] {
        let revoked = test.revoke_personal_token(&narrowed, other, crate::Made::Ends, START).await;
        assert!(matches!(revoked, Err(Error::NotFound { what: Thing::PersonalToken })), "{revoked:?}");
    }

    test.revoke_personal_token(&acme, parent.id, crate::Made::Ends, START).await.unwrap();
    for secret in [&secret, &child_secret, &grandchild_secret] {
        assert!(test.authenticate_personal_token(secret, None, START).await.is_err());
    }
    let again = test.revoke_personal_token(&acme, child.id, crate::Made::Ends, START).await;
    assert!(matches!(again, Err(Error::NotFound { what: Thing::PersonalToken })), "{again:?}");
    let orphan = make(&test, &by_parent, None).await;
    assert!(matches!(orphan, Err(Error::Unauthenticated)), "{orphan:?}");
    assert_eq!(test.list_personal_tokens(&acme, None, 9, START).await.unwrap(), [bystander]);
}

#[tokio::test]
async fn a_narrowed_token_learns_of_no_other_user() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let dev = test.user("dev@acme").await;
    test.permit(&acme, "team-a", "dev", Level::Read).await;
    let scope = Some(&["repository:team-a/*:*"][..]);
    let by_account = by(&test, &make(&test, &acme, scope).await.unwrap().1).await;
    let by_user = by(&test, &make(&test, &dev, scope).await.unwrap().1).await;
    let of = account("acme");
    for name in ["dev", "missing"] {
        let name = UserName::parse(name).unwrap();
        let shown = test.show_user(&by_account, &of, &name, START).await;
        assert!(matches!(shown, Err(Error::NotFound { what: Thing::User })), "{name}: {shown:?}");
        let disabled = test.set_user_disabled(&by_account, &of, &name, true, START).await;
        assert!(matches!(disabled, Err(Error::NotFound { what: Thing::User })), "{name}: {disabled:?}");
    }
    assert!(test.show_user(&by_user, &of, &UserName::parse("dev").unwrap(), START).await.is_ok());
}

#[tokio::test]
async fn a_narrowed_token_learns_of_no_other_namespace() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.namespace(&acme, "team-b").await;
    let secret = make(&test, &acme, Some(&["repository:team-a/*:*"])).await.unwrap().1;
    let narrowed = by(&test, &secret).await;
    for name in ["team-b", "missing"] {
        let name = NamespaceName::parse(name).unwrap();
        let on = PermissionTarget::Namespace(name.clone());
        for answer in [
            test.show_namespace(&narrowed, &name, START).await.err(),
            test.delete_namespace(&narrowed, &name, START).await.err(),
            test.list_permissions(&narrowed, &on, None, 9, START).await.err(),
            test.list_repositories(&narrowed, Some(&name), crate::Which::All, None, 9).await.err(),
        ] {
            let missing = matches!(answer, Some(Error::NotFound { what: Thing::Namespace }));
            assert!(missing, "{name}: {answer:?}");
        }
    }
    let own = NamespaceName::parse("team-a").unwrap();
    assert!(matches!(test.show_namespace(&narrowed, &own, START).await, Err(Error::Forbidden)));
}

#[tokio::test]
async fn a_permission_that_the_scope_does_not_cover_tells_and_makes_nothing() {
    let (test, acme, _) = TestAuth::with_acme().await;
    test.user("dev@acme").await;
    for scope in
        ["repository:team-a/*:pull", "repository:team-a/*:push", "repository:team-a/*:pull,push,delete"]
    {
        let narrowed = by(&test, &make(&test, &acme, Some(&[scope])).await.unwrap().1).await;
        for target in ["team-a/web", "team-a/new"] {
            let on = PermissionTarget::Repository(repository(target));
            let mut answers = Vec::new();
            for user in ["dev", "missing"] {
                let user = UserName::parse(user).unwrap();
                let set = test.set_permission(&narrowed, &on, &user, Level::Edit, START).await;
                answers.push(set.unwrap_err().to_string());
            }
            assert_eq!(answers[0], answers[1], "{scope} on {target}");
        }
        let made = test.show_repository(&acme, &repository("team-a/new"), START).await;
        assert!(matches!(made, Err(Error::NotFound { .. })), "{scope}: {made:?}");
    }
    // One that covers the management may.
    let secret = make(&test, &acme, Some(&["repository:team-a/*:*"])).await.unwrap().1;
    test.permit(&by(&test, &secret).await, "team-a/new", "dev", Level::Edit).await;
}

#[tokio::test]
async fn a_token_for_deleting_content_deletes_no_repository() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let name = repository("team-a/web");
    for verbs in ["delete", "pull,delete", "pull,push,delete"] {
        let scope = format!("repository:team-a/web:{verbs}");
        let narrowed = by(&test, &make(&test, &acme, Some(&[&scope])).await.unwrap().1).await;
        assert_eq!(test.may(&narrowed, "team-a/web", Action::Delete, START).await, Answer::Yes);
        let deleted = test.delete_repository(&narrowed, &name, START).await;
        assert!(matches!(deleted, Err(Error::Forbidden | Error::NotFound { .. })), "{scope}: {deleted:?}");
        assert!(test.show_repository(&acme, &name, START).await.is_ok(), "{scope}");
    }
    let secret = make(&test, &acme, Some(&["repository:team-a/web:*"])).await.unwrap().1;
    test.delete_repository(&by(&test, &secret).await, &name, START).await.unwrap();
}

#[tokio::test]
async fn tokens_are_their_holders_alone() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let dev = test.user("dev@acme").await;
    let (token, _) = make(&test, &dev, None).await.unwrap();
    for p in [&acme, &globex, &test.admin] {
        let revoked = test.revoke_personal_token(p, token.id, crate::Made::Ends, START).await;
        assert!(matches!(revoked, Err(Error::NotFound { what: Thing::PersonalToken })), "{revoked:?}");
        assert!(test.list_personal_tokens(p, None, 9, START).await.unwrap().is_empty());
    }
    test.revoke_personal_token(&dev, token.id, crate::Made::Ends, START).await.unwrap();
}

#[tokio::test]
async fn the_dead_are_not_listed_and_make_room() {
    let test = TestAuth::with(Settings { personal_tokens_max: 2, ..cheap_settings() }).await;
    let acme = test.account("acme").await;
    make(&test, &acme, None).await.unwrap();
    test.create_personal_token(&acme, new_token(1000, None), START).await.unwrap();
    let full = test.create_personal_token(&acme, new_token(100, None), at(99)).await;
    assert!(matches!(full, Err(Error::Limit { max: 2, .. })), "{full:?}");
    assert_eq!(test.list_personal_tokens(&acme, None, 9, at(100)).await.unwrap().len(), 1);
    test.create_personal_token(&acme, new_token(100, None), at(100)).await.unwrap();
    let hashes = Key::PersonalTokenHash { hash: &[0; 32] }.siblings(test.region());
    assert_eq!(test.store().list(hashes, 9).await.unwrap().len(), 2);
    let page = test.list_personal_tokens(&acme, None, 1, at(100)).await.unwrap();
    let rest = test.list_personal_tokens(&acme, Some(page[0].id), 9, at(100)).await.unwrap();
    assert_eq!((page.len(), rest.len()), (1, 1));
}

#[tokio::test]
async fn a_holder_has_so_many_and_no_more() {
    let test = TestAuth::with(Settings { personal_tokens_max: 3, ..cheap_settings() }).await;
    let acme = test.account("acme").await;
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let (auth, acme) = (test.auth.clone(), acme.clone());
            tokio::spawn(async move { make(&auth, &acme, None).await })
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
}

#[tokio::test]
async fn no_child_survives_a_revocation_beside_it() {
    let (test, acme, _) = TestAuth::with_acme().await;
    for _ in 0..100 {
        let (parent, secret) = make(&test, &acme, None).await.unwrap();
        let by_parent = by(&test, &secret).await;
        let auth = test.auth.clone();
        let child = tokio::spawn(async move { make(&auth, &by_parent, None).await });
        let (auth, p) = (test.auth.clone(), acme.clone());
        let revocation =
            tokio::spawn(
                async move { auth.revoke_personal_token(&p, parent.id, crate::Made::Ends, START).await },
            );
        let child = child.await.unwrap();
        revocation.await.unwrap().unwrap();
        if let Ok((_, secret)) = child {
            assert!(test.authenticate_personal_token(&secret, None, START).await.is_err());
        }
    }
    assert!(test.list_personal_tokens(&acme, None, 9, START).await.unwrap().is_empty());
}
