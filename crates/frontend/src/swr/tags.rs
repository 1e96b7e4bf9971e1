//! An image's tags, with what they name.

use auth::{Action, Permit};
use http::StatusCode;
use jiff::Timestamp;
use oci::{Algorithm, Digest, Reference, RepositoryName, Tag};
use serde::{Deserialize, Serialize};
use storage::{ManifestBody, TagCopy, TagDetails};

use super::answers::{self, Answer};
use super::errors::{Code, SwrError};
use super::query::{Offset, Order, Parameters};
use super::router::{self, Paged};
use super::{Caller, ROWS_MAX};

/// How many are read at once.
const ROWS_AT_ONCE: usize = 1_000;
/// The bytes of manifests that one answer repeats; those after that are left empty.
const MANIFESTS_BYTES_MAX: usize = 4 << 20;

/// A tag. Those of a list by offset say how they are called in a field `Tag`, all others in `tag`.
#[derive(Serialize)]
struct Item {
    id: u64,
    repo_id: u64,
    #[serde(rename = "Tag", skip_serializing_if = "Option::is_none")]
    capital_tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    image_id: String,
    manifest: String,
    digest: String,
    schema: u8,
    path: String,
    internal_path: String,
    size: u64,
    is_trusted: bool,
    created: Timestamp,
    updated: Timestamp,
    /// Always null: what was deleted is not listed.
    deleted: (),
    domain_id: String,
    scanned: bool,
    /// 0: a manifest; 1: an index of several.
    tag_type: u8,
}

#[derive(Serialize)]
struct Page {
    tags: Vec<Item>,
    #[serde(rename = "nextMarker", skip_serializing_if = "Option::is_none")]
    next_marker: Option<String>,
    has_more: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Copied {
    source_tag: String,
    destination_tag: String,
    #[serde(default, rename = "override")]
    overwrite: bool,
}

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    UpdatedAt,
    Tag,
}

const COLUMNS: &[(&str, Column)] = &[("updated_at", Column::UpdatedAt), ("tag", Column::Tag)];

/// `GET …/tags`, to whoever may pull the image: those that it may pull.
pub(super) async fn list(caller: &Caller<'_>, image: &RepositoryName, paged: Paged) -> Answer {
    let permit = caller.permit(image, Action::Pull).await?;
    let rows = Rows { caller, permit };
    match paged {
        Paged::ByOffset => by_offset(&rows).await,
        Paged::ByMarker => by_marker(&rows).await,
    }
}

async fn by_offset(rows: &Rows<'_>) -> Answer {
    let known = ["limit", "offset", "order_column", "order_type", "tag", "filter"];
    let query = rows.caller.parameters(&known)?;
    let page = Offset::parse(&query)?;
    let (found, range) = page.page(rows.wanted(&query).await?);
    let mut room = MANIFESTS_BYTES_MAX;
    let mut items = Vec::with_capacity(found.len());
    for tag in found {
        let mut item = rows.item(tag, Some(&mut room)).await?;
        item.capital_tag = item.tag.take();
        items.push(item);
    }
    answers::range(&items, &range)
}

async fn by_marker(rows: &Rows<'_>) -> Answer {
    let known = ["limit", "marker", "order_column", "order_type", "tag", "with_manifest"];
    let query = rows.caller.parameters(&known)?;
    let (limit, with_manifest) = (query.limit()?, query.boolean("with_manifest")?.unwrap_or(false));
    let mut found = rows.wanted(&query).await?;
    if let Some(marker) = query.get("marker") {
        let at = found.iter().position(|tag| tag.name == marker).ok_or_else(|| {
            let message = "the tag of the marker is not in this list any more; begin again";
            SwrError::new(Code::Parameter, message).about("marker")
        })?;
        found.drain(..=at);
    }
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next_marker = found.last().filter(|_| has_more).map(|last| last.name.clone());
    let mut room = MANIFESTS_BYTES_MAX;
    let mut tags = Vec::with_capacity(found.len());
    for tag in found {
        tags.push(rows.item(tag, with_manifest.then_some(&mut room)).await?);
    }
    answers::json(StatusCode::OK, &Page { tags, next_marker, has_more })
}

/// `GET …/tags/{tag}`.
pub(super) async fn show(caller: &Caller<'_>, image: &RepositoryName, tag: &Tag) -> Answer {
    let permit = caller.permit(image, Action::Pull).await?;
    let found = caller.app.storage.tag(&permit, tag).await?;
    let mut room = MANIFESTS_BYTES_MAX;
    let item = Rows { caller, permit }.item(found, Some(&mut room)).await?;
    answers::json(StatusCode::OK, &item)
}

/// `DELETE …/tags/{tag}`: the tag goes, its manifest stays.
pub(super) async fn delete(caller: &Caller<'_>, image: &RepositoryName, tag: &Tag) -> Answer {
    let permit = caller.permit(image, Action::DeleteTag).await?;
    caller.app.storage.delete_tag(&permit, tag, caller.now).await?;
    Ok(answers::no_content())
}

