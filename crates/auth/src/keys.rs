//! The keys that tokens are signed with: ES256, in files of mode 0600 outside the database, known by their thumbprint
//! (RFC 7638), so that they rotate. The newest signs, all of them verify.
//!
//! A key's file is named after the time of its making, and holds PKCS#8 as PEM. To rotate, make a new one (see
//! [`SigningKeys::rotate`]); to let an old one go, remove its file once the longest-lived token under it is dead.

use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use jsonwebtoken::{DecodingKey, EncodingKey};
use sha2::{Digest, Sha256};

use crate::key_files::{KeyFiles, KeysError};
use crate::seal::SealingKeys;

const FILES: KeyFiles = KeyFiles { name_begins: "token-", name_ends: ".pem" };
/// A P-256 point, uncompressed: 4, then x and y.
const POINT_BYTES: usize = 65;

/// All keys that a server holds. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Keys {
    /// Those that tokens are signed with.
    pub signing: SigningKeys,
    /// Those that secrets are sealed with which the server must be able to read.
    pub sealing: SealingKeys,
}

impl Keys {
    /// The keys in `folder`. The first of each kind is made when there is none. Blocks.
    ///
    /// # Errors
    /// As [`SigningKeys::open`] and [`SealingKeys::open`].
    pub fn open(folder: &Path, now: Timestamp) -> Result<Keys, KeysError> {
        Ok(Keys { signing: SigningKeys::open(folder, now)?, sealing: SealingKeys::open(folder, now)? })
    }

    /// Keys that live as long as this process: for tests.
    ///
    /// # Errors
    /// [`KeysError::Unmade`].
    pub fn ephemeral() -> Result<Keys, KeysError> {
        Ok(Keys { signing: SigningKeys::ephemeral()?, sealing: SealingKeys::ephemeral()? })
    }
}

/// The keys that sign and verify. Cheap to clone.
#[derive(Clone)]
pub struct SigningKeys {
    /// Oldest first; never empty.
    keys: Arc<[SigningKey]>,
}

/// One key.
pub(crate) struct SigningKey {
    kid: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    point: [u8; POINT_BYTES],
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.kid)).finish()
    }
}

impl SigningKeys {
    /// The keys in `folder`. The first is made when there is none, and is on the disk when this returns. Blocks.
    ///
    /// # Errors
    /// [`KeysError`]: a key that is readable by others or malformed is refused, never passed over, for passing over
    /// the newest would sign with one that was rotated away.
    pub fn open(folder: &Path, now: Timestamp) -> Result<SigningKeys, KeysError> {
        let keys = read_folder(folder)?;
        if keys.is_empty() { SigningKeys::rotate(folder, now) } else { Ok(SigningKeys { keys: keys.into() }) }
    }

    /// Makes a new key in `folder`, and answers the keys among which it now signs. Blocks.
    ///
    /// # Errors
    /// As [`SigningKeys::open`].
    pub fn rotate(folder: &Path, now: Timestamp) -> Result<SigningKeys, KeysError> {
        let pkcs8 = make_pkcs8()?;
        FILES.write(folder, now, &pem(&pkcs8))?;
        Ok(SigningKeys { keys: read_folder(folder)?.into() })
    }

    /// A key that lives as long as this process: for tests.
    ///
    /// # Errors
    /// [`KeysError::Unmade`].
    pub fn ephemeral() -> Result<SigningKeys, KeysError> {
        let key = SigningKey::from_pkcs8(&make_pkcs8()?).ok_or(KeysError::Unmade)?;
        Ok(SigningKeys { keys: Arc::new([key]) })
    }

    /// The id and the key to sign with.
    pub(crate) fn signing(&self) -> Option<(&str, &EncodingKey)> {
        self.keys.last().map(|key| (key.kid.as_str(), &key.encoding))
    }

    /// The key to verify with, by its id.
    pub(crate) fn verifying(&self, kid: &str) -> Option<&DecodingKey> {
        self.keys.iter().find(|key| key.kid == kid).map(|key| &key.decoding)
    }

    /// The public halves, newest first.
    pub(crate) fn jwks(&self) -> serde_json::Value {
        let keys: Vec<_> = self.keys.iter().rev().map(SigningKey::jwk).collect();
        serde_json::json!({ "keys": keys })
    }
}

impl SigningKey {
    fn from_pkcs8(pkcs8: &[u8]) -> Option<SigningKey> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).ok()?;
        let point: [u8; POINT_BYTES] = pair.public_key().as_ref().try_into().ok()?;
        let (x, y) = coordinates(&point);
        // RFC 7638: the required members in this order, without spaces.
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let kid = URL_SAFE_NO_PAD.encode(Sha256::digest(members.as_bytes()));
        Some(SigningKey {
            kid,
            encoding: EncodingKey::from_ec_der(pkcs8),
            decoding: DecodingKey::from_ec_der(&point),
            point,
        })
    }

    fn jwk(&self) -> serde_json::Value {
        let (x, y) = coordinates(&self.point);
        serde_json::json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.kid, "x": x, "y": y,
        })
    }
}

