//! Digests: what content is called by. `sha256:` or `sha512:`, and the hash in lower-case hexadecimal.
//!
//! Two failures are told apart, because a client can do something about one of them: a text that is no digest
//! at all ([`DigestError::Malformed`]), and one that is, in an algorithm that we do not compute
//! ([`DigestError::UnsupportedAlgorithm`]).

use std::fmt;

use crate::{Hasher, text::read_and_write_as_text};

/// The longest name of an algorithm that an error repeats, in bytes.
const ALGORITHM_BYTES_MAX: usize = 32;
/// The longest digest: `sha512:` and its hash.
const TEXT_BYTES_MAX: usize = 7 + 2 * 64;
const HEX_DIGITS: [u8; 16] = *b"0123456789abcdef";

/// A hash algorithm that content may be named by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// Reads a name as it stands in a digest or in `digest-algorithm=`.
    pub fn parse(text: &str) -> Result<Algorithm, DigestError> {
        match text {
            "sha256" => Ok(Algorithm::Sha256),
            "sha512" => Ok(Algorithm::Sha512),
            other if is_algorithm(other) => {
                Err(DigestError::UnsupportedAlgorithm { algorithm: other.to_owned() })
            }
            _ => Err(DigestError::Malformed),
        }
    }

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha512 => "sha512",
        }
    }

    /// The length of its hashes, in bytes.
    pub fn hash_bytes(self) -> usize {
        match self {
            Algorithm::Sha256 => 32,
            Algorithm::Sha512 => 64,
        }
    }

    /// The byte that stands for it in stored forms. Never to be changed.
    pub(crate) fn code(self) -> u8 {
        match self {
            Algorithm::Sha256 => 1,
            Algorithm::Sha512 => 2,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Algorithm> {
        [Algorithm::Sha256, Algorithm::Sha512].into_iter().find(|algorithm| algorithm.code() == code)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

read_and_write_as_text!(Algorithm, DigestError);

/// Why a text is not a digest that we can work with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// It is no digest, or its hash has the wrong length or letters for its algorithm.
    #[error("not a digest: sha256: with 64, or sha512: with 128 lower-case hexadecimal digits")]
    Malformed,
    /// It is a digest by the specification's grammar, but neither SHA-256 nor SHA-512.
    #[error("the digest algorithm {algorithm:?} is not supported: use sha256 or sha512")]
    UnsupportedAlgorithm {
        /// The algorithm's name, at most 32 bytes.
        algorithm: String,
    },
}

/// A digest: an algorithm and a hash of its length. Ordered by [`Digest::raw`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    /// The algorithm's code, the hash, and zeros up to the longest form: never read, but they make order and
    /// equality those of the raw form.
    bytes: [u8; 65],
}

impl Digest {
    /// Reads `algorithm:hex`, strictly: no upper case, no other length.
    pub fn parse(text: &str) -> Result<Digest, DigestError> {
        let (algorithm, hex) = text.split_once(':').ok_or(DigestError::Malformed)?;
        if hex.is_empty() || !hex.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=_-".contains(&byte)) {
            return Err(DigestError::Malformed);
        }
        let algorithm = Algorithm::parse(algorithm)?;
        let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
        if pairs.len() != algorithm.hash_bytes() || !rest.is_empty() {
            return Err(DigestError::Malformed);
        }
        let mut digest = Digest::empty(algorithm);
        for (byte, [high, low]) in digest.bytes[1..].iter_mut().zip(pairs) {
            *byte = nibble(*high).ok_or(DigestError::Malformed)? << 4
                | nibble(*low).ok_or(DigestError::Malformed)?;
        }
        Ok(digest)
    }

    /// The digest of some bytes.
    pub fn of(algorithm: Algorithm, content: &[u8]) -> Digest {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(content);
        hasher.finish()
    }

    /// The stored form: a byte for the algorithm (1 is SHA-256, 2 is SHA-512), then the hash. It tells its
    /// own length, so no raw form is the beginning of another.
    pub fn raw(&self) -> &[u8] {
        &self.bytes[..=self.algorithm().hash_bytes()]
    }

    /// Reads the stored form; `None` if it is none.
    pub fn from_raw(raw: &[u8]) -> Option<Digest> {
        let (code, hash) = raw.split_first()?;
        let algorithm = Algorithm::from_code(*code)?;
        (hash.len() == algorithm.hash_bytes()).then(|| Digest::from_hash(algorithm, hash))
    }

    /// Its algorithm.
    pub fn algorithm(&self) -> Algorithm {
        if self.bytes[0] == Algorithm::Sha512.code() { Algorithm::Sha512 } else { Algorithm::Sha256 }
    }

    /// The hash in lower-case hexadecimal, without the algorithm.
    pub fn hex(&self) -> String {
        let mut text = [0; TEXT_BYTES_MAX];
        let text = self.write(&mut text);
        text[self.algorithm().as_str().len() + 1..].to_owned()
    }

    /// Its text, which lies in `text`: a digest is written with every answer.
    fn write<'t>(&self, text: &'t mut [u8; TEXT_BYTES_MAX]) -> &'t str {
        let name = self.algorithm().as_str().as_bytes();
        text[..name.len()].copy_from_slice(name);
        text[name.len()] = b':';
        let (pairs, _) = text[name.len() + 1..].as_chunks_mut::<2>();
        for ([high, low], byte) in pairs.iter_mut().zip(&self.raw()[1..]) {
            *high = HEX_DIGITS[usize::from(byte >> 4)];
            *low = HEX_DIGITS[usize::from(byte & 15)];
        }
        let bytes = name.len() + 1 + 2 * self.algorithm().hash_bytes();
        str::from_utf8(&text[..bytes]).unwrap_or_default()
    }

    /// `hash` must have the algorithm's length.
    pub(crate) fn from_hash(algorithm: Algorithm, hash: &[u8]) -> Digest {
        let mut digest = Digest::empty(algorithm);
        digest.bytes[1..=algorithm.hash_bytes()].copy_from_slice(hash);
        digest
    }

    fn empty(algorithm: Algorithm) -> Digest {
        let mut bytes = [0; 65];
        bytes[0] = algorithm.code();
        Digest { bytes }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.write(&mut [0; TEXT_BYTES_MAX]))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

