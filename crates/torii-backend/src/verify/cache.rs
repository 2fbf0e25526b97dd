//! When to use the keys at hand, when to fetch, when to wait, when to refuse: the decisions, without the I/O.
//!
//! Every method takes the present moment and returns at once. [`super::remote`] carries the decisions out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::error::{ErrorCode, FetchError, KeysUnavailable, TokenError, VerifyError};
use super::flight::{FETCH_LIMIT, Flight};
use super::jwks::{KeySet, Slot};
use super::signature::VerifyingKey;
use crate::clock::Moment;
use crate::http_client::HttpErrorKind;

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
    /// tokens as soon as the keys' time is over. A key that a successful fetch no longer brings dies at once.
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
/// Fetches that unknown keys may cause at once, and the time after which they may cause one more.
const BUCKET_SIZE: u32 = 2;
const BUCKET_REFILL: Duration = Duration::from_secs(30);
/// Names known not to be in the set: how many, and for how long.
const MAX_NEGATIVE: usize = 128;
const NEGATIVE_TTL: Duration = Duration::from_secs(60);
/// After a failed fetch: 1 s, doubled by each further failure, up to a cap; chance only adds, so that the bounds on
/// fetches during an outage hold.
const BACKOFF_BASE: Duration = Duration::from_secs(1);
const BACKOFF_JITTER: f64 = 0.2;
/// The cap while there are usable keys: nobody suffers from an endpoint that is left alone.
const BACKOFF_CAP: Duration = Duration::from_secs(60);
/// The cap before the first keys: at most 8 requests in the first minute, and 4 in each that follows.
const COLD_BACKOFF_CAP: Duration = Duration::from_secs(15);
/// The cap once keys have expired: whoever was served for a day is served again 5 s after the endpoint is back.
const EXPIRED_BACKOFF_CAP: Duration = Duration::from_secs(4);
/// Longest `Retry-After` that is obeyed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// A key set and how old it may get. Immutable: a refresh makes a new one.
#[derive(Debug)]
pub(crate) struct CachedSet {
    pub(crate) keys: Arc<KeySet>,
    pub(crate) fetched_at: Moment,
    pub(crate) ttl: Duration,
    pub(crate) etag: Option<String>,
    /// Grows with every change of the keys.
    pub(crate) generation: u64,
}

impl CachedSet {
    /// Whether the set is young enough that nothing needs to be decided.
    pub(crate) fn is_fresh(&self, now: Moment) -> bool {
        now.since(self.fetched_at) < self.ttl.mul_f64(REFRESH_AT)
    }

    pub(crate) fn is_stale(&self, now: Moment) -> bool {
        now.since(self.fetched_at) >= self.ttl
    }

    fn is_usable(&self, now: Moment, settings: &CacheSettings) -> bool {
        !self.usable_for(now, settings).is_zero()
    }

    fn usable_for(&self, now: Moment, settings: &CacheSettings) -> Duration {
        let limit = self.ttl.max(settings.stale_limit);
        limit.saturating_sub(now.since(self.fetched_at))
    }
}

/// What a fetch brought.
#[derive(Debug)]
pub(crate) struct Fetched {
    /// `None` when the endpoint says that nothing has changed.
    pub(crate) keys: Option<KeySet>,
    pub(crate) freshness: Option<Duration>,
    pub(crate) etag: Option<String>,
}

/// One caller's search for one key, over as many waits as it takes.
#[derive(Debug)]
pub(crate) struct Ask<'k> {
    pub(crate) kid: &'k str,
    arrived: Instant,
    waits: u32,
    /// Flights from this one on started after the caller came, so what they bring is news to it.
    first_news: Option<u64>,
}

/// Most waits of one caller: for a flight that was already under way, and for one of its own.
const MAX_WAITS: u32 = 2;

impl<'k> Ask<'k> {
    pub(crate) fn new(kid: &'k str) -> Self {
        Self {
            kid,
            arrived: Instant::now(),
            waits: 0,
            first_news: None,
        }
    }
}

