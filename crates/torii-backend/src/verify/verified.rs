//! Tokens whose signature has been verified: it need not be verified again.
//!
//! What else decides about a token is decided anew each time: that its key is still the issuer's, and the time. So at
//! every instant the answer is the one that a full verification would give. The tokens themselves are not kept.

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use once_cell::race::OnceBox;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::token::auth::Auth;
use super::token::jws::MAX_TOKEN;
use crate::process::PerProcess;

/// What a token takes beside its payload.
const ENTRY_WEIGHT: u64 = 256;
/// What a token of ordinary size takes. A cache of 10,000 tokens holds 10,000 of this size, fewer larger ones, and more
/// smaller ones.
const ORDINARY_WEIGHT: u64 = ENTRY_WEIGHT + 512;

/// The verified tokens of one verifier, and so of one policy. Bounded; only verified tokens enter.
#[derive(Debug)]
pub(crate) struct VerifiedTokens {
    capacity: usize,
    /// Made with the first entry: a verifier that lives for one request has none.
    entries: PerProcess<Cache<TokenDigest, Auth, ByPayload>>,
}

/// The name of a whole token in memory: its authentication code under a secret of the process.
///
/// The code is GMAC, a universal hash. Whoever does not know the secret finds two tokens of one code with a probability of
/// at most 2^-117 for each pair, tokens of [`MAX_TOKEN`] bytes included, however much time is spent on it. SHA-256 takes four
/// times as long. GMAC is broken where codes under a repeated nonce become known: here the nonce is always the same, and no code
/// ever leaves the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TokenDigest([u8; 16]);

/// Made with the first token that is looked up. A fork's child has the same one: what it knows is also a copy.
static SECRET: OnceBox<LessSafeKey> = OnceBox::new();

impl TokenDigest {
    // Never inlined: `benches/instructions.rs` leaves it out by its name.
    #[inline(never)]
    fn of(token: &str) -> Option<Self> {
        let secret = SECRET.get_or_try_init(secret).ok()?;
        let nonce = Nonce::assume_unique_for_key([0; NONCE_LEN]);
        let code = secret.seal_in_place_separate_tag(nonce, Aad::from(token), &mut []);
        code.ok()?.as_ref().try_into().ok().map(Self)
    }
}

/// # Errors
///
/// Without a source of randomness. Then nothing is remembered.
fn secret() -> Result<Box<LessSafeKey>, aws_lc_rs::error::Unspecified> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes)?;
    Ok(Box::new(LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &bytes)?)))
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
        TokenDigest::of(token)
    }

    pub(crate) fn get(&self, digest: &TokenDigest) -> Option<Auth> {
        self.entries.look(|entries| entries.get(digest))?
    }

    pub(crate) fn insert(&self, digest: TokenDigest, auth: Auth) {
        let capacity = self.capacity as u64;
        let entries = self.entries.get_or_make(|| {
            Cache::with_weighter(self.capacity, capacity.saturating_mul(ORDINARY_WEIGHT), ByPayload)
        });
        entries.insert(digest, auth);
    }

    /// Forgets a token that has expired.
    pub(crate) fn remove(&self, digest: &TokenDigest) {
        self.entries.look(|entries| entries.remove(digest));
    }
}

#[derive(Clone, Debug)]
struct ByPayload;

impl Weighter<TokenDigest, Auth> for ByPayload {
    fn weight(&self, _: &TokenDigest, auth: &Auth) -> u64 {
        ENTRY_WEIGHT + auth.payload_length() as u64
    }
}
