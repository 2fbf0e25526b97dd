//! When to use the keys at hand, when to fetch, when to wait, when to refuse: the decisions, without the I/O.
//!
//! Every method takes the present moment and returns at once. [`super::cache`] carries the decisions out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::fetch::Fetched;
use super::jwks::{Slot, from_slot, unknown};
use super::limits::{AbsentKids, Backoff, Bucket};
use super::refresher::Fetch;
use super::set::{CacheSettings, CachedSet};
use crate::clock::Moment;
use crate::http_client::HttpErrorKind;
use crate::verify::error::{FetchError, KeysUnavailable, VerifyError};
use crate::verify::token::signature::VerifyingKey;

/// Most of the TTL that chance takes off, so that a fleet does not refresh in step: spread over 30 s for the default TTL.
const TTL_JITTER: f64 = 0.125;
/// When no fetch has been attempted for TTL and this, nobody used the keys for a while, and one may have been withdrawn
/// unnoticed: callers wait for a refresh.
const IDLE_GRACE: Duration = Duration::from_secs(60);
/// Longest wait for a refresh, or for a key that is not in the set: so long that an endpoint which takes 2 s to answer is
/// waited for.
const SHORT_WAIT: Duration = Duration::from_millis(2250);
/// Most callers that wait for an unknown key at once: those of 500 requests a second, and some. The others are refused
/// without waiting.
const MAX_WAITERS: usize = 2048;
/// Most waits of one caller: for a fetch that was already under way, and for one of its own.
const MAX_WAITS: u32 = 2;

/// One caller's search for a key, over as many waits as it takes.
#[derive(Debug)]
pub(super) struct Lookup<'k> {
    kid: &'k str,
    arrived: Instant,
    waits: u32,
}

impl<'k> Lookup<'k> {
    pub(super) fn new(kid: &'k str) -> Self {
        Self {
            kid,
            arrived: Instant::now(),
            waits: 0,
        }
    }

    pub(super) fn kid(&self) -> &'k str {
        self.kid
    }
}

/// What a caller is to do next.
#[derive(Debug)]
pub(super) enum Decision<T> {
    Done(Result<T, VerifyError>),
    /// Wait until the fetch has ended, at most until the instant, and ask for another decision.
    Wait(Arc<Fetch>, Instant),
}

/// What is remembered of one issuer's fetches.
#[derive(Debug)]
pub(super) struct State {
    fetch_timeout: Duration,
    /// The fetch under way.
    fetch: Option<Arc<Fetch>>,
    /// A fetch that was decided on and is to be carried out.
    to_start: Option<Arc<Fetch>>,
    last_attempt: Option<Moment>,
    /// When the last successful fetch began.
    answered: Option<Instant>,
    failures: u32,
    backoff: Option<Backoff>,
    last_error: Option<Arc<FetchError>>,
    bucket: Bucket,
    absent: AbsentKids,
}

impl State {
    pub(super) fn new(fetch_timeout: Duration, now: Moment) -> Self {
        Self {
            fetch_timeout,
            fetch: None,
            to_start: None,
            last_attempt: None,
            answered: None,
            failures: 0,
            backoff: None,
            last_error: None,
            bucket: Bucket::full(now),
            absent: AbsentKids::default(),
        }
    }

    /// The next step of a caller who needs a key.
    pub(super) fn look_up(
        &mut self,
        lookup: &mut Lookup<'_>,
        set: Option<&CachedSet>,
        now: Moment,
    ) -> Decision<Arc<VerifyingKey>> {
        let usable = set.filter(|set| set.is_usable(now));
        match usable.map(|set| (set, set.keys.get(lookup.kid))) {
            None => self.without_keys(lookup, set, now),
            Some((set, Some(slot))) => self.known(lookup, set, slot, now),
            Some((set, None)) => self.unknown(lookup, set, now),
        }
    }

