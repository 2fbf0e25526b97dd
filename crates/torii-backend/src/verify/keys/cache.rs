//! The fetched keys of one issuer: carries out what [`super::policy`] decides.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::fetch::{Fetched, fetch};
use super::jwks::{KeySet, from_slot};
use super::policy::{Decision, Lookup, State};
use super::refresher::Fetch;
use super::set::{CacheSettings, CachedSet};
use super::status::{KeySnapshot, KeyStatus};
use super::sync::{Mutex, MutexGuard};
use crate::chain::Chain;
use crate::clock::{Clock, Moment};
use crate::http_client::{HttpClient, HttpErrorKind};
use crate::process::{self, PerProcess};
use crate::verify::error::{ErrorCode, FetchError, VerifyError};
use crate::verify::token::signature::VerifyingKey;

/// The fetched keys of one issuer. Looking up a known key is a few atomic operations.
#[derive(Debug)]
pub(crate) struct RemoteKeys {
    url: String,
    client: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    settings: CacheSettings,
    fetch_timeout: Duration,
    /// Plain data: the child of a fork verifies with it at once.
    current: ArcSwapOption<CachedSet>,
    /// Locked for decisions only, never over I/O. A fork's child starts with an empty one, because another thread may have
    /// held the parent's lock.
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

/// How a fetch ended, and how many before it had failed since the last that succeeded.
struct Ended {
    fetch: Arc<Fetch>,
    failures: u32,
    outcome: Result<Arc<CachedSet>, Arc<FetchError>>,
}

impl RemoteKeys {
    pub(crate) fn new(
        url: String,
        client: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        settings: CacheSettings,
        fetch_timeout: Duration,
    ) -> Self {
        Self {
            url,
            client,
            clock,
            settings,
            fetch_timeout,
            current: ArcSwapOption::empty(),
            state: PerProcess::new(),
            counters: Counters::default(),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn knows(&self, kid: &str) -> bool {
        let current = self.current.load();
        current.as_ref().is_some_and(|set| set.keys.get(kid).is_some())
    }

    pub(crate) fn hold(&self, kid: &str, key: &Arc<VerifyingKey>, now: Moment) -> bool {
        let held = |keys: &KeySet| keys.holds(kid, key).then_some(());
        self.settled(now, held).is_some()
    }

    /// What `find` finds in the keys, if known keys are used without a decision at this moment. Takes no lock.
    fn settled<R>(&self, now: Moment, find: impl FnOnce(&KeySet) -> Option<R>) -> Option<R> {
        let current = self.current.load();
        let set = current.as_ref()?;
        let age = set.age(now);
        let found = set.is_settled(age).then(|| find(&set.keys)).flatten()?;
        if age >= set.ttl {
            add_one(&self.counters.stale_served);
        }
        Some(found)
    }

    pub(crate) async fn get(self: &Arc<Self>, kid: &str) -> Result<Arc<VerifyingKey>, VerifyError> {
        let mut lookup = Lookup::new(kid);
        decided(|| self.look_up(&mut lookup)).await
    }

    pub(crate) fn get_blocking(self: &Arc<Self>, kid: &str) -> Result<Arc<VerifyingKey>, VerifyError> {
        let mut lookup = Lookup::new(kid);
        decided_blocking(|| self.look_up(&mut lookup))
    }

    pub(crate) async fn warm_up(self: &Arc<Self>) -> Result<(), VerifyError> {
        let mut lookup = Lookup::new("");
        decided(|| self.decide(|state, set, now| state.warm_up(&mut lookup, set, now))).await
    }

    pub(crate) fn warm_up_blocking(self: &Arc<Self>) -> Result<(), VerifyError> {
        let mut lookup = Lookup::new("");
        decided_blocking(|| self.decide(|state, set, now| state.warm_up(&mut lookup, set, now)))
    }

    pub(crate) fn status(&self) -> KeyStatus {
        let now = self.clock.now();
        // The end of a fetch changes all of this under the lock, so that what is shown belongs together.
        let state = self.state();
        let state = lock(&state);
        let current = self.current.load_full();
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        KeyStatus {
            url: Some(self.url.clone()),
            kids: current.as_ref().map(|set| set.keys.kids()).unwrap_or_default(),
            age: current.as_ref().map(|set| set.age(now)),
            generation: current.as_ref().map_or(0, |set| set.generation),
            last_error: state.last_error().cloned(),
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
        if current.as_ref().is_some_and(|set| set.age(now) <= age) {
            return;
        }
        let fetched_at = Moment {
            wall,
            monotonic: now.monotonic.saturating_sub(age),
        };
        let ttl = Duration::from_millis(snapshot.ttl_millis).min(CacheSettings::MAX_TTL);
        let generation = 1 + current.as_ref().map_or(0, |set| set.generation);
        let set = CachedSet::new(Arc::new(keys), fetched_at, ttl, None, generation, &self.settings);
        self.current.store(Some(Arc::new(set)));
    }

    /// The caller's next step. Never waits, and takes no lock when the key is at hand and nothing is to be decided.
    fn look_up(self: &Arc<Self>, lookup: &mut Lookup<'_>) -> Decision<Arc<VerifyingKey>> {
        let now = self.clock.now();
        let usable = |keys: &KeySet| from_slot(lookup.kid(), keys.get(lookup.kid())?).ok();
        if let Some(key) = self.settled(now, usable) {
            return Decision::Done(Ok(key));
        }
        let is_stale = |set: &Arc<CachedSet>| set.age(now) >= set.ttl;
        let stale = self.current.load().as_ref().is_some_and(is_stale);
        let decision = self.decide(|state, set, now| state.look_up(lookup, set, now));
        match &decision {
            Decision::Done(Ok(_)) if stale => add_one(&self.counters.stale_served),
            Decision::Done(Err(error)) if error.code() == ErrorCode::KidUnknown => {
                add_one(&self.counters.unknown_kids);
            }
            _ => {}
        }
        decision
    }

    /// Takes one decision, and starts the fetch that it calls for.
    fn decide<T>(
        self: &Arc<Self>,
        decision: impl FnOnce(&mut State, Option<&CachedSet>, Moment) -> Decision<T>,
    ) -> Decision<T> {
        let now = self.clock.now();
        let state = self.state();
        let (overdue, decision, to_start) = {
            let mut state = lock(&state);
            let timed_out = || Err(FetchError::Http(HttpErrorKind::Timeout.into()));
            let overdue = state
                .take_overdue()
                .map(|fetch| self.apply(&mut state, fetch, timed_out()));
            // Loaded under the lock, because the end of a fetch stores a set under it.
            let decision = decision(&mut state, self.current.load().as_deref(), now);
            (overdue, decision, state.take_to_start())
        };
        if let Some(ended) = overdue {
            self.announce(&ended);
        }
        if let Some(fetch) = to_start {
            self.start(fetch);
        }
        decision
    }

    fn start(self: &Arc<Self>, pending: Arc<Fetch>) {
        let keys = self.clone();
        let (attempts, timeout) = (pending.attempts(), self.fetch_timeout);
        let exchange = async move {
            let etag = keys.current.load().as_ref().and_then(|set| set.etag.clone());
            fetch(&*keys.client, &keys.url, etag.as_deref(), attempts, timeout).await
        };
        let (keys, fetch) = (self.clone(), pending.clone());
        pending.carry_out(exchange, move |outcome| keys.finish(&fetch, outcome));
    }

    /// Takes in how a fetch ended. One that was abandoned changes nothing.
    pub(super) fn finish(&self, fetch: &Arc<Fetch>, outcome: Result<Fetched, FetchError>) {
        let state = self.state();
        let ended = {
            let mut state = lock(&state);
            let under_way = state.take(fetch);
            under_way.then(|| self.apply(&mut state, fetch.clone(), outcome))
        };
        if let Some(ended) = ended {
            self.announce(&ended);
        }
    }

    fn apply(&self, state: &mut State, fetch: Arc<Fetch>, outcome: Result<Fetched, FetchError>) -> Ended {
        let current = self.current.load_full();
        let failures = state.failures();
        let (now, chance) = (self.clock.now(), process::chance());
        let outcome = state.apply(&fetch, outcome, current.as_deref(), &self.settings, now, chance);
        let outcome = outcome.map(Arc::new);
        match &outcome {
            Ok(next) => {
                add_one(&self.counters.fetches_succeeded);
                self.current.store(Some(next.clone()));
            }
            Err(_) => add_one(&self.counters.fetches_failed),
        }
        Ended {
            fetch,
            failures,
            outcome,
        }
    }

    /// Logs how a fetch ended, and wakes its waiters. Never under the lock: whoever reads the log may ask for the status.
    fn announce(&self, ended: &Ended) {
        let (url, failures) = (&self.url, ended.failures);
        match &ended.outcome {
            Ok(set) => {
                let (kids, ttl) = (set.keys.kids(), set.ttl);
                tracing::debug!(url, ?kids, ?ttl, "the key set was fetched");
                if failures > 0 {
                    tracing::warn!(url, failures, "the key set can be fetched again");
                }
            }
            Err(error) => {
                let error = Chain(&**error).to_string();
                // Once for each outage; what follows is the same news.
                match failures {
                    0 => tracing::warn!(url, error, "the key set could not be fetched"),
                    _ => tracing::debug!(url, error, "the key set could not be fetched again"),
                }
            }
        }
        ended.fetch.end();
    }

    fn state(&self) -> Arc<Mutex<State>> {
        self.state
            .get_or_make(|| Mutex::new(State::new(self.fetch_timeout, self.clock.now())))
    }
}

/// The state stays consistent whatever happens to a holder: it is only ever replaced field by field.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn decided<T>(mut decide: impl FnMut() -> Decision<T>) -> Result<T, VerifyError> {
    loop {
        match decide() {
            Decision::Done(outcome) => return outcome,
            Decision::Wait(fetch, until) => fetch.wait(until).await,
        }
    }
}

fn decided_blocking<T>(mut decide: impl FnMut() -> Decision<T>) -> Result<T, VerifyError> {
    loop {
        match decide() {
            Decision::Done(outcome) => return outcome,
            Decision::Wait(fetch, until) => fetch.wait_blocking(until),
        }
    }
}

fn add_one(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
