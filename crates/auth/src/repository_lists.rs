//! Lists of an account's repositories: first names, which are the rows of a range, then the records of those that are
//! shown. So a search reads one row for each name, and the records of a page alone.

use std::collections::{BTreeMap, VecDeque};

use kv::{Key, decode};
use oci::{NamespaceName, RepositoryName};

use crate::lists::{ROWS_EXAMINED_MAX, Rows, text};
use crate::namespaces::Permitted;
use crate::records::{NameRecord, RepositoryDetails, RepositoryLife};
use crate::scope::Verbs;
use crate::{Auth, Error, Level, NamespaceId, Principal, Repository, RepositoryId, Which};

/// The most names that one search looks at.
const NAMES_SEARCHED_MAX: usize = 100_000;
/// Records that are read at once.
const RECORDS_AT_ONCE: usize = 500;

/// A repository, as far as the row of its name tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRepository {
    /// Its name.
    pub name: RepositoryName,
    /// Its id.
    pub id: RepositoryId,
}

impl Auth {
    /// The repositories of the caller's account, by namespace and then by path, those after the name `after`: all to
    /// the account itself, to a user those that it may pull; of one namespace, or of all; those that hold a manifest, or
    /// the empty ones too.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a namespace that the caller may not see too; [`Error::Limit`].
    pub async fn list_repositories(
        &self,
        p: &Principal,
        namespace: Option<&NamespaceName>,
        which: Which,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Repository>, Error> {
        let mut names = Names::of(self, p, Level::Read, (namespace, after), ROWS_EXAMINED_MAX).await?;
        let mut found = Vec::new();
        while found.len() < limit {
            let page = names.next(limit - found.len()).await?;
            if page.is_empty() {
                break;
            }
            found.extend(self.repositories(p, &page, which).await?);
        }
        Ok(found)
    }

    /// The names of the repositories of the caller's account that `wants` wants, in the order of
    /// [`Auth::list_repositories`]: all to the account itself, to a user those that it may pull.
    ///
    /// # Errors
    /// As [`Auth::list_repositories`]; [`Error::Limit`] when the account has more than 100,000 names.
    pub async fn find_repositories(
        &self,
        p: &Principal,
        namespace: Option<&NamespaceName>,
        wants: impl Fn(&NamedRepository) -> bool,
    ) -> Result<Vec<NamedRepository>, Error> {
        let names = Names::of(self, p, Level::Read, (namespace, None), NAMES_SEARCHED_MAX).await?;
        names.all(wants).await
    }

    /// Those of them that the caller manages and that there are shares of, ended ones among them.
    ///
    /// # Errors
    /// As [`Auth::find_repositories`]; [`Error::Limit`] when the account has more than 100,000 shares.
    pub async fn find_shared_repositories(
        &self,
        p: &Principal,
        wants: impl Fn(&NamedRepository) -> bool,
    ) -> Result<Vec<NamedRepository>, Error> {
        let shared = self.repositories_shared_by(p.subject()?.account).await?;
        let names = Names::of(self, p, Level::Manage, (None, None), NAMES_SEARCHED_MAX).await?;
        names.all(|one| shared.contains(&one.id) && wants(one)).await
    }

    /// What was found, as it is shown. What was deleted meanwhile, or is not the caller's to pull, is left out.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn show_repositories(
        &self,
        p: &Principal,
        found: &[NamedRepository],
    ) -> Result<Vec<Repository>, Error> {
        let permitted = self.permitted_to(p, Level::Read).await?;
        let mut shown = Vec::with_capacity(found.len());
        for some in found.chunks(RECORDS_AT_ONCE) {
            shown.extend(self.repositories(p, some, Which::All).await?);
        }
        shown.retain(|one| permits(permitted.as_ref(), one.namespace, one.id));
        Ok(shown)
    }

    /// The records behind names of the caller's account, as far as its credential reaches.
    async fn repositories(
        &self,
        p: &Principal,
        named: &[NamedRepository],
        which: Which,
    ) -> Result<Vec<Repository>, Error> {
        let subject = p.subject()?;
        let (account, owner) = (&subject.account_name, subject.account);
        let ids: Vec<_> = named.iter().map(|named| named.id.raw()).collect();
        let lives = self.records::<RepositoryLife>(&ids, |repository| Key::Repository { repository }).await?;
        let details =
            self.records::<RepositoryDetails>(&ids, |repository| Key::RepositoryDetails { repository });
        let mut details: BTreeMap<_, _> = details.await?.into_iter().collect();
        let mut shown = Vec::with_capacity(lives.len());
        for (id, life) in lives {
            let details = details.remove(&id).unwrap_or_default();
            let id = RepositoryId::from(id);
            if life.owner == owner && p.verbs_left(&life.name, life.namespace, Some(id)).contains(Verbs::PULL)
            {
                shown.push(Repository::new(id, account.clone(), life, details));
            }
        }
        if which == Which::Listed {
            let keys: Vec<_> = shown.iter().map(|one| Key::Listed { name: one.name.as_str() }).collect();
            let mut listed = self.store().get_many(&keys).await?.into_iter().map(|entry| entry.is_some());
            shown.retain(|_| listed.next().unwrap_or_default());
        }
        Ok(shown)
    }

    /// What a user has permissions on; `None` for an account itself, which has all.
    pub(crate) async fn permitted_to(&self, p: &Principal, least: Level) -> Result<Option<Permitted>, Error> {
        match p.subject()?.user_id() {
            Some(user) => self.permitted(user, least).await.map(Some),
            None => Ok(None),
        }
    }
}

