//! Nobody lists accounts by guessing: whoever has no right to know is answered with the same text, after the same reads and
//! the same hashes, whether a name is somebody's or nobody's.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use kv::memory::Memory;
use kv::{Batch, Direction, Engine, Entry, KeyList, Outcome, Range};
use oci::NamespaceName;

use super::{START, TestAuth, account, cheap_settings, repository};
use crate::{
    Description, Error, Level, NewShare, PermissionTarget, Principal, Secret, ShareChange, ShareEnd,
    SigningKeys, Thing, UserName,
};

/// Memory that remembers how it was asked, though not for what.
#[derive(Default)]
struct Remembering {
    memory: Memory,
    asked: Mutex<Vec<String>>,
}

impl Remembering {
    fn note(&self, what: String) {
        self.asked.lock().unwrap().push(what);
    }
}

#[async_trait]
impl Engine for Remembering {
    async fn get(&self, key: &[u8]) -> Result<Option<Entry>, kv::Error> {
        self.note("one".to_owned());
        self.memory.get(key).await
    }

    async fn get_many(&self, keys: &KeyList) -> Result<Vec<Option<Entry>>, kv::Error> {
        self.note(format!("{} at once", keys.len()));
        self.memory.get_many(keys).await
    }

    async fn scan(
        &self,
        range: Range,
        limit: usize,
        direction: Direction,
    ) -> Result<Vec<(Vec<u8>, Entry)>, kv::Error> {
        self.note("a list".to_owned());
        self.memory.scan(range, limit, direction).await
    }

    async fn commit(&self, batch: Batch) -> Result<Outcome, kv::Error> {
        self.note("a commit".to_owned());
        self.memory.commit(batch).await
    }
}

/// What somebody who guesses can notice.
#[derive(Debug, PartialEq, Eq)]
struct Noticed {
    answer: String,
    reads: Vec<String>,
    hashes: usize,
}

struct Guessing {
    test: TestAuth,
    engine: Arc<Remembering>,
}

impl Guessing {
    /// With acme and its image, globex, the closed account hooli, and users who may do little.
    async fn new() -> Guessing {
        let engine = Arc::new(Remembering::default());
        let store = kv::Store::open(engine.clone(), kv::Region::parse("here").unwrap()).await.unwrap();
        let test = TestAuth::over(store, SigningKeys::ephemeral().unwrap(), cheap_settings()).await;
        let acme = test.account("acme").await;
        for name in ["globex", "initech", "hooli"] {
            test.account(name).await;
        }
        test.set_account_disabled(&test.admin, &account("hooli"), true, START).await.unwrap();
        test.namespace(&acme, "team-a").await;
        test.repository(&acme, "team-a/web").await;
        test.share(&acme, "team-a/web", "globex", ShareEnd::Permanent).await;
        for login in ["dev@acme", "manager@acme", "dev@globex"] {
            test.user(login).await;
        }
        test.permit(&acme, "team-a/web", "dev", Level::Edit).await;
        test.permit(&acme, "team-a/web", "manager", Level::Manage).await;
        let silent = UserName::parse("silent").unwrap();
        test.create_user(&acme, &account("acme"), &silent, None, START).await.unwrap();
        Guessing { test, engine }
    }

    async fn noticed<T: std::fmt::Debug, E: std::fmt::Display>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> Noticed {
        self.engine.asked.lock().unwrap().clear();
        let before = self.test.passwords().hashes();
        let answer = call.await.map(|done| format!("{done:?}")).unwrap_or_else(|error| error.to_string());
        let reads = std::mem::take(&mut *self.engine.asked.lock().unwrap());
        Noticed { answer, reads, hashes: self.test.passwords().hashes() - before }
    }
}

#[tokio::test]
async fn a_sign_in_tells_no_name_from_another() {
    let guessing = Guessing::new().await;
    let wrong = Secret::new("a wrong password");
    for (there, not_there) in [
        ("acme", "missing"),
        ("hooli", "missing"),
        ("dev@acme", "missing@acme"),
        ("dev@acme", "dev@missing"),
        ("dev@acme", "missing@missing"),
        ("silent@acme", "missing@acme"),
        ("silent@acme", "silent@missing"),
    ] {
        let known = guessing.noticed(guessing.test.authenticate(there, &wrong, None, START)).await;
        let unknown = guessing.noticed(guessing.test.authenticate(not_there, &wrong, None, START)).await;
        assert_eq!(known.hashes, 1, "{there}");
        assert!(known.reads.len() >= 2, "{known:?}");
        assert_eq!(known, unknown, "{there}, {not_there}");
    }
}

