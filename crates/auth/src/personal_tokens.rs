//! Personal tokens: what an account or a user makes for itself, to sign in with in the password's place, for a while
//! and perhaps for a part of what it may do.
//!
//! The secret is shown once and kept nowhere; the store knows its SHA-256. A token made with another one ends no
//! later, and is revoked with it. A narrowed one makes none.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use kv::{Key, Transaction, decode};

use crate::credentials::{PERSONAL_TOKEN_PREFIX, personal_token_hash};
use crate::narrowing::BoundPattern;
use crate::records::{Credential, PersonalTokenPlace, PersonalTokenRecord};
use crate::scope::{PATTERNS_MAX, ScopePattern};
use crate::{
    AccountId, Auth, Description, Error, Event, EventDetail, EventKind, Principal, PrincipalId, Secret,
    Thing, TokenId, UserId,
};

const LIFE_MIN: Duration = Duration::from_secs(1);
/// The shortest and the longest life of a temporary login for docker.
const DOCKER_LOGIN_LIFE_MIN: Duration = Duration::from_secs(15 * 60);
const DOCKER_LOGIN_LIFE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What a new personal token shall be.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// For how long: from a second to the longest life that the settings allow.
    pub expires_in: Duration,
    /// What it is for.
    pub description: Description,
    /// What it is narrowed to: repositories and namespaces that the maker may see. `None`: to nothing.
    pub scope: Option<Vec<ScopePattern>>,
}

/// A personal token, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonalToken {
    /// Its id.
    pub id: TokenId,
    /// What it is for.
    pub description: Description,
    /// What it is narrowed to; `None`: nothing.
    pub scope: Option<Vec<ScopePattern>>,
    /// Whether it is a temporary login for docker, which manages nothing.
    pub registry_only: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// From this instant on it opens nothing.
    pub expires_at: Timestamp,
}

impl PersonalToken {
    fn new(id: TokenId, record: PersonalTokenRecord) -> PersonalToken {
        let PersonalTokenRecord { description, scope, registry_only, created_at, expires_at, .. } = record;
        let scope = scope.map(|scope| scope.into_iter().map(|bound| bound.pattern).collect());
        PersonalToken { id, description, scope, registry_only, created_at, expires_at }
    }
}

type Tokens = BTreeMap<TokenId, PersonalTokenRecord>;

/// What becomes of the tokens that were made with a revoked one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// They end too: whoever had the token may have made them.
    Ends,
    /// They stay until their own end: their maker only signs out.
    Stays,
}

impl Auth {
    /// Makes a personal token for the caller, and answers it with its secret.
    ///
    /// # Errors
    /// [`Error::Invalid`], [`Error::Limit`], [`Error::NotFound`] for a scope that names what the caller may not see,
    /// [`Error::Forbidden`] for who came with a narrowed credential.
    pub async fn create_personal_token(
        &self,
        p: &Principal,
        new: NewToken,
        now: Timestamp,
    ) -> Result<(PersonalToken, Secret), Error> {
        p.whole_subject()?;
        let expires_at = self.token_end(p, new.expires_in, now)?;
        let scope = self.token_scope(p, new.scope, now).await?;
        let (record, secret) = self.new_token(p, new.description, expires_at, now)?;
        let record = PersonalTokenRecord { scope, ..record };
        let token = self.until_done(|| self.try_create_token(p, &record, now)).await?;
        Ok((token, secret))
    }

    /// Makes a temporary login for docker, under the caller's own name: a personal token for the registry protocol alone,
    /// so that whoever finds it in a docker configuration manages nothing. It ends with what it was made with.
    ///
    /// # Errors
    /// [`Error::Invalid`] unless `expires_in` is 15 minutes to 24 hours, [`Error::Limit`], [`Error::Forbidden`] for who came
    /// with a narrowed credential.
    pub async fn create_docker_login(
        &self,
        p: &Principal,
        expires_in: Duration,
        now: Timestamp,
    ) -> Result<(PersonalToken, Secret), Error> {
        p.whole_subject()?;
        if !(DOCKER_LOGIN_LIFE_MIN..=DOCKER_LOGIN_LIFE_MAX).contains(&expires_in) {
            let (min, max) = (DOCKER_LOGIN_LIFE_MIN.as_secs(), DOCKER_LOGIN_LIFE_MAX.as_secs());
            let reason = format!("a temporary docker login lives from {min} to {max} seconds");
            return Err(Error::Invalid { field: "expires_in_seconds", reason });
        }
        let expires_at = ending_within(p, expires_in, now);
        let description = Description::parse("docker login")?;
        let (record, secret) = self.new_token(p, description, expires_at, now)?;
        let record = PersonalTokenRecord { registry_only: true, ..record };
        let token = self.until_done(|| self.try_create_token(p, &record, now)).await?;
        Ok((token, secret))
    }

