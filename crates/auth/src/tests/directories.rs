//! Accounts of one region in another: what is taken over, what is not, and what the home's changes do.

use std::time::Duration;

use oci::NamespaceName;

use super::{Answer, START, TestAuth, account, at, cheap_settings, memory_store, password_of};
use crate::{
    Account, Action, Auth, AuthenticationError, Description, Directory, DirectoryReport, Error, Gone, Keys,
    Level, Made, NewShare, Principal, SealingKeys, Secret, ShareEnd, ShareTags, SigningKeys, UserName,
    long_term_password,
};

/// Two servers with the same keys: `north`, where acme with the user dev and globex are at home, and `south`.
struct Regions {
    north: TestAuth,
    south: TestAuth,
}

async fn server(region: &str, signing: &SigningKeys, sealing: &SealingKeys) -> TestAuth {
    let keys = Keys { signing: signing.clone(), sealing: sealing.clone() };
    let auth = Auth::new(memory_store(region).await, keys, cheap_settings());
    auth.bootstrap(|| password_of("admin"), START).await.unwrap();
    let admin = auth.authenticate("admin", &password_of("admin"), None, START).await.unwrap();
    TestAuth { auth, admin }
}

impl Regions {
    async fn new() -> Regions {
        let (signing, sealing) = (SigningKeys::ephemeral().unwrap(), SealingKeys::ephemeral().unwrap());
        let north = server("north", &signing, &sealing).await;
        let south = server("south", &signing, &sealing).await;
        north.account("acme").await;
        north.user("dev@acme").await;
        north.account("globex").await;
        Regions { north, south }
    }

    async fn export(&self, seconds: i64) -> Directory {
        self.north.export_directory(&self.north.admin, at(seconds)).await.unwrap()
    }

    async fn import(&self, directory: Directory, gone: Gone) -> Result<DirectoryReport, Error> {
        self.south.import_directory(&self.south.admin, directory, gone, START).await
    }

    /// A document as the north might have made it.
    fn proven(&self, directory: Directory) -> Directory {
        let Directory { form, region, exported_at, accounts, .. } = directory;
        let proof = self.north.directory_proof(form, &region, exported_at, &accounts).unwrap();
        Directory { form, region, exported_at, accounts, proof }
    }

    /// What is so in the north is so in the south.
    async fn follow(&self, seconds: i64) -> DirectoryReport {
        self.import(self.export(seconds).await, Gone::Closes).await.unwrap()
    }
}

fn counts(report: &DirectoryReport) -> (usize, usize, usize, usize, usize, usize) {
    let DirectoryReport { created, changed, unchanged, closed, deleted, conflicts } = report;
    (*created, *changed, *unchanged, closed.len(), deleted.len(), conflicts.len())
}

async fn shown(test: &TestAuth, name: &str) -> Account {
    test.show_account(&test.admin, &account(name), START).await.unwrap()
}

#[tokio::test]
async fn an_account_is_the_same_account_in_both_regions() {
    let regions = Regions::new().await;
    let report = regions.follow(1).await;
    assert_eq!(counts(&report), (2, 0, 0, 0, 0, 0));
    for login in ["acme", "dev@acme", "globex"] {
        let (north, south) = (regions.north.sign_in(login).await, regions.south.sign_in(login).await);
        assert!(north.same_as(&south), "{login}");
    }
    let acme = shown(&regions.south, "acme").await;
    assert_eq!((acme.home.as_deref(), acme.administrator), (Some("north"), false));
    assert_eq!(shown(&regions.north, "acme").await.home, None);
    // What is of a region is of that region.
    let acme = regions.south.sign_in("acme").await;
    regions.south.namespace(&acme, "team-s").await;
    regions.south.repository(&acme, "team-s/web").await;
    regions.south.permit(&acme, "team-s/web", "dev", Level::Read).await;
    regions.south.share(&acme, "team-s/web", "globex", ShareEnd::Permanent).await;
    for login in ["dev@acme", "globex"] {
        let p = regions.south.sign_in(login).await;
        assert_eq!(regions.south.may(&p, "team-s/web", Action::Pull, START).await, Answer::Yes, "{login}");
        let p = regions.north.sign_in(login).await;
        assert_eq!(
            regions.north.may(&p, "team-s/web", Action::Pull, START).await,
            Answer::NotFound,
            "{login}"
        );
    }
    let report = regions.follow(2).await;
    assert_eq!(counts(&report), (0, 0, 2, 0, 0, 0), "nothing changed");
}

