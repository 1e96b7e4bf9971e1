//! Images: repositories, by the name that this API has for them. One is named by its organization and its name in it.

use auth::{Category, DetailsChange, NamedRepository, Repository, Visibility};
use http::StatusCode;
use jiff::Timestamp;
use oci::{NamespaceName, RepositoryName};
use serde::{Deserialize, Serialize};
use storage::RepositoryUsage;

use super::access_domains::description;
use super::answers::{self, Answer};
use super::errors::{Code, SwrError};
use super::query::{Offset, Order, Parameters};
use super::repository_items::{Facts, MarkedPage, Shared, item, marked_item};
use super::router::{self, Paged};
use super::{Caller, ROWS_MAX, TAGS_SHOWN_MAX};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRepository {
    repository: String,
    is_public: bool,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RepositoryChange {
    is_public: bool,
    #[serde(default)]
    category: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    id: u64,
    ns_id: u64,
    name: String,
    category: &'static str,
    description: String,
    creator_id: String,
    creator_name: String,
    size: u64,
    is_public: bool,
    num_images: u64,
    num_download: u64,
    url: &'static str,
    path: String,
    internal_path: String,
    created: Timestamp,
    updated: Timestamp,
    domain_id: String,
    priority: u8,
}

/// What an owner says of an image, empty texts being as good as none given.
fn details(description_given: Option<&str>, category: Option<&str>) -> Result<DetailsChange, SwrError> {
    let category = category.filter(|category| !category.is_empty()).map(Category::parse).transpose()?;
    Ok(DetailsChange { description: description_given.map(description).transpose()?, category })
}

/// `POST /v2/manage/namespaces/{namespace}/repos`.
pub(super) async fn create(caller: &Caller<'_>, organization: &NamespaceName) -> Answer {
    let new: NewRepository = caller.object()?;
    let name = router::image(organization, &new.repository)?;
    let said = new.description.as_deref().filter(|description| !description.is_empty());
    let details = details(said, new.category.as_deref())?;
    let visibility = if new.is_public { Visibility::Public } else { Visibility::Private };
    let new = auth::NewRepository { details, visibility };
    match caller.app.auth.create_repository(&caller.principal, &name, &new, caller.now).await {
        Err(auth::Error::NotFound { .. }) => {
            Err(SwrError::new(Code::OrganizationUnknown, "there is no such organization"))
        }
        Err(error) => Err(error.into()),
        Ok(_) => answers::created(),
    }
}

/// `GET …/repos/{repository}`, to whoever may pull it.
pub(super) async fn show(caller: &Caller<'_>, name: &RepositoryName) -> Answer {
    let found = caller.app.auth.show_repository(&caller.principal, name, caller.now).await?;
    let usage = usage_of(caller, &found).await?;
    answers::json(StatusCode::OK, &shown(caller, found, usage))
}

/// What an image holds. Of one that is shared with the caller by some of its tags, those are counted, as far as a page
/// goes, and nothing more is told.
pub(super) async fn usage_of(
    caller: &Caller<'_>,
    repository: &Repository,
) -> Result<RepositoryUsage, SwrError> {
    if let Some(usage) = caller.app.storage.usage_within(repository).await? {
        return Ok(usage);
    }
    let tags = caller.tags(&repository.name, repository.id, usize::MAX).await?;
    let tags = tags.map_or(0, |tags| tags.len() as u64);
    Ok(RepositoryUsage { tags, ..RepositoryUsage::default() })
}

fn shown(caller: &Caller<'_>, repository: Repository, usage: RepositoryUsage) -> Shown {
    Shown {
        id: repository.id.get(),
        ns_id: repository.namespace.get(),
        name: repository.name.path().to_owned(),
        category: repository.category.as_str(),
        description: repository.description.to_string(),
        creator_id: repository.owner.to_string(),
        creator_name: repository.account.to_string(),
        size: usage.bytes,
        is_public: repository.visibility == Visibility::Public,
        num_images: usage.tags,
        num_download: 0,
        url: "",
        path: caller.path(&repository.name),
        internal_path: caller.path(&repository.name),
        created: repository.created_at,
        updated: usage.pushed_at.unwrap_or(repository.created_at),
        domain_id: repository.owner.to_string(),
        priority: 0,
    }
}

/// `PATCH …/repos/{repository}`. What is not given stays.
pub(super) async fn update(caller: &Caller<'_>, name: &RepositoryName) -> Answer {
    let change: RepositoryChange = caller.object()?;
    let details = details(change.description.as_deref(), change.category.as_deref())?;
    let (auth, p, now) = (&caller.app.auth, &caller.principal, caller.now);
    if details.description.is_some() || details.category.is_some() {
        auth.change_details(p, name, &details, now).await?;
    }
    let visibility = if change.is_public { Visibility::Public } else { Visibility::Private };
    auth.set_visibility(p, name, visibility, now).await?;
    answers::created()
}

/// `DELETE …/repos/{repository}`.
pub(super) async fn delete(caller: &Caller<'_>, name: &RepositoryName) -> Answer {
    caller.app.auth.delete_repository(&caller.principal, name, caller.now).await?;
    Ok(answers::no_content())
}

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    UpdatedAt,
    Name,
    TagCount,
    Namespace,
    IsPublic,
}