/// What a caller is to do next.
#[derive(Debug)]
pub(crate) enum Decision<T> {
    Done(Result<T, VerifyError>),
    /// Wait for the flight, at most until the instant, and ask again.
    Wait(Arc<Flight>, Instant),
}

/// A decision, and the flight that is to be started for it.
type Step<T> = (Decision<T>, Option<Arc<Flight>>);

/// The cache's memory of one issuer.
#[derive(Debug)]
pub(crate) struct State {
    settings: CacheSettings,
    flight: Option<Arc<Flight>>,
    next_flight: u64,
    last_launch: Option<Moment>,
    last_applied: u64,
    failures: u32,
    backoff: Option<Backoff>,
    last_error: Option<Arc<FetchError>>,
    bucket: Bucket,
    negative: VecDeque<(String, Moment)>,
}

/// The pause after a failure. How long it is depends on the keys at hand when it is asked for.
#[derive(Clone, Copy, Debug)]
struct Backoff {
    since: Moment,
    /// Doubled by each failure, and without a cap.
    step: Duration,
    /// What chance multiplies the step by.
    stretch: f64,
    /// What the endpoint asked for.
    asked: Duration,
}

impl Backoff {
    fn left(&self, cap: Duration, now: Moment) -> Duration {
        let wait = self.step.min(cap).mul_f64(self.stretch).max(self.asked);
        wait.saturating_sub(now.since(self.since))
    }
}

impl State {
    pub(crate) fn new(settings: CacheSettings, now: Moment) -> Self {
        Self {
            settings,
            flight: None,
            next_flight: 1,
            last_launch: None,
            last_applied: 0,
            failures: 0,
            backoff: None,
            last_error: None,
            bucket: Bucket {
                tokens: BUCKET_SIZE,
                refilled: now,
            },
            negative: VecDeque::new(),
        }
    }

    /// The next step of a caller who needs a key.
    pub(crate) fn decide(
        &mut self,
        ask: &mut Ask<'_>,
        set: Option<&CachedSet>,
        now: Moment,
    ) -> Step<Arc<VerifyingKey>> {
        ask.first_news.get_or_insert(self.next_flight);
        let usable = set.filter(|set| set.is_usable(now, &self.settings));
        match usable.map(|set| (set, set.keys.get(ask.kid))) {
            None => self.decide_without_keys(ask, set, now),
            Some((set, Some(slot))) => self.decide_known(ask, set, slot, now),
            Some((set, None)) => self.decide_unknown(ask, set, now),
        }
    }

    /// The next step of a caller who needs any keys at all.
    pub(crate) fn decide_warm_up(
        &mut self,
        ask: &mut Ask<'_>,
        set: Option<&CachedSet>,
        now: Moment,
    ) -> Step<()> {
        match set.filter(|set| set.is_usable(now, &self.settings)) {
            Some(_) => (Decision::Done(Ok(())), None),
            None => self.decide_without_keys(ask, set, now),
        }
    }

    /// Starts a flight unless one is in the air or the backoff forbids it.
    fn try_launch(
        &mut self,
        set: Option<&CachedSet>,
        now: Moment,
        ends_idleness: bool,
    ) -> Option<Arc<Flight>> {
        if self.in_the_air().is_some() || self.backoff_left(set, now).is_some() {
            return None;
        }
        // While an outage lasts, one attempt at a time is enough.
        let attempts = if self.failures == 0 { 2 } else { 1 };
        let flight = Arc::new(Flight::new(self.next_flight, attempts, ends_idleness));
        self.next_flight += 1;
        self.last_launch = Some(now);
        self.flight = Some(flight.clone());
        Some(flight)
    }

