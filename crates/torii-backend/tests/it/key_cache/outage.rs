//! The endpoint fails: keys at hand are used for a day, and the endpoint is left alone more and more.

use std::time::Duration;

use torii_backend::{CacheSettings, Verifier};

use super::traffic::{Traffic, steady, traffic};
use super::{DAY, HOUR, Issuer, MINUTE, PROMPT, TTL, code, eventually_failed, let_requests_come, timed};
use crate::support::faultd::{Faultd, Reply, Script};
use crate::support::tokens::Key;

/// Between two verifications of a quiet server.
const PAUSE: Duration = Duration::from_secs(240);
/// Between two verifications of a busy one.
const STEP: Duration = Duration::from_millis(100);

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
fn a_remembered_token_is_answered_from_memory_throughout_an_outage() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    verifier.verify_blocking(&token).unwrap();
    issuer.endpoint.set(Reply::new(500));
    issuer.clock.advance(TTL);
    let (mut asked, mut remembered, steps) = (1, 0, 10_000);
    for _ in 0..steps {
        let outcome = verifier.verify_remembered(&token);
        remembered += u32::from(outcome.is_some());
        if outcome.is_none() {
            // A refresh is due, and this starts it.
            assert_eq!(code(verifier.verify_blocking(&token)), "ok");
            eventually_failed(&verifier, asked);
            asked += 1;
        }
        issuer.clock.advance(STEP);
    }
    assert_eq!(remembered + asked as u32 - 1, steps);
    assert!(asked < 25, "{asked} decisions in {steps} verifications");
    assert_eq!(verifier.status().stale_served, u64::from(steps));
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
    assert!(status.last_error.is_none());
    assert_eq!((status.next_attempt_in, status.age), (None, Some(Duration::ZERO)));
}

#[test]
fn without_a_stale_limit_keys_are_refused_when_their_time_is_over() {
    let issuer = Issuer::new();
    let settings = CacheSettings::default().stale_limit(Duration::ZERO);
    let verifier = issuer.builder().cache(settings).build().unwrap();
    let token = issuer.token();
    verifier.warm_up_blocking().unwrap();
    issuer.endpoint.down();
    issuer.clock.advance(TTL.mul_f64(0.87));
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    eventually_failed(&verifier, 1);
    issuer.clock.advance(TTL.mul_f64(0.13));
    assert_eq!(code(verifier.verify_blocking(&token)), "jwks_unavailable");
    assert_eq!(verifier.status().stale_served, 0);
}

#[test]
fn fetches_become_rare_during_an_outage() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    issuer.endpoint.set(Reply::new(500));
    issuer.clock.advance(TTL);
    let hour = traffic(&issuer, &verifier, std::slice::from_ref(&token), STEP, HOUR);
    assert_eq!(hour.refused, [""; 0]);
    assert!(hour.longest() < PROMPT, "somebody waited {:?}", hour.longest());
    are_doubled_up_to(MINUTE, &hour.pauses);
    // Two attempts while all seemed well, and then one a fetch: one a minute, after the first few.
    let failures = hour.pauses.len();
    assert_eq!(issuer.requests(), 1 + failures + 1);
    assert!((50..=66).contains(&failures), "{failures} fetches in an hour");

    // A success ends it all: the next failure counts as the first.
    issuer.endpoint.set(super::key_set(&[&issuer.key]));
    issuer.outlast_backoff(&verifier);
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    super::eventually_fetched(&verifier, 2);
    issuer.endpoint.down();
    issuer.clock.advance(TTL);
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    eventually_failed(&verifier, failures as u64 + 1);
    assert!(verifier.status().next_attempt_in.unwrap() < Duration::from_secs(2));
}

/// From one second on, give or take what chance adds.
pub(crate) fn are_doubled_up_to(cap: Duration, pauses: &[Duration]) {
    let mut pause = Duration::from_secs(1);
    for (place, actual) in pauses.iter().enumerate() {
        assert!(
            (pause..=pause.mul_f64(1.2)).contains(actual),
            "pause {place}: {actual:?}"
        );
        pause = (2 * pause).min(cap);
    }
}

/// How an outage of more than a day ends.
#[derive(Debug)]
pub(crate) struct Recovery {
    /// Tokens refused in the first day.
    pub(crate) refused_early: Vec<String>,
    /// What a minute of tokens met after that.
    pub(crate) after_a_day: Traffic,
    /// From the endpoint's return until a token was accepted again.
    pub(crate) took: Duration,
}

/// The endpoint is down for 24 hours and a minute, and comes back just after it was asked in vain.
pub(crate) fn recover_from_a_day(issuer: &Issuer, verifier: &Verifier) -> Recovery {
    let tokens = [issuer.token()];
    let send = |every, lasting| traffic(issuer, verifier, &tokens, every, lasting);
    verifier.warm_up_blocking().unwrap();
    issuer.endpoint.down();
    let [quiet, last_minutes] = [send(PAUSE, DAY - PAUSE), send(STEP, PAUSE - STEP)];
    let after_a_day = send(STEP, MINUTE);
    let asked_in_vain = |_| !send(STEP, STEP).pauses.is_empty();
    assert!((0..100).any(asked_in_vain), "nothing is fetched any longer");
    issuer.endpoint.up();
    let refused = (0..1_000).take_while(|_| send(STEP, STEP).accepted == 0);
    Recovery {
        took: STEP * (1 + refused.count() as u32),
        refused_early: [quiet.refused, last_minutes.refused].concat(),
        after_a_day,
    }
}

