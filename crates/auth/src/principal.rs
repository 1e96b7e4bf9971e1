//! Who asks. A [`Principal`] is made for one request, from the live state, and narrows to what its credential carries.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use oci::RepositoryName;

use crate::access_tokens::Grants;
use crate::narrowing::BoundPattern;
use crate::scope::Verbs;
use crate::{
    AccessKeyId, AccountId, AccountName, Error, NamespaceId, RepositoryId, TokenId, UserId, UserName,
};

/// Who asks, and how far the credential reaches. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Principal {
    pub(crate) subject: Option<Arc<Subject>>,
    /// The personal token that it came with, straight or by way of a token bought with it.
    pub(crate) personal_token: Option<Arc<PersonalTokenGrip>>,
    /// The access key that it came with, straight or by way of what was made or bought with it.
    pub(crate) access_key: Option<AccessKeyId>,
    /// What an access token grants; `None`: the principal did not come with one.
    pub(crate) grants: Option<Grants>,
    /// The end of what it came with, other than an access token.
    pub(crate) credential_ends_at: Option<Timestamp>,
    /// Where the request comes from, if that is known: for the audit trail, never for a decision about rights.
    pub(crate) address: Option<IpAddr>,
}

/// An account, or a user of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) account: AccountId,
    pub(crate) account_name: AccountName,
    pub(crate) administrator: bool,
    pub(crate) user: Option<(UserId, UserName)>,
    /// The version of the credential, an account's or a user's, that it was found under.
    pub(crate) credential_version: u64,
}

/// A personal token, as a principal holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PersonalTokenGrip {
    pub(crate) id: TokenId,
    pub(crate) scope: Option<Vec<BoundPattern>>,
    /// Whether it is a login for the registry protocol alone.
    pub(crate) registry_only: bool,
    pub(crate) expires_at: Timestamp,
}

impl Principal {
    /// Nobody.
    #[must_use]
    pub fn anonymous() -> Principal {
        Principal {
            subject: None,
            personal_token: None,
            access_key: None,
            grants: None,
            credential_ends_at: None,
            address: None,
        }
    }

    /// An account or user with a credential that is not narrowed.
    pub(crate) fn whole(subject: Subject) -> Principal {
        Principal { subject: Some(Arc::new(subject)), ..Principal::anonymous() }
    }

    pub(crate) fn with_personal_token(subject: Subject, token: PersonalTokenGrip) -> Principal {
        let ends_at = token.expires_at;
        Principal { personal_token: Some(Arc::new(token)), ..Principal::whole(subject) }.ending(ends_at)
    }

    /// The same, come with `access_key`, or with what hangs on it.
    pub(crate) fn holding(self, access_key: Option<AccessKeyId>) -> Principal {
        Principal { access_key, ..self }
    }

    /// The same, come with an access token that grants `grants`.
    pub(crate) fn granted(self, grants: Grants) -> Principal {
        Principal { grants: Some(grants), ..self }
    }

    /// The same, come with something that ends at `ends_at`.
    pub(crate) fn ending(self, ends_at: Timestamp) -> Principal {
        let earliest = self.credential_ends_at.map_or(ends_at, |end| end.min(ends_at));
        Principal { credential_ends_at: Some(earliest), ..self }
    }

    /// The same, come from this address. An IPv4 address in IPv6's clothes is taken for what it is.
    #[must_use]
    pub fn coming_from(self, address: Option<IpAddr>) -> Principal {
        Principal { address: address.map(|address| address.to_canonical()), ..self }
    }