#[tokio::test]
async fn the_homes_changes_are_followed() {
    let regions = Regions::new().await;
    regions.follow(1).await;
    let Regions { north, south } = &regions;
    let (of, dev) = (account("acme"), UserName::parse("dev").unwrap());
    let acme = south.sign_in("acme").await;
    south.namespace(&acme, "team-s").await;
    south.permit(&acme, "team-s", "dev", Level::Read).await;
    let (_, token) = south.personal_token(&acme, 60, None).await;

    let new = Secret::new("another password");
    north.set_account_password(&north.admin, &of, None, &new, START).await.unwrap();
    north.set_user_disabled(&north.admin, &of, &dev, true, START).await.unwrap();
    north.user("ops@acme").await;
    assert_eq!(counts(&regions.follow(2).await), (0, 1, 1, 0, 0, 0));
    assert!(south.authenticate("acme", &password_of("acme"), None, START).await.is_err());
    south.authenticate("acme", &new, None, START).await.unwrap();
    assert!(
        south.authenticate_personal_token(&token, None, START).await.is_err(),
        "it ends with the password"
    );
    assert!(south.authenticate("dev@acme", &password_of("dev@acme"), None, START).await.is_err());
    south.sign_in("ops@acme").await;

    // Another user of the same name is another user.
    let before = south.show_user(&south.admin, &of, &dev, START).await.unwrap();
    north.delete_user(&north.admin, &of, &dev, START).await.unwrap();
    north.user("dev@acme").await;
    assert_eq!(counts(&regions.follow(3).await), (0, 1, 1, 0, 0, 0));
    assert_ne!(south.show_user(&south.admin, &of, &dev, START).await.unwrap().id, before.id);
    let dev_now = south.sign_in("dev@acme").await;
    let seen = south.list_namespaces(&dev_now, None, 9, START).await.unwrap();
    assert!(seen.is_empty(), "the permission was the former one's: {seen:?}");
    north.delete_user(&north.admin, &of, &dev, START).await.unwrap();
    assert_eq!(counts(&regions.follow(4).await), (0, 1, 1, 0, 0, 0));
    assert!(south.authenticate("dev@acme", &password_of("dev@acme"), None, START).await.is_err());
}

#[tokio::test]
async fn what_is_disabled_at_home_is_disabled_here_and_what_is_disabled_here_stays_so() {
    let regions = Regions::new().await;
    regions.follow(1).await;
    let Regions { north, south } = &regions;
    let of = account("acme");
    let disabled = async || shown(south, "acme").await.disabled;
    north.set_account_disabled(&north.admin, &of, true, START).await.unwrap();
    regions.follow(2).await;
    assert!(disabled().await);
    north.set_account_disabled(&north.admin, &of, false, START).await.unwrap();
    regions.follow(3).await;
    assert!(!disabled().await);
    south.set_account_disabled(&south.admin, &of, true, START).await.unwrap();
    regions.follow(4).await;
    assert!(disabled().await, "this region's administrators closed it");
    // What happens at home meanwhile opens it here no more than it did.
    north.set_account_disabled(&north.admin, &of, true, START).await.unwrap();
    regions.follow(5).await;
    let opened = south.set_account_disabled(&south.admin, &of, false, START).await;
    assert!(matches!(opened, Err(Error::OtherHome { .. })), "closed at home: {opened:?}");
    north.set_account_disabled(&north.admin, &of, false, START).await.unwrap();
    regions.follow(6).await;
    assert!(disabled().await);
    south.set_account_disabled(&south.admin, &of, false, START).await.unwrap();
    regions.follow(7).await;
    assert!(!disabled().await);
}

