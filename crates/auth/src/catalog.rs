//! The list of repositories: those that the principal may pull and that hold a manifest, in byte order of their names.
//!
//! Three sources are merged: what its own account owns (as far as the user's permissions reach), what is shared with
//! it, and what is public, unless its owner is disabled. Each looks at a bounded number of rows for a page, and says up to which name it is complete;
//! the page ends at the least of these names, and the next one goes on from there.

use std::collections::BTreeSet;
use std::ops::Bound;

use jiff::Timestamp;
use kv::{Id, Key, Range, decode};
use oci::RepositoryName;

use crate::lists::{Rows, named, text};
use crate::namespaces::Permitted;
use crate::records::{NamespaceRecord, RepositoryLife};
use crate::scope::{Scope, Verbs};
use crate::{Auth, Denied, Error, Level, NamespaceId, Principal, RepositoryId, Visibility};

/// The most rows that each source looks at for one page.
const ROWS_MAX: usize = 10_000;
/// Longer than any name: what is longer sorts as its beginning does.
const AFTER_BYTES_MAX: usize = 256;

/// A page of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// The names.
    pub names: Vec<RepositoryName>,
    /// What to give as `after` for the next page. A page may be short, even empty, while there is more.
    pub next: Option<String>,
}

/// What a source found: names in order, complete up to `horizon` (`None`: to the end).
#[derive(Default)]
struct Part {
    names: Vec<RepositoryName>,
    horizon: Option<String>,
}

/// What a page asks of each source.
struct Ask<'a> {
    principal: &'a Principal,
    after: &'a str,
    /// One more than the page holds, to know whether there is another.
    want: usize,
    now: Timestamp,
}

impl Ask<'_> {
    /// A walk over rows, for the page.
    fn rows(&self, range: Range) -> Rows {
        Rows::at_most(range, ROWS_MAX).beginning_with(self.want)
    }
}

/// A name that the principal may pull, if it is listed under this id.
struct Candidate {
    id: RepositoryId,
    name: RepositoryName,
}

