//! Verifying a token: header → text → parts → key → signature → claims → [`Auth`].

mod auth;
mod base64url;
mod bearer;
mod builder;
mod cache;
mod claims;
mod error;
mod fetch;
mod flight;
pub mod hazmat;
mod header;
mod json;
mod jwks;
mod key_source;
mod lru;
mod many;
#[cfg(all(test, torii_model_check))]
mod model;
mod remote;
mod signature;
mod sync;
mod token;
mod verified;
mod verifier;

use std::sync::Arc;

pub use auth::Auth;
pub use builder::VerifierBuilder;
pub use cache::CacheSettings;
pub use error::{ErrorCode, FetchError, KeySetError, KeysUnavailable, TokenError, VerifyError};
pub use key_source::KeySource;
pub use remote::{KeySnapshot, KeyStatus};
pub use verifier::{Verifier, VerifyCounts};

use self::lru::Lru;
use crate::config::ConfigError;

/// Verifies an end-user's token with the defaults: ES256 only, keys from the issuer, 30 s of leeway.
///
/// The first call for an issuer fetches its key set; later ones use it and refresh it in the background. All calls of
/// a process share the keys. For anything but the defaults, keep a [`Verifier`].
///
/// `issuer` is configuration: never take it from a token or a request.
///
/// # Errors
///
/// As [`Verifier::verify`], and [`VerifyError::Config`] for an issuer that is not an https URL (or http on loopback).
pub async fn verify_token(token: &str, issuer: &str) -> Result<Auth, VerifyError> {
    shared_verifier(issuer)?.verify(token).await
}

/// [`verify_token`] for a thread; needs no runtime.
///
/// # Errors
///
/// As [`verify_token`].
pub fn verify_token_blocking(token: &str, issuer: &str) -> Result<Auth, VerifyError> {
    shared_verifier(issuer)?.verify_blocking(token)
}

/// For test suites: drops the keys that the process's verifiers share. Verifiers built from now on fetch anew; those
/// that exist keep theirs.
pub fn forget_shared_keys() {
    SHARED_VERIFIERS.clear();
    builder::SHARED_KEYS.clear();
}

/// Behind [`verify_token`], by issuer.
static SHARED_VERIFIERS: Lru<Verifier> = Lru::new();

/// The process's verifier with the defaults for `issuer`.
fn shared_verifier(issuer: &str) -> Result<Arc<Verifier>, ConfigError> {
    match SHARED_VERIFIERS.get(issuer) {
        Some(verifier) => Ok(verifier),
        None => Ok(SHARED_VERIFIERS.insert(issuer, Arc::new(Verifier::new(issuer)?))),
    }
}
