//! What keeps fetches rare: the pause after a failure, and what unknown keys may cause.

use std::collections::VecDeque;
use std::time::Duration;

use super::set::CachedSet;
use crate::clock::Moment;

/// After a failed fetch: 1 s, doubled by each further failure, up to a cap; chance only adds, so that the bounds on
/// fetches during an outage hold.
const BACKOFF_BASE: Duration = Duration::from_secs(1);
const BACKOFF_JITTER: f64 = 0.2;
/// The cap while there are usable keys: every request is served without a fetch.
const BACKOFF_CAP: Duration = Duration::from_secs(60);
/// The cap before the first keys: at most 8 requests in the first minute, and 4 in each that follows.
const COLD_BACKOFF_CAP: Duration = Duration::from_secs(15);
/// The cap once keys have expired: whoever was served for a day is served again 5 s after the endpoint is back.
const EXPIRED_BACKOFF_CAP: Duration = Duration::from_secs(4);
/// Longest `Retry-After` that is obeyed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// The pause after a failure. How long it is depends on the keys at hand when it is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    since: Moment,
    /// Doubled by each failure, and without a cap.
    step: Duration,
    /// What chance multiplies the step by.
    stretch: f64,
    /// What the endpoint asked for.
    asked: Duration,
}

impl Backoff {
    /// The pause after one more failure than `failures`. `chance` is a random number from 0 to 1.
    pub(super) fn new(now: Moment, failures: u32, asked: Duration, chance: f64) -> Self {
        Self {
            since: now,
            step: BACKOFF_BASE.saturating_mul(1 << failures.min(16)),
            stretch: 1.0 + BACKOFF_JITTER * chance,
            asked: asked.min(MAX_RETRY_AFTER),
        }
    }

    /// How much of the pause is left.
    pub(super) fn left(&self, set: Option<&CachedSet>, now: Moment) -> Duration {
        let left = |cap| {
            let wait = self.step.min(cap).mul_f64(self.stretch).max(self.asked);
            wait.saturating_sub(now.since(self.since))
        };
        match set {
            None => left(COLD_BACKOFF_CAP),
            // The shorter cap counts from the moment when the keys expire.
            Some(set) => left(EXPIRED_BACKOFF_CAP)
                .max(set.usable_for(now))
                .min(left(BACKOFF_CAP)),
        }
    }
}

/// Fetches that unknown keys may cause at once, and the time after which they may cause one more.
const BUCKET_SIZE: u32 = 2;
const BUCKET_REFILL: Duration = Duration::from_secs(30);

/// How many fetches unknown keys may still cause.
#[derive(Debug)]
pub(super) struct Bucket {
    tokens: u32,
    refilled: Moment,
}

impl Bucket {
    pub(super) fn full(now: Moment) -> Self {
        Self {
            tokens: BUCKET_SIZE,
            refilled: now,
        }
    }

    pub(super) fn take(&mut self, now: Moment) -> bool {
        while self.tokens < BUCKET_SIZE && now.since(self.refilled) >= BUCKET_REFILL {
            self.tokens += 1;
            self.refilled.wall += BUCKET_REFILL;
            self.refilled.monotonic += BUCKET_REFILL;
        }
        if self.tokens == BUCKET_SIZE {
            self.refilled = now;
        }
        let taken = self.tokens > 0;
        self.tokens -= u32::from(taken);
        taken
    }
}

/// How many absent names are remembered, and for how long.
const MAX_ABSENT: usize = 128;
const ABSENT_TTL: Duration = Duration::from_secs(60);

/// Names that a fetch has shown not to be in the set.
#[derive(Debug, Default)]
pub(super) struct AbsentKids(VecDeque<(String, Moment)>);

impl AbsentKids {
    pub(super) fn contains(&mut self, kid: &str, now: Moment) -> bool {
        self.0.retain(|(_, since)| now.since(*since) < ABSENT_TTL);
        self.0.iter().any(|(absent, _)| absent == kid)
    }

    pub(super) fn insert(&mut self, kid: &str, now: Moment) {
        if self.0.len() == MAX_ABSENT {
            self.0.pop_front();
        }
        self.0.push_back((kid.to_owned(), now));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}
