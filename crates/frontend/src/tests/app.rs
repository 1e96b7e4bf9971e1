//! The registry under test: two accounts, `acme` with the namespace `team-a` and the user `dev@acme`, and `globex`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use auth::{
    AccountName, Auth, Description, Keys, Level, NewShare, PasswordCost, PermissionTarget, Principal, Secret,
    ShareEnd, UserName,
};
use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use kv::{Region, Store};
use oci::{Algorithm, Digest, NamespaceName, RepositoryName};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use storage::files::Files;
use storage::{Places, Storage};
use tempfile::TempDir;
use tokio::net::TcpSocket;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use super::engine::Counting;
use crate::types::Upkeep;
use crate::{App, Clock, Process, Settings, TlsIdentity};

pub(super) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A clock that stands until it is moved.
pub(super) struct TestClock(Mutex<Timestamp>, AtomicBool);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        assert!(!self.1.load(Ordering::SeqCst), "a clock that the test broke");
        *self.0.lock().unwrap()
    }
}

impl TestClock {
    /// From now on, whoever asks for the time panics; or no longer.
    pub(super) fn break_down(&self, broken: bool) {
        self.1.store(broken, Ordering::SeqCst);
    }

    pub(super) fn advance(&self, seconds: i64) {
        let mut now = self.0.lock().unwrap();
        *now += SignedDuration::from_secs(seconds);
    }
}

pub(super) struct TestApp {
    scheme: &'static str,
    pub(super) host: String,
    pub(super) clock: Arc<TestClock>,
    pub(super) auth: Auth,
    pub(super) storage: Storage,
    pub(super) engine: Arc<Counting>,
    pub(super) client: Client,
    /// What the upkeep, of which there is none, would tell.
    pub(super) upkeep: watch::Sender<Upkeep>,
    /// The folder of the blobs, where they are in files.
    pub(super) data: TempDir,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

/// What a registry under test is made with.
struct Launch {
    rules: auth::Settings,
    content: storage::Settings,
    scheme: &'static str,
    client: Client,
    tls: Option<watch::Receiver<TlsIdentity>>,
    /// In files, without.
    places: Option<Arc<dyn Places>>,
    socket: TcpSocket,
}

impl Default for Launch {
    fn default() -> Launch {
        Launch {
            rules: auth::Settings::default(),
            content: storage::Settings::default(),
            scheme: "http",
            client: Client::builder().no_proxy().build().unwrap(),
            tls: None,
            places: None,
            socket: TcpSocket::new_v4().unwrap(),
        }
    }
}

/// Everybody's password.
pub(super) fn password_of(login: &str) -> String {
    format!("the password of {login}")
}

pub(super) fn sha256(content: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, content)
}

pub(super) fn principal(auth: &Auth, login: &'static str, now: Timestamp) -> impl Future<Output = Principal> {
    let auth = auth.clone();
    async move { auth.authenticate(login, &Secret::new(password_of(login)), None, now).await.unwrap() }
}

impl TestApp {
    pub(super) async fn start() -> TestApp {
        TestApp::start_with(Settings::default(), storage::Settings::default()).await
    }

    pub(super) async fn start_with(settings: Settings, content: storage::Settings) -> TestApp {
        TestApp::launch(settings, Launch { content, ..Launch::default() }).await
    }

    /// One with other rules for accounts, but for what a password costs.
    pub(super) async fn start_by_rules(rules: auth::Settings) -> TestApp {
        TestApp::launch(Settings::default(), Launch { rules, ..Launch::default() }).await
    }

    /// One whose blobs lie in no files.
    pub(super) async fn start_in_memory() -> TestApp {
        let places: Arc<dyn Places> = Arc::new(storage::memory::Memory::new());
        TestApp::launch(Settings::default(), Launch { places: Some(places), ..Launch::default() }).await
    }

    /// One that speaks TLS, and a client that trusts it.
    pub(super) async fn start_over_tls(
        settings: Settings,
        identity: watch::Receiver<TlsIdentity>,
        client: Client,
    ) -> TestApp {
        let launch = Launch { scheme: "https", client, tls: Some(identity), ..Launch::default() };
        TestApp::launch(settings, launch).await
    }

    /// One whose connections take few bytes from it at once.
    pub(super) async fn start_narrow(settings: Settings) -> TestApp {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_send_buffer_size(32 << 10).unwrap();
        TestApp::launch(settings, Launch { socket, ..Launch::default() }).await
    }

    async fn launch(settings: Settings, launch: Launch) -> TestApp {
        let Launch { rules, content, scheme, client, tls, places, socket } = launch;
        let clock =
            Arc::new(TestClock(Mutex::new(Timestamp::constant(1_800_000_000, 0)), AtomicBool::new(false)));
        let engine = Arc::new(Counting::default());
        let store = Store::open(engine.clone(), Region::parse("test").unwrap()).await.unwrap();
        let cost = PasswordCost { memory_kib: 8, passes: 1, lanes: 1 };
        let rules = auth::Settings { password_hash: cost, ..rules };
        let auth = Auth::new(store.clone(), Keys::ephemeral().unwrap(), rules);
        let data = tempfile::tempdir().unwrap();
        let content = storage::Settings { free_bytes_min: 0, ..content };
        let places = places.unwrap_or_else(|| Arc::new(Files::open(data.path()).unwrap()));
        let storage = Storage::new(store, places, content);
        populate(&auth, clock.now()).await;

        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(128).unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (process, upkeep) = Process::of_test(clock.now());
        let settings = Arc::new(settings);
        let app =
            App { auth: auth.clone(), storage: storage.clone(), clock: clock.clone(), settings, process };
        let (stop, stopped) = oneshot::channel::<()>();
        let served =
            tokio::spawn(crate::serve(listener, tls, app, Vec::new(), async { drop(stopped.await) }));
        TestApp { scheme, host, clock, auth, storage, engine, client, upkeep, data, stop, served }
    }

