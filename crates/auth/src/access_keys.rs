//! Access key pairs (AK/SK): what an account or a user signs its requests with, and what its machines sign in to docker
//! with for good.
//!
//! The secret half is shown once. An HMAC needs it again, so it is kept, sealed (see [`crate::SealingKeys`]) and bound to
//! its holder and its public half. A pair is a credential of its own: it is listed and ended by itself, and a change of
//! the password does not end it, as a key that lies in a machine's configuration should not stop at that. It opens
//! nothing while it is disabled, or its holder is; it goes with its holder, and with the personal token that it was made
//! with, when that one is revoked together with all that it made. Who came with a pair makes no other.
//!
//! The holder manages its own pairs; its account and administrators see, disable and remove those of a user too.

use std::collections::BTreeSet;

use jiff::Timestamp;
use kv::{Key, Transaction, Versioned};

use crate::access_key_id::random_text;
use crate::lists::text;
use crate::records::AccessKeyRecord;
use crate::{
    AccessKeyId, AccountName, Auth, Description, Error, Event, EventDetail, EventKind, Principal,
    PrincipalId, Secret, Thing, TokenId, UserName,
};

/// About 238 bits.
const SECRET_CHARACTERS: usize = 40;
const SECRET_ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// An access key pair, as it is shown: without its secret half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// Its public half.
    pub id: AccessKeyId,
    /// The name that its holder signs in with: `acme`, `dev@acme`.
    pub holder: String,
    /// What it is for.
    pub description: Description,
    /// A disabled one opens nothing.
    pub disabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

impl AccessKey {
    fn new(id: AccessKeyId, holder: &str, record: AccessKeyRecord) -> AccessKey {
        let AccessKeyRecord { description, disabled, created_at, .. } = record;
        AccessKey { id, holder: holder.to_owned(), description, disabled, created_at }
    }
}

/// A pair that was found, with the name of its holder.
struct FoundKey {
    holder: String,
    record: Versioned<AccessKeyRecord>,
}

impl Auth {
    /// Makes an access key pair for the caller, and answers it with its secret half.
    ///
    /// # Errors
    /// [`Error::Limit`], [`Error::OtherHome`], [`Error::Forbidden`] for who came with a narrowed credential or with an
    /// access key.
    pub async fn create_access_key(
        &self,
        p: &Principal,
        description: Description,
        now: Timestamp,
    ) -> Result<(AccessKey, Secret), Error> {
        let subject = p.whole_subject()?;
        if p.access_key.is_some() {
            return Err(Error::Forbidden);
        }
        let holder = PrincipalId { account: subject.account, user: subject.user_id() };
        let id = AccessKeyId::random();
        let secret = Secret::new(random_text(SECRET_ALPHABET, SECRET_CHARACTERS));
        let record = AccessKeyRecord {
            holder,
            sealed: self.sealing_keys().seal(&secret, &bound_to(holder, &id))?,
            disabled: false,
            description,
            made_with: p.personal_token.as_ref().map(|token| token.id),
            created_at: now,
        };
        let made = self.until_done(|| self.try_create_access_key(p, &id, &record, now)).await?;
        Ok((made, secret))
    }

    async fn try_create_access_key(
        &self,
        p: &Principal,
        id: &AccessKeyId,
        record: &AccessKeyRecord,
        now: Timestamp,
    ) -> Result<Option<AccessKey>, Error> {
        let mut tx = self.store().transaction();
        // Guards the bound below, and the holder's deletion.
        self.holder(p).await?.touch(&mut tx);
        self.holder_at_home(record.holder).await?;
        if let Some(parent) = record.made_with
            && !self.has_token(record.holder, parent).await?
        {
            // It was revoked while this request was on its way.
            return Err(Error::Unauthenticated);
        }
        let max = self.settings().access_keys_max;
        if self.access_keys(record.holder).await?.len() >= max {
            return Err(Error::Limit { what: "access keys", max: max as u64 });
        }
        put_key(&mut tx, id, None, record)?;
        key_event(&mut tx, EventKind::AccessKeyCreated, p, (id, record, &p.name()), now)?;
        self.finish(tx, AccessKey::new(id.clone(), &p.name(), record.clone())).await
    }

    /// The access key pairs of the caller, or of an account or user that it manages, by their public halves, those
    /// after `after`.
    ///
    /// # Errors
    /// [`Error::NotFound`] for somebody that the caller may not see, [`Error::Forbidden`] with a narrowed credential, and
    /// for somebody whose credentials the caller does not manage.
    pub async fn list_access_keys(
        &self,
        p: &Principal,
        of: Option<(&AccountName, Option<&UserName>)>,
        after: Option<&AccessKeyId>,
        limit: usize,
    ) -> Result<Vec<AccessKey>, Error> {
        p.whole_subject()?;
        let (holder, name) = match of {
            None => (p.id().ok_or(Error::Unauthenticated)?, p.name()),
            Some((account, user)) => self.managed_holder(p, account, user).await?,
        };
        let mut shown = Vec::new();
        for id in self.access_keys(holder).await? {
            if shown.len() >= limit {
                break;
            }
            if after.is_none_or(|after| id > *after)
                && let Some(record) = self.store().get::<AccessKeyRecord>(record_key(&id)).await?
            {
                shown.push(AccessKey::new(id, &name, record.value));
            }
        }
        Ok(shown)
    }

