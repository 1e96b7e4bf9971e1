//! Two accounts, their namespaces, and everything that a test says often.

use std::path::Path;
use std::sync::Arc;

use auth::{Action, Auth, Permit, Principal, PushAccess, Secret};
use bytes::Bytes;
use futures::channel::mpsc;
use futures::{Stream, stream};
use jiff::Timestamp;
use kv::Engine;
use oci::{Algorithm, Digest, Reference, RepositoryName, Tag};

use super::doubles::{FaultyEngine, FaultyPlaces};
use crate::blobs::BlobRecord;
use crate::{BlobTotals, BodyError, Error, ManifestBody, NewManifest, Settings, Storage, Upload};

pub(super) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";

pub(super) struct World {
    pub(super) auth: Auth,
    pub(super) storage: Storage,
    pub(super) engine: Arc<FaultyEngine>,
    pub(super) places: Arc<FaultyPlaces>,
    pub(super) folder: tempfile::TempDir,
    /// Owns the namespaces `acme` and `other`.
    pub(super) acme: Principal,
    /// Owns the namespace `globex`.
    pub(super) globex: Principal,
}

/// The time at which tests happen, `hours` after their beginning.
pub(super) fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + hours * 3_600).unwrap()
}

pub(super) fn settings() -> Settings {
    Settings { free_bytes_min: 0, checkpoint_bytes: 1 << 20, ..Settings::default() }
}

impl World {
    pub(super) async fn new() -> World {
        World::with(settings()).await
    }

