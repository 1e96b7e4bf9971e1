//! Lists of shares: those that an account made, those made with it, those of one repository. Each row is joined with
//! the repository as it is now: a share whose repository is gone, or was public since, is shown to nobody, nor is one
//! whose owner is disabled, while it is. An ended one stays.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use kv::{Key, decode};
use oci::RepositoryName;

use crate::lists::{ROWS_EXAMINED_MAX, Rows, named};
use crate::namespaces::Permitted;
use crate::records::{AccountRecord, RepositoryLife, ShareRecord};
use crate::repository_lists::permits;
use crate::scope::Verbs;
use crate::{
    AccountId, AccountName, Action, Auth, Error, Level, Principal, Repository, RepositoryId, Share, ShareId,
    Thing,
};

/// Shares with an account whose owners are near it.
const SHARES_NEAR_MAX: usize = 100;

/// The most shares that are gone through to find what of an account's is shared.
const SHARES_SEARCHED_MAX: usize = 100_000;

/// With whom a repository is shared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grantees {
    /// The accounts to which it is open, as far as they were wanted.
    pub accounts: Vec<AccountName>,
    /// How many shares have ended, of those that were looked at.
    pub ended: usize,
    /// Whether there may be more.
    pub more: bool,
}

/// Where a share stands in the order of images' names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharePlace {
    /// The image's name.
    pub name: RepositoryName,
    /// The share.
    pub share: ShareId,
}

/// Some of the shares with an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SharesFound {
    /// The shares.
    pub shares: Vec<Share>,
    /// Where to go on. A page may be short, even empty, while there is more: a search looks at 10,000 shares at once.
    pub next: Option<SharePlace>,
}

/// A share, and the repository that it is of.
pub(crate) type Joined = (ShareId, ShareRecord, RepositoryLife);

