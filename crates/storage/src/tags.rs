//! Tags: names for manifests, in two orders (by name, by manifest) that change in one commit.

use auth::{Action, ContentScope, EventKind, Permit};
use jiff::Timestamp;
use kv::{Entry, Key, Usage, Versioned, decode};
use oci::{Digest, Tag};
use serde::{Deserialize, Serialize};

use crate::commit::{COUNT, alive, corrupt, life_key, require, retrying};
use crate::manifests::{ManifestRecord, manifest_key};
use crate::shared::{Changes, Content, Shown, TagMove, TagMoves, Turn, shared_tags_key};
use crate::usage::usage_of;
use crate::{Error, Storage};

/// `Key::Tag`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TagRecord {
    pub(crate) digest: Digest,
    pub(crate) updated_at: Timestamp,
}

/// Some entries of a list, in byte order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Whether others follow them.
    pub more: bool,
}

/// A tag with what it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagDetails {
    /// The tag.
    pub name: String,
    /// The manifest it names.
    pub digest: Digest,
    /// That manifest's media type.
    pub media_type: String,
    /// The bytes of that manifest and of the blobs it names itself, each once.
    pub size: u64,
    /// When the tag was last set.
    pub pushed_at: Timestamp,
}

/// The tag in the tail of a key.
pub(crate) fn read_tag(tail: &[u8]) -> Result<String, Error> {
    let tag =
        std::str::from_utf8(tail).map_err(|error| corrupt(format!("a tag that is no text: {error}")))?;
    Ok(tag.to_owned())
}

