//! Links: by which a blob is reachable in a repository, and by nothing else.
//!
//! A link stands in three orders (by repository, by digest, by owner and digest), always all three in one commit, and
//! carries what they need, so that it can be taken down when its repository's life record is gone.

use std::time::Duration;

use auth::{AccountId, RepositoryId};
use jiff::Timestamp;
use kv::{Key, Transaction, Usage, Versioned};
use oci::Digest;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::commit::{COUNT, delta, time_ms};
use crate::usage::usage_key;

/// `Key::Link`. Guard: the commit of a manifest expects the versions of the links it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LinkRecord {
    /// The blob's size in bytes, so that a look at it reads nothing else.
    pub(crate) size: u64,
    /// The account that owned the repository when the link was made: where its entry by owner lies.
    pub(crate) owner: AccountId,
    pub(crate) linked_at: Timestamp,
    /// A link without a manifest is kept for a grace period from here on.
    pub(crate) renewed_at: Timestamp,
}

impl LinkRecord {
    /// Whether half of the grace is gone: time to renew it, and not more often than that.
    pub(crate) fn needs_renewal(&self, grace: Duration, now: Timestamp) -> bool {
        Duration::try_from(now.duration_since(self.renewed_at)).is_ok_and(|age| age > grace / 2)
    }
}

/// Where a link lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkAt<'a> {
    pub(crate) repository: RepositoryId,
    pub(crate) digest: &'a Digest,
}

impl<'a> LinkAt<'a> {
    pub(crate) fn key(self) -> Key<'a> {
        Key::Link { repository: self.repository.raw(), digest: self.digest.raw() }
    }

    /// The same by digest, and by owner and digest.
    fn reverse_keys(self, owner: AccountId) -> [Key<'a>; 2] {
        let (repository, digest) = (self.repository.raw(), self.digest.raw());
        [Key::LinkOf { digest, repository }, Key::OwnerLink { account: owner.raw(), digest, repository }]
    }

    fn bytes_key(self, owner: AccountId) -> Key<'static> {
        usage_key(owner, self.repository, Usage::Bytes)
    }

    /// Makes the link, or renews the one that was `found` if it needs it.
    pub(crate) fn make(
        self,
        transaction: &mut Transaction,
        found: Option<&Versioned<LinkRecord>>,
        new: LinkRecord,
        grace: Duration,
    ) -> Result<(), Error> {
        transaction.expect(self.key(), found.map(|link| link.version));
        match found {
            Some(link) if link.value.needs_renewal(grace, new.renewed_at) => {
                self.renew(transaction, &link.value, new.renewed_at)?;
            }
            Some(_) => {}
            None => {
                transaction.put(self.key(), &new)?;
                for key in self.reverse_keys(new.owner) {
                    transaction.put(key, &())?;
                }
                transaction.add(self.bytes_key(new.owner), delta(new.size), COUNT);
            }
        }
        Ok(())
    }

    /// Starts the grace period anew.
    pub(crate) fn renew(
        self,
        transaction: &mut Transaction,
        link: &LinkRecord,
        now: Timestamp,
    ) -> Result<(), Error> {
        transaction.put(self.key(), &LinkRecord { renewed_at: now, ..link.clone() })?;
        Ok(())
    }

    /// Takes the link down, and makes its blob a candidate for collection.
    pub(crate) fn remove(
        self,
        transaction: &mut Transaction,
        link: &LinkRecord,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.remove_uncounted(transaction, link, now)?;
        transaction.add(self.bytes_key(link.owner), -delta(link.size), COUNT);
        Ok(())
    }

    /// The same in a repository that is being emptied, whose counters nobody reads any more.
    pub(crate) fn remove_uncounted(
        self,
        transaction: &mut Transaction,
        link: &LinkRecord,
        now: Timestamp,
    ) -> Result<(), Error> {
        transaction.delete(self.key());
        for key in self.reverse_keys(link.owner) {
            transaction.delete(key);
        }
        transaction.put(Key::Candidate { time_ms: time_ms(now), digest: self.digest.raw() }, &())?;
        Ok(())
    }
}
