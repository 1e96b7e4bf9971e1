//! Passwords: argon2id, computed away from the async threads, a few at a time and with a bounded queue; a password
//! that was verified is remembered for a minute under a key that only this process knows, so that a client that signs
//! in with every request does not cost a hash each time.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::hmac;
use moka::sync::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::credentials::PERSONAL_TOKEN_PREFIX;
use crate::records::{Credential, PasswordHash};
use crate::settings::PasswordCost;
use crate::sources::{Place, Source, Sources};
use crate::{Error, PrincipalId, Secret, Settings};

/// How many sign-ins that cannot be sent again wait for a place in a full queue, and for how long.
const PATIENT_MAX: usize = 16;
const PATIENCE: Duration = Duration::from_secs(20);

/// What happens to a sign-in when the queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WhenFull {
    /// It is told to come again.
    Refuse,
    /// It waits for a place, with a few others.
    Wait,
}

/// The shortest new password, in characters.
const PASSWORD_CHARACTERS_MIN: usize = 8;
/// The longest new password, in characters.
const PASSWORD_CHARACTERS_MAX: usize = 256;
/// The longest password, in bytes: that many characters of four bytes.
const PASSWORD_BYTES_MAX: usize = 4 * PASSWORD_CHARACTERS_MAX;

/// The checking and making of passwords.
pub(crate) struct Passwords {
    cost: PasswordCost,
    /// Those that compute.
    computing: Arc<Semaphore>,
    /// Those that compute or wait.
    admitted: Arc<Semaphore>,
    /// Those that wait to be admitted.
    patient: Arc<Semaphore>,
    /// What each address may have of that.
    sources: Sources,
    cache_key: hmac::Key,
    /// Keyed name and password → whom they were good for. It is compared with the live record, so an entry dies with
    /// the credential's version.
    verified: Cache<[u8; 32], Verified>,
    /// How many hashes were computed.
    #[cfg(test)]
    hashes: std::sync::atomic::AtomicUsize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Verified {
    id: PrincipalId,
    credential_version: u64,
}

impl Passwords {
    pub(crate) fn new(settings: &Settings) -> Passwords {
        let computing = settings.password_hashes_max.clamp(1, Semaphore::MAX_PERMITS / 2);
        let queue = settings.password_queue_max.min(Semaphore::MAX_PERMITS / 2);
        let verified = Cache::builder()
            .max_capacity(settings.password_cache_entries_max)
            .time_to_live(settings.password_cache_ttl)
            .build();
        Passwords {
            cost: settings.password_hash,
            computing: Arc::new(Semaphore::new(computing)),
            admitted: Arc::new(Semaphore::new(computing + queue)),
            patient: Arc::new(Semaphore::new(PATIENT_MAX)),
            sources: Sources::new(settings),
            cache_key: hmac::Key::new(hmac::HMAC_SHA256, &rand::random::<[u8; 32]>()),
            verified,
            #[cfg(test)]
            hashes: std::sync::atomic::AtomicUsize::new(0),
        }
    }