read_and_write_as_text!(Digest, DigestError);

/// The image specification's grammar: `[a-z0-9]+([+._-][a-z0-9]+)*`.
fn is_algorithm(text: &str) -> bool {
    let is_component = |component: &str| {
        !component.is_empty()
            && component.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    text.len() <= ALGORITHM_BYTES_MAX && text.split(['+', '.', '_', '-']).all(is_component)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{Algorithm, Digest, DigestError};

    const EMPTY_256: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const EMPTY_512: &str = "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce\
                             47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";

    #[test]
    fn known_values() {
        assert_eq!(Digest::of(Algorithm::Sha256, b"").to_string(), EMPTY_256);
        assert_eq!(Digest::of(Algorithm::Sha512, b"").to_string(), EMPTY_512);
        let digest = Digest::parse(EMPTY_256).expect("a digest");
        assert_eq!(digest.hex(), EMPTY_256["sha256:".len()..]);
        assert_eq!((digest.raw()[0], digest.raw().len()), (1, 33));
        let digest = Digest::parse(EMPTY_512).expect("a digest");
        assert_eq!((digest.raw()[0], digest.raw().len()), (2, 65));
    }

    #[test]
    fn malformed() {
        let a = |digits: usize| "a".repeat(digits);
        let cases = [
            String::new(),
            ":".to_owned(),
            "sha256".to_owned(),
            "sha256:".to_owned(),
            format!(":{}", a(64)),
            "sha256:baddigeststring".to_owned(),
            format!("sha256:{}", a(63)),
            format!("sha256:{}", a(65)),
            format!("sha256:{}", a(66)),
            format!("sha256:{}", a(128)),
            format!("sha512:{}", a(64)),
            format!("sha512:{}", a(127)),
            format!("sha512:{}", a(130)),
            format!("sha256:{}", "A".repeat(64)),
            format!("sha256:{}A", a(63)),
            format!("sha256:{}g", a(63)),
            format!("sha256:{}é", a(62)),
            format!("sha256: {}", a(63)),
            format!("sha256:{} ", a(64)),
            format!("sha256:{}\n", a(64)),
            format!(" sha256:{}", a(64)),
            format!("SHA256:{}", a(64)),
            format!("Sha256:{}", a(64)),
            format!("sha256::{}", a(64)),
            format!("sha256:sha256:{}", a(64)),
            format!("sha+:{}", a(64)),
            format!("+sha:{}", a(64)),
            format!("sha..256:{}", a(64)),
            format!("sha256/../:{}", a(64)),
            format!("{}:{}", "x".repeat(33), a(64)),
            "sha384:/../../etc".to_owned(),
        ];
        for text in cases {
            assert_eq!(Digest::parse(&text), Err(DigestError::Malformed), "{text:?}");
        }
    }

    #[test]
    fn another_algorithm_is_not_malformed() {
        let texts = [
            "sha384:aa",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            "blake3:AbC=_-",
            "multihash+base58:Qm",
            "sha1:0",
        ];
        for text in texts {
            let algorithm = text.split(':').next().unwrap_or_default().to_owned();
            assert_eq!(Digest::parse(text), Err(DigestError::UnsupportedAlgorithm { algorithm }), "{text}");
        }
        assert_eq!(Algorithm::parse("sha512"), Ok(Algorithm::Sha512));
        assert!(matches!(Algorithm::parse("sha1"), Err(DigestError::UnsupportedAlgorithm { .. })));
        assert_eq!(Algorithm::parse("SHA512"), Err(DigestError::Malformed));
        assert_eq!(Algorithm::parse(""), Err(DigestError::Malformed));
    }

    #[test]
    fn raw_forms_of_other_lengths_are_refused() {
        for raw in [&[][..], &[1], &[1; 32], &[1; 34], &[2; 33], &[2; 64], &[2; 66], &[0; 33], &[3; 65]] {
            assert_eq!(Digest::from_raw(raw), None, "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn texts_and_raw_forms_are_read_and_written_alike(
            hash in any::<[u8; 32]>(),
            long in any::<[u8; 64]>(),
        ) {
            let raws = [[&[1][..], &hash].concat(), [&[2][..], &long].concat()];
            for raw in &raws {
                let digest = Digest::from_raw(raw).expect("a raw form");
                prop_assert_eq!(digest.raw(), &raw[..]);
                let text = digest.to_string();
                prop_assert_eq!(Digest::parse(&text).expect("its own text"), digest.clone());
                let json = serde_json::to_string(&digest).expect("a text");
                prop_assert_eq!(serde_json::from_str::<Digest>(&json).expect("its own text"), digest);
            }
        }

        #[test]
        fn order_is_that_of_raw_forms(a in any::<[u8; 32]>(), b in any::<[u8; 32]>()) {
            let of = |hash: [u8; 32]| Digest::from_raw(&[&[1][..], &hash].concat()).expect("a raw form");
            prop_assert_eq!(of(a).cmp(&of(b)), of(a).raw().cmp(of(b).raw()));
            prop_assert!(of(a) < Digest::of(Algorithm::Sha512, &a));
        }

        #[test]
        fn no_text_makes_it_panic_or_changes(text in "(sha256:|sha512:)?[0-9a-fA-Fé]{60,66}") {
            if let Ok(digest) = Digest::parse(&text) {
                prop_assert_eq!(digest.to_string(), text);
            }
        }
    }
}