#[tokio::test]
async fn an_account_that_its_home_deleted_is_closed_and_on_request_deleted() {
    let regions = Regions::new().await;
    regions.follow(1).await;
    let Regions { north, south } = &regions;
    let (acme, globex) = (south.sign_in("acme").await, south.sign_in("globex").await);
    south.namespace(&acme, "team-s").await;
    south.repository(&acme, "team-s/web").await;
    south.share(&acme, "team-s/web", "globex", ShareEnd::Permanent).await;
    south.account("initech").await;
    for name in ["acme", "globex"] {
        north.delete_account(&north.admin, &account(name), START).await.unwrap();
    }
    let report = regions.follow(2).await;
    assert_eq!(counts(&report), (0, 0, 0, 2, 0, 0));
    assert!(!south.still_good(&globex, START).await.unwrap());
    south.sign_in("initech").await;

    let report = regions.import(regions.export(3).await, Gone::Deletes).await.unwrap();
    assert_eq!((&report.deleted[..], &report.closed[..]), (&[account("globex")][..], &[account("acme")][..]));
    assert!(matches!(report.conflicts[0].why, Error::NotEmpty { .. }), "it owns a namespace here");
    let globex = south.show_account(&south.admin, &account("globex"), START).await;
    assert!(matches!(globex, Err(Error::NotFound { .. })), "{globex:?}");
    assert!(shown(south, "acme").await.disabled);
    assert!(!shown(south, "initech").await.disabled, "what is at home here is none of theirs");
}

#[tokio::test]
async fn an_export_that_lacked_an_account_by_mistake_loses_nothing() {
    let regions = Regions::new().await;
    regions.follow(1).await;
    let dev = regions.south.sign_in("dev@acme").await;
    let whole = regions.export(3).await;
    let empty = regions.proven(Directory { accounts: Vec::new(), exported_at: at(2), ..whole.clone() });
    assert_eq!(counts(&regions.import(empty, Gone::Closes).await.unwrap()), (0, 0, 0, 2, 0, 0));
    assert!(!regions.south.still_good(&dev, START).await.unwrap());
    assert_eq!(counts(&regions.import(whole, Gone::Closes).await.unwrap()), (0, 2, 0, 0, 0, 0));
    assert!(regions.south.still_good(&dev, START).await.unwrap());
}

#[tokio::test]
async fn an_imported_account_is_changed_at_home_alone() {
    let regions = Regions::new().await;
    let north_acme = regions.north.sign_in("acme").await;
    let (key, _) = regions.north.create_access_key(&north_acme, Description::default(), START).await.unwrap();
    regions.follow(1).await;
    let south = &regions.south;
    let (of, dev) = (account("acme"), UserName::parse("dev").unwrap());
    let (acme, dev_itself) = (south.sign_in("acme").await, south.sign_in("dev@acme").await);
    let (old, new) = (password_of("acme"), Secret::new("another password"));
    let devs = password_of("dev@acme");
    let other_home = |what: &str, error: Option<Error>| {
        assert!(matches!(&error, Some(Error::OtherHome { home }) if home == "north"), "{what}: {error:?}");
    };
    for p in [&acme, &south.admin] {
        let current = Some(&old);
        other_home("password", south.set_account_password(p, &of, current, &new, START).await.err());
        let ops = UserName::parse("ops").unwrap();
        other_home("new user", south.create_user(p, &of, &ops, None, START).await.err());
        other_home("user's password", south.set_user_password(p, &of, &dev, None, &new, START).await.err());
        other_home("disabled user", south.set_user_disabled(p, &of, &dev, true, START).await.err());
        other_home("deleted user", south.delete_user(p, &of, &dev, START).await.err());
        other_home("disabled key", south.set_access_key_disabled(p, &key.id, true, START).await.err());
        other_home("deleted key", south.delete_access_key(p, &key.id, START).await.err());
    }
    let own = south.set_user_password(&dev_itself, &of, &dev, Some(&devs), &new, START).await;
    other_home("own password", own.err());
    for p in [&acme, &dev_itself] {
        other_home("new key", south.create_access_key(p, Description::default(), START).await.err());
    }
    other_home("deletion", south.delete_account(&south.admin, &of, START).await.err());
}

