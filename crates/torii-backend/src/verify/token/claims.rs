//! What the payload of a token must say, [RFC 7519, section 4](https://www.rfc-editor.org/rfc/rfc7519#section-4).

use std::sync::Arc;
use std::time::Duration;

use once_cell::race::OnceBox;
use serde_json::Value;

use super::auth::{Auth, Signer, Text, Times, Verified};
use super::issuer::Issuer;
use super::json::{self, Json, Wanted};
use crate::verify::error::{ErrorCode, TokenError};

/// The largest integer that every JSON implementation holds exactly, 2^53 - 1.
const MAX_SECONDS: u64 = (1 << 53) - 1;

/// What an operator demands of a token.
#[derive(Clone, Debug)]
pub(crate) struct ClaimsPolicy {
    pub(crate) audiences: Vec<String>,
    pub(crate) authorized_parties: Vec<String>,
    pub(crate) leeway: Duration,
}

/// The claims that decide about a token. The others are only checked to be strict JSON, and stay in the payload.
#[derive(Debug, Default)]
pub(crate) struct Claims<'p> {
    payload: &'p str,
    iss: Option<Json<'p>>,
    sub: Option<Json<'p>>,
    pid: Option<Json<'p>>,
    exp: Option<Json<'p>>,
    iat: Option<Json<'p>>,
    nbf: Option<Json<'p>>,
    aud: Option<Json<'p>>,
    azp: Option<Json<'p>>,
    jti: Option<Json<'p>>,
    email_verified: Option<Json<'p>>,
    profile_complete: Option<Json<'p>>,
    impersonating: Option<Json<'p>>,
    act: Option<Json<'p>>,
    locale: Option<Json<'p>>,
}

impl<'p> Claims<'p> {
    /// Reads a payload; `None` unless it is one strict JSON object.
    pub(crate) fn read(payload: &'p [u8]) -> Option<Self> {
        let payload = str::from_utf8(payload).ok()?;
        let claims = json::pick(payload).ok()?;
        Some(Self { payload, ..claims })
    }

    /// Who the token says has issued it.
    pub(crate) fn issuer(&self) -> Result<&str, TokenError> {
        text(self.iss.as_ref(), "iss")
    }
}

impl<'p> Wanted<'p> for Claims<'p> {
    fn slot(&mut self, name: &str) -> Option<&mut Option<Json<'p>>> {
        Some(match name {
            "iss" => &mut self.iss,
            "sub" => &mut self.sub,
            "pid" => &mut self.pid,
            "exp" => &mut self.exp,
            "iat" => &mut self.iat,
            "nbf" => &mut self.nbf,
            "aud" => &mut self.aud,
            "azp" => &mut self.azp,
            "jti" => &mut self.jti,
            "email_verified" => &mut self.email_verified,
            "profile_complete" => &mut self.profile_complete,
            "impersonating" => &mut self.impersonating,
            "act" => &mut self.act,
            "locale" => &mut self.locale,
            _ => return None,
        })
    }
}

impl ClaimsPolicy {
    /// The two claims worth looking at before a key is fetched: a token of another issuer, or of yesterday, must
    /// not cause a request.
    pub(crate) fn check_before_key(
        &self,
        claims: &Claims<'_>,
        issuer: &Issuer,
        now: u64,
    ) -> Result<(), TokenError> {
        issued_by(issuer, claims)?;
        self.expires_at(claims, now)?;
        Ok(())
    }

    /// Checks every claim of a token whose signature has been verified.
    pub(crate) fn check(
        &self,
        claims: &Claims<'_>,
        issuer: &Issuer,
        signer: Option<Signer>,
        now: u64,
    ) -> Result<Auth, TokenError> {
        let issuer = issued_by(issuer, claims)?.clone();
        let expires_at = self.expires_at(claims, now)?;
        let user_id = text(claims.sub.as_ref(), "sub")?;
        let environment_id = text(claims.pid.as_ref(), "pid")?;
        let issued_at = seconds(claims.iat.as_ref(), "iat")?.ok_or_else(|| missing("iat"))?;
        self.not_in_the_future(issued_at, now)?;
        let not_before = seconds(claims.nbf.as_ref(), "nbf")?;
        self.not_premature(not_before, now)?;
        self.audience(claims.aud.as_ref())?;
        self.authorized_party(claims.azp.as_ref())?;
        // RFC 7519, section 4.1.7: its value must be a string.
        if claims.jti.as_ref().is_some_and(|id| id.as_str().is_none()) {
            return Err(wrong_type("jti"));
        }
        let flag = |claim: &Option<Json<'_>>| claim.as_ref().map(Json::as_bool);
        let impersonating = match flag(&claims.impersonating) {
            None => false,
            Some(Some(flag)) => flag,
            Some(None) => return Err(wrong_type("impersonating")),
        };
        Ok(Auth::new(Verified {
            signer,
            user_id: Text::new(user_id, claims.payload),
            environment_id: Text::new(environment_id, claims.payload),
            issuer,
            email_verified: flag(&claims.email_verified) == Some(Some(true)),
            profile_complete: flag(&claims.profile_complete) != Some(Some(false)),
            impersonating: impersonating || claims.act.is_some(),
            locale: claims
                .locale
                .as_ref()
                .and_then(Json::as_str)
                .map(|locale| Text::new(locale, claims.payload)),
            times: Times {
                issued_at,
                not_before,
                expires_at,
            },
            payload: claims.payload.into(),
            parties: OnceBox::new(),
            raw: OnceBox::new(),
        }))
    }