fn coordinates(point: &[u8; POINT_BYTES]) -> (String, String) {
    (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]))
}

fn make_pkcs8() -> Result<Vec<u8>, KeysError> {
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
    document.map(|document| document.as_ref().to_vec()).map_err(|_| KeysError::Unmade)
}

/// The keys of `folder`, oldest first.
fn read_folder(folder: &Path) -> Result<Vec<SigningKey>, KeysError> {
    let read = |(path, text): (_, String)| {
        let key = from_pem(&text).and_then(|pkcs8| SigningKey::from_pkcs8(&pkcs8));
        key.ok_or(KeysError::Malformed { path, expected: "a P-256 private key as PKCS#8 in PEM" })
    };
    FILES.read(folder)?.into_iter().map(read).collect()
}

const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";

fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut pem = format!("{PEM_BEGIN}\n");
    for (at, character) in text.chars().enumerate() {
        if at > 0 && at % 64 == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem + "\n" + PEM_END + "\n"
}

fn from_pem(pem: &str) -> Option<Vec<u8>> {
    let (_, rest) = pem.split_once(PEM_BEGIN)?;
    let (text, _) = rest.split_once(PEM_END)?;
    STANDARD.decode(text.split_ascii_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use jiff::Timestamp;

    use super::{KeysError, SigningKey, SigningKeys, from_pem, pem};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn kids(keys: &SigningKeys) -> Vec<String> {
        let jwks = keys.jwks();
        let kids = jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned());
        kids.collect()
    }

    #[test]
    fn the_first_start_makes_a_key_that_stays() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        let first = SigningKeys::open(&keys, at(1)).unwrap();
        let again = SigningKeys::open(&keys, at(2)).unwrap();
        assert_eq!(kids(&first), kids(&again));
        let files: Vec<_> = fs::read_dir(&keys).unwrap().map(|file| file.unwrap()).collect();
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_newest_signs_and_all_verify() {
        let folder = tempfile::tempdir().unwrap();
        let old = SigningKeys::open(folder.path(), at(1)).unwrap();
        let new = SigningKeys::rotate(folder.path(), at(2)).unwrap();
        let old_kid = kids(&old).remove(0);
        assert_eq!(kids(&new).len(), 2);
        assert_eq!(new.signing().unwrap().0, kids(&new)[0]);
        assert_ne!(new.signing().unwrap().0, old_kid);
        assert!(new.verifying(&old_kid).is_some());
        assert!(old.verifying(&kids(&new)[0]).is_none());
        assert!(SigningKeys::rotate(folder.path(), at(2)).is_err(), "no key is ever overwritten");
    }

    #[test]
    fn a_key_that_others_read_or_that_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        SigningKeys::open(folder.path(), at(1)).unwrap();
        let path = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            SigningKeys::open(folder.path(), at(2)),
            Err(KeysError::Exposed { mode: 0o640, .. })
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
        assert!(matches!(SigningKeys::open(folder.path(), at(2)), Err(KeysError::Malformed { .. })));
        fs::write(&path, vec![0xff; 64]).unwrap();
        assert!(SigningKeys::open(folder.path(), at(2)).is_err());
    }

    #[test]
    fn what_a_crash_left_unfinished_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("token-00000000001000.unfinished"), "half").unwrap();
        SigningKeys::open(folder.path(), at(1)).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn the_thumbprint_is_that_of_the_rfc() {
        let keys = SigningKeys::ephemeral().unwrap();
        let key = &keys.jwks()["keys"][0];
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":{},"y":{}}}"#, key["x"], key["y"]);
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, members.as_bytes());
        let expected = base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, digest);
        assert_eq!(key["kid"], expected);
    }

    #[test]
    fn pem_is_read_as_openssl_writes_it() {
        let pkcs8 = super::make_pkcs8().unwrap();
        let text = pem(&pkcs8);
        assert!(text.lines().all(|line| line.len() <= 64));
        assert_eq!(from_pem(&text).unwrap(), pkcs8);
        assert_eq!(from_pem(&text.replace('\n', "\r\n")).unwrap(), pkcs8);
        assert!(SigningKey::from_pkcs8(&pkcs8[1..]).is_none());
        for nonsense in ["", "x", "-----BEGIN PRIVATE KEY-----", "-----BEGIN EC PRIVATE KEY-----"] {
            assert!(from_pem(nonsense).is_none());
        }
    }
}
