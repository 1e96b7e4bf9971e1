//! The registry that every cell of the table is asked of, made once and copied for each: acme with its users, its
//! repositories `team-a/web` (shared with globex), `team-a/own` (private) and `team-a/open` (public), each with an image
//! `v1`, an artifact about it, a blob that no manifest names and an open upload of whoever may push; the accounts globex,
//! initech and hooli; and the administrator. Of `team-a/some` the tags `v1*` are shared with globex, and `v2` is not. All of them block the owner umbrella, whom there is not.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use auth::{
    AccountName, Auth, Description, Keys, Level, NewShare, NewToken, NewWebhook, PasswordCost,
    PermissionTarget, Permit, Principal, PushAccess, Secret, ShareEnd, ShareTags, TagPatterns, UserName,
    Visibility, WebhookUrl,
};
use bytes::Bytes;
use futures::stream;
use jiff::Timestamp;
use kv::{Batch, Direction, Engine, Key, Region, Store};
use oci::{Algorithm, Digest, ManifestType, NamespaceName, Reference, RepositoryName};
use serde_json::json;
use storage::{NewManifest, Storage};

use super::role::{Role, State};
use super::wire::{Answer, Question, Wire};
use crate::tests::directory_of_north;
use crate::tests::engine::Counting;
use crate::{App, Clock, Process, Settings};

const CONFIG: &[u8] = b"{}";
/// A blob that no manifest names.
const LOOSE: &[u8] = b"what a manifest may come to name";
/// The repository of which some tags are shared, and what stands for what else is in it.
const SOME: &str = "team-a/some";
const BESIDE: &str = "team-a/some, v2";
const REGION: &str = "test";
const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        NOW
    }
}

/// Everything that a store holds.
type Content = Vec<(Vec<u8>, Vec<u8>)>;

pub(super) struct World {
    content: Content,
    places: Arc<storage::memory::Memory>,
    keys: Keys,
    /// What `{…}` stands for in a row, by role where it differs.
    values: BTreeMap<(Option<&'static str>, &'static str, &'static str), String>,
}

/// A registry of its own, as the world was made.
pub(super) struct Copy {
    pub(super) wire: Wire,
    engine: Arc<Counting>,
}

impl Copy {
    /// Whether it holds something else than the world that it was copied from. That a signature was spent changes nothing
    /// but what it is worth.
    pub(super) async fn differs_from(&self, world: &World) -> bool {
        // What was not written to is the same; most questions write nothing.
        self.engine.commits() > 0 && content(&self.engine).await != world.content
    }

    /// The answer, and the reads that it took.
    pub(super) async fn ask(&self, question: &Question) -> (Answer, usize) {
        self.engine.reads();
        let answer = self.wire.ask(question).await;
        (answer, self.engine.reads())
    }
}

async fn content(engine: &Counting) -> Content {
    let everything = (Bound::Unbounded, Bound::Unbounded);
    let entries = engine.scan(everything, kv::SCAN_ENTRIES_MAX, Direction::Forward).await.unwrap();
    assert!(entries.len() < kv::SCAN_ENTRIES_MAX, "a small world");
    let spent = Key::SpentSignature { time_ms: 0, hash: &[0; 32] }.encode(&Region::parse(REGION).unwrap());
    let spent = &spent[..spent.len() - size_of::<u64>() - 32];
    let entries = entries.into_iter().filter(|(key, _)| !key.starts_with(spent));
    entries.map(|(key, entry)| (key, entry.value.to_vec())).collect()
}

pub(super) fn password_of(login: &str) -> String {
    format!("the password of {login}")
}

pub(super) fn sha256(content: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, content)
}

fn layer(repository: &str) -> Vec<u8> {
    format!("the layer of {repository}").into_bytes()
}

impl World {
    pub(super) async fn new() -> World {
        let engine = Arc::new(Counting::default());
        let mut world = World {
            content: Vec::new(),
            places: Arc::new(storage::memory::Memory::new()),
            keys: Keys::ephemeral().unwrap(),
            values: BTreeMap::new(),
        };
        let app = world.app(Arc::clone(&engine)).await;
        let keys = world.keys.clone();
        Making { app: &app, keys, values: &mut world.values }.all().await;
        world.content = content(&engine).await;
        world
    }

