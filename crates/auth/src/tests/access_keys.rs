//! Access key pairs: their making, their end, and the docker logins that rest on them.

use std::time::Duration;

use aws_lc_rs::hmac;
use kv::Key;

use super::{Answer, START, TestAuth, account, at, cheap_settings, memory_store, password_of, requests};
use crate::{
    AccessKey, AccessKeyId, Action, AuthenticationError, Description, Error, Keys, Level, Made, NewToken,
    Principal, Secret, Settings, SigningKeys, Thing, UserName,
};

async fn make(test: &TestAuth, p: &Principal) -> Result<(AccessKey, Secret), Error> {
    test.create_access_key(p, Description::parse("for the pipeline").unwrap(), START).await
}

/// What a machine derives from a pair: the password of its docker login.
fn password(id: &AccessKeyId, secret: &Secret) -> Secret {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes());
    let tag = hmac::sign(&key, id.as_str().as_bytes());
    Secret::new(tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// Whoever signs in as `here@ACCESSKEY`.
async fn by(test: &TestAuth, pair: &(AccessKey, Secret)) -> Result<Principal, AuthenticationError> {
    let (key, secret) = pair;
    test.authenticate(&format!("here@{}", key.id), &password(&key.id, secret), None, START).await
}

async fn user_name(test: &TestAuth, login: &str) -> (Principal, UserName) {
    let user = test.user(login).await;
    (user, UserName::parse(login.split_once('@').unwrap().0).unwrap())
}

#[tokio::test]
async fn a_pair_stands_for_its_holder() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (dev, _) = user_name(&test, "dev@acme").await;
    test.permit(&acme, "team-a", "dev", Level::Edit).await;
    for (holder, action, expected) in [
        (&acme, Action::Manage, Answer::Yes),
        (&dev, Action::Push, Answer::Yes),
        (&dev, Action::Manage, Answer::Forbidden),
    ] {
        let pair = make(&test, holder).await.unwrap();
        assert_eq!((pair.0.holder.as_str(), pair.0.disabled), (holder.name().as_str(), false));
        assert_eq!(pair.1.reveal().len(), 40);
        let p = by(&test, &pair).await.unwrap();
        assert!(p.same_as(holder) && !p.is_narrowed());
        assert_eq!(test.may(&p, "team-a/web", action, START).await, expected);
    }
}

#[tokio::test]
async fn what_is_not_the_derived_password_is_refused() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (key, secret) = make(&test, &acme).await.unwrap();
    let (other, _) = make(&test, &globex).await.unwrap();
    let right = password(&key.id, &secret);
    let upper = right.reveal().to_uppercase();
    let (short, long) = (&right.reveal()[1..], format!("{}0", right.reveal()));
    let flood = "a".repeat(1 << 20);
    let nobodys = password(&key.id, &Secret::new(""));
    let (_, token) = test.personal_token(&acme, 60, None).await;
    let login = format!("here@{}", key.id);
    for wrong in [
        "",
        secret.reveal(),
        &upper,
        short,
        &long,
        &flood,
        nobodys.reveal(),
        "the password of acme",
        token.reveal(),
    ] {
        let answer = test.authenticate(&login, &Secret::new(wrong), None, START).await;
        assert!(matches!(answer, Err(AuthenticationError::Rejected)), "{wrong:.80}: {answer:?}");
    }
    let unknown = AccessKeyId::random();
    let nobodys = password(&unknown, &Secret::new(""));
    for (login, password) in [
        (format!("here@{}", other.id), &right),
        (format!("here@{unknown}"), &nobodys),
        (format!("here@{unknown}"), &right),
        (key.id.to_string(), &right),
        (format!("dev@{}", key.id.as_str().to_lowercase()), &right),
        (format!("{}@here", key.id), &right),
        ("acme".to_owned(), &right),
        ("acme".to_owned(), &secret),
    ] {
        let answer = test.authenticate(&login, password, None, START).await;
        assert!(matches!(answer, Err(AuthenticationError::Rejected)), "{login}: {answer:?}");
    }
    assert!(test.authenticate(&login, &right, None, START).await.is_ok());
}

