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

/// The code of what is answered from memory, or `nothing`.
fn remembered(verifier: &Verifier, token: &str) -> String {
    verifier
        .verify_remembered(token)
        .map_or_else(|| "nothing".to_owned(), code)
}

#[test]
fn memory_answers_for_tokens_that_were_verified_and_for_no_others() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    assert_eq!(remembered(&verifier, &token), "nothing");
    verifier.verify_blocking(&token).unwrap();
    assert_eq!(
        verifier.verify_remembered(&token).unwrap().unwrap().user_id(),
        "user"
    );
    let mut forged = token.clone();
    forged.truncate(token.len() - 86);
    forged.push_str(&"A".repeat(86));
    for other in [
        forged.as_str(),
        "",
        "a.b.c",
        &token[1..],
        &issuer.token_naming("unknown"),
    ] {
        assert_eq!(remembered(&verifier, other), "nothing");
    }
    let forgetful = issuer.builder().remember_verified(0).build().unwrap();
    forgetful.verify_blocking(&token).unwrap();
    assert_eq!(remembered(&forgetful, &token), "nothing");
    let counts = verifier.counts();
    assert_eq!(
        (counts.accepted, counts.refused),
        (2, Vec::new()),
        "an answer is counted"
    );
}

#[test]
fn memory_says_that_a_token_has_expired_once() {
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    let short = issuer.key.sign(&json!({
        "iss": issuer.endpoint.url(), "sub": "a user", "pid": "an environment", "iat": NOW, "exp": NOW + 60,
    }));
    verifier.verify_blocking(&short).unwrap();
    issuer.clock.advance(MINUTE + Duration::from_secs(30));
    assert_eq!(remembered(&verifier, &short), "expired");
    assert_eq!(remembered(&verifier, &short), "nothing", "it is forgotten then");
    assert_eq!(verifier.counts().refused, [("expired", 1)]);
}

#[test]
fn memory_leaves_keys_that_are_not_fresh_to_verify() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    verifier.verify_blocking(&token).unwrap();
    issuer.clock.advance(TTL);
    assert_eq!(remembered(&verifier, &token), "nothing");
    let_requests_come();
    assert_eq!(issuer.requests(), 1, "memory fetches nothing");
    verifier.verify_blocking(&token).unwrap();
    eventually_fetched(&verifier, 2);
    assert_eq!(remembered(&verifier, &token), "ok");

    // Fresh again, and another key of that name.
    issuer.endpoint.set(key_set(&[&Key::new("first")]));
    issuer.clock.advance(TTL);
    verifier.verify_blocking(&token).unwrap();
    eventually_fetched(&verifier, 3);
    assert_eq!(remembered(&verifier, &token), "nothing");
    assert_eq!(code(verifier.verify_blocking(&token)), "bad_signature");
}

#[test]
fn memory_answers_under_keys_that_were_given() {
    let issuer = Issuer::new();
    let source = KeySource::Jwks(jwks(&[&issuer.key]));
    let verifier = issuer.builder().key_source(source).build().unwrap();
    verifier.verify_blocking(&issuer.token()).unwrap();
    issuer.clock.advance(2 * DAY);
    assert_eq!(remembered(&verifier, &issuer.token()), "nothing", "another token");
    let token = issuer.token();
    verifier.verify_blocking(&token).unwrap();
    assert_eq!(remembered(&verifier, &token), "ok");
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

/// How many of 100 tokens are still remembered, where there is room for 20 of ordinary size.
fn still_remembered(padding: usize) -> usize {
    let issuer = Issuer::new();
    let verifier = issuer.builder().remember_verified(20).build().unwrap();
    let tokens: Vec<String> = (0..100)
        .map(|index| {
            let mut claims = issuer.claims();
            claims["padding"] = json!(format!("{index:0padding$}"));
            issuer.key.sign(&claims)
        })
        .collect();
    for token in &tokens {
        verifier.verify_blocking(token).unwrap();
    }
    let remembered = |token: &&String| verifier.verify_remembered(token).is_some();
    tokens.iter().filter(remembered).count()
}

#[test]
fn memory_is_bounded_by_what_the_tokens_take() {
    let ordinary = still_remembered(400);
    assert!((18..=20).contains(&ordinary), "{ordinary} of ordinary size");
    let small = still_remembered(10);
    assert!((21..=60).contains(&small), "{small} small ones");
    let large = still_remembered(10_000);
    assert!((1..=2).contains(&large), "{large} large ones");
}
