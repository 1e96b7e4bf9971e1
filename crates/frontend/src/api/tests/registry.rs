//! A registry in memory with the accounts `admin`, `acme` and `globex`, the user `dev@acme`, the namespace `team-a` and
//! the private repository `team-a/web`; and a client of it.

use std::sync::{Arc, Mutex};

use auth::{Auth, Keys, PasswordCost, Secret};
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use jiff::{SignedDuration, Timestamp};
use oci::{Reference, RepositoryName};
use serde_json::{Value, json};
use storage::{NewManifest, Storage};

use crate::{App, Clock, Process, Settings};

pub(super) const PASSWORD: &str = "correct horse battery staple";

/// A clock that a test sets.
pub(super) struct TestClock(Mutex<Timestamp>);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

pub(super) struct Registry {
    pub(super) app: App,
    pub(super) keys: Keys,
    clock: Arc<TestClock>,
    _folder: tempfile::TempDir,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

impl Answer {
    /// The problem's code and field.
    pub(super) fn problem(&self) -> (u16, &str, Option<&str>) {
        let text = |name| self.body.get(name).and_then(Value::as_str);
        (self.status.as_u16(), text("code").unwrap_or_default(), text("field"))
    }

    /// The answer, which must be of `status`.
    pub(super) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        self
    }
}

impl Registry {
    /// The registry with nothing but the administrator.
    pub(super) async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock(Mutex::new("2026-11-24T20:15:00Z".parse().unwrap())));
        let engine = Arc::new(kv::memory::Memory::new());
        let store = kv::Store::open(engine, kv::Region::parse("main").unwrap()).await.unwrap();
        let settings = auth::Settings {
            password_hash: PasswordCost { memory_kib: 8, passes: 1, lanes: 1 },
            ..auth::Settings::default()
        };
        let keys = Keys::ephemeral().unwrap();
        let auth = Auth::new(store.clone(), keys.clone(), settings);
        auth.bootstrap(|| Secret::new(PASSWORD), clock.now()).await.unwrap();
        let places = Arc::new(storage::files::Files::open(folder.path()).unwrap());
        let bounds = storage::Settings { free_bytes_min: 0, ..storage::Settings::default() };
        let storage = Storage::new(store, places, bounds);
        let (process, _) = Process::of_test(clock.now());
        let settings = Arc::new(Settings::default());
        let app = App { auth, storage, clock: clock.clone(), settings, process };
        Self { app, keys, clock, _folder: folder }
    }

    /// The registry with what the module says.
    pub(super) async fn furnished() -> Self {
        let registry = Self::empty().await;
        for name in ["acme", "globex"] {
            let account = json!({"name": name, "password": PASSWORD});
            registry.send("admin", "POST", "/accounts", Some(account)).await.expect(201);
        }
        let user = json!({"name": "dev", "password": PASSWORD});
        registry.send("acme", "POST", "/accounts/acme/users", Some(user)).await.expect(201);
        registry.send("acme", "POST", "/namespaces", Some(json!({"name": "team-a"}))).await.expect(201);
        registry.send("acme", "POST", "/repositories", Some(json!({"name": "team-a/web"}))).await.expect(201);
        registry
    }

    /// Pushes an index of no images under `tag`.
    pub(super) async fn push(&self, login: &str, name: &str, tag: &str) {
        let now = self.clock.now();
        let name = RepositoryName::parse(name).unwrap();
        let principal = self.app.auth.authenticate(login, &Secret::new(PASSWORD), None, now).await.unwrap();
        let permit = self.app.auth.authorize(&principal, &name, auth::Action::Push, now).await.unwrap();
        let media_type = "application/vnd.oci.image.index.v1+json";
        let body = json!({"schemaVersion": 2, "mediaType": media_type, "manifests": []}).to_string();
        let manifest = NewManifest {
            content_type: media_type,
            body: Bytes::from(body),
            reference: Reference::parse(tag).unwrap(),
            tags: Vec::new(),
        };
        self.app.storage.put_manifest(&permit, manifest, now).await.unwrap();
    }

    pub(super) fn advance(&self, by: SignedDuration) {
        let mut now = self.clock.0.lock().unwrap();
        *now += by;
    }

    /// Sends a request signed in with [`PASSWORD`], or nobody's when `login` is empty; `path` is below `/api/v1`.
    pub(super) async fn send(&self, login: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
        let authorization = (!login.is_empty()).then(|| basic(login, PASSWORD));
        let body = body.map(|body| ("application/json", body.to_string().into_bytes()));
        self.send_raw(authorization.as_deref(), method, path, body).await
    }

    /// Sends a request as it is given; a body comes with its type.
    pub(super) async fn send_raw(
        &self,
        authorization: Option<&str>,
        method: &str,
        path: &str,
        body: Option<(&str, Vec<u8>)>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/api/v1{path}"));
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let request = match body {
            Some((kind, bytes)) if !kind.is_empty() => {
                request.header(CONTENT_TYPE, kind).body(Body::from(bytes))
            }
            Some((_, bytes)) => request.body(Body::from(bytes)),
            None => request.body(Body::empty()),
        };
        let response = crate::api::respond(&self.app, request.unwrap(), None).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

pub(super) fn basic(login: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{login}:{secret}")))
}