    pub(super) async fn with(settings: Settings) -> World {
        let engine = Arc::new(FaultyEngine::default());
        let region = kv::Region::parse("test").unwrap();
        let store = kv::Store::open(engine.clone(), region).await.unwrap();
        let cheap = auth::PasswordCost { memory_kib: 8, passes: 1, lanes: 1 };
        let auth_settings = auth::Settings { password_hash: cheap, ..auth::Settings::default() };
        let auth = Auth::new(store.clone(), auth::Keys::ephemeral().unwrap(), auth_settings);
        let secret = || Secret::new("a long password");
        auth.bootstrap(secret, at(0)).await.unwrap();
        let admin = auth.authenticate("admin", &secret(), None, at(0)).await.unwrap();
        for account in ["acme", "globex"] {
            let name = auth::AccountName::parse(account).unwrap();
            auth.create_account(&admin, &name, &secret(), at(0)).await.unwrap();
        }
        let acme = auth.authenticate("acme", &secret(), None, at(0)).await.unwrap();
        let globex = auth.authenticate("globex", &secret(), None, at(0)).await.unwrap();
        for (owner, namespace) in [(&acme, "acme"), (&acme, "other"), (&globex, "globex")] {
            let name = oci::NamespaceName::parse(namespace).unwrap();
            auth.create_namespace(owner, &name, at(0)).await.unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let places = Arc::new(FaultyPlaces::new(folder.path()));
        let storage = Storage::new(store, places.clone(), settings);
        World { auth, storage, engine, places, folder, acme, globex }
    }

    /// The same content, as another process finds it.
    pub(super) fn reopened(&self) -> Storage {
        let places = Arc::new(FaultyPlaces::new(self.folder.path()));
        Storage::new(self.auth.store().clone(), places, self.storage.settings().clone())
    }

    /// The right to push to `name` by the owner of its namespace; makes it.
    pub(super) async fn push(&self, name: &str) -> Permit {
        let owner = self.owner(name);
        match self.auth.authorize_push(owner, &repository(name), at(0)).await.unwrap() {
            PushAccess::Existing(permit) => permit,
            PushAccess::Vacant(vacancy) => self.auth.establish(vacancy, at(0)).await.unwrap(),
        }
    }

    pub(super) async fn pull(&self, name: &str) -> Permit {
        self.permit(name, Action::Pull).await
    }

    pub(super) async fn delete(&self, name: &str) -> Permit {
        self.permit(name, Action::Delete).await
    }

    pub(super) async fn permit(&self, name: &str, action: Action) -> Permit {
        self.auth.authorize(self.owner(name), &repository(name), action, at(0)).await.unwrap()
    }

    /// Shares `name` with globex: the tags that these match, or all of it.
    pub(super) async fn share(&self, name: &str, tags: &[&str]) -> Result<auth::Share, auth::Error> {
        self.share_with("globex", name, tags).await
    }

    /// The same with another account, as the frontend does it.
    pub(super) async fn share_with(
        &self,
        grantee: &str,
        name: &str,
        tags: &[&str],
    ) -> Result<auth::Share, auth::Error> {
        let new = auth::NewShare {
            grantee: auth::AccountName::parse(grantee)?,
            end: auth::ShareEnd::Permanent,
            tags: share_tags(tags),
            description: auth::Description::default(),
            notice_before: None,
            region: None,
        };
        let (owner, name) = (self.owner(name), repository(name));
        self.counted(|| self.auth.create_share(owner, &name, new.clone(), at(0))).await
    }

    /// Narrows the share of `name` with `grantee` to other tags.
    pub(super) async fn share_other_tags(
        &self,
        grantee: &str,
        name: &str,
        tags: &[&str],
    ) -> Result<auth::Share, auth::Error> {
        let grantee = auth::AccountName::parse(grantee)?;
        let change = auth::ShareChange { tags: Some(share_tags(tags)), ..auth::ShareChange::default() };
        let (owner, name) = (self.owner(name), repository(name));
        self.counted(|| self.auth.update_share(owner, &name, &grantee, change.clone(), at(0))).await
    }

    pub(super) async fn revoke(&self, grantee: &str, name: &str) -> Result<(), auth::Error> {
        let grantee = auth::AccountName::parse(grantee)?;
        self.auth.revoke_share(self.owner(name), &repository(name), &grantee, at(0)).await
    }

    async fn counted<F>(&self, share: impl Fn() -> F) -> Result<auth::Share, auth::Error>
    where
        F: Future<Output = Result<auth::Share, auth::Error>>,
    {
        for _ in 0..100 {
            match share().await {
                Err(auth::Error::TagsUncounted { repositories }) => {
                    for repository in repositories {
                        match self.storage.count_shared_tags(repository).await {
                            Ok(()) | Err(Error::Busy) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
                done => return done,
            }
        }
        panic!("what the tags reach is never counted")
    }

    /// The right of globex to pull from `name`, by a share.
    pub(super) async fn sharee(&self, name: &str) -> Permit {
        self.auth.authorize(&self.globex, &repository(name), Action::Pull, at(0)).await.unwrap()
    }

    /// The keys of what is shared by tags.
    pub(super) async fn shared_keys(&self) -> Vec<Vec<u8>> {
        let keys = self.keys().await;
        keys.into_iter().filter(|key| matches!(key[b"rtest\0".len()], 0x39..=0x3b)).collect()
    }

    fn owner(&self, name: &str) -> &Principal {
        if name.starts_with("globex/") { &self.globex } else { &self.acme }
    }

    /// Uploads `content` in one request.
    pub(super) async fn blob(&self, permit: &Permit, content: &[u8]) -> Digest {
        let digest = sha256(content);
        let upload = self.start(permit).await;
        let length = Some(content.len() as u64);
        self.storage.finish(permit, upload.id, &digest, None, length, body(content), at(0)).await.unwrap();
        digest
    }

    pub(super) async fn start(&self, permit: &Permit) -> Upload {
        self.storage.start_upload(permit, Algorithm::Sha256, at(0)).await.unwrap()
    }

    pub(super) async fn append(
        &self,
        permit: &Permit,
        upload: &Upload,
        content: &[u8],
    ) -> Result<Upload, Error> {
        self.storage.append(permit, upload.id, None, None, body(content), at(0)).await
    }

    pub(super) async fn finish(
        &self,
        permit: &Permit,
        upload: &Upload,
        digest: &Digest,
    ) -> Result<u64, Error> {
        let stat = self.storage.finish(permit, upload.id, digest, None, Some(0), body(b""), at(0)).await?;
        Ok(stat.size)
    }

    /// Pushes `manifest` under `reference` and `tags`.
    pub(super) async fn manifest(
        &self,
        permit: &Permit,
        manifest: &str,
        reference: &str,
        tags: &[&str],
    ) -> Result<Digest, Error> {
        let content_type = if manifest.contains("\"manifests\"") { INDEX } else { IMAGE };
        let new = NewManifest {
            content_type,
            body: Bytes::copy_from_slice(manifest.as_bytes()),
            reference: Reference::parse(reference).unwrap(),
            tags: tags.iter().map(|tag| Tag::parse(tag).unwrap()).collect(),
        };
        Ok(self.storage.put_manifest(permit, new, at(0)).await?.digest)
    }

    pub(super) async fn read(&self, permit: &Permit, digest: &Digest) -> Result<Vec<u8>, Error> {
        read(&self.storage, permit, digest).await
    }

    /// How many files there are.
    pub(super) fn files(&self) -> usize {
        count_files(self.folder.path())
    }

    /// Removes every file, or cuts it to so many bytes.
    pub(super) fn harm_files(&self, cut_to: Option<u64>) {
        for_each_file(self.folder.path(), &mut |file| match cut_to {
            None => std::fs::remove_file(file).unwrap(),
            Some(bytes) => {
                std::fs::File::options().write(true).open(file).unwrap().set_len(bytes).unwrap();
            }
        });
    }

    /// The store's keys, but for those of accounts, namespaces, the audit trail, the counters of all blobs, and those of
    /// open uploads, which stay for an account's life.
    pub(super) async fn keys(&self) -> Vec<Vec<u8>> {
        let from_repositories = b"rtest\0\x24".to_vec();
        let range = (std::ops::Bound::Included(from_repositories), std::ops::Bound::Unbounded);
        let rows = self.engine.scan(range, 10_000, kv::Direction::Forward).await.unwrap();
        let stays = |key: &[u8]| matches!(key[b"rtest\0".len()], 0x4b | 0x52 | 0x62);
        rows.into_iter().map(|(key, _)| key).filter(|key| !stays(key)).collect()
    }

    /// Lets a day pass, and the upkeep do all it can.
    pub(super) async fn tidy(&self) {
        let now = at(48);
        self.storage.expire_uploads(now, 1_000).await.unwrap();
        for now in [now, at(49), at(50)] {
            while self.storage.reap(&self.auth, now).await.unwrap().more {}
            self.storage.collect(now, 1_000).await.unwrap();
        }
        assert_eq!(self.storage.blob_totals().await.unwrap(), self.counted_blobs().await);
    }

    /// All blobs, counted one by one.
    pub(super) async fn counted_blobs(&self) -> BlobTotals {
        let (store, list) = (self.auth.store(), kv::Key::Blob { digest: &[] });
        let rows = store.list(list.siblings(store.region()), kv::SCAN_ENTRIES_MAX).await.unwrap();
        let size = |(_, entry): &(_, kv::Entry)| kv::decode::<BlobRecord>(list, entry).unwrap().value.size;
        BlobTotals { blobs: rows.len() as u64, bytes: rows.iter().map(size).sum() }
    }
}

pub(super) async fn read(storage: &Storage, permit: &Permit, digest: &Digest) -> Result<Vec<u8>, Error> {
    use futures::TryStreamExt;
    let blob = storage.open_blob(permit, digest, at(0)).await?;
    let chunks: Vec<Bytes> = blob.read(0..u64::MAX).try_collect().await?;
    Ok(chunks.concat())
}

fn count_files(folder: &Path) -> usize {
    let mut count = 0;
    for_each_file(folder, &mut |_| count += 1);
    count
}

fn for_each_file(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { for_each_file(&path, visit) } else { visit(&path) }
    }
}

/// All, or the tags that these match.
fn share_tags(tags: &[&str]) -> auth::ShareTags {
    if tags.is_empty() {
        return auth::ShareTags::All;
    }
    auth::ShareTags::Matching(auth::TagPatterns::parse(tags).unwrap())
}

pub(super) fn repository(name: &str) -> RepositoryName {
    RepositoryName::parse(name).unwrap()
}

pub(super) fn sha256(content: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, content)
}

/// `content` in chunks of an odd size.
pub(super) fn body(content: &[u8]) -> impl Stream<Item = Result<Bytes, BodyError>> + Send + 'static {
    let chunks: Vec<_> = content.chunks(60_001).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    stream::iter(chunks)
}

/// The same, and then the connection breaks.
pub(super) fn broken(content: &[u8]) -> impl Stream<Item = Result<Bytes, BodyError>> + Send + 'static {
    use futures::StreamExt;
    body(content).chain(stream::iter([Err(BodyError::new("connection reset"))]))
}