    /// Checks again what time changes about a token that has passed [`check`](Self::check), in the same order.
    pub(crate) fn check_times(&self, times: Times, now: u64) -> Result<(), TokenError> {
        self.not_expired(times.expires_at, now)?;
        self.not_in_the_future(times.issued_at, now)?;
        self.not_premature(times.not_before, now)
    }

    /// The configured spelling that the token has.
    fn expires_at(&self, claims: &Claims<'_>, now: u64) -> Result<u64, TokenError> {
        let expires_at = seconds(claims.exp.as_ref(), "exp")?.ok_or_else(|| missing("exp"))?;
        self.not_expired(expires_at, now)?;
        Ok(expires_at)
    }

    fn not_expired(&self, expires_at: u64, now: u64) -> Result<(), TokenError> {
        // `exp <= now - leeway`, written so that nothing underflows.
        let expired = expires_at + self.leeway.as_secs() <= now;
        refuse_if(expired, ErrorCode::Expired, "the token has expired")
    }

    fn not_in_the_future(&self, issued_at: u64, now: u64) -> Result<(), TokenError> {
        let early = issued_at > self.latest(now);
        refuse_if(
            early,
            ErrorCode::IatInFuture,
            "the token was issued in the future",
        )
    }

    fn not_premature(&self, not_before: Option<u64>, now: u64) -> Result<(), TokenError> {
        let early = not_before.is_some_and(|not_before| not_before > self.latest(now));
        refuse_if(early, ErrorCode::NotYetValid, "the token is not valid yet")
    }

    /// The latest instant that still counts as not in the future.
    fn latest(&self, now: u64) -> u64 {
        now.saturating_add(self.leeway.as_secs())
    }

    fn audience(&self, claimed: Option<&Json<'_>>) -> Result<(), TokenError> {
        let mismatch = ErrorCode::AudienceMismatch;
        let claimed = match (claimed, self.audiences.is_empty()) {
            (None, true) => return Ok(()),
            // RFC 7519, section 4.1.3: who does not identify with a value of `aud` must reject the token.
            (Some(_), true) => {
                let detail = "the token is for an audience, and none is configured";
                return Err(TokenError::new(mismatch, detail));
            }
            (None, false) => return Err(missing("aud")),
            (Some(Json::Text(audience)), false) => Some(vec![&**audience]),
            (Some(Json::Other(Value::Array(audiences))), false) => {
                audiences.iter().map(Value::as_str).collect()
            }
            (Some(Json::Other(_)), false) => None,
        };
        let claimed = claimed.ok_or_else(|| wrong_type("aud"))?;
        let meant = self.audiences.iter().any(|ours| claimed.contains(&ours.as_str()));
        refuse_if(!meant, mismatch, "the token is for another audience")
    }

    fn authorized_party(&self, claimed: Option<&Json<'_>>) -> Result<(), TokenError> {
        if self.authorized_parties.is_empty() {
            return Ok(());
        }
        let party = claimed.ok_or_else(|| missing("azp"))?;
        let party = party.as_str().ok_or_else(|| wrong_type("azp"))?;
        let known = self.authorized_parties.iter().any(|ours| ours == party);
        let detail = "the token was issued to a party that is not among `authorized_parties`";
        refuse_if(!known, ErrorCode::AudienceMismatch, detail)
    }
}

fn refuse_if(refused: bool, code: ErrorCode, detail: &'static str) -> Result<(), TokenError> {
    match refused {
        true => Err(TokenError::new(code, detail)),
        false => Ok(()),
    }
}

fn issued_by<'i>(issuer: &'i Issuer, claims: &Claims<'_>) -> Result<&'i Arc<str>, TokenError> {
    let spelling = issuer.spelled(claims.issuer()?);
    spelling.ok_or_else(|| {
        let detail = format!("the token is not issued by {}", issuer.as_str());
        TokenError::new(ErrorCode::IssuerMismatch, detail)
    })
}

/// A required claim that is a text and not empty.
fn text<'c>(claim: Option<&'c Json<'_>>, name: &'static str) -> Result<&'c str, TokenError> {
    match claim.map(Json::as_str) {
        None => Err(missing(name)),
        Some(Some(text)) if !text.is_empty() => Ok(text),
        Some(_) => Err(wrong_type(name)),
    }
}

/// A NumericDate ([RFC 7519, section 2](https://www.rfc-editor.org/rfc/rfc7519#section-2)): fractions are floored.
fn seconds(claim: Option<&Json<'_>>, name: &'static str) -> Result<Option<u64>, TokenError> {
    let value = match claim {
        None => return Ok(None),
        Some(Json::Text(_)) => return Err(wrong_type(name)),
        Some(Json::Other(value)) => value,
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
