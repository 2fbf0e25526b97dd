//! What an `Auth` says about its token.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};
use torii_backend::clock::{Clock, ManualClock};
use torii_backend::{Auth, ErrorCode, KeySource, Verifier};

use crate::support::tokens::{Key, jwks};

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://acme.torii.so";

struct World {
    key: Key,
    verifier: Verifier,
}

impl World {
    fn new() -> Self {
        let key = Key::new("first");
        let builder = Verifier::builder(ISSUER).clock(ManualClock::at(NOW));
        let verifier = builder
            .key_source(KeySource::Jwks(jwks(&[&key])))
            .build()
            .unwrap();
        Self { key, verifier }
    }

    fn verify(&self, claims: &Value) -> Auth {
        self.verifier.verify_blocking(&self.key.sign(claims)).unwrap()
    }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "a user", "pid": "an environment", "iat": NOW, "exp": NOW + 300})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

#[test]
fn raw_holds_every_claim_and_a_type_of_one_s_own_reads_them() {
    let claims = with(
        "plan",
        json!({"name": "pro", "seats": [1, 2.5, -3], "trial": null}),
    );
    let auth = World::new().verify(&claims);
    assert_eq!(Value::Object(auth.raw().clone()), claims);
    assert_eq!(auth.clone().raw(), auth.raw());
    assert_eq!(auth.claims::<Map<String, Value>>().unwrap(), *auth.raw());
    assert!(auth.claims::<Vec<String>>().is_err());
}

#[test]
fn texts_that_are_written_with_escapes_are_told_as_they_are_meant() {
    let mut claims = with("locale", json!("zh\n"));
    (claims["sub"], claims["pid"]) = (json!("a \"user\" \u{1F600}"), json!("tab\there"));
    let auth = World::new().verify(&claims);
    assert_eq!(auth.user_id(), "a \"user\" \u{1F600}");
    assert_eq!(auth.environment_id(), "tab\there");
    assert_eq!(auth.locale(), Some("zh\n"));
}

#[test]
fn two_are_equal_when_their_claims_are() {
    let world = World::new();
    let auth = world.verify(&claims());
    // Signed again, so that it is another token.
    assert_eq!(auth, world.verify(&claims()));
    assert_ne!(auth, world.verify(&with("plan", json!("pro"))));
}

#[test]
fn debug_output_names_the_user_and_no_other_claims() {
    let auth = World::new().verify(&with("email", json!("ada@example.com")));
    let shown = format!("{auth:?}");
    for said in ["a user", "an environment", ISSUER, "impersonating", "1800000300"] {
        assert!(shown.contains(said), "{shown}");
    }
    assert!(!shown.contains("ada"), "{shown}");
}

#[test]
fn every_standard_claim_has_an_accessor() {
    let mut claims = with("aud", json!(["one", "two"]));
    (claims["jti"], claims["nbf"]) = (json!("an id"), json!(NOW - 5));
    (claims["org_id"], claims["org_role"]) = (json!("org"), json!("org:administrator"));
    let auth = Auth::for_test(&claims).unwrap();
    assert_eq!(auth.audience(), ["one", "two"]);
    assert_eq!((auth.jwt_id(), auth.not_before()), (Some("an id"), Some(NOW - 5)));
    assert!(auth.has_role("org:administrator") && !auth.has_role("org:member"));
    let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    assert_eq!(
        (
            auth.issued_at_time(),
            auth.expires_at_time(),
            auth.not_before_time()
        ),
        (at(NOW), at(NOW + 300), Some(at(NOW - 5)))
    );

    let plain = World::new().verify(&self::claims());
    assert_eq!(
        (plain.audience(), plain.jwt_id(), plain.not_before()),
        (&[][..], None, None)
    );
    assert!(!plain.has_role("org:administrator"));
    let endless = Auth::for_test(json!({"exp": (1_u64 << 53) - 1})).unwrap();
    assert!(endless.expires_at_time() > at(NOW));
}

#[test]
fn one_for_a_test_says_what_a_verified_token_would_say() {
    let verified = World::new().verify(&claims());
    assert_eq!(Auth::for_test(claims()).unwrap(), verified);
    let auth = Auth::for_test(json!({"sub": "ada"})).unwrap();
    assert_eq!((auth.user_id(), auth.environment_id()), ("ada", "environment"));
    let refused = |claims: Value| Auth::for_test(claims).unwrap_err().code().to_string();
    assert_eq!(refused(json!({"sub": 7})), "claim_type:sub");
    assert_eq!(
        refused(json!({"impersonating": "no"})),
        "claim_type:impersonating"
    );
    assert_eq!(refused(json!([])), "malformed");
}

#[test]
fn it_is_serialized_as_its_claims_and_hashed_by_them() {
    let claims = with("plan", json!("pro"));
    let auth = World::new().verify(&claims);
    assert_eq!(serde_json::to_value(&auth).unwrap(), claims);
    let hash = |auth: &Auth| BuildHasherDefault::<DefaultHasher>::default().hash_one(auth);
    assert_eq!(hash(&auth), hash(&Auth::for_test(&claims).unwrap()));
    assert_ne!(hash(&auth), hash(&World::new().verify(&self::claims())));
}

#[test]
fn codes_are_read_as_they_are_written() {
    for text in [
        "malformed",
        "jwks_unavailable",
        "claim_missing:sub",
        "claim_type:impersonating",
    ] {
        let code: ErrorCode = text.parse().unwrap();
        assert_eq!(code.to_string(), text);
        assert_eq!(serde_json::to_value(code).unwrap(), json!(text));
        assert_eq!(code.as_str(), text.split(':').next().unwrap());
    }
    for text in ["", "claim_missing", "claim_missing:plan", "Malformed"] {
        assert!(text.parse::<ErrorCode>().is_err(), "{text}");
    }
}

#[test]
fn a_manual_clock_can_start_at_the_present() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let clock = ManualClock::now();
    assert!(clock.now().wall.abs_diff(now) < Duration::from_secs(60));
}
