//! The whole layout of the metadata, in one place. Nothing else builds a key.
//!
//! ```text
//! g                                      what all regions share
//! ├── Schema                             the version of this layout
//! ├── Node(node)                         a process that serves: its name, since when
//! ├── AccountName(name)                  → account's id, or reserved until
//! ├── Account(account)
//! ├── UserName(account, name)            → user's id
//! ├── User(account, user)
//! ├── PersonalToken(account, user, token)
//! ├── PersonalTokenHash(hash)            → where the token's record lies
//! ├── UnknownNames(account)              how often it named accounts that do not exist
//! ├── AccessKey(access key)              whose it is; its secret half, sealed
//! ├── AccessKeyOf(account, user, access key)  the list of a holder's
//! ├── AccountProfile(account)            display name, time zone
//! └── DirectoryImport(region)            which state of that region's accounts was imported last
//! r region ␀                             what belongs to a region
//! ├── NamespaceName(name)                → namespace's id, or reserved until
//! ├── Namespace(namespace)               guard: expected by every creation in it
//! ├── NamespaceOf(account, name)         → namespace's id
//! ├── NamespaceRepositories(namespace)   counter; guard of the namespace's deletion
//! ├── RepositoryName(namespace, path)    → repository's id
//! ├── Repository(repository)             life record; guard: expected by every write and share in it
//! ├── RepositoryDetails(repository)      description, category: what guards nothing
//! ├── RepositoryUsage(account, which, repository)  counters: manifests, tags, bytes, last push
//! ├── FormerUsage(row)                   where older stores have those; moved at the first start
//! ├── Listed(name)                       → repository's id, once it holds a manifest
//! ├── PublicName(name)                   → repository's id, while it is public
//! ├── Permission(user, target)           → level; target is a namespace or a repository
//! ├── PermissionOn(target, user)         its reverse
//! ├── Share(share)
//! ├── ShareOf(repository, grantee)       → share's id: one share for a grantee
//! ├── SharedWith(grantee, share)         the list "with me"
//! ├── SharedName(grantee, name, share)   the same by the names of what is shared
//! ├── FormerSharedWith(row)              where older stores have the list "with me"; moved at the first start
//! ├── SharedBy(owner, share)             the list "by me"
//! ├── ShareGuard(repository)             written by every new share: the bound on their number
//! ├── ShareUsage(share, row)             counters: pulls, bytes by day, user, address and node
//! ├── ShareTotal(share, which)           the same over all of them
//! ├── ShareLastUse(share)                → when it was last used
//! ├── UsedOn(day, share)                 a share with usage of that day; of day 0, one to be looked at
//! ├── UsedOnKept                         whether those are kept; in older stores they are made at the first start
//! ├── FormerUsageTrimmed                 where an older version notes that it went through all usage
//! ├── FormerShare(repository, grantee)   → when a share was ended before its time
//! ├── ShareDue(time, share)              when notice of a share's end is due, and when it ends
//! ├── BlockedOwners(account)             from whom it takes no shares; expected by every share with it
//! ├── SharedTags(repository)             the patterns of tags in use; guard: written by every write of tags and manifests
//! ├── SharedContent(repository, pattern, digest)  how often what a pattern's tags reach is named
//! ├── SharedTag(repository, pattern, tag)         a tag that a pattern shows
//! ├── Blob(digest)                       state record: live or condemned, size, places
//! ├── Link(repository, digest)           a blob is reachable here; renewed at
//! ├── LinkOf(digest, repository)         its reverse, for collection
//! ├── OwnerLink(account, digest, repository)  its reverse by owner, for a mount without `from`
//! ├── Manifest(repository, digest)       media type, size, subject, when and by whom pushed
//! ├── ManifestBody(repository, digest)   the bytes as they were pushed
//! ├── Tag(repository, tag)               → digest
//! ├── TagOf(repository, digest, tag)     its reverse
//! ├── Reference(repository, target, source)   a manifest names a blob or a manifest
//! ├── References(repository, target)     counter of those; guard of a blob's deletion
//! ├── Referrer(repository, subject, digest)   → descriptor
//! ├── BlobTotal(which)                   counters: all blobs, and their bytes
//! ├── Upload(upload)                     session: offset, epoch, places, hash state
//! ├── UploadExpiry(time, upload)         sessions in the order in which they end
//! ├── UploadsOpen(account)               counter
//! ├── Candidate(time, digest)            blobs that may have lost their last link
//! ├── Reap(id)                           what was unhooked and is still to be emptied
//! ├── Event(account, time, event)        audit trail
//! ├── SpentSignature(time, hash)         guard: a signed request that changed something changes nothing again
//! ├── Notice(notice)                     outbox: what happened to a share, until it is queued for webhooks
//! ├── Webhook(account, webhook)          where an account wants to be told, and of what
//! ├── WebhookState(webhook)              how its receiver does, and when it is tried next
//! ├── WebhookPending(webhook)            counter of its Delivery rows: their bound
//! ├── Delivery(webhook, delivery)        a notice on its way to a webhook
//! └── Delivered(webhook, delivery)       what became of the last ones
//! ```
//!
//! Fields are encoded so that byte order is the order of the fields: ids and times as eight bytes, big-endian; a text
//! that is not the last field ends with a zero byte (names hold none); a digest, in its raw form, tells its own
//! length. A key is thus never the beginning of another of its kind.