#[tokio::test]
async fn another_regions_login_is_told_so_whosoever_it_is() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (key, secret) = make(&test, &acme).await.unwrap();
    let right = password(&key.id, &secret);
    for (region, id) in
        [("there", &key.id), ("", &key.id), ("HERE", &key.id), ("there", &AccessKeyId::random())]
    {
        let answer = test.authenticate(&format!("{region}@{id}"), &right, None, START).await;
        let told =
            matches!(&answer, Err(AuthenticationError::OtherRegion { ours }) if ours.as_str() == "here");
        assert!(told, "{region}: {answer:?}");
    }
}

#[tokio::test]
async fn guessing_at_a_pair_is_as_slow_as_at_a_password() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (key, secret) = make(&test, &acme).await.unwrap();
    let (login, right) = (format!("here@{}", key.id), password(&key.id, &secret));
    let (here, there) = (Some([192, 0, 2, 1].into()), Some([192, 0, 2, 2].into()));
    let wrong = Secret::new("0".repeat(64));
    let ask = async |secret: &Secret, from, seconds| match test
        .authenticate(&login, secret, from, at(seconds))
        .await
    {
        Ok(_) => "in",
        Err(AuthenticationError::Rejected) => "rejected",
        Err(AuthenticationError::Failed(Error::Busy)) => "busy",
        Err(other) => panic!("{other:?}"),
    };
    for _ in 0..9 {
        assert_eq!(ask(&wrong, here, 0).await, "rejected");
    }
    assert_eq!(ask(&right, here, 0).await, "in", "what failed before is forgotten");
    for _ in 0..10 {
        assert_eq!(ask(&wrong, here, 0).await, "rejected");
    }
    assert_eq!(ask(&wrong, here, 59).await, "busy");
    assert_eq!(ask(&right, here, 59).await, "busy", "the one right guess is not told from the others");
    assert_eq!(ask(&right, there, 59).await, "in");
    assert_eq!(ask(&right, here, 60).await, "in");
}

#[tokio::test]
async fn the_secret_is_kept_sealed_and_for_its_holder_alone() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (key, secret) = make(&test, &acme).await.unwrap();
    let pair = make(&test, &globex).await.unwrap();
    let (account, least) = (acme.account().unwrap().raw(), kv::Id::MIN);
    let keys = [
        Key::AccessKey { access_key: "" },
        Key::AccessKeyOf { account, user: least, access_key: "" },
        Key::Event { account, time_ms: 0, event: least },
    ];
    for key in keys {
        let rows = test.store().list(key.siblings(test.region()), 99).await.unwrap();
        assert!(!rows.is_empty());
        for (encoded, entry) in rows {
            for bytes in [encoded, entry.value.to_vec()] {
                assert!(!String::from_utf8_lossy(&bytes).contains(secret.reveal()), "{key:?}");
            }
        }
    }
    assert!(!format!("{key:?} {secret:?}").contains(secret.reveal()));

    // Whoever writes in the database moves another's seal under a key of globex's, and is not acme.
    let acmes = test.store().get::<crate::AccessKeyRecord>(Key::AccessKey { access_key: key.id.as_str() });
    let acmes = acmes.await.unwrap().unwrap().value;
    let mut tx = test.store().transaction();
    tx.put(Key::AccessKey { access_key: pair.0.id.as_str() }, &acmes).unwrap();
    test.store().commit(tx).await.unwrap();
    let moved = by(&test, &(pair.0.clone(), secret.clone())).await;
    assert!(matches!(moved, Err(AuthenticationError::Failed(Error::Crypto(_)))), "{moved:?}");
}

#[tokio::test]
async fn the_database_alone_opens_nothing() {
    let store = memory_store("here").await;
    let signing = SigningKeys::ephemeral().unwrap();
    let test = TestAuth::over(store.clone(), signing.clone(), cheap_settings()).await;
    let acme = test.account("acme").await;
    let pair = make(&test, &acme).await.unwrap();
    let thief = TestAuth::over(store, signing, cheap_settings()).await;
    let answer = by(&thief, &pair).await;
    assert!(matches!(answer, Err(AuthenticationError::Failed(Error::Crypto(_)))), "{answer:?}");
}

