//! A hash computed piece by piece, that can be put down in one process and taken up in another.
//!
//! ```text
//! version 1 │ algorithm 1 │ bytes hashed 8, big-endian │ state of the hash 104 or 208 │ checksum 16
//! ```
//!
//! The state is the form that the crate `sha2` gives it, which stays the same within 0.11 only and notices
//! few corruptions by itself. So it carries a version, to be raised when the form changes (a test compares it
//! with one that was kept), and a checksum, the beginning of the SHA-256 of all that stands before it.
//! Whoever meets a [`RestoreError`] reads the content again from its beginning: nothing is lost but time.

use std::fmt;

use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest as _, Sha256, Sha512};

use crate::{Algorithm, Digest};

const VERSION: u8 = 1;
const HEADER_BYTES: usize = 10;
const CHECKSUM_BYTES: usize = 16;

/// Why a saved hash cannot be taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// It was saved by a version of this program that kept it in another form.
    #[error("the saved hash has the form of another version: {found}")]
    Version {
        /// The version it bears.
        found: u8,
    },
    /// It is not what was saved.
    #[error("the saved hash is damaged")]
    Damaged,
}

/// A hash of what it has been given so far.
#[derive(Clone)]
pub struct Hasher {
    state: State,
    bytes_hashed: u64,
}

#[derive(Clone)]
enum State {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// A hash of nothing yet.
    pub fn new(algorithm: Algorithm) -> Hasher {
        let state = match algorithm {
            Algorithm::Sha256 => State::Sha256(Sha256::new()),
            Algorithm::Sha512 => State::Sha512(Sha512::new()),
        };
        Hasher { state, bytes_hashed: 0 }
    }

    /// Adds the next bytes.
    pub fn update(&mut self, content: &[u8]) {
        match &mut self.state {
            State::Sha256(hash) => hash.update(content),
            State::Sha512(hash) => hash.update(content),
        }
        self.bytes_hashed += content.len() as u64;
    }

