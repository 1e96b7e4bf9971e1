//! Tokens whose signature was found good: that is computed once for each. Nothing else is taken from here: their times, and
//! whether all that they rest on still holds, are looked at with every request.

use std::sync::Arc;

use moka::sync::Cache;
use sha2::{Digest, Sha256};

use crate::access_tokens::Claims;

/// The tokens that are remembered, in bytes of their text.
const REMEMBERED_BYTES_MAX: u64 = 8 << 20;

/// The digest of a token's whole text → what it says. The keys that it was verified with are those of this process, for
/// good.
pub(crate) struct VerifiedTokens {
    claims: Cache<[u8; 32], (u32, Arc<Claims>)>,
    /// How many signatures were looked at.
    #[cfg(test)]
    signatures: std::sync::atomic::AtomicUsize,
}

impl VerifiedTokens {
    pub(crate) fn new() -> VerifiedTokens {
        VerifiedTokens {
            claims: Cache::builder()
                .max_capacity(REMEMBERED_BYTES_MAX)
                .weigher(|_, (bytes, _): &(u32, Arc<Claims>)| *bytes)
                .build(),
            #[cfg(test)]
            signatures: std::sync::atomic::AtomicUsize::new(0),
        }
    }

    /// How many signatures were looked at.
    #[cfg(test)]
    pub(crate) fn signatures(&self) -> usize {
        self.signatures.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// What `token` says, if `verify` finds that we signed it, or found so before. What is no good is not remembered.
    pub(crate) fn claims(&self, token: &str, verify: impl FnOnce() -> Option<Claims>) -> Option<Arc<Claims>> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        if let Some((_, claims)) = self.claims.get(&digest) {
            return Some(claims);
        }
        #[cfg(test)]
        self.signatures.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let claims = Arc::new(verify()?);
        self.claims.insert(digest, (u32::try_from(token.len()).unwrap_or(u32::MAX), Arc::clone(&claims)));
        Some(claims)
    }
}