#[tokio::test]
async fn access_keys_come_along_sealed_and_go_with_their_home() {
    let regions = Regions::new().await;
    let Regions { north, south } = &regions;
    let mut pairs = Vec::new();
    for login in ["acme", "dev@acme"] {
        let p = north.sign_in(login).await;
        pairs.push((p.clone(), north.create_access_key(&p, Description::default(), START).await.unwrap()));
    }
    let exported = serde_json::to_string(&regions.export(1).await).unwrap();
    for (_, (_, secret)) in &pairs {
        assert!(!exported.contains(secret.reveal()));
    }
    assert!(!exported.contains("argon2"), "no hash is readable");
    regions.follow(2).await;
    let signs_in = async |test: &TestAuth, region: &str, at: usize| {
        let (holder, (key, secret)) = &pairs[at];
        let password = long_term_password(&key.id, secret);
        let p = test.authenticate(&format!("{region}@{}", key.id), &password, None, START).await;
        p.map(|p| assert!(p.same_as(holder)))
    };
    for at in 0..2 {
        signs_in(north, "north", at).await.unwrap();
        signs_in(south, "south", at).await.unwrap();
        let elsewhere = signs_in(south, "north", at).await;
        assert!(matches!(elsewhere, Err(AuthenticationError::OtherRegion { .. })), "{elsewhere:?}");
    }
    north.set_access_key_disabled(&pairs[0].0, &pairs[0].1.0.id, true, START).await.unwrap();
    north.delete_access_key(&pairs[1].0, &pairs[1].1.0.id, START).await.unwrap();
    assert_eq!(counts(&regions.follow(3).await), (0, 1, 1, 0, 0, 0));
    for at in 0..2 {
        let closed = signs_in(south, "south", at).await;
        assert!(matches!(closed, Err(AuthenticationError::Rejected)), "{closed:?}");
    }
}

#[tokio::test]
async fn nothing_issued_in_one_region_opens_the_other() {
    let regions = Regions::new().await;
    let acme = regions.north.sign_in("acme").await;
    let (key, secret) = regions.north.create_access_key(&acme, Description::default(), START).await.unwrap();
    regions.follow(1).await;
    let Regions { north, south } = &regions;
    let by_key = north
        .authenticate(&format!("north@{}", key.id), &long_term_password(&key.id, &secret), None, START)
        .await
        .unwrap();
    for p in [&acme, &by_key] {
        let access = north.token(p, &[], START).await;
        let refresh = north.issue_refresh_token(p, START).await.unwrap();
        let (_, personal) = north.personal_token(p, 60, None).await;
        let login = north.create_docker_login(p, Duration::from_secs(900), START).await.unwrap().1;
        assert!(north.authenticate_access_token(access.reveal(), None, START).await.is_ok());
        assert!(south.authenticate_access_token(access.reveal(), None, START).await.is_err());
        assert!(north.authenticate_refresh_token(&refresh, None, START).await.is_ok());
        assert!(south.authenticate_refresh_token(&refresh, None, START).await.is_err());
        for secret in [personal, login] {
            assert!(north.authenticate("acme", &secret, None, START).await.is_ok());
            assert!(south.authenticate("acme", &secret, None, START).await.is_err());
        }
    }
}

#[tokio::test]
async fn two_regions_of_one_engine_share_accounts_and_no_token() {
    let engine = std::sync::Arc::new(kv::memory::Memory::new());
    let keys = Keys::ephemeral().unwrap();
    let mut servers = Vec::new();
    for region in ["north", "south"] {
        let store = kv::Store::open(engine.clone(), kv::Region::parse(region).unwrap()).await.unwrap();
        servers.push(Auth::new(store, keys.clone(), cheap_settings()));
    }
    let [north, south] = &servers[..] else { panic!("two") };
    north.bootstrap(|| password_of("admin"), START).await.unwrap();
    assert!(!south.bootstrap(|| password_of("admin"), START).await.unwrap());
    let admin = south.authenticate("admin", &password_of("admin"), None, START).await.unwrap();
    let north = TestAuth { auth: north.clone(), admin };
    let (id, secret) = north.personal_token(&north.admin, 60, None).await;
    assert!(north.authenticate_personal_token(&secret, None, START).await.is_ok());
    assert!(south.authenticate_personal_token(&secret, None, START).await.is_err());
    south.revoke_personal_token(&north.admin, id, Made::Ends, START).await.unwrap();
    assert!(north.authenticate_personal_token(&secret, None, START).await.is_err());
}

