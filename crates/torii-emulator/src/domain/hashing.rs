//! Hashes of passwords.

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use torii_backend_types::Password;

use crate::error::Error;

/// The least that argon2 allows, in KiB and passes. A test double must be quick and small, also in a debug build: one
/// hash takes well under a millisecond. It therefore protects no real password.
const MEMORY_KIB: u32 = 8;
const PASSES: u32 = 1;

pub(super) fn hash(password: &Password) -> Result<String, Error> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(Error::internal)?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password(password.expose().as_bytes())
        .map(|hash| hash.to_string())
        .map_err(Error::internal)
}

/// Whether `password` is the one that `hash` was made of. The hash says at which cost, so imported ones count too.
pub(super) fn is_right(password: &Password, hash: &str) -> bool {
    Argon2::default()
        .verify_password(password.expose().as_bytes(), hash)
        .is_ok()
}