#[tokio::test]
async fn a_rotated_sealing_key_still_opens() {
    let folder = tempfile::tempdir().unwrap();
    let store = memory_store("here").await;
    let open = |keys| crate::Auth::new(store.clone(), keys, cheap_settings());
    let auth = open(Keys::open(folder.path(), START).unwrap());
    auth.bootstrap(|| password_of("admin"), START).await.unwrap();
    let admin = auth.authenticate("admin", &password_of("admin"), None, START).await.unwrap();
    let old = auth.create_access_key(&admin, Description::default(), START).await.unwrap();
    crate::SealingKeys::rotate(folder.path(), at(1)).unwrap();
    let auth = open(Keys::open(folder.path(), at(2)).unwrap());
    let new = auth.create_access_key(&admin, Description::default(), START).await.unwrap();
    for (key, secret) in [old, new] {
        let login = format!("here@{}", key.id);
        auth.authenticate(&login, &password(&key.id, &secret), None, START).await.unwrap();
    }
}

/// What was issued for a pair: an access token, a refresh token, a temporary login, a personal token, and an access token
/// bought with that.
struct Issued {
    access: Secret,
    refresh: Secret,
    login: Secret,
    personal: Secret,
    bought: Secret,
}

impl Issued {
    async fn of(test: &TestAuth, pair: &(AccessKey, Secret)) -> Issued {
        let p = by(test, pair).await.unwrap();
        let (_, personal) = test.personal_token(&p, 3600, None).await;
        let by_personal = test.authenticate_personal_token(&personal, None, START).await.unwrap();
        Issued {
            access: test.issue_access_token(&p, &requests(&[]), START).await.unwrap().token,
            refresh: test.issue_refresh_token(&p, START).await.unwrap(),
            login: test.create_docker_login(&p, Duration::from_secs(3600), START).await.unwrap().1,
            personal,
            bought: test.issue_access_token(&by_personal, &requests(&[]), START).await.unwrap().token,
        }
    }

    /// Which of them are good.
    async fn good(&self, test: &TestAuth) -> [bool; 5] {
        [
            test.authenticate_access_token(self.access.reveal(), None, START).await.is_ok(),
            test.authenticate_refresh_token(&self.refresh, None, START).await.is_ok(),
            test.authenticate_personal_token(&self.login, None, START).await.is_ok(),
            test.authenticate_personal_token(&self.personal, None, START).await.is_ok(),
            test.authenticate_access_token(self.bought.reveal(), None, START).await.is_ok(),
        ]
    }
}

#[tokio::test]
async fn a_closed_pair_closes_all_that_was_issued_for_it() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (dev, dev_name) = user_name(&test, "dev@acme").await;
    let of = account("acme");
    let pair = make(&test, &dev).await.unwrap();
    let issued = Issued::of(&test, &pair).await;
    let principal = by(&test, &pair).await.unwrap();
    let all = async || {
        let signs_in = by(&test, &pair).await.is_ok();
        let still_good = test.still_good(&principal, START).await.unwrap();
        assert_eq!(signs_in, still_good);
        let good = issued.good(&test).await;
        assert!(good.iter().all(|good| *good == signs_in), "{good:?} {signs_in}");
        signs_in
    };
    assert!(all().await);
    for p in [&dev, &acme, &test.admin] {
        test.set_access_key_disabled(p, &pair.0.id, true, START).await.unwrap();
        assert!(!all().await, "disabled by {}", p.name());
        test.set_access_key_disabled(p, &pair.0.id, false, START).await.unwrap();
        assert!(all().await, "enabled by {}", p.name());
    }
    test.set_user_disabled(&acme, &of, &dev_name, true, START).await.unwrap();
    assert!(!all().await, "its holder is disabled");
    test.set_user_disabled(&acme, &of, &dev_name, false, START).await.unwrap();
    test.set_account_disabled(&test.admin, &of, true, START).await.unwrap();
    assert!(!all().await, "its holder's account is disabled");
    test.set_account_disabled(&test.admin, &of, false, START).await.unwrap();
    assert!(all().await);
    test.delete_access_key(&dev, &pair.0.id, START).await.unwrap();
    assert!(!all().await, "deleted");
}

#[tokio::test]
async fn a_change_of_the_password_ends_no_pair() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let pair = make(&test, &acme).await.unwrap();
    let issued = Issued::of(&test, &pair).await;
    let new = Secret::new("another password");
    test.set_account_password(&test.admin, &account("acme"), None, &new, START).await.unwrap();
    let p = by(&test, &pair).await.unwrap();
    assert!(test.still_good(&p, START).await.unwrap());
    assert_eq!(
        issued.good(&test).await,
        [true, true, false, false, false],
        "personal tokens end with the password"
    );
}

