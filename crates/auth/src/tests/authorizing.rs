//! Who may do what with a repository, and what the others are told.

use kv::Key;
use oci::NamespaceName;

use super::{Answer, START, TestAuth, account, at, repository};
use crate::{
    Action, Denied, Error, Level, Principal, PushAccess, Settings, ShareEnd, Thing, UserName, Visibility,
};

const ACTIONS: [Action; 5] = [Action::Pull, Action::Push, Action::DeleteTag, Action::Delete, Action::Manage];

async fn answers(test: &TestAuth, p: &Principal, name: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    for action in ACTIONS {
        answers.push(test.may(p, name, action, START).await);
    }
    answers
}

#[tokio::test]
async fn levels_table() {
    use Answer::{Forbidden, NotFound, Yes};
    let (test, acme, _) = TestAuth::with_acme().await;
    let table = [
        ("none", None, vec![NotFound; 5]),
        ("read", Some(Level::Read), vec![Yes, Forbidden, Forbidden, Forbidden, Forbidden]),
        ("edit", Some(Level::Edit), vec![Yes, Yes, Yes, Forbidden, Forbidden]),
        ("manage", Some(Level::Manage), vec![Yes; 5]),
    ];
    assert_eq!(answers(&test, &acme, "team-a/web").await, vec![Yes; 5], "the account itself");
    for (user, level, expected) in table {
        for target in ["team-a", "team-a/web"] {
            let login = format!("{user}-{}@acme", target.len());
            let p = test.user(&login).await;
            let name = login.split('@').next().unwrap();
            if let Some(level) = level {
                test.permit(&acme, target, name, level).await;
            }
            assert_eq!(answers(&test, &p, "team-a/web").await, expected, "{login} on {target}");
        }
    }
}

#[tokio::test]
async fn the_greater_of_two_permissions_counts() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let dev = test.user("dev@acme").await;
    test.permit(&acme, "team-a", "dev", Level::Edit).await;
    test.permit(&acme, "team-a/web", "dev", Level::Read).await;
    assert_eq!(test.may(&dev, "team-a/web", Action::Push, START).await, Answer::Yes);
}

#[tokio::test]
async fn a_permission_on_one_repository_opens_no_sibling() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let dev = test.user("dev@acme").await;
    for sibling in ["team-a/web-x", "team-a/we", "team-a/web/x"] {
        test.repository(&acme, sibling).await;
    }
    test.namespace(&acme, "team-a-x").await;
    test.repository(&acme, "team-a-x/web").await;
    test.permit(&acme, "team-a/web", "dev", Level::Manage).await;
    for sibling in ["team-a/web-x", "team-a/we", "team-a/web/x", "team-a-x/web"] {
        assert_eq!(answers(&test, &dev, sibling).await, vec![Answer::NotFound; 5], "{sibling}");
    }
    test.permit(&acme, "team-a", "dev", Level::Read).await;
    assert_eq!(test.may(&dev, "team-a-x/web", Action::Pull, START).await, Answer::NotFound);
}

#[tokio::test]
async fn accounts_whose_names_begin_alike_share_nothing() {
    let (test, _, _) = TestAuth::with_acme().await;
    let other = test.account("acme-x").await;
    assert_eq!(answers(&test, &other, "team-a/web").await, vec![Answer::NotFound; 5]);
    assert_eq!(answers(&test, &test.admin, "team-a/web").await, vec![Answer::NotFound; 5]);
}

#[tokio::test]
async fn private_and_missing_answer_alike() {
    let (test, _, globex) = TestAuth::with_acme().await;
    let nobody = Principal::anonymous();
    for name in ["team-a/web", "team-a/missing", "missing/web"] {
        assert_eq!(answers(&test, &nobody, name).await, vec![Answer::SignIn; 5], "{name}");
        assert_eq!(answers(&test, &globex, name).await, vec![Answer::NotFound; 5], "{name}");
        assert_eq!(test.may_push(&nobody, name, START).await, Answer::SignIn, "{name}");
        assert_eq!(test.may_push(&globex, name, START).await, Answer::NotFound, "{name}");
    }
}

#[tokio::test]
async fn public_is_pulled_by_all_and_written_by_none() {
    use Answer::{Forbidden, SignIn, Yes};
    let (test, acme, globex) = TestAuth::with_acme().await;
    let outsider = test.user("dev@acme").await;
    test.publish(&acme, "team-a/web").await;
    let nobody = Principal::anonymous();
    assert_eq!(answers(&test, &nobody, "team-a/web").await, [Yes, SignIn, SignIn, SignIn, SignIn]);
    let reader = [Yes, Forbidden, Forbidden, Forbidden, Forbidden];
    assert_eq!(answers(&test, &globex, "team-a/web").await, reader);
    assert_eq!(answers(&test, &outsider, "team-a/web").await, reader);
    test.set_visibility(&acme, &repository("team-a/web"), Visibility::Private, START).await.unwrap();
    assert_eq!(answers(&test, &globex, "team-a/web").await, vec![Answer::NotFound; 5]);
}

