//! Tokens whose key is not in the set: it may be a new one, or made up to cause requests.

use std::future::Future;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use torii_backend::Verifier;

use super::cold::Crowd;
use super::{
    DAY, Issuer, MINUTE, PROMPT, TTL, claims, code, eventually, eventually_fetched, key_set,
    let_requests_come, timed,
};
use crate::support::faultd::{Reply, Script};
use crate::support::tokens::Key;

const REFILL: Duration = Duration::from_secs(30);

/// Asks for keys of made-up names, and tells how many requests that caused.
pub(crate) fn ask_for(issuer: &Issuer, verifier: &Verifier, names: impl IntoIterator<Item = u32>) -> usize {
    let before = issuer.requests();
    for name in names {
        let token = issuer.token_naming(&format!("made up {name}"));
        assert_eq!(code(verifier.verify_blocking(&token)), "kid_unknown");
    }
    issuer.requests() - before
}

#[test]
fn made_up_names_cost_two_fetches_and_one_more_every_30_seconds() {
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    let mut names = 0..;
    let mut flood = || {
        ask_for(&issuer, &verifier, names.by_ref().take(300));
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
        ask_for(&issuer, &verifier, [name]);
        issuer.clock.advance(Duration::from_millis(2900));
    }
    assert_eq!(issuer.requests(), 1 + 2, "the backoff was over ten times");
}

#[test]
fn names_known_to_be_made_up_cost_nothing_for_a_minute() {
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    let verify = || ask_for(&issuer, &verifier, [7, 8]);
    assert_eq!(verify(), 2);
    issuer.clock.advance(MINUTE - Duration::from_millis(1));
    assert_eq!(verify(), 0);
    issuer.clock.advance(Duration::from_millis(1));
    assert_eq!(verify(), 2);
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

fn header(change: &[(&str, &str)]) -> serde_json::Value {
    let mut header = json!({"alg": "ES256", "kid": "unknown"});
    for (name, value) in change {
        header[*name] = json!(value);
    }
    header
}

/// Tokens of unknown keys in which something else is wrong too, and what that is.
pub(crate) fn refused_anyway(issuer: &Issuer) -> Vec<(String, &'static str)> {
    let url = issuer.endpoint.url();
    let claim = |name: &str, value: serde_json::Value| {
        let mut claims = issuer.claims();
        claims[name] = value;
        claims
    };
    let sign = |header: &serde_json::Value, claims: &serde_json::Value| issuer.key.sign_as(header, claims);
    let plain = header(&[]);
    let too_late = super::NOW - 30;
    vec![
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
    ]
}

#[test]
fn a_token_that_is_refused_anyway_causes_no_request() {
    let issuer = Issuer::new();
    for (token, expected) in refused_anyway(&issuer) {
        // Neither before the keys have been fetched nor after.
        let cold = issuer.verifier();
        assert_eq!(code(cold.verify_blocking(&token)), expected);
        assert_eq!(issuer.requests(), 0, "{expected}");
    }
    let warm = issuer.warm_verifier();
    let jku = header(&[("jku", "http://127.0.0.1:1/"), ("x5u", "http://127.0.0.1:1/")]);
    let claims = claims("https://other.example", super::NOW);
    let stranger = issuer.key.sign_as(&jku, &claims);
    assert_eq!(code(warm.verify_blocking(&stranger)), "issuer_mismatch");
    assert_eq!(issuer.requests(), 1);
}

/// A rotation without overlap is first heard of through a token. Of those, 500 come every second, for longer than the
/// endpoint takes.
pub(crate) async fn a_crowd_at_a_rotation(delay: Duration) -> Crowd {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    verifier.warm_up().await.unwrap();
    let next = Key::new("next");
    issuer.endpoint.set(Script::from(key_set(&[&next])).after(delay));
    let token = issuer.token_by(&next);
    let mut tasks = JoinSet::new();
    let waves = (delay * 3 / 2).as_millis() / WAVE.as_millis();
    for wave in 0..waves as u32 {
        for _ in 0..50 {
            let (verifier, token) = (verifier.clone(), token.clone());
            tasks.spawn(async move {
                tokio::time::sleep(wave * WAVE).await;
                let came = Instant::now();
                (code(verifier.verify(&token).await), came.elapsed())
            });
        }
    }
    let (codes, times): (_, Vec<_>) = tasks.join_all().await.into_iter().unzip();
    Crowd {
        codes,
        longest: times.into_iter().max().unwrap(),
        requests: issuer.requests(),
    }
}

const WAVE: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_fails_nobody_while_the_endpoint_answers() {
    let crowd = a_crowd_at_a_rotation(Duration::from_secs(1)).await;
    assert_eq!((crowd.accepted(), crowd.requests), (crowd.codes.len(), 2));
}

/// How long, by the clock, a new key is unknown while made-up names use up what unknown keys may spend.
pub(crate) fn rotation_under_a_flood() -> Duration {
    let issuer = Issuer::new();
    let (verifier, next) = (issuer.warm_verifier(), Key::new("next"));
    ask_for(&issuer, &verifier, 0..300);
    issuer.endpoint.set(key_set(&[&issuer.key, &next]));
    let token = issuer.token_by(&next);
    let mut names = 300..;
    let refused = (0..1_000).take_while(|_| {
        ask_for(&issuer, &verifier, names.by_ref().take(10));
        issuer.clock.advance(WAVE);
        code(verifier.verify_blocking(&token)) != "ok"
    });
    WAVE * (1 + refused.count() as u32)
}

#[test]
fn under_a_flood_of_made_up_names_a_new_key_is_found_within_35_seconds() {
    let took = rotation_under_a_flood();
    assert!(took <= Duration::from_secs(35), "{took:?}");
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
            let started = Instant::now();
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
    assert!((1..=2124).contains(&waited), "{waited} callers waited");
    assert!(outcomes.iter().all(|(_, at)| *at < Duration::from_millis(3500)));
    // One fetch, and on a busy machine its second attempt as well.
    assert!((2..=3).contains(&issuer.requests()));
}

#[test]
fn at_most_2048_callers_wait_and_those_that_leave_make_room() {
    let (issuer, next) = (Issuer::new(), Key::new("next"));
    let verifier = issuer.warm_verifier();
    // The fetch lasts for longer than it takes to start everybody, on a busy machine too.
    issuer.endpoint.set(Script::hang());
    let token = issuer.token_by(&next);
    let start = || {
        let mut call = Box::pin(verifier.verify(&token));
        let polled = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        (call, polled.map(code))
    };
    let crowd: Vec<_> = (0..2048).map(|_| start()).collect();
    assert!(crowd.iter().all(|(_, polled)| polled.is_pending()));
    assert_eq!(start().1, Poll::Ready("kid_unknown".to_owned()));
    drop(crowd);
    assert!(start().1.is_pending());
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
