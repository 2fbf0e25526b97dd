//! What is shown of an issuer's keys.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "http")]
use serde::{Deserialize, Serialize};

use super::jwks::KeySet;
use crate::verify::error::FetchError;

/// The state of one issuer's keys, for dashboards and readiness probes.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KeyStatus {
    /// Where the keys come from; `None` for keys that were given.
    pub url: Option<String>,
    /// The names of the usable keys.
    pub kids: Vec<String>,
    /// Since the last successful fetch; `None` before the first, and for keys that were given.
    pub age: Option<Duration>,
    /// Grows with every change of the keys.
    pub generation: u64,
    /// Why the last fetch failed, if it did. [`Chain`](crate::Chain) shows the whole reason.
    pub last_error: Option<Arc<FetchError>>,
    /// How long no fetch will be made, after failures.
    pub next_attempt_in: Option<Duration>,
    /// Fetches that brought keys, or the news that they have not changed.
    pub fetches_succeeded: u64,
    /// Fetches that failed.
    pub fetches_failed: u64,
    /// Verifications with keys older than their time, because newer ones could not be had yet.
    pub stale_served: u64,
    /// Tokens refused because their key is not in the set.
    pub unknown_kids: u64,
}

impl KeyStatus {
    /// The status of keys that were given and never change.
    pub(super) fn of_given(set: &KeySet) -> Self {
        Self {
            kids: set.kids(),
            generation: 1,
            ..Self::default()
        }
    }
}

/// A fetched key set to carry to another process, for a cold start without a fetch.
///
/// Whoever can change it can sign in as anybody: keep it where only your servers write.
#[cfg(feature = "http")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeySnapshot {
    /// Where the keys came from; a verifier takes only those of its own issuer.
    pub(crate) url: String,
    pub(crate) jwks: String,
    pub(crate) fetched_at_unix_millis: u64,
    pub(crate) ttl_millis: u64,
}