#[tokio::test]
async fn a_share_opens_pulling_of_one_repository_until_its_deadline() {
    use Answer::{Forbidden, NotFound, Yes};
    let (test, acme, globex) = TestAuth::with_acme().await;
    let user = test.user("ci@globex").await;
    let third = test.account("initech").await;
    test.repository(&acme, "team-a/web-x").await;
    test.share(&acme, "team-a/web", "globex", ShareEnd::Until(at(60))).await;
    let reader = [Yes, Forbidden, Forbidden, Forbidden, Forbidden];
    for p in [&globex, &user] {
        assert_eq!(answers(&test, p, "team-a/web").await, reader);
        assert_eq!(answers(&test, p, "team-a/web-x").await, vec![NotFound; 5]);
        assert_eq!(test.may_push(p, "team-a/web", START).await, Forbidden);
        assert_eq!(test.may_push(p, "team-a/new", START).await, NotFound);
        let just_before = at(60) - jiff::SignedDuration::from_nanos(1);
        assert_eq!(test.may(p, "team-a/web", Action::Pull, just_before).await, Yes);
        assert_eq!(test.may(p, "team-a/web", Action::Pull, at(60)).await, NotFound);
    }
    assert_eq!(answers(&test, &third, "team-a/web").await, vec![NotFound; 5]);
    let permit = test.authorize(&globex, &repository("team-a/web"), Action::Pull, START).await.unwrap();
    assert!(permit.share().is_some());
    assert_eq!(permit.not_after(), Some(at(60)));
    assert!(!permit.allows_push());
}

#[tokio::test]
async fn a_share_dies_with_its_revocation_and_with_publication() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let name = repository("team-a/web");
    test.share(&acme, "team-a/web", "globex", ShareEnd::Permanent).await;
    let permit = test.authorize(&globex, &name, Action::Pull, START).await.unwrap();
    assert!(test.still_open(&permit, START).await.unwrap());
    test.revoke_share(&acme, &name, &account("globex"), START).await.unwrap();
    assert_eq!(test.may(&globex, "team-a/web", Action::Pull, START).await, Answer::NotFound);
    assert!(!test.still_open(&permit, START).await.unwrap());
    assert!(test.authorize_source(&globex, permit.repository(), START).await.unwrap().is_none());

    test.share(&acme, "team-a/web", "globex", ShareEnd::Permanent).await;
    for visibility in [Visibility::Public, Visibility::Private] {
        test.set_visibility(&acme, &name, visibility, START).await.unwrap();
    }
    assert_eq!(test.may(&globex, "team-a/web", Action::Pull, START).await, Answer::NotFound);
}

#[tokio::test]
async fn a_permit_is_not_given_again_after_what_it_rests_on_is_gone() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    test.user("dev@acme").await;
    let dev_name = UserName::parse("dev").unwrap();
    test.permit(&acme, "team-a", "dev", Level::Edit).await;
    let dev = test.sign_in("dev@acme").await;
    let push = test.authorize(&dev, &repository("team-a/web"), Action::Push, START).await.unwrap();
    assert!(test.still_open(&push, START).await.unwrap());
    test.permit(&acme, "team-a", "dev", Level::Read).await;
    assert!(!test.still_open(&push, START).await.unwrap());
    test.permit(&acme, "team-a", "dev", Level::Edit).await;
    assert!(test.still_open(&push, START).await.unwrap());
    test.set_user_disabled(&acme, &account("acme"), &dev_name, true, START).await.unwrap();
    assert!(!test.still_open(&push, START).await.unwrap());

    test.share(&acme, "team-a/web", "globex", ShareEnd::Until(at(60))).await;
    let pull = test.authorize(&globex, &repository("team-a/web"), Action::Pull, START).await.unwrap();
    assert!(test.still_open(&pull, at(59)).await.unwrap());
    assert!(!test.still_open(&pull, at(60)).await.unwrap());
    test.delete_repository(&acme, &repository("team-a/web"), START).await.unwrap();
    test.repository(&acme, "team-a/web").await;
    assert!(!test.still_open(&pull, at(1)).await.unwrap(), "the name was given anew");
}

