//! What a personal token is narrowed to: patterns of names, each bound to the ids that the names stood for when the
//! token was made. A name that was given anew opens nothing for it.

use jiff::Timestamp;
use oci::RepositoryName;
use serde::{Deserialize, Serialize};

use crate::scope::{Names, ScopePattern, Verbs};
use crate::{Action, Auth, Error, NamespaceId, Principal, RepositoryId, Thing};

/// A pattern, and what it is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundPattern {
    /// The pattern, by names.
    pub pattern: ScopePattern,
    /// The namespace of its names.
    pub namespace: NamespaceId,
    /// The repository, when it names one.
    #[serde(default)]
    pub repository: Option<RepositoryId>,
}

impl BoundPattern {
    /// The verbs that it leaves for what now has the name `name`.
    pub(crate) fn allows(
        &self,
        name: &RepositoryName,
        namespace: NamespaceId,
        repository: Option<RepositoryId>,
    ) -> Verbs {
        let same =
            self.namespace == namespace && (self.repository.is_none() || self.repository == repository);
        if same { self.pattern.allows(name) } else { Verbs::NONE }
    }
}

impl Auth {
    /// Binds `pattern` to what its names stand for now.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what `p` may not see too.
    pub(crate) async fn bind(
        &self,
        p: &Principal,
        pattern: ScopePattern,
        now: Timestamp,
    ) -> Result<BoundPattern, Error> {
        let (namespace, repository) = match pattern.names() {
            Names::One(name) => match self.authorize(p, name, Action::Pull, now).await.map_err(Error::from) {
                // Of something that is there and may not be pulled, no token shall say that it is there.
                Err(Error::Forbidden) => return Err(Error::NotFound { what: Thing::Repository }),
                permit => permit.map(|permit| (permit.namespace(), Some(permit.repository())))?,
            },
            Names::Namespace(name) => (self.visible_namespace(p, name).await?.id, None),
        };
        Ok(BoundPattern { pattern, namespace, repository })
    }
}