#[tokio::test]
async fn a_name_or_an_id_that_is_somebody_elses_here_is_told_and_the_rest_taken_over() {
    let regions = Regions::new().await;
    let Regions { north, south } = &regions;
    let ours = south.account("acme").await;
    north.account("initech").await;
    south.account("initech").await;
    south.delete_account(&south.admin, &account("initech"), START).await.unwrap();
    let report = regions.follow(1).await;
    assert_eq!(counts(&report), (1, 0, 0, 0, 0, 2));
    let names: Vec<_> = report.conflicts.iter().map(|conflict| conflict.account.to_string()).collect();
    assert_eq!(names, ["acme", "initech"]);
    assert!(matches!(report.conflicts[0].why, Error::Exists { .. }));
    assert!(matches!(report.conflicts[1].why, Error::Reserved { .. }));
    assert!(south.still_good(&ours, START).await.unwrap());
    assert_eq!(shown(south, "acme").await.home, None);
    assert!(south.authenticate("dev@acme", &password_of("dev@acme"), None, START).await.is_err());

    // The south's own account, as if the north had it.
    let theirs = south.export_directory(&south.admin, START).await.unwrap();
    let forged = regions.proven(Directory { region: "north".to_owned(), exported_at: at(2), ..theirs });
    let report = regions.import(forged, Gone::Closes).await.unwrap();
    assert!(matches!(&report.conflicts[0].why, Error::OtherHome { home } if home == "south"), "{report:?}");
    assert!(south.still_good(&ours, START).await.unwrap());
}

#[tokio::test]
async fn only_administrators_export_and_import_and_none_of_them_travels() {
    let regions = Regions::new().await;
    let Regions { north, south } = &regions;
    let acme = north.sign_in("acme").await;
    let (_, scoped) = north.personal_token(&north.admin, 60, None).await;
    let by_token = north.authenticate_personal_token(&scoped, None, START).await.unwrap();
    north.export_directory(&by_token, START).await.unwrap();
    let login = north.create_docker_login(&north.admin, Duration::from_secs(900), START).await.unwrap().1;
    let by_login = north.authenticate_personal_token(&login, None, START).await.unwrap();
    for p in [&acme, &north.sign_in("dev@acme").await, &by_login, &Principal::anonymous()] {
        let exported = north.export_directory(p, START).await;
        assert!(matches!(exported, Err(Error::Forbidden | Error::Unauthenticated)), "{exported:?}");
        let imported = south.import_directory(p, regions.export(1).await, Gone::Closes, START).await;
        assert!(matches!(imported, Err(Error::Forbidden | Error::Unauthenticated)), "{imported:?}");
    }
    let directory = regions.export(1).await;
    let names: Vec<_> = directory.accounts.iter().map(|account| account.name.as_str()).collect();
    assert_eq!(names, ["acme", "globex"], "no admin");
    regions.follow(1).await;
    let again = south.export_directory(&south.admin, START).await.unwrap();
    assert!(again.accounts.is_empty(), "what has its home elsewhere is exported there");
}

#[tokio::test]
async fn an_export_that_cannot_be_is_refused_and_changes_nothing() {
    let regions = Regions::new().await;
    let whole = regions.export(5).await;
    let change = |change: &dyn Fn(&mut Directory)| {
        let mut directory = whole.clone();
        change(&mut directory);
        regions.proven(directory)
    };
    let stranger =
        server("north", &SigningKeys::ephemeral().unwrap(), &SealingKeys::ephemeral().unwrap()).await;
    stranger.account("acme").await;
    let foreign = stranger.export_directory(&stranger.admin, at(5)).await.unwrap();
    let id = |raw: u64| serde_json::from_value(serde_json::json!(raw)).unwrap();
    let user = |raw: u64| serde_json::from_value(serde_json::json!(raw)).unwrap();
    let cases = [
        ("region", change(&|d| d.region = "south".to_owned())),
        ("region", change(&|d| d.region = "NORTH".to_owned())),
        ("form", change(&|d| d.form = 2)),
        ("proof", foreign),
        ("exported_at", change(&|d| d.exported_at = at(16 * 60))),
        ("accounts", change(&|d| d.accounts[0].id = id(0))),
        ("accounts", change(&|d| d.accounts[0].id = id(u64::MAX))),
        ("proof", change(&|d| d.accounts[1].id = d.accounts[0].id)),
        ("accounts", change(&|d| d.accounts[1].name = d.accounts[0].name.clone())),
        ("proof", change(&|d| d.accounts[1].credential = d.accounts[0].credential.clone())),
        ("accounts", change(&|d| d.accounts[0].users[0].id = user(1 << 53))),
        ("accounts", change(&|d| d.accounts[0].users = vec![d.accounts[0].users[0].clone(); 2])),
    ];
    for (field, directory) in cases {
        match regions.import(directory, Gone::Deletes).await {
            Err(Error::Invalid { field: told, .. }) => assert_eq!(told, field),
            other => panic!("{field}: {other:?}"),
        }
        let left = regions.south.list_accounts(&regions.south.admin, None, 9, START).await.unwrap();
        assert_eq!(left.len(), 1, "{field}: {left:?}");
    }
    regions.import(whole.clone(), Gone::Closes).await.unwrap();
    regions.import(whole.clone(), Gone::Closes).await.unwrap();
    let older = regions.proven(Directory { exported_at: at(4), ..whole });
    let older = regions.import(older, Gone::Closes).await;
    assert!(matches!(older, Err(Error::Invalid { field: "exported_at", .. })), "{older:?}");
}

