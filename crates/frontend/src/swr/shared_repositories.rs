//! Lists of shared images: those that the caller's account shares, and those that are shared with it. A row is a share,
//! joined with the image as it is now. An ended share stays listed; to whom it opened the image, it says no more of it
//! than that it was shared.

use std::collections::BTreeMap;

use auth::{RepositoryId, Share};
use http::StatusCode;

use super::answers::{self, Answer};
use super::errors::{Code, SwrError};
use super::query::{Offset, Parameters};
use super::repositories::usage_of;
use super::repository_items::{Facts, MarkedPage, Shared, item, marked_item};
use super::router::{self, Paged};
use super::{Caller, TAGS_SHOWN_MAX};

/// Whose shares are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Those that the caller's account made.
    Own,
    /// Those made with it.
    ThirdParty,
}

const SIDES: &[(&str, Side)] = &[("self", Side::Own), ("thirdparty", Side::ThirdParty)];

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    UpdatedAt,
    Name,
    TagCount,
    Namespace,
    DomainName,
}

const COLUMNS: &[(&str, Column)] = &[
    ("updated_at", Column::UpdatedAt),
    ("name", Column::Name),
    ("tag_count", Column::TagCount),
    ("namespace", Column::Namespace),
    ("domain_name", Column::DomainName),
];

/// Which shares are wanted.
struct Wanted {
    side: Side,
    namespace: Option<String>,
    name: Option<String>,
    domain_name: Option<String>,
    status: Option<bool>,
}

impl Wanted {
    /// `side` is what the parameter is called that says whose they are.
    fn parse(query: &Parameters, side: &'static str) -> Result<Wanted, SwrError> {
        let missing = || {
            let message = format!("the parameter {side} must be self or thirdparty");
            SwrError::new(Code::Parameter, message).about(side)
        };
        Ok(Wanted {
            side: query.word(side, SIDES)?.ok_or_else(missing)?,
            namespace: query.get("namespace").map(str::to_owned),
            name: query.get("name").map(router::with_slashes),
            domain_name: query.get("domain_name").map(str::to_owned),
            status: query.boolean("status")?,
        })
    }

    fn wants(&self, share: &Share, is_open: bool) -> bool {
        let is = |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|wanted| wanted == text);
        let named = self.name.as_deref().is_none_or(|name| share.repository.path().contains(name));
        named
            && is(&self.namespace, share.repository.namespace())
            && is(&self.domain_name, share.owner.as_str())
            && self.status.is_none_or(|status| status == is_open)
    }
}

/// `GET …/shared-repositories`.
pub(super) async fn list(caller: &Caller<'_>, paged: Paged) -> Answer {
    match paged {
        Paged::ByOffset => by_offset(caller).await,
        Paged::ByMarker => by_marker(caller).await,
    }
}

async fn by_offset(caller: &Caller<'_>) -> Answer {
    let query = caller.parameters(&[
        "center",
        "namespace",
        "name",
        "domain_name",
        "status",
        "limit",
        "offset",
        "order_column",
        "order_type",
        "filter",
    ])?;
    let (wanted, page) = (Wanted::parse(&query, "center")?, Offset::parse(&query)?);
    let order = query.order(COLUMNS)?;
    let mut images = Images::new(caller);
    let mut shares = shares(caller, &wanted).await?;
    if let Some(order) = order {
        let mut keyed = Vec::with_capacity(shares.len());
        for share in shares {
            let key = images.key(&share, order.column).await?;
            keyed.push((key, share));
        }
        order.sort(&mut keyed, |(key, _), _| key.clone());
        shares = keyed.into_iter().map(|(_, share)| share).collect();
    }
    let total = shares.len();
    let (shares, range) = page.page(shares);
    let mut rows = Vec::with_capacity(shares.len());
    for share in shares {
        let facts = images.facts(&share).await?;
        let tags = images.tags(&share).await?;
        rows.push(item(caller, facts, tags, shared(caller, &share, wanted.side), total));
    }
    answers::range(&rows, &range)
}

