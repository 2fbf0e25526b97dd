//! One module for each file of the corpus.

mod authorization;
mod base64url;
mod claims;
mod configuration;
mod header;
mod key_set;
mod payload;
mod signature;
mod structure;

use crate::case::Family;

/// The whole corpus, in the order in which a verifier checks.
pub fn all() -> Vec<Family> {
    vec![
        structure::family(),
        base64url::family(),
        header::family(),
        payload::family(),
        claims::family(),
        signature::family(),
        key_set::family(),
        authorization::family(),
        configuration::family(),
    ]
}
