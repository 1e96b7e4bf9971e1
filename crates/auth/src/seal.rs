//! Secrets that must be readable again, as a key of an HMAC is: sealed with AES-256-GCM under a key that is not in the
//! database, so that a copy of the database opens nothing.
//!
//! A seal binds what the secret belongs to. Moved to another holder's record, it does not open. Sealing keys lie beside
//! those that sign, in files of mode 0600 that hold 32 bytes as Base64, and are known by an id that each seal names, so
//! that they rotate: the newest seals, all of them open. To let an old one go, remove its file once nothing is sealed
//! with it any more.

use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::key_files::{KeyFiles, KeysError};
use crate::{Error, Secret};

const FILES: KeyFiles = KeyFiles { name_begins: "seal-", name_ends: ".key" };
const KEY_BYTES: usize = 32;
/// What a key's id is derived from, together with the key.
const ID_OF: &[u8] = b"gangplank: the id of a sealing key";
/// Enough to tell 32 keys apart.
const ID_BYTES: usize = 8;

/// A secret that only a server with the right key reads. Nothing of it shows but the key's id.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// The id of the key.
    key: String,
    /// Nonce, ciphertext and tag, as Base64.
    sealed: String,
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealed").field("key", &self.key).finish_non_exhaustive()
    }
}

/// The keys that seal and open. Cheap to clone.
#[derive(Clone)]
pub struct SealingKeys {
    /// Oldest first; never empty.
    keys: Arc<[SealingKey]>,
}

struct SealingKey {
    id: String,
    key: RandomizedNonceKey,
}

impl std::fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}

impl SealingKeys {
    /// The keys in `folder`. The first is made when there is none, and is on the disk when this returns. Blocks.
    ///
    /// # Errors
    /// [`KeysError`]: a key that is readable by others or malformed is refused, never passed over.
    pub fn open(folder: &Path, now: Timestamp) -> Result<SealingKeys, KeysError> {
        let keys = read_folder(folder)?;
        if keys.is_empty() { SealingKeys::rotate(folder, now) } else { Ok(SealingKeys { keys: keys.into() }) }
    }

    /// Makes a new key in `folder`, and answers the keys among which it now seals. Blocks.
    ///
    /// # Errors
    /// As [`SealingKeys::open`].
    pub fn rotate(folder: &Path, now: Timestamp) -> Result<SealingKeys, KeysError> {
        FILES.write(folder, now, &format!("{}\n", STANDARD.encode(rand::random::<[u8; KEY_BYTES]>())))?;
        Ok(SealingKeys { keys: read_folder(folder)?.into() })
    }

    /// A key that lives as long as this process: for tests.
    ///
    /// # Errors
    /// [`KeysError::Unmade`].
    pub fn ephemeral() -> Result<SealingKeys, KeysError> {
        let key = SealingKey::new(&rand::random::<[u8; KEY_BYTES]>()).ok_or(KeysError::Unmade)?;
        Ok(SealingKeys { keys: Arc::new([key]) })
    }

    /// Seals `secret`, so that it opens only where the same `bound_to` is given: what it belongs to.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn seal(&self, secret: &Secret, bound_to: &[u8]) -> Result<Sealed, Error> {
        let SealingKey { id, key } =
            self.keys.last().ok_or_else(|| Error::crypto("there is no sealing key"))?;
        let mut text = secret.reveal().as_bytes().to_vec();
        let nonce = key.seal_in_place_append_tag(Aad::from(bound_to), &mut text).map_err(Error::crypto)?;
        let sealed = STANDARD.encode([nonce.as_ref().as_slice(), &text].concat());
        Ok(Sealed { key: id.clone(), sealed })
    }

    /// The secret in `sealed`, which belongs to `bound_to`.
    ///
    /// # Errors
    /// [`Error::Crypto`] when its key is not here, or it was sealed for something else, or changed.
    pub fn unseal(&self, sealed: &Sealed, bound_to: &[u8]) -> Result<Secret, Error> {
        let missing =
            || Error::crypto(format!("the sealing key {} is not in the folder of keys", sealed.key));
        let key = self.keys.iter().find(|key| key.id == sealed.key).ok_or_else(missing)?;
        key.unseal(&sealed.sealed, bound_to).ok_or_else(|| Error::crypto("a seal is broken"))
    }

    /// Whether the key that `sealed` names is among them.
    #[must_use]
    pub fn has_key_of(&self, sealed: &Sealed) -> bool {
        self.keys.iter().any(|key| key.id == sealed.key)
    }

    /// Whether `sealed` is sealed with the newest key.
    #[must_use]
    pub fn is_newest(&self, sealed: &Sealed) -> bool {
        self.keys.last().is_some_and(|key| key.id == sealed.key)
    }
}

