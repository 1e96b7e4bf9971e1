//! May it? The one place where rights, a personal token's scope and an access token's grants meet, and where a
//! [`Permit`] is made.
//!
//! What is answered follows the rights that are held now, so that an answer never tells of something that the caller
//! may not know: nobody signed in and not public is always "sign in"; what is visible is "forbidden"; all else is "not
//! found", the same for what exists and what does not. Only who holds a right hears that a token lacks it.

use jiff::Timestamp;
use oci::RepositoryName;

use crate::access_tokens::{Bound, Named};
use crate::accounts::administrator;
use crate::permit::{Found, PermitShare};
use crate::rights::{Basis, Standing};
use crate::scope::{Scope, Verbs};
use crate::{
    Action, Auth, Denied, Error, Level, Permit, Principal, PushAccess, RepositoryId, Vacancy, Visibility,
};

/// What an access token may carry for a name, apart from what was asked for.
pub(crate) struct Grantable {
    pub(crate) verbs: Verbs,
    pub(crate) bound: Bound,
    pub(crate) deadline: Option<Timestamp>,
}

impl Auth {
    /// The permit to do `action` with the repository `name`.
    ///
    /// # Errors
    /// [`Denied`], each variant as it says.
    pub async fn authorize(
        &self,
        principal: &Principal,
        name: &RepositoryName,
        action: Action,
        now: Timestamp,
    ) -> Result<Permit, Denied> {
        let standing = self.standing(principal, name, now).await?;
        match &standing.repository {
            Some(found) => {
                let permit = permit(principal, found, standing.basis, action);
                if let Err(Denied::Forbidden | Denied::NotFound) = permit {
                    self.note_refusal(principal, name, &standing, action, now);
                }
                permit
            }
            None if sees_vacancy(principal, name, &standing) => Err(Denied::Vacant),
            None => Err(unseen(principal)),
        }
    }

    /// Lets administrators by: what is about the whole registry is theirs alone.
    ///
    /// # Errors
    /// [`Error::Forbidden`]; [`Error::Unauthenticated`] for nobody.
    pub fn authorize_administration(&self, principal: &Principal) -> Result<(), Error> {
        administrator(principal).map(drop)
    }

    /// The permit to push to `name`, or the right to bring that repository into being.
    ///
    /// # Errors
    /// [`Denied`], each variant as it says.
    pub async fn authorize_push(
        &self,
        principal: &Principal,
        name: &RepositoryName,
        now: Timestamp,
    ) -> Result<PushAccess, Denied> {
        let standing = self.standing(principal, name, now).await?;
        let access = push_access(principal, name, &standing);
        if let Err(Denied::Forbidden | Denied::NotFound) = access {
            self.note_refusal(principal, name, &standing, Action::Push, now);
        }
        access
    }

    /// The permit to read `repository` as the source of a mount that names none: by the rights held now, within a
    /// personal token's scope, whatever an access token carries (its scope names the target alone).
    ///
    /// # Errors
    /// As the store.
    pub async fn authorize_source(
        &self,
        principal: &Principal,
        repository: RepositoryId,
        now: Timestamp,
    ) -> Result<Option<Permit>, Error> {
        let Some((found, basis)) = self.rights_by_id(principal, repository, now).await? else {
            return Ok(None);
        };
        let may = holds(principal, &found, basis, Action::Pull);
        Ok(may.then(|| make(principal, &found, basis, Action::Pull)))
    }

    /// Whether `permit` would be given again, and reach as far: asked while a long body streams. An access token's grants
    /// are not looked at again: they were good when the request began.
    ///
    /// # Errors
    /// As the store.
    pub async fn still_open(&self, permit: &Permit, now: Timestamp) -> Result<bool, Error> {
        if !self.still_good(&permit.principal, now).await? {
            return Ok(false);
        }
        let rights = self.rights_by_id(&permit.principal, permit.repository, now).await?;
        Ok(rights.is_some_and(|(found, basis)| {
            holds(&permit.principal, &found, basis, permit.action) && basis.scope().covers(&permit.scope)
        }))
    }

    /// What a token for `principal` may carry for `name`; `None`: nothing.
    pub(crate) async fn grantable(
        &self,
        principal: &Principal,
        name: &RepositoryName,
        now: Timestamp,
    ) -> Result<Option<Grantable>, Error> {
        let standing = self.standing(principal, name, now).await?;
        if let Some(found) = &standing.repository {
            let left = verbs_left(principal, found);
            let public = if is_public(found) { Verbs::PULL } else { Verbs::NONE };
            let verbs = (standing.basis.verbs() & left) | public;
            let deadline = standing.basis.deadline();
            return Ok(Some(Grantable { verbs, bound: Bound::Repository(found.id), deadline }));
        }
        let Some(namespace) = standing.namespace.as_ref().filter(|_| standing.may_create()) else {
            return Ok(None);
        };
        let left = principal.verbs_left(name, namespace.id, None);
        // Once the first push has made the repository, the same token goes on with it.
        let verbs = standing.namespace_level.map_or(Verbs::NONE, |level| Basis::Level(level).verbs()) & left;
        let names_epoch = namespace.record.value.names_epoch;
        let bound = Bound::Vacancy { namespace: namespace.id, names_epoch };
        Ok(Some(Grantable { verbs, bound, deadline: None }))
    }
}

