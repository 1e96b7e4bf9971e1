//! Who it is: credentials in, [`Principal`] out. Every way in reads the account, the user and the credential as they
//! are now; nothing is taken from what was issued but ids and versions to compare.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use kv::{Entry, Id, Key, decode_shared};
use sha2::{Digest, Sha256};

use crate::access_key_id::parse_long_term_login;
use crate::access_keys::record_key;
use crate::access_tokens::{Grants, Holder, Purpose, refresh_jwt};
use crate::passwords::WhenFull;
use crate::principal::{PersonalTokenGrip, Subject};
use crate::recorder::{Refused, with_token};
use crate::records::{
    AccessKeyRecord, AccountRecord, Credential, NameRecord, PersonalTokenPlace, PersonalTokenRecord,
    UserRecord,
};
use crate::sources::Source;
use crate::{
    AccessKeyId, AccountId, AccountName, Auth, AuthenticationError, Principal, PrincipalId, Secret, TokenId,
    UserId, UserName,
};

/// What a personal token begins with, for people and for scanners of secrets.
pub(crate) const PERSONAL_TOKEN_PREFIX: &str = "gp_pat_";

/// Where the record of the personal token with this secret is found.
pub(crate) fn personal_token_hash(secret: &Secret) -> [u8; 32] {
    Sha256::digest(secret.reveal().as_bytes()).into()
}

/// What somebody came with that was issued: bound here, and looked up live.
#[derive(Debug, Clone, Default)]
pub(crate) struct Came {
    /// The version that the credential must have.
    pub(crate) credential_version: Option<u64>,
    /// The personal token that must be good.
    pub(crate) personal_token: Option<TokenId>,
    /// The access key that must be open.
    pub(crate) access_key: Option<AccessKeyId>,
}

/// What the store has of it now.
struct Found {
    live: Option<Live>,
    token: Option<Arc<PersonalTokenRecord>>,
    access_key: Option<Arc<AccessKeyRecord>>,
}

/// An account or a user, as the store has it now.
struct Live {
    id: PrincipalId,
    account: Arc<AccountRecord>,
    user: Option<Arc<UserRecord>>,
}

impl Live {
    fn credential(&self) -> &Credential {
        self.user.as_ref().map_or(&self.account.credential, |user| &user.credential)
    }

    fn is_open(&self) -> bool {
        !self.account.is_closed() && self.user.as_ref().is_none_or(|user| !user.disabled)
    }

    fn into_subject(self) -> Subject {
        let credential_version = self.credential().version;
        let user = self.id.user.zip(self.user).map(|(id, record)| (id, record.name.clone()));
        Subject {
            account: self.id.account,
            account_name: self.account.name.clone(),
            administrator: self.account.administrator,
            user,
            credential_version,
        }
    }
}

/// What a sign-in name stands for.
struct Named {
    /// The account, whether it has such a user or not.
    account: Option<AccountId>,
    live: Option<Live>,
}

/// A sign-in name: `acme`, or `dev@acme`, split at the last `@`.
fn parse_login(login: &str) -> Option<(AccountName, Option<UserName>)> {
    match login.rsplit_once('@') {
        Some((user, account)) => Some((AccountName::parse(account).ok()?, Some(UserName::parse(user).ok()?))),
        None => Some((AccountName::parse(login).ok()?, None)),
    }
}

