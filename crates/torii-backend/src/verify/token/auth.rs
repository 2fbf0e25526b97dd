//! What a verified token says.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use once_cell::race::OnceBox;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use torii_backend_types::{ActiveOrganization, Actor};

use super::json;
use super::signature::VerifyingKey;

/// A token's claims after verification. Cheap to clone: clones share the claims.
///
/// The only way to get one is to verify a token; tests can make one with `Auth::for_test` (feature `test-util`). `Debug`
/// shows the ids and the flags, not the remaining claims. [`Serialize`] writes every claim, as [`raw`](Self::raw) has it.
#[derive(Clone)]
pub struct Auth(Arc<Verified>);

/// When a token is valid, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) issued_at: u64,
    pub(crate) not_before: Option<u64>,
    pub(crate) expires_at: u64,
}

/// The issuer's key that a token was verified with.
#[derive(Clone, Debug)]
pub(crate) struct Signer {
    /// The issuer's place among those of the verifier.
    pub(crate) issuer: usize,
    pub(crate) kid: Arc<str>,
    pub(crate) key: Arc<VerifyingKey>,
}

/// What a token says. Most of it stands in the payload and is not kept a second time.
pub(crate) struct Verified {
    /// `None` in tests.
    pub(crate) signer: Option<Signer>,
    pub(crate) user_id: Text,
    pub(crate) environment_id: Text,
    /// The configured issuer, which all tokens share.
    pub(crate) issuer: Arc<str>,
    pub(crate) email_verified: bool,
    pub(crate) profile_complete: bool,
    pub(crate) impersonating: bool,
    pub(crate) locale: Option<Text>,
    pub(crate) times: Times,
    /// As it was signed: one strict JSON object.
    pub(crate) payload: Box<str>,
    /// Read when somebody asks, as `raw` is. No lock guards them, because a fork could leave it locked.
    pub(crate) parties: OnceBox<Parties>,
    pub(crate) raw: OnceBox<Map<String, Value>>,
}

impl Verified {
    fn parties(&self) -> &Parties {
        self.parties.get_or_init(|| {
            let claims = self.read();
            let [o, org_id, org_role] = ["o", "org_id", "org_role"].map(|name| claims.get(name));
            let audience = match claims.get("aud") {
                Some(Value::Array(audience)) => audience.as_slice(),
                audience => audience.map_or(&[][..], std::slice::from_ref),
            };
            let text = |value: &Value| value.as_str().map(str::to_owned);
            Box::new(Parties {
                audience: audience.iter().filter_map(text).collect(),
                jwt_id: claims.get("jti").and_then(text),
                actor: claims.get("act").cloned().map(Actor::from_claim),
                organization: ActiveOrganization::from_claims(o, org_id, org_role),
            })
        })
    }

    /// All claims. The payload has been read before, so that nothing can fail.
    fn read(&self) -> Map<String, Value> {
        json::object(self.payload.as_bytes()).unwrap_or_default()
    }
}

/// What a token says beside what every request needs.
pub(crate) struct Parties {
    audience: Vec<String>,
    jwt_id: Option<String>,
    actor: Option<Actor>,
    organization: Option<ActiveOrganization>,
}

/// A text of the payload: the place where it stands or, where it is written with escapes, a copy without them.
pub(crate) enum Text {
    At(Range<usize>),
    Owned(Box<str>),
}

impl Text {
    pub(crate) fn new(text: &str, payload: &str) -> Self {
        // Where it is a part of the payload, the addresses tell which one.
        let start = text.as_ptr().addr().wrapping_sub(payload.as_ptr().addr());
        let place = start..start.wrapping_add(text.len());
        match payload.get(place.clone()) {
            Some(there) if there == text => Self::At(place),
            _ => Self::Owned(text.into()),
        }
    }

    fn of<'a>(&'a self, payload: &'a str) -> &'a str {
        match self {
            Self::At(place) => &payload[place.clone()],
            Self::Owned(text) => text,
        }
    }
}

impl Auth {
    pub(crate) fn new(verified: Verified) -> Self {
        Self(Arc::new(verified))
    }

    pub(crate) fn signer(&self) -> Option<&Signer> {
        self.0.signer.as_ref()
    }

