//! Several issuers in one verifier: a token selects among them, and only a key of the selected one may have signed it.

use std::time::Duration;

use torii_backend::{KeySource, Verifier, VerifyError};

use super::{Issuer, NOW, PROMPT, TTL, claims, code, timed};
use crate::support::faultd::Script;
use crate::support::tokens::{Key, jwks};

fn both(one: &Issuer, other: &Issuer) -> Verifier {
    let builder = one
        .builder()
        .accept_issuer(other.endpoint.url(), KeySource::Issuer);
    builder.build().unwrap()
}

#[test]
fn the_tokens_of_each_are_accepted_and_fetch_its_keys_alone() {
    let (one, other) = (Issuer::new(), Issuer::new());
    let verifier = both(&one, &other);
    for _ in 0..2 {
        let auth = verifier.verify_blocking(&one.token()).unwrap();
        assert_eq!(auth.issuer(), one.endpoint.url());
        assert_eq!(other.requests(), 0);
    }
    for _ in 0..2 {
        let auth = verifier.verify_blocking(&other.token()).unwrap();
        assert_eq!(auth.issuer(), other.endpoint.url());
    }
    assert_eq!((one.requests(), other.requests()), (1, 1));
    assert_eq!(verifier.counts().accepted, 4);
    assert_eq!(verifier.statuses().count(), 2);
}

#[test]
fn one_s_keys_do_not_sign_the_other_s_tokens() {
    let (one, other) = (Issuer::new(), Issuer::new());
    let verifier = both(&one, &other);
    verifier.warm_up_blocking().unwrap();
    assert_eq!((one.requests(), other.requests()), (1, 1));
    // Both keys have the same name.
    let forged = one.key.sign(&other.claims());
    assert_eq!(code(verifier.verify_blocking(&forged)), "bad_signature");
    assert_eq!(verifier.counts().refused, [("bad_signature", 1)]);
}

#[test]
fn a_stranger_s_token_is_refused_without_a_request() {
    let (one, other) = (Issuer::new(), Issuer::new());
    let verifier = both(&one, &other);
    let strangers = [
        (
            one.key.sign(&claims("https://evil.example", NOW)),
            "issuer_mismatch",
        ),
        (
            one.key.sign(&serde_json::json!({"sub": "user"})),
            "claim_missing:iss",
        ),
    ];
    for (token, expected) in strangers {
        assert_eq!(code(verifier.verify_blocking(&token)), expected);
    }
    assert_eq!((one.requests(), other.requests()), (0, 0));
    assert_eq!(
        verifier.counts().refused,
        [("claim_missing", 1), ("issuer_mismatch", 1)]
    );
}

#[test]
fn one_that_is_down_leaves_the_other_alone() {
    let (one, other) = (Issuer::new(), Issuer::new());
    let verifier = both(&one, &other);
    verifier.verify_blocking(&one.token()).unwrap();
    other.endpoint.set(Script::hang());
    one.clock.advance(TTL);
    std::thread::scope(|scope| {
        let outage = scope.spawn(|| code(verifier.verify_blocking(&other.token())));
        let (outcome, took) = timed(|| verifier.verify_blocking(&one.token()));
        assert_eq!(code(outcome), "ok");
        assert!(took < PROMPT, "{took:?}");
        assert_eq!(outage.join().unwrap(), "jwks_unavailable");
    });
}

#[test]
fn each_may_have_keys_of_its_own_source() {
    let (fetched, given) = (Issuer::new(), Key::new("given"));
    let source = KeySource::Jwks(jwks(&[&given]));
    let verifier = fetched.builder().accept_issuer("https://b.torii.so/", source);
    let verifier = verifier.build().unwrap();
    for iss in ["https://b.torii.so/", "https://b.torii.so"] {
        let token = given.sign(&claims(iss, NOW));
        assert_eq!(code(verifier.verify_blocking(&token)), "ok", "{iss}");
        assert!(verifier.verify_remembered(&token).is_some());
    }
    assert_eq!(code(verifier.verify_blocking(&fetched.token())), "ok");
}

#[test]
fn exported_keys_are_taken_by_the_issuer_that_they_belong_to() {
    let (one, other) = (Issuer::new(), Issuer::new());
    let exported = other.warm_verifier().export_keys().unwrap();
    let builder = one
        .builder()
        .accept_issuer(other.endpoint.url(), KeySource::Issuer);
    let verifier = builder.import_keys(exported.clone()).build().unwrap();
    assert_eq!(code(verifier.verify_blocking(&other.token())), "ok");
    assert_eq!(other.requests(), 1);
    let error = one.builder().import_keys(exported).build().unwrap_err();
    assert_eq!(error.setting(), "import_keys");
}

#[test]
fn one_that_is_given_twice_is_a_mistake() {
    let builder =
        Verifier::builder("https://a.torii.so/").accept_issuer("https://a.torii.so", KeySource::Issuer);
    let error = builder.build().unwrap_err();
    assert!(matches!(VerifyError::from(error.clone()), VerifyError::Config(_)));
    assert!(error.to_string().contains("twice"), "{error}");
}

#[test]
fn warm_up_says_so_when_one_of_them_cannot_be_had() {
    let (one, other) = (Issuer::new(), Issuer::new_down());
    let verifier = both(&one, &other);
    let error = verifier.warm_up_blocking().unwrap_err();
    assert!(error.retry_after() >= Some(Duration::from_secs(1)));
}
