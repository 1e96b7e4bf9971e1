//! What the secret half of an access key proves: that a request was signed with it, or that docker's long-term password
//! was derived from it. The secret itself leaves this crate only once, when it is made.
//!
//! How a request becomes the message that is signed is its API's business. That a signature does not act twice is kept
//! here: whoever is about to change something by one spends it first.

use std::net::IpAddr;

use aws_lc_rs::hmac;
use jiff::{SignedDuration, Timestamp};
use kv::{Id, Key, Outcome};
use oci::Digest;
use sha2::{Digest as _, Sha256};

use crate::access_keys::{bound_to, record_key};
use crate::credentials::Came;
use crate::events::time_ms;
use crate::passwords::WhenFull;
use crate::recorder::Refused;
use crate::records::AccessKeyRecord;
use crate::sources::Source;
use crate::{
    AccessKeyId, AccountId, Auth, AuthenticationError, Error, EventDetail, Principal, PrincipalId, Secret,
    SignInRefusal,
};

/// How far the instant of a signature may be from ours. A spent one is remembered for twice as long.
pub const SIGNATURE_SKEW_MAX: SignedDuration = SignedDuration::from_mins(15);

/// Whoever may hold an access key, before it is proven.
struct HeldKey {
    key: hmac::Key,
    /// `None`: nobody holds it, or it opens nothing, and nothing proves anything.
    principal: Option<Principal>,
    /// Where a refusal is noted: the account of its holder, if it has one.
    account: Option<AccountId>,
}

impl HeldKey {
    /// Whether `tag` is the HMAC-SHA256 of `message` under the secret half. Compared in constant time, and computed
    /// whether there is a holder or not.
    fn proven_by(&self, message: &[u8], tag: &[u8]) -> bool {
        let proven = hmac::verify(&self.key, message, tag).is_ok();
        proven && self.principal.is_some()
    }
}

