//! A.8 and its neighbours: many callers, made-up keys, garbage, many issuers, many workers.

use std::thread;
use std::time::Duration;

use torii_backend::ErrorCode;

use super::{Figure, Measured, alone, millis, shown};
use crate::faults::RUNTIME;
use crate::key_cache::cold::{Crowd, a_cold_crowd, outcome_after_a_cancellation};
use crate::key_cache::outage::one_dead_among;
use crate::key_cache::replies::Warm;
use crate::key_cache::traffic::{Traffic, traffic, ttl};
use crate::key_cache::unknown_keys::{
    a_crowd_at_a_rotation, ask_for, refused_anyway, rotation_under_a_flood,
};
use crate::key_cache::{Issuer, PROMPT, code, key_set, timed};
use crate::support::faultd::{Reply, Script};
use crate::support::tokens::Key;

/// The slowest endpoint that still counts as answering.
pub(super) const SLOW: Duration = Duration::from_secs(2);

pub(super) fn that_wait() -> Measured {
    thread::scope(|scope| {
        let failing = scope.spawn(threads_at_a_slow_failure);
        let crowd = RUNTIME.block_on(a_cold_crowd(SLOW));
        let rotation = RUNTIME.block_on(a_crowd_at_a_rotation(SLOW));
        let share = crowd_figure(&crowd, 1, millis(2_500));
        let warm = Warm::meeting(Script::from(Reply::new(404)).after(SLOW));
        let warm = Figure::of(
            warm.is_served() && warm.longest < PROMPT && warm.issuer.requests() == 2,
            format!("1 fetch, longest {}", shown(warm.longest)),
        );
        let mut herd = share.clone();
        herd.measured = format!(
            "2 s: {}; warm: {}; 4 s are cut at 3 s",
            herd.measured, warm.measured
        );
        vec![
            ("D6", share.clone()),
            ("n01", share),
            ("j27", herd),
            ("n13", warm),
            ("D8", crowd_figure(&rotation, 2, millis(2_500))),
            ("n08", failing.join().unwrap()),
            ("j28", cancelled()),
        ]
    })
}

pub(super) fn that_do_not_wait() -> Measured {
    let flood = alone::measure("D9", "");
    vec![
        ("n02", unknown_names(0..100, 2)),
        ("n03", flood.clone()),
        ("n04", unknown_names([7; 100], 1)),
        ("n05", flooded_rotation()),
        ("n06", refused_early()),
        ("n07", cold_second()),
        (
            "n12",
            Figure::elsewhere("verify::keys::model::a_fetch_that_is_not_the_one_under_way_changes_nothing"),
        ),
        ("n14", alone::measure("n14", "")),
        (
            "n15",
            Figure::elsewhere(
                "python/tests/test_threads.py: test_threads_get_the_right_answers_while_keys_are_renewed",
            ),
        ),
        (
            "n16",
            Figure::elsewhere("no such build (stable ABI); the core's threads: verify::keys::model"),
        ),
        ("D7", rotation_with_overlap()),
        ("D9", flood),
        ("D10", alone::measure("D10", "")),
        ("D11", alone::measure("D11", "")),
        ("D22", alone::measure("D22", "ulimit -S -n 64")),
        ("D23", alone::measure("D23", "ulimit -v 524288")),
        ("D36", one_dead()),
        ("D37", workers()),
    ]
}

fn crowd_figure(crowd: &Crowd, requests: usize, limit: Duration) -> Figure {
    let (accepted, all) = (crowd.accepted(), crowd.codes.len());
    Figure::of(
        accepted == all && crowd.requests == requests,
        format!(
            "{accepted} of {all} ok, {} fetch, longest {}",
            1 + crowd.requests - requests,
            shown(crowd.longest)
        ),
    )
    .in_time(crowd.longest <= limit)
}