impl Auth {
    /// At most `limit` names that come after `after`.
    ///
    /// # Errors
    /// [`Denied::Unauthenticated`] without a credential or token, [`Denied::InsufficientScope`] when the access token
    /// does not carry the catalog; [`Error::Limit`] within [`Denied::Failed`] for a user with more than 10,000
    /// permissions.
    pub async fn catalog(
        &self,
        principal: &Principal,
        after: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Catalog, Denied> {
        match &principal.grants {
            Some(grants) if !grants.carry_catalog() => {
                return Err(Denied::InsufficientScope { needed: vec![Scope::Catalog] });
            }
            None if principal.is_anonymous() => return Err(Denied::Unauthenticated),
            _ => {}
        }
        if limit == 0 {
            return Ok(Catalog { names: Vec::new(), next: None });
        }
        let limit = limit.min(ROWS_MAX - 1);
        let after = after.unwrap_or_default();
        let after = &after[..after.floor_char_boundary(AFTER_BYTES_MAX)];
        let ask = Ask { principal, after, want: limit + 1, now };
        let parts = [self.own(&ask).await?, self.shared(&ask).await?, self.public(&ask).await?];
        Ok(merge(parts, limit))
    }

    /// What the principal's account owns. The account itself reads all of it, a user what it has a permission on.
    async fn own(&self, ask: &Ask<'_>) -> Result<Part, Error> {
        let Some(account) = ask.principal.account() else { return Ok(Part::default()) };
        let Some(user) = ask.principal.user() else {
            let key = Key::NamespaceOf { account: account.raw(), name: "" };
            // As many as the settings let an account have.
            let mut rows = Rows::all(key.siblings(self.region()));
            let mut namespaces = Vec::new();
            while let Some(some) = rows.next_of_enough(self).await? {
                for (encoded, entry) in some {
                    let name = text(key, self.region(), &encoded)?.to_owned();
                    namespaces.push((name, decode::<NamespaceId>(key, &entry)?.value));
                }
            }
            return self.listed_in(ask, namespaces).await;
        };
        let Permitted { namespaces, repositories } = self.permitted(user, Level::Read).await?;
        let namespaces: Vec<Id> = namespaces.into_iter().map(NamespaceId::raw).collect();
        let repositories: Vec<Id> = repositories.into_iter().map(RepositoryId::raw).collect();
        let records = self
            .records::<NamespaceRecord>(&namespaces, |namespace| Key::Namespace { namespace })
            .await?
            .into_iter()
            .filter(|(_, record)| record.account == account)
            .map(|(id, record)| (record.name.as_str().to_owned(), id.into()));
        let whole = self.listed_in(ask, records.collect()).await?;
        let lives = self.lives(&repositories).await?;
        let candidates = lives.into_iter().filter(|(_, life)| life.owner == account);
        let single = self.listed_among(ask, candidates.collect()).await?;
        Ok(Part { horizon: whole.horizon, names: [whole.names, single].concat() })
    }

    /// What is shared with the principal's account by shares that are open.
    async fn shared(&self, ask: &Ask<'_>) -> Result<Part, Error> {
        let Some(account) = ask.principal.account() else { return Ok(Part::default()) };
        let key = Key::SharedName { grantee: account.raw(), name: ask.after, share: Id::MAX };
        let mut rows = ask.rows(key.siblings_after(self.region()));
        let (mut part, mut last) = (Part::default(), None);
        while let Some(some) = rows.next_of_enough(self).await? {
            let mut ids = Vec::with_capacity(some.len());
            for (encoded, _) in &some {
                let (name, share) = named(key, self.region(), encoded)?;
                ids.push(share.into());
                if last.as_deref() != Some(name) {
                    // Of the last name there may be another share.
                    part.horizon = last.replace(name.to_owned());
                }
            }
            let mut open = self.join(&ids).await?;
            open.retain(|(_, share, life)| {
                share.grantee == account && share.opens(share.repository, life, ask.now)
            });
            let open = open.into_iter().map(|(_, share, life)| (share.repository, life)).collect();
            part.names.extend(self.listed_among(ask, open).await?);
            if part.names.len() >= ask.want {
                return Ok(part);
            }
        }
        part.horizon = if rows.is_complete() { None } else { part.horizon.or(last) };
        Ok(part)
    }

    /// What is public.
    async fn public(&self, ask: &Ask<'_>) -> Result<Part, Error> {
        let key = Key::PublicName { name: "" };
        let mut rows = ask.rows(Key::PublicName { name: ask.after }.siblings_after(self.region()));
        let mut part = Part::default();
        while let Some(some) = rows.next_of_enough(self).await? {
            let mut ids = Vec::with_capacity(some.len());
            for (encoded, entry) in &some {
                ids.push(decode::<Id>(key, entry)?.value);
                part.horizon = Some(text(key, self.region(), encoded)?.to_owned());
            }
            let mut public = self.lives(&ids).await?;
            public.retain(|(_, life)| life.visibility == Visibility::Public);
            let public = self.of_open_owners(public).await?.into_iter();
            let candidates = public.map(|(id, life)| Candidate { id, name: life.name }).collect();
            part.names.extend(self.listed(candidates).await?);
            if part.names.len() >= ask.want {
                return Ok(part);
            }
        }
        if rows.is_complete() {
            part.horizon = None;
        }
        Ok(part)
    }

    /// The listed names in `namespaces`, all of which the principal reads.
    async fn listed_in(
        &self,
        ask: &Ask<'_>,
        mut namespaces: Vec<(String, NamespaceId)>,
    ) -> Result<Part, Error> {
        // Whole names decide the order, and `-` and `.` come before `/`: `a-b/x` before `a/x`.
        namespaces.iter_mut().for_each(|(name, _)| name.push('/'));
        namespaces.sort();
        let mut part = Part::default();
        let mut rows_left = ROWS_MAX;
        for (prefix, namespace) in namespaces {
            if ask.after > prefix.as_str() && !ask.after.starts_with(&prefix) {
                continue;
            }
            let key = Key::Listed { name: &prefix };
            let (mut start, end) = key.beginning(self.region());
            if ask.after > prefix.as_str() {
                start = Bound::Excluded(Key::Listed { name: ask.after }.encode(self.region()));
            }
            let mut rows = Rows::at_most((start, end), rows_left).beginning_with(ask.want);
            while let Some(some) = rows.next_of_enough(self).await? {
                for (encoded, entry) in some {
                    let name = name(text(key, self.region(), &encoded)?)?;
                    let id = decode::<RepositoryId>(key, &entry)?.value;
                    part.horizon = Some(name.to_string());
                    if ask.principal.verbs_left(&name, namespace, Some(id)).contains(Verbs::PULL) {
                        part.names.push(name);
                    }
                    if part.names.len() >= ask.want {
                        return Ok(part);
                    }
                }
            }
            if !rows.is_complete() {
                return Ok(part);
            }
            rows_left = rows.left;
        }
        part.horizon = None;
        Ok(part)
    }

    /// Those of `repositories` that the page wants and that are listed.
    async fn listed_among(
        &self,
        ask: &Ask<'_>,
        repositories: Vec<(RepositoryId, RepositoryLife)>,
    ) -> Result<Vec<RepositoryName>, Error> {
        let mut candidates: Vec<Candidate> = repositories
            .into_iter()
            .filter(|(_, life)| life.name.as_str() > ask.after)
            .filter(|(id, life)| {
                let left = ask.principal.verbs_left(&life.name, life.namespace, Some(*id));
                left.contains(Verbs::PULL)
            })
            .map(|(id, life)| Candidate { id, name: life.name })
            .collect();
        candidates.sort_by(|a, b| a.name.cmp(&b.name));
        self.listed(candidates).await
    }

    /// Those of `candidates` that are listed under their id.
    async fn listed(&self, candidates: Vec<Candidate>) -> Result<Vec<RepositoryName>, Error> {
        let keys: Vec<_> = candidates.iter().map(|c| Key::Listed { name: c.name.as_str() }).collect();
        let entries = self.store().get_many(&keys).await?;
        let mut names = Vec::new();
        for (candidate, entry) in candidates.iter().zip(entries) {
            let key = Key::Listed { name: candidate.name.as_str() };
            if let Some(entry) = entry
                && decode::<RepositoryId>(key, &entry)?.value == candidate.id
            {
                names.push(candidate.name.clone());
            }
        }
        Ok(names)
    }

    /// Those of `repositories` whose owners are not disabled.
    async fn of_open_owners(
        &self,
        mut repositories: Vec<(RepositoryId, RepositoryLife)>,
    ) -> Result<Vec<(RepositoryId, RepositoryLife)>, Error> {
        let closed = self.disabled(repositories.iter().map(|(_, life)| life.owner)).await?;
        repositories.retain(|(_, life)| !closed.contains(&life.owner));
        Ok(repositories)
    }

    async fn lives(&self, ids: &[Id]) -> Result<Vec<(RepositoryId, RepositoryLife)>, Error> {
        let lives = self.records::<RepositoryLife>(ids, |repository| Key::Repository { repository }).await?;
        Ok(lives.into_iter().map(|(id, life)| (id.into(), life)).collect())
    }

    /// The records that exist under `ids`.
    pub(crate) async fn records<T: kv::Record>(
        &self,
        ids: &[Id],
        key: impl Fn(Id) -> Key<'static>,
    ) -> Result<Vec<(Id, T)>, Error> {
        let keys: Vec<_> = ids.iter().map(|id| key(*id)).collect();
        let entries = self.store().get_many(&keys).await?;
        let mut records = Vec::new();
        for (id, entry) in ids.iter().zip(entries) {
            if let Some(entry) = entry {
                records.push((*id, decode::<T>(key(*id), &entry)?.value));
            }
        }
        Ok(records)
    }
}

fn merge(parts: [Part; 3], limit: usize) -> Catalog {
    let horizon = parts.iter().filter_map(|part| part.horizon.clone()).min();
    let known = |name: &RepositoryName| horizon.as_deref().is_none_or(|horizon| name.as_str() <= horizon);
    let names: BTreeSet<_> = parts.into_iter().flat_map(|part| part.names).filter(known).collect();
    let more = names.len() > limit;
    let names: Vec<_> = names.into_iter().take(limit).collect();
    let next = if more { names.last().map(ToString::to_string) } else { horizon };
    Catalog { names, next }
}

fn name(text: &str) -> Result<RepositoryName, kv::Error> {
    RepositoryName::parse(text)
        .map_err(|error| kv::Error::Corrupt { what: format!("a listed name: {error}") })
}