    /// The digest of all it has been given.
    pub fn finish(self) -> Digest {
        match self.state {
            State::Sha256(hash) => Digest::from_hash(Algorithm::Sha256, &hash.finalize()),
            State::Sha512(hash) => Digest::from_hash(Algorithm::Sha512, &hash.finalize()),
        }
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> Algorithm {
        match self.state {
            State::Sha256(_) => Algorithm::Sha256,
            State::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// How many bytes it has been given.
    pub fn bytes_hashed(&self) -> u64 {
        self.bytes_hashed
    }

    /// Its state, for [`Hasher::restore`]: 130 bytes for SHA-256, 234 for SHA-512. It tells up to 127 bytes
    /// of the content.
    pub fn save(&self) -> Vec<u8> {
        let mut saved = vec![VERSION, self.algorithm().code()];
        saved.extend(self.bytes_hashed.to_be_bytes());
        match &self.state {
            State::Sha256(hash) => saved.extend(hash.serialize()),
            State::Sha512(hash) => saved.extend(hash.serialize()),
        }
        let checksum = checksum(&saved);
        saved.extend(checksum);
        saved
    }

    /// Takes up what [`Hasher::save`] put down.
    pub fn restore(saved: &[u8]) -> Result<Hasher, RestoreError> {
        let version = *saved.first().ok_or(RestoreError::Damaged)?;
        if version != VERSION {
            return Err(RestoreError::Version { found: version });
        }
        let (content, kept) = saved.split_last_chunk::<CHECKSUM_BYTES>().ok_or(RestoreError::Damaged)?;
        let (header, state) = content.split_first_chunk::<HEADER_BYTES>().ok_or(RestoreError::Damaged)?;
        if checksum(content) != *kept {
            return Err(RestoreError::Damaged);
        }
        let [_, code, bytes_hashed @ ..] = header;
        let state = match Algorithm::from_code(*code).ok_or(RestoreError::Damaged)? {
            Algorithm::Sha256 => State::Sha256(read(state)?),
            Algorithm::Sha512 => State::Sha512(read(state)?),
        };
        Ok(Hasher { state, bytes_hashed: u64::from_be_bytes(*bytes_hashed) })
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hasher({} of {} bytes)", self.algorithm(), self.bytes_hashed)
    }
}

fn read<H: SerializableState>(state: &[u8]) -> Result<H, RestoreError> {
    let state: &SerializedState<H> = state.try_into().map_err(|_| RestoreError::Damaged)?;
    H::deserialize(state).map_err(|_| RestoreError::Damaged)
}

fn checksum(content: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut checksum = [0; CHECKSUM_BYTES];
    checksum.copy_from_slice(&Sha256::digest(content)[..CHECKSUM_BYTES]);
    checksum
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{Hasher, RestoreError};
    use crate::{Algorithm, Digest};

    const ALGORITHMS: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Sha512];

    /// `content`'s hash, with the hasher saved and restored after each of the pieces that `splits` make.
    fn in_pieces(algorithm: Algorithm, content: &[u8], splits: &[usize]) -> Digest {
        let mut ends: Vec<usize> = splits.iter().map(|split| split % (content.len() + 1)).collect();
        ends.push(content.len());
        ends.sort_unstable();
        let mut hasher = Hasher::new(algorithm);
        let mut start = 0;
        for end in ends {
            hasher.update(&content[start..end]);
            hasher = Hasher::restore(&hasher.save()).expect("what was just saved");
            assert_eq!((hasher.bytes_hashed(), hasher.algorithm()), (end as u64, algorithm));
            start = end;
        }
        hasher.finish()
    }

    proptest! {
        #[test]
        fn a_restored_hash_goes_on_as_if_nothing_had_happened(
            content in vec(any::<u8>(), 0..1_000),
            splits in vec(0usize..1_000, 0..5),
        ) {
            for algorithm in ALGORITHMS {
                prop_assert_eq!(in_pieces(algorithm, &content, &splits), Digest::of(algorithm, &content));
            }
        }
    }

    #[test]
    fn every_split_around_the_blocks() {
        let content: Vec<u8> = (0..=255).collect();
        for algorithm in ALGORITHMS {
            let whole = Digest::of(algorithm, &content);
            for split in 0..=content.len() {
                assert_eq!(in_pieces(algorithm, &content, &[split]), whole, "{algorithm} {split}");
            }
        }
    }

    /// The form lies in databases: what this version saved, every later one of the same version byte must
    /// take up.
    #[test]
    fn what_was_saved_long_ago_is_still_understood() {
        let content = [b'x'; 300];
        // The header and the state after whole blocks; how many bytes wait for their block; the checksum.
        let kept = [
            (
                Algorithm::Sha256,
                "010100000000000000c8",
                "5188798a6b6bfa525c64b95f3661b06325dc606d47de69b51a25bfd765dadaaf0300000000000000",
                8,
                "c5aae942513a2d4bac91377e332e1ff3",
            ),
            (
                Algorithm::Sha512,
                "010200000000000000c8",
                "0a71f6caa7bb94b9d79228c132f2509e73b847044fc20e3ffb7b7b8627eb5441abdfb322955d8ccf\
                 38c84543596d74adceed8dfd004dd79ca7b47ec2b43bcfe301000000000000000000000000000000",
                72,
                "6dbe5dd98194ef03b84b6d16219dcc5e",
            ),
        ];
        for (algorithm, header, state, waiting, checksum) in kept {
            let waits = format!("{waiting:02x}{}{}", "78".repeat(waiting), "00".repeat(55));
            let kept = format!("{header}{state}{waits}{checksum}");
            let mut hasher = Hasher::new(algorithm);
            hasher.update(&content[..200]);
            let saved: String = hasher.save().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(saved, kept, "the form has changed: raise VERSION");

            let mut restored = Hasher::restore(&bytes_of(&kept)).expect("a kept form");
            restored.update(&content[200..]);
            assert_eq!(restored.finish(), Digest::of(algorithm, &content));
        }
    }

    #[test]
    fn damage_is_noticed() {
        for algorithm in ALGORITHMS {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(&[7; 150]);
            let saved = hasher.save();
            for length in 0..saved.len() {
                assert_eq!(Hasher::restore(&saved[..length]).err(), Some(RestoreError::Damaged), "{length}");
            }
            for at in 1..saved.len() {
                for bit in 0..8 {
                    let mut damaged = saved.clone();
                    damaged[at] ^= 1 << bit;
                    assert_eq!(Hasher::restore(&damaged).err(), Some(RestoreError::Damaged), "{at}");
                }
            }
            let longer = [&saved[..], &[0]].concat();
            assert_eq!(Hasher::restore(&longer).err(), Some(RestoreError::Damaged));
            let mut newer = saved;
            newer[0] = 2;
            assert_eq!(Hasher::restore(&newer).err(), Some(RestoreError::Version { found: 2 }));
        }
    }

    #[test]
    fn nothing_of_the_content_is_shown() {
        let mut hasher = Hasher::new(Algorithm::Sha512);
        hasher.update(b"secret");
        assert_eq!(format!("{hasher:?}"), "Hasher(sha512 of 6 bytes)");
    }

    fn bytes_of(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
        digits.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
    }
}