#[tokio::test]
async fn an_export_that_was_changed_by_hand_is_refused_whatever_was_changed() {
    let regions = Regions::new().await;
    let whole = regions.export(5).await;
    let mut changed = Vec::new();
    let mut change = |change: &dyn Fn(&mut Directory)| {
        let mut directory = whole.clone();
        change(&mut directory);
        changed.push(directory);
    };
    change(&|d| d.exported_at = at(6));
    change(&|d| d.region = "west".to_owned());
    change(&|d| d.accounts.clear());
    change(&|d| d.accounts[0].disabled = true);
    change(&|d| d.accounts[0].credential.version += 1);
    change(&|d| d.accounts[1].credential.password = None);
    change(&|d| d.accounts[0].users.clear());
    change(&|d| d.accounts[0].users[0].name = UserName::parse("ops").unwrap());
    change(&|d| (d.accounts[0].name, d.accounts[1].name) = (account("globex"), account("acme")));
    change(&|d| d.proof = d.accounts[0].credential.password.clone().unwrap());
    for directory in changed {
        let told = format!("{directory:?}");
        let imported = regions.import(directory, Gone::Deletes).await;
        assert!(matches!(imported, Err(Error::Invalid { field: "proof", .. })), "{imported:?}: {told}");
    }
    let left = regions.south.list_accounts(&regions.south.admin, None, 9, START).await.unwrap();
    assert_eq!(left.len(), 1, "{left:?}");
    // However it is written down.
    let text = serde_json::to_string_pretty(&whole).unwrap();
    regions.import(serde_json::from_str(&text).unwrap(), Gone::Closes).await.unwrap();
}

#[tokio::test]
async fn a_name_that_was_given_anew_at_home_is_given_anew_here() {
    let regions = Regions::new().await;
    regions.follow(1).await;
    let Regions { north, south } = &regions;
    let before = shown(south, "globex").await.id;
    north.delete_account(&north.admin, &account("globex"), START).await.unwrap();
    north.free_account_name(&north.admin, &account("globex"), START).await.unwrap();
    north.account("globex").await;
    let report = regions.follow(2).await;
    assert!(matches!(report.conflicts[0].why, Error::Exists { .. }), "the former one is closed: {report:?}");
    assert_eq!(report.closed, [account("globex")]);
    let report = regions.import(regions.export(3).await, Gone::Deletes).await.unwrap();
    assert_eq!((&report.deleted[..], report.created), (&[account("globex")][..], 1), "{report:?}");
    assert_ne!(shown(south, "globex").await.id, before);
}

#[tokio::test]
async fn a_share_of_another_regions_image_is_refused_with_its_own_error() {
    let regions = Regions::new().await;
    let acme = regions.north.sign_in("acme").await;
    regions.north.create_namespace(&acme, &NamespaceName::parse("team-a").unwrap(), START).await.unwrap();
    regions.north.repository(&acme, "team-a/web").await;
    for (region, refused) in [("south", true), ("", true), ("NORTH", true), ("north", false)] {
        let share = NewShare {
            grantee: account("globex"),
            end: ShareEnd::Permanent,
            tags: ShareTags::All,
            description: Description::default(),
            notice_before: None,
            region: Some(region.to_owned()),
        };
        let made = regions.north.create_share(&acme, &super::repository("team-a/web"), share, START).await;
        assert_eq!(matches!(made, Err(Error::OtherRegion { .. })), refused, "{region}: {made:?}");
    }
}
