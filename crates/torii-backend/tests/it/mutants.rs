//! Mutants of a valid token: none is accepted, and nothing but a refusal comes out.

use fastrand::Rng;
use serde_json::json;
use torii_backend::clock::ManualClock;
use torii_backend::{KeySource, Verifier, VerifyError};

use crate::support::tokens::{Key, jwks};

const MUTANTS: u32 = 100_000;
const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://acme.torii.so";

#[test]
fn of_100_000_mutants_of_a_valid_token_none_is_accepted() {
    let key = Key::new("first");
    let verifier = Verifier::builder(ISSUER)
        .key_source(KeySource::Jwks(jwks(&[&key])))
        .clock(ManualClock::at(NOW))
        .build()
        .unwrap();
    let token = key.sign(&json!({
        "iss": ISSUER, "sub": "a user", "pid": "an environment", "iat": NOW, "exp": NOW + 300, "roles": ["a", "b"],
    }));
    verifier.verify_blocking(&token).unwrap();

    let mut rng = Rng::with_seed(20_261_123);
    for _ in 0..MUTANTS {
        let mutant = mutate(&token, &mut rng);
        if mutant == token {
            continue;
        }
        match verifier.verify_blocking(&mutant) {
            Err(VerifyError::Token(_)) => {}
            outcome => panic!("{mutant}: {outcome:?}"),
        }
    }
}

/// One to three small changes.
fn mutate(token: &str, rng: &mut Rng) -> String {
    let mut text: Vec<char> = token.chars().collect();
    for _ in 0..rng.u32(1..=3) {
        if text.is_empty() {
            break;
        }
        let (at, other) = (rng.usize(..text.len()), rng.usize(..text.len()));
        match rng.u32(..8) {
            0 => text[at] = any_char(rng),
            1 => drop(text.remove(at)),
            2 => text.insert(at, any_char(rng)),
            3 => text.swap(at, other),
            4 => text.truncate(at),
            5 => text.extend_from_within(at..),
            6 => {
                text[at] = if text[at].is_lowercase() {
                    text[at].to_ascii_uppercase()
                } else {
                    text[at].to_ascii_lowercase()
                }
            }
            _ => text.rotate_left(at),
        }
    }
    text.into_iter().collect()
}

/// Mostly base64url, sometimes what has no place in a token.
fn any_char(rng: &mut Rng) -> char {
    const LIKELY: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
    if rng.u32(..10) > 0 {
        char::from(LIKELY[rng.usize(..LIKELY.len())])
    } else {
        rng.char(..)
    }
}