/// `length` bytes that do not repeat soon.
pub(super) fn content(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_be_bytes()[1]
    };
    std::iter::repeat_with(&mut next).take(length).collect()
}

/// An image manifest of a config and layers, each a digest with its size.
pub(super) fn image(config: (&Digest, usize), layers: &[(&Digest, usize)]) -> String {
    image_with(config, layers, "")
}

/// The same with more fields.
pub(super) fn image_with(config: (&Digest, usize), layers: &[(&Digest, usize)], more: &str) -> String {
    let layer = "application/vnd.oci.image.layer.v1.tar";
    let layers: Vec<String> = layers.iter().map(|(digest, size)| descriptor(layer, digest, *size)).collect();
    let config = descriptor("application/vnd.oci.image.config.v1+json", config.0, config.1);
    let layers = layers.join(",");
    format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE}","config":{config},"layers":[{layers}]{more}}}"#)
}

pub(super) fn index(children: &[(&Digest, usize)]) -> String {
    let children: Vec<String> =
        children.iter().map(|(digest, size)| descriptor(IMAGE, digest, *size)).collect();
    format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[{}]}}"#, children.join(","))
}

pub(super) fn descriptor(media_type: &str, digest: &Digest, size: usize) -> String {
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{size}}}"#)
}

pub(super) async fn offset(world: &World, permit: &Permit, upload: &Upload) -> u64 {
    world.storage.upload(permit, upload.id, at(0)).await.unwrap().offset
}

type BodyResult = Result<Bytes, BodyError>;

/// A body that comes as the test sends it.
pub(super) fn channel() -> (mpsc::Sender<BodyResult>, mpsc::Receiver<BodyResult>) {
    mpsc::channel(1)
}

/// All of a manifest that is small.
pub(super) fn whole(body: ManifestBody) -> Bytes {
    match body {
        ManifestBody::Whole(bytes) => bytes,
        ManifestBody::Large(large) => panic!("{} bytes are large", large.size()),
    }
}