    /// The next step of a caller who needs any keys at all.
    pub(super) fn warm_up(
        &mut self,
        lookup: &mut Lookup<'_>,
        set: Option<&CachedSet>,
        now: Moment,
    ) -> Decision<()> {
        match set.filter(|set| set.is_usable(now)) {
            Some(_) => Decision::Done(Ok(())),
            None => self.without_keys(lookup, set, now),
        }
    }

    /// No keys, or too old ones: nothing can be said before a fetch succeeds.
    fn without_keys<T>(
        &mut self,
        lookup: &mut Lookup<'_>,
        expired: Option<&CachedSet>,
        now: Moment,
    ) -> Decision<T> {
        if lookup.waits == 0 {
            self.try_start(expired, now, false);
        }
        match &self.fetch {
            Some(fetch) if lookup.waits < MAX_WAITS => {
                lookup.waits += 1;
                Decision::Wait(fetch.clone(), lookup.arrived + self.fetch_timeout)
            }
            _ => Decision::Done(Err(self.unavailable(expired, now).into())),
        }
    }

    /// The key is at hand. It is used at once, unless nobody has asked the endpoint for a long time.
    fn known(
        &mut self,
        lookup: &mut Lookup<'_>,
        set: &CachedSet,
        slot: &Slot,
        now: Moment,
    ) -> Decision<Arc<VerifyingKey>> {
        if !set.is_fresh(now) {
            self.try_start(Some(set), now, self.is_idle(set, now));
        }
        match &self.fetch {
            Some(fetch) if fetch.ends_idleness() && fetch.age() < SHORT_WAIT => {
                if lookup.waits == 0 {
                    lookup.waits += 1;
                    return Decision::Wait(fetch.clone(), fetch.started() + SHORT_WAIT);
                }
            }
            Some(fetch) => set.settle(now, fetch.time_left()),
            None => set.settle(now, self.backoff_left(Some(set), now).unwrap_or_default()),
        }
        Decision::Done(from_slot(lookup.kid, slot).map_err(Into::into))
    }

    /// The key is not in the set: it may be new, or it may be made up.
    fn unknown(
        &mut self,
        lookup: &mut Lookup<'_>,
        set: &CachedSet,
        now: Moment,
    ) -> Decision<Arc<VerifyingKey>> {
        let refused = Decision::Done(Err(unknown(lookup.kid).into()));
        if self.absent.contains(lookup.kid, now) {
            return refused;
        }
        if self.answered.is_some_and(|began| began >= lookup.arrived) {
            self.absent.insert(lookup.kid, now);
            return refused;
        }
        if lookup.waits >= MAX_WAITS || lookup.arrived.elapsed() >= SHORT_WAIT {
            return refused;
        }
        if self.may_start(Some(set), now) && self.bucket.take(now) {
            self.try_start(Some(set), now, false);
        }
        match &self.fetch {
            Some(fetch) if fetch.waiters() < MAX_WAITERS => {
                lookup.waits += 1;
                Decision::Wait(fetch.clone(), lookup.arrived + SHORT_WAIT)
            }
            _ => refused,
        }
    }

    fn may_start(&self, set: Option<&CachedSet>, now: Moment) -> bool {
        self.fetch.is_none() && self.backoff_left(set, now).is_none()
    }

    /// Decides on a fetch unless one is under way or the backoff forbids it.
    fn try_start(&mut self, set: Option<&CachedSet>, now: Moment, ends_idleness: bool) {
        if self.may_start(set, now) {
            // While an outage lasts, one attempt at a time is enough.
            let attempts = if self.failures == 0 { 2 } else { 1 };
            let fetch = Arc::new(Fetch::new(self.fetch_timeout, attempts, ends_idleness));
            self.last_attempt = Some(now);
            self.to_start = Some(fetch.clone());
            self.fetch = Some(fetch);
        }
    }

    /// The fetch that was decided on since this was last asked.
    pub(super) fn take_to_start(&mut self) -> Option<Arc<Fetch>> {
        self.to_start.take()
    }