    /// Tells the server to stop, and answers what to wait for until it has.
    pub(super) fn stop(self) -> JoinHandle<std::io::Result<()>> {
        drop(self.stop);
        self.served
    }

    /// A request of nobody.
    pub(super) fn anonymous(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}://{}{path}", self.scheme, self.host))
    }

    /// A request with a name and a password.
    pub(super) fn by(&self, login: &str, method: Method, path: &str) -> RequestBuilder {
        self.anonymous(method, path).basic_auth(login, Some(password_of(login)))
    }

    pub(super) async fn get(&self, login: &str, path: &str) -> Response {
        self.by(login, Method::GET, path).send().await.unwrap()
    }

    /// An access token for `scope`.
    pub(super) async fn token(&self, login: &str, scope: &str) -> String {
        let path = format!("/auth/token?service=gangplank&scope={scope}");
        let answer: Value = self.get(login, &path).await.json().await.unwrap();
        answer["token"].as_str().unwrap().to_owned()
    }

    /// Pushes a blob with one POST.
    pub(super) async fn push_blob(&self, login: &str, repository: &str, content: &[u8]) -> Digest {
        let digest = sha256(content);
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let answer = self.by(login, Method::POST, &path).body(content.to_vec()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        digest
    }

    /// Pushes an image of one layer, and answers its manifest.
    pub(super) async fn push_image(&self, login: &str, repository: &str, tag: &str, layer: &[u8]) -> String {
        let config = self.push_blob(login, repository, b"{}").await;
        let digest = self.push_blob(login, repository, layer).await;
        let manifest = image(&config, 2, &digest, layer.len());
        let answer = self.put_manifest(login, repository, tag, IMAGE, &manifest).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
        manifest
    }

    pub(super) async fn put_manifest(
        &self,
        login: &str,
        repository: &str,
        reference: &str,
        media_type: &str,
        body: &str,
    ) -> Response {
        let path = format!("/v2/{repository}/manifests/{reference}");
        let request = self.by(login, Method::PUT, &path).header("content-type", media_type);
        request.body(body.to_owned()).send().await.unwrap()
    }

    /// Shares one of acme's repositories with globex, for so many seconds or for ever.
    pub(super) async fn share(&self, repository: &str, seconds: Option<i64>) {
        let now = self.clock.now();
        let end = seconds
            .map_or(ShareEnd::Permanent, |seconds| ShareEnd::Until(now + SignedDuration::from_secs(seconds)));
        let grantee = AccountName::parse("globex").unwrap();
        let (tags, description) = (auth::ShareTags::All, Description::default());
        let share = NewShare { grantee, end, tags, description, notice_before: None, region: None };
        let owner = principal(&self.auth, "acme", now).await;
        self.auth
            .create_share(&owner, &RepositoryName::parse(repository).unwrap(), share, now)
            .await
            .unwrap();
    }

    pub(super) async fn revoke(&self, repository: &str) {
        let now = self.clock.now();
        let owner = principal(&self.auth, "acme", now).await;
        let (name, globex) =
            (RepositoryName::parse(repository).unwrap(), AccountName::parse("globex").unwrap());
        self.auth.revoke_share(&owner, &name, &globex, now).await.unwrap();
    }
}

async fn populate(auth: &Auth, now: Timestamp) {
    let secret = |login: &str| Secret::new(password_of(login));
    assert!(auth.bootstrap(|| secret("admin"), now).await.unwrap());
    let admin = principal(auth, "admin", now).await;
    let acme = AccountName::parse("acme").unwrap();
    for name in ["acme", "globex"] {
        auth.create_account(&admin, &AccountName::parse(name).unwrap(), &secret(name), now).await.unwrap();
    }
    let owner = principal(auth, "acme", now).await;
    let namespace = NamespaceName::parse("team-a").unwrap();
    auth.create_namespace(&owner, &namespace, now).await.unwrap();
    let other = principal(auth, "globex", now).await;
    auth.create_namespace(&other, &NamespaceName::parse("globex").unwrap(), now).await.unwrap();
    for (name, level) in [("dev", Level::Edit), ("reader", Level::Read)] {
        let user = UserName::parse(name).unwrap();
        let password = secret(&format!("{name}@acme"));
        auth.create_user(&owner, &acme, &user, Some(&password), now).await.unwrap();
        let target = PermissionTarget::Namespace(namespace.clone());
        auth.set_permission(&owner, &target, &user, level, now).await.unwrap();
    }
}

/// An image of one layer.
pub(super) fn image(config: &Digest, config_size: usize, layer: &Digest, layer_size: usize) -> String {
    json!({
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": config_size,
        },
        "layers": [{
            "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": layer, "size": layer_size,
        }],
    })
    .to_string()
}

pub(super) fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// The status and the first code of an error.
pub(super) async fn refusal(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap_or_default();
    (status, body["errors"][0]["code"].as_str().unwrap_or_default().to_owned())
}
