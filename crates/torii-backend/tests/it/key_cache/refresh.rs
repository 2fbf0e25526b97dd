//! Keys at hand grow old: how old they may get, and how newer ones take their place.

use std::ops::RangeInclusive;
use std::time::Duration;

use torii_backend::Verifier;
use torii_backend::clock::ManualClock;

use super::traffic::{traffic, ttl};
use super::{
    DAY, Issuer, MINUTE, PROMPT, TTL, YOUNG, code, eventually_failed, eventually_fetched, key_set,
    let_requests_come, timed,
};
use crate::support::faultd::{Reply, Script};
use crate::support::tokens::Key;

#[test]
fn keys_in_use_are_refreshed_in_the_background() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    issuer
        .endpoint
        .set(Script::from(key_set(&[&issuer.key])).after(PROMPT * 5 / 4));

    issuer.clock.advance(YOUNG);
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    let_requests_come();
    assert_eq!(issuer.requests(), 1, "before 80 % of the time is over");

    issuer.clock.advance(TTL.mul_f64(0.8) - YOUNG);
    let (_, took) = timed(|| {
        for _ in 0..100 {
            assert_eq!(code(verifier.verify_blocking(&token)), "ok");
        }
    });
    assert!(took < PROMPT, "somebody waited: {took:?}");
    eventually_fetched(&verifier, 2);
    assert_eq!(issuer.requests(), 2);
    assert_eq!(verifier.status().age, Some(Duration::ZERO));
    assert_eq!(verifier.status().stale_served, 0);
}

#[test]
fn keys_that_nobody_uses_are_not_refreshed() {
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    for _ in 0..10 {
        issuer.clock.advance(TTL);
        assert!(verifier.status().age.is_some());
    }
    let_requests_come();
    assert_eq!(issuer.requests(), 1);
}

/// The headers of a reply, and for how many seconds it is used.
pub(crate) const FRESHNESS: &[(&[(&str, &str)], u64)] = &[
    (&[], 300),
    (&[("cache-control", "max-age=600")], 600),
    (
        &[("cache-control", "public, MAX-AGE=\"600\", must-revalidate")],
        600,
    ),
    (&[("cache-control", "max-age=0")], 60),
    (&[("cache-control", "max-age=59")], 60),
    (&[("cache-control", "no-store")], 60),
    (&[("cache-control", "no-cache, max-age=600")], 60),
    (&[("cache-control", "max-age=abc, no-cache")], 60),
    (&[("cache-control", "x=\"a, no-store\", max-age=600")], 600),
    (
        &[("cache-control", "max-age=600"), ("cache-control", "max-age")],
        300,
    ),
    (&[("cache-control", "max-age=31536000")], 3600),
    (&[("cache-control", "max-age=99999999999999999999999")], 3600),
    (&[("cache-control", "max-age=-1")], 300),
    (&[("cache-control", "max-age=abc")], 300),
    (&[("cache-control", "max-age=1e3")], 300),
    (&[("cache-control", "max-age=")], 300),
    (&[("cache-control", "public")], 300),
    (&[("cache-control", "max-age=600, max-age=900")], 300),
    (
        &[("cache-control", "max-age=600"), ("cache-control", "max-age=900")],
        300,
    ),
    (
        &[("cache-control", "max-age=600"), ("cache-control", "max-age=600")],
        600,
    ),
    (&[("cache-control", "max-age=300"), ("age", "250")], 60),
    (&[("cache-control", "max-age=3000"), ("age", "1000")], 2000),
    (&[("cache-control", "max-age=300"), ("age", "301")], 60),
    (&[("cache-control", "max-age=600"), ("age", "-7")], 600),
    (&[("cache-control", "max-age=600"), ("age", "250, 300")], 350),
];

/// For how long keys are used that came with these headers.
pub(crate) fn ttl_after(headers: &[(&str, &str)]) -> Duration {
    let issuer = Issuer::new();
    let reply = key_set(&[&issuer.key]);
    let with = |reply: Reply, (name, value): &(&str, &str)| reply.header(name, value);
    issuer.endpoint.set(headers.iter().fold(reply, with));
    ttl(&issuer.warm_verifier()).unwrap()
}

/// The time, and what chance may leave of it.
pub(crate) fn with_chance(seconds: u64) -> RangeInclusive<Duration> {
    let nominal = Duration::from_secs(seconds);
    nominal.mul_f64(0.875)..=nominal
}