#[test]
fn after_24_hours_tokens_are_accepted_again_within_5_seconds_of_the_endpoint_s_return() {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    for _ in 0..3 {
        let recovery = recover_from_a_day(&issuer, &verifier);
        assert_eq!(recovery.refused_early, [""; 0]);
        assert_eq!(recovery.after_a_day.accepted, 0);
        assert!(recovery.took <= Duration::from_secs(5), "{:?}", recovery.took);
        // 1, 2, 4, 4 … seconds: the pauses that outlasted the keys were cut short.
        assert!(recovery.after_a_day.pauses.len() >= 12);
        issuer.clock.advance(DAY);
    }
}

#[test]
fn the_pause_that_is_shown_ends_with_the_keys() {
    let issuer = Issuer::new();
    let (verifier, tokens) = (issuer.warm_verifier(), [issuer.token()]);
    issuer.endpoint.set(Reply::new(500));
    traffic(&issuer, &verifier, &tokens, PAUSE, DAY - PAUSE);
    let (failures, left) = (verifier.status().fetches_failed, Duration::from_secs(10));
    issuer.clock.advance(PAUSE - left);
    assert_eq!(code(verifier.verify_blocking(&tokens[0])), "ok");
    eventually_failed(&verifier, failures + 1);
    assert_eq!(verifier.status().next_attempt_in, Some(left), "not a minute");

    issuer.clock.advance(left);
    let requests = issuer.requests();
    let error = verifier.verify_blocking(&tokens[0]).unwrap_err();
    assert_eq!(error.code().to_string(), "jwks_unavailable");
    assert_eq!(issuer.requests(), requests + 1);
    let wait = error.retry_after().unwrap();
    assert!(wait <= Duration::from_secs(5), "{wait:?}");
    assert_eq!(verifier.status().next_attempt_in, Some(wait));
}

/// Traffic while the endpoint fails every other time, and the requests it saw after the first.
pub(crate) fn flap(every: Duration, lasting: Duration) -> (Traffic, usize) {
    let issuer = Issuer::new();
    let good = || Script::from(super::key_set(&[&issuer.key]).header("cache-control", "max-age=60"));
    issuer.endpoint.set(good());
    let verifier = issuer.warm_verifier();
    issuer.endpoint.play(
        (0..1000)
            .flat_map(|_| [Reply::new(500).into(), good()])
            .collect::<Vec<_>>(),
    );
    let traffic = traffic(&issuer, &verifier, &[issuer.token()], every, lasting);
    assert_eq!(verifier.status().fetches_failed, 0);
    (traffic, issuer.requests() - 1)
}

#[test]
fn an_endpoint_that_fails_every_other_time_fails_nobody() {
    let (traffic, requests) = flap(Duration::from_secs(1), HOUR);
    assert_eq!(traffic.refused, [""; 0]);
    assert!(traffic.pauses.len() >= 60);
    assert_eq!(requests, 2 * traffic.pauses.len());
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
fn the_endpoint_s_wish_is_obeyed_whatever_keys_are_at_hand() {
    for (keys, age) in [("none", None), ("usable", Some(TTL)), ("expired", Some(2 * DAY))] {
        let issuer = Issuer::new();
        let verifier = issuer.verifier();
        if let Some(age) = age {
            verifier.warm_up_blocking().unwrap();
            issuer.clock.advance(age);
        }
        issuer.endpoint.set(Reply::new(429).header("retry-after", 250));
        let _ = verifier.verify_blocking(&issuer.token());
        eventually_failed(&verifier, 1);
        let asked = Duration::from_secs(250);
        assert_eq!(verifier.status().next_attempt_in, Some(asked), "{keys}");
        let requests = issuer.requests();
        issuer.clock.advance(asked - Duration::from_millis(1));
        let _ = verifier.verify_blocking(&issuer.token());
        let_requests_come();
        assert_eq!(issuer.requests(), requests, "{keys}");
    }
}

/// So many issuers in one process, all refreshed and all but the first with a new key, and the first hangs.
pub(crate) fn one_dead_among(issuers: usize) -> Vec<Traffic> {
    let issuers: Vec<_> = (0..issuers).map(|_| Issuer::new()).collect();
    let verifiers: Vec<_> = issuers.iter().map(Issuer::warm_verifier).collect();
    issuers[0].endpoint.set(Script::hang());
    let mut traffics = Vec::new();
    for (issuer, verifier) in issuers.iter().zip(&verifiers) {
        issuer.clock.advance(TTL);
        verifier.verify_blocking(&issuer.token()).unwrap();
        let mut tokens = vec![issuer.token()];
        if !traffics.is_empty() {
            super::eventually_fetched(verifier, 2);
            let next = Key::new("next");
            issuer.endpoint.set(super::key_set(&[&issuer.key, &next]));
            tokens.push(issuer.token_by(&next));
        }
        traffics.push(steady(verifier, &tokens, 100));
    }
    traffics
}

#[test]
fn one_dead_issuer_leaves_the_others_alone() {
    for (place, traffic) in one_dead_among(2).into_iter().enumerate() {
        assert_eq!(traffic.refused, [""; 0], "issuer {place}");
        let longest = traffic.longest();
        assert!(longest < PROMPT, "issuer {place}: {longest:?}");
    }
}