    async fn app(&self, engine: Arc<Counting>) -> App {
        let store = Store::open(engine, Region::parse(REGION).unwrap()).await.unwrap();
        let password_hash = PasswordCost { memory_kib: 8, passes: 1, lanes: 1 };
        let rules = auth::Settings { password_hash, ..auth::Settings::default() };
        let auth = Auth::new(store.clone(), self.keys.clone(), rules);
        let storage = Storage::new(store, self.places.clone(), storage::Settings::default());
        let (process, _) = Process::of_test(NOW);
        App { auth, storage, clock: Arc::new(Still), settings: Arc::new(Settings::default()), process }
    }

    /// A registry that is all of it, and that nobody else touches.
    pub(super) async fn copy(&self) -> Copy {
        let engine = Arc::new(Counting::default());
        engine.commit(Batch { put: self.content.clone(), ..Batch::default() }).await.unwrap();
        let app = self.app(Arc::clone(&engine)).await;
        engine.commits();
        Copy { wire: Wire::new(app), engine }
    }

    /// What `{name}` stands for where `role` asks about the repository in `state`.
    pub(super) fn value(&self, role: Role, state: State, name: &str) -> Option<String> {
        let repository = state.repository();
        Some(match name {
            "repository" => repository.to_owned(),
            "own-namespace" => role.own_namespace().to_owned(),
            "organization" => repository.split_once('/')?.0.to_owned(),
            "name" => repository.split_once('/')?.1.to_owned(),
            "layer" => sha256(&layer(repository)).to_string(),
            "loose" => sha256(LOOSE).to_string(),
            "image" => sha256(image(repository).as_bytes()).to_string(),
            "manifest" => artifact(repository, "another"),
            name => {
                let of = |login| {
                    self.values.get(&(login, repository, name)).or(self.values.get(&(login, "", name)))
                };
                of(role.login()).or_else(|| of(None))?.clone()
            }
        })
    }
}

/// The world in the making.
struct Making<'a> {
    app: &'a App,
    keys: Keys,
    values: &'a mut BTreeMap<(Option<&'static str>, &'static str, &'static str), String>,
}