const COLUMNS: &[(&str, Column)] = &[
    ("updated_time", Column::UpdatedAt),
    ("updated_at", Column::UpdatedAt),
    ("name", Column::Name),
    ("tag_count", Column::TagCount),
    ("namespace", Column::Namespace),
    ("is_public", Column::IsPublic),
];

/// `GET …/repos`: the images of the caller's account that it may see.
pub(super) async fn list(caller: &Caller<'_>, paged: Paged) -> Answer {
    match paged {
        Paged::ByOffset => by_offset(caller).await,
        Paged::ByMarker => by_marker(caller).await,
    }
}

async fn by_offset(caller: &Caller<'_>) -> Answer {
    let query = caller.parameters(&[
        "namespace",
        "name",
        "category",
        "is_public",
        "limit",
        "offset",
        "order_column",
        "order_type",
        "filter",
    ])?;
    let (page, order) = (Offset::parse(&query)?, query.order(COLUMNS)?);
    let mut found = repositories(caller, &query).await?;
    if let Some(order) = order {
        found = ordered(caller, found, order).await?;
    }
    let total = found.len();
    let (found, range) = page.page(found);
    let mut rows = Vec::with_capacity(found.len());
    for repository in found {
        let usage = usage_of(caller, &repository).await?;
        // One that was deleted meanwhile is none any more.
        let Some(tags) = caller.tags(&repository.name, repository.id, TAGS_SHOWN_MAX).await? else {
            continue;
        };
        rows.push(item(caller, Facts::of(repository, usage), tags, Shared::default(), total));
    }
    answers::range(&rows, &range)
}

async fn by_marker(caller: &Caller<'_>) -> Answer {
    let query = caller.parameters(&["namespace", "name", "category", "is_public", "limit", "marker"])?;
    let limit = query.limit()?;
    let marker = query.marker()?;
    let mut found = repositories(caller, &query).await?;
    found.retain(|repository| marker.is_none_or(|marker| repository.id > marker));
    found.sort_by_key(|repository| repository.id);
    let more = found.len() > limit;
    found.truncate(limit);
    let mut rows = Vec::with_capacity(found.len());
    for repository in found {
        let usage = usage_of(caller, &repository).await?;
        rows.push(marked_item(repository.id.get(), Facts::of(repository, usage), Shared::default()));
    }
    answers::json(StatusCode::OK, &MarkedPage::new(rows, more))
}

/// All that are wanted, in the order of their names.
async fn repositories(caller: &Caller<'_>, query: &Parameters) -> Result<Vec<Repository>, SwrError> {
    let namespace = query.get("namespace").map(router::organization).transpose()?;
    let name = query.get("name").map(router::with_slashes);
    let category = query.get("category").map(Category::parse).transpose();
    let category =
        category.map_err(|error| SwrError::new(Code::Parameter, error.to_string()).about("category"))?;
    let is_public = query.boolean("is_public")?;
    let named = |one: &NamedRepository| name.as_deref().is_none_or(|name| one.name.path().contains(name));
    let (auth, p) = (&caller.app.auth, &caller.principal);
    let found = match auth.find_repositories(p, namespace.as_ref(), named).await {
        // To filter by what is not there is to find nothing.
        Err(auth::Error::NotFound { .. }) => Vec::new(),
        found => found?,
    };
    if found.len() > ROWS_MAX {
        let message = format!("there are more than {ROWS_MAX} images: name an organization to list its own");
        return Err(SwrError::new(Code::TooMany, message).about("namespace"));
    }
    let mut shown = auth.show_repositories(p, &found).await?;
    shown.retain(|repository| {
        category.is_none_or(|category| repository.category == category)
            && is_public.is_none_or(|is| is == (repository.visibility == Visibility::Public))
    });
    Ok(shown)
}

async fn ordered(
    caller: &Caller<'_>,
    found: Vec<Repository>,
    order: Order<Column>,
) -> Result<Vec<Repository>, SwrError> {
    let usages = match order.column {
        Column::UpdatedAt | Column::TagCount => caller.app.storage.usages(&found).await?,
        _ => vec![RepositoryUsage::default(); found.len()],
    };
    let mut keyed: Vec<_> = found.into_iter().zip(usages).collect();
    order.sort(&mut keyed, |(repository, usage), column| match column {
        Column::UpdatedAt => {
            let at = usage.pushed_at.unwrap_or(repository.created_at);
            (at.as_nanosecond(), String::new())
        }
        Column::TagCount => (usage.tags.into(), String::new()),
        Column::IsPublic => (i128::from(repository.visibility == Visibility::Public), String::new()),
        Column::Name => (0, repository.name.path().to_owned()),
        Column::Namespace => (0, repository.name.namespace().to_owned()),
    });
    Ok(keyed.into_iter().map(|(repository, _)| repository).collect())
}