impl Auth {
    /// The account or user that signs in as `username`, with its password or with a personal token of its own as the
    /// secret; or as `region@ACCESSKEY`, with what its machines derive from an access key's secret half.
    ///
    /// `from` is the address that asks. Few passwords are checked for it at a time, and after ten wrong ones for one
    /// name within a minute, those that follow wait until it is over. None: it is not bounded by where it comes from.
    ///
    /// # Errors
    /// [`AuthenticationError::Rejected`], the same and in about the same time for an unknown name, for a user without
    /// a password, for a wrong one and for what is disabled; [`AuthenticationError::OtherRegion`];
    /// [`AuthenticationError::Failed`] with [`crate::Error::Busy`] when too many passwords wait to be checked, or too many
    /// from there.
    pub async fn authenticate(
        &self,
        username: &str,
        secret: &Secret,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Principal, AuthenticationError> {
        self.sign_in(username, secret, from, now, WhenFull::Refuse).await
    }

    /// The same for a request whose body cannot be sent twice: where too many passwords wait to be checked, a few such
    /// requests wait for their turn.
    ///
    /// # Errors
    /// As [`Auth::authenticate`].
    pub async fn authenticate_for_body(
        &self,
        username: &str,
        secret: &Secret,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Principal, AuthenticationError> {
        self.sign_in(username, secret, from, now, WhenFull::Wait).await
    }

    async fn sign_in(
        &self,
        username: &str,
        secret: &Secret,
        from: Option<IpAddr>,
        now: Timestamp,
        when_full: WhenFull,
    ) -> Result<Principal, AuthenticationError> {
        if let Some((region, id)) = parse_long_term_login(username) {
            let given = (username, secret);
            return self.sign_in_for_good((region, &id), given, from, now, when_full).await;
        }
        if secret.reveal().starts_with(PERSONAL_TOKEN_PREFIX) {
            return self.personal_token_holder(secret, Some(username), from, now).await;
        }
        let Named { account, live } = self.live_by_login(username).await?;
        let holder = live.as_ref().map(|live| (live.id, live.credential()));
        let source = from.map(|address| Source::new(address, now));
        let right = self.passwords().verify(username, secret, holder, source, when_full).await?;
        let reason = match live {
            Some(live) if right && live.is_open() => {
                let principal = Principal::whole(live.into_subject()).coming_from(from);
                self.note_sign_in(&principal, "password".to_owned(), now);
                return Ok(principal);
            }
            Some(_) if right => "disabled",
            Some(_) => "wrong password",
            None => "unknown user",
        };
        match account {
            Some(account) => {
                let refused = Refused { account, name: username, from, reason: reason.to_owned() };
                self.note_refused_sign_in(refused, now);
            }
            // There is no trail to write into.
            None => self.note_stranger(from),
        }
        Err(AuthenticationError::Rejected)
    }

    /// The account or user that holds this personal token.
    ///
    /// # Errors
    /// [`AuthenticationError::Rejected`] for one that is unknown, revoked, expired, or of somebody who is disabled or
    /// has another credential by now.
    pub async fn authenticate_personal_token(
        &self,
        secret: &Secret,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Principal, AuthenticationError> {
        self.personal_token_holder(secret, None, from, now).await
    }

    /// The same, if it signs in under this name.
    async fn personal_token_holder(
        &self,
        secret: &Secret,
        username: Option<&str>,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Principal, AuthenticationError> {
        let hash = personal_token_hash(secret);
        let place = self.store().get::<PersonalTokenPlace>(Key::PersonalTokenHash { hash: &hash }).await?;
        let Some(place) = place.map(|place| place.value) else {
            self.note_stranger(from);
            return Err(AuthenticationError::Rejected);
        };
        let id = PrincipalId { account: place.account, user: place.user };
        let with = with_token(place.token);
        let came = Came { personal_token: Some(place.token), ..Came::default() };
        let (name, reason) = match self.principal(id, came, now).await? {
            Some(principal) if username.is_none_or(|username| principal.name() == username) => {
                let principal = principal.coming_from(from);
                self.note_sign_in(&principal, with, now);
                return Ok(principal);
            }
            Some(principal) => (principal.name(), format!("{with} under another name")),
            None => (with.clone(), format!("{with} has ended")),
        };
        self.note_refused_sign_in(Refused { account: place.account, name: &name, from, reason }, now);
        Err(AuthenticationError::Rejected)
    }

    /// Whoever an access token was issued to; perhaps nobody, with what it grants.
    ///
    /// # Errors
    /// [`AuthenticationError::Expired`], [`AuthenticationError::Rejected`].
    pub async fn authenticate_access_token(
        &self,
        jwt: &str,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Principal, AuthenticationError> {
        match self.authenticate_for_upload(jwt, from, now).await? {
            (principal, None) => Ok(principal),
            (_, Some(at)) => Err(AuthenticationError::Expired { at }),
        }
    }

    /// The same for a request to an upload's own URL: an expired token is good there, if it was good when the session
    /// began, and the instant at which it expired is answered too. All else is looked up live.
    ///
    /// # Errors
    /// [`AuthenticationError::Rejected`].
    pub async fn authenticate_for_upload(
        &self,
        jwt: &str,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(Principal, Option<Timestamp>), AuthenticationError> {
        let claims = self.verify_token(jwt, Purpose::Access, now)?;
        let ends_at = claims.expires_at().ok_or(AuthenticationError::Rejected)?;
        let principal = match claims.holder.clone() {
            Some(holder) => self.token_holder(holder, now).await?,
            None => Principal::anonymous(),
        };
        Ok((principal.granted(Grants::of(claims)).coming_from(from), (now >= ends_at).then_some(ends_at)))
    }

    /// Whoever a refresh token was issued to.
    ///
    /// # Errors
    /// [`AuthenticationError::Expired`], [`AuthenticationError::Rejected`].
    pub async fn authenticate_refresh_token(
        &self,
        token: &Secret,
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Principal, AuthenticationError> {
        let jwt = refresh_jwt(token).ok_or(AuthenticationError::Rejected)?;
        let claims = self.verify_token(jwt, Purpose::Refresh, now)?;
        let ends_at = claims.expires_at().ok_or(AuthenticationError::Rejected)?;
        if now >= ends_at {
            return Err(AuthenticationError::Expired { at: ends_at });
        }
        let holder = claims.holder.clone().ok_or(AuthenticationError::Rejected)?;
        let account = holder.id.account;
        let principal = self.token_holder(holder, now).await;
        if let Err(AuthenticationError::Rejected) = principal {
            let reason = "refresh token of a credential that has ended".to_owned();
            let refused = Refused { account, name: claims.name(), from, reason };
            self.note_refused_sign_in(refused, now);
        }
        Ok(principal?.ending(ends_at).coming_from(from))
    }

    /// Whether what `principal` came with would still be accepted, access tokens' own life apart.
    ///
    /// # Errors
    /// As the store.
    pub async fn still_good(&self, principal: &Principal, now: Timestamp) -> Result<bool, kv::Error> {
        let Some(subject) = &principal.subject else { return Ok(true) };
        if principal.credential_ends_at.is_some_and(|end| now >= end) {
            return Ok(false);
        }
        let id = PrincipalId { account: subject.account, user: subject.user_id() };
        let came = Came {
            credential_version: Some(subject.credential_version),
            personal_token: principal.personal_token.as_ref().map(|token| token.id),
            access_key: principal.access_key.clone(),
        };
        Ok(self.principal(id, came, now).await?.is_some())
    }

    async fn token_holder(&self, holder: Holder, now: Timestamp) -> Result<Principal, AuthenticationError> {
        let Holder { id, credential_version, personal_token, access_key } = holder;
        let came = Came { credential_version: Some(credential_version), personal_token, access_key };
        self.principal(id, came, now).await?.ok_or(AuthenticationError::Rejected)
    }

    /// The principal with this id, if it is open, and if all that it came with is good: one read, and another where a
    /// personal token turns out to hang on an access key.
    pub(crate) async fn principal(
        &self,
        id: PrincipalId,
        came: Came,
        now: Timestamp,
    ) -> Result<Option<Principal>, kv::Error> {
        let Found { live, token, access_key } = self.find(id, &came).await?;
        let Some(live) = live.filter(Live::is_open) else { return Ok(None) };
        if came.access_key.is_some() && !access_key.is_some_and(|key| opens(&key, id)) {
            return Ok(None);
        }
        let Some(token_id) = came.personal_token else {
            // An access key is a credential of its own, which a change of the password does not end.
            let changed = came.credential_version.is_some_and(|bound| bound != live.credential().version);
            let good = came.access_key.is_some() || !changed;
            return Ok(good.then(|| Principal::whole(live.into_subject()).holding(came.access_key)));
        };
        let version = live.credential().version;
        let good = |token: &Arc<PersonalTokenRecord>| {
            let here = token.region.as_ref().is_none_or(|region| region == self.region().as_str());
            here && token.credential_version == version && now < token.expires_at
        };
        let Some(token) = token.filter(good) else { return Ok(None) };
        if came.credential_version.is_some_and(|bound| bound != version) {
            return Ok(None);
        }
        let PersonalTokenRecord { scope, registry_only, access_key, expires_at, .. } =
            Arc::unwrap_or_clone(token);
        if let Some(key) = &access_key
            && came.access_key != access_key
        {
            let record = self.store().get::<AccessKeyRecord>(record_key(key)).await?;
            if !record.is_some_and(|record| opens(&record.value, id)) {
                return Ok(None);
            }
        }
        let grip = PersonalTokenGrip { id: token_id, scope, registry_only, expires_at };
        Ok(Some(Principal::with_personal_token(live.into_subject(), grip).holding(access_key)))
    }

    /// All of it from one snapshot.
    async fn find(&self, id: PrincipalId, came: &Came) -> Result<Found, kv::Error> {
        let PrincipalId { account, user } = id;
        let place = came.personal_token.map(|token| PersonalTokenPlace { account, user, token });
        let mut keys = vec![Key::Account { account: account.raw() }];
        keys.extend(user.map(|user| user_key(account, user)));
        keys.extend(place.map(|place| place.key()));
        keys.extend(came.access_key.as_ref().map(record_key));
        let mut entries = self.store().get_many(&keys).await?.into_iter();
        let mut next = |asked: bool| if asked { entries.next().flatten() } else { None };
        let (account, user) = (next(true), next(user.is_some()));
        let (token, access_key) = (next(place.is_some()), next(came.access_key.is_some()));
        Ok(Found {
            live: live(id, account.as_ref(), user.as_ref())?,
            token: record(place.map(|place| place.key()), token)?,
            access_key: record(came.access_key.as_ref().map(record_key), access_key)?,
        })
    }

    /// Whoever signs in as `login`. A name that nobody has costs the same reads as one that somebody has: it is looked up
    /// as the name of what has the id that nothing is ever given.
    async fn live_by_login(&self, login: &str) -> Result<Named, kv::Error> {
        let Some((account_name, user_name)) = parse_login(login) else {
            return Ok(Named { account: None, live: None });
        };
        let name = Key::AccountName { name: account_name.as_str() };
        let account = self.id_or_none(name).await?;
        let user = match &user_name {
            Some(user) => Some(self.id_or_none(Key::UserName { account, name: user.as_str() }).await?),
            None => None,
        };
        let id = PrincipalId { account: AccountId::from(account), user: user.map(UserId::from) };
        let live = self.find(id, &Came::default()).await?.live;
        let is_known = account != Id::MIN;
        Ok(Named { account: is_known.then_some(id.account), live })
    }

    /// The id that the name at `key` stands for; the one that nothing has where it stands for none.
    pub(crate) async fn id_or_none(&self, key: Key<'_>) -> Result<Id, kv::Error> {
        let name = self.store().get::<NameRecord>(key).await?;
        Ok(name.and_then(|name| name.value.held()).unwrap_or(Id::MIN))
    }
}

fn user_key(account: AccountId, user: UserId) -> Key<'static> {
    Key::User { account: account.raw(), user: user.raw() }
}

/// Whether a pair opens what its holder, who is open and is `id`, may do.
fn opens(key: &AccessKeyRecord, id: PrincipalId) -> bool {
    !key.disabled && key.holder == id
}

fn record<T: kv::Record>(key: Option<Key<'_>>, entry: Option<Entry>) -> Result<Option<Arc<T>>, kv::Error> {
    match (key, entry) {
        (Some(key), Some(entry)) => Ok(Some(decode_shared(key, &entry)?.value)),
        _ => Ok(None),
    }
}

fn live(id: PrincipalId, account: Option<&Entry>, user: Option<&Entry>) -> Result<Option<Live>, kv::Error> {
    let Some(account) = account else { return Ok(None) };
    let account = decode_shared::<AccountRecord>(Key::Account { account: id.account.raw() }, account)?.value;
    let user = match (id.user, user) {
        (None, _) => None,
        (Some(_), None) => return Ok(None),
        (Some(user), Some(entry)) => {
            Some(decode_shared::<UserRecord>(user_key(id.account, user), entry)?.value)
        }
    };
    Ok(Some(Live { id, account, user }))
}
