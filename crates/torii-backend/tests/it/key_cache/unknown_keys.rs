//! Tokens whose key is not in the set: it may be a new one, or made up to cause requests.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;

use super::{
    DAY, Issuer, MINUTE, PROMPT, TTL, claims, code, eventually, eventually_fetched, key_set,
    let_requests_come, timed,
};
use crate::support::faultd::{Reply, Script};
use crate::support::tokens::Key;

const REFILL: Duration = Duration::from_secs(30);

#[test]
fn made_up_names_cost_two_fetches_and_one_more_every_30_seconds() {
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    let mut names = 0..;
    let mut flood = || {
        for name in names.by_ref().take(300) {
            let token = issuer.token_naming(&format!("made up {name}"));
            assert_eq!(code(verifier.verify_blocking(&token)), "kid_unknown");
        }
        issuer.requests() - 1
    };
    assert_eq!(flood(), 2);
    issuer.clock.advance(REFILL - Duration::from_millis(1));
    assert_eq!(flood(), 2);
    issuer.clock.advance(Duration::from_millis(1));
    assert_eq!(flood(), 3);
    issuer.clock.advance(REFILL);
    assert_eq!(flood(), 4);
    // What is not spent adds up to two, however long it is not spent.
    issuer.clock.advance(DAY / 2);
    assert_eq!(flood(), 6);
    assert_eq!(verifier.status().unknown_kids, 5 * 300);
    assert_eq!(code(verifier.verify_blocking(&issuer.token())), "ok");
}

#[test]
fn fetches_that_fail_are_spent_too() {
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    issuer.endpoint.set(Reply::new(404));
    for name in 0..10 {
        let token = issuer.token_naming(&format!("made up {name}"));
        assert_eq!(code(verifier.verify_blocking(&token)), "kid_unknown");
        issuer.clock.advance(Duration::from_millis(2900));
    }
    assert_eq!(issuer.requests(), 1 + 2, "the backoff was over ten times");
}

#[test]
fn a_name_known_to_be_made_up_costs_nothing_for_a_minute() {
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    let token = issuer.token_naming("made up");
    let verify = || code(verifier.verify_blocking(&token));
    assert_eq!((verify(), issuer.requests()), ("kid_unknown".to_owned(), 2));
    issuer.clock.advance(MINUTE - Duration::from_millis(1));
    assert_eq!((verify(), issuer.requests()), ("kid_unknown".to_owned(), 2));
    issuer.clock.advance(Duration::from_millis(1));
    assert_eq!((verify(), issuer.requests()), ("kid_unknown".to_owned(), 3));
}

#[test]
fn a_name_is_asked_for_again_once_the_keys_have_changed() {
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    let early = issuer.token_naming("third");
    assert_eq!(code(verifier.verify_blocking(&early)), "kid_unknown");
    let (second, third) = (Key::new("second"), Key::new("third"));
    issuer.endpoint.set(key_set(&[&issuer.key, &second]));
    assert_eq!(code(verifier.verify_blocking(&issuer.token_by(&second))), "ok");
    issuer.endpoint.set(key_set(&[&issuer.key, &second, &third]));
    issuer.clock.advance(REFILL);
    assert_eq!(code(verifier.verify_blocking(&issuer.token_by(&third))), "ok");
    assert_eq!(issuer.requests(), 4);
}

#[test]
fn a_failed_fetch_does_not_prove_that_a_name_is_made_up() {
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    let second = Key::new("second");
    let token = issuer.token_by(&second);
    issuer
        .endpoint
        .play([Reply::new(404).into(), key_set(&[&issuer.key, &second]).into()]);
    assert_eq!(code(verifier.verify_blocking(&token)), "kid_unknown");
    issuer.outlast_backoff(&verifier);
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
}

#[test]
fn a_fetch_that_began_before_the_caller_came_is_not_its_last_hope() {
    let issuer = Issuer::new();
    let (verifier, second) = (issuer.warm_verifier(), Key::new("second"));
    issuer
        .endpoint
        .set(Script::from(key_set(&[&issuer.key])).after(Duration::from_millis(300)));
    thread::scope(|scope| {
        let (verifier, made_up) = (&verifier, issuer.token_naming("made up"));
        scope.spawn(move || assert_eq!(code(verifier.verify_blocking(&made_up)), "kid_unknown"));
        eventually("the earlier fetch", || issuer.requests() == 2);
        // The reply to that one is on its way, without the new key.
        issuer.endpoint.set(key_set(&[&issuer.key, &second]));
        assert_eq!(code(verifier.verify_blocking(&issuer.token_by(&second))), "ok");
    });
    assert_eq!(issuer.requests(), 3);
}

