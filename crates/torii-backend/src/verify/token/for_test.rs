//! An [`Auth`] without a token, for an application's tests.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::auth::Auth;
use super::claims::{Claims, ClaimsPolicy};
use super::issuer::Issuer;
use crate::verify::error::{ErrorCode, TokenError};

impl Auth {
    /// For the unit test of a handler: what verifying a token with these claims would have given. Nothing is signed.
    ///
    /// `claims` is a JSON object. Without them, `iss` is `https://example.torii.so`, `sub` is `user`, `pid` is
    /// `environment`, `iat` is 0 and `exp` is far in the future.
    ///
    /// # Errors
    ///
    /// When a claim is refused as verification would refuse it when the token is issued. No clock is asked.
    pub fn for_test(claims: impl Serialize) -> Result<Self, TokenError> {
        let not_an_object = || TokenError::malformed("the claims are not a JSON object");
        let Ok(Value::Object(given)) = serde_json::to_value(claims) else {
            return Err(not_an_object());
        };
        let mut all = Map::from_iter([
            ("iss".to_owned(), json!("https://example.torii.so")),
            ("sub".to_owned(), json!("user")),
            ("pid".to_owned(), json!("environment")),
            ("iat".to_owned(), json!(0)),
            ("exp".to_owned(), json!(4_000_000_000_u64)),
        ]);
        all.extend(given);
        let seconds = |name| all.get(name).and_then(Value::as_u64).unwrap_or_default();
        let now = seconds("iat").max(seconds("nbf"));
        let audiences = match all.get("aud") {
            Some(Value::Array(audiences)) => audiences.clone(),
            audience => audience.cloned().into_iter().collect(),
        };
        let policy = ClaimsPolicy {
            audiences: audiences
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            authorized_parties: Vec::new(),
            leeway: Duration::ZERO,
        };
        let payload = Value::Object(all).to_string();
        let claims = Claims::read(payload.as_bytes()).ok_or_else(not_an_object)?;
        let issuer = Issuer::parse(claims.issuer()?, true)
            .map_err(|error| TokenError::new(ErrorCode::IssuerMismatch, error.to_string()))?;
        policy.check(&claims, &issuer, None, now)
    }
}
