//! Access and refresh tokens: JSON Web Tokens signed with ES256 by this service, for this service alone.
//!
//! Of a token's header only `alg`, `typ` and `kid` may be there, and they choose among our own keys; whatever else a
//! header offers (`jwk`, `jku`, `x5c`, another algorithm) makes the token refused. The times are checked here, against
//! `now`, without leeway.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, Header, Validation};
use oci::RepositoryName;
use serde::{Deserialize, Serialize};

use crate::permit::Found;
use crate::records::RepositoryLife;
use crate::rights::FoundNamespace;
use crate::scope::{SCOPES_MAX, Scope, ScopeRequest, Verbs};
use crate::{
    AccessKeyId, Auth, AuthenticationError, Error, NamespaceId, Principal, PrincipalId, RepositoryId, Secret,
    TokenId,
};

/// The longest token that is looked at, in bytes.
const TOKEN_BYTES_MAX: usize = 32 << 10;
/// A token with less than this before it is not given: clients round its life down, and take 0 for eternal.
const LIFE_MIN: SignedDuration = SignedDuration::from_secs(1);
const REFRESH_TOKEN_PREFIX: &str = "gp_ref_";

/// A token for `/v2/`.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// Its life in whole seconds, rounded down; at least 1.
    pub expires_in_seconds: u64,
    /// What was granted of what was asked for.
    pub granted: Vec<Scope>,
}

/// What an access token grants.
#[derive(Debug, Clone)]
pub(crate) struct Grants(Arc<Claims>);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Grant {
    Repository { name: RepositoryName, actions: Verbs, bound: Bound },
    Registry { name: String, actions: Vec<String> },
}

/// What a grant holds for, beside the name: a name that was given anew opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Bound {
    /// The repository that had the name.
    Repository(RepositoryId),
    /// No repository had it: the first that comes to have it in this namespace. One that was made after a deletion in
    /// the namespace has another epoch.
    Vacancy {
        /// The namespace.
        namespace: NamespaceId,
        /// Its `names_epoch`.
        names_epoch: u64,
    },
}

/// What has a name now: what a grant is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) name: &'a RepositoryName,
    pub(crate) namespace: NamespaceId,
    /// In which the repository was made, or would be.
    pub(crate) names_epoch: u64,
    /// `None`: no repository.
    pub(crate) repository: Option<RepositoryId>,
}

impl<'a> Named<'a> {
    pub(crate) fn vacancy(name: &'a RepositoryName, within: &FoundNamespace) -> Named<'a> {
        let names_epoch = within.record.value.names_epoch;
        Named { name, namespace: within.id, names_epoch, repository: None }
    }

    pub(crate) fn repository(found: &'a Found) -> Named<'a> {
        let RepositoryLife { name, namespace, names_epoch, .. } = &*found.life.value;
        Named { name, namespace: *namespace, names_epoch: *names_epoch, repository: Some(found.id) }
    }
}

/// What a token is for. One of a kind never stands in for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Purpose {
    Access,
    Refresh,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    iss: String,
    aud: String,
    sub: String,
    region: String,
    purpose: Purpose,
    iat: i64,
    nbf: i64,
    exp: i64,
    #[serde(default)]
    access: Vec<Grant>,
    /// Absent: nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) holder: Option<Holder>,
}

/// Whom a token was issued to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holder {
    #[serde(flatten)]
    pub(crate) id: PrincipalId,
    pub(crate) credential_version: u64,
    /// The personal token that it was bought with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) personal_token: Option<TokenId>,
    /// The access key that it hangs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) access_key: Option<AccessKeyId>,
}

/// The only header that is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StrictHeader {
    alg: String,
    typ: String,
    kid: String,
}

impl Bound {
    fn holds_for(self, named: Named<'_>) -> bool {
        match self {
            Bound::Repository(id) => named.repository == Some(id),
            Bound::Vacancy { namespace, names_epoch } => {
                namespace == named.namespace && names_epoch == named.names_epoch
            }
        }
    }
}

impl Grants {
    pub(crate) fn of(claims: Arc<Claims>) -> Grants {
        Grants(claims)
    }

    /// Whether they carry `verb` for `named`.
    pub(crate) fn carry(&self, named: Named<'_>, verb: Verbs) -> bool {
        let verbs = self.0.access.iter().fold(Verbs::NONE, |verbs, grant| match grant {
            Grant::Repository { name, actions, bound } if name == named.name && bound.holds_for(named) => {
                verbs | *actions
            }
            _ => verbs,
        });
        verbs.contains(verb)
    }

    /// Whether they carry the list of repositories.
    pub(crate) fn carry_catalog(&self) -> bool {
        self.0.access.iter().any(|grant| matches!(grant, Grant::Registry { name, .. } if name == "catalog"))
    }
}

impl Claims {
    /// The name of its holder when it was issued.
    pub(crate) fn name(&self) -> &str {
        &self.sub
    }

    /// The end of its life.
    pub(crate) fn expires_at(&self) -> Option<Timestamp> {
        Timestamp::from_second(self.exp).ok()
    }
}