#[test]
fn a_token_that_is_refused_anyway_causes_no_request() {
    let issuer = Issuer::new();
    let url = issuer.endpoint.url();
    let header = |change: &[(&str, &str)]| {
        let mut header = json!({"alg": "ES256", "kid": "unknown"});
        for (name, value) in change {
            header[*name] = json!(value);
        }
        header
    };
    let claim = |name: &str, value: serde_json::Value| {
        let mut claims = issuer.claims();
        claims[name] = value;
        claims
    };
    let sign = |header: &serde_json::Value, claims: &serde_json::Value| issuer.key.sign_as(header, claims);
    let plain = header(&[]);
    let too_late = super::NOW - 30;
    for (token, expected) in [
        (
            sign(&plain, &claims("https://other.example", super::NOW)),
            "issuer_mismatch",
        ),
        (
            sign(&plain, &claims(&format!("{url}/x"), super::NOW)),
            "issuer_mismatch",
        ),
        (sign(&plain, &claim("iss", json!([url]))), "claim_type:iss"),
        (sign(&plain, &claim("exp", json!(too_late))), "expired"),
        (sign(&plain, &claim("exp", json!("2099"))), "claim_type:exp"),
        (
            sign(&header(&[("alg", "none")]), &issuer.claims()),
            "alg_not_allowed",
        ),
        (
            sign(&header(&[("alg", "HS256")]), &issuer.claims()),
            "alg_not_allowed",
        ),
        (
            sign(&header(&[("crit", "exp")]), &issuer.claims()),
            "crit_unsupported",
        ),
        (
            sign(&header(&[("typ", "dpop+jwt")]), &issuer.claims()),
            "typ_not_allowed",
        ),
        (sign(&header(&[("kid", "")]), &issuer.claims()), "kid_missing"),
        (sign(&json!({"alg": "ES256"}), &issuer.claims()), "kid_missing"),
        ("a.b.c".to_owned(), "malformed"),
        ("x".repeat(1 << 20), "too_large"),
    ] {
        // Neither before the keys have been fetched nor after.
        let cold = issuer.verifier();
        assert_eq!(code(cold.verify_blocking(&token)), expected);
        assert_eq!(issuer.requests(), 0, "{expected}");
    }
    let warm = issuer.warm_verifier();
    let jku = header(&[("jku", "http://127.0.0.1:1/"), ("x5u", "http://127.0.0.1:1/")]);
    let stranger = sign(&jku, &claims("https://other.example", super::NOW));
    assert_eq!(code(warm.verify_blocking(&stranger)), "issuer_mismatch");
    assert_eq!(issuer.requests(), 1);
}

/// A rotation without overlap is first heard of through a token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_fails_nobody_while_the_endpoint_answers() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    verifier.warm_up().await.unwrap();
    let next = Key::new("next");
    issuer
        .endpoint
        .set(Script::from(key_set(&[&next])).after(Duration::from_secs(1)));
    let token = issuer.token_by(&next);
    let mut tasks = JoinSet::new();
    for wave in 0..10 {
        for _ in 0..50 {
            let (verifier, token) = (verifier.clone(), token.clone());
            tasks.spawn(async move {
                tokio::time::sleep(wave * Duration::from_millis(150)).await;
                code(verifier.verify(&token).await)
            });
        }
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| *outcome != "ok").count(), 0);
    assert_eq!(issuer.requests(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_endpoint_hangs_unknown_names_wait_2_seconds_and_known_ones_do_not() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    verifier.warm_up().await.unwrap();
    issuer.endpoint.set(Script::hang());
    let tokens: Vec<_> = (0..3000)
        .map(|name| issuer.token_naming(&format!("made up {name}")))
        .collect();
    let started = Instant::now();
    let mut flood = JoinSet::new();
    for token in tokens {
        let verifier = verifier.clone();
        flood.spawn(async move {
            let outcome = code(verifier.verify(&token).await);
            (outcome, started.elapsed())
        });
    }
    let token = issuer.token();
    let mut longest = Duration::ZERO;
    while started.elapsed() < Duration::from_secs(1) {
        let (outcome, took) = timed(|| pollster::block_on(verifier.verify(&token)));
        assert_eq!(code(outcome), "ok");
        longest = longest.max(took);
        tokio::task::yield_now().await;
    }
    assert!(longest < PROMPT, "a known key waited {longest:?}");
    let outcomes = flood.join_all().await;
    assert!(outcomes.iter().all(|(outcome, _)| outcome == "kid_unknown"));
    let waited = outcomes
        .iter()
        .filter(|(_, at)| *at > Duration::from_millis(1500))
        .count();
    assert!((1..=1100).contains(&waited), "{waited} callers waited");
    assert!(outcomes.iter().all(|(_, at)| *at < Duration::from_millis(3500)));
    assert_eq!(issuer.requests(), 2);
}

#[test]
fn a_known_name_is_served_and_an_unknown_one_refused_when_the_endpoint_is_down() {
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    issuer.endpoint.down();
    let error = verifier
        .verify_blocking(&issuer.token_naming("unknown"))
        .unwrap_err();
    assert_eq!(error.code().to_string(), "kid_unknown");
    assert_eq!(error.http_status(), 401);
    assert_eq!(code(verifier.verify_blocking(&issuer.token())), "ok");
}

#[test]
fn names_asked_for_while_cold_are_settled_by_the_first_fetch() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    assert_eq!(
        code(verifier.verify_blocking(&issuer.token_naming("unknown"))),
        "kid_unknown"
    );
    assert_eq!(issuer.requests(), 1);
    issuer.clock.advance(TTL);
    assert_eq!(code(verifier.verify_blocking(&issuer.token())), "ok");
    eventually_fetched(&verifier, 2);
    let_requests_come();
    assert_eq!(issuer.requests(), 2);
}
