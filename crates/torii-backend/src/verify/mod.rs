//! Verifying a token: header → text → parts → key → signature → claims → [`Auth`].
//!
//! `token` reads and checks a token's text and knows no keys' origin; `keys` finds the issuer's keys and reads no token;
//! `verifier` joins the two and is the only part that may wait.

mod bearer;
mod builder;
mod code;
mod counts;
mod credentials;
mod error;
#[cfg(feature = "http")]
mod fetching;
#[cfg(feature = "test-util")]
pub mod hazmat;
mod keys;
mod many;
#[cfg(feature = "http")]
mod registry;
mod token;
mod verified;
mod verifier;

#[cfg(feature = "http")]
use std::sync::Arc;

pub use builder::VerifierBuilder;
pub use code::{ErrorCode, UnknownErrorCode};
pub use counts::VerifyCounts;
pub use error::{FetchError, KeySetError, KeysUnavailable, TokenError, VerifyError};
#[cfg(feature = "http")]
pub use keys::set::CacheSettings;
pub use keys::source::KeySource;
#[cfg(feature = "http")]
pub use keys::status::KeySnapshot;
pub use keys::status::KeyStatus;
pub use token::auth::{Auth, NoClaims};
pub use verifier::Verifier;

#[cfg(feature = "http")]
use self::registry::Registry;
#[cfg(feature = "http")]
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
#[cfg(feature = "http")]
pub async fn verify_token(token: &str, issuer: &str) -> Result<Auth, VerifyError> {
    shared_verifier(issuer)?.verify(token).await
}

/// [`verify_token`] for a thread; needs no runtime.
///
/// # Errors
///
/// As [`verify_token`].
#[cfg(feature = "http")]
pub fn verify_token_blocking(token: &str, issuer: &str) -> Result<Auth, VerifyError> {
    shared_verifier(issuer)?.verify_blocking(token)
}

/// For test suites: drops the keys that the process's verifiers share. Verifiers built from now on fetch anew; those
/// that exist keep theirs.
#[cfg(all(feature = "http", feature = "test-util"))]
pub fn forget_shared_keys() {
    SHARED_VERIFIERS.clear();
    fetching::SHARED_KEYS.clear();
}

/// Behind [`verify_token`], by issuer.
#[cfg(feature = "http")]
static SHARED_VERIFIERS: Registry<Verifier> = Registry::new();

/// The process's verifier with the defaults for `issuer`.
#[cfg(feature = "http")]
fn shared_verifier(issuer: &str) -> Result<Arc<Verifier>, ConfigError> {
    match SHARED_VERIFIERS.get(issuer) {
        Some(verifier) => Ok(verifier),
        None => Ok(SHARED_VERIFIERS.insert(issuer, Arc::new(Verifier::new(issuer)?))),
    }
}