#[tokio::test]
async fn a_pair_goes_with_its_holder() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (dev, dev_name) = user_name(&test, "dev@acme").await;
    let (of_dev, of_globex) = (make(&test, &dev).await.unwrap(), make(&test, &globex).await.unwrap());
    let (devs, globexs) = (Issued::of(&test, &of_dev).await, Issued::of(&test, &of_globex).await);
    test.delete_user(&acme, &account("acme"), &dev_name, START).await.unwrap();
    test.delete_account(&test.admin, &account("globex"), START).await.unwrap();
    // Another of the same name is somebody else.
    test.user("dev@acme").await;
    for (pair, issued) in [(&of_dev, &devs), (&of_globex, &globexs)] {
        assert!(matches!(by(&test, pair).await, Err(AuthenticationError::Rejected)));
        assert_eq!(issued.good(&test).await, [false; 5]);
    }
    for table in [
        Key::AccessKey { access_key: "" },
        Key::AccessKeyOf {
            account: acme.account().unwrap().raw(),
            user: dev.user().unwrap().raw(),
            access_key: "",
        },
        Key::AccessKeyOf { account: globex.account().unwrap().raw(), user: kv::Id::MIN, access_key: "" },
    ] {
        assert!(test.store().list(table.siblings(test.region()), 9).await.unwrap().is_empty(), "{table:?}");
    }
}

#[tokio::test]
async fn pairs_are_listed_and_changed_by_their_holder_and_who_manages_it() {
    let (test, acme, globex) = TestAuth::with_acme().await;
    let (dev, dev_name) = user_name(&test, "dev@acme").await;
    let (other, _) = user_name(&test, "other@acme").await;
    let (first, second) = (make(&test, &dev).await.unwrap().0, make(&test, &dev).await.unwrap().0);
    let mut ids = [first.id.clone(), second.id.clone()];
    ids.sort();
    let of = account("acme");
    let devs = Some((&of, Some(&dev_name)));
    let listed = async |p: &Principal, of| {
        let keys = test.list_access_keys(p, of, None, 9).await?;
        Ok(keys.into_iter().map(|key| key.id).collect::<Vec<_>>())
    };
    assert_eq!(listed(&dev, None).await.ok(), Some(ids.to_vec()));
    assert_eq!(listed(&acme, devs).await.ok(), Some(ids.to_vec()));
    assert_eq!(listed(&test.admin, devs).await.ok(), Some(ids.to_vec()));
    assert_eq!(listed(&acme, None).await.ok(), Some(Vec::new()));
    assert_eq!(listed(&test.admin, Some((&of, None))).await.ok(), Some(Vec::new()));
    let rest = test.list_access_keys(&dev, None, Some(&ids[0]), 9).await.unwrap();
    assert_eq!(rest.iter().map(|key| &key.id).collect::<Vec<_>>(), [&ids[1]]);
    assert_eq!(test.list_access_keys(&dev, None, None, 1).await.unwrap().len(), 1);
    for (p, answer) in [
        (&other, listed(&other, devs).await),
        (&globex, listed(&globex, devs).await),
        (&globex, listed(&globex, Some((&of, None))).await),
    ] {
        let kept: Result<Vec<AccessKeyId>, Error> = answer;
        assert!(matches!(kept, Err(Error::Forbidden | Error::NotFound { .. })), "{}: {kept:?}", p.name());
    }
    for p in [&other, &globex] {
        for id in [&first.id, &AccessKeyId::random()] {
            let missing = |error| matches!(error, Error::NotFound { what: Thing::AccessKey });
            assert!(missing(test.set_access_key_disabled(p, id, true, START).await.unwrap_err()));
            assert!(missing(test.delete_access_key(p, id, START).await.unwrap_err()));
        }
    }
    let accounts = make(&test, &acme).await.unwrap().0;
    let by_user = test.delete_access_key(&dev, &accounts.id, START).await;
    assert!(matches!(by_user, Err(Error::NotFound { .. })), "{by_user:?}");
    test.delete_access_key(&test.admin, &accounts.id, START).await.unwrap();
    test.delete_access_key(&acme, &first.id, START).await.unwrap();
    let again = test.delete_access_key(&acme, &first.id, START).await;
    assert!(matches!(again, Err(Error::NotFound { what: Thing::AccessKey })), "{again:?}");
}