/// `None`: the account itself, which sees all.
pub(crate) fn permits(
    permitted: Option<&Permitted>,
    namespace: NamespaceId,
    repository: RepositoryId,
) -> bool {
    permitted.is_none_or(|permitted| permitted.cover(namespace, repository))
}

/// A walk over the names of an account's repositories.
struct Names<'a> {
    auth: &'a Auth,
    permitted: Option<Permitted>,
    /// Namespaces whose names come next, the first of them after a path.
    waiting: VecDeque<(NamespaceName, NamespaceId, String)>,
    /// Where more namespaces lie; none for a walk in one alone.
    namespaces: Option<(kv::Id, Rows)>,
    /// The namespace in which it is.
    within: Option<(NamespaceName, NamespaceId, Rows)>,
    /// What was read of it and not yet answered.
    read: VecDeque<NamedRepository>,
    rows_left: usize,
}

impl<'a> Names<'a> {
    async fn of(
        auth: &'a Auth,
        p: &Principal,
        least: Level,
        (namespace, after): (Option<&NamespaceName>, Option<&str>),
        rows_max: usize,
    ) -> Result<Names<'a>, Error> {
        let account = p.subject()?.account.raw();
        let (after_namespace, after_path) = after.unwrap_or_default().split_once('/').unwrap_or_default();
        let mut names = Names {
            auth,
            permitted: auth.permitted_to(p, least).await?,
            waiting: VecDeque::new(),
            namespaces: None,
            within: None,
            read: VecDeque::new(),
            rows_left: rows_max,
        };
        if let Some(name) = namespace {
            let id = auth.visible_namespace(p, name).await?.id;
            // A name from another namespace is a place before or after this one's list.
            match name.as_str().cmp(after_namespace) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => {
                    names.waiting.push_back((name.clone(), id, after_path.to_owned()))
                }
                std::cmp::Ordering::Greater => names.waiting.push_back((name.clone(), id, String::new())),
            }
            return Ok(names);
        }
        let key = Key::NamespaceOf { account, name: after_namespace };
        // What is no name stands for no namespace, only for a place between two.
        if let Ok(name) = NamespaceName::parse(after_namespace)
            && let Some(first) = auth.store().get::<NamespaceId>(key).await?
        {
            names.waiting.push_back((name, first.value, after_path.to_owned()));
        }
        names.namespaces = Some((account, Rows::new(key.siblings_after(auth.region()))));
        Ok(names)
    }

    /// All that `wants` wants.
    async fn all(mut self, wants: impl Fn(&NamedRepository) -> bool) -> Result<Vec<NamedRepository>, Error> {
        let mut found = Vec::new();
        loop {
            let page = self.next(RECORDS_AT_ONCE).await?;
            if page.is_empty() {
                return Ok(found);
            }
            found.extend(page.into_iter().filter(&wants));
        }
    }

    /// The next names, `limit` at most; none at the end.
    async fn next(&mut self, limit: usize) -> Result<Vec<NamedRepository>, Error> {
        while self.read.is_empty() {
            if self.within.is_none() && !self.enters().await? {
                break;
            }
            self.reads().await?;
        }
        let some = self.read.len().min(limit);
        Ok(self.read.drain(..some).collect())
    }

    /// Goes into the next namespace; whether there is one.
    async fn enters(&mut self) -> Result<bool, Error> {
        if let Some((account, rows)) = self.namespaces.as_mut().filter(|_| self.waiting.is_empty()) {
            let (key, region) = (Key::NamespaceOf { account: *account, name: "" }, self.auth.region());
            for (encoded, entry) in rows.next(self.auth).await? {
                let name = NamespaceName::parse(text(key, region, &encoded)?).map_err(corrupt)?;
                self.waiting.push_back((name, decode::<NamespaceId>(key, &entry)?.value, String::new()));
            }
        }
        let Some((name, id, after)) = self.waiting.pop_front() else { return Ok(false) };
        let key = Key::RepositoryName { namespace: id.raw(), path: &after };
        let rows = Rows::at_most(key.siblings_after(self.auth.region()), self.rows_left);
        self.within = Some((name, id, rows));
        Ok(true)
    }

    /// Reads some rows of the namespace, and leaves it at its end.
    async fn reads(&mut self) -> Result<(), Error> {
        let Some((name, namespace, rows)) = &mut self.within else { return Ok(()) };
        let page = rows.next(self.auth).await?;
        self.rows_left = rows.left;
        let is_end = page.is_empty();
        for (encoded, entry) in page {
            let key = Key::RepositoryName { namespace: namespace.raw(), path: "" };
            let path = text(key, self.auth.region(), &encoded)?;
            let held = decode::<NameRecord>(key, &entry)?.value.held().map(RepositoryId::from);
            let Some(id) = held.filter(|id| permits(self.permitted.as_ref(), *namespace, *id)) else {
                continue;
            };
            let name = RepositoryName::parse(&format!("{}/{path}", name.as_str())).map_err(corrupt)?;
            self.read.push_back(NamedRepository { name, id });
        }
        if is_end {
            self.within = None;
        }
        Ok(())
    }
}

fn corrupt(error: impl std::fmt::Display) -> Error {
    kv::Error::Corrupt { what: format!("a name in a list of repositories: {error}") }.into()
}