use serde::{Deserialize, Serialize};

use crate::{Error, Range, UsageRow, Use};
use std::ops::Bound;
use std::sync::atomic::{AtomicU64, Ordering};

/// An immutable id: random, from 1 to 2⁵³ − 1, so that clients that parse numbers as floats keep it whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Id(u64);

impl Id {
    /// The least id. Marks the beginning of a list; never given to anything.
    pub const MIN: Id = Id(0);
    /// The greatest id. Marks the end of what shares the fields before it.
    pub const MAX: Id = Id((1 << 53) - 1);

    /// A new id from the system's random numbers.
    #[must_use]
    pub fn random() -> Id {
        Id(rand::random_range(1..1 << 53))
    }

    /// A new id that comes after every one that this process made so before, and after those of an earlier time: for
    /// queues. Two processes may make the same one in a millisecond, so whoever writes it expects nothing there.
    #[must_use]
    pub fn in_order(time_ms: u64) -> Id {
        static LAST: AtomicU64 = AtomicU64::new(0);
        // 42 bits of milliseconds last until 2109; the rest counts within one.
        let least = (time_ms << 11) % (1 << 53);
        let step = |last: u64| Some(least.max(last + 1) % (1 << 53));
        let last = LAST.fetch_update(Ordering::Relaxed, Ordering::Relaxed, step).unwrap_or_default();
        Id(least.max(last + 1) % (1 << 53))
    }

    /// The id that a client or a record named.
    #[must_use]
    pub fn new(raw: u64) -> Option<Id> {
        (raw < 1 << 53).then_some(Id(raw))
    }

    /// Its number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }

    /// The id in the tail of a key (see [`Key::tail`]).
    #[must_use]
    pub fn from_tail(tail: &[u8]) -> Option<Id> {
        Id::new(u64::from_be_bytes(tail.try_into().ok()?))
    }
}

impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A region's name: 1 to 32 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Region(std::sync::Arc<str>);

impl Region {
    /// Parses a region's name; `None` when it is not one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Region> {
        let fits = (1..=32).contains(&name.len());
        let clean = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        (fits && clean).then(|| Region(name.into()))
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Region {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a permission is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A namespace and all repositories in it.
    Namespace(Id),
    /// One repository.
    Repository(Id),
}

/// A counter of a repository, or another figure that is kept beside them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Usage {
    /// Manifests held.
    Manifests,
    /// Tags held.
    Tags,
    /// Bytes of the manifests and linked blobs, each digest once.
    Bytes,
    /// When something was last pushed: no counter, a time.
    LastPush,
}

/// A counter of all blobs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlobTotal {
    /// Blobs stored.
    Blobs,
    /// Their bytes, each blob once.
    Bytes,
}

impl Usage {
    /// All of them.
    pub const ALL: [Usage; 4] = [Usage::Manifests, Usage::Tags, Usage::Bytes, Usage::LastPush];

