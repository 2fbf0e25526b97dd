//! What the payload of a token must say, [RFC 7519, section 4](https://www.rfc-editor.org/rfc/rfc7519#section-4).

use std::time::Duration;

use serde_json::{Map, Value};
use torii_backend_types::{ActiveOrganization, Actor};

use super::auth::{Auth, Times, Verified};
use super::error::{ErrorCode, TokenError};

/// The largest integer that every JSON implementation holds exactly, 2^53 - 1.
const MAX_SECONDS: u64 = (1 << 53) - 1;

/// What an operator demands of a token.
#[derive(Clone, Debug)]
pub(crate) struct ClaimsPolicy {
    /// The issuer as it was given, and without its trailing slashes. Nothing else is equal to it.
    pub(crate) issuers: [String; 2],
    pub(crate) audiences: Vec<String>,
    pub(crate) authorized_parties: Vec<String>,
    pub(crate) leeway: Duration,
}

impl ClaimsPolicy {
    /// The two claims worth looking at before a key is fetched: a token of another issuer, or of yesterday, must
    /// not cause a request.
    pub(crate) fn check_before_key(&self, claims: &Map<String, Value>, now: u64) -> Result<(), TokenError> {
        self.issuer(claims)?;
        self.expires_at(claims, now)?;
        Ok(())
    }

    /// Checks every claim of a token whose signature has been verified.
    pub(crate) fn check(
        &self,
        claims: Map<String, Value>,
        payload: Vec<u8>,
        now: u64,
    ) -> Result<Auth, TokenError> {
        let issuer = self.issuer(&claims)?.to_owned();
        let expires_at = self.expires_at(&claims, now)?;
        let user_id = text(&claims, "sub")?.to_owned();
        let environment_id = text(&claims, "pid")?.to_owned();
        let issued_at = seconds(&claims, "iat")?.ok_or_else(|| missing("iat"))?;
        self.not_in_the_future(issued_at, now)?;
        let not_before = seconds(&claims, "nbf")?;
        self.not_premature(not_before, now)?;
        self.audience(&claims)?;
        self.authorized_party(&claims)?;
        let impersonating = match claims.get("impersonating") {
            None => false,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => return Err(wrong_type("impersonating")),
        };
        let actor = claims.get("act").map(Actor::from_claim);
        Ok(Auth::new(Verified {
            user_id,
            environment_id,
            issuer,
            email_verified: claims.get("email_verified") == Some(&Value::Bool(true)),
            profile_complete: claims.get("profile_complete") != Some(&Value::Bool(false)),
            impersonating: impersonating || actor.is_some(),
            actor,
            organization: ActiveOrganization::from_claims(&claims),
            locale: claims.get("locale").and_then(Value::as_str).map(str::to_owned),
            times: Times {
                issued_at,
                not_before,
                expires_at,
            },
            raw: claims,
            payload,
        }))
    }

    /// Checks again what time changes about a token that has passed [`check`](Self::check), in the same order.
    pub(crate) fn check_times(&self, times: Times, now: u64) -> Result<(), TokenError> {
        self.not_expired(times.expires_at, now)?;
        self.not_in_the_future(times.issued_at, now)?;
        self.not_premature(times.not_before, now)
    }