async fn by_marker(caller: &Caller<'_>) -> Answer {
    let query = caller.parameters(&["shared_by", "namespace", "name", "status", "limit", "marker"])?;
    let (wanted, limit) = (Wanted::parse(&query, "shared_by")?, query.limit()?);
    let marker = query.marker()?;
    let mut images = Images::new(caller);
    let mut shares = shares(caller, &wanted).await?;
    shares.retain(|share| marker.is_none_or(|marker| share.id > marker));
    let more = shares.len() > limit;
    shares.truncate(limit);
    let mut rows = Vec::with_capacity(shares.len());
    for share in shares {
        let facts = images.facts(&share).await?;
        rows.push(marked_item(share.id.get(), facts, shared(caller, &share, wanted.side)));
    }
    answers::json(StatusCode::OK, &MarkedPage::new(rows, more))
}

/// All that are wanted, in the order of their numbers.
async fn shares(caller: &Caller<'_>, wanted: &Wanted) -> Result<Vec<Share>, SwrError> {
    let (auth, p, now) = (&caller.app.auth, &caller.principal, caller.now);
    let mut found = match wanted.side {
        Side::Own => auth.list_shares_by(p, None, usize::MAX, now).await?,
        Side::ThirdParty => auth.list_shares_with(p, None, usize::MAX, now).await?,
    };
    found.retain(|share| wanted.wants(share, share.is_open(now)));
    Ok(found)
}

fn shared(caller: &Caller<'_>, share: &Share, side: Side) -> Shared {
    let with = (side == Side::Own).then(|| share.grantee.clone());
    Shared { status: share.is_open(caller.now), with }
}

/// The images of a list, each looked up once, and only as far as the caller may look at it now.
struct Images<'a> {
    caller: &'a Caller<'a>,
    /// `None`: the caller may not look at it.
    seen: BTreeMap<RepositoryId, Option<Facts>>,
}

/// What a row is ordered by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum SortKey {
    Number(i128),
    Text(String),
}

impl<'a> Images<'a> {
    fn new(caller: &'a Caller<'a>) -> Images<'a> {
        Images { caller, seen: BTreeMap::new() }
    }

    async fn key(&mut self, share: &Share, column: Column) -> Result<SortKey, SwrError> {
        Ok(match column {
            Column::Name => SortKey::Text(share.repository.path().to_owned()),
            Column::Namespace => SortKey::Text(share.repository.namespace().to_owned()),
            Column::DomainName => SortKey::Text(share.owner.to_string()),
            Column::UpdatedAt => SortKey::Number(self.facts(share).await?.updated_at.as_nanosecond()),
            Column::TagCount => SortKey::Number(self.facts(share).await?.tags.into()),
        })
    }

    async fn facts(&mut self, share: &Share) -> Result<Facts, SwrError> {
        if !self.seen.contains_key(&share.repository_id) {
            let facts = self.look(share).await?;
            self.seen.insert(share.repository_id, facts);
        }
        let seen = self.seen.get(&share.repository_id).cloned().flatten();
        Ok(seen.unwrap_or_else(|| Facts::closed(share)))
    }

    async fn look(&self, share: &Share) -> Result<Option<Facts>, SwrError> {
        let Caller { app, principal, now, .. } = self.caller;
        match app.auth.show_repository(principal, &share.repository, *now).await {
            // Its name may be another's by now.
            Ok(repository) if repository.id == share.repository_id => {
                let usage = usage_of(self.caller, &repository).await?;
                Ok(Some(Facts::of(repository, usage)))
            }
            Ok(_) | Err(auth::Error::NotFound { .. } | auth::Error::Forbidden) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The first tags of what may be looked at.
    async fn tags(&self, share: &Share) -> Result<Vec<String>, SwrError> {
        let tags = self.caller.tags(&share.repository, share.repository_id, TAGS_SHOWN_MAX).await?;
        Ok(tags.unwrap_or_default())
    }
}
