//! The endpoint fails: keys at hand are used for a day, and the endpoint is left alone more and more.

use std::time::Duration;

use torii_backend::{CacheSettings, Verifier};

use super::{DAY, HOUR, Issuer, MINUTE, PROMPT, TTL, code, eventually_failed, let_requests_come, timed};
use crate::support::faultd::{Faultd, Reply, Script};

/// Between two verifications of a quiet server.
const PAUSE: Duration = Duration::from_secs(240);

#[test]
fn a_known_key_is_used_for_23_hours_while_the_endpoint_is_down() {
    is_used_for_23_hours(Faultd::down);
}

#[test]
fn a_known_key_is_used_for_23_hours_while_the_endpoint_answers_500() {
    is_used_for_23_hours(|endpoint| endpoint.set(Reply::new(500)));
}

#[test]
fn a_known_key_is_used_for_23_hours_while_the_endpoint_hangs() {
    is_used_for_23_hours(|endpoint| endpoint.set(Script::hang()));
}

#[test]
fn a_known_key_is_used_for_23_hours_while_the_key_set_is_empty() {
    is_used_for_23_hours(|endpoint| endpoint.set(Reply::json(r#"{"keys": []}"#)));
}

fn is_used_for_23_hours(break_down: impl Fn(&Faultd)) {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    break_down(&issuer.endpoint);

    let mut longest = Duration::ZERO;
    let mut verify = || {
        issuer.clock.advance(PAUSE);
        let (outcome, took) = timed(|| verifier.verify_blocking(&token));
        assert_eq!(code(outcome), "ok");
        longest = longest.max(took);
    };
    // The first refresh is under way for as long as the endpoint likes; the clock stands still meanwhile.
    verify();
    eventually_failed(&verifier, 1);
    for _ in 1..(23 * HOUR).as_secs() / PAUSE.as_secs() {
        verify();
    }
    assert!(longest < PROMPT, "somebody waited {longest:?}");
    let status = verifier.status();
    assert_eq!(status.kids, ["first"]);
    assert!(status.stale_served > 300, "{status:?}");
    assert!(status.last_error.is_some());
}

#[test]
fn a_key_that_could_not_be_refreshed_for_24_hours_is_refused_until_the_endpoint_is_back() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    issuer.endpoint.down();
    issuer.clock.advance(DAY - Duration::from_secs(10));
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    eventually_failed(&verifier, 1);

    issuer.clock.advance(Duration::from_secs(10));
    let error = verifier.verify_blocking(&token).unwrap_err();
    assert_eq!(error.code().to_string(), "jwks_unavailable");
    assert_eq!(error.http_status(), 503);
    assert!(error.is_retryable());
    assert!(error.www_authenticate().is_none());

    issuer.endpoint.up();
    assert_eq!(
        code(verifier.verify_blocking(&token)),
        "jwks_unavailable",
        "the backoff is not over"
    );
    issuer.outlast_backoff(&verifier);
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    assert_eq!(issuer.requests(), 2);
    let status = verifier.status();
    assert_eq!(
        (status.last_error, status.next_attempt_in, status.age),
        (None, None, Some(Duration::ZERO))
    );
}

#[test]
fn without_a_stale_limit_keys_are_refused_when_their_time_is_over() {
    let issuer = Issuer::new();
    let settings = CacheSettings::default().stale_limit(Duration::ZERO);
    let verifier = issuer.builder().cache(settings).build().unwrap();
    let token = issuer.token();
    verifier.warm_up_blocking().unwrap();
    issuer.endpoint.down();
    issuer.clock.advance(TTL.mul_f64(0.89));
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    eventually_failed(&verifier, 1);
    issuer.clock.advance(TTL.mul_f64(0.11));
    assert_eq!(code(verifier.verify_blocking(&token)), "jwks_unavailable");
    assert_eq!(verifier.status().stale_served, 0);
}

#[test]
fn fetches_become_rare_during_an_outage() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    issuer.endpoint.set(Reply::new(500));
    issuer.clock.advance(TTL);
    let mut wait = Duration::from_secs(1);
    let (mut passed, mut failures) = (Duration::ZERO, 0);
    while passed < HOUR {
        assert_eq!(code(verifier.verify_blocking(&token)), "ok");
        failures += 1;
        eventually_failed(&verifier, failures);
        let next = verifier.status().next_attempt_in.unwrap();
        assert!(
            (wait..=wait.mul_f64(1.2)).contains(&next),
            "failure {failures}: {next:?}"
        );
        wait = (2 * wait).min(MINUTE);

        issuer.clock.advance(next - Duration::from_millis(1));
        assert_eq!(code(verifier.verify_blocking(&token)), "ok");
        issuer.outlast_backoff(&verifier);
        passed += next;
    }
    // Two attempts while all seemed well, and then one a fetch: one a minute, after the first few.
    assert_eq!(issuer.requests() as u64, 1 + failures + 1);
    assert!((50..=66).contains(&failures), "{failures} fetches in an hour");

    // A success ends it all: the next failure counts as the first.
    issuer.endpoint.set(super::key_set(&[&issuer.key]));
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    super::eventually_fetched(&verifier, 2);
    issuer.endpoint.down();
    issuer.clock.advance(TTL);
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    eventually_failed(&verifier, failures + 1);
    assert!(verifier.status().next_attempt_in.unwrap() < Duration::from_secs(2));
}

#[test]
fn an_endpoint_that_fails_every_other_time_fails_nobody() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    let good = || Script::from(super::key_set(&[&issuer.key]));
    issuer.endpoint.play(
        (0..1000)
            .flat_map(|_| [Reply::new(500).into(), good()])
            .collect::<Vec<_>>(),
    );
    for fetches in 2..=20 {
        issuer.clock.advance(TTL);
        assert_eq!(code(verifier.verify_blocking(&token)), "ok");
        super::eventually_fetched(&verifier, fetches);
    }
    assert_eq!(issuer.requests(), 1 + 2 * 19);
    assert_eq!(verifier.status().fetches_failed, 0);
}

