//! The filling: accounts one after the other, then repositories and tags many at a time, so that many commits share a
//! write, then shares, as many as one call makes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use auth::{
    AccountName, Auth, Description, Keys, NewShare, PasswordCost, Permit, Principal, PushAccess, Secret,
    ShareEnd, ShareTags,
};
use bytes::Bytes;
use frontend::Clock;
use gangplank::config::AdminPassword;
use gangplank::{Config, SystemClock};
use jiff::Timestamp;
use kv::Store;
use kv::rocksdb::{RocksDb, Settings};
use oci::{NamespaceName, Reference, RepositoryName, Tag};
use storage::files::Files;
use storage::{NewManifest, Storage};

use crate::plan::{MANY_TAGS, MEDIA_TYPE, OWNERS, Plan, manifest, owner, password, repository, tag};
use crate::say;

/// Pushes under way at once: many share one write of the metadata.
const PUSHES_AT_ONCE: u32 = 512;
/// The most that one call makes.
const SHARES_AT_ONCE: usize = 500;
const ADMIN: &str = "admin";

pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An open data folder.
#[derive(Clone)]
pub(crate) struct Filler {
    auth: Auth,
    storage: Storage,
    now: Timestamp,
}

impl Filler {
    /// Opens `folder` as a server leaves it.
    pub(crate) async fn open(folder: &Path) -> Result<Filler, Failure> {
        let clock = Arc::new(SystemClock);
        let now = clock.now();
        let mut config = Config::default();
        config.server.listen = "127.0.0.1:0".parse()?;
        config.storage.data = folder.to_owned();
        config.admin_password = AdminPassword { given: Some(Secret::new(password(ADMIN))), reset: false };
        let region = config.server.region.clone();
        let storage_settings = storage::Settings::default();
        gangplank::start(config, clock).await?.stop().await;

        let engine = RocksDb::open(&folder.join("metadata"), &Settings::default())?;
        let store = Store::open(Arc::new(engine), region).await?;
        // The passwords are known to everybody who reads this: their hashes need protect nothing.
        let cheap = PasswordCost { memory_kib: 8, passes: 1, lanes: 1 };
        let settings = auth::Settings { password_hash: cheap, ..auth::Settings::default() };
        let auth = Auth::new(store.clone(), Keys::open(&folder.join("keys"), now)?, settings);
        let files = Files::open(folder.join("blobs"))?;
        Ok(Filler { auth, storage: Storage::new(store, Arc::new(files), storage_settings), now })
    }

    /// Makes all that is planned.
    pub(crate) async fn fill(self, plan: Plan) -> Result<(), Failure> {
        say(&format!("filling: {}", plan.describe()));
        let owners = Arc::new(self.owners().await?);
        let every = plan.repositories_each * OWNERS;
        self.many(every, "repositories", {
            let owners = Arc::clone(&owners);
            move |filler, number| {
                let owners = Arc::clone(&owners);
                async move { filler.repository(&owners, number, plan).await }
            }
        })
        .await?;
        let many = Arc::new(self.may_push(&owners[0], MANY_TAGS).await?);
        self.many(plan.many_tags, "tags of one repository", move |filler, number| {
            let permit = Arc::clone(&many);
            async move { filler.push(&permit, MANY_TAGS, number).await }
        })
        .await?;
        for (number, principal) in (0..).zip(owners.iter()) {
            self.share(principal, number, plan).await?;
        }
        say("filled");
        Ok(())
    }

    async fn owners(&self) -> Result<Vec<Principal>, Failure> {
        let secret = |name: &str| Secret::new(password(name));
        let admin = self.auth.authenticate(ADMIN, &secret(ADMIN), None, self.now).await?;
        let mut owners = Vec::new();
        for name in (0..OWNERS).map(owner) {
            let secret = secret(&name);
            self.auth.create_account(&admin, &AccountName::parse(&name)?, &secret, self.now).await?;
            let principal = self.auth.authenticate(&name, &secret, None, self.now).await?;
            self.auth.create_namespace(&principal, &NamespaceName::parse(&name)?, self.now).await?;
            owners.push(principal);
        }
        Ok(owners)
    }

    /// Does `work` for each number below `count`, many at a time.
    async fn many<F>(
        &self,
        count: u32,
        what: &str,
        work: impl Fn(Filler, u32) -> F + Clone + Send + 'static,
    ) -> Result<(), Failure>
    where
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let next = Arc::new(AtomicU32::new(0));
        let workers = (0..PUSHES_AT_ONCE).map(|_| {
            let (filler, next, work, what) = (self.clone(), Arc::clone(&next), work.clone(), what.to_owned());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return Ok::<(), Failure>(());
                    }
                    if number > 0 && number.is_multiple_of(count.div_ceil(10)) {
                        say(&format!("{number} of {count} {what}"));
                    }
                    work(filler.clone(), number).await?;
                }
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await??;
        }
        Ok(())
    }

    /// The repository of this number over all owners, with its tags.
    async fn repository(&self, owners: &[Principal], number: u32, plan: Plan) -> Result<(), Failure> {
        let (of, number) = (number / plan.repositories_each, number % plan.repositories_each);
        let name = repository(of, number);
        let permit = self.may_push(&owners[of as usize], &name).await?;
        for tag in 0..plan.tags_each {
            self.push(&permit, &name, tag).await?;
        }
        Ok(())
    }

    async fn may_push(&self, owner: &Principal, name: &str) -> Result<Permit, Failure> {
        match self.auth.authorize_push(owner, &RepositoryName::parse(name)?, self.now).await? {
            PushAccess::Existing(permit) => Ok(permit),
            PushAccess::Vacant(vacancy) => Ok(self.auth.establish(vacancy, self.now).await?),
        }
    }

    async fn push(&self, permit: &Permit, name: &str, number: u32) -> Result<(), Failure> {
        let new = NewManifest {
            content_type: MEDIA_TYPE,
            body: Bytes::from(manifest(name, number)),
            reference: Reference::Tag(Tag::parse(&tag(number))?),
            tags: Vec::new(),
        };
        self.storage.put_manifest(permit, new, self.now).await?;
        Ok(())
    }

    /// Shares all of an owner's with the next one.
    async fn share(&self, principal: &Principal, of: u32, plan: Plan) -> Result<(), Failure> {
        let new = NewShare {
            grantee: AccountName::parse(&owner((of + 1) % OWNERS))?,
            end: ShareEnd::Permanent,
            tags: ShareTags::All,
            description: Description::default(),
            notice_before: None,
            region: None,
        };
        let names = (0..plan.repositories_each).map(|number| RepositoryName::parse(&repository(of, number)));
        let entries: Vec<_> =
            names.map(|name| Ok((name?, new.clone()))).collect::<Result<_, oci::NameError>>()?;
        for some in entries.chunks(SHARES_AT_ONCE) {
            self.auth.create_shares(principal, some, self.now).await?;
        }
        Ok(())
    }
}