    async fn try_create_token(
        &self,
        p: &Principal,
        record: &PersonalTokenRecord,
        now: Timestamp,
    ) -> Result<Option<PersonalToken>, Error> {
        let subject = p.subject()?;
        let (account, user) = (subject.account, subject.user_id());
        let mut tx = self.store().transaction();
        let holder = self.holder(p).await?;
        holder.touch(&mut tx);
        let tokens = self.tokens(account, user).await?;
        if let Some(parent) = record.made_with
            && !tokens.contains_key(&parent)
        {
            // It was revoked while this request was on its way.
            return Err(Error::Unauthenticated);
        }
        let (live, dead): (Tokens, Tokens) =
            tokens.into_iter().partition(|(_, token)| is_live(token, &holder.credential, now));
        let max = self.settings().personal_tokens_max;
        if live.len() >= max {
            return Err(Error::Limit { what: "personal tokens", max: max as u64 });
        }
        for (id, token) in &dead {
            remove_token(&mut tx, account, user, *id, token);
        }
        let place = PersonalTokenPlace { account, user, token: TokenId::random() };
        let hash_key = Key::PersonalTokenHash { hash: &record.hash };
        tx.expect(place.key(), None).put(place.key(), record)?;
        tx.expect(hash_key, None).put(hash_key, &place)?;
        token_event(&mut tx, account, EventKind::PersonalTokenCreated, p, place.token, now)?;
        self.finish(tx, PersonalToken::new(place.token, record.clone())).await
    }