#[tokio::test]
async fn a_narrowed_credential_and_a_pair_make_no_pair() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let pair = make(&test, &acme).await.unwrap();
    let by_pair = by(&test, &pair).await.unwrap();
    let (_, made_by_pair) = test.personal_token(&by_pair, 60, None).await;
    let (_, login) = test.create_docker_login(&acme, Duration::from_secs(3600), START).await.unwrap();
    let (_, scoped) = test.personal_token(&acme, 60, Some(&["repository:team-a/*:*"])).await;
    let mut refused = vec![by_pair, test.by_token(&acme, &[], START).await];
    for secret in [made_by_pair, login, scoped] {
        refused.push(test.authenticate_personal_token(&secret, None, START).await.unwrap());
    }
    for p in &refused {
        let made = make(&test, p).await;
        assert!(matches!(made, Err(Error::Forbidden)), "{made:?}");
    }
    for p in &refused[3..] {
        assert!(matches!(test.list_access_keys(p, None, None, 9).await, Err(Error::Forbidden)));
        let disabled = test.set_access_key_disabled(p, &pair.0.id, true, START).await;
        assert!(matches!(disabled, Err(Error::Forbidden)), "{disabled:?}");
        assert!(matches!(test.delete_access_key(p, &pair.0.id, START).await, Err(Error::Forbidden)));
    }
    let nobody = make(&test, &Principal::anonymous()).await;
    assert!(matches!(nobody, Err(Error::Unauthenticated)), "{nobody:?}");
}

#[tokio::test]
async fn a_revoked_token_takes_the_pairs_made_with_it_and_a_sign_out_leaves_them() {
    let (test, acme, _) = TestAuth::with_acme().await;
    for (made, stays) in [(Made::Ends, false), (Made::Stays, true)] {
        let bystander = make(&test, &acme).await.unwrap();
        let (parent, secret) = test.personal_token(&acme, 60, None).await;
        let by_parent = test.authenticate_personal_token(&secret, None, START).await.unwrap();
        let (_, secret) = test.personal_token(&by_parent, 60, None).await;
        let by_child = test.authenticate_personal_token(&secret, None, START).await.unwrap();
        let (pair, of_child) =
            (make(&test, &by_parent).await.unwrap(), make(&test, &by_child).await.unwrap());
        test.revoke_personal_token(&acme, parent, made, START).await.unwrap();
        assert_eq!(by(&test, &pair).await.is_ok(), stays);
        assert_eq!(by(&test, &of_child).await.is_ok(), stays);
        assert!(by(&test, &bystander).await.is_ok());
        let orphan = make(&test, &by_parent).await;
        assert!(matches!(orphan, Err(Error::Unauthenticated)), "{orphan:?}");
    }
}

#[tokio::test]
async fn a_holder_has_so_many_pairs_and_no_more() {
    let test = TestAuth::with(Settings { access_keys_max: 3, ..cheap_settings() }).await;
    let acme = test.account("acme").await;
    let tasks: Vec<_> = (0..12)
        .map(|_| {
            let (auth, acme) = (test.auth.clone(), acme.clone());
            tokio::spawn(async move { auth.create_access_key(&acme, Description::default(), START).await })
        })
        .collect();
    let mut made = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok((key, _)) => made.push(key),
            Err(Error::Limit { max: 3, .. }) => {}
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(made.len(), 3);
    test.set_access_key_disabled(&acme, &made[0].id, true, START).await.unwrap();
    assert!(matches!(make(&test, &acme).await, Err(Error::Limit { .. })), "a disabled one counts");
    test.delete_access_key(&acme, &made[0].id, START).await.unwrap();
    make(&test, &acme).await.unwrap();
}