#[test]
fn the_time_of_keys_is_the_reply_s_within_bounds() {
    for (headers, seconds) in FRESHNESS {
        let ttl = ttl_after(headers);
        assert!(with_chance(*seconds).contains(&ttl), "{headers:?}: {ttl:?}");
    }
}

#[test]
fn chance_spreads_a_fleet_over_an_eighth_of_the_time() {
    let issuer = Issuer::new();
    let ttls: Vec<_> = (0..40).map(|_| ttl(&issuer.warm_verifier()).unwrap()).collect();
    let (least, most) = (*ttls.iter().min().unwrap(), *ttls.iter().max().unwrap());
    assert!(
        least >= TTL.mul_f64(0.875) && most <= TTL,
        "{least:?} to {most:?}"
    );
    // Forty throws all within a third of the range: once in 10^17 runs.
    assert!(most - least > TTL.mul_f64(0.04), "{least:?} to {most:?}");
}

#[test]
fn a_key_set_that_has_not_changed_need_not_be_sent_again() {
    let (issuer, verifier) = renewed_twice();
    let [first, second, third] = &issuer.endpoint.requests()[..] else {
        panic!("three requests")
    };
    assert_eq!(first.line(), "GET /_torii/.well-known/jwks.json HTTP/1.1");
    assert_eq!(first.header("if-none-match"), None);
    for renewal in [second, third] {
        assert_eq!(renewal.header("if-none-match"), Some("\"v1\""));
        assert_eq!(renewal.header("accept-encoding"), Some("identity"));
        assert_eq!(renewal.header("cookie"), None);
        assert!(
            renewal
                .header("user-agent")
                .unwrap()
                .starts_with("torii-backend-rust/")
        );
    }
    assert_eq!(verifier.status().generation, 1, "the keys have not changed");
}

/// A key set with a tag and a cookie, and twice the news that it has not changed.
pub(crate) fn renewed_twice() -> (Issuer, Verifier) {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.verifier(), issuer.token());
    let tagged = key_set(&[&issuer.key])
        .header("etag", "\"v1\"")
        .header("set-cookie", "a=b");
    issuer.endpoint.play([
        tagged.into(),
        Reply::new(304).header("cache-control", "max-age=600").into(),
    ]);
    verifier.warm_up_blocking().unwrap();
    for fetches in 2..=3 {
        issuer.clock.advance(2 * TTL);
        assert_eq!(code(verifier.verify_blocking(&token)), "ok");
        eventually_fetched(&verifier, fetches);
        assert!(
            ttl(&verifier).unwrap() > Duration::from_secs(500),
            "the renewal brings a time of its own"
        );
    }
    (issuer, verifier)
}

#[test]
fn a_key_that_is_no_longer_published_is_refused_from_the_next_refresh_on() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    let second = Key::new("second");
    issuer.endpoint.set(key_set(&[&second]));
    issuer.clock.advance(TTL);
    assert_eq!(
        code(verifier.verify_blocking(&token)),
        "ok",
        "the refresh is under way"
    );
    eventually_fetched(&verifier, 2);
    assert_eq!(code(verifier.verify_blocking(&token)), "kid_unknown");
    assert_eq!(code(verifier.verify_blocking(&issuer.token_by(&second))), "ok");
    assert_eq!(verifier.status().kids, ["second"]);
    assert_eq!(verifier.status().generation, 2);
}

/// A key is replaced under its name, while a token of each comes every second.
pub(crate) struct Replacement {
    /// The requests that signatures by the new key had caused before anything was due.
    pub(crate) requests: usize,
    /// Until a token of the old key was refused and one of the new key accepted.
    pub(crate) took: Duration,
    /// The codes for both then.
    pub(crate) codes: [String; 2],
}

pub(crate) fn replace_under_the_same_name() -> Replacement {
    let second = Duration::from_secs(1);
    let issuer = Issuer::new();
    let (verifier, namesake) = (issuer.warm_verifier(), Key::new("first"));
    issuer.endpoint.set(key_set(&[&namesake]));
    let [old, new] = [issuer.token(), issuer.token_by(&namesake)];
    for _ in 0..100 {
        assert_eq!(code(verifier.verify_blocking(&new)), "bad_signature");
    }
    let_requests_come();
    let requests = issuer.requests() - 1;
    let old_accepted = traffic(&issuer, &verifier, std::slice::from_ref(&old), second, 2 * TTL).accepted;
    Replacement {
        requests,
        took: second * (1 + old_accepted as u32),
        codes: [old, new].map(|token| code(verifier.verify_blocking(&token))),
    }
}

