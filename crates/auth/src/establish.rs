//! How a repository comes into being, in one commit: private, with its first accepted push, or by request.

use jiff::Timestamp;
use kv::{Key, Outcome, Transaction};
use oci::RepositoryName;

use crate::attempts::ATTEMPTS_MAX;
use crate::authorize::push_access;
use crate::records::{NameRecord, RepositoryLife};
use crate::rights::FoundNamespace;
use crate::{
    Actor, Auth, Denied, Error, Event, EventKind, Permit, Principal, PushAccess, RepositoryId, Vacancy,
    Visibility,
};

impl Auth {
    /// Makes the repository of `vacancy`, private, and answers the permit to push to it. If somebody else was faster,
    /// it is the permit for that one. The credential and the right are looked up again: what was revoked meanwhile makes
    /// nothing.
    ///
    /// # Errors
    /// [`Denied`]; [`Error::Limit`] in it when the namespace is full.
    pub async fn establish(&self, vacancy: Vacancy, now: Timestamp) -> Result<Permit, Denied> {
        let Vacancy { principal, name, namespace } = vacancy;
        if !self.still_good(&principal, now).await? {
            return Err(Denied::Unauthenticated);
        }
        for _ in 0..ATTEMPTS_MAX {
            let standing = self.standing(&principal, &name, now).await?;
            match push_access(&principal, &name, &standing)? {
                PushAccess::Existing(permit) => return Ok(permit),
                // The name is another namespace's by now, which the client has not asked for.
                PushAccess::Vacant(found) if found.namespace != namespace => return Err(Denied::NotFound),
                PushAccess::Vacant(_) => {}
            }
            let Some(namespace) = &standing.namespace else { return Err(Denied::NotFound) };
            let mut transaction = self.store().transaction();
            self.create(&mut transaction, namespace, &name, Visibility::Private, (&principal, now))?;
            match self.store().commit(transaction).await? {
                // Either way it is found in the next round, with whatever else holds by then.
                Outcome::Committed | Outcome::Conflict => tokio::task::yield_now().await,
                Outcome::OutOfBounds { .. } => return Err(Denied::Failed(self.too_many_repositories())),
            }
        }
        Err(Denied::Failed(Error::Busy))
    }

    /// Adds to `transaction` all that makes the repository `name` in `namespace`. It conflicts when the name is taken
    /// or the namespace changes, and leaves the counter's bounds when the namespace is full.
    pub(crate) fn create(
        &self,
        transaction: &mut Transaction,
        namespace: &FoundNamespace,
        name: &RepositoryName,
        visibility: Visibility,
        (principal, now): (&Principal, Timestamp),
    ) -> Result<(RepositoryId, RepositoryLife), kv::Error> {
        let id = RepositoryId::random();
        let life = RepositoryLife {
            name: name.clone(),
            namespace: namespace.id,
            owner: namespace.record.value.account,
            visibility,
            sharing_epoch: 0,
            created_at: now,
            names_epoch: namespace.record.value.names_epoch,
        };
        let namespace_id = namespace.id.raw();
        let name_key = Key::RepositoryName { namespace: namespace_id, path: name.path() };
        let life_key = Key::Repository { repository: id.raw() };
        let count_key = Key::NamespaceRepositories { namespace: namespace_id };
        transaction
            .expect(Key::Namespace { namespace: namespace_id }, Some(namespace.record.version))
            .expect(name_key, None)
            .expect(life_key, None)
            .put(name_key, &NameRecord::Held(id.raw()))?
            .put(life_key, &life)?
            .add(count_key, 1, 0..=i64::from(self.settings().repositories_max));
        let event = |kind| Event::new(life.owner, kind, Actor::from(principal), name.to_string(), now);
        event(EventKind::RepositoryCreated).record(transaction)?;
        if visibility == Visibility::Public {
            transaction.put(Key::PublicName { name: name.as_str() }, &id)?;
            event(EventKind::RepositoryMadePublic).record(transaction)?;
        }
        Ok((id, life))
    }

    /// What is answered when a creation leaves the counter's bounds.
    pub(crate) fn too_many_repositories(&self) -> Error {
        Error::Limit { what: "repositories in a namespace", max: u64::from(self.settings().repositories_max) }
    }
}