#[tokio::test]
async fn no_pair_survives_its_holders_deletion_beside_it() {
    let (test, acme, _) = TestAuth::with_acme().await;
    for _ in 0..50 {
        let (dev, dev_name) = user_name(&test, "dev@acme").await;
        let auth = test.auth.clone();
        let making =
            tokio::spawn(async move { auth.create_access_key(&dev, Description::default(), START).await });
        test.delete_user(&acme, &account("acme"), &dev_name, START).await.unwrap();
        let _ = making.await.unwrap();
        let left = Key::AccessKey { access_key: "" }.siblings(test.region());
        assert!(test.store().list(left, 9).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_temporary_login_pulls_and_pushes_and_manages_nothing() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let pair = make(&test, &acme).await.unwrap();
    for p in [&acme, &by(&test, &pair).await.unwrap()] {
        let (login, secret) = test.create_docker_login(p, Duration::from_secs(900), START).await.unwrap();
        assert_eq!((login.expires_at, login.registry_only), (at(900), true));
        let by_login = test.authenticate("acme", &secret, None, at(899)).await.unwrap();
        assert!(by_login.is_narrowed() && by_login.same_as(&acme) && !by_login.is_administrator());
        for (action, expected) in [
            (Action::Pull, Answer::Yes),
            (Action::Push, Answer::Yes),
            (Action::Delete, Answer::Yes),
            (Action::Manage, Answer::Forbidden),
        ] {
            assert_eq!(test.may(&by_login, "team-a/web", action, at(899)).await, expected, "{action:?}");
        }
        assert_eq!(test.may_push(&by_login, "team-a/new", at(899)).await, Answer::Yes);
        let more = NewToken {
            expires_in: Duration::from_secs(60),
            description: Description::default(),
            scope: None,
        };
        let more = test.create_personal_token(&by_login, more, START).await;
        assert!(matches!(more, Err(Error::Forbidden)), "{more:?}");
        let more = test.create_docker_login(&by_login, Duration::from_secs(900), START).await;
        assert!(matches!(more, Err(Error::Forbidden)), "{more:?}");
        let revoked = test.revoke_personal_token(&by_login, login.id, Made::Ends, START).await;
        assert!(revoked.is_ok(), "itself it may end: {revoked:?}");
        let (_, secret) = test.create_docker_login(p, Duration::from_secs(900), START).await.unwrap();
        assert!(test.authenticate("acme", &secret, None, at(900)).await.is_err());
    }
    let admins = test.create_docker_login(&test.admin, Duration::from_secs(900), START).await.unwrap().1;
    let by_login = test.authenticate("admin", &admins, None, START).await.unwrap();
    assert!(matches!(test.list_accounts(&by_login, None, 9, START).await, Err(Error::Forbidden)));
}

#[tokio::test]
async fn a_temporary_login_lives_from_fifteen_minutes_to_a_day() {
    let (test, acme, _) = TestAuth::with_acme().await;
    for (seconds, fits) in
        [(0, false), (899, false), (900, true), (86_400, true), (86_401, false), (u64::MAX, false)]
    {
        match test.create_docker_login(&acme, Duration::from_secs(seconds), START).await {
            Ok(_) => assert!(fits, "{seconds}"),
            Err(Error::Invalid { field: "expires_in_seconds", .. }) => assert!(!fits, "{seconds}"),
            Err(other) => panic!("{other}"),
        }
    }
    // It ends no later than what it was made with.
    let (_, secret) = test.personal_token(&acme, 60, None).await;
    let by_token = test.authenticate_personal_token(&secret, None, START).await.unwrap();
    let (login, _) = test.create_docker_login(&by_token, Duration::from_secs(900), START).await.unwrap();
    assert_eq!(login.expires_at, at(60));
}

#[tokio::test]
async fn each_change_of_a_pair_is_in_the_trail() {
    let (test, acme, _) = TestAuth::with_acme().await;
    let (dev, _) = user_name(&test, "dev@acme").await;
    let key = make(&test, &dev).await.unwrap().0;
    for disabled in [true, true, false] {
        test.set_access_key_disabled(&acme, &key.id, disabled, START).await.unwrap();
    }
    test.delete_access_key(&dev, &key.id, START).await.unwrap();
    let list = Key::Event { account: acme.account().unwrap().raw(), time_ms: 0, event: kv::Id::MIN };
    let rows = test.store().list(list.siblings(test.region()), 99).await.unwrap();
    let events = rows.iter().map(|(_, entry)| kv::decode::<crate::Event>(list, entry).unwrap().value);
    let mut seen: Vec<_> = events
        .filter(|event| event.detail == format!("access key {}", key.id))
        .map(|event| format!("{:?} {} by {}", event.kind, event.subject, event.actor.name))
        .collect();
    seen.sort();
    let expected = [
        "AccessKeyCreated dev@acme by dev@acme",
        "AccessKeyDeleted dev@acme by dev@acme",
        "AccessKeyDisabled dev@acme by acme",
        "AccessKeyEnabled dev@acme by acme",
    ];
    assert_eq!(seen, expected);
}