    /// Whether `fetch` is the one under way; from now on, none is. Otherwise it was abandoned, and its outcome changes
    /// nothing.
    pub(super) fn take(&mut self, fetch: &Arc<Fetch>) -> bool {
        self.fetch
            .take_if(|current| Arc::ptr_eq(current, fetch))
            .is_some()
    }

    /// The fetch under way, if it is far beyond its limit: whatever carries it out is blocked. It is abandoned.
    pub(super) fn take_overdue(&mut self) -> Option<Arc<Fetch>> {
        self.fetch.take_if(|fetch| fetch.is_overdue())
    }

    /// Takes a fetch's outcome in. Returns the set to serve from now on, or why the one at hand stays.
    pub(super) fn apply(
        &mut self,
        fetch: &Fetch,
        outcome: Result<Fetched, FetchError>,
        set: Option<&CachedSet>,
        settings: &CacheSettings,
        now: Moment,
        chance: f64,
    ) -> Result<CachedSet, Arc<FetchError>> {
        let outcome = outcome.and_then(|fetched| match (fetched.keys, set) {
            (Some(keys), _) => Ok((Arc::new(keys), fetched.freshness, fetched.etag)),
            (None, Some(set)) => Ok((set.keys.clone(), fetched.freshness, set.etag.clone())),
            (None, None) => Err(FetchError::Status {
                status: 304,
                retry_after: None,
            }),
        });
        match outcome {
            Ok((keys, freshness, etag)) => {
                self.answered = Some(fetch.started());
                self.failures = 0;
                self.backoff = None;
                self.last_error = None;
                let same = set
                    .map(|set| &set.keys)
                    .filter(|known| known.text() == keys.text());
                let generation = set.map_or(0, |set| set.generation) + u64::from(same.is_none());
                if same.is_none() {
                    self.absent.clear();
                }
                // The same keys stay the same objects, so that tokens verified with them stay verified.
                let keys = same.map_or(keys, Arc::clone);
                let ttl = freshness.unwrap_or(CacheSettings::DEFAULT_TTL);
                let ttl = ttl.clamp(CacheSettings::MIN_TTL, CacheSettings::MAX_TTL);
                let ttl = ttl.mul_f64(1.0 - TTL_JITTER * chance);
                Ok(CachedSet::new(keys, now, ttl, etag, generation, settings))
            }
            Err(error) => {
                let asked = match &error {
                    FetchError::Status { retry_after, .. } => retry_after.unwrap_or_default(),
                    _ => Duration::ZERO,
                };
                self.backoff = Some(Backoff::new(now, self.failures, asked, chance));
                self.failures += 1;
                let error = Arc::new(error);
                self.last_error = Some(error.clone());
                if let Some(set) = set {
                    set.settle(now, self.backoff_left(Some(set), now).unwrap_or_default());
                }
                Err(error)
            }
        }
    }

    /// How many fetches have failed since the last that succeeded.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) fn last_error(&self) -> Option<&Arc<FetchError>> {
        self.last_error.as_ref()
    }

    /// How long no fetch will be made, after failures.
    pub(super) fn backoff_left(&self, set: Option<&CachedSet>, now: Moment) -> Option<Duration> {
        let left = self.backoff?.left(set, now);
        Some(left).filter(|left| !left.is_zero())
    }

    /// Whether no fetch has been attempted for so long that nobody can have used the keys.
    fn is_idle(&self, set: &CachedSet, now: Moment) -> bool {
        let attempted = self
            .last_attempt
            .map_or(Duration::MAX, |attempt| now.since(attempt));
        set.age(now).min(attempted) > set.ttl + IDLE_GRACE
    }

    fn unavailable(&self, expired: Option<&CachedSet>, now: Moment) -> KeysUnavailable {
        // Without a failure so far, the caller's time ran out before the fetch's did.
        let source = self
            .last_error
            .clone()
            .unwrap_or_else(|| Arc::new(FetchError::Http(HttpErrorKind::Timeout.into())));
        KeysUnavailable::new(self.backoff_left(expired, now).unwrap_or_default(), source)
    }
}
