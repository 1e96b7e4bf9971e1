//! Tags that tell what they are about: the specification's "Referrers Tag Schema" (`sha256-<hex>`), and the tags that
//! cosign hangs on a digest (`sha256-<hex>.sig`, `.att`, `.sbom`).

use crate::{Algorithm, Digest};

/// How much of a hash such a tag holds, in hexadecimal digits: all of a SHA-256, and half of a SHA-512.
const HEX_DIGITS: usize = 64;

impl Digest {
    /// What every tag that is about this digest begins with; [`Digest::is_subject_of`] knows them.
    pub fn tag_beginning(&self) -> String {
        format!("{}-{}", self.algorithm(), &self.hex()[..HEX_DIGITS])
    }

    /// Whether `tag` is about this digest: `sha256-<hex>`, or that with something after a `.`, `_` or `-`.
    pub fn is_subject_of(&self, tag: &str) -> bool {
        tag.strip_prefix(self.tag_beginning().as_str()).is_some_and(is_end)
    }

    /// The beginning of the raw form of the digest that `tag` is about; `None`: it is about nothing. Of a SHA-256 it is
    /// the whole form.
    pub fn subject_raw_beginning(tag: &str) -> Option<Vec<u8>> {
        let (algorithm, rest) = tag.split_once('-')?;
        let algorithm = Algorithm::parse(algorithm).ok()?;
        let hash = rest.get(..HEX_DIGITS)?;
        // The other half of a SHA-512 is of no matter here: anything that makes the text a digest does.
        let filled = hash.repeat(algorithm.hash_bytes() * 2 / HEX_DIGITS);
        let digest = Digest::parse(&format!("{algorithm}:{filled}")).ok()?;
        is_end(&rest[HEX_DIGITS..]).then(|| digest.raw()[..=HEX_DIGITS / 2].to_vec())
    }
}

fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['.', '_', '-'])
}

#[cfg(test)]
mod tests {
    use crate::{Algorithm, Digest};

    #[test]
    fn tags_and_their_subjects() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let (digest, other) = (Digest::of(algorithm, b"a"), Digest::of(algorithm, b"b"));
            let beginning = digest.tag_beginning();
            assert_eq!(beginning.len(), 71);
            for end in ["", ".sig", ".att", ".sbom", "-x", "_x", "."] {
                let tag = format!("{beginning}{end}");
                assert!(digest.is_subject_of(&tag) && !other.is_subject_of(&tag), "{tag}");
                let raw = Digest::subject_raw_beginning(&tag).expect("a subject");
                assert!(digest.raw().starts_with(&raw) && raw.len() == 33, "{tag}");
            }
            let upper = beginning.to_uppercase();
            let cut = &beginning[..70];
            let longer = format!("{beginning}0");
            let prefixed = format!("x{beginning}");
            for tag in
                [upper.as_str(), cut, &longer, &prefixed, "latest", "sha256-", "sha256", "a-b", "md5-x", ""]
            {
                assert!(!digest.is_subject_of(tag), "{tag}");
                assert_eq!(Digest::subject_raw_beginning(tag), None, "{tag}");
            }
        }
    }
}
