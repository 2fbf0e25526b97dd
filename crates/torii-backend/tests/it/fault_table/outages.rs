//! D1 to D5, and time: outages, removals, clocks that jump.

use std::fmt::{self, Display};
use std::thread;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use super::load::SLOW;
use super::{Figure, HUNDRED_A_SECOND, Measured, alone, millis, seconds, shown};
use crate::faults::RUNTIME;
use crate::key_cache::cold::a_cold_minute;
use crate::key_cache::outage::{flap, recover_from_a_day};
use crate::key_cache::refresh::{Idleness, jump, replace_under_the_same_name};
use crate::key_cache::traffic::{Traffic, real_traffic, steady, traffic};
use crate::key_cache::{DAY, HOUR, Issuer, MINUTE, PROMPT, TTL, YOUNG, code, eventually_failed, key_set};
use crate::support::faultd::{Faultd, Reply};
use crate::support::tokens::Key;

const SECOND: Duration = Duration::from_secs(1);

pub(super) fn that_wait() -> Measured {
    let idle = || Idleness::passed(SLOW, |clock| clock.advance(HOUR));
    let frozen = || Idleness::passed(SLOW, |clock| clock.jump_wall_seconds(3_600));
    thread::scope(|scope| {
        let down = scope.spawn(|| real_outage(Faultd::down));
        let hole = scope.spawn(|| real_outage(Faultd::vanish));
        let cold = scope.spawn(cold_at_a_black_hole);
        let (idle, frozen) = (scope.spawn(idle), scope.spawn(frozen));
        let (idle, frozen) = (noticed(&idle.join().unwrap()), noticed(&frozen.join().unwrap()));
        vec![
            ("D1", hour_of_outage(down.join().unwrap())),
            ("D2", at_a_black_hole(&hole.join().unwrap())),
            ("D5", cold.join().unwrap()),
            ("n10", idle),
            ("n17", frozen.clone()),
            ("D20", thawed(frozen)),
        ]
    })
}

pub(super) fn that_do_not_wait() -> Measured {
    let jumps = clock_jumps();
    vec![
        ("D3", day_of_outage()),
        ("D4", flapping()),
        ("n09", removal()),
        ("n11", replacement()),
        ("n18", jumps.clone()),
        ("D21", jumps),
    ]
}

/// Tokens of a few hundred users, all verified before.
fn users(issuer: &Issuer) -> Vec<String> {
    (0..300).map(|_| issuer.token()).collect()
}

/// Known tokens while their keys cannot be refreshed, in real time: what they met, and the failed fetches.
fn real_outage(break_down: impl FnOnce(&Faultd)) -> (Traffic, u64) {
    let issuer = Issuer::new();
    let (verifier, tokens) = (issuer.warm_verifier(), [issuer.token()]);
    break_down(&issuer.endpoint);
    issuer.clock.advance(TTL);
    let lasting = seconds(6, 120);
    let met = real_traffic(&issuer, &verifier, &tokens, HUNDRED_A_SECOND, lasting);
    (met, verifier.status().fetches_failed)
}

fn hour_of_outage((real, real_fetches): (Traffic, u64)) -> Figure {
    let issuer = Issuer::new();
    let (verifier, tokens) = (issuer.warm_verifier(), users(&issuer));
    steady(&verifier, &tokens, tokens.len());
    let send = |lasting| traffic(&issuer, &verifier, &tokens, HUNDRED_A_SECOND, lasting);
    let healthy = send(YOUNG);
    issuer.endpoint.down();
    let hour = send(HOUR);
    let fetches = hour.pauses.len();
    let (remembered, anew) = (Slowdown::of(&hour, &healthy), verified_anew());
    let measured = format!(
        "1 h by the clock: {} of {} failed, {fetches} fetches, longest {}, p99 {anew}, of remembered tokens \
         {remembered}; {} real: {} of {} failed, {real_fetches} fetches",
        hour.refused.len(),
        hour.times.len(),
        shown(hour.longest()),
        shown(seconds(6, 120)),
        real.refused.len(),
        real.times.len(),
    );
    let kept = hour.refused.len() + real.refused.len() == 0 && fetches <= 5 + 60 && hour.longest() < PROMPT;
    Figure::of(kept, measured)
        .in_time(anew.ratio() <= 1.2)
        .longer_in_full()
}

/// The p99 during an outage and before it.
struct Slowdown([Duration; 2]);

impl Slowdown {
    fn of(during: &Traffic, before: &Traffic) -> Self {
        Self([during.p99(), before.p99()])
    }

    fn ratio(&self) -> f64 {
        let [during, before] = self.0.map(|time| time.as_secs_f64());
        during / before
    }
}

impl Display for Slowdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:.1} ×)", shown(self.0[0]), self.ratio())
    }
}

/// Of tokens whose signatures are checked every time.
fn verified_anew() -> Slowdown {
    let issuer = Issuer::new();
    let verifier = issuer.builder().remember_verified(0).build().unwrap();
    verifier.warm_up_blocking().unwrap();
    let tokens = [issuer.token()];
    steady(&verifier, &tokens, 1_000);
    let healthy = steady(&verifier, &tokens, 5_000);
    issuer.endpoint.down();
    issuer.clock.advance(TTL);
    steady(&verifier, &tokens, 1);
    eventually_failed(&verifier, 1);
    Slowdown::of(&steady(&verifier, &tokens, 5_000), &healthy)
}

fn at_a_black_hole((met, fetches): &(Traffic, u64)) -> Figure {
    let blocked = met.times.iter().filter(|took| **took > millis(1)).count();
    let measured = format!(
        "{} of {} failed, {blocked} over 1 ms, longest {}, fetches: {fetches} in {}",
        met.refused.len(),
        met.times.len(),
        shown(met.longest()),
        shown(seconds(6, 120)),
    );
    Figure::of(met.refused.is_empty() && met.longest() < PROMPT, measured)
        .in_time(blocked == 0)
        .longer_in_full()
}