    /// What stands for it in a key.
    fn byte(self) -> u8 {
        match self {
            Usage::Manifests => 1,
            Usage::Tags => 2,
            Usage::Bytes => 3,
            Usage::LastPush => 4,
        }
    }

    /// A row of [`Key::FormerUsage`]: the repository's id, and which figure it is.
    #[must_use]
    pub fn of_former_row(row: &[u8]) -> Option<(Id, Usage)> {
        let (which, id) = row.split_last()?;
        let which = Usage::ALL.into_iter().find(|usage| usage.byte() == *which)?;
        Some((Id::from_tail(id)?, which))
    }
}

/// A key of the layout above. Digests are raw: a byte for the algorithm, then the hash, so that they tell their own
/// length. Times are milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is described in the tree above")]
pub enum Key<'a> {
    Schema,
    Node { node: Id },
    AccountName { name: &'a str },
    Account { account: Id },
    UserName { account: Id, name: &'a str },
    User { account: Id, user: Id },
    PersonalToken { account: Id, user: Id, token: Id },
    PersonalTokenHash { hash: &'a [u8; 32] },
    UnknownNames { account: Id },
    AccessKey { access_key: &'a str },
    AccessKeyOf { account: Id, user: Id, access_key: &'a str },
    DirectoryImport { region: &'a str },
    AccountProfile { account: Id },
    NamespaceName { name: &'a str },
    Namespace { namespace: Id },
    NamespaceOf { account: Id, name: &'a str },
    NamespaceRepositories { namespace: Id },
    RepositoryName { namespace: Id, path: &'a str },
    Repository { repository: Id },
    RepositoryDetails { repository: Id },
    RepositoryUsage { account: Id, which: Usage, repository: Id },
    FormerUsage { row: &'a [u8] },
    Listed { name: &'a str },
    PublicName { name: &'a str },
    Permission { user: Id, target: Target },
    PermissionOn { target: Target, user: Id },
    Share { share: Id },
    ShareOf { repository: Id, grantee: Id },
    SharedWith { grantee: Id, share: Id },
    SharedName { grantee: Id, name: &'a str, share: Id },
    FormerSharedWith { row: &'a [u8] },
    SharedBy { owner: Id, share: Id },
    ShareGuard { repository: Id },
    ShareUsage { share: Id, row: UsageRow },
    ShareTotal { share: Id, which: Use },
    ShareLastUse { share: Id },
    UsedOn { day: u32, share: Id },
    UsedOnKept,
    FormerUsageTrimmed,
    FormerShare { repository: Id, grantee: Id },
    ShareDue { time_ms: u64, share: Id },
    BlockedOwners { account: Id },
    SharedTags { repository: Id },
    SharedContent { repository: Id, pattern: Id, digest: &'a [u8] },
    SharedTag { repository: Id, pattern: Id, tag: &'a str },
    Blob { digest: &'a [u8] },
    Link { repository: Id, digest: &'a [u8] },
    LinkOf { digest: &'a [u8], repository: Id },
    OwnerLink { account: Id, digest: &'a [u8], repository: Id },
    Manifest { repository: Id, digest: &'a [u8] },
    ManifestBody { repository: Id, digest: &'a [u8] },
    Tag { repository: Id, tag: &'a str },
    TagOf { repository: Id, digest: &'a [u8], tag: &'a str },
    Reference { repository: Id, target: &'a [u8], source: &'a [u8] },
    References { repository: Id, target: &'a [u8] },
    Referrer { repository: Id, subject: &'a [u8], digest: &'a [u8] },
    BlobTotal { which: BlobTotal },
    Upload { upload: u128 },
    UploadExpiry { time_ms: u64, upload: u128 },
    UploadsOpen { account: Id },
    Candidate { time_ms: u64, digest: &'a [u8] },
    Reap { id: Id },
    Event { account: Id, time_ms: u64, event: Id },
    SpentSignature { time_ms: u64, hash: &'a [u8; 32] },
    Notice { notice: Id },
    Webhook { account: Id, webhook: Id },
    WebhookState { webhook: Id },
    WebhookPending { webhook: Id },
    Delivery { webhook: Id, delivery: Id },
    Delivered { webhook: Id, delivery: Id },
}

impl Key<'_> {
    /// The key's bytes in `region`; keys that all regions share are the same in each.
    #[must_use]
    pub fn encode(&self, region: &Region) -> Vec<u8> {
        self.parts(region).0
    }

    /// All keys that differ from this one in the last field alone: a list, in order of that field.
    #[must_use]
    pub fn siblings(&self, region: &Region) -> Range {
        let (mut key, last) = self.parts(region);
        key.truncate(last);
        let end = successor(&key);
        (Bound::Included(key), end)
    }

    /// The siblings that come after this key: the next page of the list.
    #[must_use]
    pub fn siblings_after(&self, region: &Region) -> Range {
        let (key, last) = self.parts(region);
        let end = successor(&key[..last]);
        (Bound::Excluded(key), end)
    }

    /// All keys that begin as this one: for a text as the last field, the names with that prefix.
    #[must_use]
    pub fn beginning(&self, region: &Region) -> Range {
        let key = self.encode(region);
        let end = successor(&key);
        (Bound::Included(key), end)
    }

    /// The last field's bytes in `encoded`, a sibling of this key.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when it is no sibling.
    pub fn tail<'k>(&self, region: &Region, encoded: &'k [u8]) -> Result<&'k [u8], Error> {
        let (key, last) = self.parts(region);
        encoded
            .strip_prefix(&key[..last])
            .ok_or_else(|| Error::Corrupt { what: format!("a key outside the list of {self:?}") })
    }

    /// The encoded key, and where its last field begins.
    fn parts(&self, region: &Region) -> (Vec<u8>, usize) {
        let mut key = Vec::with_capacity(KEY_BYTES_USUAL);
        let last = self.write(region, &mut key);
        (key, last)
    }

    /// Writes the key to the end of `into`; answers where its last field begins there.
    #[expect(clippy::too_many_lines, reason = "a line for each kind of key, as in the tree above")]
    pub(crate) fn write(&self, region: &Region, into: &mut Vec<u8>) -> usize {
        let key = Writer(into);
        match *self {
            Key::Schema => key.global(0x01).end(),
            Key::Node { node } => key.global(0x02).last_id(node),
            Key::AccountName { name } => key.global(0x10).last(name.as_bytes()),
            Key::Account { account } => key.global(0x11).last_id(account),
            Key::UserName { account, name } => key.global(0x12).id(account).last(name.as_bytes()),
            Key::User { account, user } => key.global(0x13).id(account).last_id(user),
            Key::PersonalToken { account, user, token } => {
                key.global(0x14).id(account).id(user).last_id(token)
            }
            Key::PersonalTokenHash { hash } => key.global(0x15).last(hash),
            Key::UnknownNames { account } => key.global(0x16).last_id(account),
            Key::AccessKey { access_key } => key.global(0x17).last(access_key.as_bytes()),
            Key::AccessKeyOf { account, user, access_key } => {
                key.global(0x18).id(account).id(user).last(access_key.as_bytes())
            }
            Key::DirectoryImport { region } => key.global(0x19).last(region.as_bytes()),
            Key::AccountProfile { account } => key.global(0x1a).last_id(account),
            Key::NamespaceName { name } => key.regional(region, 0x20).last(name.as_bytes()),
            Key::Namespace { namespace } => key.regional(region, 0x21).last_id(namespace),
            Key::NamespaceOf { account, name } => {
                key.regional(region, 0x22).id(account).last(name.as_bytes())
            }
            Key::NamespaceRepositories { namespace } => key.regional(region, 0x23).last_id(namespace),
            Key::RepositoryName { namespace, path } => {
                key.regional(region, 0x24).id(namespace).last(path.as_bytes())
            }
            Key::Repository { repository } => key.regional(region, 0x25).last_id(repository),
            Key::RepositoryDetails { repository } => key.regional(region, 0x26).last_id(repository),
            Key::RepositoryUsage { account, which, repository } => {
                key.regional(region, 0x2a).id(account).raw(&[which.byte()]).last_id(repository)
            }
            Key::FormerUsage { row } => key.regional(region, 0x27).last(row),
            Key::Listed { name } => key.regional(region, 0x28).last(name.as_bytes()),
            Key::PublicName { name } => key.regional(region, 0x29).last(name.as_bytes()),
            Key::Permission { user, target } => {
                key.regional(region, 0x30).id(user).last(&target_bytes(target))
            }
            Key::PermissionOn { target, user } => {
                key.regional(region, 0x31).raw(&target_bytes(target)).last_id(user)
            }
            Key::Share { share } => key.regional(region, 0x32).last_id(share),
            Key::ShareOf { repository, grantee } => {
                key.regional(region, 0x33).id(repository).last_id(grantee)
            }
            Key::SharedWith { grantee, share } => key.regional(region, 0x2b).id(grantee).last_id(share),
            Key::SharedName { grantee, name, share } => {
                key.regional(region, 0x2c).id(grantee).last(&named(name, share))
            }
            Key::FormerSharedWith { row } => key.regional(region, 0x34).last(row),
            Key::SharedBy { owner, share } => key.regional(region, 0x35).id(owner).last_id(share),
            Key::ShareGuard { repository } => key.regional(region, 0x36).last_id(repository),
            Key::ShareUsage { share, row } => key.regional(region, 0x3c).id(share).last(&row.to_bytes()),
            Key::ShareTotal { share, which } => key.regional(region, 0x3d).id(share).last(&[which.byte()]),
            Key::ShareLastUse { share } => key.regional(region, 0x3e).last_id(share),
            Key::UsedOn { day, share } => {
                let (day, share) = (day.to_be_bytes(), share.get().to_be_bytes());
                key.regional(region, 0x2e).last(&[day.as_slice(), &share].concat())
            }
            Key::FormerUsageTrimmed => key.regional(region, 0x2d).end(),
            Key::UsedOnKept => key.regional(region, 0x2f).end(),
            Key::FormerShare { repository, grantee } => {
                key.regional(region, 0x3f).id(repository).last_id(grantee)
            }
            Key::ShareDue { time_ms, share } => {
                key.regional(region, 0x38).last(&[time_ms.to_be_bytes(), share.get().to_be_bytes()].concat())
            }
            Key::BlockedOwners { account } => key.regional(region, 0x37).last_id(account),
            Key::SharedTags { repository } => key.regional(region, 0x39).last_id(repository),
            Key::SharedContent { repository, pattern, digest } => {
                key.regional(region, 0x3a).id(repository).id(pattern).last(digest)
            }
            Key::SharedTag { repository, pattern, tag } => {
                key.regional(region, 0x3b).id(repository).id(pattern).last(tag.as_bytes())
            }
            Key::Blob { digest } => key.regional(region, 0x40).last(digest),
            Key::Link { repository, digest } => key.regional(region, 0x41).id(repository).last(digest),
            Key::LinkOf { digest, repository } => key.regional(region, 0x42).raw(digest).last_id(repository),
            Key::OwnerLink { account, digest, repository } => {
                key.regional(region, 0x43).id(account).raw(digest).last_id(repository)
            }
            Key::Manifest { repository, digest } => key.regional(region, 0x44).id(repository).last(digest),
            Key::ManifestBody { repository, digest } => {
                key.regional(region, 0x45).id(repository).last(digest)
            }
            Key::Tag { repository, tag } => key.regional(region, 0x46).id(repository).last(tag.as_bytes()),
            Key::TagOf { repository, digest, tag } => {
                key.regional(region, 0x47).id(repository).raw(digest).last(tag.as_bytes())
            }
            Key::Reference { repository, target, source } => {
                key.regional(region, 0x48).id(repository).raw(target).last(source)
            }
            Key::References { repository, target } => key.regional(region, 0x49).id(repository).last(target),
            Key::Referrer { repository, subject, digest } => {
                key.regional(region, 0x4a).id(repository).raw(subject).last(digest)
            }
            Key::BlobTotal { which } => key.regional(region, 0x4b).last(&[match which {
                BlobTotal::Blobs => 1,
                BlobTotal::Bytes => 2,
            }]),
            Key::Upload { upload } => key.regional(region, 0x50).last(&upload.to_be_bytes()),
            Key::UploadExpiry { time_ms, upload } => key
                .regional(region, 0x51)
                .last(&[time_ms.to_be_bytes().as_slice(), &upload.to_be_bytes()].concat()),
            Key::UploadsOpen { account } => key.regional(region, 0x52).last_id(account),
            Key::Candidate { time_ms, digest } => {
                key.regional(region, 0x60).last(&[&time_ms.to_be_bytes(), digest].concat())
            }
            Key::Reap { id } => key.regional(region, 0x61).last_id(id),
            Key::Event { account, time_ms, event } => key
                .regional(region, 0x62)
                .id(account)
                .last(&[time_ms.to_be_bytes(), event.get().to_be_bytes()].concat()),
            Key::SpentSignature { time_ms, hash } => {
                key.regional(region, 0x64).last(&[time_ms.to_be_bytes().as_slice(), hash].concat())
            }
            Key::Notice { notice } => key.regional(region, 0x70).last_id(notice),
            Key::Webhook { account, webhook } => key.regional(region, 0x71).id(account).last_id(webhook),
            Key::WebhookState { webhook } => key.regional(region, 0x72).last_id(webhook),
            Key::WebhookPending { webhook } => key.regional(region, 0x73).last_id(webhook),
            Key::Delivery { webhook, delivery } => key.regional(region, 0x74).id(webhook).last_id(delivery),
            Key::Delivered { webhook, delivery } => key.regional(region, 0x75).id(webhook).last_id(delivery),
        }
    }
}

/// A name, and an id beneath it.
fn named(name: &str, id: Id) -> Vec<u8> {
    [name.as_bytes(), &[0], &id.get().to_be_bytes()].concat()
}

impl Id {
    /// The name and the id in the tail of a [`Key::SharedName`].
    #[must_use]
    pub fn named_of_tail(tail: &[u8]) -> Option<(&str, Id)> {
        let (name, id) = tail.split_last_chunk::<8>()?;
        Some((std::str::from_utf8(name.strip_suffix(&[0])?).ok()?, Id::from_tail(id)?))
    }
}

fn target_bytes(target: Target) -> [u8; 9] {
    let (kind, id) = match target {
        Target::Namespace(id) => (b'n', id),
        Target::Repository(id) => (b'r', id),
    };
    let mut bytes = [kind; 9];
    bytes[1..].copy_from_slice(&id.get().to_be_bytes());
    bytes
}

impl Target {
    /// The target in the tail of a [`Key::Permission`].
    #[must_use]
    pub fn from_tail(tail: &[u8]) -> Option<Target> {
        let (kind, id) = tail.split_first()?;
        let id = Id::from_tail(id)?;
        match kind {
            b'n' => Some(Target::Namespace(id)),
            b'r' => Some(Target::Repository(id)),
            _ => None,
        }
    }
}

/// The least key that is greater than every key beginning with `prefix`.
fn successor(prefix: &[u8]) -> Bound<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Bound::Excluded(end);
        }
    }
    Bound::Unbounded
}

/// What most keys have room in.
pub(crate) const KEY_BYTES_USUAL: usize = 64;

/// Writes a key to the end of a buffer.
struct Writer<'a>(&'a mut Vec<u8>);

impl<'a> Writer<'a> {
    fn global(self, table: u8) -> Writer<'a> {
        self.raw(&[b'g', table])
    }

    fn regional(self, region: &Region, table: u8) -> Writer<'a> {
        self.raw(b"r").raw(region.as_str().as_bytes()).raw(&[0, table])
    }

    fn id(self, id: Id) -> Writer<'a> {
        self.raw(&id.get().to_be_bytes())
    }

    fn raw(self, bytes: &[u8]) -> Writer<'a> {
        self.0.extend_from_slice(bytes);
        self
    }

    fn last_id(self, id: Id) -> usize {
        self.last(&id.get().to_be_bytes())
    }

    /// Where it begins.
    fn last(self, bytes: &[u8]) -> usize {
        let last = self.0.len();
        self.0.extend_from_slice(bytes);
        last
    }

    fn end(self) -> usize {
        self.last(&[])
    }
}

#[cfg(test)]
mod tests;