    /// How many hashes were computed.
    #[cfg(test)]
    pub(crate) fn hashes(&self) -> usize {
        self.hashes.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is too short or too long, [`Error::Busy`] when too many wait, or the `source` has too many
    /// in flight.
    pub(crate) async fn hash(
        &self,
        password: &Secret,
        source: Option<Source>,
    ) -> Result<PasswordHash, Error> {
        check_new(password)?;
        let password = password.clone();
        let place = source.map(|source| self.sources.enter(source)).transpose()?;
        self.compute(place, WhenFull::Refuse, move |argon2| {
            argon2.hash_password(password.reveal().as_bytes()).map(|hash| PasswordHash(hash.to_string()))
        })
        .await?
        .map_err(Error::crypto)
    }

    /// Whether `password` is the one of `holder`, found under `name`. Costs a hash whether there is a holder or not,
    /// whether it has a password or not, unless the same was found right a moment ago.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait, or the `source` has too many in flight or failed too often at this name.
    pub(crate) async fn verify(
        &self,
        name: &str,
        password: &Secret,
        holder: Option<(PrincipalId, &Credential)>,
        source: Option<Source>,
        when_full: WhenFull,
    ) -> Result<bool, Error> {
        // Nobody's, and free of cost: it is not worth a place, nor memory.
        if password.reveal().len() > PASSWORD_BYTES_MAX {
            return Ok(false);
        }
        // Before what is remembered: else the one right guess among the refused ones would be told from them.
        if let Some(source) = source {
            self.sources.check(source, name)?;
        }
        let key = self.cache_key(name, password);
        let expected = holder.map(|(id, credential)| Verified { id, credential_version: credential.version });
        if expected.is_some() && self.verified.get(&key) == expected {
            return Ok(true);
        }
        let hash = holder.and_then(|(_, credential)| credential.password.as_ref());
        let place = source.map(|source| self.sources.enter(source)).transpose()?;
        let right = self.matches(password, hash, place, when_full).await?;
        if let Some(source) = source {
            self.sources.checked(source, name, right);
        }
        if let (true, Some(verified)) = (right, expected) {
            self.verified.insert(key, verified);
        }
        Ok(right)
    }

    /// The same for a secret that is no password, and was compared already: whether it is `right`. A right one costs no
    /// hash, a wrong one costs and counts as a wrong password.
    ///
    /// # Errors
    /// As [`Passwords::verify`].
    pub(crate) async fn count_compared(
        &self,
        name: &str,
        secret: &Secret,
        right: bool,
        source: Option<Source>,
        when_full: WhenFull,
    ) -> Result<bool, Error> {
        if !right {
            return self.verify(name, secret, None, source, when_full).await;
        }
        if let Some(source) = source {
            // The one right guess among the refused ones is not told from them.
            self.sources.check(source, name)?;
            self.sources.checked(source, name, true);
        }
        Ok(true)
    }

    /// Whether `password` is the one that was hashed to `hash`. Costs a hash whether there is one or not.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait.
    async fn matches(
        &self,
        password: &Secret,
        hash: Option<&PasswordHash>,
        place: Option<Place>,
        when_full: WhenFull,
    ) -> Result<bool, Error> {
        let (password, hash) = (password.clone(), hash.cloned());
        self.compute(place, when_full, move |argon2| compare(&argon2, password.reveal(), hash.as_ref())).await
    }

    async fn compute<T: Send + 'static>(
        &self,
        place: Option<Place>,
        when_full: WhenFull,
        work: impl FnOnce(Argon2<'static>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let params = Params::new(self.cost.memory_kib, self.cost.passes, self.cost.lanes, None);
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.map_err(Error::crypto)?);
        let admitted = self.admit(when_full).await?;
        let turn = Arc::clone(&self.computing).acquire_owned().await.map_err(Error::crypto)?;
        #[cfg(test)]
        self.hashes.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        // The work goes on when its caller goes away; so it holds its places itself.
        let task = tokio::task::spawn_blocking(move || {
            let result = work(argon2);
            drop((turn, admitted, place));
            result
        });
        task.await.map_err(Error::crypto)
    }

    /// A place in the queue.
    async fn admit(&self, when_full: WhenFull) -> Result<OwnedSemaphorePermit, Error> {
        if let Ok(admitted) = Arc::clone(&self.admitted).try_acquire_owned() {
            return Ok(admitted);
        }
        if when_full == WhenFull::Refuse {
            return Err(Error::Busy);
        }
        let _waiting = self.patient.try_acquire().map_err(|_| Error::Busy)?;
        let admitted = timeout(PATIENCE, Arc::clone(&self.admitted).acquire_owned()).await;
        admitted.map_err(|_| Error::Busy)?.map_err(Error::crypto)
    }

    fn cache_key(&self, name: &str, password: &Secret) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.cache_key);
        // The name's length keeps `ab` + `c` and `a` + `bc` apart.
        context.update(&(name.len() as u64).to_be_bytes());
        context.update(name.as_bytes());
        context.update(password.reveal().as_bytes());
        let mut key = [0; 32];
        key.copy_from_slice(context.sign().as_ref());
        key
    }
}

/// Without a hash to compare with, one is computed all the same, so that the time does not tell.
fn compare(argon2: &Argon2<'_>, password: &str, hash: Option<&PasswordHash>) -> bool {
    match hash {
        Some(hash) => argon2.verify_password(password.as_bytes(), hash.0.as_str()).is_ok(),
        None => {
            let mut wasted = [0; 32];
            let _ = argon2.hash_password_into(password.as_bytes(), &[0; 16], &mut wasted);
            std::hint::black_box(wasted);
            false
        }
    }
}

