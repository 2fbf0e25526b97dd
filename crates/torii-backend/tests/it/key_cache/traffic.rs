//! Tokens that keep coming, on the manual clock.

use std::thread;
use std::time::{Duration, Instant};

use torii_backend::Verifier;

use super::{Issuer, code, eventually, timed};

/// What the senders of tokens met.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) accepted: usize,
    /// The codes of the others.
    pub(crate) refused: Vec<String>,
    /// How long each answer took.
    pub(crate) times: Vec<Duration>,
    /// From each fetch to the next.
    pub(crate) pauses: Vec<Duration>,
}

impl Traffic {
    /// The time that so many of 100 answers stayed below.
    pub(crate) fn below(&self, percent: usize) -> Duration {
        let mut times = self.times.clone();
        times.sort_unstable();
        times
            .get(times.len() * percent / 100)
            .copied()
            .unwrap_or_default()
    }

    pub(crate) fn p99(&self) -> Duration {
        self.below(99)
    }

    pub(crate) fn longest(&self) -> Duration {
        self.times.iter().max().copied().unwrap_or_default()
    }

    fn verify(&mut self, verifier: &Verifier, token: &str) {
        let (outcome, took) = timed(|| verifier.verify_blocking(token));
        match code(outcome) {
            ok if ok == "ok" => self.accepted += 1,
            refusal => self.refused.push(refusal),
        }
        self.times.push(took);
    }
}

/// Sends one of the tokens after another at a steady rate. A fetch takes no time by the clock.
pub(crate) fn traffic(
    issuer: &Issuer,
    verifier: &Verifier,
    tokens: &[String],
    every: Duration,
    lasting: Duration,
) -> Traffic {
    let mut traffic = Traffic::default();
    let (mut fetched, mut due) = (fetches(verifier), until_next_fetch(verifier));
    let count = lasting.as_millis() / every.as_millis();
    for (_, token) in (0..count).zip(tokens.iter().cycle()) {
        issuer.clock.advance(every);
        traffic.verify(verifier, token);
        due = due.saturating_sub(every);
        if due.is_zero() {
            eventually("a fetch", || fetches(verifier) > fetched);
            (fetched, due) = (fetches(verifier), until_next_fetch(verifier));
            traffic.pauses.push(due);
        }
    }
    traffic
}

/// Sends so many tokens one after another while the clock stands still.
pub(crate) fn steady(verifier: &Verifier, tokens: &[String], count: usize) -> Traffic {
    let mut traffic = Traffic::default();
    for token in tokens.iter().cycle().take(count) {
        traffic.verify(verifier, token);
    }
    traffic
}

/// Sends tokens at a steady rate by the clock on the wall, which the issuer's keeps step with meanwhile.
pub(crate) fn real_traffic(
    issuer: &Issuer,
    verifier: &Verifier,
    tokens: &[String],
    every: Duration,
    lasting: Duration,
) -> Traffic {
    let mut traffic = Traffic::default();
    let (started, mut passed) = (Instant::now(), Duration::ZERO);
    let count = (lasting.as_millis() / every.as_millis()) as u32;
    for (place, token) in (0..count).zip(tokens.iter().cycle()) {
        thread::sleep((every * place).saturating_sub(started.elapsed()));
        let now = Duration::from_millis(started.elapsed().as_millis() as u64);
        issuer.clock.advance(now - passed);
        passed = now;
        traffic.verify(verifier, token);
    }
    traffic
}

fn fetches(verifier: &Verifier) -> u64 {
    let status = verifier.status();
    status.fetches_succeeded + status.fetches_failed
}

/// How long nothing is fetched on behalf of known tokens.
fn until_next_fetch(verifier: &Verifier) -> Duration {
    let status = verifier.status();
    let fresh_for = || {
        // The exported time is cut to whole milliseconds.
        let refresh = ttl(verifier)?.mul_f64(0.8) + Duration::from_millis(1);
        Some(refresh.saturating_sub(status.age?))
    };
    status.next_attempt_in.or_else(fresh_for).unwrap_or_default()
}

/// The TTL, as the exported keys state it.
pub(crate) fn ttl(verifier: &Verifier) -> Option<Duration> {
    let snapshot = serde_json::to_value(verifier.export_keys()?).unwrap();
    Some(Duration::from_millis(snapshot["ttl_millis"].as_u64().unwrap()))
}