/// The decision about a push, once the standing is known.
pub(crate) fn push_access(
    principal: &Principal,
    name: &RepositoryName,
    standing: &Standing,
) -> Result<PushAccess, Denied> {
    if let Some(found) = &standing.repository {
        return permit(principal, found, standing.basis, Action::Push).map(PushAccess::Existing);
    }
    let Some(namespace) = &standing.namespace else { return Err(unseen(principal)) };
    let left = principal.verbs_left(name, namespace.id, None);
    if !standing.may_create() || !left.contains(Verbs::PUSH) {
        let sees = sees_vacancy(principal, name, standing);
        return Err(if sees { Denied::Forbidden } else { unseen(principal) });
    }
    carried(principal, Named::vacancy(name, namespace), Action::Push)?;
    Ok(PushAccess::Vacant(Vacancy {
        principal: principal.clone(),
        name: name.clone(),
        namespace: namespace.id,
    }))
}

/// Whether the principal would see the repository, if there were one of the name.
fn sees_vacancy(principal: &Principal, name: &RepositoryName, standing: &Standing) -> bool {
    let Some(namespace) = &standing.namespace else { return false };
    let left = principal.verbs_left(name, namespace.id, None);
    standing.namespace_level.is_some_and(|level| level >= Level::Read) && left.contains(Verbs::PULL)
}

/// The decision about a repository that exists.
pub(crate) fn permit(
    principal: &Principal,
    found: &Found,
    basis: Basis,
    action: Action,
) -> Result<Permit, Denied> {
    if !holds(principal, found, basis, action) {
        let sees = holds(principal, found, basis, Action::Pull);
        return Err(if sees && !principal.is_anonymous() { Denied::Forbidden } else { unseen(principal) });
    }
    carried(principal, Named::repository(found), action)?;
    Ok(make(principal, found, basis, action))
}

/// Whether the right is held, within the scope of the personal token that it is exercised with. What is public is
/// read by anybody, so no scope takes that away.
fn holds(principal: &Principal, found: &Found, basis: Basis, action: Action) -> bool {
    let public = action == Action::Pull && is_public(found);
    public || (basis.allows(action) && verbs_left(principal, found).contains(action.into()))
}

fn verbs_left(principal: &Principal, found: &Found) -> Verbs {
    let life = &found.life.value;
    principal.verbs_left(&life.name, life.namespace, Some(found.id))
}

fn is_public(found: &Found) -> bool {
    found.life.value.visibility == Visibility::Public && !found.owner.closed
}

/// Whether the access token, if it came with one, carries what it is used for.
fn carried(principal: &Principal, named: Named<'_>, action: Action) -> Result<(), Denied> {
    let Some(grants) = &principal.grants else { return Ok(()) };
    let needed = match action {
        Action::Push => Verbs::PULL | Verbs::PUSH,
        // What no access token carries: a new one would not help.
        Action::Manage => return Err(Denied::Forbidden),
        other => other.into(),
    };
    if grants.carry(named, action.into()) {
        return Ok(());
    }
    Err(Denied::InsufficientScope {
        needed: vec![Scope::Repository { name: named.name.clone(), verbs: needed }],
    })
}

fn make(principal: &Principal, found: &Found, basis: Basis, action: Action) -> Permit {
    let life = &found.life.value;
    let ends = [basis.deadline(), principal.credential_ends_at];
    let pushes = holds(principal, found, basis, Action::Push)
        && carried(principal, Named::repository(found), Action::Push).is_ok();
    Permit {
        principal: principal.clone(),
        repository: found.id,
        namespace: life.namespace,
        owner: life.owner,
        name: life.name.clone(),
        action,
        share: basis.share().map(|id| PermitShare {
            id,
            deadline: basis.deadline(),
            owner: found.owner.name.clone(),
        }),
        scope: basis.scope(),
        not_after: ends.into_iter().flatten().min(),
        allows_push: pushes,
    }
}

/// The answer about what the principal may not know of.
fn unseen(principal: &Principal) -> Denied {
    if principal.is_anonymous() { Denied::Unauthenticated } else { Denied::NotFound }
}
