//! Mutants of a valid token: none is accepted, and nothing but a refusal comes out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
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

    let config = Config {
        cases: MUTANTS,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, dice());
    let outcome = runner.run(&changes(), |changes| {
        let mutant = changes.iter().fold(token.clone(), mutate);
        // Two texts never decode alike, so that one that differs at all is another token.
        prop_assume!(mutant != token);
        let outcome = verifier.verify_blocking(&mutant);
        prop_assert!(
            matches!(outcome, Err(VerifyError::Token(_))),
            "{mutant}: {outcome:?}"
        );
        Ok(())
    });
    outcome.unwrap();
}

/// Mutants without end, for floods of them.
pub(crate) struct Mutants(TestRunner);

impl Mutants {
    pub(crate) fn new() -> Self {
        Self(TestRunner::new_with_rng(Config::default(), dice()))
    }

    pub(crate) fn next(&mut self, token: &str) -> String {
        let changes = changes().new_tree(&mut self.0).unwrap().current();
        changes.iter().fold(token.to_owned(), mutate)
    }
}

/// The same in every run, so that what is found stays found.
fn dice() -> TestRng {
    TestRng::deterministic_rng(RngAlgorithm::XorShift)
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    vec(change(), 1..=3)
}

/// A small change to a token. Places are taken modulo what there is.
#[derive(Clone, Debug)]
enum Change {
    Replace(Index, char),
    Remove(Index),
    Insert(Index, char),
    Swap(Index, Index),
    Truncate(Index),
    Repeat(Index),
    Rotate(Index),
    /// Inside what a segment decodes to.
    Byte(Index, Index, u8),
    /// Members at the end of what a segment decodes to, which is then no object or another one.
    Append(Index, &'static str),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<Index>;
    // Mostly what may stand in a token.
    let character = || prop_oneof![9 => proptest::char::ranges(vec!['A'..='Z', 'a'..='z', '0'..='9', '-'..='.', '_'..='_'].into()), 1 => any::<char>()];
    let members = prop::sample::select(
        &[
            r#","sub":"admin"}"#,
            r#","exp":9999999999}"#,
            "}",
            " ",
            r#","kid":"other"}"#,
        ][..],
    );
    prop_oneof![
        (place(), character()).prop_map(|(at, new)| Change::Replace(at, new)),
        place().prop_map(Change::Remove),
        (place(), character()).prop_map(|(at, new)| Change::Insert(at, new)),
        (place(), place()).prop_map(|(one, other)| Change::Swap(one, other)),
        place().prop_map(Change::Truncate),
        place().prop_map(Change::Repeat),
        place().prop_map(Change::Rotate),
        (place(), place(), 1..=u8::MAX).prop_map(|(segment, at, bits)| Change::Byte(segment, at, bits)),
        (place(), members).prop_map(|(segment, members)| Change::Append(segment, members)),
    ]
}

fn mutate(token: String, change: &Change) -> String {
    let mut text: Vec<char> = token.chars().collect();
    if text.is_empty() {
        return token;
    }
    let at = |place: &Index| place.index(text.len());
    match change {
        Change::Replace(place, new) => {
            let at = at(place);
            text[at] = *new;
        }
        Change::Remove(place) => drop(text.remove(at(place))),
        Change::Insert(place, new) => text.insert(at(place), *new),
        Change::Swap(one, other) => {
            let (one, other) = (at(one), at(other));
            text.swap(one, other);
        }
        Change::Truncate(place) => text.truncate(at(place)),
        Change::Repeat(place) => text.extend_from_within(at(place)..),
        Change::Rotate(place) => {
            let at = at(place);
            text.rotate_left(at);
        }
        Change::Byte(segment, place, bits) => {
            return rewrite(&token, segment, |decoded| {
                if !decoded.is_empty() {
                    let at = place.index(decoded.len());
                    decoded[at] ^= bits;
                }
            });
        }
        Change::Append(segment, members) => {
            return rewrite(&token, segment, |decoded| {
                decoded.pop();
                decoded.extend(members.as_bytes());
            });
        }
    }
    text.into_iter().collect()
}

/// Changes what a segment decodes to, where it decodes to anything.
fn rewrite(token: &str, segment: &Index, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut segments: Vec<String> = token.split('.').map(str::to_owned).collect();
    let segment = segment.get_mut(&mut segments);
    if let Ok(mut decoded) = URL_SAFE_NO_PAD.decode(&*segment) {
        change(&mut decoded);
        *segment = URL_SAFE_NO_PAD.encode(decoded);
    }
    segments.join(".")
}
