//! What a permit shows: of everything that is read for somebody, only what a share that is narrowed to tags reaches.
//! What it does not show is answered as what is not there.

use std::collections::BTreeSet;

use auth::{ContentScope, PatternId, PatternIds, Permit};
use kv::{Entry, Id, Key, Transaction, Version, decode};
use oci::Digest;

use super::MemberRecord;
use crate::commit::corrupt;
use crate::tags::{Page, read_tag};
use crate::{Error, Storage};

/// Something of a repository that may be shown or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content<'a> {
    /// A manifest.
    Manifest(&'a Digest),
    /// A blob.
    Blob(&'a Digest),
    /// A tag.
    Tag(&'a str),
}

/// Entries that were read together with why they may be shown.
pub(crate) struct Shown<const N: usize> {
    pub(crate) entries: [Option<Entry>; N],
    /// The pattern that shows them, and the version of what says so; `None`: all is shown.
    by: Option<(PatternId, Version)>,
}

impl<'a> Content<'a> {
    /// What says that it is shown by `pattern`.
    fn key(self, permit: &Permit, pattern: Id) -> Key<'a> {
        let repository = permit.repository().raw();
        match self {
            Content::Manifest(digest) | Content::Blob(digest) => {
                Key::SharedContent { repository, pattern, digest: digest.raw() }
            }
            Content::Tag(tag) => Key::SharedTag { repository, pattern, tag },
        }
    }

    fn is_shown(self, key: Key<'_>, entry: &Entry) -> Result<bool, Error> {
        Ok(match self {
            Content::Manifest(_) => decode::<MemberRecord>(key, entry)?.value.is_manifest(),
            Content::Blob(_) => decode::<MemberRecord>(key, entry)?.value.blobs > 0,
            Content::Tag(_) => true,
        })
    }
}

impl<const N: usize> Shown<N> {
    /// Lets `transaction`, which rests on `content` being shown, find that as it was read.
    pub(crate) fn expect(&self, transaction: &mut Transaction, permit: &Permit, content: Content<'_>) {
        if let Some((pattern, version)) = self.by {
            transaction.expect(content.key(permit, pattern.raw()), Some(version));
        }
    }
}

impl Storage {
    /// The entries at `keys`, which tell of `content`, and whether `permit` shows it, from one snapshot; `None`: it does
    /// not.
    pub(crate) async fn shown<const N: usize>(
        &self,
        permit: &Permit,
        content: Content<'_>,
        keys: [Key<'_>; N],
    ) -> Result<Option<Shown<N>>, Error> {
        let ids: Vec<PatternId> = match permit.scope() {
            ContentScope::All => return Ok(Some(Shown { entries: self.snapshot(keys).await?, by: None })),
            ContentScope::Tags(ids) => ids.iter().collect(),
        };
        let shown_by: Vec<_> = ids.iter().map(|id| content.key(permit, id.raw())).collect();
        let wanted: Vec<_> = keys.iter().chain(&shown_by).copied().collect();
        let mut entries = self.store().get_many(&wanted).await?;
        let views = entries.split_off(N.min(entries.len()));
        for ((id, key), entry) in ids.into_iter().zip(shown_by).zip(views) {
            let Some(entry) = entry else { continue };
            if content.is_shown(key, &entry)? {
                let entries = entries.try_into();
                let entries = entries.map_err(|_| corrupt("as many entries as keys were asked for"))?;
                return Ok(Some(Shown { entries, by: Some((id, entry.version)) }));
            }
        }
        Ok(None)
    }

    /// Whether `permit` still shows `content`: asked while its bytes are sent.
    ///
    /// # Errors
    /// As the store.
    pub async fn still_shows(&self, permit: &Permit, content: Content<'_>) -> Result<bool, Error> {
        let all = *permit.scope() == ContentScope::All;
        Ok(all || self.shown(permit, content, []).await?.is_some())
    }

    /// Whether what refers to `subject` is shown.
    pub(crate) async fn shows_referrers(&self, permit: &Permit, subject: &Digest) -> Result<bool, Error> {
        let ContentScope::Tags(ids) = permit.scope() else { return Ok(true) };
        let keys: Vec<_> = ids.iter().map(|id| Content::Manifest(subject).key(permit, id.raw())).collect();
        for (key, entry) in keys.iter().zip(self.store().get_many(&keys).await?) {
            if let Some(entry) = entry
                && decode::<MemberRecord>(*key, &entry)?.value.is_followed()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// At most `limit` of the tags that these patterns show, those that come after `after`.
    pub(crate) async fn shown_tags(
        &self,
        permit: &Permit,
        ids: &PatternIds,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<String>, Error> {
        let (repository, region) = (permit.repository().raw(), self.store().region());
        if limit == 0 {
            return Ok(Page { items: Vec::new(), more: false });
        }
        let mut tags = BTreeSet::new();
        for id in ids.iter() {
            let list = Key::SharedTag { repository, pattern: id.raw(), tag: after.unwrap_or_default() };
            let range = if after.is_some() { list.siblings_after(region) } else { list.siblings(region) };
            for (key, _) in self.store().list(range, limit + 1).await? {
                tags.insert(read_tag(list.tail(region, &key)?)?);
            }
        }
        let more = tags.len() > limit;
        Ok(Page { items: tags.into_iter().take(limit).collect(), more })
    }
}
