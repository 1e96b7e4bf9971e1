//! Referrers: the manifests of a repository that name another one as their subject ("Listing Referrers").
//!
//! Each stands in its subject's list as a descriptor, from its own push to its own deletion, whether the subject exists
//! or not.

use auth::{Action, Permit};
use kv::{Entry, Key, decode};
use oci::{Descriptor, Digest};

use crate::commit::{corrupt, require};
use crate::{Error, Storage};

/// How many bytes of entries are looked at for a page before it ends: each may hold as many annotations as fit a
/// manifest. One is always looked at.
const PAGE_BYTES_MAX: usize = 4 << 20;

/// Some of a subject's referrers, in the order of their digests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Referrers {
    /// Their descriptors, with artifact type and annotations. Fewer than asked for, or none, when the rest is on the
    /// next page.
    pub descriptors: Vec<Descriptor>,
    /// What to give as `after` for the next page; `None` on the last one.
    pub next: Option<Digest>,
}

impl Storage {
    /// At most `limit` referrers of `subject` that come after `after`: those of `artifact_type`, or all. For
    /// [`Action::Pull`].
    ///
    /// # Errors
    /// As the store.
    pub async fn referrers(
        &self,
        permit: &Permit,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<&Digest>,
        limit: usize,
    ) -> Result<Referrers, Error> {
        require(permit, &[Action::Pull])?;
        let limit = self.page_entries(limit);
        let mut page = Referrers::default();
        // All of them are shown, or none: so no name of a hidden one stands at the end of a page.
        if limit == 0 || !self.shows_referrers(permit, subject).await? {
            return Ok(page);
        }
        let (mut seen, mut bytes, mut last) = (0, 0, after.cloned());
        // Bounded by what is looked at, not by what is found: a filter that nothing passes must come to an end, too.
        while let Some((digest, entry)) = self.referrer_after(permit, subject, last.as_ref()).await? {
            bytes += entry.value.len();
            let is_full = page.descriptors.len() == limit || seen == self.page_entries(usize::MAX);
            if is_full || (seen > 0 && bytes > PAGE_BYTES_MAX) {
                page.next = last;
                return Ok(page);
            }
            let descriptor: Descriptor = decode(key(permit, subject, digest.raw()), &entry)?.value;
            (seen, last) = (seen + 1, Some(digest));
            if artifact_type.is_none_or(|wanted| descriptor.artifact_type.as_deref() == Some(wanted)) {
                page.descriptors.push(descriptor);
            }
        }
        Ok(page)
    }

    /// One at a time: how large the next ones are is seen when they are in memory, and a few of the greatest are more
    /// than a page.
    async fn referrer_after(
        &self,
        permit: &Permit,
        subject: &Digest,
        after: Option<&Digest>,
    ) -> Result<Option<(Digest, Entry)>, Error> {
        let region = self.store().region();
        let list = key(permit, subject, after.map_or(&[], |after| after.raw()));
        let range = if after.is_some() { list.siblings_after(region) } else { list.siblings(region) };
        let Some((key, entry)) = self.store().list(range, 1).await?.pop() else { return Ok(None) };
        let digest = Digest::from_raw(list.tail(region, &key)?);
        Ok(Some((digest.ok_or_else(|| corrupt("a referrer without a digest"))?, entry)))
    }
}

fn key<'a>(permit: &Permit, subject: &'a Digest, digest: &'a [u8]) -> Key<'a> {
    Key::Referrer { repository: permit.repository().raw(), subject: subject.raw(), digest }
}
