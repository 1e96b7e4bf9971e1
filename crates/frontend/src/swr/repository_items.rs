//! An image as lists show it: the owner's own, and those that are shared.

use auth::{AccountName, Category, Repository, Share, Visibility};
use jiff::Timestamp;
use oci::RepositoryName;
use serde::Serialize;
use storage::RepositoryUsage;

use super::Caller;

/// What is known of an image, to who may know it.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) name: RepositoryName,
    pub(super) owner: AccountName,
    pub(super) category: Category,
    pub(super) description: String,
    pub(super) is_public: bool,
    pub(super) bytes: u64,
    pub(super) tags: u64,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl Facts {
    /// Of an image that may be looked at.
    pub(super) fn of(repository: Repository, usage: RepositoryUsage) -> Facts {
        Facts {
            name: repository.name,
            owner: repository.account,
            category: repository.category,
            description: repository.description.to_string(),
            is_public: repository.visibility == Visibility::Public,
            bytes: usage.bytes,
            tags: usage.tags,
            created_at: repository.created_at,
            updated_at: usage.pushed_at.unwrap_or(repository.created_at),
        }
    }

    /// Of an image that may not be looked at any more: no more than its share says.
    pub(super) fn closed(share: &Share) -> Facts {
        Facts {
            name: share.repository.clone(),
            owner: share.owner.clone(),
            category: Category::default(),
            description: String::new(),
            is_public: false,
            bytes: 0,
            tags: 0,
            created_at: share.created_at,
            updated_at: share.updated_at,
        }
    }
}

/// A row of a list by offset.
#[derive(Serialize)]
pub(super) struct Item {
    name: String,
    category: &'static str,
    description: String,
    size: u64,
    is_public: bool,
    num_images: u64,
    num_download: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
    logo: &'static str,
    url: &'static str,
    path: String,
    internal_path: String,
    domain_name: String,
    namespace: String,
    tags: Vec<String>,
    status: bool,
    /// The rows of the whole list. Never left out: some clients read on until they have so many.
    total_range: usize,
    /// The account that it is shared with, in a list of what the caller shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_domain: Option<String>,
}

/// A row of a list by marker.
#[derive(Serialize)]
pub(super) struct MarkedItem {
    pub(super) id: u64,
    name: String,
    category: &'static str,
    description: String,
    size: u64,
    is_public: bool,
    num_images: u64,
    num_download: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
    domain_name: String,
    namespace_name: String,
    status: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    access_domain: Option<String>,
}

/// A page of a list by marker.
#[derive(Serialize)]
pub(super) struct MarkedPage {
    repos: Vec<MarkedItem>,
    /// Absent on the last page: 0 would make a client go round.
    #[serde(rename = "nextMarker", skip_serializing_if = "Option::is_none")]
    next_marker: Option<u64>,
}

impl MarkedPage {
    /// `more`: whether there are rows behind these.
    pub(super) fn new(repos: Vec<MarkedItem>, more: bool) -> MarkedPage {
        let next_marker = repos.last().filter(|_| more).map(|last| last.id);
        MarkedPage { repos, next_marker }
    }
}

/// What a row says of the share that it is of.
#[derive(Debug, Clone, Default)]
pub(super) struct Shared {
    /// Whether that is open.
    pub(super) status: bool,
    /// Whom it is with, to who made it.
    pub(super) with: Option<AccountName>,
}

pub(super) fn item(
    caller: &Caller<'_>,
    facts: Facts,
    tags: Vec<String>,
    shared: Shared,
    total_range: usize,
) -> Item {
    Item {
        path: caller.path(&facts.name),
        internal_path: caller.path(&facts.name),
        name: facts.name.path().to_owned(),
        namespace: facts.name.namespace().to_owned(),
        category: facts.category.as_str(),
        description: facts.description,
        size: facts.bytes,
        is_public: facts.is_public,
        num_images: facts.tags,
        num_download: 0,
        created_at: facts.created_at,
        updated_at: facts.updated_at,
        logo: "",
        url: "",
        domain_name: facts.owner.to_string(),
        tags,
        status: shared.status,
        total_range,
        access_domain: shared.with.map(|account| account.to_string()),
    }
}

pub(super) fn marked_item(id: u64, facts: Facts, shared: Shared) -> MarkedItem {
    MarkedItem {
        id,
        name: facts.name.path().to_owned(),
        namespace_name: facts.name.namespace().to_owned(),
        category: facts.category.as_str(),
        description: facts.description,
        size: facts.bytes,
        is_public: facts.is_public,
        num_images: facts.tags,
        num_download: 0,
        created_at: facts.created_at,
        updated_at: facts.updated_at,
        domain_name: facts.owner.to_string(),
        status: shared.status,
        access_domain: shared.with.map(|account| account.to_string()),
    }
}
