//! The issuer's keys, kept at hand: carries out what [`super::cache`] decides.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use serde::{Deserialize, Serialize};

use super::cache::{Ask, CacheSettings, CachedSet, Decision, Fetched, State, from_slot};
use super::error::{ErrorCode, FetchError, VerifyError};
use super::fetch::fetch;
use super::flight::{BEAT, FETCH_LIMIT, Flight};
use super::jwks::KeySet;
use super::signature::VerifyingKey;
use super::sync::{Mutex, MutexGuard, thread};
use crate::clock::{Clock, Moment};
use crate::http_client::{HttpClient, HttpErrorKind};
use crate::process::{self, PerProcess};

/// The keys of one remote issuer. Looking up a known key is one atomic load.
#[derive(Debug)]
pub(crate) struct RemoteKeys {
    url: String,
    client: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    settings: CacheSettings,
    /// Plain data: the child of a fork verifies with it at once.
    current: ArcSwapOption<CachedSet>,
    /// Locked for decisions only, never over I/O. A fork's child starts with an empty one: what its parent remembers of
    /// failures cannot be read from under a lock, and the child asks the endpoint once before it knows for itself.
    state: PerProcess<Mutex<State>>,
    counters: Counters,
}

#[derive(Debug, Default)]
struct Counters {
    fetches_succeeded: AtomicU64,
    fetches_failed: AtomicU64,
    stale_served: AtomicU64,
    unknown_kids: AtomicU64,
}

/// The state of a verifier's keys, for dashboards and readiness probes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStatus {
    /// Where the keys come from; `None` for keys that were given.
    pub url: Option<String>,
    /// The names of the usable keys.
    pub kids: Vec<String>,
    /// Since the last successful fetch; `None` before the first, and for keys that were given.
    pub age: Option<Duration>,
    /// Grows with every change of the keys.
    pub generation: u64,
    /// Why the last fetch failed, if it did.
    pub last_error: Option<String>,
    /// How long no fetch will be made, after failures.
    pub next_attempt_in: Option<Duration>,
    /// Fetches that brought keys, or the news that they have not changed.
    pub fetches_succeeded: u64,
    /// Fetches that failed.
    pub fetches_failed: u64,
    /// Verifications with keys older than their time, because newer ones could not be had yet.
    pub stale_served: u64,
    /// Tokens refused because their key is not in the set.
    pub unknown_kids: u64,
}

/// A fetched key set to carry to another process, for a cold start without a fetch.
///
/// Whoever can change it can sign in as anybody: keep it where only your servers write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeySnapshot {
    /// Where the keys came from; a verifier takes only those of its own issuer.
    pub(crate) url: String,
    pub(crate) jwks: String,
    pub(crate) fetched_at_unix_millis: u64,
    pub(crate) ttl_millis: u64,
}

impl KeyStatus {
    /// The status of keys that were given and never change.
    pub(crate) fn of_given(set: &KeySet) -> Self {
        Self {
            url: None,
            kids: set.kids(),
            age: None,
            generation: 1,
            last_error: None,
            next_attempt_in: None,
            fetches_succeeded: 0,
            fetches_failed: 0,
            stale_served: 0,
            unknown_kids: 0,
        }
    }
}

