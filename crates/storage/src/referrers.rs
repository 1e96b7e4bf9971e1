//! Referrers: the manifests of a repository that name another one as their subject ("Listing Referrers").
//!
//! Each stands in its subject's list as a descriptor, from its own push to its own deletion, whether the subject exists
//! or not.

use auth::{Action, Permit};
use kv::{Key, decode};
use oci::{Descriptor, Digest};

use crate::commit::{corrupt, require};
use crate::{Error, Storage};

/// How many entries are read at once: each may hold as many annotations as fit a manifest.
const SCAN_ENTRIES: usize = 16;

/// How many bytes of entries a page may hold before it ends. It always holds one.
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
        let (mut seen, mut bytes, mut last) = (0, 0, after.cloned());
        // Bounded by what is looked at, not by what is found: a filter that nothing passes must come to an end, too.
        while seen < self.page_entries(usize::MAX) && limit > 0 {
            let rows = self.referrers_after(permit, subject, last.as_ref()).await?;
            let is_end = rows.len() < SCAN_ENTRIES;
            for (digest, descriptor, size) in rows {
                if page.descriptors.len() == limit || (bytes > 0 && bytes + size > PAGE_BYTES_MAX) {
                    page.next = last;
                    return Ok(page);
                }
                (seen, last) = (seen + 1, Some(digest));
                if artifact_type.is_none_or(|wanted| descriptor.artifact_type.as_deref() == Some(wanted)) {
                    bytes += size;
                    page.descriptors.push(descriptor);
                }
            }
            if is_end {
                return Ok(page);
            }
        }
        page.next = if limit > 0 { last } else { None };
        Ok(page)
    }

    async fn referrers_after(
        &self,
        permit: &Permit,
        subject: &Digest,
        after: Option<&Digest>,
    ) -> Result<Vec<(Digest, Descriptor, usize)>, Error> {
        let (repository, subject) = (permit.repository().raw(), subject.raw());
        let region = self.store().region();
        let list = Key::Referrer { repository, subject, digest: after.map_or(&[], |after| after.raw()) };
        let range = if after.is_some() { list.siblings_after(region) } else { list.siblings(region) };
        let rows = self.store().list(range, SCAN_ENTRIES).await?;
        rows.iter()
            .map(|(key, entry)| {
                let digest = Digest::from_raw(list.tail(region, key)?);
                let digest = digest.ok_or_else(|| corrupt("a referrer without a digest"))?;
                let descriptor: Descriptor = decode(list, entry)?.value;
                Ok((digest, descriptor, entry.value.len()))
            })
            .collect()
    }
}
