//! What a verified token says.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use torii_backend_types::{ActiveOrganization, Actor};

/// A token's claims after verification. Cheap to clone: clones share the claims.
///
/// The only way to get one is to verify a token. `Debug` shows the ids and the flags, not the remaining claims.
#[derive(Clone, PartialEq)]
pub struct Auth(Arc<Verified>);

/// When a token is valid, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) issued_at: u64,
    pub(crate) not_before: Option<u64>,
    pub(crate) expires_at: u64,
}

#[derive(PartialEq)]
pub(crate) struct Verified {
    pub(crate) user_id: String,
    pub(crate) environment_id: String,
    pub(crate) issuer: String,
    pub(crate) email_verified: bool,
    pub(crate) profile_complete: bool,
    pub(crate) impersonating: bool,
    pub(crate) actor: Option<Actor>,
    pub(crate) organization: Option<ActiveOrganization>,
    pub(crate) locale: Option<String>,
    pub(crate) times: Times,
    pub(crate) raw: Map<String, Value>,
    pub(crate) payload: Vec<u8>,
}

impl Auth {
    pub(crate) fn new(verified: Verified) -> Self {
        Self(Arc::new(verified))
    }

    pub(crate) fn times(&self) -> Times {
        self.0.times
    }

    pub(crate) fn payload_length(&self) -> usize {
        self.0.payload.len()
    }

    /// The end-user (`sub`).
    pub fn user_id(&self) -> &str {
        &self.0.user_id
    }

    /// The environment that the user belongs to (`pid`).
    pub fn environment_id(&self) -> &str {
        &self.0.environment_id
    }

    /// Who issued the token (`iss`): the configured issuer, as the token spells it.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Whether an address of the user has been verified. Only JSON `true` counts; absent is `false`.
    pub fn email_verified(&self) -> bool {
        self.0.email_verified
    }

    /// Whether the required profile fields are filled. Absent is `true`.
    pub fn profile_complete(&self) -> bool {
        self.0.profile_complete
    }

    /// Whether somebody acts in the user's place: `impersonating` is true, or there is an `act` claim.
    pub fn impersonating(&self) -> bool {
        self.0.impersonating
    }

    /// Who acts in the user's place, if the token says (`act`, RFC 8693).
    pub fn actor(&self) -> Option<&Actor> {
        self.0.actor.as_ref()
    }

    /// The organization that the session has switched to.
    pub fn organization(&self) -> Option<&ActiveOrganization> {
        self.0.organization.as_ref()
    }

    /// The user's preferred locale, such as `en`.
    pub fn locale(&self) -> Option<&str> {
        self.0.locale.as_deref()
    }

    /// When the token was issued (`iat`), in Unix seconds.
    pub fn issued_at(&self) -> u64 {
        self.0.times.issued_at
    }

    /// When the token expires (`exp`), in Unix seconds. Verification allows the leeway on top.
    pub fn expires_at(&self) -> u64 {
        self.0.times.expires_at
    }

    /// Every claim, the ones above included.
    pub fn raw(&self) -> &Map<String, Value> {
        &self.0.raw
    }

    /// The claims as a type of your own, read from the payload as it was signed.
    ///
    /// # Errors
    ///
    /// When the payload does not have the shape of `T`.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.0.payload)
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("user_id", &self.0.user_id)
            .field("environment_id", &self.0.environment_id)
            .field("issuer", &self.0.issuer)
            .field("impersonating", &self.0.impersonating)
            .field("expires_at", &self.0.times.expires_at)
            .finish_non_exhaustive()
    }
}