impl Auth {
    /// The shares that the caller's account made, by id, those after `after`: all to the account itself, to a user
    /// those of repositories that it manages.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn list_shares_by(
        &self,
        p: &Principal,
        after: Option<ShareId>,
        limit: usize,
        _now: Timestamp,
    ) -> Result<Vec<Share>, Error> {
        let owner = p.subject()?.account.raw();
        let permitted = self.permitted_to(p, Level::Manage).await?;
        let key = Key::SharedBy { owner, share: after.map_or(kv::Id::MIN, ShareId::raw) };
        let manages = |joined: &Joined| is_managed(p, permitted.as_ref(), joined);
        let shares = self.list_shares(key, limit, manages).await?;
        self.with_uses(shares).await
    }

    /// The shares made with the caller's account, by id, those after `after`. Every user of the account sees them.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn list_shares_with(
        &self,
        p: &Principal,
        after: Option<ShareId>,
        limit: usize,
        _now: Timestamp,
    ) -> Result<Vec<Share>, Error> {
        let grantee = p.subject()?.account.raw();
        let key = Key::SharedWith { grantee, share: after.map_or(kv::Id::MIN, ShareId::raw) };
        self.list_shares(key, limit, |(_, share, life)| left(p, share, life).contains(Verbs::PULL)).await
    }

    /// A share that was made with the caller's account.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn show_share_with(&self, p: &Principal, id: ShareId) -> Result<Share, Error> {
        let grantee = p.subject()?.account;
        let mut joined = self.join(&[id]).await?;
        joined.retain(|(_, share, life)| {
            share.grantee == grantee && left(p, share, life).contains(Verbs::PULL)
        });
        self.show(joined).await?.pop().ok_or(Error::NotFound { what: Thing::Share })
    }

    /// The shares of a repository with accounts that `wants` wants, by their names, those after `after`. Needs *manage* on
    /// it.
    ///
    /// # Errors
    /// As [`Auth::list_repository_shares`].
    pub async fn find_repository_shares(
        &self,
        p: &Principal,
        name: &RepositoryName,
        (wants, after): (impl Fn(&AccountName) -> bool, Option<&AccountName>),
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Share>, Error> {
        let permit = self.authorize(p, name, Action::Manage, now).await?;
        let mut found = Vec::new();
        for some in self.ids_of_repository(permit.repository()).await?.chunks(500) {
            found.extend(self.show(self.join(some).await?).await?);
        }
        found.retain(|share| after.is_none_or(|after| share.grantee > *after) && wants(&share.grantee));
        found.sort_unstable_by(|one, other| one.grantee.cmp(&other.grantee));
        found.truncate(limit);
        self.with_uses(found).await
    }

    /// The shares made with the caller's account that `wants` wants, by their images' names, those after `after`. Every
    /// user of the account sees them.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn find_shares_with(
        &self,
        p: &Principal,
        wants: impl Fn(&Share) -> bool,
        after: Option<&SharePlace>,
        limit: usize,
    ) -> Result<SharesFound, Error> {
        let grantee = p.subject()?.account.raw();
        let after = after.map(|after| (after.name.as_str(), after.share.raw()));
        let (name, share) = after.unwrap_or(("", kv::Id::MIN));
        let key = Key::SharedName { grantee, name, share };
        let mut rows = Rows::new(key.siblings_after(self.region())).beginning_with(limit + 1);
        let mut found = SharesFound::default();
        let mut seen = None;
        while let Some(some) = rows.next_of_enough(self).await? {
            let mut ids = Vec::with_capacity(some.len());
            for (encoded, _) in &some {
                ids.push(ShareId::from(named(key, self.region(), encoded)?.1));
            }
            seen = some.last().map(|(encoded, _)| encoded.clone());
            let mut joined = self.join(&ids).await?;
            joined.retain(|(_, share, life)| left(p, share, life).contains(Verbs::PULL));
            found.shares.extend(self.show(joined).await?.into_iter().filter(&wants));
            if found.shares.len() > limit {
                found.shares.truncate(limit);
                found.next = found
                    .shares
                    .last()
                    .map(|share| SharePlace { name: share.repository.clone(), share: share.id });
                return Ok(found);
            }
        }
        if let (false, Some(encoded)) = (rows.is_complete(), seen) {
            let (name, share) = named(key, self.region(), &encoded)?;
            let name = RepositoryName::parse(name).map_err(|error| kv::Error::Corrupt {
                what: format!("a name in the list of {key:?}: {error}"),
            })?;
            found.next = Some(SharePlace { name, share: share.into() });
        }
        Ok(found)
    }

    /// The shares of a repository by id, those after `after`. Needs *manage* on it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Limit`] beyond 10,000 shares.
    pub async fn list_repository_shares(
        &self,
        p: &Principal,
        name: &RepositoryName,
        after: Option<ShareId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<Share>, Error> {
        let permit = self.authorize(p, name, Action::Manage, now).await?;
        // The store has them in the order of grantees; that of ids is the same in all lists.
        let mut ids = self.ids_of_repository(permit.repository()).await?;
        ids.retain(|id| after.is_none_or(|after| *id > after));
        ids.sort_unstable();
        let mut joined = Vec::new();
        for some in ids.chunks(500) {
            joined.extend(self.join(some).await?);
            if joined.len() >= limit {
                break;
            }
        }
        joined.truncate(limit);
        let shares = self.show(joined).await?;
        self.with_uses(shares).await
    }

    /// The ids of a repository's shares.
    async fn ids_of_repository(&self, repository: RepositoryId) -> Result<Vec<ShareId>, Error> {
        let key = Key::ShareOf { repository: repository.raw(), grantee: kv::Id::MIN };
        let rows = self.store().list(key.siblings(self.region()), ROWS_EXAMINED_MAX).await?;
        if rows.len() == ROWS_EXAMINED_MAX {
            return Err(Error::Limit {
                what: "shares of a repository in a list",
                max: ROWS_EXAMINED_MAX as u64,
            });
        }
        let ids = rows.iter().map(|(_, entry)| Ok(decode::<ShareId>(key, entry)?.value));
        ids.collect()
    }

    /// The repositories of `owner` that there are shares of, ended ones among them.
    pub(crate) async fn repositories_shared_by(
        &self,
        owner: AccountId,
    ) -> Result<BTreeSet<RepositoryId>, Error> {
        let key = Key::SharedBy { owner: owner.raw(), share: kv::Id::MIN };
        let mut rows = Rows::at_most(key.siblings(self.region()), SHARES_SEARCHED_MAX);
        let mut shared = BTreeSet::new();
        loop {
            let page = rows.next(self).await?;
            if page.is_empty() {
                return Ok(shared);
            }
            for (_, entry) in page {
                shared.insert(decode::<RepositoryId>(key, &entry)?.value);
            }
        }
    }

    /// With whom repositories of the caller's account are shared: those of them that the caller manages, and of each at
    /// most `most` shares are looked at.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn grantees_of(
        &self,
        p: &Principal,
        repositories: &[Repository],
        most: usize,
        now: Timestamp,
    ) -> Result<BTreeMap<RepositoryId, Grantees>, Error> {
        let (permitted, owner) = (self.permitted_to(p, Level::Manage).await?, p.subject()?.account);
        let (mut ids, mut found) = (Vec::new(), BTreeMap::<_, Grantees>::new());
        for Repository { id, name, namespace, .. } in repositories {
            if !permits(permitted.as_ref(), *namespace, *id)
                || !p.verbs_left(name, *namespace, Some(*id)).contains(Verbs::MANAGE)
            {
                continue;
            }
            let key = Key::ShareOf { repository: id.raw(), grantee: kv::Id::MIN };
            let rows = self.store().list(key.siblings(self.region()), most + 1).await?;
            found.insert(*id, Grantees { more: rows.len() > most, ..Grantees::default() });
            for (_, entry) in rows.iter().take(most) {
                ids.push(decode::<ShareId>(key, entry)?.value);
            }
        }
        for some in ids.chunks(500) {
            let mut joined = self.join(some).await?;
            joined.retain(|(_, share, _)| share.owner == owner);
            for share in self.show(joined).await? {
                let grantees = found.entry(share.repository_id).or_default();
                if share.is_open(now) {
                    grantees.accounts.push(share.grantee);
                } else {
                    grantees.ended += 1;
                }
            }
        }
        Ok(found)
    }

    /// At most `limit` accounts among whose repositories the caller may find something to pull: its own, and those that
    /// share with it. It only says where to look: each repository is authorised by itself.
    ///
    /// # Errors
    /// As the store.
    pub async fn owners_near(&self, p: &Principal, limit: usize) -> Result<Vec<AccountId>, Error> {
        let Some(account) = p.account() else { return Ok(Vec::new()) };
        let key = Key::SharedWith { grantee: account.raw(), share: kv::Id::MIN };
        let rows = self.store().list(key.siblings(self.region()), SHARES_NEAR_MAX).await?;
        let mut ids = Vec::with_capacity(rows.len());
        for (encoded, _) in rows {
            ids.push(crate::lists::id(key, self.region(), &encoded)?);
        }
        let shares = self.records::<ShareRecord>(&ids, |share| Key::Share { share }).await?;
        let mut owners: BTreeSet<_> = shares.into_iter().map(|(_, share)| share.owner).collect();
        owners.remove(&account);
        Ok(std::iter::once(account).chain(owners).take(limit).collect())
    }

    async fn list_shares(
        &self,
        key: Key<'_>,
        limit: usize,
        shows: impl Fn(&Joined) -> bool,
    ) -> Result<Vec<Share>, Error> {
        let mut rows = Rows::new(key.siblings_after(self.region())).beginning_with(limit);
        let mut found = Vec::new();
        while found.len() < limit {
            let page = rows.next(self).await?;
            if page.is_empty() {
                break;
            }
            let mut ids = Vec::with_capacity(page.len());
            for (encoded, _) in page {
                ids.push(ShareId::from(crate::lists::id(key, self.region(), &encoded)?));
            }
            found.extend(self.join(&ids).await?.into_iter().filter(&shows));
        }
        found.truncate(limit);
        self.show(found).await
    }

    /// Those of `ids` whose repository is there and still knows them, and whose owner is not disabled.
    pub(crate) async fn join(&self, ids: &[ShareId]) -> Result<Vec<Joined>, Error> {
        let ids: Vec<_> = ids.iter().map(|id| id.raw()).collect();
        let shares = self.records::<ShareRecord>(&ids, |share| Key::Share { share }).await?;
        let repositories: Vec<_> = shares.iter().map(|(_, share)| share.repository.raw()).collect();
        let lives =
            self.records::<RepositoryLife>(&repositories, |repository| Key::Repository { repository });
        let lives: BTreeMap<_, _> = lives.await?.into_iter().collect();
        let closed = self.disabled(shares.iter().map(|(_, share)| share.owner)).await?;
        let joined = shares.into_iter().filter_map(|(id, share)| {
            let life = lives.get(&share.repository.raw())?;
            let shown = share.is_of(share.repository, life) && !closed.contains(&share.owner);
            shown.then(|| (id.into(), share, life.clone()))
        });
        Ok(joined.collect())
    }

    /// Those of `accounts` that are disabled.
    pub(crate) async fn disabled(
        &self,
        accounts: impl Iterator<Item = AccountId>,
    ) -> Result<BTreeSet<AccountId>, Error> {
        let accounts: BTreeSet<_> = accounts.collect();
        let accounts: Vec<_> = accounts.into_iter().map(AccountId::raw).collect();
        let records = self.records::<AccountRecord>(&accounts, |account| Key::Account { account }).await?;
        let disabled = records.into_iter().filter(|(_, record)| record.is_closed());
        Ok(disabled.map(|(id, _)| id.into()).collect())
    }

    async fn show(&self, joined: Vec<Joined>) -> Result<Vec<Share>, Error> {
        let mut ids: Vec<_> = joined.iter().flat_map(|(_, share, _)| [share.owner, share.grantee]).collect();
        ids.sort_unstable();
        ids.dedup();
        let names = self.account_names(&ids).await?;
        let shown = joined.into_iter().filter_map(|(id, share, life)| {
            // An account that is gone by now took its shares with it.
            let (owner, grantee) = (names.get(&share.owner)?.clone(), names.get(&share.grantee)?.clone());
            Some(Share::new(id, share, life.name, owner, grantee))
        });
        Ok(shown.collect())
    }

    pub(crate) async fn account_names(
        &self,
        ids: &[AccountId],
    ) -> Result<BTreeMap<AccountId, AccountName>, Error> {
        let mut names = BTreeMap::new();
        for some in ids.chunks(500) {
            let raw: Vec<_> = some.iter().map(|id| id.raw()).collect();
            let accounts = self.records::<AccountRecord>(&raw, |account| Key::Account { account }).await?;
            names.extend(accounts.into_iter().map(|(id, record)| (id.into(), record.name)));
        }
        Ok(names)
    }
}

/// Whether a share is of a repository that the caller manages.
fn is_managed(p: &Principal, permitted: Option<&Permitted>, (_, share, life): &Joined) -> bool {
    permits(permitted, life.namespace, share.repository) && left(p, share, life).contains(Verbs::MANAGE)
}

/// What the caller's credential leaves of its rights on the repository of `share`.
pub(crate) fn left(p: &Principal, share: &ShareRecord, life: &RepositoryLife) -> Verbs {
    p.verbs_left(&life.name, life.namespace, Some(share.repository))
}