#[test]
fn a_new_key_under_an_old_name_takes_the_old_one_s_place() {
    let replacement = replace_under_the_same_name();
    assert_eq!(replacement.requests, 0, "a bad signature is no reason to fetch");
    assert!(replacement.took < TTL, "{:?}", replacement.took);
    assert_eq!(replacement.codes, ["bad_signature", "ok"]);
}

/// An hour in which nobody came, and the key was replaced.
pub(crate) struct Idleness {
    /// What the first token of the old key and one of the new key got after it.
    pub(crate) codes: [String; 2],
    /// How long the first of them waited.
    pub(crate) waited: Duration,
    pub(crate) requests: usize,
}

impl Idleness {
    pub(crate) fn passed(delay: Duration, pass: impl FnOnce(&ManualClock)) -> Self {
        let issuer = Issuer::new();
        let (verifier, second) = (issuer.warm_verifier(), Key::new("second"));
        issuer
            .endpoint
            .set(Script::from(key_set(&[&second])).after(delay));
        pass(&issuer.clock);
        let (first, waited) = timed(|| code(verifier.verify_blocking(&issuer.token())));
        let new = pollster::block_on(verifier.verify(&issuer.token_by(&second)));
        Self {
            codes: [first, code(new)],
            waited,
            requests: issuer.requests() - 1,
        }
    }

    pub(crate) fn is_noticed(&self) -> bool {
        self.codes == ["kid_unknown", "ok"] && self.requests == 1
    }
}

#[test]
fn after_an_idle_time_the_first_caller_waits_for_news() {
    let delay = Duration::from_millis(300);
    let idle = TTL + MINUTE + Duration::from_secs(1);
    let idleness = Idleness::passed(delay, |clock| clock.advance(idle));
    assert!(idleness.is_noticed(), "{:?}", idleness.codes);
}

#[test]
fn a_failure_before_an_idle_time_does_not_hide_it() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    issuer.endpoint.down();
    issuer.clock.advance(TTL);
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    eventually_failed(&verifier, 1);

    issuer.endpoint.up();
    let second = Key::new("second");
    issuer.endpoint.set(key_set(&[&second]));
    issuer.clock.advance(super::HOUR);
    assert_eq!(
        code(verifier.verify_blocking(&token)),
        "kid_unknown",
        "removed in the meantime"
    );
}

#[test]
fn after_an_idle_time_nobody_waits_longer_than_2_seconds() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    issuer.endpoint.set(Script::hang());
    issuer.clock.advance(12 * super::HOUR);
    let (outcome, took) = timed(|| verifier.verify_blocking(&token));
    assert_eq!(code(outcome), "ok");
    assert!(
        took > Duration::from_millis(1500) && took < Duration::from_millis(2500),
        "{took:?}"
    );
    // The fetch goes on, and nobody waits for it a second time.
    let (outcome, took) = timed(|| verifier.verify_blocking(&token));
    assert_eq!(code(outcome), "ok");
    assert!(took < PROMPT, "{took:?}");
    assert_eq!(verifier.status().stale_served, 2);
}

/// After the wall clock has jumped so: the code for a token, and the requests since the keys were fetched.
pub(crate) fn jump(issuer: &Issuer, verifier: &Verifier, seconds: i64) -> (String, usize) {
    issuer.clock.jump_wall_seconds(seconds);
    let outcome = code(verifier.verify_blocking(&issuer.token()));
    let_requests_come();
    (outcome, issuer.requests() - 1)
}

#[test]
fn a_wall_clock_that_jumps_costs_one_fetch_at_most() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    let day = i64::try_from(DAY.as_secs()).unwrap();
    for seconds in [day, -day] {
        let jumped = jump(&issuer, &verifier, seconds);
        assert_eq!(jumped, ("ok".to_owned(), 1), "after a jump by {seconds} s");
    }

    // Ahead of the true time when they were fetched, the keys still grow old.
    issuer.clock.jump_wall_seconds(-day);
    issuer.clock.advance(TTL);
    assert_eq!(code(verifier.verify_blocking(&token)), "ok");
    eventually_fetched(&verifier, 3);
}

#[test]
fn a_machine_that_slept_knows_its_keys_are_old() {
    let issuer = Issuer::new();
    let (verifier, token) = (issuer.warm_verifier(), issuer.token());
    issuer.endpoint.down();
    // Asleep, only the wall clock goes on.
    issuer
        .clock
        .jump_wall_seconds(i64::try_from(DAY.as_secs()).unwrap());
    assert_eq!(code(verifier.verify_blocking(&token)), "jwks_unavailable");
    eventually_failed(&verifier, 1);
}