impl Auth {
    /// A token for `principal`, carrying what it holds of what is `requested`: perhaps nothing, never an error for
    /// that. It ends no later than anything that it rests on: a share's deadline, a personal token.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when the credential ends within a second, [`Error::Forbidden`] when the principal
    /// came with an access token: one buys no other; else as the store.
    pub async fn issue_access_token(
        &self,
        principal: &Principal,
        requested: &[ScopeRequest],
        now: Timestamp,
    ) -> Result<AccessToken, Error> {
        if principal.grants.is_some() {
            return Err(Error::Forbidden);
        }
        let mut ends_at =
            earliest(after(now, self.settings().access_token_ttl), principal.credential_ends_at);
        let (mut grants, mut granted) = (Vec::new(), Vec::new());
        for request in requested.iter().take(SCOPES_MAX) {
            let ScopeRequest::Repository { name, verbs } = request else {
                grants.push(Grant::Registry { name: "catalog".to_owned(), actions: vec!["*".to_owned()] });
                granted.push(Scope::Catalog);
                continue;
            };
            let Some(grantable) = self.grantable(principal, name, now).await? else { continue };
            let actions = grantable.verbs & *verbs & Verbs::REGISTRY;
            let lasts = grantable.deadline.is_none_or(|deadline| life_in_seconds(now, deadline).is_some());
            if !actions.is_empty() && lasts {
                ends_at = earliest(ends_at, grantable.deadline);
                grants.push(Grant::Repository { name: name.clone(), actions, bound: grantable.bound });
                granted.push(Scope::Repository { name: name.clone(), verbs: actions });
            }
        }
        let expires_in_seconds = life_in_seconds(now, ends_at).ok_or(Error::Unauthenticated)?;
        let token = self.sign(principal, Purpose::Access, grants, now, ends_at)?;
        self.note_access_token(principal, &granted, now);
        Ok(AccessToken { token: Secret::new(token), expires_in_seconds, granted })
    }

    /// A token that stands for the principal's credential when access tokens are asked for, until the credential
    /// changes. Reusable.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for nobody or when the credential ends within a second, [`Error::Forbidden`] when
    /// the principal came with an access token.
    pub async fn issue_refresh_token(&self, principal: &Principal, now: Timestamp) -> Result<Secret, Error> {
        principal.subject()?;
        if principal.grants.is_some() {
            return Err(Error::Forbidden);
        }
        let ends_at = earliest(after(now, self.settings().refresh_token_ttl), principal.credential_ends_at);
        life_in_seconds(now, ends_at).ok_or(Error::Unauthenticated)?;
        let token = self.sign(principal, Purpose::Refresh, Vec::new(), now, ends_at)?;
        self.note_refresh_token(principal, now);
        Ok(Secret::new(format!("{REFRESH_TOKEN_PREFIX}{token}")))
    }

    fn sign(
        &self,
        principal: &Principal,
        purpose: Purpose,
        access: Vec<Grant>,
        now: Timestamp,
        ends_at: Timestamp,
    ) -> Result<String, Error> {
        let (kid, key) =
            self.signing_keys().signing().ok_or_else(|| Error::crypto("there is no signing key"))?;
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(kid.to_owned());
        let holder = principal.subject.as_ref().map(|subject| Holder {
            id: PrincipalId { account: subject.account, user: subject.user_id() },
            credential_version: subject.credential_version,
            personal_token: principal.personal_token.as_ref().map(|token| token.id),
            access_key: principal.access_key.clone(),
        });
        let claims = Claims {
            iss: self.settings().service.clone(),
            aud: self.settings().service.clone(),
            sub: principal.name(),
            region: self.region().to_string(),
            purpose,
            iat: now.as_second(),
            nbf: now.as_second(),
            exp: ends_at.as_second(),
            access,
            holder,
        };
        jsonwebtoken::encode(&header, &claims, key).map_err(Error::crypto)
    }

    /// The claims of a token that we signed, for us, for this region and `purpose`, and that has begun. Whether it has
    /// ended is the caller's question.
    ///
    /// # Errors
    /// [`AuthenticationError::Rejected`].
    pub(crate) fn verify_token(
        &self,
        token: &str,
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Arc<Claims>, AuthenticationError> {
        let short = token.len() <= TOKEN_BYTES_MAX;
        let claims = short.then(|| self.verified_tokens().claims(token, || self.verified_claims(token)));
        let claims = claims.flatten().ok_or(AuthenticationError::Rejected)?;
        let service = &self.settings().service;
        let ours = claims.iss == *service && claims.aud == *service;
        let here = claims.region == self.region().as_str();
        let begun = Timestamp::from_second(claims.nbf).is_ok_and(|begin| begin <= now);
        if ours && here && begun && claims.purpose == purpose {
            Ok(claims)
        } else {
            Err(AuthenticationError::Rejected)
        }
    }

    fn verified_claims(&self, token: &str) -> Option<Claims> {
        let (header, _) = token.split_once('.')?;
        let header: StrictHeader = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        if header.alg != "ES256" || header.typ != "JWT" {
            return None;
        }
        let key = self.signing_keys().verifying(&header.kid)?;
        let mut only_signature = Validation::new(Algorithm::ES256);
        only_signature.required_spec_claims.clear();
        only_signature.validate_exp = false;
        only_signature.validate_aud = false;
        jsonwebtoken::decode::<Claims>(token, key, &only_signature).ok().map(|data| data.claims)
    }
}

/// The token within a refresh token.
pub(crate) fn refresh_jwt(token: &Secret) -> Option<&str> {
    token.reveal().strip_prefix(REFRESH_TOKEN_PREFIX)
}

/// A life that would end beyond all time ends with it.
fn after(now: Timestamp, life: Duration) -> Timestamp {
    now.checked_add(life).unwrap_or(Timestamp::MAX)
}

fn earliest(instant: Timestamp, other: Option<Timestamp>) -> Timestamp {
    other.map_or(instant, |other| instant.min(other))
}

/// The whole seconds from `now` until a token that ends at `ends_at` does, in a token's whole seconds; `None` when
/// there is not one.
fn life_in_seconds(now: Timestamp, ends_at: Timestamp) -> Option<u64> {
    let ends_at = Timestamp::from_second(ends_at.as_second()).ok()?;
    let life = ends_at.duration_since(now);
    if life >= LIFE_MIN { u64::try_from(life.as_secs()).ok() } else { None }
}
