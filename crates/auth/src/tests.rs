//! A registry's authority in memory, set up in lines that read like prose, and the tests that need all of it.

mod access_keys;
mod account_names;
mod authorizing;
mod catalogs;
mod directories;
mod interleaved;
mod leaving;
mod managing_accounts;
mod managing_namespaces;
mod managing_repositories;
mod managing_users;
mod notices;
mod permission_batches;
mod personal_tokens;
mod recording;
mod share_lives;
mod share_trails;
mod shared_tags;
mod sharing;
mod sharing_at_once;
mod signing_in;
mod tokens;
mod trails;
mod usage;
mod webhooks;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use kv::Key;
use oci::{NamespaceName, RepositoryName};

use crate::{
    AccountName, Action, Auth, Denied, Description, Keys, Level, NewShare, NewToken, PasswordCost,
    PermissionTarget, Permit, Principal, PushAccess, RepositoryId, Scope, ScopePattern, ScopeRequest,
    SealingKeys, Secret, Settings, ShareEnd, ShareTags, SigningKeys, UserName, Visibility,
};

/// Some moment, from which tests count; with a fraction of a second, as real ones have.
pub(crate) const START: Timestamp = Timestamp::constant(1_800_000_000, 250_000_000);

/// `seconds` after [`START`].
pub(crate) fn at(seconds: i64) -> Timestamp {
    START + SignedDuration::from_secs(seconds)
}

pub(crate) fn repository(name: &str) -> RepositoryName {
    RepositoryName::parse(name).unwrap()
}

pub(crate) fn account(name: &str) -> AccountName {
    AccountName::parse(name).unwrap()
}

/// The password of whoever a test makes.
pub(crate) fn password_of(login: &str) -> Secret {
    Secret::new(format!("the password of {login}"))
}

pub(crate) struct TestAuth {
    pub(crate) auth: Auth,
    pub(crate) admin: Principal,
}

impl std::ops::Deref for TestAuth {
    type Target = Auth;

    fn deref(&self) -> &Auth {
        &self.auth
    }
}

/// As little as argon2 takes.
pub(crate) fn cheap_settings() -> Settings {
    Settings { password_hash: PasswordCost { memory_kib: 8, passes: 1, lanes: 1 }, ..Settings::default() }
}

pub(crate) async fn memory_store(region: &str) -> kv::Store {
    let engine = Arc::new(interleaved::Interleaved::default());
    kv::Store::open(engine, kv::Region::parse(region).unwrap()).await.unwrap()
}

impl TestAuth {
    /// With an administrator and nobody else.
    pub(crate) async fn new() -> TestAuth {
        TestAuth::with(cheap_settings()).await
    }

    pub(crate) async fn with(settings: Settings) -> TestAuth {
        TestAuth::over(memory_store("here").await, SigningKeys::ephemeral().unwrap(), settings).await
    }

    pub(crate) async fn over(store: kv::Store, keys: SigningKeys, settings: Settings) -> TestAuth {
        let sealing = SealingKeys::ephemeral().unwrap();
        let auth = Auth::new(store, Keys { signing: keys, sealing }, settings);
        auth.bootstrap(|| password_of("admin"), START).await.unwrap();
        let admin = auth.authenticate("admin", &password_of("admin"), None, START).await.unwrap();
        TestAuth { auth, admin }
    }

    /// With the account `acme`, its namespace `team-a`, its repository `team-a/web`, and the account `globex`.
    pub(crate) async fn with_acme() -> (TestAuth, Principal, Principal) {
        let test = TestAuth::new().await;
        let acme = test.account("acme").await;
        let globex = test.account("globex").await;
        test.namespace(&acme, "team-a").await;
        test.repository(&acme, "team-a/web").await;
        (test, acme, globex)
    }

    pub(crate) async fn account(&self, name: &str) -> Principal {
        self.create_account(&self.admin, &account(name), &password_of(name), START).await.unwrap();
        self.sign_in(name).await
    }

    /// `dev@acme`.
    pub(crate) async fn user(&self, login: &str) -> Principal {
        let (user, of) = login.split_once('@').unwrap();
        let user = UserName::parse(user).unwrap();
        let password = password_of(login);
        self.create_user(&self.admin, &account(of), &user, Some(&password), START).await.unwrap();
        self.sign_in(login).await
    }

    pub(crate) async fn sign_in(&self, login: &str) -> Principal {
        self.authenticate(login, &password_of(login), None, START).await.unwrap()
    }