fn threads_at_a_slow_failure() -> Figure {
    let issuer = Issuer::new();
    issuer
        .endpoint
        .set(Script::from(Reply::new(500)).after(millis(500)));
    let (verifier, token) = (issuer.verifier(), issuer.token());
    let answers: Vec<_> = thread::scope(|scope| {
        let ask = || timed(|| code(verifier.verify_blocking(&token)));
        let threads: Vec<_> = (0..10).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let told = answers
        .iter()
        .filter(|(code, _)| code == "jwks_unavailable")
        .count();
    let longest = answers.iter().map(|(_, took)| *took).max().unwrap();
    let measured = format!(
        "{told} of 10 told, longest {}, {} requests",
        shown(longest),
        issuer.requests()
    );
    Figure::of(told == 10 && issuer.requests() == 2, measured).in_time(longest <= millis(1_200))
}

fn cancelled() -> Figure {
    let (outcome, requests) = RUNTIME.block_on(outcome_after_a_cancellation());
    Figure::of(
        outcome == "ok" && requests == 1,
        format!("the next caller: {outcome}, {requests} request"),
    )
}

fn unknown_names(names: impl IntoIterator<Item = u32>, most: usize) -> Figure {
    let issuer = Issuer::new();
    let requests = ask_for(&issuer, &issuer.warm_verifier(), names);
    Figure::of(requests <= most, format!("{requests} for 100 tokens"))
}

fn flooded_rotation() -> Figure {
    let took = rotation_under_a_flood();
    Figure::of(took <= Duration::from_secs(35), format!("after {}", shown(took)))
}

fn refused_early() -> Figure {
    let issuer = Issuer::new();
    let tokens = refused_anyway(&issuer);
    let verifier = issuer.verifier();
    let right = tokens
        .iter()
        .filter(|(token, expected)| code(verifier.verify_blocking(token)) == *expected);
    let right = right.count();
    Figure::of(
        right == tokens.len() && issuer.requests() == 0,
        format!(
            "{right} of {} refused, {} fetches",
            tokens.len(),
            issuer.requests()
        ),
    )
}

fn cold_second() -> Figure {
    let issuer = Issuer::new();
    issuer.endpoint.set(Reply::new(500));
    let tokens = [issuer.token()];
    let mut met = traffic(
        &issuer,
        &issuer.verifier(),
        &tokens,
        millis(10),
        Duration::from_secs(1),
    );
    met.times.remove(0);
    let (requests, longest) = (issuer.requests(), met.longest());
    Figure::of(
        requests <= 2 && met.accepted == 0,
        format!("{requests} requests, the other 99: longest {}", shown(longest)),
    )
    .in_time(longest <= millis(1))
}

/// The new key is published beside the old one, signs from then on, and is alone in the end.
fn rotation_with_overlap() -> Figure {
    let (issuer, next) = (Issuer::new(), Key::new("next"));
    let publish = |keys: &[&Key]| {
        issuer
            .endpoint
            .set(key_set(keys).header("cache-control", "max-age=60"))
    };
    publish(&[&issuer.key]);
    let verifier = issuer.warm_verifier();
    let (old, new) = ([issuer.token()], [issuer.token_by(&next)]);
    let send = |tokens, lasting| {
        traffic(
            &issuer,
            &verifier,
            tokens,
            millis(2),
            Duration::from_secs(lasting),
        )
    };
    let mut phases = vec![send(&old, 30)];
    publish(&[&issuer.key, &next]);
    phases.extend([send(&old, 60), send(&new, 30)]);
    publish(&[&next]);
    phases.push(send(&new, 90));
    let refused: usize = phases.iter().map(|phase| phase.refused.len()).sum();
    let all: usize = phases.iter().map(|phase| phase.times.len()).sum();
    Figure::of(
        refused == 0,
        format!("{refused} of {all} refused, {} fetches", issuer.requests()),
    )
}

fn one_dead() -> Figure {
    let mut traffics = one_dead_among(64);
    let dead = traffics.remove(0);
    let refused: usize = traffics.iter().map(|traffic| traffic.refused.len()).sum();
    let mut alive = Traffic::default();
    alive
        .times
        .extend(traffics.iter().flat_map(|traffic| &traffic.times));
    Figure::of(
        refused + dead.refused.len() == 0,
        format!(
            "{refused} of {} refused, p99 {}; at the dead one: {} of {}, p99 {}",
            alive.times.len(),
            shown(alive.p99()),
            dead.refused.len(),
            dead.times.len(),
            shown(dead.p99())
        ),
    )
}

fn workers() -> Figure {
    const COUNT: usize = 200;
    let issuer = Issuer::new();
    let workers: Vec<_> = (0..COUNT).map(|_| issuer.verifier()).collect();
    let outcomes: Vec<_> = thread::scope(|scope| {
        let starting: Vec<_> = workers
            .iter()
            .map(|worker| scope.spawn(|| worker.warm_up_blocking()))
            .collect();
        starting
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .collect()
    });
    let accepted = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let starved = outcomes
        .iter()
        .filter_map(|outcome| outcome.as_ref().err())
        .filter(|error| error.code() == ErrorCode::JwksUnavailable)
        .count();
    let fetches: u64 = workers
        .iter()
        .map(|worker| worker.status().fetches_succeeded)
        .sum();
    let refreshes = || {
        workers
            .iter()
            .filter_map(|worker| ttl(worker).map(|ttl| ttl.mul_f64(0.8)))
    };
    let spread = refreshes().max().unwrap_or_default() - refreshes().min().unwrap_or_default();
    // A machine that starts 200 at once may break a connection, or not get round to one in time: a fetch may then
    // land after its worker was told.
    let figure = Figure::of(
        accepted + starved == COUNT
            && (accepted..=COUNT).contains(&(fetches as usize))
            && spread >= Duration::from_secs(20),
        format!(
            "{fetches} fetches in {} requests, refreshes spread over {}",
            issuer.requests(),
            shown(spread)
        ),
    );
    figure.in_time(starved == 0 && spread >= Duration::from_secs(25))
}