impl SealingKey {
    fn new(bytes: &[u8]) -> Option<SealingKey> {
        let bytes: &[u8; KEY_BYTES] = bytes.try_into().ok()?;
        let id = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, bytes), ID_OF);
        let id = id.as_ref()[..ID_BYTES].iter().map(|byte| format!("{byte:02x}")).collect();
        Some(SealingKey { id, key: RandomizedNonceKey::new(&AES_256_GCM, bytes).ok()? })
    }

    fn unseal(&self, sealed: &str, bound_to: &[u8]) -> Option<Secret> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let secret = self.key.open_in_place(nonce, Aad::from(bound_to), &mut text).ok()?;
        String::from_utf8(secret.to_vec()).ok().map(Secret::new)
    }
}

/// The keys of `folder`, oldest first.
fn read_folder(folder: &Path) -> Result<Vec<SealingKey>, KeysError> {
    let read = |(path, text): (_, String)| {
        let bytes = STANDARD.decode(text.trim()).ok();
        let key = bytes.and_then(|bytes| SealingKey::new(&bytes));
        key.ok_or(KeysError::Malformed { path, expected: "32 bytes as Base64" })
    };
    FILES.read(folder)?.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use jiff::Timestamp;

    use super::{Sealed, SealingKeys};
    use crate::key_files::KeysError;
    use crate::{Keys, Secret, SigningKeys};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn opened(keys: &SealingKeys, sealed: &Sealed, bound_to: &[u8]) -> Option<String> {
        keys.unseal(sealed, bound_to).ok().map(|secret| secret.reveal().to_owned())
    }

    #[test]
    fn a_seal_opens_where_it_belongs_and_nowhere_else() {
        let keys = SealingKeys::ephemeral().unwrap();
        let secret = Secret::new("hunter22");
        let sealed = keys.seal(&secret, b"acme").unwrap();
        assert_eq!(opened(&keys, &sealed, b"acme").as_deref(), Some("hunter22"));
        assert_eq!(opened(&keys, &sealed, b"globex"), None);
        assert_eq!(opened(&SealingKeys::ephemeral().unwrap(), &sealed, b"acme"), None);
        assert_ne!(keys.seal(&secret, b"acme").unwrap(), sealed, "each seal is another");
        let text = serde_json::to_string(&sealed).unwrap();
        assert!(!text.contains("hunter") && !format!("{sealed:?} {keys:?}").contains("hunter"), "{text}");
        for change in ["", "AAAA", &"A".repeat(64), "?"] {
            let changed = Sealed { sealed: change.to_owned(), ..sealed.clone() };
            assert_eq!(opened(&keys, &changed, b"acme"), None, "{change}");
        }
        let middle = sealed.sealed.len() / 2;
        let mut flipped = sealed.sealed.clone().into_bytes();
        flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
        let flipped = Sealed { sealed: String::from_utf8(flipped).unwrap(), ..sealed };
        assert_eq!(opened(&keys, &flipped, b"acme"), None);
    }

    #[test]
    fn the_newest_seals_and_all_open() {
        let folder = tempfile::tempdir().unwrap();
        let old = SealingKeys::open(folder.path(), at(1)).unwrap();
        let sealed = old.seal(&Secret::new("hunter22"), b"acme").unwrap();
        let new = SealingKeys::rotate(folder.path(), at(2)).unwrap();
        assert_eq!(opened(&new, &sealed, b"acme").as_deref(), Some("hunter22"));
        assert!(old.is_newest(&sealed) && !new.is_newest(&sealed));
        let sealed = new.seal(&Secret::new("hunter23"), b"acme").unwrap();
        assert_eq!(opened(&old, &sealed, b"acme"), None);
        let again = SealingKeys::open(folder.path(), at(3)).unwrap();
        assert_eq!(opened(&again, &sealed, b"acme").as_deref(), Some("hunter23"));
    }

    #[test]
    fn both_kinds_of_keys_lie_beside_each_other_for_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        Keys::open(folder.path(), at(1)).unwrap();
        Keys::open(folder.path(), at(2)).unwrap();
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap()).collect();
        assert_eq!(files.len(), 2);
        for file in &files {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        SigningKeys::rotate(folder.path(), at(3)).unwrap();
        SealingKeys::rotate(folder.path(), at(3)).unwrap();
    }

    #[test]
    fn a_key_that_others_read_or_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        SealingKeys::open(folder.path(), at(1)).unwrap();
        let path = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o604)).unwrap();
        let refused = SealingKeys::open(folder.path(), at(2));
        assert!(matches!(refused, Err(KeysError::Exposed { mode: 0o604, .. })), "{refused:?}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        for text in ["", "AAAA", "no base64!", &"A".repeat(64)] {
            fs::write(&path, text).unwrap();
            let refused = SealingKeys::open(folder.path(), at(2));
            assert!(matches!(refused, Err(KeysError::Malformed { .. })), "{text:?}: {refused:?}");
        }
    }
}