/// The password that docker signs in with for good, by an access key: what a machine derives from the pair, without a
/// call.
#[must_use]
pub fn long_term_password(id: &AccessKeyId, secret: &Secret) -> Secret {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes());
    let tag = hmac::sign(&key, id.as_str().as_bytes());
    Secret::new(tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

impl Auth {
    /// The holder of an access key, proven by the HMAC-SHA256 `tag` of `message` under its secret half.
    ///
    /// # Errors
    /// [`AuthenticationError::Rejected`], the same for a wrong tag, for a key that nobody holds, that is disabled, or whose
    /// holder is; [`AuthenticationError::Failed`].
    pub async fn authenticate_access_key(
        &self,
        id: &AccessKeyId,
        (message, tag): (&[u8], &[u8]),
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Principal, AuthenticationError> {
        let held = self.held_key(id, now).await?;
        let proven = held.proven_by(message, tag);
        self.noted(held, id, (id.as_str(), proven), from, now)
    }

    async fn held_key(&self, id: &AccessKeyId, now: Timestamp) -> Result<HeldKey, AuthenticationError> {
        let record = self.store().get::<AccessKeyRecord>(record_key(id)).await?.map(|record| record.value);
        // Nobody's are looked up all the same, so that the time does not tell.
        let nobody = PrincipalId { account: Id::MIN.into(), user: Some(Id::MIN.into()) };
        let holder = record.as_ref().map_or(nobody, |record| record.holder);
        let came = Came { access_key: Some(id.clone()), ..Came::default() };
        let principal = self.principal(holder, came, now).await?;
        let account = record.as_ref().map(|record| record.holder.account);
        let secret = match record {
            Some(record) => self.sealing_keys().unseal(&record.sealed, &bound_to(holder, id))?,
            None => Secret::new(""),
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes());
        Ok(HeldKey { key, principal, account })
    }

    /// The answer to who came with an access key, under `name`; noted in the trail.
    fn noted(
        &self,
        held: HeldKey,
        id: &AccessKeyId,
        (name, proven): (&str, bool),
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Principal, AuthenticationError> {
        let id = id.to_string();
        let reason = match held.principal {
            Some(principal) if proven => {
                let principal = principal.coming_from(from);
                self.note_sign_in(&principal, EventDetail::AccessKey(id).into(), now);
                return Ok(principal);
            }
            Some(_) => SignInRefusal::AccessKeyUnproven(id),
            None => SignInRefusal::AccessKeyClosed(id),
        };
        let reason = EventDetail::SignInRefused(reason).into();
        match held.account {
            Some(account) => self.note_refused_sign_in(Refused { account, name, from, reason }, now),
            None => self.note_stranger(from),
        }
        Err(AuthenticationError::Rejected)
    }

    /// The name that docker signs in with here for good, by an access key.
    #[must_use]
    pub fn long_term_username(&self, id: &AccessKeyId) -> String {
        format!("{}@{id}", self.region())
    }

    /// Who signs in for good as `region@ACCESSKEY`: the password is the HMAC-SHA256 of the access key under its secret
    /// half, in lowercase hexadecimal digits. A wrong one costs what a wrong password does, and counts as one.
    pub(crate) async fn sign_in_for_good(
        &self,
        (region, id): (&str, &AccessKeyId),
        (username, password): (&str, &Secret),
        from: Option<IpAddr>,
        now: Timestamp,
        when_full: WhenFull,
    ) -> Result<Principal, AuthenticationError> {
        // Told whatever the key: here it would prove nothing.
        if region != self.region().as_str() {
            return Err(AuthenticationError::OtherRegion { ours: self.region().clone() });
        }
        let held = self.held_key(id, now).await?;
        let tag = from_hex(password.reveal());
        let tag = tag.as_ref().map_or(&[][..], |tag| &tag.raw()[1..]);
        let proven = held.proven_by(id.as_str().as_bytes(), tag);
        let source = from.map(|address| Source::new(address, now));
        let proven = self.passwords().count_compared(username, password, proven, source, when_full).await?;
        self.noted(held, id, (username, proven), from, now)
    }

    /// Spends a signature made at `signed_at`: whether it was not spent before. Whoever changes something by a signed
    /// request does this first, and nothing when it is `false`.
    ///
    /// # Errors
    /// As the store.
    pub async fn spend_signature(&self, tag: &[u8], signed_at: Timestamp) -> Result<bool, Error> {
        let hash: [u8; 32] = Sha256::digest(tag).into();
        let key = Key::SpentSignature { time_ms: time_ms(signed_at), hash: &hash };
        let mut tx = self.store().transaction();
        tx.expect(key, None).put(key, &())?;
        Ok(self.store().commit(tx).await? == Outcome::Committed)
    }

    /// Forgets at most `limit` of the signatures that are too old to be accepted again, and says how many it forgot: call
    /// again while it is `limit`.
    ///
    /// # Errors
    /// As the store.
    pub async fn trim_signatures(&self, now: Timestamp, limit: usize) -> Result<usize, Error> {
        let before = now.checked_sub(SIGNATURE_SKEW_MAX * 2).unwrap_or(Timestamp::MIN);
        let first = Key::SpentSignature { time_ms: 0, hash: &[0; 32] }.encode(self.region());
        let end = Key::SpentSignature { time_ms: time_ms(before), hash: &[0; 32] }.encode(self.region());
        let range = (std::ops::Bound::Included(first), std::ops::Bound::Excluded(end));
        let rows = self.store().list(range, limit.min(kv::SCAN_ENTRIES_MAX)).await?;
        let trimmed = rows.len();
        let mut removal = self.store().transaction();
        for (key, _) in rows {
            removal.delete_encoded(key);
        }
        self.store().commit(removal).await?;
        Ok(trimmed)
    }
}

/// 64 lowercase hexadecimal digits: the form of a digest.
fn from_hex(text: &str) -> Option<Digest> {
    const DIGITS: usize = 64;
    if text.len() != DIGITS {
        return None;
    }
    Digest::parse(&format!("sha256:{text}")).ok()
}