    /// Takes a flight's outcome in. Returns the set to serve from now on, if it is another.
    ///
    /// A flight that was given up for lost and returns after a later one has landed changes nothing.
    pub(crate) fn land(
        &mut self,
        flight: &Flight,
        outcome: Result<Fetched, FetchError>,
        set: Option<&CachedSet>,
        now: Moment,
        chance: f64,
    ) -> Option<CachedSet> {
        if self
            .flight
            .as_ref()
            .is_some_and(|current| current.id() == flight.id())
        {
            self.flight = None;
        }
        if flight.id() <= self.last_applied {
            return None;
        }
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
                self.last_applied = flight.id();
                self.failures = 0;
                self.backoff = None;
                self.last_error = None;
                let same = set
                    .map(|set| &set.keys)
                    .filter(|known| known.text() == keys.text());
                let unchanged = same.is_some();
                // The same keys stay the same objects, so that tokens verified with them stay verified.
                let keys = same.map_or(keys, Arc::clone);
                if !unchanged {
                    self.negative.clear();
                }
                let ttl = freshness.unwrap_or(CacheSettings::DEFAULT_TTL);
                let ttl = ttl.clamp(CacheSettings::MIN_TTL, CacheSettings::MAX_TTL);
                let generation = set.map_or(0, |set| set.generation) + u64::from(!unchanged);
                let ttl = ttl.mul_f64(1.0 - TTL_JITTER * chance);
                Some(CachedSet {
                    keys,
                    fetched_at: now,
                    ttl,
                    etag,
                    generation,
                })
            }
            Err(error) => {
                let asked = match &error {
                    FetchError::Status { retry_after, .. } => retry_after.unwrap_or_default(),
                    _ => Duration::ZERO,
                };
                self.backoff = Some(Backoff {
                    since: now,
                    step: BACKOFF_BASE.saturating_mul(1 << self.failures.min(16)),
                    stretch: 1.0 + BACKOFF_JITTER * chance,
                    asked: asked.min(MAX_RETRY_AFTER),
                });
                self.failures += 1;
                self.last_error = Some(Arc::new(error));
                None
            }
        }
    }

    pub(crate) fn last_error(&self) -> Option<&Arc<FetchError>> {
        self.last_error.as_ref()
    }

    /// How long no fetch will be made, after failures.
    pub(crate) fn backoff_left(&self, set: Option<&CachedSet>, now: Moment) -> Option<Duration> {
        let backoff = self.backoff?;
        let left = match set {
            None => backoff.left(COLD_BACKOFF_CAP, now),
            // It gets shorter at the moment when the keys expire.
            Some(set) => {
                let expires = set.usable_for(now, &self.settings);
                let left = backoff.left(EXPIRED_BACKOFF_CAP, now).max(expires);
                left.min(backoff.left(BACKOFF_CAP, now))
            }
        };
        Some(left).filter(|left| !left.is_zero())
    }

    /// No keys, or too old ones: nothing can be said before a fetch succeeds.
    fn decide_without_keys<T>(
        &mut self,
        ask: &mut Ask<'_>,
        expired: Option<&CachedSet>,
        now: Moment,
    ) -> Step<T> {
        let launched = if ask.waits == 0 {
            self.try_launch(expired, now, false)
        } else {
            None
        };
        match self.in_the_air() {
            Some(flight) if ask.waits < MAX_WAITS => {
                ask.waits += 1;
                (Decision::Wait(flight, ask.arrived + FETCH_LIMIT), launched)
            }
            _ => (
                Decision::Done(Err(self.unavailable(expired, now).into())),
                launched,
            ),
        }
    }

    /// The key is at hand. It is used at once, unless nobody has asked the endpoint for a long time.
    fn decide_known(
        &mut self,
        ask: &mut Ask<'_>,
        set: &CachedSet,
        slot: &Slot,
        now: Moment,
    ) -> Step<Arc<VerifyingKey>> {
        let launched = match set.is_fresh(now) {
            true => None,
            false => self.try_launch(Some(set), now, self.is_idle(set, now)),
        };
        match self.in_the_air() {
            Some(flight) if flight.ends_idleness() && ask.waits == 0 && flight.age() < SHORT_WAIT => {
                ask.waits += 1;
                let until = flight.started() + SHORT_WAIT;
                (Decision::Wait(flight, until), launched)
            }
            _ => (
                Decision::Done(from_slot(ask.kid, slot).map_err(Into::into)),
                launched,
            ),
        }
    }

    /// The key is not in the set: it may be new, or it may be made up.
    fn decide_unknown(&mut self, ask: &mut Ask<'_>, set: &CachedSet, now: Moment) -> Step<Arc<VerifyingKey>> {
        let refused = || Decision::Done(Err(unknown(ask.kid).into()));
        self.negative
            .retain(|(_, since)| now.since(*since) < NEGATIVE_TTL);
        if self.negative.iter().any(|(kid, _)| kid == ask.kid) {
            return (refused(), None);
        }
        if ask
            .first_news
            .is_some_and(|first_news| self.last_applied >= first_news)
        {
            if self.negative.len() == MAX_NEGATIVE {
                self.negative.pop_front();
            }
            self.negative.push_back((ask.kid.to_owned(), now));
            return (refused(), None);
        }
        if ask.waits >= MAX_WAITS || ask.arrived.elapsed() >= SHORT_WAIT {
            return (refused(), None);
        }
        let mut launched = None;
        let set = Some(set);
        if self.in_the_air().is_none() && self.backoff_left(set, now).is_none() && self.bucket.take(now) {
            launched = self.try_launch(set, now, false);
        }
        match self.in_the_air() {
            Some(flight) if flight.waiters() < MAX_WAITERS => {
                ask.waits += 1;
                (Decision::Wait(flight, ask.arrived + SHORT_WAIT), launched)
            }
            _ => (refused(), launched),
        }
    }

    /// Whether no fetch has been attempted for so long that nobody can have used the keys.
    fn is_idle(&self, set: &CachedSet, now: Moment) -> bool {
        let attempted = self.last_launch.map_or(Duration::MAX, |launch| now.since(launch));
        now.since(set.fetched_at).min(attempted) > set.ttl + IDLE_GRACE
    }

    /// The flight that may still land.
    fn in_the_air(&self) -> Option<Arc<Flight>> {
        self.flight.as_ref().filter(|flight| !flight.is_lost()).cloned()
    }

    fn unavailable(&self, expired: Option<&CachedSet>, now: Moment) -> KeysUnavailable {
        // Without a failure so far, the caller's time ran out before the flight's did.
        let source = self
            .last_error
            .clone()
            .unwrap_or_else(|| Arc::new(FetchError::Http(HttpErrorKind::Timeout.into())));
        KeysUnavailable::new(self.backoff_left(expired, now).unwrap_or_default(), source)
    }
}