impl Storage {
    /// At most `limit` tags, those that come after `after`, which need not exist. For [`Action::Pull`].
    ///
    /// # Errors
    /// As the store.
    pub async fn tags(
        &self,
        permit: &Permit,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<String>, Error> {
        require(permit, &[Action::Pull])?;
        if let ContentScope::Tags(ids) = permit.scope() {
            return self.shown_tags(permit, ids, after.map(comparable), self.page_entries(limit)).await;
        }
        let page = self.tag_entries(permit, after, limit).await?;
        let items = page.items.into_iter().map(|(tag, _)| tag).collect();
        Ok(Page { items, more: page.more })
    }

    /// The same with what the tags name. For [`Action::Pull`].
    ///
    /// # Errors
    /// As the store.
    pub async fn tag_details(
        &self,
        permit: &Permit,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<TagDetails>, Error> {
        require(permit, &[Action::Pull])?;
        let page = self.tag_entries(permit, after, limit).await?;
        let mut tags = Vec::with_capacity(page.items.len());
        for (name, entry) in page.items {
            let key = Key::Tag { repository: permit.repository().raw(), tag: &name };
            let record: TagRecord = decode(key, &entry)?.value;
            tags.push((name, record));
        }
        let keys: Vec<_> =
            tags.iter().map(|(_, tag)| manifest_key(permit.repository(), &tag.digest)).collect();
        let manifests = self.store().get_many(&keys).await?;
        let mut items = Vec::with_capacity(tags.len());
        for ((key, manifest), (name, tag)) in keys.iter().zip(manifests).zip(&tags) {
            // One that was deleted a moment ago took the tag along.
            let Some(manifest) = manifest else { continue };
            let manifest: ManifestRecord = decode(*key, &manifest)?.value;
            items.push(details(name.clone(), tag.clone(), manifest));
        }
        Ok(Page { items, more: page.more })
    }

    /// One tag with what it names. For [`Action::Pull`].
    ///
    /// # Errors
    /// [`Error::ManifestUnknown`].
    pub async fn tag(&self, permit: &Permit, tag: &Tag) -> Result<TagDetails, Error> {
        require(permit, &[Action::Pull])?;
        retrying(|| async {
            let key = Key::Tag { repository: permit.repository().raw(), tag: tag.as_str() };
            let shown = self.shown(permit, Content::Tag(tag.as_str()), [key]).await?;
            let Some(Shown { entries: [Some(found)], .. }) = shown else {
                return Err(Error::ManifestUnknown);
            };
            let found: Versioned<TagRecord> = decode(key, &found)?;
            let key = manifest_key(permit.repository(), &found.value.digest);
            let manifest: Option<Versioned<ManifestRecord>> = self.store().get(key).await?;
            // Moved, and the manifest deleted, between the two reads.
            Ok(manifest.map(|manifest| details(tag.to_string(), found.value.clone(), manifest.value)))
        })
        .await
    }

    /// Removes a tag; the manifest stays. For [`Action::DeleteTag`] or [`Action::Delete`].
    ///
    /// # Errors
    /// [`Error::ManifestUnknown`].
    pub async fn delete_tag(&self, permit: &Permit, tag: &Tag, now: Timestamp) -> Result<(), Error> {
        require(permit, &[Action::DeleteTag, Action::Delete])?;
        let turn = Turn::default();
        retrying(|| self.try_delete_tag(permit, tag, now, &turn)).await
    }

    async fn try_delete_tag(
        &self,
        permit: &Permit,
        tag: &Tag,
        now: Timestamp,
        turn: &Turn,
    ) -> Result<Option<()>, Error> {
        let repository = permit.repository().raw();
        let (tag_key, patterns_key) =
            (Key::Tag { repository, tag: tag.as_str() }, shared_tags_key(permit.repository()));
        let keys = [life_key(permit.repository()), tag_key, patterns_key];
        let [life, found, patterns] = self.snapshot(keys).await?;
        if self.waited_for_turn(permit.repository(), patterns.as_ref(), turn).await {
            return Ok(None);
        }
        let life = alive(life.as_ref())?;
        let found: Versioned<TagRecord> = decode(keys[1], &found.ok_or(Error::ManifestUnknown)?)?;
        let digest = &found.value.digest;
        let mut deletion = self.store().transaction();
        deletion.expect(keys[0], Some(life)).expect(keys[1], Some(found.version)).delete(keys[1]);
        deletion.delete(Key::TagOf { repository, digest: digest.raw(), tag: tag.as_str() });
        deletion.add(usage_of(permit, Usage::Tags), -1, COUNT);
        let detail = format!("{tag} {digest}");
        self.record_event(&mut deletion, permit, EventKind::TagDeleted, detail, now)?;
        let moved = TagMove { tag: tag.to_string(), from: Some(digest.clone()), to: None };
        let changes = Changes { tags: TagMoves(vec![moved]), ..Changes::default() };
        let read = (life, patterns.as_ref());
        let counted = self.count_changes(permit.repository(), read, changes, &mut deletion).await?;
        let Some(()) = counted else { return Ok(None) };
        self.commit(deletion, ()).await
    }

    async fn tag_entries(
        &self,
        permit: &Permit,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<(String, Entry)>, Error> {
        let limit = self.page_entries(limit);
        if let ContentScope::Tags(ids) = permit.scope() {
            let page = self.shown_tags(permit, ids, after.map(comparable), limit).await?;
            let key_of = |tag| Key::Tag { repository: permit.repository().raw(), tag };
            let keys: Vec<_> = page.items.iter().map(|tag| key_of(tag)).collect();
            let entries = self.entries(&keys).await?;
            // One that was deleted a moment ago is none any more.
            let items = page.items.iter().cloned().zip(entries);
            let items = items.filter_map(|(tag, entry)| Some((tag, entry?))).collect();
            return Ok(Page { items, more: page.more });
        }
        if limit == 0 {
            return Ok(Page { items: Vec::new(), more: false });
        }
        let region = self.store().region();
        let list = Key::Tag { repository: permit.repository().raw(), tag: after.map_or("", comparable) };
        let range = if after.is_some() { list.siblings_after(region) } else { list.siblings(region) };
        let mut rows = self.store().list(range, limit + 1).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let mut items = Vec::with_capacity(rows.len());
        for (key, entry) in rows {
            items.push((read_tag(list.tail(region, &key)?)?, entry));
        }
        Ok(Page { items, more })
    }
}

/// As much of `text` as decides before which tags it comes: a key has a bound, what a client calls a tag has none.
fn comparable(text: &str) -> &str {
    &text[..text.floor_char_boundary(oci::TAG_BYTES_MAX + 4)]
}

fn details(name: String, tag: TagRecord, manifest: ManifestRecord) -> TagDetails {
    TagDetails {
        name,
        digest: tag.digest,
        media_type: manifest.media_type,
        size: manifest.size.saturating_add(manifest.content_size),
        pushed_at: tag.updated_at,
    }
}
