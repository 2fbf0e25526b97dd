//! What an `Auth` says about its token.

use serde_json::{Map, Value, json};
use torii_backend::clock::ManualClock;
use torii_backend::{Auth, KeySource, Verifier};

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