/// Calls that name an account, by somebody who may not know whether it is there.
async fn guesses(guessing: &Guessing, p: &Principal, name: &str) -> Vec<(&'static str, Noticed)> {
    let (test, named, web) = (&guessing.test, account(name), repository("team-a/web"));
    let user = UserName::parse("dev").unwrap();
    let new = NewShare {
        tags: crate::ShareTags::All,
        grantee: named.clone(),
        end: ShareEnd::Permanent,
        description: Description::default(),
        notice_before: None,
        region: None,
    };
    let change = ShareChange { end: Some(ShareEnd::Permanent), ..ShareChange::default() };
    let password = Secret::new("a new password");
    vec![
        ("share with it", guessing.noticed(test.create_share(p, &web, new, START)).await),
        ("show its share", guessing.noticed(test.show_share(p, &web, &named, START)).await),
        ("change its share", guessing.noticed(test.update_share(p, &web, &named, change, START)).await),
        ("revoke its share", guessing.noticed(test.revoke_share(p, &web, &named, START)).await),
        ("show it", guessing.noticed(test.show_account(p, &named, START)).await),
        ("close it", guessing.noticed(test.set_account_disabled(p, &named, true, START)).await),
        ("delete it", guessing.noticed(test.delete_account(p, &named, START)).await),
        (
            "change its password",
            guessing.noticed(test.set_account_password(p, &named, Some(&password), &password, START)).await,
        ),
        ("free its name", guessing.noticed(test.free_account_name(p, &named, START)).await),
        ("make it", guessing.noticed(test.create_account(p, &named, &password, START)).await),
        ("list its users", guessing.noticed(test.list_users(p, &named, None, 9, START)).await),
        ("show its user", guessing.noticed(test.show_user(p, &named, &user, START)).await),
        ("make its user", guessing.noticed(test.create_user(p, &named, &user, None, START)).await),
        ("close its user", guessing.noticed(test.set_user_disabled(p, &named, &user, true, START)).await),
        ("delete its user", guessing.noticed(test.delete_user(p, &named, &user, START)).await),
    ]
}

#[tokio::test]
async fn whoever_may_not_know_of_an_account_is_told_nothing() {
    let guessing = Guessing::new().await;
    let (stranger, globex) = (guessing.test.sign_in("initech").await, guessing.test.sign_in("globex").await);
    let (editor, sharees_user) =
        (guessing.test.sign_in("dev@acme").await, guessing.test.sign_in("dev@globex").await);
    for p in [&stranger, &editor, &globex, &sharees_user, &Principal::anonymous()] {
        // Of its own account everybody knows, and of one that shares with it.
        let others = ["acme", "globex", "initech", "hooli"].into_iter();
        let others = others.filter(|name| p.account_name().is_none_or(|own| own.as_str() != *name));
        let unknown = guesses(&guessing, p, "missing").await;
        for name in others {
            let known = guesses(&guessing, p, name).await;
            for (one, other) in known.iter().zip(&unknown) {
                assert_eq!(one, other, "{} guesses {name}", p.name());
            }
        }
    }
}

/// Who manages an image is told whether there is an account to share with, a bounded number of times; not by the other
/// calls, which nobody counts.
#[tokio::test]
async fn who_manages_learns_of_accounts_by_sharing_alone() {
    let guessing = Guessing::new().await;
    let (test, web) = (&guessing.test, repository("team-a/web"));
    for login in ["acme", "manager@acme"] {
        let p = test.sign_in(login).await;
        let ask = async |name: &str| {
            let named = account(name);
            let change = ShareChange { end: Some(ShareEnd::Permanent), ..ShareChange::default() };
            [
                guessing.noticed(test.show_share(&p, &web, &named, START)).await,
                guessing.noticed(test.update_share(&p, &web, &named, change, START)).await,
                guessing.noticed(test.revoke_share(&p, &web, &named, START)).await,
            ]
        };
        let unknown = ask("missing").await;
        assert!(unknown.iter().all(|noticed| noticed.answer == "there is no such share"), "{unknown:?}");
        for name in ["initech", "hooli"] {
            assert_eq!(ask(name).await, unknown, "{name}");
        }
    }
}

#[tokio::test]
async fn who_may_not_set_permissions_learns_no_users_name() {
    let guessing = Guessing::new().await;
    let test = &guessing.test;
    let targets = [
        PermissionTarget::Repository(repository("team-a/web")),
        PermissionTarget::Namespace(NamespaceName::parse("team-a").unwrap()),
    ];
    for login in ["dev@acme", "globex", "initech"] {
        let p = test.sign_in(login).await;
        for target in &targets {
            let mut noticed = Vec::new();
            for user in ["manager", "missing"] {
                let user = UserName::parse(user).unwrap();
                let set = guessing.noticed(test.set_permission(&p, target, &user, Level::Read, START)).await;
                let removed = guessing.noticed(test.remove_permission(&p, target, &user, START)).await;
                let shown = guessing.noticed(test.show_user(&p, &account("acme"), &user, START)).await;
                noticed.push([set, removed, shown]);
            }
            assert_eq!(noticed[0], noticed[1], "{login} {target}");
        }
    }
    let (acme, missing) = (test.sign_in("acme").await, UserName::parse("missing").unwrap());
    let told = test.set_permission(&acme, &targets[0], &missing, Level::Read, START).await;
    assert!(matches!(told, Err(Error::NotFound { what: Thing::User })), "its account is told: {told:?}");
}

#[tokio::test]
async fn blocking_an_owner_looks_nobody_up() {
    let guessing = Guessing::new().await;
    let test = &guessing.test;
    let p = test.sign_in("initech").await;
    let mut noticed = Vec::new();
    for name in ["acme", "hooli", "missing"] {
        let named = account(name);
        let block = async || test.block_owner(&p, &named, START).await.map(|_| ());
        noticed.push([
            guessing.noticed(block()).await,
            guessing.noticed(block()).await,
            guessing.noticed(test.unblock_owner(&p, &named, START)).await,
            guessing.noticed(test.unblock_owner(&p, &named, START)).await,
        ]);
    }
    assert_eq!(noticed[0], noticed[1]);
    assert_eq!(noticed[0], noticed[2]);
}
