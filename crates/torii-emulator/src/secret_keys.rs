//! The secret keys that open the backend API.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Digest, SHA256, digest};

use crate::error::StartError;

pub(crate) const LIVE_KEY_PREFIX: &str = "sk_live_";
const TEST_KEY_PREFIX: &str = "sk_test_";

/// The configured secret keys, as digests: of equal length, and of no use to a reader of the memory.
pub(crate) struct SecretKeys {
    digests: Vec<Digest>,
}

impl SecretKeys {
    pub(crate) fn new(keys: &[String]) -> Result<Self, StartError> {
        if keys.is_empty() {
            return Err(StartError::SecretKey("there is none"));
        }
        for (place, key) in keys.iter().enumerate() {
            if key.starts_with(LIVE_KEY_PREFIX) {
                return Err(StartError::LiveSecretKey);
            }
            if key.strip_prefix(TEST_KEY_PREFIX).is_none_or(str::is_empty) {
                return Err(StartError::SecretKey("it must begin with sk_test_"));
            }
            if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(StartError::SecretKey("it must be visible ASCII without spaces"));
            }
            if keys.iter().take(place).any(|earlier| earlier == key) {
                return Err(StartError::SecretKey("it was given twice"));
            }
        }
        Ok(Self {
            digests: keys.iter().map(|key| digest(&SHA256, key.as_bytes())).collect(),
        })
    }

    /// The key's place in the configuration. Compares with every key, each in constant time.
    pub(crate) fn place(&self, presented: &str) -> Option<usize> {
        let presented = digest(&SHA256, presented.as_bytes());
        let mut found = None;
        for (place, known) in self.digests.iter().enumerate() {
            if verify_slices_are_equal(known.as_ref(), presented.as_ref()).is_ok() {
                found = Some(place);
            }
        }
        found
    }
}