    /// Closes an access key pair and whatever was issued for it, at once; or opens it again.
    ///
    /// # Errors
    /// [`Error::NotFound`], for one of somebody else's too, unless the caller manages its holder; [`Error::Forbidden`]
    /// with a narrowed credential; [`Error::OtherHome`].
    pub async fn set_access_key_disabled(
        &self,
        p: &Principal,
        id: &AccessKeyId,
        disabled: bool,
        now: Timestamp,
    ) -> Result<AccessKey, Error> {
        self.until_done(async || {
            let FoundKey { holder, record } = self.managed_key(p, id).await?;
            if record.value.disabled == disabled {
                return Ok(Some(AccessKey::new(id.clone(), &holder, record.value)));
            }
            let kind = if disabled { EventKind::AccessKeyDisabled } else { EventKind::AccessKeyEnabled };
            let changed = AccessKeyRecord { disabled, ..record.value };
            let mut tx = self.store().transaction();
            tx.expect(record_key(id), Some(record.version)).put(record_key(id), &changed)?;
            key_event(&mut tx, kind, p, (id, &changed, &holder), now)?;
            self.finish(tx, AccessKey::new(id.clone(), &holder, changed)).await
        })
        .await
    }

    /// Ends an access key pair and whatever was issued for it, for good.
    ///
    /// # Errors
    /// As [`Auth::set_access_key_disabled`].
    pub async fn delete_access_key(
        &self,
        p: &Principal,
        id: &AccessKeyId,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.until_done(async || {
            let FoundKey { holder, record } = self.managed_key(p, id).await?;
            let mut tx = self.store().transaction();
            tx.expect(record_key(id), Some(record.version));
            remove_key(&mut tx, record.value.holder, id);
            key_event(&mut tx, EventKind::AccessKeyDeleted, p, (id, &record.value, &holder), now)?;
            self.finish(tx, ()).await
        })
        .await
    }

    /// Removes, in `tx`, the pairs of `holder`; of those made with a personal token, where `made_with` is given, only
    /// those made with one of these. Whoever calls expects the holder's record, which every new pair touches.
    pub(crate) async fn remove_access_keys(
        &self,
        tx: &mut Transaction,
        holder: PrincipalId,
        made_with: Option<&BTreeSet<TokenId>>,
    ) -> Result<(), Error> {
        for id in self.access_keys(holder).await? {
            if let Some(tokens) = made_with {
                let record = self.store().get::<AccessKeyRecord>(record_key(&id)).await?;
                let parent = record.and_then(|record| record.value.made_with);
                if parent.is_none_or(|parent| !tokens.contains(&parent)) {
                    continue;
                }
            }
            remove_key(tx, holder, &id);
        }
        Ok(())
    }

    /// The pair `id`, if the caller may change it: its holder, or who manages that user.
    async fn managed_key(&self, p: &Principal, id: &AccessKeyId) -> Result<FoundKey, Error> {
        p.whole_subject()?;
        let missing = || Error::NotFound { what: Thing::AccessKey };
        let record = self.store().get::<AccessKeyRecord>(record_key(id)).await?.ok_or_else(missing)?;
        let holder = record.value.holder;
        let itself = p.id() == Some(holder);
        let manages = p.is_administrator() || (p.account() == Some(holder.account) && p.user().is_none());
        if !itself && !manages {
            return Err(missing());
        }
        self.holder_at_home(holder).await?;
        let holder = self.login_of(holder).await?.ok_or_else(missing)?;
        Ok(FoundKey { holder, record })
    }

    /// The public halves of all pairs of `holder`; their number is bounded where they are made.
    pub(crate) async fn access_keys(&self, holder: PrincipalId) -> Result<Vec<AccessKeyId>, Error> {
        let list = list_key(holder, "");
        let rows = self.store().list(list.siblings(self.region()), kv::SCAN_ENTRIES_MAX).await?;
        rows.iter().map(|(encoded, _)| AccessKeyId::parse(text(list, self.region(), encoded)?)).collect()
    }
}

/// Writes a pair in the place of `here`.
pub(crate) fn put_key(
    tx: &mut Transaction,
    id: &AccessKeyId,
    here: Option<&Versioned<AccessKeyRecord>>,
    record: &AccessKeyRecord,
) -> Result<(), kv::Error> {
    tx.expect(record_key(id), here.map(|here| here.version)).put(record_key(id), record)?;
    tx.put(list_key(record.holder, id.as_str()), &())?;
    Ok(())
}

/// What a pair's secret is sealed for.
pub(crate) fn bound_to(holder: PrincipalId, id: &AccessKeyId) -> Vec<u8> {
    format!("access key {id} of {} {}", holder.account, holder.user_field()).into_bytes()
}

/// Where the record of a pair lies.
pub(crate) fn record_key(id: &AccessKeyId) -> Key<'_> {
    Key::AccessKey { access_key: id.as_str() }
}

fn list_key(holder: PrincipalId, access_key: &str) -> Key<'_> {
    Key::AccessKeyOf { account: holder.account.raw(), user: holder.user_field(), access_key }
}

pub(crate) fn remove_key(tx: &mut Transaction, holder: PrincipalId, id: &AccessKeyId) {
    tx.delete(record_key(id)).delete(list_key(holder, id.as_str()));
}

fn key_event(
    tx: &mut Transaction,
    kind: EventKind,
    p: &Principal,
    (id, record, holder): (&AccessKeyId, &AccessKeyRecord, &str),
    now: Timestamp,
) -> Result<(), Error> {
    let event = Event::new(record.holder.account, kind, p.into(), holder.to_owned(), now);
    Ok(event.with_detail(EventDetail::AccessKey(id.to_string())).record(tx)?)
}
