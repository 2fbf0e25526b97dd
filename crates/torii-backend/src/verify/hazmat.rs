//! Parts of verification by themselves, for published test vectors and for fuzzing. They check far less than a
//! [`Verifier`](crate::Verifier) does: nothing here may decide who somebody is.

#[cfg(feature = "http")]
use std::time::Duration;

#[cfg(feature = "http")]
use http::HeaderMap;

use super::code::ErrorCode;
use super::keys::jwks::KeySet;
use super::token::header::HeaderPolicy;
use super::token::jws::UnverifiedJws;
use super::token::signature::VerifyingKey;
#[cfg(feature = "http")]
use crate::http_client::headers;

/// Whether `signature` (R and S, 64 bytes) over `message` is that of the P-256 key with these affine coordinates.
pub fn verify_es256(x: &[u8], y: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let (Ok(x), Ok(y)) = (x.try_into(), y.try_into()) else {
        return false;
    };
    VerifyingKey::from_coordinates(x, y).is_some_and(|key| key.verifies(message, signature))
}

/// The payload of a compact JWS with any payload, verified by a key set. No claim is looked at.
///
/// # Errors
///
/// With the code that a [`Verifier`](crate::Verifier) would give, and `jwks_unavailable` for a set without usable keys.
pub fn verify_jws(jws: &str, key_set: &str) -> Result<Vec<u8>, ErrorCode> {
    let jws = UnverifiedJws::parse(jws, &HeaderPolicy::default()).map_err(|error| error.code())?;
    let key_set = KeySet::from_jwks(key_set.as_bytes()).map_err(|_| ErrorCode::JwksUnavailable)?;
    let key = key_set.find(&jws.kid).map_err(|error| error.code())?;
    match jws.is_signed_by(&key) {
        true => Ok(jws.payload),
        false => Err(ErrorCode::BadSignature),
    }
}

/// How long a reply with these headers asks to be left alone.
#[cfg(feature = "http")]
pub fn retry_after(reply: &HeaderMap) -> Option<Duration> {
    headers::retry_after(reply)
}

/// How long a reply with these headers stays fresh.
#[cfg(feature = "http")]
pub fn freshness(reply: &HeaderMap) -> Option<Duration> {
    headers::freshness(reply)
}
