//! A small registry in memory, made anew for each input: acme's repository `team-a/web` with an image and a referrer of
//! it, shared with globex; `team-a/open`, which is public; and the credentials of both.

use std::sync::Arc;

use auth::{
    AccountName, Action, Auth, Description, Keys, NewShare, NewToken, PasswordCost, Principal, PushAccess,
    ScopeRequest, Secret, ShareEnd, Visibility,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::stream;
use jiff::Timestamp;
use kv::{Region, Store};
use oci::{Algorithm, Digest, ManifestType, NamespaceName, Reference, RepositoryName, Tag};
use serde_json::json;
use storage::{NewManifest, Storage};

use crate::{App, Clock, Process, Settings};

/// What nobody but acme and globex may read.
pub(super) const PRIVATE: &[u8] = b"what acme shows globex alone";
/// What everybody may read.
const PUBLIC: &[u8] = b"what acme shows everybody";
const CONFIG: &[u8] = b"{}";

struct Still(Timestamp);

impl Clock for Still {
    fn now(&self) -> Timestamp {
        self.0
    }
}

pub(super) struct World {
    pub(super) app: App,
}

impl World {
    pub(super) async fn new() -> World {
        let region = Region::parse("test").expect("a region");
        let store =
            Store::open(Arc::new(kv::memory::Memory::new()), region).await.expect("a store in memory");
        let password_hash = PasswordCost { memory_kib: 8, passes: 1, lanes: 1 };
        let rules = auth::Settings { password_hash, ..auth::Settings::default() };
        let keys = Keys::ephemeral().expect("a key");
        let auth = Auth::new(store.clone(), keys, rules);
        let storage =
            Storage::new(store, Arc::new(storage::memory::Memory::new()), storage::Settings::default());
        let clock = Arc::new(Still(Timestamp::constant(1_800_000_000, 0)));
        let (process, _) = Process::of_test(clock.0);
        let world =
            World { app: App { auth, storage, clock, settings: Arc::new(Settings::default()), process } };
        world.populate().await;
        world
    }

    fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    async fn principal(&self, login: &str) -> Principal {
        let signed_in = self.app.auth.authenticate(login, &password_of(login), None, self.now()).await;
        signed_in.expect("the right password")
    }

    async fn populate(&self) {
        let (auth, now) = (&self.app.auth, self.now());
        auth.bootstrap(|| password_of("admin"), now).await.expect("an administrator");
        let admin = self.principal("admin").await;
        for name in ["acme", "globex"] {
            auth.create_account(&admin, &account(name), &password_of(name), now).await.expect("an account");
        }
        let acme = self.principal("acme").await;
        let namespace = NamespaceName::parse("team-a").expect("a name");
        auth.create_namespace(&acme, &namespace, now).await.expect("a namespace");
        self.push(&acme, "team-a/web", PRIVATE).await;
        self.push(&acme, "team-a/open", PUBLIC).await;
        let open = repository("team-a/open");
        auth.set_visibility(&acme, &open, Visibility::Public, now).await.expect("a public repository");
        let share = NewShare {
            grantee: account("globex"),
            end: ShareEnd::Permanent,
            tags: auth::ShareTags::All,
            description: Description::default(),
            notice_before: None,
            region: None,
        };
        auth.create_share(&acme, &repository("team-a/web"), share, now).await.expect("a share");
    }

    /// Pushes an image of one layer as `v1`, and an artifact that is about it.
    async fn push(&self, owner: &Principal, name: &str, layer: &'static [u8]) {
        let (auth, storage, now) = (&self.app.auth, &self.app.storage, self.now());
        let permit = match auth.authorize_push(owner, &repository(name), now).await.expect("an owner") {
            PushAccess::Existing(permit) => permit,
            PushAccess::Vacant(vacancy) => auth.establish(vacancy, now).await.expect("a new repository"),
        };
        for content in [CONFIG, layer] {
            let digest = Digest::of(Algorithm::Sha256, content);
            let upload = storage.start_upload(&permit, Algorithm::Sha256, now).await.expect("an upload");
            let body = stream::iter([Ok(Bytes::from_static(content))]);
            storage.finish(&permit, upload.id, &digest, None, None, body, now).await.expect("a blob");
        }
        let tag = Reference::Tag(Tag::parse("v1").expect("a tag"));
        let artifact = artifact(&image(layer));
        let digest = Reference::Digest(Digest::of(Algorithm::Sha256, artifact.as_bytes()));
        for (reference, body) in [(tag, image(layer)), (digest, artifact)] {
            let manifest = NewManifest {
                content_type: ManifestType::OciImage.as_str(),
                body: Bytes::from(body),
                reference,
                tags: Vec::new(),
            };
            storage.put_manifest(&permit, manifest, now).await.expect("a manifest");
        }
    }

    /// What stands for `{name}` in an input, if anything does.
    pub(super) async fn value(&self, name: &str) -> Option<String> {
        let digest = |content: &[u8]| Digest::of(Algorithm::Sha256, content).to_string();
        Some(match name {
            "admin" | "acme" | "globex" => {
                let password = password_of(name);
                format!("Basic {}", STANDARD.encode(format!("{name}:{}", password.reveal())))
            }
            "token" => self.access_token("acme", "*").await,
            "sharee" => self.access_token("globex", "pull").await,
            "personal" => self.personal_token().await,
            "config" => digest(CONFIG),
            "layer" => digest(PRIVATE),
            "open" => digest(PUBLIC),
            "manifest" => digest(image(PRIVATE).as_bytes()),
            "image" => image(PRIVATE),
            "artifact" => artifact(&image(PRIVATE)),
            _ => return None,
        })
    }

    async fn access_token(&self, login: &str, verbs: &str) -> String {
        let scope =
            format!("repository:team-a/web:{verbs} repository:team-a/open:{verbs} registry:catalog:*");
        let scopes = ScopeRequest::parse_all([scope.as_str()]);
        let principal = self.principal(login).await;
        let issued = self.app.auth.issue_access_token(&principal, &scopes, self.now()).await;
        format!("Bearer {}", issued.expect("a token").token.reveal())
    }

    async fn personal_token(&self) -> String {
        let description = Description::default();
        let new = NewToken { expires_in: std::time::Duration::from_secs(3600), description, scope: None };
        let acme = self.principal("acme").await;
        let made = self.app.auth.create_personal_token(&acme, new, self.now()).await;
        format!("Bearer {}", made.expect("a personal token").1.reveal())
    }

    /// Whether whoever sends no credentials may read the private image.
    pub(super) async fn is_private(&self) -> bool {
        let nobody = Principal::anonymous();
        let permit =
            self.app.auth.authorize(&nobody, &repository("team-a/web"), Action::Pull, self.now()).await;
        permit.is_err()
    }
}

fn password_of(login: &str) -> Secret {
    Secret::new(format!("the password of {login}"))
}

fn account(name: &str) -> AccountName {
    AccountName::parse(name).expect("a name")
}

fn repository(name: &str) -> RepositoryName {
    RepositoryName::parse(name).expect("a name")
}

fn image(layer: &[u8]) -> String {
    let blob = |media_type: &str, content: &[u8]| {
        json!({
            "mediaType": media_type,
            "digest": Digest::of(Algorithm::Sha256, content),
            "size": content.len(),
        })
    };
    json!({
        "schemaVersion": 2,
        "mediaType": ManifestType::OciImage.as_str(),
        "config": blob("application/vnd.oci.image.config.v1+json", CONFIG),
        "layers": [blob("application/vnd.oci.image.layer.v1.tar", layer)],
    })
    .to_string()
}

fn artifact(subject: &str) -> String {
    let subject_digest = Digest::of(Algorithm::Sha256, subject.as_bytes());
    let empty =
        json!({ "mediaType": oci::OCI_EMPTY, "digest": Digest::of(Algorithm::Sha256, CONFIG), "size": 2 });
    json!({
        "schemaVersion": 2,
        "mediaType": ManifestType::OciImage.as_str(),
        "artifactType": "application/vnd.example.sbom",
        "config": empty,
        "layers": [empty],
        "subject": {
            "mediaType": ManifestType::OciImage.as_str(), "digest": subject_digest, "size": subject.len(),
        },
        "annotations": { "org.example": "é" },
    })
    .to_string()
}