/// `POST …/tags`: one more tag for what a tag names.
pub(super) async fn copy(caller: &Caller<'_>, image: &RepositoryName) -> Answer {
    let wanted: Copied = caller.object()?;
    let copy = TagCopy {
        source: router::tag_name(&wanted.source_tag, "source_tag")?,
        destination: router::tag_name(&wanted.destination_tag, "destination_tag")?,
        overwrite: wanted.overwrite,
    };
    let permit = caller.permit(image, Action::Push).await?;
    caller.app.storage.copy_tag(&permit, &copy, caller.now).await?;
    answers::created()
}

/// The tags of one image.
struct Rows<'a> {
    caller: &'a Caller<'a>,
    permit: Permit,
}

impl Rows<'_> {
    /// All that are wanted, in their order.
    async fn wanted(&self, query: &Parameters) -> Result<Vec<TagDetails>, SwrError> {
        let (part, order) = (query.get("tag"), query.order(COLUMNS)?);
        let (mut found, mut seen) = (Vec::new(), 0);
        let mut after: Option<String> = None;
        loop {
            let page =
                self.caller.app.storage.tag_details(&self.permit, after.as_deref(), ROWS_AT_ONCE).await?;
            seen += page.items.len();
            if seen > ROWS_MAX {
                let message =
                    format!("the image has more than {ROWS_MAX} tags; the registry's own list has them");
                return Err(SwrError::new(Code::TooMany, message));
            }
            if let Some(last) = page.items.last() {
                after = Some(last.name.clone());
            }
            let wanted = page.items.into_iter().filter(|tag| part.is_none_or(|part| tag.name.contains(part)));
            found.extend(wanted);
            if !page.more {
                break;
            }
        }
        if let Some(order) = order {
            sort(&mut found, order);
        }
        Ok(found)
    }

    /// `room`: how many bytes of manifests may still be repeated, where they are wanted.
    async fn item(&self, tag: TagDetails, room: Option<&mut usize>) -> Result<Item, SwrError> {
        let storage = &self.caller.app.storage;
        // Deleted a moment ago, or too large to be repeated: what it says is left empty.
        let manifest = match storage.manifest(&self.permit, &Reference::Digest(tag.digest.clone())).await {
            Ok(found) => match found.body {
                ManifestBody::Whole(body) => String::from_utf8(body.to_vec()).unwrap_or_default(),
                ManifestBody::Large(_) => String::new(),
            },
            Err(storage::Error::ManifestUnknown) => String::new(),
            Err(error) => return Err(error.into()),
        };
        let read: Manifest = serde_json::from_str(&manifest).unwrap_or_default();
        let path = format!("{}:{}", self.caller.path(self.permit.name()), tag.name);
        let repeated = match room {
            Some(room) if manifest.len() <= *room => {
                *room -= manifest.len();
                manifest
            }
            _ => String::new(),
        };
        Ok(Item {
            id: number(&self.permit, &tag.name),
            repo_id: self.permit.repository().get(),
            capital_tag: None,
            tag: Some(tag.name),
            image_id: read.image_id(&tag.digest),
            manifest: repeated,
            digest: tag.digest.to_string(),
            schema: 2,
            internal_path: path.clone(),
            path,
            size: tag.size,
            is_trusted: false,
            created: tag.pushed_at,
            updated: tag.pushed_at,
            deleted: (),
            domain_id: self.permit.owner().to_string(),
            scanned: false,
            tag_type: u8::from(read.manifests.is_some()),
        })
    }
}

fn sort(found: &mut [TagDetails], order: Order<Column>) {
    order.sort(found, |tag, column| match column {
        Column::UpdatedAt => (tag.pushed_at.as_nanosecond(), String::new()),
        Column::Tag => (0, tag.name.clone()),
    });
}

/// As much of a manifest as is looked at here.
#[derive(Default, Deserialize)]
struct Manifest {
    #[serde(default)]
    config: Option<Config>,
    #[serde(default)]
    manifests: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
struct Config {
    digest: Digest,
}

impl Manifest {
    /// What docker calls an image's id: the hash of its configuration. An index has none, and is called by its own.
    fn image_id(&self, digest: &Digest) -> String {
        let digest = self.config.as_ref().map_or(digest, |config| &config.digest).to_string();
        digest.split_once(':').map_or_else(|| digest.clone(), |(_, hash)| hash.to_owned())
    }
}

/// A tag has no number of its own: the same one each time, made of its image's and its name.
fn number(permit: &Permit, tag: &str) -> u64 {
    let digest = Digest::of(Algorithm::Sha256, format!("{}:{tag}", permit.repository()).as_bytes());
    // Behind the byte that says which algorithm it is.
    let first = digest.raw().iter().skip(1).take(8).fold(0, |number, byte| number << 8 | u64::from(*byte));
    first >> 11
}
