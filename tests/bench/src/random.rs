//! Random bodies, each unlike every other, whose digests cost nothing to know.
//!
//! A body is the beginning of one block of random bytes, and an ending of its own. The beginning is hashed once for each
//! length; only the ending is hashed for each body. So the client spends no time on SHA-256 while it pushes, and no server
//! can have seen a body before.

use std::collections::HashMap;
use std::fmt::Write as _;

use bytes::{Buf, Bytes};
use sha2::{Digest as _, Sha256};

const ENDING_BYTES: usize = 64;

/// The block that all bodies begin with.
pub(crate) struct Random {
    block: Bytes,
    /// The hash of its beginnings, by their length.
    begun: HashMap<usize, Sha256>,
}

/// A body.
#[derive(Debug, Clone)]
pub(crate) struct Body {
    beginning: Bytes,
    ending: Bytes,
    pub(crate) digest: String,
}

impl Random {
    /// For bodies up to this length.
    pub(crate) fn new(bytes_max: u64) -> Result<Random, String> {
        let bytes_max =
            usize::try_from(bytes_max).map_err(|_| "bodies as large as that do not fit".to_owned())?;
        let mut block = vec![0; bytes_max];
        rand::fill(&mut block[..]);
        Ok(Random { block: block.into(), begun: HashMap::new() })
    }

    /// A new one of this length.
    ///
    /// # Panics
    /// When it is longer than what the block was made for: a defect of ours.
    pub(crate) fn body(&mut self, bytes: u64) -> Body {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let ending_bytes = ENDING_BYTES.min(bytes);
        let beginning = self.block.slice(..bytes - ending_bytes);
        let hash = self.begun.entry(beginning.len()).or_insert_with(|| Sha256::new_with_prefix(&beginning));
        let mut ending = vec![0; ending_bytes];
        rand::fill(&mut ending[..]);
        let digest = written(&hash.clone().chain_update(&ending).finalize());
        Body { beginning, ending: ending.into(), digest }
    }
}

impl Body {
    /// One of these very bytes.
    pub(crate) fn of(bytes: impl Into<Bytes>) -> Body {
        let bytes = bytes.into();
        let digest = digest_of(&bytes);
        Body { beginning: bytes, ending: Bytes::new(), digest }
    }

    pub(crate) fn len(&self) -> u64 {
        (self.beginning.len() + self.ending.len()) as u64
    }

    /// Its bytes, to be sent.
    pub(crate) fn bytes(&self) -> impl Buf + use<> {
        self.beginning.clone().chain(self.ending.clone())
    }

    /// Its two parts, to be written to a file.
    pub(crate) fn parts(&self) -> [&[u8]; 2] {
        [&self.beginning, &self.ending]
    }
}

/// The sha256 digest of `bytes`.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    written(&Sha256::digest(bytes))
}

/// A sha256 digest, as the specification writes it.
pub(crate) fn written(hash: &[u8]) -> String {
    let mut digest = "sha256:".to_owned();
    for byte in hash {
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::{Random, digest_of};

    #[test]
    fn a_body_has_its_length_its_digest_and_no_twin() {
        let mut random = Random::new(5000).unwrap();
        for bytes in [0, 1, 64, 65, 5000] {
            let (one, other) = (random.body(bytes), random.body(bytes));
            assert_eq!(one.len(), bytes);
            assert_eq!(one.digest, digest_of(&one.parts().concat()));
            assert_eq!(other.digest, digest_of(&other.parts().concat()));
            if bytes > 1 {
                assert_ne!(one.digest, other.digest);
            }
        }
    }
}