impl Making<'_> {
    async fn all(&mut self) {
        let auth = &self.app.auth;
        auth.bootstrap(|| Secret::new(password_of("admin")), NOW).await.unwrap();
        let admin = self.principal("admin").await;
        for name in ["acme", "globex", "initech", "hooli"] {
            let password = Secret::new(password_of(name));
            auth.create_account(&admin, &AccountName::parse(name).unwrap(), &password, NOW).await.unwrap();
        }
        for (owner, name) in [
            ("acme", "team-a"),
            ("acme", "team-b"),
            ("globex", "globex"),
            ("initech", "initech"),
            ("admin", "admins"),
        ] {
            let owner = self.principal(owner).await;
            auth.create_namespace(&owner, &NamespaceName::parse(name).unwrap(), NOW).await.unwrap();
        }
        for login in ["manager@acme", "editor@acme", "reader@acme", "ci@acme", "ops@globex"] {
            self.user(login).await;
        }
        let levels = [("manager", Level::Manage), ("editor", Level::Edit), ("reader", Level::Read)];
        for (user, level) in levels {
            self.permit("acme", "team-a", user, level).await;
            self.permit("acme", "team-b", user, level).await;
        }
        self.permit("acme", "team-b", "ci", Level::Read).await;
        self.permit("globex", "globex", "ops", Level::Edit).await;
        for state in State::REPOSITORY {
            self.repository(state.repository()).await;
        }
        self.open_and_share().await;
        self.some_tags().await;
        self.webhook().await;
        self.directory().await;
        for role in Role::ALL {
            self.credentials(role).await;
        }
    }

    async fn principal(&self, login: &str) -> Principal {
        let password = Secret::new(password_of(login));
        self.app.auth.authenticate(login, &password, None, NOW).await.unwrap()
    }

    async fn user(&mut self, login: &str) {
        let (user, account) = login.split_once('@').unwrap();
        let owner = self.principal(account).await;
        let (account, user) = (AccountName::parse(account).unwrap(), UserName::parse(user).unwrap());
        let password = Secret::new(password_of(login));
        let made = self.app.auth.create_user(&owner, &account, &user, Some(&password), NOW).await.unwrap();
        for (of, id_name) in [("ci@acme", "ci-id"), ("reader@acme", "reader-id")] {
            if of == login {
                self.values.insert((None, "", id_name), made.id.to_string());
            }
        }
    }

    async fn permit(&self, owner: &str, target: &str, user: &str, level: Level) {
        let owner = self.principal(owner).await;
        let target = match RepositoryName::parse(target) {
            Ok(name) => PermissionTarget::Repository(name),
            Err(_) => PermissionTarget::Namespace(NamespaceName::parse(target).unwrap()),
        };
        let user = UserName::parse(user).unwrap();
        self.app.auth.set_permission(&owner, &target, &user, level, NOW).await.unwrap();
    }

    /// A repository of acme's with all that the module says.
    async fn repository(&mut self, name: &'static str) {
        let permit = self.establish(name).await;
        for content in [CONFIG, LOOSE, &layer(name)] {
            self.blob(&permit, content).await;
        }
        self.manifest(&permit, "v1", image(name)).await;
        let artifact = artifact(name, "one");
        self.manifest(&permit, &sha256(artifact.as_bytes()).to_string(), artifact).await;
        self.permit("acme", name, "ci", Level::Read).await;
        self.uploads(name).await;
    }

    async fn establish(&self, name: &str) -> Permit {
        let acme = self.principal("acme").await;
        let name = RepositoryName::parse(name).unwrap();
        match self.app.auth.authorize_push(&acme, &name, NOW).await.unwrap() {
            PushAccess::Vacant(vacancy) => self.app.auth.establish(vacancy, NOW).await.unwrap(),
            PushAccess::Existing(_) => panic!("{name} is there already"),
        }
    }

    async fn blob(&self, permit: &Permit, content: &[u8]) {
        let storage = &self.app.storage;
        let upload = storage.start_upload(permit, Algorithm::Sha256, NOW).await.unwrap();
        let body = stream::iter([Ok(Bytes::copy_from_slice(content))]);
        storage.finish(permit, upload.id, &sha256(content), None, None, body, NOW).await.unwrap();
    }

    async fn manifest(&self, permit: &Permit, reference: &str, body: String) {
        let manifest = NewManifest {
            content_type: ManifestType::OciImage.as_str(),
            body: Bytes::from(body),
            reference: Reference::parse(reference).unwrap(),
            tags: Vec::new(),
        };
        self.app.storage.put_manifest(permit, manifest, NOW).await.unwrap();
    }

    /// An image `v1` that is shared with globex, and beside it another, `v2`, that is not.
    async fn some_tags(&mut self) {
        let permit = self.establish(SOME).await;
        for (tag, of) in [("v1", SOME), ("v2", BESIDE)] {
            for content in [CONFIG, &layer(of)] {
                self.blob(&permit, content).await;
            }
            self.manifest(&permit, tag, image(of)).await;
        }
        let tags = ShareTags::Matching(TagPatterns::parse(["v1*"]).unwrap());
        let acme = self.principal("acme").await;
        let share = NewShare { tags, ..share_with_globex() };
        let name = RepositoryName::parse(SOME).unwrap();
        let counted = match self.app.auth.create_share(&acme, &name, share.clone(), NOW).await {
            Err(auth::Error::TagsUncounted { repositories }) => repositories[0],
            other => panic!("what the tags reach is not counted yet: {other:?}"),
        };
        self.app.storage.count_shared_tags(counted).await.unwrap();
        self.app.auth.create_share(&acme, &name, share, NOW).await.unwrap();
        for (of, image_name, layer_name) in [(SOME, "image-v1", "layer-v1"), (BESIDE, "image-v2", "layer-v2")]
        {
            self.values.insert((None, "", image_name), sha256(image(of).as_bytes()).to_string());
            self.values.insert((None, "", layer_name), sha256(&layer(of)).to_string());
        }
    }

    /// An upload of everybody who may push, and one of somebody else. Who may not push has none: its is the owner's.
    async fn uploads(&mut self, name: &'static str) {
        let parsed = RepositoryName::parse(name).unwrap();
        let mut others = None;
        for login in ["acme", "manager@acme", "editor@acme"] {
            let principal = self.principal(login).await;
            let permit = self.app.auth.authorize(&principal, &parsed, auth::Action::Push, NOW).await.unwrap();
            let upload = self.app.storage.start_upload(&permit, Algorithm::Sha256, NOW).await.unwrap();
            let id = upload.id.to_string();
            self.values.insert((Some(login), name, "upload"), id.clone());
            self.values.entry((None, name, "upload")).or_insert(id.clone());
            if let Some(others) = others.replace(id) {
                self.values.insert((Some(login), name, "others-upload"), others);
            }
        }
        for login in [Some("acme"), None] {
            self.values.insert((login, name, "others-upload"), others.clone().unwrap());
        }
    }

    async fn open_and_share(&mut self) {
        let acme = self.principal("acme").await;
        let open = RepositoryName::parse(State::Public.repository()).unwrap();
        self.app.auth.set_visibility(&acme, &open, Visibility::Public, NOW).await.unwrap();
        let share = share_with_globex();
        let web = RepositoryName::parse(State::Shared.repository()).unwrap();
        let share = self.app.auth.create_share(&acme, &web, share, NOW).await.unwrap();
        self.values.insert((None, "", "share"), share.id.to_string());
        for login in ["acme", "globex", "initech", "admin"] {
            let principal = self.principal(login).await;
            let umbrella = AccountName::parse("umbrella").unwrap();
            self.app.auth.block_owner(&principal, &umbrella, NOW).await.unwrap();
        }
    }

    /// A webhook of acme's, with an event that waits for it.
    async fn webhook(&mut self) {
        let acme = self.principal("acme").await;
        let url = WebhookUrl::parse("https://example.com/hook").unwrap();
        let new = NewWebhook { url, kinds: Vec::new(), description: Description::default() };
        let (webhook, _) = self.app.auth.create_webhook(&acme, new, NOW).await.unwrap();
        let test = self.app.auth.test_webhook(&acme, webhook.id, NOW).await.unwrap();
        let made = self.app.auth.test_webhook(&acme, webhook.id, NOW).await.unwrap();
        assert!(test.id < made.id);
        self.values.insert((None, "", "webhook"), webhook.id.to_string());
        self.values.insert((None, "", "delivery"), made.id.to_string());
    }

    /// What another region's server exported.
    async fn directory(&mut self) {
        let directory = directory_of_north(self.keys.clone(), NOW).await;
        self.values.insert((None, "", "directory"), serde_json::to_string(&directory).unwrap());
    }

    /// Two personal tokens of the role's own, one to come with and one to be talked about, and an access key.
    async fn credentials(&mut self, role: Role) {
        let Some(login) = role.login() else { return };
        let auth = &self.app.auth;
        let principal = self.principal(login).await;
        for (secret_name, id_name) in [("secret", "used-token"), ("", "token")] {
            let description = Description::parse("of the table").unwrap();
            let new = NewToken { expires_in: Duration::from_secs(3600), description, scope: None };
            let (token, secret) = auth.create_personal_token(&principal, new, NOW).await.unwrap();
            self.values.insert((Some(login), "", id_name), token.id.to_string());
            self.values.insert((Some(login), "", secret_name), secret.reveal().to_owned());
            if role == Role::Owner && id_name == "token" {
                self.values.insert((None, "", "owners-token"), token.id.to_string());
                // Nobody's own is somebody's.
                self.values.insert((None, "", "token"), token.id.to_string());
            }
        }
        let (key, secret) = auth.create_access_key(&principal, Description::default(), NOW).await.unwrap();
        self.values.insert((Some(login), "", "access-key"), key.id.to_string());
        self.values.insert((Some(login), "", "access-secret"), secret.reveal().to_owned());
        if role == Role::Read {
            self.values.insert((None, "", "readers-access-key"), key.id.to_string());
            self.values.insert((None, "", "access-key"), key.id.to_string());
        }
        self.values.insert((Some(login), "", "password"), password_of(login));
    }
}

fn share_with_globex() -> NewShare {
    NewShare {
        grantee: AccountName::parse("globex").unwrap(),
        end: ShareEnd::Permanent,
        tags: ShareTags::All,
        description: Description::default(),
        notice_before: None,
        region: None,
    }
}

fn descriptor(media_type: &str, content: &[u8]) -> serde_json::Value {
    json!({ "mediaType": media_type, "digest": sha256(content), "size": content.len() })
}

fn image(repository: &str) -> String {
    json!({
        "schemaVersion": 2,
        "mediaType": ManifestType::OciImage.as_str(),
        "config": descriptor("application/vnd.oci.image.config.v1+json", CONFIG),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer(repository))],
    })
    .to_string()
}

fn artifact(repository: &str, which: &str) -> String {
    json!({
        "schemaVersion": 2,
        "mediaType": ManifestType::OciImage.as_str(),
        "artifactType": "application/vnd.example.signature",
        "config": descriptor("application/vnd.oci.empty.v1+json", CONFIG),
        "layers": [],
        "subject": descriptor(ManifestType::OciImage.as_str(), image(repository).as_bytes()),
        "annotations": { "which": which },
    })
    .to_string()
}
