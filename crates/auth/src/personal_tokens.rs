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
use kv::{Entry, Key, Transaction, decode};

use crate::credentials::{PERSONAL_TOKEN_PREFIX, personal_token_hash};
use crate::narrowing::BoundPattern;
use crate::records::{AccountRecord, Credential, PersonalTokenPlace, PersonalTokenRecord, UserRecord};
use crate::scope::{PATTERNS_MAX, ScopePattern};
use crate::{
    AccountId, Auth, Description, Error, Event, EventKind, Principal, Secret, Thing, TokenId, UserId,
};

const LIFE_MIN: Duration = Duration::from_secs(1);

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
    /// When it was made.
    pub created_at: Timestamp,
    /// From this instant on it opens nothing.
    pub expires_at: Timestamp,
}

impl PersonalToken {
    fn new(id: TokenId, record: PersonalTokenRecord) -> PersonalToken {
        let PersonalTokenRecord { description, scope, created_at, expires_at, .. } = record;
        let scope = scope.map(|scope| scope.into_iter().map(|bound| bound.pattern).collect());
        PersonalToken { id, description, scope, created_at, expires_at }
    }
}

/// The record of an account or a user, as it was read. Every change of its tokens touches it.
struct HolderRecord {
    key: Key<'static>,
    entry: Entry,
    credential: Credential,
}

impl HolderRecord {
    fn touch(&self, tx: &mut Transaction) {
        tx.expect(self.key, Some(self.entry.version)).put_bytes(self.key, self.entry.value.clone());
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
        let subject = p.whole_subject()?;
        let expires_at = self.token_end(p, new.expires_in, now)?;
        let scope = self.token_scope(p, new.scope, now).await?;
        let (secret, hash) = new_secret();
        let record = PersonalTokenRecord {
            description: new.description,
            scope,
            credential_version: subject.credential_version,
            hash,
            made_with: p.personal_token.as_ref().map(|token| token.id),
            created_at: now,
            expires_at,
        };
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

    /// Ends one of the caller's personal tokens, and as a rule all that were made with it. Who came with a narrowed one
    /// can end that one alone.
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
            for id in ended {
                remove_token(&mut tx, account, user, id, &tokens[&id]);
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
        let end = now.checked_add(expires_in).unwrap_or(Timestamp::MAX);
        Ok(p.credential_ends_at.map_or(end, |bound| end.min(bound)))
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

    /// The record of the account or user that `p` is.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when it is no longer what it was when the request came in.
    async fn holder(&self, p: &Principal) -> Result<HolderRecord, Error> {
        let subject = p.subject()?;
        let account = subject.account.raw();
        let key = match subject.user_id() {
            Some(user) => Key::User { account, user: user.raw() },
            None => Key::Account { account },
        };
        let entry = self.store().get_bytes(key).await?.ok_or(Error::Unauthenticated)?;
        let (credential, disabled) = match subject.user_id() {
            Some(_) => {
                let UserRecord { credential, disabled, .. } = decode(key, &entry)?.value;
                (credential, disabled)
            }
            None => {
                let AccountRecord { credential, disabled, .. } = decode(key, &entry)?.value;
                (credential, disabled)
            }
        };
        if disabled || credential.version != subject.credential_version {
            return Err(Error::Unauthenticated);
        }
        Ok(HolderRecord { key, entry, credential })
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
        Some(token) if token.scope.is_some() => Ok(BTreeSet::from([token.id])),
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

fn new_secret() -> (Secret, [u8; 32]) {
    let random: [u8; 32] = rand::random();
    let secret = Secret::new(format!("{PERSONAL_TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(random)));
    let hash = personal_token_hash(&secret);
    (secret, hash)
}

fn token_event(
    tx: &mut Transaction,
    account: AccountId,
    kind: EventKind,
    p: &Principal,
    token: TokenId,
    now: Timestamp,
) -> Result<(), Error> {
    let event = Event::new(account, kind, p.into(), p.name(), now).with_detail(format!("token {token}"));
    Ok(event.record(tx)?)
}