#[test]
fn a_cold_caller_asks_again_when_the_backoff_is_over() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.verifier(), issuer.token());
    issuer.endpoint.set(Reply::new(503));
    assert_eq!(code(verifier.verify_blocking(&token)), "jwks_unavailable");
    issuer.endpoint.set(super::key_set(&[&issuer.key]));
    assert_eq!(code(verifier.verify_blocking(&token)), "jwks_unavailable");
    assert_eq!(issuer.requests(), 2);
    issuer.outlast_backoff(&verifier);
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    assert_eq!(issuer.requests(), 3);
}

#[test]
fn retry_after_is_obeyed_up_to_5_minutes() {
    let seconds = Duration::from_secs;
    for (status, header, least, most, attempts) in [
        (429, "60", seconds(60), seconds(60), 1),
        (503, "30", seconds(30), seconds(30), 1),
        (404, "30", seconds(30), seconds(30), 1),
        (429, "99999", seconds(300), seconds(300), 1),
        (429, "99999999999999999999999", seconds(300), seconds(300), 1),
        (
            429,
            "Fri, 31 Dec 9999 23:59:59 GMT",
            seconds(300),
            seconds(300),
            1,
        ),
        (429, "Sun, 06 Nov 1994 08:49:37 GMT", seconds(1), seconds(2), 1),
        (429, "0", seconds(1), seconds(2), 1),
        (429, "-5", seconds(1), seconds(2), 1),
        (429, "soon", seconds(1), seconds(2), 1),
        (503, "soon", seconds(1), seconds(2), 2),
    ] {
        let issuer = Issuer::new();
        let verifier = issuer.verifier();
        issuer
            .endpoint
            .set(Reply::new(status).header("retry-after", header));
        let error = verifier.verify_blocking(&issuer.token()).unwrap_err();
        assert_eq!(error.code().to_string(), "jwks_unavailable", "{status}, {header}");
        let wait = error.retry_after().unwrap();
        assert!((least..=most).contains(&wait), "{status}, {header}: {wait:?}");
        assert_eq!(issuer.requests(), attempts, "{status}, {header}");
        assert_eq!(
            verifier.status().next_attempt_in,
            Some(wait),
            "{status}, {header}"
        );
    }
}

#[test]
fn the_endpoint_is_left_alone_for_as_long_as_it_asked() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    issuer.endpoint.set(Reply::new(429).header("retry-after", 200));
    issuer.clock.advance(TTL);
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    eventually_failed(&verifier, 1);
    issuer.endpoint.set(super::key_set(&[&issuer.key]));
    issuer.clock.advance(Duration::from_secs(199));
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    assert_eq!(
        code(verifier.verify_blocking(&issuer.token_naming("unknown"))),
        "kid_unknown"
    );
    let_requests_come();
    assert_eq!(issuer.requests(), 2);
    issuer.clock.advance(Duration::from_secs(1));
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    super::eventually_fetched(&verifier, 2);
}

#[test]
fn one_dead_issuer_leaves_the_others_alone() {
    let (alive, dead) = (Issuer::new(), Issuer::new());
    let (alive_verifier, dead_verifier) = (alive.warm_verifier(), dead.warm_verifier());
    dead.endpoint.set(Script::hang());
    dead.clock.advance(TTL);
    assert_eq!(code(dead_verifier.verify_blocking(&dead.token())), "ok");
    alive.clock.advance(TTL);
    let slowest = |verifier: &Verifier, token: &str| {
        (0..100)
            .map(|_| timed(|| verifier.verify_blocking(token).unwrap()).1)
            .max()
    };
    assert!(slowest(&alive_verifier, &alive.token()) < Some(PROMPT));
    assert!(slowest(&dead_verifier, &dead.token()) < Some(PROMPT));
}