/// The key in a slot, or why it cannot be used.
pub(crate) fn from_slot(kid: &str, slot: &Slot) -> Result<Arc<VerifyingKey>, TokenError> {
    match slot {
        Slot::Usable { key, .. } => Ok(key.clone()),
        Slot::Ambiguous => {
            let detail = format!("the issuer has two different keys named {}", shown(kid));
            Err(TokenError::new(ErrorCode::KeyAmbiguous, detail))
        }
        Slot::Unusable => {
            let detail = format!("the issuer's key named {} cannot verify ES256", shown(kid));
            Err(TokenError::new(ErrorCode::KeyUnusable, detail))
        }
    }
}

pub(crate) fn unknown(kid: &str) -> TokenError {
    TokenError::new(
        ErrorCode::KidUnknown,
        format!("the issuer has no key named {}", shown(kid)),
    )
}

/// A key's name for people: escaped, and at most 64 characters of it.
fn shown(kid: &str) -> String {
    const MOST: usize = 64;
    let escaped: String = kid.escape_default().take(MOST + 1).collect();
    match escaped.char_indices().nth(MOST) {
        Some((end, _)) => format!("`{}…`", &escaped[..end]),
        None => format!("`{escaped}`"),
    }
}

/// What unknown keys may spend.
#[derive(Debug)]
struct Bucket {
    tokens: u32,
    refilled: Moment,
}

impl Bucket {
    fn take(&mut self, now: Moment) -> bool {
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