    /// Where the request comes from, if that is known.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Whether it is nobody.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.subject.is_none()
    }

    /// The personal token that it came with, if it did.
    #[must_use]
    pub fn personal_token(&self) -> Option<TokenId> {
        self.personal_token.as_ref().map(|token| token.id)
    }

    /// The end of what it came with, other than an access token, if that has one.
    #[must_use]
    pub fn credential_ends_at(&self) -> Option<Timestamp> {
        self.credential_ends_at
    }

    /// The account.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        self.subject.as_ref().map(|subject| subject.account)
    }

    /// The account's name.
    #[must_use]
    pub fn account_name(&self) -> Option<&AccountName> {
        self.subject.as_ref().map(|subject| &subject.account_name)
    }

    /// The user, if it is one and not the account itself.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        self.subject.as_ref().and_then(|subject| subject.user.as_ref()).map(|(id, _)| *id)
    }

    /// The user's name within the account.
    #[must_use]
    pub fn user_name(&self) -> Option<&UserName> {
        self.subject.as_ref().and_then(|subject| subject.user.as_ref()).map(|(_, name)| name)
    }

    /// The name it signs in with: `acme`, `dev@acme`; `anonymous` for nobody.
    #[must_use]
    pub fn name(&self) -> String {
        self.subject.as_ref().map_or_else(|| "anonymous".to_owned(), |subject| subject.name())
    }

    /// Whether it manages accounts and their users: an account that administers, signed in as itself with a credential
    /// that is not narrowed.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        !self.is_narrowed() && self.subject.as_ref().is_some_and(|s| s.administrator && s.user.is_none())
    }

    /// Whether `self` and `other` are the same account or user, with whatever credential. Nobody is not even itself.
    #[must_use]
    pub fn same_as(&self, other: &Principal) -> bool {
        self.id().is_some() && self.id() == other.id()
    }

    /// The account and user, in a form that a record can hold.
    #[must_use]
    pub fn id(&self) -> Option<PrincipalId> {
        Some(PrincipalId { account: self.account()?, user: self.user() })
    }

    /// Whether its credential reaches less far than its owner: a personal token with a scope, a temporary login for
    /// docker, an access token.
    #[must_use]
    pub fn is_narrowed(&self) -> bool {
        let narrows = |token: &PersonalTokenGrip| token.scope.is_some() || token.registry_only;
        self.grants.is_some() || self.personal_token.as_deref().is_some_and(narrows)
    }

    /// The subject.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for nobody.
    pub(crate) fn subject(&self) -> Result<&Subject, Error> {
        self.subject.as_deref().ok_or(Error::Unauthenticated)
    }

    /// The subject, for what no narrowed credential does: accounts, users, namespaces, new tokens.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for nobody, [`Error::Forbidden`] when it is narrowed.
    pub(crate) fn whole_subject(&self) -> Result<&Subject, Error> {
        let subject = self.subject()?;
        if self.is_narrowed() { Err(Error::Forbidden) } else { Ok(subject) }
    }

    /// Whether its credential touches `namespace`: to all others of its account's a narrowed one is a stranger.
    pub(crate) fn reaches_into(&self, namespace: NamespaceId) -> bool {
        let scope = self.personal_token.as_ref().and_then(|token| token.scope.as_ref());
        self.grants.is_none()
            && scope.is_none_or(|scope| scope.iter().any(|bound| bound.namespace == namespace))
    }

    /// What its personal token leaves of the rights on what now has the name `name`: this repository, or none yet, in
    /// this namespace.
    pub(crate) fn verbs_left(
        &self,
        name: &RepositoryName,
        namespace: NamespaceId,
        repository: Option<RepositoryId>,
    ) -> Verbs {
        let Some(token) = &self.personal_token else { return Verbs::ALL };
        let whole = if token.registry_only { Verbs::REGISTRY } else { Verbs::ALL };
        match &token.scope {
            Some(scope) => scope
                .iter()
                .fold(Verbs::NONE, |verbs, pattern| verbs | pattern.allows(name, namespace, repository)),
            None => whole,
        }
    }
}

impl Subject {
    pub(crate) fn name(&self) -> String {
        match &self.user {
            Some((_, user)) => format!("{user}@{}", self.account_name),
            None => self.account_name.to_string(),
        }
    }

    pub(crate) fn user_id(&self) -> Option<UserId> {
        self.user.as_ref().map(|(id, _)| *id)
    }
}

/// An account, or a user of one, by their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct PrincipalId {
    /// The account.
    pub account: AccountId,
    /// Its user; `None`: the account itself.
    pub user: Option<UserId>,
}

impl PrincipalId {
    /// The field `user` of keys that lead to what an account or a user holds: the least id, which nobody has, stands for
    /// the account itself.
    pub(crate) fn user_field(self) -> kv::Id {
        self.user.map_or(kv::Id::MIN, UserId::raw)
    }
}