    /// The caller's personal tokens that still open something, by id, those after `after`. Who came with a narrowed
    /// one sees that one alone.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`].
    pub async fn list_personal_tokens(
        &self,
        p: &Principal,
        after: Option<TokenId>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<PersonalToken>, Error> {
        let subject = p.subject()?;
        let holder = self.holder(p).await?;
        let tokens = self.tokens(subject.account, subject.user_id()).await?;
        let reach = reach(p, &tokens)?;
        let shown = tokens
            .into_iter()
            .filter(|(id, _)| after.is_none_or(|after| *id > after) && reach.contains(id))
            .filter(|(_, token)| is_live(token, &holder.credential, now))
            .map(|(id, token)| PersonalToken::new(id, token));
        Ok(shown.take(limit).collect())
    }

    /// Ends one of the caller's personal tokens, and as a rule all tokens and access keys that were made with it. Who came
    /// with a narrowed one can end that one alone.
    ///
    /// # Errors
    /// [`Error::NotFound`], for somebody else's too.
    pub async fn revoke_personal_token(
        &self,
        p: &Principal,
        token: TokenId,
        made: Made,
        now: Timestamp,
    ) -> Result<(), Error> {
        let subject = p.subject()?;
        let (account, user) = (subject.account, subject.user_id());
        self.until_done(async || {
            let mut tx = self.store().transaction();
            // A token in the making touches the same record: it comes before this list, or meets a conflict.
            self.holder(p).await?.touch(&mut tx);
            let tokens = self.tokens(account, user).await?;
            if !tokens.contains_key(&token) || !reach(p, &tokens)?.contains(&token) {
                return Err(Error::NotFound { what: Thing::PersonalToken });
            }
            let ended = match made {
                Made::Ends => family(&tokens, token),
                Made::Stays => [token].into(),
            };
            for id in &ended {
                remove_token(&mut tx, account, user, *id, &tokens[id]);
            }
            if made == Made::Ends {
                self.remove_access_keys(&mut tx, PrincipalId { account, user }, Some(&ended)).await?;
            }
            token_event(&mut tx, account, EventKind::PersonalTokenRevoked, p, token, now)?;
            self.finish(tx, ()).await
        })
        .await
    }

    /// Removes all personal tokens of an account itself, or of its user, in `tx`.
    pub(crate) async fn remove_tokens(
        &self,
        tx: &mut Transaction,
        account: AccountId,
        user: Option<UserId>,
    ) -> Result<(), Error> {
        for (id, token) in self.tokens(account, user).await? {
            remove_token(tx, account, user, id, &token);
        }
        Ok(())
    }

    fn token_end(&self, p: &Principal, expires_in: Duration, now: Timestamp) -> Result<Timestamp, Error> {
        let max = self.settings().personal_token_ttl_max;
        if !(LIFE_MIN..=max).contains(&expires_in) {
            let reason = format!("a personal token lives from 1 to {} seconds", max.as_secs());
            return Err(Error::Invalid { field: "expires_in_seconds", reason });
        }
        Ok(ending_within(p, expires_in, now))
    }

    /// The record of a new token of `p`, not narrowed, and its secret.
    fn new_token(
        &self,
        p: &Principal,
        description: Description,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<(PersonalTokenRecord, Secret), Error> {
        let subject = p.whole_subject()?;
        let random: [u8; 32] = rand::random();
        let secret = Secret::new(format!("{PERSONAL_TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(random)));
        let record = PersonalTokenRecord {
            description,
            scope: None,
            credential_version: subject.credential_version,
            hash: personal_token_hash(&secret),
            made_with: p.personal_token.as_ref().map(|token| token.id),
            access_key: p.access_key.clone(),
            registry_only: false,
            region: Some(self.region().to_string()),
            created_at: now,
            expires_at,
        };
        Ok((record, secret))
    }

    /// Whether a holder still has this token, dead or alive.
    pub(crate) async fn has_token(&self, holder: PrincipalId, token: TokenId) -> Result<bool, Error> {
        let PrincipalId { account, user } = holder;
        Ok(self.store().get_bytes(PersonalTokenPlace { account, user, token }.key()).await?.is_some())
    }

    /// The scope that was asked for, bound to what its names stand for now.
    async fn token_scope(
        &self,
        p: &Principal,
        asked: Option<Vec<ScopePattern>>,
        now: Timestamp,
    ) -> Result<Option<Vec<BoundPattern>>, Error> {
        let Some(patterns) = asked else { return Ok(None) };
        if patterns.is_empty() || patterns.len() > PATTERNS_MAX {
            let reason = format!("a personal token's scope has 1 to {PATTERNS_MAX} entries");
            return Err(Error::Invalid { field: "scope", reason });
        }
        let mut scope = Vec::with_capacity(patterns.len());
        for pattern in patterns {
            scope.push(self.bind(p, pattern, now).await?);
        }
        Ok(Some(scope))
    }

    /// All of a holder's tokens, dead ones among them; their number is bounded where they are made.
    async fn tokens(&self, account: AccountId, user: Option<UserId>) -> Result<Tokens, Error> {
        let least = PersonalTokenPlace { account, user, token: kv::Id::MIN.into() };
        let range = least.key().siblings(self.region());
        let rows = self.store().list(range, kv::SCAN_ENTRIES_MAX).await?;
        let mut tokens = Tokens::new();
        for (encoded, entry) in rows {
            let token = TokenId::from(crate::lists::id(least.key(), self.region(), &encoded)?);
            let record = decode(PersonalTokenPlace { account, user, token }.key(), &entry)?;
            tokens.insert(token, record.value);
        }
        Ok(tokens)
    }
}

fn is_live(token: &PersonalTokenRecord, credential: &Credential, now: Timestamp) -> bool {
    now < token.expires_at && token.credential_version == credential.version
}

/// The tokens that `p` may list and revoke.
fn reach(p: &Principal, tokens: &Tokens) -> Result<BTreeSet<TokenId>, Error> {
    match &p.personal_token {
        _ if p.grants.is_some() => Err(Error::Forbidden),
        Some(token) if p.is_narrowed() => Ok(BTreeSet::from([token.id])),
        _ => Ok(tokens.keys().copied().collect()),
    }
}

/// `root`, and the tokens that were made with it, with those, and so on.
fn family(tokens: &Tokens, root: TokenId) -> BTreeSet<TokenId> {
    let mut children: BTreeMap<TokenId, Vec<TokenId>> = BTreeMap::new();
    for (id, token) in tokens {
        if let Some(parent) = token.made_with {
            children.entry(parent).or_default().push(*id);
        }
    }
    let mut family = BTreeSet::new();
    let mut waiting = vec![root];
    while let Some(id) = waiting.pop() {
        if family.insert(id) {
            waiting.extend(children.remove(&id).unwrap_or_default());
        }
    }
    family
}

fn remove_token(
    tx: &mut Transaction,
    account: AccountId,
    user: Option<UserId>,
    token: TokenId,
    record: &PersonalTokenRecord,
) {
    tx.delete(PersonalTokenPlace { account, user, token }.key());
    tx.delete(Key::PersonalTokenHash { hash: &record.hash });
}

/// The end of what `p` makes for so long: no later than that of what it came with.
fn ending_within(p: &Principal, life: Duration, now: Timestamp) -> Timestamp {
    let end = now.checked_add(life).unwrap_or(Timestamp::MAX);
    p.credential_ends_at.map_or(end, |bound| end.min(bound))
}

fn token_event(
    tx: &mut Transaction,
    account: AccountId,
    kind: EventKind,
    p: &Principal,
    token: TokenId,
    now: Timestamp,
) -> Result<(), Error> {
    let event =
        Event::new(account, kind, p.into(), p.name(), now).with_detail(EventDetail::Token(token.to_string()));
    Ok(event.record(tx)?)
}
