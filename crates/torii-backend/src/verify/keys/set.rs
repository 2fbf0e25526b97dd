//! Fetched keys and how old they may get.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::jwks::KeySet;
use crate::clock::Moment;
use crate::process;

/// How long fetched keys are used. The defaults suit production.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheSettings {
    pub(crate) stale_limit: Duration,
}

impl CacheSettings {
    /// Default of [`stale_limit`](Self::stale_limit): a day outlasts most outages of the way to the endpoint.
    pub const DEFAULT_STALE_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);
    /// Largest [`stale_limit`](Self::stale_limit).
    pub const MAX_STALE_LIMIT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
    /// Shortest time that a key set is used without asking again, whatever its `Cache-Control` says.
    pub const MIN_TTL: Duration = Duration::from_secs(60);
    /// Longest time that a key set is used without asking again.
    pub const MAX_TTL: Duration = Duration::from_secs(60 * 60);
    /// The time when the reply does not say.
    pub const DEFAULT_TTL: Duration = Duration::from_secs(300);

    /// How long after the last successful fetch keys are still used while every newer fetch fails. Zero refuses
    /// tokens as soon as the keys' time is over. A key that a successful fetch no longer brings is refused at once.
    pub fn stale_limit(mut self, limit: Duration) -> Self {
        self.stale_limit = limit;
        self
    }
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self {
            stale_limit: Self::DEFAULT_STALE_LIMIT,
        }
    }
}

/// Part of the TTL after which a key set in use is refreshed in the background.
const REFRESH_AT: f64 = 0.8;

/// A key set and how old it may get. A refresh makes a new one.
#[derive(Debug)]
pub(super) struct CachedSet {
    pub(super) keys: Arc<KeySet>,
    pub(super) fetched_at: Moment,
    pub(super) ttl: Duration,
    pub(super) etag: Option<String>,
    /// Grows with every change of the keys.
    pub(super) generation: u64,
    /// Age up to which keys are used whatever happens to refreshes.
    usable_until: Duration,
    /// Ages in nanoseconds up to which known keys are used without a decision, and so without a lock: until a refresh is
    /// due, and after that while this process has a refresh under way or must not try one yet.
    fresh_until: u64,
    settled_until: AtomicU64,
    /// The process for which it is settled: a fork's child has no refresh under way.
    settled_in: AtomicU64,
}

impl CachedSet {
    pub(super) fn new(
        keys: Arc<KeySet>,
        fetched_at: Moment,
        ttl: Duration,
        etag: Option<String>,
        generation: u64,
        settings: &CacheSettings,
    ) -> Self {
        Self {
            keys,
            fetched_at,
            ttl,
            etag,
            generation,
            usable_until: ttl.max(settings.stale_limit),
            fresh_until: nanos(ttl.mul_f64(REFRESH_AT)),
            settled_until: AtomicU64::new(0),
            settled_in: AtomicU64::new(0),
        }
    }

    pub(super) fn age(&self, now: Moment) -> Duration {
        now.since(self.fetched_at)
    }

    /// Whether known keys of a set of this age are used without a decision.
    pub(super) fn is_settled(&self, age: Duration) -> bool {
        let age = nanos(age);
        age < self.fresh_until
            || age < self.settled_until.load(Ordering::Relaxed)
                && self.settled_in.load(Ordering::Relaxed) == process::epoch()
    }

    /// Lets known keys be used without a decision for `time` from now on, and never longer than they are usable.
    pub(super) fn settle(&self, now: Moment, time: Duration) {
        let until = (self.age(now) + time).min(self.usable_until);
        self.settled_until.store(nanos(until), Ordering::Relaxed);
        self.settled_in.store(process::epoch(), Ordering::Relaxed);
    }

    /// Whether no refresh is due.
    pub(super) fn is_fresh(&self, now: Moment) -> bool {
        nanos(self.age(now)) < self.fresh_until
    }

    pub(super) fn is_usable(&self, now: Moment) -> bool {
        !self.usable_for(now).is_zero()
    }

    pub(super) fn usable_for(&self, now: Moment) -> Duration {
        self.usable_until.saturating_sub(self.age(now))
    }
}

fn nanos(age: Duration) -> u64 {
    age.as_secs()
        .saturating_mul(1_000_000_000)
        .saturating_add(u64::from(age.subsec_nanos()))
}