impl RemoteKeys {
    pub(crate) fn new(
        url: String,
        client: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        settings: CacheSettings,
    ) -> Self {
        Self {
            url,
            client,
            clock,
            settings,
            current: ArcSwapOption::empty(),
            state: PerProcess::new(),
            counters: Counters::default(),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Whether the key is at hand, however old.
    pub(crate) fn knows(&self, kid: &str) -> bool {
        self.current
            .load()
            .as_ref()
            .is_some_and(|set| set.keys.get(kid).is_some())
    }

    /// Looks at the keys, if they are so fresh that nothing needs to be decided about them.
    pub(crate) fn look_fresh<R>(&self, now: Moment, look: impl FnOnce(&KeySet) -> R) -> Option<R> {
        let current = self.current.load();
        let set = current.as_ref().filter(|set| set.is_fresh(now))?;
        Some(look(&set.keys))
    }

    /// The key, after as much waiting as the cache allows.
    pub(crate) async fn get(self: &Arc<Self>, kid: &str) -> Result<Arc<VerifyingKey>, VerifyError> {
        let mut ask = Ask::new(kid);
        pursue(|| self.ask(&mut ask)).await
    }

    /// [`get`](Self::get), for a thread.
    pub(crate) fn get_blocking(self: &Arc<Self>, kid: &str) -> Result<Arc<VerifyingKey>, VerifyError> {
        let mut ask = Ask::new(kid);
        pursue_blocking(|| self.ask(&mut ask))
    }

    /// Has a set at hand, or says why not.
    pub(crate) async fn warm_up(self: &Arc<Self>) -> Result<(), VerifyError> {
        let mut ask = Ask::new("");
        pursue(|| self.decide(|state, set, now| state.decide_warm_up(&mut ask, set, now))).await
    }

    /// [`warm_up`](Self::warm_up), for a thread.
    pub(crate) fn warm_up_blocking(self: &Arc<Self>) -> Result<(), VerifyError> {
        let mut ask = Ask::new("");
        pursue_blocking(|| self.decide(|state, set, now| state.decide_warm_up(&mut ask, set, now)))
    }

    pub(crate) fn status(&self) -> KeyStatus {
        let now = self.clock.now();
        // A landing changes all of this under the lock, so that what is shown belongs together.
        let state = self.state();
        let state = lock(&state);
        let current = self.current.load_full();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        KeyStatus {
            url: Some(self.url.clone()),
            kids: current.as_ref().map(|set| set.keys.kids()).unwrap_or_default(),
            age: current.as_ref().map(|set| now.since(set.fetched_at)),
            generation: current.as_ref().map_or(0, |set| set.generation),
            last_error: state.last_error().map(ToString::to_string),
            next_attempt_in: state.backoff_left(current.as_deref(), now),
            fetches_succeeded: count(&self.counters.fetches_succeeded),
            fetches_failed: count(&self.counters.fetches_failed),
            stale_served: count(&self.counters.stale_served),
            unknown_kids: count(&self.counters.unknown_kids),
        }
    }

    pub(crate) fn export(&self) -> Option<KeySnapshot> {
        let set = self.current.load_full()?;
        Some(KeySnapshot {
            url: self.url.clone(),
            jwks: set.keys.text().to_owned(),
            fetched_at_unix_millis: millis(set.fetched_at.wall),
            ttl_millis: millis(set.ttl),
        })
    }

    /// Starts from a snapshot, unless the keys at hand are newer. Its age counts from when it was fetched.
    pub(crate) fn import(&self, keys: KeySet, snapshot: &KeySnapshot) {
        let now = self.clock.now();
        let wall = Duration::from_millis(snapshot.fetched_at_unix_millis).min(now.wall);
        let age = now.wall.saturating_sub(wall);
        let state = self.state();
        let _state = lock(&state);
        let current = self.current.load();
        // The cache may be shared with verifiers that have fetched since.
        if current
            .as_ref()
            .is_some_and(|set| now.since(set.fetched_at) <= age)
        {
            return;
        }
        let fetched_at = Moment {
            wall,
            monotonic: now.monotonic.saturating_sub(age),
        };
        let ttl = Duration::from_millis(snapshot.ttl_millis).clamp(Duration::ZERO, CacheSettings::MAX_TTL);
        let set = CachedSet {
            keys: Arc::new(keys),
            fetched_at,
            ttl,
            etag: None,
            generation: 1 + current.as_ref().map_or(0, |set| set.generation),
        };
        self.current.store(Some(Arc::new(set)));
    }

    /// The caller's next step. Never waits, and takes no lock when the key is at hand and fresh.
    fn ask(self: &Arc<Self>, ask: &mut Ask<'_>) -> Decision<Arc<VerifyingKey>> {
        let now = self.clock.now();
        let fresh = |keys: &KeySet| keys.get(ask.kid).map(|slot| from_slot(ask.kid, slot));
        if let Some(Some(key)) = self.look_fresh(now, fresh) {
            return Decision::Done(key.map_err(Into::into));
        }
        let stale = self.current.load().as_ref().is_some_and(|set| set.is_stale(now));
        let decision = self.decide(|state, set, now| state.decide(ask, set, now));
        match &decision {
            Decision::Done(Ok(_)) if stale => add_one(&self.counters.stale_served),
            Decision::Done(Err(error)) if error.code() == ErrorCode::KidUnknown => {
                add_one(&self.counters.unknown_kids);
            }
            _ => {}
        }
        decision
    }

    /// Takes one decision, and starts the flight that it calls for.
    fn decide<T>(
        self: &Arc<Self>,
        decision: impl FnOnce(&mut State, Option<&CachedSet>, Moment) -> (Decision<T>, Option<Arc<Flight>>),
    ) -> Decision<T> {
        let now = self.clock.now();
        let (decision, launched) = {
            let state = self.state();
            let mut state = lock(&state);
            // Loaded under the lock, because a flight stores its set under it too.
            decision(&mut state, self.current.load().as_deref(), now)
        };
        if let Some(flight) = launched {
            self.launch(flight);
        }
        decision
    }

    /// Fetches on a thread of its own, so that no caller's cancellation, runtime or fork-join pool can stop it.
    fn launch(self: &Arc<Self>, flight: Arc<Flight>) {
        let landing = Landing {
            keys: self.clone(),
            flight,
        };
        let spawned = thread::Builder::new()
            .name("torii-keys".into())
            .spawn(move || landing.fly());
        if let Err(error) = spawned {
            // The closure was dropped, and with it the landing: the flight has ended as aborted.
            tracing::error!(%error, "no thread for fetching the key set");
        }
    }

    pub(crate) fn land(&self, flight: &Flight, outcome: Result<Fetched, FetchError>) {
        let counter = match &outcome {
            Ok(_) => &self.counters.fetches_succeeded,
            Err(_) => &self.counters.fetches_failed,
        };
        if let Err(error) = &outcome {
            tracing::warn!(url = %self.url, %error, "the key set could not be fetched");
        }
        {
            let state = self.state();
            let mut state = lock(&state);
            add_one(counter);
            let current = self.current.load_full();
            let next = state.land(
                flight,
                outcome,
                current.as_deref(),
                self.clock.now(),
                process::chance(),
            );
            if let Some(next) = next {
                self.current.store(Some(Arc::new(next)));
            }
        }
        flight.land();
    }

    fn state(&self) -> Arc<Mutex<State>> {
        self.state
            .get_or_make(|| Mutex::new(State::new(self.settings.clone(), self.clock.now())))
    }
}

/// The state stays consistent whatever happens to a holder: it is only ever replaced field by field.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Brings a flight down, also when its thread never starts or panics.
struct Landing {
    keys: Arc<RemoteKeys>,
    flight: Arc<Flight>,
}

impl Landing {
    fn fly(self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let outcome = match runtime {
            Ok(runtime) => {
                let outcome = runtime.block_on(self.fetch_in_time());
                // A name look-up may still hang in a helper thread; nobody waits for it.
                runtime.shutdown_background();
                outcome
            }
            Err(error) => {
                tracing::error!(%error, "no runtime for fetching the key set");
                Err(FetchError::Aborted)
            }
        };
        self.keys.land(&self.flight, outcome);
    }

    async fn fetch_in_time(&self) -> Result<Fetched, FetchError> {
        let etag = self.keys.current.load().as_ref().and_then(|set| set.etag.clone());
        let fetch = fetch(
            &*self.keys.client,
            &self.keys.url,
            etag.as_deref(),
            self.flight.attempts(),
        );
        let mut fetch = std::pin::pin!(fetch);
        while self.flight.age() < FETCH_LIMIT {
            match tokio::time::timeout(BEAT, &mut fetch).await {
                Ok(outcome) => return outcome,
                Err(_) => self.flight.wake(),
            }
        }
        Err(FetchError::Http(HttpErrorKind::Timeout.into()))
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        if !self.flight.has_landed() {
            self.keys.land(&self.flight, Err(FetchError::Aborted));
        }
    }
}

async fn pursue<T>(mut step: impl FnMut() -> Decision<T>) -> Result<T, VerifyError> {
    loop {
        match step() {
            Decision::Done(outcome) => return outcome,
            Decision::Wait(flight, until) => flight.wait(until).await,
        }
    }
}

fn pursue_blocking<T>(mut step: impl FnMut() -> Decision<T>) -> Result<T, VerifyError> {
    loop {
        match step() {
            Decision::Done(outcome) => return outcome,
            Decision::Wait(flight, until) => flight.wait_blocking(until),
        }
    }
}

fn add_one(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
