//! D9 to D11: floods of tokens that are refused.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use fastrand::Rng;
use serde_json::json;
use torii_backend::{Verifier, VerifyError};

use super::alone::{MIB, kib};
use super::{Figure, HUNDRED_A_SECOND, millis, seconds, shown};
use crate::key_cache::traffic::real_traffic;
use crate::key_cache::{Issuer, code};
use crate::mutants::Mutants;
use crate::tokens::corpus;

fn flood_lasts() -> Duration {
    seconds(4, 60)
}

pub(super) fn flood() -> Figure {
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    let good: Vec<_> = (0..100).map(|_| issuer.token()).collect();
    let send = |lasting| real_traffic(&issuer, &verifier, &good, HUNDRED_A_SECOND, lasting);
    send(seconds(1, 1));
    let (baseline, before) = (send(seconds(2, 20)), kib("VmRSS"));
    let (over, sent) = (AtomicBool::new(false), AtomicU64::new(0));
    let during = thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| send_made_up_keys(&issuer, &verifier, &over, &sent));
        }
        let during = send(flood_lasts());
        over.store(true, Ordering::Relaxed);
        during
    });
    let (grown, fetches) = ((kib("VmRSS") - before) / MIB, issuer.requests() - 1);
    let rate = sent.into_inner() as f64 / flood_lasts().as_secs_f64();
    let ratio = during.p99().as_secs_f64() / baseline.p99().as_secs_f64();
    let refused = baseline.refused.len() + during.refused.len();
    let measured = format!(
        "{:.0}/s for {}: {fetches} fetches; good: {refused} of {} refused, p99 {}, before {} ({ratio:.1} ×); {grown:+.1} MiB",
        rate,
        shown(flood_lasts()),
        during.times.len(),
        shown(during.p99()),
        shown(baseline.p99()),
    );
    Figure::of(refused == 0 && fetches <= 4, measured)
        .in_time(ratio <= 2.0 && grown <= 5.0 && rate >= 9_900.0)
        .longer_in_full()
}

/// Half of ten thousand a second.
fn send_made_up_keys(issuer: &Issuer, verifier: &Verifier, over: &AtomicBool, sent: &AtomicU64) {
    let token = issuer.token();
    let (_, rest) = token.split_once('.').unwrap();
    let (mut dice, started) = (Rng::new(), Instant::now());
    for place in 0.. {
        let ahead = Duration::from_micros(200 * place).saturating_sub(started.elapsed());
        if ahead > millis(2) {
            thread::sleep(ahead);
        }
        if over.load(Ordering::Relaxed) || place > 5_000 * 2 * flood_lasts().as_secs() {
            return;
        }
        let header = json!({"alg": "ES256", "kid": format!("{:032x}", dice.u128(..))});
        let token = format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()));
        assert_eq!(code(verifier.verify_blocking(&token)), "kid_unknown");
        sent.fetch_add(1, Ordering::Relaxed);
    }
}

/// Mutants of the corpus and of a good token, and random bytes, on two threads.
pub(super) fn garbage() -> Figure {
    let lasting = seconds(3, 60);
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    let mut seeds = corpus();
    seeds.push(issuer.token());
    let refuse = |until: Instant, seed: u64| {
        let (mut dice, mut mutants, mut refused) = (Rng::with_seed(seed), Mutants::new(), 0_u64);
        while Instant::now() < until {
            let token = match dice.u32(..4) {
                0 => (0..dice.usize(..2_000)).map(|_| dice.char(..)).collect(),
                _ => mutants.next(&seeds[dice.usize(..seeds.len())]),
            };
            match verifier.verify_blocking(&token) {
                Err(VerifyError::Token(_)) => refused += 1,
                // A mutation may change nothing.
                Ok(_) => {}
                Err(error) => panic!("{error}"),
            }
        }
        refused
    };
    let on_two_threads = |lasting: Duration| {
        let until = Instant::now() + lasting;
        thread::scope(|scope| {
            let threads = [1, 2].map(|seed| scope.spawn(move || refuse(until, seed)));
            threads.map(|thread| thread.join().unwrap()).iter().sum::<u64>()
        })
    };
    on_two_threads(lasting / 3);
    let before = kib("VmRSS");
    let refused = on_two_threads(lasting);
    let slope = (kib("VmRSS") - before) / MIB / (refused as f64 / 1e6);
    // A mutant may name another key.
    let fetches = issuer.requests() - 1;
    Figure::of(
        fetches <= 2,
        format!(
            "{refused} refused in {} on 2 threads, 0 panics, {fetches} fetches, {slope:+.2} MiB per 10⁶",
            shown(lasting)
        ),
    )
    .in_time(slope < 1.0)
    .longer_in_full()
}

pub(super) fn giants() -> Figure {
    const SIZE: usize = 1 << 20;
    const CALLS: u32 = 1_000;
    let issuer = Issuer::new();
    let verifier = issuer.warm_verifier();
    let before = kib("VmHWM");
    let giants = [
        "x".repeat(SIZE),
        ".".repeat(SIZE),
        format!("{}{}", issuer.token(), "A".repeat(SIZE)),
    ];
    let held = kib("VmHWM");
    let times = giants.each_ref().map(|token| {
        let started = Instant::now();
        for _ in 0..CALLS {
            assert_eq!(code(verifier.verify_blocking(token)), "too_large");
        }
        started.elapsed() / CALLS
    });
    let longest = times.into_iter().max().unwrap();
    let grown = kib("VmHWM") - held;
    Figure::of(
        grown <= 64.0,
        format!(
            "3 × {CALLS}: {} each at most, peak memory {grown:+.0} KiB (the tokens: {:.0} KiB)",
            shown(longest),
            held - before
        ),
    )
    .in_time(longest <= Duration::from_micros(20))
}