    fn issuer<'c>(&self, claims: &'c Map<String, Value>) -> Result<&'c str, TokenError> {
        let issuer = text(claims, "iss")?;
        match self.issuers.iter().any(|expected| expected == issuer) {
            true => Ok(issuer),
            false => Err(TokenError::new(
                ErrorCode::IssuerMismatch,
                "the token has another issuer",
            )),
        }
    }

    fn expires_at(&self, claims: &Map<String, Value>, now: u64) -> Result<u64, TokenError> {
        let expires_at = seconds(claims, "exp")?.ok_or_else(|| missing("exp"))?;
        self.not_expired(expires_at, now)?;
        Ok(expires_at)
    }

    fn not_expired(&self, expires_at: u64, now: u64) -> Result<(), TokenError> {
        // `exp <= now - leeway`, written so that nothing underflows.
        match expires_at + self.leeway.as_secs() <= now {
            true => Err(TokenError::new(ErrorCode::Expired, "the token has expired")),
            false => Ok(()),
        }
    }

    fn not_in_the_future(&self, issued_at: u64, now: u64) -> Result<(), TokenError> {
        match issued_at > self.latest(now) {
            true => Err(TokenError::new(
                ErrorCode::IatInFuture,
                "the token was issued in the future",
            )),
            false => Ok(()),
        }
    }

    fn not_premature(&self, not_before: Option<u64>, now: u64) -> Result<(), TokenError> {
        match not_before.is_some_and(|not_before| not_before > self.latest(now)) {
            true => Err(TokenError::new(
                ErrorCode::NotYetValid,
                "the token is not valid yet",
            )),
            false => Ok(()),
        }
    }

    /// The latest instant that still counts as not in the future.
    fn latest(&self, now: u64) -> u64 {
        now.saturating_add(self.leeway.as_secs())
    }

    fn audience(&self, claims: &Map<String, Value>) -> Result<(), TokenError> {
        let mismatch = |detail| Err(TokenError::new(ErrorCode::AudienceMismatch, detail));
        let claimed = match (claims.get("aud"), self.audiences.is_empty()) {
            (None, true) => return Ok(()),
            // RFC 7519, section 4.1.3: who does not identify with a value of `aud` must reject the token.
            (Some(_), true) => {
                return mismatch("the token is for an audience, and none is configured");
            }
            (None, false) => return Err(missing("aud")),
            (Some(claimed), false) => claimed,
        };
        let claimed = match claimed {
            Value::Array(audiences) => audiences.as_slice(),
            audience => std::slice::from_ref(audience),
        };
        if !claimed.iter().all(Value::is_string) {
            return Err(wrong_type("aud"));
        }
        match self
            .audiences
            .iter()
            .any(|ours| claimed.iter().any(|audience| audience == ours))
        {
            true => Ok(()),
            false => mismatch("the token is for another audience"),
        }
    }

    fn authorized_party(&self, claims: &Map<String, Value>) -> Result<(), TokenError> {
        if self.authorized_parties.is_empty() {
            return Ok(());
        }
        let party = claims.get("azp").ok_or_else(|| missing("azp"))?;
        let party = party.as_str().ok_or_else(|| wrong_type("azp"))?;
        match self.authorized_parties.iter().any(|ours| ours == party) {
            true => Ok(()),
            false => Err(TokenError::new(
                ErrorCode::AudienceMismatch,
                "the token was issued to a party that is not among `authorized_parties`",
            )),
        }
    }
}

/// A required claim that is a text and not empty.
fn text<'c>(claims: &'c Map<String, Value>, name: &'static str) -> Result<&'c str, TokenError> {
    match claims.get(name) {
        None => Err(missing(name)),
        Some(Value::String(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(wrong_type(name)),
    }
}

/// A NumericDate ([RFC 7519, section 2](https://www.rfc-editor.org/rfc/rfc7519#section-2)): fractions are floored.
fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<Option<u64>, TokenError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let seconds = match (value.as_u64(), value.as_f64()) {
        (Some(whole), _) => Some(whole),
        // In range, so the conversion is exact but for the fraction.
        (None, Some(fraction)) if (0.0..=MAX_SECONDS as f64).contains(&fraction) => Some(fraction as u64),
        _ => None,
    };
    seconds
        .filter(|seconds| *seconds <= MAX_SECONDS)
        .map(Some)
        .ok_or_else(|| wrong_type(name))
}

fn missing(name: &'static str) -> TokenError {
    TokenError::new(ErrorCode::ClaimMissing(name), "a required claim is absent")
}

fn wrong_type(name: &'static str) -> TokenError {
    TokenError::new(
        ErrorCode::ClaimType(name),
        "a claim is not of the type or range that it must have",
    )
}
