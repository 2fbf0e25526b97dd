//! Tokens that were verified before are judged like new ones: by their key and by the time.

use std::time::Duration;

use serde_json::json;
use torii_backend::{KeySource, Verifier};

use super::{DAY, Issuer, MINUTE, NOW, TTL, code, eventually_fetched, key_set, let_requests_come};
use crate::support::tokens::{Key, jwks};

#[test]
fn a_remembered_token_is_refused_once_its_key_is_withdrawn() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    issuer.endpoint.set(key_set(&[&Key::new("second")]));
    issuer.clock.advance(TTL);
    assert_eq!(
        code(verifier.verify_blocking(&token)),
        "ok",
        "the refresh is under way"
    );
    eventually_fetched(&verifier, 2);
    assert_eq!(code(verifier.verify_blocking(&token)), "kid_unknown");
}

#[test]
fn a_remembered_token_is_verified_anew_when_its_key_is_replaced_under_the_same_name() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    issuer.endpoint.set(key_set(&[&Key::new("first")]));
    issuer.clock.advance(TTL);
    verifier.verify_blocking(&token).unwrap();
    eventually_fetched(&verifier, 2);
    assert_eq!(code(verifier.verify_blocking(&token)), "bad_signature");
}

#[test]
fn a_remembered_token_outlives_neither_its_expiry_nor_the_keys() {
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    let short = issuer.key.sign(&json!({
        "iss": issuer.endpoint.url(), "sub": "a user", "pid": "an environment", "iat": NOW, "exp": NOW + 60,
    }));
    assert_eq!(code(verifier.verify_blocking(&short)), "ok");
    issuer.clock.advance(MINUTE + Duration::from_secs(29));
    assert_eq!(code(verifier.verify_blocking(&short)), "ok", "within the leeway");
    issuer.clock.advance(Duration::from_secs(1));
    assert_eq!(code(verifier.verify_blocking(&short)), "expired");

    let long = issuer.token();
    assert_eq!(code(verifier.verify_blocking(&long)), "ok");
    issuer.endpoint.down();
    issuer.clock.advance(DAY);
    assert_eq!(code(verifier.verify_blocking(&long)), "jwks_unavailable");
}

#[test]
fn a_remembered_token_is_premature_again_when_the_clock_goes_back() {
    let issuer = Issuer::new();
    let verifier = Verifier::builder("https://acme.torii.so")
        .key_source(KeySource::Jwks(jwks(&[&issuer.key])))
        .clock(issuer.clock.clone())
        .build()
        .unwrap();
    let claims = |nbf: u64, iat: u64| {
        json!({"iss": "https://acme.torii.so", "sub": "a user", "pid": "an environment", "nbf": nbf, "iat": iat,
               "exp": NOW + 3600})
    };
    let (premature, early) = (issuer.key.sign(&claims(NOW, 0)), issuer.key.sign(&claims(0, NOW)));
    assert_eq!(code(verifier.verify_blocking(&premature)), "ok");
    assert_eq!(code(verifier.verify_blocking(&early)), "ok");
    issuer.clock.jump_wall_seconds(-31);
    assert_eq!(code(verifier.verify_blocking(&premature)), "not_yet_valid");
    assert_eq!(code(verifier.verify_blocking(&early)), "iat_in_future");
    issuer.clock.jump_wall_seconds(1);
    assert_eq!(code(verifier.verify_blocking(&premature)), "ok");
    assert_eq!(code(verifier.verify_blocking(&early)), "ok");
}

#[test]
fn remembered_tokens_refresh_their_keys_and_survive_a_refresh_that_brings_the_same() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    for round in 1..=3 {
        assert_eq!(code(verifier.verify_blocking(&token)), "ok");
        issuer.clock.advance(TTL);
        assert_eq!(code(verifier.verify_blocking(&token)), "ok");
        eventually_fetched(&verifier, round + 1);
    }
    let_requests_come();
    assert_eq!(verifier.status().generation, 1);
}

#[test]
fn two_policies_share_no_remembered_token() {
    let issuer = Issuer::new();
    let jwks = jwks(&[&issuer.key]);
    let builder = |url: &str| {
        Verifier::builder(url)
            .key_source(KeySource::Jwks(jwks.clone()))
            .clock(issuer.clock.clone())
    };
    let token = issuer.token();
    assert_eq!(
        code(
            builder(&issuer.endpoint.url())
                .build()
                .unwrap()
                .verify_blocking(&token)
        ),
        "ok"
    );
    let strict = builder(&issuer.endpoint.url())
        .audiences(["api"])
        .build()
        .unwrap();
    assert_eq!(code(strict.verify_blocking(&token)), "claim_missing:aud");
    let other = builder("https://acme.torii.so").build().unwrap();
    assert_eq!(code(other.verify_blocking(&token)), "issuer_mismatch");
}