fn check_new(password: &Secret) -> Result<(), Error> {
    let invalid = |reason: &str| Err(Error::Invalid { field: "password", reason: reason.to_owned() });
    let text = password.reveal();
    if !(PASSWORD_CHARACTERS_MIN..=PASSWORD_CHARACTERS_MAX).contains(&text.chars().count()) {
        return invalid("a password has 8 to 256 characters");
    }
    if text.contains('\0') {
        return invalid("a password has no NUL character");
    }
    if text.starts_with(PERSONAL_TOKEN_PREFIX) {
        return invalid("a password does not begin like a personal token");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use super::{PATIENT_MAX, Passwords, WhenFull};
    use crate::Settings;
    use crate::sources::Source;
    use crate::tests::{START, cheap_settings};
    use crate::{AccountId, Credential, Error, PrincipalId, Secret};

    #[tokio::test]
    async fn whoever_is_not_remembered_costs_a_hash() {
        let passwords = Passwords::new(&cheap_settings());
        let (right, wrong) = (Secret::new("the right one"), Secret::new("the wrong one"));
        let id = PrincipalId { account: AccountId::random(), user: None };
        let password = Some(passwords.hash(&right, None).await.unwrap());
        let credential = Credential { password, version: 1 };
        let changed = Credential { version: 2, ..credential.clone() };
        let without = Credential { password: None, version: 3 };
        let other = PrincipalId { account: AccountId::random(), user: None };
        assert!(
            passwords.verify("acme", &right, Some((id, &credential)), None, WhenFull::Refuse).await.unwrap()
        );
        assert!(
            !passwords.verify("acme", &wrong, Some((id, &credential)), None, WhenFull::Refuse).await.unwrap()
        );
        assert!(
            !passwords.verify("acme", &right, Some((id, &without)), None, WhenFull::Refuse).await.unwrap()
        );
        assert!(!passwords.verify("acme", &right, None, None, WhenFull::Refuse).await.unwrap());

        // With no place left, whatever needs a hash is told to come again.
        let _all = passwords.admitted.acquire_many(66).await.unwrap();
        assert!(
            passwords.verify("acme", &right, Some((id, &credential)), None, WhenFull::Refuse).await.unwrap()
        );
        let costly = [
            ("acme", &wrong, Some((id, &credential))),
            ("acme", &right, Some((id, &changed))),
            ("acme", &right, Some((other, &credential))),
            ("acme", &right, Some((id, &without))),
            ("acme", &right, None),
            ("globex", &right, Some((id, &credential))),
        ];
        for (name, password, holder) in costly {
            let answer = passwords.verify(name, password, holder, None, WhenFull::Refuse).await;
            assert!(matches!(answer, Err(Error::Busy)), "{name}, {holder:?}: {answer:?}");
        }
    }

    #[tokio::test]
    async fn a_flood_from_one_address_leaves_room_for_others() {
        let passwords = Arc::new(Passwords::new(&cheap_settings()));
        let source = |address: [u8; 4]| Some(Source::new(IpAddr::from(address), START));
        let right = Secret::new("the right one");
        let id = PrincipalId { account: AccountId::random(), user: None };
        let credential =
            Credential { password: Some(passwords.hash(&right, None).await.unwrap()), version: 1 };

        // Nothing is computed until everybody has come.
        let computing = Arc::clone(&passwords.computing).acquire_many_owned(2).await.unwrap();
        let flood: Vec<_> = (0..90)
            .map(|n| {
                let passwords = Arc::clone(&passwords);
                tokio::spawn(async move {
                    let wrong = Secret::new("the wrong one");
                    passwords
                        .verify(&format!("a{n}"), &wrong, None, source([192, 0, 2, 1]), WhenFull::Refuse)
                        .await
                })
            })
            .collect();
        tokio::task::yield_now().await;
        let others = Arc::clone(&passwords);
        let other = tokio::spawn(async move {
            others
                .verify("acme", &right, Some((id, &credential)), source([192, 0, 2, 2]), WhenFull::Refuse)
                .await
        });
        tokio::task::yield_now().await;
        assert_eq!(passwords.sources.len(), 2);
        drop(computing);

        assert!(other.await.unwrap().unwrap());
        let (mut busy, mut wrong) = (0, 0);
        for answer in flood {
            match answer.await.unwrap() {
                Err(Error::Busy) => busy += 1,
                Ok(false) => wrong += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((wrong, busy), (8, 82));
        assert_eq!(passwords.sources.len(), 0, "nothing is in flight");
    }

    #[tokio::test]
    async fn who_goes_away_while_waiting_leaves_no_place_behind() {
        let passwords = Arc::new(Passwords::new(&cheap_settings()));
        let _all = passwords.computing.acquire_many(2).await.unwrap();
        let waiting = Arc::clone(&passwords);
        let task = tokio::spawn(async move {
            let source = Source::new(IpAddr::from([192, 0, 2, 1]), START);
            waiting.verify("acme", &Secret::new("the wrong one"), None, Some(source), WhenFull::Refuse).await
        });
        tokio::task::yield_now().await;
        assert_eq!(passwords.sources.len(), 1);
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        assert_eq!(passwords.sources.len(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_few_wait_for_a_place_in_a_full_queue_and_the_others_are_refused() {
        let settings = Settings { password_queue_max: 1, ..cheap_settings() };
        let passwords = Arc::new(Passwords::new(&settings));
        let all = passwords.admitted.available_permits().try_into().unwrap();
        let full = Arc::clone(&passwords.admitted).acquire_many_owned(all).await.unwrap();
        let patient: Vec<_> = (0..PATIENT_MAX + 4)
            .map(|n| {
                let passwords = Arc::clone(&passwords);
                tokio::spawn(async move {
                    let wrong = Secret::new("the wrong one");
                    passwords.verify(&format!("a{n}"), &wrong, None, None, WhenFull::Wait).await
                })
            })
            .collect();
        tokio::task::yield_now().await;
        drop(full);
        let answers = futures::future::join_all(patient).await;
        let waited = answers.iter().filter(|answer| matches!(answer, Ok(Ok(false)))).count();
        assert_eq!(waited, PATIENT_MAX);

        let _full = Arc::clone(&passwords.admitted).acquire_many_owned(all).await.unwrap();
        let late = passwords.verify("acme", &Secret::new("the wrong one"), None, None, WhenFull::Wait).await;
        assert!(matches!(late, Err(Error::Busy)), "nobody waits for ever");
    }
}