    /// The policy's own allocation of the issuer.
    pub(crate) fn shared_issuer(&self) -> &Arc<str> {
        &self.0.issuer
    }

    pub(crate) fn times(&self) -> Times {
        self.0.times
    }

    pub(crate) fn payload_length(&self) -> usize {
        self.0.payload.len()
    }

    /// The end-user (`sub`).
    pub fn user_id(&self) -> &str {
        self.0.user_id.of(&self.0.payload)
    }

    /// The environment that the user belongs to (`pid`).
    pub fn environment_id(&self) -> &str {
        self.0.environment_id.of(&self.0.payload)
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
        self.0.parties().actor.as_ref()
    }

    /// The organization that the session has switched to.
    pub fn organization(&self) -> Option<&ActiveOrganization> {
        self.0.parties().organization.as_ref()
    }

    /// Whether the user has this role, such as `org:administrator`, in the [organization](Self::organization) that the
    /// session has switched to.
    pub fn has_role(&self, role: &str) -> bool {
        let organization = self.organization();
        organization.is_some_and(|organization| organization.role.as_deref() == Some(role))
    }

    /// Whom the token is for (`aud`); empty if it does not say.
    pub fn audience(&self) -> &[String] {
        &self.0.parties().audience
    }

    /// The token's id (`jti`).
    pub fn jwt_id(&self) -> Option<&str> {
        self.0.parties().jwt_id.as_deref()
    }

    /// The user's preferred locale, such as `en`.
    pub fn locale(&self) -> Option<&str> {
        Some(self.0.locale.as_ref()?.of(&self.0.payload))
    }

    /// When the token was issued (`iat`), in Unix seconds.
    pub fn issued_at(&self) -> u64 {
        self.0.times.issued_at
    }

    /// When the token expires (`exp`), in Unix seconds. Verification allows the leeway on top.
    pub fn expires_at(&self) -> u64 {
        self.0.times.expires_at
    }

    /// The first moment at which the token is valid (`nbf`), in Unix seconds. Verification allows the leeway before it.
    pub fn not_before(&self) -> Option<u64> {
        self.0.times.not_before
    }

    /// [`issued_at`](Self::issued_at) as a time.
    pub fn issued_at_time(&self) -> SystemTime {
        time(self.issued_at())
    }

    /// [`expires_at`](Self::expires_at) as a time.
    pub fn expires_at_time(&self) -> SystemTime {
        time(self.expires_at())
    }

    /// [`not_before`](Self::not_before) as a time.
    pub fn not_before_time(&self) -> Option<SystemTime> {
        self.not_before().map(time)
    }

    /// Every claim, the ones above included. The first call reads them; clones share what it read.
    pub fn raw(&self) -> &Map<String, Value> {
        self.0.raw.get_or_init(|| Box::new(self.0.read()))
    }

    /// The claims as a type of your own, read from the payload as it was signed.
    ///
    /// # Errors
    ///
    /// When the payload does not have the shape of `T`.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        // The payload is known to be one object and nothing after it, so its end is not looked for: `NoClaims` reads none
        // of it.
        T::deserialize(&mut serde_json::Deserializer::from_str(&self.0.payload))
    }
}

/// The claims of an application that asks for none of its own: nothing is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoClaims;

impl<'de> Deserialize<'de> for NoClaims {
    fn deserialize<D: Deserializer<'de>>(_claims: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

/// Two are equal when their payloads are, byte for byte: everything else is read from those.
impl PartialEq for Auth {
    fn eq(&self, other: &Self) -> bool {
        self.0.payload == other.0.payload
    }
}

impl Eq for Auth {}

impl Hash for Auth {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.payload.hash(state);
    }
}

impl Serialize for Auth {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw().serialize(serializer)
    }
}

/// Unix seconds as a time. The end of the year 9999 stands for what is later: not every system can express it.
fn time(unix_seconds: u64) -> SystemTime {
    const LATEST: u64 = 253_402_300_799;
    UNIX_EPOCH + Duration::from_secs(unix_seconds.min(LATEST))
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("user_id", &self.user_id())
            .field("environment_id", &self.environment_id())
            .field("issuer", &self.0.issuer)
            .field("impersonating", &self.0.impersonating)
            .field("expires_at", &self.0.times.expires_at)
            .finish_non_exhaustive()
    }
}
