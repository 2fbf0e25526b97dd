//! The table of what clients are told, row by row.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue};
use serde_json::{Value, json};
use torii_backend::clock::ManualClock;
use torii_backend::{AccessError, Denied, KeySource, Refusal, Verifier, VerifyError};

use crate::support::tokens::{Key, jwks};

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://acme.torii.so";
const BARE: Option<&str> = Some("Bearer");
const INVALID: Option<&str> = Some(r#"Bearer error="invalid_token""#);
const FAILED: &str = "Authentication failed.";
const MISCONFIGURED: &str = "Authentication is not configured correctly.";

/// The cause; status, code, message and challenge; the codes of WebSockets and of gRPC.
type Row<'r> = (AccessError, u16, &'r str, &'r str, Option<&'r str>, u16, u8);

/// What a request with these values of `Authorization` gets.
fn error(verifier: &Verifier, values: &[&str]) -> AccessError {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(AUTHORIZATION, HeaderValue::try_from(*value).unwrap());
    }
    verifier
        .authenticate_request_blocking(&headers)
        .unwrap_err()
        .into()
}

#[test]
fn every_row_has_its_status_code_headers_and_closing_codes() {
    let key = Key::new("first");
    let verifier = |keys: KeySource| {
        let builder = Verifier::builder(ISSUER).clock(ManualClock::at(NOW));
        builder.key_source(keys).build().unwrap()
    };
    let ours = verifier(KeySource::Jwks(jwks(&[&key])));
    // Nothing listens there.
    let down = verifier(KeySource::Url("http://127.0.0.1:9/".to_owned()));
    let token = |issuer: &str, expires: u64| {
        let claims = json!({"iss": issuer, "sub": "a user", "pid": "an environment", "iat": NOW - 900, "exp": expires});
        format!("Bearer {}", key.sign(&claims))
    };
    let (valid, expired) = (token(ISSUER, NOW + 60), token(ISSUER, NOW - 60));
    let foreign = token("https://elsewhere.example", NOW + 60);
    let too_large = format!("Bearer {}", "x".repeat(20_000));
    let unusable = VerifyError::from(Verifier::new("ftp://acme.torii.so").unwrap_err());
    let guard = |name: &'static str| AccessError::Denied(Denied::Guard(name.into()));
    let insufficient = |rest: &str| format!(r#"Bearer error="insufficient_scope"{rest}"#);
    let named = insufficient(r#", error_description="guard: role""#);
    let unnamed = insufficient("");

    let rows: [Row<'_>; 17] = [
        (
            error(&ours, &[]),
            401,
            "authentication_failed",
            FAILED,
            BARE,
            1008,
            16,
        ),
        (
            error(&ours, &[""]),
            401,
            "authentication_failed",
            FAILED,
            BARE,
            1008,
            16,
        ),
        (
            error(&ours, &["Basic dTpw"]),
            401,
            "authentication_failed",
            FAILED,
            BARE,
            1008,
            16,
        ),
        (
            error(&ours, &["Bearer"]),
            401,
            "authentication_failed",
            FAILED,
            BARE,
            1008,
            16,
        ),
        (
            error(&ours, &["Bearer x"]),
            401,
            "authentication_failed",
            FAILED,
            INVALID,
            1008,
            16,
        ),
        (
            error(&ours, &[&too_large]),
            401,
            "authentication_failed",
            FAILED,
            INVALID,
            1008,
            16,
        ),
        (
            error(&ours, &[&valid, &valid]),
            401,
            "authentication_failed",
            FAILED,
            INVALID,
            1008,
            16,
        ),
        (
            error(&ours, &[&foreign]),
            401,
            "authentication_failed",
            FAILED,
            INVALID,
            1008,
            16,
        ),
        (
            error(&ours, &[&expired]),
            401,
            "expired",
            FAILED,
            INVALID,
            1008,
            16,
        ),
        (
            error(&down, &[&expired]),
            401,
            "expired",
            FAILED,
            INVALID,
            1008,
            16,
        ),
        (
            guard("role"),
            403,
            "permission_denied",
            "Permission denied.",
            Some(&named),
            1008,
            7,
        ),
        // What no quoted text can hold is left out of the header.
        (
            guard("a \"role\""),
            403,
            "permission_denied",
            "Permission denied.",
            Some(&unnamed),
            1008,
            7,
        ),
        (
            guard("r\u{f4}le"),
            403,
            "permission_denied",
            "Permission denied.",
            Some(&unnamed),
            1008,
            7,
        ),
        (
            error(&down, &[&valid]),
            503,
            "keys_unavailable",
            "Authentication is temporarily unavailable.",
            None,
            1013,
            14,
        ),
        (
            unusable.into(),
            500,
            "configuration_error",
            MISCONFIGURED,
            None,
            1011,
            13,
        ),
        (
            Denied::NoPathParameter("org_id".into()).into(),
            500,
            "configuration_error",
            MISCONFIGURED,
            None,
            1011,
            13,
        ),
        (
            AccessError::Misconfigured("no layer".into()),
            500,
            "configuration_error",
            MISCONFIGURED,
            None,
            1011,
            13,
        ),
    ];
    for (error, status, code, message, challenge, close, grpc) in rows {
        let refusal = Refusal::new(&error);
        let guard = match &error {
            AccessError::Denied(Denied::Guard(name)) => Some(Cow::clone(name)),
            _ => None,
        };
        assert_eq!(refusal.status(), status, "{error}");
        assert_eq!((refusal.code(), refusal.message()), (code, message), "{error}");
        assert_eq!(refusal.guard(), guard.as_deref(), "{error}");
        assert_eq!(
            (refusal.websocket_close_code(), refusal.grpc_code()),
            (close, grpc),
            "{error}"
        );
        let mut body = json!({"code": code, "message": message});
        if let Some(guard) = guard {
            body["guard"] = json!(guard);
        }
        assert_eq!(serde_json::from_str::<Value>(&refusal.body()).unwrap(), body);

        let retry_after = refusal.retry_after().map(|seconds| seconds.to_string());
        assert_eq!(retry_after.is_some(), status == 503, "{error}");
        let mut expected = vec![
            ("cache-control", "no-store"),
            ("content-type", "application/json"),
        ];
        expected.extend(retry_after.as_deref().map(|seconds| ("retry-after", seconds)));
        expected.extend(challenge.map(|challenge| ("www-authenticate", challenge)));
        let headers = refusal.headers();
        let mut lines: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        lines.sort_unstable();
        assert_eq!(lines, expected, "{error}");
    }
}

#[test]
fn a_request_that_nobody_looks_at_has_no_credentials() {
    let key = Key::new("first");
    let verifier = Verifier::builder(ISSUER).key_source(KeySource::Jwks(jwks(&[&key])));
    let looked_at = error(&verifier.build().unwrap(), &[]);
    let skipped = AccessError::from(VerifyError::no_credentials());
    assert_eq!(Refusal::new(&skipped), Refusal::new(&looked_at));
    assert_eq!(skipped.to_string(), looked_at.to_string());
}