    pub(crate) async fn namespace(&self, owner: &Principal, name: &str) {
        self.create_namespace(owner, &NamespaceName::parse(name).unwrap(), START).await.unwrap();
    }

    /// A private repository, made as a push makes it.
    pub(crate) async fn repository(&self, owner: &Principal, name: &str) -> RepositoryId {
        let PushAccess::Vacant(vacancy) = self.authorize_push(owner, &repository(name), START).await.unwrap()
        else {
            panic!("{name} exists already");
        };
        self.establish(vacancy, START).await.unwrap().repository()
    }

    /// As if `name` held a manifest.
    pub(crate) async fn list(&self, name: &str, id: RepositoryId) {
        let mut transaction = self.store().transaction();
        transaction.put(Key::Listed { name }, &id).unwrap();
        self.store().commit(transaction).await.unwrap();
    }

    pub(crate) async fn publish(&self, owner: &Principal, name: &str) {
        self.set_visibility(owner, &repository(name), Visibility::Public, START).await.unwrap();
    }

    /// `target`: a namespace, or a repository.
    pub(crate) async fn permit(&self, owner: &Principal, target: &str, user: &str, level: Level) {
        let target = match RepositoryName::parse(target) {
            Ok(name) => PermissionTarget::Repository(name),
            Err(_) => PermissionTarget::Namespace(NamespaceName::parse(target).unwrap()),
        };
        let user = UserName::parse(user).unwrap();
        self.set_permission(owner, &target, &user, level, START).await.unwrap();
    }

    pub(crate) async fn share(&self, owner: &Principal, name: &str, grantee: &str, end: ShareEnd) {
        let description = Description::default();
        let share = NewShare {
            grantee: account(grantee),
            end,
            tags: ShareTags::All,
            description,
            notice_before: None,
            region: None,
        };
        self.create_share(owner, &repository(name), share, START).await.unwrap();
    }

    pub(crate) async fn personal_token(
        &self,
        of: &Principal,
        seconds: u64,
        scope: Option<&[&str]>,
    ) -> (crate::TokenId, Secret) {
        let patterns = |scope: &[&str]| scope.iter().map(|s| ScopePattern::parse(s).unwrap()).collect();
        let new = NewToken {
            expires_in: std::time::Duration::from_secs(seconds),
            description: Description::default(),
            scope: scope.map(patterns),
        };
        let (token, secret) = self.create_personal_token(of, new, START).await.unwrap();
        (token.id, secret)
    }

    /// An access token of `p` for `scopes`.
    pub(crate) async fn token(&self, p: &Principal, scopes: &[&str], now: Timestamp) -> Secret {
        self.issue_access_token(p, &requests(scopes), now).await.unwrap().token
    }

    /// Whoever comes with an access token of `p` for `scopes`.
    pub(crate) async fn by_token(&self, p: &Principal, scopes: &[&str], now: Timestamp) -> Principal {
        let token = self.token(p, scopes, now).await;
        self.authenticate_access_token(token.reveal(), None, now).await.unwrap()
    }

    pub(crate) async fn may(&self, p: &Principal, name: &str, action: Action, now: Timestamp) -> Answer {
        Answer::from(self.authorize(p, &repository(name), action, now).await)
    }

    pub(crate) async fn may_push(&self, p: &Principal, name: &str, now: Timestamp) -> Answer {
        match self.authorize_push(p, &repository(name), now).await {
            Ok(_) => Answer::Yes,
            Err(denied) => Answer::from(Err(denied)),
        }
    }
}

pub(crate) fn requests(scopes: &[&str]) -> Vec<ScopeRequest> {
    ScopeRequest::parse_all(scopes.iter().copied())
}

pub(crate) fn texts(scopes: &[Scope]) -> Vec<String> {
    scopes.iter().map(ToString::to_string).collect()
}

/// What became of a question, in a form that tests compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Yes,
    SignIn,
    Scope(Vec<String>),
    Forbidden,
    NotFound,
    Vacant,
}

impl From<Result<Permit, Denied>> for Answer {
    fn from(result: Result<Permit, Denied>) -> Answer {
        match result {
            Ok(_) => Answer::Yes,
            Err(Denied::Unauthenticated) => Answer::SignIn,
            Err(Denied::InsufficientScope { needed }) => Answer::Scope(texts(&needed)),
            Err(Denied::Forbidden) => Answer::Forbidden,
            Err(Denied::NotFound) => Answer::NotFound,
            Err(Denied::Vacant) => Answer::Vacant,
            Err(Denied::Failed(error)) => panic!("{error}"),
        }
    }
}
