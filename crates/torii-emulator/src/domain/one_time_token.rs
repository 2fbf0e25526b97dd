//! Tokens that are handed out once and kept as a hash only.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Error;

/// Bytes of randomness in a token.
const TOKEN_BYTES: usize = 32;

/// A new token. It has no `Debug`.
pub(super) struct OneTimeToken {
    /// What is handed out.
    pub(super) clear: String,
    /// What is kept. A token has so much randomness that a plain hash cannot be searched for it.
    pub(super) hash: String,
}

impl OneTimeToken {
    pub(super) fn generate() -> Result<Self, Error> {
        let mut bytes = [0; TOKEN_BYTES];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| Error::internal("the system gave no randomness"))?;
        let clear = URL_SAFE_NO_PAD.encode(bytes);
        let hash = hash(&clear);
        Ok(Self { clear, hash })
    }
}

/// What is kept of a token that somebody presents.
pub(super) fn hash(clear: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, clear.as_bytes()))
}