/// What a call met that came without keys.
struct Arrival {
    in_a_pause: bool,
    code: String,
    took: Duration,
}

fn cold_at_a_black_hole() -> Figure {
    let lasting = seconds(8, 60);
    let issuer = Issuer::new();
    issuer.endpoint.vanish();
    let (verifier, token) = (issuer.verifier(), issuer.token());
    let arrivals = RUNTIME.block_on(async {
        let mut calls = JoinSet::new();
        let (started, mut passed) = (Instant::now(), Duration::ZERO);
        for place in 0..(lasting.as_millis() / HUNDRED_A_SECOND.as_millis()) as u32 {
            tokio::time::sleep((HUNDRED_A_SECOND * place).saturating_sub(started.elapsed())).await;
            let now = millis(started.elapsed().as_millis() as u64);
            issuer.clock.advance(now - passed);
            passed = now;
            let (verifier, token) = (verifier.clone(), token.clone());
            calls.spawn(async move {
                let in_a_pause = verifier.status().next_attempt_in.is_some();
                let came = Instant::now();
                let code = code(verifier.verify(&token).await);
                Arrival {
                    in_a_pause,
                    code,
                    took: came.elapsed(),
                }
            });
        }
        calls.join_all().await
    });
    let told = arrivals
        .iter()
        .filter(|call| call.code == "jwks_unavailable")
        .count();
    let longest = |in_a_pause| {
        let calls = arrivals.iter().filter(|call| call.in_a_pause == in_a_pause);
        calls.map(|call| call.took).max().unwrap_or_default()
    };
    // The first fetch has two attempts.
    let attempts = 1 + verifier.status().fetches_failed;
    let refused_minute = Issuer::new();
    refused_minute.endpoint.set(Reply::new(500));
    a_cold_minute(&refused_minute, &refused_minute.verifier());
    let requests = refused_minute.requests();
    let measured = format!(
        "{told} of {} told 503, longest {}, in the pauses {}; {attempts} fetches in {}; by the clock, 500 in place of the hole: {requests} in 60 s",
        arrivals.len(),
        shown(longest(false)),
        shown(longest(true)),
        shown(lasting),
    );
    let kept = told == arrivals.len() && attempts <= 8 && requests <= 8;
    Figure::of(kept && longest(true) < PROMPT, measured)
        .in_time(longest(false) <= millis(5_100) && longest(true) <= millis(5))
        .longer_in_full()
}

fn day_of_outage() -> Figure {
    let issuer = Issuer::new();
    let verifier = issuer.verifier();
    let rounds: Vec<_> = (0..3)
        .map(|_| {
            let recovery = recover_from_a_day(&issuer, &verifier);
            issuer.clock.advance(DAY);
            recovery
        })
        .collect();
    let early: usize = rounds.iter().map(|round| round.refused_early.len()).sum();
    let late: usize = rounds.iter().map(|round| round.after_a_day.accepted).sum();
    let unavailable = |code: &String| code == "jwks_unavailable";
    let codes = rounds
        .iter()
        .all(|round| round.after_a_day.refused.iter().all(unavailable));
    let took = rounds.iter().map(|round| round.took).max().unwrap();
    Figure::of(
        early == 0 && late == 0 && codes && took <= 5 * SECOND,
        format!(
            "{early} refused before, {late} accepted after; back after {} at most",
            shown(took)
        ),
    )
}

fn flapping() -> Figure {
    let (met, requests) = flap(millis(5), 5 * MINUTE);
    let healthy = met.pauses.len();
    Figure::of(
        met.refused.is_empty() && requests <= 2 * healthy,
        format!(
            "{} of {} failed, {requests} requests in place of {healthy}",
            met.refused.len(),
            met.times.len()
        ),
    )
}

fn removal() -> Figure {
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    issuer.endpoint.set(key_set(&[&Key::new("second")]));
    let met = traffic(
        &issuer,
        &verifier,
        &[issuer.token()],
        SECOND,
        Duration::from_secs(305),
    );
    let refused = met.refused.iter().all(|code| code == "kid_unknown") && !met.refused.is_empty();
    Figure::of(refused, format!("after {} s", 1 + met.accepted))
}

fn replacement() -> Figure {
    let replacement = replace_under_the_same_name();
    Figure::of(
        replacement.requests == 0
            && replacement.took <= Duration::from_secs(305)
            && replacement.codes == ["bad_signature", "ok"],
        format!(
            "after {} s; 100 bad signatures: {} fetches",
            replacement.took.as_secs(),
            replacement.requests
        ),
    )
}

fn noticed(idleness: &Idleness) -> Figure {
    let [old, new] = &idleness.codes;
    Figure::of(
        idleness.is_noticed(),
        format!(
            "old key: {old} after {}, new key: {new}, {} fetch",
            shown(idleness.waited),
            idleness.requests
        ),
    )
}

fn thawed(by_the_clock: Figure) -> Figure {
    let stopped = alone::measure("D20", "");
    let measured = format!("{}; SIGSTOP: {}", by_the_clock.measured, stopped.measured);
    Figure {
        measured,
        verdict: by_the_clock.verdict.max(stopped.verdict),
        short: false,
    }
}

fn clock_jumps() -> Figure {
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    let day = DAY.as_secs() as i64;
    let jumped = [day, -day].map(|seconds| jump(&issuer, &verifier, seconds));
    let [(forwards, _), (back, fetches)] = &jumped;
    Figure::of(
        forwards == "ok" && back == "ok" && *fetches <= 1,
        format!("{forwards}, {back}, {fetches} fetch"),
    )
}