#[tokio::test]
async fn a_push_brings_a_repository_into_being() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (reader, editor) = (test.user("reader@acme").await, test.user("editor@acme").await);
    test.permit(&acme, "team-a", "reader", Level::Read).await;
    test.permit(&acme, "team-a", "editor", Level::Edit).await;
    assert_eq!(test.may_push(&globex, "team-a/new", START).await, Answer::NotFound);
    assert_eq!(test.may_push(&reader, "team-a/new", START).await, Answer::Forbidden);
    assert_eq!(test.may(&editor, "team-a/new", Action::Push, START).await, Answer::Vacant);
    assert_eq!(test.may(&globex, "team-a/new", Action::Pull, START).await, Answer::NotFound);

    let id = test.repository(&editor, "team-a/new").await;
    let permit = test.authorize(&acme, &repository("team-a/new"), Action::Pull, START).await.unwrap();
    assert_eq!((permit.repository(), permit.owner()), (id, acme.account().unwrap()));
    assert_eq!(test.may(&Principal::anonymous(), "team-a/new", Action::Pull, START).await, Answer::SignIn);
    let namespace = permit.namespace().raw();
    let (_, count) = test.store().counter(Key::NamespaceRepositories { namespace }).await.unwrap();
    assert_eq!(count, 2);
}

#[tokio::test]
async fn of_many_first_pushes_one_makes_the_repository() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let name = repository("team-a/new");
    let mut vacancies = Vec::new();
    for _ in 0..16 {
        match test.authorize_push(&acme, &name, START).await.unwrap() {
            PushAccess::Vacant(vacancy) => vacancies.push(vacancy),
            PushAccess::Existing(_) => panic!("nobody pushed yet"),
        }
    }
    let tasks: Vec<_> = vacancies
        .into_iter()
        .map(|vacancy| {
            let auth = test.auth.clone();
            tokio::spawn(async move { auth.establish(vacancy, START).await.unwrap() })
        })
        .collect();
    let mut ids = std::collections::BTreeSet::new();
    for task in tasks {
        ids.insert(task.await.unwrap().repository());
    }
    assert_eq!(ids.len(), 1);
    let namespace = test.authorize(&acme, &name, Action::Pull, START).await.unwrap().namespace().raw();
    let (_, count) = test.store().counter(Key::NamespaceRepositories { namespace }).await.unwrap();
    assert_eq!(count, 2);
}

#[tokio::test]
async fn a_vacancy_is_void_once_its_right_or_its_namespace_is_gone() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let editor = test.user("editor@acme").await;
    test.permit(&acme, "team-a", "editor", Level::Edit).await;
    let name = repository("team-a/new");
    let vacancy = |access| match access {
        PushAccess::Vacant(vacancy) => vacancy,
        PushAccess::Existing(_) => panic!("nobody pushed yet"),
    };
    let revoked = vacancy(test.authorize_push(&editor, &name, START).await.unwrap());
    test.permit(&acme, "team-a", "editor", Level::Read).await;
    assert_eq!(Answer::from(test.establish(revoked, START).await), Answer::Forbidden);

    let other = repository("team-b/new");
    test.namespace(&acme, "team-b").await;
    let orphan = vacancy(test.authorize_push(&acme, &other, START).await.unwrap());
    let namespace = NamespaceName::parse("team-b").unwrap();
    test.delete_namespace(&acme, &namespace, START).await.unwrap();
    assert_eq!(Answer::from(test.establish(orphan.clone(), START).await), Answer::NotFound);
    test.namespace(&acme, "team-b").await;
    assert_eq!(Answer::from(test.establish(orphan, START).await), Answer::NotFound, "another id");
}

#[tokio::test]
async fn a_namespace_holds_so_many_repositories_and_no_more() {
    let test = TestAuth::with(Settings { repositories_max: 1, ..super::cheap_settings() }).await;
    let acme = test.account("acme").await;
    test.namespace(&acme, "team-a").await;
    test.repository(&acme, "team-a/web").await;
    let access = test.authorize_push(&acme, &repository("team-a/api"), START).await.unwrap();
    let PushAccess::Vacant(vacancy) = access else { panic!("nobody pushed yet") };
    match test.establish(vacancy, START).await {
        Err(Denied::Failed(Error::Limit { max: 1, .. })) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(test.may(&acme, "team-a/api", Action::Pull, START).await, Answer::Vacant);
}

#[test]
fn denials_become_errors_of_management() {
    let table = [
        (Denied::Unauthenticated, "sign in first"),
        (Denied::InsufficientScope { needed: Vec::new() }, "you may not do this"),
        (Denied::Forbidden, "you may not do this"),
        (Denied::NotFound, "there is no such repository"),
    ];
    for (denied, text) in table {
        assert_eq!(Error::from(denied).to_string(), text);
    }
    assert!(matches!(Error::from(Denied::NotFound), Error::NotFound { what: Thing::Repository }));
}
