//! Tokens whose signature has been verified: it need not be verified again.
//!
//! What else decides about a token is decided anew each time: that its key is still the issuer's, and the time. So at
//! every instant the answer is the one that a full verification would give. The tokens themselves are not kept.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::auth::Auth;
use super::signature::VerifyingKey;
use super::token::MAX_TOKEN;
use crate::process::PerProcess;

/// What one token may take on average, beside its payload. A cache of 10,000 tokens holds 10,000 of this size, fewer
/// larger ones, and more smaller ones.
const AVERAGE_WEIGHT: u64 = 1024;
/// Room for the entry itself and what the claims take as values.
const ENTRY_WEIGHT: u64 = 512;

/// The verified tokens of one verifier, and so of one issuer and one policy. Bounded; only verified tokens enter.
#[derive(Debug)]
pub(crate) struct VerifiedTokens {
    capacity: usize,
    /// Made with the first entry: a verifier that lives for one request has none.
    entries: PerProcess<Cache<TokenDigest, VerifiedToken, ByPayload>>,
}

/// The SHA-256 of a whole token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TokenDigest([u8; 32]);

/// A token as it was verified.
#[derive(Clone, Debug)]
pub(crate) struct VerifiedToken {
    pub(crate) auth: Auth,
    pub(crate) kid: Arc<str>,
    /// The key that it was verified with. The issuer's key of that name must still be this one.
    pub(crate) key: Arc<VerifyingKey>,
}

impl VerifiedTokens {
    /// Room for about `capacity` tokens; none for zero.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            entries: PerProcess::new(),
        }
    }

    /// The name under which a token is remembered; `None` where nothing is, and for what is too large to be one.
    pub(crate) fn digest(&self, token: &str) -> Option<TokenDigest> {
        if self.capacity == 0 || token.len() > MAX_TOKEN {
            return None;
        }
        digest(&SHA256, token.as_bytes())
            .as_ref()
            .try_into()
            .ok()
            .map(TokenDigest)
    }

    pub(crate) fn get(&self, digest: &TokenDigest) -> Option<VerifiedToken> {
        self.entries.look(|entries| entries.get(digest))?
    }

    pub(crate) fn insert(&self, digest: TokenDigest, token: VerifiedToken) {
        let capacity = self.capacity as u64;
        let entries = self.entries.get_or_make(|| {
            Cache::with_weighter(self.capacity, capacity.saturating_mul(AVERAGE_WEIGHT), ByPayload)
        });
        entries.insert(digest, token);
    }

    /// Forgets a token that has expired.
    pub(crate) fn remove(&self, digest: &TokenDigest) {
        self.entries.look(|entries| entries.remove(digest));
    }
}

#[derive(Clone, Debug)]
struct ByPayload;

impl Weighter<TokenDigest, VerifiedToken> for ByPayload {
    fn weight(&self, _: &TokenDigest, token: &VerifiedToken) -> u64 {
        ENTRY_WEIGHT + token.auth.payload_length() as u64
    }
}
