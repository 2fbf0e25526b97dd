//! The issuer's keys: given, or fetched and kept fresh.
//!
//! ```text
//! source   what an operator gives → jwks: which of the keys may verify
//! cache    looks keys up; asks policy what to do, and does it
//! policy   decides: use a key, wait, refuse, fetch; with limits (pauses and budgets) and set (how old keys are)
//! refresher → fetch   one fetch in the background, and its waiters → one HTTP exchange
//! ```
//!
//! Of the token's half, only the readers (`json`, `base64url`) and the key type (`signature`) are used here.

#[cfg(feature = "http")]
pub(super) mod cache;
#[cfg(feature = "http")]
pub(super) mod fetch;
pub(super) mod jwks;
#[cfg(feature = "http")]
mod limits;
#[cfg(all(test, torii_model_check))]
mod model;
#[cfg(feature = "http")]
mod policy;
#[cfg(feature = "http")]
mod refresher;
#[cfg(feature = "http")]
pub(super) mod set;
pub(super) mod source;
pub(super) mod status;
#[cfg(feature = "http")]
mod sync;

use std::sync::Arc;

#[cfg(feature = "http")]
use self::cache::RemoteKeys;
use self::jwks::KeySet;
use self::status::KeyStatus;
use super::error::VerifyError;
use super::token::signature::VerifyingKey;
use crate::clock::Moment;

/// The keys of one issuer.
#[derive(Clone, Debug)]
pub(super) enum Keys {
    Given(Arc<KeySet>),
    #[cfg(feature = "http")]
    Remote(Arc<RemoteKeys>),
}

impl Keys {
    /// Whether there is a key of this name at hand, however old.
    pub(super) fn knows(&self, kid: &str) -> bool {
        match self {
            Self::Given(set) => set.get(kid).is_some(),
            #[cfg(feature = "http")]
            Self::Remote(remote) => remote.knows(kid),
        }
    }

    /// Whether `key` is still the issuer's, and can be used without a decision about the age of the keys.
    #[cfg_attr(
        not(feature = "http"),
        expect(unused_variables, reason = "given keys do not age")
    )]
    pub(super) fn hold(&self, kid: &str, key: &Arc<VerifyingKey>, now: Moment) -> bool {
        match self {
            Self::Given(set) => set.holds(kid, key),
            #[cfg(feature = "http")]
            Self::Remote(remote) => remote.hold(kid, key, now),
        }
    }

    /// The key of this name. Waits only for keys that have to be fetched.
    pub(super) async fn get(&self, kid: &str) -> Result<Arc<VerifyingKey>, VerifyError> {
        match self {
            Self::Given(set) => Ok(set.find(kid)?),
            #[cfg(feature = "http")]
            Self::Remote(remote) => remote.get(kid).await,
        }
    }

    /// [`get`](Self::get), for a thread.
    pub(super) fn get_blocking(&self, kid: &str) -> Result<Arc<VerifyingKey>, VerifyError> {
        match self {
            Self::Given(set) => Ok(set.find(kid)?),
            #[cfg(feature = "http")]
            Self::Remote(remote) => remote.get_blocking(kid),
        }
    }

    /// Fetches the keys unless they are at hand.
    pub(super) async fn warm_up(&self) -> Result<(), VerifyError> {
        match self {
            Self::Given(_) => Ok(()),
            #[cfg(feature = "http")]
            Self::Remote(remote) => remote.warm_up().await,
        }
    }

    /// [`warm_up`](Self::warm_up), for a thread.
    pub(super) fn warm_up_blocking(&self) -> Result<(), VerifyError> {
        match self {
            Self::Given(_) => Ok(()),
            #[cfg(feature = "http")]
            Self::Remote(remote) => remote.warm_up_blocking(),
        }
    }

    pub(super) fn status(&self) -> KeyStatus {
        match self {
            Self::Given(set) => KeyStatus::of_given(set),
            #[cfg(feature = "http")]
            Self::Remote(remote) => remote.status(),
        }
    }
}
